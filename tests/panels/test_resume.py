"""Jobs that were running when a kernel ended are found in the journal and watched again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from cint_nb.panels.resume import resume_jobs
from cint_nb.sandbox.sample import write_sample
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.server import ServedSandbox
from cint_nb.study.files.respondents import read_respondents
from cint_nb.wave.client import Client, open_client
from cint_nb.wave.journal.journal import EntryState, WaveKey
from cint_nb.wave.journal.payloads import UPLOAD, UploadPayload
from cint_nb.wave.running_jobs import find_running_jobs
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


def test_a_job_that_ended_while_nobody_watched_is_shown_with_its_end(served: ServedSandbox, tmp_path: Path) -> None:
    with connect(served) as first:
        begun(first, tmp_path)
    served.sandbox.advance(3600)
    with connect(served) as second:
        (found,) = second.aio.run(find_running_jobs(second.aio))
        assert found.job.last_snapshot is not None
        assert found.job.last_snapshot.is_final


@pytest.mark.thorough
def test_an_upload_by_a_call_outside_a_wave_is_found_with_what_was_saved_before(
    served: ServedSandbox, tmp_path: Path
) -> None:
    people = read_respondents(write_sample(tmp_path / "sample.csv", lines=400), entity_type="RSID")
    with connect(served) as first:
        plan = make_plan(first.clock.now(), start_at=first.clock.now() + timedelta(days=1))
        wave = first.wave("Wave of an engineer", project="Panel tests", respondents=people, plan=plan)
        ref = wave.create()
        first.recontacts.upload(ref, people.sample(50)).wait()
        saved = first.recontacts.saved_count(ref)
        first.recontacts.upload(ref, people)
    with connect(served) as second:
        (found,) = second.aio.run(find_running_jobs(second.aio))
        assert found.job.poll().saved_count_before == saved


def test_a_running_upload_of_a_colleague_is_found_in_a_group_the_journal_knows(
    served: ServedSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = read_respondents(write_sample(tmp_path / "sample.csv", lines=400), entity_type="RSID")
    with connect(served) as first:
        plan = make_plan(first.clock.now(), start_at=first.clock.now() + timedelta(days=1))
        ref = first.wave("Wave of two people", project="Panel tests", respondents=people, plan=plan).create()
        (tmp_path / "colleague").mkdir()
        monkeypatch.setenv("CINT_NB_JOURNAL", str(tmp_path / "colleague" / "journal.sqlite3"))
        with connect(served) as colleague:
            colleague.recontacts.upload(ref, people)
        (found,) = first.aio.run(find_running_jobs(first.aio))
        assert found.wave == "Wave of two people"


def test_a_journal_without_running_jobs_says_so(served: ServedSandbox) -> None:
    with connect(served) as client:
        panel = resume_jobs(client)
    assert panel.value == ()
    assert "nothing is running" in panel._line.value


def test_jobs_of_another_exchange_are_left_alone(served: ServedSandbox, tmp_path: Path) -> None:
    with connect(served) as first:
        begun(first, tmp_path)
    with ServedSandbox(Sandbox()) as other, connect(other) as client:
        assert client.aio.run(find_running_jobs(client.aio)) == []
