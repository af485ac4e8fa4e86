"""How a blocking verb reports a job: a panel in a notebook, a bar in a terminal, a line otherwise, silence without."""

from __future__ import annotations

import os
import sys
import threading
from time import monotonic
from typing import TextIO

from cint_nb.domain.jobs import JobSnapshot
from cint_nb.panels.job_progress.model import describe, progress_bounds
from cint_nb.panels.look.background import call_later
from cint_nb.panels.look.static_html import in_kernel
from cint_nb.panels.look.text_format import parse_mode
from cint_nb.wave.reporting import ProgressReporter, SilentReporter


def make_reporter(title: str, mode: object = "sandbox", *, stream: TextIO | None = None) -> ProgressReporter:
    """Create the reporter that suits the place: widgets in a Jupyter kernel, text on a terminal's error stream.

    Args:
        title: What is waited for, such as `Upload`.
        mode: `sandbox`, `replay` or `live`.
        stream: Where text goes; standard error when left out. Without a terminal there, nothing is written.
    """
    word = parse_mode(mode)
    if in_kernel():
        return _PanelReporter(title, word)
    out = stream if stream is not None else sys.stderr
    if out is None or not out.isatty():
        return SilentReporter()
    if os.environ.get("TERM") == "dumb":
        return _LineReporter(title, word, out)
    try:
        return _BarReporter(title, word, out)
    except ImportError:
        return _LineReporter(title, word, out)


class _PanelReporter:
    def __init__(self, title: str, mode: str) -> None:
        from cint_nb.panels.job_progress.widget import JobProgress

        self.panel = JobProgress(mode=mode, title=title)
        self.panel.display()

    def update(self, snapshot: JobSnapshot) -> None:
        """Show a look in the panel."""
        self.panel.update(snapshot)

    def note(self, text: str) -> None:
        """Show a sentence in the panel."""
        self.panel.note(text)

    def finish(self, snapshot: JobSnapshot | None) -> None:
        """Show the end in the panel, and leave it in the notebook."""
        self.panel.finish(snapshot)
        self.panel.display_static()


def _summary_line(title: str, mode: str, snapshot: JobSnapshot | None) -> str:
    if snapshot is None:
        return f"[{mode}] {title}: no longer followed; the job continues on the exchange"
    text = describe(snapshot)
    bits = (text.word, text.detail, text.exchange_message, *(f"warning: {warning}" for warning in text.warnings))
    return f"[{mode}] {title}: {' · '.join(bit for bit in bits if bit)}"


class _LineReporter:
    def __init__(self, title: str, mode: str, out: TextIO) -> None:
        self._title, self._mode, self._out = title, mode, out
        self._has_noted = False

    def update(self, snapshot: JobSnapshot) -> None:
        """Wait for the end."""

    def note(self, text: str) -> None:
        """Write a sentence on a line of its own."""
        self._has_noted = True
        self._out.write(f"[{self._mode}] {self._title}: {text}\n")
        self._out.flush()

    def finish(self, snapshot: JobSnapshot | None) -> None:
        """Write one line about the end; none where there was no job that could continue."""
        if snapshot is not None or not self._has_noted:
            self._out.write(_summary_line(self._title, self._mode, snapshot) + "\n")
            self._out.flush()


class _BarReporter(_LineReporter):
    """A bar that is drawn anew each second, so that nobody takes a long wait between two polls for a standstill."""

    def __init__(self, title: str, mode: str, out: TextIO) -> None:
        from tqdm import tqdm

        super().__init__(title, mode, out)
        self._last: JobSnapshot | None = None
        self._polled_at = 0.0
        self._lock = threading.RLock()
        self._is_ticking = self._has_ended = False
        self._bar = tqdm(
            total=100,
            desc=f"[{mode}] {title}",
            file=out,
            mininterval=0.25,
            leave=False,
            bar_format="{desc} {bar:30} {postfix}",
        )

    def update(self, snapshot: JobSnapshot) -> None:
        """Move the bar to the middle of what may be done."""
        with self._lock:
            self._last, self._polled_at = snapshot, monotonic()
            low, high = progress_bounds(snapshot)
            self._bar.n = 50 * (low + high)
            self._draw()
            if self._mode == "live" and not self._is_ticking:  # elsewhere time jumps from poll to poll
                self._is_ticking = True
                call_later(1.0, self._tick)

    def _draw(self) -> None:
        last = self._last
        if last is None or self._has_ended:
            return
        since = monotonic() - self._polled_at if self._mode == "live" else 0.0
        ahead = None if last.next_poll_seconds is None else last.next_poll_seconds - since
        text = describe(last, since_poll=since, next_poll_in=ahead)
        self._bar.set_postfix_str(" · ".join(bit for bit in (text.bar, *text.facts) if bit), refresh=False)
        self._bar.update(0)

    def _tick(self) -> None:
        with self._lock:
            if not self._has_ended:
                self._draw()
                call_later(1.0, self._tick)

    def note(self, text: str) -> None:
        """Write a sentence above the bar."""
        self._bar.clear()
        super().note(text)
        self._bar.refresh()

    def finish(self, snapshot: JobSnapshot | None) -> None:
        """Replace the bar by one line about the end."""
        with self._lock:
            self._has_ended = True
            self._bar.close()
        super().finish(snapshot)
