"""A panel that shows a background job until it ends: state, bar, counts, and a way to stop looking."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import CancelledError, Future
from typing import Any, Protocol

import ipywidgets as widgets

from cint_nb.domain.jobs import JobSnapshot
from cint_nb.panels.background import Throttle
from cint_nb.panels.base import Panel, html_part, state, write
from cint_nb.panels.job_model import JobText, describe, job_title, summary_of
from cint_nb.panels.wording import esc


class WatchableJob(Protocol):
    """Stand for a job that can be looked at until it ends, such as `api.jobs.Job`."""

    @property
    def last(self) -> JobSnapshot | None:
        """Return the last look."""
        ...

    def watch(self) -> AsyncIterator[JobSnapshot]:
        """Look again and again until the job has ended."""
        ...

    def add_listener(self, listener: Callable[[JobSnapshot], None]) -> Any:
        """Call `listener` with each look, whoever looks."""
        ...

    def stop_watching(self) -> None:
        """End the looking, never the job."""
        ...


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


class JobProgress(Panel):
    """Show a job: where it stands, how long it may take, how many ids are saved.

    Args:
        job: The job to show; None for a panel that is fed by `update`.
        mode: `sandbox`, `replay` or `live`.
        title: Heading; named for the job when left out.

    `value` is the last `JobSnapshot`. Stop watching ends the looking; the job goes on.
    Serves the recontact guide, step 3.
    """

    def __init__(self, job: WatchableJob | None = None, *, mode: object = "sandbox", title: str = "") -> None:
        self._job = job
        self._own_title = bool(title)
        self._watching = False
        self._looked_at = time.monotonic()
        self._future: Future[None] | None = None
        self._lock = threading.RLock()
        self._bar = html_part("cint-bar-part")
        self._status = html_part("cint-status-part")
        self._facts = html_part("cint-facts-part")
        self.stop_button = widgets.Button(description="Stop watching", tooltip="The job goes on at the exchange")
        self.stop_button.add_class("cint-stop")
        self.stop_button.on_click(lambda _: self.stop())
        self.resume_button = widgets.Button(description="Resume", tooltip="Look at the job again")
        self.resume_button.add_class("cint-resume")
        self.resume_button.on_click(lambda _: self.start())
        self._buttons = widgets.HBox([])
        self._buttons.add_class("cint-buttons")
        super().__init__("job-progress", mode, title or "Job", (self._status, self._bar, self._facts, self._buttons))
        self._throttle: Throttle[JobSnapshot] = Throttle(self._take)
        if job is not None:
            job.add_listener(self.update)
            if job.last is not None:
                self._take(job.last)
        self._draw()

    def update(self, snapshot: JobSnapshot) -> None:
        """Show a snapshot; callable from any thread, at most four times a second are drawn, the last always."""
        self._throttle.offer(snapshot, last=snapshot.final)

    def start(self) -> JobProgress:
        """Look at the job in the background until it ends, and return at once.

        Raises:
            ValueError: if the panel was made without a job.
        """
        from cint_nb.wire import loop

        if self._job is None:
            raise ValueError("this panel was made without a job; give it one, or feed it with update()")
        with self._lock:
            if self._watching or (self.value is not None and self.value.final):
                return self
            self._watching = True
            self._show_error(None)
            self._draw()
            self._future = loop.submit(self._watch(self._job))
        self._future.add_done_callback(self._ended)
        return self

    def stop(self) -> None:
        """Stop looking. The job goes on at the exchange; `start()` looks again."""
        with self._lock:
            self._watching = False
            future, self._future = self._future, None
        if self._job is not None:
            self._job.stop_watching()
        if future is not None:
            future.cancel()
        self._draw()

    def finish(self, snapshot: JobSnapshot | None) -> None:
        """Show the last snapshot, or that the looking ended without one."""
        self._watching = False
        if snapshot is None:
            self._draw()
        else:
            self._throttle.offer(snapshot, last=True)

    async def _watch(self, job: WatchableJob) -> None:
        async for snapshot in job.watch():
            self.update(snapshot)

    def _ended(self, future: Future[None]) -> None:
        with self._lock:
            if self._future is not future:
                return
            self._watching, self._future = False, None
        error = None if future.cancelled() else future.exception()
        if error is not None and not isinstance(error, CancelledError):
            self._show_error(error)
        self._draw()

    def _take(self, snapshot: JobSnapshot) -> None:
        self._looked_at = time.monotonic()
        self.value = snapshot
        if not self._own_title:
            self._show_title(job_title(snapshot))
        self._draw()

    def _draw(self) -> None:
        watching = self._watching or self._job is None
        text = describe(self.value, watching=watching)
        write(self._status, draw_status(text))
        write(self._bar, draw_bar(text))
        facts = "".join(f"<span>{esc(fact)}</span>" for fact in text.facts)
        write(self._facts, f'<div class="cint-facts">{facts}</div>' if facts else "")
        final = self.value is not None and self.value.final
        wanted = () if self._job is None or final else (self.stop_button,) if self._watching else (self.resume_button,)
        if self._buttons.children != wanted:
            self._buttons.children = wanted

    def summary(self) -> list[str]:
        """Return title and state; counts only once the job has ended."""
        return [self._title, *summary_of(self.value, watching=self._watching)]
