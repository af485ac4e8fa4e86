"""What a progress panel says of a job, without any widget: words, bar and facts of one snapshot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from enum import StrEnum
from operator import attrgetter

from cint_nb.domain.jobs import JobHandle, JobKind, JobSnapshot, JobState
from cint_nb.domain.limits import POLL_MAX_SECONDS
from cint_nb.panels.look.text_format import format_count, format_duration, format_duration_range, format_percent

GRACE_SECONDS = 10.0
"""A poll that is due may take a while; after so many real seconds the browser says that there is no news."""
QUIET_SECONDS = POLL_MAX_SECONDS
"""So long, by the job's clock, polls that find nothing new need not be drawn; two polls may lie as far apart."""
_MOVING = {"elapsed_seconds", "fraction", "seconds_left", "polls", "next_poll_seconds", "request_id", "trace_id"}
"""What differs from poll to poll, or can be foreseen."""
_still = attrgetter(*(name for name in JobSnapshot.model_fields if name not in _MOVING))
_ALMOST_DONE = 0.99


class WatchPhase(StrEnum):
    """Whether someone polls the job: nobody yet, someone now, nobody any more."""

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
_UPLOAD_WORDS = ("uploading", "saved", "partly saved")
_REMOVAL_WORDS = ("removing", "removed", "partly removed")
_WORDS = {
    JobKind.UPLOAD: _UPLOAD_WORDS,
    JobKind.UPLOAD_RSIDS: _UPLOAD_WORDS,
    JobKind.EXCLUSION_UPLOAD: _UPLOAD_WORDS,
    JobKind.REMOVAL: _REMOVAL_WORDS,
    JobKind.EXCLUSION_REMOVAL: _REMOVAL_WORDS,
    JobKind.LAUNCH: ("launching", "launched", "partly launched"),
    JobKind.SCHEDULE: ("scheduling", "scheduled", "partly scheduled"),
    JobKind.REPORT: ("preparing", "ready", "partly ready"),
}
"""What a state is called while the job runs, once it is done, and where it was done in part: by what it does."""
_SIGNS = {
    JobState.RUNNING: ("busy", "▶"),
    JobState.DONE: ("good", "✓"),
    JobState.PARTIAL: ("warn", "◐"),
    JobState.FAILED: ("bad", "✕"),
}
_BEFORE_FIRST_POLL = {
    WatchPhase.WAITING: ("calm", "…", "waiting", "not polled yet"),
    WatchPhase.WATCHED: ("busy", "▶", "starting", "the first poll comes soon"),
    WatchPhase.STOPPED: ("calm", "■", "ended", "before the first poll of the job"),
}
_RESUBMISSION = re.compile(r"\.b0*[1-9]\d*\.c\d+\.csv$")
"""The end of an upload's name where it sends ids again."""


def state_words(snapshot: JobSnapshot) -> tuple[str, str, str]:
    """Return colour, sign and word of a job's state, named by what the job does."""
    running, done, partial = _WORDS.get(snapshot.handle.kind, ("running", "done", "partly done"))
    words = {JobState.RUNNING: running, JobState.DONE: done, JobState.PARTIAL: partial, JobState.FAILED: "failed"}
    return (*_SIGNS[snapshot.state], words[snapshot.state])


