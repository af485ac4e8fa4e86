"""A panel that shows a wave as steps: where it stands, and the line of code that comes next."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import ipywidgets as widgets

from cint_nb.api.jobs.job import Job
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import JournalError
from cint_nb.domain.findings import Findings
from cint_nb.domain.plan import PlanKind
from cint_nb.panels.job_progress.widget import JobProgress
from cint_nb.panels.look.base import Panel, make_html_part, render_warnings, set_html, state_html
from cint_nb.panels.look.text_format import escape
from cint_nb.panels.status_table.widget import StatusTable
from cint_nb.panels.wave_view.findings_table import FindingsTable
from cint_nb.panels.wave_view.model import StepState, WaveProgress, WaveStep, wave_progress
from cint_nb.wave.journal.journal import JournalEntry
from cint_nb.wave.journal.payloads import DraftPayload, Payload
from cint_nb.wave.wave import Wave

_STYLES = {
    StepState.DONE: ("good", "✔"),
    StepState.NOW: ("busy", "▶"),
    StepState.RUNNING: ("busy", "↻"),
    StepState.FAILED: ("bad", "✖"),
    StepState.LATER: ("calm", "○"),
}


def render_steps(stand: WaveProgress) -> str:
    """Draw the steps in a row, each with an icon, a word and how it stands."""
    steps = []
    for stage, standing in stand.step_states():
        css, icon = _STYLES[standing]
        here = ' aria-current="step"' if stage is stand.step else ""
        steps.append(
            f'<li class="cint-step cint-step-{standing}"{here}>{state_html(css, icon, stage)}'
            f'<span class="cint-soft">{standing}</span></li>'
        )
    return f'<ol class="cint-steps">{"".join(steps)}</ol>'


def render_next(stand: WaveProgress) -> str:
    """Draw the line to run next and what it does."""
    if not stand.code:
        return f'<div role="status">{escape(stand.explanation)}</div>'
    return (
        f'<div role="status" class="cint-next"><span class="cint-soft">Next, in a cell:</span> '
        f"<code>{escape(stand.code)}</code> <span>{escape(stand.explanation)}.</span></div>"
    )


@check_arguments()
class WaveView(Panel):
    """Show where a wave stands, what comes next as the line of code to run, and the panels of that step.

    Args:
        wave: The wave.
        title: Heading; the wave's name when left out.

    It reads the wave's journal only and follows every cell that is run; it sends nothing and has no button that does
    something irreversible. `value` is the `WaveProgress`. Serves the recontact guide, steps 1–4.
    """

    def __init__(self, wave: Wave, *, title: str | None = None) -> None:
        self._wave = wave
        self._journal = wave.client.journal
        self._steps, self._next = make_html_part("cint-steps-part"), make_html_part("cint-next-part")
        self._warnings = make_html_part("cint-warnings-part")
        self._content = widgets.VBox([])
        self._content.add_class("cint-inside")
        self._content_step: tuple[Any, ...] = ()
        self._forget: Callable[[], None] | None = None
        super().__init__(
            "wave-panel", wave.client.mode, title or wave.name, (self._steps, self._next, self._warnings, self._content)
        )
        self.refresh()
        self._refresh_after_cells()

    def refresh(self) -> WaveView:
        """Read the journal again; nothing is sent."""
        try:
            findings = self._findings()
            plan = None if self._wave.kind is None else self._wave.plan
            blocked = len(findings.blocking)
            stand = wave_progress(self._entries(), plan=plan, ids=self._wave.id_count, blocked=blocked)
        except JournalError:
            if not self._journal.is_closed:
                raise
            self._stop_refreshing()
            return self
        self.value = stand
        set_html(self._steps, render_steps(stand))
        set_html(self._next, render_next(stand))
        set_html(self._warnings, render_warnings(self._wave.warnings))
        self._show_inside(stand, findings)
        return self

    def close(self) -> None:
        """Stop following the cells and take the panel away."""
        self._stop_refreshing()
        super().close()

    def _entries(self) -> list[JournalEntry[Payload]]:
        group = self._wave.target_group
        entries = self._journal.entries()
        keys = [
            entry.key
            for entry in entries
            if entry.key.wave == self._wave.name
            and entry.key.scope == self._wave.client.scope
            and (
                group is None
                or (isinstance(entry.payload, DraftPayload) and entry.payload.target_group_id == group.target_group_id)
            )
        ]
        return [entry for entry in entries if keys and entry.key == keys[-1]]

    def _findings(self) -> Findings:
        if self._wave.kind is None:
            return Findings()
        if self._wave.target_group is None:
            return self._wave.check("create")
        return self._wave.check("launch" if self._wave.kind is PlanKind.FRESH else "upload")

    def _show_inside(self, stand: WaveProgress, findings: Findings) -> None:
        """Show the panel of the current step, and keep it as long as the step is the same."""
        shown = (stand.step, stand.job, tuple(findings) if stand.step in (WaveStep.CHECK, WaveStep.CREATE) else ())
        if shown == self._content_step:
            return
        self._content_step = shown
        inside: list[Panel] = []
        if stand.step in (WaveStep.CHECK, WaveStep.CREATE) or (findings.blocking and stand.state is StepState.FAILED):
            inside.append(FindingsTable(findings, mode=self.mode))
        if stand.job is not None:
            job = Job.attach(self._wave.client, stand.job)
            job.last_snapshot = stand.last_snapshot
            inside.append(JobProgress(job, mode=self.mode))
        if stand.step is WaveStep.FIELD:
            inside.append(StatusTable(lambda: self._wave.status(trend=True), mode=self.mode))
        for old in self._content.children:
            old.close()
        self._content.children = tuple(inside)

    def _refresh_after_cells(self) -> None:
        shell = _ipython_shell()
        if shell is None:
            return

        def after_cell(_: Any = None) -> None:
            self.refresh()

        shell.events.register("post_run_cell", after_cell)
        self._forget = lambda: shell.events.unregister("post_run_cell", after_cell)

    def _stop_refreshing(self) -> None:
        forget, self._forget = self._forget, None
        if forget is not None:
            with suppress(ValueError):  # the shell may have forgotten it already
                forget()

    def summary(self) -> list[str]:
        """Return the wave, the step it stands at and the next line."""
        if self.value is None:
            return [self._title]
        warnings = [f"warning: {text}" for text in self._wave.warnings]
        return [
            bit for bit in (self._title, f"{self.value.step}: {self.value.state}", self.value.code, *warnings) if bit
        ]


def _ipython_shell() -> Any:
    import sys

    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None
