"""Whatever happens to a reply, each request without protection leaves exactly one object behind.

The sandbox acts and loses the reply, or fails before it acts; the client cannot know which, and checks.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from cint_nb.api.client import AsyncClient
from cint_nb.api.jobs.job import Job
from cint_nb.domain.errors import JobAlreadyRunning, OutcomeUnknown
from cint_nb.domain.files import UploadFile
from cint_nb.domain.ids import synthetic_id
from cint_nb.domain.jobs import JobState
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.sandbox.world import entities
from tests.support.uploads import upload_file

pytestmark = pytest.mark.filterwarnings("ignore:.* not JSON:cint_nb.errors.CintWarning")
MANAGER = "b551326b-ac9d-4d32-8823-4f025787dab9"
ACTED = ("drop-reply", "500-after", "truncated", "html", "delay")
NOT_ACTED = ("500", "502", "503", "reset", "refuse")


def people(ids: int = 200, first: int = 0) -> UploadFile:
    return upload_file(ids, seed="lost", first=first)


def arm(client: AsyncClient, fault: str, step: str, *, times: int = 1) -> None:
    value = "=300" if fault == "delay" else ""
    client.sandbox.faults.arm(f"{fault}@{step}*{times}{value}")


def fired(client: AsyncClient) -> int:
    return sum(fault.fired for fault in client.sandbox.faults.armed)


def jobs(client: AsyncClient, kind: str) -> list[Any]:
    return [job for job in client.sandbox.world.jobs.values() if job.kind == getattr(entities, kind)]


@pytest.mark.parametrize("fault", ACTED + NOT_ACTED)
def test_one_draft_exists_after_a_lost_reply(
    client: AsyncClient, project: str, plan: TargetGroupPlan, fault: str
) -> None:
    arm(client, fault, "create")
    made = client.run(client.target_groups.create_draft(project, plan, name="Wave two", reference="only-once"))
    assert fired(client) == 1
    assert list(client.sandbox.world.groups) == [made.target_group_id]


def test_one_draft_exists_after_a_second_lost_reply(client: AsyncClient, project: str, plan: TargetGroupPlan) -> None:
    client.sandbox.faults.arm("reset@create*2")
    client.sandbox.faults.arm("drop-reply@create+2")
    with pytest.raises(OutcomeUnknown) as caught:
        client.run(client.target_groups.create_draft(project, plan, name="Wave two", reference="only-once"))
    assert caught.value.evidence["reference"] == "only-once"
    client.run(client.target_groups.create_draft(project, plan, name="Wave two", reference="only-once"))
    assert len(client.sandbox.world.groups) == 1


def test_a_draft_is_adopted_by_a_second_call(client: AsyncClient, project: str, plan: TargetGroupPlan) -> None:
    arguments: Any = {"name": "Wave two", "reference": "only-once"}
    first = client.run(client.target_groups.create_draft(project, plan, **arguments))
    assert client.run(client.target_groups.create_draft(project, plan, **arguments)) == first


def test_a_draft_with_another_reference_is_another_draft(
    client: AsyncClient, project: str, plan: TargetGroupPlan
) -> None:
    for reference in ("ref", "ref-1", "ref-12"):
        client.run(client.target_groups.create_draft(project, plan, name="Wave two", reference=reference))
    assert len(client.sandbox.world.groups) == 3


@pytest.mark.sampled
@pytest.mark.parametrize("fault", ACTED + NOT_ACTED)
@pytest.mark.parametrize("ids", [20, 2_500], ids=["short-job", "long-job"])
def test_one_upload_exists_after_a_lost_reply(client: AsyncClient, ref: TargetGroupRef, fault: str, ids: int) -> None:
    arm(client, fault, "upload")
    job = client.run(client.recontacts.upload(ref, people(ids)))
    assert fired(client) == 1
    assert [made.id for made in jobs(client, "RECONTACT_UPLOAD")] == [job.handle.job_id]
    assert job.wait().state in {JobState.DONE, JobState.PARTIAL}


OLDER = "recontact_create_upload_rsids_by_file_job"
NEWER = "recontact_create_upload_respondents_by_file_job"
LIST = "recontact_list_upload_respondents_by_file_jobs"


@pytest.mark.sampled(every=10)
@pytest.mark.parametrize("fault", ACTED + NOT_ACTED)
@pytest.mark.parametrize("ids", [20, 2_500], ids=["short-job", "long-job"])
@pytest.mark.parametrize("absent", [(NEWER,), (NEWER, LIST)], ids=["with-a-list", "without-a-list"])
def test_one_upload_at_the_older_address_exists_after_a_lost_reply(
    client: AsyncClient, ref: TargetGroupRef, fault: str, ids: int, absent: tuple[str, ...]
) -> None:
    for name in absent:
        client.sandbox.faults.arm(f"404@{name}*always")
    arm(client, fault, OLDER)
    job = client.run(client.recontacts.upload(ref, people(ids)))
    assert [armed.fired for armed in client.sandbox.faults.armed if armed.name == fault] == [1]
    assert len(jobs(client, "RECONTACT_UPLOAD")) == 1
    ended = job.wait()
    assert ended.state in {JobState.DONE, JobState.PARTIAL}
    assert ended.saved_count == client.run(client.recontacts.saved_count(ref))
    assert (ended.state is JobState.DONE) == (ended.saved_count == ids)


@pytest.mark.parametrize("fault", ACTED)
def test_an_upload_whose_looks_fail_too_is_found_later_by_its_token(
    client: AsyncClient, ref: TargetGroupRef, fault: str
) -> None:
    arm(client, fault, "upload")
    client.sandbox.faults.arm("500@list*always+1")
    with pytest.raises(OutcomeUnknown) as caught:
        client.run(client.recontacts.upload(ref, people()))
    client.sandbox.faults.clear()
    job = client.run(client.recontacts.upload(ref, people(), token=caught.value.evidence["token"]))
    assert [made.id for made in jobs(client, "RECONTACT_UPLOAD")] == [job.handle.job_id]


def test_the_same_token_adopts_a_job_that_has_ended(client: AsyncClient, ref: TargetGroupRef) -> None:
    first = client.run(client.recontacts.upload(ref, people(), token="mine0001"))
    first.wait()
    again = client.run(client.recontacts.upload(ref, people(), token="mine0001"))
    assert again.handle.job_id == first.handle.job_id
    assert len(jobs(client, "RECONTACT_UPLOAD")) == 1


def test_a_second_upload_is_refused_early_while_the_first_runs(client: AsyncClient, ref: TargetGroupRef) -> None:
    first = client.run(client.recontacts.upload(ref, people(5_000)))
    before = client.requests_sent
    with pytest.raises(JobAlreadyRunning) as caught:
        client.run(client.recontacts.upload(ref, people(10, first=9_000)))
    assert caught.value.evidence["job_id"] == first.handle.job_id
    assert client.requests_sent == before + 1


@pytest.mark.sampled(every=5)
@pytest.mark.parametrize("fault", ACTED + NOT_ACTED)
@pytest.mark.parametrize("ids", [20, 2_500], ids=["short-job", "long-job"])
def test_one_removal_exists_after_a_lost_reply(client: AsyncClient, ref: TargetGroupRef, fault: str, ids: int) -> None:
    client.run(client.recontacts.upload(ref, people(ids))).wait()
    arm(client, fault, "remove")
    job = client.run(client.recontacts.remove_all(ref))
    assert fired(client) == 1
    assert job.wait().saved_count == 0
    assert len(jobs(client, "RECONTACT_REMOVAL")) == 1


def test_removing_nothing_is_done_at_once_even_if_the_reply_is_lost(client: AsyncClient, ref: TargetGroupRef) -> None:
    arm(client, "drop-reply", "remove")
    assert client.run(client.recontacts.remove_all(ref)).wait().state is JobState.DONE
    assert len(jobs(client, "RECONTACT_REMOVAL")) == 1


def test_what_was_there_and_is_gone_was_removed_before_and_is_not_removed_again(
    client: AsyncClient, ref: TargetGroupRef
) -> None:
    client.run(client.recontacts.upload(ref, people(20))).wait()
    client.run(client.recontacts.remove_all(ref, ids=20)).wait()
    assert client.run(client.recontacts.remove_all(ref, ids=20)).wait().state is JobState.DONE
    assert len(jobs(client, "RECONTACT_REMOVAL")) == 1


def test_a_removal_that_never_began_is_reported_as_unknown(client: AsyncClient, ref: TargetGroupRef) -> None:
    client.run(client.recontacts.upload(ref, people())).wait()
    arm(client, "reset", "remove", times=2)
    with pytest.raises(OutcomeUnknown, match="remove all recontacts"):
        client.run(client.recontacts.remove_all(ref))
    assert jobs(client, "RECONTACT_REMOVAL") == []


def test_a_removal_refused_because_of_an_upload_is_no_removal(client: AsyncClient, ref: TargetGroupRef) -> None:
    client.run(client.recontacts.upload(ref, people(5_000)))
    with pytest.raises(JobAlreadyRunning):
        client.run(client.recontacts.remove_all(ref))
    assert jobs(client, "RECONTACT_REMOVAL") == []


@pytest.mark.sampled(every=10)
@pytest.mark.parametrize("fault", ACTED + NOT_ACTED)
@pytest.mark.parametrize("ids", [20, 2_500], ids=["short-job", "long-job"])
@pytest.mark.parametrize("entity", ["RSID", "ACCESS_RESPONDENT_GUID"])
def test_one_exclusion_upload_exists_after_a_lost_reply(
    client: AsyncClient, ref: TargetGroupRef, fault: str, ids: int, entity: str
) -> None:
    arm(client, fault, "exclude")
    ended = client.run(client.exclusions.upload(ref, people(ids), entity_type=entity)).wait()
    assert fired(client) == 1
    assert len(jobs(client, "EXCLUSION_UPLOAD")) == 1
    assert ended.state in {JobState.DONE, JobState.PARTIAL}
    assert ended.saved_count is not None
    assert 0.9 * ids < ended.saved_count <= ids
    assert (ended.state is JobState.DONE) == (ended.saved_count == ids)


@pytest.mark.sampled(every=5)
@pytest.mark.parametrize("fault", ACTED + NOT_ACTED)
@pytest.mark.parametrize("ids", [20, 2_500], ids=["short-job", "long-job"])
def test_one_exclusion_removal_exists_after_a_lost_reply(
    client: AsyncClient, ref: TargetGroupRef, fault: str, ids: int
) -> None:
    client.run(client.exclusions.upload(ref, people(ids))).wait()
    arm(client, fault, "unexclude")
    job = client.run(client.exclusions.remove_all(ref))
    assert fired(client) == 1
    assert job.wait().saved_count == 0
    assert len(jobs(client, "EXCLUSION_REMOVAL")) == 1


@pytest.mark.parametrize("fault", ACTED + NOT_ACTED)
def test_one_report_exists_after_a_lost_reply(client: AsyncClient, project: str, fault: str) -> None:
    def request() -> Job:
        return client.run(
            client.reports.generate(
                "respondent-analysis", date(2026, 7, 1), date(2026, 8, 31), by="project", ids=[project]
            )
        )

    earlier = request()
    arm(client, fault, "report")
    later = request()
    assert fired(client) == 1
    assert set(client.sandbox.world.reports) == {earlier.handle.job_id, later.handle.job_id}
    assert len(client.sandbox.world.reports) == 2


@pytest.mark.parametrize("fault", ACTED + NOT_ACTED)
def test_one_reconciliation_exists_after_a_lost_reply(client: AsyncClient, fault: str) -> None:
    changes = [(synthetic_id("reconciled", number), 933) for number in range(3)]
    arm(client, fault, "reconcile")
    request = client.run(client.reconciliations.submit(changes))
    assert fired(client) == 1
    assert list(client.sandbox.world.reconciliations) == [request]
    (row,) = client.run(client.reconciliations.list())
    again = client.run(client.reconciliations.submit(changes[:1], name=row.name))
    assert again == request
    assert len(client.sandbox.world.reconciliations) == 1


@pytest.mark.parametrize("fault", ACTED + NOT_ACTED)
def test_one_project_exists_after_a_lost_reply(client: AsyncClient, fault: str) -> None:
    arm(client, fault, "project")
    made = client.run(client.projects.create("A project", MANAGER))
    assert list(client.sandbox.world.projects) == [made.id]


@pytest.mark.parametrize("fault", ACTED + NOT_ACTED)
def test_one_launch_exists_after_a_lost_reply(
    client: AsyncClient, ref: TargetGroupRef, plan: TargetGroupPlan, fault: str
) -> None:
    client.run(client.recontacts.upload(ref, people())).wait()
    arm(client, fault, "launch")
    job = client.run(client.fielding.launch(ref, plan.end_at))
    assert job.wait().state is JobState.DONE
    assert len(jobs(client, "LAUNCH")) == 1


GUARDED: dict[str, tuple[str, Callable[[AsyncClient, TargetGroupRef], Any], str]] = {
    "pause": ("pause_fielding_run", lambda client, ref: client.fielding.pause(ref), "paused"),
    "complete": ("complete_fielding_run", lambda client, ref: client.fielding.complete(ref), "completed"),
}


@pytest.mark.sampled(every=5)
@pytest.mark.parametrize("fault", [*ACTED, *NOT_ACTED, "stale-etag"])
@pytest.mark.parametrize("verb", GUARDED)
def test_a_guarded_act_takes_effect_once(
    client: AsyncClient, live_group: TargetGroupRef, verb: str, fault: str
) -> None:
    step, act, wanted = GUARDED[verb]
    before = client.run(client.fielding.run(live_group))
    arm(client, fault, step)
    after = client.run(act(client, live_group))
    assert fired(client) == 1
    assert after.status == wanted
    assert before is not None
    assert after.version == (before.version or 0) + 1
