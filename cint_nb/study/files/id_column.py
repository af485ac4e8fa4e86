"""Finding the column of ids, and what its name says about the type of id."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.ids import EntityType, format_count, is_respondent_id, mask_id, mask_ids_in, masked_repr
from cint_nb.study.files.file_format import source_error
from cint_nb.study.files.verdicts import MalformedReason, contains_id, is_id, malformed_reason, normalise_line

MIN_ID_SHARE = 0.2
"""A column with a smaller share of ids among its filled cells is not a column of ids: an id that somebody typed into a
column of comments must not make it a candidate."""
_NAME_SHOWN = 40
_NO_HEADER = frozenset(
    {
        MalformedReason.EMAIL,
        MalformedReason.SPREADSHEET,
        MalformedReason.TEMPLATE,
        MalformedReason.FORMULA,
        MalformedReason.MARKUP,
    }
)
_SEPARATOR_HINT = re.compile(r"sep=([^\w\s\"']|\t|\x01|\x1f)[,;|\t\"]*", re.IGNORECASE)
_RSID_NAMES = re.compile(r"(recontact)?rsids?|respondent(id|guid|uuid)s?|lucidrsid|cintrsid")
_RID_NAMES = re.compile(r"rids?|(response|session)(id|guid|uuid)s?|lucidrid|cintrid")
_NAME_WORDS = frozenset(
    {"cint", "guid", "guids", "id", "ids", "lucid", "recontact", "respondent", "respondents", "response", "responses"}
    | {"rid", "rids", "rsid", "rsids", "session", "sessions", "uuid", "uuids"}
)
_OTHER_NAMES = re.compile(r"(id|uuid|guid|identifier|respondent|respid|person|people|panelist|participant)s?(id)?s?")


@dataclass(frozen=True, slots=True)
class ColumnSample:
    """The first values of one column.

    Args:
        position: Counted from 1; 0 for a level of the index of a DataFrame.
        name: As in the header; None without one.
        values: The first values.
    """

    position: int
    name: str | None
    values: Sequence[str]

    @property
    def share_of_ids(self) -> float:
        """Return the share of ids among the filled cells, 0–1."""
        number = sum(map(is_id, self.values))
        return number / sum(map(bool, map(normalise_line, self.values))) if number else 0.0

    def label(self) -> str:
        """Return the column's position and name, for messages."""
        where = str(self.position or "index")
        return f'{where} "{mask_ids_in(self.name)[:_NAME_SHOWN]}"' if self.name else where

    @property
    def beginning(self) -> str:
        """How the column begins, in words that show nobody: an id masked, other texts by their length."""
        text = next(filter(None, map(normalise_line, self.values)), "")
        if is_respondent_id(text):
            return f"which begins with {mask_id(text)}"
        return (
            f"which begins with a text of {format_count(len(text), 'character')}" if text else "empty in its first rows"
        )


def entity_type_from_name(name: str | None) -> EntityType | None:
    """Return the type of id that a column or file name suggests; None if it suggests neither or both, or is None.

    Cint's own texts use *Respondent ID* for either; `RSID` and `RID` are plain.
    """
    said = entity_types_in_name(name)
    return next(iter(said)) if len(said) == 1 else None


def entity_types_in_name(name: str | None) -> frozenset[EntityType]:
    """Return the types of id that a name suggests."""
    words = _words(name or "")
    pairs = {"".join(words), *words, *(first + second for first, second in pairwise(words))}
    return frozenset(
        kind
        for kind, form in ((EntityType.RSID, _RSID_NAMES), (EntityType.RID, _RID_NAMES))
        if any(form.fullmatch(word) for word in pairs)
    )


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower())


@lru_cache(maxsize=1_000)
def is_name_only(text: str) -> bool:
    """Return whether a text is a name for ids and nothing else, as a header that stands again among them."""
    if len(text) > _NAME_SHOWN or "%" in text or "$" in text:
        return False
    words = _words(clean_name(text))
    return bool(words) and (is_id_name(text) or (_NAME_WORDS.issuperset(words) and bool(entity_types_in_name(text))))


@dataclass(frozen=True, slots=True)
class KindColumn:
    """A column that shows which ids of another column are of the other kind.

    Args:
        cells: The column.
        by_word: Whether it says the kind of the id beside it; otherwise it holds ids of the other kind itself.
    """

    cells: ColumnSample
    by_word: bool

    def show_ids(self, ids: Iterable[str], values: Iterable[str], stated: EntityType) -> Iterable[str]:
        """Return ids of the other kind, as texts.

        Args:
            ids: Values of the column of ids.
            values: Values of this column, of the same rows.
            stated: The kind that the ids were said to be.
        """
        if not self.by_word:
            return values
        return (text for text, word in zip(ids, values, strict=True) if _kind_in(word) not in (None, stated))


