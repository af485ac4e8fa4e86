"""Exclusions: uploaded lists, the project's completes, recent activity; and how they empty a recontact wave."""

from __future__ import annotations

import pytest

from cint_nb.domain import ids

DAY = 86_400


@pytest.fixture
def people() -> list[str]:
    return [ids.synthetic_id("keep out", number) for number in range(600)]


def live(stranger, group: str) -> dict[str, int]:
    stranger.log_in()
    told = stranger.get(f"{group}/performance").json()["respondent_analysis"]["live"]
    return {entry["label"]: entry["count"] for entry in told}


def listed(stranger, group: str) -> list[str]:
    return stranger.get(f"{group}/exclusions/rsid/paginated").json().get("data", [])


def exclude(stranger, group: str, lines: list[str], kind: str = "RSID"):
    file = {"file": ("out.csv", "\n".join(lines).encode(), "text/csv")}
    path = f"{group}/exclusions/jobs/upload-respondents-by-file"
    return stranger.ask("POST", path, params={"entity_type": kind}, files=file)


def test_an_exclusion_job_says_success_and_its_list_can_be_read(sandbox, stranger, people):
    group = stranger.group()
    reply = exclude(stranger, group, [*people[:10], people[0], "broken"])
    assert reply.status_code == 201
    job = f"{group}/exclusions/jobs/upload-respondents-by-file/{reply.json()['job_id']}"
    assert stranger.get(job).json()["status"] == "Processing"
    assert exclude(stranger, group, people).status_code == 409
    sandbox.advance(30)
    told = stranger.get(job).json()
    assert told["status"] == "Success"
    assert "failed" in told["partial_success_reason"]["description"]
    assert sorted(listed(stranger, group)) == sorted(people[:10])
    overview = stranger.get(f"{group}/exclusions/overview").json()
    assert overview == {"saved_respondent_ids_count": 10, "saved_access_respondent_guids_count": 0}


def test_exclusions_and_recontacts_have_a_lock_each(stranger, people):
    group = stranger.group()
    assert exclude(stranger, group, people).status_code == 201
    assert stranger.upload(group, people).status_code == 201


def test_response_ids_cannot_be_excluded(stranger, people):
    assert exclude(stranger, stranger.group(), people, "RID").status_code == 400


def test_both_kinds_of_exclusions_are_removed_apart(sandbox, stranger, people):
    group = stranger.group()
    for kind in ("RSID", "ACCESS_RESPONDENT_GUID"):
        exclude(stranger, group, people[:7], kind)
        sandbox.advance(30)
    path = f"{group}/exclusions/jobs/remove-all-respondents"
    job = stranger.ask("POST", path, params={"entity_type": "RSID"}).json()["job_id"]
    sandbox.advance(30)
    assert stranger.get(f"{path}/{job}").json()["status"] == "Success"
    overview = stranger.get(f"{group}/exclusions/overview").json()
    assert overview == {"saved_respondent_ids_count": 0, "saved_access_respondent_guids_count": 7}
    assert len(stranger.get(f"{group}/exclusions/access-respondent-guid/paginated").json()["data"]) == 7


def test_excluded_people_are_turned_away(sandbox, stranger, people):
    group = stranger.group(completes_goal=500)
    exclude(stranger, group, people)
    stranger.stored(group, people)
    stranger.launched(group)
    sandbox.advance(2 * DAY)
    told = live(stranger, group)
    assert set(told) == {"Excluded"}
    assert told["Excluded"] > 20


@pytest.mark.parametrize("enabled", [True, False])
def test_project_exclusion_blocks_a_recontact_of_the_same_project(sandbox, stranger, people, enabled):
    project = stranger.project()
    first = stranger.group(project, completes_goal=550)
    stranger.stored(first, people)
    stranger.launched(first)
    sandbox.advance(4 * DAY)
    completes = live(stranger, first)["Complete"]
    period = {"start_at": "2026-09-06T08:00:00Z", "end_at": "2026-09-20T08:00:00Z"}
    second = stranger.group(project, exclusion={"enabled": enabled}, completes_goal=550, fielding_specification=period)
    assert len(listed(stranger, second)) == (completes if enabled else 0)
    stranger.stored(second, people)
    stranger.launched(second, "2026-09-20T08:00:00Z")
    sandbox.advance(4 * DAY)
    assert (live(stranger, second).get("Excluded", 0) > 0) == enabled


def test_the_policy_of_several_groups_is_set_at_once(stranger):
    project = stranger.project()
    groups = [stranger.group(project) for _ in range(2)]
    body = [{"target_group_id": group.rsplit("/", 1)[1], "project_exclusion_enabled": True} for group in groups]
    assert stranger.ask("PUT", f"{project}/exclusion-policies", json=body).status_code == 204
    for group in groups:
        assert stranger.get(f"{group}/exclusion-policy").json()["project_exclusion_enabled"] is True
    body[0]["target_group_id"] = "0" * 26
    body[1]["project_exclusion_enabled"] = False
    assert stranger.ask("PUT", f"{project}/exclusion-policies", json=body).status_code == 400
    told = stranger.get(f"{project}/exclusions").json()
    assert [entry["project_exclusion_enabled"] for entry in told] == [True, True], "refused as a whole"


@pytest.mark.parametrize(
    ("duration", "status"), [("P1D", 204), ("P396D", 204), ("P13W", 204), ("P397D", 400), ("PT5H", 400), ("P0D", 400)]
)
def test_activity_exclusions_take_1_to_396_days(stranger, duration, status):
    project = stranger.project()
    group, other = stranger.group(project), stranger.group(project)
    rule = {"type": "target-group", "id": other.rsplit("/", 1)[1], "duration": duration}
    reply = stranger.ask(
        "PUT", f"{group}/respondent-activity-exclusions", json={"respondent_activity_exclusions": [rule]}
    )
    assert reply.status_code == status


def test_activity_exclusions_overwrite_default_to_90_days_and_never_name_themselves(stranger):
    project = stranger.project()
    group, other = stranger.group(project), stranger.group(project)
    path = f"{group}/respondent-activity-exclusions"
    rule = {"type": "target-group", "id": other.rsplit("/", 1)[1]}
    stranger.ask("PUT", path, json={"respondent_activity_exclusions": [rule, rule]})
    stranger.ask("PUT", path, json={"respondent_activity_exclusions": [rule]})
    assert stranger.get(path).json() == {"respondent_activity_exclusions": [{**rule, "duration": "P90D"}]}
    for kind, own in (("target-group", group), ("project", project), ("target-group", "/" + "0" * 26)):
        body = {"respondent_activity_exclusions": [{"type": kind, "id": own.rsplit("/", 1)[1]}]}
        assert stranger.ask("PUT", path, json=body).status_code == 400
