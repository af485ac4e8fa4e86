"""What an engineer may expect of the client beyond the single request."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pickle
import threading
import traceback
from collections import Counter
from collections.abc import Callable

import httpx
import pytest

from cint_nb.domain import errors
from cint_nb.wire import loop_thread
from cint_nb.wire.client_pool import ClientPool
from cint_nb.wire.clock import ReplayClock
from cint_nb.wire.http import Call, Http, Idempotency
from cint_nb.wire.settings import Settings
from tests.support.exchange import FakeExchange

FINE = httpx.Response(200, json={})


def test_making_a_client_touches_no_network_and_starts_no_thread() -> None:
    loop_thread.shut_down()
    before = threading.active_count()
    http = Http(Settings.load(environ={}))
    assert threading.active_count() == before
    assert repr(http) == "<Http: sandbox · account 101>"


def test_at_most_eight_requests_are_under_way(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(FINE)

    async def many() -> None:
        await asyncio.gather(*(http.send(call()) for _ in range(40)))

    loop_thread.run(many())
    assert len(exchange.requests) == 40
    assert exchange.max_in_flight == 8


def test_more_requests_are_under_way_only_where_the_settings_say_so(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(FINE, in_flight=20)

    async def many() -> None:
        await asyncio.gather(*(http.send(call()) for _ in range(60)))

    loop_thread.run(many())
    assert exchange.max_in_flight == 20


def test_beyond_eight_more_connections_mean_more_httpx_clients_each_with_eight() -> None:
    async def lend(in_flight: int) -> list[int]:
        connections = ClientPool(None, None, in_flight, proxies=True)
        with contextlib.ExitStack() as stack:
            lent = [id(stack.enter_context(connections.lease())) for _ in range(in_flight)]
        await connections.aclose()
        return sorted(Counter(lent).values())

    assert loop_thread.run(lend(8)) == [8]
    assert loop_thread.run(lend(20)) == [4, 8, 8]


def test_the_real_exchange_gets_as_many_requests_a_second_as_the_settings_say(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, _ = connect(FINE, mode="live", requests_per_second=100.0)
    began = http.clock.monotonic()
    for _ in range(300):
        loop_thread.run(http.send(call()))
    assert http.clock.monotonic() - began == pytest.approx(2.0, abs=0.1)


def test_the_real_exchange_gets_ten_requests_a_second(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, _ = connect(FINE, mode="live")
    began = http.clock.monotonic()
    for _ in range(60):
        loop_thread.run(http.send(call()))
    assert http.clock.monotonic() - began == pytest.approx(5.1, abs=0.2)  # a burst of ten, one token, then ten a second


def test_practice_is_not_held_back_and_its_time_does_not_move(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, _ = connect(FINE)
    began = http.clock.now()
    for _ in range(60):
        loop_thread.run(http.send(call()))
    assert http.clock.now() == began


def test_a_429_halves_the_pace(connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]) -> None:
    busy = httpx.Response(429, json={"details": "slow down"}, headers={"retry-after": "0"})
    http, _ = connect(busy, FINE, mode="live")
    loop_thread.run(http.send(call()))
    began = http.clock.monotonic()
    for _ in range(50):
        loop_thread.run(http.send(call()))
    assert http.clock.monotonic() - began == pytest.approx(9.0, abs=1.1)


def test_one_client_serves_plain_code_await_and_threads_at_once(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(FINE)
    threads = [threading.Thread(target=lambda: loop_thread.run(http.send(call()))) for _ in range(4)]
    for thread in threads:
        thread.start()

    async def cell() -> None:
        await asyncio.gather(*(http.send(call()) for _ in range(4)))
        loop_thread.run(http.send(call()))

    asyncio.run(cell())
    for thread in threads:
        thread.join()
    assert len(exchange.requests) == 9
    assert len(exchange.token_requests) == 1


def test_closing_closes_our_transport_once_and_a_closed_client_sends_nothing(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(FINE)
    loop_thread.run(http.send(call()))
    loop_thread.run(http.aclose())
    loop_thread.run(http.aclose())
    assert exchange.closed
    with pytest.raises(errors.NotSent, match="closed"):
        loop_thread.run(http.send(call()))


def test_an_unused_client_closes_its_transport_too(connect: Callable[..., tuple[Http, FakeExchange]]) -> None:
    http, exchange = connect(FINE)
    loop_thread.run(http.aclose())
    assert exchange.closed


def test_a_client_of_the_callers_is_used_unchanged_and_left_open(call: Callable[..., Call]) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={})

    own = httpx.AsyncClient(
        transport=httpx.MockTransport(answer),
        headers={"x-company": "ours", "user-agent": "company/1"},
        timeout=httpx.Timeout(3.5),
        base_url="https://elsewhere.invalid",
        follow_redirects=True,
    )
    before = dict(own.headers), own.timeout, own.base_url, own.follow_redirects, own.event_hooks
    http = Http(Settings.load(environ={}, token="ready"), client=own)
    loop_thread.run(http.send(call()))
    loop_thread.run(http.aclose())
    assert not own.is_closed
    assert (dict(own.headers), own.timeout, own.base_url, own.follow_redirects, own.event_hooks) == before
    assert seen[0].headers["x-company"] == "ours"
    assert seen[0].headers["user-agent"] == "company/1"
    assert seen[0].extensions["timeout"]["read"] == 3.5
    assert seen[0].url.host == "sandbox.invalid"
    assert seen[0].headers["cint-api-version"] == "2025-12-18"
    loop_thread.run(own.aclose())


def test_what_a_reply_sets_as_a_cookie_is_not_sent_back(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    setting = httpx.Response(200, json={}, headers={"set-cookie": "session=theirs; Path=/"})
    http, exchange = connect(setting, FINE)
    loop_thread.run(http.send(call()))
    loop_thread.run(http.send(call()))
    assert [request.headers.get("cookie") for request in exchange.requests] == [None, None]


def test_our_own_client_limits_single_reads_and_gives_uploads_longer(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(FINE)
    loop_thread.run(http.send(call()))
    loop_thread.run(http.send(call("POST", Idempotency.NON_IDEMPOTENT, file=("a.csv", b"x"))))
    assert [request.extensions["timeout"]["read"] for request in exchange.requests] == [30.0, 120.0]
    assert exchange.requests[0].extensions["timeout"]["connect"] == 5.0


def test_a_redirect_is_never_followed_so_the_token_stays(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(httpx.Response(302, headers={"location": "https://elsewhere.invalid/x"}), FINE)
    with pytest.raises(errors.ApiError) as caught:
        loop_thread.run(http.send(call()))
    assert caught.value.status == 302
    assert len(exchange.requests) == 1
    assert "elsewhere" not in str(caught.value)


def test_a_sunset_is_told_once(connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]) -> None:
    http, _ = connect(httpx.Response(200, json={}, headers={"sunset": "Sat, 01 Jan 2028 00:00:00 GMT"}))
    with pytest.warns(errors.CintWarning) as caught:
        loop_thread.run(http.send(call()))
    loop_thread.run(http.send(call()))  # every warning is an error here: it gives none
    assert [str(warning.message) for warning in caught] == [
        "The reply to the request to do a thing says in its header Sunset that GET "
        "/demand/accounts/{account_id}/things ends on Sat, 01 Jan 2028 00:00:00 GMT."
    ]


# Logging and secrets

RESPONDENT = "0f1ce179-a917-4bd1-9a4f-1234567890ab"


def sensitive_call() -> Call:
    return Call(
        "look", "POST", "/demand/accounts/{account_id}/projects/{project_id}", Idempotency.SAFE,
        path={"project_id": "01PLANTEDPROJECT0000000000"}, query={"start_after": RESPONDENT}, json={"who": RESPONDENT},
    )  # fmt: skip


def test_one_line_is_logged_per_request_and_it_holds_no_ids_bodies_or_tokens(
    connect: Callable[..., tuple[Http, FakeExchange]], caplog: pytest.LogCaptureFixture
) -> None:
    traced = httpx.Response(200, json={"data": [RESPONDENT]}, headers={"x-request-id": "req-1"})
    http, _ = connect(httpx.ReadError(RESPONDENT), traced)
    with caplog.at_level(logging.DEBUG):
        loop_thread.run(http.send(sensitive_call()))
    lines = [record.getMessage() for record in caplog.records if record.name == "cint_nb.wire"]
    assert lines == [
        "POST /oauth/token 200 0 ms -",
        "POST /demand/accounts/{account_id}/projects/{project_id} ReadError 0 ms -",
        "POST /demand/accounts/{account_id}/projects/{project_id} 200 0 ms req-1",
    ]
    everything = " ".join(record.getMessage() for record in caplog.records)
    for planted in (RESPONDENT, "01PLANTED", "token-1", "start_after"):
        assert planted not in everything


@pytest.mark.parametrize("name", ["httpx", "httpcore.http11", "httpcore.http2", "hpack.hpack", "hpack.table"])
def test_what_lies_below_logs_nothing_of_our_requests(
    connect: Callable[..., tuple[Http, FakeExchange]], caplog: pytest.LogCaptureFixture, name: str
) -> None:
    def talkative(request: httpx.Request) -> httpx.Response:
        logging.getLogger(name).debug("sending %s", request.headers.raw)
        return FINE

    http, _ = connect(talkative)
    with caplog.at_level(logging.DEBUG):
        loop_thread.run(http.send(sensitive_call()))
        logging.getLogger(name).debug("of somebody else")
    assert [record.getMessage() for record in caplog.records if record.name == name] == ["of somebody else"]


def test_other_users_of_httpx_keep_their_log_lines(caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.INFO),
        httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as client,
    ):
        client.get("https://elsewhere.invalid/")
    assert "https://elsewhere.invalid/" in caplog.text


def test_it_is_silent_by_default(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], capfd: pytest.CaptureFixture[str]
) -> None:
    http, _ = connect(httpx.Response(400, json={}))
    with pytest.raises(errors.BadRequest):
        loop_thread.run(http.send(call()))
    assert capfd.readouterr() == ("", "")


def test_no_error_of_a_call_shows_its_ids_or_the_token_even_with_all_local_variables(
    connect: Callable[..., tuple[Http, FakeExchange]],
) -> None:
    http, _ = connect(httpx.Response(400, json={"detail": f"bad {RESPONDENT}"}))
    with pytest.raises(errors.BadRequest) as caught:
        loop_thread.run(http.send(sensitive_call()))
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    text = "".join(shown.format())
    assert "token-1" not in text
    assert RESPONDENT not in str(caught.value)
    assert RESPONDENT not in repr(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 - our own error


def test_a_client_on_its_own_clock_sleeps_there(connect: Callable[..., tuple[Http, FakeExchange]]) -> None:
    http, _ = connect(FINE)
    began = http.clock.now()
    asyncio.run(http.sleep(3_600))
    assert (http.clock.now() - began).total_seconds() == 3_600
    assert isinstance(http.clock, ReplayClock)
