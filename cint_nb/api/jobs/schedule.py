"""The polling schedule and duration estimates of jobs. Pure functions, and one model that learns.

A few early polls find jobs that fail at once. Then the interval grows with the elapsed time, up to a share of the
documented duration, until the count of saved ids is seen to grow: from there on its growth projects the end, and few
polls are needed. The numbers are in `domain.limits`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from cint_nb.domain import limits
from cint_nb.domain.ids import printable
from cint_nb.domain.jobs import JobHandle, JobKind
from cint_nb.domain.models import evolve

_UPLOAD_KINDS = (JobKind.UPLOAD, JobKind.UPLOAD_RSIDS)
_REMOVAL_KINDS = (JobKind.REMOVAL, JobKind.EXCLUSION_REMOVAL, JobKind.EXCLUSION_UPLOAD)
_SLACK = 0.25
"""Half the width of an estimate from this account's own jobs, as a share of it."""


@printable
@dataclass(frozen=True)
class DurationEstimate:
    """The total duration of a job, in seconds.

    Args:
        low: Shortest likely duration, from the guide.
        high: Longest likely duration.
        eta: Duration the polling schedule aims at.
        fastest: Shortest duration in any document; equal to `low` once this account's own jobs are known.
    """

    low: float
    high: float
    eta: float
    fastest: float


def _clamp(value: float, low: float, high: float) -> float:
    return max(low, min(high, value))


def extrapolate_end(share: float, elapsed: float) -> float | None:
    """Return after how many seconds in total a job will end; None while too little of it is done to tell.

    Args:
        share: Counted share done by then, 0–1.
        elapsed: Seconds since the job was created.
    """
    return elapsed / share if share >= limits.POLL_MIN_FRACTION_FOR_ETA and elapsed > 0 else None


def next_delay(
    elapsed: float,
    eta: float,
    *,
    short: bool = False,
    projected_end: float | None = None,
    retry_after: float | None = None,
    jitter: float = 0.0,
    first: bool = False,
) -> float:
    """Return how many seconds to wait before the next poll of a job.

    Args:
        elapsed: Seconds since the job was created.
        eta: Seconds it is expected to take in total.
        short: Whether it is expected to end within about a minute, as `is_short` returns.
        projected_end: Seconds it takes in total according to `extrapolate_end`; takes precedence over `eta`.
        retry_after: Seconds the exchange asked for. Takes precedence over everything else, but never goes below the
            shortest interval: an exchange that asks for 0 would otherwise be polled without end.
        jitter: −1 to 1, scaled by the allowed share.
        first: Whether this is the first poll of a watch. A job older than the first early poll is polled at once.
    """
    if retry_after is not None:
        return max(limits.POLL_MIN_SECONDS, retry_after)
    # The other early polls lie too far apart for a short job, which may end between them.
    early_polls = limits.POLL_FIRST_AT[:1] if short else limits.POLL_FIRST_AT
    # Half a second of tolerance: a poll that was sent slightly early must not be sent twice.
    ahead = [moment for moment in early_polls if moment > elapsed + 0.5]
    # A job attached to later may have ended long ago, and its watcher should not wait to learn it.
    if first and len(ahead) < len(early_polls):
        return 0.0
    # No jitter yet: the moments at which jobs are created already spread these polls.
    if ahead:
        return ahead[0] - elapsed
    # A projection comes from this very job, an estimate only from others like it.
    if projected_end is not None:
        delay = _interval_toward(projected_end, elapsed)
    else:
        growth = limits.POLL_GROWTH_SHORT if short else limits.POLL_GROWTH
        delay = _growing_interval(growth, elapsed, eta)
    return min(limits.POLL_MAX_SECONDS, delay * (1 + limits.POLL_JITTER * _clamp(jitter, -1.0, 1.0)))


def _growing_interval(growth: float, elapsed: float, duration: float) -> float:
    """Return the interval that grows with the elapsed time, so that a job much faster than expected is noticed too."""
    # A delay is small or large in relation to the job: the end of a long one may be noticed later.
    share, low, high = limits.POLL_LONGEST
    return _clamp(growth * elapsed, limits.POLL_MIN_SECONDS, _clamp(share * duration, low, high))


def _interval_toward(end: float, elapsed: float) -> float:
    """Return the interval that approaches a projected end step by step; after it the interval grows again."""
    # Aims slightly before the projected end: some ids are rejected and never counted, so that the job ends sooner.
    left = limits.POLL_AIM * end - elapsed
    if left <= 0:
        return _growing_interval(limits.POLL_OVERDUE, elapsed, end)
    # A step covers no more than a share of what has passed: early projections are the least certain ones.
    return max(limits.POLL_MIN_SECONDS, min(limits.POLL_GROWTH * elapsed, limits.POLL_APPROACH * left))


