"""Profiling: whether a person fits a target group, and in which quotas they count.

A person answers the questions that the sandbox knows by what they are, and any other question with one of the options
that the target group asks for, since nothing else is known of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from cint_nb.sandbox.protocol.request_bodies import Condition, Profile, Profiling, Target
from cint_nb.sandbox.world.people import Person

Cell: TypeAlias = tuple[int, int]
"""A quota: the places of its profile and of its target."""


class _Target(NamedTuple):
    """A target: its conditions by question. Those of one question are alternatives, of several questions all count."""

    questions: list[tuple[int, list[Condition]]]


class _Profile(NamedTuple):
    """A profile; `unknown` are its questions that the sandbox does not know."""

    targets: list[_Target]
    unknown: frozenset[int]
    is_required: bool


class ProfilingRules(NamedTuple):
    """The profiling of a target group, ready to be applied.

    Args:
        profiling: As it was written.
        goal: The completes goal its percentages are of.
        limits: How many each quota wants.
        profiles: Its profiles.
    """

    profiling: Profiling
    goal: int
    limits: dict[Cell, int]
    profiles: list[_Profile]

    def cells_of(self, key: bytes, draw: Callable[[bytes, bytes], float]) -> list[Cell] | None:
        """Return in which targets a person falls, one for each profile; None when they do not fit.

        Args:
            key: The person.
            draw: Draws the answer to a question that the sandbox does not know.
        """
        person = Person(key)
        found: list[Cell] = []
        for number, profile in enumerate(self.profiles):
            place = _place_of(profile, person, draw)
            if place is not None:
                found.append((number, place))
            elif profile.is_required:
                return None
        return found


def make_rules(profiling: Profiling, goal: int) -> ProfilingRules:
    """Make the rules of a profiling that has profiles."""
    in_percent = profiling.get("profile_adjustment_type") != "nominal"
    limits = {
        (number, place): limit
        for number, profile in enumerate(profiling["profiles"])
        for place, limit in enumerate(_limits(profile, goal, in_percent=in_percent))
        if limit is not None
    }
    return ProfilingRules(profiling, goal, limits, [_read_profile(profile) for profile in profiling["profiles"]])


def _read_profile(profile: Profile) -> _Profile:
    targets = []
    for target in profile["targets"]:
        found: dict[int, list[Condition]] = {}
        for condition in target["conditions"]:
            found.setdefault(int(condition["question_id"]), []).append(condition)
        targets.append(_Target(list(found.items())))
    unknown = frozenset(question for target in targets for question, _ in target.questions) - QUESTIONS.keys()
    # A control blend limits how many there are of a kind, and keeps nobody out.
    return _Profile(targets, unknown, profile.get("blended_type") != "control")


def _limits(profile: Profile, goal: int, *, in_percent: bool) -> list[int | None]:
    """Return how many each target may have; percentages are rounded so that their sum is what they are of the goal."""
    exact = [_limit_of(target, goal, in_percent=in_percent) for target in profile["targets"]]
    if not profile["quotas_enabled"]:
        return [None] * len(exact)
    known = {place: number for place, number in enumerate(exact) if number is not None}
    left = round(sum(known.values())) - sum(map(math.floor, known.values()))
    rounded_up = sorted(known, key=lambda place: math.floor(known[place]) - known[place])[:left]
    return [
        None if number is None else math.floor(number) + (place in rounded_up) for place, number in enumerate(exact)
    ]


def _limit_of(target: Target, goal: int, *, in_percent: bool) -> float | None:
    quota = target.get("quota") or {}
    percentage, count = quota.get("completes_goal_percentage"), quota.get("completes_goal")
    if percentage is not None and (in_percent or count is None):
        return goal * percentage / 100
    return None if count is None else float(count)


def _place_of(profile: _Profile, person: Person, draw: Callable[[bytes, bytes], float]) -> int | None:
    """Return the place of the first target a person falls in; None for none."""
    drawn = -1
    if profile.unknown:
        drawn = int(draw(person.key, b"question %d" % min(profile.unknown)) * len(profile.targets))
    for place, target in enumerate(profile.targets):
        if all(
            drawn == place if question in profile.unknown else any(_meets(person, one) for one in conditions)
            for question, conditions in target.questions
        ):
            return place
    return None


def _meets(person: Person, condition: Condition) -> bool:
    answer = QUESTIONS[int(condition["question_id"])](person)
    if condition["object"] == "range":
        return answer.isdecimal() and condition["min"] <= int(answer) <= condition["max"]
    if condition["object"] == "selection":
        return answer == condition["option"]
    return condition["allow_all_values"] or answer in condition["open_ended_values"]


_GENDERS = {"male": "1", "female": "2", "other": "-3105"}
_REGIONS = {"north": "1", "east": "2", "south": "3", "west": "4"}
_LEVELS = {"low": "1", "middle": "2", "high": "3"}
QUESTIONS: dict[int, Callable[[Person], str]] = {
    42: lambda person: str(person.age),
    43: lambda person: _GENDERS[person.gender],
    96: lambda person: _REGIONS[person.region],
    633: lambda person: _LEVELS[person.education],
    8214: lambda person: "true" if person.device == "mobile" else "false",
}
"""What a person answers to a question of the exchange, by its id: the option, or a number.

42 age, 43 gender, 96 region and 8214 mobile device are known from public documents, with the options of gender; 633 for
education and the other options are the sandbox's own.
"""
