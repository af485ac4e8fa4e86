"""Servers on this machine that behave badly on purpose, and live clients with planted credentials."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cint_nb.sandbox.sample import write_sample
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.wave.client import Client, open_client
from cint_nb.wire import loop_thread
from cint_nb.wire.clock import ReplayClock
from tests.support.constants import START
from tests.support.servers import Listener, Say
from tests.support.wave_fixtures import client, make_plan, make_wave  # noqa: F401  # one wave for all rooms


@pytest.fixture
def people(tmp_path: Path) -> Respondents:
    """A list whose file lies in the folder of the test, where ids are looked for."""
    return read_respondents(write_sample(tmp_path / "people.csv", lines=600), entity_type="RSID")


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    """Start a server that answers by a function; `listen(say)`."""
    started: list[Listener] = []

    def start(say: Say = lambda path, request: None, context: ssl.SSLContext | None = None) -> Listener:
        listener = Listener(say, context)
        loop_thread.run(listener.start())
        started.append(listener)
        return listener

    yield start
    for listener in started:
        loop_thread.run(listener.stop())


@pytest.fixture
def go_live(listen: Callable[..., Listener]) -> Iterator[Callable[..., Client]]:
    """Connect a live client, whose credentials come from the canary environment, to a server of this machine."""
    clients: list[Client] = []

    def connect(server: Listener, **settings: Any) -> Client:
        settings = {"base_url": f"{server.url}/v1", "token_url": f"{server.url}/oauth/token"} | settings
        opened = open_client("live", account_id=7, **settings)
        opened.http.clock = opened.http._sender._clock = ReplayClock(START)  # nothing waits in real time
        clients.append(opened)
        return opened

    yield connect
    for opened in clients:
        opened.close()
