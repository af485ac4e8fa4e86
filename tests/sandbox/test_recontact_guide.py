"""Recontacts as a raw HTTP client finds them: a whole wave, and the siblings of what the recontact guide states."""

from __future__ import annotations

import pytest

from cint_nb.domain import ids
from cint_nb.sandbox.sandbox import Sandbox
from tests.support.sandbox_client import RawClient

UPLOAD = "recontacts/jobs/upload-respondents-by-file"


def test_a_wave_runs_from_draft_to_removed_as_the_guide_tells_it(
    sandbox: Sandbox, raw_client: RawClient, good_ids: list[str]
) -> None:
    group = raw_client.group(completes_goal=50)
    lines = ["RSID", *good_ids[:500], "not an id,second column", ""]
    job = raw_client.saved_ids(group, lines)
    body = raw_client.get(job).json()
    assert body["status"] == "Completed"
    assert body["partial_success_reason"] == {
        "description": "Upload partially successful. "
        "500 respondent IDs uploaded successfully, 3 failed (invalid or empty)."
    }
    assert list(body) == [
        "job_id",
        "created_at",
        "completed_at",
        "status",
        "created_by",
        "failure_reason",
        "partial_success_reason",
        "job_trace_id",
    ]
    assert raw_client.saved(group) == 500
    run = raw_client.launched(group)
    sandbox.advance(3 * 86_400)
    raw_client.log_in()  # a token lives 24 hours
    overview = raw_client.get(f"{group}/overview").json()
    assert overview["progress"]["current_completes"] == 50
    assert overview["status"] == "completed"
    performance = raw_client.get(f"{group}/performance").json()
    assert performance["completes"] == 50
    assert performance["entrants"] > 50
    assert raw_client.get(run).json()["status"] == "completed"
    removal = raw_client.post(f"{group}/recontacts/jobs/remove-all-rsids")
    assert removal.status_code == 201
    sandbox.advance(300)
    job = raw_client.get(f"{group}/recontacts/jobs/remove-all-rsids/{removal.json()['job_id']}").json()
    assert job["status"] == "Completed"
    assert "partial_success_reason" not in job
    assert raw_client.saved(group) == 0


def test_saved_ids_grow_little_by_little(sandbox: Sandbox, raw_client: RawClient) -> None:
    group = raw_client.group()
    raw_client.upload(group, [ids.synthetic_id("grow", number) for number in range(2_000)])
    counts = []
    for _ in range(20):
        sandbox.advance(10)
        counts.append(raw_client.saved(group))
    assert counts == sorted(counts)
    assert len({count for count in counts if count}) > 8


@pytest.mark.parametrize("word", ["", "rsid", "PID"])
def test_other_entity_types_are_refused(raw_client: RawClient, good_ids: list[str], word: str) -> None:
    reply = raw_client.upload(raw_client.group(), good_ids[:5], word)
    assert reply.status_code == 400
    assert reply.json()["invalid_params"][0]["name"] == "entity_type"


def test_response_ids_are_mapped_and_saved_as_respondent_ids(sandbox: Sandbox, raw_client: RawClient) -> None:
    group = raw_client.group()
    people = sandbox.world.population
    from cint_nb.sandbox.world.population import rid_of

    visits = [rid_of(1, 3, visit) for visit in range(3)]  # person 3 of seed 1 has four known visits
    raw_client.saved_ids(group, visits, entity_type="RID")
    saved = raw_client.get(f"{group}/recontacts/rsids").json()["data"]
    assert saved == [people.rsid(3)]
    assert not set(saved) & set(visits)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("RSID", "a header row"),
        ("{id},2026-01-01", "a second column"),
        ("{id},", "a trailing comma"),
        ('"{id}"', "quotes"),
        ("\ufeff{id}", "a byte-order mark"),
        ("", "a blank line"),
        ("{id}0", "a digit too many"),
    ],
)
def test_a_line_that_is_not_one_identifier_counts_as_failed(
    raw_client: RawClient, good_ids: list[str], line: str, why: str
) -> None:
    group = raw_client.group()
    job = raw_client.saved_ids(group, [good_ids[0], line.replace("{id}", good_ids[1]), good_ids[2]])
    body = raw_client.get(job).json()["partial_success_reason"]["description"]
    assert "2 respondent IDs uploaded successfully, 1 failed" in body, why
    assert raw_client.get(f"{group}/recontacts/rsids").json()["data"] == [good_ids[0], good_ids[2]]


