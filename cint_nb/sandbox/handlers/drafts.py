"""Handlers for drafts: create, get (301 once launched), replace; details of launched groups; allocation."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from typing import Literal, TypeAlias

from cint_nb.sandbox.handlers import draft_validation
from cint_nb.sandbox.handlers.operation import PROJECT, TARGET_GROUP, Operation
from cint_nb.sandbox.protocol.messages import Json, JsonObject, Request, Response, bad_request, to_json
from cint_nb.sandbox.protocol.request_bodies import ActivityExclusion, DetailsUpdate, Draft
from cint_nb.sandbox.simulation import metrics
from cint_nb.sandbox.world import catalogue
from cint_nb.sandbox.world.entities import ActivityRule, TargetGroup
from cint_nb.sandbox.world.world import World

_LoggedField: TypeAlias = Literal[
    "name", "live_url", "test_url", "locale", "expected_incidence_rate", "expected_length_of_interview_minutes"
]


def _create(world: World, request: Request) -> Response:
    project = world.project(request)
    draft = request.body_as(Draft)
    draft_validation.validate_draft(world, draft, request.received_at)
    group_id = world.id_factory.ulid(request.received_at)
    group = TargetGroup(
        group_id,
        world.id_factory.human_readable_id(group_id, 7),
        project.id,
        draft,
        request.received_at,
        request.received_at,
        draft_validation.filling_strategy_of(draft),
        catalogue.CURRENCIES[draft_validation.business_unit_id_of(draft)],
        draft_validation.initial_price(draft),
        policy_updated=request.received_at,
        activity=parse_activity_exclusions(draft.get("respondent_activity_exclusions", ())),
    )
    world.groups[group_id] = group
    world.log_change(
        group,
        request.received_at,
        ("status", None, "draft"),
        ("name", None, draft["name"]),
        ("filling_goal", None, group.goal),
    )
    body = {"id": group_id}
    if group.is_recontact:
        # The create guide prints `id`, the recontact guide speaks of `target_group_id`: its drafts return both.
        body["target_group_id"] = group_id
    return Response(201, body)


def parse_activity_exclusions(exclusions: Iterable[ActivityExclusion], duration: str = "P90D") -> list[ActivityRule]:
    """Parse respondent-activity exclusions; the default duration is 90 days, as the reference says."""
    return [{"type": each["type"], "id": each["id"], "duration": each.get("duration", duration)} for each in exclusions]


def _get(world: World, request: Request) -> Response:
    group = world.group(request)
    if group.status != "draft":
        return Response(301, headers={"Location": f"{request.root}{request.path}/details"})
    body = to_json(group.body)
    body.pop("filling_strategy", None)
    body.update(
        human_readable_id=group.human_readable_id,
        business_unit_id=draft_validation.business_unit_id_of(group.body),
        study_type_code=group.body.get("study_type_code", "adhoc"),
        industry_code=group.body.get("industry_code", "other"),
        completes_goal=group.goal,
        pricing_model=group.pricing_model,
        allocations=_allocations_to_json(group, write_ids=False),
        created_at=world.format_time(group.created),
    )
    return Response(body=body)


def _update(world: World, request: Request) -> Response:
    group = world.group(request)
    if group.status != "draft":
        raise bad_request(
            ("Status", "the target group is not in a draft state."), detail="the target group is not a draft"
        )
    draft = request.body_as(Draft)
    draft_validation.validate_draft(world, draft, request.received_at)
    replace_draft(world, group, draft, request.received_at)
    return Response(204)


def replace_draft(world: World, group: TargetGroup, draft: Draft, t: float) -> None:
    """Replace a draft by another that has been validated."""
    old, old_goal = group.body, group.goal
    group.body = draft
    group.currency = catalogue.CURRENCIES[draft_validation.business_unit_id_of(draft)]
    group.cpi = draft_validation.initial_price(draft)
    group.activity = parse_activity_exclusions(draft.get("respondent_activity_exclusions", ()))
    if "filling_strategy" in draft:
        group.strategy = draft_validation.filling_strategy_of(draft)
    changes = _changes(old, draft, "name", "live_url", "test_url", "locale")
    world.log_change(group, t, *changes, ("filling_goal", old_goal, group.goal))
    group.updated = t


def _changes(old: Draft, new: Draft, *names: _LoggedField) -> list[tuple[str, Json, Json]]:
    return [(name, old.get(name), new.get(name)) for name in names]


def details_to_json(world: World, group: TargetGroup) -> JsonObject:
    """Return the details of a launched target group as JSON."""
    body = group.body
    details: JsonObject = {
        "id": group.id,
        "human_readable_id": group.human_readable_id,
        "name": body["name"],
        "account_name": catalogue.account_name(world.account_id),
        "business_unit_id": str(draft_validation.business_unit_id_of(body)),
        "project_manager_id": body["project_manager_id"],
        "study_type_code": body.get("study_type_code", "adhoc"),
        "industry_code": body.get("industry_code", "other"),
        "locale": body["locale"],
        "completes_goal": group.goal,
        "expected_length_of_interview_minutes": body["expected_length_of_interview_minutes"],
        "expected_incidence_rate": body["expected_incidence_rate"],
        "industry_lockout_code": body.get("industry_lockout_code", ""),
        "collects_pii": body["collects_pii"],
        "created_at": world.format_time(group.created),
        **metrics.reference_to_json(group),
    }
    if "live_url" in body:
        details["live_url"] = body["live_url"]
    if "test_url" in body:
        details["test_url"] = body["test_url"]
    if "client_id" in body:
        details["client_id"] = body["client_id"]
    if "client_cost_per_interview_note" in body:
        details["client_cost_per_interview_note"] = to_json(body["client_cost_per_interview_note"])
    return details


def _details(world: World, request: Request) -> Response:
    group = world.launched(request)
    links = {
        "test_screener": f"https://sandbox.invalid/screener/{group.human_readable_id}?test=1",
        "test_client_survey": f"https://sandbox.invalid/survey/{group.human_readable_id}?test=1",
    }
    return Response(body={**details_to_json(world, group), "links": links})


def _update_details(world: World, request: Request) -> Response:
    group = world.launched(request)
    body: Draft = {**group.body, **request.body_as(DetailsUpdate)}
    found = draft_validation.update_problems(body)
    if found:
        raise bad_request(*found)
    names: tuple[_LoggedField, ...] = (
        "name",
        "live_url",
        "test_url",
        "expected_incidence_rate",
        "expected_length_of_interview_minutes",
    )
    world.log_change(group, request.received_at, *_changes(group.body, body, *names))
    group.body = body
    return Response(body=details_to_json(world, group))


def _assistant(world: World, request: Request) -> Response:
    modules = to_json(world.group(request).body["fielding_assistant_assignment"])
    version = zlib.crc32(json.dumps(modules, sort_keys=True).encode())
    return Response(body=modules, headers={"ETag": f'W/"{version}"'})


def _allocation_specification(world: World, request: Request) -> Response:
    return Response(body=_allocations_to_json(world.group(request), write_ids=True))


def _allocations_to_json(group: TargetGroup, *, write_ids: bool) -> JsonObject:
    allocations = group.body.get("allocations")
    written = allocations.get("open_exchange_allocations") if allocations else None
    names = {supplier["supplier_id"]: supplier["name"] for supplier in catalogue.SUPPLIERS}

    def supplier_to_json(number: str) -> JsonObject:
        known = int(number) if number.isascii() and number.isdigit() and len(number) < 9 else 0
        return {"id": known, "name": names.get(known, f"Supplier {known}")}

    open_exchange: JsonObject = {
        "blocked_suppliers": [
            supplier_to_json(number) for number in (written["blocked_supplier_ids"] if written else ())
        ],
        "exchange_suppliers": [{"id": number, "name": name} for number, name in names.items()],
        "exchange_min_percentage": written["exchange_min_percentage"] if written else 0,
        "exchange_max_percentage": written["exchange_max_percentage"] if written else 100,
        "groups": [
            {
                "group_name": group_of["group_name"],
                "min_percentage": group_of["min_percentage"],
                "max_percentage": group_of["max_percentage"],
                "suppliers": [supplier_to_json(number) for number in group_of.get("suppliers", ())],
            }
            for group_of in (written["groups"] if written else ())
        ],
    }
    private: JsonObject = {"blocked_suppliers": [], "groups": []}
    return {
        "open_exchange_allocations": open_exchange,
        **({"private_exchange_allocations": private} if write_ids else {}),
    }


_TAG = "Target groups"
OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="create_target_group",
        method="POST",
        path=f"{PROJECT}/target-groups",
        handler=_create,
        summary="Create a target group in draft state. Each request creates a new one.",
        tag=_TAG,
        status=201,
        request_schema="Draft",
        response_schema="DraftCreated",
        changes_state=True,
        aliases=("draft", "create"),
        extra_checks=draft_validation.date_problems,
    ),
    Operation(
        name="get_target_group",
        method="GET",
        path=TARGET_GROUP,
        handler=_get,
        summary="Get a draft; a launched target group answers 301 and is read at its details.",
        tag=_TAG,
        response_schema="DraftRead",
        errors=(301,),
        aliases=("get-draft",),
    ),
    Operation(
        name="update_target_group",
        method="PUT",
        path=TARGET_GROUP,
        handler=_update,
        summary="Replace a draft.",
        tag=_TAG,
        status=204,
        request_schema="Draft",
        changes_state=True,
        aliases=("update-draft",),
        extra_checks=draft_validation.date_problems,
    ),
    Operation(
        name="get_target_group_details",
        method="GET",
        path=f"{TARGET_GROUP}/details",
        handler=_details,
        summary="Get the details of a launched target group.",
        tag=_TAG,
        response_schema="Details",
        aliases=("details",),
    ),
    Operation(
        name="update_launched_target_group_details",
        method="PUT",
        path=f"{TARGET_GROUP}/details",
        handler=_update_details,
        summary="Change the details of a launched target group.",
        tag=_TAG,
        request_schema="DetailsUpdate",
        response_schema="Details",
        changes_state=True,
        aliases=("update-details",),
    ),
    Operation(
        name="get_fielding_assistant_assignment",
        method="GET",
        path=f"{TARGET_GROUP}/fielding-assistant-assignment",
        handler=_assistant,
        summary="Get the modules of the fielding assistant.",
        tag=_TAG,
        response_schema="FieldingAssistant",
        headers=("ETag",),
        aliases=("assistant",),
    ),
    Operation(
        name="get_target_group_allocation_specification",
        method="GET",
        path=f"{TARGET_GROUP}/allocation-specification",
        handler=_allocation_specification,
        summary="Get who supplies a target group.",
        tag=_TAG,
        response_schema="AllocationSpecification",
    ),
)
