"""Erasing people: their ids, visit ids and attributes, in every file, and a search that shows it.

The search decodes every column of every Parquet file, of all versions and of what lies there half written, and reads
every file as bytes too. It looks for ids as texts, with and without dashes, and in their 16-byte forms. The same search
runs before: what it could not find then would prove nothing by not being found afterwards.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cint_nb.domain.errors import HistoryError, InputError
from cint_nb.domain.ids import format_count, mask_ids_in, printable
from cint_nb.history import engine
from cint_nb.history.adding import hash_sql, ids_table
from cint_nb.history.storage import Transaction
from cint_nb.study.files.respondents import Respondents
from cint_nb.study.readable_frame import ReadableFrame

_START, _LONGEST = 8, 36
_CHUNK = 1 << 24


@printable
@dataclass(frozen=True)
class Erasure:
    """What an erasure did, and what the search says.

    Args:
        people: How many people were erased.
        visits: How many visits lost their ids; they count as before.
        attributes: How many values of theirs were removed.
        not_known: How many of the ids given are of nobody in the history.
        found_before: In how many places the search found their ids before, by file.
        files_searched: How many files it read afterwards, and found none.
    """

    people: int
    visits: int
    attributes: int
    not_known: int
    found_before: Mapping[str, int]
    files_searched: int

    def frame(self) -> pd.DataFrame:
        """Return counts.

        Returns:
            A frame: `what` and `number`.
        """
        rows = [
            ("people erased", self.people),
            ("visits without ids from now on", self.visits),
            ("values of attributes removed", self.attributes),
            ("ids given that nobody in the history has", self.not_known),
            *((f"found before in {name}", number) for name, number in self.found_before.items()),
            ("files searched afterwards", self.files_searched),
            ("found afterwards", 0),
        ]
        return ReadableFrame(rows, columns=["what", "number"])

    def __repr__(self) -> str:
        """Show counts, never an id."""
        return (
            f"<Erasure: {format_count(self.people, 'person', 'people')} · {format_count(self.visits, 'visit')} without "
            f"ids · found in {format_count(len(self.found_before), 'file')} before, in none of {self.files_searched} "
            "afterwards>"
        )


def erase(change: Transaction, people: Respondents, now: int) -> Erasure:
    """Erase people in a change, commit it, and search.

    Args:
        change: The change.
        people: Their RSIDs.
        now: The time, in milliseconds.

    Raises:
        InputError: none of them is in the history.
        HistoryError: the search does not find them before, or finds one of them afterwards.
    """
    con, run = change.connection, change.run
    con.register("given_ids", ids_table(people))
    con.execute("CREATE TEMP TABLE given AS SELECT DISTINCT TRY_CAST(trim(id, chr(10)) AS UUID) AS rsid FROM given_ids")
    con.unregister("given_ids")
    con.execute(
        f"CREATE TEMP TABLE gone AS SELECT p.person, g.rsid FROM {change.table('people')} p "
        "JOIN given g ON g.rsid = CAST(p.rsid AS UUID)"
    )
    count = run("SELECT count(*) FROM gone")[0][0]
    if not count:
        raise InputError(
            "None of these people is in the history.",
            evidence={"given": len(people)},
            next_step="pass their RSIDs; a person who was erased before has none here any more.",
        )
    con.execute(
        "CREATE TEMP TABLE gone_visits AS SELECT s.visit, CAST(s.rid AS UUID) AS rid "
        f"FROM {change.table('sessions')} s JOIN {change.table('visits')} v ON v.visit = s.visit "
        "JOIN gone g ON g.person = v.person"
    )
    rsids = [str(row[0]) for row in run("SELECT rsid FROM gone")]
    rids = [str(row[0]) for row in run("SELECT rid FROM gone_visits WHERE rid IS NOT NULL")]
    wanted = Search([*rsids, *rids])
    before = wanted.find(change.store.folder)
    if not {*rsids, *rids} <= wanted.seen:
        raise HistoryError(
            "The search does not find these people where they are, so that it could not show that they are gone.",
            safe="nobody was erased.",
            next_step="run history.check(), which says what is damaged.",
        )
    key = change.store.erasure_key()
    change.erased += [row[0] for row in run(f"SELECT {hash_sql('rsid', key)} FROM gone ORDER BY 1")]
    _rewrite(
        change,
        "people",
        "person IN (SELECT person FROM gone)",
        "SELECT person, CASE WHEN person IN (SELECT person FROM gone) THEN NULL ELSE rsid END AS rsid, origin, "
        f"CASE WHEN person IN (SELECT person FROM gone) THEN {engine.number(now)} ELSE erased_at END AS erased_at "
        "FROM {}",
    )
    is_gone = "visit IN (SELECT visit FROM gone_visits)"
    visits = _rewrite(change, "sessions", is_gone, f"SELECT * FROM {{}} WHERE NOT ({is_gone})")
    is_gone = "person IN (SELECT person FROM gone)"
    values = _rewrite(change, "attributes", is_gone, f"SELECT * FROM {{}} WHERE NOT ({is_gone})")
    change.commit(forget=True)
    store = change.store
    change.close()
    store.clean_up(change.committed, keep=1)
    left = wanted.find(store.folder)
    if left:
        raise HistoryError(
            "An id of the erased people is still in the folder of the history.",
            evidence={"files": ", ".join(left)},
            safe="their rows are empty in the version that counts.",
            next_step="remove these files if they are not of the history; else report it with this message.",
        )
    return Erasure(count, visits, values, len(people) - count, before, len(list(_files(store.folder))))


def _rewrite(change: Transaction, table: str, condition: str, query: str) -> int:
    """Write the files of a table again in which a condition holds for some row; return how many rows that are."""
    total = 0
    for path in change.paths(table):
        source = engine.read_files([path])
        rows = change.run(f"SELECT count(*) FROM {source} WHERE {condition}")[0][0]
        if rows:
            change.put(table, path.name, query.format(source))
            total += rows
    return total


class Search:
    """A search for some ids in files, in every form they could have.

    Args:
        ids: Normalised ids.
    """

    def __init__(self, ids: Sequence[str]) -> None:
        keys = [uuid.UUID(each) for each in ids]
        self._texts = {form.encode(): str(key) for key in keys for form in (str(key), key.hex)}
        self._bytes = {form: str(key) for key in keys for form in (key.bytes, key.bytes_le)}
        self.seen: set[str] = set()
        """The ids that were found so far."""

    def find(self, folder: Path) -> dict[str, int]:
        """Return how many of the ids are in each file in which one is."""
        found: dict[str, int] = {}
        for path in _files(folder):
            ids = self.ids_in(path.read_bytes())
            if path.suffix == ".parquet":
                ids |= {each for values in _decoded(path) for each in self.ids_in(values)}
            if ids:
                found[mask_ids_in(path.relative_to(folder).as_posix())] = len(ids)
            self.seen |= ids
        return found

    def ids_in(self, content: bytes) -> set[str]:
        """Return which of the ids are in some bytes, in whatever form."""
        found: set[str] = set()
        for start in range(0, len(content), _CHUNK):
            part = content[start : start + _CHUNK + _LONGEST]
            found |= _matches(part, self._bytes, (16,))
            found |= _matches(part.lower(), self._texts, (32, 36))
        return found


def _matches(content: bytes, needles: Mapping[bytes, str], lengths: Sequence[int]) -> set[str]:
    """Return the ids of the needles that are in some bytes: their beginnings are looked for at all places at once."""
    if not needles:
        return set()
    beginnings = np.unique(np.array([int.from_bytes(each[:_START], "little") for each in needles], "<u8"))
    found: set[str] = set()
    for shift in range(min(_START, max(0, len(content) - _START + 1))):
        words = np.frombuffer(content, "<u8", (len(content) - shift) // _START, shift)
        for place in np.flatnonzero(np.isin(words, beginnings)).tolist():
            at = shift + place * _START
            found |= {needles[each] for length in lengths if (each := content[at : at + length]) in needles}
    return found


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _decoded(path: Path) -> Iterator[bytes]:
    """Return the values of each column of a Parquet file, as they lie in memory once decoded."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError):  # half written: its bytes were read
        return
    with file:
        for batch in file.iter_batches(1 << 18):
            for column in batch.columns:
                yield from _values(column)


def _values(column: Any) -> Iterator[bytes]:
    storage = column.storage if hasattr(column, "storage") else column
    if hasattr(storage, "dictionary_decode"):
        storage = storage.dictionary_decode()
    for buffer in storage.buffers():
        if buffer is not None:
            yield buffer.to_pybytes()