def test_upper_case_and_windows_line_ends_are_no_mistake(raw_client: RawClient, good_ids: list[str]) -> None:
    group = raw_client.group()
    job = raw_client.saved_ids(group, [f"{one.upper()}\r" for one in good_ids[:4]])
    assert raw_client.get(job).json()["partial_success_reason"] is None
    assert raw_client.get(f"{group}/recontacts/rsids").json()["data"] == good_ids[:4]


def test_ids_sent_twice_are_saved_once(raw_client: RawClient, good_ids: list[str]) -> None:
    group = raw_client.group()
    raw_client.saved_ids(group, good_ids[:3] + good_ids[:3])
    raw_client.saved_ids(group, good_ids[:5])
    assert raw_client.get(f"{group}/recontacts/rsids").json()["data"] == good_ids[:5]


def test_a_rejected_id_may_succeed_when_only_the_failed_ones_are_sent_again(raw_client: RawClient) -> None:
    group = raw_client.group()
    people = [ids.synthetic_id("again", number) for number in range(1_000)]
    raw_client.saved_ids(group, people)
    first = set(raw_client.get(f"{group}/recontacts/rsids?page_size=100").json()["data"])
    assert first
    saved = raw_client.saved(group)
    kept = read_all(raw_client, group)
    failed = [one for one in people if one not in kept]
    assert len(kept) == saved
    raw_client.saved_ids(group, failed)
    again = read_all(raw_client, group) - kept
    assert 0 < len(again) < len(failed), "some succeed at the second attempt, some never"
    raw_client.saved_ids(group, [one for one in failed if one not in again])
    assert read_all(raw_client, group) == kept | again


def read_all(raw_client: RawClient, group: str) -> set[str]:
    found: list[str] = []
    cursor = ""
    while True:
        params = {"page_size": 100, **({"start_after": cursor} if cursor else {})}
        page = raw_client.get(f"{group}/recontacts/rsids", params=params).json()
        found += page.get("data", [])
        cursor = page.get("next_cursor", "")
        if not cursor:
            break
    assert len(found) == len(set(found))
    return set(found)


def test_upload_jobs_are_listed_newest_first_and_a_short_page_is_not_the_end(
    sandbox: Sandbox, raw_client: RawClient, good_ids: list[str]
) -> None:
    group = raw_client.group()
    made = []
    for number in range(45):
        made.append(raw_client.upload(group, good_ids[:1], name=f"file-{number}.csv").json()["job_id"])
        sandbox.advance(60)
    page = raw_client.get(f"{group}/{UPLOAD}").json()
    assert list(page["data"][0]) == ["job_id", "file_name", "status", "created_at", "created_by"]
    assert len(page["data"]) < 45
    rest = raw_client.get(f"{group}/{UPLOAD}", params={"start_after": page["next_cursor"]}).json()
    assert [job["job_id"] for job in page["data"] + rest["data"]] == made[::-1]
    assert rest["next_cursor"] is None


def test_removing_prevents_any_more_respondents_from_entering(sandbox: Sandbox, raw_client: RawClient) -> None:
    group = raw_client.group(completes_goal=300)
    raw_client.saved_ids(group, [ids.synthetic_id("enter", number) for number in range(2_000)])
    raw_client.launched(group)
    sandbox.advance(3_600)
    assert raw_client.get(f"{group}/performance").json()["entrants"] > 0
    raw_client.post(f"{group}/recontacts/jobs/remove-all-rsids")
    entrants = raw_client.get(f"{group}/performance").json()["entrants"]
    sandbox.advance(2 * 86_400)
    raw_client.log_in()
    assert raw_client.get(f"{group}/performance").json()["entrants"] == entrants
    raw_client.saved_ids(group, [ids.synthetic_id("more", number) for number in range(500)])
    sandbox.advance(86_400 / 2)
    assert raw_client.get(f"{group}/performance").json()["entrants"] > entrants, "ids can be added back"


@pytest.mark.parametrize(
    "path",
    ["", "overview", "recontacts/overview", "recontacts/rsids", f"{UPLOAD}/01BTGNYV6HRNK8K8VKZASZCFP1"],
)
def test_unknown_ids_in_the_path_are_404(raw_client: RawClient, path: str) -> None:
    project = raw_client.project()
    reply = raw_client.get(f"{project}/target-groups/01BTGNYV6HRNK8K8VKZASZCFP1/{path}".rstrip("/"))
    assert reply.status_code == 404
    assert reply.json()["object"] == "not_found_error"
