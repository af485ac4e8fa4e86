"""The protocol: requests, responses, cursors and validation against JSON Schema.

Knows: what a request looks like; nothing of surveys.
May import: Nothing of ours.
Gives out: `Request`, `Response`, `ApiError`.
"""
