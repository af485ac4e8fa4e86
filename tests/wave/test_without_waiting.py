"""A job is started and returned; the notebook goes on, a panel watches, and the verb continues the job later."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_type

import pytest

from cint_nb.api.jobs.job import Job
from cint_nb.domain.errors import BudgetExceeded, InvalidState, JobFailed, PreflightBlocked
from cint_nb.domain.jobs import JobSnapshot, JobState
from cint_nb.domain.models import TargetGroupRef
from cint_nb.panels.job_progress.widget import JobProgress
from cint_nb.wave.client import Client
from cint_nb.wave.journal.journal import EntryState
from cint_nb.wave.journal.payloads import LAUNCH, REMOVE, UPLOAD, JobPayload, Step
from cint_nb.wave.wave import Wave
from tests.support.fresh_waves import another_machine
from tests.support.plans import make_plan as plan_at

MakeWave = Callable[..., Wave]
BUDGET = "2000 EUR"


def group_of(wave: Wave) -> TargetGroupRef:
    assert wave.target_group is not None
    return wave.target_group


def states_of(client: Client, step: Step[JobPayload]) -> list[EntryState]:
    return [entry.state for entry in client.aio.journal.entries(step=step)]


@pytest.fixture
def created(make_wave: MakeWave) -> Wave:
    wave = make_wave()
    wave.create()
    return wave


def test_the_job_runs_while_the_notebook_goes_on_and_its_end_is_written_when_it_is_seen(
    created: Wave, client: Client
) -> None:
    job = assert_type(created.upload(wait=False), Job)
    with pytest.raises(InvalidState, match="still running"):
        _ = created.outcome
    assert states_of(client, UPLOAD) == [EntryState.INTENT, EntryState.RUNNING]
    panel = JobProgress(job)
    end = job.wait()
    assert end.state in (JobState.DONE, JobState.PARTIAL)
    assert states_of(client, UPLOAD)[-1] is EntryState.DONE
    assert panel.value is not None
    assert panel.value.state is end.state
    assert created.outcome.counts


def test_the_verb_continues_the_job_and_sends_nothing_again(created: Wave, client: Client) -> None:
    first = created.upload(wait=False)
    second = created.upload(wait=False)
    assert second.handle == first.handle
    done = assert_type(created.upload(), JobSnapshot)
    assert done.handle == first.handle
    assert len(client.recontacts.jobs(group_of(created))) == 1
    ended = created.upload(wait=False)
    assert ended.last_snapshot == done
    assert ended.wait() == done
    assert states_of(client, UPLOAD).count(EntryState.DONE) == 1
    first.wait()  # whoever sees the end second writes nothing
    assert states_of(client, UPLOAD).count(EntryState.DONE) == 1


def test_the_journal_is_the_same_as_with_waiting(make_wave: MakeWave, client: Client) -> None:
    entries = []
    for name, wait in (("Tracker, wave 2", True), ("Tracker, wave 3", False)):
        wave = make_wave(name)
        wave.create()
        done = wave.upload(wait=wait)
        if isinstance(done, Job):
            done.wait()
        written = [entry for entry in client.aio.journal.entries(step=UPLOAD) if entry.key.wave == name]
        entries.append(
            [(entry.state, entry.batch, entry.payload.cycle, entry.payload.saved_before) for entry in written]
        )
    assert entries[0] == entries[1]


def test_a_resubmission_a_launch_and_a_removal_are_started_alike(created: Wave, client: Client) -> None:
    created.upload()
    again = created.resubmit(wait=False)
    assert again.wait().state in (JobState.DONE, JobState.PARTIAL)
    assert created.resubmitted_count == again.handle.id_count
    launch = created.launch(budget=BUDGET, wait=False)
    assert launch.wait().state is JobState.DONE
    assert states_of(client, LAUNCH)[-1] is EntryState.DONE
    assert created.launch(budget=BUDGET).handle == launch.handle
    assert created.launch(budget=BUDGET, wait=False).wait().state is JobState.DONE
    created.close()
    removal = created.remove(wait=False)
    removal.wait()
    assert states_of(client, REMOVE)[-1] is EntryState.DONE
    assert client.recontacts.saved_count(group_of(created)) == 0


def test_a_launch_that_runs_is_followed_and_never_sent_twice(created: Wave, client: Client) -> None:
    created.upload()
    created.launch(budget=BUDGET, wait=False)
    done = created.launch(budget=BUDGET)
    assert done.state is JobState.DONE
    assert states_of(client, LAUNCH) == [EntryState.INTENT, EntryState.RUNNING, EntryState.DONE]


def test_a_launch_that_nobody_saw_end_is_found_by_its_run(created: Wave, client: Client) -> None:
    created.upload()
    created.launch(budget=BUDGET, wait=False)
    client.pass_time(hours=3)
    assert created.launch(budget=BUDGET).state is JobState.DONE
    assert created.status()["approved"].item() == 2000


def test_a_budget_that_is_too_low_is_refused_as_with_waiting(created: Wave) -> None:
    created.upload()
    with pytest.raises(BudgetExceeded):
        created.launch(budget="1 EUR", wait=False)


def test_a_launch_is_checked_as_with_waiting(created: Wave) -> None:
    with pytest.raises(PreflightBlocked):
        created.launch(budget=BUDGET, wait=False)


def test_a_failure_is_raised_by_the_job_written_and_sent_anew_by_the_verb(created: Wave, client: Client) -> None:
    client.sandbox.faults.arm("job-fails@upload")
    job = created.upload(wait=False)
    with pytest.raises(JobFailed):
        job.wait()
    assert states_of(client, UPLOAD)[-1] is EntryState.FAILED
    assert created.upload().state in (JobState.DONE, JobState.PARTIAL)


def test_a_lost_reply_is_looked_up(created: Wave, client: Client) -> None:
    client.sandbox.faults.arm("drop-reply@upload")
    created.upload(wait=False).wait()
    assert len(client.recontacts.jobs(group_of(created))) == 1


def test_people_added_after_a_removal_that_nobody_saw_end_are_removed_too(created: Wave, client: Client) -> None:
    created.upload()
    created.remove(wait=False)
    client.pass_time(hours=2)
    created.upload()
    assert client.recontacts.saved_count(group_of(created)) > 0
    created.remove()
    assert client.recontacts.saved_count(group_of(created)) == 0


def test_another_machine_continues_it(created: Wave, client: Client) -> None:
    job = created.upload(wait=False)
    with another_machine(client) as other:
        there = other.wave(
            created.name, project="Brand tracker", respondents=created.respondents, plan=plan_at(client.clock.now())
        )
        with pytest.warns(match="found on the exchange"):
            done = there.upload()
    assert done.handle.job_id == job.handle.job_id
