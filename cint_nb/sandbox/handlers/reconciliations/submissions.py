"""Handlers for submitting changes of visits, and for the reason codes they may have."""

from __future__ import annotations

from cint_nb.sandbox.handlers.operation import ACCOUNT, Operation, QueryParam
from cint_nb.sandbox.protocol.json_schema import Schema
from cint_nb.sandbox.protocol.messages import (
    JsonObject,
    Request,
    Response,
    StateFault,
    bad_request,
    unsupported_media_type,
)
from cint_nb.sandbox.simulation.reconciliation import REASONS, seconds_to_process
from cint_nb.sandbox.world.entities import Reconciliation
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
        name="request_reconciliation_reason_codes",
        method="GET",
        path=f"{_RECONCILIATIONS}/reason-codes",
        handler=_reason_codes,
        summary="List the reason codes.",
        tag=_TAG,
        response_schema="ReasonCodeList",
    ),
)
