"""One poller for each job: it looks as long as somebody watches, and tells everybody who does.

However many watch, on whatever thread or loop, the requests are those of one. All state lives on the package's loop
thread; watchers come there by `loop.hop`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable

from cint_nb.api.jobs.schedule import is_short, next_delay
from cint_nb.api.jobs.status import StatusFetcher
from cint_nb.domain import limits
from cint_nb.domain.errors import NotFound, RateLimited, ServerError, TransportError, UnexpectedReply
from cint_nb.domain.jobs import JobSnapshot
from cint_nb.domain.models import evolve
from cint_nb.wire import loop_thread

_TRANSIENT_ERRORS = (TransportError, ServerError, RateLimited, UnexpectedReply)


class _Watcher:
    """What one watcher has not taken yet, and until when it watches."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.deadline = 0.0
        self.loop: asyncio.AbstractEventLoop | None = None
        self.has_left = False
        self.is_waiting = False
        self._queue: deque[JobSnapshot | Exception | None] = deque()
        self._arrived = asyncio.Event()

    def put(self, item: JobSnapshot | Exception | None) -> None:
        """Leave a snapshot for the watcher, or how its watch ends: an error, or None when it was stopped."""
        self._queue.append(item)
        self._arrived.set()
        self.is_waiting = False

    def stop(self) -> None:
        """End the watch now, whatever was not taken yet."""
        self._queue.clear()
        self.put(None)

    async def get(self, wanted: asyncio.Event | None) -> JobSnapshot | None:
        """Return the next snapshot, waiting for it; None when the watch was stopped."""
        if not self._queue:
            self._arrived.clear()
            self.is_waiting = True
            if wanted is not None:
                wanted.set()
            try:
                await self._arrived.wait()
            finally:
                self.is_waiting = False
        item = self._queue.popleft()
        if isinstance(item, Exception):
            raise item
        return item


