"""Reports as plain verbs."""

# Generated from cint_nb/api/resources/reports.py by `nox -s plain`; change that file instead.

from __future__ import annotations

import builtins
from collections.abc import Sequence
from datetime import date

from cint_nb.api.jobs.job import Job
from cint_nb.api.resources import reports
from cint_nb.api.resources.downloads import Download
from cint_nb.domain.reports import ReportRequest, ReportType
from cint_nb.wire import loop_thread


class Reports:
    """The reports of the account: request them, follow them and download the files."""

    def __init__(self, aio: reports.Reports) -> None:
        self._aio = aio

    def generate(
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
        return loop_thread.run(
            self._aio.generate(
                report_type,
                start,
                end,
                by=by,
                ids=ids,
                email_recipients=email_recipients,
                include_respondent_answers=include_respondent_answers,
            )
        )

    def status(self, report_id: str) -> str:
        """Read the status of a report, in the exchange's words; `GET …/reports/{report_id}/status`.

        Raises:
            UnexpectedReply: the reply contains no status.

        Example:
            >>> started = closed.report()
            >>> client.reports.status(client.reports.list()[0].report_id)
            'completed'
        """
        return loop_thread.run(self._aio.status(report_id))

    def download(self, report_id: str) -> Download:
        """Return name and content of a finished report, CSV or XLSX; `save(folder)` replaces no file unless asked to.

        A respondent analysis contains ids of respondents: store it only where such data may be stored.

        Serves `GET …/reports/{report_id}/download`.

        Example:
            >>> made = closed.report()
            >>> file = client.reports.download(client.reports.list()[0].report_id)
            >>> len(file.content) > 1_000
            True
        """
        return loop_thread.run(self._aio.download(report_id))

    def list(
        self, *, report_type: ReportType | str | None = None, status: str | None = None, level: str | None = None
    ) -> builtins.list[ReportRequest]:
        """List the requested reports, newest first.

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
        return loop_thread.run(loop_thread.collect(self._aio.list(report_type=report_type, status=status, level=level)))
