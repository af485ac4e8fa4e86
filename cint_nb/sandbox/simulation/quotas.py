"""Quotas: how many people of each kind a target group has, and wants."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from typing import Any, NamedTuple

from cint_nb.sandbox.simulation import fieldwork
from cint_nb.sandbox.world.entities import TargetGroup


class Quota(NamedTuple):
    """A quota and how far it is filled.

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


def quotas_of(group: TargetGroup) -> list[Quota]:
    """Return the quotas of a target group and how far each is filled, in the order of its profiles and targets.

    Who falls into which target is drawn for each person and profile, in proportion to the quotas. Assumption.
    """
    profiling: Any = group.body.get("profiling") or {}
    found: list[Quota] = []
    for number, profile in enumerate(profiling.get("profiles") or ()):
        limits = quota_limits(profile, group.goal, in_percent=profiling.get("profile_adjustment_type") != "nominal")
        if not limits:
            continue
        prescreens, completes = _counts(group, number, list(limits.values()))
        found += [
            Quota(profile.get("name"), place, limit, prescreens[position], completes[position])
            for position, (place, limit) in enumerate(limits.items())
        ]
    return found


def quota_limits(profile: Any, goal: int, *, in_percent: bool) -> dict[int, int]:
    """Return how many each target with a quota may have, by its place; percentages are rounded to their sum."""
    if not profile["quotas_enabled"]:
        return {}
    exact = {
        place: _limit(target.get("quota") or {}, goal, in_percent) for place, target in enumerate(profile["targets"])
    }
    known = {place: number for place, number in exact.items() if number is not None}
    left = round(sum(known.values())) - sum(map(math.floor, known.values()))
    up = sorted(known, key=lambda place: math.floor(known[place]) - known[place])[:left]
    return {place: math.floor(number) + (place in up) for place, number in known.items()}


def _limit(quota: Any, goal: int, in_percent: bool) -> float | None:
    percentage, count = quota.get("completes_goal_percentage"), quota.get("completes_goal")
    if percentage is not None and (in_percent or count is None):
        return float(goal * percentage / 100)
    return None if count is None else float(count)


def _counts(group: TargetGroup, number: int, limits: list[int]) -> tuple[Counter[int], Counter[int]]:
    prescreens, completes = Counter[int](), Counter[int]()
    for visit in group.fieldwork.visits:
        if visit.outcome in ("screened_out", "excluded"):
            continue
        place = _place(group.seed + visit.key + bytes([number % 256]), limits)
        prescreens[place] += 1
        completes[place] += visit.outcome == fieldwork.COMPLETE
    return prescreens, completes


def _place(name: bytes, limits: list[int]) -> int:
    drawn = int.from_bytes(hashlib.blake2b(name, digest_size=4).digest()) / 2**32 * (sum(limits) or 1)
    for place, limit in enumerate(limits):
        if drawn < limit:
            return place
        drawn -= limit
    return len(limits) - 1
