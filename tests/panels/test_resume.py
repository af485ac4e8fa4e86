"""Jobs that were running when a kernel ended are found in the journal and watched again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from cint_nb.panels.resume import RunningJobs, resume_jobs, running_jobs
from cint_nb.sandbox.sample import write_sample
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.server import ServedSandbox
from cint_nb.study.files.respondents import read_respondents
from cint_nb.wave.client import Client, open_client
from cint_nb.wave.journal.journal import EntryState, WaveKey
from cint_nb.wave.journal.payloads import UPLOAD, UploadPayload
from tests.support.plans import make_plan
from tests.support.waiting import wait_for


@pytest.fixture
def served() -> Iterator[ServedSandbox]:
    with ServedSandbox(Sandbox()) as sandbox:
        yield sandbox


def connect(served: ServedSandbox) -> Client:
    return open_client("sandbox", base_url=served.base_url, token_url=served.token_url)


def begun(client: Client, tmp_path: Path) -> None:
    """Send an upload, and leave the journal as a kernel that is killed right after does."""
    now = client.clock.now()
    plan = make_plan(now, start_at=now + timedelta(days=1))
    people = read_respondents(write_sample(tmp_path / "sample.csv", lines=400), entity_type="RSID")
    wave = client.wave("Wave that was killed", project="Panel tests", respondents=people, plan=plan)
    job = client.recontacts.upload(wave.create(), people)
    key = WaveKey(client.aio.scope, "Panel tests", wave.name)
    client.aio.journal.write(
        key,
        UPLOAD,
        EntryState.RUNNING,
        UploadPayload(content_hash="", file_name="abc.csv", cycle=0, saved_before=0, handle=job.handle),
        batch="0",
    )


def test_a_job_cut_short_is_watched_to_its_end_by_another_session(served: ServedSandbox, tmp_path: Path) -> None:
    with connect(served) as first:
        begun(first, tmp_path)
    with connect(served) as second:
        panel = resume_jobs(second)
        assert repr(panel) == "<RunningJobs: sandbox · Jobs that were running · 1 job>"
        (job,) = panel.value
        wait_for(lambda: job.value is not None and job.value.is_final)
        panel.close()


def test_looking_in_the_journal_sends_nothing(served: ServedSandbox, tmp_path: Path) -> None:
    with connect(served) as first:
        begun(first, tmp_path)
    with connect(served) as second:
        assert len(running_jobs(second)) == 1
        RunningJobs(second)
        assert second.requests_sent == 0


def test_a_journal_without_running_jobs_says_so(served: ServedSandbox) -> None:
    with connect(served) as client:
        panel = resume_jobs(client)
    assert panel.value == ()
    assert "nothing is running" in panel._line.value


def test_jobs_of_another_exchange_are_left_alone(served: ServedSandbox, tmp_path: Path) -> None:
    with connect(served) as first:
        begun(first, tmp_path)
    with ServedSandbox(Sandbox()) as other, connect(other) as client:
        assert running_jobs(client) == []
