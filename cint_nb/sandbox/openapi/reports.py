"""The JSON shapes of reports."""

from __future__ import annotations

from cint_nb.sandbox.openapi.builders import flag, many, moment, or_null, record, text, ulid, uuid, whole
from cint_nb.sandbox.protocol.json_schema import Schema

LEVELS = {"business_unit": "Business Unit", "target_group": "Target Group", "project": "Project"}
_day: Schema = {"anyOf": [text(format="date"), text(format="date-time")]}
_options = or_null(
    record(
        {"include_respondent_answers": or_null(flag()), "link_type": or_null(whole(0, 100))},
        optional=None,
    )
)
_params = record(
    {
        "start_date": text(),
        "end_date": text(),
        "filter": text(),
        "filter_ids": many(text()),
        "report_options": {"type": ["object", "null"]},
    },
    optional=None,
)
_requestor = record({"id": uuid, "name": text(), "email": text()})

REPORTS: dict[str, Schema] = {
    "ReportAsked": record(
        {
            "filter": or_null(text(enum=[*LEVELS])),
            "start_date": _day,
            "end_date": _day,
            "filter_ids": many(text(low=1, high=40), high=1_000),
            "report_options": _options,
            "email_recipients": many(text(low=1, high=320), low=1, high=5),
        },
        optional=None,
    ),
    "ReportCreated": record(
        {
            "message": text(),
            "report_id": ulid,
            "report_url": text(),
            "create_date": moment,
            "status": text(enum=["pending", "emailed", "failed"]),
            "report_type": text(),
            "level": text(),
            "create_params": _params,
            "requestor": _requestor,
        }
    ),
    "ReportStatus": record(
        {
            "report_id": ulid,
            "status": text(enum=["completed", "in_progress", "failed"]),
            "message": text(),
            "report_url": text(),
        }
    ),
    "ReportLink": record({"report_pre_signed_url": text()}),
    "ReportList": record(
        {
            "next_cursor": or_null(text()),
            "reports_requests": many(
                record(
                    {
                        "account_name": text(),
                        "create_date": moment,
                        "create_params": _params,
                        "requestor": _requestor,
                        "report_id": ulid,
                        "report_type": text(),
                        "report_url": text(),
                        "status": text(enum=["pending", "completed", "failed"]),
                        "level": text(),
                    }
                )
            ),
        }
    ),
}
