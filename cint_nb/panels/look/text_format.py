"""How panels write counts, times, sizes and names: for people, always escaped, always the same."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from cint_nb.domain.errors import InputError
from cint_nb.domain.ids import format_count as format_count
from cint_nb.domain.ids import masked_repr

MODES = ("sandbox", "replay", "live")
"""The three modes, as every panel names them."""

DASH = "–"


def parse_mode(mode: object) -> str:
    """Return the mode as one of `sandbox`, `replay`, `live`.

    Raises:
        InputError: for anything else.
    """
    word = mode.strip().lower() if isinstance(mode, str) else None
    if word not in MODES:
        raise InputError(
            f"mode must be one of {', '.join(MODES)}; got {masked_repr(mode, 40)}.", next_step="pass one of these."
        )
    return word


def escape(text: object) -> str:
    """Escape any text for HTML, quotes included: file names and server texts are not ours."""
    return html.escape(str(text), quote=True)


def disable_mathjax(text: object) -> str:
    """Return a text for the description of a widget, so that no front end takes a part of it for a formula."""
    return str(text).replace("$", "\uff04").replace("\\", "\\\u2060")


def format_duration(seconds: float) -> str:
    """Write a length of time in its two largest units, such as `45 s`, `12 min 5 s` or `2 h 10 min`."""
    whole = max(round(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s" if rest and minutes < 20 else f"{minutes} min"
    hours, rest = divmod(whole, 3600)
    if hours < 48:
        return f"{hours} h {rest // 60} min" if rest >= 60 else f"{hours} h"
    return f"{hours // 24} days"


def format_duration_range(low: float, high: float) -> str:
    """Write a range of time, such as `10–15 min`, or one length when both ends read the same."""
    low, high = sorted((max(low, 0.0), max(high, 0.0)))
    if high >= 7200:
        first, second, unit = *(f"{math.floor(end / 360 + 0.5) / 10:.1f}" for end in (low, high)), "h"
    else:
        size, unit = (60, "min") if high >= 90 else (1, "s")
        first, second = f"{int(low // size)}", f"{-int(-high // size)}"
    if first == second:
        return f"{second} {unit}"
    return f"up to {second} {unit}" if float(first) == 0 else f"{first}{DASH}{second} {unit}"


def format_percent(low: float, high: float) -> str:
    """Write a share of the whole, such as `43 %` or `35–52 %`."""
    # 0.29 × 100 is a little less than 29.
    first, second = (math.floor(max(0.0, min(1.0, bound)) * 100 + 1e-9) for bound in (low, high))
    return f"{second} %" if first == second else f"{first}{DASH}{second} %"


def align_columns(table: Sequence[Sequence[str]], right: Sequence[bool]) -> list[str]:
    """Write the rows of a table as lines, each column as wide as its widest cell.

    Args:
        table: The rows, headings first.
        right: Which columns hold numbers, which end at the same place.
    """
    wide = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  "
        + "  ".join(
            text.rjust(size) if each else text.ljust(size) for text, size, each in zip(row, wide, right, strict=True)
        ).rstrip()
        for row in table
    ]


def format_size(number: int) -> str:
    """Write a size in bytes, kB or MB, as the exchange counts them (1 MB is 1,000,000 bytes)."""
    if number < 1_000:
        return format_count(number, "byte")
    if number < 1_000_000:
        return f"{number / 1_000:.0f} kB"
    return f"{number / 1_000_000:.1f} MB"


_CURRENCY_DECIMALS = {
    **dict.fromkeys(re.findall("...", "BIFCLPDJFGNFISKJPYKMFKRWPYGRWFUGXVNDVUVXAFXOFXPF"), 0),
    **dict.fromkeys(re.findall("...", "BHDIQDJODKWDLYDOMRTND"), 3),
}
"""Decimals of currencies that have not two, by ISO 4217."""


def currency_decimals(currency: str | None) -> int:
    """Return how many decimals a currency has."""
    return _CURRENCY_DECIMALS.get(currency or "", 2)


def show_money(value: Decimal | float, currency: str | None, *, exact: bool = False, unit: bool = True) -> str:
    """Write an amount with its currency's decimals, such as `1,094.00 EUR` or `1,094 JPY`.

    Args:
        value: The amount.
        currency: Its currency; None where it is not known.
        exact: Whether further decimals are kept: a price of 2.7352 EUR is not 2.74 EUR.
        unit: Whether the currency is written; a heading may say it once.
    """
    decimals = currency_decimals(currency)
    text = f"{value:,.{decimals}f}"
    if exact and isinstance(value, Decimal) and value != round(value, decimals):
        text = f"{value.normalize():,f}"
    return f"{text} {currency}" if unit and currency else text


def format_moment(moment: datetime, *, seconds: bool = False, year: int | None = None) -> str:
    """Write a moment in UTC, such as `8 Sep 08:01`; the year only where it is another than `year`.

    Args:
        moment: The moment.
        seconds: Whether seconds are shown.
        year: The year that goes without saying.
    """
    there = moment.astimezone(UTC) if moment.tzinfo else moment
    other = f" {there.year}" if year is not None and there.year != year else ""
    return (
        f"{there.day} {_MONTHS[there.month - 1]}{other} {there:%H:%M:%S}"
        if seconds
        else (f"{there.day} {_MONTHS[there.month - 1]}{other} {there:%H:%M}")
    )


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


_CODE = re.compile(r"`([^`]+)`")


def inline_html(text: str) -> str:
    """Escape a text; what stands between backticks is code."""
    return _CODE.sub(r"<code>\1</code>", escape(text))


def inline_text(text: str) -> str:
    """Return a text without the backticks around code."""
    return _CODE.sub(r"\1", text)
