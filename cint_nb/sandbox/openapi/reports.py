"""The schemas of reports."""

from __future__ import annotations

from cint_nb.sandbox.openapi.builders import array, boolean, date_time, integer, nullable, object_, string, ulid, uuid
from cint_nb.sandbox.protocol.json_schema import Schema

LEVELS = {"business_unit": "Business Unit", "target_group": "Target Group", "project": "Project"}
_day: Schema = {"anyOf": [string(format="date"), string(format="date-time")]}
_options = nullable(
    object_(
        {"include_respondent_answers": nullable(boolean()), "link_type": nullable(integer(0, 100))},
        optional=None,
    )
)
_params = object_(
    {
        "start_date": string(),
        "end_date": string(),
        "filter": string(),
        "filter_ids": array(string()),
        "report_options": {"type": ["object", "null"]},
    },
    optional=None,
)
_requestor = object_({"id": uuid, "name": string(), "email": string()})

REPORTS: dict[str, Schema] = {
    "ReportAsked": object_(
        {
            "filter": nullable(string(enum=[*LEVELS])),
            "start_date": _day,
            "end_date": _day,
            "filter_ids": array(string(low=1, high=40), high=1_000),
            "report_options": _options,
            "email_recipients": array(string(low=1, high=320), low=1, high=5),
        },
        optional=None,
    ),
    "ReportCreated": object_(
        {
            "message": string(),
            "report_id": ulid,
            "report_url": string(),
            "create_date": date_time,
            "status": string(enum=["pending", "emailed", "failed"]),
            "report_type": string(),
            "level": string(),
            "create_params": _params,
            "requestor": _requestor,
        }
    ),
    "ReportStatus": object_(
        {
            "report_id": ulid,
            "status": string(enum=["completed", "in_progress", "failed"]),
            "message": string(),
            "report_url": string(),
        }
    ),
    "ReportLink": object_({"report_pre_signed_url": string()}),
    "ReportList": object_(
        {
            "next_cursor": nullable(string()),
            "reports_requests": array(
                object_(
                    {
                        "account_name": string(),
                        "create_date": date_time,
                        "create_params": _params,
                        "requestor": _requestor,
                        "report_id": ulid,
                        "report_type": string(),
                        "report_url": string(),
                        "status": string(enum=["pending", "completed", "failed"]),
                        "level": string(),
                    }
                )
            ),
        }
    ),
}
