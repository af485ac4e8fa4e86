"""Handlers for exclusion groups: whoever completes one of their target groups is kept out of all others."""

from __future__ import annotations

from collections.abc import Container

from cint_nb.sandbox.handlers.operation import ACCOUNT, Operation, paging_params
from cint_nb.sandbox.protocol.messages import JsonObject, Request, Response, bad_request, not_found
from cint_nb.sandbox.protocol.paging import page_of, self_link
from cint_nb.sandbox.protocol.request_bodies import NewExclusionGroup, TargetGroupIds
from cint_nb.sandbox.world.entities import ExclusionGroup
from cint_nb.sandbox.world.world import World

_MEMBERS_MAX = 100


def _create(world: World, request: Request) -> Response:
    body = request.body_as(NewExclusionGroup)
    group_id = world.id_factory.ulid(request.received_at)
    world.exclusion_groups[group_id] = ExclusionGroup(group_id, body["tag"], body["description"], request.received_at)
    return Response(201, {"exclusion_group_id": group_id})


def _add(world: World, request: Request) -> Response:
    group = _exclusion_group(world, request)
    members = list(dict.fromkeys([*group.members, *_named(request, world.groups)]))
    if len(members) > _MEMBERS_MAX:
        raise bad_request(("Data", f"an exclusion group has {_MEMBERS_MAX} target groups at most."))
    _set_members(world, group, members, request.received_at)
    return Response(204)


def _remove(world: World, request: Request) -> Response:
    group = _exclusion_group(world, request)
    gone = set(_named(request, group.members))
    _set_members(world, group, [one for one in group.members if one not in gone], request.received_at)
    return Response(204)


def _named(request: Request, known: Container[str]) -> list[str]:
    """Return the target groups that a request names, each of which must be known. Assumption."""
    named = request.body_as(TargetGroupIds).get("data", [])
    if not named:
        raise bad_request(("Data", "'Data' must not be empty."))
    if unknown := [number for number, one in enumerate(named) if one not in known]:
        raise bad_request(*((f"Data[{number}]", "the target group was not found.") for number in unknown))
    return named


def _set_members(world: World, group: ExclusionGroup, members: list[str], t: float) -> None:
    for member in {*group.members, *members}:
        world.excluded_now.pop(member, None)
    group.members, group.updated = members, t


def _exclusion_group(world: World, request: Request) -> ExclusionGroup:
    group = world.exclusion_groups.get(request.path_params["exclusion_group_id"])
    if group is None:
        raise not_found("the exclusion group")
    return group


def _of_target_group(world: World, request: Request) -> Response:
    target_group_id = request.path_params["target_group_id"]
    found = sorted(world.exclusion_groups_of(target_group_id), key=lambda group: group.id)
    page, cursor = page_of(request, found, lambda group: group.id)
    body: JsonObject = {
        "data": [
            {
                "exclusion_group_id": group.id,
                "tag": group.tag,
                "description": group.description,
                "create_date": world.format_time(group.created),
                "update_date": None if group.updated is None else world.format_time(group.updated),
            }
            for group in page
        ],
        "url": self_link(request),
    }
    if cursor is not None:
        body["next_cursor"] = cursor
    return Response(body=body)


_TAG = "Exclusions"
_GROUPS = f"{ACCOUNT}/exclusion-groups"
_MEMBERS = f"{_GROUPS}/{{exclusion_group_id}}/target-groups"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="create_exclusion_group",
        method="POST",
        path=_GROUPS,
        handler=_create,
        summary="Create an exclusion group without target groups.",
        tag=_TAG,
        status=201,
        request_schema="NewExclusionGroup",
        response_schema="ExclusionGroupCreated",
        changes_state=True,
    ),
    Operation(
        name="add_target_groups_to_exclusion_group",
        method="POST",
        path=f"{_MEMBERS}/add",
        handler=_add,
        summary="Add target groups: whoever completes one of them from now on is kept out of the others.",
        tag=_TAG,
        status=204,
        request_schema="TargetGroupIds",
        changes_state=True,
    ),
    Operation(
        name="remove_target_groups_from_exclusion_group",
        method="POST",
        path=f"{_MEMBERS}/remove",
        handler=_remove,
        summary="Remove target groups.",
        tag=_TAG,
        status=204,
        request_schema="TargetGroupIds",
        changes_state=True,
    ),
    Operation(
        name="get_exclusion_groups_for_target_group",
        method="GET",
        path=f"{ACCOUNT}/target-groups/{{target_group_id}}/exclusion-groups",
        handler=_of_target_group,
        summary="List the exclusion groups of a target group.",
        tag=_TAG,
        response_schema="ExclusionGroupList",
        query=paging_params(),
    ),
)
