"""A step that is run again goes on from its own journal, and what nobody finished is neither forgotten nor believed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from cint_nb.api.jobs.job import Job
from cint_nb.domain.errors import (
    BadRequest,
    CintError,
    CintWarning,
    InvalidState,
    JobFailed,
    JournalError,
    NotSent,
    OutcomeUnknown,
    PlanError,
    PreflightBlocked,
    RespondentFileError,
    ServerError,
    UnexpectedReply,
    WatchTimeout,
)
from cint_nb.domain.ids import synthetic_id
from cint_nb.domain.jobs import JobState
from cint_nb.domain.models import evolve
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.wave.client import Client
from cint_nb.wave.exchange.state import ExchangeState
from cint_nb.wave.journal.journal import EntryState, Journal, WaveKey
from cint_nb.wave.journal.payloads import APPROVAL, GOAL, LAUNCH, PROJECT, STRATEGY, UPLOAD, Payload, Step
from cint_nb.wave.journaled_client import JournaledClient
from cint_nb.wave.wave import Wave
from tests.support.changed_elsewhere import read_truth
from tests.support.fresh_waves import another_machine

Make = Callable[..., Wave]
Crash = Callable[..., None]


@pytest.fixture
def crash_before(monkeypatch: pytest.MonkeyPatch) -> Crash:
    """Run something that dies before it can write one entry."""

    def run(doing: Callable[[], Any], step: Step[Payload], state: EntryState, batch: str = "") -> None:
        write = Journal.write

        def write_or_die(
            self: Journal, key: WaveKey, now: Step[Payload], is_now: EntryState, *more: Any, **named: Any
        ) -> None:
            if (now, is_now, named.get("batch", "")) == (step, state, batch):
                raise RuntimeError("the kernel dies here")
            write(self, key, now, is_now, *more, **named)

        with monkeypatch.context() as patched:
            patched.setattr(Journal, "write", write_or_die)
            with pytest.raises(RuntimeError, match="dies here"):
                doing()

    return run


def uploaded(make_wave: Make, **changes: Any) -> Wave:
    wave = make_wave(**changes)
    wave.create()
    wave.upload()
    return wave


# --- project and draft --------------------------------------------------------------------------------------------


def test_a_project_whose_reply_was_lost_is_made_once(client: Client, make_wave: Make, crash_before: Crash) -> None:
    crash_before(make_wave().create, PROJECT, EntryState.DONE)
    ref = make_wave().create()
    assert [each.id for each in client.projects.list(name="Brand tracker")] == [ref.project_id]


def test_what_counts_toward_the_goal_is_set_though_the_draft_was_made_before(
    client: Client, make_wave: Make, crash_before: Crash
) -> None:
    crash_before(make_wave().create, STRATEGY, EntryState.DONE)
    client.sandbox.world.groups[next(iter(client.sandbox.world.groups))].strategy = "prescreens"
    ref = make_wave().create()
    assert client.sandbox.world.groups[ref.target_group_id].strategy == "completes"


def test_a_wave_in_the_field_is_found_without_its_journal_though_its_start_has_passed(
    client: Client, make_wave: Make
) -> None:
    wave = make_wave()
    ref = wave.create()
    wave.upload()
    wave.launch(budget="1400 EUR")
    client.pass_time(hours=2)
    without_journal = Client(JournaledClient(client.http))
    again = without_journal.wave(wave.name, project="Brand tracker", respondents=wave.respondents, plan=wave.plan)
    with pytest.warns(CintWarning, match="found on the exchange and is continued"):
        assert again.create() == ref
    assert again.upload().state is JobState.PARTIAL
    with pytest.warns(CintWarning, match="launched elsewhere"):
        assert again.launch(budget="1400 EUR").state is JobState.DONE
    assert again.outcome.counts == wave.outcome.counts
    assert len(client.recontacts.jobs(ref)) == len(client.fielding.runs(ref)) == 1
    assert len(client.target_groups.list(ref.project_id)) == 1


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize("seconds", [2, 5, 10], ids="the first ends after {} s".format)
def test_a_launch_that_nobody_followed_may_be_faster_than_the_next_one(
    client: Client, make_wave: Make, *, wait: bool, seconds: int
) -> None:
    wave = make_wave()
    wave.create()
    wave.upload()
    first = wave.launch(budget="1400 EUR", wait=False)
    assert isinstance(first, Job)
    without_journal = Client(JournaledClient(client.http))
    plan = evolve(wave.plan, end_at=wave.plan.end_at + timedelta(minutes=1))  # made anew, a minute later
    again = without_journal.wave(wave.name, project="Brand tracker", respondents=wave.respondents, plan=plan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CintWarning)  # of a wave that is found, and of one that was launched elsewhere
        again.update(plan)
        world = client.sandbox.world
        pending = next(job for job in world.jobs.values() if job.kind == "launch")
        pending.ends_at = client.sandbox.clock.elapsed + seconds
        world.schedule(pending.ends_at, pending.id)
        if not wait:
            job = again.launch(budget="1400 EUR", wait=False)
            assert isinstance(job, Job)
            with pytest.raises(JobFailed, match="not in a draft state"):  # the job itself; the verb asks for the group
                job.wait()
        assert again.launch(budget="1400 EUR").state is JobState.DONE
    assert again.launched
    assert [each.status for each in world.jobs.values() if each.kind == "launch"] == ["Completed", "Failed"]


def test_a_failed_launch_whose_group_cannot_be_read_is_a_failed_launch(
    client: Client, make_wave: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    wave = make_wave()
    wave.create()
    wave.upload()
    client.sandbox.inject("job-fails", "launch")
    states = iter([wave.exchange_state()])

    def read(_: Wave) -> ExchangeState:
        for state in states:
            return state
        raise NotSent("Nobody responds.", next_step="try again.")

    monkeypatch.setattr(Wave, "exchange_state", read)
    with pytest.raises(JobFailed, match="the job failed"):
        wave.launch(budget="1400 EUR")


def test_a_new_wave_whose_start_has_passed_is_not_created(client: Client, make_wave: Make) -> None:
    wave = make_wave()
    client.pass_time(days=2)
    with pytest.raises(PreflightBlocked, match="start in the past"):
        wave.create()
    assert client.projects.list() == []


# --- upload and resubmission --------------------------------------------------------------------------------------


def test_a_list_that_became_too_short_after_the_draft_is_not_uploaded(
    client: Client, make_wave: Make, people: Respondents
) -> None:
    make_wave().create()
    before = client.requests_sent
    with pytest.raises(PreflightBlocked, match="goal"):
        make_wave(respondents=people.sample(50)).upload()
    assert client.requests_sent == before


def test_an_upload_that_still_runs_is_not_taken_for_that_of_another_list(
    make_wave: Make, people: Respondents, crash_before: Crash
) -> None:
    wave = make_wave()
    wave.create()
    crash_before(wave.upload, UPLOAD, EntryState.DONE, "0")
    with pytest.raises(RespondentFileError, match="another list"):
        make_wave(respondents=people.sample(150)).upload()


def test_an_upload_that_failed_is_sent_anew(client: Client, make_wave: Make) -> None:
    wave = make_wave()
    ref = wave.create()
    client.sandbox.faults.arm("job-fails@upload")
    with pytest.raises(JobFailed):
        wave.upload()
    assert make_wave().upload().state is JobState.PARTIAL
    assert len(client.recontacts.jobs(ref)) == 2


def test_a_resubmission_whose_reply_was_lost_is_taken_up_with_its_own_ids(
    client: Client, make_wave: Make, crash_before: Crash
) -> None:
    wave = uploaded(make_wave)
    rejected = wave.outcome.counts["rejected"]
    crash_before(wave.resubmit, UPLOAD, EntryState.RUNNING, "1")
    again = make_wave()
    again.resubmit()
    assert again.resubmitted_count == rejected
    assert again.target_group is not None
    assert len(client.recontacts.jobs(again.target_group)) == 2


def test_ids_saved_by_somebody_else_meanwhile_do_not_hide_a_rejection(client: Client, make_wave: Make) -> None:
    wave = uploaded(make_wave)
    rejected = wave.outcome.counts["rejected"]
    others = read_respondents([synthetic_id("somebody else", number) for number in range(200)], entity_type="RSID")
    assert wave.target_group is not None
    client.recontacts.upload(wave.target_group, others).wait()
    assert make_wave().outcome.counts["rejected"] == rejected


# --- goal and launch ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("goal", [0, 601])
def test_a_goal_of_nobody_or_above_the_saved_ids_is_not_written(client: Client, make_wave: Make, goal: int) -> None:
    wave = uploaded(make_wave)
    with pytest.raises(PlanError, match=r"not possible|from 1 on"):
        wave.lower_goal(goal)
    assert wave.plan.completes_goal == 100
    assert client.aio.journal.last(WaveKey(client.aio.scope, "Brand tracker", wave.name), GOAL) is None


def test_a_goal_the_exchange_did_not_take_is_not_remembered(client: Client, make_wave: Make) -> None:
    wave = uploaded(make_wave)
    client.sandbox.faults.arm("invalid@update-draft")
    with pytest.raises(BadRequest):
        wave.lower_goal(50)
    assert wave.plan.completes_goal == make_wave().plan.completes_goal == 100, "or the budget would bound too little"


def test_a_lowered_goal_leaves_the_draft_its_reference(client: Client, make_wave: Make) -> None:
    wave = uploaded(make_wave)
    assert wave.target_group is not None
    before = client.target_groups.get(wave.target_group)
    wave.lower_goal(50)
    after = client.target_groups.get(wave.target_group)
    assert after.completes_goal == 50
    reference = after.target_group_customer_reference_number
    assert reference == before.target_group_customer_reference_number != ""


def test_the_goal_of_a_launched_wave_is_left_alone(client: Client, make_wave: Make) -> None:
    wave = uploaded(make_wave)
    wave.launch(budget="300 EUR")
    with pytest.raises(InvalidState, match="is live"):
        wave.lower_goal(50)
    assert wave.status().iloc[0]["goal"] == 100


def test_a_launch_whose_end_nobody_saw_is_followed_not_checked_again(
    client: Client, make_wave: Make, crash_before: Crash
) -> None:
    wave = uploaded(make_wave)
    crash_before(lambda: wave.launch(budget="300 EUR"), LAUNCH, EntryState.DONE)
    again = make_wave()
    assert again.launch(budget="300 EUR").state is JobState.DONE
    assert again.launched


def test_a_launch_whose_reply_was_lost_is_sent_again_as_it_was(
    client: Client, make_wave: Make, crash_before: Crash
) -> None:
    wave = uploaded(make_wave)
    crash_before(lambda: wave.launch(budget="300 EUR"), LAUNCH, EntryState.RUNNING)
    client.pass_time(minutes=5)
    again = make_wave()
    assert again.plan.end_at != wave.plan.end_at, "a cell that is run again says 'in 14 days' later"
    assert again.launch(budget="300 EUR").state is JobState.DONE
    assert again.target_group is not None
    run = client.fielding.run(again.target_group)
    assert run is not None
    assert run.end_fielding_at is not None
    assert abs(run.end_fielding_at - wave.plan.end_at) < timedelta(seconds=1)


@pytest.mark.parametrize("raised", [False, True], ids=["as launched", "its goal raised meanwhile"])
def test_a_launch_whose_approval_was_not_written_takes_the_budget_of_the_next_call(
    client: Client, make_wave: Make, crash_before: Crash, *, raised: bool
) -> None:
    wave = uploaded(make_wave)
    crash_before(lambda: wave.launch(budget="1400 EUR"), APPROVAL, EntryState.DONE)
    client.pass_time(minutes=10)
    assert wave.exchange_state().state == "live"
    assert pd.isna(wave.status()["approved"].item())
    if raised:
        client.sandbox.inject("goal-raised", value=550)
    with pytest.warns(CintWarning, match="more than the approved 1,400.00 EUR") if raised else nullcontext():
        make_wave().launch(budget="1400 EUR")
    status = wave.status()
    assert status["approved"].item() == 1400
    assert ("above the approved budget" in status["warnings"].item()) == raised
    assert len(client.fielding.runs(wave.create())) == 1


def test_a_group_whose_launch_was_seen_here_is_no_draft_whatever_it_reads(
    client: Client, make_wave: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    wave = uploaded(make_wave)
    ref = wave.create()
    draft = client.target_groups.get(ref)
    wave.launch(budget="1400 EUR")

    async def forgetful(*_: Any) -> Any:
        return ()

    async def as_before(*_: Any) -> Any:
        return draft

    monkeypatch.setattr(type(client.aio.fielding), "runs", forgetful)
    monkeypatch.setattr(type(client.aio.target_groups), "get", as_before)
    saved = client.recontacts.saved_count(ref)
    again = make_wave()
    assert again.exchange_state().state == "not known"
    for verb in (again.status, again.remove, lambda: again.lower_goal(5), lambda: again.launch(budget="1400 EUR")):
        with pytest.raises(UnexpectedReply, match="cannot be seen"):
            verb()
    assert client.recontacts.saved_count(ref) == saved > 0


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("reply_lost", [True, False], ids=["reply lost", "end not seen"])
def test_a_launch_that_still_runs_is_not_joined_by_another_with_a_later_end(
    client: Client, make_wave: Make, crash_before: Crash, reply_lost: bool
) -> None:
    wave = uploaded(make_wave)
    client.sandbox.faults.arm("job-never-ends@launch")
    if reply_lost:
        crash_before(lambda: wave.launch(budget="300 EUR"), LAUNCH, EntryState.RUNNING)
    else:
        with pytest.raises(WatchTimeout):
            wave.launch(budget="300 EUR")
    client.pass_time(minutes=5)
    again = make_wave()
    assert again.plan.end_at != wave.plan.end_at, "a cell that is run again says 'in 14 days' later"
    with pytest.raises(WatchTimeout):
        again.launch(budget="300 EUR")
    assert sum(job.kind == "launch" for job in client.sandbox.world.jobs.values()) == 1


def test_a_launch_that_was_refused_is_sent_again_with_the_end_of_the_new_plan(client: Client, make_wave: Make) -> None:
    wave = uploaded(make_wave)
    client.sandbox.faults.arm("invalid@launch")
    with pytest.raises(BadRequest):
        wave.launch(budget="300 EUR")
    client.pass_time(minutes=5)
    again = make_wave()
    again.launch(budget="300 EUR")
    entry = client.aio.journal.entries(step=LAUNCH)[-1]
    assert (entry.payload.end_at, entry.payload.attempt) == (again.plan.end_at, 0)


def test_after_a_launch_that_failed_the_next_one_is_checked_again(client: Client, make_wave: Make) -> None:
    wave = uploaded(make_wave)
    client.sandbox.faults.arm("job-fails@launch")
    with pytest.raises(JobFailed):
        wave.launch(budget="300 EUR")
    assert wave.target_group is not None
    client.recontacts.remove_all(wave.target_group, ids=600).wait()
    with pytest.raises(PreflightBlocked, match="saved"):
        make_wave().launch(budget="300 EUR")


def test_a_wave_that_was_launched_elsewhere_is_not_launched_again(client: Client, make_wave: Make) -> None:
    wave = uploaded(make_wave)
    assert wave.target_group is not None
    client.fielding.launch(wave.target_group, wave.plan.end_at, budget="280 EUR").wait()
    jobs = len(client.sandbox.world.jobs)
    with pytest.warns(CintWarning, match="launched elsewhere"):
        assert wave.launch(budget="300 EUR").state is JobState.DONE
    assert len(client.sandbox.world.jobs) == jobs
    assert wave.status().iloc[0]["approved"] == 300


# --- removal ------------------------------------------------------------------------------------------------------


def test_a_removal_that_failed_does_not_forget_the_upload(client: Client, make_wave: Make) -> None:
    wave = uploaded(make_wave)
    client.sandbox.faults.arm("job-fails@remove")
    with pytest.raises(JobFailed):
        wave.remove()
    jobs = len(client.sandbox.world.jobs)
    make_wave().upload()
    assert len(client.sandbox.world.jobs) == jobs


def test_ids_added_after_a_removal_are_removed_too(make_wave: Make) -> None:
    wave = uploaded(make_wave)
    wave.remove()
    wave.upload()
    wave.remove()
    assert wave.status().iloc[0]["saved"] == 0


# --- what is reported -------------------------------------------------------------------------------------------


def test_the_journal_keeps_the_time_of_the_exchange(client: Client, make_wave: Make) -> None:
    make_wave().create()
    client.pass_time(days=30)
    before = client.clock.now() - timedelta(seconds=1)
    make_wave().upload()
    times = [entry.at for entry in client.aio.journal.entries(step=UPLOAD)]
    assert len(times) == 3
    assert all(before <= moment <= client.clock.now() for moment in times)


def test_a_pause_from_elsewhere_is_told_after_one_from_here_was_resumed(client: Client, make_wave: Make) -> None:
    wave = uploaded(make_wave)
    wave.launch(budget="300 EUR")
    client.pass_time(hours=3)
    wave.pause()
    assert "paused" not in wave.status().iloc[0]["warnings"]
    wave.resume()
    assert wave.target_group is not None
    client.fielding.pause(wave.target_group)
    assert "paused elsewhere" in wave.status().iloc[0]["warnings"]


def test_the_price_cap_shown_is_the_one_the_budget_was_checked_against(make_wave: Make) -> None:
    wave = make_wave(maximum_cpi="3 EUR")
    wave.create()
    assert wave.status().iloc[0]["price_cap"] == 3


@pytest.mark.filterwarnings("ignore:A launch does not wait for the start")
def test_a_group_is_not_called_stalled_from_before_its_fielding_began(client: Client, make_wave: Make) -> None:
    wave = uploaded(make_wave, start_at=client.clock.now() + timedelta(days=3))
    wave.launch(budget="300 EUR")
    row = client.aio.run(wave._fielding.status())
    assert wave.target_group is not None
    run = client.fielding.run(wave.target_group)
    assert run is not None
    assert row["started_at"] == run.start_fielding_at


# --- an error behind a success ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        JournalError("The journal cannot be written."),
        ServerError("The exchange could not launch the target group."),
        UnexpectedReply("The reply cannot be read."),
        OutcomeUnknown("The reply was lost."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_after_the_launch_was_accepted_is_not_noted_as_a_refusal(
    client: Client, make_wave: Make, monkeypatch: pytest.MonkeyPatch, error: CintError
) -> None:
    wave = uploaded(make_wave)
    launch = client.aio.fielding.launch

    async def launch_and_fail(*arguments: Any, **named: Any) -> Any:
        await launch(*arguments, **named)
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(client.aio.fielding, "launch", launch_and_fail)
        with pytest.raises(type(error)):
            wave.launch(budget="300 EUR")
    assert [entry.state for entry in client.aio.journal.entries() if entry.step == "launch"] == [EntryState.INTENT]
    client.pass_time(hours=1)
    assert wave.launch(budget="300 EUR").state is JobState.DONE  # and nobody is said to have launched it elsewhere
    assert sum(job.kind == "launch" for job in client.sandbox.world.jobs.values()) == 1


# --- run whole again, long after the end ------------------------------------------------------------------------------


@pytest.mark.sampled(every=2)
@pytest.mark.filterwarnings("ignore:.*was found on the exchange")
@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "on a machine that knows nothing"])
@pytest.mark.parametrize("ended_by", ["close", "its date"])
def test_a_notebook_that_is_run_whole_again_long_after_the_end_repeats_nothing(
    client: Client, make_wave: Make, people: Respondents, ended_by: str, elsewhere: bool
) -> None:
    wave = uploaded(make_wave)
    wave.launch(budget="300 EUR")
    client.pass_time(days=2)
    if ended_by == "close":
        wave.close()
    client.pass_time(days=30)
    before = read_truth(client.sandbox)
    with another_machine(client) if elsewhere else nullcontext(client) as there:
        again = there.wave(wave.name, project="Brand tracker", respondents=people, plan=wave.plan)
        assert again.create() == wave.target_group
        assert again.upload().state is JobState.PARTIAL
        assert again.upload(wait=False).wait().state is JobState.PARTIAL
        assert sum(again.outcome.counts.values()) == len(people.lines())
        says = (
            pytest.raises(InvalidState, match="launched before")
            if elsewhere
            else pytest.warns(CintWarning, match="launched before")
        )
        with says:
            again.launch(budget="300 EUR")
        again.close()
    assert read_truth(client.sandbox) == before
