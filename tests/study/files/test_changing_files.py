"""A file that changes while it is read is read once more, and never in part, or as a mixture of two."""

from __future__ import annotations

import gzip
import io
import os
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

import pandas as pd
import pytest

from cint_nb.cli import main
from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.ids import synthetic_id
from cint_nb.panels.file_picker.widget import FilePicker
from cint_nb.study.files import file_format
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.study.outcome.visit_reports import read_report

IDS = [synthetic_id("changing", number) for number in range(15_000)]
OTHERS = [synthetic_id("written meanwhile", number) for number in range(1_500)]
FRAME = pd.DataFrame({"RSID": IDS[:1_000], "RID": OTHERS[:1_000], "status": "10"})
LATER = pd.DataFrame({"RSID": OTHERS, "RID": IDS[:1_500], "status": "10"})
LONG_AGO = 1_700_000_000


def write_sav(path: Path) -> None:
    pytest.importorskip("pyreadstat").write_sav(FRAME, str(path))


def write_later_sav(path: Path) -> None:
    pytest.importorskip("pyreadstat").write_sav(LATER, str(path))


FILES: dict[str, Callable[[Path], Any]] = {
    "lines.txt": lambda path: path.write_text("\n".join(IDS) + "\n"),
    "one line.txt": lambda path: path.write_text(",".join(IDS[:5_000])),
    "table.csv": lambda path: FRAME.to_csv(path, index=False),
    "utf16.csv": lambda path: FRAME.to_csv(path, index=False, encoding="utf-16"),
    "lines.csv.gz": lambda path: path.write_bytes(gzip.compress("\n".join(IDS).encode())),
    "book.xlsx": lambda path: FRAME.to_excel(path, index=False),
    "table.parquet": lambda path: FRAME.to_parquet(path),
    "table.sav": write_sav,
}
LATER_FILES: dict[str, Callable[[Path], Any]] = {
    "lines.txt": lambda path: path.write_text("\n".join(OTHERS) + "\n"),
    "one line.txt": lambda path: path.write_text(",".join(OTHERS)),
    "table.csv": lambda path: LATER.to_csv(path, index=False),
    "utf16.csv": lambda path: LATER.to_csv(path, index=False, encoding="utf-16"),
    "lines.csv.gz": lambda path: path.write_bytes(gzip.compress("\n".join(OTHERS).encode())),
    "book.xlsx": lambda path: LATER.to_excel(path, index=False),
    "table.parquet": lambda path: LATER.to_parquet(path),
    "table.sav": write_later_sav,
}
"""What another program has written when it is done: other ids, and another number of them."""
REPORTS = ["table.csv", "utf16.csv", "book.xlsx"]
COLUMNS = {name: "RSID" for name in FILES if name.startswith(("table", "utf16", "book"))}


def read(path: Path, way: str) -> tuple[str, ...]:
    """Return the ids of a file by one of the ways in."""
    if way == "report":
        return tuple(rsid for rsid in read_report(path).rsids if rsid)
    if way == "crosswalk":
        visits = read_respondents(OTHERS + IDS[:1_500], entity_type="RID")
        return read_report(path).crosswalk().to_rsids(visits).ids
    options: Any = {"entity_type": "RSID", "column": COLUMNS.get(path.name)}
    if way == "picker":
        people: Respondents = FilePicker(path.parent).choose(path.name, **options).value
        return people.ids
    if way == "open file":
        with path.open("rb") as file:
            return read_respondents(file, name=path.name, **options).ids
    return read_respondents(path, **options).ids


def truth(name: str, *, later: bool) -> list[str]:
    if later:
        return OTHERS
    return IDS[: {"lines.txt": 15_000, "lines.csv.gz": 15_000, "one line.txt": 5_000}.get(name, 1_000)]


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\n" + IDS[0].encode())


def rewrite(path: Path) -> None:
    """Write other content of the same size, at the next moment the file system can tell from this one."""
    moment = path.stat().st_mtime_ns + 1
    path.write_bytes(path.read_bytes()[::-1])
    os.utime(path, ns=(moment, moment))


def replace(path: Path) -> None:
    """Put another file of the same size and time in its place, as a sync program does."""
    other = path.with_name("other")
    other.write_bytes(path.read_bytes()[::-1])
    os.utime(other, ns=(LONG_AGO * 10**9, LONG_AGO * 10**9))
    other.replace(path)


def move_away(path: Path) -> None:
    path.rename(path.with_name("moved"))


CHANGES = [cut, empty, append, rewrite, replace, move_away]


