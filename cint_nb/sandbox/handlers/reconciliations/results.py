"""Handlers for what became of submissions: list, counts, target groups, files."""

from __future__ import annotations

from cint_nb.sandbox.handlers.operation import ACCOUNT, Operation, QueryParam, paging_params
from cint_nb.sandbox.openapi.reconciliations import DOWNLOADS, STATUSES
from cint_nb.sandbox.protocol.json_schema import Schema
from cint_nb.sandbox.protocol.messages import (
    JsonObject,
    Request,
    Response,
    bad_request,
    not_found,
)
from cint_nb.sandbox.protocol.paging import contains, page_of
from cint_nb.sandbox.world.entities import ReconciledGroup, Reconciliation
from cint_nb.sandbox.world.world import World

_NAME_MAX = 255


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
