"""What the disk, the system or another program does to the journal becomes an error of ours, with what was sent."""

from __future__ import annotations

import errno
import os
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from cint_nb.domain.errors import CintWarning, JournalDamaged, JournalError
from cint_nb.wave.client import Client, open_client
from cint_nb.wave.journal import database
from cint_nb.wave.journal.journal import EntryState, Journal, WaveKey
from cint_nb.wave.journal.payloads import PAUSE, UPLOAD, Payload, UploadPayload
from cint_nb.wave.wave import Wave

KEY = WaveKey("live https://api.cint.com/v1 account 101", "Brand tracker", "Wave 2")
LONG = UploadPayload(
    content_hash="0f", file_name="abc.csv", cycle=0, saved_before=0, digests_before=("x" * 20,) * 20_000
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "journal.sqlite3"


def enter(journal: Journal) -> None:
    with journal.lock(KEY):
        pass


METHODS: dict[str, Callable[[Journal], object]] = {
    "write": lambda journal: journal.write(KEY, UPLOAD, EntryState.DONE, LONG),
    "entries": Journal.entries,
    "last": lambda journal: journal.last(KEY, PAUSE),
    "verify": Journal.verify,
    "is_complete": lambda journal: journal.is_complete,
    "lock": enter,
    "open": lambda journal: Journal(journal.path),
}
WRITING = {"write", "lock"}
READING = METHODS.keys() - WRITING

# --- real failures: each is made, and undone; which methods it stops ------------------------------------------------


@contextmanager
def held_by_a_writer(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def being_written(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def disk_is_full(path: Path) -> Iterator[None]:
    """No file may grow beyond this size, which SQLite meets as it does a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def no_file_can_be_opened(path: Path) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def is_gone(path: Path) -> Iterator[None]:
    path.unlink()
    yield


@contextmanager
def folder_is_gone(path: Path) -> Iterator[None]:
    shutil.rmtree(path.parent)
    yield


@contextmanager
def became_a_folder(path: Path) -> Iterator[None]:
    path.unlink()
    path.mkdir()
    yield


@contextmanager
def became_a_list(path: Path) -> Iterator[None]:
    path.unlink()
    path.write_text("rid\n" * 500)
    yield
    assert path.read_text() == "rid\n" * 500


@contextmanager
def was_overwritten(path: Path) -> Iterator[None]:
    path.write_text("rid\n" * 5_000)
    yield
    assert path.read_text() == "rid\n" * 5_000


@contextmanager
def became_another_database(path: Path) -> Iterator[None]:
    path.unlink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, at TEXT)")
        other.commit()
    before = path.read_bytes()
    yield
    assert path.read_bytes() == before


@contextmanager
def was_cut(path: Path) -> Iterator[None]:
    path.write_bytes(path.read_bytes()[:5_000])
    yield


@contextmanager
def lost_a_table(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path)) as other:
        for table in ("events", "head", "locks"):
            other.execute(f"DROP TABLE {table}")
        other.commit()
    yield


OPENS_ANEW = {"open"}  # a new one is started where the file is missing or of another program; a damaged one is renamed
FAILURES: dict[Callable[[Path], Any], set[str]] = {
    held_by_a_writer: set(METHODS),
    being_written: WRITING,
    disk_is_full: {"write"},
    no_file_can_be_opened: set(METHODS),
    is_gone: METHODS.keys() - OPENS_ANEW,
    folder_is_gone: METHODS.keys() - OPENS_ANEW,
    became_a_folder: set(METHODS),
    became_a_list: METHODS.keys() - OPENS_ANEW,
    was_overwritten: METHODS.keys() - OPENS_ANEW,
    became_another_database: METHODS.keys() - OPENS_ANEW,
    was_cut: METHODS.keys() - OPENS_ANEW - {"lock"},
    lost_a_table: METHODS.keys() - OPENS_ANEW,
}


def check_words(error: JournalError) -> None:
    """An error of the journal has a cause, says what was sent, and ends with a next step."""
    assert error.evidence.keys() >= {"path"}
    assert re.search("sent|sends", str(error.safe))
    assert str(error.next_step).endswith(".")


@pytest.mark.sampled
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.__name__)
@pytest.mark.filterwarnings("ignore::cint_nb.errors.CintWarning")
def test_a_journal_that_fails_says_so_in_each_of_its_methods(
    path: Path, monkeypatch: pytest.MonkeyPatch, failure: Callable[[Path], Any], method: str
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.0)
    journal = Journal(path)
    for _ in range(40):
        journal.write(KEY, PAUSE, EntryState.DONE, Payload())
    failed: JournalError | None = None
    with failure(path):
        try:
            METHODS[method](journal)
        except JournalError as error:
            failed = error
    if method in FAILURES[failure]:
        assert failed is not None
        check_words(failed)
    elif failure is not was_cut:
        assert failed is None
    if failure in (held_by_a_writer, being_written, disk_is_full, no_file_can_be_opened):
        METHODS[method](journal)  # it was for a moment only
        assert journal.is_complete


# --- every code that SQLite and the system know ---------------------------------------------------------------------

CODES = sorted({
    code
    for name, code in vars(sqlite3).items()
    if name.startswith("SQLITE_")
    and isinstance(code, int)
    and name not in ("SQLITE_OK", "SQLITE_ROW", "SQLITE_DONE")
    and not name.startswith(("SQLITE_DENY", "SQLITE_IGNORE", "SQLITE_LIMIT", "SQLITE_DBCONFIG"))
})  # fmt: skip


def sqlite_failure(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError(f"failure {code}")
    error.sqlite_errorcode = code
    return error


REASONS: list[Exception] = [
    *(sqlite_failure(code) for code in CODES),
    *(OSError(number, os.strerror(number)) for number in sorted(errno.errorcode)),
    *(kind("without a code") for kind in (sqlite3.Error, sqlite3.DatabaseError, sqlite3.ProgrammingError, OSError)),
    sqlite3.InterfaceError("bad parameter"),
    ValueError("embedded null byte"),
    UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
]


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("method", sorted(METHODS.keys() - {"open"}))
def test_every_failure_that_sqlite_and_the_system_know_becomes_ours(
    path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    journal = Journal(path)
    for reason in REASONS:

        def fail(*_: object, reason: Exception = reason, **__: object) -> NoReturn:
            raise reason

        with monkeypatch.context() as patched:
            patched.setattr(sqlite3, "connect", fail)
            with pytest.raises(JournalError) as caught:
                METHODS[method](journal)
        check_words(caught.value)
        assert caught.value.__cause__ is reason
        code = getattr(reason, "sqlite_errorcode", 0) & 0xFF
        assert isinstance(caught.value, JournalDamaged) == (code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB))
    METHODS[method](journal)


@pytest.mark.filterwarnings("ignore::cint_nb.errors.CintWarning")
def test_every_failure_while_a_journal_is_opened_becomes_ours(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cint_nb.wave.journal.journal.set_aside", lambda path, _: path)
    for reason in REASONS:

        def fail(*_: object, reason: Exception = reason, **__: object) -> NoReturn:
            raise reason

        with monkeypatch.context() as patched:
            patched.setattr(sqlite3, "connect", fail)
            with pytest.raises(JournalError) as caught:
                Journal(path)
        check_words(caught.value)


@pytest.mark.parametrize(
    "place",
    [
        "/etc/hostname/journal.sqlite3",
        "/proc/journal.sqlite3",
        "/dev/null",
        "x" * 300,
        "x" * 200 + "/" + "y" * 200 + "/" + "z" * 200,
        "folder/\0",
        "\ud800",
    ],
)
@pytest.mark.parametrize("read_only", [False, True])
def test_a_path_that_can_be_no_journal_is_said_in_words(tmp_path: Path, place: str, *, read_only: bool) -> None:
    with pytest.raises(JournalError, match="cannot be opened") as caught:
        Journal(tmp_path / place, read_only=read_only)
    check_words(caught.value)


def test_a_loop_of_links_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(JournalError, match="cannot be opened"):
        Journal(tmp_path / "a")


def test_a_read_only_journal_creates_and_changes_nothing(path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be opened"):
        Journal(path, read_only=True)
    assert not path.parent.exists()
    Journal(path).write(KEY, PAUSE, EntryState.DONE, Payload())
    path.chmod(0o644)
    before = path.read_bytes()
    journal = Journal(path, read_only=True)
    assert len(journal.entries()) == 1
    for method in WRITING:
        with pytest.raises(JournalError, match="cannot be written") as caught:
            METHODS[method](journal)
        assert "writable" in str(caught.value.next_step)
    assert path.read_bytes() == before
    assert path.stat().st_mode & 0o777 == 0o644
    path.write_bytes(before[:100] + bytes(len(before) - 100))
    with pytest.raises(JournalDamaged):
        Journal(path, read_only=True).entries()
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_where_there_is_no_new_folder_the_journal_stays_what_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent.parent)
    journal = Journal(Path("journal.sqlite3"))
    (path.parent.parent / "elsewhere").mkdir()
    monkeypatch.chdir(path.parent.parent / "elsewhere")
    journal.write(KEY, PAUSE, EntryState.DONE, Payload())
    assert len(journal.entries()) == 1
    assert list(Path().iterdir()) == []


# --- closed ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", sorted(METHODS.keys() - {"open"}))
@pytest.mark.parametrize("in_memory", [False, True])
def test_a_closed_journal_says_that_the_client_is_closed(path: Path, method: str, *, in_memory: bool) -> None:
    journal = Journal(None if in_memory else path)
    journal.close()
    journal.close()
    with pytest.raises(JournalError, match="client is closed") as caught:
        METHODS[method](journal)
    assert "connect again" in str(caught.value.next_step)


@pytest.mark.parametrize("verb", ["pause", "close"])
@pytest.mark.parametrize("harm", ["gone", "folder gone", "emptied", "overwritten"])
def test_a_wave_is_stopped_though_its_journal_fails(
    client: Client, make_wave: Callable[..., Wave], path: Path, verb: str, harm: str
) -> None:
    client.aio._journal = Journal(path)
    wave = make_wave()
    wave.create()
    wave.upload()
    wave.launch(budget="1400 EUR")
    if harm == "folder gone":
        shutil.rmtree(path.parent)
    elif harm == "gone":
        path.unlink()
    else:
        path.write_bytes(b"" if harm == "emptied" else b"no database" * 1_000)
    with pytest.warns(CintWarning, match="the journal does not say so"):
        getattr(wave, verb)()
    (group,) = client.sandbox.world.groups.values()
    assert group.status == {"pause": "paused", "close": "completed"}[verb]


def test_a_wave_of_a_closed_client_says_so(client: Client, make_wave: Callable[..., Wave]) -> None:
    wave = make_wave()
    wave.create()
    client.close()
    for verb in (wave.create, wave.upload, wave.status, wave.close):
        with pytest.raises(JournalError, match="client is closed"):
            verb()


def test_a_client_closed_before_it_used_its_journal_opens_none() -> None:
    client = open_client("sandbox")
    client.close()
    with pytest.raises(JournalError, match="client is closed"):
        client.aio.journal.entries()


# --- what was sent --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (EntryState.INTENT, "nothing was sent for this step"),
        (EntryState.RUNNING, "was sent and accepted, and its job runs"),
        (EntryState.DONE, "was sent and is done"),
        (EntryState.FAILED, "refused the request or reports that its job failed"),
    ],
)
def test_an_entry_that_cannot_be_written_says_what_was_sent(
    path: Path, monkeypatch: pytest.MonkeyPatch, state: EntryState, said: str
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.0)
    journal = Journal(path)
    with being_written(path), pytest.raises(JournalError, match="cannot be written") as caught:
        journal.write(KEY, PAUSE, state, Payload())
    assert said in str(caught.value.safe)
    journal.close()
    with pytest.raises(JournalError, match="closed") as caught:
        journal.write(KEY, PAUSE, state, Payload())
    assert said in str(caught.value.safe)


@pytest.mark.thorough
def test_a_process_that_may_open_no_more_files_says_so_in_words(path: Path) -> None:
    code = (
        "import os, resource, sys; from pathlib import Path; from cint_nb.wave.journal.journal import *\n"
        f"journal = Journal(Path({str(path)!r}))\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir('/proc/self/fd')) - 1,) * 2)\n"
        "try: journal.entries()\n"
        "except Exception as error: print(type(error).__name__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "JournalError\n"
