"""Handlers for projects: create (readable a moment later), get, list, overview."""

from __future__ import annotations

from statistics import median

from cint_nb.sandbox.handlers.operation import ACCOUNT, PROJECT, Operation, QueryParam, paging_params
from cint_nb.sandbox.protocol.messages import JsonObject, Request, Response, bad_request
from cint_nb.sandbox.protocol.paging import contains, page_of, self_link
from cint_nb.sandbox.protocol.request_bodies import ProjectDraft
from cint_nb.sandbox.simulation import metrics
from cint_nb.sandbox.world.catalogue import USERS
from cint_nb.sandbox.world.entities import Project, TargetGroup
from cint_nb.sandbox.world.ids import random_part
from cint_nb.sandbox.world.world import World

_READABLE_AFTER = (0.8, 2.5)  # virtual seconds until a new project can be read; assumption, the API says only "202"


def _create(world: World, request: Request) -> Response:
    draft = request.body_as(ProjectDraft)
    manager = draft["project_manager_id"].lower()
    if manager not in {user["id"] for user in USERS}:
        raise bad_request(("ProjectManagerId", "'Project Manager Id' must be a user of this account."))
    project_id = world.id_factory.ulid(request.received_at)
    low, high = _READABLE_AFTER
    world.projects[project_id] = Project(
        project_id,
        world.id_factory.human_readable_id(project_id, 6),
        draft["name"],
        manager,
        draft.get("project_customer_reference_number"),
        request.received_at,
        round(request.received_at + low + (high - low) * world.id_factory.draw(random_part(project_id)), 3),
    )
    return Response(202, {"id": project_id}, {"ETag": 'W/"1"'})


def _get(world: World, request: Request) -> Response:
    project = world.project(request)
    body: JsonObject = {
        "id": project.id,
        "human_readable_id": project.human_readable_id,
        "name": project.name,
        "project_manager_id": project.project_manager_id,
        "account_id": world.account_id,
    }
    if project.reference is not None:
        body["project_customer_reference_number"] = project.reference
    return Response(body=body, headers={"ETag": f'W/"{project.version}"'})


def _overview(world: World, request: Request) -> Response:
    project = world.project(request)
    groups = world.groups_of(project.id)
    body: JsonObject = {
        "id": project.id,
        "human_readable_id": project.human_readable_id,
        "name": project.name,
        "account_id": world.account_id,
        "status": _status(groups),
        "statistics": _statistics(groups),
        "project_manager_id": project.project_manager_id,
        "created_at": world.format_time(project.created),
    }
    if project.reference is not None:
        body["project_customer_reference_number"] = project.reference
    return Response(body=body)


def _list(world: World, request: Request) -> Response:
    wanted = [
        project
        for project in world.projects.values()
        if project.readable_at <= request.received_at and _matches(world, project, request)
    ]
    wanted.sort(key=lambda project: project.id, reverse=True)
    page, cursor = page_of(request, wanted, lambda project: project.id)
    body: JsonObject = {
        "projects": [_list_item(world, project) for project in page],
        "url": self_link(request),
        "has_more": cursor is not None,
        "next_cursor": cursor,
    }
    return Response(body=body)


def _matches(world: World, project: Project, request: Request) -> bool:
    searched = (project.name, project.human_readable_id, project.reference, project.id)
    manager, status = request.string_param("project_manager_id"), request.string_param("status")
    return (
        contains(project.name, request.string_param("name"))
        and contains(" ".join(filter(None, searched)), request.string_param("search_string"))
        and (not manager or manager.lower() == project.project_manager_id)
        and (not status or status == _status(world.groups_of(project.id)))
    )


def _list_item(world: World, project: Project) -> JsonObject:
    groups = world.groups_of(project.id)
    references = [group.body.get("target_group_customer_reference_number") for group in groups]
    line: JsonObject = {
        "id": project.id,
        "human_readable_id": project.human_readable_id,
        "account_id": world.account_id,
        "name": project.name,
        "target_group_human_readable_ids": [group.human_readable_id for group in groups],
        "target_group_count": len(groups),
        "status": _status(groups),
        "last_activity_at": world.format_time(max([project.created, *(group.updated for group in groups)])),
        "statistics": _statistics(groups),
        "target_group_customer_reference_numbers": [reference for reference in references if reference],
    }
    if project.reference is not None:
        line["project_customer_reference_number"] = project.reference
    return line


def _status(groups: list[TargetGroup]) -> str:
    # A project without any target group counts as active: it is new.
    over = groups and all(group.status in ("completed", "archived") for group in groups)
    return "inactive" if over else "active"


def _statistics(groups: list[TargetGroup]) -> JsonObject:
    rates = [metrics.rates(group) for group in groups if group.status != "draft"]
    lengths = [length for group in groups for length in group.fieldwork.lengths]
    return {
        "filling_goal": sum(group.goal for group in groups),
        "current_completes": sum(group.fieldwork.completes for group in groups),
        "current_prescreens": sum(group.fieldwork.prescreens for group in groups),
        "incidence_rate_median": median([rate["incidence_rate"] for rate in rates]) if rates else 0.0,
        "length_of_interview_median_seconds": round(median(lengths)) if lengths else 0,
        "conversion_rate_average": _mean([rate["conversion_rate"] for rate in rates]),
        "drop_off_rate_average": _mean([rate["drop_off_rate"] for rate in rates]),
    }


def _mean(values: list[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0


_TAG = "Projects"
_FILTERS = (
    QueryParam(
        "project_manager_id", {"type": "string", "format": "uuid"}, description="Only projects of this manager."
    ),
    QueryParam(
        "status", {"type": "string", "enum": ["active", "inactive"]}, description="Only projects in this state."
    ),
    QueryParam("name", {"type": "string", "maxLength": 128}, description="Part of the name."),
    QueryParam(
        "search_string", {"type": "string", "minLength": 5, "maxLength": 128}, description="Part of a name or id."
    ),
)
OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="create_project",
        method="POST",
        path=f"{ACCOUNT}/projects",
        handler=_create,
        summary="Create a project; it can be read a moment later.",
        tag=_TAG,
        status=202,
        request_schema="ProjectDraft",
        response_schema="ProjectCreated",
        changes_state=True,
        requires_idempotency_key=True,
        headers=("ETag",),
        aliases=("project",),
    ),
    Operation(
        name="list_account_projects",
        method="GET",
        path=f"{ACCOUNT}/projects",
        handler=_list,
        summary="List the projects, newest first.",
        tag=_TAG,
        response_schema="ProjectList",
        query=(*_FILTERS, *paging_params()),
    ),
    Operation(
        name="get_project_by_id",
        method="GET",
        path=PROJECT,
        handler=_get,
        summary="Get a project.",
        tag=_TAG,
        response_schema="Project",
        headers=("ETag",),
        aliases=("get-project",),
    ),
    Operation(
        name="project_overview",
        method="GET",
        path=f"{PROJECT}/overview",
        handler=_overview,
        summary="Get a project's numbers.",
        tag=_TAG,
        response_schema="ProjectOverview",
    ),
)
