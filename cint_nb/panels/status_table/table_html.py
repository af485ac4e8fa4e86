"""A status table as HTML: a header that sorts, rows of one line, a last row of sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cint_nb.panels.look.cell_format import (
    RIGHT_ALIGNED_KINDS,
    STATE_ORDER,
    ColumnFormat,
    format_html,
    goal_html,
    is_empty,
)
from cint_nb.panels.look.text_format import currency_decimals, escape, format_count, show_money
from cint_nb.panels.status_table.model import CURRENCY_COLUMN, StatusView, column_format, sort_key

_SUMMED = ("completes", "sent", "saved", "entrants", "screenouts", "cost", "approved", "committed", "spent")
"""Columns whose sum over groups means something."""


def render_table(view: StatusView, *, caption: str) -> str:
    """Draw the rows as an HTML table, every text escaped, changed cells marked by colour, corner and word.

    Each cell carries the value it is sorted by, so that a browser can sort and filter while the kernel is busy.

    Args:
        view: What to draw.
        caption: Name of the table for a screen reader.
    """
    if why := view.empty_text():
        return f'<p class="st-none cint-soft">{why}</p>'
    shown, rows, currency = view.page_columns(), view.visible_rows(), view.currency()
    looks = [(name, column_format(name)) for name in shown]
    chosen = bool(view.options.columns)
    css = [_column_class(place, look, chosen) for place, (_, look) in enumerate(looks)]
    heads = "".join(
        f'<th scope="col" class="{names}" data-c="{escape(name)}" data-l="{escape(view.heading(name))}" '
        f'data-k="{look.kind}"{_aria_sort(view, name)}><button type="button" data-lm-suppress-shortcuts="true">'
        f"{escape(view.heading(name))}</button></th>"
        for names, (name, look) in zip(css, looks, strict=True)
    )
    body = "".join(
        f'<tr data-i="{number}">'
        + "".join(
            _cell(row, name, look, names, currency, changed=(label, name) in view.changed)
            for names, (name, look) in zip(css, looks, strict=True)
        )
        + "</tr>"
        for number, (label, row) in enumerate(rows)
    )
    foot = "".join(
        f'<{tag} class="{names}"{_sum_mark(name, look, currency)}>{total}</{tag}>'
        for tag, names, (name, look), total in zip(
            ["th", *["td"] * (len(looks) - 1)], css, looks, _totals(view, [name for name, _ in looks]), strict=True
        )
    )
    return (
        f'<div class="st-view" tabindex="0" role="region" aria-label="{escape(caption)}" '
        f'data-lm-suppress-shortcuts="true"><table class="st{" st-chosen" if chosen else ""}" '
        f'aria-label="{escape(caption)}"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody>'
        f"<tfoot><tr>{foot}</tr></tfoot></table></div>"
    )


def _column_class(place: int, look: ColumnFormat, chosen: bool) -> str:
    right = "r " if look.kind in RIGHT_ALIGNED_KINDS else ""
    return f"{right}p{1 if place == 0 or chosen else look.priority} k-{look.kind}"


def _aria_sort(view: StatusView, name: str) -> str:
    if view.options.sort_by != name:
        return ""
    return f' aria-sort="{"descending" if view.options.descending else "ascending"}"'


def _cell(
    row: Mapping[Any, Any], name: str, look: ColumnFormat, css: str, currency: str | None, *, changed: bool
) -> str:
    value = row[name]
    content = (
        goal_html(value, row.get("goal"))
        if look.kind == "goal"
        else format_html(value, look.kind, currency=currency or row.get(CURRENCY_COLUMN) or None)
    )
    mark = '<span class="st-dot" aria-hidden="true"></span><span class="cint-vh">changed: </span>' if changed else ""
    tag, scope = ("th", ' scope="row"') if look.kind == "name" else ("td", "")
    key = _browser_key(value, look)
    data = f' data-v="{escape(key)}"' if key != "" else ""
    return f'<{tag}{scope} class="{css}{" ch" if changed else ""}"{data}>{mark}{content}</{tag}>'


def _browser_key(value: Any, look: ColumnFormat) -> str:
    """Return what a browser sorts a cell by; empty where it holds nothing."""
    if is_empty(value):
        return ""
    if look.kind == "state":
        word = str(value).lower()
        return str(STATE_ORDER.index(word) if word in STATE_ORDER else len(STATE_ORDER))
    kind, key = sort_key(value)
    return f"{float(key):.10g}" if kind in (0, 1) else key


def _sum_mark(name: str, look: ColumnFormat, currency: str | None) -> str:
    if name not in _SUMMED or (look.kind == "money" and not currency):
        return ""
    return f' data-sum="{currency_decimals(currency) if look.kind == "money" else 0}"'


def _totals(view: StatusView, names: Sequence[str]) -> list[str]:
    """Return the cells of the last row: sums of what is known, over the rows that are shown."""
    rows = [row for _, row in view.visible_rows()]
    currency = view.currency()
    shown, every = len(rows), len(view.frame)
    cells = []
    for place, name in enumerate(names):
        look, known = column_format(name), [row[name] for row in rows if not is_empty(row[name])]
        text = ""
        if place == 0:
            text = f"Total, {format_count(shown, 'group') if shown == every else f'{shown:,} shown'}"
        elif look.kind == "state":
            live = sum(str(value).lower() == "live" for value in known)
            text = f"{live:,} live" if live else ""
        elif look.kind == "warnings":
            text = f"{len(known):,} with warnings" if known else ""
        elif name == "completes" and known:
            goals = [row.get("goal") for row in rows if not is_empty(row[name])]
            text = goal_html(sum(known), None if any(map(is_empty, goals)) else sum(goals))
        elif name == "cost_per_complete" and currency and known:
            text = _per_complete(rows, currency)
        elif name in _SUMMED and known and (look.kind != "money" or currency):
            text = format_html(sum(known), look.kind, currency=currency)
        cells.append(text)
    return cells


def _per_complete(rows: Sequence[Mapping[Any, Any]], currency: str) -> str:
    """Return what a complete costs over all rows that show both; empty where none does."""
    both = [row for row in rows if not is_empty(row.get("cost")) and not is_empty(row.get("completes"))]
    done = sum(float(row["completes"]) for row in both)
    cost = sum(float(row["cost"]) for row in both)
    return escape(show_money(cost / done, currency, unit=False)) if done else ""


def unreadable_groups(view: StatusView) -> int:
    """Return how many groups that were launched show no completes, and so are not in the totals."""
    return sum(
        is_empty(row.get("completes")) and str(row.get("state")).lower() not in ("draft", "scheduled")
        for _, row in view.visible_rows()
    )


TOOLS_HTML = """<div class="st-tools cint-script-only">
<input type="text" class="cint-i st-filter" placeholder="Filter, e.g. paused" aria-label="Filter the rows"
 data-lm-suppress-shortcuts="true">
<button type="button" class="cint-b st-columns" aria-expanded="false" data-lm-suppress-shortcuts="true">Columns</button>
<button type="button" class="cint-b st-density" aria-pressed="false" data-lm-suppress-shortcuts="true">Dense</button>
<button type="button" class="cint-b st-copy" data-lm-suppress-shortcuts="true">Copy</button>
<button type="button" class="cint-b st-csv" data-lm-suppress-shortcuts="true">Save CSV</button></div>"""
"""What a browser does by itself, shown where the panel's script runs."""

MENU_HTML = '<div class="st-menu" role="group" aria-label="Columns" hidden></div>'
"""Where the script puts the names of the columns."""
