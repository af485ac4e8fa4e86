"""Let any thread end the watches of a job without touching the job."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Iterator


class Stops:
    """Hold one stop signal for each watch that runs, whatever loop it runs on."""

    def __init__(self) -> None:
        self._signals: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._lock = threading.Lock()

    def stop(self) -> None:
        """End every watch that runs now."""
        with self._lock:
            signals = list(self._signals)
        for at, event in signals:
            with contextlib.suppress(RuntimeError):  # its loop has ended, and the watch with it
                at.call_soon_threadsafe(event.set)

    @contextlib.contextmanager
    def watch(self) -> Iterator[asyncio.Event]:
        """Give the signal of one watch for as long as it runs."""
        entry = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._signals.add(entry)
        try:
            yield entry[1]
        finally:
            with self._lock:
                self._signals.discard(entry)


async def stopped_during(pause: Awaitable[None], signal: asyncio.Event) -> bool:
    """Wait for the end of a pause or for the signal, and tell whether it was the signal."""
    sleeping = asyncio.ensure_future(pause)
    stopping = asyncio.ensure_future(signal.wait())
    try:
        ended, _ = await asyncio.wait((sleeping, stopping), return_when=asyncio.FIRST_COMPLETED)
        if sleeping in ended:
            sleeping.result()  # a clock that fails must not turn the watch into a busy one
    finally:
        for task in (sleeping, stopping):
            task.cancel()
        await asyncio.gather(sleeping, stopping, return_exceptions=True)
    return signal.is_set()