def find_kind_column(
    columns: Sequence[ColumnSample], chosen: ColumnSample, entity_type: EntityType
) -> KindColumn | None:
    """Find the column that shows which of the chosen ids are of the other kind; None if there is none.

    That is one in which words name the kind of each id, or one that is named for the other kind and holds ids: an id
    identifies a person or a visit, never both.
    """
    others = [cells for cells in columns if cells is not chosen]
    for cells in others:
        filled = list(filter(normalise_line, cells.values))
        if filled and all(map(_kind_in, filled)):
            return KindColumn(cells, by_word=True)
    if entity_type_from_name(chosen.name) not in (None, entity_type):
        return None  # its own name says the other kind, and the analyst is warned
    for cells in others:
        if entity_type_from_name(cells.name) not in (None, entity_type) and cells.share_of_ids:
            return KindColumn(cells, by_word=False)
    return None


def _kind_in(text: str) -> EntityType | None:
    """Return the kind of id that a value names; None if it is anything else."""
    return entity_type_from_name(text) if is_name_only(text) else None


def clean_name(text: str) -> str:
    """Return a header cell without surrounding spaces, quotes and byte-order marks, in its original case."""
    return text.strip("\ufeff\u200b\u00a0 \t\r\n\"'")


def is_id_name(name: str) -> bool:
    """Return whether a text is a common name for an ID column."""
    folded = re.sub(r"[^a-z]", "", name.lower())
    return any(form.fullmatch(folded) for form in (_RSID_NAMES, _RID_NAMES, _OTHER_NAMES))


def is_header(text: str, any_ids: bool) -> bool:
    """Return whether the first filled line of a list is a header row.

    Args:
        text: The line, which is not an id.
        any_ids: Whether the lines after it contain any.
    """
    name = normalise_line(text)
    if is_id_name(name):
        return not any(sign in text for sign in "%$")  # such as [%RSID%]
    could_be_name = len(name) <= 64 and any(c.isalpha() for c in name) and sum(map(str.isdigit, name)) < 6
    return any_ids and could_be_name and not contains_id(name) and malformed_reason(text) not in _NO_HEADER


def count_header_lines(texts: Sequence[str], any_ids: bool) -> int:
    """Return how many of the lines above the first id of a list are header lines: titles down to a name for ids.

    Args:
        texts: The lines that are not blank, none of them an id.
        any_ids: Whether the lines after them contain any.
    """
    named = [place for place, text in enumerate(texts, start=1) if is_id_name(normalise_line(text)) and "%" not in text]
    return max(named) if any_ids and named else int(is_header(texts[0], any_ids))


def is_header_row(row: Sequence[str]) -> bool:
    """Return whether the first filled row of a table names its columns: words only, and no id."""
    filled = [value for value in row if normalise_line(value)]
    if not filled or any(map(contains_id, filled)):
        return False
    named = any(is_id_name(normalise_line(value)) and "%" not in value for value in filled)
    return named or all(malformed_reason(value) not in _NO_HEADER for value in filled)


def separator_hint(line: str) -> str | None:
    """Return the separator that a first line such as `sep=;` declares to a spreadsheet; None if there is none."""
    found = _SEPARATOR_HINT.fullmatch(line.strip('\ufeff"\r\n '))
    return found[1] if found else None


def choose_id_column(
    columns: Sequence[ColumnSample],
    column: str | int | None,
    *,
    source: str | None,
    entity_type: EntityType,
    has_header: bool,
) -> ColumnSample:
    """Choose the ID column: the requested one, or the only candidate.

    Content proposes, names decide: where the only column of ids is another one than the column that is named for them,
    nobody but the analyst knows which is meant.

    Args:
        columns: The columns of the table.
        column: A name, or a position from 1; None to find it by content, then by name.
        source: Name of the source, for messages.
        entity_type: For the call written in messages.
        has_header: Whether names come from a header.

    Raises:
        RespondentFileError: if no column matches, or several do; the message lists them and the call to write.
    """
    if column is not None:
        return _requested_column(columns, column, source, has_header=has_header)
    by_content = [cells for cells in columns if cells.share_of_ids >= MIN_ID_SHARE]
    found = by_content or [cells for cells in columns if entity_type_from_name(cells.name)]
    taken = set(map(id, found))  # compared one by one, thousands of columns would take minutes
    passed_over = [
        cells for cells in columns if id(cells) not in taken and _is_named_instead(cells, found, entity_type)
    ]
    if len(found) == 1 and not passed_over:
        return found[0]
    if found:
        taken |= set(map(id, passed_over))
        found = [cells for cells in columns if id(cells) in taken]
        best = max(found, key=lambda cells: (entity_type_from_name(cells.name) is entity_type, cells.share_of_ids > 0))
        is_list = not has_header and len(columns) == len(found) > 2
        wrapped = "if all of them are IDs of one list, write one ID per line; otherwise " if is_list else ""
        evidence = {f"column {cells.label()}": f"{cells.share_of_ids:.0%} IDs" for cells in passed_over}
        raise source_error(
            source,
            f"{len(found)} columns may contain the IDs: {list_labels(found)}.",
            f"{wrapped}choose one: {_example_call(source, best, entity_type)}.",
            columns=len(columns),
            **evidence,
        )
    raise source_error(
        source,
        f"No column contains respondent IDs. The columns are {list_labels(columns)}.",
        f"{_way_to_ids(columns, source, entity_type)}.",
        columns=len(columns),
    )


