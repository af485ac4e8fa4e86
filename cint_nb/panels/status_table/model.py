"""What a status table holds, without any widget: rows, what changed since the last look, and the HTML of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import pandas as pd

from cint_nb.panels.look.cell_format import RIGHT, Column, absent, cell, plain
from cint_nb.panels.look.text_format import count, esc
from cint_nb.study.files.line_frames import escape_formula

COLUMNS: Mapping[str, Column] = {
    "name": Column("Name"),
    "state": Column("State", "state"),
    "warnings": Column("Warnings", "warnings"),
    "completes": Column("Completes", "count"),
    "goal": Column("Goal", "count"),
    "filled": Column("Filled", "share"),
    "trend": Column("Trend", "trend"),
    "sent": Column("Sent", "count", hidden=True),
    "saved": Column("Saved ids", "count"),
    "entrants": Column("Entrants", "count"),
    "came_back": Column("Came back", "rate"),
    "screenouts": Column("Screen-outs", "count"),
    "completed_of_saved": Column("Of saved", "rate", hidden=True),
    "conversion_rate": Column("Conversion", "rate"),
    "drop_off_rate": Column("Drop-off", "rate"),
    "incidence_rate": Column("Incidence", "rate", hidden=True),
    "median_minutes": Column("Median length", "minutes"),
    "cost": Column("Cost", "money"),
    "cost_per_complete": Column("Per complete", "money"),
    "price_cap": Column("Price cap", "money"),
    "currency": Column("Currency"),
    "first_complete": Column("First complete", "time", hidden=True),
    "last_complete": Column("Last complete", "time"),
    "ends_at": Column("Ends", "time"),
    "target_group_id": Column("Target group", hidden=True),
    "project_id": Column("Project", hidden=True),
}
"""How the columns of the status frame are shown, in this order; others follow as they are."""

KEY, CURRENCY = "target_group_id", "currency"


def column(name: str) -> Column:
    """Return how a column is shown, also one that is not known."""
    return COLUMNS.get(name) or Column(name.replace("_", " ").capitalize(), "any")


@dataclass(frozen=True)
class Wish:
    """Hold how a reader wants the table.

    Args:
        sort: Column to sort by, empty for the order of the frame.
        descending: Highest first.
        words: Rows are kept that hold each of these words in some shown cell.
        columns: Columns to show, empty for the usual ones.
    """

    sort: str = ""
    descending: bool = False
    words: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class StatusView:
    """Hold a frame as shown, with the cells that changed.

    Args:
        frame: The rows, one a target group.
        changed: Row label and column of each cell that differs from the frame before.
        wish: Order, filter and columns.
    """

    frame: pd.DataFrame
    changed: frozenset[tuple[Any, str]] = frozenset()
    wish: Wish = Wish()

    def usual(self) -> list[str]:
        """Return the columns shown unless others are asked for: not the ids, and none that says nothing."""
        return [
            name
            for name in self.names()
            if not column(name).hidden
            and not all(absent(value) for value in self.frame[name])
            and not (name == CURRENCY and self.currency())
        ]

    def currency(self) -> str:
        """Return the currency of all money in the table; empty where there are several or none."""
        known = {value for value in self.frame.get(CURRENCY, ()) if not absent(value)}
        return str(known.pop()) if len(known) == 1 else ""

    def heading(self, name: str) -> str:
        """Return what stands above a column, money with its currency."""
        look = column(name)
        return f"{look.label} ({self.currency()})" if look.kind == "money" and self.currency() else look.label

    def names(self) -> list[str]:
        """Return all columns in the order they are shown: what asks for attention first."""
        order = list(COLUMNS)
        return sorted(
            map(str, self.frame.columns), key=lambda name: order.index(name) if name in COLUMNS else len(order)
        )

    def shown(self) -> list[str]:
        """Return the columns that are shown."""
        asked = [name for name in self.names() if name in self.wish.columns]
        return asked or self.usual()

    def rows(self) -> list[tuple[Any, dict[Any, Any]]]:
        """Return the rows that are shown with their labels, filtered and sorted; empty cells come last."""
        rows = list(zip(labels(self.frame), self.frame.to_dict("records"), strict=True))
        words, shown = self.wish.words.casefold().split(), self.shown()
        if words:
            rows = [pair for pair in rows if _holds(pair[1], shown, words)]
        by = self.wish.sort
        if by in self.frame.columns:
            filled = [pair for pair in rows if not absent(pair[1][by])]
            empty = [pair for pair in rows if absent(pair[1][by])]
            rows = sorted(filled, key=lambda pair: _rank(pair[1][by]), reverse=self.wish.descending) + empty
        return rows


def _holds(row: Mapping[Any, Any], shown: Sequence[str], words: Sequence[str]) -> bool:
    text = " ".join(plain(row[name], column(name).kind) for name in shown).casefold()
    return all(word in text for word in words)


def _rank(value: Any) -> tuple[int, Any]:
    """Return what a value is sorted by: numbers and times as they are, texts in any case, lists by their end."""
    if isinstance(value, (list, tuple)):
        return _rank(value[-1])
    if isinstance(value, datetime):
        return 1, value.timestamp()
    if isinstance(value, (int, float, Decimal)):
        return 0, value
    return 2, str(value).casefold()


def labels(frame: pd.DataFrame) -> list[Any]:
    """Return what tells rows apart: the target group where the frame has it, else the row's label."""
    return list(frame[KEY]) if KEY in frame.columns else list(frame.index)


