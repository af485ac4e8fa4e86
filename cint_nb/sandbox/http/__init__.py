"""The HTTP side of the sandbox: app, dispatch, fault injection, control API, persistence.

Knows: requests and responses as bytes, connections, and the state file.
May import: every folder of the sandbox, its clock and its faults, but not `sandbox.sandbox` and `sandbox.server`, which
are above it; domain.limits, Starlette, uvicorn, h11, httpx.
Gives out: `build_app`, the Starlette app; the in-process transport; the connection tracker; the request log; the
OpenAPI document.
"""
