"""Handlers for the profiles of launched target groups: list them with their quotas, replace them, change goals."""

from __future__ import annotations

import copy
import hashlib
import json
from decimal import Decimal
from typing import Any

from cint_nb.sandbox.handlers.operation import TARGET_GROUP, Operation
from cint_nb.sandbox.handlers.profiling.validation import (
    ProfileProblem,
    find_profile_problems,
    question_name,
    refusal,
)
from cint_nb.sandbox.protocol.messages import JsonObject, Request, Response
from cint_nb.sandbox.protocol.request_bodies import ProfilesToReplace, Profiling
from cint_nb.sandbox.simulation import fieldwork
from cint_nb.sandbox.simulation.quotas import Quota, quotas_of
from cint_nb.sandbox.world.entities import TargetGroup
from cint_nb.sandbox.world.questions import BY_ID, LibraryQuestion, text_in
from cint_nb.sandbox.world.world import World


def profiles_to_json(world: World, group: TargetGroup) -> JsonObject:
    """Return the profiles of a group as its list shows them: with quotas, and without control blends."""
    profiling: Any = group.body.get("profiling") or {}
    quotas = iter(quotas_of(group))
    shown: list[JsonObject] = []
    for profile in profiling.get("profiles") or ():
        body = _profile_to_json(world, group, profile, quotas)
        if profile.get("blended_type") != "control":
            shown.append(body)
    return {"locale": group.body["locale"], "completes_goal": group.goal, "profiles": shown}


def _profile_to_json(world: World, group: TargetGroup, profile: Any, quotas: Any) -> JsonObject:
    ids = dict.fromkeys(int(each["question_id"]) for target in profile["targets"] for each in target["conditions"])
    locale = group.body["locale"]
    known = [BY_ID[each] for each in ids if each in BY_ID]
    described = ", ".join(text_in(question.text, locale) for question in known)
    body: JsonObject = {"object": profile["object"]}
    if profile["object"] == "blended":
        body["blended_type"] = profile.get("blended_type") or "interlock"
    return {
        **body,
        "id": _profile_id(world, group, profile),
        "quotas_enabled": profile["quotas_enabled"],
        "name": profile.get("name") or ", ".join(map(question_name, ids)),
        "description": described,
        "description_translated": ", ".join(question.text["eng"] for question in known),
        "targets": [_target_to_json(world, group, profile, target, quotas) for target in profile["targets"]],
    }


def _target_to_json(world: World, group: TargetGroup, profile: Any, target: Any, quotas: Any) -> JsonObject:
    locale, several = group.body["locale"], len(target["conditions"]) > 1
    conditions: list[JsonObject] = []
    texts, translated = [], []
    for condition in target["conditions"]:
        question = BY_ID.get(int(condition["question_id"]))
        text, english = _condition_text(condition, question, locale), _condition_text(condition, question, "eng_us")
        texts.append(text)
        translated.append(english)
        names: JsonObject = {"condition_name": text, "condition_name_translated": english} if several else {}
        conditions.append({**condition, **names})
    body: JsonObject = {
        "id": _target_id(world, group, profile, target),
        "text": ", ".join(texts),
        "text_translated": ", ".join(translated),
        "conditions": conditions,
    }
    quota = target.get("quota") or {}
    if profile["quotas_enabled"] and ("completes_goal_percentage" in quota or "completes_goal" in quota):
        body["quota"] = _quota_to_json(quota, next(quotas), group.goal)
    return body


def _quota_to_json(written: Any, quota: Quota, goal: int) -> JsonObject:
    share = written.get("completes_goal_percentage")
    percent = round(Decimal(quota.limit) * 100 / goal, 2) if share is None else Decimal(str(share))
    name: JsonObject = {"name": written["name"]} if written.get("name") else {}
    return {
        **name,
        "completes_goal_percentage": float(percent),
        "completes_goal": quota.limit,
        "quota_nominal": quota.limit,
        "completes": quota.completes,
        "prescreens": quota.prescreens,
    }


def _condition_text(condition: Any, question: LibraryQuestion | None, locale: str) -> str:
    if condition["object"] == "range":
        return f"{condition['min']} to {condition['max']}"
    if condition["object"] == "open_ended":
        return ", ".join(condition.get("open_ended_values") or ()) or "any"
    options = question.options if question else ()
    return next(
        (text_in(option.text, locale) for option in options if option.id == str(condition["option"])),
        str(condition["option"]),
    )


def _profile_id(world: World, group: TargetGroup, profile: Any) -> str:
    return _id_of(world, group, "profile", [target["conditions"] for target in profile["targets"]])


def _target_id(world: World, group: TargetGroup, profile: Any, target: Any) -> str:
    return _id_of(world, group, f"target {_profile_id(world, group, profile)}", target["conditions"])


def _id_of(world: World, group: TargetGroup, kind: str, conditions: Any) -> str:
    """Return the id of a profile or target: the same as long as it asks for the same."""
    digest = hashlib.sha256(json.dumps(conditions, sort_keys=True).encode()).hexdigest()
    return world.id_factory.ulid_for(f"{kind}:{group.id}:{digest}", group.created)


def _list(world: World, request: Request) -> Response:
    return Response(body=profiles_to_json(world, world.launched(request)))


