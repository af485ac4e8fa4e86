"""The HTTP side of the sandbox: app, dispatch, fault injection, control API, persistence.

Knows: requests and responses as bytes.
May import: every folder of the sandbox but the server above it.
Gives out: `build_app`, the Starlette app; the in-process transport; the OpenAPI document.
"""
