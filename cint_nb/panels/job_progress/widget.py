"""A panel that shows a background job until it ends: state, bar, counts, and a way to stop looking."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from typing import Any, Protocol

import ipywidgets as widgets

from cint_nb.domain.jobs import JobSnapshot
from cint_nb.panels.job_progress.model import LATE_SECONDS, JobText, Phase, describe, job_title, summary_of
from cint_nb.panels.look.background import Throttle, after
from cint_nb.panels.look.base import Panel, html_part, state, write
from cint_nb.panels.look.mode import mode_of
from cint_nb.panels.look.text_format import esc
from cint_nb.wire import loop_thread


class WatchableJob(Protocol):
    """Stand for a job that can be looked at until it ends, such as `api.jobs.Job`."""

    last: JobSnapshot | None

    @property
    def is_watched(self) -> bool:
        """Tell whether anybody looks at the job now."""
        ...

    def watch(self) -> AsyncIterator[JobSnapshot]:
        """Look again and again until the job has ended."""
        ...

    def add_listener(self, listener: Callable[[JobSnapshot], None], on_watch: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` with each look and `on_watch` when `is_watched` changes; return what ends both."""
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
        self._last: JobSnapshot | None = None
        self._moment: tuple[Phase, bool] | None = None
        self._own: Future[None] | None = None
        self._forget: Callable[[], None] | None = None
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
        self._monotonic = monotonic or _seconds_of(job, self.mode)
        self._looked_at = self._monotonic()
        self._next_at: float | None = None
        self._throttle: Throttle[JobSnapshot] = Throttle(self._take)
        if job is not None:
            with self._lock:  # a look that comes meanwhile is drawn after this one
                self._forget = job.add_listener(self.update, self._turn)
                self._turn()
                if job.last is not None:
                    self._take(job.last)
        self._draw()

    @property
    def phase(self) -> Phase:
        """Return whether someone looks at the job."""
        return self._phase

    def update(self, snapshot: JobSnapshot) -> None:
        """Show a snapshot; callable from any thread, at most four times a second are drawn, the last always."""
        if self._job is None:
            self._phase = Phase.WATCHED
        self._throttle.offer(snapshot, last=snapshot.is_final)

    def start(self) -> JobProgress:
        """Look at the job in the background until it ends, and return at once; looking again goes on where it stands.

        Raises:
            ValueError: the panel was made without a job, or was closed.
        """
        if self._job is None:
            raise ValueError("this panel was made without a job; give it one, or feed it with update()")
        if self.comm is None:
            raise ValueError("this panel was closed; make a new one of the same job")
        with self._lock:
            if self._final() or self._own is not None:
                return self
            self._own = future = loop_thread.submit(_watch(self._job))
            self._turn()
        self._show_error(None)
        future.add_done_callback(self._ended)
        return self

    def stop(self) -> None:
        """Stop looking. The job goes on at the exchange; `start()` looks again."""
        with self._lock:
            if self._final():
                return
            self._leave()
        if self._job is not None:
            self._job.stop_watching()
        self._draw()

    def finish(self, snapshot: JobSnapshot | None) -> None:
        """Show the end of the looking: the last snapshot, or None when there was none."""
        if snapshot is not None:
            self._throttle.offer(snapshot, last=True)
        with self._lock:
            self._phase = Phase.STOPPED
        self._draw()

    def close(self) -> None:
        """End the panel's own looking and take the panel away; the job goes on, and so do all others who look."""
        forget, self._forget = self._forget, None
        if forget is not None:
            forget()
        self._leave()
        super().close()

    def _leave(self) -> None:
        """Be stopped, and end the panel's own watch; one that has not begun yet would not hear `stop_watching`."""
        with self._lock:  # in one step: `_turn` would take a watch that is still here for one that goes on
            self._phase, own, self._own = Phase.STOPPED, self._own, None
        if own is not None:
            loop_thread.cancel(own)

    def _final(self) -> bool:
        return self._last is not None and self._last.is_final

    def _ended(self, future: Future[None]) -> None:
        with self._lock:
            if self._own is not future:
                return
            self._own = None
        error = None if future.cancelled() else future.exception()
        if error is not None:
            self._show_error(error)
        self._turn()

    def _turn(self) -> None:
        """Follow who looks: a watch began, ended, or was asked for by this panel and waits for the loop thread."""
        job = self._job
        if job is None:
            return
        with self._lock:
            watched = self._own is not None or job.is_watched
            if watched == (self._phase is Phase.WATCHED):
                return
            if not watched:
                self._phase = Phase.STOPPED
            else:
                self._phase, self._next_at = Phase.WATCHED, self._monotonic()
            self._draw()
        self._expect()

    def _take(self, snapshot: JobSnapshot) -> None:
        with self._lock:
            last = self._last
            if last is not None and last.is_final and not snapshot.is_final and last.handle == snapshot.handle:
                return  # a second watcher was late: a job that has ended does not run again
            self._last = snapshot
            self._looked_at = self._monotonic()
            if snapshot.next_poll_seconds is not None:
                self._next_at = self._looked_at + snapshot.next_poll_seconds
            if not self._own_title:
                self._show_title(job_title(snapshot))
            self._draw()
            self._expect()
            with loop_thread.forbid_blocking():  # whoever observes the value comes last: the panel is as it should be
                self.value = snapshot

    def _describe(self) -> JobText:
        resume = "Run the cell again to look at it." if self._job is None else "Press Resume to look at it again."
        now = self._monotonic()
        return describe(
            self._last,
            phase=self._phase,
            since_look=max(now - self._looked_at, 0.0) if self._phase is Phase.WATCHED else 0.0,
            ahead=None if self._next_at is None else self._next_at - now,
            resume=resume,
            goes_on=self._job is not None,
        )

    def _draw(self) -> None:
        with self._lock:
            text = self._describe()
            write(self._status, draw_status(text))
            write(self._bar, draw_bar(text) + draw_facts(text, self._speed()))  # one message to the browser
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
        speed = self._speed()
        with self._lock:
            if self._expecting or self._phase is not Phase.WATCHED or self._final():
                return
            if self._next_at is None or speed is None:  # where time jumps from look to look, none is ever late
                return
            self._expecting = True
            left = max(self._next_at - self._monotonic(), 0.0)
        after(max((left + LATE_SECONDS) / speed, 1.0), self._overdue)

    def _overdue(self) -> None:
        with self._lock:
            self._expecting = False
            watched = self._phase is Phase.WATCHED and not self._final()
            if watched and self._next_at is not None and self._monotonic() - self._next_at >= LATE_SECONDS:
                self._draw()
        self._expect()

    def _speed(self) -> float | None:
        """Return how many seconds of the job's time pass in a real one; None where it jumps, or is not known yet."""
        speed: float | None = getattr(_clock_of(self._job), "speed", 1.0 if self.mode == "live" else None)
        return speed

    def summary(self) -> list[str]:
        """Return title and state; counts only once the job has ended."""
        return [self._title, *summary_of(self._last, phase=self._phase)]


