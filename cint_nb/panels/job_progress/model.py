"""What a progress panel says of a job, without any widget: words, bar and facts of one snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cint_nb.domain.jobs import JobKind, JobSnapshot, JobState
from cint_nb.panels.look.text_format import format_count, format_duration, format_duration_range, format_percent

OVERDUE_SECONDS = 30.0
"""A look that is due may take a while; after this it is late, and as often a panel says so anew."""


class WatchPhase(StrEnum):
    """Whether someone looks at the job: nobody yet, someone now, nobody any more."""

    WAITING = "waiting"
    WATCHED = "watched"
    STOPPED = "stopped"


_TITLES = {
    JobKind.UPLOAD: "Upload",
    JobKind.UPLOAD_RSIDS: "Upload",
    JobKind.REMOVAL: "Removal of all recontacts",
    JobKind.LAUNCH: "Launch",
    JobKind.SCHEDULE: "Scheduled launch",
    JobKind.EXCLUSION_UPLOAD: "Upload of exclusions",
    JobKind.EXCLUSION_REMOVAL: "Removal of exclusions",
    JobKind.REPORT: "Report",
    JobKind.RECONCILIATION: "Reconciliation",
}
_STATES = {
    JobState.RUNNING: ("busy", "▶", "running"),
    JobState.DONE: ("good", "✔", "done"),
    JobState.PARTIAL: ("part", "◐", "partly done"),
    JobState.FAILED: ("bad", "✖", "failed"),
}
_BEFORE_FIRST_POLL = {
    WatchPhase.WAITING: ("calm", "…", "waiting", "no look at the job yet"),
    WatchPhase.WATCHED: ("busy", "▶", "starting", "the first look comes soon"),
    WatchPhase.STOPPED: ("calm", "‖", "ended", "before the first look at the job"),
}


@dataclass(frozen=True)
class JobDisplay:
    """Everything the panel shows of one moment.

    Args:
        css: Colour of the state: busy, good, part, bad or calm.
        icon: One character that stands for the state.
        word: The state in words.
        detail: What was counted, such as `4,300 of 10,000 ids saved`; None when nothing was.
        bar: The bar in words, such as `35–52 % · estimated`.
        low: Share of the bar that is certain, 0–1.
        high: Share of the bar that may be done, 0–1.
        facts: Elapsed, left, last and next look.
        next_poll_in: Seconds until the next look, None when none is awaited or its moment has passed.
        exchange_message: What the exchange wrote, word for word; None when it wrote nothing.
        advice: The next thing to do; None when there is none.
        warnings: What was not as documented.
    """

    css: str
    icon: str
    word: str
    detail: str | None
    bar: str
    low: float = 0.0
    high: float = 0.0
    facts: tuple[str, ...] = ()
    next_poll_in: float | None = None
    exchange_message: str | None = None
    advice: str | None = None
    warnings: tuple[str, ...] = ()


def job_title(snapshot: JobSnapshot) -> str:
    """Return a heading for the job, such as `Upload of 10,000 ids`."""
    kind = snapshot.handle.kind
    title = _TITLES.get(kind) or str(kind).replace("-", " ").capitalize()
    ids = snapshot.id_count or snapshot.handle.id_count
    return f"{title} of {format_count(ids, 'id')}" if ids and title.startswith("Upload") else title


def describe(
    snapshot: JobSnapshot | None,
    *,
    phase: WatchPhase = WatchPhase.WATCHED,
    since_poll: float = 0.0,
    next_poll_in: float | None = None,
    resume: str | None = None,
    will_continue: bool = False,
    note: str | None = None,
) -> JobDisplay:
    """Put one snapshot into words.

    Args:
        snapshot: The last look, None before the first.
        phase: Whether someone looks at the job.
        since_poll: Seconds since the last look, 0 when unknown.
        next_poll_in: Seconds until the next look, below 0 once its moment has passed, None when none is awaited.
        resume: What to do to follow the job again, shown when nobody follows it any more.
        will_continue: Whether a job is known to be there, though nobody looked at it yet.
        note: What is waited for before the first look.
    """
    if snapshot is None and note is not None:
        css, icon, word = ("calm", "‖", "checked") if phase is WatchPhase.STOPPED else ("busy", "▶", "checking")
        return JobDisplay(css, icon, word, detail=note, bar="0 %")
    if snapshot is None:
        css, icon, word, detail = _BEFORE_FIRST_POLL[phase]
        if will_continue and phase is WatchPhase.STOPPED:
            word, detail = "not watched", "the job continues on the exchange; not polled yet"
        return JobDisplay(
            css, icon, word, detail=detail, bar="0 %", advice=resume if phase is WatchPhase.STOPPED else None
        )
    css, icon, word = _STATES[snapshot.state]
    stopped = not snapshot.is_final and phase is WatchPhase.STOPPED
    if stopped:
        css, icon, word = "calm", "‖", "not watched"
    if snapshot.is_final or phase is not WatchPhase.WATCHED:
        next_poll_in = None
    low, high = progress_bounds(snapshot)
    return JobDisplay(
        css,
        icon,
        word,
        detail=_detail(snapshot, stopped),
        low=low,
        high=high,
        bar=_bar(snapshot, low, high),
        facts=_facts(snapshot, next_poll_in, since_poll),
        next_poll_in=next_poll_in if next_poll_in is not None and next_poll_in > 0 else None,
        exchange_message=snapshot.failure_message or snapshot.partial_message or None,
        advice=resume if stopped else _advice(snapshot),
        warnings=snapshot.warnings,
    )


def progress_bounds(snapshot: JobSnapshot) -> tuple[float, float]:
    """Return the share done as low and high bound, 0–1 each; a job that ended well or partly is all of the bar."""
    if snapshot.state in (JobState.DONE, JobState.PARTIAL):
        return 1.0, 1.0
    low, high = sorted(max(0.0, min(1.0, bound)) for bound in snapshot.fraction)
    return (low, low) if snapshot.state is JobState.FAILED else (low, high)


def new_id_count(snapshot: JobSnapshot) -> int | None:
    """Return how many ids the job has added, or removed for a removal; None when not counted."""
    if snapshot.saved_count is None:
        return None
    if snapshot.saved_count_before is None:
        return snapshot.saved_count
    return abs(snapshot.saved_count - snapshot.saved_count_before)


def _detail(snapshot: JobSnapshot, stopped: bool) -> str | None:
    bits = ["the job continues on the exchange"] if stopped else []
    ids = snapshot.id_count or snapshot.handle.id_count
    new = new_id_count(snapshot)
    verb = "removed" if snapshot.handle.kind in (JobKind.REMOVAL, JobKind.EXCLUSION_REMOVAL) else "saved"
    if new is not None:
        bits.append(
            f"{new:,} of {format_count(ids, 'id')} {verb}"
            if ids and new <= ids
            else f"{format_count(new, 'id')} {verb}"
        )
        if snapshot.saved_count_before and verb == "saved" and snapshot.saved_count is not None:
            bits.append(f"{snapshot.saved_count:,} in the target group")
    elif ids and snapshot.state is JobState.DONE:
        bits.append(f"{format_count(ids, 'id')} sent")
    return ", ".join(bits) or None


def _bar(snapshot: JobSnapshot, low: float, high: float) -> str:
    if snapshot.state is JobState.DONE:
        return "100 % · complete"
    if snapshot.state is JobState.PARTIAL:
        return "100 % · partial success"
    if snapshot.state is JobState.FAILED:
        return "did not end well"
    return f"{format_percent(low, high)} · {'measured' if snapshot.is_measured else 'estimated'}"


def _facts(snapshot: JobSnapshot, ahead: float | None, since_look: float) -> tuple[str, ...]:
    elapsed = snapshot.elapsed_seconds + (0.0 if snapshot.is_final else max(since_look, 0.0))
    facts = [f"took {format_duration(elapsed)}" if snapshot.is_final else f"{format_duration(elapsed)} elapsed"]
    if snapshot.seconds_left is not None and not snapshot.is_final:
        low, high = (max(bound - since_look, 0.0) for bound in snapshot.seconds_left)
        facts.append(f"{format_duration_range(low, high)} left" if high >= 1 else "longer than usual")
    looks = format_count(snapshot.polls, "look")
    if snapshot.is_final:
        facts.append(looks)
        return tuple(facts)
    ago = f"the last {format_duration(since_look)} ago" if since_look >= 1 else None
    facts.append(", ".join(bit for bit in (looks, ago, _next_poll_text(ahead)) if bit))
    return tuple(facts)


def _next_poll_text(ahead: float | None) -> str | None:
    if ahead is None:
        return None
    if ahead >= 1:
        return f"the next in {format_duration(ahead)}"
    return "the next is late" if ahead <= -OVERDUE_SECONDS else "the next is due"


def _advice(snapshot: JobSnapshot) -> str | None:
    if snapshot.state is JobState.PARTIAL:
        return "wave.outcome names the rejected ids; wave.resubmit() sends only those again."
    if snapshot.state is JobState.FAILED:
        known = [snapshot.failure_code and f"code {snapshot.failure_code}"]
        known.append(snapshot.trace_id and f"trace id {snapshot.trace_id}")
        known.append(snapshot.request_id and f"request id {snapshot.request_id}")
        references = ", ".join(bit for bit in known if bit)
        support = f" If it recurs, give Cint support {references}." if references else ""
        return f"Fix the cause and run the line again; IDs saved earlier are kept.{support}"
    return None


def summary_text(
    snapshot: JobSnapshot | None, *, phase: WatchPhase = WatchPhase.WATCHED, note: str | None = None
) -> list[str]:
    """Return the state in words that do not change from run to run: counts only once the job has ended."""
    if snapshot is None and note is not None:
        return [note]
    if snapshot is None:
        return [str(phase)] if phase is not WatchPhase.WATCHED else ["running"]
    text = describe(snapshot, phase=phase)
    warnings = [f"warning: {warning}" for warning in text.warnings]
    return [bit for bit in (text.word, text.detail, *warnings) if bit] if snapshot.is_final else [text.word, *warnings]
