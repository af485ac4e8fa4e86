"""The sandbox behind httpx, without a network: connection faults become the errors a network would give."""

from __future__ import annotations

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from cint_nb.sandbox.clock import SandboxClock
from cint_nb.sandbox.faults import Dropped

_ERRORS: dict[str, type[httpx.TransportError]] = {
    "refuse": httpx.ConnectError,
    "reset": httpx.WriteError,
    "drop": httpx.RemoteProtocolError,
    "read-timeout": httpx.ReadTimeout,
}


class SandboxTransport(httpx.AsyncBaseTransport):
    """Answer requests from an app in this process.

    Args:
        app: The sandbox's app.
        clock: Its clock; time does not jump while a request is under way.
    """

    def __init__(self, app: ASGIApp, clock: SandboxClock) -> None:
        self._app = app
        self._clock = clock

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request, or fail as a network would."""
        patience = request.extensions.get("timeout", {}).get("read")

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await self._app({**scope, "extensions": {"cint_nb.read_timeout": patience}}, receive, send)

        self._clock.in_flight += 1
        try:
            return await httpx.ASGITransport(app=app).handle_async_request(request)
        except Dropped as dropped:
            kind = _ERRORS.get(dropped.how, httpx.RemoteProtocolError)
            raise kind(f"{dropped} (a fault of the sandbox)", request=request) from None
        finally:
            self._clock.in_flight -= 1
