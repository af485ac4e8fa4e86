"""The journal remembers what was meant and what came of it, and outlives the process."""

from __future__ import annotations

import gc
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from cint_nb.domain.errors import CintWarning, JournalError
from cint_nb.wave.client import Client, open_client
from cint_nb.wave.journal.database import set_aside
from cint_nb.wave.journal.journal import EntryState, Journal, WaveKey, default_path
from cint_nb.wave.journal.payloads import (
    DRAFT,
    PAUSE,
    RESUME,
    STEPS,
    UPLOAD,
    DraftPayload,
    Payload,
    Step,
    UploadPayload,
)
from cint_nb.wave.wave import Wave

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


def damage(path: Path, *, start: int) -> bytes:
    """Overwrite a journal from an offset to its end, and return its bytes."""
    content = path.read_bytes()
    path.write_bytes(content[:start] + b"\xa5" * (len(content) - start))
    return path.read_bytes()


@pytest.mark.parametrize("start", [72, 100, 4096, 9000])
def test_a_damaged_journal_is_set_aside_and_said_so(path: Path, start: int) -> None:
    first = Journal(path)
    first.write(KEY, PAUSE, EntryState.INTENT, Payload())
    first.close()
    content = damage(path, start=start)
    with pytest.warns(CintWarning, match="renamed to"):
        journal = Journal(path)
    journal.write(KEY, PAUSE, EntryState.INTENT, Payload())
    assert len(journal.entries()) == 1
    renamed = list(path.parent.glob("*.damaged-*"))
    assert [each.read_bytes() for each in renamed] == [content]


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_a_copy_that_was_cut_off_is_set_aside_too(path: Path, kept: float) -> None:
    first = Journal(path)
    for _ in range(200):
        first.write(KEY, PAUSE, EntryState.INTENT, Payload())
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.warns(CintWarning, match="renamed to"):
        assert Journal(path).entries() == []


def test_a_set_aside_journal_replaces_none_that_was_set_aside_before(path: Path) -> None:
    for _ in range(3):
        Journal(path).close()
        damage(path, start=100)
        with pytest.warns(CintWarning, match="renamed to"):
            Journal(path)
    assert len(list(path.parent.glob("*.damaged-*"))) == 3


def test_an_unfinished_change_goes_with_the_damaged_journal_and_not_into_the_new_one(path: Path) -> None:
    Journal(path).close()
    beside = path.with_name(f"{path.name}-journal")
    beside.write_bytes(b"a change that was not finished")
    renamed = set_aside(path, "damaged")
    assert renamed.with_name(f"{renamed.name}-journal").read_bytes() == b"a change that was not finished"
    assert len(list(path.parent.iterdir())) == 2


def is_csv(path: Path) -> None:
    path.write_text("rid,rsid\n" + "01JX2X0N5RTR012AYDTA83QWTW,1\n" * 50)


def is_garbage(path: Path) -> None:
    path.write_bytes(b"this is no database, and it is long enough to be looked at as one" * 40)


def is_one_byte(path: Path) -> None:
    path.write_bytes(b"\n")


def is_another_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE answers (a, b)")
        other.commit()


