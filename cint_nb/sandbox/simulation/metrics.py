"""The metrics of a target group: rates, cost, length, outcomes, completes over time."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from statistics import median

from cint_nb.sandbox.protocol.messages import JsonObject
from cint_nb.sandbox.simulation.outcomes import COMPLETES, DROPPED, OUTCOMES
from cint_nb.sandbox.world.entities import TargetGroup
from cint_nb.sandbox.world.world import World


def money_to_json(value: Decimal, currency: str) -> JsonObject:
    """Return an amount as responses write it: a decimal string, its currency and its scale."""
    return {"value": format(value, "f"), "currency_code": currency, "currency_scale": 2}


def reference_to_json(group: TargetGroup) -> dict[str, str]:
    """Return the customer's reference number as a field; a group without one has no such field."""
    number = group.body.get("target_group_customer_reference_number")
    return {"target_group_customer_reference_number": number} if number else {}


def rates(group: TargetGroup) -> dict[str, float]:
    """Return conversion (completes of entrants), drop-off (of prescreens) and incidence (of those screened), 0 to 1.

    The API reference leaves their definitions blank; these are assumptions.
    """
    counts, completes = group.fieldwork.counts, group.fieldwork.completes
    screened = completes + counts["terminated"] + counts["screened_out"]
    return {
        "conversion_rate": _ratio(completes, counts["entrants"]),
        "drop_off_rate": _ratio(counts["dropped"], group.fieldwork.prescreens),
        "incidence_rate": _ratio(completes, screened),
    }


def median_length(group: TargetGroup) -> int | None:
    """Return the median interview length in seconds; None before the first complete."""
    return round(median(group.fieldwork.lengths)) if group.fieldwork.lengths else None


def average_cost(group: TargetGroup) -> Decimal:
    """Return the average cost of a complete; the current price before the first."""
    if not group.fieldwork.completes:
        return group.cpi
    return (group.fieldwork.cost / group.fieldwork.completes).quantize(Decimal("0.0001"))


def progress_to_json(group: TargetGroup) -> JsonObject:
    """Return the progress of a target group as JSON."""
    return {
        "current_completes": group.fieldwork.completes,
        "current_prescreens": group.fieldwork.prescreens,
        "filling_goal": group.goal,
        "filling_strategy": group.strategy,
    }


def performance_to_json(world: World, group: TargetGroup) -> JsonObject:
    """Return the funnel of a target group with its outcomes as JSON."""
    fieldwork = group.fieldwork
    counts = {name: fieldwork.counts[name] for name in OUTCOMES}
    # People still in the survey cannot be distinguished from those who left it open.
    counts[DROPPED] += len(fieldwork.active_visits)
    ends = [visit.ended for visit in fieldwork.visits if visit.outcome in COMPLETES]
    body: JsonObject = {
        "entrants": fieldwork.counts["entrants"],
        "prescreens": fieldwork.prescreens,
        "completes": fieldwork.completes,
        "completes_cost": money_to_json(fieldwork.cost, group.currency),
        **rates(group),
        "respondent_analysis": {
            "live": [
                {
                    "status": outcome.status,
                    "label": outcome.label,
                    "description": outcome.description,
                    "count": counts[name],
                }
                for name, outcome in OUTCOMES.items()
                if counts[name]
            ],
            "test": [],
        },
    }
    if ends:
        body["first_complete"] = world.format_time(min(ends))
        body["last_complete"] = world.format_time(max(ends))
    return body


def completes_by_interval(world: World, group: TargetGroup, step: timedelta, t: float) -> list[JsonObject]:
    """Return the cumulative completes by the end of each interval since the start of fielding."""
    if group.run is None:
        return []
    ends = sorted(visit.ended for visit in group.fieldwork.visits if visit.outcome in COMPLETES)
    stop = t if group.run.status in ("live", "paused") else max([group.run.changed_at, *ends[-1:]])
    at, seen, listed = group.run.start, 0, list[JsonObject]()
    while at < stop:
        at += step.total_seconds()
        while seen < len(ends) and ends[seen] <= at:
            seen += 1
        listed.append({"timestamp": world.format_time(at), "count": seen})
    return listed


def _ratio(some: int, whole: int) -> float:
    return round(min(1.0, some / whole), 4) if whole else 0.0
