"""A client of the caller's own: its hooks run, its transport is asked, and its errors become ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

import httpx
import pytest

from cint_nb.domain import errors
from cint_nb.wire import loop_thread
from cint_nb.wire.clock import ReplayClock
from cint_nb.wire.http import Call, Http, Idempotency
from cint_nb.wire.settings import Settings
from cint_nb.wire.token_factory import SeededTokenFactory
from tests.support.exchange import Answer, FakeExchange

Hook = Callable[[httpx.Response], Awaitable[None]]
Own = Callable[..., tuple[Http, FakeExchange, httpx.AsyncClient]]


async def complain(response: httpx.Response) -> None:
    """Do what the manual of httpx shows: make an error of every error reply."""
    response.raise_for_status()


async def read_and_complain(response: httpx.Response) -> None:
    await response.aread()
    response.raise_for_status()


@pytest.fixture
def own(connect: Callable[..., tuple[Http, FakeExchange]]) -> Iterator[Own]:
    """Connect through a client of the caller's, with a hook of its own."""
    made: list[httpx.AsyncClient] = []

    def make(hook: Hook, *answers: Answer) -> tuple[Http, FakeExchange, httpx.AsyncClient]:
        http, exchange = connect(*answers)
        client = httpx.AsyncClient(transport=exchange, event_hooks={"response": [hook]})
        made.append(client)
        settings = Settings.load("sandbox", environ={})
        return (
            Http(settings, client=client, clock=http.clock, token_factory=SeededTokenFactory("own")),
            exchange,
            client,
        )

    yield make
    for client in made:
        loop_thread.run(client.aclose())


@pytest.mark.parametrize("hook", [complain, read_and_complain])
def test_a_hook_that_raises_on_error_replies_takes_no_repeat_and_no_error_away(
    own: Own, call: Callable[..., Call], hook: Hook
) -> None:
    busy = httpx.Response(503, json={"object": "error"}, headers={"retry-after": "3"})
    http, exchange, _ = own(hook, busy, httpx.Response(401), httpx.Response(200, json={}))
    assert loop_thread.run(http.send(call())).status == 200
    assert len(exchange.requests) == 3
    assert isinstance(http.clock, ReplayClock)
    assert http.clock.monotonic() == pytest.approx(3)


@pytest.mark.parametrize("hook", [complain, read_and_complain])
def test_a_hook_that_raises_on_error_replies_makes_no_naked_request_go_out_twice(
    own: Own, call: Callable[..., Call], hook: Hook
) -> None:
    http, exchange, _ = own(hook, httpx.Response(502), httpx.Response(200, json={}))
    with pytest.raises(errors.ServerError, match="may have taken effect"):
        loop_thread.run(http.send(call("POST", Idempotency.NON_IDEMPOTENT)))
    assert len(exchange.requests) == 1


def test_what_a_hook_has_read_of_an_error_reply_is_told(own: Own, call: Callable[..., Call]) -> None:
    refused = httpx.Response(400, json={"object": "bad_request_error", "detail": "no such locale"})
    http, _, _ = own(read_and_complain, refused)
    with pytest.raises(errors.BadRequest, match="no such locale"):
        loop_thread.run(http.send(call()))


def test_a_client_its_owner_has_closed_sends_nothing(own: Own, call: Callable[..., Call]) -> None:
    http, exchange, client = own(complain)
    loop_thread.run(client.aclose())
    with pytest.raises(errors.NotSent, match="Your httpx client is closed"):
        loop_thread.run(http.send(call()))
    assert exchange.requests == []
