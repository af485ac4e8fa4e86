"""The schemas of reconciliations."""

from __future__ import annotations

from cint_nb.sandbox.openapi.builders import (
    array,
    boolean,
    date_time,
    integer,
    nullable,
    object_,
    ref,
    string,
    ulid,
    uuid,
)
from cint_nb.sandbox.protocol.json_schema import Schema

DOWNLOADS = ("submitted-rids", "expired-rids", "invalid-rids")
"""The files of a submission."""
STATUSES = ["complete", "processing"]
_status = string(enum=STATUSES)
_type = string(enum=["approved_rids", "rejected_rids"])
_count_text = string(pattern="^[0-9]{1,9}$")
_flat_counts = {
    f"{name}_count": integer() for name in ("submitted", "expired", "invalid", "positive_reversed", "negative_reversed")
}
_reconciled_group = object_({"target_group_id": ulid, "status": _status, **_flat_counts})

RECONCILIATIONS: dict[str, Schema] = {
    "ReconciliationCreated": object_({"name": string(high=255), "request_id": ulid}),
    "ReconciliationList": object_(
        {
            "reconciliation_requests": array(
                object_(
                    {
                        "id": ulid,
                        "name": string(high=255),
                        "submitted_at": date_time,
                        "status": _status,
                        "submitted_by_user_id": uuid,
                        "submission_type": _type,
                        "result_counts": object_(
                            {
                                name: integer()
                                for name in (
                                    "submitted",
                                    "expired",
                                    "invalid",
                                    "total_reversed",
                                    "positive_reversed",
                                    "negative_reversed",
                                )
                            }
                        ),
                    }
                )
            ),
            "next_cursor": nullable(string()),
            "page_size": integer(1),
        }
    ),
    "Reconciliation": object_(
        {
            "request_id": ulid,
            "name": string(high=255),
            "status": _status,
            "submitted_at": date_time,
            "submitter_las_id": uuid,
            "submission_type": _type,
            **_flat_counts,
        }
    ),
    "ReconciledGroup": _reconciled_group,
    "ReconciledGroupList": object_(
        {
            "target_groups": array(_reconciled_group),
            "next_cursor": nullable(string()),
            "page_size": integer(1),
        }
    ),
    "EligibleGroupList": object_(
        {
            "target_groups": array(
                object_(
                    {
                        "name": string(),
                        "target_group_id": ulid,
                        "project_id": ulid,
                        "project_manager": object_({"id": uuid, "name": string(), "email": string()}),
                        "status": string(),
                        "project_name": string(),
                        "last_reconciliation_date": date_time,
                        "eligible_completes": _count_text,
                        "monetary_amount": ref("Money"),
                    },
                    optional=("last_reconciliation_date",),
                )
            ),
            "url": string(),
            "summary": object_(
                {"monetary_amount": ref("Money"), "completes": _count_text, "target_group_count": _count_text},
                optional=("monetary_amount",),
            ),
            "has_more": boolean(),
            "next_cursor": string(),
            "page_size": integer(1),
        },
        optional=("next_cursor",),
    ),
    "ReasonCodeList": object_(
        {
            "reconciliation_reasons": array(
                object_({"code": string(), "name": string(), "description": string(), "allowed": boolean()})
            )
        }
    ),
}
