"""How one cell of a table is written: labels, numbers, money and rates of the columns that are known, escaped."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cint_nb.panels.look.text_format import DASH, escape, format_duration, format_moment, show_money


@dataclass(frozen=True)
class ColumnFormat:
    """How a column is shown.

    Args:
        label: Heading.
        kind: `text`, `name`, `count`, `goal` (a count with a bar), `rate` or `share` (0–1), `money`, `minutes`,
            `seconds`, `time`, `state`, `warnings` or `trend`.
        priority: 1 to be shown always, 2 and 3 where the panel is wide, 0 where the reader chooses the column.
        hidden: Not even in the page unless asked for by code: ids.
    """

    label: str
    kind: str = "text"
    priority: int = 1
    hidden: bool = False


RIGHT_ALIGNED_KINDS = frozenset({"count", "goal", "rate", "share", "money", "minutes", "seconds", "time"})

_STATE_STYLES = {
    "draft": ("calm", "✎"),
    "scheduled": ("calm", "◷"),
    "live": ("good", "▶"),
    "paused": ("warn", "‖"),
    "completed": ("busy", "✓"),
    "archived": ("calm", "▢"),
}
STATE_ORDER = tuple(_STATE_STYLES)
"""The states in the order in which a group passes through them."""


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
    "goal": _whole,
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
    """Draw numbers as a small line over its area, with its first and last value as its name for a screen reader."""
    numbers = [float(value) for value in values]
    if len(numbers) < 2:
        return escape(format_text(numbers[0], "count")) if numbers else DASH
    low, top = min(numbers), max(numbers)
    step, height = 42 / (len(numbers) - 1), 12
    points = [
        f"{1 + index * step:.1f},{2 + height * (1 - (number - low) / ((top - low) or 1)):.1f}"
        for index, number in enumerate(numbers)
    ]
    x, y = points[-1].split(",")
    name = f"from {numbers[0]:,.0f} to {numbers[-1]:,.0f}"
    line = " ".join(points)
    return (
        f'<span class="cint-busy"><svg width="46" height="16" viewBox="0 0 46 16" role="img" aria-label="{name}">'
        f'<polygon points="1,14 {line} 43,14" fill="currentColor" opacity=".16"/>'
        f'<polyline points="{line}" fill="none" stroke="currentColor" stroke-width="1.4"/>'
        f'<circle cx="{x}" cy="{y}" r="1.8" fill="currentColor"/></svg></span>'
    )


_NAME_TAIL = 9


def name_html(name: str) -> str:
    """Write a name on one line, cut in the middle where it is too long: names differ at their ends."""
    head, tail = (name[:-_NAME_TAIL], name[-_NAME_TAIL:]) if len(name) > 2 * _NAME_TAIL else (name, "")
    rest = f"<span>{escape(tail)}</span>" if tail else ""
    return f'<span class="st-cut" title="{escape(name)}"><span>{escape(head)}</span>{rest}</span>'


def goal_html(reached: Any, goal: Any) -> str:
    """Write completes with their goal and a bar of both; what is not known is a dash."""
    wanted = "" if is_empty(goal) else f'<span class="cint-soft"> / {_whole(goal)}</span>'
    text = f'<span class="st-num">{DASH if is_empty(reached) else _whole(reached)}{wanted}</span>'
    share = 0.0 if is_empty(reached) or is_empty(goal) or not goal else min(float(reached) / float(goal), 1.0)
    css = "good" if share >= 1 else "busy"
    bar = f'<span class="st-mini cint-{css}" aria-hidden="true"><i style="width:{100 * share:.0f}%"></i></span>'
    return f'<span class="st-goal">{text}{bar if not is_empty(goal) else ""}</span>'


def warnings_html(value: Any) -> str:
    """Write the first warning as words on a chip, and how many more there are; all of them on pointing at it."""
    texts = [text for text in str(value).split("; ") if text]
    more = f' <span class="cint-tiny cint-warn">+{len(texts) - 1}</span>' if len(texts) > 1 else ""
    rest = f'<span class="cint-vh">; {escape("; ".join(texts[1:]))}</span>' if len(texts) > 1 else ""
    return f'<span class="cint-chip cint-warn" title="{escape(value)}">▲ {escape(texts[0])}</span>{more}{rest}'


def format_html(value: Any, kind: str, *, currency: str | None = None) -> str:
    """Write a cell as HTML, escaped.

    Args:
        value: The cell.
        kind: That of its column.
        currency: Of an amount; None where several are shown.
    """
    if is_empty(value):
        return "" if kind in ("warnings", "trend") else f'<span class="cint-soft">{DASH}</span>'
    if kind == "name":
        return name_html(str(value))
    if kind == "state":
        css, icon = _STATE_STYLES.get(str(value).lower(), ("bad", "?"))
        return f'<span class="cint-state cint-{css}"><i aria-hidden="true">{icon}</i>{escape(value)}</span>'
    if kind == "warnings":
        return warnings_html(format_text(value, kind))
    if kind == "share" and isinstance(value, (int, float)):
        return escape(format_text(value, kind))
    if kind == "trend" and isinstance(value, (list, tuple)):
        return sparkline_svg(value)
    if kind == "money" and isinstance(value, (int, float, Decimal)):
        return escape(show_money(value, currency, unit=False))
    if kind == "time" and isinstance(value, datetime):
        return escape(format_moment(value))
    return escape(format_text(value, kind))
