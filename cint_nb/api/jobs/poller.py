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
from cint_nb.api.jobs.status import Looker
from cint_nb.domain import limits
from cint_nb.domain.errors import NotFound, RateLimited, ServerError, TransportError, UnexpectedReply
from cint_nb.domain.jobs import JobSnapshot
from cint_nb.domain.models import evolve
from cint_nb.wire import loop_thread

_PASSING = (TransportError, ServerError, RateLimited, UnexpectedReply)


class _Seat:
    """Hold what one watcher has not taken yet, and until when it watches."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.due = 0.0
        self.home: asyncio.AbstractEventLoop | None = None
        self.left = False
        self.wants = False
        self._given: deque[JobSnapshot | Exception | None] = deque()
        self._arrived = asyncio.Event()

    def give(self, item: JobSnapshot | Exception | None) -> None:
        """Leave a snapshot for the watcher, or how its watch ends: an error, or None when it was stopped."""
        self._given.append(item)
        self._arrived.set()
        self.wants = False

    def stop(self) -> None:
        """End the watch now, whatever was not taken yet."""
        self._given.clear()
        self.give(None)

    async def take(self, wanted: asyncio.Event | None) -> JobSnapshot | None:
        """Return the next snapshot, waiting for it; None when the watch was stopped."""
        if not self._given:
            self._arrived.clear()
            self.wants = True
            if wanted is not None:
                wanted.set()
            try:
                await self._arrived.wait()
            finally:
                self.wants = False
        item = self._given.popleft()
        if isinstance(item, Exception):
            raise item
        return item


class Poller:
    """Look at one job for all who watch it.

    It sleeps until the next look is due and looks if at least one watcher waits for the next snapshot: whoever is busy
    with the last one holds up nobody else, and when all are, nothing is sent. A watcher that joins changes nothing of
    this. A deadline ends the watch of the one who set it.

    Args:
        looker: Sends the requests of one look.
        keep: Called once for each snapshot, on the loop thread.
        last: Returns the last snapshot anybody saw.
        gave_up: Makes the error of a watcher whose deadline of so many seconds has passed.
        turned: Called on the loop that looks, when somebody begins to watch and when nobody does any more.
    """

    def __init__(
        self,
        looker: Looker,
        *,
        keep: Callable[[JobSnapshot], object],
        last: Callable[[], JobSnapshot | None],
        gave_up: Callable[[float], Exception],
        turned: Callable[[], None],
    ) -> None:
        self._looker = looker
        self._keep = keep
        self._last = last
        self._gave_up = gave_up
        self._turned = turned
        self._clock = looker.http.clock
        self._seats: list[_Seat] = []
        self._task: asyncio.Task[None] | None = None
        self._home: asyncio.AbstractEventLoop | None = None
        self._wanted: asyncio.Event | None = None
        self._sooner = asyncio.Event()
        self._wakes_at = 0.0

    async def watch(self, seconds: float) -> AsyncGenerator[JobSnapshot, None]:
        """Yield every snapshot from now on, on any loop; of a job that has ended the last one, without a request.

        Args:
            seconds: After how many seconds of the client's clock to give up.
        """
        seat = _Seat(seconds)
        try:
            await loop_thread.run_on_loop(self._join(seat))
            while (seen := await loop_thread.run_on_loop(self._next(seat))) is not None:
                yield seen
                if seen.is_final:
                    return
        finally:
            self._leave(seat)

    @property
    def runs(self) -> bool:
        """Tell whether anybody watches."""
        return self._task is not None

    def stop(self) -> None:
        """End every watch that runs now, from any thread."""
        self._at_home(self._home, self._stop_all)

    # --- who watches ------------------------------------------------------------------------------------------

    async def _join(self, seat: _Seat) -> None:
        last = self._last()
        if last is not None and last.is_final:
            seat.give(last)
            return
        seat.home = here = asyncio.get_running_loop()
        if seat.left:
            return
        self._clock.now()  # a clock seen over HTTP knows its seconds only after it was asked for the time
        seat.due = self._clock.monotonic() + seat.seconds
        begins = self._task is None or self._home is not here
        if begins:
            self._begin(here)
        self._seats.append(seat)
        if begins:
            self._turned()  # who hears of it may end it again: this seat as well
        if seat.due < self._wakes_at:
            self._sooner.set()

    async def _next(self, seat: _Seat) -> JobSnapshot | None:
        return await seat.take(self._wanted)

    def _leave(self, seat: _Seat) -> None:
        """Give up a seat from any thread, without waiting: whoever leaves may be on its way out of a cancelled task."""
        seat.left = True
        self._at_home(seat.home, self._drop, seat)

    def _drop(self, seat: _Seat) -> None:
        if seat in self._seats:
            self._seats.remove(seat)
            if not self._seats:
                self._cancel()

    def _stop_all(self) -> None:
        for seat in self._seats:
            seat.stop()
        self._seats.clear()
        self._cancel()

    def _give_all(self, item: JobSnapshot | Exception | None, *, last: bool) -> None:
        for seat in self._seats:
            seat.give(item)
        if last:
            self._seats.clear()

    @staticmethod
    def _at_home(home: asyncio.AbstractEventLoop | None, do: Callable[..., None], *arguments: object) -> None:
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

    def _begin(self, here: asyncio.AbstractEventLoop) -> None:
        self._seats = []  # what a loop that has ended left behind
        self._home = here
        self._wanted, self._sooner = asyncio.Event(), asyncio.Event()
        self._wakes_at = 0.0
        self._task = here.create_task(self._run(self._wanted), name="cint-nb job poller")

    def _cancel(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            self._turned()

    async def _run(self, wanted: asyncio.Event) -> None:
        try:
            await self._look_again_and_again(wanted)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait for a snapshot must hear of it
            self._give_all(error, last=True)
        finally:
            if self._task is asyncio.current_task():  # else all had left, and the next poller may run already
                self._task = None
                self._give_all(None, last=True)
                self._turned()

    async def _look_again_and_again(self, wanted: asyncio.Event) -> None:
        looker, clock = self._looker, self._clock
        failing_since: float | None = None
        delay = self._delay(first=True)
        due = clock.monotonic() + delay
        while True:
            await self._until_wanted(wanted)
            moment = await self._sleep_until(due)
            self._end_overdue(moment, due)
            if not self._seats:
                return
            if moment < due or not self._is_wanted():
                continue
            asked: float | None = None
            seen: JobSnapshot | None = None
            try:
                seen = await looker.look(count=looker.should_count())
            except (*_PASSING, NotFound) as error:
                failing_since = clock.monotonic() if failing_since is None else failing_since
                if not self._may_pass(error, clock.monotonic() - failing_since):
                    raise
                asked = error.evidence.get("retry_after_seconds")
            else:
                failing_since = None
            if seen is not None and seen.is_final:
                seen = await looker.settle(seen)
                self._give_all(seen, last=True)
                self._keep(seen)
                return
            delay = self._delay(retry_after=asked)
            due = clock.monotonic() + delay
            if seen is not None:
                seen = evolve(seen, next_poll_seconds=delay)
                self._give_all(seen, last=False)
                self._keep(seen)

    def _is_wanted(self) -> bool:
        return any(seat.wants for seat in self._seats)

    async def _until_wanted(self, wanted: asyncio.Event) -> None:
        while not self._is_wanted():
            wanted.clear()
            await wanted.wait()

    async def _sleep_until(self, due: float) -> float:
        """Sleep until a look or a deadline is due, whichever comes first, and return the moment reached."""
        now = self._clock.monotonic()
        self._wakes_at = wakes_at = min(due, *(seat.due for seat in self._seats))
        self._sooner.clear()
        if await stopped_during(self._looker.http.sleep(wakes_at - now), self._sooner):
            return self._clock.monotonic()
        return max(self._clock.monotonic(), wakes_at)  # a clock that rounds may stand a little before it

    def _end_overdue(self, moment: float, look_due: float) -> None:
        """End the watches whose deadline has passed. One that passed only after a look was due gets that look first."""
        for seat in [seat for seat in self._seats if seat.due <= moment and seat.due < look_due]:
            self._seats.remove(seat)
            seat.give(self._gave_up(seat.seconds))

    def _delay(self, *, retry_after: float | None = None, first: bool = False) -> float:
        looker = self._looker
        eta = looker.pace.estimate(looker.handle).eta
        return next_delay(
            looker.elapsed(),
            eta,
            short=is_short(looker.handle, eta),
            counted=looker.counted_end,
            retry_after=retry_after,
            jitter=looker.pace.jitter(),
            first=first,
        )

    def _may_pass(self, error: Exception, failing_for: float) -> bool:
        if isinstance(error, NotFound):
            return self._looker.looks == 0 and self._looker.elapsed() < limits.POLL_NEW_JOB.total_seconds()
        return failing_for < limits.POLL_FAILURES_MAX.total_seconds()


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
