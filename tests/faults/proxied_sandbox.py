"""A wave run through the proxy: the sandbox is served over HTTP, time stays virtual, one exchange is damaged."""

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
from cint_nb.wire import loop_thread
from cint_nb.wire.calls import Call, Reply
from cint_nb.wire.http import Http
from cint_nb.wire.sender import Sender
from cint_nb.wire.settings import Settings
from cint_nb.wire.token_factory import SeededTokenFactory
from tests.faults.matrix_cells import WaveRun, run_wave
from tests.faults.proxy import DAMAGES, POSITIONS, Proxy, can_damage

WOUNDED = {
    "the draft": "Creating the draft: naked, found again by its reference.",
    "the upload": "Uploading the ids: naked, found again by the name of its file.",
    "the look": "Looking at the upload: it only reads.",
    "the launch": "Launching: keyed, the same key acts once.",
    "the end": "Completing the run: guarded by its version.",
    "the removal": "Removing all ids: naked, judged by the count of what is left.",
}
_LINES = {
    "the draft": r"POST \S+/target-groups ",
    "the upload": r"POST \S+/recontacts/jobs/upload-respondents-by-file",
    "the look": r"GET \S+/recontacts/jobs/upload-respondents-by-file/",
    "the launch": r"POST \S+/launch-from-draft",
    "the end": r"POST \S+/complete",
    "the removal": r"POST \S+/remove",
}
_MISSING = {
    ("the look", "request body"),
    ("the launch", "reply body"),
    ("the end", "request body"),
    ("the end", "reply body"),
    ("the removal", "request body"),
}
"""Bytes there are none of: some requests say all in their address, some replies in their head."""
OTHER_PROOFS = {
    "expiry": "The access token ends at any one request, told by a 401 or by a 403.",
    "jumps": "The computer's clock jumps an hour or two days, ahead or back, and back again, at any step.",
    "sleep": "The laptop sleeps eight hours or three days at any step; its seconds stand still meanwhile, or do not.",
    "kernel": "A real kernel is killed in mid-upload, and once more while the job runs; the cells are run again.",
    "month": "A live table and a daily job are watched for 30 days: memory and connections are those of day 10.",
}
_IMPATIENT_READ, _IMPATIENT_CALL = 0.2, 0.5
"""Real seconds a client waits for the damaged exchange only: no healthy one can run into them on a slow machine."""


class ProxiedSandbox:
    """Serve one sandbox after the other at the same address, since to start a server takes longer than a wave."""

    def __init__(self) -> None:
        self.sandbox = Sandbox(seed=1)
        shell = Sandbox(seed=1)
        shell.app = self._pass_on  # type: ignore[assignment]  # any ASGI app can be served
        self.served = ServedSandbox(shell)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
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
            session = Client(Http(settings, clock=sandbox.clock, token_factory=SeededTokenFactory("1")))
            session.sandbox = sandbox
            yield session, proxy
        finally:
            loop_thread.run(proxy.stop())


def wounds(request: str) -> list[tuple[str, str]]:
    """Return each damage and position that one exchange can suffer."""
    return [
        (damage, position)
        for damage in DAMAGES
        for position in POSITIONS
        if can_damage(damage, position) and (request, position) not in _MISSING
    ]


@contextmanager
def impatient(request: str) -> Iterator[None]:
    """Let the client lose patience soon with the first attempt at the damaged request."""
    once, left, line = Sender.send, [1], _LINES[request]

    async def soon(self: Sender, call: Call, request: httpx.Request, auth: httpx.Auth | None, seconds: float) -> Reply:
        if left[0] and re.match(line, f"{request.method} {request.url.path} "):
            left[0] -= 1
            request.extensions["timeout"]["read"] = _IMPATIENT_READ
            seconds = _IMPATIENT_CALL
        return await once(self, call, request, auth, seconds)

    Sender.send = soon  # type: ignore[method-assign]
    try:
        yield
    finally:
        Sender.send = once  # type: ignore[method-assign]


def run_damaged(
    proxied: ProxiedSandbox, people: Respondents, way: str, request: str, damage: str, position: str
) -> tuple[WaveRun, Client]:
    """Run a wave whose one exchange is damaged."""
    patience = impatient(request) if damage in ("delay", "drip") else nullcontext()
    with proxied.through_proxy(request, damage, position) as (session, proxy), patience:
        run = run_wave(people, way, client=session)
        run.fired = proxy.damaged_count
        return run, session
