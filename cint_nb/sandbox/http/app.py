"""The Starlette app of a sandbox: the exchange under `/v1`, the token, the description, the control room, the page."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from cint_nb.sandbox.http.asgi import SandboxApp
from cint_nb.sandbox.http.control_api import SandboxLike, control_routes
from cint_nb.sandbox.http.control_page import page_routes
from cint_nb.sandbox.http.openapi_document import build_openapi


def build_app(sandbox: SandboxLike, hosts: frozenset[str] = frozenset()) -> Starlette:
    """Build the app of a sandbox.

    Args:
        sandbox: The sandbox.
        hosts: Further host names it answers to, besides those of this machine.
    """
    door = SandboxApp(sandbox.dispatcher, sandbox.clock, sandbox.faults)

    async def openapi(_request: Request) -> Response:
        return JSONResponse(build_openapi())  # only here: it takes longer than all else a new sandbox does

    return Starlette(
        routes=[
            Mount("/v1", app=door),
            Route("/oauth/token", door, methods=None),
            Route("/openapi.json", openapi),
            *control_routes(sandbox),
            *page_routes(sandbox),
        ],
        middleware=[Middleware(HostGuard, hosts=hosts)],
    )


LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]", "sandbox.invalid"})


class HostGuard:
    """ASGI middleware that rejects foreign host names (DNS rebinding) and cross-site requests.

    Args:
        app: The app behind the gate.
        hosts: Further host names to answer to.
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
        problem = self._rejection(headers)
        if problem is None:
            await self.app(scope, receive, send)
            return
        status, kind, detail = problem
        body = json.dumps({"object": kind, "detail": detail}).encode()
        length = str(len(body)).encode()
        raw = [(b"content-type", b"application/json"), (b"content-length", length)]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})

    def _rejection(self, headers: dict[bytes, str]) -> tuple[int, str, str] | None:
        named = headers.get(b"host", "").lower()
        if _host_without_port(named) not in self.hosts:
            return 421, "misdirected_request_error", "this sandbox answers to its own host name only"
        origin = headers.get(b"origin")
        if origin is not None and urlsplit(origin).netloc.lower() != named:
            return 403, "cross_site_request_error", "requests of other web sites are refused"
        if headers.get(b"sec-fetch-site", "none") not in ("none", "same-origin"):
            return 403, "cross_site_request_error", "requests of other web sites are refused"
        return None


def _host_without_port(host: str) -> str:
    """Return the host without its port."""
    host = host.lower()
    return host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]