@dataclass(frozen=True)
class JobDisplay:
    """Everything the panel shows of one moment.

    Args:
        css: Colour of the state: busy, good, warn, bad or calm.
        icon: One character that stands for the state.
        word: The state in words.
        detail: What was counted, such as `4,300 of 10,000 ids saved`; None when nothing was.
        bar: The bar in words, such as `35–52 % estimated`.
        low: Share of the bar that is certain, 0–1.
        high: Share of the bar that may be done, 0–1.
        is_measured: Whether the bar was counted.
        rejected: Share of the bar that was refused, 0–1.
        elapsed: Seconds of the job up to now, at the moment of this description; None before the first poll.
        left: How long it may still take, in words.
        left_seconds: The same in seconds.
        poll: Which poll this was, and when.
        next_poll_in: Seconds until the next poll, None when none is awaited or its moment has passed.
        quiet: Seconds in which polls that find nothing new are not shown.
        growth: By how much the two shares of the bar grow in a second, as far as can be foreseen.
        facts: All of these in words.
        exchange_message: What the exchange wrote, word for word; None when it wrote nothing.
        advice: The next thing to do; None when there is none.
        code: The line that does it.
        warnings: What was not as documented.
    """

    css: str
    icon: str
    word: str
    detail: str | None
    bar: str
    low: float = 0.0
    high: float = 0.0
    is_measured: bool = True
    rejected: float = 0.0
    elapsed: float | None = None
    left: str | None = None
    left_seconds: tuple[float, float] | None = None
    poll: str | None = None
    next_poll_in: float | None = None
    quiet: float = 0.0
    growth: tuple[float, float] = (0.0, 0.0)
    facts: tuple[str, ...] = ()
    exchange_message: str | None = None
    advice: str | None = None
    code: str | None = None
    warnings: tuple[str, ...] = ()


def job_title(handle: JobHandle, id_count: int | None = None) -> str:
    """Return a heading for the job, such as `Upload of 10,000 ids`.

    Args:
        handle: The job.
        id_count: Ids it handles, as a poll said; those of the handle when left out.
    """
    kind = handle.kind
    title = _TITLES.get(kind) or str(kind).replace("-", " ").capitalize()
    ids = id_count or handle.id_count
    return f"{title} of {format_count(ids, 'id')}" if ids and title.startswith("Upload") else title


def describe(
    snapshot: JobSnapshot | None,
    *,
    phase: WatchPhase = WatchPhase.WATCHED,
    since_poll: float = 0.0,
    next_poll_in: float | None = None,
    quiet: float = 0.0,
    resume: str | None = None,
    will_continue: bool = False,
    note: str | None = None,
) -> JobDisplay:
    """Put one snapshot into words.

    Args:
        snapshot: The last poll, None before the first.
        phase: Whether someone polls the job.
        since_poll: Seconds since the last poll, 0 when unknown.
        next_poll_in: Seconds until the next poll, below 0 once its moment has passed, None when none is awaited.
        quiet: Seconds in which polls that find nothing new will not be shown.
        resume: What to do to follow the job again, shown when nobody follows it any more.
        will_continue: Whether a job is known to be there, though nobody polled it yet.
        note: What is waited for before the first poll.
    """
    if snapshot is None and note is not None:
        css, icon, word = ("calm", "■", "checked") if phase is WatchPhase.STOPPED else ("busy", "▶", "checking")
        return JobDisplay(css, icon, word, detail=note, bar="")
    if snapshot is None:
        css, icon, word, detail = _BEFORE_FIRST_POLL[phase]
        if will_continue and phase is WatchPhase.STOPPED:
            word, detail = "not watched", "the job continues on the exchange; not polled yet"
        return JobDisplay(
            css, icon, word, detail=detail, bar="", advice=resume if phase is WatchPhase.STOPPED else None
        )
    css, icon, word = state_words(snapshot)
    stopped = not snapshot.is_final and phase is WatchPhase.STOPPED
    if stopped:
        css, icon, word = "calm", "■", "not watched"
    if snapshot.is_final or phase is not WatchPhase.WATCHED:
        next_poll_in = None
    low, high = progress_bounds(snapshot)
    refused = rejected_count(snapshot)
    advice, code = _advice(snapshot, refused)
    elapsed = snapshot.elapsed_seconds + (0.0 if snapshot.is_final else max(since_poll, 0.0))
    ahead = next_poll_in if next_poll_in is not None and next_poll_in > 0 else None
    left_seconds = seconds_left(snapshot, since_poll)
    left = None if left_seconds is None else left_text(*left_seconds)
    poll = _poll_text(snapshot, stopped=stopped)
    return JobDisplay(
        css,
        icon,
        word,
        detail=_detail(snapshot, stopped),
        bar=_bar(snapshot, low, high, refused, stopped=stopped),
        low=low,
        high=high,
        is_measured=snapshot.is_measured or snapshot.is_final,
        rejected=1.0 - low if snapshot.state is JobState.PARTIAL and refused else 0.0,
        elapsed=elapsed,
        left=left,
        left_seconds=left_seconds,
        poll=poll,
        next_poll_in=ahead,
        quiet=quiet,
        growth=_growth(snapshot),
        facts=_facts(snapshot, elapsed, left, poll, next_poll_in, stopped=stopped),
        exchange_message=snapshot.failure_message or snapshot.partial_message or None,
        advice=resume if stopped else advice,
        code=None if stopped else code,
        warnings=snapshot.warnings,
    )


