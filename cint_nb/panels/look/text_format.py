"""How panels write counts, times, sizes and names: for people, always escaped, always the same."""

from __future__ import annotations

import html

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
        first, second, unit = f"{low / 3600:.1f}", f"{high / 3600:.1f}", "h"
    else:
        size, unit = (60, "min") if high >= 90 else (1, "s")
        first, second = f"{int(low // size)}", f"{-int(-high // size)}"
    if first == second:
        return f"{second} {unit}"
    return f"up to {second} {unit}" if float(first) == 0 else f"{first}{DASH}{second} {unit}"


def format_percent(low: float, high: float) -> str:
    """Write a share of the whole, such as `43 %` or `35–52 %`."""
    first, second = (int(max(0.0, min(1.0, bound)) * 100) for bound in (low, high))
    return f"{second} %" if first == second else f"{first}{DASH}{second} %"


def format_size(number: int) -> str:
    """Write a size in bytes, kB or MB, as the exchange counts them (1 MB is 1,000,000 bytes)."""
    if number < 1_000:
        return format_count(number, "byte")
    if number < 1_000_000:
        return f"{number / 1_000:.0f} kB"
    return f"{number / 1_000_000:.1f} MB"
