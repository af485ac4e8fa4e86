"""Quotas: how many people of each kind a target group has, and wants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cint_nb.domain.ids import printable
from cint_nb.sandbox.world.entities import TargetGroup
from cint_nb.sandbox.world.profiling import Cell, ProfilingRules, make_rules


@printable
class Quota(NamedTuple):
    """A quota and how full it is.

    Args:
        profile: Name of its profile; None without one.
        target: Place of its target in the profile, from 0.
        limit: How many are wanted.
        prescreens: How many have passed the screening.
        completes: How many have completed.
    """

    profile: str | None
    target: int
    limit: int
    prescreens: int
    completes: int


def rules_of(group: TargetGroup) -> ProfilingRules | None:
    """Return the profiling rules of a target group; None where everybody fits."""
    profiling = group.body.get("profiling") or {}
    if not profiling.get("profiles"):
        return None
    rules = group.fieldwork.rules
    if rules is None or rules.profiling is not profiling or rules.goal != group.goal:
        rules = group.fieldwork.rules = make_rules(profiling, group.goal)
    return rules


def is_full(group: TargetGroup, rules: ProfilingRules, cells: Sequence[Cell]) -> bool:
    """Return whether one of these quotas has what it wants."""
    fieldwork = group.fieldwork
    counts = fieldwork.quota_prescreens if group.strategy == "prescreens" else fieldwork.quota_completes
    return any(cell in rules.limits and counts[cell] >= rules.limits[cell] for cell in cells)


def quotas_of(group: TargetGroup) -> list[Quota]:
    """Return the quotas of a target group and how far each is filled."""
    rules = rules_of(group)
    if rules is None:
        return []
    fieldwork = group.fieldwork
    return [
        Quota(
            rules.profiling["profiles"][number].get("name"),
            place,
            limit,
            fieldwork.quota_prescreens[number, place],
            fieldwork.quota_completes[number, place],
        )
        for (number, place), limit in rules.limits.items()
    ]
