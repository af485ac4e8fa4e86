"""Exclusions: uploaded lists, the project's completes, recent activity; and how they empty a recontact wave."""

from __future__ import annotations

import httpx
import pytest

from cint_nb.domain import ids
from cint_nb.sandbox.sandbox import Sandbox
from tests.support.sandbox_client import RawClient

DAY = 86_400


@pytest.fixture
def people() -> list[str]:
    return [ids.synthetic_id("keep out", number) for number in range(600)]


def live(raw_client: RawClient, group: str) -> dict[str, int]:
    raw_client.log_in()
    live = raw_client.get(f"{group}/performance").json()["respondent_analysis"]["live"]
    return {entry["label"]: entry["count"] for entry in live}


def listed(raw_client: RawClient, group: str) -> list[str]:
    data: list[str] = raw_client.get(f"{group}/exclusions/rsid/paginated").json().get("data", [])
    return data


def exclude(raw_client: RawClient, group: str, lines: list[str], kind: str = "RSID") -> httpx.Response:
    file = {"file": ("out.csv", "\n".join(lines).encode(), "text/csv")}
    path = f"{group}/exclusions/jobs/upload-respondents-by-file"
    return raw_client.ask("POST", path, params={"entity_type": kind}, files=file)


def test_an_exclusion_job_says_success_and_its_list_can_be_read(
    sandbox: Sandbox, raw_client: RawClient, people: list[str]
) -> None:
    group = raw_client.group()
    reply = exclude(raw_client, group, [*people[:10], people[0], "broken"])
    assert reply.status_code == 201
    job = f"{group}/exclusions/jobs/upload-respondents-by-file/{reply.json()['job_id']}"
    assert raw_client.get(job).json()["status"] == "Processing"
    assert exclude(raw_client, group, people).status_code == 409
    sandbox.advance(30)
    body = raw_client.get(job).json()
    assert body["status"] == "Success"
    assert "failed" in body["partial_success_reason"]["description"]
    assert sorted(listed(raw_client, group)) == sorted(people[:10])
    overview = raw_client.get(f"{group}/exclusions/overview").json()
    assert overview == {"saved_respondent_ids_count": 10, "saved_access_respondent_guids_count": 0}


def test_exclusions_and_recontacts_have_a_lock_each(raw_client: RawClient, people: list[str]) -> None:
    group = raw_client.group()
    assert exclude(raw_client, group, people).status_code == 201
    assert raw_client.upload(group, people).status_code == 201


def test_response_ids_cannot_be_excluded(raw_client: RawClient, people: list[str]) -> None:
    assert exclude(raw_client, raw_client.group(), people, "RID").status_code == 400


def test_both_kinds_of_exclusions_are_removed_apart(sandbox: Sandbox, raw_client: RawClient, people: list[str]) -> None:
    group = raw_client.group()
    for kind in ("RSID", "ACCESS_RESPONDENT_GUID"):
        exclude(raw_client, group, people[:7], kind)
        sandbox.advance(30)
    path = f"{group}/exclusions/jobs/remove-all-respondents"
    job = raw_client.ask("POST", path, params={"entity_type": "RSID"}).json()["job_id"]
    sandbox.advance(30)
    assert raw_client.get(f"{path}/{job}").json()["status"] == "Success"
    overview = raw_client.get(f"{group}/exclusions/overview").json()
    assert overview == {"saved_respondent_ids_count": 0, "saved_access_respondent_guids_count": 7}
    assert len(raw_client.get(f"{group}/exclusions/access-respondent-guid/paginated").json()["data"]) == 7


def test_excluded_people_are_turned_away(sandbox: Sandbox, raw_client: RawClient, people: list[str]) -> None:
    group = raw_client.group(completes_goal=500)
    exclude(raw_client, group, people)
    raw_client.saved_ids(group, people)
    raw_client.launched(group)
    sandbox.advance(2 * DAY)
    counts = live(raw_client, group)
    assert set(counts) == {"Excluded"}
    assert counts["Excluded"] > 20


@pytest.mark.parametrize("enabled", [True, False])
def test_project_exclusion_blocks_a_recontact_of_the_same_project(
    sandbox: Sandbox, raw_client: RawClient, people: list[str], enabled: bool
) -> None:
    project = raw_client.project()
    first = raw_client.group(project, completes_goal=550)
    raw_client.saved_ids(first, people)
    raw_client.launched(first)
    sandbox.advance(4 * DAY)
    completes = live(raw_client, first)["Complete"]
    period = {"start_at": "2026-09-06T08:00:00Z", "end_at": "2026-09-20T08:00:00Z"}
    second = raw_client.group(
        project, exclusion={"enabled": enabled}, completes_goal=550, fielding_specification=period
    )
    assert len(listed(raw_client, second)) == (completes if enabled else 0)
    raw_client.saved_ids(second, people)
    raw_client.launched(second, "2026-09-20T08:00:00Z")
    sandbox.advance(4 * DAY)
    assert (live(raw_client, second).get("Excluded by project", 0) > 0) == enabled


