"""Handlers that read target groups: list, overview, performance, completes over time, changelog."""

from __future__ import annotations

import re
from datetime import timedelta

from cint_nb.sandbox.handlers.operation import PROJECT, TARGET_GROUP, Operation, QueryParam, paging_params
from cint_nb.sandbox.openapi.builders import STATUSES, reference
from cint_nb.sandbox.protocol.json_schema import Schema
from cint_nb.sandbox.protocol.messages import Json, JsonObject, Request, Response, bad_request
from cint_nb.sandbox.protocol.paging import contains, page_of, self_link
from cint_nb.sandbox.simulation import metrics
from cint_nb.sandbox.world.entities import TargetGroup
from cint_nb.sandbox.world.world import World

_INTERVALS_MAX = 5_000  # a reply stays readable; assumption
_DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII)


def _list(world: World, request: Request) -> Response:
    project = world.project(request)
    groups = [group for group in world.groups_of(project.id) if _matches(group, request)]
    page, cursor = page_of(request, groups, lambda group: group.id)
    body: JsonObject = {
        "url": self_link(request),
        "has_more": cursor is not None,
        "next_cursor": cursor,
        "target_groups": [_list_item(world, group, request.received_at) for group in page],
    }
    return Response(body=body)


def _matches(group: TargetGroup, request: Request) -> bool:
    body = group.body
    language, _, country = body["locale"].partition("_")
    reference_number = body.get("target_group_customer_reference_number")
    searched = (body["name"], group.id, group.human_readable_id, reference_number)
    one_of = {
        "human_readable_ids": group.human_readable_id,
        "target_group_customer_reference_numbers": reference_number,
        "status": group.status,
        "country": country,
        "language": language,
    }
    manager, exclusion = request.string_param("project_manager_id"), request.bool_param("exclusion_status")
    return (
        contains(body["name"], request.string_param("name"))
        and contains(" ".join(filter(None, searched)), request.string_param("search_string"))
        and all(value in wanted for name, value in one_of.items() if (wanted := request.list_param(name)))
        and (not manager or manager.lower() == body["project_manager_id"].lower())
        and (exclusion is None or exclusion == group.project_exclusion)
    )


def _list_item(world: World, group: TargetGroup, t: float) -> JsonObject:
    money = metrics.money_to_json(metrics.average_cost(group), group.currency)
    statistics: JsonObject = {
        "progress": {"value": metrics.progress_to_json(group), "issues": _issues(group, t)},
        "average_cost_per_interview": _statistic_without_issues(money),
        **{name: _statistic_without_issues(value) for name, value in metrics.rates(group).items()},
    }
    last = metrics.performance_to_json(world, group).get("last_complete")
    if last:
        statistics["last_complete_date"] = _statistic_without_issues(last)
        statistics["median_length_of_interview_seconds"] = _statistic_without_issues(metrics.median_length(group))
    return {
        "id": group.id,
        "human_readable_id": group.human_readable_id,
        "name": group.body["name"],
        "project_manager_id": group.body["project_manager_id"],
        "exclusion_enabled": group.project_exclusion,
        "locale": group.body["locale"],
        "status": group.status,
        "created_at": world.format_time(group.created),
        "updated_at": world.format_time(group.updated),
        "statistics": statistics,
        **metrics.reference_to_json(group),
    }


def _statistic_without_issues(value: Json) -> JsonObject:
    return {"value": value, "issues": []}


def _issues(group: TargetGroup, t: float) -> list[JsonObject]:
    """Return a warning for a group that has been live for a day with few completes, as the exchange does."""
    run = group.run
    if (
        run is None
        or run.status != "live"
        or run.live_seconds(t) < 86_400
        or group.fieldwork.completes * 20 >= group.goal
    ):
        return []
    reason = {"code": "slow_fill", "description": "few completes since launch"}
    advice = {"code": "raise_price_or_extend", "description": "raise the price or extend the fielding period"}
    return [{"reason": reason, "issue_type": "warning", "suggestions": [advice]}]


def _overview(world: World, request: Request) -> Response:
    group = world.launched(request)
    language, _, country = group.body["locale"].partition("_")
    return Response(
        body={
            "project_name": world.projects[group.project_id].name,
            "target_group_name": group.body["name"],
            "human_readable_id": group.human_readable_id,
            "project_manager_id": group.body["project_manager_id"],
            "progress": metrics.progress_to_json(group),
            "pricing_model": group.pricing_model,
            "is_pricing_restricted": False,
            "current_cost_per_interview": metrics.money_to_json(group.cpi, group.currency),
            "average_cost_per_interview": metrics.money_to_json(metrics.average_cost(group), group.currency),
            "current_cost": metrics.money_to_json(group.fieldwork.cost, group.currency),
            "status": group.status,
            "country_code": country,
            "language_code": language,
            **metrics.rates(group),
            "median_length_of_interview_seconds": metrics.median_length(group),
            "study_type_code": group.body.get("study_type_code", "adhoc"),
            **metrics.reference_to_json(group),
            "created_at": world.format_time(group.created),
        }
    )


