"""Frames that can be read at 80 columns: frames like any other, whose repr is made for people.

A script has no wide window, and pandas leaves out the columns in the middle there, which may be the ones that matter.
Every frame that study, wave and history hand out is a `ReadableFrame`. Of a status, programs get fractions, times and
numbers; what is printed has percentages, short dates and the currency's decimals.
"""

from __future__ import annotations

import html
import shutil
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from cint_nb.domain.ids import as_printed

WIDTH = 80
ROWS_ONE_BY_ONE = 12
"""So many rows are shown one by one, each value on a line, where they fit no table; more are a table in pieces."""
SHORT_TEXT = 14
"""Texts up to this long are not wrapped, and longer ones get this much room at least."""
GROUPS_ONE_BY_ONE = 3
"""So many groups are shown one by one, each value on a line; more are a table of what matters."""
_RATES = frozenset({"filled", "came_back", "completed_of_saved", "conversion_rate", "drop_off_rate", "incidence_rate"})
_MONEY = frozenset({"cost", "cost_per_complete", "price_cap", "approved", "committed", "spent"})
_PRICES = frozenset({"cost_per_complete", "price_cap"})
_IN_A_TABLE = ("name", "state", "completes", "cost", "ends_at", "warnings")
_NO_DECIMALS = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split())  # noqa: SIM905
_MADE_FOR = frozenset({"name", "state", "goal", "completes", "cost", "currency", "ends_at", "warnings"})


class ReadableFrame(pd.DataFrame):
    """A frame that leaves out no column and cuts no text where it is printed outside a notebook.

    What fits is printed as pandas prints it, and so is everything where the options of pandas were set.
    """

    @property
    def _constructor(self) -> Callable[..., ReadableFrame]:
        return ReadableFrame

    def equals(self, other: object) -> bool:  # type: ignore[misc]  # final in the stubs alone
        """Return whether another frame, of this class or not, holds the same."""
        return isinstance(other, pd.DataFrame) and pd.DataFrame(self).equals(pd.DataFrame(other))

    def __repr__(self) -> str:
        """Show all columns, in as many columns of text as a terminal has, 80 at least."""
        is_fitted_by_pandas = pd.get_option("display.max_columns") == 0  # as in every script and terminal
        if not is_fitted_by_pandas or self.empty or isinstance(self.index, pd.MultiIndex):
            return repr(pd.DataFrame(self))
        width = max(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)
        lines = _fitted_lines(pd.DataFrame(self), width)
        return repr(pd.DataFrame(self)) if lines is None else as_printed("\n".join(lines))


class StatusFrame(ReadableFrame):
    """One row per target group, as `status_frame` describes it; with other columns it is printed as any frame is."""

    @property
    def _constructor(self) -> Callable[..., StatusFrame]:
        return StatusFrame

    def __repr__(self) -> str:
        """Show each group's values, at most 80 columns wide."""
        if not self._is_whole():
            return super().__repr__()
        return as_printed("\n".join(_lines(self.to_dict("records"))))

    def _repr_html_(self) -> str | None:
        if not self._is_whole():
            shown: str | None = super()._repr_html_()  # type: ignore[misc]  # not in the stubs of pandas
            return shown
        return _table(self.to_dict("records"))

    def _is_whole(self) -> bool:
        return len(self) > 0 and self.columns.is_unique and set(self.columns) >= _MADE_FOR


