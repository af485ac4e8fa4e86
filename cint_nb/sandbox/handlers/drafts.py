"""Answers about drafts: create, get (301 once launched), replace; details of launched groups; allocation."""

from __future__ import annotations

from typing import Literal, TypeAlias

from cint_nb.sandbox.handlers import draft_validation
from cint_nb.sandbox.handlers.operation import GROUP, PROJECT, Operation
from cint_nb.sandbox.protocol.messages import Answer, Ask, Json, JsonObject, invalid, to_json
from cint_nb.sandbox.protocol.request_bodies import ActivityExclusions, DetailsUpdate, Draft, Pricing
from cint_nb.sandbox.simulation import metrics
from cint_nb.sandbox.world import catalogue
from cint_nb.sandbox.world.entities import ActivityRule, Group
from cint_nb.sandbox.world.world import World

_Noted: TypeAlias = Literal[
    "name", "live_url", "test_url", "locale", "expected_incidence_rate", "expected_length_of_interview_minutes"
]


def _create(world: World, ask: Ask) -> Answer:
    project = world.project(ask)
    draft = ask.body_as(Draft)
    draft_validation.check(world, draft, ask.t)
    group_id = world.ids.ulid(ask.t)
    group = Group(
        group_id,
        world.ids.readable(group_id, 7),
        project.id,
        draft,
        ask.t,
        ask.t,
        draft_validation.strategy_of(draft),
        catalogue.CURRENCIES[draft_validation.unit_of(draft)],
        draft_validation.price_of(draft),
        policy_updated=ask.t,
        activity=activity_of(draft),
    )
    world.groups[group_id] = group
    world.note(
        group, ask.t, ("status", None, "draft"), ("name", None, draft["name"]), ("filling_goal", None, group.goal)
    )
    body = {"id": group_id}
    if group.is_recontact:
        # The create guide prints `id`, the recontact guide speaks of `target_group_id`: its drafts answer with both.
        body["target_group_id"] = group_id
    return Answer(201, body)


def activity_of(body: ActivityExclusions) -> list[ActivityRule]:
    """Read respondent-activity exclusions; the duration is 90 days when left out, as the reference says."""
    overall = body.get("duration", "P90D")
    return [
        {"type": rule["type"], "id": rule["id"], "duration": rule.get("duration", overall)}
        for rule in body.get("respondent_activity_exclusions") or ()
    ]


def _get(world: World, ask: Ask) -> Answer:
    group = world.group(ask)
    if group.status != "draft":
        # Relative and without /v1, as the exchange writes its addresses.
        return Answer(301, headers={"Location": f"{ask.path}/details"})
    body = to_json(group.body)
    body.pop("filling_strategy", None)
    pricing: Pricing = group.body["fielding_assistant_assignment"].get("pricing") or {}
    body.update(
        human_readable_id=group.human_id,
        business_unit_id=draft_validation.unit_of(group.body),
        study_type_code=group.body.get("study_type_code", "adhoc"),
        industry_code=group.body.get("industry_code", "other"),
        completes_goal=group.goal,
        pricing_model=pricing.get("type", "dynamic"),
        allocations=_allocations(group, write_ids=False),
        created_at=world.text(group.created),
    )
    return Answer(body=body)


def _update(world: World, ask: Ask) -> Answer:
    group = world.group(ask)
    if group.status != "draft":
        raise invalid(("Status", "the target group is not in a draft state."), detail="the target group is not a draft")
    draft = ask.body_as(Draft)
    draft_validation.check(world, draft, ask.t)
    old, old_goal = group.body, group.goal
    group.body = draft
    group.currency = catalogue.CURRENCIES[draft_validation.unit_of(draft)]
    group.cpi = draft_validation.price_of(draft)
    group.activity = activity_of(draft)
    if "filling_strategy" in draft:
        group.strategy = draft_validation.strategy_of(draft)
    changes = _changes(old, draft, "name", "live_url", "test_url", "locale")
    world.note(group, ask.t, *changes, ("filling_goal", old_goal, group.goal))
    group.updated = ask.t
    return Answer(204)


def _changes(old: Draft, new: Draft, *names: _Noted) -> list[tuple[str, Json, Json]]:
    return [(name, old.get(name), new.get(name)) for name in names]


