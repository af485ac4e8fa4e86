"""How one cell of a table is written: labels, numbers, money and rates of the columns that are known, escaped."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cint_nb.panels.look.text_format import DASH, escape, format_duration


@dataclass(frozen=True)
class ColumnFormat:
    """How a column is shown.

    Args:
        label: Heading.
        kind: `text`, `count`, `rate` (0–1), `share` (0–1, drawn as a bar), `money`, `minutes`, `seconds`, `time`,
            `state`, `warnings` or `trend`.
        hidden: Left out unless asked for.
    """

    label: str
    kind: str = "text"
    hidden: bool = False


RIGHT_ALIGNED_KINDS = frozenset({"count", "rate", "share", "money", "minutes", "seconds"})

_STATE_STYLES = {
    "draft": ("calm", "✎"),
    "scheduled": ("calm", "◷"),
    "live": ("good", "▶"),
    "paused": ("warn", "‖"),
    "completed": ("busy", "✓"),
    "archived": ("calm", "▢"),
}


def is_empty(value: Any) -> bool:
    """Return whether a cell holds nothing: None, NaN, NaT, or an empty text or list."""
    if value is None:
        return True
    if isinstance(value, (str, list, tuple)):
        return len(value) == 0
    try:
        return bool(value != value)
    except (TypeError, ValueError):
        return True


def _whole(value: Any) -> str:
    return f"{value:,.0f}"


def _rate(value: Any) -> str:
    return f"{float(value):.0%}".replace("%", " %")


def _minutes(value: Any) -> str:
    return f"{float(value):.1f} min"


def _money(value: Any) -> str:
    return f"{value:,.2f}"


def _number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.4g}" if math.isfinite(value) else str(value)
    return f"{value:,}"


_NUMBER_FORMATTERS: Mapping[str, Callable[[Any], str]] = {
    "count": _whole,
    "rate": _rate,
    "share": _rate,
    "money": _money,
    "minutes": _minutes,
    "seconds": format_duration,
}


def format_text(value: Any, kind: str) -> str:
    """Write a cell as text, a dash when it holds nothing."""
    if is_empty(value):
        return DASH
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return _NUMBER_FORMATTERS.get(kind, _number)(value)
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        return f"{moment:%Y-%m-%d %H:%M} UTC"
    if isinstance(value, (list, tuple)):
        return sparkline_text(value) if kind == "trend" else "; ".join(str(item) for item in value)
    return str(value)


def sparkline_text(values: Iterable[float]) -> str:
    """Draw numbers as a row of block characters, from the lowest to the highest."""
    numbers = [float(value) for value in values]
    top = max(numbers, default=0.0)
    blocks = "▁▂▃▄▅▆▇█"
    return "".join(blocks[min(int(number / top * 7.999), 7)] if top > 0 else blocks[0] for number in numbers)


def sparkline_svg(values: Sequence[float]) -> str:
    """Draw numbers as a small line, with its first and last value as its name for a screen reader."""
    numbers = [float(value) for value in values]
    if len(numbers) < 2:
        return escape(format_text(numbers[0], "count")) if numbers else DASH
    low, top = min(numbers), max(numbers)
    step, height = 72 / (len(numbers) - 1), 18
    points = " ".join(
        f"{1 + index * step:.1f},{1 + height * (1 - (number - low) / ((top - low) or 1)):.1f}"
        for index, number in enumerate(numbers)
    )
    name = f"from {numbers[0]:,.0f} to {numbers[-1]:,.0f}"
    return (
        f'<svg class="cint-spark" width="74" height="20" viewBox="0 0 74 20" role="img" aria-label="{name}">'
        f'<polyline points="{points}" fill="none" stroke="currentColor" stroke-width="1.6"/></svg>'
    )


def format_html(value: Any, kind: str) -> str:
    """Write a cell as HTML, escaped."""
    if is_empty(value):
        return f'<span class="cint-soft">{DASH}</span>'
    if kind == "state":
        css, icon = _STATE_STYLES.get(str(value).lower(), ("calm", "•"))
        return (
            f'<span class="cint-word cint-{css}"><span class="cint-icon" aria-hidden="true">{icon}</span>'
            f"{escape(value)}</span>"
        )
    if kind == "warnings":
        return f'<span class="cint-part"><span aria-hidden="true">▲ </span>{escape(format_text(value, kind))}</span>'
    if kind == "share" and isinstance(value, (int, float)):
        width = 100 * min(max(float(value), 0.0), 1.0)
        return (
            f'{escape(format_text(value, kind))}<span class="cint-mini" aria-hidden="true">'
            f'<span style="width:{width:.0f}%"></span></span>'
        )
    if kind == "trend" and isinstance(value, (list, tuple)):
        return sparkline_svg(value)
    return escape(format_text(value, kind))
