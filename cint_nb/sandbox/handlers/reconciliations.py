"""Handlers for reconciliations: submit, list, read, download, eligible target groups, reason codes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from cint_nb.sandbox.handlers.operation import ACCOUNT, Operation, QueryParam, paging_params
from cint_nb.sandbox.openapi.reconciliations import DOWNLOADS, STATUSES
from cint_nb.sandbox.protocol.json_schema import Schema
from cint_nb.sandbox.protocol.messages import (
    JsonObject,
    Request,
    Response,
    StateFault,
    bad_request,
    not_found,
    unsupported_media_type,
)
from cint_nb.sandbox.protocol.paging import contains, page_of, self_link
from cint_nb.sandbox.simulation.metrics import money_to_json
from cint_nb.sandbox.simulation.outcomes import COMPLETES
from cint_nb.sandbox.simulation.reconciliation import REASONS, seconds_to_process
from cint_nb.sandbox.world import catalogue
from cint_nb.sandbox.world.central_time import reconcilable_until, to_central
from cint_nb.sandbox.world.entities import ReconciledGroup, Reconciliation, TargetGroup, Visit
from cint_nb.sandbox.world.world import World

_ROWS_MAX = 100_000
_NAME_MAX = 255


def _submit(world: World, request: Request) -> Response:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("text/csv", "application/csv"):
        raise unsupported_media_type("the body of this request must be text/csv")
    lines = _parse_lines(request.body)
    t = request.received_at
    request_id = world.id_factory.ulid(t)
    name = request.string_param("name") or f"{request_id}.csv"
    ends = float("inf")
    if StateFault.JOB_NEVER_ENDS not in request.state_faults:
        ends = round(t + seconds_to_process(world, len(lines)), 3)
    submission = Reconciliation(
        request_id,
        name,
        request.body,
        lines,
        t,
        world.actor,
        ends,
        is_partial=StateFault.PARTIAL in request.state_faults,
    )
    world.reconciliations[request_id] = submission
    if ends < float("inf"):
        world.schedule(ends, request_id)
    return Response(202, {"name": name, "request_id": request_id})


def _parse_lines(body: bytes) -> list[str]:
    """Return the lines of a submission; what each says is judged when it is processed."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise bad_request(("Body", "the file is not a text file.")) from None
    lines = [line for line in text.replace("\r\n", "\n").split("\n") if line.strip()]
    if not lines:
        raise bad_request(("Body", "the file is empty."))
    if len(lines) > _ROWS_MAX:
        raise bad_request(("Body", f"the file has more than {_ROWS_MAX} rows."))
    return lines


def _submission(world: World, request: Request) -> Reconciliation:
    found = world.reconciliations.get(request.path_params["request_id"])
    if found is None:
        raise not_found("the reconciliation")
    return found


def _status_of(submission: Reconciliation) -> str:
    return "complete" if submission.is_processed else "processing"


def _sum(submission: Reconciliation) -> ReconciledGroup:
    """Return what a submission has come to so far; before it is processed, only how much was submitted is known."""
    total = ReconciledGroup(submitted=len(submission.lines))
    for counts in submission.groups.values():
        total.expired += counts.expired
        total.invalid += counts.invalid
        total.positive += counts.positive
        total.negative += counts.negative
    return total


def _flat(counts: ReconciledGroup) -> JsonObject:
    return {
        "submitted_count": counts.submitted,
        "expired_count": counts.expired,
        "invalid_count": counts.invalid,
        "positive_reversed_count": counts.positive,
        "negative_reversed_count": counts.negative,
    }


def _list(world: World, request: Request) -> Response:
    name, status = request.string_param("name"), request.string_param("status")
    user = request.string_param("submitted_by_user_id")
    wanted = [
        each
        for each in sorted(world.reconciliations.values(), key=lambda each: each.id, reverse=True)
        if contains(each.name, name)
        and status in (None, _status_of(each))
        and (user is None or user.lower() == each.created_by.lower())
    ]
    page, cursor = page_of(request, wanted, lambda each: each.id)
    rows: list[JsonObject] = []
    for each in page:
        total = _sum(each)
        rows.append(
            {
                "id": each.id,
                "name": each.name,
                "submitted_at": world.format_time(each.created),
                "status": _status_of(each),
                "submitted_by_user_id": each.created_by,
                "submission_type": "rejected_rids",
                "result_counts": {
                    "submitted": total.submitted,
                    "expired": total.expired,
                    "invalid": total.invalid,
                    "total_reversed": total.positive + total.negative,
                    "positive_reversed": total.positive,
                    "negative_reversed": total.negative,
                },
            }
        )
    body = {"reconciliation_requests": rows, "next_cursor": cursor, "page_size": request.int_param("page_size")}
    return Response(body=body)