def progress_bounds(snapshot: JobSnapshot) -> tuple[float, float]:
    """Return the share done as low and high bound, 0–1 each; of a partial success the share that was saved."""
    if snapshot.state is JobState.DONE:
        return 1.0, 1.0
    if snapshot.state is JobState.PARTIAL:
        refused, ids = rejected_count(snapshot), snapshot.id_count or snapshot.handle.id_count
        share = 1.0 - refused / ids if refused is not None and ids else 1.0
        return share, share
    low, high = sorted(max(0.0, min(1.0, bound)) for bound in snapshot.fraction)
    return (low, low) if snapshot.state is JobState.FAILED else (low, high)


def rejected_count(snapshot: JobSnapshot) -> int | None:
    """Return how many ids a job that ended did not save; None where that is not known."""
    ids, new = snapshot.id_count or snapshot.handle.id_count, new_id_count(snapshot)
    if not snapshot.is_final or ids is None or new is None or new > ids or snapshot.saved_count_before is None:
        return None
    return ids - new


def is_resubmission(snapshot: JobSnapshot) -> bool:
    """Return whether a job sent ids that had been rejected before, by the name of its upload."""
    return bool(_RESUBMISSION.search(snapshot.handle.file_name or ""))


def new_id_count(snapshot: JobSnapshot) -> int | None:
    """Return how many ids the job has added, or removed for a removal; None when not counted."""
    if snapshot.saved_count is None:
        return None
    if snapshot.saved_count_before is None:
        return snapshot.saved_count
    return abs(snapshot.saved_count - snapshot.saved_count_before)


def _detail(snapshot: JobSnapshot, stopped: bool) -> str | None:
    bits = []
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
    elif ids and verb == "saved" and not snapshot.is_final:
        bits.append(f"{format_count(ids, 'id')} sent, not counted yet")
    return ", ".join([*bits, *(["the job continues on the exchange"] if stopped else [])]) or None


def _bar(snapshot: JobSnapshot, low: float, high: float, refused: int | None, *, stopped: bool) -> str:
    if snapshot.state is JobState.DONE:
        return "100 %"
    if snapshot.state is JobState.PARTIAL:
        twice = " again" if is_resubmission(snapshot) else ""
        return f"{refused:,} rejected{twice}" if refused else "partial success"
    if snapshot.state is JobState.FAILED:
        return "did not end well"
    how = "then" if stopped else "measured" if snapshot.is_measured else "estimated"
    return f"{format_percent(low, high)} {how}"


def seconds_left(snapshot: JobSnapshot, since_poll: float) -> tuple[float, float] | None:
    """Return how long the job may still take so many seconds after a poll; None where nothing is known of it."""
    if snapshot.seconds_left is None or snapshot.is_final:
        return None
    low, high = snapshot.seconds_left
    return max(low - since_poll, 0.0), max(high - since_poll, 0.0)


def left_text(low: float, high: float) -> str:
    """Put into words how long a job may still take."""
    return f"{format_duration_range(low, high)} left" if high >= 1 else "longer than usual"


def _growth(snapshot: JobSnapshot) -> tuple[float, float]:
    """Return by how much the estimate of a running job grows in a second: it is a share of the time that has passed."""
    if snapshot.is_final or snapshot.is_measured or snapshot.elapsed_seconds <= 0 or snapshot.seconds_left is None:
        return 0.0, 0.0
    low, high = snapshot.fraction
    return low / snapshot.elapsed_seconds, high / snapshot.elapsed_seconds


