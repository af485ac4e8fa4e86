"""Servers on this machine that behave badly on purpose, and live clients with planted credentials."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cint_nb.wave.session import Session, connect_session
from cint_nb.wire import loop
from cint_nb.wire.clock import ReplayClock
from tests.security import planted
from tests.wave.conftest import client, make_plan, make_wave, people  # noqa: F401  # one wave for all rooms
from tests.wire.test_wire_sockets import START, Server, answer

Answer = Callable[[str, bytes], bytes | None]


class Listener(Server):
    """Write down every request, hand out the planted token, and let a function of path and request answer the rest.

    A function that returns None hangs up.
    """

    def __init__(self, say: Answer, context: ssl.SSLContext | None = None) -> None:
        super().__init__()
        self.say = say
        self.context = context
        self.bodies: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http{'s' if self.context else ''}://127.0.0.1:{self.port}"

    @property
    def heard(self) -> bytes:
        """Return everything that was ever sent here."""
        return b"\n".join(self.heads + self.bodies)

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.context)
        self.port = self.server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            length = next((line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
            self.bodies.append(await reader.readexactly(int(length)))
            path = head.split(b" ", 2)[1].decode()
            said = self.say(path, head + self.bodies[-1])
            if said is None and path == "/oauth/token":
                token = {"access_token": planted.TOKEN, "expires_in": 86_400, "token_type": "Bearer"}
                said = answer(json.dumps(token).encode())
            writer.write(said or b"")
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    """Start a server that answers by a function; `listen(say)`."""
    started: list[Listener] = []

    def start(say: Answer = lambda path, request: None, context: ssl.SSLContext | None = None) -> Listener:
        listener = Listener(say, context)
        loop.run(listener.start())
        started.append(listener)
        return listener

    yield start
    for listener in started:
        loop.run(listener.stop())


@pytest.fixture
def go_live(listen: Callable[..., Listener]) -> Iterator[Callable[..., Session]]:
    """Connect a live client, whose credentials come from the planted environment, to a server of this machine."""
    sessions: list[Session] = []

    def connect(server: Listener, **settings: Any) -> Session:
        settings = {"base_url": f"{server.url}/v1", "token_url": f"{server.url}/oauth/token"} | settings
        session = connect_session("live", account_id=7, **settings)
        session.http.clock = session.http._sender._clock = ReplayClock(START)  # nothing waits in real time
        sessions.append(session)
        return session

    yield connect
    for session in sessions:
        session.close()