class Poller:
    """Polls one job on behalf of all its watchers.

    It sleeps until the next look is due and looks if at least one watcher waits for the next snapshot: whoever is busy
    with the last one holds up nobody else, and when all are, nothing is sent. A watcher that joins changes nothing of
    this. A deadline ends the watch of the one who set it.

    Args:
        looker: Sends the requests of one look.
        on_snapshot: Called once for each snapshot, on the loop thread.
        get_last: Returns the last snapshot anybody saw.
        make_timeout_error: Makes the error of a watcher whose deadline of so many seconds has passed.
        on_watch_changed: Called on the loop that looks, when somebody begins to watch and when nobody does any more.
    """

    def __init__(
        self,
        looker: StatusFetcher,
        *,
        on_snapshot: Callable[[JobSnapshot], object],
        get_last: Callable[[], JobSnapshot | None],
        make_timeout_error: Callable[[float], Exception],
        on_watch_changed: Callable[[], None],
    ) -> None:
        self._fetcher = looker
        self._keep = on_snapshot
        self._last = get_last
        self._gave_up = make_timeout_error
        self._turned = on_watch_changed
        self._clock = looker.http.clock
        self._watchers: list[_Watcher] = []
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._demand: asyncio.Event | None = None
        self._wake_early = asyncio.Event()
        self._wakes_at = 0.0

    async def watch(self, seconds: float) -> AsyncGenerator[JobSnapshot, None]:
        """Yield every snapshot from now on, on any loop; of a job that has ended the last one, without a request.

        Args:
            seconds: After how many seconds of the client's clock to give up.
        """
        seat = _Watcher(seconds)
        try:
            await loop_thread.run_on_loop(self._add_watcher(seat))
            while (seen := await loop_thread.run_on_loop(self._next(seat))) is not None:
                yield seen
                if seen.is_final:
                    return
        finally:
            self._remove_watcher(seat)

    @property
    def is_running(self) -> bool:
        """Whether anybody watches."""
        return self._task is not None

    def stop(self) -> None:
        """End every watch that runs now, from any thread."""
        self._call_on_loop(self._loop, self._stop_all)

    # --- who watches ------------------------------------------------------------------------------------------

    async def _add_watcher(self, seat: _Watcher) -> None:
        last = self._last()
        if last is not None and last.is_final:
            seat.put(last)
            return
        seat.loop = here = asyncio.get_running_loop()
        if seat.has_left:
            return
        self._clock.now()  # a clock seen over HTTP knows its seconds only after it was asked for the time
        seat.deadline = self._clock.monotonic() + seat.seconds
        begins = self._task is None or self._loop is not here
        if begins:
            self._start(here)
        self._watchers.append(seat)
        if begins:
            self._turned()  # who hears of it may end it again: this seat as well
        if seat.deadline < self._wakes_at:
            self._wake_early.set()

    async def _next(self, seat: _Watcher) -> JobSnapshot | None:
        return await seat.get(self._demand)

    def _remove_watcher(self, seat: _Watcher) -> None:
        """Give up a seat from any thread, without waiting: whoever leaves may be on its way out of a cancelled task."""
        seat.has_left = True
        self._call_on_loop(seat.loop, self._discard_watcher, seat)

    def _discard_watcher(self, seat: _Watcher) -> None:
        if seat in self._watchers:
            self._watchers.remove(seat)
            if not self._watchers:
                self._cancel()

    def _stop_all(self) -> None:
        for seat in self._watchers:
            seat.stop()
        self._watchers.clear()
        self._cancel()

    def _put_all(self, item: JobSnapshot | Exception | None, *, last: bool) -> None:
        for seat in self._watchers:
            seat.put(item)
        if last:
            self._watchers.clear()

    @staticmethod
    def _call_on_loop(home: asyncio.AbstractEventLoop | None, do: Callable[..., None], *arguments: object) -> None:
        if home is None:
            return
        try:
            here = asyncio.get_running_loop() is home
        except RuntimeError:
            here = False
        if here:
            do(*arguments)
            return
        with contextlib.suppress(RuntimeError):  # that loop has ended, and every watch on it
            home.call_soon_threadsafe(do, *arguments)

    # --- looking ----------------------------------------------------------------------------------------------

    def _start(self, here: asyncio.AbstractEventLoop) -> None:
        self._watchers = []  # what a loop that has ended left behind
        self._loop = here
        self._demand, self._wake_early = asyncio.Event(), asyncio.Event()
        self._wakes_at = 0.0
        self._task = here.create_task(self._run(self._demand), name="cint-nb job poller")

    def _cancel(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            self._turned()

    async def _run(self, wanted: asyncio.Event) -> None:
        try:
            await self._poll_loop(wanted)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait for a snapshot must hear of it
            self._put_all(error, last=True)
        finally:
            if self._task is asyncio.current_task():  # else all had left, and the next poller may run already
                self._task = None
                self._put_all(None, last=True)
                self._turned()

    async def _poll_loop(self, wanted: asyncio.Event) -> None:
        looker, clock = self._fetcher, self._clock
        failing_since: float | None = None
        delay = self._delay(first=True)
        due = clock.monotonic() + delay
        while True:
            await self._wait_for_demand(wanted)
            moment = await self._sleep_until(due)
            self._end_overdue(moment, due)
            if not self._watchers:
                return
            if moment < due or not self._has_demand():
                continue
            asked: float | None = None
            seen: JobSnapshot | None = None
            try:
                seen = await looker.fetch(count=looker.should_count())
            except (*_TRANSIENT_ERRORS, NotFound) as error:
                failing_since = clock.monotonic() if failing_since is None else failing_since
                if not self._is_transient(error, clock.monotonic() - failing_since):
                    raise
                asked = error.evidence.get("retry_after_seconds")
            else:
                failing_since = None
            if seen is not None and seen.is_final:
                seen = await looker.finalise(seen)
                self._put_all(seen, last=True)
                self._keep(seen)
                return
            delay = self._delay(retry_after=asked)
            due = clock.monotonic() + delay
            if seen is not None:
                seen = evolve(seen, next_poll_seconds=delay)
                self._put_all(seen, last=False)
                self._keep(seen)

    def _has_demand(self) -> bool:
        return any(seat.is_waiting for seat in self._watchers)

    async def _wait_for_demand(self, wanted: asyncio.Event) -> None:
        while not self._has_demand():
            wanted.clear()
            await wanted.wait()

    async def _sleep_until(self, due: float) -> float:
        """Sleep until a look or a deadline is due, whichever comes first, and return the moment reached."""
        now = self._clock.monotonic()
        self._wakes_at = wakes_at = min(due, *(seat.deadline for seat in self._watchers))
        self._wake_early.clear()
        if await sleep_unless_signalled(self._fetcher.http.sleep(wakes_at - now), self._wake_early):
            return self._clock.monotonic()
        return max(self._clock.monotonic(), wakes_at)  # a clock that rounds may stand a little before it

    def _end_overdue(self, moment: float, look_due: float) -> None:
        """End the watches whose deadline has passed. One that passed only after a look was due gets that look first."""
        for seat in [seat for seat in self._watchers if seat.deadline <= moment and seat.deadline < look_due]:
            self._watchers.remove(seat)
            seat.put(self._gave_up(seat.seconds))

    def _delay(self, *, retry_after: float | None = None, first: bool = False) -> float:
        looker = self._fetcher
        eta = looker.pace.estimate(looker.handle).eta
        return next_delay(
            looker.elapsed(),
            eta,
            short=is_short(looker.handle, eta),
            counted=looker.projected_end,
            retry_after=retry_after,
            jitter=looker.pace.jitter(),
            first=first,
        )

    def _is_transient(self, error: Exception, failing_for: float) -> bool:
        if isinstance(error, NotFound):
            return self._fetcher.polls == 0 and self._fetcher.elapsed() < limits.POLL_NEW_JOB.total_seconds()
        return failing_for < limits.POLL_FAILURES_MAX.total_seconds()


async def sleep_unless_signalled(sleep: Awaitable[None], signal: asyncio.Event) -> bool:
    """Wait for the end of a pause or for the signal, and tell whether it was the signal."""
    sleeping = asyncio.ensure_future(sleep)
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
