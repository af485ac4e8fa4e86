"""Answers about target groups as they are: list, overview, performance, completes over time, changelog."""

from __future__ import annotations

import re
from datetime import timedelta

from cint_nb.sandbox.handlers.operation import GROUP, PROJECT, Operation, Query, paging
from cint_nb.sandbox.openapi.builders import STATUSES, reference
from cint_nb.sandbox.protocol.json_schema import Schema
from cint_nb.sandbox.protocol.messages import Answer, Ask, Json, JsonObject, invalid
from cint_nb.sandbox.protocol.paging import cut, here
from cint_nb.sandbox.protocol.request_bodies import Pricing
from cint_nb.sandbox.simulation import metrics
from cint_nb.sandbox.world.entities import Group
from cint_nb.sandbox.world.world import World

_INTERVALS_MAX = 5_000  # a reply stays readable; assumption
_DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII)


def _list(world: World, ask: Ask) -> Answer:
    project = world.project(ask)
    groups = [group for group in world.groups_of(project.id) if _fits(group, ask)]
    page, cursor = cut(ask, groups, lambda group: group.id)
    body: JsonObject = {
        "url": here(ask),
        "has_more": cursor is not None,
        "next_cursor": cursor,
        "target_groups": [_line(world, group, ask.t) for group in page],
    }
    return Answer(body=body)


def _fits(group: Group, ask: Ask) -> bool:
    body = group.body
    language, _, country = body["locale"].partition("_")
    reference_number = body.get("target_group_customer_reference_number") or ""
    text = f"{body['name']} {group.id} {group.human_id} {reference_number}".lower()
    one_of = {
        "human_readable_ids": group.human_id,
        "target_group_customer_reference_numbers": reference_number,
        "status": group.status,
        "country": country,
        "language": language,
    }
    manager, exclusion = ask.string_param("project_manager_id"), ask.bool_param("exclusion_status")
    return (
        (ask.string_param("name") or "").lower() in body["name"].lower()
        and (ask.string_param("search_string") or "").lower() in text
        and all(value in asked for name, value in one_of.items() if (asked := ask.list_param(name)))
        and (not manager or manager.lower() == body["project_manager_id"].lower())
        and (exclusion is None or exclusion == group.project_exclusion)
    )


def _line(world: World, group: Group, t: float) -> JsonObject:
    money = metrics.money(metrics.average_cost(group), group.currency)
    statistics: JsonObject = {
        "progress": {"value": metrics.progress(group), "issues": _issues(group, t)},
        "average_cost_per_interview": _plain(money),
        **{name: _plain(value) for name, value in metrics.rates(group).items()},
    }
    last = metrics.performance(world, group).get("last_complete")
    if last:
        statistics["last_complete_date"] = _plain(last)
        statistics["median_length_of_interview_seconds"] = _plain(metrics.median_length(group))
    return {
        "id": group.id,
        "human_readable_id": group.human_id,
        "name": group.body["name"],
        "project_manager_id": group.body["project_manager_id"],
        "exclusion_enabled": group.project_exclusion,
        "locale": group.body["locale"],
        "status": group.status,
        "created_at": world.text(group.created),
        "updated_at": world.text(group.updated),
        "statistics": statistics,
        **metrics.reference(group),
    }


def _plain(value: Json) -> JsonObject:
    return {"value": value, "issues": []}


def _issues(group: Group, t: float) -> list[JsonObject]:
    """Warn of a group that is live for a day with hardly any complete, as the exchange's own advice does."""
    run = group.run
    if run is None or run.status != "live" or run.live_seconds(t) < 86_400 or group.work.completes * 20 >= group.goal:
        return []
    reason = {"code": "slow_fill", "description": "few completes since launch"}
    advice = {"code": "raise_price_or_extend", "description": "raise the price or extend the fielding period"}
    return [{"reason": reason, "issue_type": "warning", "suggestions": [advice]}]


def _overview(world: World, ask: Ask) -> Answer:
    group = world.launched(ask)
    language, _, country = group.body["locale"].partition("_")
    pricing: Pricing = group.body["fielding_assistant_assignment"].get("pricing") or {}
    return Answer(
        body={
            "project_name": world.projects[group.project_id].name,
            "target_group_name": group.body["name"],
            "human_readable_id": group.human_id,
            "project_manager_id": group.body["project_manager_id"],
            "progress": metrics.progress(group),
            "pricing_model": pricing.get("type", "dynamic"),
            "is_pricing_restricted": False,
            "current_cost_per_interview": metrics.money(group.cpi, group.currency),
            "average_cost_per_interview": metrics.money(metrics.average_cost(group), group.currency),
            "current_cost": metrics.money(group.work.cost, group.currency),
            "status": group.status,
            "country_code": country,
            "language_code": language,
            **metrics.rates(group),
            "median_length_of_interview_seconds": metrics.median_length(group),
            "study_type_code": group.body.get("study_type_code", "adhoc"),
            **metrics.reference(group),
            "created_at": world.text(group.created),
        }
    )


