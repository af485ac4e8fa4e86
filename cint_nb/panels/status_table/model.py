"""What a status table holds, without any widget: rows, columns, and what changed since the last refresh."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

import pandas as pd

from cint_nb.panels.look.card import WIDTH, row_lines
from cint_nb.panels.look.cell_format import RIGHT_ALIGNED_KINDS, ColumnFormat, format_text, is_empty
from cint_nb.panels.look.text_format import align_columns, format_count
from cint_nb.study.files.line_frames import escape_formula

COLUMNS: Mapping[str, ColumnFormat] = {
    "name": ColumnFormat("Name", "name"),
    "state": ColumnFormat("State", "state"),
    "completes": ColumnFormat("Completes", "goal"),
    "warnings": ColumnFormat("Warnings", "warnings"),
    "trend": ColumnFormat("Trend", "trend"),
    "goal": ColumnFormat("Goal", "count", 0),
    "filled": ColumnFormat("Filled", "share", 0),
    "sent": ColumnFormat("Sent", "count", 0),
    "saved": ColumnFormat("Saved ids", "count", 3),
    "entrants": ColumnFormat("Entrants", "count", 2),
    "came_back": ColumnFormat("Came back", "rate", 3),
    "screenouts": ColumnFormat("Screen-outs", "count", 0),
    "completed_of_saved": ColumnFormat("Of saved", "rate", 0),
    "conversion_rate": ColumnFormat("Conv.", "rate"),
    "drop_off_rate": ColumnFormat("Drop-off", "rate", 0),
    "incidence_rate": ColumnFormat("Incidence", "rate", 0),
    "median_minutes": ColumnFormat("Median length", "minutes", 0),
    "cost": ColumnFormat("Cost", "money"),
    "cost_per_complete": ColumnFormat("Per complete", "money", 2),
    "price_cap": ColumnFormat("Price cap", "money", 0),
    "approved": ColumnFormat("Approved", "money", 0),
    "committed": ColumnFormat("Committed", "money", 0),
    "spent": ColumnFormat("Spent", "money", 0),
    "currency": ColumnFormat("Currency"),
    "first_complete": ColumnFormat("First complete", "time", 0),
    "last_complete": ColumnFormat("Last complete", "time", 3),
    "ends_at": ColumnFormat("Ends", "time"),
    "target_group_id": ColumnFormat("Target group", hidden=True),
    "project_id": ColumnFormat("Project", hidden=True),
}
"""How the columns of the status frame are shown, in this order; others follow as they are."""

KEY_COLUMN, CURRENCY_COLUMN = "target_group_id", "currency"


def column_format(name: str) -> ColumnFormat:
    """Return how a column is shown, also one that is not known."""
    return COLUMNS.get(name) or ColumnFormat(name.replace("_", " ").capitalize(), "any")


@dataclass(frozen=True)
class TableOptions:
    """How a reader wants the table.

    Args:
        sort_by: Column to sort by; None for the order of the frame.
        descending: Highest first.
        filter_text: Rows are kept that hold each of these words in some shown cell.
        columns: Columns to show, empty for the usual ones.
    """

    sort_by: str | None = None
    descending: bool = False
    filter_text: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class StatusView:
    """A frame as shown, with the cells that changed.

    Args:
        frame: The rows, one a target group.
        changed: Row label and column of each cell that differs from the frame before.
        options: Order, filter and columns.
    """

    frame: pd.DataFrame
    changed: frozenset[tuple[Any, str]] = frozenset()
    options: TableOptions = TableOptions()

    @cached_property
    def _rows(self) -> list[tuple[Any, dict[Any, Any]]]:
        """The label and the cells of each row; pandas takes long over it, and a table is drawn from it many times."""
        return list(zip(row_labels(self.frame), self.frame.to_dict("records"), strict=True))

    @cached_property
    def _filled(self) -> frozenset[str]:
        """The columns that hold something."""
        return frozenset(str(name) for name in self.frame.columns if not all(map(is_empty, self.frame[name])))

    def default_columns(self) -> list[str]:
        """Return the columns shown unless others are asked for: not the ids, and none that says nothing."""
        return [
            name
            for name in self.all_columns()
            if not column_format(name).hidden
            and column_format(name).priority
            and name in self._filled
            and not (name == CURRENCY_COLUMN and self.currency())
        ]

    def currency(self) -> str | None:
        """Return the currency of all money in the table; None where there are several or none."""
        known = {value for value in self.frame.get(CURRENCY_COLUMN, ()) if not is_empty(value)}
        return str(known.pop()) if len(known) == 1 else None

    def heading(self, name: str) -> str:
        """Return what stands above a column, money with its currency."""
        look = column_format(name)
        if look.kind == "time":
            return f"{look.label}, UTC"
        return f"{look.label} ({self.currency()})" if look.kind == "money" and self.currency() else look.label

    def all_columns(self) -> list[str]:
        """Return all columns in the order they are shown: what asks for attention first."""
        order = list(COLUMNS)
        return sorted(
            map(str, self.frame.columns), key=lambda name: order.index(name) if name in COLUMNS else len(order)
        )

    def page_columns(self) -> list[str]:
        """Return the columns that the page holds: those that the reader may choose, or the ones asked for by code."""
        if self.options.columns:
            return self.visible_columns()
        usual = set(self.default_columns())
        return [
            name
            for name in self.all_columns()
            if name in usual or (not column_format(name).hidden and name != CURRENCY_COLUMN and name in self._filled)
        ]

    def visible_columns(self) -> list[str]:
        """Return the columns that are shown."""
        asked = [name for name in self.all_columns() if name in self.options.columns]
        return asked or self.default_columns()

    def visible_rows(self) -> list[tuple[Any, dict[Any, Any]]]:
        """Return the rows that are shown with their labels, filtered and sorted; empty cells come last."""
        rows = list(self._rows)
        words, shown = self.options.filter_text.casefold().split(), self.visible_columns()
        if words:
            rows = [pair for pair in rows if _matches_filter(pair[1], shown, words)]
        by = self.options.sort_by
        if by in self.frame.columns:
            filled = [pair for pair in rows if not is_empty(pair[1][by])]
            empty = [pair for pair in rows if is_empty(pair[1][by])]
            rows = sorted(filled, key=lambda pair: sort_key(pair[1][by]), reverse=self.options.descending) + empty
        return rows

    def empty_text(self) -> str | None:
        """Return why no row is shown; None where one is."""
        if self.visible_rows() and self.visible_columns():
            return None
        return "No target groups." if self.frame.empty else "No target group fits the filter."


def _matches_filter(row: Mapping[Any, Any], shown: Sequence[str], words: Sequence[str]) -> bool:
    text = " ".join(format_text(row[name], column_format(name).kind) for name in shown).casefold()
    return all(word in text for word in words)


def sort_key(value: Any) -> tuple[int, Any]:
    """Return what a value is sorted by: numbers and times as they are, texts in any case, lists by their end."""
    if isinstance(value, (list, tuple)):
        return sort_key(value[-1])
    if isinstance(value, datetime):
        return 1, value.timestamp()
    if isinstance(value, (int, float, Decimal)):
        return 0, value
    return 2, str(value).casefold()


def row_labels(frame: pd.DataFrame) -> list[Any]:
    """Return what tells rows apart: the target group where the frame has it, else the row's label."""
    return list(frame[KEY_COLUMN]) if KEY_COLUMN in frame.columns else list(frame.index)


