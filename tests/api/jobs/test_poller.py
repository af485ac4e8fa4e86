"""However many watch one job, on whatever thread or loop, the requests and their times are those of one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from cint_nb.api.client import AsyncClient
from cint_nb.api.jobs.job import Job
from cint_nb.domain.errors import PermissionDenied, WatchTimeout
from cint_nb.domain.jobs import JobSnapshot, JobState
from cint_nb.wire import loop_thread
from tests.support.exchange import error_response, json_response

JOB = "01BTGNYV6HRNK8K8VKZASZCFP1"
STATUS = f"/jobs/upload-respondents-by-file/{JOB}"
COUNT = "/recontacts/overview"
MOMENTS = [2.0, 7.0, 17.0, 37.0, 41.0, 45.0, 49.0]
"""When a single watcher polls a job that ends with the seventh poll."""


async def every(watch: AsyncIterator[JobSnapshot]) -> list[int]:
    """Return the numbers of the polls a watch yields."""
    return [snapshot.polls async for snapshot in watch]


async def turns(number: int = 200) -> None:
    """Let everything else on this loop run."""
    for _ in range(number):
        await asyncio.sleep(0)


def test_one_watcher_alone_looks_at_these_moments(client: AsyncClient, job: Job, request_counter: list[float]) -> None:
    assert client.run(every(job.watch())) == [1, 2, 3, 4, 5, 6, 7]
    assert request_counter == MOMENTS


def test_watchers_on_several_threads_and_loops_send_the_requests_of_one(
    exchange: Any, client: AsyncClient, job: Job, request_counter: list[float]
) -> None:
    async def elsewhere() -> JobSnapshot:
        return await job

    background = loop_thread.submit(every(job.watch()))
    with ThreadPoolExecutor(4) as threads:
        ends = [threads.submit(job.wait) for _ in range(2)]
        ends += [threads.submit(asyncio.run, elsewhere()) for _ in range(2)]
        assert {end.result(10).state for end in ends} == {JobState.DONE}
    assert background.result(10)[-1] == 7
    assert request_counter == MOMENTS
    assert len(exchange.sent("GET", COUNT)) == 2
    assert client.requests_sent == len(MOMENTS) + 2  # counted with the third poll and at the end


@pytest.mark.parametrize("after", range(1, 7))
@pytest.mark.parametrize("deadline", [None, 3_600, 0.5])
def test_who_joins_midway_gets_the_looks_from_there_on_and_changes_none(
    client: AsyncClient, job: Job, request_counter: list[float], after: int, deadline: float | None
) -> None:
    async def story() -> list[int]:
        first = job.watch()
        for _ in range(after):
            await anext(first)
        second = asyncio.create_task(every(job.watch(deadline)))
        rest = await every(first)
        assert rest == list(range(after + 1, 8))
        return await second

    if deadline == 0.5:
        with pytest.raises(WatchTimeout):
            client.run(story())
    else:
        assert client.run(story()) == list(range(after + 1, 8))
    assert request_counter == MOMENTS


def test_the_deadline_of_one_is_not_that_of_the_other(
    client: AsyncClient, job: Job, request_counter: list[float]
) -> None:
    timed_out_at: list[float] = []

    async def impatient() -> None:
        with pytest.raises(WatchTimeout, match="deadline") as caught:
            await every(job.watch(timedelta(seconds=20)))
        assert caught.value.evidence["seconds"] == 20
        timed_out_at.append(client.clock.monotonic())

    async def story() -> list[int]:
        return (await asyncio.gather(every(job.watch()), impatient()))[0]

    assert client.run(story()) == [1, 2, 3, 4, 5, 6, 7]
    assert timed_out_at == [pytest.approx(20)]
    assert request_counter == MOMENTS


def test_a_look_due_at_the_deadline_is_still_shown(client: AsyncClient, job: Job, request_counter: list[float]) -> None:
    seen: list[int] = []

    async def story() -> None:
        async for snapshot in job.watch(17):
            seen.append(snapshot.polls)  # noqa: PERF401 - what was seen before the error counts

    with pytest.raises(WatchTimeout):
        client.run(story())
    assert seen == [1, 2, 3]
    assert request_counter == MOMENTS[:3]


def test_one_of_two_that_is_cancelled_leaves_the_other_in_peace(
    client: AsyncClient, job: Job, request_counter: list[float]
) -> None:
    async def story() -> list[int]:
        staying = asyncio.create_task(every(job.watch()))
        leaving = asyncio.create_task(every(job.watch()))
        heard = asyncio.Event()
        job.add_listener(lambda seen: heard.set() if seen.polls == 3 else None)
        await heard.wait()
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        return await staying

    assert client.run(story()) == [1, 2, 3, 4, 5, 6, 7]
    assert request_counter == MOMENTS


def test_when_the_last_has_left_nothing_more_is_sent_and_a_new_one_goes_on(
    client: AsyncClient, job: Job, request_counter: list[float]
) -> None:
    async def story() -> list[int]:
        watches = [asyncio.create_task(every(job.watch())) for _ in range(2)]
        heard = asyncio.Event()
        job.add_listener(lambda seen: heard.set() if seen.polls == 3 else None)
        await heard.wait()
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)
        await turns()
        assert request_counter == MOMENTS[:3]
        return await every(job.watch())

    assert client.run(story()) == [4, 5, 6, 7]
    assert len(request_counter) == 7


def test_one_may_come_in_the_moment_the_last_one_leaves(
    client: AsyncClient, job: Job, request_counter: list[float]
) -> None:
    async def story() -> list[int]:
        leaving = asyncio.create_task(every(job.watch()))
        await turns(3)
        old = job._poller._task
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        assert old is not None
        assert not old.done(), "the poller is on its way out"
        return await every(job.watch())

    assert client.run(story()) == [1, 2, 3, 4, 5, 6, 7]
    assert request_counter == MOMENTS


@pytest.mark.parametrize("how", ["watch", "wait", "await"])
def test_a_job_known_to_have_ended_is_shown_at_once_without_a_request(client: AsyncClient, job: Job, how: str) -> None:
    ended = job.wait()
    before = client.requests_sent

    async def awaited() -> JobSnapshot:
        return await job

    async def watched() -> JobSnapshot:
        (only,) = [snapshot async for snapshot in job.watch()]
        return only

    ways: dict[str, Callable[[], JobSnapshot]] = {
        "wait": job.wait,
        "await": lambda: asyncio.run(awaited()),
        "watch": lambda: asyncio.run(watched()),
    }
    again = ways[how]()
    assert again is ended is job.last_snapshot
    assert client.requests_sent == before


def test_an_end_found_by_a_single_look_is_shown_at_once_too(client: AsyncClient, exchange: Any, job: Job) -> None:
    exchange._rules.clear()
    exchange.on("GET", STATUS, json_response(200, {"job_id": JOB, "status": "Completed"}))
    found = client.run(job.refresh())
    assert job.wait() is found
    assert client.requests_sent == 1


def test_an_error_reaches_everybody_who_watches(client: AsyncClient, exchange: Any, job: Job) -> None:
    exchange._rules.clear()
    exchange.on("GET", STATUS, error_response(403, "permission_error"))

    async def story() -> list[Any]:
        return [*await asyncio.gather(every(job.watch()), every(job.watch()), job, return_exceptions=True)]

    assert [type(error) for error in client.run(story())] == [PermissionDenied] * 3
    assert len(exchange.sent("GET", STATUS)) <= 2


def test_a_watch_after_an_error_looks_anew(client: AsyncClient, exchange: Any, job: Job) -> None:
    exchange._rules.insert(0, ("GET", STATUS, [error_response(403, "permission_error")]))
    with pytest.raises(PermissionDenied):
        job.wait()
    exchange._rules.pop(0)
    assert job.wait().state is JobState.DONE


def test_stopping_ends_every_watch_and_wait(client: AsyncClient, job: Job, request_counter: list[float]) -> None:
    async def elsewhere() -> JobSnapshot:
        return await job

    async def story() -> list[Any]:
        return [*await asyncio.gather(every(job.watch()), every(job.watch()), job, return_exceptions=True)]

    job.add_listener(lambda seen: job.stop_watching() if seen.polls == 3 else None)
    first, second, waited = client.run(story())
    assert first == second == [1, 2]
    assert isinstance(waited, WatchTimeout)
    client.run(turns())
    assert request_counter == MOMENTS[:3]
    job.add_listener(lambda seen: job.stop_watching() if seen.polls == 5 else None)
    with pytest.raises(WatchTimeout, match="stopped"):
        asyncio.run(elsewhere())


def test_stopping_at_the_end_does_not_cost_the_end(job: Job) -> None:
    job.add_listener(lambda seen: job.stop_watching() if seen.is_final else None)
    assert job.wait().state is JobState.DONE


def test_listeners_hear_each_look_once_however_many_watch(client: AsyncClient, job: Job) -> None:
    heard: list[tuple[int, str]] = []
    job.add_listener(lambda seen: heard.append((seen.polls, threading.current_thread().name)))

    async def story() -> None:
        await asyncio.gather(*[every(job.watch()) for _ in range(3)])

    client.run(story())
    assert heard == [(number, "cint-nb loop") for number in range(1, 8)]


def test_nothing_is_sent_while_nobody_asks_for_the_next_look(
    client: AsyncClient, job: Job, request_counter: list[float]
) -> None:
    async def story() -> None:
        async for _ in job.watch():
            sent, moment = list(request_counter), client.clock.monotonic()
            await turns()
            assert request_counter == sent
            assert client.clock.monotonic() == moment

    client.run(story())
    asyncio.run(every(job.watch()))
    assert request_counter == MOMENTS


def test_who_is_busy_with_a_look_holds_up_nobody_and_misses_nothing(
    client: AsyncClient, job: Job, request_counter: list[float]
) -> None:
    async def story() -> list[int]:
        busy = job.watch()
        seen = [(await anext(busy)).polls]
        await every(job.watch())
        return seen + await every(busy)

    assert client.run(story()) == [1, 2, 3, 4, 5, 6, 7]
    assert request_counter == MOMENTS


def test_a_watch_given_up_in_the_middle_of_a_loop_ends_the_looking(
    client: AsyncClient, job: Job, request_counter: list[float]
) -> None:
    async def story() -> None:
        async for seen in job.watch():
            if seen.polls == 2:
                break
        await turns()

    asyncio.run(story())
    client.run(turns())
    assert request_counter == MOMENTS[:2]


def test_who_hears_that_a_watch_begins_may_stop_it(job: Job) -> None:
    job.add_listener(lambda _: None, on_watch_changed=lambda: job.stop_watching() if job.is_watched else None)
    with pytest.raises(WatchTimeout, match="stopped"):
        job.wait()
    assert not job.is_watched


def test_who_watches_is_told_at_the_beginning_and_at_the_end(job: Job) -> None:
    states: list[bool] = []
    remove = job.add_listener(lambda _: None, on_watch_changed=lambda: states.append(job.is_watched))
    job.wait()
    assert states == [True, False]
    remove()
    remove()
    assert job._listeners == []
