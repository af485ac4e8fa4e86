"""Every method can be cancelled, at any moment, and the client is as good as before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest

from cint_nb.wire import loop_thread
from cint_nb.wire.http import Call, Http, Idempotency
from tests.support.exchange import FakeExchange

FINE = httpx.Response(200, json={"fine": True})
EXPIRED = httpx.Response(401, json={"object": "authorization_error", "detail": "expired"})
BUSY = httpx.Response(429, json={"details": "slow down"}, headers={"retry-after": "1"})
PLACES = 8


async def cancelled_after(turns: int, work: asyncio.Task[object]) -> bool:
    """Let a task run for so many turns of the loop and cancel it; tell whether it had not ended by itself."""
    for _ in range(turns):
        await asyncio.sleep(0)
    was_running = work.cancel()
    await asyncio.wait([work])
    assert work.cancelled() is was_running
    return was_running


@pytest.mark.thorough
def test_a_send_cancelled_at_any_turn_leaves_no_place_lock_or_token_behind(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    """The course of the call goes through first token, rejection, new token, pause, repeat and reading."""

    async def story(turns: int) -> bool:
        http, exchange = connect(EXPIRED, BUSY, FINE)
        was_running = await cancelled_after(
            turns, asyncio.create_task(http.send(call("POST", Idempotency.NON_IDEMPOTENT)))
        )
        assert exchange.in_flight == 0
        exchange.script, exchange.max_in_flight = [FINE], 0
        replies = await asyncio.gather(*(http.send(call()) for _ in range(PLACES + 2)))
        assert [reply.status for reply in replies] == [200] * (PLACES + 2)
        assert exchange.max_in_flight == PLACES
        assert len(exchange.token_requests) <= 3
        return was_running

    turns = 0
    while loop_thread.run(story(turns)):
        turns += 1
    assert turns > 100  # else the course was not walked through


def test_one_of_many_who_wait_for_a_token_may_leave_and_the_others_get_it(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    async def story() -> None:
        http, exchange = connect(FINE)
        first, *others = (asyncio.create_task(http.send(call())) for _ in range(4))
        assert await cancelled_after(5, first)
        assert [reply.status for reply in await asyncio.gather(*others)] == [200] * 3
        assert len(exchange.token_requests) == 1  # the exchange had not answered the one that was given up
        assert exchange.tokens_used == ["token-1"] * 3

    loop_thread.run(story())


def test_who_waits_for_a_place_and_leaves_sends_nothing_and_frees_the_line(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    async def story() -> None:
        http, exchange = connect(FINE)
        await http.send(call())
        tasks = [asyncio.create_task(http.send(call())) for _ in range(PLACES + 3)]
        assert await cancelled_after(10, tasks[PLACES])
        await asyncio.gather(*tasks, return_exceptions=True)
        assert len(exchange.requests) == 1 + PLACES + 2

    loop_thread.run(story())