def _fitted_lines(frame: pd.DataFrame, width: int) -> list[str] | None:
    """Return a frame as lines that are no wider than a terminal; None where pandas itself cuts nothing."""
    most, least = (pd.get_option(f"display.{name}") or len(frame) for name in ("max_rows", "min_rows"))
    is_cut = len(frame) > most
    half = max(least // 2, 1)
    shown = pd.concat([frame.head(half), frame.tail(half)]) if is_cut else frame
    texts = [_texts(shown.iloc[:, place]) for place in range(shown.shape[1])]
    heads = [str(name) for name in shown.columns]
    wide = [max(map(len, [head, *column])) for head, column in zip(heads, texts, strict=True)]
    index = [str(each) for each in shown.index]
    edge = max(map(len, index))
    longest = pd.get_option("display.max_colwidth") or width
    if edge + sum(wide) + 2 * len(wide) <= width and max(wide) <= longest:
        return None
    is_text = [not pd.api.types.is_numeric_dtype(each) for each in shown.dtypes]
    sizes = _sizes(wide, is_text, width - edge - 2 * len(wide))
    rows = list(zip(*texts, strict=True))
    if sizes is None and len(rows) > ROWS_ONE_BY_ONE:
        text = frame.to_string(line_width=width, max_rows=most, min_rows=least, max_colwidth=width - edge - 4)
        return [*text.splitlines(), *([_dimensions(frame)] if is_cut else [])]
    if sizes is None:
        lines = [
            line for label, row in zip(index, rows, strict=True) for line in [f"[{label}]", *_named(heads, row, width)]
        ]
    else:
        right = [not each for each in is_text]
        lines = _wrapped("", heads, edge, sizes, right)
        for label, row in zip(index, rows, strict=True):
            lines += _wrapped(label, row, edge, sizes, right)
    return [*lines, *(["", _dimensions(frame)] if is_cut else [])]


def _dimensions(frame: pd.DataFrame) -> str:
    return f"[{len(frame):,} rows x {frame.shape[1]} columns, the first and the last are shown]"


def _texts(column: pd.Series[Any]) -> list[str]:
    """Return the cells of a column as pandas writes them, each on one line."""
    if pd.api.types.is_object_dtype(column) or pd.api.types.is_string_dtype(column):
        return ["–" if _is_missing(value) else " ".join(str(value).split()) for value in column]
    return [line.strip() for line in column.to_string(index=False, header=False).split("\n")]


def _sizes(wide: Sequence[int], is_text: Sequence[bool], room: int) -> list[int] | None:
    """Return how wide each column may be when long texts are wrapped; None where that leaves too little room."""
    long = [place for place, size in enumerate(wide) if is_text[place] and size > SHORT_TEXT]
    room -= sum(size for place, size in enumerate(wide) if place not in long)
    if not long or room < SHORT_TEXT * len(long):
        return None
    sizes = list(wide)
    for number, place in enumerate(sorted(long, key=lambda each: wide[each])):  # what the short ones leave, others get
        sizes[place] = min(wide[place], room // (len(long) - number))
        room -= sizes[place]
    return sizes


def _wrapped(label: str, row: Sequence[str], edge: int, sizes: Sequence[int], right: Sequence[bool]) -> list[str]:
    cells = [textwrap.wrap(text, size, break_on_hyphens=False) or [""] for text, size in zip(row, sizes, strict=True)]
    lines = []
    for number in range(max(map(len, cells))):
        parts = [cell[number] if number < len(cell) else "" for cell in cells]
        shown = [
            text.rjust(size) if is_right else text.ljust(size)
            for text, size, is_right in zip(parts, sizes, right, strict=True)
        ]
        lines.append("  ".join([(label if not number else "").ljust(edge), *shown]).rstrip())
    return lines


def _named(heads: Sequence[str], row: Sequence[str], width: int) -> list[str]:
    edge = max(map(len, heads)) + 2
    return [
        line
        for head, text in zip(heads, row, strict=True)
        for line in textwrap.wrap(
            text, width, initial_indent=head.ljust(edge), subsequent_indent=" " * edge, break_on_hyphens=False
        )
    ]


def _is_missing(value: Any) -> bool:
    if isinstance(value, (str, list, tuple)):
        return len(value) == 0
    return value is None or bool(pd.isna(value))


def _shown(name: str, value: Any, currency: Any) -> str:
    """Write a value for people."""
    if name in _RATES:
        return f"{100 * float(value):.0f} %"
    if name in _MONEY:
        code = "" if _is_missing(currency) else str(currency)
        text = f"{float(value):,.{0 if code in _NO_DECIMALS else 2}f}"
        if name in _PRICES and abs(float(value) - round(float(value), 2)) > 1e-9:
            text = f"{float(value):,.4f}".rstrip("0")  # 2.7352 EUR is not 2.74 EUR
        return f"{text} {code}".rstrip()
    if name == "median_minutes":
        return f"{float(value):.1f} min"
    if isinstance(value, pd.Timestamp):
        return f"{value.day} {value:%b %Y %H:%M} UTC"
    if isinstance(value, (list, tuple)):
        return " ".join(f"{number:,}" for number in value[-6:])
    return f"{value:,}" if isinstance(value, int) else str(value)


def _facts(row: dict[Any, Any]) -> list[tuple[str, str]]:
    """Return what is known of a group, name by name; what is missing is left out."""
    return [
        (str(name), _shown(str(name), value, row.get("currency")))
        for name, value in row.items()
        if not _is_missing(value) and name != "currency"
    ]


def _lines(rows: Sequence[dict[Any, Any]]) -> list[str]:
    if len(rows) > GROUPS_ONE_BY_ONE:
        return _table_lines(rows)
    found: list[str] = []
    for row in rows:
        facts = _facts(row)
        wide = max(len(name) for name, _ in facts)
        found += [""] * bool(found)
        for name, value in facts:
            found += textwrap.wrap(
                value, WIDTH, initial_indent=f"{name.ljust(wide)}  ", subsequent_indent=" " * (wide + 2),
                break_on_hyphens=False,
            )  # fmt: skip
    return found


def _table_lines(rows: Sequence[dict[Any, Any]]) -> list[str]:
    warned = any(not _is_missing(row["warnings"]) for row in rows)
    heads = [name for name in _IN_A_TABLE if name != ("ends_at" if warned else "warnings")]
    cells = [[text for text, name in zip(_cells(row), _IN_A_TABLE, strict=True) if name in heads] for row in rows]
    wide = [max(len(line[place]) for line in [heads, *cells]) for place in range(len(heads))]
    wide[-1] = max(WIDTH - sum(wide[:-1]) - 2 * (len(heads) - 1), 8)
    return [
        "  ".join(_cut(text, size).ljust(size) for text, size in zip(line, wide, strict=True)).rstrip()
        for line in [heads, *cells]
    ]


def _cells(row: dict[Any, Any]) -> list[str]:
    """Return the cells of a group in a table of at most 80 columns."""
    completes = "–" if _is_missing(row["completes"]) else f"{row['completes']:,}"
    goal = "" if _is_missing(row["goal"]) else f" / {row['goal']:,}"
    ends = "" if _is_missing(row["ends_at"]) else f"{row['ends_at'].day} {row['ends_at']:%b %H:%M}"
    cost = "" if _is_missing(row["cost"]) else _shown("cost", row["cost"], row["currency"])
    texts = {name: "" if _is_missing(row[name]) else str(row[name]) for name in ("name", "state", "warnings")}
    return [_cut(texts["name"], 22), texts["state"], completes + goal, cost, ends, texts["warnings"]]


def _cut(text: str, size: int) -> str:
    """Cut a text in the middle, since names differ at their ends."""
    if len(text) <= size:
        return text
    tail = size // 3
    return f"{text[: size - tail - 1]}…{text[-tail:]}"


def _table(rows: Sequence[dict[Any, Any]]) -> str:
    """Draw groups as columns where there are few, else as rows; a plain table, as the notebook draws its own."""
    facts = [dict(_facts(row)) for row in rows]
    names = [name for name in map(str, rows[0]) if any(name in each for each in facts)]
    if len(rows) <= GROUPS_ONE_BY_ONE:
        body = "".join(
            f"<tr><th>{html.escape(name)}</th>{''.join(_td(each.get(name, '')) for each in facts)}</tr>"
            for name in names
        )
        return f'<table class="mathjax_ignore"><tbody>{body}</tbody></table>'
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    body = "".join(f"<tr>{''.join(_td(each.get(name, '')) for name in names)}</tr>" for each in facts)
    return f'<table class="mathjax_ignore"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _td(text: str) -> str:
    return f'<td style="text-align:left">{html.escape(text)}</td>'