def test_whoever_completed_one_group_of_an_exclusion_group_is_kept_out_of_the_others(
    sandbox: Sandbox, raw_client: RawClient, people: list[str]
) -> None:
    project = raw_client.project()
    first = raw_client.group(project, completes_goal=550)
    raw_client.saved_ids(first, people)
    raw_client.launched(first)
    sandbox.advance(4 * DAY)
    raw_client.log_in()
    period = {"start_at": "2026-09-06T08:00:00Z", "end_at": "2026-09-20T08:00:00Z"}
    second = raw_client.group(project, completes_goal=550, fielding_specification=period)
    groups = f"{raw_client.account}/exclusion-groups"
    made = raw_client.post(groups, {"tag": "Tracker", "description": "2026"}).json()["exclusion_group_id"]
    members = {"data": [group.rsplit("/", 1)[1] for group in (first, second)]}
    assert raw_client.post(f"{groups}/{made}/target-groups/add", members).status_code == 204
    path = f"{raw_client.account}/target-groups/{members['data'][1]}/exclusion-groups"
    assert [row["tag"] for row in raw_client.get(path).json()["data"]] == ["Tracker"]
    assert listed(raw_client, second) == [], "the list of excluded respondents does not show it"
    raw_client.saved_ids(second, people)
    raw_client.launched(second, "2026-09-20T08:00:00Z")
    sandbox.advance(4 * DAY)
    ends = live(raw_client, second)
    assert ends.get("Excluded by activity", 0) > 10, ends


def test_an_exclusion_group_has_target_groups_that_exist_and_loses_them(raw_client: RawClient) -> None:
    group = raw_client.group().rsplit("/", 1)[1]
    groups = f"{raw_client.account}/exclusion-groups"
    made = raw_client.post(groups, {"tag": "Tracker", "description": "2026"}).json()["exclusion_group_id"]
    members = f"{groups}/{made}/target-groups"
    assert raw_client.post(f"{members}/add", {"data": ["01BTGNYV6HRNK8K8VKZASZCFP0"]}).status_code == 400
    assert raw_client.post(f"{members}/add", {"data": [group, group]}).status_code == 204
    of_group = f"{raw_client.account}/target-groups/{group}/exclusion-groups"
    assert len(raw_client.get(of_group).json()["data"]) == 1
    raw_client.post(f"{members}/remove", {"data": [group]})
    assert raw_client.get(of_group).json()["data"] == []


def test_the_policy_of_several_groups_is_set_at_once(raw_client: RawClient) -> None:
    project = raw_client.project()
    groups = [raw_client.group(project) for _ in range(2)]
    body = [{"target_group_id": group.rsplit("/", 1)[1], "project_exclusion_enabled": True} for group in groups]
    assert raw_client.ask("PUT", f"{project}/exclusion-policies", json=body).status_code == 204
    for group in groups:
        assert raw_client.get(f"{group}/exclusion-policy").json()["project_exclusion_enabled"] is True
    body[0]["target_group_id"] = "0" * 26
    body[1]["project_exclusion_enabled"] = False
    assert raw_client.ask("PUT", f"{project}/exclusion-policies", json=body).status_code == 400
    policies = raw_client.get(f"{project}/exclusions").json()
    assert [entry["project_exclusion_enabled"] for entry in policies] == [True, True], "refused as a whole"


@pytest.mark.parametrize(
    ("duration", "status"), [("P1D", 204), ("P396D", 204), ("P13W", 204), ("P397D", 400), ("PT5H", 400), ("P0D", 400)]
)
def test_activity_exclusions_take_1_to_396_days(raw_client: RawClient, duration: str, status: int) -> None:
    project = raw_client.project()
    group, other = raw_client.group(project), raw_client.group(project)
    rule = {"type": "target-group", "id": other.rsplit("/", 1)[1], "duration": duration}
    reply = raw_client.ask(
        "PUT", f"{group}/respondent-activity-exclusions", json={"respondent_activity_exclusions": [rule]}
    )
    assert reply.status_code == status


def test_activity_exclusions_overwrite_default_to_90_days_and_never_name_themselves(raw_client: RawClient) -> None:
    project = raw_client.project()
    group, other = raw_client.group(project), raw_client.group(project)
    path = f"{group}/respondent-activity-exclusions"
    rule = {"type": "target-group", "id": other.rsplit("/", 1)[1]}
    raw_client.ask("PUT", path, json={"respondent_activity_exclusions": [rule, rule]})
    raw_client.ask("PUT", path, json={"respondent_activity_exclusions": [rule]})
    assert raw_client.get(path).json() == {"respondent_activity_exclusions": [{**rule, "duration": "P90D"}]}
    for kind, own in (("target-group", group), ("project", project), ("target-group", "/" + "0" * 26)):
        body = {"respondent_activity_exclusions": [{"type": kind, "id": own.rsplit("/", 1)[1]}]}
        assert raw_client.ask("PUT", path, json=body).status_code == 400
