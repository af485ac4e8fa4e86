"""`cint-nb journal` reports what was done, by whom and under which ids, and never whom it concerned."""

from __future__ import annotations

import csv
import io
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import BaseModel

from cint_nb.cli import main
from cint_nb.cli.journal import _COLUMNS
from cint_nb.domain.jobs import JobHandle, JobKind, JobSnapshot
from cint_nb.sandbox.sample import write_sample
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.server import ServedSandbox
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.wave.client import open_client
from cint_nb.wave.journal.journal import EntryState, Journal, WaveKey
from cint_nb.wave.journal.payloads import STEPS, UPLOAD, UploadPayload
from tests.support.plans import RSID_URL, make_plan


@pytest.fixture
def people(tmp_path: Path) -> Respondents:
    return read_respondents(write_sample(tmp_path / "people.csv", lines=200), entity_type="RSID")


@pytest.fixture
def uploaded(people: Respondents) -> str:
    """Run a wave up to its upload on a served sandbox, whose journal is on disk, and return its target group."""
    with ServedSandbox(Sandbox(seed=1)) as served, open_client("sandbox", base_url=served.base_url) as client:
        plan = make_plan(client.clock.now(), completes_goal=20, live_url=RSID_URL)
        wave = client.wave("=cmd|' /C calc'!A0", project="Brand tracker", respondents=people, plan=plan)
        ref = wave.create()
        wave.upload()
    return ref.target_group_id


def test_it_lists_waves_steps_and_job_ids(uploaded: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal"]) == 0
    printed = capsys.readouterr().out
    for word in ("Brand tracker", "draft", "upload", "done", uploaded, "job_id="):
        assert word in printed


def test_the_export_is_a_csv_of_every_entry_that_a_spreadsheet_can_open_safely(
    uploaded: str, people: Respondents, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "audit.csv"
    assert main(["journal", "--export", str(file)]) == 0
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
    assert {"project", "draft", "upload"} <= {row["step"] for row in rows}
    assert [row["state"] for row in rows if row["step"] == "upload"] == ["intent", "running", "done"]
    done = rows[-1]
    assert done["job_id"]
    assert done["request_id"] or done["trace_id"]
    assert int(done["id_count"]) == len(people)
    assert 0 < int(done["saved_count"]) <= len(people)
    assert {row["scope"].split()[0] for row in rows} == {"sandbox"}
    assert all(not row["wave"].startswith("=") for row in rows)
    assert not [identifier for identifier in people.ids if identifier in file.read_text(encoding="utf-8")]


def test_every_column_of_the_export_is_a_field_of_what_the_journal_contains() -> None:
    entry = {"at", "who", "scope", "project", "wave", "step", "batch", "state"}
    models: list[type[BaseModel]] = [JobHandle, JobSnapshot, *(step.payload for step in STEPS.values())]
    assert set(_COLUMNS) <= entry.union(*(model.model_fields for model in models)), "or it would always be empty"


def test_without_a_journal_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal"]) == 2
    assert "No journal exists yet" in capsys.readouterr().err


def upload_of(job_id: str) -> UploadPayload:
    handle = JobHandle(kind=JobKind.UPLOAD, base_url="https://sandbox.invalid/v1", account_id=1, job_id=job_id)
    return UploadPayload(content_hash="", file_name="abc.csv", cycle=0, saved_before=0, handle=handle)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "\r=1+1"])
def test_no_text_of_the_journal_is_a_formula_to_a_spreadsheet(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str
) -> None:
    file = tmp_path / "journal.sqlite3"
    journal = Journal(file)
    journal.write(WaveKey("sandbox", text, text), UPLOAD, EntryState.DONE, upload_of(text), batch="0")
    journal.close()
    assert main(["journal", "--file", str(file), "--export", str(tmp_path / "audit.csv")]) == 0
    with (tmp_path / "audit.csv").open(encoding="utf-8", newline="") as export:
        (row,) = csv.DictReader(export)
    shown = f"'{text[0]}'{text[1:]}" if text[0].isspace() else f"'{text}"  # a tab begins a cell of its own
    assert {row["project"], row["wave"], row["job_id"]} == {shown}