def changed_cells(before: pd.DataFrame | None, after: pd.DataFrame) -> frozenset[tuple[Any, str]]:
    """Return row label and column of each cell that differs between two frames; new rows count as unchanged."""
    if before is None:
        return frozenset()
    old = dict(zip(row_labels(before), before.to_dict("records"), strict=True))
    found = set()
    for label, row in zip(row_labels(after), after.to_dict("records"), strict=True):
        if label not in old:
            continue
        for name, value in row.items():
            was = old[label].get(name)
            if is_empty(was) and is_empty(value):
                continue
            if is_empty(was) != is_empty(value) or bool(was != value):
                found.add((label, str(name)))
    return frozenset(found)


def plain_rows(view: StatusView, limit: int) -> tuple[list[str], list[list[str]], int]:
    """Return headings, cells as text of at most `limit` rows, and how many rows there are beyond."""
    shown, rows = view.visible_columns(), view.visible_rows()
    cells = [[format_text(row[name], column_format(name).kind) for name in shown] for _, row in rows[:limit]]
    return [view.heading(name) for name in shown], cells, max(len(rows) - limit, 0)


def format_table(view: StatusView, *, limit: int = 50) -> list[str]:
    """Write at most `limit` rows as text: columns aligned, or figure by figure where they are too wide to print."""
    if why := view.empty_text():
        return [f"  {why}"]
    heads, cells, more = plain_rows(view, limit)
    rights = [column_format(name).kind in RIGHT_ALIGNED_KINDS for name in view.visible_columns()]
    lines = align_columns([heads, *cells], rights)
    if max(map(len, lines)) > WIDTH:
        lines = [line for row in cells for line in row_lines(heads, row)]
    return lines + ([f"  and {format_count(more, 'more target group')}"] if more else [])


def to_delimited_text(view: StatusView, separator: str) -> str:
    """Write the shown rows for a spreadsheet: plain values, a header row, nothing that a spreadsheet would run."""
    names = view.visible_columns()
    frame = pd.DataFrame(
        [[escape_formula(_flat_value(row[name])) for name in names] for _, row in view.visible_rows()], columns=names
    )
    text: str = frame.to_csv(index=False, sep=separator, lineterminator="\n")
    return text


def _flat_value(value: Any) -> Any:
    if is_empty(value):
        return ""
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else value
