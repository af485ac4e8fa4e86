"""Fielding: states and their moves, entity tags, who enters, and what the figures then say."""

from __future__ import annotations

import pytest

from cint_nb.domain import ids
from cint_nb.sandbox.practice import Sandbox

DAY = 86_400


@pytest.fixture
def people() -> list[str]:
    return [ids.synthetic_id("field", number) for number in range(1_500)]


@pytest.fixture
def wave(stranger, people):
    """Return a live wave of 1,500 people that will not fill."""
    group = stranger.group(completes_goal=1_400)
    stranger.stored(group, people)
    return group, stranger.launched(group)


def act(stranger, run: str, action: str, etag: str = ""):
    etag = etag or stranger.get(run).headers["etag"]
    return stranger.post(f"{run}/{action}", headers={"If-Match": etag})


def figures(stranger, group: str) -> dict:
    stranger.log_in()
    return stranger.get(f"{group}/performance").json()


def test_a_run_has_an_etag_that_changes_with_each_move(stranger, wave):
    _, run = wave
    tags = [stranger.get(run).headers["etag"]]
    for action in ("pause", "resume", "complete"):
        reply = act(stranger, run, action)
        assert reply.status_code == 204
        tags.append(stranger.get(run).headers["etag"])
        assert reply.headers["etag"] == tags[-1]
    assert len(set(tags)) == 4
    assert tags[0].startswith('W/"')


def test_an_outdated_etag_is_412_and_a_missing_one_400(stranger, wave):
    _, run = wave
    old = stranger.get(run).headers["etag"]
    act(stranger, run, "pause")
    reply = act(stranger, run, "resume", old)
    assert reply.status_code == 412
    assert reply.json()["object"] == "precondition_failed_error"
    assert stranger.get(run).json()["status"] == "paused"
    assert stranger.post(f"{run}/resume").status_code == 400


@pytest.mark.parametrize(
    ("moves", "allowed"),
    [
        ([], {"pause", "complete"}),
        (["pause"], {"resume"}),
        (["complete"], {"relaunch"}),
        (["complete", "relaunch"], {"pause", "complete"}),
    ],
)
def test_each_state_allows_its_own_moves_and_the_rest_is_422(stranger, people, moves, allowed):
    for action in ("pause", "resume", "complete", "relaunch", "launch-now"):
        group = stranger.group(completes_goal=100)
        stranger.stored(group, people[:300])
        run = stranger.launched(group)
        for move in moves:
            assert act(stranger, run, move).is_success
        reply = act(stranger, run, action)
        assert reply.is_success == (action in allowed), action
        if not reply.is_success:
            assert reply.status_code == 422
            assert reply.json()["object"] == "invalid_state_error"


def test_transitions_are_told_for_all_chosen_groups_together(stranger, wave):
    group, run = wave
    project = group.split("/target-groups")[0]
    path = f"{project}/compute-target-group-transitions"
    told = stranger.post(path, {}).json()
    assert told["target_groups"] == [group.rsplit("/", 1)[1]]
    assert (told["is_pause_allowed"], told["is_finish_allowed"], told["is_resume_allowed"]) == (True, True, False)
    act(stranger, run, "pause")
    told = stranger.post(path, {"filters": {"status": ["paused"]}}).json()
    assert (told["is_pause_allowed"], told["is_finish_allowed"], told["is_resume_allowed"]) == (False, False, True)
    assert not stranger.post(path, {"filters": {"status": ["draft"]}}).json()["is_launch_allowed"], "none chosen"


def test_a_target_group_has_at_most_one_run_and_is_launched_once(sandbox, stranger, wave):
    group, run = wave
    path = f"{group}/fielding-run-jobs/launch-from-draft"
    job = stranger.post(path, {"end_fielding_at": "2026-09-13T08:00:00Z"}, key="twice").headers["location"]
    assert job.startswith("/demand/accounts/101/"), "relative, without /v1"
    sandbox.advance(30)
    told = stranger.get(job).json()
    assert told["status"] == "Failed"
    assert told["failure_reason"]["code"] == "TargetGroupInvalidState"
    runs = stranger.get(f"{group}/fielding-runs").json()
    assert [entry["id"] for entry in runs["data"]] == [run.rsplit("/", 1)[1]]
    assert runs["has_more"] is False


