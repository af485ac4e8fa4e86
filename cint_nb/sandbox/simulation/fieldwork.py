"""Fieldwork: who may enter, when they do, and how their visits end, event by event in virtual time."""

from __future__ import annotations

import heapq
import math
from decimal import Decimal

from cint_nb.sandbox.simulation import lifecycle
from cint_nb.sandbox.world.entities import TargetGroup, Visit
from cint_nb.sandbox.world.id_store import to_id_bytes
from cint_nb.sandbox.world.world import World

COMPLETE = "complete"
OUTCOMES: dict[str, tuple[str, str, str]] = {
    # name: code, label, description
    COMPLETE: ("10", "Complete", "finished the survey"),
    "terminated": ("20", "Client terminate", "the survey ended the interview"),
    "quality": ("30", "Quality terminate", "ended for the quality of the answers"),
    "over_quota": ("40", "Over quota", "arrived after the goal was reached"),
    "screened_out": ("23", "Screened out", "did not pass the screener"),
    "excluded": ("138", "Excluded", "kept out by an exclusion"),
    "dropped": ("3", "In client survey or drop", "entered the survey and has not come back"),
}
_SCREENER_OUTCOMES = ("screened_out", "excluded")


def invite(world: World, group: TargetGroup, keys: list[bytes]) -> None:
    """Schedule the arrivals of the saved people who will return, in seconds that the group is live."""
    if group.run is None:
        return
    fieldwork = group.fieldwork
    known = (
        {key for _, key in fieldwork.arrivals}
        | {entry[1] for entry in fieldwork.active_visits}
        | {one.key for one in fieldwork.visits}
    )
    since = group.run.live_seconds(world.caught_up_to)
    for key in keys:
        if key in known:
            continue
        delay = world.population.return_delay(key, group.seed, _months_since(world, key))
        if delay is not None:
            heapq.heappush(fieldwork.arrivals, (since + _shift_out_of_night(world, key, delay), key))


def invite_new_people(world: World, group: TargetGroup) -> None:
    """Schedule arrivals of new respondents, fast at first, for a target group that is not a recontact."""
    known = world.population.parameters
    rate = (
        float(group.body["expected_incidence_rate"])
        * (1 - known.terminated)
        * (1 - known.quality)
        * (1 - known.drop_rate)
    )
    wanted = min(known.population, math.ceil(group.goal / max(rate, 0.02) * 1.3) + 5)
    offset = int(world.id_factory.draw(f"offset:{group.seed.decode()}") * known.population)
    for number in range(group.fieldwork.new_people_invited, wanted):
        # 7919 is prime and does not divide the population: everyone comes at most once.
        key = to_id_bytes(world.population.rsid((offset + number * 7919) % known.population))
        part = (number + world.population.draw(key, b"arrival" + group.seed)) / wanted
        heapq.heappush(
            group.fieldwork.arrivals, (-math.log(1 - 0.999 * part) / 2.2 * known.new_people_fill_days * 86_400, key)
        )
    group.fieldwork.new_people_invited = max(group.fieldwork.new_people_invited, wanted)


def next_event(group: TargetGroup) -> float | None:
    """Return the time of the next event in a target group, in virtual seconds; None when there is none."""
    run = group.run
    if run is None:
        return None
    times: list[float] = []
    if group.fieldwork.active_visits:
        times.append(group.fieldwork.active_visits[0][0])
    if run.status == "scheduled":
        times.append(run.start)
    if run.status in ("live", "paused", "scheduled"):
        times.append(run.end)
    if run.status == "live" and run.live_since is not None:
        if group.fieldwork.arrivals:
            times.append(run.live_since + max(0.0, group.fieldwork.arrivals[0][0] - run.live_before))
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
    elif run.status == "live" and group.pause_at is not None and run.live_seconds(t) >= group.pause_at - 1e-6:
        group.pause_at = None
        reason = "no_completes_in_several_days"
        lifecycle.transition(world, group, "paused", t, system="system_marketplace_user", reason=reason)
    elif run.status == "live" and fieldwork.arrivals:
        _enter(world, group, heapq.heappop(fieldwork.arrivals)[1], t)


def go_live(world: World, group: TargetGroup, t: float) -> None:
    """Set a run live and invite its people."""
    lifecycle.transition(world, group, "live", t)
    if group.is_recontact:
        invite(world, group, group.saved.keys())
    else:
        invite_new_people(world, group)


