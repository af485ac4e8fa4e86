"""An exchange that answers from a script, and clients connected to it. Time is a replay's: nothing here waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from cint_nb.wire import loop
from cint_nb.wire.clock import ReplayClock
from cint_nb.wire.http import Call, Http, Repeat
from cint_nb.wire.nonces import SeededNonces
from cint_nb.wire.settings import Settings

START = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)


class Exchange(httpx.AsyncBaseTransport):
    """Answer requests in the order of a script; its last answer repeats. Tokens are `token-1`, `token-2`, ….

    An answer is a response, an exception, or a function of the request that returns either.
    """

    def __init__(self, *answers: Any) -> None:
        self.script = list(answers) or [httpx.Response(200, json={})]
        self.requests: list[httpx.Request] = []
        self.token_requests: list[httpx.Request] = []
        self.token_answer: Callable[[int], Any] = lambda number: httpx.Response(
            200, json={"access_token": f"token-{number}", "expires_in": 86400, "token_type": "Bearer"}
        )
        self.under_way = 0
        self.most_under_way = 0
        self.closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            for _ in range(20):  # as long as it takes until all who want to send are under way
                await asyncio.sleep(0)
            return self._answer(request)
        finally:
            self.under_way -= 1

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            self.token_requests.append(request)
            answer = self.token_answer(len(self.token_requests))
        else:
            self.requests.append(request)
            answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, httpx.Response)
        # The same scripted response may be handed out twice: build it anew each time.
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    async def aclose(self) -> None:
        self.closed = True

    @property
    def tokens_used(self) -> list[str]:
        return [request.headers["authorization"].removeprefix("Bearer ") for request in self.requests]


@pytest.fixture
def connect() -> Iterator[Callable[..., tuple[Http, Exchange]]]:
    """Connect a client to a scripted exchange; keywords are settings."""
    clients: list[Http] = []

    def make(*answers: Any, mode: str = "sandbox", **settings: Any) -> tuple[Http, Exchange]:
        exchange = Exchange(*answers)
        if mode == "live":
            credentials = {"account_id": 7, "client_id": "me", "client_secret": "not-a-secret"}
            settings = {**credentials, "base_url": "https://api.cint.com/v1", **settings}
        http = Http(
            Settings.read(mode, environ={}, **settings),
            transport=exchange,
            clock=ReplayClock(START),
            nonces=SeededNonces("wire"),
        )
        clients.append(http)
        return http, exchange

    yield make
    for http in clients:
        loop.run(http.aclose())


@pytest.fixture
def call() -> Callable[..., Call]:
    """Build a call: `call("POST", Repeat.NAKED, json=…)`."""

    def make(method: str = "GET", repeat: Repeat = Repeat.SAFE, template: str = "", **parts: Any) -> Call:
        return Call("do a thing", method, template or "/demand/accounts/{account_id}/things", repeat, **parts)

    return make