def test_a_scheduled_run_goes_live_at_its_start_and_ends_at_its_end(sandbox, stranger, people):
    group = stranger.group(completes_goal=1_400)
    stranger.stored(group, people)
    period = {"start_fielding_at": "2026-09-02T08:00:00Z", "end_fielding_at": "2026-09-04T08:00:00Z"}
    job = stranger.post(f"{group}/fielding-run-jobs/schedule-from-draft", period, key="s").headers["location"]
    sandbox.advance(30)
    run = f"{group}/fielding-runs/{stranger.get(job).json()['created_fielding_run_id']}"
    assert stranger.get(run).json()["status"] == "scheduled"
    assert figures(stranger, group)["entrants"] == 0
    sandbox.advance(DAY)
    stranger.log_in()
    assert stranger.get(run).json()["status"] == "live"
    sandbox.advance(2 * DAY)
    assert figures(stranger, group)["entrants"] > 0
    assert stranger.get(run).json()["status"] == "completed"
    changes = stranger.get(f"{group}/changelog").json()["changelog"]
    assert changes[0]["changes"][0]["reason_code"] == "past_scheduled_end_date"


def test_launching_a_scheduled_run_now_keeps_its_length(sandbox, stranger, people):
    group = stranger.group()
    stranger.stored(group, people[:100])
    period = {"start_fielding_at": "2026-09-02T08:00:00Z", "end_fielding_at": "2026-09-04T08:00:00Z"}
    job = stranger.post(f"{group}/fielding-run-jobs/schedule-from-draft", period, key="s").headers["location"]
    sandbox.advance(30)
    run = f"{group}/fielding-runs/{stranger.get(job).json()['created_fielding_run_id']}"
    reply = act(stranger, run, "launch-now")
    assert reply.status_code == 200
    now = sandbox.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert reply.json()["start_fielding_at"] == now
    assert reply.json()["end_fielding_at"] == now.replace("2026-09-01", "2026-09-03")
    assert stranger.get(run).json()["status"] == "live"


def test_a_run_that_starts_in_the_past_or_ends_before_it_starts_is_refused(stranger):
    group = stranger.group()
    path = f"{group}/fielding-run-jobs/schedule-from-draft"
    for begin, end in (
        ("2026-08-01T08:00:00Z", "2026-09-04T08:00:00Z"),
        ("2026-09-05T08:00:00Z", "2026-09-04T08:00:00Z"),
    ):
        assert stranger.post(path, {"start_fielding_at": begin, "end_fielding_at": end}, key=begin).status_code == 400
    launch = f"{group}/fielding-run-jobs/launch-from-draft"
    assert stranger.post(launch, {"end_fielding_at": "2026-08-31T08:00:00Z"}, key="x").status_code == 400


def test_people_come_fast_at_first_then_in_a_long_tail(sandbox, stranger, wave):
    group, _ = wave
    days = []
    for _ in range(10):
        sandbox.advance(DAY)
        days.append(figures(stranger, group)["completes"])
    gains = [later - earlier for earlier, later in zip([0, *days], days, strict=False)]
    assert gains[0] > gains[3] > 0
    assert sum(gains[:3]) > sum(gains[3:])
    assert 0.2 < days[-1] / 1_500 < 0.6, "a believable share of the people asked"


def test_the_figures_of_one_moment_agree_with_each_other(sandbox, stranger, wave):
    group, _ = wave
    sandbox.advance(3 * DAY)
    told = figures(stranger, group)
    overview = stranger.get(f"{group}/overview").json()
    live = {entry["label"]: entry["count"] for entry in told["respondent_analysis"]["live"]}
    assert sum(live.values()) == told["entrants"]
    assert live["Complete"] == told["completes"] == overview["progress"]["current_completes"]
    assert float(told["completes_cost"]["value"]) == pytest.approx(told["completes"] * 2.7352)
    assert overview["conversion_rate"] == pytest.approx(told["completes"] / told["entrants"], abs=1e-4)
    assert told["prescreens"] == told["entrants"] - live.get("Screened out", 0)
    assert told["respondent_analysis"]["test"] == []
    intervals = stranger.get(f"{group}/completes-aggregated-by-interval").json()["aggregated_completes_intervals"]
    counts = [entry["count"] for entry in intervals]
    assert counts == sorted(counts), "cumulative"
    assert counts[-1] == told["completes"]