class ChangingFile(io.BufferedReader):
    """A file that is changed by somebody else before its `at`-th read."""

    def __init__(self, path: Path, change: Callable[[Path], Any], at: int) -> None:
        super().__init__(io.FileIO(path))
        self._path, self._change, self._left = path, change, at

    def _tick(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._change(self._path)

    def read(self, size: int | None = -1, /) -> bytes:
        self._tick()
        return super().read(size)

    def readinto(self, buffer: Any, /) -> int:
        self._tick()
        return super().readinto(buffer)


class Moments:
    """The time of day, which passes only while somebody waits; something may happen in the meantime."""

    def __init__(self, now: float, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.now, self.meanwhile = now, meanwhile
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        self.meanwhile()

    def module(self) -> SimpleNamespace:
        return SimpleNamespace(time=lambda: self.now, sleep=self.sleep)


@pytest.fixture(autouse=True)
def settled_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the wait for a file that was just written as it is, by a clock of its own: these tests are about it."""
    monkeypatch.setattr(file_format, "time", Moments(time.time()).module())


@cache
def content(name: str, *, later: bool) -> bytes:
    """Return the bytes of a file, which are the same in each test."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        (LATER_FILES if later else FILES)[name](path)
        return path.read_bytes()


@pytest.fixture
def make_file(tmp_path: Path) -> Callable[[str], Path]:
    def make(name: str) -> Path:
        path = tmp_path / name
        path.write_bytes(content(name, later=False))
        os.utime(path, ns=(LONG_AGO * 10**9, LONG_AGO * 10**9))
        return path

    return make


def open_changing(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], Any], at: int, *, times: int = 1
) -> list[Path]:
    """Have files change at a read, the first `times` that they are opened; return the list of what was opened."""
    opened: list[Path] = []

    def open_it(path: Path) -> BinaryIO:
        opened.append(path)
        return ChangingFile(path, change, at if len(opened) <= times else -1)

    monkeypatch.setattr(file_format, "_open", open_it)
    return opened


CASES = [(name, "path") for name in FILES] + [(name, way) for name in REPORTS for way in ("report", "crosswalk")]
CASES += [(name, "picker") for name in ("lines.txt", "table.csv", "book.xlsx")]
AT = pytest.mark.parametrize("at", [1, 2], ids=["before the first read", "before the second"])


@pytest.mark.sampled
@AT
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("name", "way"), CASES)
def test_a_file_that_changes_during_both_readings_is_an_error_that_says_so(
    make_file: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    way: str,
    change: Callable[[Path], None],
    at: int,
) -> None:
    path = make_file(name)
    opened = open_changing(monkeypatch, change, at, times=2)
    with pytest.raises(RespondentFileError) as caught:
        read(path, way)
    assert len(opened) <= 2
    if "changed while it was read" not in caught.value.what:  # what the first change left cannot be read at all
        assert change in (empty, cut, rewrite, replace)
        return
    assert "wait until" in str(caught.value.next_step)
    assert caught.value.evidence["before"] != caught.value.evidence["now"] or change in (rewrite, replace)


def write_whole(path: Path) -> None:
    """Write the later content into the file, as a program that exports again."""
    path.write_bytes(content(path.name, later=True))


def put_in_place(path: Path) -> None:
    """Write the later content beside the file and rename it, as a careful program does."""
    other = path.with_name("written beside") / path.name
    other.parent.mkdir()
    other.write_bytes(content(path.name, later=True))
    other.replace(path)


def finish(path: Path) -> None:
    """Write the end of a file of which a part was there."""
    path.write_bytes(content(path.name, later=False))


def touch(path: Path) -> None:
    """Set another time, and leave the content as it is."""
    os.utime(path, ns=(LONG_AGO * 10**9 + 5, LONG_AGO * 10**9 + 5))


def write_and_take_back(path: Path) -> None:
    """Write another content and the first one again, as a program that opens the file and saves it unchanged."""
    before = path.read_bytes()
    path.write_bytes(before[::-1])
    path.write_bytes(before)


