"""The handler for target groups with completes that can still be reconciled."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from cint_nb.sandbox.handlers.operation import ACCOUNT, Operation, QueryParam, paging_params
from cint_nb.sandbox.protocol.json_schema import Schema
from cint_nb.sandbox.protocol.messages import (
    JsonObject,
    Request,
    Response,
)
from cint_nb.sandbox.protocol.paging import contains, page_of, self_link
from cint_nb.sandbox.simulation.metrics import money_to_json
from cint_nb.sandbox.simulation.outcomes import COMPLETES
from cint_nb.sandbox.world import catalogue
from cint_nb.sandbox.world.central_time import reconcilable_until, to_central
from cint_nb.sandbox.world.entities import TargetGroup, Visit
from cint_nb.sandbox.world.world import World

_NAME_MAX = 255


def _eligible(world: World, request: Request) -> Response:
    now = world.time_at(request.received_at)
    due, name = request.string_param("due_month"), request.string_param("name")
    project_name, status = request.string_param("project_name"), request.string_param("status")
    manager = request.string_param("project_manager_id")
    month = _month(now) + (due == "next_month")
    found: list[tuple[TargetGroup, list[Visit]]] = []
    for group in sorted(world.groups.values(), key=lambda each: each.id):
        visits = [visit for visit in _reconcilable(world, group, now) if _due_month(world, visit) == month]
        if (
            visits
            and contains(group.body["name"], name)
            and contains(world.projects[group.project_id].name, project_name)
            and status in (None, group.status)
            and manager in (None, group.body["project_manager_id"])
        ):
            found.append((group, visits))
    page, cursor = page_of(request, found, lambda each: each[0].id)
    currencies = {group.currency for group, _ in found}
    summary: JsonObject = {
        "completes": str(sum(len(visits) for _, visits in found)),
        "target_group_count": str(len(found)),
    }
    if len(currencies) == 1:
        cost = sum((_cost(visits) for _, visits in found), Decimal(0))
        summary["monetary_amount"] = money_to_json(cost, currencies.pop())
    body: JsonObject = {
        "target_groups": [_eligible_row(world, group, visits) for group, visits in page],
        "url": self_link(request),
        "summary": summary,
        "has_more": cursor is not None,
        "page_size": request.int_param("page_size"),
    }
    if cursor is not None:
        body["next_cursor"] = cursor
    return Response(body=body)


def _eligible_row(world: World, group: TargetGroup, visits: list[Visit]) -> JsonObject:
    manager = group.body["project_manager_id"]
    row: JsonObject = {
        "name": group.body["name"],
        "target_group_id": group.id,
        "project_id": group.project_id,
        "project_manager": next((dict(user) for user in catalogue.USERS if user["id"] == manager), None),
        "status": group.status,
        "project_name": world.projects[group.project_id].name,
        "eligible_completes": str(len(visits)),
        "monetary_amount": money_to_json(_cost(visits), group.currency),
    }
    last = max((each.created for each in world.reconciliations.values() if group.id in each.groups), default=None)
    if last is not None:
        row["last_reconciliation_date"] = world.format_time(last)
    return row


def _reconcilable(world: World, group: TargetGroup, now: datetime) -> Iterable[Visit]:
    return (
        visit
        for visit in group.fieldwork.visits
        if visit.outcome in COMPLETES and now < reconcilable_until(world.time_at(visit.ended))
    )


def _due_month(world: World, visit: Visit) -> int:
    """Return the month in which a visit can be reconciled at last: the one after its completion."""
    return _month(world.time_at(visit.ended)) + 1


def _month(moment: datetime) -> int:
    local = to_central(moment)
    return local.year * 12 + local.month


def _cost(visits: list[Visit]) -> Decimal:
    return sum((visit.cost for visit in visits), Decimal(0))


_TAG = "Reconciliations"
_RECONCILIATIONS = f"{ACCOUNT}/reconciliations"
_RECONCILIATION = f"{_RECONCILIATIONS}/{{request_id}}"
_TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": _NAME_MAX}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="get_eligible_target_groups",
        method="GET",
        path=f"{_RECONCILIATIONS}/eligible-target-groups",
        handler=_eligible,
        summary="List target groups with completes that can still be reconciled.",
        tag=_TAG,
        response_schema="EligibleGroupList",
        query=(
            QueryParam(
                "due_month",
                {"type": "string", "enum": ["current_month", "next_month"]},
                default="current_month",
                description="Month of the deadline.",
            ),
            QueryParam("name", _TEXT, description="Only groups whose name contains this."),
            QueryParam("status", _TEXT, description="Only groups in this state."),
            QueryParam("project_name", _TEXT, description="Only groups of projects whose name contains this."),
            QueryParam("project_manager_id", _TEXT, description="Only groups of this manager."),
            *paging_params(back=False),
        ),
    ),
)
