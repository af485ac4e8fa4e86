"""The connections of a served sandbox: known by their peer, and given up on when a request does not arrive."""

from __future__ import annotations

import asyncio

import h11
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE_SECONDS = 60.0
"""Real seconds in which a request must have arrived as a whole, its head and its body."""
CONNECTIONS_MAX = 512


class Connections:
    """Know the connection of each client address, so that a fault can break it, and keep slow ones in bounds.

    A client that sends its request byte by byte, or not at all, is given up on after a while; of too many, those that
    have kept the sandbox waiting longest make room. A request that has arrived is never given up on.

    Args:
        app: The app they are for.
        patience: Real seconds in which a request must have arrived.
        most: Connections open at once.
    """

    def __init__(self, app: ASGIApp, *, patience: float = PATIENCE_SECONDS, most: int = CONNECTIONS_MAX) -> None:
        self.app = app
        self.patience = patience
        self.most = most
        self.open: dict[tuple[str, int], asyncio.Transport] = {}
        self.waited_for: dict[asyncio.Transport, asyncio.TimerHandle] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a fault finds its connection in the scope."""
        client = scope.get("client")
        connection = self.open.get((client[0], client[1])) if client else None
        if connection is not None:
            scope = {**scope, "extensions": {**(scope.get("extensions") or {}), "cint_nb.abort": connection.abort}}
        await self.app(scope, receive, send)

    def opened(self, peer: tuple[str, int], transport: asyncio.Transport) -> None:
        """Take a new connection in; where there are too many, one that was waited for long enough makes room."""
        self.open[peer] = transport
        self.wait_for(transport)
        if len(self.open) > self.most:
            longest = next(iter(self.waited_for))
            # Forgotten at once: its end is told only after further connections may have come.
            self.closed(tuple(longest.get_extra_info("peername")[:2]), longest)
            longest.abort()

    def wait_for(self, transport: asyncio.Transport) -> None:
        """Expect a whole request from here, in time."""
        if transport not in self.waited_for:
            self.waited_for[transport] = asyncio.get_running_loop().call_later(self.patience, transport.abort)

    def arrived(self, transport: asyncio.Transport) -> None:
        """Wait no longer: the request is here, or the connection is gone."""
        timer = self.waited_for.pop(transport, None)
        if timer is not None:
            timer.cancel()

    def closed(self, peer: tuple[str, int], transport: asyncio.Transport) -> None:
        """Forget a connection."""
        self.open.pop(peer, None)
        self.arrived(transport)

    def protocol(self) -> type[asyncio.Protocol]:
        """Return uvicorn's own protocol, which also tells of its connections here."""
        connections = self

        class Watched(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                self.cint_nb_peer = tuple(transport.get_extra_info("peername")[:2])
                connections.opened(self.cint_nb_peer, transport)
                super().connection_made(transport)

            def data_received(self, data: bytes) -> None:
                super().data_received(data)
                if self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
                    connections.wait_for(self.transport)
                else:
                    connections.arrived(self.transport)

            def connection_lost(self, exc: Exception | None) -> None:
                connections.closed(self.cint_nb_peer, self.transport)
                super().connection_lost(exc)

        return Watched