def details(world: World, group: Group) -> JsonObject:
    """Write the details of a launched target group."""
    body = group.body
    told: JsonObject = {
        "id": group.id,
        "human_readable_id": group.human_id,
        "name": body["name"],
        "account_name": catalogue.ACCOUNT_NAME,
        "business_unit_id": str(draft_validation.unit_of(body)),
        "project_manager_id": body["project_manager_id"],
        "study_type_code": body.get("study_type_code", "adhoc"),
        "industry_code": body.get("industry_code", "other"),
        "locale": body["locale"],
        "completes_goal": group.goal,
        "expected_length_of_interview_minutes": body["expected_length_of_interview_minutes"],
        "expected_incidence_rate": body["expected_incidence_rate"],
        "industry_lockout_code": body.get("industry_lockout_code", ""),
        "collects_pii": body["collects_pii"],
        "created_at": world.text(group.created),
        **metrics.reference(group),
    }
    if "live_url" in body:
        told["live_url"] = body["live_url"]
    if "test_url" in body:
        told["test_url"] = body["test_url"]
    if "client_id" in body:
        told["client_id"] = body["client_id"]
    if "client_cost_per_interview_note" in body:
        told["client_cost_per_interview_note"] = to_json(body["client_cost_per_interview_note"])
    return told


def _details(world: World, ask: Ask) -> Answer:
    group = world.launched(ask)
    links = {
        "test_screener": f"https://sandbox.invalid/screener/{group.human_id}?test=1",
        "test_client_survey": f"https://sandbox.invalid/survey/{group.human_id}?test=1",
    }
    return Answer(body={**details(world, group), "links": links})


def _update_details(world: World, ask: Ask) -> Answer:
    group = world.launched(ask)
    body: Draft = {**group.body, **ask.body_as(DetailsUpdate)}
    found = draft_validation.late_problems(body)
    if found:
        raise invalid(*found)
    names: tuple[_Noted, ...] = (
        "name",
        "live_url",
        "test_url",
        "expected_incidence_rate",
        "expected_length_of_interview_minutes",
    )
    world.note(group, ask.t, *_changes(group.body, body, *names))
    group.body = body
    return Answer(body=details(world, group))


def _allocation_specification(world: World, ask: Ask) -> Answer:
    return Answer(body=_allocations(world.group(ask), write_ids=True))


def _allocations(group: Group, *, write_ids: bool) -> JsonObject:
    allocations = group.body.get("allocations")
    written = allocations.get("open_exchange_allocations") if allocations else None
    names = {supplier["supplier_id"]: supplier["name"] for supplier in catalogue.SUPPLIERS}

    def told(number: str) -> JsonObject:
        known = int(number) if number.isdigit() and len(number) < 9 else 0
        return {"id": known, "name": names.get(known, f"Supplier {known}")}

    open_exchange: JsonObject = {
        "blocked_suppliers": [told(number) for number in (written["blocked_supplier_ids"] if written else ())],
        "exchange_suppliers": [{"id": number, "name": name} for number, name in names.items()],
        "exchange_min_percentage": written["exchange_min_percentage"] if written else 0,
        "exchange_max_percentage": written["exchange_max_percentage"] if written else 100,
        "groups": [
            {
                "group_name": group_of["group_name"],
                "min_percentage": group_of["min_percentage"],
                "max_percentage": group_of["max_percentage"],
                "suppliers": [told(number) for number in group_of.get("suppliers", ())],
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
        answer=_create,
        about="Create a target group in draft state. Each request creates a new one.",
        tag=_TAG,
        status=201,
        body="Draft",
        reply="DraftCreated",
        acts=True,
        short=("draft", "create"),
        beside=draft_validation.wrong_dates,
    ),
    Operation(
        name="get_target_group",
        method="GET",
        path=GROUP,
        answer=_get,
        about="Get a draft; a launched target group answers 301 and is read at its details.",
        tag=_TAG,
        reply="DraftRead",
        errors=(301,),
        short=("get-draft",),
    ),
    Operation(
        name="update_target_group",
        method="PUT",
        path=GROUP,
        answer=_update,
        about="Replace a draft.",
        tag=_TAG,
        status=204,
        body="Draft",
        acts=True,
        short=("update-draft",),
        beside=draft_validation.wrong_dates,
    ),
    Operation(
        name="get_target_group_details",
        method="GET",
        path=f"{GROUP}/details",
        answer=_details,
        about="Get the details of a launched target group.",
        tag=_TAG,
        reply="Details",
        short=("details",),
    ),
    Operation(
        name="update_launched_target_group_details",
        method="PUT",
        path=f"{GROUP}/details",
        answer=_update_details,
        about="Change the details of a launched target group.",
        tag=_TAG,
        body="DetailsUpdate",
        reply="Details",
        acts=True,
        short=("update-details",),
    ),
    Operation(
        name="get_target_group_allocation_specification",
        method="GET",
        path=f"{GROUP}/allocation-specification",
        answer=_allocation_specification,
        about="Get who supplies a target group.",
        tag=_TAG,
        reply="AllocationSpecification",
    ),
)
