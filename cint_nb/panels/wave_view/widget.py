"""A panel that shows a wave as steps: where it stands, and the line of code that comes next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from cint_nb.api.jobs.job import Job
from cint_nb.caller_warnings import deliver_warnings
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import CintError, JournalError
from cint_nb.domain.findings import Findings
from cint_nb.domain.jobs import JobHandle
from cint_nb.domain.plan import Money, PlanKind
from cint_nb.panels.job_progress.widget import JobProgress
from cint_nb.panels.look.background import after_each_cell, run_in_thread
from cint_nb.panels.look.base import Panel, make_html_part, render_line, render_warnings, set_html, state_html
from cint_nb.panels.look.card import Block, Card, Facts, Note, Say
from cint_nb.panels.look.text_format import escape, format_moment
from cint_nb.panels.wave_view.figures import (
    UPLOAD_KINDS,
    WaveFigures,
    budget_rows,
    figures_with_status,
    known_figures,
    reached_text,
    render_budget,
    render_funnel,
)
from cint_nb.panels.wave_view.findings_card import counts, findings_blocks
from cint_nb.panels.wave_view.findings_table import FindingsTable
from cint_nb.panels.wave_view.model import StepState, WaveProgress, WaveStep, wave_progress
from cint_nb.wave.exchange.changed_elsewhere import ChangedElsewhere, changed_elsewhere
from cint_nb.wave.exchange.facts import unrecorded_fields
from cint_nb.wave.exchange.state import GroupState, KnownState
from cint_nb.wave.journal.journal import EntryState, JournalEntry, WaveKey
from cint_nb.wave.journal.payloads import DraftPayload, Payload, StartedJobPayload
from cint_nb.wave.wave import Wave

_SIGNS = {StepState.DONE: "✓", StepState.NOW: "▶", StepState.RUNNING: "▶", StepState.FAILED: "✕", StepState.LATER: ""}
_STATE_SIGNS = {
    GroupState.DRAFT: ("calm", "✎"),
    GroupState.SCHEDULED: ("calm", "◷"),
    GroupState.LIVE: ("good", "▶"),
    GroupState.PAUSED: ("warn", "‖"),
    GroupState.COMPLETED: ("busy", "✓"),
    GroupState.ARCHIVED: ("calm", "▢"),
    GroupState.MISSING: ("bad", "✕"),
}
_FRESH_STEPS = (WaveStep.UPLOAD, WaveStep.OUTCOME)
"""Steps that a wave of new people has not."""


def render_steps(stand: WaveProgress, details: Mapping[WaveStep, str], *, is_fresh: bool = False) -> str:
    """Draw the steps in a row, each with a sign, its name and what came of it; in a narrow panel only where it stands.

    Args:
        stand: Where the wave stands.
        details: What came of each step, in a few words.
        is_fresh: Whether it is a wave of new people, which uploads nothing.
    """
    shown = [(step, state) for step, state in stand.step_states() if not (is_fresh and step in _FRESH_STEPS)]
    unseen = stand.is_unseen and stand.state in (StepState.NOW, StepState.RUNNING)
    steps, short = [], ""
    for place, (step, state) in enumerate(shown, 1):
        here = step is stand.step
        css, sign = ("unknown", "?") if here and unseen else (str(state), _SIGNS[state])
        said = "last known" if here and unseen else details.get(step, "")
        mark = f'<span aria-hidden="true">{sign} </span>' if sign else ""
        word = f'<span class="cint-vh"> {state}</span>'
        steps.append(
            f'<li class="{css}"{" aria-current=step" if here else ""}><b>{mark}{step}</b>{word}'
            f"<small>{escape(said)}</small></li>"
        )
        if here:
            short = f"<b>Step {place} of {len(shown)}: {step}</b> <span class='cint-soft'>{escape(said)}</span>"
    return (
        f'<div class="wv-body"><ol class="wv-steps" aria-label="Steps of the wave" style="--n:{len(shown)}">'
        f'{"".join(steps)}</ol><p class="wv-short" aria-hidden="true">{short}</p></div>'
    )


def render_next(stand: WaveProgress) -> str:
    """Draw the line to run next and what it does."""
    said = escape(stand.explanation)
    if not stand.code:
        return f'<div role="status" class="wv-next">{said}</div>'
    return (
        f'<div role="status" class="wv-next"><p><b>Next</b> <span class="cint-soft">{said}</span></p>'
        f"{render_line(stand.code)}</div>"
    )


def changed_text(changed: ChangedElsewhere) -> tuple[str, str]:
    """Return in words that something was changed elsewhere, and what."""
    differences = ", ".join(changed.differences)
    return (
        f"Changed elsewhere since {format_moment(changed.since)} UTC.",
        f"{differences[:1].upper()}{differences[1:]}. Not by a verb of this wave, as this journal has them.",
    )


def render_changed(changed: ChangedElsewhere | None) -> str:
    """Draw what somebody else changed, since when, and the line to run; nothing where nothing was."""
    if changed is None:
        return ""
    head, said = changed_text(changed)
    advice = f'<p class="cint-soft cint-small">{escape(changed.advice)}</p>'
    line = render_line(changed.code) if changed.code else ""
    return (
        '<div class="wv-body"><div class="cint-note cint-warn" role="status"><span aria-hidden="true">≠</span>'
        f"<div><b>{escape(head)}</b> {escape(said)}</div></div>{advice}{line}</div>"
    )


@check_arguments()
class WaveView(Panel):
    """Show where a wave stands, what comes next as the line of code to run, and the panels of that step.

    Args:
        wave: The wave.
        title: Heading; the wave's name when left out.

    Each time it is displayed, or `refresh` is called, it reads the state from the exchange once, for at most two
    seconds; else it shows what was last known, with its time. Of a wave that was launched the figures follow in the
    background. After every cell that is run it shows what the cell read, and asks nothing. In a replay it repeats the
    last recorded state. Its one button asks again; it has none that does something irreversible. What contradicts the
    journal is said as changed elsewhere, with the line to run next; after the close it names the day until which
    completes can be reconciled.
    `value` is the `WaveProgress`, `figures` are the counts, `changed` is what was changed elsewhere. Serves the
    recontact guide, steps 1–4.

    Example:
        >>> cint.WaveView(wave)
        <WaveView: sandbox · Tracker, wave 3 · outcome: now · wave.resubmit()>
    """

    def __init__(self, wave: Wave, *, title: str | None = None) -> None:
        self._wave = wave
        self._journal = wave.client.journal
        self._steps, self._next = make_html_part("cint-steps-part"), make_html_part("cint-next-part")
        self._figures_part = make_html_part("cint-figures-part")
        self._warnings = make_html_part("cint-warnings-part")
        self._changed_part = make_html_part("cint-changed-part")
        self.changed: ChangedElsewhere | None = None
        self._is_displayed = False
        self._content = widgets.VBox([])
        self._content.add_class("cint-inside")
        self._content_step: tuple[Any, ...] = ()
        self._forget: Callable[[], None] | None = None
        self._known: KnownState | None = None
        self._findings_shown = Findings()
        self._is_asking = False
        self._drawing = threading.RLock()
        self.figures = WaveFigures()
        self.ask_button = widgets.Button(description="Refresh", tooltip="Reads again, and changes nothing")
        self.ask_button.add_class("cint-ask")
        self.ask_button.on_click(lambda _: run_in_thread(self._ask_again))
        parts = (self._steps, self._changed_part, self._content, self._figures_part, self._warnings, self._next)
        super().__init__("wave-panel", wave.client.mode, title or wave.name, parts)
        self.set_buttons(self.ask_button)
        self.refresh()
        self._forget = after_each_cell(lambda: self._show(self._newest_known))

    def refresh(self) -> WaveView:
        """Read the state from the exchange once, for at most two seconds, and the journal; nothing is changed."""
        return self._show(self._wave.look)

    def _show(self, look: Callable[[], KnownState]) -> WaveView:
        try:
            known = look()
            findings = self._findings()
            plan = None if self._wave.kind is None else self._wave.plan
            blocked = len(findings.blocking)
            entries, ids = self._entries(), self._wave.id_count
            started = self._started_upload()
            stand = wave_progress(entries, plan=plan, ids=ids, blocked=blocked, known=known, started=started)
        except JournalError:
            if not self._journal.is_closed:
                raise
            self._stop_refreshing()
            return self
        with self._drawing:
            self._known, self._findings_shown = known, findings
            state = None if known is None else known.state
            people = None if self._wave.id_count is None else self._wave.respondents
            ref = self._wave.target_group
            approval = None if ref is None else self._wave.client.spend_guard.last_approval(ref)
            approved = None if approval is None else Money.parse(approval.payload.budget)
            self.changed = changed_elsewhere(entries, state, approval, unrecorded=unrecorded_fields(self._wave.client))
            self.figures = known_figures(people, entries, state, self.figures, approved)
            self.value = stand
            self._draw(self._details(entries))
            self._show_inside(stand, findings)
        return self

    def _details(self, entries: Sequence[JournalEntry[Payload]]) -> dict[WaveStep, str]:
        details = step_details(entries, self.figures, self._known, self._findings_shown)
        deadlines = self.value.deadlines
        if deadlines is not None and self.value.state is not StepState.DONE:
            first, final = (f"{each.day} {each:%b}" for each in deadlines)
            details[WaveStep.RECONCILE] = f"open until {first}" if first == final else f"open until {first}–{final}"
        return details

    def _draw(self, details: Mapping[WaveStep, str]) -> None:
        stand = self.value
        self._show_aside("" if stand.is_unseen else stand.as_of_text)
        if self.changed is not None and stand.state in (StepState.NOW, StepState.RUNNING):
            details = {**details, stand.step: "changed elsewhere"}
        set_html(self._steps, render_steps(stand, details, is_fresh=self._wave.kind is PlanKind.FRESH))
        set_html(self._changed_part, render_changed(self.changed))
        set_html(self._figures_part, self._render_figures())
        notes = [stand.as_of_text] if stand.is_unseen else []
        set_html(self._warnings, render_warnings([*notes, *self.figures.warnings, *self._wave.warnings]))
        set_html(self._next, render_next(stand))
        blocked = stand.state is StepState.FAILED and bool(self._findings_shown.blocking)
        self.ask_button.description = "Ask again" if stand.is_unseen else "Check again" if blocked else "Refresh"

    def _render_figures(self) -> str:
        state = self._known.state if self._known else None
        line = ""
        if state is not None and state.state in _STATE_SIGNS:
            css, sign = _STATE_SIGNS[state.state]
            run = state.run
            end = run.end_fielding_at if run else None
            word = "ended" if state.has_ended else "planned end" if state.state is GroupState.COMPLETED else "ends"
            soft = [f"{word} {format_moment(end)} UTC"] if end else []
            line = (
                f'<div class="cint-row">{state_html(css, sign, str(state.state))}'
                f'<span class="cint-n">{escape(reached_text(self.figures))}</span>'
                f'<span class="cint-soft cint-small">{escape(" · ".join(soft))}</span></div>'
            )
        columns = render_funnel(self.figures) + render_budget(self.figures)
        both = f'<div class="wv-cols">{columns}</div>' if columns else ""
        return f'<div class="wv-body">{line}{both}</div>' if line or both else ""

    def _ask_again(self) -> None:
        """Read state and figures again, beside the cells; nothing is changed."""
        if self._is_asking:
            return
        self._is_asking = True
        self.ask_button.disabled = True
        try:
            self._show_error(None)
            self.refresh()
            self._read_figures()
        except Exception as error:  # noqa: BLE001  # whatever a read raises belongs in the panel, not on a thread
            if self.comm is not None:
                self._show_error(error)
        finally:
            self._is_asking = False
            self.ask_button.disabled = False

    def _ask_figures(self) -> None:
        try:
            self._read_figures()
        except CintError as error:
            self._show_error(error)

    def _read_figures(self) -> None:
        """Read what only the status shows, of a wave that was launched and can be read now."""
        known, stand = self._known, self.value
        if known is None or not known.is_current or known.state is None or known.state.state not in _WITH_STATUS:
            return
        with deliver_warnings(show=False):  # the panel shows them; on this thread nobody sees Python's
            frame = self._wave.status()
        with self._drawing:
            if self.value is stand and self.comm is not None:
                now = self._wave.client.clock.now()
                self.figures = figures_with_status(self.figures, frame.to_dict("records")[0], now)
                self._draw(self._details(self._entries()))

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

    def _started_upload(self) -> JobHandle | None:
        """Return the newest upload of as many ids as the list has that any call began; None once they were removed."""
        group = self._wave.target_group
        if group is None:
            return None
        key = WaveKey(self._wave.client.scope, group.project_id, group.target_group_id)
        for entry in reversed(self._journal.entries()):
            handle = entry.payload.handle if isinstance(entry.payload, StartedJobPayload) else None
            if entry.key != key or handle is None:
                continue
            if handle.kind not in UPLOAD_KINDS:
                return None
            if handle.id_count == self._wave.id_count:
                return handle
        return None

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
        for old in self._content.children:
            old.close()
        self._content.children = tuple(inside)

    def _newest_known(self) -> KnownState:
        """Return what a cell has read since; what is shown where it has read and done nothing."""
        shown, newest = self._known, self._wave.last_known
        if shown is None or not shown.is_current or (newest.state and newest.state.read_at > shown.looked_at):
            return newest
        return newest if any(entry.at > shown.looked_at for entry in self._entries()) else shown

    def _stop_refreshing(self) -> None:
        forget, self._forget = self._forget, None
        if forget is not None:
            forget()

    def display(self) -> None:
        """Show the panel; where it was shown before, with the state as it is now."""
        if self._is_displayed:
            self.refresh()
        self._is_displayed = True
        super().display()
        if self._known is not None and self._known.state is not None and self._known.state.state in _WITH_STATUS:
            run_in_thread(self._ask_figures)

    def to_card(self) -> Card:
        """Return the wave as a still picture: where it stands, its people, its budget, and the next line."""
        stand = self.value
        if stand is None:
            return Card(self._title, [Say("the client is closed")], self.mode)
        states = {
            StepState.DONE: "good", StepState.FAILED: "bad", StepState.LATER: "calm"
        }  # fmt: skip
        step = (states.get(stand.state, "busy"), _SIGNS[stand.state] or "·", f"{stand.step}: {stand.state}")
        reached = reached_text(self.figures)
        blocks: list[Block] = [Say(reached, state=step)]
        blocks += findings_blocks(self._findings_shown) if stand.step in (WaveStep.CHECK, WaveStep.CREATE) else []
        people = [(name, f"{number:,}", remark) for name, number, remark in self.figures.stages()]
        money = [(name, value, "") for _, name, value in budget_rows(self.figures)]
        if money:
            money[0] = (money[0][0], money[0][1], self.figures.currency or "")
        blocks += [Facts(people)] if people else []
        blocks += [Facts(money)] if money else []
        if self.changed is not None:
            blocks.append(Note("warn", "≠", f"Changed elsewhere. {changed_text(self.changed)[1]}"))
            blocks.append(Say(f"`{self.changed.code}`" if self.changed.code else None, self.changed.advice))
        blocks += [Note("warn", "▲", text) for text in (*self.figures.warnings, *self._wave.warnings)]
        blocks.append(Say(f"Next: `{stand.code}`" if stand.code else None, stand.explanation))
        return Card(self._title, blocks, self.mode)

    def to_static_html(self) -> str:
        """Return the wave as a still picture."""
        return self.to_card().html()

    def to_text(self) -> str:
        """Return the repr, and the wave as text."""
        return "\n".join([repr(self), *self.to_card().text().splitlines()[1:]])

    def summary(self) -> list[str]:
        """Return the wave, the step it stands at and the next line."""
        if self.value is None:
            return [self._title]
        warnings = [f"warning: {text}" for text in self._wave.warnings]
        return [
            bit for bit in (self._title, f"{self.value.step}: {self.value.state}", self.value.code, *warnings) if bit
        ]


_WITH_STATUS = (GroupState.LIVE, GroupState.PAUSED, GroupState.COMPLETED)
"""States in which a target group has figures."""


def step_details(
    entries: Sequence[JournalEntry[Payload]], figures: WaveFigures, known: KnownState | None, findings: Findings
) -> dict[WaveStep, str]:
    """Return what came of each step, in a few words; nothing where nothing is known.

    Args:
        entries: What the journal holds of the wave, oldest first.
        figures: Its counts.
        known: What is known of its target group.
        findings: What the last check found.
    """
    last = {entry.step: entry for entry in entries if entry.state is EntryState.DONE}
    found = [text for text in counts(findings) if "note" not in text]
    details = {WaveStep.CHECK: ", ".join(found) or "clear"}
    for step, name in ((WaveStep.CREATE, "draft"), (WaveStep.LAUNCH, "launch"), (WaveStep.CLOSE, "close")):
        if name in last:
            details[step] = format_moment(last[name].at)
    if "reconcile" in last:
        details[WaveStep.RECONCILE] = format_moment(last["reconcile"].at)
    if figures.saved is not None:
        details[WaveStep.UPLOAD] = f"{figures.saved:,} saved"
    if figures.rejected is not None:
        details[WaveStep.OUTCOME] = f"{figures.rejected:,} rejected" if figures.rejected else "all saved"
    run = known.state.run if known and known.state else None
    if run is not None and run.start_fielding_at and run.end_fielding_at and known is not None:
        details[WaveStep.LAUNCH] = format_moment(run.start_fielding_at)
        days = max((run.end_fielding_at - run.start_fielding_at).days, 1)
        day = (known.looked_at - run.start_fielding_at).days + 1
        details[WaveStep.FIELD] = f"day {min(max(day, 1), days)} of {days}" if day > 0 else "begins later"
    return details
