"""Parsing a job's status reply into a snapshot. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from cint_nb.api.jobs.schedule import DurationEstimate, extrapolate_end, has_known_size
from cint_nb.domain.ids import quote_foreign
from cint_nb.domain.jobs import JobHandle, JobKind, JobSnapshot, JobState, parse_job_state
from cint_nb.domain.models import reason_in_words, text_or_none

_ALMOST_DONE = 0.99
_TIME = TypeAdapter(datetime)
_REMOVAL_KINDS = (JobKind.REMOVAL, JobKind.EXCLUSION_REMOVAL)


@dataclass(frozen=True)
class StatusContext:
    """What is known beside one status reply.

    Args:
        elapsed: Seconds since the job was created, by the client's clock.
        polls: Status requests sent so far, this one included.
        saved_count: Number of ids saved in the target group; None if not counted.
        saved_count_before: The same before the job started.
        counted_after: Seconds from the job's creation to that count; None for `elapsed`.
        estimate: Total duration of such a job.
        request_id: Request id of the reply; None if it has none.
    """

    elapsed: float
    polls: int
    estimate: DurationEstimate
    saved_count: int | None = None
    saved_count_before: int | None = None
    counted_after: float | None = None
    request_id: str | None = None


def fraction_done(handle: JobHandle, saved: int | None, saved_before: int | None) -> float | None:
    """Return the share of its ids a job has saved or removed; None if the count has not changed yet."""
    if saved is None or saved_before is None:
        return None
    removes = handle.kind in _REMOVAL_KINDS
    moved, whole = (saved_before - saved, saved_before) if removes else (saved - saved_before, handle.id_count)
    return min(_ALMOST_DONE, moved / whole) if moved > 0 and whole else None


def parse_snapshot(handle: JobHandle, body: Mapping[str, Any], context: StatusContext) -> JobSnapshot:
    """Parse one status reply; absent fields, nulls and unknown words are all accepted.

    Returns:
        The snapshot. A completed job with a partial-success reason, or a batch with failed groups, is `partial`.
    """
    partial_text = _text(body.get("partial_success_reason")) or _failed_groups_message(body)
    word = text_or_none(body.get("status"))
    state = parse_job_state(word, partial=bool(partial_text))
    created, completed = parse_time(body.get("created_at")), parse_time(body.get("completed_at"))
    # Never a mix of two clocks: both times are the exchange's for a job that has ended, both ours for one that runs.
    elapsed = max(0.0, (completed - created).total_seconds()) if created and completed else context.elapsed
    fraction, measured, left = measure_progress(handle, state, elapsed, context)
    failure = body.get("failure_reason")
    return JobSnapshot(
        handle=handle,
        state=state,
        raw_status=quote_foreign(word),
        created_at=created or handle.created_at,
        completed_at=completed,
        elapsed_seconds=elapsed,
        id_count=handle.id_count,
        saved_count=context.saved_count,
        saved_count_before=context.saved_count_before,
        fraction=fraction,
        is_measured=measured,
        seconds_left=left,
        polls=context.polls,
        created_object_id=text_or_none(body.get("created_fielding_run_id")),
        failure_code=quote_foreign(failure.get("code")) or None if isinstance(failure, Mapping) else None,
        failure_message=_text(failure) or (_text(body.get("message")) if state is JobState.FAILED else None),
        partial_message=partial_text,
        trace_id=text_or_none(body.get("job_trace_id")),
        request_id=context.request_id,
    )


def measure_progress(
    handle: JobHandle, state: JobState, elapsed: float, context: StatusContext
) -> tuple[tuple[float, float], bool, tuple[float, float] | None]:
    """Return the share done as lower and upper bound, whether it was counted, and the seconds left.

    A count that has changed since the job started is a measurement. Without one, the documented durations give a range,
    and for a job with an unknown number of ids nothing is claimed.
    """
    if state in (JobState.DONE, JobState.PARTIAL):
        return (1.0, 1.0), context.saved_count is not None and context.saved_count_before is not None, None
    estimate = context.estimate
    share = fraction_done(handle, context.saved_count, context.saved_count_before)
    if share is not None:
        if state is JobState.FAILED:
            return (share, share), True, None
        end = extrapolate_end(share, elapsed if context.counted_after is None else context.counted_after)
        if end is None:
            return (share, share), True, _seconds_left(estimate, elapsed)
        left = max(0.0, end - elapsed)
        return (share, share), True, (0.85 * left, 1.15 * left)
    if not has_known_size(handle):
        return (0.0, _ALMOST_DONE), False, None
    low = min(_ALMOST_DONE, elapsed / max(estimate.high, 1.0))
    high = min(_ALMOST_DONE, elapsed / max(estimate.low, 1.0))
    if state is JobState.FAILED:
        return (low, high), False, None
    return (low, high), False, _seconds_left(estimate, elapsed)


def _seconds_left(estimate: DurationEstimate, elapsed: float) -> tuple[float, float]:
    return max(0.0, estimate.fastest - elapsed), max(0.0, estimate.high - elapsed)


def _text(value: Any) -> str | None:
    if not isinstance(value, Mapping):
        return quote_foreign(value) or None
    parts = [reason_in_words(value)]
    reasons = value.get("reasons")
    for reason in reasons if isinstance(reasons, list) else []:
        if isinstance(reason, Mapping):
            words = [str(reason[key]) for key in ("name", "reason", "detail") if reason.get(key)]
            parts.append(": ".join(words))
    return quote_foreign("; ".join(part for part in parts if part)) or None


def _failed_groups_message(body: Mapping[str, Any]) -> str | None:
    failed = body.get("failed_target_groups")
    rows = failed.get("data") if isinstance(failed, Mapping) else None
    return f"{len(rows)} target groups could not be changed." if isinstance(rows, list) and rows else None


def parse_time(value: Any) -> datetime | None:
    """Parse a time of a reply: as UTC if it has no zone; None if it is not a time."""
    if not value:
        return None
    try:
        time = _TIME.validate_python(value)
    except ValidationError:
        return None
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
