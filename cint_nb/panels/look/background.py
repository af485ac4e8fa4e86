"""Work beside the cell: delayed calls, jobs on their own thread, and updates that come at most four times a second.

Everything handed over here may run on any thread. It may set traits or cancel futures, and must not print.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

UPDATES_PER_SECOND = 4.0
"""More updates than a reader can follow lose the kernel's own messages."""

_IDLE_SECONDS = 5.0
_log = logging.getLogger("cint_nb.panels")
_log.addHandler(logging.NullHandler())  # without one, Python would print into whichever cell runs now

T = TypeVar("T")
Callback = Callable[[], None]


class Scheduler:
    """Run calls later, in order of their time, on one thread that ends when there is nothing left to run.

    Args:
        monotonic: Tells the time in seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._condition = threading.Condition()
        self._calls: list[tuple[float, int, Callback]] = []
        self._number = itertools.count()
        self._thread: threading.Thread | None = None

    def call_later(self, seconds: float, call: Callback) -> None:
        """Run `call` in `seconds` seconds, from any thread.

        Where Python has no threads, as in a browser, the running event loop keeps the time. With neither, nothing can
        wait: what is due in less than a second runs now, and the rest never.
        """
        with self._condition:
            heapq.heappush(self._calls, (self._monotonic() + max(seconds, 0.0), next(self._number), call))
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="cint-nb panels", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    self._calls.clear()
                else:
                    self._thread = thread
                    self._condition.notify()
                    return
            else:
                self._condition.notify()
                return
        _call_later_without_threads(seconds, call)

    def _run(self) -> None:
        while True:
            with self._condition:
                if not self._calls:
                    self._condition.wait(_IDLE_SECONDS)
                    if not self._calls:
                        self._thread = None
                        return
                left = self._calls[0][0] - self._monotonic()
                if left > 0:
                    self._condition.wait(left)
                    continue
                call = heapq.heappop(self._calls)[2]
            log_exceptions(call)


def _call_later_without_threads(seconds: float, call: Callback) -> None:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        if seconds < 1:
            log_exceptions(call)
        return
    loop.call_later(seconds, log_exceptions, call)


_SCHEDULER = Scheduler()


def call_later(seconds: float, call: Callback) -> None:
    """Run `call` in `seconds` seconds on the panels' own thread; `Scheduler` says what happens without threads."""
    _SCHEDULER.call_later(seconds, call)


def log_exceptions(call: Callable[[], object]) -> None:
    """Run `call` and log what it raises: a panel that fails must not stop the thread that serves the others."""
    try:
        call()
    except Exception:  # noqa: BLE001  # logged below; whatever one panel raises must not end the thread of all
        _log.exception("A panel could not be updated.")


def run_in_thread(call: Callable[[], object], *, name: str = "cint-nb panel work") -> None:
    """Run `call` on a thread of its own and return at once; where Python has no threads, run it now."""
    thread = threading.Thread(target=log_exceptions, args=(call,), name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        call()


def after_each_cell(call: Callable[[], object]) -> Callback | None:
    """Run `call` after every cell that is run, from now on.

    Returns:
        What ends it; None where there are no cells.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return None

    def after_cell(_: object = None) -> None:
        call()

    def forget() -> None:
        with suppress(ValueError):  # the shell may have forgotten it already
            shell.events.unregister("post_run_cell", after_cell)

    shell.events.register("post_run_cell", after_cell)
    return forget


class Throttle(Generic[T]):
    """Pass values on at most four times a second, and always the last one.

    Args:
        apply: Receives the values that pass, in order, never two at once.
        per_second: Highest number of values a second.
        monotonic: Tells the time in seconds.
        later: Runs a call after some seconds.
    """

    def __init__(
        self,
        apply: Callable[[T], None],
        *,
        per_second: float = UPDATES_PER_SECOND,
        monotonic: Callable[[], float] = time.monotonic,
        later: Callable[[float, Callback], None] = call_later,
    ) -> None:
        self._apply = apply
        self._interval = 1.0 / per_second
        self._monotonic = monotonic
        self._call_later = later
        self._lock = threading.RLock()
        self._pending: list[T] = []
        self._due = False
        self._last = float("-inf")

    def submit(self, value: T, *, last: bool = False) -> None:
        """Submit a value; with `last`, it is passed on at once because nothing will follow."""
        with self._lock:
            wait = self._last + self._interval - self._monotonic()
            if last or wait <= 0:
                self._pending.clear()
                self._apply_value(value)
                return
            self._pending[:] = [value]
            if self._due:
                return
            self._due = True
        self._call_later(wait, self._flush)

    def _flush(self) -> None:
        with self._lock:
            self._due = False
            if self._pending:
                self._apply_value(self._pending.pop())

    def _apply_value(self, value: T) -> None:
        self._last = self._monotonic()
        self._apply(value)
