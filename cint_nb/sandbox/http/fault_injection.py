"""Fault injection for one request: each fault acts at its moment, before, during or after the handler."""

from __future__ import annotations

import asyncio

from starlette.types import Scope

from cint_nb.sandbox.clock import SandboxClock
from cint_nb.sandbox.fault_kinds import (
    ConnectionRefused,
    ConnectionReset,
    EarlyResponse,
    FaultKind,
    ReplyDelayed,
    ReplyDropped,
    ResponseChange,
    StateChange,
)
from cint_nb.sandbox.faults import ConnectionDropped, Fault
from cint_nb.sandbox.protocol.messages import Response, StateFault


class FaultInjector:
    """The faults of one request, each applied at its moment.

    Args:
        faults: The faults that happen to this request.
        clock: The sandbox's clock, for delays in process.
        scope: The ASGI scope of the request.
    """

    def __init__(self, faults: list[Fault], clock: SandboxClock, scope: Scope) -> None:
        # Of several of one name, the last decides the value.
        last = {fault.name: fault for fault in faults}
        self._faults: list[tuple[FaultKind, str | None]] = [(fault.kind, fault.value) for fault in last.values()]
        self._clock = clock
        extensions = scope.get("extensions") or {}
        self._is_served: bool = "cint_nb.abort" in extensions
        self._read_timeout: float | None = extensions.get("cint_nb.read_timeout")
        self._query: str = scope.get("query_string", b"").decode("latin-1")

    @property
    def state_faults(self) -> frozenset[StateFault]:
        """The faults that change the state."""
        return frozenset(kind.effect for kind, _ in self._faults if isinstance(kind, StateChange))

    def before_request(self) -> None:
        """Apply the faults that act before the request is read."""
        if any(isinstance(kind, ConnectionRefused) for kind, _ in self._faults):
            raise ConnectionDropped("the connection was refused", "refuse")

    def during_body(self, *, done: bool) -> None:
        """Apply the faults that act while the body arrives, at the latest when it is complete."""
        if any(isinstance(kind, ConnectionReset) for kind, _ in self._faults):
            raise ConnectionDropped(f"the connection was reset while {'waiting' if done else 'sending'}", "reset")

    def replacement_response(self) -> Response | None:
        """Return the response that replaces the handler, if there is one."""
        for kind, value in self._faults:
            if isinstance(kind, EarlyResponse):
                return kind.response(value)
        return None

    async def before_response(self) -> None:
        """Apply the faults that act between the handler and its response."""
        for kind, value in self._faults:
            if isinstance(kind, ReplyDelayed):
                await self._delay(kind.seconds(value))
        if any(isinstance(kind, ReplyDropped) for kind, _ in self._faults):
            raise ConnectionDropped("the connection was closed before a reply came")

    async def _delay(self, seconds: float) -> None:
        if self._is_served:
            await asyncio.sleep(seconds)  # the client waits in real time, so the delay is real
            return
        if self._read_timeout is not None and seconds > self._read_timeout:
            self._clock.advance(self._read_timeout)
            raise ConnectionDropped("no reply came in time", "read-timeout")
        self._clock.advance(seconds)

    def alter_response(self, response: Response) -> Response:
        """Return the response with the changes that the faults make."""
        for kind, value in self._faults:
            if isinstance(kind, ResponseChange) and response.status < 400:
                response = kind.change(response, value, self._query)
        return response
