"""A panel that shows a background job until it ends: state, bar, counts, and a way to stop watching.

Between two polls the kernel sends nothing: the browser counts on, says when the next poll is due, and when there is no
news. After a restart of the kernel it says what was last seen and how to go on, by what ipywidgets tells it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from typing import Any, Literal, Protocol

import ipywidgets as widgets

from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import InputError
from cint_nb.domain.jobs import JobSnapshot
from cint_nb.domain.limits import POLL_FIRST_AT
from cint_nb.panels.job_progress.job_html import render_job
from cint_nb.panels.job_progress.model import (
    QUIET_SECONDS,
    JobDisplay,
    WatchPhase,
    describe,
    job_title,
    summary_text,
    was_foreseen,
)
from cint_nb.panels.look.background import Throttle
from cint_nb.panels.look.base import Panel, make_html_part, set_html
from cint_nb.panels.look.card import Bar, Block, Card, Note, Say
from cint_nb.panels.look.mode import mode_of
from cint_nb.panels.look.script import is_scripted
from cint_nb.wire import loop_thread

_FIRST_POLL_SECONDS = POLL_FIRST_AT[0] + 1.0
"""So long, in real seconds, the first poll may take before a watch is shown that has found nothing yet."""


class WatchableJob(Protocol):
    """Protocol for a job that can be looked at until it ends, such as `api.jobs.job.Job`."""

    last_snapshot: JobSnapshot | None

    @property
    def is_watched(self) -> bool:
        """Whether anybody looks at the job now."""
        ...

    def watch(self) -> AsyncIterator[JobSnapshot]:
        """Poll until the job has ended."""
        ...

    def add_listener(
        self, listener: Callable[[JobSnapshot], None], on_watch_changed: Callable[[], None]
    ) -> Callable[[], None]:
        """Call `listener` with each look and `on_watch_changed` when `is_watched` changes; return what ends both."""
        ...

    def stop_watching(self) -> None:
        """End the looking, never the job."""
        ...


@check_arguments()
class JobProgress(Panel):
    """Show a job: where it stands, how long it may take, how many ids are saved.

    Args:
        job: The job to show; None for a panel that is fed by `update`.
        mode: `sandbox`, `replay` or `live`; that of the job when left out.
        title: Heading; named for the job when left out.
        monotonic: Tells seconds, for the elapsed time between two looks; the job's own clock when left out.

    `value` is the last `JobSnapshot`. Stop watching ends the looking; the job goes on.
    Serves the recontact guide, step 3.

    Example:
        >>> job = draft.upload(wait=False)
        >>> panel = cint.JobProgress(job)
        >>> print(job.wait().state)
        partial
    """

    def __init__(
        self,
        job: WatchableJob | None = None,
        *,
        mode: str | None = None,
        title: str | None = None,
        monotonic: Callable[[], float] | None = None,
    ) -> None:
        self._job = job
        self._has_own_title = title is not None
        self._phase = WatchPhase.WAITING
        self._last: JobSnapshot | None = None
        self._note: str | None = None
        self._drawn: JobSnapshot | None = None
        self._draw_by = float("-inf")
        self._own_watch: Future[None] | None = None
        self._remove_listener: Callable[[], None] | None = None
        self._lock = threading.RLock()
        self._body = make_html_part("cint-job-part")
        self.stop_button = widgets.Button(description="Stop watching", tooltip="The job continues on the exchange")
        self.stop_button.add_class("cint-stop")
        self.stop_button.on_click(lambda _: self.stop())
        self.follow_button = widgets.Button(description="Watch", tooltip="Poll the job until it ends")
        self.follow_button.add_class("cint-watch")
        self.follow_button.add_class("cint-main")
        self.follow_button.on_click(lambda _: self.start())
        super().__init__("job-progress", mode or mode_of(job), title or self._own_title(), (self._body,))
        if job is not None:
            self.set_buttons(self.stop_button, self.follow_button)
        self._monotonic = monotonic or _time_source(job, self.mode)
        self._polled_at = self._monotonic()
        self._next_poll_at: float | None = None
        self._throttle: Throttle[JobSnapshot] = Throttle(self._show_snapshot)
        if job is not None:
            with self._lock:  # a look that comes meanwhile is drawn after this one
                self._remove_listener = job.add_listener(self._submit, self._on_watch_changed)
                self._on_watch_changed()
                if job.last_snapshot is not None:
                    self._show_snapshot(job.last_snapshot)
        self._draw()

    @property
    def phase(self) -> WatchPhase:
        """Return whether someone polls the job."""
        return self._phase

    def update(self, snapshot: JobSnapshot) -> None:
        """Show a snapshot; callable from any thread, at most four times a second are drawn, the last always."""
        if self._job is None:
            self._phase = WatchPhase.WATCHED
        self._submit(snapshot)

    def _submit(self, snapshot: JobSnapshot) -> None:
        self._throttle.submit(snapshot, last=snapshot.is_final)

    def note(self, text: str) -> None:
        """Show a sentence about what is waited for, until the first look at the job.

        Args:
            text: The sentence.
        """
        with self._lock:
            self._note = text
            self._phase = WatchPhase.WATCHED
            self._draw()

    def start(self) -> JobProgress:
        """Follow the job in the background until it ends, and return at once; calling it again continues.

        Raises:
            InputError: the panel was made without a job, or was closed.
        """
        if self._job is None:
            raise InputError(
                "This panel was made without a job.", next_step="make one with a job, or feed this one: panel.update()."
            )
        if self.comm is None:
            raise InputError("This panel was closed.", next_step="make a new one of the same job.")
        self._note_start()
        with self._lock:
            if self._final() or self._own_watch is not None:
                return self
            self._own_watch = future = loop_thread.submit(_watch(self._job))
            self._on_watch_changed()
        self._show_error(None)
        future.add_done_callback(self._on_watch_ended)
        return self

    def stop(self) -> None:
        """Stop following. The job continues on the exchange; `start()` follows it again."""
        with self._lock:
            if self._final():
                return
            self._stop_own_watch()
        if self._job is not None:
            self._job.stop_watching()
        self._draw()

    def finish(self, snapshot: JobSnapshot | None) -> None:
        """Show the end of the looking: the last snapshot, or None when there was none."""
        if snapshot is not None:
            self._throttle.submit(snapshot, last=True)
        with self._lock:
            self._phase = WatchPhase.STOPPED
        self._draw()

    def close(self) -> None:
        """End the panel's own looking and take the panel away; the job goes on, and so do all others who look."""
        forget, self._remove_listener = self._remove_listener, None
        if forget is not None:
            forget()
        self._stop_own_watch()
        super().close()

    def _stop_own_watch(self) -> None:
        """Be stopped, and end the panel's own watch; one that has not begun yet would not hear `stop_watching`."""
        with self._lock:  # in one step: `_on_watch_changed` would take a watch that is still here for one that goes on
            self._phase, own, self._own_watch = WatchPhase.STOPPED, self._own_watch, None
        if own is not None:
            loop_thread.cancel(own)

    def _final(self) -> bool:
        return self._last is not None and self._last.is_final

    def _on_watch_ended(self, future: Future[None]) -> None:
        with self._lock:
            if self._own_watch is not future:
                return
            self._own_watch = None
        error = None if future.cancelled() else future.exception()
        if error is not None:
            self._show_error(error)
        self._on_watch_changed()

    def _on_watch_changed(self) -> None:
        """Follow who looks: a watch began, ended, or was asked for by this panel and waits for the loop thread."""
        job = self._job
        if job is None:
            return
        with self._lock:
            watched = self._own_watch is not None or job.is_watched
            if watched == (self._phase is WatchPhase.WATCHED):
                return
            if not watched:
                self._phase = WatchPhase.STOPPED
            else:
                self._phase, self._next_poll_at = WatchPhase.WATCHED, self._monotonic()
            if watched and self._last is None and loop_thread.on_loop_thread():
                # Somebody else began to watch: the first poll comes at once, and one drawing shows both.
                asyncio.get_running_loop().call_later(_FIRST_POLL_SECONDS, self._draw_unless_polled)
            elif not self._final():  # whether anybody still watches what has ended is shown nowhere
                self._draw()

    def _draw_unless_polled(self) -> None:
        """Draw that somebody watches, where the first poll takes long."""
        with self._lock:
            if self._last is None and self.comm is not None:
                self._draw()

    def _show_snapshot(self, snapshot: JobSnapshot) -> None:
        with self._lock:
            last = self._last
            if last is not None and last.is_final and not snapshot.is_final and last.handle == snapshot.handle:
                return  # a second watcher was late: a job that has ended does not run again
            self._last = snapshot
            self._polled_at = self._monotonic()
            if snapshot.next_poll_seconds is not None:
                self._next_poll_at = self._polled_at + snapshot.next_poll_seconds
            if not self._may_stay_as_drawn(snapshot):
                if not self._has_own_title and (title := self._own_title()) != self._title:
                    self._show_title(title)
                self._draw()
            with loop_thread.forbid_blocking():  # whoever observes the value comes last: the panel is as it should be
                self.value = snapshot

    def _own_title(self) -> str:
        """Return how the panel is called that was given no title."""
        handle = self._last.handle if self._last is not None else getattr(self._job, "handle", None)
        return "Job" if handle is None else job_title(handle, None if self._last is None else self._last.id_count)

    def _may_stay_as_drawn(self, snapshot: JobSnapshot) -> bool:
        """Return whether the browser shows a poll already: nothing is new, and the next poll will come soon enough."""
        if self._drawn is None or self._next_poll_at is None or self._next_poll_at > self._draw_by:
            return False
        return was_foreseen(self._drawn, snapshot)

    def _describe(self) -> JobDisplay:
        resume = "Run the cell again to follow it, here or elsewhere: `cint.resume_jobs()`."
        if self._job is not None:
            resume = "Watch again follows it here; in another notebook: `cint.resume_jobs()`."
        now = self._monotonic()
        return describe(
            self._last,
            quiet=0.0 if self._drawn is None else QUIET_SECONDS,
            phase=self._phase,
            since_poll=max(now - self._polled_at, 0.0) if self._phase is WatchPhase.WATCHED else 0.0,
            next_poll_in=None if self._next_poll_at is None else self._next_poll_at - now,
            resume=resume,
            will_continue=self._job is not None,
            note=self._note,
        )

    def _draw(self) -> None:
        with self._lock:
            speed = self._speed()
            moves = is_scripted() and speed is not None and self._phase is WatchPhase.WATCHED and not self._final()
            self._drawn = self._last if moves else None
            text = self._describe()
            self._draw_by = self._monotonic() + text.quiet
            set_html(self._body, render_job(text, speed, self._offer()))

    def _offer(self) -> Literal["stop", "watch"] | None:
        """Return which button is offered."""
        if self._job is None or self._final():
            return None
        if self._phase is WatchPhase.STOPPED:
            self.follow_button.description = "Watch again"
        return "stop" if self._phase is WatchPhase.WATCHED else "watch"

    def _speed(self) -> float | None:
        """Return how many seconds of the job's time pass in a real one; None where it jumps, or is not known yet."""
        speed: float | None = getattr(_job_clock(self._job), "speed", 1.0 if self.mode == "live" else None)
        return speed

    def to_static_html(self) -> str:
        """Return the job as a still picture; counts only once it has ended, and no times."""
        last = self._last
        if last is None:
            return super().to_static_html()
        text = describe(last, phase=self._phase, note=self._note)
        blocks: list[Block] = [Say(text.detail if last.is_final else None, state=(text.css, text.icon, text.word))]
        if last.is_final:
            blocks.append(Bar(text.css, text.low, text.high, text.bar))
        if text.exchange_message:
            blocks.append(Note("calm", "❝", f"The exchange says: {text.exchange_message}"))
        blocks += [Note("warn", "▲", f"warning: {warning}") for warning in text.warnings]
        return Card(self._title, blocks, self.mode).html()

    def summary(self) -> list[str]:
        """Return title and state; counts only once the job has ended."""
        return [self._title, *summary_text(self._last, phase=self._phase, note=self._note)]


async def _watch(job: WatchableJob) -> None:
    async for _ in job.watch():
        pass  # the panel listens to the job, whoever looks


def _job_clock(job: object) -> object:
    return getattr(getattr(job, "http", None), "clock", None)


def _time_source(job: object, mode: str) -> Callable[[], float]:
    """Return what tells the job's time; outside live mode only the job's own clock knows how time passes."""
    clock: Any = _job_clock(job)
    if clock is not None:
        tell: Callable[[], float] = clock.monotonic
        return tell
    return time.monotonic if mode == "live" else lambda: 0.0
