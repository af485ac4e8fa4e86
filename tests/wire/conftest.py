"""An exchange that answers from a script, and clients connected to it. Time is a replay's: nothing here waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from cint_nb.wire import loop_thread
from cint_nb.wire.clock import ReplayClock
from cint_nb.wire.http import Call, Http, Idempotency
from cint_nb.wire.settings import Settings
from cint_nb.wire.token_factory import SeededTokenFactory
from tests.support.constants import START
from tests.support.exchange import FakeExchange


@pytest.fixture
def connect() -> Iterator[Callable[..., tuple[Http, FakeExchange]]]:
    """Connect a client to a scripted exchange; keywords are settings."""
    clients: list[Http] = []

    def make(*answers: Any, mode: str = "sandbox", **settings: Any) -> tuple[Http, FakeExchange]:
        exchange = FakeExchange(*(answers or [httpx.Response(200, json={})]))
        if mode == "live":
            credentials = {"account_id": 7, "client_id": "me", "client_secret": "not-a-secret"}
            settings = {**credentials, "base_url": "https://api.cint.com/v1", **settings}
        http = Http(
            Settings.load(mode, environ={}, **settings),
            transport=exchange,
            clock=ReplayClock(START),
            token_factory=SeededTokenFactory("wire"),
        )
        clients.append(http)
        return http, exchange

    yield make
    for http in clients:
        loop_thread.run(http.aclose())


@pytest.fixture
def call() -> Callable[..., Call]:
    """Build a call: `call("POST", Idempotency.NON_IDEMPOTENT, json=…)`."""

    def make(
        method: str = "GET", idempotency: Idempotency = Idempotency.SAFE, template: str = "", **parts: Any
    ) -> Call:
        return Call("do a thing", method, template or "/demand/accounts/{account_id}/things", idempotency, **parts)

    return make
