"""The protocol: messages, cursors and JSON Schema validation."""