def _get(world: World, request: Request) -> Response:
    each = _submission(world, request)
    body: JsonObject = {
        "request_id": each.id,
        "name": each.name,
        "status": _status_of(each),
        "submitted_at": world.format_time(each.created),
        "submitter_las_id": each.created_by,
        "submission_type": "rejected_rids",
    }
    return Response(body={**body, **_flat(_sum(each))})


def _group_row(submission: Reconciliation, group_id: str) -> JsonObject:
    counts = submission.groups[group_id]
    return {"target_group_id": group_id, "status": _status_of(submission), **_flat(counts)}


def _groups(world: World, request: Request) -> Response:
    submission = _submission(world, request)
    known = sorted(group_id for group_id in submission.groups if group_id is not None)
    page, cursor = page_of(request, known, str)
    rows = [_group_row(submission, group_id) for group_id in page]
    body = {"target_groups": rows, "next_cursor": cursor, "page_size": request.int_param("page_size")}
    return Response(body=body)


def _group(world: World, request: Request) -> Response:
    submission = _submission(world, request)
    group_id = request.path_params["target_group_id"]
    if group_id not in submission.groups:
        raise not_found("the target group")
    return Response(body=_group_row(submission, group_id))


def _download(world: World, request: Request) -> Response:
    submission, which = _submission(world, request), request.path_params["download_type"]
    if which not in DOWNLOADS:
        raise bad_request(("download_type", f"choose one of {', '.join(DOWNLOADS)}."))
    if which == "submitted-rids":
        content = submission.content
    elif not submission.is_processed:
        raise not_found("the file")
    else:
        rids = submission.expired_rids if which == "expired-rids" else submission.invalid_rids
        content = "".join(f"{rid}\n" for rid in rids).encode() or b"\n"
    headers = {"Content-Disposition": f'attachment; filename="{which}-{submission.id}.csv"'}
    return Response(content=content, media_type="text/csv", headers=headers)


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


def _reason_codes(_world: World, _request: Request) -> Response:
    rows: list[JsonObject] = [
        {"code": str(code), "name": name, "description": description, "allowed": allowed}
        for code, (name, description, allowed) in REASONS.items()
    ]
    return Response(body={"reconciliation_reasons": rows})


_TAG = "Reconciliations"
_RECONCILIATIONS = f"{ACCOUNT}/reconciliations"
_RECONCILIATION = f"{_RECONCILIATIONS}/{{request_id}}"
_TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": _NAME_MAX}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="get_reconciliations_by_account_id",
        method="GET",
        path=_RECONCILIATIONS,
        handler=_list,
        summary="List the submissions, newest first.",
        tag=_TAG,
        response_schema="ReconciliationList",
        query=(
            QueryParam("name", _TEXT, description="Only submissions whose name contains this."),
            QueryParam("status", {"type": "string", "enum": STATUSES}, description="Only submissions in this state."),
            QueryParam("submitted_by_user_id", {"type": "string", "format": "uuid"}, description="Only this user's."),
            *paging_params(),
        ),
        aliases=("list-reconciliations",),
    ),
    Operation(
        name="post_reconciliations",
        method="POST",
        path=_RECONCILIATIONS,
        handler=_submit,
        summary="Submit changes of visits: lines of response id and reason code, without a header.",
        tag=_TAG,
        status=202,
        response_schema="ReconciliationCreated",
        query=(QueryParam("name", _TEXT, description="Name of the submission."),),
        errors=(413, 415),
        changes_state=True,
        accepts_idempotency_key=True,
        takes_csv=True,
        aliases=("reconcile",),
    ),
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
    Operation(
        name="request_reconciliation_reason_codes",
        method="GET",
        path=f"{_RECONCILIATIONS}/reason-codes",
        handler=_reason_codes,
        summary="List the reason codes.",
        tag=_TAG,
        response_schema="ReasonCodeList",
    ),
    Operation(
        name="get_reconciliation_by_request_id",
        method="GET",
        path=_RECONCILIATION,
        handler=_get,
        summary="Get a submission with its counts.",
        tag=_TAG,
        response_schema="Reconciliation",
        aliases=("reconciliation",),
    ),
    Operation(
        name="get_target_groups_by_request_id",
        method="GET",
        path=f"{_RECONCILIATION}/target-groups",
        handler=_groups,
        summary="List the target groups of a submission.",
        tag=_TAG,
        response_schema="ReconciledGroupList",
        query=paging_params(back=False),
    ),
    Operation(
        name="get_target_group_by_request_id_and_target_group_id",
        method="GET",
        path=f"{_RECONCILIATION}/target-groups/{{target_group_id}}",
        handler=_group,
        summary="Get what a submission came to in one target group.",
        tag=_TAG,
        response_schema="ReconciledGroup",
    ),
    Operation(
        name="get_recon_downloads",
        method="GET",
        path=f"{_RECONCILIATION}/downloads/{{download_type}}",
        handler=_download,
        summary="Download a file of a submission.",
        tag=_TAG,
        media_types=("text/csv",),
        headers=("Content-Disposition",),
        aliases=("reconciliation-download",),
    ),
)
