"""A panel that shows a background job until it ends: state, bar, counts, and a way to stop looking."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from typing import Any, Protocol

import ipywidgets as widgets

from cint_nb.domain.jobs import JobSnapshot
from cint_nb.panels.background import Throttle, after
from cint_nb.panels.base import Panel, html_part, write
from cint_nb.panels.job_model import JobText, Phase, describe, job_title, summary_of
from cint_nb.panels.job_view import draw_bar, draw_facts, draw_hint, draw_status
from cint_nb.panels.mode import mode_of

LATE_SECONDS = 30.0
"""A panel whose next look is late by this is drawn again, and then as often."""
LOST_SECONDS = 75.0
"""Nobody looks any more where a job without a watch is late by this: longer than every time limit of a request."""


class WatchableJob(Protocol):
    """Stand for a job that can be looked at until it ends, such as `api.jobs.Job`."""

    last: JobSnapshot | None

    def watch(self) -> AsyncIterator[JobSnapshot]:
        """Look again and again until the job has ended."""
        ...

    def add_listener(self, listener: Callable[[JobSnapshot], None]) -> Any:
        """Call `listener` with each look, whoever looks."""
        ...

    def stop_watching(self) -> None:
        """End the looking, never the job."""
        ...


class JobProgress(Panel):
    """Show a job: where it stands, how long it may take, how many ids are saved.

    Args:
        job: The job to show; None for a panel that is fed by `update`.
        mode: `sandbox`, `replay` or `live`; that of the job when left out.
        title: Heading; named for the job when left out.
        monotonic: Tells seconds, for the elapsed time between two looks; the job's own clock when left out.

    `value` is the last `JobSnapshot`. Stop watching ends the looking; the job goes on.
    Serves the recontact guide, step 3.
    """

    def __init__(
        self,
        job: WatchableJob | None = None,
        *,
        mode: object = None,
        title: str = "",
        monotonic: Callable[[], float] | None = None,
    ) -> None:
        self._job = job
        self._own_title = bool(title)
        self._phase = Phase.WAITING
        self._moment: tuple[Phase, bool] | None = None
        self._own: Future[None] | None = None
        self._expecting = False
        self._lock = threading.RLock()
        self._status, self._bar = html_part("cint-status-part"), html_part("cint-bar-part")
        self._resume = html_part("cint-resume-part")
        self.stop_button = widgets.Button(description="Stop watching", tooltip="The job goes on at the exchange")
        self.stop_button.add_class("cint-stop")
        self.stop_button.on_click(lambda _: self.stop())
        self.watch_button = widgets.Button(description="Watch", tooltip="Look at the job until it ends")
        self.watch_button.add_class("cint-watch")
        self.watch_button.on_click(lambda _: self.start())
        self._buttons = widgets.HBox([])
        self._buttons.add_class("cint-buttons")
        parts = (self._status, self._bar, self._resume, self._buttons)
        super().__init__("job-progress", mode or mode_of(job), title or "Job", parts)
        self._monotonic = monotonic or _clock_of(job, self.mode)
        self._speed = _speed_of(job, self.mode)
        self._looked_at = self._checked_at = self._monotonic()
        self._due: float | None = None
        self._throttle: Throttle[JobSnapshot] = Throttle(self._take)
        if job is not None:
            job.add_listener(self.update)
            if job.last is not None:
                self._take(job.last)
        self._draw()

    @property
    def phase(self) -> Phase:
        """Return whether someone looks at the job."""
        return self._phase

    def update(self, snapshot: JobSnapshot) -> None:
        """Show a snapshot; callable from any thread, at most four times a second are drawn, the last always."""
        with self._lock:
            if self._final() and not snapshot.final and snapshot.handle == self.value.handle:
                return  # a second watcher was late: a job that has ended does not run again
            stopping = self._phase is Phase.STOPPED and self._own is not None
            if not stopping:
                self._phase = Phase.WATCHED
        self._throttle.offer(snapshot, last=snapshot.final)
        self._expect()

    def start(self) -> JobProgress:
        """Look at the job in the background until it ends, and return at once; looking again goes on where it stands.

        Raises:
            ValueError: the panel was made without a job.
        """
        from cint_nb.wire import loop

        if self._job is None:
            raise ValueError("this panel was made without a job; give it one, or feed it with update()")
        with self._lock:
            if self._final() or (self._own is not None and self._phase is Phase.WATCHED):
                return self
            self._phase = Phase.WATCHED
            self._looked_at, self._due = self._monotonic(), 0.0  # it looks at once
            self._own = future = loop.submit(_watch(self._job))
        self._show_error(None)
        self._draw()
        future.add_done_callback(self._ended)
        self._expect()
        return self

    def stop(self) -> None:
        """Stop looking. The job goes on at the exchange; `start()` looks again."""
        with self._lock:
            if self._final():
                return
            self._phase, own = Phase.STOPPED, self._own
        if self._job is not None:
            self._job.stop_watching()
        if own is not None:
            from cint_nb.wire import loop

            loop.cancel(own)  # a watch that has not begun yet does not hear the job's word
        self._draw()

    def finish(self, snapshot: JobSnapshot | None) -> None:
        """Show the end of the looking: the last snapshot, or None when there was none."""
        if snapshot is not None:
            self._throttle.offer(snapshot, last=True)
        with self._lock:
            self._phase = Phase.STOPPED
        self._draw()

    def close(self) -> None:
        """Stop looking and take the panel away; the job goes on."""
        self.stop()
        super().close()

    def _final(self) -> bool:
        return self.value is not None and bool(self.value.final)

    def _ended(self, future: Future[None]) -> None:
        with self._lock:
            if self._own is not future:
                return
            self._phase, self._own = Phase.STOPPED, None
        error = None if future.cancelled() else future.exception()
        if error is not None:
            self._show_error(error)
        self._draw()

    def _take(self, snapshot: JobSnapshot) -> None:
        with self._lock:
            self._looked_at, self._due = self._monotonic(), snapshot.next_look_seconds
            self._checked_at = float("nan")
            self.value = snapshot
            if not self._own_title and (title := job_title(snapshot)) != self._title:
                self._show_title(title)
            self._draw()

    def _describe(self) -> JobText:
        resume = "Run the cell again to look at it." if self._job is None else "Press Resume to look at it again."
        since = max(self._monotonic() - self._looked_at, 0.0) if self._phase is Phase.WATCHED else 0.0
        there = self._job is not None
        return describe(self.value, phase=self._phase, since_look=since, due=self._due, resume=resume, goes_on=there)

    def _draw(self) -> None:
        with self._lock:
            text = self._describe()
            write(self._status, draw_status(text))
            write(self._bar, draw_bar(text) + draw_facts(text, self._speed))  # one message to the browser
            moment = (self._phase, self._final())
            if moment != self._moment:
                self._moment = moment
                self._offer_buttons(*moment)

    def _offer_buttons(self, phase: Phase, final: bool) -> None:
        stopped = phase is Phase.STOPPED and not final
        write(self._resume, draw_hint(getattr(self._job, "resume_hint", "") if stopped else ""))
        self.watch_button.description = "Resume" if stopped else "Watch"
        wanted: tuple[widgets.Button, ...] = ()
        if self._job is not None and not final:
            wanted = (self.stop_button,) if phase is Phase.WATCHED else (self.watch_button,)
        self._buttons.children = wanted

    def _expect(self) -> None:
        """See to it that a look that does not come is noticed: between two looks nothing else runs."""
        with self._lock:
            if self._expecting or self._due is None:
                return
            self._expecting = True
            left = max(self._due - (self._monotonic() - self._looked_at), 0.0)
        after((left + LATE_SECONDS) / (self._speed or 1.0), self._overdue)

    def _overdue(self) -> None:
        with self._lock:
            self._expecting = False
            if self._phase is not Phase.WATCHED or self._final() or self.comm is None:
                return
            now = self._monotonic()
            if now == self._checked_at:
                return  # this clock stands still between two looks
            self._checked_at = now
            late = now - self._looked_at - (self._due or 0.0)
            if late > LOST_SECONDS and self._job is not None and not getattr(self._job, "is_watched", False):
                self._phase = Phase.STOPPED  # a cell that looked at the job and was interrupted cannot say so itself
                self._draw()
                return
            if late >= LATE_SECONDS:
                self._draw()
            self._expect()

    def summary(self) -> list[str]:
        """Return title and state; counts only once the job has ended."""
        return [self._title, *summary_of(self.value, phase=self._phase)]


async def _watch(job: WatchableJob) -> None:
    async for _ in job.watch():
        pass  # the panel listens to the job, whoever looks


def _clock_of(job: object, mode: str) -> Callable[[], float]:
    """Return what tells the job's time; outside live mode only the job's own clock knows how time passes."""
    clock = getattr(getattr(job, "http", None), "clock", None)
    if clock is not None:
        tell: Callable[[], float] = clock.monotonic
        return tell
    return time.monotonic if mode == "live" else lambda: 0.0


def _speed_of(job: object, mode: str) -> float | None:
    """Return how many seconds of the job's time pass in a real one; None where it jumps from look to look."""
    clock = getattr(getattr(job, "http", None), "clock", None)
    speed: float | None = getattr(clock, "speed", 1.0 if mode == "live" else None)
    return speed