@pytest.mark.sampled
@AT
@pytest.mark.parametrize("change", [write_whole, put_in_place, touch, write_and_take_back])
@pytest.mark.parametrize(("name", "way"), CASES)
def test_a_file_that_changes_once_is_read_once_more_and_whole(
    make_file: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    way: str,
    change: Callable[[Path], None],
    at: int,
) -> None:
    path = make_file(name)
    opened = open_changing(monkeypatch, change, at)
    found = read(path, way)
    assert set(found) == set(truth(name, later=change in (write_whole, put_in_place)))
    assert len(found) == len(set(found))
    assert len(opened) == 2


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("name", FILES)
def test_a_part_of_a_file_whose_rest_comes_meanwhile_is_read_whole(
    make_file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = make_file(name)
    cut(path)
    opened = open_changing(monkeypatch, finish, 2)
    assert list(read(path, "path")) == truth(name, later=False)
    assert len(opened) == 2


def test_the_command_line_says_that_a_file_keeps_changing(
    make_file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make_file("lines.txt")
    open_changing(monkeypatch, write_whole, 2)
    assert main(["check", str(path), "--entity-type", "RSID"]) == 0
    assert "1,500 RSIDs are ready to upload" in capsys.readouterr().out
    open_changing(monkeypatch, append, 1, times=2)
    assert main(["check", str(path), "--entity-type", "RSID"]) == 2
    assert "changed while it was read; it was read twice" in capsys.readouterr().err


class ChangingOpenFile(io.FileIO):
    """A file that the caller opened and that is changed by somebody else during the first `times` readings."""

    def __init__(self, path: Path, change: Callable[[Path], None], times: int) -> None:
        super().__init__(path)
        self._path, self._change, self._left = path, change, times

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(-1 if size is None else size)
        self._left -= 1
        if self._left >= 0:
            self._change(self._path)
        return content


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("start", [0, 37])
@pytest.mark.parametrize(("times", "change"), [(0, append), (1, append), (1, touch), (1, write_whole), (2, append)])
def test_a_file_the_caller_opened_is_held_to_the_same(
    make_file: Callable[[str], Path], times: int, change: Callable[[Path], None], start: int
) -> None:
    path = make_file("lines.txt")
    with ChangingOpenFile(path, change, times) as file:
        file.seek(start)
        if times == 2:
            with pytest.raises(RespondentFileError, match="changed while it was read; it was read twice"):
                read_respondents(file, entity_type="RSID", name="lines.txt")
            return
        found = read_respondents(file, entity_type="RSID", name="lines.txt").ids
    expected = truth("lines.txt", later=bool(times) and change is write_whole)[start // 37 :]
    assert list(found) == [*expected, *IDS[: start // 37 if times and change is append else 0]]


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize(("name", "way"), CASES)
def test_a_file_that_stays_as_it_is_is_read_whole_and_once(
    make_file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, name: str, way: str
) -> None:
    path = make_file(name)
    opened = open_changing(monkeypatch, touch, -1)
    assert set(read(path, way)) == set(truth(name, later=False))
    assert len(opened) == 1


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize(
    ("name", "way"), [case for case in CASES if case[0] in ("lines.txt", "table.csv", "table.sav")]
)
def test_a_file_that_gives_less_than_its_size_is_an_error(
    make_file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, name: str, way: str
) -> None:
    path = make_file(name)
    whole = path.read_bytes()
    # What a network drive may do: the size is that of the whole file, the content is not there yet.
    monkeypatch.setattr(file_format, "_open", lambda _: io.BytesIO(whole[: len(whole) * 3 // 4]))
    with pytest.raises(RespondentFileError) as caught:
        read(path, way)
    assert f"of its {len(whole):,} bytes" in str(caught.value) or "cannot be read" in str(caught.value)


def test_a_file_whose_content_comes_a_moment_later_is_read_whole(
    make_file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_file("lines.txt")
    whole = path.read_bytes()
    contents = iter([whole[: len(whole) * 3 // 4], whole])
    monkeypatch.setattr(file_format, "_open", lambda _: io.BytesIO(next(contents)))
    assert list(read(path, "path")) == IDS


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("change", CHANGES)
def test_a_file_between_two_pieces_of_its_writer_is_noticed(
    make_file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]
) -> None:
    path = make_file("lines.txt")
    pieces = iter([change])
    moments = Moments(LONG_AGO + 0.01, lambda: next(pieces, lambda _: None)(path))
    monkeypatch.setattr(file_format, "time", moments.module())
    opened = open_changing(monkeypatch, touch, -1)
    if change in (empty, move_away):
        with pytest.raises(RespondentFileError, match="is empty" if change is empty else "changed while it was read"):
            read(path, "path")
    else:
        found = read(path, "path")
        expected: dict[Callable[[Path], None], list[str]] = {append: IDS, cut: IDS[:7_500]}
        assert list(found) == expected.get(change, [])
    assert len(opened) == (1 if change is move_away else 2)
    assert sum(moments.waits) <= 0.3


def test_a_file_that_grows_for_as_long_as_one_waits_is_an_error(
    make_file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_file("lines.txt")
    moments = Moments(LONG_AGO + 0.01, lambda: append(path))
    monkeypatch.setattr(file_format, "time", moments.module())
    with pytest.raises(RespondentFileError, match="changed while it was read; it was read twice"):
        read(path, "path")
    assert sum(moments.waits) <= 0.3


@pytest.mark.parametrize(
    ("age", "waits"), [(86_400.0, 0), (1.0, 0), (0.02, 1), (0.0, 1), (-3_600.0, 1)], ids=lambda value: f"{value}"
)
def test_only_a_file_written_a_moment_ago_is_waited_for_and_never_long(
    make_file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, age: float, waits: int
) -> None:
    moments = Moments(LONG_AGO + age)
    monkeypatch.setattr(file_format, "time", moments.module())
    assert len(read(make_file("lines.txt"), "path")) == 15_000
    assert len(moments.waits) == waits
    assert all(0 < seconds <= 0.1 for seconds in moments.waits)