async def _watch(job: WatchableJob) -> None:
    async for _ in job.watch():
        pass  # the panel listens to the job, whoever looks


def _clock_of(job: object) -> object:
    return getattr(getattr(job, "http", None), "clock", None)


def _seconds_of(job: object, mode: str) -> Callable[[], float]:
    """Return what tells the job's time; outside live mode only the job's own clock knows how time passes."""
    clock: Any = _clock_of(job)
    if clock is not None:
        tell: Callable[[], float] = clock.monotonic
        return tell
    return time.monotonic if mode == "live" else lambda: 0.0


def draw_bar(text: JobText) -> str:
    """Draw the bar as HTML: what is certain filled, what may be done hatched, the words beside it."""
    low, high = text.low * 100, text.high * 100
    return (
        f'<div class="cint-bar-row"><div class="cint-bar cint-{text.css}" role="progressbar" aria-label="Progress" '
        f'aria-valuemin="0" aria-valuemax="100" aria-valuenow="{low:.0f}" aria-valuetext="{esc(text.bar)}">'
        f'<div class="cint-fill" style="width:{low:.2f}%"></div>'
        f'<div class="cint-maybe" style="width:{high - low:.2f}%"></div></div>'
        f'<span class="cint-progress-text">{esc(text.bar)}</span></div>'
    )


def draw_status(text: JobText) -> str:
    """Draw the state line, which a screen reader reads when it changes."""
    detail = f'<span class="cint-number">{esc(text.detail)}</span>' if text.detail else ""
    quote = f'<div class="cint-quote">The exchange says: {esc(text.quote)}</div>' if text.quote else ""
    advice = f'<div class="cint-advice">{esc(text.advice)}</div>' if text.advice else ""
    return (
        f'<div role="status"><div class="cint-status">{state(text.css, text.icon, text.word)}{detail}</div>'
        f"{quote}{advice}</div>"
    )


def draw_facts(text: JobText, speed: float | None) -> str:
    """Draw elapsed, left and looks, apart from the state line, which a screen reader reads; under them a moving line.

    The line fills until the next look. The browser moves it: a kernel that counted seconds would spend more on the
    panel than on a third of the looks.

    Args:
        text: What the panel says.
        speed: Seconds of the job's clock in one real second; None where time jumps, and nothing can be seen to come.
    """
    if not text.facts:
        return ""
    due = ""
    if text.due is not None and speed is not None:
        due = f'<div class="cint-due" style="animation-duration:{text.due / speed:.1f}s"></div>'
    return f'<div class="cint-facts">{"".join(f"<span>{esc(fact)}</span>" for fact in text.facts)}</div>{due}'


def draw_hint(hint: str) -> str:
    """Draw the line of code that goes on elsewhere, folded away; nothing where there is none."""
    if not hint:
        return ""
    return (
        '<details class="cint-hint"><summary>The line that goes on in another notebook</summary>'
        f"<code>{esc(hint)}</code></details>"
    )
