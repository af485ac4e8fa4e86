"""The injected clock: system time, or the time of a recording.

Nothing in the package asks the system for the time or sleeps by itself: both go through a `Clock`. The one exception
is the time limit of an attempt on the wire, whose seconds are real even in the sandbox.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable

_LOOP_YIELDS = 20
"""How often a sleeper yields to the loop before time moves, so that others about to sleep can register as well."""


class Clock(Protocol):
    """Protocol for a clock: its time, and waiting."""

    def now(self) -> datetime:
        """Return the time, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards, for measuring durations."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds of this clock; 0 or less only lets others run."""
        ...


@runtime_checkable
class MovableClock(Clock, Protocol):
    """Protocol for a clock that can be moved on although it runs by itself: that of a sandbox."""

    speed: float | None
    """Seconds of it per real second; None where it stands until somebody waits."""

    async def jump(self, seconds: float) -> None:
        """Let that many seconds of this clock pass at once."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Return the time, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the system's monotonic seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait in real time."""
        await asyncio.sleep(max(0.0, seconds))

    def __repr__(self) -> str:
        """Show the class name only."""
        return "<SystemClock>"


class ReplayClock:
    """A clock that moves only when somebody sleeps, and then at once.

    Sleepers share one timeline: it moves to the earliest of them, so that two who sleep 10 s concurrently
    wake 10 s later, not 20.

    Args:
        start: Where time begins; aware.
    """

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock needs a start with a time zone")
        self._start = start.astimezone(UTC)
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, int]] = []
        self._sequence = itertools.count()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the recording's time, UTC."""
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        """Return the seconds passed since the start."""
        return self._elapsed

    def advance_to(self, elapsed: float) -> None:
        """Advance to that many seconds after the start; never back."""
        with self._lock:
            self._elapsed = max(self._elapsed, elapsed)

    async def sleep(self, seconds: float) -> None:
        """Advance by that many seconds of the recording, without waiting."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        with self._lock:
            sleeper = (self._elapsed + seconds, next(self._sequence))
            heapq.heappush(self._sleepers, sleeper)
        try:
            for _ in range(_LOOP_YIELDS):
                await asyncio.sleep(0)
            while True:
                with self._lock:
                    if self._sleepers[0] == sleeper:
                        self._elapsed = max(self._elapsed, sleeper[0])
                        return
                await asyncio.sleep(0)
        finally:
            with self._lock:
                self._sleepers.remove(sleeper)
                heapq.heapify(self._sleepers)

    def __repr__(self) -> str:
        """Show the class name only, so that stored outputs stay the same."""
        return "<ReplayClock>"
