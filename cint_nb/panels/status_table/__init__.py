"""The status table."""
