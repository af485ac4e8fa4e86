"""Handlers for what people do in the exchange's web interface and the marketplace by itself.

The API has no operation for it, so no client can send these: they serve the changes that happen elsewhere. One more
lets the people of the sandbox behave in another way.
"""

from __future__ import annotations

import json
from typing import cast

from cint_nb.sandbox.handlers import draft_validation, drafts
from cint_nb.sandbox.handlers.operation import ACCOUNT, PROJECT, TARGET_GROUP, Handler, Operation
from cint_nb.sandbox.openapi.schemas import SCHEMAS
from cint_nb.sandbox.protocol.json_schema import find_problems
from cint_nb.sandbox.protocol.messages import ApiError, Json, Request, Response, bad_request
from cint_nb.sandbox.protocol.request_bodies import Draft
from cint_nb.sandbox.simulation import lifecycle
from cint_nb.sandbox.world.missingness import Missingness
from cint_nb.sandbox.world.population import PopulationParameters
from cint_nb.sandbox.world.settings import read_settings
from cint_nb.sandbox.world.world import World

SWITCH_PEOPLE_PATH = f"{ACCOUNT}/web/people"
_DATES = "FieldingSpecification."


def _edit_draft(world: World, request: Request) -> Response:
    group = world.group(request)
    if group.status != "draft":
        raise bad_request(("Status", "the target group is not in a draft state."))
    body: Json = json.loads(request.body)
    found = find_problems(SCHEMAS["Draft"], body, SCHEMAS)
    if found:
        raise bad_request(*found)
    draft = cast("Draft", body)
    try:
        draft_validation.validate_draft(world, draft, request.received_at, group)
    except ApiError as error:
        # A start that has passed meanwhile does not keep people from changing something else.
        same_dates = draft["fielding_specification"] == group.body["fielding_specification"]
        kept = [param for param in error.invalid_params if not (same_dates and param[0].startswith(_DATES))]
        if kept:
            raise bad_request(*kept) from None
    drafts.replace_draft(world, group, draft, request.received_at)
    return Response(204)


def _rename_project(world: World, request: Request) -> Response:
    project = world.project(request)
    project.name = str(json.loads(request.body)["name"])
    project.version += 1
    return Response(204)


def _archive(world: World, request: Request) -> Response:
    group = world.group(request)
    if group.status == "archived":
        raise bad_request(("Status", "the target group is archived already."))
    if group.run is not None and group.run.status != "completed":
        lifecycle.transition(world, group, "completed", request.received_at)
    world.log_change(group, request.received_at, ("status", group.status, "archived"))
    group.status = "archived"
    return Response(204)


def _delete(world: World, request: Request) -> Response:
    world.remove_group(world.group(request))
    return Response(204)


def _pause_by_marketplace(world: World, request: Request) -> Response:
    group = world.group(request)
    lifecycle.require_allowed(group, "pause", request.received_at)
    lifecycle.transition(
        world,
        group,
        "paused",
        request.received_at,
        system="system_marketplace_user",
        reason="no_completes_in_several_days",
    )
    return Response(204)


def _switch_people(world: World, request: Request) -> Response:
    body = json.loads(request.body)
    known = world.population
    world.switch(
        read_settings(PopulationParameters, body["population"]) if "population" in body else known.parameters,
        read_settings(Missingness, body["missingness"]) if "missingness" in body else known.missingness,
    )
    return Response(204)


def _operation(name: str, method: str, path: str, handler: Handler, summary: str) -> Operation:
    return Operation(
        name=name, method=method, path=path, handler=handler, summary=summary, tag="Web interface", changes_state=True
    )


WEB_OPERATIONS: tuple[Operation, ...] = (
    _operation("edit_draft_in_web", "PUT", f"{TARGET_GROUP}/web/draft", _edit_draft, "Replace a draft."),
    _operation("rename_project_in_web", "PUT", f"{PROJECT}/web/name", _rename_project, "Rename a project."),
    _operation("archive_in_web", "POST", f"{TARGET_GROUP}/web/archive", _archive, "Archive a target group."),
    _operation("switch_people", "PUT", SWITCH_PEOPLE_PATH, _switch_people, "Let people behave in another way."),
    _operation("delete_in_web", "DELETE", TARGET_GROUP, _delete, "Delete a target group."),
    _operation(
        "pause_by_marketplace",
        "POST",
        f"{TARGET_GROUP}/web/pause-by-marketplace",
        _pause_by_marketplace,
        "Pause a live run for the marketplace's own reasons.",
    ),
)
"""What is no operation of the API."""
