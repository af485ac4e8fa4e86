"""The schemas of definitions, projects, recontacts, exclusions and fielding."""

from __future__ import annotations

from cint_nb.sandbox.openapi.builders import (
    JOB_STATUSES,
    REFERENCE,
    RUN_STATUSES,
    array,
    boolean,
    date_time,
    integer,
    name,
    nullable,
    object_,
    ratio,
    ref,
    string,
    ulid,
    uuid,
)
from cint_nb.sandbox.protocol.json_schema import Schema

_code = object_({"id": integer(), "code": string(), "name": string()})
_suppliers = array(
    object_(
        {
            "supplier_id": integer(),
            "name": string(low=1),
            "type": string(enum=["loyalty_panels", "non_panel_or_affiliate", "survey_panels"]),
        }
    )
)
_statistics = object_(
    {
        "filling_goal": integer(),
        "current_completes": integer(),
        "current_prescreens": integer(),
        "incidence_rate_median": ratio,
        "length_of_interview_median_seconds": integer(),
        "conversion_rate_average": ratio,
        "drop_off_rate_average": ratio,
    }
)
_project_reference = string(low=3, high=128, pattern=REFERENCE)
_project = {
    "id": ulid,
    "human_readable_id": string(low=6, high=6),
    "account_id": integer(),
    "name": name,
    "project_customer_reference_number": _project_reference,
}
_job = {
    "job_id": ulid,
    "created_at": date_time,
    "completed_at": nullable(date_time),
    "status": string(enum=JOB_STATUSES),
    "created_by": uuid,
    "failure_reason": nullable(ref("Reason")),
    "job_trace_id": nullable(string()),
}
_failure = object_(
    {
        "code": string(),
        "description": string(),
        "reasons": array(object_({"name": string(), "reason": string(), "detail": string()}, optional=None)),
    },
    optional=("reasons",),
)
_run = object_(
    {
        "id": ulid,
        "last_changed_at": date_time,
        "last_changed_by": uuid,
        "start_fielding_at": date_time,
        "end_fielding_at": date_time,
        "status": string(enum=RUN_STATUSES),
        "version": integer(),
    }
)


def _strict(item: Schema) -> Schema:
    return object_({"data": array(item), "has_more": boolean()})


