"""Small studies for the tests of a history: reports as files, lists, and days."""

from __future__ import annotations

import atexit
import csv
import io
import shutil
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from cint_nb.domain.ids import synthetic_id
from cint_nb.history.history import History
from cint_nb.study.files.respondents import Respondents, read_respondents

HEADER = [
    "RSID", "RID", "Target Group ID", "Entry Date (UTC)", "Last Date (UTC)", "Marketplace Status", "Client Status",
    "Supplier", "CPI",
]  # fmt: skip
OPENED = datetime(2026, 3, 2, 8, tzinfo=UTC)
DAY = timedelta(days=1)
_CONNECTION = duckdb.connect()
Visit = tuple[int, int]
"""Number of a person and the client's code; -1 for a visit that was screened out before the survey."""


def rsid(number: int) -> str:
    return synthetic_id("history person", number)


def rid(wave: int, number: int) -> str:
    return synthetic_id(f"history visit of wave {wave}", number)


def rows(
    visits: Iterable[Visit], *, wave: int = 1, group: str | None = None, visits_of: str | None = None
) -> list[list[str]]:
    """Return the rows of a report: the visits of a wave, one minute after the other from the hour it opened.

    Args:
        visits: Who came, and how it ended.
        wave: Its number.
        group: Its target group; one of the wave's own if omitted.
        visits_of: What makes RIDs others than those of the wave; the same people may come to two target groups.
    """
    opened = OPENED + (wave - 1) * 30 * DAY
    found = []
    for place, (person, code) in enumerate(visits):
        entered = opened + timedelta(minutes=1 + place)
        visit = synthetic_id(visits_of, person) if visits_of else rid(wave, person)
        found.append(
            [
                rsid(person), visit, group or f"group-{wave}",
                f"{entered:%Y-%m-%d %H:%M:%S}", f"{entered + timedelta(minutes=9):%Y-%m-%d %H:%M:%S}",
                "23" if code == -1 else "3", str(code), "Alpha" if person % 2 else "Beta", "2.75",
            ]
        )  # fmt: skip
    return found


def content(lines: Iterable[list[str]], header: list[str] = HEADER) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([header, *lines])
    return text.getvalue().encode()


def report(folder: Path, visits: Iterable[Visit], *, wave: int = 1, name: str | None = None) -> Path:
    """Write the report of a wave."""
    path = folder / f"{name or f'wave-{wave}'}.csv"
    path.write_bytes(content(rows(visits, wave=wave)))
    return path


def people(numbers: Iterable[int]) -> Respondents:
    return read_respondents([rsid(number) for number in numbers], entity_type="RSID")


def times(wave: int = 1, *, days: float = 14, closed_by: str = "end", read_after: float = 20) -> dict[str, Any]:
    """Return the keywords that say when a wave was open, and when its report was read."""
    opened = OPENED + (wave - 1) * 30 * DAY
    return {
        "opened": opened,
        "closed": opened + days * DAY,
        "closed_by": closed_by,
        "as_of": opened + read_after * DAY,
    }


FIRST: list[Visit] = [(1, 10), (2, 10), (3, 10), (4, 10), (5, 20), (6, -1)]
SECOND: list[Visit] = [(1, 10), (2, 30), (3, 1)]


def two_waves(folder: Path) -> History:
    """Return a study: four people complete the first wave; of them one is rejected, three come, one completes again.

    It is made once in a process: a copy of the folder is a history too.
    """
    shutil.copytree(_made_once(), folder, dirs_exist_ok=True)
    return History.open(folder / "study")


@cache
def _made_once() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="cint-nb-study-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    history = History.open(folder / "study")
    history.add_report(report(folder, FIRST), name="first", **times(1))
    history.add_report(
        report(folder, SECOND, wave=2), name="second", listed=people([1, 2, 3]), rejected=people([4]), **times(2)
    )
    return folder


@contextmanager
def quiet() -> Iterator[list[str]]:
    """Give the texts of all warnings of a block, when it has ended."""
    said: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield said
    said += [str(each.message) for each in caught]


def table(history: History, name: str) -> list[tuple[Any, ...]]:
    """Return a table of the files as they lie there."""
    path = (history.version_folder / name / "*.parquet").as_posix()
    return _CONNECTION.read_parquet(path).order("ALL").fetchall()


def long(history: History) -> list[tuple[Any, ...]]:
    """Return person, wave and reason of each row."""
    return sorted(history.long().project("person, wave, reason").fetchall(), key=str)
