"""Entering a survey: who is turned away before it, and how the visit of everybody else ends.

Exclusions come first, in the exchange's order: the uploaded list, the project, activity elsewhere. The place of the
industry lockout in that order is not published. Assumption: after them, and before the screening.
"""

from __future__ import annotations

from collections.abc import Iterable

from cint_nb.sandbox.simulation.outcomes import (
    COMPLETE,
    COMPLETES,
    DROPPED,
    DUPLICATE,
    EXCLUDED,
    EXCLUDED_BY_ACTIVITY,
    EXCLUDED_BY_PROJECT,
    LOCKED_OUT,
    QUALITY,
    QUOTA_FULL,
    SCREENED_OUT,
    SPEEDER,
    TERMINATED,
)
from cint_nb.sandbox.simulation.quotas import is_full, rules_of
from cint_nb.sandbox.world.entities import TargetGroup
from cint_nb.sandbox.world.people import Draws, Person
from cint_nb.sandbox.world.population import Place, Population, Wave
from cint_nb.sandbox.world.profiling import Cell
from cint_nb.sandbox.world.world import World

LOCKOUT_DAYS = 30
"""How long a complete keeps a person out of other surveys of its industry. Assumption."""
_NO_LOCKOUT = frozenset({"", "none", "no_lockout", "not_applicable"})
_DAY = 86_400


def visit_draws(key: bytes, wave: Wave, number: int) -> Draws:
    """Return the draws of a person's `number`-th visit to a wave, from 0."""
    return Draws(key, wave.seed if number == 0 else b"%b again %d" % (wave.seed, number))


def excluded_people(world: World, group: TargetGroup, t: float) -> dict[bytes, str]:
    """Return who may not enter, each with the first rule that keeps them out, as the outcome of a visit."""
    found = dict.fromkeys(group.excluded.keys(), EXCLUDED)
    others = [other for other in world.groups.values() if other.id != group.id]
    if group.project_exclusion:
        same = [other for other in others if other.project_id == group.project_id]
        found = dict.fromkeys(_completes_of(same), EXCLUDED_BY_PROJECT) | found
    for rule in group.activity:
        named = [other for other in others if rule["id"] in (other.id, other.project_id)]
        since = t - duration_days(rule["duration"]) * _DAY
        found = dict.fromkeys(_completes_of(named, since), EXCLUDED_BY_ACTIVITY) | found
    return found


def _people_of_exclusion_groups(world: World, group: TargetGroup) -> dict[bytes, str]:
    """Return who completed another target group of an exclusion group; the list of excluded respondents lacks them.

    Assumption: such a visit ends as one that activity elsewhere excludes.
    """
    members = {member for each in world.exclusion_groups_of(group.id) for member in each.members} - {group.id}
    others = [world.groups[member] for member in sorted(members) if member in world.groups]
    return dict.fromkeys(_completes_of(others), EXCLUDED_BY_ACTIVITY)


def _completes_of(groups: Iterable[TargetGroup], since: float = 0.0) -> Iterable[bytes]:
    return (
        visit.key
        for group in groups
        for visit in group.fieldwork.visits
        if visit.outcome in COMPLETES and visit.ended >= since
    )


def has_lockout(group: TargetGroup) -> bool:
    """Return whether people who took part in a survey of the same industry are turned away."""
    return group.body.get("industry_lockout_code", "").lower() not in _NO_LOCKOUT


def _locked_out_people(world: World, group: TargetGroup, t: float) -> dict[bytes, str]:
    industry = group.body.get("industry_code", "other")
    same = [
        other
        for other in world.groups.values()
        if other.id != group.id and other.body.get("industry_code", "other") == industry
    ]
    return dict.fromkeys(_completes_of(same, t - LOCKOUT_DAYS * _DAY), LOCKED_OUT)


def decide_entry(
    world: World, group: TargetGroup, population: Population, visit: Draws, number: int, t: float
) -> tuple[str | None, list[Cell]]:
    """Return how a visit ends before the survey, None when it does not, and in which quotas the person counts.

    Args:
        world: The world.
        group: The target group.
        population: Its population.
        visit: The draws of the visit.
        number: How many visits of the person came before.
        t: When they enter, virtual seconds.
    """
    key = visit.key
    kept_out = _rule_against(world, group, key, t)
    if kept_out is not None:
        return kept_out, []
    if has_lockout(group) and population.draw(key, b"lockout") < population.parameters.locked_out:
        return LOCKED_OUT, []
    if number and group.fieldwork.ended_visits.get(key) != DROPPED:
        return DUPLICATE, []
    rules = rules_of(group)
    cells = [] if rules is None else rules.cells_of(key, population.draw)
    if cells is None or (not number and is_screened_out(group, population, visit)):
        return SCREENED_OUT, []
    if rules is not None and is_full(group, rules, cells):
        return QUOTA_FULL, []
    return None, cells


def is_screened_out(group: TargetGroup, population: Population, visit: Draws) -> bool:
    """Return whether the screener rejects a person who fits the profile."""
    known = population.parameters
    share = known.screened_out if group.is_recontact else 1 - float(group.body["expected_incidence_rate"])
    return visit.unit(Place.SCREENER) < share


def decide_survey(population: Population, person: Person, visit: Draws, *, too_fast: bool) -> str:
    """Return how a visit ends in the survey, as long as the goal is open."""
    if too_fast:
        return SPEEDER
    known = population.parameters
    draw = visit.unit(Place.SURVEY)
    if draw < known.terminated:
        return TERMINATED
    draw -= known.terminated
    if draw < known.drop_rate:
        return DROPPED
    draw -= known.drop_rate
    if draw < population.worst_quality and draw < population.quality_share(person.supplier(known.suppliers)):
        return QUALITY
    return COMPLETE


def _rule_against(world: World, group: TargetGroup, key: bytes, t: float) -> str | None:
    locked, grouped = has_lockout(group), bool(world.exclusion_groups_of(group.id))
    if not (group.project_exclusion or group.activity or len(group.excluded) or locked or grouped):
        return None
    cache = world.excluded_now.get(group.id)
    # Refreshed every virtual hour: the list grows only while other groups are in the field.
    if cache is None or t - cache[0] > 3600:
        people = excluded_people(world, group, t)
        if grouped:
            people = _people_of_exclusion_groups(world, group) | people
        cache = (t, (_locked_out_people(world, group, t) | people) if locked else people)
        world.excluded_now[group.id] = cache
    return cache[1].get(key)


def duration_days(duration: str) -> float:
    """Return the days of an ISO 8601 duration in date units."""
    total, number = 0.0, ""
    for letter in duration.split("T")[0].removeprefix("P"):
        if letter.isdigit():
            number += letter
        else:
            total += int(number or 0) * {"Y": 365, "M": 30, "W": 7, "D": 1}[letter]
            number = ""
    return total
