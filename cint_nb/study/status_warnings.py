"""What the figures of a target group give reason to look at, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

STALLED_AFTER = timedelta(hours=48)
"""A live group below its goal is called stalled after so long without a complete. The figure is ours: the exchange
pauses groups after several days without completes and says no number."""

ENDS_SOON = timedelta(hours=48)
"""Fielding that ends within this time with completes missing is worth a word."""

_PAUSE_REASONS = {"no_completes_in_several_days": "no completes in several days"}


@dataclass(frozen=True)
class WarningInputs:
    """What the warnings look at; what is unknown stays None and warns of nothing.

    Args:
        state: `draft`, `scheduled`, `live`, `paused`, `completed` or `archived`.
        goal: Completes wanted.
        completes: Completes so far.
        saved: Ids saved in a recontact group.
        last_activity_at: Last complete, else the start of fielding.
        ends_at: End of fielding.
        paused_by: `marketplace` or `elsewhere` when it was neither you nor this notebook.
        pause_reason: The exchange's reason code.
        cost_per_complete: What a complete has cost on average.
        price_cap: The most a complete may cost, in the same currency.
    """

    state: str
    goal: float | None = None
    completes: float | None = None
    saved: float | None = None
    last_activity_at: datetime | None = None
    ends_at: datetime | None = None
    paused_by: str = ""
    pause_reason: str = ""
    cost_per_complete: float | None = None
    price_cap: float | None = None


def status_warnings(figures: WarningInputs, now: datetime) -> tuple[str, ...]:
    """Return what needs attention, the most urgent first.

    Args:
        figures: What is known of one target group.
        now: The moment they were read.
    """
    found = (_goal(figures), _paused(figures), _stalled(figures, now), _ends_soon(figures, now), _price(figures))
    return tuple(words for words in found if words)


def _missing_completes(figures: WarningInputs) -> int:
    return int(max((figures.goal or 0) - (figures.completes or 0), 0))


def _goal(figures: WarningInputs) -> str:
    if figures.saved is None or figures.goal is None or figures.state in ("completed", "archived"):
        return ""
    return f"goal above saved ids: {figures.goal:,.0f} of {figures.saved:,.0f}" if figures.goal > figures.saved else ""


def _paused(figures: WarningInputs) -> str:
    if figures.state != "paused" or not figures.paused_by:
        return ""
    if figures.paused_by != "marketplace":
        return "paused, not from here"
    reason = _PAUSE_REASONS.get(figures.pause_reason, figures.pause_reason.replace("_", " "))
    return "paused by the marketplace" + (f": {reason}" if reason else "")


def _stalled(figures: WarningInputs, now: datetime) -> str:
    if figures.state != "live" or figures.last_activity_at is None or not _missing_completes(figures):
        return ""
    silent = now - figures.last_activity_at
    return f"stalled: no complete for {_format_duration(silent)}" if silent >= STALLED_AFTER else ""


def _ends_soon(figures: WarningInputs, now: datetime) -> str:
    if figures.state not in ("live", "paused") or figures.ends_at is None or not _missing_completes(figures):
        return ""
    left = figures.ends_at - now
    if not timedelta(0) < left <= ENDS_SOON:
        return ""
    return f"ends soon: in {_format_duration(left)}, {_missing_completes(figures):,} completes short"


def _price(figures: WarningInputs) -> str:
    paid, cap = figures.cost_per_complete, figures.price_cap
    if paid is None or not cap or paid <= cap * 1.0001:  # a rounded average may lie a hair above its cap
        return ""
    return f"a complete costs more than the price cap: {paid:,.2f} against {cap:,.2f}"


def _format_duration(time: timedelta) -> str:
    hours = time.total_seconds() / 3600
    if hours < 1:
        return f"{int(time.total_seconds() // 60)} min"
    return f"{int(hours)} h" if hours < 48 else f"{int(hours // 24)} days"
