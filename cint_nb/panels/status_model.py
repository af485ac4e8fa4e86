"""What a status table holds, without any widget: rows, what changed since the last look, and the HTML of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cint_nb.panels.cells import RIGHT, Column, absent, cell, plain
from cint_nb.panels.wording import esc

COLUMNS: Mapping[str, Column] = {
    "target_group_id": Column("Target group", hidden=True),
    "project_id": Column("Project", hidden=True),
    "name": Column("Name"),
    "state": Column("State", "state"),
    "goal": Column("Goal", "count"),
    "completes": Column("Completes", "count"),
    "filled": Column("Filled", "share"),
    "trend": Column("Trend", "trend"),
    "sent": Column("Sent", "count", hidden=True),
    "saved": Column("Saved ids", "count"),
    "entrants": Column("Entrants", "count"),
    "screenouts": Column("Screen-outs", "count"),
    "came_back": Column("Came back", "rate"),
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
    "warnings": Column("Warnings", "warnings"),
}
"""How the columns of the status frame are shown; others are shown as they are."""

KEY = "target_group_id"


def column(name: str) -> Column:
    """Return how a column is shown, also one that is not known."""
    return COLUMNS.get(name) or Column(name.replace("_", " ").capitalize(), "any")


@dataclass(frozen=True)
class StatusView:
    """Hold a frame as shown, with the cells that changed.

    Args:
        frame: The rows, one a target group.
        changed: Row label and column of each cell that differs from the frame before.
    """

    frame: pd.DataFrame
    changed: frozenset[tuple[Any, str]] = frozenset()

    def shown(self) -> list[str]:
        """Return the columns that are shown, in the order of the frame, without those that hold nothing at all."""
        return [
            str(name)
            for name in self.frame.columns
            if not column(str(name)).hidden and not all(absent(value) for value in self.frame[name])
        ]


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
    """Draw the rows as an HTML table, every text escaped, changed cells marked in colour and with a dot."""
    shown = view.shown()
    if view.frame.empty or not shown:
        return '<p class="cint-soft">No target groups.</p>'
    looks = [(name, column(name)) for name in shown]
    heads = "".join(f'<th scope="col"{_right(look)}>{esc(look.label)}</th>' for _, look in looks)
    rows = []
    for label, row in zip(labels(view.frame), view.frame.to_dict("records"), strict=True):
        cells = "".join(_cell(row[name], look, (label, name) in view.changed) for name, look in looks)
        rows.append(f"<tr>{cells}</tr>")
    return (
        f'<div class="cint-scroll" tabindex="0" role="region" aria-label="{esc(caption)}">'
        f'<table class="cint-table"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _right(look: Column) -> str:
    return ' class="cint-right"' if look.kind in RIGHT else ""


def _cell(value: Any, look: Column, changed: bool) -> str:
    names = [name for name, wanted in (("cint-right", look.kind in RIGHT), ("cint-changed", changed)) if wanted]
    css = f' class="{" ".join(names)}"' if names else ""
    mark = '<span title="changed" aria-label="changed">• </span>' if changed else ""
    return f"<td{css}>{mark}{cell(value, look.kind)}</td>"


def text_table(view: StatusView) -> list[str]:
    """Write the rows as lines of text, columns aligned."""
    shown = view.shown()
    if view.frame.empty or not shown:
        return ["  no target groups"]
    table = [[column(name).label for name in shown]]
    table.extend([plain(row[name], column(name).kind) for name in shown] for row in view.frame.to_dict("records"))
    widths = [max(len(line[index]) for line in table) for index in range(len(shown))]
    rights = [column(name).kind in RIGHT for name in shown]
    return [
        "  "
        + "  ".join(
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, rights, strict=True)
        ).rstrip()
        for line in table
    ]
