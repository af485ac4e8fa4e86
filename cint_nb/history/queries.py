"""The views of a history as queries: visits and listed people without one, and what is known about people."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from cint_nb.domain.errors import InputError
from cint_nb.domain.ids import masked_repr
from cint_nb.history.engine import DuckDBReader, Reader, SparkReader, name, number, text

LONG = (
    "person",
    "wave",
    "part",
    "reason",
    "entered",
    "ended",
    "open_from",
    "open_until",
    "as_of",
    "closed_by",
    "supplier",
    "cost",
)
"""The columns of `long()`, which are those of the measures."""

_OF_PARTS: Mapping[str, str] = {
    "country": "split_part(p.locale, '_', 2)",
    "language": "split_part(p.locale, '_', 1)",
    "locale": "p.locale",
    "wave_name": "p.name",
    "target_group": "p.target_group",
}
"""Columns that `long` takes from the table of parts."""


def long_sql(reader: Reader, folder: Path, columns: Sequence[str], known: Collection[str], *, erased: bool) -> str:
    """Return the query of `History.long`.

    Args:
        reader: What runs it.
        folder: Of the version.
        columns: More columns, of parts or attributes.
        known: Names of the attributes that exist.
        erased: Whether anybody was erased.

    Raises:
        InputError: there is no such column.
    """
    extra, joins, of_parts = [], [], ["p.*"]
    for place, column in enumerate(columns):
        if column in LONG:
            raise InputError(
                f"The rows have a column {column} already.", next_step="name attributes, or columns of parts."
            )
        if column in _OF_PARTS:
            of_parts.append(f"coalesce({_OF_PARTS[column]}, 'not_known') AS more_{place}")
            extra.append(f"p.more_{place} AS {_quoted(reader, column)}")
        elif column in known:
            extra.append(f"coalesce(a{place}.value, 'not_known') AS {_quoted(reader, column)}")
            joins.append(
                f"LEFT JOIN (SELECT person, {reader.arg_max}(value, wave) AS value FROM "
                f"{reader.table(folder / 'attributes')} WHERE name = {text(column)} GROUP BY person) a{place} "
                f"ON a{place}.person = x.person"
            )
        else:
            raise InputError(
                f"There is no column {masked_repr(column)} to add.",
                evidence={"of parts": ", ".join(_OF_PARTS), "attributes": masked_repr(sorted(known), 200)},
                next_step="choose one of these; history.add_report(…, attributes=[…]) and history.join(…) bring more.",
            )
    more = "".join(f", {each}" for each in extra)
    joined = " ".join(joins)
    # Texts of a part are made once for each part, not for each of its visits.
    parts = f"(SELECT {', '.join(of_parts)} FROM {reader.table(folder / 'parts')} p)"
    of_part = "p.open_from, p.open_until, p.as_of, p.closed_by"
    selects = [
        f"SELECT x.person, p.wave, x.part, x.reason, x.entered, x.ended, {of_part}, x.supplier, x.cost{more} "
        f"FROM {reader.table(folder / 'visits')} x JOIN {parts} p ON p.part = x.part {joined}",
        f"SELECT x.person, p.wave, x.part, CASE WHEN x.state = 'rejected' THEN 'rejected' WHEN p.report = 'missing' OR "
        f"x.state = 'uploaded' THEN 'not_known' END AS reason, CAST(NULL AS BIGINT) AS entered, "
        f"CAST(NULL AS BIGINT) AS ended, {of_part}, {_no_text(reader)} AS supplier, CAST(NULL AS BIGINT) AS cost{more} "
        f"FROM {reader.table(folder / 'listed')} x JOIN {parts} p ON p.part = x.part {joined} WHERE x.came = 0",
    ]
    if erased:
        opened = (
            "(SELECT wave, min(coalesce(open_from, first_visit)) AS opened, min(part) AS part "
            f"FROM {parts} x GROUP BY wave)"
        )
        selects.append(
            f"SELECT x.person, p.wave, p.part, 'erased', CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), {of_part}, "
            f"{_no_text(reader)}, CAST(NULL AS BIGINT){more} FROM {reader.table(folder / 'people')} x "
            f"JOIN {opened} w ON x.erased_at < w.opened JOIN {parts} p ON p.part = w.part {joined} "
            "WHERE x.erased_at IS NOT NULL"
        )
    return " UNION ALL ".join(selects)


def attributes_sql(
    reader: Reader, folder: Path, names: Sequence[str], numeric: Collection[str], before: int | None
) -> str:
    """Return the query of `History.attributes`: one row per person, one column per name.

    Args:
        reader: What runs it.
        folder: Of the version.
        names: The attributes.
        numeric: Those of them that are numbers.
        before: Only what was known from earlier waves than this one.
    """
    until = "" if before is None else f"WHERE wave < {number(before)}"
    columns = []
    for column in names:
        value = f"CASE WHEN name = {text(column)} THEN value END"
        wave = f"CASE WHEN name = {text(column)} THEN wave END"
        picked = f"{reader.arg_max}({value}, {wave})"
        columns.append(
            f"CAST({picked} AS DOUBLE) AS {_quoted(reader, column)}"
            if column in numeric
            else f"{picked} AS {_quoted(reader, column)}"
        )
    return (
        f"SELECT person, {', '.join(columns)} FROM {reader.table(folder / 'attributes')} {until} "
        "GROUP BY person ORDER BY person"
    )


def attribute_kinds_sql(reader: Reader, folder: Path) -> str:
    """Return the query for the names of all attributes, and whether all values of each are numbers."""
    is_number = "CASE WHEN TRY_CAST(value AS DOUBLE) IS NULL THEN 0 ELSE 1 END"
    attributes = reader.table(folder / "attributes")
    return f"SELECT name, min({is_number}) AS numbers FROM {attributes} GROUP BY name ORDER BY name"


def completed_sql(reader: DuckDBReader, folder: Path, wave: int) -> str:
    """Return the query for everybody who completed a wave."""
    return (
        f"SELECT v.person FROM {reader.table(folder / 'visits')} v JOIN {reader.table(folder / 'parts')} p "
        f"ON p.part = v.part WHERE p.wave = {number(wave)} AND v.reason = 'completed'"
    )


def _quoted(reader: Reader, column: str) -> str:
    return f"`{column.replace('`', '``')}`" if isinstance(reader, SparkReader) else name(column)


def _no_text(reader: Reader) -> str:
    return "CAST(NULL AS STRING)" if isinstance(reader, SparkReader) else "CAST(NULL AS VARCHAR)"
