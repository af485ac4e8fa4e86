from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest

from cint_nb.wire.clock import ReplayClock, SystemClock

START = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)


def test_a_replay_sleep_moves_time_and_takes_none() -> None:
    clock = ReplayClock(START)
    began = SystemClock().monotonic()
    asyncio.run(clock.sleep(9_000))
    assert clock.now() == START + timedelta(seconds=9_000)
    assert clock.monotonic() == 9_000
    assert SystemClock().monotonic() - began < 5


def test_sleepers_side_by_side_share_one_line_of_time() -> None:
    clock = ReplayClock(START)
    woke: list[tuple[str, float]] = []

    async def sleeper(name: str, *naps: float) -> None:
        for nap in naps:
            await clock.sleep(nap)
            woke.append((name, clock.monotonic()))

    async def both() -> None:
        await asyncio.gather(sleeper("long", 10), sleeper("short", 3, 3, 3, 3))

    asyncio.run(both())
    assert woke == [("short", 3), ("short", 6), ("short", 9), ("long", 10), ("short", 12)]


def test_a_cancelled_sleeper_does_not_hold_up_time() -> None:
    clock = ReplayClock(START)

    async def story() -> None:
        early = asyncio.create_task(clock.sleep(5))
        await asyncio.sleep(0)
        early.cancel()
        await asyncio.gather(early, return_exceptions=True)
        await clock.sleep(20)

    asyncio.run(story())
    assert clock.monotonic() == 20


@pytest.mark.parametrize("seconds", [0, -1])
def test_sleeping_no_time_moves_no_time(seconds: int) -> None:
    clock = ReplayClock(START)
    asyncio.run(clock.sleep(seconds))
    assert clock.now() == START


def test_the_start_needs_a_zone_and_is_told_in_utc() -> None:
    with pytest.raises(ValueError, match="time zone"):
        ReplayClock(datetime(2026, 9, 1))  # noqa: DTZ001 - the mistake under test
    assert ReplayClock(START.astimezone(timezone(timedelta(hours=2)))).now().utcoffset() == timedelta(0)


def test_the_system_clock_is_aware_and_never_runs_back() -> None:
    clock = SystemClock()
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.monotonic() <= clock.monotonic()
    asyncio.run(clock.sleep(-3))


def test_their_representations_hold_no_time() -> None:
    assert repr(ReplayClock(START)) == "<ReplayClock>"
    assert repr(SystemClock()) == "<SystemClock>"
