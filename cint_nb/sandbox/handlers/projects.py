"""Answers about projects: create (readable a moment later), get, list, overview."""

from __future__ import annotations

from statistics import median

from cint_nb.sandbox.handlers.operation import ACCOUNT, PROJECT, Operation, Query, paging
from cint_nb.sandbox.protocol.messages import Answer, Ask, JsonObject, invalid
from cint_nb.sandbox.protocol.paging import cut, here
from cint_nb.sandbox.protocol.request_bodies import ProjectDraft
from cint_nb.sandbox.simulation import metrics
from cint_nb.sandbox.world.catalogue import USERS
from cint_nb.sandbox.world.entities import Group, Project
from cint_nb.sandbox.world.ids import own_part
from cint_nb.sandbox.world.world import World

_READABLE_AFTER = (0.8, 2.5)  # virtual seconds until a new project can be read; assumption, the API says only "202"


def _create(world: World, ask: Ask) -> Answer:
    asked = ask.body_as(ProjectDraft)
    manager = asked["project_manager_id"].lower()
    if manager not in {user["id"] for user in USERS}:
        raise invalid(("ProjectManagerId", "'Project Manager Id' must be a user of this account."))
    project_id = world.ids.ulid(ask.t)
    low, high = _READABLE_AFTER
    world.projects[project_id] = Project(
        project_id,
        world.ids.readable(project_id, 6),
        asked["name"],
        manager,
        asked.get("project_customer_reference_number", ""),
        ask.t,
        round(ask.t + low + (high - low) * world.ids.share(own_part(project_id)), 3),
    )
    return Answer(202, {"id": project_id}, {"ETag": 'W/"1"'})


def _get(world: World, ask: Ask) -> Answer:
    project = world.project(ask)
    body: JsonObject = {
        "id": project.id,
        "human_readable_id": project.human_id,
        "name": project.name,
        "project_manager_id": project.manager,
        "account_id": world.account_id,
    }
    if project.reference:
        body["project_customer_reference_number"] = project.reference
    return Answer(body=body, headers={"ETag": f'W/"{project.version}"'})


def _overview(world: World, ask: Ask) -> Answer:
    project = world.project(ask)
    groups = world.groups_of(project.id)
    body: JsonObject = {
        "id": project.id,
        "human_readable_id": project.human_id,
        "name": project.name,
        "account_id": world.account_id,
        "status": _status(groups),
        "statistics": _statistics(groups),
        "project_manager_id": project.manager,
        "created_at": world.text(project.created),
    }
    if project.reference:
        body["project_customer_reference_number"] = project.reference
    return Answer(body=body)


def _list(world: World, ask: Ask) -> Answer:
    wanted = [
        project for project in world.projects.values() if project.readable <= ask.t and _fits(world, project, ask)
    ]
    wanted.sort(key=lambda project: project.id, reverse=True)
    page, cursor = cut(ask, wanted, lambda project: project.id)
    body: JsonObject = {
        "projects": [_line(world, project) for project in page],
        "url": here(ask),
        "has_more": cursor is not None,
        "next_cursor": cursor,
    }
    return Answer(body=body)


def _fits(world: World, project: Project, ask: Ask) -> bool:
    names = project.name.lower()
    text = f"{names} {project.human_id} {project.reference} {project.id}".lower()
    manager, status = ask.string_param("project_manager_id"), ask.string_param("status")
    return (
        (ask.string_param("name") or "").lower() in names
        and (ask.string_param("search_string") or "").lower() in text
        and (not manager or manager.lower() == project.manager)
        and (not status or status == _status(world.groups_of(project.id)))
    )


def _line(world: World, project: Project) -> JsonObject:
    groups = world.groups_of(project.id)
    references = [group.body.get("target_group_customer_reference_number") for group in groups]
    line: JsonObject = {
        "id": project.id,
        "human_readable_id": project.human_id,
        "account_id": world.account_id,
        "name": project.name,
        "target_group_human_readable_ids": [group.human_id for group in groups],
        "target_group_count": len(groups),
        "status": _status(groups),
        "last_activity_at": world.text(max([project.created, *(group.updated for group in groups)])),
        "statistics": _statistics(groups),
        "target_group_customer_reference_numbers": [reference for reference in references if reference],
    }
    if project.reference:
        line["project_customer_reference_number"] = project.reference
    return line


def _status(groups: list[Group]) -> str:
    # A project without any target group counts as active: it has just begun.
    over = groups and all(group.status in ("completed", "archived") for group in groups)
    return "inactive" if over else "active"


def _statistics(groups: list[Group]) -> JsonObject:
    rates = [metrics.rates(group) for group in groups if group.status != "draft"]
    lengths = [length for group in groups for length in group.work.lengths]
    return {
        "filling_goal": sum(group.goal for group in groups),
        "current_completes": sum(group.work.completes for group in groups),
        "current_prescreens": sum(group.work.prescreens for group in groups),
        "incidence_rate_median": median([rate["incidence_rate"] for rate in rates]) if rates else 0.0,
        "length_of_interview_median_seconds": round(median(lengths)) if lengths else 0,
        "conversion_rate_average": _mean([rate["conversion_rate"] for rate in rates]),
        "drop_off_rate_average": _mean([rate["drop_off_rate"] for rate in rates]),
    }


def _mean(values: list[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0


_TAG = "Projects"
_FILTERS = (
    Query("project_manager_id", {"type": "string", "format": "uuid"}, about="Only projects of this manager."),
    Query("status", {"type": "string", "enum": ["active", "inactive"]}, about="Only projects in this state."),
    Query("name", {"type": "string", "maxLength": 128}, about="Part of the name."),
    Query("search_string", {"type": "string", "minLength": 5, "maxLength": 128}, about="Part of a name or id."),
)
OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="create_project",
        method="POST",
        path=f"{ACCOUNT}/projects",
        answer=_create,
        about="Create a project; it can be read a moment later.",
        tag=_TAG,
        status=202,
        body="ProjectDraft",
        reply="ProjectCreated",
        acts=True,
        keyed=True,
        headers=("ETag",),
        short=("project",),
    ),
    Operation(
        name="list_account_projects",
        method="GET",
        path=f"{ACCOUNT}/projects",
        answer=_list,
        about="List the projects, newest first.",
        tag=_TAG,
        reply="ProjectList",
        query=(*_FILTERS, *paging()),
    ),
    Operation(
        name="get_project_by_id",
        method="GET",
        path=PROJECT,
        answer=_get,
        about="Get a project.",
        tag=_TAG,
        reply="Project",
        headers=("ETag",),
        short=("get-project",),
    ),
    Operation(
        name="project_overview",
        method="GET",
        path=f"{PROJECT}/overview",
        answer=_overview,
        about="Get a project's numbers.",
        tag=_TAG,
        reply="ProjectOverview",
    ),
)