def _performance(world: World, request: Request) -> Response:
    return Response(body=metrics.performance_to_json(world, world.launched(request)))


def _intervals(world: World, request: Request) -> Response:
    group = world.launched(request)
    text = request.string_param("aggregation_interval")
    match = _DURATION.fullmatch(text) if text is not None and len(text) <= 20 else None
    parts = [int(part or 0) for part in match.groups()] if match else [0] * 5
    seconds = sum(part * size for part, size in zip(parts, (604_800, 86_400, 3_600, 60, 1), strict=True))
    if not 60 <= seconds <= 366 * 86_400:
        raise bad_request(
            ("AggregationInterval", "'Aggregation Interval' must be an ISO 8601 duration, such as PT24H.")
        )
    if group.run is not None and (request.received_at - group.run.start) / seconds > _INTERVALS_MAX:
        raise bad_request(("AggregationInterval", "'Aggregation Interval' is too short for the fielding period."))
    listed = metrics.completes_by_interval(world, group, timedelta(seconds=seconds), request.received_at)
    return Response(body={"aggregated_completes_intervals": listed})


def _changelog(world: World, request: Request) -> Response:
    group = world.group(request)
    wanted = set(request.list_param("change_types"))
    entries = [
        change
        for change in reversed(group.changes)
        if not wanted or wanted & {str(entry["object"]) for entry in change.changes}
    ]
    page, cursor = page_of(request, entries, lambda change: change.id)
    changelog: list[JsonObject] = [
        {"id": change.id, "occurred_at": world.format_time(change.t), "user": change.user, "changes": change.changes}
        for change in page
    ]
    return Response(body={"changelog": changelog, **({"next_cursor": cursor} if cursor else {})})


_TAG = "Target groups"
_SHORT_TEXT: Schema = {"type": "string", "maxLength": 128}
_REFERENCES = "target_group_customer_reference_numbers"
_FILTERS = (
    QueryParam("exclusion_status", {"type": "boolean"}, description="Only groups with or without project exclusion."),
    QueryParam("name", _SHORT_TEXT, description="Part of the name."),
    QueryParam("search_string", _SHORT_TEXT, description="Part of a name, id or reference."),
    QueryParam("human_readable_ids", {"type": "array", "items": {"type": "string", "minLength": 7, "maxLength": 7}}),
    QueryParam(
        _REFERENCES, {"type": "array", "items": reference}, description="Only groups with one of these references."
    ),
    QueryParam(
        "status", {"type": "array", "items": {"type": "string", "enum": STATUSES}}, description="Only these states."
    ),
    QueryParam("country", {"type": "array", "items": {"type": "string", "pattern": "^[a-z]{2}$"}}),
    QueryParam("language", {"type": "array", "items": {"type": "string", "pattern": "^[a-z]{3}$"}}),
    QueryParam("project_manager_id", {"type": "string", "format": "uuid"}),
)
_INTERVAL = QueryParam("aggregation_interval", {"type": "string", "format": "duration"}, default="PT24H")
_TYPES = QueryParam("change_types", {"type": "array", "items": {"type": "string", "pattern": "^[a-z_]{1,80}$"}})
OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="get_list_target_groups",
        method="GET",
        path=f"{PROJECT}/target-groups",
        handler=_list,
        summary="List the target groups of a project, newest first.",
        tag=_TAG,
        response_schema="GroupList",
        query=(*_FILTERS, *paging_params()),
        aliases=("list-groups",),
    ),
    Operation(
        name="get_target_group_overview",
        method="GET",
        path=f"{TARGET_GROUP}/overview",
        handler=_overview,
        summary="Get state, progress, rates and cost of a launched target group.",
        tag=_TAG,
        response_schema="Overview",
        aliases=("overview",),
    ),
    Operation(
        name="get_target_group_performance",
        method="GET",
        path=f"{TARGET_GROUP}/performance",
        handler=_performance,
        summary="Get the funnel of a launched target group, live and test apart.",
        tag=_TAG,
        response_schema="Performance",
        aliases=("performance",),
    ),
    Operation(
        name="get_target_group_completes_aggregated_by_interval",
        method="GET",
        path=f"{TARGET_GROUP}/completes-aggregated-by-interval",
        handler=_intervals,
        summary="List the completes collected by the end of each interval.",
        tag=_TAG,
        response_schema="Intervals",
        query=(_INTERVAL,),
    ),
    Operation(
        name="get_target_group_changelog",
        method="GET",
        path=f"{TARGET_GROUP}/changelog",
        handler=_changelog,
        summary="List who changed what, newest first.",
        tag=_TAG,
        response_schema="Changelog",
        query=(*paging_params(50, 50), _TYPES),
    ),
)
