"""Handlers for reports: generate, status, download as CSV or workbook, share, list."""

from __future__ import annotations

from collections.abc import Container
from datetime import date, timedelta

from cint_nb.sandbox.handlers import report_files
from cint_nb.sandbox.handlers.operation import ACCOUNT, Operation, QueryParam, paging_params
from cint_nb.sandbox.openapi.reports import LEVELS
from cint_nb.sandbox.protocol.messages import JsonObject, Request, Response, StateFault, bad_request, not_found
from cint_nb.sandbox.protocol.paging import page_of
from cint_nb.sandbox.protocol.request_bodies import ReportQuery
from cint_nb.sandbox.world import catalogue
from cint_nb.sandbox.world.central_time import central_midnight, reconcilable_since, to_central
from cint_nb.sandbox.world.entities import Report, TargetGroup
from cint_nb.sandbox.world.ids import random_part
from cint_nb.sandbox.world.world import World

_ONE_DAY = timedelta(days=1)
_MAX_PERIOD = timedelta(days=184)  # six months per request
_MAX_AGE = 366 * 86_400  # data of the last twelve months
_READY_AFTER = (20.0, 60.0)  # virtual seconds; assumption
_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MEDIA = {
    "completes": "text/csv",
    "reconciliations-status": "text/csv",
    "reconciliation-eligible-rids": "text/csv",
    "sample-bought": _WORKBOOK,
    "respondent-analysis": "text/csv",
    "term-details": _WORKBOOK,
}
REPORT_TYPES = tuple(_MEDIA)
# The guide spells two types differently, and all with underscores.
GUIDE_SPELLINGS = {"reconciliation-status": "reconciliations-status", "termination-details": "term-details"}


def _generate(world: World, request: Request) -> Response:
    kind = request.path_params["report_type"].replace("_", "-")
    kind = GUIDE_SPELLINGS.get(kind, kind)
    if kind not in _MEDIA:
        raise bad_request(("report_type", "'report_type' is not a known report."))
    query = request.body_as(ReportQuery)
    level = query.get("filter")
    ids = query.get("filter_ids") or []
    _check_level(world, kind, level, ids)
    begin, end = _parse_period(world, query, request.received_at)
    report_id = world.id_factory.ulid(request.received_at)
    low, high = _READY_AFTER
    ready = round(request.received_at + low + (high - low) * world.id_factory.draw(random_part(report_id)), 3)
    if StateFault.JOB_NEVER_ENDS in request.state_faults:
        ready = float("inf")
    report = Report(
        report_id, kind, level, request.received_at, ready, world.actor, _echo_params(request), begin, end, ids
    )
    report.with_answers = bool((query.get("report_options") or {}).get("include_respondent_answers"))
    report.failed = StateFault.JOB_FAILS in request.state_faults
    world.reports[report_id] = report
    body: JsonObject = {
        "message": "the report is being prepared",
        "report_id": report_id,
        "report_url": _url(world, report),
        "create_date": world.format_time(request.received_at),
        "status": "pending",
        "report_type": kind,
        "level": _level_name(level),
        "create_params": report.params,
        "requestor": _requestor(),
    }
    return Response(202, body)


def _check_level(world: World, kind: str, level: str | None, ids: list[str]) -> None:
    found = []
    if kind == "respondent-analysis" and (
        level not in ("project", "target_group") or (level == "project" and len(ids) != 1)
    ):
        found.append(("Filter", "this report needs one project or several target groups."))
    if kind == "term-details" and (level != "target_group" or len(ids) != 1):
        found.append(("Filter", "this report needs one target group."))
    known: Container[str] | None = None
    if level in ("project", "target_group"):
        known = world.projects if level == "project" else world.groups
    if known is not None and (not ids or any(filter_id not in known for filter_id in ids)):
        found.append(("FilterIds", "'Filter Ids' must name things that exist."))
    if found:
        raise bad_request(*found)


def _parse_period(world: World, query: ReportQuery, t: float) -> tuple[float, float]:
    """Return the period of a report: its days begin and end at midnight US Central time."""
    today = to_central(world.time_at(t)).date()
    first, last = _parse_day(query.get("start_date")), _parse_day(query.get("end_date"))
    begin = _midnight(world, today - _MAX_PERIOD + _ONE_DAY if first is None else first)
    last = min(today if last is None else last, date.max - _ONE_DAY)
    end = _midnight(world, last + _ONE_DAY)  # the last day counts fully
    if end <= begin or end - begin > (_MAX_PERIOD + 2 * _ONE_DAY).total_seconds():
        raise bad_request(("EndDate", "the period must be longer than nothing and at most six months."))
    if begin < t - _MAX_AGE:
        raise bad_request(("StartDate", "reports reach back twelve months."))
    return begin, end


def _parse_day(text: str | None) -> date | None:
    """Return the day of a date, or of a time, of which only the day counts."""
    return None if text is None else date.fromisoformat(text[:10])


def _midnight(world: World, day: date) -> float:
    return (central_midnight(day) - world.start).total_seconds()


def _report(world: World, request: Request) -> Report:
    report = world.reports.get(request.path_params["report_id"])
    if report is None:
        raise not_found("the report")
    return report


def _status_of(report: Report, t: float) -> str:
    if report.ready_at > t:
        return "in_progress"
    return "failed" if report.failed else "completed"


def _status(world: World, request: Request) -> Response:
    report = _report(world, request)
    status = _status_of(report, request.received_at)
    body = {"report_id": report.id, "status": status, "message": f"the report is {status.replace('_', ' ')}"}
    return Response(body={**body, "report_url": _url(world, report)})