def was_foreseen(drawn: JobSnapshot, now: JobSnapshot) -> bool:
    """Return whether a poll found only what the browser counts to by itself from the snapshot that was drawn."""
    if _still(drawn) != _still(now) or (drawn.seconds_left is None) != (now.seconds_left is None):
        return False
    passed = now.elapsed_seconds - drawn.elapsed_seconds
    if drawn.fraction != now.fraction:
        rates = zip(drawn.fraction, _growth(drawn), strict=True)
        if not _are_near([min(share + rate * passed, _ALMOST_DONE) for share, rate in rates], now.fraction, 0.01):
            return False
    left = seconds_left(drawn, passed)
    return left is None or _are_near(left, now.seconds_left or left, max(2.0, 0.05 * now.elapsed_seconds))


def _are_near(foreseen: Sequence[float], seen: Sequence[float], slack: float) -> bool:
    return abs(foreseen[0] - seen[0]) <= slack and abs(foreseen[1] - seen[1]) <= slack


def _poll_text(snapshot: JobSnapshot, *, stopped: bool) -> str:
    if snapshot.is_final:
        return format_count(snapshot.polls, "poll")
    when = ""
    if snapshot.created_at is not None:
        when = f" at {snapshot.created_at.astimezone(UTC) + timedelta(seconds=snapshot.elapsed_seconds):%H:%M:%S}"
    return f"last poll{when or f' {snapshot.polls:,}'}" if stopped else f"poll {snapshot.polls:,}{when}"


def _facts(
    snapshot: JobSnapshot, elapsed: float, left: str | None, poll: str, ahead: float | None, *, stopped: bool
) -> tuple[str, ...]:
    """Return the facts in words; while a job runs the panel lets the browser count on from them."""
    if snapshot.is_final:
        ended = f"ended {snapshot.completed_at.astimezone(UTC):%H:%M:%S} UTC" if snapshot.completed_at else None
        return tuple(bit for bit in (f"took {format_duration(elapsed)}", poll, ended) if bit)
    if stopped:
        return (f"{format_duration(snapshot.elapsed_seconds)} then", poll)
    soon = None
    if ahead is not None:
        soon = f"next poll in {format_duration(ahead)}" if ahead >= 1 else "polling …"
    return tuple(bit for bit in (f"{format_duration(elapsed)} elapsed", left, poll, soon) if bit)


def _advice(snapshot: JobSnapshot, refused: int | None) -> tuple[str | None, str | None]:
    """Return what to do after the end, and the line that does it; nothing that would be refused."""
    if snapshot.state is JobState.PARTIAL:
        if is_resubmission(snapshot):
            ids = f"These {format_count(refused, 'id')} were" if refused else "The rest was"
            return f"{ids} rejected twice; a third time changes nothing. `wave.outcome.rejected` lists them.", None
        return "`wave.outcome` names the rejected ids; this line sends only those again:", "wave.resubmit()"
    if snapshot.state is JobState.FAILED:
        known = [snapshot.failure_code and f"code {snapshot.failure_code}"]
        known.append(snapshot.trace_id and f"trace id {snapshot.trace_id}")
        known.append(snapshot.request_id and f"request id {snapshot.request_id}")
        references = ", ".join(bit for bit in known if bit)
        support = f" If it recurs, give Cint support {references}." if references else ""
        return f"Fix the cause and run the line again; ids saved earlier are kept.{support}", None
    return None, None


def summary_text(
    snapshot: JobSnapshot | None, *, phase: WatchPhase = WatchPhase.WATCHED, note: str | None = None
) -> list[str]:
    """Return the state in words that do not change from run to run: counts only once the job has ended."""
    if snapshot is None and note is not None:
        return [note]
    if snapshot is None:
        return [str(phase)] if phase is not WatchPhase.WATCHED else ["starting"]
    text = describe(snapshot, phase=phase)
    warnings = [f"warning: {warning}" for warning in text.warnings]
    return [bit for bit in (text.word, text.detail, *warnings) if bit] if snapshot.is_final else [text.word, *warnings]
