"""The same rules over real sockets: a server on this machine that misbehaves as servers do."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator

import pytest

from cint_nb.domain import errors
from cint_nb.wire import loop_thread
from cint_nb.wire.clock import ReplayClock
from cint_nb.wire.http import Call, Http, Idempotency
from cint_nb.wire.settings import Settings
from cint_nb.wire.token_factory import SeededTokenFactory
from tests.support.constants import START
from tests.support.servers import ScriptedServer, raw_response

Serve = Callable[..., tuple[Http, ScriptedServer]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    made: list[tuple[Http, ScriptedServer]] = []

    def make(*script: bytes) -> tuple[Http, ScriptedServer]:
        server = ScriptedServer(*script)
        loop_thread.run(server.start())
        settings = Settings.load(
            "live", environ={}, account_id=7, token="t", base_url=f"http://127.0.0.1:{server.port}/v1"
        )
        http = Http(settings, clock=ReplayClock(START), token_factory=SeededTokenFactory("sockets"))
        made.append((http, server))
        return http, server

    yield make
    for http, server in made:
        loop_thread.run(http.aclose())
        loop_thread.run(server.stop())


def test_an_answer_comes_back_through_httpx_own_transport(serve: Serve, call: Callable[..., Call]) -> None:
    http, server = serve(raw_response())
    assert loop_thread.run(http.send(call())).json() == {"fine": True}
    head = server.heads[0].decode().lower()
    assert head.startswith("get /v1/demand/accounts/7/things http/1.1")
    assert "authorization: bearer t" in head
    assert "accept-encoding: identity" in head


def test_a_server_that_hangs_up_leaves_a_naked_request_open_and_a_safe_one_is_repeated(
    serve: Serve, call: Callable[..., Call]
) -> None:
    http, server = serve(b"", raw_response())
    with pytest.raises(errors.OutcomeUnknown):
        loop_thread.run(http.send(call("POST", Idempotency.NON_IDEMPOTENT)))
    assert len(server.heads) == 1
    http, server = serve(b"", raw_response())
    assert loop_thread.run(http.send(call())).status == 200
    assert len(server.heads) == 2


@pytest.mark.parametrize(
    "said", [raw_response(b'{"fine": tr', length=40), b"HTTP/1.1 200 OK\r\nContent-Le", b"this is no HTTP\r\n\r\n"]
)
def test_half_an_answer_is_no_answer(serve: Serve, call: Callable[..., Call], said: bytes) -> None:
    http, server = serve(said)
    with pytest.raises(errors.OutcomeUnknown):
        loop_thread.run(http.send(call("POST", Idempotency.NON_IDEMPOTENT)))
    assert len(server.heads) == 1


def test_a_packed_answer_nobody_asked_for_is_understood(serve: Serve, call: Callable[..., Call]) -> None:
    http, _ = serve(raw_response(gzip.compress(b'{"fine": true}'), more="Content-Encoding: gzip\r\n"))
    assert loop_thread.run(http.send(call())).json() == {"fine": True}


def test_a_port_nobody_listens_on_means_that_nothing_was_sent(serve: Serve, call: Callable[..., Call]) -> None:
    http, server = serve(raw_response())
    loop_thread.run(server.stop())
    with pytest.raises(errors.NotSent, match="could not be reached") as caught:
        loop_thread.run(http.send(call("POST", Idempotency.NON_IDEMPOTENT)))
    assert caught.value.evidence["attempts"] == 6


def test_a_proxy_of_the_environment_has_no_part_in_what_stays_on_this_machine(
    serve: Serve, call: Callable[..., Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    http, server = serve(raw_response())
    assert loop_thread.run(http.send(call())).status == 200
    assert len(server.heads) == 1
