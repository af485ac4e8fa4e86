"""The recontact guide as a table of tests: one row a statement, in the guide's order, in our words."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cint_nb.domain import ids, limits
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.server import ServedSandbox
from cint_nb.sandbox.world.id_store import to_id_bytes
from cint_nb.sandbox.world.population import UploadResult
from tests.sandbox.exchange_views import ServedRawClient
from tests.support.plans import LIVE_URL, RECONTACT_TEMPLATE
from tests.support.sandbox_client import RawClient
from tests.support.statements import (
    REMOVALS,
    UNKNOWN,
    UPLOADS,
    Statement,
    StatementTable,
    all_saved,
    curl,
    job_of,
    passed,
    people,
    removed,
    visits_of,
    wave,
)

GUIDE = says = StatementTable("R")
UPLOAD_KEYS = [
    "job_id",
    "created_at",
    "completed_at",
    "status",
    "created_by",
    "failure_reason",
    "partial_success_reason",
    "job_trace_id",
]


@pytest.fixture
def over_http() -> Iterator[RawClient]:
    with ServedSandbox(Sandbox(seed=1)) as served:
        client = ServedRawClient(served)
        client.log_in()
        yield client
        client.close()


@pytest.mark.sampled(every=4)
@pytest.mark.parametrize("row", GUIDE.rows, ids=str)
def test_the_statement_holds(row: Statement, raw_client: RawClient) -> None:
    row.check(raw_client)


@pytest.mark.thorough
@pytest.mark.parametrize("row", GUIDE.rows, ids=str)
def test_the_statement_holds_over_http(row: Statement, over_http: RawClient) -> None:
    row.check(over_http)


def test_so_many_statements_were_counted() -> None:
    assert len(GUIDE.rows) == 120
    assert len({row.says for row in GUIDE.rows}) == len(GUIDE.rows)


def create(client: RawClient, **changes: Any) -> Any:
    return client.post(f"{client.project()}/target-groups", client.draft_body(**changes))


def performance(client: RawClient, group: str) -> dict[str, Any]:
    return dict(client.get(f"{group}/performance").json())


# --- what it is, and what it needs -----------------------------------------------------------------------------------


@says("a recontact target group surveys the people of a list that was made before, and nobody else")
def _(client: RawClient) -> None:
    group = wave(client, 150, completes_goal=100)
    client.launched(group)
    passed(client, days=8)
    assert performance(client, group)["entrants"]
    entered = {visit.key for visit in client.sandbox.world.groups[group.rsplit("/", 1)[1]].fieldwork.visits}
    assert entered
    assert entered <= set(map(to_id_bytes, people(client, 150)))


@says("the same people can be surveyed again, wave after wave")
def _(client: RawClient) -> None:
    project, listed = client.project(), people(client, 100)
    for number in (2, 3):
        group = client.group(project, name=f"Tracker, wave {number}", completes_goal=80)
        assert job_of(client, group, listed)["status"] == "Completed"
        assert client.saved(group) == 100
        client.launched(group)


@says("a project must exist first")
def _(client: RawClient) -> None:
    path = f"{client.account}/projects/{UNKNOWN}/target-groups"
    assert client.post(path, client.draft_body()).status_code == 404


@says("the respondent file may be a .txt file")
def _(client: RawClient) -> None:
    assert client.upload(client.group(), people(client, 3), name="respondents.txt").status_code == 201


@says("the respondent file may be a .csv file")
def _(client: RawClient) -> None:
    assert client.upload(client.group(), people(client, 3), name="respondents.csv").status_code == 201


@says("its lines hold one identifier each, without a header")
def _(client: RawClient) -> None:
    group = client.group()
    assert job_of(client, group, people(client, 20))["partial_success_reason"] is None
    assert client.saved(group) == 20


@says("identifiers may be respondent ids")
def _(client: RawClient) -> None:
    group = client.group()
    job_of(client, group, people(client, 20), "RSID")
    assert client.saved(group) == 20


@says("identifiers may be response ids")
def _(client: RawClient) -> None:
    group = client.group()
    job_of(client, group, visits_of(client, 20), "RID")
    assert client.saved(group) == 20


# --- step 1: the draft -----------------------------------------------------------------------------------------------


@says("the new target group is a draft")
def _(client: RawClient) -> None:
    project = client.project()
    group = client.group(project)
    [listed] = client.get(f"{project}/target-groups").json()["target_groups"]
    assert (listed["id"], listed["status"]) == (group.rsplit("/", 1)[1], "draft")


@says("study_type_code recontact makes it one of recontacts")
def _(client: RawClient) -> None:
    assert client.get(client.group()).json()["study_type_code"] == "recontact"
    assert client.upload(client.group(study_type_code="adhoc", allocations=None), people(client, 1)).status_code == 400


@says("its other fields are those of any target group")
def _(client: RawClient) -> None:
    shared = client.draft_body()
    assert create(client, study_type_code="adhoc", allocations=None).status_code == 201
    assert {"name", "locale", "completes_goal", "fielding_specification"} <= set(shared)


@says("live_url must contain the variable of the recontacted respondent")
def _(client: RawClient) -> None:
    reply = create(client, live_url="https://your-survey.com?RID=[%RID%]")
    assert reply.status_code == 400
    assert [one["name"] for one in reply.json()["invalid_params"]] == ["LiveUrl"]


@says("test_url must contain it too")
def _(client: RawClient) -> None:
    reply = create(client, test_url="https://your-survey.com?RID=[%RID%]")
    assert reply.status_code == 400
    assert [one["name"] for one in reply.json()["invalid_params"]] == ["TestUrl"]


@says("the example's address is accepted")
def _(client: RawClient) -> None:
    assert create(client, live_url=LIVE_URL, test_url=LIVE_URL).status_code == 201


@says("the address reaches the survey with the variable in it")
def _(client: RawClient) -> None:
    assert limits.RECONTACT_URL_VARIABLE in client.get(client.group()).json()["live_url"]


@says("profiling may be left out")
def _(client: RawClient) -> None:
    assert "profiling" not in client.draft_body()
    assert create(client).status_code == 201


@says("profiling may be given, and then filters the list")
def _(client: RawClient) -> None:
    condition = {"object": "selection", "question_id": 43, "option": "1"}
    profile = {"object": "regular", "quotas_enabled": False, "targets": [{"conditions": [condition]}]}
    profiling = {"profile_adjustment_type": "percentage", "profiles": [profile]}
    everybody, filtered = (wave(client, 400, completes_goal=390, **more) for more in ({}, {"profiling": profiling}))
    for group in (everybody, filtered):
        client.launched(group)
    passed(client, days=7)
    assert 0 < performance(client, filtered)["prescreens"] < performance(client, everybody)["prescreens"]


@says("the recontact allocation template must be used: none is refused")
def _(client: RawClient) -> None:
    assert create(client, allocations=None).json()["invalid_params"][0]["name"] == "Allocations"


@says("the recontact allocation template must be used: another is refused")
def _(client: RawClient) -> None:
    templates = client.get("/demand/allocation-templates?page_size=100").json()["templates"]
    other = next(one["template_id"] for one in templates if one["template_id"] != RECONTACT_TEMPLATE)
    assert (
        create(client, allocations={"template_id": other}).json()["invalid_params"][0]["name"].startswith("Allocations")
    )


@says("allocations.template_id names it when the target group is created")
def _(client: RawClient) -> None:
    assert create(client, allocations={"template_id": "01JH0PEGPC4Z8RDD304E2SF0EW"}).status_code == 201


@says("allocations.template_id names it when the target group is updated")
def _(client: RawClient) -> None:
    group = client.group()
    assert client.ask("PUT", group, json=client.draft_body()).status_code == 204
    assert client.ask("PUT", group, json=client.draft_body(allocations=None)).status_code == 400


@says("the goal may be as many as the uploaded ids")
def _(client: RawClient) -> None:
    assert client.launched(wave(client, 50, completes_goal=50))


@says("the goal may be fewer than the uploaded ids")
def _(client: RawClient) -> None:
    assert client.launched(wave(client, 50, completes_goal=49))


@says("the goal cannot be higher than the uploaded ids: a draft is not changed to it")
def _(client: RawClient) -> None:
    group = wave(client, 50, completes_goal=50)
    assert client.ask("PUT", group, json=client.draft_body(completes_goal=51)).status_code == 400


@says("the goal cannot be higher than the uploaded ids: the target group is not launched with it")
def _(client: RawClient) -> None:
    group = wave(client, 50, completes_goal=51)
    body = {"end_fielding_at": "2026-09-13T08:00:00.000Z"}
    location = client.post(f"{group}/fielding-run-jobs/launch-from-draft", body, key="one").headers["location"]
    client.sandbox.advance(60)
    job = client.get(location).json()
    assert job["status"] == "Failed"
    assert "51" in job["failure_reason"]["description"]


@says("the goal cannot be higher than the uploaded ids: it is not raised above them later")
def _(client: RawClient) -> None:
    group = wave(client, 50, completes_goal=50)
    client.launched(group)
    assert client.ask("PUT", f"{group}/profiles/completes-goal", json={"completes_goal": 51}).status_code == 422


@says("exclusion.enabled false switches exclusions off")
def _(client: RawClient) -> None:
    group = client.group(exclusion={"enabled": False})
    assert client.get(f"{group}/exclusion-policy").json()["project_exclusion_enabled"] is False


def second_wave(client: RawClient, *, enabled: bool) -> int:
    """Return how many of those who completed a first wave complete a second one in the same project."""
    project, listed = client.project(), people(client, 300)
    first = client.group(project, completes_goal=290)
    client.saved_ids(first, listed)
    run = client.launched(first)
    passed(client, days=6)
    client.post(f"{run}/complete", headers={"If-Match": client.get(run).headers["etag"]})
    visits = client.sandbox.world.groups[first.rsplit("/", 1)[1]].fieldwork.visits
    done = {visit.key for visit in visits if visit.outcome == "complete"}
    begins = {"start_at": "2026-09-08T08:00:00.000Z", "end_at": "2026-09-20T08:00:00.000Z"}
    second = client.group(project, completes_goal=50, fielding_specification=begins, exclusion={"enabled": enabled})
    client.saved_ids(second, [one for one in listed if to_id_bytes(one) in done])
    client.launched(second, end="2026-09-20T08:00:00.000Z")
    passed(client, days=5)
    return int(performance(client, second)["completes"])


@says("with exclusions, people of the same project are kept from entering")
def _(client: RawClient) -> None:
    assert second_wave(client, enabled=True) == 0


@says("without exclusions, people of the same project enter")
def _(client: RawClient) -> None:
    assert second_wave(client, enabled=False) > 10


@says("a draft that was created is answered with 201")
def _(client: RawClient) -> None:
    assert create(client).status_code == 201


@says("the reply is JSON with the target_group_id")
def _(client: RawClient) -> None:
    reply = create(client)
    assert reply.headers["content-type"] == "application/json"
    assert ids.is_ulid(reply.json()["target_group_id"])


# --- step 2: the upload ----------------------------------------------------------------------------------------------


@says("the upload endpoint lies below account, project and target group")
def _(client: RawClient) -> None:
    group = client.group()
    assert re.fullmatch(r"/demand/accounts/101/projects/[0-9A-Z]{26}/target-groups/[0-9A-Z]{26}", group)
    assert client.upload(group, people(client, 1)).status_code == 201


@says("another account_id, project_id or target_group_id leads elsewhere")
def _(client: RawClient) -> None:
    group, other = client.group(), client.project("Another")
    for wrong, status in (
        (group.replace("/101/", "/102/"), 403),
        (f"{other}/target-groups/{group.rsplit('/', 1)[1]}", 404),
        (f"{group.rsplit('/', 1)[0]}/{UNKNOWN}", 404),
    ):
        assert client.upload(wrong, people(client, 1)).status_code == status


@says("entity_type is required")
def _(client: RawClient) -> None:
    file = {"file": ("respondents.csv", people(client, 1)[0].encode(), "text/csv")}
    reply = client.ask("POST", f"{client.group()}/{UPLOADS}", files=file)
    assert reply.status_code == 400
    assert reply.json()["invalid_params"][0]["name"] == "entity_type"


@says("entity_type RSID means respondent ids")
def _(client: RawClient) -> None:
    group = client.group()
    job_of(client, group, people(client, 5), "RSID")
    assert all_saved(client, group) == people(client, 5)


@says("entity_type RESPONDENT_ID means respondent ids")
def _(client: RawClient) -> None:
    group = client.group()
    job_of(client, group, people(client, 5), "RESPONDENT_ID")
    assert all_saved(client, group) == people(client, 5)


@says("entity_type RID means response ids")
def _(client: RawClient) -> None:
    group = client.group()
    job_of(client, group, visits_of(client, 5), "RID")
    assert all_saved(client, group) == people(client, 5)


@says("entity_type RESPONSE_ID means response ids")
def _(client: RawClient) -> None:
    group = client.group()
    job_of(client, group, visits_of(client, 5), "RESPONSE_ID")
    assert all_saved(client, group) == people(client, 5)


@says("the printed curl command uploads a file")
def _(client: RawClient) -> None:
    group = client.group()
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "respondents.csv").write_text("\n".join(people(client, 20)) + "\n")
        path = f"{group}/{UPLOADS}?entity_type=RSID"
        reply = curl(
            client,
            "POST",
            path,
            "-L",
            "-H",
            "Accept: application/json",
            "-F",
            "file=@respondents.csv",
            folder=Path(name),
        )
    assert reply.status_code == 201
    client.sandbox.advance(60)
    assert client.saved(group) == 20


@says("an upload is answered with 201")
def _(client: RawClient) -> None:
    assert client.upload(client.group(), people(client, 1)).status_code == 201


@says("the reply to an upload is JSON with a job_id")
def _(client: RawClient) -> None:
    reply = client.upload(client.group(), people(client, 1)).json()
    assert list(reply) == ["job_id"]
    assert ids.is_ulid(reply["job_id"])


@says("the endpoint answers at once, and the job completes later")
def _(client: RawClient) -> None:
    group = client.group()
    job = f"{group}/{UPLOADS}/{client.upload(group, people(client, 20)).json()['job_id']}"
    assert client.get(job).json()["status"] == "Processing"
    client.sandbox.advance(60)
    assert client.get(job).json()["status"] == "Completed"


@says("only one job runs at a time for a target group: another target group is not concerned")
def _(client: RawClient) -> None:
    project = client.project()
    group, other = client.group(project), client.group(project)
    assert client.upload(group, people(client, 20)).status_code == 201
    assert client.upload(other, people(client, 20)).status_code == 201


@says("an upload while another job of the target group runs is a 409 conflict")
def _(client: RawClient) -> None:
    group = client.group()
    client.upload(group, people(client, 20))
    reply = client.upload(group, people(client, 20))
    assert (reply.status_code, reply.json()["object"]) == (409, "conflict_error")


@says("a file of another format than .csv or .txt is refused")
def _(client: RawClient) -> None:
    group = client.group()
    for name in ("respondents.xlsx", "respondents", "respondents.csv.zip", "respondents.json"):
        assert client.upload(group, people(client, 1), name=name).status_code == 400


@says("a header row is not accepted as an identifier")
def _(client: RawClient) -> None:
    group = client.group()
    job = job_of(client, group, ["RSID", *people(client, 20)])
    assert "20 respondent IDs uploaded successfully, 1 failed" in job["partial_success_reason"]["description"]


@says("a line with two identifiers is not accepted")
def _(client: RawClient) -> None:
    group = client.group()
    first, second, third = people(client, 3)
    job = job_of(client, group, [first, f"{second},{third}"])
    assert "1 respondent IDs uploaded successfully, 1 failed" in job["partial_success_reason"]["description"]


@says("only one file can be uploaded per job")
def _(client: RawClient) -> None:
    part = ("respondents.csv", people(client, 1)[0].encode(), "text/csv")
    reply = client.ask("POST", f"{client.group()}/{UPLOADS}?entity_type=RSID", files=[("file", part), ("file", part)])
    assert reply.status_code == 400


@says("a file of 5 MB is refused")
def _(client: RawClient) -> None:
    assert client.upload(client.group(), ["x" * 4_999_999]).status_code == 413


@says("a file of less than 5 MB is taken")
def _(client: RawClient) -> None:
    assert client.upload(client.group(), ["x" * 4_999_998]).status_code == 201


@says("100,000 ids can be saved in all")
def _(client: RawClient) -> None:
    assert client.upload(client.group(), [ids.synthetic_id("cap", n) for n in range(100_000)]).status_code == 201


@says("more than 100,000 ids, existing and new together, cannot")
def _(client: RawClient) -> None:
    group = wave(client, 10)
    reply = client.upload(group, [ids.synthetic_id("cap", n) for n in range(99_991)])
    assert reply.status_code == 400
    assert client.saved(group) == 10


@says("response ids are mapped, and saved as respondent ids")
def _(client: RawClient) -> None:
    group, sent = client.group(), visits_of(client, 20)
    job_of(client, group, sent, "RID")
    assert set(all_saved(client, group)) == set(people(client, 20))
    assert not set(all_saved(client, group)) & set(sent)


# --- step 3: the job -------------------------------------------------------------------------------------------------


@says("the status endpoint takes the job_id")
def _(client: RawClient) -> None:
    group = client.group()
    job_id = client.upload(group, people(client, 1)).json()["job_id"]
    assert client.get(f"{group}/{UPLOADS}/{job_id}").json()["job_id"] == job_id


@says("the job belongs to its target group")
def _(client: RawClient) -> None:
    project = client.project()
    job_id = client.upload(client.group(project), people(client, 1)).json()["job_id"]
    assert client.get(f"{client.group(project)}/{UPLOADS}/{job_id}").status_code == 404


@says("the printed curl command reads the job")
def _(client: RawClient) -> None:
    job = client.saved_ids(client.group(), people(client, 5))
    assert curl(client, "GET", job, "-L", "-H", "Accept: application/json").json()["status"] == "Completed"


@says("status is Processing until it is Completed")
def _(client: RawClient) -> None:
    group = client.group()
    job = f"{group}/{UPLOADS}/{client.upload(group, people(client, 900)).json()['job_id']}"
    seen = []
    for _ in range(30):
        seen.append(client.get(job).json()["status"])
        client.sandbox.advance(5)
    assert sorted(set(seen), key=seen.index) == ["Processing", "Completed"]


@says("status is Processing until it is Failed, where the job fails")
def _(client: RawClient) -> None:
    client.sandbox.faults.arm("job-fails@upload")
    group = client.group()
    job = f"{group}/{UPLOADS}/{client.upload(group, people(client, 20)).json()['job_id']}"
    assert client.get(job).json()["status"] == "Processing"
    client.sandbox.advance(60)
    assert client.get(job).json()["status"] == "Failed"


@says("the reply has the printed fields, in the printed order")
def _(client: RawClient) -> None:
    assert list(job_of(client, client.group(), people(client, 5))) == UPLOAD_KEYS


@says("created_at and completed_at are UTC times in whole seconds")
def _(client: RawClient) -> None:
    job = job_of(client, client.group(), people(client, 5))
    for name in ("created_at", "completed_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", job[name])
    assert job["completed_at"] > job["created_at"]


@says("created_by is the id of a user")
def _(client: RawClient) -> None:
    users = {user["id"] for user in client.get("/accounts/101/users").json()["users"]}
    assert job_of(client, client.group(), people(client, 5))["created_by"] in users


@says("failure_reason and job_trace_id are null for a completed job")
def _(client: RawClient) -> None:
    job = job_of(client, client.group(), people(client, 5))
    assert (job["failure_reason"], job["job_trace_id"]) == (None, None)


@says("a partial success is described by the printed sentence, with both counts")
def _(client: RawClient) -> None:
    lines = [*people(client, 500), *["not an id"] * 6, *[""] * 4]
    assert job_of(client, client.group(), lines)["partial_success_reason"] == {
        "description": "Upload partially successful. 500 respondent IDs uploaded successfully, "
        "10 failed (invalid or empty)."
    }


@says("the ids of a partial success are processed, but for those that failed")
def _(client: RawClient) -> None:
    group = client.group()
    job_of(client, group, [*people(client, 20), "not an id"])
    assert all_saved(client, group) == people(client, 20)


@says("a file of only the ids that failed can be sent again")
def _(client: RawClient) -> None:
    group, later = client.group(), people(client, 5, UploadResult.ACCEPTED_LATER)
    job_of(client, group, [*people(client, 20), *later])
    assert client.saved(group) == 20
    assert job_of(client, group, later)["partial_success_reason"] is None
    assert client.saved(group) == 25


# --- step 4: the launch ----------------------------------------------------------------------------------------------


@says("once ids are uploaded, the target group can be launched")
def _(client: RawClient) -> None:
    assert client.launched(wave(client, 20))


@says("the launch makes a live target group of a draft")
def _(client: RawClient) -> None:
    group = wave(client, 20)
    assert client.get(f"{group}/overview").status_code == 404
    client.launched(group)
    assert client.get(f"{group}/overview").json()["status"] == "live"


@says("when the launch job has succeeded, the target group is live")
def _(client: RawClient) -> None:
    group = wave(client, 20)
    path, body = f"{group}/fielding-run-jobs/launch-from-draft", {"end_fielding_at": "2026-09-13T08:00:00.000Z"}
    job = client.post(path, body, key="one").headers["location"]
    states = []
    for _ in range(12):
        states.append((client.get(job).json()["status"], client.get(f"{group}/overview").status_code))
        client.sandbox.advance(2)
    assert set(states) == {("Processing", 404), ("Completed", 200)}


@says("a live target group collects responses from the people of its list")
def _(client: RawClient) -> None:
    group = wave(client, 200, completes_goal=30)
    client.launched(group)
    passed(client, days=5)
    assert performance(client, group)["completes"] == 30


# --- removing --------------------------------------------------------------------------------------------------------


@says("a single recontact cannot be removed")
def _(client: RawClient) -> None:
    group = wave(client, 20)
    for path in (f"{group}/recontacts/rsids", f"{group}/recontacts/rsids/{UNKNOWN}"):
        assert client.ask("DELETE", path).status_code in (404, 405)
    assert client.saved(group) == 20


@says("all recontacts of a target group can be removed at once")
def _(client: RawClient) -> None:
    group = wave(client, 20)
    assert client.get(removed(client, group)).json()["status"] == "Completed"
    assert client.saved(group) == 0
    assert all_saved(client, group) == []


@says("they can be added back")
def _(client: RawClient) -> None:
    group = wave(client, 20)
    removed(client, group)
    assert job_of(client, group, people(client, 20))["partial_success_reason"] is None
    assert client.saved(group) == 20


@says("the removal endpoint lies below account, project and target group")
def _(client: RawClient) -> None:
    group = client.group()
    assert client.post(f"{group.rsplit('/', 1)[0]}/{UNKNOWN}/{REMOVALS}").status_code == 404
    assert client.post(f"{group}/{REMOVALS}").status_code == 201


@says("the printed curl command removes, without an Accept header")
def _(client: RawClient) -> None:
    group = wave(client, 5)
    assert curl(client, "POST", f"{group}/{REMOVALS}", "-L").status_code == 201
    client.sandbox.advance(60)
    assert client.saved(group) == 0


@says("a removal is answered with 201")
def _(client: RawClient) -> None:
    assert client.post(f"{wave(client, 5)}/{REMOVALS}").status_code == 201


@says("the reply to a removal is JSON with a job_id")
def _(client: RawClient) -> None:
    reply = client.post(f"{wave(client, 5)}/{REMOVALS}").json()
    assert list(reply) == ["job_id"]
    assert ids.is_ulid(reply["job_id"])


@says("the removal endpoint answers at once, and the job completes later")
def _(client: RawClient) -> None:
    group = wave(client, 20)
    job = f"{group}/{REMOVALS}/{client.post(f'{group}/{REMOVALS}').json()['job_id']}"
    assert client.get(job).json()["status"] == "Processing"
    assert client.saved(group) == 20
    client.sandbox.advance(60)
    assert client.get(job).json()["status"] == "Completed"


@says("a removal while an upload runs is an error")
def _(client: RawClient) -> None:
    group = client.group()
    client.upload(group, people(client, 20))
    assert client.post(f"{group}/{REMOVALS}").status_code == 409


@says("a removal while another removal runs is an error")
def _(client: RawClient) -> None:
    group = wave(client, 20)
    client.post(f"{group}/{REMOVALS}")
    assert client.post(f"{group}/{REMOVALS}").status_code == 409


@says("an upload while a removal runs is an error")
def _(client: RawClient) -> None:
    group = wave(client, 20)
    client.post(f"{group}/{REMOVALS}")
    assert client.upload(group, people(client, 20)).status_code == 409


@says("the status endpoint of a removal takes the job_id")
def _(client: RawClient) -> None:
    job = removed(client, wave(client, 5))
    assert client.get(job).json()["job_id"] == job.rsplit("/", 1)[1]
    assert client.get(f"{job.rsplit('/', 1)[0]}/{UNKNOWN}").status_code == 404


@says("the printed curl command reads the removal")
def _(client: RawClient) -> None:
    job = removed(client, wave(client, 5))
    assert curl(client, "GET", job, "-L", "-H", "Accept: application/json").json()["status"] == "Completed"


@says("the removal has the printed fields, in the printed order")
def _(client: RawClient) -> None:
    job = client.get(removed(client, wave(client, 5))).json()
    assert list(job) == [name for name in UPLOAD_KEYS if name != "partial_success_reason"]


@says("the times of a removal have milliseconds")
def _(client: RawClient) -> None:
    job = client.get(removed(client, wave(client, 5))).json()
    for name in ("created_at", "completed_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", job[name])


@says("failure_reason and job_trace_id are null for a completed removal")
def _(client: RawClient) -> None:
    job = client.get(removed(client, wave(client, 5))).json()
    assert (job["status"], job["failure_reason"], job["job_trace_id"]) == ("Completed", None, None)


@says("a removal that failed says why")
def _(client: RawClient) -> None:
    client.sandbox.faults.arm("job-fails@remove")
    group = wave(client, 20)
    job = client.get(removed(client, group)).json()
    assert job["status"] == "Failed"
    assert {"code", "description"} <= set(job["failure_reason"])
    assert job["job_trace_id"]
    assert client.saved(group) == 20


# --- managing uploads ------------------------------------------------------------------------------------------------


def uploaded(client: RawClient, count: int) -> str:
    """Return a target group with so many uploads of one person each."""
    group = client.group()
    for number in range(count):
        client.upload(group, people(client, 1), name=f"file-{number}.csv")
        client.sandbox.advance(30)
    return group


@says("all uploads of a target group are listed")
def _(client: RawClient) -> None:
    group = uploaded(client, 3)
    listed = client.get(f"{group}/{UPLOADS}").json()["data"]
    assert sorted(job["file_name"] for job in listed) == [f"file-{number}.csv" for number in range(3)]


@says("page_size may be 1")
def _(client: RawClient) -> None:
    assert len(client.get(f"{uploaded(client, 2)}/{UPLOADS}?page_size=1").json()["data"]) == 1


@says("page_size may be 1,000")
def _(client: RawClient) -> None:
    assert client.get(f"{client.group()}/{UPLOADS}?page_size=1000").status_code == 200


@says("page_size may not be less than 1 or more than 1,000")
def _(client: RawClient) -> None:
    for size in (0, -1, 1001):
        assert client.get(f"{client.group()}/{UPLOADS}?page_size={size}").status_code == 400


@says("left out, page_size is not 10, the default of other lists")
def _(client: RawClient) -> None:
    assert len(client.get(f"{uploaded(client, 12)}/{UPLOADS}").json()["data"]) == 12


@says("start_after takes the next_cursor of the page before")
def _(client: RawClient) -> None:
    path = f"{uploaded(client, 3)}/{UPLOADS}?page_size=2"
    first = client.get(path).json()
    second = client.get(f"{path}&start_after={first['next_cursor']}").json()
    assert [job["file_name"] for job in first["data"] + second["data"]] == ["file-2.csv", "file-1.csv", "file-0.csv"]


@says("the printed curl command lists the uploads")
def _(client: RawClient) -> None:
    reply = curl(client, "GET", f"{uploaded(client, 2)}/{UPLOADS}", "-L", "-H", "Accept: application/json")
    assert len(reply.json()["data"]) == 2


@says("the reply holds data and next_cursor")
def _(client: RawClient) -> None:
    assert list(client.get(f"{uploaded(client, 1)}/{UPLOADS}").json()) == ["data", "next_cursor"]


@says("an upload is listed with the printed fields, in the printed order")
def _(client: RawClient) -> None:
    [job] = client.get(f"{uploaded(client, 1)}/{UPLOADS}").json()["data"]
    assert list(job) == ["job_id", "file_name", "status", "created_at", "created_by"]


@says("a running upload is listed as Processing")
def _(client: RawClient) -> None:
    group = uploaded(client, 1)
    client.upload(group, people(client, 20), name="now.txt")
    listed = client.get(f"{group}/{UPLOADS}").json()["data"]
    assert [(job["file_name"], job["status"]) for job in listed] == [
        ("now.txt", "Processing"),
        ("file-0.csv", "Completed"),
    ]


@says("the newest upload comes first")
def _(client: RawClient) -> None:
    listed = client.get(f"{uploaded(client, 5)}/{UPLOADS}").json()["data"]
    assert [job["file_name"] for job in listed] == [f"file-{number}.csv" for number in range(4, -1, -1)]


@says("a page may hold fewer than page_size although there are more")
def _(client: RawClient) -> None:
    client.sandbox.faults.arm("short-page@list")
    page = client.get(f"{uploaded(client, 6)}/{UPLOADS}?page_size=4").json()
    assert len(page["data"]) < 4
    assert page["next_cursor"]


@says("next_cursor alone says whether there are more")
def _(client: RawClient) -> None:
    path = f"{uploaded(client, 4)}/{UPLOADS}?page_size=2"
    cursor = client.get(path).json()["next_cursor"]
    last = client.get(f"{path}&start_after={cursor}").json()
    assert (len(last["data"]), last["next_cursor"]) == (2, None)


@says("the uploaded file can be downloaded as it was")
def _(client: RawClient) -> None:
    content = [*people(client, 3), "broken, but kept", ""]
    job = client.saved_ids(client.group(), content)
    assert client.get(f"{job}/download").content == ("\n".join(content) + "\n").encode()


@says("a corrected copy of the download can be uploaded")
def _(client: RawClient) -> None:
    group = client.group()
    job = client.saved_ids(group, [*people(client, 3), "broken"])
    fixed = client.get(f"{job}/download").text.replace("broken", people(client, 4)[3]).split()
    assert job_of(client, group, fixed)["partial_success_reason"] is None
    assert client.saved(group) == 4


@says("the download endpoint lies below its job")
def _(client: RawClient) -> None:
    job = client.saved_ids(client.group(), people(client, 1))
    assert client.get(f"{job.rsplit('/', 1)[0]}/{UNKNOWN}/download").status_code == 404
    assert client.get(f"{job}/download").status_code == 200


@says("the printed curl command downloads, without an Accept header")
def _(client: RawClient) -> None:
    job = client.saved_ids(client.group(), people(client, 3))
    assert curl(client, "GET", f"{job}/download", "-L").content.split() == [one.encode() for one in people(client, 3)]


@says("the file comes as a binary attachment")
def _(client: RawClient) -> None:
    reply = client.get(f"{client.saved_ids(client.group(), people(client, 1))}/download")
    assert reply.headers["content-type"] == "application/octet-stream"
    assert reply.headers["content-disposition"].startswith("attachment;")


@says("Content-Disposition holds a name made of the uploaded file's")
def _(client: RawClient) -> None:
    job = client.saved_ids(client.group(), people(client, 1), name="Welle 2 (März).csv")
    assert client.get(f"{job}/download").headers["content-disposition"] == 'attachment; filename="Welle_2__M_rz_.csv"'


# --- troubleshooting -------------------------------------------------------------------------------------------------


def minutes(client: RawClient, job: str) -> float:
    for half in range(60):
        if client.get(job).json()["status"] != "Processing":
            return half / 2
        client.sandbox.advance(30)
    raise AssertionError("the job never ended")


def upload_many(client: RawClient, group: str, count: int) -> str:
    lines = [ids.synthetic_id("many", number) for number in range(count)]
    return f"{group}/{UPLOADS}/{client.upload(group, lines).json()['job_id']}"


@says("a job takes longer the more ids it has")
def _(client: RawClient) -> None:
    project = client.project()
    spans = [minutes(client, upload_many(client, client.group(project), count)) for count in (100, 2_000, 6_000)]
    assert spans == sorted(spans)
    assert spans[2] > 3 * spans[1] / 2 > spans[0]


@says("10,000 new respondents take 10 to 15 minutes to store")
def _(client: RawClient) -> None:
    assert 10 <= minutes(client, upload_many(client, client.group(), 10_000)) <= 15


@says("10,000 respondents take 3 to 5 minutes to remove")
def _(client: RawClient) -> None:
    group = client.group()
    upload_many(client, group, 10_000)
    client.sandbox.advance(1_000)
    job = f"{group}/{REMOVALS}/{client.post(f'{group}/{REMOVALS}').json()['job_id']}"
    assert 2.5 <= minutes(client, job) <= 5  # 3 % of the ids were rejected, and need not be removed


@says("404: an id in the path is wrong, or there is no such thing")
def _(client: RawClient) -> None:
    group = client.group()
    for path in (
        f"{group}/{UPLOADS}/{UNKNOWN}",
        f"{group}/{REMOVALS}/{UNKNOWN}",
        f"{group[:-26]}{UNKNOWN}/recontacts/rsids",
    ):
        reply = client.get(path)
        assert (reply.status_code, reply.json()["object"]) == (404, "not_found_error")


@says("400: the request is malformed")
def _(client: RawClient) -> None:
    reply = client.upload(client.group(), people(client, 1), entity_type="PEOPLE")
    assert (reply.status_code, reply.json()["object"]) == (400, "bad_request_error")


@says("400: the file has the wrong format")
def _(client: RawClient) -> None:
    group = client.group()
    assert client.upload(group, people(client, 1), name="people.pdf").status_code == 400
    assert client.upload(group, ["\0\1\2"]).status_code == 400
    assert client.upload(group, [""]).status_code == 400


@says("401: there is no token")
def _(client: RawClient) -> None:
    path = f"{client.group()}/recontacts/overview"
    del client.headers["Authorization"]
    reply = client.get(path)
    assert (reply.status_code, reply.json()["object"]) == (401, "authorization_error")


@says("401: the token is invalid")
def _(client: RawClient) -> None:
    path = f"{client.group()}/recontacts/overview"
    assert client.get(path, headers={"Authorization": "Bearer eyJhbGciOiJIUzI1NiJ9.e30.x"}).status_code == 401


@says("401: the token has expired")
def _(client: RawClient) -> None:
    path = f"{client.group()}/recontacts/overview"
    client.sandbox.advance(86_500)
    assert client.get(path).status_code == 401


@says("403: you may not do this")
def _(client: RawClient) -> None:
    assert client.get("/demand/accounts/999/projects").status_code == 403


@says("409: another job runs; once it is over, a new one can start")
def _(client: RawClient) -> None:
    group = client.group()
    client.upload(group, people(client, 20))
    assert client.upload(group, people(client, 20)).status_code == 409
    client.sandbox.advance(60)
    assert client.upload(group, people(client, 20)).status_code == 201


@says("413: the file has 5 MB or more")
def _(client: RawClient) -> None:
    reply = client.upload(client.group(), ["x" * 5_500_000])
    assert (reply.status_code, reply.json()["object"]) == (413, "content_too_large_error")


@says("415: the request is no multipart upload")
def _(client: RawClient) -> None:
    path = f"{client.group()}/{UPLOADS}?entity_type=RSID"
    for kind in ("text/csv", "application/json", "application/octet-stream"):
        reply = client.ask("POST", path, content=b"x\n", headers={"Content-Type": kind})
        assert (reply.status_code, reply.json()["object"]) == (415, "unsupported_media_type_error")


@says("curl -F sets the header with the right boundary by itself")
def _(client: RawClient) -> None:
    group = client.group()
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "yourfile.csv").write_text(people(client, 1)[0])
        path = f"{group}/{UPLOADS}?entity_type=RSID"
        assert curl(client, "POST", path, "-F", "file=@yourfile.csv", folder=Path(name)).status_code == 201


@says("415: the header was set by hand without the right boundary")
def _(client: RawClient) -> None:
    path = f"{client.group()}/{UPLOADS}?entity_type=RSID"
    body = b'--abc\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nx\r\n--abc--\r\n'
    for kind in ("multipart/form-data", "multipart/form-data; boundary=xyz"):
        assert client.ask("POST", path, content=body, headers={"Content-Type": kind}).status_code == 415