def _way_to_ids(columns: Sequence[ColumnSample], source: str | None, entity_type: EntityType) -> str:
    """Return the next step where no column contains ids: ids may stand inside longer texts."""
    for cells in columns:
        filled = list(filter(normalise_line, cells.values))
        if sum(map(contains_id, filled)) > MIN_ID_SHARE * len(filled):
            return (
                f"column {cells.label()} has IDs inside longer texts: take them out first, with "
                r'frame[…].str.extract("([0-9A-Fa-f-]{36})"), and pass the result'
            )
    named = [cells for cells in columns if is_id_name(normalise_line(cells.name or ""))]
    if named:
        return f"if one of them does, pass its name: {_example_call(source, named[0], entity_type)}"
    return "export it again with the column of IDs, or pass the name of the column that holds them as column="


def _requested_column(
    columns: Sequence[ColumnSample], column: str | int, source: str | None, *, has_header: bool
) -> ColumnSample:
    if isinstance(column, bool) or not isinstance(column, str | int):
        raise source_error(source, "`column` must be a name, or a position from 1.", "write column=1 or column='RSID'.")
    if isinstance(column, int):
        if 1 <= column <= len(columns):
            return columns[column - 1]
        raise _no_such_column_error(columns, column, source)
    if not has_header:
        raise source_error(
            source,
            "A column was given by name, but the first line is not a header row.",
            "if the names stand in a later line, say which, such as header_row=2; else give the column's position.",
            column=masked_repr(column, _NAME_SHOWN),
        )
    folded = column.strip().casefold()
    exact = [cells for cells in columns if cells.name == column]
    found = exact or [cells for cells in columns if (cells.name or "").strip().casefold() == folded]
    if len(found) == 1:
        return found[0]
    if found:
        raise source_error(
            source, f"Several columns have this name: {list_labels(found)}.", f"write column={found[0].position}."
        )
    raise _no_such_column_error(columns, column, source)


def _no_such_column_error(
    columns: Sequence[ColumnSample], column: str | int, source: str | None
) -> RespondentFileError:
    return source_error(
        source,
        f"There is no column {masked_repr(column)}. The columns are {list_labels(columns)}.",
        "use one of these names or positions; positions count from 1.",
    )


def _is_named_instead(cells: ColumnSample, found: Sequence[ColumnSample], entity_type: EntityType) -> bool:
    """Return whether a column that was not found is named for the ids, unless it has none beside one named alike."""
    if entity_type_from_name(cells.name) is not entity_type:
        return False
    alike = any(entity_type_from_name(other.name) is entity_type for other in found)
    damaged = (MalformedReason.DASHES, MalformedReason.CHARACTERS)
    return not alike or any(is_id(text) or malformed_reason(text) in damaged for text in cells.values)


def _example_call(source: str | None, cells: ColumnSample, entity_type: EntityType) -> str:
    """Return the call that chooses a column, with its position and first value: a guessed name alone misleads."""
    column = repr(mask_ids_in(cells.name)) if cells.name else cells.position
    call = f'cint.read_respondents({source or "…"!r}, column={column}, entity_type="{entity_type}")'
    where = f"column {cells.position}" if cells.position else "the index"
    return f"{call}, if it is {where}, {cells.beginning}"


def list_labels(columns: Sequence[ColumnSample]) -> str:
    """Return the positions and names of columns for a message, at most 12 of them."""
    shown = ", ".join(cells.label() for cells in columns[:12])
    return shown + (f" and {len(columns) - 12} more" if len(columns) > 12 else "")
