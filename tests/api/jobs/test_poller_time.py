"""Deadlines, standstills and interrupts while the poller sleeps."""

from __future__ import annotations

import _thread
import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from cint_nb.api.client import AsyncClient
from cint_nb.api.jobs.job import Job
from cint_nb.domain.errors import WatchTimeout
from cint_nb.domain.jobs import JobSnapshot, JobState
from cint_nb.wire import loop_thread
from tests.support.clock import ManualClock
from tests.support.exchange import json_response

JOB = "01BTGNYV6HRNK8K8VKZASZCFP1"
STATUS = f"/jobs/upload-respondents-by-file/{JOB}"


async def every(watch: AsyncIterator[JobSnapshot]) -> list[int]:
    """Return the numbers of the polls a watch yields."""
    return [snapshot.polls async for snapshot in watch]


async def turns(number: int = 200) -> None:
    """Let everything else on this loop run."""
    for _ in range(number):
        await asyncio.sleep(0)


def test_a_deadline_sooner_than_the_next_look_wakes_the_poller_and_moves_no_look(
    client: AsyncClient, manual_clock: ManualClock, job: Job, request_counter: list[float]
) -> None:
    async def story() -> None:
        patient = asyncio.create_task(every(job.watch()))
        await turns()
        impatient = asyncio.create_task(every(job.watch(0.5)))
        await turns()
        manual_clock.move(0.5)
        await turns()
        assert impatient.done()
        assert isinstance(impatient.exception(), WatchTimeout)
        assert request_counter == []
        manual_clock.move(1.5)
        await turns()
        patient.cancel()
        await asyncio.gather(patient, return_exceptions=True)

    client.run(story())
    assert manual_clock.naps[:3] == [2.0, 0.5, 1.5]
    assert request_counter == [2.0]


def test_a_look_that_came_due_during_a_long_standstill_comes_before_the_deadline(
    client: AsyncClient, manual_clock: ManualClock, exchange: Any, job: Job
) -> None:
    exchange._rules.insert(0, ("GET", STATUS, [json_response(200, {"job_id": JOB, "status": "Completed"})]))

    async def story() -> JobSnapshot:
        waiting = asyncio.ensure_future(job._wait_until_final(60))
        await turns()
        manual_clock.move(8 * 3_600)
        return await waiting

    assert client.run(story()).state is JobState.DONE


def test_an_interrupt_of_a_wait_ends_the_looking(manual_clock: ManualClock, job: Job) -> None:
    def interrupt() -> None:
        assert manual_clock.asleep.wait(10)
        _thread.interrupt_main()

    other = threading.Thread(target=interrupt)
    other.start()
    with pytest.raises(KeyboardInterrupt, match=r"continues on the exchange; resume with cint\.Job\.attach"):
        job.wait()
    other.join()
    assert manual_clock.cancelled.wait(10)


def test_an_interrupt_of_one_wait_leaves_the_background_watch_alone(manual_clock: ManualClock, job: Job) -> None:
    background = loop_thread.submit(every(job.watch()))
    assert manual_clock.asleep.wait(10)
    manual_clock.asleep.clear()

    def interrupt() -> None:
        assert manual_clock.asleep.wait(10)  # again, since the one who joined has the sooner deadline
        manual_clock.cancelled.clear()
        _thread.interrupt_main()

    other = threading.Thread(target=interrupt)
    other.start()
    with pytest.raises(KeyboardInterrupt):
        job.wait(deadline=0.5)
    other.join()
    loop_thread.run(turns())
    assert not background.done()
    assert not manual_clock.cancelled.is_set()
    assert background.cancel()
    assert manual_clock.cancelled.wait(10)


def test_no_look_is_sent_for_one_who_left_while_the_other_is_still_busy(
    client: AsyncClient, manual_clock: ManualClock, job: Job, request_counter: list[float]
) -> None:
    async def story() -> None:
        busy = job.watch()
        assert isinstance(busy, AsyncGenerator)
        waiting = asyncio.create_task(every(job.watch()))
        first = asyncio.create_task(anext(busy))
        await turns()
        manual_clock.move(2)
        await turns()
        assert first.done()
        waiting.cancel()
        await turns()
        manual_clock.move(60)
        await turns()
        assert request_counter == [2.0]
        assert (await anext(busy)).polls == 2
        await busy.aclose()

    client.run(story())
    assert request_counter == [2.0, 62.0]


@pytest.mark.parametrize("ahead", [0, 300, 7_200])
def test_an_exchange_whose_clock_runs_ahead_is_not_asked_more_often(
    client: AsyncClient, exchange: Any, request_counter: list[float], job: Job, ahead: int
) -> None:
    other = JOB[:-1] + "2"
    created = (client.clock.now() + timedelta(seconds=ahead)).isoformat()

    def running(request: Any) -> Any:
        request_counter.append(client.clock.monotonic())
        return json_response(200, {"job_id": other, "status": "Processing", "created_at": created})(request)

    exchange.on("GET", other, running)
    attached = Job(
        client.http, job.handle.model_copy(update={"job_id": other, "created_at": None}), durations=client.durations
    )
    with pytest.raises(WatchTimeout):
        client.run(every(attached.watch(290)))
    assert attached.last_snapshot is not None
    assert attached.last_snapshot.elapsed_seconds == pytest.approx(request_counter[-1])
    assert request_counter[:4] == [2.0, 7.0, 17.0, 37.0]
    assert len(request_counter) < 30
