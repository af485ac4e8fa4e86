"""The JSON shapes of definitions, projects, recontacts, exclusions and fielding."""

from __future__ import annotations

from cint_nb.sandbox.openapi.builders import (
    JOB_STATUSES,
    REFERENCE,
    RUN_STATUSES,
    flag,
    many,
    moment,
    name,
    or_null,
    record,
    ref,
    share,
    text,
    ulid,
    uuid,
    whole,
)
from cint_nb.sandbox.protocol.json_schema import Schema

_code = record({"id": whole(), "code": text(), "name": text()})
_suppliers = many(
    record(
        {
            "supplier_id": whole(),
            "name": text(low=1),
            "type": text(enum=["loyalty_panels", "non_panel_or_affiliate", "survey_panels"]),
        }
    )
)
_statistics = record(
    {
        "filling_goal": whole(),
        "current_completes": whole(),
        "current_prescreens": whole(),
        "incidence_rate_median": share,
        "length_of_interview_median_seconds": whole(),
        "conversion_rate_average": share,
        "drop_off_rate_average": share,
    }
)
_project_reference = text(low=3, high=128, pattern=REFERENCE)
_project = {
    "id": ulid,
    "human_readable_id": text(low=6, high=6),
    "account_id": whole(),
    "name": name,
    "project_customer_reference_number": _project_reference,
}
_job = {
    "job_id": ulid,
    "created_at": moment,
    "completed_at": or_null(moment),
    "status": text(enum=JOB_STATUSES),
    "created_by": uuid,
    "failure_reason": or_null(ref("Reason")),
    "job_trace_id": or_null(text()),
}
_failure = record(
    {
        "code": text(),
        "description": text(),
        "reasons": many(record({"name": text(), "reason": text(), "detail": text()}, optional=None)),
    },
    optional=("reasons",),
)
_run = record(
    {
        "id": ulid,
        "last_changed_at": moment,
        "last_changed_by": uuid,
        "start_fielding_at": moment,
        "end_fielding_at": moment,
        "status": text(enum=RUN_STATUSES),
        "version": whole(),
    }
)


def _closed(item: Schema) -> Schema:
    return record({"data": many(item), "has_more": flag()})