def excluded_keys(world: World, group: TargetGroup, t: float) -> set[bytes]:
    """Return who may not enter: the uploaded list, completes of the project, people active elsewhere."""
    keys = set(group.excluded.keys())
    others = [other for other in world.groups.values() if other.id != group.id]
    if group.project_exclusion:
        for other in others:
            if other.project_id == group.project_id:
                keys.update(visit.key for visit in other.fieldwork.visits if visit.outcome == COMPLETE)
    for rule in group.activity:
        since = t - duration_days(rule["duration"]) * 86_400
        for other in others:
            if rule["id"] in (other.id, other.project_id):
                keys.update(s.key for s in other.fieldwork.visits if s.outcome == COMPLETE and s.ended >= since)
    return keys


def _enter(world: World, group: TargetGroup, key: bytes, t: float) -> None:
    outcome = "excluded" if _is_excluded(world, group, key, t) else _draw_outcome(world, group, key)
    if outcome not in _SCREENER_OUTCOMES:
        group.fieldwork.prescreens += 1
    minutes = float(group.body["expected_length_of_interview_minutes"])
    spread = world.population.parameters.interview_spread
    length = world.population.log_normal(key, b"length" + group.seed, minutes * 60, spread)
    if outcome in _SCREENER_OUTCOMES:
        length = min(length, 45.0)
    heapq.heappush(group.fieldwork.active_visits, (round(t + length, 3), key, t, outcome))
    group.fieldwork.counts["entrants"] += 1
    if group.strategy == "prescreens":
        close_when_full(world, group, t)


def _leave(world: World, group: TargetGroup) -> None:
    ended, key, entered, outcome = heapq.heappop(group.fieldwork.active_visits)
    fieldwork = group.fieldwork
    if outcome == COMPLETE and fieldwork.completes >= group.goal and _prevents_overfill(group):
        outcome = "over_quota"
    cost = group.cpi if outcome == COMPLETE else Decimal(0)
    fieldwork.visits.append(Visit(key, entered, ended, outcome, cost))
    fieldwork.counts[outcome] += 1
    world.last_seen[key] = ended
    if outcome == COMPLETE:
        fieldwork.completes += 1
        fieldwork.cost += cost
        fieldwork.lengths.append(round(ended - entered))
        close_when_full(world, group, ended)


def close_when_full(world: World, group: TargetGroup, t: float) -> None:
    """Complete a run whose goal is reached."""
    if group.run is not None and group.run.status in ("live", "paused") and lifecycle.goal_count(group) >= group.goal:
        lifecycle.transition(world, group, "completed", t, system="system_user", reason="total_completes_reached")


def _draw_outcome(world: World, group: TargetGroup, key: bytes) -> str:
    known = world.population.parameters
    turned_away = known.screened_out if group.is_recontact else 1 - float(group.body["expected_incidence_rate"])
    if group.is_recontact and (group.body.get("profiling") or {}).get("profiles"):
        turned_away += 0.10  # assumption: profiling left on a recontact screens out people who have changed
    if world.population.draw(key, b"screener" + group.seed) < turned_away:
        return "screened_out"
    draw = world.population.draw(key, b"survey" + group.seed)
    for outcome, part in (("terminated", known.terminated), ("quality", known.quality), ("dropped", known.drop_rate)):
        if draw < part:
            return outcome
        draw -= part
    return COMPLETE


def _is_excluded(world: World, group: TargetGroup, key: bytes, t: float) -> bool:
    if not (group.project_exclusion or group.activity or len(group.excluded)):
        return False
    cache = world.excluded_now.get(group.id)
    # Refreshed every virtual hour: the list grows only while other groups are in the field.
    if cache is None or t - cache[0] > 3600:
        cache = (t, excluded_keys(world, group, t))
        world.excluded_now[group.id] = cache
    return key in cache[1]


def _prevents_overfill(group: TargetGroup) -> bool:
    overlay = group.body["fielding_assistant_assignment"].get("quota_overlay")
    return overlay is None or overlay["prevent_overfill"]


def _months_since(world: World, key: bytes) -> float | None:
    seen = world.last_seen.get(key)
    return None if seen is None else max(0.0, world.caught_up_to - seen) / (30.4 * 86_400)


def _shift_out_of_night(world: World, key: bytes, delay: float) -> float:
    first, last = world.population.parameters.night_hours
    hour = world.time_at(world.caught_up_to + delay).hour
    if first <= hour or hour < last:
        delay += ((24 - first + last) % 24 + 4 * world.population.draw(key, b"morning")) * 3600
    return delay


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