def _replace(world: World, request: Request) -> Response:
    group = world.launched(request)
    body = request.body_as(ProfilesToReplace)
    goal, profiling = int(body["completes_goal"]), body["profiling"]
    problems = find_profile_problems(profiling, group.body["locale"], goal)
    if goal < group.fieldwork.completes:
        problems.append(ProfileProblem(76, f"{group.fieldwork.completes} completes were collected already"))
    if any(problem.is_error for problem in problems):
        return refusal(problems)
    old = len((group.body.get("profiling") or {}).get("profiles") or ())
    changed: Profiling = {
        "profile_adjustment_type": profiling["profile_adjustment_type"],
        "profiles": profiling["profiles"],
    }
    new, before = len(changed["profiles"]), group.goal
    group.body = {**group.body, "profiling": changed, "completes_goal": goal}
    world.log_change(group, request.received_at, ("profiles", old, new), ("filling_goal", before, goal))
    fieldwork.close_when_full(world, group, request.received_at)
    return Response(201, profiles_to_json(world, group))


def change_goals(world: World, group: TargetGroup, goal: int, changes: Any) -> list[ProfileProblem]:
    """Set the goal of a group and, as far as they are given, those of its quotas; return why that is not possible.

    Without changes of its own the quotas of a profile are computed anew from what suppliers can deliver, so that their
    percentages move a little. How much they do is an assumption.
    """
    profiling: Any = copy.deepcopy(group.body.get("profiling"))
    if not profiling or not profiling.get("profiles"):
        group.body = {**group.body, "completes_goal": goal}
        return [ProfileProblem(44, "the group has no such profile")] if changes else []
    profiles = {_profile_id(world, group, profile): profile for profile in profiling["profiles"]}
    completes = _completes_by_target(world, group, profiling)
    problems: list[ProfileProblem] = []
    for change in changes or ():
        profile = profiles.get(change["profile_id"])
        if profile is None:
            problems.append(ProfileProblem(44, "the group has no such profile"))
            continue
        problems += _set_quotas(world, group, profile, change["targets"], goal, completes)
    if problems:
        return problems
    if not changes:
        for number, profile in enumerate(profiling["profiles"]):
            _drift(world, group, profile, number, goal, in_percent=profiling["profile_adjustment_type"] == "percentage")
    group.body = {**group.body, "completes_goal": goal, "profiling": profiling}
    return []


def _completes_by_target(world: World, group: TargetGroup, profiling: Any) -> dict[str, int]:
    quotas, found = iter(quotas_of(group)), {}
    for profile in profiling["profiles"]:
        for target in profile["targets"]:
            quota = target.get("quota") or {}
            if profile["quotas_enabled"] and ("completes_goal_percentage" in quota or "completes_goal" in quota):
                found[_target_id(world, group, profile, target)] = next(quotas).completes
    return found


def _set_quotas(
    world: World, group: TargetGroup, profile: Any, changes: Any, goal: int, completes: dict[str, int]
) -> list[ProfileProblem]:
    targets = {_target_id(world, group, profile, target): target for target in profile["targets"]}
    for change in changes:
        target, wanted = targets.get(change["id"]), int(change["quota"]["completes_goal"])
        if target is None:
            return [ProfileProblem(45, "the profile has no such target")]
        if wanted < completes.get(change["id"], 0):
            return [ProfileProblem(46, f"the quota has {completes[change['id']]} completes already")]
        if wanted > goal:
            return [ProfileProblem(47, f"the quota is above the completes goal of {goal}")]
        name = (target.get("quota") or {}).get("name")
        target["quota"] = {**({"name": name} if name else {}), "completes_goal": wanted}
    totals: list[Any] = [(target.get("quota") or {}).get("completes_goal") for target in profile["targets"]]
    if None not in totals and sum(totals) != goal:
        return [ProfileProblem(10, f"the goals sum to {sum(totals)}, the completes goal is {goal}")]
    return []


def _drift(world: World, group: TargetGroup, profile: Any, number: int, goal: int, *, in_percent: bool) -> None:
    quotas = [target.get("quota") for target in profile["targets"]]
    if not profile["quotas_enabled"] or not all(quotas):
        return
    weights = [
        (quota.get("completes_goal_percentage") or quota.get("completes_goal") or 0)
        * (0.9 + 0.2 * world.id_factory.draw(f"drift:{group.id}:{number}:{place}"))
        for place, quota in enumerate(quotas)
    ]
    whole = 100.0 if in_percent else float(goal)
    shares = [round(whole * weight / sum(weights), 2 if in_percent else 0) for weight in weights]
    shares[-1] = round(whole - sum(shares[:-1]), 2)
    for quota, share in zip(quotas, shares, strict=True):
        quota.pop("completes_goal_percentage", None)
        quota.pop("completes_goal", None)
        quota["completes_goal_percentage" if in_percent else "completes_goal"] = share if in_percent else int(share)


_TAG = "Profiling"
OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="list_profiles",
        method="GET",
        path=f"{TARGET_GROUP}/profiles",
        handler=_list,
        summary="List the profiles of a launched target group, and how full their quotas are.",
        tag=_TAG,
        response_schema="LaunchedProfiles",
        aliases=("profiles",),
    ),
    Operation(
        name="manage_target_group_profiles",
        method="POST",
        path=f"{TARGET_GROUP}/profiles/manage-profiles",
        handler=_replace,
        summary="Replace all profiles of a launched target group.",
        tag=_TAG,
        status=201,
        request_schema="ProfilesToReplace",
        response_schema="LaunchedProfiles",
        errors=(422,),
        changes_state=True,
        aliases=("replace-profiles",),
    ),
)
