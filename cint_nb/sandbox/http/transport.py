"""The in-process httpx transport: connection faults become the errors that a network would raise."""

from __future__ import annotations

import asyncio

import httpx
from starlette.types import ASGIApp, Message, Scope

from cint_nb.sandbox.clock import SandboxClock
from cint_nb.sandbox.faults import ConnectionDropped

_DROP_ERRORS: dict[str, type[httpx.TransportError]] = {
    "refuse": httpx.ConnectError,
    "reset": httpx.WriteError,
    "drop": httpx.RemoteProtocolError,
    "read-timeout": httpx.ReadTimeout,
}


class SandboxTransport(httpx.AsyncBaseTransport):
    """An httpx transport to an app in this process.

    It does what `httpx.ASGITransport` does, without the failed imports which that tries with each request, and passes
    the client's read timeout to the app.

    Args:
        app: The sandbox's app.
        clock: Its clock; time does not jump while a request is in flight.
    """

    def __init__(self, app: ASGIApp, clock: SandboxClock) -> None:
        self._app = app
        self._clock = clock

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response, or fail as a network would."""
        self._clock.in_flight += 1
        try:
            return await self._call_app(request)
        except ConnectionDropped as dropped:
            kind = _DROP_ERRORS.get(dropped.how, httpx.RemoteProtocolError)
            raise kind(f"{dropped} (a fault of the sandbox)", request=request) from None
        finally:
            self._clock.in_flight -= 1

    async def _call_app(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        sent = False
        replied: Message = {}
        parts: list[bytes] = []

        async def receive() -> Message:
            nonlocal sent
            if sent:
                await asyncio.Event().wait()  # the client stays until it has its reply
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                replied.update(message)
            else:
                parts.append(message.get("body", b""))

        await self._app(_asgi_scope(request), receive, send)
        return httpx.Response(replied["status"], headers=replied["headers"], content=b"".join(parts))


def _asgi_scope(request: httpx.Request) -> Scope:
    url = request.url
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.partition(b"?")[0],
        "query_string": url.query,
        "server": (url.host, url.port),
        "client": ("127.0.0.1", 123),
        "root_path": "",
        "extensions": {"cint_nb.read_timeout": request.extensions.get("timeout", {}).get("read")},
    }
