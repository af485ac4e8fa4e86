"""Fielding: states and their transitions, entity tags, who enters, and the metrics that result."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from cint_nb.domain import ids
from cint_nb.sandbox.sandbox import Sandbox
from tests.support.plans import PRICE_VALUE
from tests.support.sandbox_client import RawClient

DAY = 86_400


@pytest.fixture
def people() -> list[str]:
    return [ids.synthetic_id("field", number) for number in range(1_500)]


@pytest.fixture
def wave(raw_client: RawClient, people: list[str]) -> tuple[str, str]:
    """Return a live wave of 1,500 people that will not fill."""
    group = raw_client.group(completes_goal=1_400)
    raw_client.saved_ids(group, people)
    return group, raw_client.launched(group)


def act(raw_client: RawClient, run: str, action: str, etag: str = "") -> httpx.Response:
    etag = etag or raw_client.get(run).headers["etag"]
    return raw_client.post(f"{run}/{action}", headers={"If-Match": etag})


def performance(raw_client: RawClient, group: str) -> dict[str, Any]:
    raw_client.log_in()
    body: dict[str, Any] = raw_client.get(f"{group}/performance").json()
    return body


def test_a_run_has_an_etag_that_changes_with_each_move(raw_client: RawClient, wave: tuple[str, str]) -> None:
    _, run = wave
    tags = [raw_client.get(run).headers["etag"]]
    for action in ("pause", "resume", "complete"):
        reply = act(raw_client, run, action)
        assert reply.status_code == 204
        tags.append(raw_client.get(run).headers["etag"])
        assert reply.headers["etag"] == tags[-1]
    assert len(set(tags)) == 4
    assert tags[0].startswith('W/"')


def test_an_outdated_etag_is_412_and_a_missing_one_400(raw_client: RawClient, wave: tuple[str, str]) -> None:
    _, run = wave
    old = raw_client.get(run).headers["etag"]
    act(raw_client, run, "pause")
    reply = act(raw_client, run, "resume", old)
    assert reply.status_code == 412
    assert reply.json()["object"] == "precondition_failed_error"
    assert raw_client.get(run).json()["status"] == "paused"
    assert raw_client.post(f"{run}/resume").status_code == 400


@pytest.mark.parametrize(
    ("moves", "allowed"),
    [
        ([], {"pause", "complete"}),
        (["pause"], {"resume"}),
        (["complete"], {"relaunch"}),
        (["complete", "relaunch"], {"pause", "complete"}),
    ],
)
def test_each_state_allows_its_own_moves_and_the_rest_is_422(
    raw_client: RawClient, people: list[str], moves: list[str], allowed: set[str]
) -> None:
    for action in ("pause", "resume", "complete", "relaunch", "launch-now"):
        group = raw_client.group(completes_goal=100)
        raw_client.saved_ids(group, people[:300])
        run = raw_client.launched(group)
        for move in moves:
            assert act(raw_client, run, move).is_success
        reply = act(raw_client, run, action)
        assert reply.is_success == (action in allowed), action
        if not reply.is_success:
            assert reply.status_code == 422
            assert reply.json()["object"] == "invalid_state_error"


def test_transitions_are_told_for_all_chosen_groups_together(raw_client: RawClient, wave: tuple[str, str]) -> None:
    group, run = wave
    project = group.split("/target-groups")[0]
    path = f"{project}/compute-target-group-transitions"
    body = raw_client.post(path, {}).json()
    assert body["target_groups"] == [group.rsplit("/", 1)[1]]
    assert (body["is_pause_allowed"], body["is_finish_allowed"], body["is_resume_allowed"]) == (True, True, False)
    act(raw_client, run, "pause")
    body = raw_client.post(path, {"filters": {"status": ["paused"]}}).json()
    assert (body["is_pause_allowed"], body["is_finish_allowed"], body["is_resume_allowed"]) == (False, False, True)
    assert not raw_client.post(path, {"filters": {"status": ["draft"]}}).json()["is_launch_allowed"], "none chosen"


def test_a_target_group_has_at_most_one_run_and_is_launched_once(
    sandbox: Sandbox, raw_client: RawClient, wave: tuple[str, str]
) -> None:
    group, run = wave
    path = f"{group}/fielding-run-jobs/launch-from-draft"
    job = raw_client.post(path, {"end_fielding_at": "2026-09-13T08:00:00Z"}, key="twice").headers["location"]
    assert job.startswith("/demand/accounts/101/"), "relative, without /v1"
    sandbox.advance(30)
    body = raw_client.get(job).json()
    assert body["status"] == "Failed"
    assert body["failure_reason"]["code"] == "TargetGroupInvalidState"
    runs = raw_client.get(f"{group}/fielding-runs").json()
    assert [entry["id"] for entry in runs["data"]] == [run.rsplit("/", 1)[1]]
    assert runs["has_more"] is False


def test_a_scheduled_run_goes_live_at_its_start_and_ends_at_its_end(
    sandbox: Sandbox, raw_client: RawClient, people: list[str]
) -> None:
    group = raw_client.group(completes_goal=1_400)
    raw_client.saved_ids(group, people)
    period = {"start_fielding_at": "2026-09-02T08:00:00Z", "end_fielding_at": "2026-09-04T08:00:00Z"}
    job = raw_client.post(f"{group}/fielding-run-jobs/schedule-from-draft", period, key="s").headers["location"]
    sandbox.advance(30)
    run = f"{group}/fielding-runs/{raw_client.get(job).json()['created_fielding_run_id']}"
    assert raw_client.get(run).json()["status"] == "scheduled"
    assert performance(raw_client, group)["entrants"] == 0
    sandbox.advance(DAY)
    raw_client.log_in()
    assert raw_client.get(run).json()["status"] == "live"
    sandbox.advance(2 * DAY)
    assert performance(raw_client, group)["entrants"] > 0
    assert raw_client.get(run).json()["status"] == "completed"
    changes = raw_client.get(f"{group}/changelog").json()["changelog"]
    assert changes[0]["changes"][0]["reason_code"] == "past_scheduled_end_date"


def test_launching_a_scheduled_run_now_keeps_its_length(
    sandbox: Sandbox, raw_client: RawClient, people: list[str]
) -> None:
    group = raw_client.group()
    raw_client.saved_ids(group, people[:100])
    period = {"start_fielding_at": "2026-09-02T08:00:00Z", "end_fielding_at": "2026-09-04T08:00:00Z"}
    job = raw_client.post(f"{group}/fielding-run-jobs/schedule-from-draft", period, key="s").headers["location"]
    sandbox.advance(30)
    run = f"{group}/fielding-runs/{raw_client.get(job).json()['created_fielding_run_id']}"
    reply = act(raw_client, run, "launch-now")
    assert reply.status_code == 200
    now = sandbox.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert reply.json()["start_fielding_at"] == now
    assert reply.json()["end_fielding_at"] == now.replace("2026-09-01", "2026-09-03")
    assert raw_client.get(run).json()["status"] == "live"


def test_a_run_that_starts_in_the_past_or_ends_before_it_starts_is_refused(raw_client: RawClient) -> None:
    group = raw_client.group()
    path = f"{group}/fielding-run-jobs/schedule-from-draft"
    for begin, end in (
        ("2026-08-01T08:00:00Z", "2026-09-04T08:00:00Z"),
        ("2026-09-05T08:00:00Z", "2026-09-04T08:00:00Z"),
    ):
        assert raw_client.post(path, {"start_fielding_at": begin, "end_fielding_at": end}, key=begin).status_code == 400
    launch = f"{group}/fielding-run-jobs/launch-from-draft"
    assert raw_client.post(launch, {"end_fielding_at": "2026-08-31T08:00:00Z"}, key="x").status_code == 400


def test_people_come_fast_at_first_then_in_a_long_tail(
    sandbox: Sandbox, raw_client: RawClient, wave: tuple[str, str]
) -> None:
    group, _ = wave
    days = []
    for _ in range(10):
        sandbox.advance(DAY)
        days.append(performance(raw_client, group)["completes"])
    gains = [later - earlier for earlier, later in zip([0, *days], days, strict=False)]
    assert gains[0] > gains[3] > 0
    assert sum(gains[:3]) > sum(gains[3:])
    assert 0.2 < days[-1] / 1_500 < 0.6, "a believable share of the people asked"


def test_the_figures_of_one_moment_agree_with_each_other(
    sandbox: Sandbox, raw_client: RawClient, wave: tuple[str, str]
) -> None:
    group, _ = wave
    sandbox.advance(3 * DAY)
    body = performance(raw_client, group)
    overview = raw_client.get(f"{group}/overview").json()
    live = {entry["label"]: entry["count"] for entry in body["respondent_analysis"]["live"]}
    assert sum(live.values()) == body["entrants"]
    assert live["Complete"] == body["completes"] == overview["progress"]["current_completes"]
    assert float(body["completes_cost"]["value"]) == pytest.approx(body["completes"] * float(PRICE_VALUE))
    assert overview["conversion_rate"] == pytest.approx(body["completes"] / body["entrants"], abs=1e-4)
    assert body["prescreens"] == body["entrants"] - live.get("Screened out", 0) - live.get("Duplicate", 0)
    assert body["respondent_analysis"]["test"] == []
    intervals = raw_client.get(f"{group}/completes-aggregated-by-interval").json()["aggregated_completes_intervals"]
    counts = [entry["count"] for entry in intervals]
    assert counts == sorted(counts), "cumulative"
    assert counts[-1] == body["completes"]


def test_nobody_enters_while_a_run_is_paused(sandbox: Sandbox, raw_client: RawClient, wave: tuple[str, str]) -> None:
    group, run = wave
    sandbox.advance(DAY / 4)
    act(raw_client, run, "pause")
    sandbox.advance(3_600)  # those inside may finish
    before = performance(raw_client, group)
    sandbox.advance(DAY)
    assert performance(raw_client, group)["entrants"] == before["entrants"]
    assert act(raw_client, run, "resume").is_success
    sandbox.advance(DAY)
    assert performance(raw_client, group)["entrants"] > before["entrants"]


def test_a_filled_group_completes_itself_and_can_go_on_with_a_higher_goal(
    sandbox: Sandbox, raw_client: RawClient, people: list[str]
) -> None:
    group = raw_client.group(completes_goal=20)
    raw_client.saved_ids(group, people)
    run = raw_client.launched(group)
    sandbox.advance(DAY)
    body = performance(raw_client, group)
    assert body["completes"] == 20
    assert raw_client.get(run).json()["status"] == "completed"
    assert act(raw_client, run, "relaunch").status_code == 422, "the goal is reached"
    goal = f"{group}/profiles/completes-goal"
    assert raw_client.ask("PUT", goal, json={"completes_goal": 1_000_000}).status_code == 422, "above the saved ids"
    assert raw_client.ask("PUT", goal, json={"completes_goal": 40}).json()["completes_goal"] == 40
    assert act(raw_client, run, "relaunch").status_code == 204
    sandbox.advance(DAY)
    assert performance(raw_client, group)["completes"] == 40


def test_a_lowered_goal_completes_a_group_at_once(
    sandbox: Sandbox, raw_client: RawClient, wave: tuple[str, str]
) -> None:
    group, run = wave
    sandbox.advance(DAY)
    raw_client.log_in()
    raw_client.ask("PUT", f"{group}/profiles/completes-goal", json={"completes_goal": 1})
    assert raw_client.get(run).json()["status"] == "completed"


def test_the_same_seed_gives_the_same_wave_and_another_seed_another(people: list[str]) -> None:
    from tests.support.sandbox_client import RawClient

    def field(seed: int) -> dict[str, Any]:
        raw_client = RawClient(Sandbox(seed=seed))
        raw_client.log_in()
        group = raw_client.group(completes_goal=700)
        raw_client.saved_ids(group, people)
        raw_client.launched(group)
        raw_client.sandbox.advance(2 * DAY)
        body = performance(raw_client, group)
        raw_client.close()
        return body

    first, again, other = field(5), field(5), field(6)
    assert first == again
    assert first != other


def test_the_same_people_come_to_a_wave_made_some_seconds_later(people: list[str]) -> None:
    from tests.support.sandbox_client import RawClient

    def field(late: float) -> list[Any]:
        raw_client = RawClient(Sandbox(seed=5))
        raw_client.log_in()
        raw_client.sandbox.advance(late)
        group = raw_client.group(completes_goal=700)
        raw_client.saved_ids(group, people)
        raw_client.launched(group)
        raw_client.sandbox.advance(6 * DAY)
        live: list[Any] = performance(raw_client, group)["respondent_analysis"]["live"]
        raw_client.close()
        return live

    assert field(0) == field(7) == field(0.25)


def test_when_one_looks_does_not_change_what_happens(people: list[str]) -> None:
    from tests.support.sandbox_client import RawClient

    # Excluded one by one while the first people enter: who is kept out depends on the moment, never on the polls.
    excluded = "\n".join([*people, *(ids.synthetic_id("others", number) for number in range(20_000))]).encode()

    def field(pauses: list[float]) -> dict[str, Any]:
        raw_client = RawClient(Sandbox(seed=5))
        raw_client.log_in()
        group = raw_client.group(completes_goal=700)
        raw_client.saved_ids(group, people)
        raw_client.launched(group)
        path = f"{group}/exclusions/jobs/upload-respondents-by-file"
        files = {"file": ("out.csv", excluded, "text/csv")}
        assert raw_client.ask("POST", path, params={"entity_type": "RSID"}, files=files).status_code == 201
        for seconds in pauses:
            raw_client.sandbox.advance(seconds)
            body = performance(raw_client, group)
        raw_client.close()
        return body

    once, often = field([DAY]), field([60.0] * 120 + [DAY - 7_200])
    assert once == often
    assert {entry["label"]: entry["count"] for entry in once["respondent_analysis"]["live"]}["Excluded"] > 0


def test_fresh_respondents_fill_an_adhoc_group(sandbox: Sandbox, raw_client: RawClient) -> None:
    group = raw_client.group(study_type_code="adhoc", allocations=None, completes_goal=200)
    raw_client.launched(group)
    sandbox.advance(6 * DAY)
    body = performance(raw_client, group)
    assert body["completes"] == 200
    live = {entry["label"]: entry["count"] for entry in body["respondent_analysis"]["live"]}
    assert live["Screened out"] / body["entrants"] == pytest.approx(0.2, abs=0.08), "one in five, as expected"
