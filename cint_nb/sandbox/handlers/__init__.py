"""The handlers: one function per operation, grouped by resource."""
