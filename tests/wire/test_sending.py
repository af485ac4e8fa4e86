"""How often a request goes out, after which pauses, and what is raised in the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from cint_nb.domain import errors, limits
from cint_nb.wire import loop_thread
from cint_nb.wire.clock import ReplayClock
from cint_nb.wire.http import Call, Http, Idempotency
from cint_nb.wire.settings import Settings
from tests.support.exchange import FakeExchange

START = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
LOST = [httpx.ReadError("x"), httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x"), httpx.WriteError("x")]
UNSENT = [httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.PoolTimeout("x")]
FINE = httpx.Response(200, json={"fine": True})
REPEATABLE = [Idempotency.SAFE, Idempotency.KEYED, Idempotency.CONDITIONAL, Idempotency.IDEMPOTENT]


def broken(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"object": "error", "detail": "broken"}, headers=headers)


def test_a_request_carries_what_every_request_must_carry(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(FINE)
    reply = loop_thread.run(http.send(call(query={"a": 1})))
    request = exchange.requests[0]
    assert reply.json() == {"fine": True}
    assert str(request.url) == "http://sandbox.invalid/v1/demand/accounts/101/things?a=1"
    assert request.headers["cint-api-version"] == "2025-12-18"
    assert request.headers["authorization"] == "Bearer token-1"
    assert request.headers["accept"] == "application/json"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["user-agent"].startswith("cint_nb/")
    assert "idempotency-key" not in request.headers
    assert "if-match" not in request.headers


def test_a_download_accepts_anything(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(httpx.Response(200, content=b"id\n", headers={"content-type": "application/octet-stream"}))
    assert loop_thread.run(http.send(call(accept="*/*"))).body == b"id\n"
    assert exchange.requests[0].headers["accept"] == "*/*"


def test_an_upload_is_multipart_with_one_file_named_file(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(httpx.Response(201, json={"job_id": "J"}))
    loop_thread.run(
        http.send(call("POST", Idempotency.NON_IDEMPOTENT, file=("wave.csv", b"a\nb\n"), query={"entity_type": "RSID"}))
    )
    request = exchange.requests[0]
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="file"; filename="wave.csv"' in request.content
    assert b"Content-Type: text/csv\r\n\r\na\nb\n" in request.content


@pytest.mark.sampled
@pytest.mark.parametrize("repeat", REPEATABLE)
@pytest.mark.parametrize("failure", [*LOST, *UNSENT, broken(500), broken(502), broken(503), broken(504), broken(429)])
def test_what_bears_repeating_is_repeated_after_any_failure_that_may_pass(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], repeat: Idempotency, failure: Any
) -> None:
    http, exchange = connect(failure, failure, FINE)
    assert loop_thread.run(http.send(call("POST", repeat))).status == 200
    assert len(exchange.requests) == http.requests_sent == 3


@pytest.mark.parametrize("failure", LOST)
def test_a_naked_request_whose_reply_is_lost_goes_out_once(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], failure: httpx.TransportError
) -> None:
    http, exchange = connect(failure, FINE)
    with pytest.raises(errors.OutcomeUnknown) as caught:
        loop_thread.run(http.send(call("POST", Idempotency.NON_IDEMPOTENT)))
    assert len(exchange.requests) == 1
    assert "check" in str(caught.value.next_step)
    assert caught.value.evidence["cause"] == type(failure).__name__


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_naked_request_that_met_a_failing_exchange_goes_out_once(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], status: int
) -> None:
    http, exchange = connect(broken(status), FINE)
    with pytest.raises(errors.ServerError) as caught:
        loop_thread.run(http.send(call("POST", Idempotency.NON_IDEMPOTENT)))
    assert len(exchange.requests) == 1
    assert "may have taken effect" in str(caught.value.safe)


@pytest.mark.parametrize("failure", [*UNSENT, broken(429)])
def test_a_naked_request_that_did_nothing_may_go_out_again(
    connect: Callable[..., tuple[Http, FakeExchange]],
    call: Callable[..., Call],
    failure: httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.Response,
) -> None:
    http, exchange = connect(failure, FINE)
    assert loop_thread.run(http.send(call("POST", Idempotency.NON_IDEMPOTENT))).status == 200
    assert len(exchange.requests) == 2


@pytest.mark.parametrize("status", [400, 404, 405, 409, 412, 413, 415, 422])
def test_a_refusal_is_final(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], status: int
) -> None:
    http, exchange = connect(broken(status), FINE)
    with pytest.raises(errors.ApiError) as caught:
        loop_thread.run(http.send(call()))
    assert caught.value.status == status
    assert len(exchange.requests) == 1


def test_the_idempotency_key_and_the_etag_are_kept_over_all_attempts(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(httpx.ReadError("x"), broken(503), FINE)
    loop_thread.run(
        http.send(call("POST", Idempotency.KEYED, idempotency_key="the-key", if_match='W/"1"', json={"a": 1}))
    )
    assert [request.headers["idempotency-key"] for request in exchange.requests] == ["the-key"] * 3
    assert [request.headers["if-match"] for request in exchange.requests] == ['W/"1"'] * 3
    assert [request.content for request in exchange.requests] == [b'{"a":1}'] * 3


@pytest.mark.parametrize("value", ["7", format_datetime(START + timedelta(seconds=7), usegmt=True)])
@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_the_exchange_asks_for_is_kept(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], status: int, value: str
) -> None:
    http, _ = connect(broken(status, **{"retry-After": value}), FINE)
    loop_thread.run(http.send(call()))
    assert http.clock.now() == START + timedelta(seconds=7)


def test_a_wait_of_more_than_two_minutes_is_told_instead_of_waited(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(broken(429, **{"retry-after": "600"}))
    with pytest.raises(errors.RateLimited) as caught:
        loop_thread.run(http.send(call()))
    assert http.clock.now() == START
    assert len(exchange.requests) == 1
    assert "2026-09-01 08:10:00 UTC" in str(caught.value.next_step)


def test_five_repeats_and_then_the_last_error_tells_the_count(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(broken(503))
    with pytest.raises(errors.ServerError) as caught:
        loop_thread.run(http.send(call()))
    assert len(exchange.requests) == 6
    assert caught.value.evidence["attempts"] == 6
    assert caught.value.evidence["not_repeated"] == "6 attempts failed"


def test_waits_the_exchange_asks_for_do_not_count_against_our_own_limit_but_against_the_callers(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, _ = connect(broken(429, **{"retry-after": "50"}), broken(429, **{"retry-after": "50"}), FINE)
    assert loop_thread.run(http.send(call())).status == 200
    http, exchange = connect(broken(429, **{"retry-after": "50"}), FINE)
    with pytest.raises(errors.RateLimited):
        loop_thread.run(http.send(call(deadline=10)))
    assert len(exchange.requests) == 1


def test_time_that_others_let_pass_does_not_use_up_a_call(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    def hours_pass(_: httpx.Request) -> httpx.Response:
        assert isinstance(http.clock, ReplayClock)
        http.clock._elapsed += 7_200
        return broken(503)

    http, exchange = connect(hours_pass, hours_pass, FINE)
    assert loop_thread.run(http.send(call(deadline=10))).status == 200
    assert len(exchange.requests) == 3


def test_the_pauses_of_a_call_count_by_the_clients_clock(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(broken(503, **{"retry-after": "4"}))
    with pytest.raises(errors.ServerError) as caught:
        loop_thread.run(http.send(call(deadline=10)))
    assert len(exchange.requests) == 3
    assert caught.value.evidence["not_repeated"] == "the deadline of the call has passed"


def test_the_budget_of_repeats_is_shared_by_all_calls_of_a_client(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(broken(503))
    for _ in range(10):
        with pytest.raises(errors.ServerError):
            loop_thread.run(http.send(call()))
    assert len(exchange.requests) == 10 + limits.RETRY_BUDGET[0]


def test_a_deadline_ends_an_answer_that_never_comes(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    http = Http(Settings.load(environ={}, token="t"), transport=httpx.MockTransport(never))
    with pytest.raises(errors.DeadlineExceeded, match="before the deadline"):
        loop_thread.run(http.send(call(deadline=0.05)))
    assert http.requests_sent == 1
    loop_thread.run(http.aclose())


def test_a_trickled_answer_does_not_outlive_the_deadline(call: Callable[..., Call]) -> None:
    class Trickle(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0)
                yield b" "

    http = Http(
        Settings.load(environ={}, token="t"),
        transport=httpx.MockTransport(lambda _: httpx.Response(200, stream=Trickle())),
    )
    with pytest.raises(errors.OutcomeUnknown):
        loop_thread.run(http.send(call(deadline=0.05, max_bytes=10**9)))
    loop_thread.run(http.aclose())


def test_a_reply_above_its_limit_is_refused(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, _ = connect(httpx.Response(200, content=b"x" * 2_000, headers={"content-type": "text/csv"}))
    with pytest.raises(errors.UnexpectedReply, match="larger than 1,000 bytes"):
        loop_thread.run(http.send(call("POST", Idempotency.NON_IDEMPOTENT, max_bytes=1_000)))


def test_a_reply_above_its_limit_is_not_fetched_again(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(httpx.Response(200, content=b"x" * 2_000, headers={"content-type": "text/csv"}))
    with pytest.raises(errors.UnexpectedReply, match="larger than 1,000 bytes"):
        loop_thread.run(http.send(call(accept="*/*", max_bytes=1_000)))
    assert len(exchange.requests) == 1


def test_a_page_for_people_is_no_download(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    page = httpx.Response(200, content=b"<html>sign in</html>", headers={"content-type": "text/html; charset=utf-8"})
    file = httpx.Response(200, content=b"id\n", headers={"content-type": "text/csv"})
    http, _ = connect(page, file)
    assert loop_thread.run(http.send(call(accept="*/*"))).body == b"id\n"
    http, _ = connect(page)
    with pytest.raises(errors.UnexpectedReply, match="page"):
        loop_thread.run(http.send(call(accept="*/*")))


@pytest.mark.parametrize("body", [b'{"data": [1, 2', b"<html>sign in</html>"])
def test_a_success_that_cannot_be_read_is_read_again_where_that_is_safe(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], body: bytes
) -> None:
    kind = "application/json" if body.startswith(b"{") else "text/html"
    garbled = httpx.Response(200, content=body, headers={"content-type": kind})
    http, exchange = connect(garbled, FINE)
    assert loop_thread.run(http.send(call())).json() == {"fine": True}
    assert len(exchange.requests) == 2
    http, exchange = connect(garbled, FINE)
    with pytest.raises(errors.UnexpectedReply) as caught:
        loop_thread.run(http.send(call("POST", Idempotency.NON_IDEMPOTENT)))
    assert len(exchange.requests) == 1
    assert "may have taken effect" in str(caught.value.safe)


def test_a_wrong_path_value_stops_before_the_network(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(FINE)
    with pytest.raises(errors.InputError):
        loop_thread.run(http.send(call(template="/demand/{project_id}", path={"project_id": "../../x"})))
    assert exchange.requests == exchange.token_requests == []


def test_a_cancelled_send_stops_and_is_not_repeated(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(httpx.ReadError("x"))

    async def story() -> None:
        task = asyncio.create_task(http.send(call()))
        while not exchange.requests:  # noqa: ASYNC110 - lets the task run up to its first request
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    loop_thread.run(story())
    assert len(exchange.requests) == 1
    assert exchange.in_flight == 0
