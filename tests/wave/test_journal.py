"""The journal remembers what was meant and what came of it, and outlives the process."""

from __future__ import annotations

import gc
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cint_nb.domain.errors import JournalError, WaveBusy
from cint_nb.wave.client import open_client
from cint_nb.wave.journal import EntryState, Journal, WaveKey, default_path
from cint_nb.wave.journal_payloads import DRAFT, PAUSE, RESUME, UPLOAD, DraftPayload, Payload, UploadPayload

RECORDING = Path(__file__).parents[1] / "recordings" / "10-connect.jsonl"
KEY = WaveKey("live https://api.cint.com/v1 account 101", "Brand tracker", "Wave 2")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "journal.sqlite3"


def test_an_entry_is_there_after_the_file_is_opened_again(path: Path) -> None:
    first = Journal(path)
    payload = UploadPayload(content_hash="0f", file_name="abc.csv", cycle=0, saved_before=3, digests_before=("a", "b"))
    first.write(KEY, UPLOAD, EntryState.INTENT, payload, batch="0")
    first.close()
    entry = Journal(path).last(KEY, UPLOAD, batch="0")
    assert entry is not None
    assert (entry.state, entry.payload, entry.batch) == (EntryState.INTENT, payload, "0")


def test_the_newest_entry_of_a_step_counts() -> None:
    journal = Journal()
    journal.write(KEY, RESUME, EntryState.INTENT, Payload())
    journal.write(KEY, RESUME, EntryState.FAILED, Payload())
    entry = journal.last(KEY, RESUME)
    assert entry is not None
    assert entry.state is EntryState.FAILED


def test_waves_places_and_projects_do_not_mix() -> None:
    journal = Journal()
    journal.write(KEY, PAUSE, EntryState.DONE, Payload())
    for other in (WaveKey("sandbox", KEY.project, KEY.wave), WaveKey(KEY.scope, "Another", KEY.wave)):
        assert journal.last(other, PAUSE) is None


def test_only_the_owner_can_read_the_file(path: Path) -> None:
    Journal(path)
    assert path.stat().st_mode & 0o077 == 0