def is_another_database_with_a_log(path: Path) -> None:
    """A write-ahead log that was not folded in yet: opening and closing the file would do so."""
    source = path.with_name("source")
    with closing(sqlite3.connect(source)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("CREATE TABLE events (a, b)")
        other.commit()
        for suffix in ("", "-wal"):
            path.with_name(path.name + suffix).write_bytes(source.with_name(source.name + suffix).read_bytes())
    source.unlink()


def is_a_damaged_other_database(path: Path) -> None:
    is_another_database(path)
    damage(path, start=100)


def is_an_empty_other_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA application_id=7")
        other.commit()


FOREIGN = (
    is_csv,
    is_garbage,
    is_one_byte,
    is_another_database,
    is_another_database_with_a_log,
    is_a_damaged_other_database,
    is_an_empty_other_database,
)


def make_foreign(tmp_path: Path, make: Callable[[Path], None]) -> tuple[Path, Path]:
    """Return a file of another program, and a link to it elsewhere."""
    file, link = tmp_path / "folder" / "theirs", tmp_path / "link.sqlite3"
    file.parent.mkdir()
    make(file)
    file.chmod(0o644)
    link.symlink_to(file)
    return file, link


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {each.name: (each.read_bytes(), each.stat().st_mode) for each in folder.iterdir()}


@pytest.mark.parametrize("make", FOREIGN)
@pytest.mark.parametrize("linked", [False, True])
def test_a_file_that_is_no_journal_stays_as_it_is_and_the_journal_is_kept_beside_it(
    tmp_path: Path, make: Callable[[Path], None], *, linked: bool
) -> None:
    file, link = make_foreign(tmp_path, make)
    before = contents(file.parent)
    for number in range(3):
        with pytest.warns(CintWarning, match="is not a journal .* was left unchanged") as caught:
            journal = Journal(link if linked and number else file)
        (warning,) = caught
        assert str(journal.path) in str(warning.message)
        assert "CINT_NB_JOURNAL" in str(warning.message)
        assert len(journal.entries()) == number
        journal.write(KEY, PAUSE, EntryState.DONE, Payload())
        journal.close()
    after = contents(file.parent)
    assert {name: after[name] for name in before} == before
    assert sorted(after.keys() - before.keys()) == ["theirs.cint-nb.sqlite3"]


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("make", FOREIGN)
def test_a_file_that_is_no_journal_is_not_read_as_one(tmp_path: Path, make: Callable[[Path], None]) -> None:
    file, _ = make_foreign(tmp_path, make)
    before = contents(file.parent)
    with pytest.raises(JournalError, match="not a journal") as caught:
        Journal(file, read_only=True)
    assert "CINT_NB_JOURNAL" in str(caught.value.next_step)
    assert contents(file.parent) == before


def test_where_the_file_beside_is_another_programs_too_it_is_refused(tmp_path: Path) -> None:
    file, _ = make_foreign(tmp_path, is_csv)
    is_csv(file.with_name(f"{file.name}.cint-nb.sqlite3"))
    before = contents(file.parent)
    with pytest.warns(CintWarning, match="left unchanged"), pytest.raises(JournalError, match="not a journal"):
        Journal(file)
    assert contents(file.parent) == before


def test_a_wave_is_found_though_its_journal_was_overwritten_from_its_first_byte(
    tmp_path: Path, make_wave: Callable[..., Wave], client: Client
) -> None:
    path = tmp_path / "journal.sqlite3"
    client.aio._journal = Journal(path)
    wave = make_wave()
    wave.create()
    wave.upload()
    wave.launch(budget="300 EUR")
    is_garbage(path)
    with pytest.warns(CintWarning, match="left unchanged"):
        client.aio._journal = Journal(path)
    again = make_wave()
    with pytest.warns(CintWarning, match="found on the exchange"):
        again.create()
    again.upload()
    with pytest.warns(CintWarning, match="Nothing was sent"):
        again.launch(budget="300 EUR")
    assert len(client.sandbox.world.groups) == 1
    assert sorted(job.kind for job in client.sandbox.world.jobs.values()) == ["launch", "recontact-upload"]


def test_an_empty_file_becomes_a_journal(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    Journal(path).write(KEY, PAUSE, EntryState.DONE, Payload())
    assert len(Journal(path).entries()) == 1


def test_what_cannot_be_opened_now_is_not_set_aside_as_damaged(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(JournalError, match="cannot be opened"):
        Journal(path)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_each_entry_is_flushed_to_the_disk(path: Path) -> None:
    full = 2
    with Journal(path)._database.write(safe="") as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (full,)


def test_a_copy_of_the_file_alone_holds_every_entry_while_the_journal_is_in_use(path: Path) -> None:
    journal = Journal(path)
    for number in range(5):
        journal.write(KEY, PAUSE, EntryState.DONE, Payload())
        copy = path.with_name(f"copy {number}")
        copy.write_bytes(path.read_bytes())
        copied = Journal(copy)
        assert copied.entries() == journal.entries()
        assert copied.is_complete
    assert [each.name for each in path.parent.iterdir() if each.name.startswith(path.name)] == [path.name]


def test_a_journal_that_something_else_gave_a_write_ahead_log_loses_it_again(path: Path) -> None:
    Journal(path).close()
    with closing(sqlite3.connect(path)) as browser:
        browser.execute("PRAGMA journal_mode=WAL")
    journal = Journal(path)
    journal.write(KEY, PAUSE, EntryState.DONE, Payload())
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_journal_of_a_newer_version_is_left_alone(path: Path) -> None:
    Journal(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=99")
    before = path.read_bytes()
    with pytest.raises(JournalError, match="newer version"):
        Journal(path)
    assert path.read_bytes() == before


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


def test_a_journal_that_lost_its_index_opens_with_all_it_holds(path: Path) -> None:
    first = Journal(path)
    payload = DraftPayload(project_id="p", reference="r", target_group_id="01JX2X0N5RTR012AYDTA83QWTW")
    first.write(KEY, DRAFT, EntryState.DONE, payload)
    first.close()
    connection = sqlite3.connect(path)
    connection.execute("DROP INDEX by_step")
    connection.close()
    entry = Journal(path).last(KEY, DRAFT)
    assert entry is not None
    assert entry.payload == payload


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


def test_between_two_operations_no_file_is_open(tmp_path: Path) -> None:
    before = open_files()
    journal = Journal(tmp_path / "journal.sqlite3")
    journal.write(KEY, PAUSE, EntryState.DONE, Payload())
    journal.entries()
    with journal.lock(KEY):
        assert open_files() == before


def open_files() -> list[str]:
    """Return what this process has open of files whose names say journal."""
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return sorted(name for link in links if "journal" in (name := str(link.readlink())))


def test_a_journal_in_memory_that_is_only_dropped_closes_its_connection() -> None:
    journal = Journal()
    connection = journal._database._memory
    assert connection is not None
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
    with pytest.raises(JournalError, match="closed"):
        journal.entries()
    assert client.aio.journal is journal


def test_only_the_owner_can_read_a_journal_and_what_lies_beside_it(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        journal = Journal(tmp_path / "journal.sqlite3")
        with journal.lock(KEY), journal._database.write(safe="") as connection:
            connection.execute("UPDATE head SET count = 1")
            files = [path for path in tmp_path.rglob("*") if path.is_file()]
            assert {path.suffix for path in files} == {".sqlite3", ".sqlite3-journal"}
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
    with closing(sqlite3.connect(path)) as file:
        file.execute("UPDATE events SET step = ?, data = ?", (step, data))
        file.commit()
    with pytest.raises(JournalError, match="cannot be read") as caught:
        journal.entries()
    assert caught.value.evidence["entry"] == 1


# --- the chain of checksums -----------------------------------------------------------------------------------------


def changed_by(path: Path, *statements: str) -> Journal:
    """Return a journal of five entries to which somebody else did something."""
    journal = Journal(path)
    for _ in range(5):
        journal.write(KEY, PAUSE, EntryState.DONE, Payload())
    with closing(sqlite3.connect(path)) as file:
        for statement in statements:
            file.execute(statement)
        file.commit()
    return journal


COLUMNS = ("at", "who", "scope", "project", "wave", "step", "batch", "state", "data")


@pytest.mark.sampled(every=4)
@pytest.mark.parametrize(
    ("statement", "rule", "named"),
    [
        *((f"UPDATE events SET {column} = {column} || ' ' WHERE id = 3", "changed", "3") for column in COLUMNS),  # noqa: S608
        ("UPDATE events SET checksum = 'x' WHERE id = 5", "changed", "5"),
        ("UPDATE events SET who = CAST(x'ff' AS TEXT) WHERE id = 1", "changed", "1"),
        ("UPDATE events SET id = 9 WHERE id = 5", "missing", "5 to 8"),
        ("DELETE FROM events WHERE id = 1", "missing", "1"),
        ("DELETE FROM events WHERE id IN (2, 3)", "missing", "2 to 3"),
        ("DELETE FROM events WHERE id = 5", "missing", "5"),
        ("DELETE FROM events WHERE id > 3", "missing", "4 to 5"),
        ("DELETE FROM events", "missing", "1 to 5"),
        ("INSERT INTO events SELECT 6, at, who, scope, project, wave, step, batch, state, data, checksum FROM events "
         "WHERE id = 5", "changed", "6"),
        ("UPDATE head SET count = 4", "changed", "5"),
        ("DELETE FROM head", "head-missing", "count"),
    ],
)  # fmt: skip
def test_what_was_changed_or_is_missing_is_named_and_the_rest_stays_readable(
    path: Path, statement: str, rule: str, named: str
) -> None:
    journal = changed_by(path, statement)
    finding = next(each for each in journal.verify() if rule in each.rule)
    assert f" {named}" in finding.message
    assert not journal.is_complete
    with pytest.warns(CintWarning, match="not as it was written") as warned:
        again = Journal(path)
    assert named in str(warned[0].message)
    again.write(KEY, RESUME, EntryState.DONE, Payload())
    assert again.last(KEY, RESUME) is not None
    assert again.verify().rules(), "what was found stays known when entries are added"


def test_a_head_that_names_another_entry_than_the_newest_is_noticed(path: Path) -> None:
    assert changed_by(path, "UPDATE head SET checksum = 'x'").verify().rules() == ("journal-entries-changed",)


def test_a_journal_as_it_was_written_says_nothing(path: Path) -> None:
    assert changed_by(path).is_complete
    assert Journal(path).verify().rules() == ()
    assert Journal().is_complete


def test_the_checksums_of_two_writers_are_one_chain(path: Path) -> None:
    one, other = Journal(path), Journal(path)
    for journal in (one, other, other, one):
        journal.write(KEY, PAUSE, EntryState.DONE, Payload())
    assert one.is_complete
    assert len(other.entries()) == 4


def models_in(model: type[BaseModel]) -> set[type[BaseModel]]:
    """Return a model and every model in its fields."""
    found = {model}
    for field in model.model_fields.values():
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                found |= models_in(part)
    return found


@pytest.mark.parametrize("step", STEPS.values(), ids=list(STEPS))
def test_what_is_not_known_is_left_out_of_an_entry_and_may_be_missing_when_it_is_read(step: Step[Payload]) -> None:
    for model in models_in(step.payload):
        for name, field in model.model_fields.items():
            may_be_none = type(None) in get_args(field.annotation)
            assert not (may_be_none and field.is_required()), f"an entry without {model.__name__}.{name} is unreadable"
