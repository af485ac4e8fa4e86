"""The protocol: requests, responses, cursors and validation against JSON Schema.

Knows: what a request looks like; nothing of surveys.
May import: nothing of ours.
Gives out: `Request`, `Response`, `ApiError`, the types of request bodies, paging, and `find_problems`.
"""
