"""The schedule of looks: cheap while nothing can have happened, quick around the end, and the same every time."""

from __future__ import annotations

import itertools
import random
from statistics import mean

import pytest

from cint_nb.api.polling import Pace, next_delay
from cint_nb.domain import limits
from cint_nb.domain.jobs import JobHandle, JobKind


def handle(kind: JobKind = JobKind.UPLOAD, ids: int = 10_000) -> JobHandle:
    return JobHandle(kind=kind, base_url="http://sandbox.invalid/v1", account_id=101, job_id="x", ids=ids)


def looks(duration: float, eta: float) -> tuple[float, int]:
    """Watch a job of a duration: how long after its end it was noticed, with how many requests."""
    elapsed, number = 0.0, 0
    while elapsed < duration or not number:
        elapsed += next_delay(elapsed, eta, first=not number)
        number += 1
    return elapsed - duration, number


def test_early_looks_come_at_2_7_17_and_37_seconds() -> None:
    elapsed, seen = 0.0, []
    for _ in range(4):
        elapsed += next_delay(elapsed, 750.0)
        seen.append(elapsed)
    assert seen == [2.0, 7.0, 17.0, 37.0]


def test_a_job_taken_up_again_is_looked_at_at_once() -> None:
    assert next_delay(300.0, 750.0, first=True) == 0.0
    assert next_delay(0.3, 750.0, first=True) == pytest.approx(1.7)


@pytest.mark.parametrize(
    ("elapsed", "eta", "expected"),
    [(100.0, 750.0, 20.0), (400.0, 750.0, 30.0), (600.0, 750.0, 11.25), (600.0, 100.0, 30.0), (40.0, 30.0, 5.0)],
)
def test_later_looks_follow_the_three_zones(elapsed: float, eta: float, expected: float) -> None:
    assert next_delay(elapsed, eta) == pytest.approx(expected)


def test_what_the_exchange_asks_for_wins() -> None:
    assert next_delay(500.0, 750.0, retry_after=90.0, jitter=1.0) == 90.0
    assert next_delay(500.0, 750.0, retry_after=-3.0) == 0.0


def test_no_wait_is_longer_than_a_minute_or_shorter_than_nothing() -> None:
    for elapsed, eta, jitter in itertools.product((0, 1, 36.6, 50, 1e3, 1e6), (0, 15, 750, 7_365), (-1, 0, 1)):
        assert 0 <= next_delay(elapsed, eta, jitter=jitter) <= limits.POLL_MAX_SECONDS


def test_jitter_moves_a_look_by_a_tenth_at_most() -> None:
    assert next_delay(400.0, 750.0, jitter=1.0) == pytest.approx(33.0)
    assert next_delay(400.0, 750.0, jitter=-5.0) == pytest.approx(27.0)


def test_the_schedule_is_cheap_and_quick_over_the_documented_durations() -> None:
    draw = random.Random(1)  # noqa: S311 - a simulation
    upload = [looks(draw.uniform(600, 900), 750.0) for _ in range(400)]
    removal = [looks(draw.uniform(180, 300), 255.0) for _ in range(400)]
    assert mean(delay for delay, _ in upload) < 8
    assert mean(number for _, number in upload) < 55
    assert mean(delay for delay, _ in removal) < 6
    assert mean(number for _, number in removal) < 30


def test_an_instant_failure_is_noticed_within_seconds() -> None:
    assert looks(0.1, 7_365.0)[0] < 3


@pytest.mark.parametrize(
    ("kind", "ids", "low", "high"),
    [
        (JobKind.UPLOAD, 10_000, 600, 915),
        (JobKind.UPLOAD, 100_000, 6_000, 9_015),
        (JobKind.REMOVAL, 10_000, 180, 315),
        (JobKind.EXCLUSION_UPLOAD, 10_000, 180, 315),
    ],
)
def test_the_estimate_scales_with_the_ids(kind: JobKind, ids: int, low: float, high: float) -> None:
    estimate = Pace().estimate(handle(kind, ids))
    assert (estimate.low, estimate.high) == (low, high)
    assert estimate.low < estimate.eta < estimate.high


def test_the_deadline_scales_with_the_ids_and_is_never_ten_minutes() -> None:
    small, large = Pace().deadline(handle(ids=1)), Pace().deadline(handle(ids=100_000))
    assert small == limits.WATCH_DEADLINE_MIN
    assert large.total_seconds() > 9_000 * 2
    assert Pace().deadline(handle(ids=0)) == large


def test_jobs_of_one_kind_teach_nothing_about_another() -> None:
    pace = Pace()
    pace.learn(JobKind.UPLOAD, 10_000, 375.0)
    assert pace.estimate(handle(JobKind.REMOVAL)) == Pace().estimate(handle(JobKind.REMOVAL))
    assert pace.estimate(handle(JobKind.UPLOAD_RSIDS)).eta == pytest.approx(375.0)


@pytest.mark.parametrize(("ids", "seconds"), [(999, 700.0), (10_000, 0.0), (10_000, -5.0)])
def test_small_jobs_and_impossible_durations_teach_nothing(ids: int, seconds: float) -> None:
    pace = Pace()
    pace.learn(JobKind.UPLOAD, ids, seconds)
    assert pace.factors == {}


def test_one_odd_job_cannot_ruin_the_estimate() -> None:
    pace = Pace()
    pace.learn(JobKind.UPLOAD, 10_000, 1_000_000.0)
    assert pace.estimate(handle()).eta <= 750 * limits.PACE_BOUNDS[1]
