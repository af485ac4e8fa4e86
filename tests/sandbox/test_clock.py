"""The clock: virtual time that jumps, shared by all sleepers, or accelerated real time."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from cint_nb.sandbox.clock import SandboxClock
from cint_nb.sandbox.sandbox import START, Sandbox

BEGIN = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)


def test_virtual_time_stands_still_until_someone_sleeps() -> None:
    clock = SandboxClock(BEGIN)
    assert clock.now() == clock.now() == BEGIN
    begun = time.perf_counter()
    asyncio.run(clock.sleep(3_600))
    assert clock.now() == BEGIN + timedelta(hours=1)
    assert time.perf_counter() - begun < 1


def test_sleepers_share_one_time_line_and_wake_in_order() -> None:
    clock = SandboxClock(BEGIN)
    woken: list[tuple[float, float]] = []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, clock.monotonic()))

    async def main() -> None:
        await asyncio.gather(*(sleeper(seconds) for seconds in (30, 10, 20, 10)))

    asyncio.run(main())
    assert woken == [(10, 10), (10, 10), (20, 20), (30, 30)]


def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = SandboxClock(BEGIN)

    async def main() -> None:
        task = asyncio.create_task(clock.sleep(5))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await clock.sleep(100)

    asyncio.run(main())
    assert clock.monotonic() in (100, 105)


def test_time_does_not_jump_while_a_request_is_under_way() -> None:
    clock = SandboxClock(BEGIN)

    async def main() -> float:
        clock.in_flight += 1
        task = asyncio.create_task(clock.sleep(60))
        for _ in range(20):
            await asyncio.sleep(0)
        before = clock.monotonic()
        clock.in_flight -= 1
        await task
        return before

    assert asyncio.run(main()) == 0
    assert clock.monotonic() == 60


def test_a_running_clock_goes_by_itself_and_can_be_moved_too() -> None:
    clock = SandboxClock(BEGIN, speed=1_000)
    asyncio.run(clock.sleep(20))
    assert 20 <= clock.monotonic() < 10_000
    clock.advance(100_000)
    assert clock.monotonic() > 100_000


def test_negative_waits_are_none_and_time_never_goes_back() -> None:
    clock = SandboxClock(BEGIN)
    asyncio.run(clock.sleep(-5))
    clock.advance(-5)
    clock.advance_to(-5)
    assert clock.monotonic() == 0


@pytest.mark.parametrize("speed", [0, -1, 10**7])
def test_an_impossible_speed_is_refused(speed: int) -> None:
    with pytest.raises(ValueError, match="speed"):
        Sandbox(speed=speed)


def test_the_sandbox_begins_where_it_says() -> None:
    assert Sandbox().clock.now() == START
    assert Sandbox(start=BEGIN + timedelta(days=400)).world.format_time(0).startswith("2027-10-06")
