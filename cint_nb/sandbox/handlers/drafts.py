"""Handlers for drafts: create, get (301 once launched), replace; details of launched groups; allocation."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from typing import Literal, TypeAlias

from cint_nb.sandbox.handlers import draft_validation
from cint_nb.sandbox.handlers.operation import PROJECT, TARGET_GROUP, Operation
from cint_nb.sandbox.protocol.messages import Json, JsonObject, Request, Response, bad_request, to_json
from cint_nb.sandbox.protocol.request_bodies import ActivityExclusion, DetailsUpdate, Draft, OpenExchangeAllocations
from cint_nb.sandbox.simulation import metrics
from cint_nb.sandbox.world import catalogue
from cint_nb.sandbox.world.entities import ActivityRule, TargetGroup
from cint_nb.sandbox.world.id_store import IdStore, to_id_bytes
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
    _exclude_listed(group, None)
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


def _exclude_listed(group: TargetGroup, old: Draft | None) -> None:
    """Exclude the ids that a draft lists, beside those that were uploaded, and those of the old draft no more.

    `RID` means respondent ids there: the document calls its own word a mistake.
    """
    group.excluded = _with_listed(group.excluded, "RID", old, group.body)
    group.excluded_guids = _with_listed(group.excluded_guids, "CID", old, group.body)


def _with_listed(store: IdStore, word: str, old: Draft | None, new: Draft) -> IdStore:
    before, now = _listed(old, word), _listed(new, word)
    if before == now:
        return store
    changed = IdStore()
    uploaded = [key for key in store.keys() if key not in before]  # noqa: SIM118 - it is no dictionary
    changed.extend(b"".join(dict.fromkeys([*uploaded, *now])))
    return changed


def _listed(draft: Draft | None, word: str) -> dict[bytes, None]:
    listed = (draft.get("exclusion") or {}).get("list") or () if draft is not None else ()
    texts = (text for one in listed if one.get("entity_type") == word for text in one.get("entity_ids", ()))
    return dict.fromkeys(map(to_id_bytes, texts))


def parse_activity_exclusions(exclusions: Iterable[ActivityExclusion], duration: str = "P90D") -> list[ActivityRule]:
    """Parse respondent-activity exclusions; the default duration is 90 days, as the reference says."""
    return [{"type": each["type"], "id": each["id"], "duration": each.get("duration", duration)} for each in exclusions]


def _get(world: World, request: Request) -> Response:
    group = world.group(request)
    if group.status != "draft":
        return Response(301, headers={"Location": f"{request.root}{request.path}/details"})
    body = to_json(group.body)
    for name in ("filling_strategy", "allocation_template"):
        body.pop(name, None)  # replies have no such field
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
    draft_validation.validate_draft(world, draft, request.received_at, group)
    replace_draft(world, group, draft, request.received_at)
    return Response(204)


def replace_draft(world: World, group: TargetGroup, draft: Draft, t: float) -> None:
    """Replace a draft by another that has been validated."""
    old, old_goal = group.body, group.goal
    group.body = draft
    _exclude_listed(group, old)
    world.excluded_now.pop(group.id, None)
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
    if "target_group_customer_reference_number" not in request.body_as(DetailsUpdate):
        body.pop("target_group_customer_reference_number", None)  # what is left out is lost
    if "client_cost_per_interview_note" not in request.body_as(DetailsUpdate):
        body.pop("client_cost_per_interview_note", None)
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
    """Return who supplies a target group: a template is written out, since replies have no field for its name."""
    allocations = _allocations_of(group.body)
    blocked = allocations["blocked_supplier_ids"]
    names = {str(supplier["supplier_id"]): supplier["name"] for supplier in catalogue.SUPPLIERS}

    def suppliers_to_json(numbers: Iterable[str]) -> list[JsonObject]:
        known = [int(each) if each.isascii() and each.isdigit() and len(each) < 9 else 0 for each in numbers]
        return [{"id": number, "name": names.get(str(number), f"Supplier {number}")} for number in known]

    open_exchange: JsonObject = {
        "blocked_suppliers": suppliers_to_json(blocked),
        "exchange_suppliers": suppliers_to_json(number for number in names if number not in blocked),
        "exchange_min_percentage": allocations["exchange_min_percentage"],
        "exchange_max_percentage": allocations["exchange_max_percentage"],
        "groups": [
            {
                "group_name": group_of["group_name"],
                "min_percentage": group_of["min_percentage"],
                "max_percentage": group_of["max_percentage"],
                "suppliers": suppliers_to_json(group_of.get("suppliers", ())),
            }
            for group_of in allocations["groups"]
        ],
    }
    private: JsonObject = {"blocked_suppliers": [], "groups": []}
    return {
        "open_exchange_allocations": open_exchange,
        **({"private_exchange_allocations": private} if write_ids else {}),
    }


def _allocations_of(draft: Draft) -> OpenExchangeAllocations:
    """Return the allocations of a draft: as it spells them out, else those of its template, else the whole exchange."""
    allocations, template = draft.get("allocations"), draft.get("allocation_template")
    written = allocations.get("open_exchange_allocations") if allocations else None
    if written is not None:
        return written
    named = (allocations.get("template_id") if allocations else None) or (template["id"] if template else None)
    return catalogue.TEMPLATES[named or catalogue.BALANCED_TEMPLATE_ID]["allocations"]


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
