"""A history is changed whole or not at all, whoever is killed in between; writers take turns; damage is named."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cint_nb.domain.errors import HistoryBusy, HistoryError, InputError
from cint_nb.history import storage
from cint_nb.history.history import History
from cint_nb.history.lock import FolderLock
from cint_nb.history.tables import TABLES
from tests.history.studies import DAY, FIRST, OPENED, SECOND, long, people, report, rid, table, times, two_waves


class Killed(BaseException):
    """What stops a process, past everything that cleans up."""


Change = Callable[[History, Path], Any]


def add_third(history: History, folder: Path) -> None:
    path = folder / "wave-3.csv"
    history.add_report(path, name="third", listed=people([1, 3, 50]), **times(3))


def add_second_again(history: History, folder: Path) -> None:
    history.add_report(folder / "later.csv", name="second", **times(2))


def erase_first(history: History, folder: Path) -> None:
    history.erase(people([1]))


def join_answers(history: History, folder: Path) -> None:
    history.join([{"RID": rid(1, 1), "mood": "good"}])


CHANGES: dict[str, Change] = {
    "add": add_third,
    "add again": add_second_again,
    "erase": erase_first,
    "join": join_answers,
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    two_waves(folder)
    report(folder, [(1, 10), (3, 20)], wave=3)
    report(folder, [(1, 10), (2, 26), (3, 1), (4, 10)], wave=2, name="later")
    return folder


def content(history: History) -> dict[str, Any]:
    """Return all tables, and what the measures are given; a new history each time, as another process has it."""
    return {name: table(history, name) for name in TABLES} | {"long": long(history)}


@pytest.mark.thorough
@pytest.mark.parametrize("change", CHANGES)
def test_a_kill_at_any_write_loses_nothing(
    change: str, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next process finds the history as it was, or as it should be, and can do the same again."""
    steps: list[str] = []
    shutil.copytree(prepared, tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(storage, "at_write", steps.append)
        before = content(opened(tmp_path / "whole"))
        CHANGES[change](opened(tmp_path / "whole"), tmp_path / "whole")
        after = content(opened(tmp_path / "whole"))
    assert steps[-3:] == ["manifest", "manifest takes its name", "older versions"]
    for number, step in enumerate(steps):
        folder = tmp_path / str(number)
        shutil.copytree(prepared, folder)
        history = opened(folder)
        with monkeypatch.context() as patch:
            patch.setattr(storage.Store, "clean_up", lambda *_, **__: None)
            patch.setattr(storage, "at_write", stop_at(number))
            with pytest.raises(Killed) as killed:
                CHANGES[change](history, folder)
        assert str(killed.value) == step
        counts = number == len(steps) - 1
        assert content(opened(folder)) == (after if counts else before), step
        if not counts and number % 4 == 0:
            CHANGES[change](opened(folder), folder)
            assert content(opened(folder)) == after, step
            assert not (folder / "study" / storage.SCRATCH).exists()
            assert not opened(folder).check().blocking, step
        shutil.rmtree(folder)


def opened(folder: Path) -> History:
    """Return the history of a folder, always on the same day."""
    return History(folder / "study", now=lambda: OPENED + 300 * DAY)


def stop_at(number: int) -> Callable[[str], None]:
    left = iter(range(number))

    def stop(what: str) -> None:
        if next(left, None) is None:
            raise Killed(what)

    return stop


_CHILD = """
import os, signal, sys
from pathlib import Path
from cint_nb.history import storage
from cint_nb.history.history import History
from tests.history.test_storage import add_third
def stop(what):
    if what == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
storage.at_write = stop
add_third(History.open(Path(sys.argv[1]) / "study"), Path(sys.argv[1]))
"""


@pytest.mark.thorough
@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system with signals")
@pytest.mark.parametrize(
    "step",
    [
        "people/people-7.parquet",
        "visits/part-3.parquet",
        "listed/part-3.parquet",
        "link visits/part-1.parquet",
        "manifest",
        "manifest takes its name",
        "older versions",
    ],
)
def test_a_process_that_is_killed_leaves_its_turn_and_the_history(prepared: Path, tmp_path: Path, step: str) -> None:
    shutil.copytree(prepared, tmp_path / "copy")
    ended = subprocess.run(
        [sys.executable, "-c", _CHILD, str(tmp_path / "copy"), step], cwd=Path(__file__).parents[2], check=False
    )
    assert ended.returncode < 0
    history = History.open(tmp_path / "copy" / "study")
    assert history.waves == ([1, 2, 3] if step == "older versions" else [1, 2])
    add_third(history, tmp_path / "copy")
    assert history.waves == [1, 2, 3]
    assert not history.check().blocking


def test_two_writers_take_turns(tmp_path: Path) -> None:
    paths = [report(tmp_path, FIRST), report(tmp_path, SECOND, wave=2)]
    failed: list[Exception] = []

    def write(number: int) -> None:
        try:
            history = History.open(tmp_path / "study")
            history.add_report(paths[number - 1], wave=number, **times(number))
        except Exception as error:  # noqa: BLE001 - whatever it is, the test fails
            failed.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    history = History.open(tmp_path / "study")
    assert history.waves == [1, 2]
    assert repr(history).endswith("version 2 · DuckDB>")
    assert not history.check().blocking


_WRITER = """
import functools, sys
from pathlib import Path
from cint_nb.history import storage
from cint_nb.history.history import History
from cint_nb.history.lock import FolderLock
from tests.history.studies import times
folder, number, stops = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "stops"
def say(what, *_):
    print(what, flush=True)
    sys.stdin.readline()
storage.FolderLock = functools.partial(FolderLock, wait=functools.partial(say, "waits"))
if stops:
    storage.at_write = lambda what: say("writes") if what.startswith("visits/") else None
History.open(folder / "study").add_report(folder / f"wave-{number}.csv", wave=number, **times(number))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system with signals")
@pytest.mark.thorough
@pytest.mark.parametrize("first_is_killed", [True, False])
def test_two_processes_take_turns_and_lose_nothing(tmp_path: Path, first_is_killed: bool) -> None:
    """The second asks while the first is in the middle of its visits; nobody waits for a time to pass."""
    report(tmp_path, FIRST)
    report(tmp_path, SECOND, wave=2)
    with ExitStack() as processes:
        first = processes.enter_context(writer(tmp_path, 1, "stops"))
        assert line(first) == "writes"
        second = processes.enter_context(writer(tmp_path, 2, "goes on"))
        assert line(second) == "waits"
        assert History.open(tmp_path / "study").waves == []
        if first_is_killed:
            first.kill()
        else:
            go_on(first)
        first.wait()
        go_on(second)
        assert second.wait() == 0
    history = History.open(tmp_path / "study")
    assert history.waves == ([2] if first_is_killed else [1, 2])
    if first_is_killed:
        history.add_report(tmp_path / "wave-1.csv", wave=1, **times(1))
    assert len(long(history)) == len(FIRST) + len(SECOND)
    assert repr(history).endswith("version 2 · DuckDB>")
    assert not history.check().blocking


def writer(folder: Path, number: int, stops: str) -> subprocess.Popen[str]:
    """Start a process that adds the report of a wave, and says what it does before it waits for a line."""
    command = [sys.executable, "-c", _WRITER, str(folder), str(number), stops]
    root = Path(__file__).parents[2]
    return subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go_on(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_a_writer_who_waits_too_long_says_who_writes(tmp_path: Path) -> None:
    passed: list[float] = []
    with (
        FolderLock(tmp_path / "history.lock"),
        pytest.raises(HistoryBusy, match=f"process {os.getpid()}") as busy,
        FolderLock(tmp_path / "history.lock", patience=1.0, wait=passed.append, now=lambda: sum(passed)),
    ):
        raise AssertionError("two turns at once")
    assert "nothing was written" in str(busy.value)
    assert sum(passed) == pytest.approx(1.0, abs=0.2)
    with FolderLock(tmp_path / "history.lock", patience=0.0):
        pass


def test_another_history_object_sees_what_was_added(tmp_path: Path) -> None:
    one = History.open(tmp_path / "study")
    other = History.open(tmp_path / "study")
    one.add_report(report(tmp_path, FIRST), **times(1))
    assert other.waves == [1]
    assert len(long(other)) == len(FIRST)


def test_a_query_made_before_a_change_still_runs_after_it(tmp_path: Path) -> None:
    history = two_waves(tmp_path)
    earlier = history.long()
    report(tmp_path, [(1, 10)], wave=3)
    add_third(history, tmp_path)
    assert len(earlier.fetchall()) == len(FIRST) + len(SECOND) + 1  # and the one who was rejected


def test_unchanged_files_are_not_written_again(tmp_path: Path) -> None:
    history = two_waves(tmp_path)
    first = (history.version_folder / "visits" / "part-1.parquet").stat().st_ino
    report(tmp_path, [(1, 10)], wave=3)
    add_third(history, tmp_path)
    assert (history.version_folder / "visits" / "part-1.parquet").stat().st_ino == first
    assert sorted(path.name for path in (history.folder / "versions").iterdir()) == ["000002", "000003"]


def test_opening_reads_and_writes_nothing(tmp_path: Path) -> None:
    history = History.open(tmp_path / "new")
    assert repr(history) == "<History: new · nothing added yet>"
    assert not (tmp_path / "new").exists()
    assert history.waves == []
    with pytest.raises(InputError, match="Nothing was added"):
        history.long()
    assert history.check().rules() == ("empty-history",)


def test_a_folder_of_something_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="not of a history"):
        History.open(tmp_path)
    with pytest.raises(InputError, match="is a file"):
        History.open(tmp_path / "notes.txt")
    with pytest.raises(InputError, match="several files"):
        History.open(tmp_path / "wave[1]")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_damaged_manifest_is_named_and_one_of_a_newer_version_refused(tmp_path: Path) -> None:
    history = two_waves(tmp_path)
    path = history.folder / storage.MANIFEST
    known = json.loads(path.read_text())
    path.write_text(path.read_text()[:200])
    with pytest.raises(HistoryError, match="cannot be read"):
        History.open(history.folder)
    path.write_text(json.dumps(known | {"what": "something else"}))
    with pytest.raises(HistoryError, match="cannot be read"):
        History.open(history.folder)
    path.write_text(json.dumps(known | {"format": 99}))
    with pytest.raises(HistoryError, match="newer cint_nb"):
        History.open(history.folder)


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    history = two_waves(tmp_path)
    modes = {path: path.stat().st_mode & 0o077 for path in history.folder.rglob("*") if path.is_file()}
    assert not any(modes.values())


def test_without_duckdb_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = two_waves(tmp_path)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    for call in (
        lambda: History.open(history.folder).long(),
        lambda: History.open(tmp_path / "new").add_report(tmp_path / "wave-1.csv"),
        lambda: History.open(history.folder).check(),
    ):
        with pytest.raises(InputError, match="not installed") as missing:
            call()
        assert "[history]" in str(missing.value)
    assert not (tmp_path / "new").exists()


def test_a_file_that_is_gone_or_changed_is_named(tmp_path: Path) -> None:
    history = two_waves(tmp_path)
    path = history.version_folder / "visits" / "part-1.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    assert history.check().rules() == ("changed-file",)
    for call in (history.parts, lambda: history.cohort(completed=1), history.long, history.wide):
        with pytest.raises(HistoryError, match="cannot be read"):
            call()
    path.unlink()
    assert history.check().rules() == ("missing-file",)
    path.write_bytes(whole)
    (path.parent / "part-9.parquet").write_bytes(whole)
    assert history.check().rules() == ("strange-file",)


def test_a_disk_that_cannot_be_written_leaves_the_history_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = two_waves(tmp_path)
    before = content(history)
    report(tmp_path, [(1, 10)], wave=3)

    def full(what: str) -> None:
        if what == "manifest":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "at_write", full)
    with pytest.raises(HistoryError, match="cannot be written") as stopped:
        add_third(history, tmp_path)
    assert "No space left" in str(stopped.value)
    assert content(history) == before
    assert not (history.folder / storage.SCRATCH).exists()
