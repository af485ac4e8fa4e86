"""A wave run through the proxy: the sandbox is served over HTTP, time stays virtual, one HTTP exchange is damaged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import httpx
from starlette.types import Receive, Scope, Send

from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.server import ServedSandbox
from cint_nb.study.files.respondents import Respondents
from cint_nb.wave.client import Client
from cint_nb.wave.journaled_client import JournaledClient
from cint_nb.wire import loop_thread
from cint_nb.wire.calls import Call, Reply
from cint_nb.wire.http import Http
from cint_nb.wire.sender import Sender
from cint_nb.wire.settings import Settings
from cint_nb.wire.token_factory import SeededTokenFactory
from tests.faults.matrix_cells import WaveRun, run_wave
from tests.faults.proxy import DAMAGES, POSITIONS, Proxy, can_damage

DAMAGED_REQUESTS = {
    "the draft": "Creating the draft: not idempotent, found by its reference.",
    "the upload": "Uploading the ids: not idempotent, found by the name of its file.",
    "the poll": "Polling the upload: it only reads.",
    "the launch": "Launching: with an idempotency key, which acts once.",
    "the end": "Completing the run: conditional on its version.",
    "the removal": "Removing all ids: not idempotent, checked by the count of ids that remain.",
}
_LINES = {
    "the draft": r"POST \S+/target-groups ",
    "the upload": r"POST \S+/recontacts/jobs/upload-respondents-by-file",
    "the poll": r"GET \S+/recontacts/jobs/upload-respondents-by-file/",
    "the launch": r"POST \S+/launch-from-draft",
    "the end": r"POST \S+/complete",
    "the removal": r"POST \S+/remove",
}
_MISSING = {
    ("the poll", "request body"),
    ("the launch", "reply body"),
    ("the end", "request body"),
    ("the end", "reply body"),
    ("the removal", "request body"),
}
"""Positions that do not exist: some requests have no body, and neither do some replies."""
OTHER_PROOFS = {
    "expiry": "The access token expires at any one request, reported by a 401 or by a 403.",
    "jumps": "The computer's clock jumps an hour or two days, ahead or back, and back again, at any step.",
    "sleep": "The laptop sleeps eight hours or three days at any step; its monotonic clock stops, or does not.",
    "kernel": "A real kernel is killed during the upload, and once more while the job runs; the cells are run again.",
    "month": "A live table and a daily job are followed for 30 days: memory and connections are those of day 10.",
}
_SHORT_READ, _SHORT_CALL = 0.2, 0.5
"""Real seconds that a client waits for the damaged exchange only: no healthy one can exceed them on a slow machine."""


class ProxiedSandbox:
    """One sandbox after the other behind the same server, since starting a server takes longer than a wave."""

    def __init__(self) -> None:
        self.sandbox = Sandbox(seed=1)
        placeholder = Sandbox(seed=1)
        placeholder.app = self._forward  # type: ignore[assignment]  # any ASGI app can be served
        self.served = ServedSandbox(placeholder)

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.sandbox.app(scope, receive, send)

    @contextmanager
    def through_proxy(self, request: str, damage: str, position: str) -> Iterator[tuple[Client, Proxy]]:
        """Put the proxy before a new sandbox, and connect a session that shares the sandbox's clock."""
        self.sandbox = sandbox = Sandbox(seed=1)
        picks = re.compile(_LINES[request]).match
        port = int(self.served.url.rpartition(":")[2])
        proxy = Proxy(port, lambda line: picks(line) is not None, damage, position)
        loop_thread.run(proxy.start())
        try:
            settings = Settings.load("sandbox", environ={}, base_url=f"http://127.0.0.1:{proxy.port}/v1")
            http = Http(settings, clock=sandbox.clock, token_factory=SeededTokenFactory("1"))
            yield Client(JournaledClient(http, sandbox=sandbox)), proxy
        finally:
            loop_thread.run(proxy.stop())


def damages_of(request: str) -> list[tuple[str, str]]:
    """Return each damage and position that applies to one request."""
    return [
        (damage, position)
        for damage in DAMAGES
        for position in POSITIONS
        if can_damage(damage, position) and (request, position) not in _MISSING
    ]


@contextmanager
def short_timeouts(request: str) -> Iterator[None]:
    """Shorten the client's timeouts for the first attempt at the damaged request."""
    send, remaining, line = Sender.send, [1], _LINES[request]

    async def send_soon(
        self: Sender, call: Call, request: httpx.Request, auth: httpx.Auth | None, seconds: float
    ) -> Reply:
        if remaining[0] and re.match(line, f"{request.method} {request.url.path} "):
            remaining[0] -= 1
            request.extensions["timeout"]["read"] = _SHORT_READ
            seconds = _SHORT_CALL
        return await send(self, call, request, auth, seconds)

    Sender.send = send_soon  # type: ignore[method-assign]
    try:
        yield
    finally:
        Sender.send = send  # type: ignore[method-assign]


def run_damaged(
    proxied: ProxiedSandbox, people: Respondents, way: str, request: str, damage: str, position: str
) -> tuple[WaveRun, Client]:
    """Run a wave of which one HTTP exchange is damaged."""
    timeouts = short_timeouts(request) if damage in ("delay", "drip") else nullcontext()
    with proxied.through_proxy(request, damage, position) as (session, proxy), timeouts:
        run = run_wave(people, way, client=session)
        run.fired = proxy.damaged_count
        return run, session
