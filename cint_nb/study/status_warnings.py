"""Warnings drawn from the metrics of a target group, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cint_nb.domain.ids import mask_ids_in

STALLED_AFTER = timedelta(hours=48)
"""A live group below its goal is called stalled after this time without a complete. The number is ours: the exchange
pauses groups after "several days" without completes."""

ENDS_SOON = timedelta(hours=48)
"""Fielding that ends within this time with completes missing is worth a warning."""

_PAUSE_REASONS = {"no_completes_in_several_days": "no completes in several days"}


@dataclass(frozen=True)
class WarningInputs:
    """The metrics that warnings are drawn from; what is unknown stays None and gives no warning.

    Args:
        state: `draft`, `scheduled`, `live`, `paused`, `completed` or `archived`.
        goal: Completes wanted.
        completes: Completes so far.
        sent: Ids of the wave's list.
        saved: Ids saved in a recontact group.
        last_activity_at: Last complete, otherwise the start of fielding.
        ends_at: End of fielding.
        paused_by: `marketplace`, or `elsewhere` if it was paused outside this notebook.
        pause_reason: The exchange's reason code.
        cost_per_complete: Average cost of a complete.
        price_cap: Highest cost of a complete, in the same currency.
        approved: Budget approved from here.
        committed: The most the group can cost as it stands.
        spent: What it has cost, in the currency of the budget.
        prescreens: Who has passed the screener.
        counts_prescreens: Whether these fill the goal although completes were to.
    """

    state: str
    goal: float | None = None
    completes: float | None = None
    sent: float | None = None
    saved: float | None = None
    last_activity_at: datetime | None = None
    ends_at: datetime | None = None
    paused_by: str | None = None
    pause_reason: str | None = None
    cost_per_complete: float | None = None
    price_cap: float | None = None
    approved: float | None = None
    committed: float | None = None
    spent: float | None = None
    prescreens: float | None = None
    counts_prescreens: bool = False


def status_warnings(inputs: WarningInputs, now: datetime) -> tuple[str, ...]:
    """Return what needs attention, the most urgent first.

    Args:
        inputs: What is known about one target group.
        now: When they were read.
    """
    found = (
        _budget(inputs),
        _goal(inputs),
        _prescreens(inputs),
        _strangers(inputs),
        _paused(inputs),
        _stalled(inputs, now),
        _ends_soon(inputs, now),
        _price(inputs),
    )
    return tuple(text for text in found if text)


def _missing_completes(inputs: WarningInputs) -> int:
    return int(max((inputs.goal or 0) - (inputs.completes or 0), 0))


def _budget(inputs: WarningInputs) -> str | None:
    if inputs.approved is None:
        return None
    above = []
    if inputs.spent is not None and inputs.spent > inputs.approved + 0.005:  # a rounded sum may be slightly above
        above.append(f"has cost {inputs.spent:,.2f}")
    if inputs.committed is not None and inputs.committed > inputs.approved:
        above.append(f"can cost {inputs.committed:,.2f}")
    return f"{' and '.join(above)}, above the approved budget of {inputs.approved:,.2f}" if above else None


def _goal(inputs: WarningInputs) -> str | None:
    if inputs.saved is None or inputs.goal is None or inputs.state in ("completed", "archived"):
        return None
    return f"goal exceeds saved IDs: {inputs.goal:,.0f} of {inputs.saved:,.0f}" if inputs.goal > inputs.saved else None


def _prescreens(inputs: WarningInputs) -> str | None:
    if not inputs.counts_prescreens or inputs.state in ("completed", "archived"):
        return None
    counts = ((inputs.prescreens, "passed"), (inputs.completes, "completed"), (inputs.goal, "wanted"))
    known = ", ".join(f"{count:,.0f} {word}" for count, word in counts if count is not None)
    return f"who passes the screener fills the goal, not who completes, as prevent_overfill can do: {known}"


def _strangers(inputs: WarningInputs) -> str | None:
    if inputs.saved is None or inputs.sent is None or inputs.saved <= inputs.sent:
        return None
    return f"more IDs saved than this list has: {inputs.saved:,.0f} of {inputs.sent:,.0f}"


def _paused(inputs: WarningInputs) -> str | None:
    if inputs.state != "paused" or not inputs.paused_by:
        return None
    if inputs.paused_by != "marketplace":
        return "paused elsewhere"
    if not inputs.pause_reason:
        return "paused by the marketplace"
    reason = _PAUSE_REASONS.get(inputs.pause_reason, mask_ids_in(inputs.pause_reason).replace("_", " "))
    return f"paused by the marketplace: {reason}"


def _stalled(inputs: WarningInputs, now: datetime) -> str | None:
    if inputs.state != "live" or inputs.last_activity_at is None or not _missing_completes(inputs):
        return None
    silent = now - inputs.last_activity_at
    return f"stalled: no complete for {_format_duration(silent)}" if silent >= STALLED_AFTER else None


def _ends_soon(inputs: WarningInputs, now: datetime) -> str | None:
    if inputs.state not in ("live", "paused") or inputs.ends_at is None or not _missing_completes(inputs):
        return None
    left = inputs.ends_at - now
    if not timedelta(0) < left <= ENDS_SOON:
        return None
    return f"ends soon: in {_format_duration(left)}, {_missing_completes(inputs):,} completes short"


def _price(inputs: WarningInputs) -> str | None:
    paid, cap = inputs.cost_per_complete, inputs.price_cap
    if paid is None or not cap or paid <= cap * 1.0001:  # a rounded average may be slightly above its cap
        return None
    return f"cost per complete {paid:,.2f} exceeds the price cap {cap:,.2f}"


def _format_duration(time: timedelta) -> str:
    hours = time.total_seconds() / 3600
    if hours < 1:
        return f"{int(time.total_seconds() // 60)} min"
    return f"{int(hours)} h" if hours < 48 else f"{int(hours // 24)} days"