def test_nobody_enters_while_a_run_is_paused(sandbox, stranger, wave):
    group, run = wave
    sandbox.advance(DAY / 4)
    act(stranger, run, "pause")
    sandbox.advance(3_600)  # those inside may finish
    before = figures(stranger, group)
    sandbox.advance(DAY)
    assert figures(stranger, group)["entrants"] == before["entrants"]
    assert act(stranger, run, "resume").is_success
    sandbox.advance(DAY)
    assert figures(stranger, group)["entrants"] > before["entrants"]


def test_a_filled_group_completes_itself_and_can_go_on_with_a_higher_goal(sandbox, stranger, people):
    group = stranger.group(completes_goal=20)
    stranger.stored(group, people)
    run = stranger.launched(group)
    sandbox.advance(DAY)
    told = figures(stranger, group)
    assert told["completes"] == 20
    assert stranger.get(run).json()["status"] == "completed"
    assert act(stranger, run, "relaunch").status_code == 422, "the goal is reached"
    goal = f"{group}/profiles/completes-goal"
    assert stranger.ask("PUT", goal, json={"completes_goal": 1_000_000}).status_code == 422, "above the saved ids"
    assert stranger.ask("PUT", goal, json={"completes_goal": 40}).json()["completes_goal"] == 40
    assert act(stranger, run, "relaunch").status_code == 204
    sandbox.advance(DAY)
    assert figures(stranger, group)["completes"] == 40


def test_a_lowered_goal_completes_a_group_at_once(sandbox, stranger, wave):
    group, run = wave
    sandbox.advance(DAY)
    stranger.log_in()
    stranger.ask("PUT", f"{group}/profiles/completes-goal", json={"completes_goal": 1})
    assert stranger.get(run).json()["status"] == "completed"


def test_the_same_seed_gives_the_same_wave_and_another_seed_another(people):
    from tests.sandbox.conftest import Stranger

    def field(seed: int) -> dict:
        stranger = Stranger(Sandbox(seed=seed))
        stranger.log_in()
        group = stranger.group(completes_goal=700)
        stranger.stored(group, people)
        stranger.launched(group)
        stranger.sandbox.advance(2 * DAY)
        told = figures(stranger, group)
        stranger.close()
        return told

    first, again, other = field(5), field(5), field(6)
    assert first == again
    assert first != other


def test_the_same_people_come_to_a_wave_made_some_seconds_later(people):
    from tests.sandbox.conftest import Stranger

    def field(late: float) -> list:
        stranger = Stranger(Sandbox(seed=5))
        stranger.log_in()
        stranger.sandbox.advance(late)
        group = stranger.group(completes_goal=700)
        stranger.stored(group, people)
        stranger.launched(group)
        stranger.sandbox.advance(6 * DAY)
        told = figures(stranger, group)["respondent_analysis"]["live"]
        stranger.close()
        return told

    assert field(0) == field(7) == field(0.25)


def test_when_one_looks_does_not_change_what_happens(people):
    from tests.sandbox.conftest import Stranger

    # Excluded one by one while the first people enter: who is kept out depends on the moment, never on the looks.
    excluded = "\n".join([*people, *(ids.synthetic_id("others", number) for number in range(60_000))]).encode()

    def field(pauses: list[float]) -> dict:
        stranger = Stranger(Sandbox(seed=5))
        stranger.log_in()
        group = stranger.group(completes_goal=700)
        stranger.stored(group, people)
        stranger.launched(group)
        path = f"{group}/exclusions/jobs/upload-respondents-by-file"
        files = {"file": ("out.csv", excluded, "text/csv")}
        assert stranger.ask("POST", path, params={"entity_type": "RSID"}, files=files).status_code == 201
        for seconds in pauses:
            stranger.sandbox.advance(seconds)
            told = figures(stranger, group)
        stranger.close()
        return told

    once, often = field([DAY]), field([60.0] * 120 + [DAY - 7_200])
    assert once == often
    assert {entry["label"]: entry["count"] for entry in once["respondent_analysis"]["live"]}["Excluded"] > 0


def test_fresh_respondents_fill_an_adhoc_group(sandbox, stranger):
    group = stranger.group(study_type_code="adhoc", allocations=None, completes_goal=200)
    stranger.launched(group)
    sandbox.advance(6 * DAY)
    told = figures(stranger, group)
    assert told["completes"] == 200
    live = {entry["label"]: entry["count"] for entry in told["respondent_analysis"]["live"]}
    assert live["Screened out"] / told["entrants"] == pytest.approx(0.2, abs=0.08), "one in five, as expected"
