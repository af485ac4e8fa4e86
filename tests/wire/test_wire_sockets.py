"""The same rules over real sockets: a server on this machine that misbehaves as servers do."""

import asyncio
import gzip
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from cint_nb.domain import errors
from cint_nb.wire import loop
from cint_nb.wire.clock import ReplayClock
from cint_nb.wire.http import Http, Repeat
from cint_nb.wire.nonces import SeededNonces
from cint_nb.wire.settings import Settings

START = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)


def answer(body: bytes = b'{"fine": true}', length: int | None = None, status: str = "200 OK", more: str = "") -> bytes:
    length = len(body) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
    return f"{head}{more}\r\n".encode() + body


class Server:
    """Answer each connection's requests from a script of bytes; b"" hangs up."""

    def __init__(self, *script: bytes) -> None:
        self.script = list(script)
        self.heads: list[bytes] = []
        self.server: asyncio.Server | None = None
        self.port = 0

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.heads.append(await reader.readuntil(b"\r\n\r\n"))
            said = self.script.pop(0) if len(self.script) > 1 else self.script[0]
            writer.write(said)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def stop(self) -> None:
        assert self.server is not None
        self.server.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[Http, Server]]]:
    made: list[tuple[Http, Server]] = []

    def make(*script: bytes) -> tuple[Http, Server]:
        server = Server(*script)
        loop.run(server.start())
        settings = Settings.read(
            "live", environ={}, account_id=7, token="t", base_url=f"http://127.0.0.1:{server.port}/v1"
        )
        http = Http(settings, clock=ReplayClock(START), nonces=SeededNonces("sockets"))
        made.append((http, server))
        return http, server

    yield make
    for http, server in made:
        loop.run(http.aclose())
        loop.run(server.stop())


def test_an_answer_comes_back_through_httpx_own_transport(serve, call):
    http, server = serve(answer())
    assert loop.run(http.send(call())).json() == {"fine": True}
    head = server.heads[0].decode().lower()
    assert head.startswith("get /v1/demand/accounts/7/things http/1.1")
    assert "authorization: bearer t" in head
    assert "accept-encoding: identity" in head


def test_a_server_that_hangs_up_leaves_a_naked_request_open_and_a_safe_one_is_repeated(serve, call):
    http, server = serve(b"", answer())
    with pytest.raises(errors.OutcomeUnknown):
        loop.run(http.send(call("POST", Repeat.NAKED)))
    assert len(server.heads) == 1
    http, server = serve(b"", answer())
    assert loop.run(http.send(call())).status == 200
    assert len(server.heads) == 2


@pytest.mark.parametrize(
    "said", [answer(b'{"fine": tr', length=40), b"HTTP/1.1 200 OK\r\nContent-Le", b"this is no HTTP\r\n\r\n"]
)
def test_half_an_answer_is_no_answer(serve, call, said):
    http, server = serve(said)
    with pytest.raises(errors.OutcomeUnknown):
        loop.run(http.send(call("POST", Repeat.NAKED)))
    assert len(server.heads) == 1


def test_a_packed_answer_nobody_asked_for_is_understood(serve, call):
    http, _ = serve(answer(gzip.compress(b'{"fine": true}'), more="Content-Encoding: gzip\r\n"))
    assert loop.run(http.send(call())).json() == {"fine": True}


def test_a_port_nobody_listens_on_means_that_nothing_was_sent(serve, call):
    http, server = serve(answer())
    loop.run(server.stop())
    with pytest.raises(errors.NotSent, match="could not be reached") as caught:
        loop.run(http.send(call("POST", Repeat.NAKED)))
    assert caught.value.evidence["attempts"] == 6


def test_a_proxy_of_the_environment_has_no_part_in_what_stays_on_this_machine(serve, call, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    http, server = serve(answer())
    assert loop.run(http.send(call())).status == 200
    assert len(server.heads) == 1