def _download(world: World, request: Request) -> Response:
    report = _report(world, request)
    if _status_of(report, request.received_at) != "completed":
        raise not_found("the file of the report")
    groups = _groups(world, report)
    begin, end = report.begin, min(report.end, report.ready_at)
    if report.kind in ("term-details", "sample-bought"):
        rows = report_files.outcome_count_rows(groups)
    else:
        analysis = report.kind == "respondent-analysis"
        eligible = report.kind == "reconciliation-eligible-rids"
        rows = report_files.visit_rows(
            world,
            groups,
            max(begin, _reconcilable_from(world, report)) if eligible else begin,
            end,
            completes_only=not analysis,
            with_answers=analysis and report.with_answers,
        )
        if eligible:
            rows = [row[1:2] for row in rows]
    media = _MEDIA[report.kind]
    content = report_files.write_csv(rows) if media == "text/csv" else report_files.write_workbook(rows)
    name = f"{report.kind}-{report.id}.{'csv' if media == 'text/csv' else 'xlsx'}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content=content, media_type=media, headers=headers)


def _reconcilable_from(world: World, report: Report) -> float:
    """Return the begin of the visits that could be reconciled when a report was made."""
    return (reconcilable_since(world.time_at(report.ready_at)) - world.start).total_seconds()


def _groups(world: World, report: Report) -> list[TargetGroup]:
    ids = set(report.filter_ids)
    groups = sorted(world.groups.values(), key=lambda group: group.id)
    if report.level == "project":
        return [group for group in groups if group.project_id in ids]
    if report.level == "target_group":
        return [group for group in groups if group.id in ids]
    return groups


def _share(world: World, request: Request) -> Response:
    report = _report(world, request)
    if _status_of(report, request.received_at) != "completed":
        raise not_found("the file of the report")
    return Response(
        body={"report_pre_signed_url": f"https://sandbox.invalid/shared/{world.id_factory.uuid(report.id)}"}
    )


def _list(world: World, request: Request) -> Response:
    words = {"in_progress": "pending"}
    status_asked = request.string_param("Status")
    if status_asked == "processing":
        status_asked = "pending"
    wanted = []
    for report in sorted(world.reports.values(), key=lambda report: report.id, reverse=True):
        status = _status_of(report, request.received_at)
        if (
            request.string_param("report_type") in (None, report.kind)
            and request.string_param("level") in (None, report.level or "account")
            and status_asked in (None, words.get(status, status))
        ):
            wanted.append(report)
    page, cursor = page_of(request, wanted, lambda report: report.id)
    lines: list[JsonObject] = []
    for report in page:
        status = _status_of(report, request.received_at)
        lines.append(
            {
                "account_name": catalogue.account_name(world.account_id),
                "create_date": world.format_time(report.created),
                "create_params": report.params,
                "requestor": _requestor(),
                "report_id": report.id,
                "report_type": report.kind,
                "report_url": _url(world, report),
                "status": words.get(status, status),
                "level": _level_name(report.level),
            }
        )
    return Response(body={"next_cursor": cursor, "reports_requests": lines})


def _level_name(level: str | None) -> str:
    return "Account" if level is None else LEVELS[level]


def _echo_params(request: Request) -> JsonObject:
    return {
        name: value
        for name, value in request.body_as(JsonObject).items()
        if name != "email_recipients" and value is not None
    }


def _requestor() -> dict[str, str]:
    return dict(catalogue.USERS[0])


def _url(world: World, report: Report) -> str:
    return f"/demand/accounts/{world.account_id}/reports/{report.id}/download"


_TAG = "Reports"
_REPORT = f"{ACCOUNT}/reports/{{report_id}}"
_REPORT_TYPE = QueryParam(
    "report_type", {"type": "string", "enum": [*_MEDIA]}, description="Only reports of this type."
)
_LEVEL = QueryParam(
    "level", {"type": "string", "enum": ["account", *LEVELS]}, description="Only reports of this level."
)
_STATUS = QueryParam(
    "Status", {"type": "string", "enum": ["processing", "failed", "completed"]}, description="With a capital S."
)


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="report_requests",
        method="GET",
        path=f"{ACCOUNT}/reports",
        handler=_list,
        summary="List the reports, newest first.",
        tag=_TAG,
        response_schema="ReportList",
        query=(_REPORT_TYPE, _LEVEL, _STATUS, *paging_params()),
        aliases=("list-reports",),
    ),
    Operation(
        name="generate_report",
        method="POST",
        path=f"{ACCOUNT}/reports/{{report_type}}",
        handler=_generate,
        summary="Ask for a report.",
        tag=_TAG,
        status=202,
        request_schema="ReportAsked",
        response_schema="ReportCreated",
        changes_state=True,
        aliases=("report",),
    ),
    Operation(
        name="report_status",
        method="GET",
        path=f"{_REPORT}/status",
        handler=_status,
        summary="Get whether a report is ready.",
        tag=_TAG,
        response_schema="ReportStatus",
        aliases=("report-status",),
    ),
    Operation(
        name="download_report_v2",
        method="GET",
        path=f"{_REPORT}/download",
        handler=_download,
        summary="Download a report, CSV or workbook by its type.",
        tag=_TAG,
        media_types=("text/csv", _WORKBOOK),
        headers=("Content-Disposition",),
        aliases=("report-download",),
    ),
    Operation(
        name="share_report",
        method="GET",
        path=f"{_REPORT}/share",
        handler=_share,
        summary="Get a temporary link to a report.",
        tag=_TAG,
        response_schema="ReportLink",
        query=(_REPORT_TYPE,),
    ),
)
