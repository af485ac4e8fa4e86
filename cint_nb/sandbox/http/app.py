"""The Starlette app of a sandbox: the API under `/v1`, token, OpenAPI document, control API and control page."""

from __future__ import annotations

import json
from typing import Protocol
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from cint_nb.sandbox.http.asgi import SandboxApp
from cint_nb.sandbox.http.control_api import SandboxLike, control_routes
from cint_nb.sandbox.http.control_page import page_routes
from cint_nb.sandbox.http.openapi_document import build_openapi
from cint_nb.sandbox.http.people_api import Switchable, people_routes
from cint_nb.sandbox.protocol.messages import ApiError, internal_error, method_not_allowed, not_found
from cint_nb.sandbox.protocol.messages import Response as ApiResponse


class ServableSandbox(SandboxLike, Switchable, Protocol):
    """Protocol for a sandbox: what its app may use."""


def build_app(sandbox: ServableSandbox, hosts: frozenset[str] = frozenset()) -> Starlette:
    """Build the app of a sandbox.

    Args:
        sandbox: The sandbox.
        hosts: Further host names it accepts, besides those of this machine.
    """
    sandbox_app = SandboxApp(sandbox.dispatcher, sandbox.clock, sandbox.faults, sandbox.changes)

    async def openapi(_request: Request) -> Response:
        return JSONResponse(
            build_openapi()
        )  # built on request: it takes longer than everything else a new sandbox does

    async def answer_error(_request: Request, error: Exception) -> Response:
        return _to_starlette(sandbox.dispatcher.answer_error(_error_outside(error)))

    app = Starlette(
        routes=[
            Mount("/v1", app=sandbox_app),
            Route("/oauth/token", sandbox_app, methods=None),
            Route("/openapi.json", openapi),
            *control_routes(sandbox),
            *people_routes(sandbox),
            *page_routes(sandbox),
        ],
        middleware=[Middleware(HostGuard, hosts=hosts)],
        exception_handlers={HTTPException: answer_error, Exception: answer_error},
    )
    app.router.redirect_slashes = False  # a path is as it is documented, or unknown
    return app


def _error_outside(error: Exception) -> ApiError:
    """Return what is answered outside the API: the same envelope as inside."""
    if isinstance(error, HTTPException) and error.status_code == 405:
        return method_not_allowed(str((error.headers or {}).get("Allow", "")))
    if isinstance(error, HTTPException):
        return not_found("the address")
    return internal_error()


def _to_starlette(response: ApiResponse) -> Response:
    return JSONResponse(response.body, response.status, response.headers)


LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]", "sandbox.invalid"})


class HostGuard:
    """ASGI middleware that rejects foreign host names (DNS rebinding) and cross-site requests.

    Args:
        app: The app it protects.
        hosts: Further host names to accept.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str] = frozenset()) -> None:
        self.app = app
        self.hosts = LOCAL_HOSTS | hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or reject it here."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        rejection = self._rejection(headers)
        if rejection is None:
            await self.app(scope, receive, send)
            return
        status, kind, detail = rejection
        body = json.dumps({"object": kind, "detail": detail}).encode()
        length = str(len(body)).encode()
        raw = [(b"content-type", b"application/json"), (b"content-length", length)]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})

    def _rejection(self, headers: dict[bytes, str]) -> tuple[int, str, str] | None:
        host = headers.get(b"host", "").lower()
        if _host_without_port(host) not in self.hosts:
            return 421, "misdirected_request_error", "this sandbox accepts requests for its own host name only"
        origin = headers.get(b"origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host:
            return 403, "cross_site_request_error", "cross-site requests are rejected"
        if headers.get(b"sec-fetch-site", "none") not in ("none", "same-origin"):
            return 403, "cross_site_request_error", "cross-site requests are rejected"
        return None


def _host_without_port(host: str) -> str:
    """Return the host without its port."""
    host = host.lower()
    return host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]
