"""One poller per job: polls while anyone is watching and notifies every watcher.

However many watch, on whatever thread or loop, the requests are those of one. All state lives on the package's loop
thread; watchers reach it through `loop_thread.run_on_loop`, so nothing here needs a lock.
"""

from __future__ import annotations

import asyncio
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
    """One watch: the snapshots it has not taken yet, and when it gives up."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.deadline = 0.0
        self.has_left = False
        self.is_waiting = False
        self._queue: deque[JobSnapshot | Exception | None] = deque()
        self._arrived = asyncio.Event()

    def put(self, item: JobSnapshot | Exception | None) -> None:
        """Queue a snapshot for the watcher, or how its watch ends: an error, or None if it was stopped."""
        self._queue.append(item)
        self._arrived.set()
        # Cleared here and not when the watcher wakes up: until its task has run, it would still count as demand.
        self.is_waiting = False

    def stop(self) -> None:
        """End the watch now, and discard what was not taken yet."""
        self._queue.clear()
        self.put(None)

    async def get(self, demand: asyncio.Event | None) -> JobSnapshot | None:
        """Return the next snapshot, waiting for it; None when the watch was stopped."""
        if not self._queue:
            self._arrived.clear()
            # Only an empty queue is demand: whoever has snapshots left to take needs no new one.
            self.is_waiting = True
            if demand is not None:
                demand.set()
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

    It sleeps until the next poll is due, and polls if at least one watcher is waiting for a snapshot. A watcher that is
    busy with the last snapshot delays nobody else; when all are busy, nothing is sent. A watcher that joins does not
    change the times of the polls. A deadline ends only the watch it was set for.

    Args:
        fetcher: Sends the requests of one poll.
        on_snapshot: Called once for each snapshot, on the loop thread.
        get_last: Returns the last snapshot anybody has seen.
        make_timeout_error: Builds the error for a watcher whose deadline of so many seconds has passed.
        on_watch_changed: Called on the loop thread when the first watcher joins and when the last one has left.
    """

    def __init__(
        self,
        fetcher: StatusFetcher,
        *,
        on_snapshot: Callable[[JobSnapshot], object],
        get_last: Callable[[], JobSnapshot | None],
        make_timeout_error: Callable[[float], Exception],
        on_watch_changed: Callable[[], None],
    ) -> None:
        self._fetcher = fetcher
        self._on_snapshot = on_snapshot
        self._get_last = get_last
        self._make_timeout_error = make_timeout_error
        self._on_watch_changed = on_watch_changed
        self._clock = fetcher.http.clock
        self._watchers: list[_Watcher] = []
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._demand: asyncio.Event | None = None
        self._wake_early = asyncio.Event()
        self._wakes_at = 0.0

    async def watch(self, seconds: float) -> AsyncGenerator[JobSnapshot, None]:
        """Yield every snapshot from now on, on any loop; for a job that has ended only the last, without a request.

        Args:
            seconds: After how many seconds of the client's clock to give up.
        """
        watcher = _Watcher(seconds)
        try:
            await loop_thread.run_on_loop(self._add_watcher(watcher))
            while (snapshot := await loop_thread.run_on_loop(self._next(watcher))) is not None:
                yield snapshot
                if snapshot.is_final:
                    return
        finally:
            self._remove_watcher(watcher)

    @property
    def is_running(self) -> bool:
        """Whether anybody watches."""
        return self._task is not None

    def stop(self) -> None:
        """End all current watches, from any thread."""
        loop_thread.call(self._stop_all)

    # --- who watches ------------------------------------------------------------------------------------------

    async def _add_watcher(self, watcher: _Watcher) -> None:
        last = self._get_last()
        if last is not None and last.is_final:
            watcher.put(last)
            return
        if watcher.has_left:  # it was cancelled while this coroutine was on its way to the loop
            return
        here = asyncio.get_running_loop()
        self._clock.now()  # a clock read over HTTP knows its seconds only after it was asked for the time
        watcher.deadline = self._clock.monotonic() + watcher.seconds
        # A task of another loop will never run again: the loop thread was shut down and started anew since.
        must_start = self._task is None or self._loop is not here
        if must_start:
            self._start(here)
        self._watchers.append(watcher)
        if must_start:
            self._on_watch_changed()  # a listener may stop all watches at this moment, this new one included
        if watcher.deadline < self._wakes_at:
            # Sleep again, only until this deadline. The time of the next poll stays as it is.
            self._wake_early.set()

    async def _next(self, watcher: _Watcher) -> JobSnapshot | None:
        return await watcher.get(self._demand)

    def _remove_watcher(self, watcher: _Watcher) -> None:
        """Remove a watcher from any thread, without waiting: its task may already be cancelled and cannot await."""
        watcher.has_left = True
        loop_thread.call(self._discard_watcher, watcher)

    def _discard_watcher(self, watcher: _Watcher) -> None:
        if watcher in self._watchers:
            self._watchers.remove(watcher)
            # Without watchers even a sleeping task is one too many: a clock that runs fast would wake it for nobody.
            if not self._watchers:
                self._cancel()

    def _stop_all(self) -> None:
        for watcher in self._watchers:
            watcher.stop()
        self._watchers.clear()
        self._cancel()

    def _put_all(self, item: JobSnapshot | Exception | None, *, last: bool) -> None:
        for watcher in self._watchers:
            watcher.put(item)
        if last:
            self._watchers.clear()

    # --- polling ----------------------------------------------------------------------------------------------

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._watchers = []  # those of a closed loop are beyond reach
        self._loop = loop
        # Events belong to the loop on which they are awaited first, so each start needs new ones.
        self._demand, self._wake_early = asyncio.Event(), asyncio.Event()
        self._wakes_at = 0.0
        self._task = loop.create_task(self._run(self._demand), name="cint-nb job poller")

    def _cancel(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            self._on_watch_changed()

    async def _run(self, demand: asyncio.Event) -> None:
        try:
            await self._poll_loop(demand)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait for a snapshot must get it
            self._put_all(error, last=True)
        finally:
            # After a cancellation `_task` is None, or already the task of the next poller, whose watchers are not ours.
            if self._task is asyncio.current_task():
                self._task = None
                self._put_all(None, last=True)
                self._on_watch_changed()

    async def _poll_loop(self, demand: asyncio.Event) -> None:
        fetcher, clock = self._fetcher, self._clock
        failing_since: float | None = None
        delay = self._delay(first=True)
        due = clock.monotonic() + delay
        while True:
            # Demand comes before the sleep: while all watchers are busy there is no request, and no clock runs either,
            # so that a virtual clock stands still until somebody waits.
            await self._wait_for_demand(demand)
            now = await self._sleep_until(due)
            self._end_overdue(now, due)
            if not self._watchers:
                return
            # Woken early by a new deadline, or whoever waited has left: no poll is sent, and `due` stays.
            if now < due or not self._has_demand():
                continue
            retry_after: float | None = None
            snapshot: JobSnapshot | None = None
            try:
                snapshot = await fetcher.fetch(count=fetcher.should_count())
            except (*_TRANSIENT_ERRORS, NotFound) as error:
                failing_since = clock.monotonic() if failing_since is None else failing_since
                if not self._is_transient(error, clock.monotonic() - failing_since):
                    raise
                retry_after = error.evidence.get("retry_after_seconds")
            else:
                failing_since = None
            # Watchers get a snapshot before the listeners: a listener that stops the watching must not take away the
            # final one, and must be able to take away any other.
            if snapshot is not None and snapshot.is_final:
                snapshot = await fetcher.finalise(snapshot)
                self._put_all(snapshot, last=True)
                self._on_snapshot(snapshot)
                return
            delay = self._delay(retry_after=retry_after)
            due = clock.monotonic() + delay
            if snapshot is not None:
                snapshot = evolve(snapshot, next_poll_seconds=delay)
                self._put_all(snapshot, last=False)
                self._on_snapshot(snapshot)

    def _has_demand(self) -> bool:
        return any(watcher.is_waiting for watcher in self._watchers)

    async def _wait_for_demand(self, demand: asyncio.Event) -> None:
        while not self._has_demand():
            demand.clear()
            await demand.wait()

    async def _sleep_until(self, due: float) -> float:
        """Sleep until a poll or a deadline is due, whichever is first, and return the time reached."""
        now = self._clock.monotonic()
        self._wakes_at = wakes_at = min(due, *(watcher.deadline for watcher in self._watchers))
        self._wake_early.clear()
        if await sleep_unless_signalled(self._fetcher.http.sleep(wakes_at - now), self._wake_early):
            return self._clock.monotonic()
        return max(self._clock.monotonic(), wakes_at)  # a clock that rounds may show slightly less

    def _end_overdue(self, now: float, poll_due: float) -> None:
        """End the watches whose deadline has passed, except those whose deadline lies after a poll that is due.

        After a long standstill, such as a closed laptop, both have passed: the job may well have ended by then, so the
        poll that was due first is sent first.
        """
        for watcher in [each for each in self._watchers if each.deadline <= now and each.deadline < poll_due]:
            self._watchers.remove(watcher)
            watcher.put(self._make_timeout_error(watcher.seconds))

    def _delay(self, *, retry_after: float | None = None, first: bool = False) -> float:
        fetcher = self._fetcher
        eta = fetcher.durations.estimate(fetcher.handle).eta
        return next_delay(
            fetcher.elapsed(),
            eta,
            short=is_short(fetcher.handle, eta),
            projected_end=fetcher.projected_end,
            retry_after=retry_after,
            jitter=fetcher.durations.jitter(),
            first=first,
        )

    def _is_transient(self, error: Exception, failing_for: float) -> bool:
        # A job that was just created may not be readable yet; once it has been read, a 404 is final.
        if isinstance(error, NotFound):
            return self._fetcher.polls == 0 and self._fetcher.elapsed() < limits.POLL_NEW_JOB.total_seconds()
        return failing_for < limits.POLL_FAILURES_MAX.total_seconds()


async def sleep_unless_signalled(sleep: Awaitable[None], signal: asyncio.Event) -> bool:
    """Wait for the end of a sleep or for the signal, and return whether it was the signal."""
    sleeping = asyncio.ensure_future(sleep)
    signalled = asyncio.ensure_future(signal.wait())
    try:
        ended, _ = await asyncio.wait((sleeping, signalled), return_when=asyncio.FIRST_COMPLETED)
        if sleeping in ended:
            sleeping.result()  # raises if the clock failed: ignoring that would turn the poll loop into a busy one
    finally:
        # Also when this task is cancelled: neither of the two may outlive it.
        for task in (sleeping, signalled):
            task.cancel()
        await asyncio.gather(sleeping, signalled, return_exceptions=True)
    return signal.is_set()
