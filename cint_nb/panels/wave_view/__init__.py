"""The wave view and the findings table."""
