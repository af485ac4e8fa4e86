"""The schedule of polls: rare while nothing can have happened, frequent around the end, and always the same."""

from __future__ import annotations

import itertools
import math
import random
from statistics import mean

import pytest

from cint_nb.api.jobs.schedule import DurationModel, extrapolate_end, is_short, next_delay
from cint_nb.domain import limits
from cint_nb.domain.jobs import JobHandle, JobKind


def handle(kind: JobKind = JobKind.UPLOAD, ids: int | None = 10_000) -> JobHandle:
    return JobHandle(kind=kind, base_url="http://sandbox.invalid/v1", account_id=101, job_id="x", id_count=ids)


def poll_until_end(
    duration: float, eta: float, *, short: bool = False, counts_from: float = math.inf
) -> tuple[float, int]:
    """Return how long after its end a job of a duration is noticed, and with how many polls.

    Its ids are saved evenly and counted with each poll, from some second on.
    """
    elapsed, number = 0.0, 0
    while elapsed < duration or not number:
        counted = extrapolate_end(elapsed / duration, elapsed) if elapsed >= counts_from else None
        elapsed += next_delay(elapsed, eta, short=short, projected_end=counted, first=not number)
        number += 1
    return elapsed - duration, number


def test_early_looks_come_at_2_7_17_and_37_seconds() -> None:
    elapsed = 0.0
    seen: list[float] = []
    for _ in range(4):
        elapsed += next_delay(elapsed, 750.0)
        seen.append(elapsed)
    assert seen == [2.0, 7.0, 17.0, 37.0]


def test_a_job_taken_up_again_is_looked_at_at_once() -> None:
    assert next_delay(300.0, 750.0, first=True) == 0.0
    assert next_delay(0.3, 750.0, first=True) == pytest.approx(1.7)


@pytest.mark.parametrize(
    ("elapsed", "eta", "expected"),
    [
        (30.0, 750.0, 7.0),
        (45.0, 750.0, 9.0),
        (400.0, 750.0, 12.0),
        (600.0, 750.0, 12.0),
        (600.0, 100.0, 12.0),
        (40.0, 30.0, 8.0),
    ],
)
def test_later_looks_come_after_a_share_of_the_elapsed_time_up_to_a_longest_wait(
    elapsed: float, eta: float, expected: float
) -> None:
    assert next_delay(elapsed, eta) == pytest.approx(expected)


def test_a_job_of_a_minute_is_looked_at_every_four_seconds_until_it_is_overdue() -> None:
    elapsed = 0.0
    seen: list[float] = []
    for _ in range(5):
        elapsed += next_delay(elapsed, 60.0, short=True, first=not seen)
        seen.append(elapsed)
    assert seen == [2.0, 6.0, 10.0, 14.0, 18.0]
    assert next_delay(75.0, 60.0, short=True) == 4.0
    assert next_delay(160.0, 60.0, short=True) == pytest.approx(8.0)
    assert next_delay(1_000.0, 60.0, short=True) == 12.0


@pytest.mark.parametrize("duration", [10.0, 17.0, 34.0, 68.0])
def test_the_end_of_a_short_job_is_noticed_within_four_seconds(duration: float) -> None:
    assert poll_until_end(duration, 60.0, short=True)[0] <= 4.0


def test_only_a_job_whose_size_is_known_is_taken_for_a_short_one() -> None:
    def of(kind: JobKind, ids: int | None) -> bool:
        job = handle(kind, ids)
        return is_short(job, DurationModel().estimate(job).eta)

    assert of(JobKind.REMOVAL, 500)
    assert of(JobKind.REMOVAL, 0)
    assert of(JobKind.LAUNCH, None)
    assert not of(JobKind.REMOVAL, None), "nobody knows how many ids it removes"
    assert not of(JobKind.UPLOAD, 10_000)


def test_a_large_job_is_looked_at_more_rarely() -> None:
    assert next_delay(400.0, 7_365.0) == next_delay(4_000.0, 7_365.0) == next_delay(9_000.0, 7_365.0) == 25.0
    assert next_delay(400.0, 1_000.0) == 16.0


@pytest.mark.parametrize(("elapsed", "expected"), [(100.0, 20.0), (300.0, 60.0), (500.0, 50.16), (640.0, 8.16)])
def test_looks_come_closer_to_an_end_that_counts_foretell(elapsed: float, expected: float) -> None:
    assert next_delay(elapsed, 750.0, projected_end=695.0) == pytest.approx(expected)


def test_a_job_that_is_overdue_is_looked_at_evenly_and_not_too_often() -> None:
    assert next_delay(760.0, 750.0, projected_end=780.0) == pytest.approx(7.6)
    assert next_delay(4_000.0, 750.0, projected_end=780.0) == pytest.approx(12.48)
    assert next_delay(41.0, 255.0, projected_end=42.0) == 4.0