RESOURCES: dict[str, Schema] = {
    "Accounts": object_({"accounts": array(object_({"id": integer(), "name": string()}))}),
    "Users": object_({"users": array(object_({"id": uuid, "email": string(), "name": string()}))}),
    "UserBusinessUnit": object_({"business_unit_id": integer()}),
    "BusinessUnits": object_(
        {
            "business_units": array(
                object_(
                    {"id": integer(), "name": string(), "currency_code": string(), "pricing_models": array(string())}
                )
            )
        }
    ),
    "Locales": object_(
        {
            "locales": array(
                object_(
                    {
                        "country": object_({"code": string(), "name": string()}),
                        "languages": array(object_({"is_preferred": boolean(), "name": string(), "code": string()})),
                    }
                )
            )
        }
    ),
    "Industries": object_({"industries": array(_code)}),
    "StudyTypes": object_({"study_types": array(_code)}),
    "Templates": object_(
        {
            "templates": array(
                object_(
                    {"template_id": ulid, "name": string(), "last_modified_at": date_time, "last_modified_by": uuid}
                )
            ),
            "has_more": boolean(),
            "next_cursor": string(),
        }
    ),
    "Template": object_(
        {
            "template_id": ulid,
            "name": string(),
            "supply_allocations": array(
                object_(
                    {
                        "type": string(enum=["exchange", "group", "blocked"]),
                        "name": string(),
                        "percentage_min": nullable(integer(0, 100)),
                        "percentage_max": integer(0, 100),
                        "suppliers": _suppliers,
                    },
                    optional=("name", "percentage_min", "percentage_max"),
                )
            ),
        }
    ),
    "ProjectDraft": object_(
        {"name": name, "project_manager_id": uuid, "project_customer_reference_number": _project_reference},
        optional=("project_customer_reference_number",),
    ),
    "ProjectCreated": object_({"id": ulid}),
    "Project": object_({**_project, "project_manager_id": uuid}, optional=("project_customer_reference_number",)),
    "ProjectOverview": object_(
        {
            **_project,
            "status": string(enum=["active", "inactive"]),
            "statistics": _statistics,
            "project_manager_id": uuid,
            "created_at": date_time,
        },
        optional=("project_customer_reference_number",),
    ),
    "ProjectList": object_(
        {
            "projects": array(
                object_(
                    {
                        **_project,
                        "target_group_human_readable_ids": array(string(low=7, high=7)),
                        "target_group_count": integer(),
                        "status": string(enum=["active", "inactive"]),
                        "last_activity_at": date_time,
                        "statistics": _statistics,
                        "target_group_customer_reference_numbers": array(string()),
                    },
                    optional=("project_customer_reference_number",),
                )
            ),
            "url": string(),
            "has_more": boolean(),
            "next_cursor": nullable(string()),
        },
        optional=("next_cursor",),
    ),
    "UploadJob": object_({**_job, "partial_success_reason": nullable(ref("Reason"))}),
    "RemovalJob": object_(_job),
    "UploadJobs": object_(
        {
            "data": array(
                object_(
                    {
                        "job_id": ulid,
                        "file_name": string(),
                        "status": string(enum=JOB_STATUSES),
                        "created_at": date_time,
                        "created_by": uuid,
                    }
                )
            ),
            "next_cursor": nullable(string()),
        },
        optional=("next_cursor",),
    ),
    "SavedCount": object_({"saved_respondent_ids_count": integer(0, 100_000)}),
    "SavedIdPage": object_(
        {"data": array(uuid), "next_cursor": string(), "url": string()}, optional=("data", "next_cursor")
    ),
    "ExcludedIdPage": object_(
        {"data": array(uuid), "next_cursor": string(), "url": string()}, optional=("next_cursor",)
    ),
    "ExclusionJob": object_(
        {
            "job_id": ulid,
            "created_at": date_time,
            "completed_at": date_time,
            "status": string(enum=["Success", "Failed", "Processing"]),
            "created_by": uuid,
            "failure_reason": ref("Reason"),
            "partial_success_reason": ref("Reason"),
            "job_trace_id": string(),
        },
        optional=("completed_at", "failure_reason", "partial_success_reason", "job_trace_id"),
    ),
    "ExclusionCounts": object_(
        {"saved_respondent_ids_count": integer(0, 100_000), "saved_access_respondent_guids_count": integer(0, 100_000)}
    ),
    "Policy": object_(
        {
            "project_exclusion_enabled": boolean(),
            "create_date": date_time,
            "updated_by": string(),
            "update_date": date_time,
        }
    ),
    "PolicyList": array(object_({"target_group_id": ulid, "project_exclusion_enabled": boolean()})),
    "NewExclusionGroup": object_({"tag": string(high=128), "description": string(high=500)}),
    "ExclusionGroupCreated": object_({"exclusion_group_id": ulid}),
    "TargetGroupIds": object_({"data": array(ulid, high=100)}, optional=None),
    "ExclusionGroupList": object_(
        {
            "data": array(
                object_(
                    {
                        "exclusion_group_id": ulid,
                        "tag": string(),
                        "description": string(),
                        "create_date": date_time,
                        "update_date": nullable(date_time),
                    }
                )
            ),
            "next_cursor": string(),
            "url": string(),
        },
        optional=("next_cursor",),
    ),
    "Policies": array(object_({"target_group_id": ulid, "project_exclusion_enabled": boolean()}), low=1, high=1_000),
    "Launch": object_({"end_fielding_at": date_time}),
    "Schedule": object_({"start_fielding_at": date_time, "end_fielding_at": date_time}),
    "Period": object_({"start_fielding_at": date_time, "end_fielding_at": date_time}),
    "LaunchJob": object_(
        {
            "job_id": ulid,
            "created_fielding_run_id": ulid,
            "created_at": date_time,
            "created_by": uuid,
            "status": string(enum=JOB_STATUSES),
            "failure_reason": _failure,
            "job_trace_id": string(),
        },
        optional=("created_fielding_run_id", "failure_reason", "job_trace_id"),
    ),
    "Runs": _strict(_run),
    "Run": _run,
    "RunChanged": object_({"id": ulid}),
    "Batch": object_({"target_group_ids": array(ulid, low=1, high=1_000)}),
    "BatchJob": object_(
        {
            "job_id": ulid,
            "created_at": date_time,
            "created_by": uuid,
            "status": string(enum=JOB_STATUSES),
            "updated_target_groups": _strict(object_({"target_group_id": ulid})),
            "failed_target_groups": _strict(object_({"target_group_id": ulid, "failure_reason": ref("Reason")})),
        }
    ),
}
