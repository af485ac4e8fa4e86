"""Fieldwork: who comes and when, and how their visits end, event by event in virtual time."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import islice

from cint_nb.sandbox.simulation import lifecycle
from cint_nb.sandbox.simulation.entry import decide_entry, decide_survey, visit_draws
from cint_nb.sandbox.simulation.outcomes import (
    ADJUSTED_COMPLETE,
    COMPLETE,
    COMPLETES,
    OVER_QUOTA,
    RECONCILED,
    RECONCILED_WITH_REASON,
)
from cint_nb.sandbox.simulation.quotas import is_full, rules_of
from cint_nb.sandbox.world.entities import Fieldwork, TargetGroup, Visit
from cint_nb.sandbox.world.id_store import to_id_bytes
from cint_nb.sandbox.world.people import Draws, Person
from cint_nb.sandbox.world.population import MONTH, Place, Population, Wave
from cint_nb.sandbox.world.profiling import Cell
from cint_nb.sandbox.world.world import World

_DAY = 86_400.0
_FREE = Decimal(0)
_SCREENER_SECONDS = 45.0
_COMES_AGAIN_HOURS = (1.0, 48.0)
VISITS_MAX = 4
"""So often a person comes to one target group at most."""
_SURPLUS = 1.3  # people sent to a target group of new people, for each that is needed; assumption


def people_of(world: World, group: TargetGroup) -> tuple[Population, Wave]:
    """Return the population of a target group as it was when it went live, and its wave; of a draft as it is now."""
    population = group.fieldwork.population or world.population
    return population, group.fieldwork.wave or population.wave(group.seed, world.caught_up_to / MONTH)


def invite(world: World, group: TargetGroup, keys: Iterable[bytes]) -> None:
    """Schedule the arrivals of the saved people who will return, in seconds that the group is live."""
    if group.run is None:
        return
    fieldwork, now = group.fieldwork, world.caught_up_to
    population, wave = people_of(world, group)
    known = known_people(fieldwork)
    since = group.run.live_seconds(now)
    late = now > fieldwork.live_at
    for key in keys:
        if key in known:
            continue
        if late:
            fieldwork.invited_late[key] = now
        delay = population.return_delay(
            key, wave, months_since(world.last_seen.get(key), now), world.completed_waves.get(key, 0)
        )
        if delay is not None:
            delay = out_of_night(world, population, key, wave, delay, now)
            fieldwork.arrivals.append((since + delay, key, 0))
    heapq.heapify(fieldwork.arrivals)


def known_people(fieldwork: Fieldwork) -> set[bytes]:
    """Return who is to arrive, in the survey, or has left it."""
    return {
        *(arrival[1] for arrival in fieldwork.arrivals),
        *(active[1] for active in fieldwork.active_visits),
        *(visit.key for visit in fieldwork.visits),
    }


def months_since(last_seen: float | None, now: float) -> float | None:
    """Return the months since a person was last seen; None when they never were."""
    return None if last_seen is None else max(0.0, now - last_seen) / MONTH


def invite_new_people(world: World, group: TargetGroup) -> None:
    """Schedule arrivals of new respondents, fast at first, for a target group that is not a recontact."""
    population, _ = people_of(world, group)
    known, fieldwork = population.parameters, group.fieldwork
    rate = (
        float(group.body["expected_incidence_rate"])
        * (1 - known.terminated)
        * (1 - known.quality - known.speeders)
        * (1 - known.drop_rate)
    )
    offset = int(world.id_factory.draw(f"offset:{group.seed.decode()}") * known.population)
    # 7919 is prime and does not divide the population: everyone comes at most once.
    order = ((offset + number * 7919) % known.population for number in range(known.population))
    candidates = (to_id_bytes(population.rsid(number)) for number in order)
    wanted = min(known.population, _needed(group.goal, rate))
    invited = list(
        islice(candidates, wanted)
        if rules_of(group) is None
        else _choose_fitting(group, population, candidates, wanted, rate)
    )
    for number, key in enumerate(invited):
        part = (number + population.draw(key, b"arrival" + group.seed)) / len(invited)
        delay = -math.log(1 - 0.999 * part) / 2.2 * known.new_people_fill_days * _DAY
        heapq.heappush(fieldwork.arrivals, (delay, key, 0))


def _needed(completes: int, rate: float) -> int:
    return math.ceil(completes / max(rate, 0.02) * _SURPLUS) + 5


def _choose_fitting(
    group: TargetGroup, population: Population, candidates: Iterator[bytes], wanted: int, rate: float
) -> Iterator[bytes]:
    """Choose people whom suppliers believe to fit the profile: most of them do, and none is sent to a full quota."""
    rules = rules_of(group)
    if rules is None:
        return
    needed = {cell: _needed(limit, rate) for cell, limit in rules.limits.items()}
    off_target = population.parameters.off_target
    sent: Counter[Cell] = Counter()
    fitting = others = 0
    for key in islice(candidates, 50_000 + 100 * wanted):  # a profile that nobody fits is noticed in bounded time
        cells = rules.cells_of(key, population.draw)
        if cells is None:
            if others < off_target * (fitting + others):
                others += 1
                yield key
        elif not any(cell in needed and sent[cell] >= needed[cell] for cell in cells):
            fitting += 1
            sent.update(cells)
            yield key
        if fitting >= wanted or (needed and all(sent[cell] >= count for cell, count in needed.items())):
            return


def next_event(group: TargetGroup) -> float | None:
    """Return the time of the next event in a target group, in virtual seconds; None when there is none."""
    run = group.run
    if run is None:
        return None
    fieldwork = group.fieldwork
    times: list[float] = []
    if fieldwork.active_visits:
        times.append(fieldwork.active_visits[0][0])
    if fieldwork.reconciliations:
        times.append(fieldwork.reconciliations[0][0])
    if run.status == "scheduled":
        times.append(run.start)
    if run.status in ("live", "paused", "scheduled"):
        times.append(run.end)
    if run.status == "live" and run.live_since is not None:
        if fieldwork.arrivals:
            times.append(run.live_since + max(0.0, fieldwork.arrivals[0][0] - run.live_before))
        if group.pause_at is not None:
            times.append(run.live_since + max(0.0, group.pause_at - run.live_before))
    return min(times, default=None)


def process_event(world: World, group: TargetGroup, t: float) -> None:
    """Process the one event that is due at `t`."""
    run, fieldwork = group.run, group.fieldwork
    if run is None:
        return
    if run.status in ("live", "paused", "scheduled") and run.end <= t:
        lifecycle.transition(world, group, "completed", t, system="system_user", reason="past_scheduled_end_date")
    elif run.status == "scheduled" and run.start <= t:
        go_live(world, group, t)
    elif fieldwork.active_visits and fieldwork.active_visits[0][0] <= t:
        _leave(world, group)
    elif fieldwork.reconciliations and fieldwork.reconciliations[0][0] <= t:
        _, place, outcome = heapq.heappop(fieldwork.reconciliations)
        reconcile(world, group, place, outcome)
    elif run.status == "live" and group.pause_at is not None and run.live_seconds(t) >= group.pause_at - 1e-6:
        group.pause_at = None
        reason = "no_completes_in_several_days"
        lifecycle.transition(world, group, "paused", t, system="system_marketplace_user", reason=reason)
    elif run.status == "live" and fieldwork.arrivals:
        _, key, number = heapq.heappop(fieldwork.arrivals)
        _enter(world, group, key, number, t)


def go_live(world: World, group: TargetGroup, t: float) -> None:
    """Set a run live and invite its people, with the parameters of this moment."""
    lifecycle.transition(world, group, "live", t)
    if world.rules.prevent_overfill == "prescreens" and _prevents_overfill(group):
        world.log_change(group, t, ("filling_strategy", group.strategy, "prescreens"), system="system_user")
        group.strategy = "prescreens"
    group.fieldwork.population = world.population
    group.fieldwork.wave = world.population.wave(group.seed, t / MONTH)
    group.fieldwork.live_at = world.caught_up_to
    if group.is_recontact:
        invite(world, group, group.saved.keys())
    else:
        invite_new_people(world, group)


def _enter(world: World, group: TargetGroup, key: bytes, number: int, t: float) -> None:
    fieldwork = group.fieldwork
    population, wave = people_of(world, group)
    person = Person(key)
    down = world.population.missingness.suppliers_out
    if down and person.supplier(population.parameters.suppliers) in down:
        heapq.heappush(fieldwork.arrivals, (_live_seconds(group, t) + _DAY, key, number))
        return
    visit = visit_draws(key, wave, number)
    minutes = float(group.body["expected_length_of_interview_minutes"])
    length, too_fast = population.interview(person, visit, minutes * 60)
    outcome, cells = decide_entry(world, group, population, visit, number, t)
    if outcome is None:
        outcome = decide_survey(population, person, visit, too_fast=too_fast)
        fieldwork.prescreens += 1
        if cells:
            fieldwork.quota_prescreens.update(cells)
    else:
        length = min(length, _SCREENER_SECONDS)
    heapq.heappush(fieldwork.active_visits, (round(t + length, 3), key, t, outcome, number, visit))
    fieldwork.counts["entrants"] += 1
    if group.strategy == "prescreens":
        close_when_full(world, group, t)


def _leave(world: World, group: TargetGroup) -> None:
    ended, key, entered, outcome, number, draws = heapq.heappop(group.fieldwork.active_visits)
    fieldwork = group.fieldwork
    population, _ = people_of(world, group)
    cells = _quotas_of_person(group, population, key) if outcome == COMPLETE else []
    if outcome == COMPLETE and _prevents_overfill(group) and _is_filled(group, cells):
        outcome = OVER_QUOTA
    cost = group.cpi if outcome == COMPLETE else _FREE
    fieldwork.visits.append(Visit(key, entered, ended, outcome, cost, number))
    fieldwork.counts[outcome] += 1
    world.last_seen[key] = ended
    if outcome == COMPLETE:
        fieldwork.completes += 1
        if cells:
            fieldwork.quota_completes.update(cells)
        fieldwork.cost += cost
        fieldwork.lengths.append(round(ended - entered))
        if group.is_recontact:
            world.completed_waves[key] = world.completed_waves.get(key, 0) + 1
        _plan_reconciliation(fieldwork, population, draws, ended)
        close_when_full(world, group, ended)
    _plan_another_visit(group, population, draws)


def _is_filled(group: TargetGroup, cells: list[Cell]) -> bool:
    """Return whether a complete comes too late: for the goal, or for one of its quotas where completes count."""
    if group.fieldwork.completes >= group.goal:
        return True
    rules = rules_of(group)
    return rules is not None and group.strategy != "prescreens" and is_full(group, rules, cells)


def _quotas_of_person(group: TargetGroup, population: Population, key: bytes) -> list[Cell]:
    rules = rules_of(group)
    return [] if rules is None else rules.cells_of(key, population.draw) or []


def _plan_another_visit(group: TargetGroup, population: Population, draws: Draws) -> None:
    """Let some people come once more after the visit that ended last."""
    run, visit = group.run, group.fieldwork.visits[-1]
    if run is None or run.status == "completed" or visit.number + 1 >= VISITS_MAX:
        return
    if visit.entered <= group.fieldwork.removed_at:
        return
    if draws.unit(Place.AGAIN) < population.parameters.comes_again:
        low, high = _COMES_AGAIN_HOURS
        later = (low + (high - low) * draws.unit(Place.AGAIN_AT)) * 3600
        group.fieldwork.ended_visits[visit.key] = visit.outcome
        heapq.heappush(
            group.fieldwork.arrivals, (_live_seconds(group, visit.ended) + later, visit.key, visit.number + 1)
        )


def _plan_reconciliation(fieldwork: Fieldwork, population: Population, draws: Draws, ended: float) -> None:
    """Let some completes be rejected later, half of them for a reason."""
    known = population.parameters
    if draws.unit(Place.RECONCILED) < known.reconciled:
        later = known.reconciled_after_days * _DAY * (0.5 + draws.unit(Place.RECONCILED_AT))
        outcome = RECONCILED if draws.unit(Place.REASON) < 0.5 else RECONCILED_WITH_REASON
        heapq.heappush(fieldwork.reconciliations, (round(ended + later, 3), len(fieldwork.visits) - 1, outcome))


def reconcile(world: World, group: TargetGroup, place: int, outcome: str) -> None:
    """Turn a complete into a visit that was rejected: it costs nothing, and its place in the quotas is free again.

    Args:
        world: The world.
        group: The target group.
        place: Place of the complete in its visits; a visit that is no complete any more stays as it is.
        outcome: What it becomes.
    """
    fieldwork = group.fieldwork
    visit = fieldwork.visits[place]
    if visit.outcome not in COMPLETES:
        return
    population, _ = people_of(world, group)
    fieldwork.visits[place] = visit._replace(outcome=outcome, cost=_FREE)
    fieldwork.counts[visit.outcome] -= 1
    fieldwork.counts[outcome] += 1
    fieldwork.completes -= 1
    fieldwork.cost -= visit.cost
    fieldwork.quota_completes.subtract(_quotas_of_person(group, population, visit.key))


def make_complete(world: World, group: TargetGroup, place: int, t: float) -> None:
    """Turn a visit into a complete that was adjusted: it is paid for, and counts toward goal and quotas.

    Args:
        world: The world.
        group: The target group.
        place: Place of the visit in its visits; one that is a complete stays as it is.
        t: The time, for a run whose goal is reached by it.
    """
    fieldwork = group.fieldwork
    visit = fieldwork.visits[place]
    if visit.outcome in COMPLETES:
        return
    population, _ = people_of(world, group)
    fieldwork.visits[place] = visit._replace(outcome=ADJUSTED_COMPLETE, cost=group.cpi)
    fieldwork.counts[visit.outcome] -= 1
    fieldwork.counts[ADJUSTED_COMPLETE] += 1
    fieldwork.completes += 1
    fieldwork.cost += group.cpi
    fieldwork.quota_completes.update(_quotas_of_person(group, population, visit.key))
    close_when_full(world, group, t)


def close_when_full(world: World, group: TargetGroup, t: float) -> None:
    """Complete a run whose goal is reached."""
    if group.run is not None and group.run.status in ("live", "paused") and lifecycle.goal_count(group) >= group.goal:
        lifecycle.transition(world, group, "completed", t, system="system_user", reason="total_completes_reached")


def _live_seconds(group: TargetGroup, t: float) -> float:
    return 0.0 if group.run is None else group.run.live_seconds(t)


def _prevents_overfill(group: TargetGroup) -> bool:
    overlay = group.body["fielding_assistant_assignment"].get("quota_overlay")
    return overlay is None or overlay["prevent_overfill"]


def out_of_night(world: World, population: Population, key: bytes, wave: Wave, delay: float, now: float) -> float:
    """Return a delay from now that does not end in the night, when hardly anybody enters."""
    first, last = population.parameters.night_hours
    hour = (world.start.timestamp() + now + delay) % _DAY // 3600
    if first <= hour or hour < last:
        delay += ((24 - first + last) % 24 + 4 * Draws(key, wave.seed).unit(Place.MORNING)) * 3600
    return delay
