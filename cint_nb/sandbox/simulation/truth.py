"""The truth of a wave: who everybody in it is, and what they would have answered, also who never came.

No exchange can know it. With it the bias of an estimate is a number: what the people who completed say, weighted or
not, beside what all would have said.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypedDict, cast

from cint_nb.domain.ids import mask_id
from cint_nb.sandbox.simulation.entry import decide_survey, is_screened_out, visit_draws
from cint_nb.sandbox.simulation.fieldwork import (
    VISITS_MAX,
    known_people,
    months_since,
    out_of_night,
    people_of,
)
from cint_nb.sandbox.simulation.outcomes import COMPLETE, COMPLETES, DROPPED, OUTCOMES, REJECTED
from cint_nb.sandbox.simulation.quotas import rules_of
from cint_nb.sandbox.world.entities import TargetGroup, Visit
from cint_nb.sandbox.world.id_store import to_uuid_text
from cint_nb.sandbox.world.people import Device, Education, Gender, Person, Region
from cint_nb.sandbox.world.population import Place, Population, Wave
from cint_nb.sandbox.world.world import World

_HOUR = 3600.0
_COMPLETED_THEN = COMPLETES | REJECTED


class TruthRow(NamedTuple):
    """One person in one wave."""

    wave: int
    target_group_id: str
    person: int
    rsid: str
    age: int
    gender: Gender
    region: Region
    education: Education
    device: Device
    tenure_months: int
    supplier: int
    loyalty: float
    speed: float
    answer: int
    propensity: float
    would_enter: bool
    enters_after_hours: float | None
    would_complete: bool
    visits: int
    completed: bool
    reason: str | None


class Truth(TypedDict):
    """The truth as columns, which every library makes a frame of: `pandas.DataFrame(client.sandbox.truth())`."""

    wave: list[int]
    target_group_id: list[str]
    person: list[int]
    rsid: list[str]
    age: list[int]
    gender: list[Gender]
    region: list[Region]
    education: list[Education]
    device: list[Device]
    tenure_months: list[int]
    supplier: list[int]
    loyalty: list[float]
    speed: list[float]
    answer: list[int]
    propensity: list[float]
    would_enter: list[bool]
    enters_after_hours: list[float | None]
    would_complete: list[bool]
    visits: list[int]
    completed: list[bool]
    reason: list[str | None]


def truth_of(world: World, target_group_id: str | None = None, *, reveal: bool = False) -> Truth:
    """Return the truth of all launched target groups, or of one; `Sandbox.truth` describes the columns.

    Raises:
        ValueError: when there is no such target group, or it has not been live.
    """
    launched = sorted(
        (group for group in world.groups.values() if group.fieldwork.wave is not None),
        key=lambda group: (group.fieldwork.wave or Wave(b"")).months,
    )
    chosen = [group for group in launched if target_group_id in (None, group.id, group.human_readable_id)]
    if target_group_id is not None and not chosen:
        raise ValueError("there is no target group of this id that has been live")
    history = _History(launched)
    persons: dict[bytes, int] = {}
    rows = [
        row
        for number, group in enumerate(launched, start=1)
        for row in _rows(world, group, number, history, persons, reveal=reveal)
        if group in chosen
    ]
    return cast("Truth", {name: [row[place] for row in rows] for place, name in enumerate(TruthRow._fields)})


class _History:
    """When everybody was seen, and which recontact waves they completed."""

    def __init__(self, groups: Iterable[TargetGroup]) -> None:
        self._seen: dict[bytes, list[tuple[float, bool]]] = {}
        for group in groups:
            for visit in group.fieldwork.visits:
                done = group.is_recontact and visit.outcome in _COMPLETED_THEN
                self._seen.setdefault(visit.key, []).append((visit.ended, done))

    def until(self, key: bytes, t: float) -> tuple[float | None, int]:
        """Return when a person was last seen before a moment, None for never, and how many waves they had completed."""
        seen = [(ended, done) for ended, done in self._seen.get(key, ()) if ended < t]
        return max((ended for ended, _ in seen), default=None), sum(done for _, done in seen)


def _rows(
    world: World, group: TargetGroup, number: int, history: _History, persons: dict[bytes, int], *, reveal: bool
) -> Iterable[TruthRow]:
    fieldwork = group.fieldwork
    population, wave = people_of(world, group)
    visits: dict[bytes, list[Visit]] = {}
    for visit in fieldwork.visits:
        visits.setdefault(visit.key, []).append(visit)
    listed = dict.fromkeys(group.saved.keys()) if group.is_recontact else {}
    for key in [*listed, *sorted(known_people(fieldwork) - listed.keys())]:
        person, paid = Person(key), visits.get(key, [])
        propensity, delay = 1.0, None
        if group.is_recontact:
            invited = fieldwork.invited_late.get(key, fieldwork.live_at)
            last_seen, done = history.until(key, invited)
            months = months_since(last_seen, invited)
            propensity = population.propensity(person, wave, months, done) if population.is_shown(person) else 0.0
            delay = population.return_delay(key, wave, months, done)
            if delay is not None:
                delay = out_of_night(world, population, key, wave, delay, invited)
        enters = delay is not None or not group.is_recontact
        yield TruthRow(
            number,
            group.id,
            persons.setdefault(key, len(persons)),
            to_uuid_text(key) if reveal else mask_id(to_uuid_text(key)),
            person.age,
            person.gender,
            person.region,
            person.education,
            person.device,
            person.tenure_months,
            person.supplier(population.parameters.suppliers),
            person.loyalty,
            person.speed,
            population.answer(person, wave),
            propensity,
            enters,
            None if delay is None else delay / _HOUR,
            enters and _would_complete(group, population, wave, person),
            len(paid),
            any(visit.outcome in COMPLETES for visit in paid),
            _strongest(paid),
        )


_STRENGTH = ("completed", "reconciled", "quality", "screened", "over_quota", "dropped", "blocked", "duplicate")


def _strongest(visits: list[Visit]) -> str | None:
    """Return the word for how a person's visits ended: of several the one that says most; None without a visit."""
    reasons = {OUTCOMES[visit.outcome].reason for visit in visits}
    return next((word for word in _STRENGTH if word in reasons), None)


def _would_complete(group: TargetGroup, population: Population, wave: Wave, person: Person) -> bool:
    """Return whether a person who enters completes, as long as no quota, exclusion or end of fielding stops them."""
    rules = rules_of(group)
    if rules is not None and rules.cells_of(person.key, population.draw) is None:
        return False
    for number in range(VISITS_MAX):
        visit = visit_draws(person.key, wave, number)
        if number == 0 and is_screened_out(group, population, visit):
            return False
        too_fast = population.interview(person, visit, 1.0)[1]
        outcome = decide_survey(population, person, visit, too_fast=too_fast)
        if outcome == COMPLETE:
            return True
        if outcome != DROPPED or visit.unit(Place.AGAIN) >= population.parameters.comes_again:
            return False
    return False