@pytest.mark.parametrize(("share", "elapsed"), [(0.049, 100.0), (0.5, 0.0)])
def test_a_small_share_or_no_time_foretells_nothing(share: float, elapsed: float) -> None:
    assert extrapolate_end(share, elapsed) is None


def test_what_the_exchange_asks_for_wins() -> None:
    assert next_delay(500.0, 750.0, retry_after=90.0, jitter=1.0) == 90.0


@pytest.mark.parametrize("requested", [0.0, -3.0, 0.5])
def test_an_exchange_that_asks_for_no_wait_is_not_asked_without_end(requested: float) -> None:
    assert next_delay(500.0, 750.0, retry_after=requested) == 4.0


def test_no_wait_is_longer_than_a_minute_or_shorter_than_nothing() -> None:
    moments, ends = (0, 1, 36.6, 50, 1e3, 1e6), (0, 15, 750, 7_365)
    for elapsed, eta, jitter, counted in itertools.product(moments, ends, (-1, 0, 1), (None, 20.0, 9e3, 1e9)):
        assert 0 <= next_delay(elapsed, eta, jitter=jitter, projected_end=counted) <= limits.POLL_MAX_SECONDS


def test_jitter_moves_a_look_by_a_tenth_at_most() -> None:
    assert next_delay(400.0, 750.0, jitter=1.0) == pytest.approx(13.2)
    assert next_delay(400.0, 750.0, jitter=-5.0) == pytest.approx(10.8)


def test_the_schedule_is_cheap_and_quick_over_the_documented_durations() -> None:
    draw = random.Random(1)  # noqa: S311 - a simulation
    upload = [poll_until_end(draw.uniform(600, 900), 750.0) for _ in range(400)]
    removal = [poll_until_end(draw.uniform(180, 300), 255.0) for _ in range(400)]
    assert mean(delay for delay, _ in upload) < 6.5
    assert mean(number for _, number in upload) < 75
    assert mean(delay for delay, _ in removal) < 6
    assert mean(number for _, number in removal) < 35


@pytest.mark.parametrize("pace", [0.25, 0.5, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("counts_from", [17.0, math.inf], ids=["counted", "not counted"])
def test_no_fixed_interval_is_both_quicker_and_cheaper_however_wrong_the_estimate(
    pace: float, counts_from: float
) -> None:
    durations = [pace * (600 + 300 * place / 99) for place in range(100)]
    ours = [poll_until_end(duration, 750.0, counts_from=counts_from) for duration in durations]
    delay, number = mean(late for late, _ in ours), mean(count for _, count in ours)
    for interval in (5.0, 15.0, 30.0):
        fixed = [math.ceil(duration / interval) for duration in durations]
        late = mean(count * interval - duration for count, duration in zip(fixed, durations, strict=True))
        assert delay < late or number < mean(fixed)


def test_an_instant_failure_is_noticed_within_seconds() -> None:
    assert poll_until_end(0.1, 7_365.0)[0] < 3


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
    estimate = DurationModel().estimate(handle(kind, ids))
    assert (estimate.low, estimate.high) == (low, high)
    assert estimate.low < estimate.eta < estimate.high


def test_the_deadline_scales_with_the_ids_and_is_never_ten_minutes() -> None:
    small, large = DurationModel().deadline(handle(ids=1)), DurationModel().deadline(handle(ids=100_000))
    assert small == limits.WATCH_DEADLINE_MIN
    assert large.total_seconds() > 9_000 * 2
    assert DurationModel().deadline(handle(ids=None)) == large


def test_jobs_of_one_kind_teach_nothing_about_another() -> None:
    durations = DurationModel()
    durations.learn(JobKind.UPLOAD, 10_000, 375.0)
    assert durations.estimate(handle(JobKind.REMOVAL)) == DurationModel().estimate(handle(JobKind.REMOVAL))
    assert durations.estimate(handle(JobKind.UPLOAD_RSIDS)).eta == pytest.approx(375.0)


@pytest.mark.parametrize(("ids", "seconds"), [(999, 700.0), (10_000, 0.0), (10_000, -5.0)])
def test_small_jobs_and_impossible_durations_teach_nothing(ids: int, seconds: float) -> None:
    durations = DurationModel()
    durations.learn(JobKind.UPLOAD, ids, seconds)
    assert durations.factors == {}


def test_one_odd_job_cannot_ruin_the_estimate() -> None:
    durations = DurationModel()
    durations.learn(JobKind.UPLOAD, 10_000, 1_000_000.0)
    assert durations.estimate(handle()).eta <= 750 * limits.DURATION_FACTOR_BOUNDS[1]


def test_the_early_looks_are_not_moved_so_that_none_comes_twice() -> None:
    for jitter in (-1.0, 0.0, 1.0):
        moments: list[float] = []
        elapsed = 0.0
        while elapsed < 37:
            elapsed += next_delay(elapsed, 750.0, jitter=jitter)
            moments.append(elapsed)
        assert moments == [2.0, 7.0, 17.0, 37.0]
