"""One status reply becomes one snapshot, whatever its holes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cint_nb.api.jobs.schedule import DurationModel
from cint_nb.api.jobs.snapshot import StatusContext, parse_snapshot
from cint_nb.domain.jobs import JobHandle, JobKind, JobSnapshot, JobState

BEGUN = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)


def handle(kind: JobKind = JobKind.UPLOAD, ids: int | None = 10_000) -> JobHandle:
    return JobHandle(kind=kind, base_url="b", account_id=1, job_id="x", id_count=ids, created_at=BEGUN)


def seen(body: dict[str, Any], *, after: float = 300, of: JobHandle | None = None, **context: Any) -> JobSnapshot:
    job = of or handle()
    surroundings = StatusContext(elapsed=after, polls=5, estimate=DurationModel().estimate(job), **context)
    return parse_snapshot(job, body, surroundings)


def test_without_a_count_progress_is_an_estimate_given_as_a_range() -> None:
    shown = seen({"status": "Processing"})
    low, high = shown.fraction
    assert not shown.is_measured
    assert (round(low, 2), round(high, 2)) == (0.33, 0.5)
    assert shown.seconds_left == (0.0, 615.0)


def test_a_count_that_has_moved_is_a_measurement() -> None:
    shown = seen({"status": "Processing"}, saved_count=4_100, saved_count_before=100)
    assert shown.is_measured
    assert shown.fraction == (0.4, 0.4)
    low, high = shown.seconds_left or (0, 0)
    assert low < 450 < high


def test_a_count_that_has_not_moved_measures_nothing() -> None:
    assert not seen({"status": "Processing"}, saved_count=100, saved_count_before=100).is_measured


def test_a_small_share_counted_does_not_foretell_the_end() -> None:
    shown = seen({"status": "Processing"}, saved_count=100, saved_count_before=0)
    assert shown.fraction == (0.01, 0.01)
    assert shown.seconds_left == (0.0, 615.0)


def test_a_removal_is_measured_by_what_is_gone() -> None:
    shown = seen(
        {"status": "Processing"}, of=handle(JobKind.REMOVAL), after=60, saved_count=7_500, saved_count_before=10_000
    )
    assert shown.fraction == (0.25, 0.25)


def test_a_running_job_is_never_shown_as_complete() -> None:
    assert max(seen({"status": "Processing"}, after=9e6).fraction) < 1
    assert max(seen({"status": "Processing"}, saved_count=10_000, saved_count_before=0).fraction) < 1


def test_a_finished_job_is_complete_and_has_nothing_left() -> None:
    shown = seen({"status": "Completed", "completed_at": "2026-09-01T08:12:00Z", "created_at": "2026-09-01T08:00:30Z"})
    assert (shown.state, shown.fraction, shown.seconds_left) == (JobState.DONE, (1.0, 1.0), None)
    assert shown.elapsed_seconds == 690


def test_partial_success_is_an_end_of_its_own() -> None:
    text = "Upload partially successful. 500 respondent IDs uploaded successfully, 10 failed (invalid or empty)."
    shown = seen({"status": "Completed", "partial_success_reason": {"description": text}})
    assert shown.state is JobState.PARTIAL
    assert shown.partial_message == text


def test_a_failure_keeps_its_code_text_and_reasons() -> None:
    reasons = [{"name": "profile_validation_error_001", "reason": "no quota", "detail": "x"}, {"name": "other"}]
    failure = {"code": "TargetGroupInvalidState", "description": "not in a draft state", "reasons": reasons}
    shown = seen(
        {"status": "Failed", "failure_reason": failure, "job_trace_id": "t-1"}, of=handle(JobKind.LAUNCH, None)
    )
    assert (shown.state, shown.failure_code, shown.trace_id) == (JobState.FAILED, "TargetGroupInvalidState", "t-1")
    assert shown.failure_message == "not in a draft state; profile_validation_error_001: no quota: x; other"
    assert shown.seconds_left is None


def test_ids_in_the_exchanges_text_are_masked() -> None:
    shown = seen({"status": "Failed", "failure_reason": "bad id 0f1ce179-a917-4b1a-9c1d-0123456789ab"})
    assert "0f1ce179" not in str(shown.failure_message)


def test_a_batch_with_failed_groups_is_partial() -> None:
    failed = {"data": [{"target_group_id": "01JX2X0N5RTR012AYDTA83QWTW"}], "has_more": False}
    shown = seen({"status": "Completed", "failed_target_groups": failed}, of=handle(JobKind.BATCH_PAUSE, None))
    assert shown.state is JobState.PARTIAL


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"status": None},
        {"status": "Processing", "created_at": "yesterday", "completed_at": 17, "failure_reason": []},
        {"status": "Processing", "partial_success_reason": {}, "updated_target_groups": None},
        {"status": 7, "failed_target_groups": {"data": None}},
    ],
)
def test_odd_replies_mean_that_the_job_still_runs(odd: dict[str, Any]) -> None:
    assert seen(odd).state is JobState.RUNNING


def test_nothing_is_claimed_about_a_job_of_unknown_size() -> None:
    shown = seen({"status": "Processing"}, of=handle(ids=None))
    assert (shown.fraction, shown.is_measured, shown.seconds_left) == ((0.0, 0.99), False, None)
