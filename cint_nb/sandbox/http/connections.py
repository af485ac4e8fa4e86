"""The connections of a served sandbox: tracked by client address, closed when a request does not arrive in time."""

from __future__ import annotations

import asyncio

import h11
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_TIMEOUT_SECONDS = 60.0
"""Real seconds within which a request must have arrived completely, head and body."""
MAX_CONNECTIONS = 512


class ConnectionTracker:
    """The connection of each client address, so that a fault can break it, with limits for slow ones.

    A client that sends its request byte by byte, or not at all, is disconnected after the timeout; over the limit,
    the connection that has waited longest is closed. A request that has arrived is never dropped.

    Args:
        app: The app they are for.
        request_timeout: Real seconds within which a request must have arrived.
        max_connections: Connections open at once.
    """

    def __init__(
        self, app: ASGIApp, *, request_timeout: float = REQUEST_TIMEOUT_SECONDS, max_connections: int = MAX_CONNECTIONS
    ) -> None:
        self.app = app
        self.request_timeout = request_timeout
        self.max_connections = max_connections
        self.open: dict[tuple[str, int], asyncio.Transport] = {}
        self.awaiting_request: dict[asyncio.Transport, asyncio.TimerHandle] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; a fault finds its connection in the scope."""
        client = scope.get("client")
        connection = self.open.get((client[0], client[1])) if client else None
        if connection is not None:
            scope = {**scope, "extensions": {**(scope.get("extensions") or {}), "cint_nb.abort": connection.abort}}
        await self.app(scope, receive, send)

    def opened(self, peer: tuple[str, int], transport: asyncio.Transport) -> None:
        """Register a new connection; over the limit, one that has waited long enough is closed."""
        self.open[peer] = transport
        self.expect_request(transport)
        if len(self.open) > self.max_connections:
            oldest = next(iter(self.awaiting_request))
            # Removed at once: asyncio reports its end only after further connections may have been opened.
            self.closed(tuple(oldest.get_extra_info("peername")[:2]), oldest)
            oldest.abort()

    def expect_request(self, transport: asyncio.Transport) -> None:
        """Expect a complete request on this connection, in time."""
        if transport not in self.awaiting_request:
            self.awaiting_request[transport] = asyncio.get_running_loop().call_later(
                self.request_timeout, transport.abort
            )

    def request_received(self, transport: asyncio.Transport) -> None:
        """Stop the timer: the request has arrived, or the connection is closed."""
        timer = self.awaiting_request.pop(transport, None)
        if timer is not None:
            timer.cancel()

    def closed(self, peer: tuple[str, int], transport: asyncio.Transport) -> None:
        """Remove a closed connection."""
        self.open.pop(peer, None)
        self.request_received(transport)

    def protocol_class(self) -> type[asyncio.Protocol]:
        """Return uvicorn's own protocol class, extended to register its connections here."""
        tracker = self

        class TrackedProtocol(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                self.cint_nb_peer = tuple(transport.get_extra_info("peername")[:2])
                tracker.opened(self.cint_nb_peer, transport)
                super().connection_made(transport)

            def data_received(self, data: bytes) -> None:
                super().data_received(data)
                if self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
                    tracker.expect_request(self.transport)
                else:
                    tracker.request_received(self.transport)

            def connection_lost(self, exc: Exception | None) -> None:
                tracker.closed(self.cint_nb_peer, self.transport)
                super().connection_lost(exc)

        return TrackedProtocol
