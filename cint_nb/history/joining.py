"""Your own survey data beside the visits of a history: answers become attributes of the people who gave them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from cint_nb.domain.errors import InputError, RespondentFileError
from cint_nb.domain.ids import EntityType, format_count, mask_id, masked_repr, parse_entity_type, printable
from cint_nb.history import engine
from cint_nb.history.adding import refuse_ids_in
from cint_nb.history.storage import Transaction
from cint_nb.study.files.binary_formats import columns_of, unwrap_frame
from cint_nb.study.files.verdicts import cell_text, normalise_line, raise_if_masked
from cint_nb.study.readable_frame import ReadableFrame


@printable
@dataclass(frozen=True)
class Joined:
    """What became of the rows of survey data.

    Args:
        counts: By outcome, how many rows.
        attributes: Names of the columns that are kept.
        _unmatched: The rows that are of nobody known, with their ids.
    """

    counts: Mapping[str, int]
    attributes: tuple[str, ...]
    _unmatched: tuple[tuple[int, str, str], ...] = field(default=(), repr=False)

    def summary(self) -> pd.DataFrame:
        """Return how many rows had which outcome.

        Returns:
            A frame: `outcome` and `rows`: `matched`; `not in the history`; `no id`; `repeated`, an earlier row of
            the same person and wave, which counts where the later ones are empty.
        """
        return ReadableFrame(list(self.counts.items()), columns=["outcome", "rows"])

    def unmatched(self, *, reveal: bool = False) -> pd.DataFrame:
        """Return the rows that were not used.

        Args:
            reveal: Show whole ids. Masked otherwise.

        Returns:
            A frame: `row`, from 1; `outcome`; `id`.
        """
        rows = [(row, outcome, text if reveal or not text else mask_id(text)) for row, outcome, text in self._unmatched]
        return ReadableFrame(rows, columns=["row", "outcome", "id"])

    def __repr__(self) -> str:
        """Show counts, never an id."""
        counts = " · ".join(f"{number:,} {outcome}" for outcome, number in self.counts.items() if number)
        return f"<Joined: {counts} · {format_count(len(self.attributes), 'attribute')}>"


def join(change: Transaction, frame: Any, on: str, wave: int | None, columns: Sequence[str] | None) -> Joined:
    """Keep the columns of survey data as attributes; see `History.join`.

    Raises:
        InputError: the column is missing, a wave is needed, or a column holds ids of respondents.
        RespondentFileError: nobody in it is in the history, or its ids are masked.
    """
    names, rows = _cells(frame)
    if on not in names:
        raise InputError(
            f"The data have no column {masked_repr(on)}.",
            evidence={"columns": masked_repr(names, 300)},
            next_step="name the column with the RIDs or RSIDs: history.join(data, on='…').",
        )
    kind = _kind(on)
    if kind is EntityType.RSID and wave is None:
        raise InputError(
            "RSIDs say who answered, not in which wave.", next_step=f"write history.join(data, on={on!r}, wave=2)."
        )
    kept = [name for name in (columns or names) if name != on]
    for name in kept:
        if name not in names:
            raise InputError(f"The data have no column {masked_repr(name)}.", next_step="name columns that exist.")
    ids = [normalise_line(cell_text(value)) for value in rows[on]]
    raise_if_masked(ids, "IDs of the data")
    import pyarrow as pa

    con = change.connection
    table = {"row": pa.array(range(1, len(ids) + 1), pa.int64()), "id": pa.array(ids, pa.string())}
    for place, name in enumerate(kept):
        table[f"value_{place}"] = pa.array([cell_text(value) or None for value in rows[name]], pa.string())
    con.register("answers", pa.table(table))
    con.execute("CREATE TEMP TABLE given AS SELECT *, TRY_CAST(id AS UUID) AS key FROM answers")
    con.unregister("answers")
    _match(change, kind, wave)
    counts, unmatched = _count(change)
    if not counts["matched"]:
        raise RespondentFileError(
            f"None of the {len(ids):,} rows is of anybody in the history.",
            evidence={"column": on, "read as": str(kind)},
            next_step="check that the column holds the ids of these waves, and whether they are RIDs or RSIDs.",
        )
    values = " UNION ALL ".join(
        f"SELECT person, wave, {engine.text(name)} AS name, value_{place} AS value FROM matched "
        f"WHERE value_{place} IS NOT NULL QUALIFY row_number() OVER (PARTITION BY person, wave ORDER BY row DESC) = 1"
        for place, name in enumerate(kept)
    )
    if kept:
        refuse_ids_in(change, values)
        _write(change, values, kept)
        change.commit()
    return Joined(counts, tuple(kept), tuple(unmatched))


def _kind(on: str) -> EntityType:
    """Return whether a column holds RIDs or RSIDs, by its name."""
    plain = on.lower().replace("_", "").replace(" ", "")
    if "rsid" in plain:
        return EntityType.RSID
    try:
        return parse_entity_type(on)
    except ValueError:
        return EntityType.RID  # what a survey is handed for each visit


def _match(change: Transaction, kind: EntityType, wave: int | None) -> None:
    """Make the table `matched`: the rows of people of the history, and whether each is the last of person and wave."""
    if kind is EntityType.RSID:
        people = (
            f"SELECT person, CAST(rsid AS UUID) AS key, {engine.number(wave)} AS wave FROM {change.table('people')} "
            "WHERE rsid IS NOT NULL"
        )
    else:
        where = "" if wave is None else f"WHERE p.wave = {engine.number(wave)}"
        people = (
            f"SELECT v.person, CAST(s.rid AS UUID) AS key, p.wave FROM {change.table('sessions')} s "
            f"JOIN {change.table('visits')} v ON v.visit = s.visit "
            f"JOIN {change.table('parts')} p ON p.part = v.part {where}"
        )
    change.connection.execute(
        "CREATE TEMP TABLE matched AS SELECT g.*, k.person, k.wave, "
        "row_number() OVER (PARTITION BY k.person, k.wave ORDER BY g.row DESC) = 1 AS is_last "
        f"FROM given g JOIN ({people}) k ON k.key = g.key"
    )
    change.connection.execute(
        f"CREATE TEMP TABLE everybody AS SELECT DISTINCT key FROM ({people}) SEMI JOIN given USING (key)"
    )


def _count(change: Transaction) -> tuple[dict[str, int], list[tuple[int, str, str]]]:
    rows = change.run(
        "SELECT row, CASE WHEN coalesce(trim(id), '') = '' OR key IS NULL THEN 'no id' "
        "WHEN key NOT IN (SELECT key FROM everybody) THEN 'not in the history' ELSE 'repeated' END AS outcome, "
        "coalesce(id, '') FROM given WHERE row NOT IN (SELECT row FROM matched WHERE is_last) ORDER BY row"
    )
    counts = {"matched": change.run("SELECT count(*) FROM matched WHERE is_last")[0][0]}
    for outcome in ("not in the history", "no id", "repeated"):
        counts[outcome] = sum(row[1] == outcome for row in rows)
    return counts, rows


def _write(change: Transaction, values: str, kept: Sequence[str]) -> None:
    """Write the values as a file of their own; earlier ones of the same person, wave and name are replaced."""
    change.connection.execute(f"CREATE TEMP TABLE new_values AS {values}")
    names = ", ".join(map(engine.text, kept))
    for path in change.paths("attributes"):
        source = engine.read_files([path])
        same = f"name IN ({names}) AND (person, wave, name) IN (SELECT (person, wave, name) FROM new_values)"
        if change.run(f"SELECT count(*) FROM {source} WHERE {same}")[0][0]:
            change.put("attributes", path.name, f"SELECT * FROM {source} WHERE NOT ({same})")
    change.put("attributes", f"join-{change.before.version + 1}.parquet", "SELECT * FROM new_values")


def _cells(frame: Any) -> tuple[list[str], dict[str, list[Any]]]:
    """Return the names of the columns of a frame, and their values."""
    table = columns_of(unwrap_frame(frame))
    if table is None:
        raise InputError(
            f"history.join(…) takes a DataFrame, not {masked_repr(frame)}.",
            next_step="read the file first, with pandas.read_csv for example.",
        )
    names = [str(cells.name) for cells in table.cells]
    return names, {name: list(table.values(place)) for place, name in enumerate(names)}
