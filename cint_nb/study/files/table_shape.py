"""The shape of a table: where its header is, and which rows fit it.

The one place that judges rows, for respondents and for reports.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from cint_nb.domain.ids import format_count
from cint_nb.study.files.file_format import source_error
from cint_nb.study.files.id_column import clean_name, entity_type_from_name, is_header_row, is_id_name, separator_hint
from cint_nb.study.files.verdicts import is_id, normalise_line

_IMPORT_ID = re.compile(r'\{\s*"ImportId"\s*:')  # the third header row of Qualtrics
_RESPONSE_LABELS = frozenset({"response", "open-ended response"})  # the second header row of SurveyMonkey
_WIDTH = "the row has "
_DISPLACED = "an ID stands in a column where other rows have none"
_MISSING = frozenset(
    {"", "-", "--", "0", "-1", "-9", "-99", "-999", "99", "999", "#n/a", "n/a", "na", "nan", "none", "null", "missing"}
)
"""What stands for an answer that is not there."""
_RULE = re.compile(r"[-+=:| ]*[-=]{2}[-+=:| ]*")  # the line below the names in a table drawn with characters


@dataclass(frozen=True, slots=True)
class TableShape:
    """Where the header of a table is, and how wide its rows are.

    Args:
        names: The names in the header, `""` where a column has none; empty without a header.
        header: Positions of the header lines in the sample, the one with the names among them.
        begin: Position of the first row that is data.
        width: How many values a row has: as many as the header, or as most rows where there is none.
        number: Line number of the row with the names; None without a header.
    """

    names: tuple[str, ...]
    header: frozenset[int]
    begin: int
    width: int
    number: int | None = None


def find_shape(
    rows: Sequence[Sequence[str]],
    numbers: Sequence[int],
    *,
    header_row: int | None = None,
    column: str | int | None = None,
    source: str | None = None,
) -> TableShape:
    """Find the header of a table in its first rows.

    Titles may stand above the header, and further header rows below it. It is the row that has the requested name, or
    a name for ids, above a column of ids; otherwise the first row as wide as the table that may name columns.

    Args:
        rows: The first rows, as texts.
        numbers: Line number of each.
        header_row: Line number of the row with the names, where the analyst gave it.
        column: The requested column.
        source: For errors.

    Raises:
        RespondentFileError: no row begins on the line `header_row`.
    """
    filled = [place for place, row in enumerate(rows) if any(map(normalise_line, row))]
    hint = {place for place in filled[:1] if separator_hint("".join(rows[place]) + ";")}
    filled = [place for place in filled if place not in hint]
    chosen = _given_row(rows, numbers, header_row, source) if header_row is not None else None
    if chosen is None:
        chosen = _find_header_row(rows, filled, column)
    if chosen is None:
        widths = Counter(len(rows[place]) for place in filled)
        width = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))[0]
        return TableShape((), frozenset(hint), 0, width)
    names = tuple(clean_name(value) for value in rows[chosen])
    last = _last_header_row(rows, filled, chosen)
    header = frozenset(place for place in filled if place <= last) | hint
    width = len(names)
    while width > 1 and not names[width - 1]:  # a separator at the end of each line makes no column
        width -= 1
    _require_names_above_ids(names[:width], [rows[place] for place in filled if place > last], numbers[chosen], source)
    return TableShape(names, header, last + 1, width, numbers[chosen])


def _require_names_above_ids(
    names: Sequence[str], rows: Sequence[Sequence[str]], number: int, source: str | None
) -> None:
    """Raise if every row is wider than the header, and its ids do not stand under the names for ids.

    Then the header lacks a name, as where row numbers were written before each row and not named: a column asked for by
    its name would be its neighbour.
    """
    with_ids = [row for row in rows if any(map(is_id, row))]
    if len(with_ids) < 2 or any(len(row) <= len(names) for row in with_ids):
        return
    often = Counter(place for row in with_ids for place in _find_ids(row))
    id_places = {place for place, times in often.items() if 2 * times >= max(often.values())}
    named = {place for place, name in enumerate(names) if is_id_name(name) or entity_type_from_name(name) is not None}
    if named <= id_places and max(id_places) < len(names):
        return
    usual = Counter(map(len, with_ids)).most_common(1)[0][0]
    raise source_error(
        source,
        f"The header has {format_count(len(names), 'name')}, and the rows have {usual:,} values: which name belongs to "
        "which value is not known.",
        "add the name that is missing, as that of row numbers (in R: row.names = FALSE); or name the line of the "
        "header: header_row=….",
        line=number,
    )


def _given_row(
    rows: Sequence[Sequence[str]], numbers: Sequence[int], header_row: int, source: str | None
) -> int | None:
    if header_row in numbers and any(map(normalise_line, rows[numbers.index(header_row)])):
        return numbers.index(header_row)
    raise source_error(
        source,
        f"No row with names begins on line {header_row:,}.",
        "header_row= is the number of the line with the names of the columns, as in respondents.lines().",
        header_row=header_row,
    )


def _find_header_row(rows: Sequence[Sequence[str]], filled: list[int], column: str | int | None) -> int | None:
    with_ids = [place for place in filled if any(map(is_id, rows[place]))]
    before = [place for place in filled if not with_ids or place < with_ids[0]]
    if not before:
        return None
    widths = Counter(len(rows[place]) for place in with_ids or filled)
    usual = {width for width, often in widths.items() if 2 * often >= max(widths.values())}
    id_places = {number for place in with_ids for number, value in enumerate(rows[place]) if is_id(value)}
    could_be = [place for place in before if is_header_row(rows[place]) and _count_filled(rows[place]) > 1]
    fitting = [place for place in could_be if len(rows[place]) in usual and 2 * _count_filled(rows[place]) > min(usual)]
    wanted = column.strip().casefold() if isinstance(column, str) else None
    for place in could_be if wanted else ():
        if wanted in [clean_name(value).casefold() for value in rows[place]]:
            return place
    named = [place for place in fitting or could_be if _names_ids(rows[place], id_places)]
    if named:
        return named[0]
    if fitting:
        return fitting[0]
    alone = [place for place in before if is_header_row(rows[place]) and _names_ids(rows[place], id_places)]
    if alone:
        return alone[0]
    first = before[0]
    is_named = wanted is not None and wanted in [clean_name(value).casefold() for value in rows[first]]
    return first if is_named or is_header_row(rows[first]) else None


def _count_filled(row: Sequence[str]) -> int:
    return sum(1 for value in row if normalise_line(value))


def _names_ids(row: Sequence[str], id_places: set[int]) -> bool:
    """Return whether a row has a name for ids above a column of ids, or anywhere where no ids are known."""
    return any(
        is_id_name(normalise_line(value)) or entity_type_from_name(value) is not None
        for place, value in enumerate(row)
        if normalise_line(value) and (not id_places or place in id_places)
    )


def _last_header_row(rows: Sequence[Sequence[str]], filled: list[int], header: int) -> int:
    """Return the last row of a header of several rows, as survey tools write them."""
    last = header
    following = [place for place in filled if place > header][:3]
    for place in following:
        if any(map(_IMPORT_ID.search, rows[place])):
            return place
    for place in following[:1]:
        values = [value for value in rows[place] if normalise_line(value)]
        label = any(normalise_line(value) in _RESPONSE_LABELS for value in values) or any(
            is_id_name(normalise_line(name)) and clean_name(value) == clean_name(name)  # a label that is the name again
            for name, value in zip(rows[header], rows[place], strict=False)
        )
        drawn = all(map(_RULE.fullmatch, values)) and len(values) >= 1
        if drawn or (label and not any(map(is_id, values))):
            last = place
    return last


@dataclass(slots=True)
class RowJudge:
    """Judges the width of rows against the header, and counts what it forgives.

    One unquoted separator moves all values behind it by one column. Only the ids show where it stood: if they are in
    the columns of ids, all of them and no other, then the difference lies to their right.

    Args:
        width: How many values a row has.
        usual: The same with the blank values that most rows have behind them, since each line ends in a separator.
        has_header: Whether the width is that of a header row.
        id_places: Columns in which the sample has an id, from 0.
        needed: Columns that are read, from 0.
        known: For columns right of all ids that are needed, the values they have in rows of the usual width.
    """

    width: int
    usual: int
    has_header: bool
    id_places: frozenset[int]
    needed: frozenset[int]
    known: dict[int, frozenset[str]] = field(default_factory=dict)
    forgiven: int = 0

    def malformed_reason(self, row: Sequence[str]) -> str | None:
        """Return why a row is malformed, None if its values are in their columns."""
        if not any(map(normalise_line, row)):
            return None
        if len(row) == self.usual:
            return _DISPLACED if self._is_displaced(row) else None
        if self._is_in_place(row):
            self.forgiven += 1
            return None
        number = format_count(max(0, len(row) - (self.usual - self.width)), "value")
        return f"{_WIDTH}{number}, {'the header' if self.has_header else 'most rows have'} {self.width:,}"

    def _is_displaced(self, row: Sequence[str]) -> bool:
        """Return whether the ids of a row of the usual width are elsewhere, as where a value is missing behind them."""
        found = _find_ids(row)
        if not self.id_places or found <= self.id_places:
            return False
        moved = [{place + step for place in self.id_places} for step in (-2, -1, 1, 2)]
        return found in moved or not self.needed & self.id_places <= found

    def _is_in_place(self, values: Sequence[str]) -> bool:
        difference = len(values) - self.width
        if difference >= 0 and self.needed == {0}:
            return True  # no separator can stand left of the first value
        found = _find_ids(values)
        if not found or found != self.id_places:
            return False
        return all(
            self._is_known(values, place, difference)
            if place > max(found)
            else self._is_certain(values, place, difference)
            for place in self.needed
        )

    def _is_certain(self, values: Sequence[str], place: int, difference: int) -> bool:
        """Return whether an id cannot have come from a text left of its column, whose own cell is blank.

        Then the cell would be where the difference would have moved it.
        """
        if self.id_places.issuperset(range(place)):
            return True  # no text stands left of it
        moved = range(place + 1, place + difference + 1) if difference > 0 else range(place + difference, place)
        return all(normalise_line(values[other]) not in _MISSING for other in moved if 0 <= other < len(values))

    def _is_known(self, values: Sequence[str], place: int, difference: int) -> bool:
        known = self.known.get(place, frozenset())
        others = range(place + 1, place + difference + 1) if difference > 0 else range(place + difference, place)
        return (
            place < len(values)
            and normalise_line(values[place]) in known
            and not any(0 <= other < len(values) and normalise_line(values[other]) in known for other in others)
        )


def _find_ids(row: Sequence[str]) -> set[int]:
    return {place for place, value in enumerate(row) if is_id(value)}


def is_ragged(reason: str) -> bool:
    """Return whether a line is malformed for its width, and not for what stands in it."""
    return reason.startswith(_WIDTH) or reason == _DISPLACED
