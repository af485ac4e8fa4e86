"""Handlers for exclusions by project and by activity elsewhere."""

from __future__ import annotations

import re

from cint_nb.sandbox.handlers.drafts import parse_activity_exclusions
from cint_nb.sandbox.handlers.operation import PROJECT, TARGET_GROUP, Operation
from cint_nb.sandbox.protocol.messages import JsonObject, Request, Response, bad_request, to_json
from cint_nb.sandbox.protocol.request_bodies import ActivityExclusions, Exclusion, PolicyChange
from cint_nb.sandbox.simulation import entry
from cint_nb.sandbox.world.world import World

_DAY_LIMITS = (1, 396)  # the reference's limits of a respondent-activity exclusion
_DAYS_ONLY = re.compile(r"P(\d{1,3}Y)?(\d{1,4}M)?(\d{1,4}W)?(\d{1,4}D)?", re.ASCII)


def _policy(world: World, request: Request) -> Response:
    group = world.group(request)
    return Response(
        body={
            "project_exclusion_enabled": group.project_exclusion,
            "create_date": world.format_time(group.created),
            "updated_by": world.actor,
            "update_date": world.format_time(group.policy_updated),
        }
    )


def _policies(world: World, request: Request) -> Response:
    groups = world.groups_of(world.project(request).id)
    policies: list[JsonObject] = [
        {"target_group_id": group.id, "project_exclusion_enabled": group.project_exclusion} for group in groups
    ]
    return Response(body=policies)


def _set_policies(world: World, request: Request) -> Response:
    project = world.project(request)
    known = {group.id: group for group in world.groups_of(project.id)}
    changes = request.body_as(list[PolicyChange])
    unknown = [number for number, item in enumerate(changes) if item["target_group_id"] not in known]
    if unknown:
        raise bad_request(*((f"[{number}].TargetGroupId", "the target group was not found.") for number in unknown))
    for item in changes:
        group = known[item["target_group_id"]]
        exclusion: Exclusion = {**(group.body.get("exclusion") or {}), "enabled": item["project_exclusion_enabled"]}
        group.body = {**group.body, "exclusion": exclusion}
        group.policy_updated = request.received_at
        world.excluded_now.pop(group.id, None)
    return Response(204)


def _activity(world: World, request: Request) -> Response:
    return Response(body={"respondent_activity_exclusions": [to_json(rule) for rule in world.group(request).activity]})


def _set_activity(world: World, request: Request) -> Response:
    group = world.group(request)
    body = request.body_as(ActivityExclusions)
    rules = parse_activity_exclusions(body["respondent_activity_exclusions"], body.get("duration", "P90D"))
    found = []
    for number, rule in enumerate(rules):
        where = f"RespondentActivityExclusions[{number}]"
        days = entry.duration_days(rule["duration"]) if _DAYS_ONLY.fullmatch(rule["duration"]) else 0
        if not _DAY_LIMITS[0] <= days <= _DAY_LIMITS[1]:
            found.append(
                (f"{where}.Duration", f"'Duration' must be between {_DAY_LIMITS[0]} and {_DAY_LIMITS[1]} days.")
            )
        if rule["id"] in (group.id, group.project_id):
            found.append((f"{where}.Id", "'Id' must not be the target group itself or its project."))
        elif rule["id"] not in (world.groups if rule["type"] == "target-group" else world.projects):
            found.append((f"{where}.Id", "'Id' was not found."))
    if found:
        raise bad_request(*found)
    group.activity = rules
    world.excluded_now.pop(group.id, None)
    return Response(204)


_TAG = "Exclusions"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="get_target_group_exclusion_policy_api",
        method="GET",
        path=f"{TARGET_GROUP}/exclusion-policy",
        handler=_policy,
        summary="Get whether the project's completes are kept out.",
        tag=_TAG,
        response_schema="Policy",
    ),
    Operation(
        name="get_exclusion_by_project_api",
        method="GET",
        path=f"{PROJECT}/exclusions",
        handler=_policies,
        summary="List for each target group whether the project's completes are kept out.",
        tag=_TAG,
        response_schema="PolicyList",
    ),
    Operation(
        name="update_bulk_target_group_exclusions_api",
        method="PUT",
        path=f"{PROJECT}/exclusion-policies",
        handler=_set_policies,
        summary="Set for several target groups whether the project's completes are kept out.",
        tag=_TAG,
        status=204,
        request_schema="Policies",
        changes_state=True,
        aliases=("policy",),
    ),
    Operation(
        name="get_target_group_respondent_activity_exclusions",
        method="GET",
        path=f"{TARGET_GROUP}/respondent-activity-exclusions",
        handler=_activity,
        summary="Get the exclusions by activity elsewhere.",
        tag=_TAG,
        response_schema="ActivityExclusions",
    ),
    Operation(
        name="set_target_group_respondent_activity_exclusions",
        method="PUT",
        path=f"{TARGET_GROUP}/respondent-activity-exclusions",
        handler=_set_activity,
        summary="Replace the exclusions by activity elsewhere.",
        tag=_TAG,
        status=204,
        request_schema="ActivityExclusions",
        changes_state=True,
        aliases=("activity",),
    ),
)
