"""The numbers told of a target group: rates, cost, length, outcomes, completes over time."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from statistics import median

from cint_nb.sandbox.protocol.messages import JsonObject
from cint_nb.sandbox.simulation.fieldwork import COMPLETE, OUTCOMES
from cint_nb.sandbox.world.entities import Group
from cint_nb.sandbox.world.world import World


def money(value: Decimal, currency: str) -> JsonObject:
    """Write an amount as replies do: a decimal string, its currency and its scale."""
    return {"value": format(value, "f"), "currency_code": currency, "currency_scale": 2}


def reference(group: Group) -> dict[str, str]:
    """Write the customer's reference number; a group without one has no such field."""
    number = group.body.get("target_group_customer_reference_number")
    return {"target_group_customer_reference_number": number} if number else {}


def rates(group: Group) -> dict[str, float]:
    """Return conversion (completes of entrants), drop-off (of prescreens) and incidence (of those judged), 0 to 1.

    The API reference leaves their definitions blank; these are assumptions.
    """
    counts, completes = group.work.counts, group.work.completes
    judged = completes + counts["terminated"] + counts["screened_out"]
    return {
        "conversion_rate": _part(completes, counts["entrants"]),
        "drop_off_rate": _part(counts["dropped"], group.work.prescreens),
        "incidence_rate": _part(completes, judged),
    }


def median_length(group: Group) -> int | None:
    """Return the median interview length in seconds, None before the first complete."""
    return round(median(group.work.lengths)) if group.work.lengths else None


def average_cost(group: Group) -> Decimal:
    """Return what a complete has cost on average; the current price before the first."""
    if not group.work.completes:
        return group.cpi
    return (group.work.cost / group.work.completes).quantize(Decimal("0.0001"))


def progress(group: Group) -> JsonObject:
    """Write the progress of a target group."""
    return {
        "current_completes": group.work.completes,
        "current_prescreens": group.work.prescreens,
        "filling_goal": group.goal,
        "filling_strategy": group.strategy,
    }


def performance(world: World, group: Group) -> JsonObject:
    """Write the funnel of a target group with its outcomes."""
    work = group.work
    counts = {name: work.counts[name] for name in OUTCOMES}
    # People still inside look the same as those who left without an answer.
    counts["dropped"] += len(work.inside)
    ends = [session.ended for session in work.sessions if session.outcome == COMPLETE]
    body: JsonObject = {
        "entrants": work.counts["entrants"],
        "prescreens": work.prescreens,
        "completes": work.completes,
        "completes_cost": money(work.cost, group.currency),
        **rates(group),
        "respondent_analysis": {
            "live": [
                {"status": code, "label": label, "description": description, "count": counts[name]}
                for name, (code, label, description) in OUTCOMES.items()
                if counts[name]
            ],
            "test": [],
        },
    }
    if ends:
        body["first_complete"] = world.text(min(ends))
        body["last_complete"] = world.text(max(ends))
    return body


def intervals(world: World, group: Group, step: timedelta, t: float) -> list[JsonObject]:
    """List the completes collected by the end of each interval since the start of fielding, cumulative."""
    if group.run is None:
        return []
    ends = sorted(session.ended for session in group.work.sessions if session.outcome == COMPLETE)
    stop = t if group.run.status in ("live", "paused") else max([group.run.changed, *ends[-1:]])
    at, seen, listed = group.run.start, 0, list[JsonObject]()
    while at < stop:
        at += step.total_seconds()
        while seen < len(ends) and ends[seen] <= at:
            seen += 1
        listed.append({"timestamp": world.text(at), "count": seen})
    return listed


def _part(some: int, whole: int) -> float:
    return round(min(1.0, some / whole), 4) if whole else 0.0
