"""Where a wave stands and what comes next: by the exchange's state and the journal's details; no widget, no request.

The exchange says whether the wave is a draft, in the field or ended. The journal knows what a state does not show:
which uploads and resubmissions were sent, and the jobs to follow. Where the exchange could not be asked, what was last
known is shown with its time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import TypeAlias

from cint_nb.domain.jobs import JobHandle, JobSnapshot, JobState
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.domain.reconciliation.deadlines import format_deadline, is_expired, reconciliation_deadline
from cint_nb.panels.look.text_format import format_count, format_moment
from cint_nb.wave.budget import worst_case_cost
from cint_nb.wave.exchange.state import NOT_ASKED, ExchangeState, GroupState, KnownState
from cint_nb.wave.journal.journal import EntryState, JournalEntry
from cint_nb.wave.journal.payloads import JobPayload, Payload

_Last: TypeAlias = dict[tuple[str, str], JournalEntry[Payload]]
"""The last entry of each step and batch."""
_CHANGE_THE_STATE = ("launch", "pause", "resume", "close")
"""Steps after which the exchange shows another state than before."""
_LIVE = "shows completes, cost and who came back"
_PAUSED = "the wave is paused; this line lets people in again"
_CLOSED = "the wave is closed: nobody enters any more"
_RECONCILE_CODE = 'wave.reconcile(rejects, reason="…", dry_run=True).effect()'


class WaveStep(StrEnum):
    """The steps of a wave in their order."""

    CHECK = "check"
    CREATE = "create"
    UPLOAD = "upload"
    OUTCOME = "outcome"
    LAUNCH = "launch"
    FIELD = "field"
    CLOSE = "close"
    RECONCILE = "reconcile"


class StepState(StrEnum):
    """How a step stands."""

    DONE = "done"
    NOW = "now"
    RUNNING = "running"
    FAILED = "failed"
    LATER = "later"


@dataclass(frozen=True)
class WaveProgress:
    """Where a wave stands.

    Args:
        step: The step it stands at.
        state: How that step stands.
        code: The line to run next; None when nothing is left to do.
        explanation: What the line does, or why it is needed.
        job: The job that runs, or ran last, of this step.
        last_snapshot: The last look at it.
        as_of: When this was so; None if nothing is known yet.
        is_current: Whether the exchange said so now.
        reason: Why it could not be asked now.
        deadlines: Until when the first and the last complete of a closed wave can be reconciled; None if not known.
    """

    step: WaveStep
    state: StepState
    code: str | None
    explanation: str
    job: JobHandle | None = None
    last_snapshot: JobSnapshot | None = None
    as_of: datetime | None = None
    is_current: bool = False
    reason: str | None = None
    deadlines: tuple[datetime, datetime] | None = None

    @property
    def is_unseen(self) -> bool:
        """Whether the exchange was asked and did not say, so that this is only what was last known."""
        return self.reason not in (None, NOT_ASKED) and not self.is_current

    @property
    def as_of_text(self) -> str:
        """In a sentence, when this was so, and how it is known."""
        if self.as_of is None:
            return f"The state was not read: {self.reason}." if self.is_unseen else ""
        moment = f"{format_moment(self.as_of, seconds=True)} UTC"
        if self.reason == NOT_ASKED:
            return f"as of {moment}"
        if self.is_current:
            return f"read from the exchange {moment}"
        return f"Last known, {moment}{f': {self.reason}' if self.reason else ''}."

    def step_states(self) -> list[tuple[WaveStep, StepState]]:
        """Return how each step stands, in order."""
        order = list(WaveStep)
        here = order.index(self.step)
        return [
            (stage, StepState.DONE if place < here else self.state if place == here else StepState.LATER)
            for place, stage in enumerate(order)
        ]


def wave_progress(
    entries: Sequence[JournalEntry[Payload]],
    *,
    plan: TargetGroupPlan | None,
    ids: int | None,
    blocked: int = 0,
    known: KnownState | None = None,
    started: JobHandle | None = None,
) -> WaveProgress:
    """Return where a wave stands.

    Args:
        entries: What the journal holds of the wave, oldest first.
        plan: Its plan, for the line that launches it; None for a wave that was opened to be read.
        ids: How many respondents it recontacts; None for new people.
        blocked: How many findings stop the next step.
        known: What is known of its target group's state; None if the exchange was never asked.
        started: An upload to its target group that another call of the client began; None if there was none.
    """
    stand = _stand(entries, plan, ids, blocked, known)
    if started is None or stand.step is not WaveStep.UPLOAD or stand.state is not StepState.NOW:
        return stand
    said = (
        "a call of the client itself has begun an upload to this target group; this line follows it, and sends "
        "nothing unless it failed"
    )
    return replace(stand, explanation=said, job=started)  # the panel of the job says how it stands


def _stand(
    entries: Sequence[JournalEntry[Payload]],
    plan: TargetGroupPlan | None,
    ids: int | None,
    blocked: int,
    known: KnownState | None,
) -> WaveProgress:
    """Return where a wave stands by its own entries and the state of its target group."""
    done = [entry.number for entry in entries if entry.step == "remove" and entry.state is EntryState.DONE]
    removed = max(done, default=0)
    last = {(entry.step, entry.batch): entry for entry in entries if entry.step != "upload" or entry.number > removed}
    state, reason = (None, None) if known is None else (known.state, known.reason)
    if known is not None and known.is_current and state is None:  # there is no target group
        return replace(_journal_progress(last, plan, ids, blocked), as_of=known.looked_at, is_current=True)
    if state is None or state.state is GroupState.NOT_KNOWN or (reason and _is_changed_since(state, entries)):
        written = max((entry.at for entry in entries), default=None)
        return replace(_journal_progress(last, plan, ids, blocked), as_of=written, reason=reason)
    progress = _state_progress(state, last, plan, ids, blocked)
    return replace(progress, as_of=state.read_at, is_current=reason is None, reason=reason)


def _is_changed_since(state: ExchangeState, entries: Sequence[JournalEntry[Payload]]) -> bool:
    """Return whether something that changes the state was written into the journal after the state was read."""
    return any(entry.at > state.read_at for entry in entries if entry.step in _CHANGE_THE_STATE)


def _state_progress(
    state: ExchangeState,
    last: _Last,
    plan: TargetGroupPlan | None,
    ids: int | None,
    blocked: int,
) -> WaveProgress:
    """Return where a wave stands whose state is known."""
    match state.state:
        case GroupState.DRAFT:
            # What says that it was launched, paused or closed is about another time, or was undone by a restored copy.
            begun = {
                key: entry
                for key, entry in last.items()
                if key[0] not in _CHANGE_THE_STATE or (key[0] == "launch" and entry.state is not EntryState.DONE)
            }
            return _journal_progress(begun, plan, ids, blocked)
        case GroupState.MISSING:
            said = "the exchange no longer has this wave's target group; this line says more"
            return WaveProgress(WaveStep.CREATE, StepState.FAILED, "wave.create()", said)
        case GroupState.PAUSED:
            return WaveProgress(WaveStep.FIELD, StepState.NOW, "wave.resume()", _PAUSED)
        case GroupState.LIVE:
            return WaveProgress(WaveStep.FIELD, StepState.NOW, "wave.status()", _LIVE)
        case GroupState.SCHEDULED:
            said = f"the wave is scheduled and begins by itself; this line {_LIVE}"
            return WaveProgress(WaveStep.FIELD, StepState.NOW, "wave.status()", said)
        case GroupState.COMPLETED:
            advice = state.advice()
            said = f"{_CLOSED}{f'; {advice}' if advice and not state.has_ended else ''}"
            return _reconciliation_progress(said, last, state)
        case GroupState.ARCHIVED:
            return WaveProgress(WaveStep.CLOSE, StepState.DONE, None, "the target group is archived: nobody enters")
    raise AssertionError(f"no step for a target group that is {state.state}")


def _journal_progress(last: _Last, plan: TargetGroupPlan | None, ids: int | None, blocked: int) -> WaveProgress:
    """Return where a wave stands by its journal."""
    if _state(last, "close") is EntryState.DONE:
        return _reconciliation_progress(_CLOSED, last)
    if _state(last, "launch") is EntryState.DONE:
        return _fielding_progress(last)
    if plan is None:
        said = "shows where the wave stands; it was opened without a plan, to be read, paused and closed"
        return WaveProgress(WaveStep.FIELD, StepState.NOW, "wave.status()", said)
    if (entry := last.get(("launch", ""))) is not None:
        return _job_progress(WaveStep.LAUNCH, entry, _launch_code(plan, ids), "the launch")
    uploads = [entry for (step, _), entry in last.items() if step == "upload"]
    if uploads:
        return _after_upload(uploads, plan, ids, blocked)
    if not plan.is_recontact and _state(last, "draft") is EntryState.DONE:
        return _before_launch(plan, ids, blocked)
    return _before_upload(last, ids or 0, blocked)


def _reconciliation_progress(closed: str, last: _Last, state: ExchangeState | None = None) -> WaveProgress:
    """Return where a closed wave stands: its completes can be accepted or rejected until their deadlines."""
    deadlines = None if state is None else reconciliation_deadlines(last, state)
    if deadlines is not None and state is not None and is_expired(deadlines[1], state.read_at):
        said = f"{closed}; its completes can be reconciled no longer since {format_deadline(deadlines[1])}"
        return WaveProgress(WaveStep.RECONCILE, StepState.DONE, None, said, deadlines=deadlines)
    if _state(last, "reconcile") is EntryState.DONE:
        said = f"{closed}; a reconciliation was handed in, and another list can be"
        return WaveProgress(WaveStep.RECONCILE, StepState.DONE, None, said, deadlines=deadlines)
    by = ""
    if deadlines is not None:
        days = [format_deadline(each) for each in dict.fromkeys(deadlines)]
        by = (
            f" until {days[0]}"
            if len(days) == 1
            else f" until {days[0]} for the first completes, {days[1]} for the last"
        )
    said = f"{closed}. Completes you do not accept can be handed in{by}; this line shows what that would change"
    return WaveProgress(WaveStep.RECONCILE, StepState.NOW, _RECONCILE_CODE, said, deadlines=deadlines)


def reconciliation_deadlines(last: _Last, state: ExchangeState) -> tuple[datetime, datetime] | None:
    """Return until when the first and the last complete can be reconciled, by when people could come.

    No complete is earlier than the start of the run, and none later than its end or its closing.

    Args:
        last: The last entry of each step.
        state: The state of the target group.
    """
    run = state.run
    if run is None or run.start_fielding_at is None:
        return None
    close = last.get(("close", ""))
    stopped = run.last_changed_at  # each change of a completed run is after its last complete
    if stopped is None and close is not None and close.state is EntryState.DONE:
        stopped = close.at
    ends = (run.end_fielding_at if state.has_ended else None, stopped)
    known = [end for end in ends if end is not None and end >= run.start_fielding_at]
    if not known:
        return None
    return reconciliation_deadline(run.start_fielding_at), reconciliation_deadline(min(known))


def _state(last: _Last, step: str) -> EntryState | None:
    entry = last.get((step, ""))
    return None if entry is None else entry.state


def _fielding_progress(last: _Last) -> WaveProgress:
    paused, resumed = (entry.number if (entry := last.get((step, ""))) else 0 for step in ("pause", "resume"))
    if paused > resumed:
        return WaveProgress(WaveStep.FIELD, StepState.NOW, "wave.resume()", _PAUSED)
    return WaveProgress(WaveStep.FIELD, StepState.NOW, "wave.status()", _LIVE)


def _before_upload(last: _Last, ids: int, blocked: int) -> WaveProgress:
    if blocked:
        said = f"{format_count(blocked, 'finding')} must be fixed first: correct the list or the plan, then check again"
        created = _state(last, "draft") is EntryState.DONE
        return WaveProgress(WaveStep.UPLOAD if created else WaveStep.CHECK, StepState.FAILED, "wave.check()", said)
    match _state(last, "draft"):
        case EntryState.DONE:
            said = f"sends {format_count(ids, 'id')} and watches the job"
            return WaveProgress(WaveStep.UPLOAD, StepState.NOW, "wave.upload()", said)
        case None:
            said = "makes the project and a draft; nothing is live yet"
            return WaveProgress(WaveStep.CREATE, StepState.NOW, "wave.create()", said)
        case _:
            said = "it was interrupted; this line looks before it sends again"
            return WaveProgress(WaveStep.CREATE, StepState.RUNNING, "wave.create()", said)


def _after_upload(
    uploads: Sequence[JournalEntry[Payload]], plan: TargetGroupPlan, ids: int | None, blocked: int
) -> WaveProgress:
    newest = uploads[-1]
    again = newest.batch != "0"
    line = "wave.resubmit()" if again else "wave.upload()"
    if newest.state is not EntryState.DONE:
        return _job_progress(WaveStep.OUTCOME if again else WaveStep.UPLOAD, newest, line, "the upload")
    seen = _parse_snapshot(newest)
    if seen is not None and seen.state is JobState.PARTIAL and not again:
        said = "some ids were not saved: wave.outcome names them, this line sends only those again"
        return WaveProgress(WaveStep.OUTCOME, StepState.NOW, "wave.resubmit()", said, _parse_handle(newest), seen)
    return _before_launch(plan, ids, blocked)


def _before_launch(plan: TargetGroupPlan, ids: int | None, blocked: int) -> WaveProgress:
    if blocked:
        said = f"{format_count(blocked, 'finding')} must be fixed before launch"
        return WaveProgress(WaveStep.LAUNCH, StepState.FAILED, 'wave.check("launch", ask=True)', said)
    return WaveProgress(
        WaveStep.LAUNCH, StepState.NOW, _launch_code(plan, ids), "makes the target group live: from here it costs money"
    )


def _job_progress(stage: WaveStep, entry: JournalEntry[Payload], line: str, what: str) -> WaveProgress:
    handle, seen = _parse_handle(entry), _parse_snapshot(entry)
    if entry.state is EntryState.FAILED:
        return WaveProgress(stage, StepState.FAILED, line, f"{what} failed; this line starts a new one", handle, seen)
    if handle is None:
        said = f"it is not known whether {what} was received; this line looks before it sends again"
        return WaveProgress(stage, StepState.RUNNING, line, said)
    return WaveProgress(
        stage, StepState.RUNNING, line, f"{what} runs at the exchange; this line waits for it", handle, seen
    )


def _parse_handle(entry: JournalEntry[Payload]) -> JobHandle | None:
    return entry.payload.handle if isinstance(entry.payload, JobPayload) else None


def _parse_snapshot(entry: JournalEntry[Payload]) -> JobSnapshot | None:
    return entry.payload.snapshot if isinstance(entry.payload, JobPayload) else None


def _launch_code(plan: TargetGroupPlan, ids: int | None) -> str:
    worst = worst_case_cost(plan, ids)
    if worst is None:
        return 'wave.launch(budget="…")'
    return f'wave.launch(budget="{worst.value.quantize(Decimal(1), rounding=ROUND_CEILING)} {worst.currency_code}")'
