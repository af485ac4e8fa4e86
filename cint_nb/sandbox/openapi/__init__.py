"""The schemas of every request and response."""