def test_a_damaged_file_is_set_aside_and_said_so(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database, and it is long enough to be looked at as one" * 40)
    with pytest.warns(UserWarning, match="renamed to"):
        journal = Journal(path)
    journal.write(KEY, PAUSE, EntryState.INTENT, Payload())
    renamed = list(path.parent.glob("*.damaged-*"))
    assert len(renamed) == 1
    assert renamed[0].read_bytes().startswith(b"this is no database")


def test_what_cannot_be_opened_now_is_not_set_aside_as_damaged(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(JournalError, match="cannot be opened"):
        Journal(path)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_each_entry_is_flushed_to_the_disk(path: Path) -> None:
    full = 2
    assert Journal(path)._connection.execute("PRAGMA synchronous").fetchone() == (full,)


def test_a_journal_of_a_newer_version_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(JournalError, match="newer version"):
        Journal(path)


def test_a_journal_of_an_earlier_version_is_refused_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, place TEXT NOT NULL)")
        connection.execute("INSERT INTO events VALUES (1, 'sandbox')")
        connection.commit()
        connection.execute("PRAGMA user_version=1")
    with pytest.raises(JournalError, match="earlier version") as caught:
        Journal(path)
    assert "CINT_NB_JOURNAL" in str(caught.value.next_step)
    assert [each.name for each in path.parent.glob("*.damaged-*")] == []
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert connection.execute("SELECT place FROM events").fetchall() == [("sandbox",)]


def test_a_journal_of_an_older_version_opens_with_all_it_holds(path: Path) -> None:
    first = Journal(path)
    payload = DraftPayload(project_id="p", reference="r", target_group_id="01JX2X0N5RTR012AYDTA83QWTW")
    first.write(KEY, DRAFT, EntryState.DONE, payload)
    first.close()
    connection = sqlite3.connect(path)
    connection.execute("DROP INDEX by_step")
    connection.execute("PRAGMA user_version=0")
    connection.close()
    entry = Journal(path).last(KEY, DRAFT)
    assert entry is not None
    assert entry.payload == payload


def test_a_second_process_is_refused_with_the_name_of_the_first(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from cint_nb.wave.journal import *;"
        f"j = Journal(Path({str(path)!r})); j.lock(WaveKey({KEY.scope!r}, {KEY.project!r}, {KEY.wave!r}));"
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        with pytest.raises(WaveBusy, match=f"process {first.pid} of "):
            Journal(path).lock(KEY)
        first.kill()
    Journal(path).lock(KEY)


def test_the_same_process_may_hold_a_wave_again(path: Path) -> None:
    journal = Journal(path)
    journal.lock(KEY)
    journal.lock(KEY)
    Journal(path).lock(KEY)


def test_its_place_can_be_chosen(tmp_path: Path) -> None:
    assert default_path({"CINT_NB_JOURNAL": str(tmp_path / "here")}) == tmp_path / "here"
    assert default_path({}).name == "journal.sqlite3"


@pytest.mark.parametrize(
    ("settings", "on_disk"),
    [
        ({}, False),
        ({"mode": "replay", "recording": RECORDING}, False),
        ({"base_url": "http://127.0.0.1:1/v1"}, True),
        ({"base_url": "http://127.0.0.1:1/sandbox.invalid/v1"}, True),
        ({"mode": "live", "account_id": 7, "token": "a-token"}, True),
    ],
    ids=["sandbox in this process", "replay", "served sandbox", "its URL names the other", "live"],
)
def test_a_journal_lives_as_long_as_its_exchange(settings: dict[str, Any], on_disk: bool) -> None:
    with open_client(**settings) as client:
        assert (client.aio.journal.path is not None) is on_disk


def test_a_journal_that_is_only_dropped_closes_its_file(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite3")
    connection = journal._connection
    del journal
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_waves_of_two_accounts_or_hosts_are_not_the_same_wave() -> None:
    scopes = set()
    for settings in ({}, {"account_id": 7}, {"base_url": "http://127.0.0.1:9/v1"}):
        with open_client("sandbox", **settings) as client:
            scopes.add(client.aio.scope)
    assert len(scopes) == 3


def test_a_closed_session_lets_go_of_its_journal() -> None:
    client = open_client("sandbox")
    journal = client.aio.journal
    client.close()
    with pytest.raises(sqlite3.ProgrammingError):
        journal.entries()


def test_only_the_owner_can_read_a_journal_and_what_lies_beside_it(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        journal = Journal(tmp_path / "journal.sqlite3")
        journal.write(KEY, PAUSE, EntryState.DONE, Payload())
        journal.lock(KEY)
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert {path.suffix for path in files} >= {".sqlite3", ".sqlite3-wal", ".sqlite3-shm", ".lock", ".holder"}
        assert [path.name for path in files if path.stat().st_mode & 0o077] == []
        journal.close()
    finally:
        os.umask(before)


@pytest.mark.parametrize(
    ("step", "data"),
    [
        ("upload", '{"token": "abc"}'),  # too little
        ("pause", '{"tocken": "abc"}'),  # a field no payload declares
        ("pause", "{"),
        ("relocate", "{}"),  # a step nobody knows
    ],
)
def test_an_entry_that_cannot_be_read_is_named_and_never_half_believed(path: Path, step: str, data: str) -> None:
    journal = Journal(path)
    journal.write(KEY, PAUSE, EntryState.DONE, Payload())
    with sqlite3.connect(path) as file:
        file.execute("UPDATE events SET step = ?, data = ?", (step, data))
    with pytest.raises(JournalError, match="cannot be read") as caught:
        journal.entries()
    assert caught.value.evidence["entry"] == 1
