"""Fielding, metrics, exclusions and reports against the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import TypeVar

import pytest

from cint_nb.api.client import AsyncClient
from cint_nb.domain.errors import InputError, InvalidState, JobFailed
from cint_nb.domain.jobs import JobState
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.domain.respondent_lists import ActivityExclusion
from tests.support.uploads import upload_file

T = TypeVar("T")
MANAGER = "b551326b-ac9d-4d32-8823-4f025787dab9"


def every(client: AsyncClient, rows: AsyncIterator[T]) -> list[T]:
    async def collect() -> list[T]:
        return [row async for row in rows]

    return client.run(collect())


def test_a_launched_group_is_read_at_its_other_address(client: AsyncClient, live_group: TargetGroupRef) -> None:
    shown = client.run(client.target_groups.get(live_group))
    assert shown.launched
    assert shown.business_unit_id == 1234


def test_a_group_in_the_field_fills_and_can_be_followed(client: AsyncClient, live_group: TargetGroupRef) -> None:
    client.pass_time(hours=8)
    overview = client.run(client.target_groups.overview(live_group))
    assert overview.progress.filling_strategy == "completes"
    performance = client.run(client.target_groups.performance(live_group))
    assert performance.completes == overview.progress.current_completes
    assert 0 < (performance.completes or 0) <= (performance.entrants or 0)
    assert performance.respondent_analysis.live
    counts = [interval.count for interval in client.run(client.target_groups.completes_by_interval(live_group, "PT1H"))]
    assert counts == sorted(count for count in counts if count is not None)
    changes = every(client, client.target_groups.changelog(live_group))
    assert "status_change" in [str(change.changes[0].get("object")) for change in changes if change.changes]


def test_price_and_goal_of_a_launched_group_can_be_changed(client: AsyncClient, live_group: TargetGroupRef) -> None:
    price = client.run(client.target_groups.set_cost_per_interview(live_group, "2.9 EUR"))
    assert (float(price.value or 0), price.currency_code) == (2.9, "EUR")
    assert client.run(client.target_groups.set_completes_goal(live_group, 120)) == 120
    assert client.run(client.target_groups.overview(live_group)).progress.filling_goal == 120


def test_details_of_a_launched_group_can_be_changed(client: AsyncClient, live_group: TargetGroupRef) -> None:
    before = client.run(client.target_groups.details(live_group))
    changes = {"name": "Wave two, renamed", "expected_incidence_rate": 0.7}
    assert client.run(client.target_groups.update_details(live_group, changes)).name == "Wave two, renamed"
    after = client.run(client.target_groups.details(live_group))
    number = after.target_group_customer_reference_number
    assert number == before.target_group_customer_reference_number, "by which a wave is found"
    assert (after.live_url, after.test_url) == (before.live_url, before.test_url)


def test_details_that_cannot_be_written_whole_are_not_written(client: AsyncClient, live_group: TargetGroupRef) -> None:
    group = client.sandbox.world.groups[live_group.target_group_id]
    group.body.pop("test_url")
    with pytest.raises(InputError, match="test_url"):
        client.run(client.target_groups.update_details(live_group, {"name": "Wave two, renamed"}))
    assert group.body["name"] != "Wave two, renamed"


def test_the_state_of_a_group_is_in_lists_and_not_in_its_details(
    client: AsyncClient, live_group: TargetGroupRef
) -> None:
    details = client.run(client.target_groups.details(live_group))
    assert "status" not in details.model_dump()
    listed = client.run(client.target_groups.list(live_group.project_id))
    assert [row.status for row in listed if row.id == live_group.target_group_id] == ["live"]


def test_a_batch_launches_no_draft(client: AsyncClient, ref: TargetGroupRef) -> None:
    job = client.run(client.fielding.start_batch("launch", ref.project_id, [ref.target_group_id]))
    assert job.wait().state is JobState.PARTIAL, "the exchange calls it completed all the same"
    result = client.run(client.fielding.batch_result(job.handle))
    assert (result.updated, list(result.failed or ())) == ((), [ref.target_group_id])
    assert client.run(client.target_groups.get(ref)).launched is False


def test_pause_resume_and_complete_follow_the_runs_version(client: AsyncClient, live_group: TargetGroupRef) -> None:
    fielding = client.fielding
    first = client.run(fielding.run(live_group))
    assert first is not None
    assert first.etag
    assert client.run(fielding.pause(live_group)).state == "paused"
    assert client.run(fielding.pause(live_group)).version == (first.version or 0) + 1
    assert client.run(fielding.resume(live_group)).state == "live"
    assert client.run(fielding.complete(live_group)).state == "completed"
    with pytest.raises(InvalidState, match="completed"):
        client.run(fielding.pause(live_group))


def test_a_draft_has_no_run_to_steer(client: AsyncClient, ref: TargetGroupRef) -> None:
    assert client.run(client.fielding.run(ref)) is None
    with pytest.raises(InvalidState, match="launch the target group first"):
        client.run(client.fielding.complete(ref))


def test_a_scheduled_group_can_be_moved_and_launched_now(
    client: AsyncClient, group_with_ids: TargetGroupRef, plan: TargetGroupPlan
) -> None:
    fielding = client.fielding
    start = client.clock.now() + timedelta(days=2)
    assert client.run(fielding.schedule(group_with_ids, start, plan.end_at)).wait().state is JobState.DONE
    scheduled = client.run(fielding.run(group_with_ids))
    assert scheduled is not None
    assert scheduled.state == "scheduled"
    later = start + timedelta(days=1)
    assert client.run(fielding.update_run(group_with_ids, later, plan.end_at)).start_fielding_at == later
    assert client.run(fielding.launch_now(group_with_ids)).state == "live"


def test_a_launch_the_exchange_refuses_fails_with_its_reason(
    client: AsyncClient, ref: TargetGroupRef, plan: TargetGroupPlan
) -> None:
    job = client.run(client.fielding.launch(ref, plan.end_at))
    with pytest.raises(JobFailed) as caught:
        job.wait()
    assert caught.value.evidence["failure_code"]


def test_allowed_actions_can_be_asked(client: AsyncClient, live_group: TargetGroupRef) -> None:
    allowed = client.run(client.fielding.allowed_actions(live_group.project_id, [live_group.target_group_id]))
    assert (allowed.is_pause_allowed, allowed.is_launch_allowed) == (True, False)


def test_a_batch_tells_which_groups_it_changed(
    client: AsyncClient, live_group: TargetGroupRef, plan: TargetGroupPlan
) -> None:
    draft = client.run(
        client.target_groups.create_draft(live_group.project_id, plan, name="Wave 3", reference="wave-3")
    )
    ids = [live_group.target_group_id, draft.target_group_id]
    job = client.run(client.fielding.start_batch("pause", live_group.project_id, ids))
    assert job.wait().state is JobState.PARTIAL
    result = client.run(client.fielding.batch_result(job.handle))
    assert result.updated == (live_group.target_group_id,)
    assert list(result.failed or ()) == [draft.target_group_id]


def test_exclusions_by_file_are_uploaded_counted_listed_and_removed(client: AsyncClient, ref: TargetGroupRef) -> None:
    exclusions = client.exclusions
    ended = client.run(exclusions.upload(ref, upload_file(300, seed="life"))).wait()
    counted = client.run(exclusions.overview(ref)).saved_respondent_ids_count
    assert ended.saved_count == counted
    assert len(client.run(exclusions.effective_rsids(ref))) == counted
    assert client.run(exclusions.remove_all(ref)).wait().saved_count == 0


def test_rids_cannot_be_excluded(client: AsyncClient, ref: TargetGroupRef) -> None:
    before = client.requests_sent
    with pytest.raises(ValueError, match="not one per visit"):
        client.run(client.exclusions.upload(ref, upload_file(3, seed="life"), entity_type="RID"))
    assert client.requests_sent == before


def test_project_exclusion_can_be_switched(client: AsyncClient, ref: TargetGroupRef) -> None:
    exclusions = client.exclusions
    assert client.run(exclusions.policy(ref)).project_exclusion_enabled is False
    client.run(exclusions.set_policies(ref.project_id, {ref.target_group_id: True}))
    assert client.run(exclusions.policy(ref)).project_exclusion_enabled is True
    shown = {
        row.target_group_id: row.project_exclusion_enabled for row in client.run(exclusions.policies(ref.project_id))
    }
    assert shown == {ref.target_group_id: True}


def test_activity_exclusions_are_replaced_as_a_whole(client: AsyncClient, ref: TargetGroupRef) -> None:
    elsewhere = client.run(client.projects.create("Another study", MANAGER)).id
    wanted = ActivityExclusion(type="project", id=elsewhere, duration="P30D")
    client.run(client.exclusions.set_activity(ref, [wanted]))
    (shown,) = client.run(client.exclusions.activity(ref))
    assert (shown.type, shown.id, shown.duration) == ("project", elsewhere, "P30D")
    client.run(client.exclusions.set_activity(ref, []))
    assert client.run(client.exclusions.activity(ref)) == ()


def test_a_group_cannot_exclude_its_own_people(client: AsyncClient, ref: TargetGroupRef) -> None:
    with pytest.raises(ValueError, match="own project"):
        client.run(
            client.exclusions.set_activity(ref, [ActivityExclusion(type="project", id=ref.project_id, duration="P30D")])
        )


@pytest.mark.parametrize("kind", ["respondent-analysis", "completes", "term-details"])
def test_a_report_is_requested_followed_listed_and_downloaded(
    client: AsyncClient, live_group: TargetGroupRef, kind: str
) -> None:
    client.pass_time(days=2)
    reports = client.reports
    by, ids = (
        ("target_group", [live_group.target_group_id])
        if kind == "term-details"
        else ("project", [live_group.project_id])
    )
    job = client.run(reports.generate(kind, date(2026, 9, 1), date(2026, 9, 30), by=by, ids=ids))
    assert job.wait().state is JobState.DONE
    assert job.handle.job_id is not None
    assert client.run(reports.status(job.handle.job_id)) == "completed"
    assert job.handle.job_id in [row.report_id for row in every(client, reports.list(report_type=kind))]
    name, content = client.run(reports.download(job.handle.job_id))
    assert name.endswith((".csv", ".xlsx"))
    assert content


@pytest.mark.parametrize(
    ("start", "end", "by", "ids"),
    [
        (date(2026, 8, 1), date(2026, 7, 1), "project", ["x"]),
        (date(2026, 1, 1), date(2026, 7, 2), "project", ["x"]),
        (date(2026, 8, 1), date(2026, 9, 1), "wave", ["x"]),
        (date(2026, 8, 1), date(2026, 9, 1), "project", []),
    ],
)
def test_a_report_that_cannot_work_is_refused_before_anything_is_sent(
    client: AsyncClient, start: date, end: date, by: str, ids: list[str]
) -> None:
    with pytest.raises(ValueError, match=r"report (covers|is filtered)"):
        client.run(client.reports.generate("completes", start, end, by=by, ids=ids))
    assert client.requests_sent == 0


def test_the_last_day_of_august_plus_six_months_is_the_last_of_february(client: AsyncClient, project: str) -> None:
    with pytest.raises(ValueError, match="2026-02-28"):
        client.run(
            client.reports.generate("completes", date(2025, 8, 31), date(2026, 3, 1), by="project", ids=[project])
        )