def _performance(world: World, ask: Ask) -> Answer:
    return Answer(body=metrics.performance(world, world.launched(ask)))


def _intervals(world: World, ask: Ask) -> Answer:
    group = world.launched(ask)
    text = ask.string_param("aggregation_interval") or ""
    match = _DURATION.fullmatch(text)
    parts = [int(part or 0) for part in match.groups()] if match and len(text) <= 20 else [0] * 5
    seconds = sum(part * size for part, size in zip(parts, (604_800, 86_400, 3_600, 60, 1), strict=True))
    if not 60 <= seconds <= 366 * 86_400:
        raise invalid(("AggregationInterval", "'Aggregation Interval' must be an ISO 8601 duration, such as PT24H."))
    if group.run is not None and (ask.t - group.run.start) / seconds > _INTERVALS_MAX:
        raise invalid(("AggregationInterval", "'Aggregation Interval' is too short for the fielding period."))
    listed = metrics.intervals(world, group, timedelta(seconds=seconds), ask.t)
    return Answer(body={"aggregated_completes_intervals": listed})


def _changelog(world: World, ask: Ask) -> Answer:
    group = world.group(ask)
    wanted = set(ask.list_param("change_types"))
    entries = [
        change
        for change in reversed(group.changes)
        if not wanted or wanted & {str(entry["object"]) for entry in change.changes}
    ]
    page, cursor = cut(ask, entries, lambda change: change.id)
    told: list[JsonObject] = [
        {"id": change.id, "occurred_at": world.text(change.t), "user": change.user, "changes": change.changes}
        for change in page
    ]
    return Answer(body={"changelog": told, **({"next_cursor": cursor} if cursor else {})})


_TAG = "Target groups"
_SHORT_TEXT: Schema = {"type": "string", "maxLength": 128}
_REFERENCES = "target_group_customer_reference_numbers"
_FILTERS = (
    Query("exclusion_status", {"type": "boolean"}, about="Only groups with or without project exclusion."),
    Query("name", _SHORT_TEXT, about="Part of the name."),
    Query("search_string", _SHORT_TEXT, about="Part of a name, id or reference."),
    Query("human_readable_ids", {"type": "array", "items": {"type": "string", "minLength": 7, "maxLength": 7}}),
    Query(_REFERENCES, {"type": "array", "items": reference}, about="Only groups with one of these references."),
    Query("status", {"type": "array", "items": {"type": "string", "enum": STATUSES}}, about="Only these states."),
    Query("country", {"type": "array", "items": {"type": "string", "pattern": "^[a-z]{2}$"}}),
    Query("language", {"type": "array", "items": {"type": "string", "pattern": "^[a-z]{3}$"}}),
    Query("project_manager_id", {"type": "string", "format": "uuid"}),
)
_INTERVAL = Query("aggregation_interval", {"type": "string", "format": "duration"}, default="PT24H")
_TYPES = Query("change_types", {"type": "array", "items": {"type": "string", "pattern": "^[a-z_]{1,80}$"}})
OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="get_list_target_groups",
        method="GET",
        path=f"{PROJECT}/target-groups",
        answer=_list,
        about="List the target groups of a project, newest first.",
        tag=_TAG,
        reply="GroupList",
        query=(*_FILTERS, *paging()),
        short=("list-groups",),
    ),
    Operation(
        name="get_target_group_overview",
        method="GET",
        path=f"{GROUP}/overview",
        answer=_overview,
        about="Get state, progress, rates and cost of a launched target group.",
        tag=_TAG,
        reply="Overview",
        short=("overview",),
    ),
    Operation(
        name="get_target_group_performance",
        method="GET",
        path=f"{GROUP}/performance",
        answer=_performance,
        about="Get the funnel of a launched target group, live and test apart.",
        tag=_TAG,
        reply="Performance",
        short=("performance",),
    ),
    Operation(
        name="get_target_group_completes_aggregated_by_interval",
        method="GET",
        path=f"{GROUP}/completes-aggregated-by-interval",
        answer=_intervals,
        about="List the completes collected by the end of each interval.",
        tag=_TAG,
        reply="Intervals",
        query=(_INTERVAL,),
    ),
    Operation(
        name="get_target_group_changelog",
        method="GET",
        path=f"{GROUP}/changelog",
        answer=_changelog,
        about="List who changed what, newest first.",
        tag=_TAG,
        reply="Changelog",
        query=(*paging(50, 50), _TYPES),
    ),
)
