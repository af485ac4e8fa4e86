"""Reports: request, follow, download and list; the respondent analysis carries the RSIDs of a wave."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date

from cint_nb.api import operations as ops
from cint_nb.api.jobs.handle import make_handle
from cint_nb.api.jobs.job import Job
from cint_nb.api.jobs.schedule import DurationModel
from cint_nb.api.parsing import parse_created_id, parse_item
from cint_nb.api.resources.downloads import Download, make_download
from cint_nb.api.safety.send_once import send_once
from cint_nb.domain import limits
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import ApiError, InputError
from cint_nb.domain.ids import masked_repr, masked_text
from cint_nb.domain.jobs import JobKind
from cint_nb.domain.models import text_or_none
from cint_nb.domain.reports import GUIDE_SPELLINGS, ReportRequest, ReportType
from cint_nb.wire.calls import Call, Reply
from cint_nb.wire.http import Http
from cint_nb.wire.pages import iter_items

_FILTERS = ("project", "target_group", "business_unit")
_RECENT_LIMIT = 500
_SPELLING_REFUSED = (400, 404)


@check_arguments()
class Reports:
    """The reports of the account: request them, follow them and download the files."""

    def __init__(self, http: Http, durations: DurationModel) -> None:
        self._http = http
        self._durations = durations
        self._spelling: dict[ReportType, str] = {}

    async def generate(
        self,
        report_type: ReportType | str,
        start: date,
        end: date,
        *,
        by: str,
        ids: Sequence[str],
        email_recipients: Sequence[str] = (),
        include_respondent_answers: bool | None = None,
    ) -> Job:
        """Request a report, which is generated in a background job.

        The exchange does not protect against requesting twice: the list of requests is read before and, after a lost
        reply, again; a new request for the same report is adopted.

        Args:
            report_type: Which report; the respondent analysis lists the RSIDs of a finished wave.
            start: First day, interpreted by the exchange as midnight US Central; at most twelve months ago.
            end: Last day, at most six months after the first.
            by: `project` (one id, for the respondent analysis), `target_group` or `business_unit`.
            ids: Ids of that kind.
            email_recipients: UUIDs of 1–5 users to notify when it is ready; nobody if omitted.
            include_respondent_answers: Whether answers to profile questions are included, where the report has them.

        Raises:
            InputError: the period or the filter is invalid; nothing was sent.
            PermissionDenied: reports require the role of a buying admin, manager or analyst.
            OutcomeUnknown: the reply was lost and the checks failed; check `list` before requesting it again.

        Serves `POST …/reports/{report_type}`.

        Example:
            >>> today, group_id = client.clock.now().date(), closed.target_group.target_group_id
            >>> start = today - timedelta(days=7)
            >>> job = client.reports.generate("respondent_analysis", start, today, by="target_group", ids=[group_id])
            >>> print(job.wait().state)
            done
        """
        kind = _parse_type(report_type)
        _check_request(start, end, by, ids)
        body: dict[str, object] = {
            "filter": by,
            "start_date": start.isoformat(),
            "end_date": end.isoformat(),
            "filter_ids": list(ids),
        }
        if email_recipients:
            body["email_recipients"] = list(email_recipients)
        if include_respondent_answers is not None:
            body["report_options"] = {"include_respondent_answers": include_respondent_answers}
        started_at = self._http.clock.now()
        key = self._http.token_factory.uuid()
        before = {request.report_id for request in await self._recent_requests()}

        def job(report_id: str) -> Job:
            return Job(
                self._http,
                make_handle(self._http, JobKind.REPORT, report_id, created_at=started_at),
                durations=self._durations,
            )

        async def send() -> Job:
            return job(parse_created_id(await self._post(kind, body, key), "report_id", "id"))

        async def check() -> Job | None:
            for request in await self._recent_requests():
                if request.report_id not in before and _same_type(request, kind) and request.matches(body):
                    return job(request.report_id)
            return None

        return await send_once(self._http, send, check, what="request a report", report_type=str(kind))

    async def status(self, report_id: str) -> str:
        """Read the status of a report, in the exchange's words; `GET …/reports/{report_id}/status`.

        Raises:
            UnexpectedReply: the reply contains no status.

        Example:
            >>> started = closed.report()
            >>> client.reports.status(client.reports.list()[0].report_id)
            'completed'
        """
        reply = await self._http.send(ops.REPORT_STATUS.make_call({"report_id": report_id}))
        status = text_or_none(reply.json_object().get("status"))
        if status is None:
            raise reply.unexpected_reply_error("The status of the report contains no status.")
        return status

    async def download(self, report_id: str) -> Download:
        """Return name and content of a finished report, CSV or XLSX; `save(folder)` replaces no file unless asked to.

        A respondent analysis contains ids of respondents: store it only where such data may be stored.

        Serves `GET …/reports/{report_id}/download`.

        Example:
            >>> made = closed.report()
            >>> file = client.reports.download(client.reports.list()[0].report_id)
            >>> len(file.content) > 1_000
            True
        """
        call = ops.DOWNLOAD_REPORT.make_call(
            {"report_id": report_id}, accept="*/*", max_bytes=limits.REPORT_MAX_BYTES, deadline=limits.UPLOAD_SECONDS
        )
        reply = await self._http.send(call)
        suffix = "xlsx" if reply.body[:2] == b"PK" else "csv"
        return make_download(reply, f"{report_id}.{suffix}")

    async def list(
        self, *, report_type: ReportType | str | None = None, status: str | None = None, level: str | None = None
    ) -> AsyncIterator[ReportRequest]:
        """Iterate over the requested reports, newest first.

        Args:
            report_type: Only this report.
            status: `processing`, `failed` or `completed`.
            level: `account`, `project`, `target_group` or `business_unit`.

        Serves `GET …/reports`.

        Example:
            >>> made = closed.report()
            >>> [request.status for request in client.reports.list()]
            ['completed']
        """
        query = {
            "report_type": str(_parse_type(report_type)) if report_type else None,
            "Status": status,  # the only parameter the exchange writes with a capital letter
            "level": level,
        }
        call = ops.LIST_REPORTS.make_call(query=query)
        async for row in iter_items(self._http, call, items_key="reports_requests"):
            yield parse_item(ReportRequest, row, call)

    async def _recent_requests(self) -> tuple[ReportRequest, ...]:
        found = []
        async for request in self.list():
            found.append(request)
            if len(found) >= _RECENT_LIMIT:
                break
        return tuple(found)

    async def _post(self, kind: ReportType, body: dict[str, object], key: str) -> Reply:
        """Send with the reference's spelling of the type; if it is rejected, with the guides'. Remember what worked.

        Only one of the documents mentions an idempotency key here, so it is sent but not relied on.
        """

        def call(spelling: str) -> Call:
            return ops.GENERATE_REPORT.make_call({"report_type": spelling}, json=body, idempotency_key=key)

        known = self._spelling.get(kind)
        if known is not None or kind not in GUIDE_SPELLINGS:
            return await self._http.send(call(known or str(kind)))
        try:
            reply = await self._http.send(call(str(kind)))
            self._spelling[kind] = str(kind)
        except ApiError as error:
            if error.status not in _SPELLING_REFUSED or (error.invalid_params and not _concerns_type(error)):
                raise
            other = GUIDE_SPELLINGS[kind]
            try:
                reply = await self._http.send(call(other))
            except ApiError as again:
                if again.status not in _SPELLING_REFUSED:
                    raise
                raise error from None
            self._spelling[kind] = other
        return reply


def _concerns_type(error: ApiError) -> bool:
    return any("report_type" in name for name, _ in error.invalid_params if name is not None)


def _same_type(request: ReportRequest, kind: ReportType) -> bool:
    if request.report_type is None:
        return False
    folded = request.report_type.lower().replace(" ", "-").replace("_", "-")
    return folded in {str(kind), GUIDE_SPELLINGS.get(kind, str(kind)).replace("_", "-")}


def _parse_type(word: ReportType | str) -> ReportType:
    folded = str(word).strip().lower()
    for kind in ReportType:
        if folded in {str(kind), str(kind).replace("-", "_"), GUIDE_SPELLINGS.get(kind)}:
            return kind
    raise InputError(
        f"Unknown report type {masked_repr(folded, 40)}.",
        evidence={"field": "report_type"},
        next_step=f"choose one of {', '.join(ReportType)}.",
    )


def _check_request(start: date, end: date, by: str, ids: Sequence[str]) -> None:
    last = _months_later(start, limits.REPORT_MONTHS_MAX)
    if not start <= end <= last:
        raise InputError(
            f"A report covers at most {limits.REPORT_MONTHS_MAX} months, from an earlier to a later day.",
            evidence={"start": start, "end": end},
            next_step=f"end it by {last} and request the rest in a second report.",
        )
    if by not in _FILTERS or not ids:
        raise InputError(
            f"A report is filtered by one of {', '.join(_FILTERS)}, with at least one ID.",
            evidence={"by": masked_text(by, 40), "ids": len(ids)},
        )


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in range(day.day, 27, -1):
        try:
            return date(year, month + 1, last)
        except ValueError:  # a month without that day
            continue
    return date(year, month + 1, min(day.day, 28))