JOBS: dict[str, Schema] = {
    "Accounts": record({"accounts": many(record({"id": whole(), "name": text()}))}),
    "Users": record({"users": many(record({"id": uuid, "email": text(), "name": text()}))}),
    "UserBusinessUnit": record({"business_unit_id": whole()}),
    "BusinessUnits": record(
        {
            "business_units": many(
                record({"id": whole(), "name": text(), "currency_code": text(), "pricing_models": many(text())})
            )
        }
    ),
    "Locales": record(
        {
            "locales": many(
                record(
                    {
                        "country": record({"code": text(), "name": text()}),
                        "languages": many(record({"is_preferred": flag(), "name": text(), "code": text()})),
                    }
                )
            )
        }
    ),
    "Industries": record({"industries": many(_code)}),
    "StudyTypes": record({"study_types": many(_code)}),
    "Templates": record(
        {
            "templates": many(
                record({"template_id": ulid, "name": text(), "last_modified_at": moment, "last_modified_by": uuid})
            ),
            "has_more": flag(),
            "next_cursor": text(),
        }
    ),
    "Template": record(
        {
            "template_id": ulid,
            "name": text(),
            "supply_allocations": many(
                record(
                    {
                        "type": text(enum=["exchange", "group", "blocked"]),
                        "name": text(),
                        "percentage_min": or_null(whole(0, 100)),
                        "percentage_max": whole(0, 100),
                        "suppliers": _suppliers,
                    },
                    optional=("name", "percentage_min", "percentage_max"),
                )
            ),
        }
    ),
    "ProjectDraft": record(
        {"name": name, "project_manager_id": uuid, "project_customer_reference_number": _project_reference},
        optional=("project_customer_reference_number",),
    ),
    "ProjectCreated": record({"id": ulid}),
    "Project": record({**_project, "project_manager_id": uuid}, optional=("project_customer_reference_number",)),
    "ProjectOverview": record(
        {
            **_project,
            "status": text(enum=["active", "inactive"]),
            "statistics": _statistics,
            "project_manager_id": uuid,
            "created_at": moment,
        },
        optional=("project_customer_reference_number",),
    ),
    "ProjectList": record(
        {
            "projects": many(
                record(
                    {
                        **_project,
                        "target_group_human_readable_ids": many(text(low=7, high=7)),
                        "target_group_count": whole(),
                        "status": text(enum=["active", "inactive"]),
                        "last_activity_at": moment,
                        "statistics": _statistics,
                        "target_group_customer_reference_numbers": many(text()),
                    },
                    optional=("project_customer_reference_number",),
                )
            ),
            "url": text(),
            "has_more": flag(),
            "next_cursor": or_null(text()),
        },
        optional=("next_cursor",),
    ),
    "UploadJob": record({**_job, "partial_success_reason": or_null(ref("Reason"))}),
    "RemovalJob": record(_job),
    "UploadJobs": record(
        {
            "data": many(
                record(
                    {
                        "job_id": ulid,
                        "file_name": text(),
                        "status": text(enum=JOB_STATUSES),
                        "created_at": moment,
                        "created_by": uuid,
                    }
                )
            ),
            "next_cursor": or_null(text()),
        },
        optional=("next_cursor",),
    ),
    "SavedCount": record({"saved_respondent_ids_count": whole(0, 100_000)}),
    "IdPage": record({"data": many(uuid), "next_cursor": text(), "url": text()}, optional=("data", "next_cursor")),
    "ExclusionJob": record(
        {
            "job_id": ulid,
            "created_at": moment,
            "completed_at": moment,
            "status": text(enum=["Success", "Failed", "Processing"]),
            "created_by": uuid,
            "failure_reason": ref("Reason"),
            "partial_success_reason": ref("Reason"),
            "job_trace_id": text(),
        },
        optional=("completed_at", "failure_reason", "partial_success_reason", "job_trace_id"),
    ),
    "ExclusionCounts": record(
        {"saved_respondent_ids_count": whole(0, 100_000), "saved_access_respondent_guids_count": whole(0, 100_000)}
    ),
    "Policy": record(
        {"project_exclusion_enabled": flag(), "create_date": moment, "updated_by": text(), "update_date": moment}
    ),
    "PolicyList": many(record({"target_group_id": ulid, "project_exclusion_enabled": flag()})),
    "Policies": many(record({"target_group_id": ulid, "project_exclusion_enabled": flag()}), low=1, high=1_000),
    "Launch": record({"end_fielding_at": moment}),
    "Schedule": record({"start_fielding_at": moment, "end_fielding_at": moment}),
    "Period": record({"start_fielding_at": moment, "end_fielding_at": moment}),
    "LaunchJob": record(
        {
            "job_id": ulid,
            "created_fielding_run_id": ulid,
            "created_at": moment,
            "created_by": uuid,
            "status": text(enum=JOB_STATUSES),
            "failure_reason": _failure,
            "job_trace_id": text(),
        },
        optional=("created_fielding_run_id", "failure_reason", "job_trace_id"),
    ),
    "Runs": _closed(_run),
    "Run": _run,
    "RunChanged": record({"id": ulid}),
    "Batch": record({"target_group_ids": many(ulid, low=1, high=1_000)}),
    "BatchJob": record(
        {
            "job_id": ulid,
            "created_at": moment,
            "created_by": uuid,
            "status": text(enum=JOB_STATUSES),
            "updated_target_groups": _closed(record({"target_group_id": ulid})),
            "failed_target_groups": _closed(record({"target_group_id": ulid, "failure_reason": ref("Reason")})),
        }
    ),
}
