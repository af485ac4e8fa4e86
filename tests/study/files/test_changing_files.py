"""A file that changes while it is read is never read in part, or as a mixture of two."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

import pandas as pd
import pytest

from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.ids import synthetic_id
from cint_nb.study.files import file_format
from cint_nb.study.files.respondents import read_respondents
from cint_nb.study.outcome.visit_reports import read_report

IDS = [synthetic_id("changing", number) for number in range(40_000)]
FRAME = pd.DataFrame({"RSID": IDS[:2_000], "status": "10"})
LONG_AGO = 1_700_000_000


def write_sav(path: Path) -> None:
    pytest.importorskip("pyreadstat").write_sav(FRAME, str(path))


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
REPORTS = ["table.csv", "utf16.csv", "book.xlsx"]


def read(path: Path, report: bool) -> int:
    if report:
        return len(read_report(path))
    return len(read_respondents(path, entity_type="RSID"))


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\n" + IDS[0].encode())


def rewrite(path: Path) -> None:
    """Write other content of the same size, at the next moment the file system can tell from this one."""
    path.write_bytes(path.read_bytes()[::-1])
    os.utime(path, ns=(LONG_AGO * 10**9 + 1, LONG_AGO * 10**9 + 1))


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

    def __init__(self, path: Path, change: Callable[[Path], None], at: int) -> None:
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


@pytest.fixture
def make_file(tmp_path: Path) -> Callable[[str], Path]:
    def make(name: str) -> Path:
        path = tmp_path / name
        FILES[name](path)
        os.utime(path, ns=(LONG_AGO * 10**9, LONG_AGO * 10**9))
        return path

    return make


def open_changing(monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None], at: int) -> None:
    def open_it(path: Path) -> BinaryIO:
        return ChangingFile(path, change, at)

    monkeypatch.setattr(file_format, "_open", open_it)


CASES = [(name, False) for name in FILES] + [(name, True) for name in REPORTS]


@pytest.mark.sampled
@pytest.mark.parametrize("at", [1, 2], ids=["before the first read", "before the second"])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("name", "report"), CASES)
def test_a_change_while_reading_is_an_error_that_says_so(
    make_file: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    report: bool,
    change: Callable[[Path], None],
    at: int,
) -> None:
    path = make_file(name)
    open_changing(monkeypatch, change, at)
    with pytest.raises(RespondentFileError, match="changed while it was read") as caught:
        read(path, report)
    assert "wait until" in str(caught.value.next_step)
    assert caught.value.evidence["before"] != caught.value.evidence["now"] or change in (rewrite, replace)


@pytest.mark.parametrize(("name", "report"), CASES)
def test_a_file_that_stays_as_it_is_is_read_whole(make_file: Callable[[str], Path], name: str, report: bool) -> None:
    assert read(make_file(name), report) == {"lines.txt": 40_000, "lines.csv.gz": 40_000, "one line.txt": 5_000}.get(
        name, 2_000
    )


@pytest.mark.parametrize(
    ("name", "report"), [case for case in CASES if case[0] in ("lines.txt", "table.csv", "table.sav")]
)
def test_a_file_that_gives_less_than_its_size_is_an_error(
    make_file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, name: str, report: bool
) -> None:
    path = make_file(name)
    whole = path.read_bytes()
    # What a network drive may do: the size is that of the whole file, the content is not there yet.
    monkeypatch.setattr(file_format, "_open", lambda _: io.BytesIO(whole[: len(whole) * 3 // 4]))
    with pytest.raises(RespondentFileError) as caught:
        read(path, report)
    assert f"of its {len(whole):,} bytes" in str(caught.value) or "cannot be read" in str(caught.value)


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


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_between_two_pieces_of_its_writer_is_noticed(
    make_file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]
) -> None:
    path = make_file("lines.txt")
    moments = Moments(LONG_AGO + 0.01, lambda: change(path))
    monkeypatch.setattr(file_format, "time", moments.module())
    with pytest.raises(RespondentFileError, match="changed while it was read"):
        read(path, report=False)
    assert len(moments.waits) == 1


@pytest.mark.parametrize(
    ("age", "waits"), [(86_400.0, 0), (1.0, 0), (0.02, 1), (0.0, 1), (-3_600.0, 1)], ids=lambda value: f"{value}"
)
def test_only_a_file_written_a_moment_ago_is_waited_for_and_never_long(
    make_file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, age: float, waits: int
) -> None:
    moments = Moments(LONG_AGO + age)
    monkeypatch.setattr(file_format, "time", moments.module())
    assert read(make_file("lines.txt"), report=False) == 40_000
    assert len(moments.waits) == waits
    assert all(0 < seconds <= 0.1 for seconds in moments.waits)