def changes(before: pd.DataFrame | None, after: pd.DataFrame) -> frozenset[tuple[Any, str]]:
    """Return row label and column of each cell that differs between two frames; new rows count as unchanged."""
    if before is None:
        return frozenset()
    old = dict(zip(labels(before), before.to_dict("records"), strict=True))
    found = set()
    for label, row in zip(labels(after), after.to_dict("records"), strict=True):
        if label not in old:
            continue
        for name, value in row.items():
            was = old[label].get(name)
            if absent(was) and absent(value):
                continue
            if absent(was) != absent(value) or bool(was != value):
                found.add((label, str(name)))
    return frozenset(found)


def draw_table(view: StatusView, *, caption: str) -> str:
    """Draw the rows as an HTML table, every text escaped, changed cells marked in colour and with a dot.

    Args:
        view: What to draw.
        caption: Name of the table for a screen reader.
    """
    shown, rows = view.shown(), view.rows()
    if not rows or not shown:
        why = "No target groups." if view.frame.empty else "No target group fits the filter."
        return f'<p class="cint-soft">{why}</p>'
    looks = [(name, column(name)) for name in shown]
    heads = "".join(
        f'<th scope="col"{_right(look)}{_sorted(view, name)}>{esc(view.heading(name))}</th>' for name, look in looks
    )
    body = "".join(
        f"<tr>{''.join(_cell(row[name], look, (label, name) in view.changed) for name, look in looks)}</tr>"
        for label, row in rows
    )
    return (
        f'<table class="cint-table" aria-label="{esc(caption)}"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _sorted(view: StatusView, name: str) -> str:
    if view.wish.sort != name:
        return ""
    return f' aria-sort="{"descending" if view.wish.descending else "ascending"}"'


def _right(look: Column) -> str:
    return ' class="cint-right"' if look.kind in RIGHT else ""


def _cell(value: Any, look: Column, changed: bool) -> str:
    names = [name for name, wanted in (("cint-right", look.kind in RIGHT), ("cint-changed", changed)) if wanted]
    css = f' class="{" ".join(names)}"' if names else ""
    mark = '<span title="changed" aria-label="changed">• </span>' if changed else ""
    return f"<td{css}>{mark}{cell(value, look.kind)}</td>"


def plain_rows(view: StatusView, limit: int) -> tuple[list[str], list[list[str]], int]:
    """Return headings, cells as text of at most `limit` rows, and how many rows there are beyond."""
    shown, rows = view.shown(), view.rows()
    cells = [[plain(row[name], column(name).kind) for name in shown] for _, row in rows[:limit]]
    return [view.heading(name) for name in shown], cells, max(len(rows) - limit, 0)


def text_table(view: StatusView, *, limit: int = 50) -> list[str]:
    """Write the rows as lines of text, columns aligned, at most `limit` rows."""
    heads, cells, more = plain_rows(view, limit)
    if not cells:
        return ["  no target groups"]
    table = [heads, *cells]
    widths = [max(len(line[index]) for line in table) for index in range(len(heads))]
    rights = [column(name).kind in RIGHT for name in view.shown()]
    lines = [
        "  "
        + "  ".join(
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, rights, strict=True)
        ).rstrip()
        for line in table
    ]
    return lines + ([f"  and {count(more, 'more target group')}"] if more else [])


def as_text(view: StatusView, separator: str) -> str:
    """Write the shown rows for a spreadsheet: plain values, a header row, nothing that a spreadsheet would run."""
    names = view.shown()
    frame = pd.DataFrame([[_safe(row[name]) for name in names] for _, row in view.rows()], columns=names)
    text: str = frame.to_csv(index=False, sep=separator, lineterminator="\n")
    return text


def _safe(value: Any) -> Any:
    if absent(value):
        return ""
    if isinstance(value, (list, tuple)):
        return " ".join(map(str, value))
    return escape_formula(value) if isinstance(value, str) else value