def test_each_upload_of_a_wave_has_a_line_of_its_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite3")
    key = WaveKey("sandbox", "Brand tracker", "Wave 2")
    for batch in ("0", "1"):
        journal.write(key, UPLOAD, EntryState.DONE, upload_of(f"job of batch {batch}"), batch=batch)
    journal.close()
    assert main(["journal", "--file", str(tmp_path / "journal.sqlite3")]) == 0
    printed = capsys.readouterr().out
    assert "job of batch 0" in printed
    assert "job of batch 1" in printed


@pytest.mark.parametrize("other", ["a list of people", "another database"])
def test_listing_what_is_no_journal_leaves_it_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], other: str
) -> None:
    file = tmp_path / "people.csv"
    if other == "a list of people":
        file.write_text("no journal, but dear to its owner\n" * 100)
    else:
        with closing(sqlite3.connect(file)) as database:
            database.execute("CREATE TABLE people (id)")
    before = file.read_bytes()
    assert main(["journal", "--file", str(file)]) == 2
    assert "This file is not a journal" in capsys.readouterr().err
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["people.csv"]


@pytest.mark.parametrize("target", ["journal.sqlite3", "audit.csv", "link.csv", "dangling.csv"])
def test_the_export_replaces_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str) -> None:
    file = tmp_path / "journal.sqlite3"
    journal = Journal(file)
    journal.write(WaveKey("sandbox", "p", "w"), UPLOAD, EntryState.DONE, upload_of("job"), batch="0")
    journal.close()
    (tmp_path / "audit.csv").write_text("mine")
    (tmp_path / "link.csv").symlink_to(file)
    (tmp_path / "dangling.csv").symlink_to(tmp_path / "nowhere")
    before = file.read_bytes()
    assert main(["journal", "--file", str(file), "--export", str(tmp_path / target)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert file.read_bytes() == before
    assert (tmp_path / "audit.csv").read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()


def test_an_export_never_replaces_its_own_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "journal.sqlite3"
    Journal(file).close()
    (tmp_path / "link.csv").hardlink_to(file)
    before = file.read_bytes()
    for target in (file, tmp_path / "link.csv"):
        assert main(["journal", "--file", str(file), "--export", str(target), "--overwrite"]) != 0
        assert "the journal itself" in capsys.readouterr().err
    assert file.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"three weeks of work\n", b"SQLite format 3\0" + bytes(100)])
def test_a_file_that_is_no_journal_is_not_set_aside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    file = tmp_path / "respondents.csv"
    file.write_bytes(content)
    assert main(["journal", "--file", str(file), "--set-aside"]) == 1
    assert "not a journal" in capsys.readouterr().err
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [content]


@pytest.mark.parametrize("target", ["no such folder/audit.csv", ".", "x" * 300])
def test_an_export_that_cannot_be_written_is_said_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    Journal(tmp_path / "journal.sqlite3").close()
    assert main(["journal", "--file", str(tmp_path / "journal.sqlite3"), "--export", str(tmp_path / target)]) == 2
    assert "Safe: nothing was written" in capsys.readouterr().err


def test_listing_a_journal_that_was_changed_names_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "journal.sqlite3"
    journal = Journal(file)
    for batch in ("0", "1", "2"):
        journal.write(WaveKey("sandbox", "p", "w"), UPLOAD, EntryState.DONE, upload_of(f"job {batch}"), batch=batch)
    with closing(sqlite3.connect(file)) as database:
        database.execute("DELETE FROM events WHERE id = 2")
        database.commit()
    assert main(["journal", "--file", str(file)]) == 0
    printed = capsys.readouterr()
    assert "job 2" in printed.out
    assert "Entries are missing: 2." in printed.err


def test_listing_a_damaged_journal_leaves_it_where_it_is_until_it_is_set_aside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "journal.sqlite3"
    Journal(file).close()
    damaged = file.read_bytes()[:100] + b"\xa5" * 5_000
    file.write_bytes(damaged)
    assert main(["journal", "--file", str(file)]) == 1
    assert "damaged" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["journal.sqlite3"]
    assert main(["journal", "--file", str(file), "--set-aside"]) == 0
    (renamed,) = tmp_path.iterdir()
    assert renamed.name.startswith("journal.sqlite3.old-")
    assert renamed.name in capsys.readouterr().out
    assert renamed.read_bytes() == damaged
    assert Journal(file).entries() == []
