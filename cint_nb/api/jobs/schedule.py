"""When to look at a job again, and how long it may still take: pure functions and one small memory.

A few early looks find instant failures. Then the documented durations guide the schedule, until the ids saved so far
are seen to grow: from there on their growth foretells the end, and few looks are needed. Numbers: `domain.limits`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from cint_nb.domain import limits
from cint_nb.domain.jobs import JobHandle, JobKind
from cint_nb.domain.models import evolve

_UPLOAD_KINDS = (JobKind.UPLOAD, JobKind.UPLOAD_RSIDS)
_REMOVAL_KINDS = (JobKind.REMOVAL, JobKind.EXCLUSION_REMOVAL, JobKind.EXCLUSION_UPLOAD)
_SLACK = 0.25
"""How far around its own experience the estimate reaches."""


@dataclass(frozen=True)
class DurationEstimate:
    """How long a job takes in all, in seconds.

    Args:
        low: Shortest likely duration, from the guide.
        high: Longest likely duration.
        eta: What the polling schedule aims at.
        fastest: Shortest duration any document names; equal to `low` once own jobs were seen.
    """

    low: float
    high: float
    eta: float
    fastest: float


def _clamp(value: float, low: float, high: float) -> float:
    return max(low, min(high, value))


def extrapolate_end(share: float, elapsed: float) -> float | None:
    """Foretell after how many seconds in all a job ends, None while too little of it is done.

    Args:
        share: Done by then, 0–1, counted.
        elapsed: Seconds since the job was created.
    """
    return elapsed / share if share >= limits.POLL_MIN_FRACTION_FOR_ETA and elapsed > 0 else None


def next_delay(
    elapsed: float,
    eta: float,
    *,
    short: bool = False,
    counted: float | None = None,
    retry_after: float | None = None,
    jitter: float = 0.0,
    first: bool = False,
) -> float:
    """Return how many seconds to wait before the next look at a job.

    Args:
        elapsed: Seconds since the job was created.
        eta: Seconds it is expected to take in all.
        short: Whether it is expected to be over in a minute or so: `is_short` tells.
        counted: The same as foretold by `extrapolate_end`; it is believed before `eta`.
        retry_after: What the exchange asked for; it wins over everything, but 0 does not mean at once and for ever.
        jitter: −1 to 1, scaled by the allowed share.
        first: Whether this watcher has not looked yet; a job older than the first early look is looked at once.
    """
    if retry_after is not None:
        return max(limits.POLL_MIN_INTERVAL_NEAR_END, retry_after)
    looks: tuple[float, ...] = limits.POLL_FIRST_AT
    shortest = limits.POLL_MIN_SECONDS
    if short:
        looks, shortest = looks[:1], limits.POLL_MIN_INTERVAL_NEAR_END
    early = [look for look in looks if look > elapsed + 0.5]
    if first and len(early) < len(looks):
        return 0.0
    if early:
        return early[0] - elapsed  # spread by the moments at which jobs are created
    if counted is not None:
        delay = _interval_toward(counted, elapsed, shortest)
    else:
        delay = _interval_by_estimate(elapsed, eta, shortest, even=short)
    return min(limits.POLL_MAX_SECONDS, delay * (1 + limits.POLL_JITTER * _clamp(jitter, -1.0, 1.0)))


def _max_interval(end: float) -> float:
    share, low, high = limits.POLL_MAX_INTERVAL
    return _clamp(share * end, low, high)


def _interval_by_estimate(elapsed: float, eta: float, shortest: float, *, even: bool) -> float:
    wait, longest = limits.POLL_AFTER * elapsed, _max_interval(eta)
    if even and elapsed < limits.POLL_DENSE[1] * eta:
        wait = shortest
    elif elapsed < limits.POLL_DENSE[0] * eta:
        wait = limits.POLL_BEFORE * elapsed
    elif elapsed < limits.POLL_DENSE[1] * eta:
        share, most = limits.POLL_NEAR
        wait, longest = share * eta, min(longest, most)
    return _clamp(wait, shortest, longest)


def _interval_toward(end: float, elapsed: float, shortest: float) -> float:
    """Come closer to a foretold end step by step; a job that is overdue is looked at evenly."""
    share, low, high = limits.POLL_AT_END
    closest = _clamp(share * end, low, high)
    left = limits.POLL_AIM * end - elapsed
    if left <= 0:
        return _clamp(limits.POLL_OVERDUE * elapsed, closest, _max_interval(end))
    of_left, of_passed = limits.POLL_COUNTED
    return max(shortest, min(of_passed * elapsed, max(closest, of_left * left)))


def _no_jitter() -> float:
    return 0.0


@dataclass
class DurationModel:
    """Remember how fast this account's own jobs were, and correct the documented durations by it.

    Args:
        jitter: Source of numbers from −1 to 1 that spread the looks of many clients; none in sandbox and replay.
        factors: What was learned so far, by kind of job: seen duration over expected duration.
    """

    jitter: Callable[[], float] = _no_jitter
    factors: dict[str, float] = field(default_factory=dict)

    def estimate(self, handle: JobHandle) -> DurationEstimate:
        """Estimate how long the job takes from its kind, its number of ids and the jobs seen before."""
        low, high, eta, fastest = _documented_durations(handle.kind, handle.id_count)
        factor = self.factors.get(_kind_family(handle.kind))
        if factor is None:
            return DurationEstimate(low=low, high=high, eta=eta, fastest=fastest)
        middle = eta * factor
        return DurationEstimate(
            low=middle * (1 - _SLACK), high=middle * (1 + _SLACK), eta=middle, fastest=middle * (1 - _SLACK)
        )

    def learn(self, kind: JobKind, ids: int, seconds: float) -> None:
        """Record the duration of a finished job; small jobs and impossible durations are ignored.

        Args:
            kind: What the job did.
            ids: How many ids it handled.
            seconds: From its creation to its completion, by the exchange's own times.
        """
        family = _kind_family(kind)
        if not family or ids < limits.DURATION_MIN_IDS or seconds <= 0:
            return
        expected = _documented_durations(kind, ids)[2]
        seen = _clamp(seconds / expected, *limits.DURATION_FACTOR_BOUNDS)
        before = self.factors.get(family)
        self.factors[family] = seen if before is None else math.sqrt(before * seen)

    def deadline(self, handle: JobHandle) -> timedelta:
        """Return how long to watch when nobody says: scaled to the ids, never less than half an hour.

        A job whose ids nobody knows may be the largest there is.
        """
        if not has_known_size(handle):
            handle = evolve(handle, id_count=limits.IDS_PER_TARGET_GROUP)
        high = timedelta(seconds=limits.WATCH_DEADLINE_FACTOR * self.estimate(handle).high)
        return max(limits.WATCH_DEADLINE_MIN, high)


def has_known_size(handle: JobHandle) -> bool:
    """Return whether a job's duration can be estimated: either its ids are known or it handles none."""
    return handle.id_count > 0 or handle.kind not in (*_UPLOAD_KINDS, *_REMOVAL_KINDS)


def is_short(handle: JobHandle, eta: float) -> bool:
    """Return whether a job is known to be over in about a minute, if it takes as long as expected."""
    return has_known_size(handle) and eta <= limits.POLL_SHORT_JOB


def _kind_family(kind: JobKind) -> str:
    if kind in _UPLOAD_KINDS:
        return "store"
    return str(kind) if kind in _REMOVAL_KINDS else ""


def _documented_durations(kind: JobKind, ids: int) -> tuple[float, float, float, float]:
    """Return low, high, eta and fastest by the documents alone."""
    tens = ids / 10_000
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
