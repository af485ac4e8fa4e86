"""One request meets its faults: each acts at its moment, before, during or after the exchange does."""

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
    """The faults of one request and let each act at its moment.

    Args:
        faults: What happens to this request.
        clock: The sandbox's clock, for delays in process.
        scope: The ASGI scope of the request.
    """

    def __init__(self, faults: list[Fault], clock: SandboxClock, scope: Scope) -> None:
        # Of several of one name, the last decides the value.
        last = {fault.name: fault for fault in faults}
        self._faults: list[tuple[FaultKind, str]] = [(fault.kind, fault.value) for fault in last.values()]
        self._clock = clock
        extensions = scope.get("extensions") or {}
        self._is_served: bool = "cint_nb.abort" in extensions
        self._read_timeout: float | None = extensions.get("cint_nb.read_timeout")
        self._query: str = scope.get("query_string", b"").decode("latin-1")

    @property
    def state_faults(self) -> frozenset[StateFault]:
        """Return the faults that change the world."""
        return frozenset(kind.effect for kind, _ in self._faults if isinstance(kind, StateChange))

    def before_request(self) -> None:
        """Act before the request is read."""
        if any(isinstance(kind, ConnectionRefused) for kind, _ in self._faults):
            raise ConnectionDropped("the connection was refused", "refuse")

    def during_body(self, *, done: bool) -> None:
        """Act while the body arrives, at the latest when it is there."""
        if any(isinstance(kind, ConnectionReset) for kind, _ in self._faults):
            raise ConnectionDropped(f"the connection was reset while {'waiting' if done else 'sending'}", "reset")

    def replacement_response(self) -> Response | None:
        """Return the reply that takes the place of acting, if there is one."""
        for kind, value in self._faults:
            if isinstance(kind, EarlyResponse):
                return kind.response(value)
        return None

    async def before_response(self) -> None:
        """Act between the exchange's deed and its reply."""
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

    def alter_response(self, answer: Response) -> Response:
        """Return the reply as it leaves."""
        for kind, value in self._faults:
            if isinstance(kind, ResponseChange) and answer.status < 400:
                answer = kind.change(answer, value, self._query)
        return answer
