"""A clock that the test moves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from tests.support.constants import START


class ManualClock:
    """A clock that stands still until the test moves it; it records the sleeps asked for and the calls that wait."""

    def __init__(self, start: datetime = START) -> None:
        self.start, self.passed = start, 0.0
        self.naps: list[float] = []
        self.sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self.calls: list[tuple[float, Callable[[], None]]] = []
        self.asleep = threading.Event()
        self.cancelled = threading.Event()

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        if seconds <= 0:
            return
        mine = (self.passed + seconds, asyncio.get_running_loop().create_future())
        self.sleepers.append(mine)
        self.asleep.set()
        try:
            await mine[1]
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        finally:
            self.sleepers.remove(mine)

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Have a function called once so much time has passed."""
        self.calls.append((self.passed + seconds, call))

    def move(self, seconds: float) -> None:
        """Advance the time: calls run when due, in the order of their time, and sleepers whose time has come wake."""
        end = self.passed + seconds
        while due := sorted((item for item in self.calls if item[0] <= end), key=lambda item: item[0]):
            self.calls.remove(due[0])
            self.passed = due[0][0]
            due[0][1]()
        self.passed = end
        for wakes_at, waiting in list(self.sleepers):
            if wakes_at <= self.passed and not waiting.done():
                waiting.set_result(None)