def _no_jitter() -> float:
    return 0.0


@printable
@dataclass
class DurationModel:
    """The documented durations of jobs, corrected by how fast this account's own jobs were.

    Args:
        jitter: Source of numbers from −1 to 1 that spread the polls of many clients; none in sandbox and replay.
        factors: What was learned so far, by kind of job: actual duration over documented duration.
    """

    jitter: Callable[[], float] = _no_jitter
    factors: dict[str, float] = field(default_factory=dict)

    def estimate(self, handle: JobHandle) -> DurationEstimate:
        """Estimate how long the job takes from its kind, its number of ids and earlier jobs."""
        low, high, eta, fastest = _documented_durations(handle.kind, handle.id_count)
        family = _kind_family(handle.kind)
        factor = None if family is None else self.factors.get(family)
        if factor is None:
            return DurationEstimate(low=low, high=high, eta=eta, fastest=fastest)
        middle = eta * factor
        return DurationEstimate(
            low=middle * (1 - _SLACK), high=middle * (1 + _SLACK), eta=middle, fastest=middle * (1 - _SLACK)
        )

    def learn(self, kind: JobKind, ids: int | None, seconds: float) -> None:
        """Record the duration of a finished job; small jobs and impossible durations are ignored.

        Args:
            kind: What the job did.
            ids: How many ids it handled; None if unknown.
            seconds: From its creation to its completion, by the exchange's own clock.
        """
        family = _kind_family(kind)
        if family is None or ids is None or ids < limits.DURATION_MIN_IDS or seconds <= 0:
            return
        expected = _documented_durations(kind, ids)[2]
        # Bounded, so that one job that was stuck overnight cannot spoil all later estimates.
        factor = _clamp(seconds / expected, *limits.DURATION_FACTOR_BOUNDS)
        before = self.factors.get(family)
        # The geometric mean: of twice as fast and twice as slow it makes as documented.
        self.factors[family] = factor if before is None else math.sqrt(before * factor)

    def deadline(self, handle: JobHandle) -> timedelta:
        """Return the default deadline of a watch: scaled to the number of ids, at least half an hour."""
        if not has_known_size(handle):
            # It may be the largest job there is, and giving up too early is worse than watching too long.
            handle = evolve(handle, id_count=limits.IDS_PER_TARGET_GROUP)
        high = timedelta(seconds=limits.WATCH_DEADLINE_FACTOR * self.estimate(handle).high)
        return max(limits.WATCH_DEADLINE_MIN, high)


def has_known_size(handle: JobHandle) -> bool:
    """Return whether a job's duration can be estimated: its number of ids is known, or it handles none."""
    return handle.id_count is not None or handle.kind not in (*_UPLOAD_KINDS, *_REMOVAL_KINDS)


def is_short(handle: JobHandle, eta: float) -> bool:
    """Return whether a job of known size is expected to end within about a minute."""
    return has_known_size(handle) and eta <= limits.POLL_SHORT_JOB


def _kind_family(kind: JobKind) -> str | None:
    # Both kinds of upload store ids at the same speed, so they learn from each other.
    if kind in _UPLOAD_KINDS:
        return "store"
    return str(kind) if kind in _REMOVAL_KINDS else None


def _documented_durations(kind: JobKind, ids: int | None) -> tuple[float, float, float, float]:
    """Return low, high, eta and fastest according to the documents alone; of an unknown size only the fixed part."""
    tens = 0.0 if ids is None else ids / 10_000
    extra = limits.JOB_OVERHEAD_SECONDS
    if kind in _UPLOAD_KINDS:
        low, high = limits.UPLOAD_JOB_SECONDS_PER_10K
        fastest = limits.OLD_UPLOAD_JOB_SECONDS_PER_10K * tens
        return low * tens, high * tens + extra, limits.UPLOAD_JOB_ETA_PER_10K * tens + extra, fastest
    if kind in _REMOVAL_KINDS:
        low, high = limits.REMOVAL_JOB_SECONDS_PER_10K
        return low * tens, high * tens + extra, limits.REMOVAL_JOB_ETA_PER_10K * tens + extra, low * tens
    low, high = limits.REPORT_SECONDS if kind is JobKind.REPORT else limits.SHORT_JOB_SECONDS
    return low, high, math.sqrt(low * high), low
