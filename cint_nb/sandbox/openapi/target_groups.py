"""The schemas of target groups in responses, and of their metrics over time."""

from __future__ import annotations

from cint_nb.domain import limits
from cint_nb.sandbox.openapi.builders import (
    STATUSES,
    STRATEGIES,
    array,
    boolean,
    date_time,
    integer,
    name,
    nullable,
    number,
    object_,
    ratio,
    ref,
    reference,
    string,
    ulid,
    uuid,
)
from cint_nb.sandbox.openapi.drafts import (
    ACTIVITY,
    ALLOCATIONS,
    ASSISTANT,
    DRAFT_FIELDS,
    DURATION,
    GOAL,
    MONEY,
    PROFILE,
    URL,
)
from cint_nb.sandbox.protocol.json_schema import Schema

_progress = object_(
    {
        "current_completes": integer(),
        "current_prescreens": integer(),
        "filling_goal": integer(1),
        "filling_strategy": string(enum=STRATEGIES),
    }
)
_common_fields = {
    "human_readable_id": string(low=7, high=7),
    "project_manager_id": uuid,
    "created_at": date_time,
    "target_group_customer_reference_number": reference,
}
_OPTIONAL = ("target_group_customer_reference_number",)
_details_fields: dict[str, Schema] = {
    **_common_fields,
    "id": ulid,
    "name": name,
    "account_name": string(),
    "business_unit_id": string(),
    "study_type_code": string(),
    "industry_code": string(),
    "locale": string(),
    "completes_goal": GOAL,
    "expected_length_of_interview_minutes": integer(1, 45),
    "expected_incidence_rate": ratio,
    "industry_lockout_code": string(),
    "client_cost_per_interview_note": MONEY,
    "client_id": nullable(integer(0)),
    "collects_pii": boolean(),
    "live_url": URL,
    "test_url": URL,
    "links": object_({"test_screener": string(format="uri"), "test_client_survey": string(format="uri")}),
}
_stat_issue = object_(
    {
        "reason": ref("Reason"),
        "issue_type": string(enum=["warning", "error"]),
        "suggestions": array(ref("Reason")),
    }
)

_analysis = array(object_({"status": string(), "label": string(), "description": string(), "count": integer()}))
_profiling = nullable(
    object_({"profile_adjustment_type": string(), "profiles": array(PROFILE, high=1_500)}, optional=None),
)
_supplier = object_({"id": integer(), "name": string(low=1)})


def _statistic(value: Schema) -> Schema:
    return object_({"value": value, "issues": array(_stat_issue)})


GROUPS: dict[str, Schema] = {
    "DraftRead": object_(
        {
            **{key: value for key, value in DRAFT_FIELDS.items() if key != "business_unit_id"},
            **_common_fields,
            "business_unit_id": integer(0),
            "pricing_model": string(enum=["dynamic", "rate_card"]),
            "allocations": {"type": "object"},
        },
        optional=None,
    ),
    "Details": object_(
        _details_fields,
        optional=("client_cost_per_interview_note", "client_id", "live_url", "test_url", "links", *_OPTIONAL),
    ),
    "DetailsUpdate": object_(
        {
            "name": name,
            "project_manager_id": uuid,
            "expected_length_of_interview_minutes": integer(1, 45),
            "expected_incidence_rate": number(0, 1, step=0.01),
            "industry_lockout_code": string(high=60),
            "live_url": string(low=1, high=limits.URL_MAX_CHARACTERS),
            "test_url": string(low=1, high=limits.URL_MAX_CHARACTERS),
            "target_group_customer_reference_number": nullable(reference),
            "client_cost_per_interview_note": MONEY,
        },
        optional=("target_group_customer_reference_number", "client_cost_per_interview_note"),
    ),
    "GroupList": object_(
        {
            "url": string(),
            "has_more": boolean(),
            "next_cursor": nullable(string()),
            "target_groups": array(
                object_(
                    {
                        **_common_fields,
                        "id": ulid,
                        "name": name,
                        "exclusion_enabled": boolean(),
                        "locale": string(),
                        "status": string(enum=STATUSES),
                        "updated_at": date_time,
                        "statistics": object_(
                            {
                                "progress": _statistic(_progress),
                                "last_complete_date": _statistic(date_time),
                                "average_cost_per_interview": _statistic(MONEY),
                                "median_length_of_interview_seconds": _statistic(integer()),
                                "incidence_rate": _statistic(ratio),
                                "drop_off_rate": _statistic(ratio),
                                "conversion_rate": _statistic(ratio),
                            },
                            optional=("last_complete_date", "median_length_of_interview_seconds"),
                        ),
                    },
                    optional=_OPTIONAL,
                )
            ),
        },
        optional=("next_cursor",),
    ),
    "ActivityExclusions": object_(
        {"duration": DURATION, "respondent_activity_exclusions": array(ACTIVITY, high=100)}, optional=("duration",)
    ),
    "Overview": object_(
        {
            **_common_fields,
            "project_name": string(),
            "target_group_name": string(),
            "progress": _progress,
            "pricing_model": string(enum=["rate_card", "dynamic"]),
            "is_pricing_restricted": boolean(),
            "current_cost_per_interview": MONEY,
            "average_cost_per_interview": MONEY,
            "current_cost": MONEY,
            "status": string(enum=STATUSES),
            "country_code": string(),
            "language_code": string(),
            "conversion_rate": ratio,
            "drop_off_rate": ratio,
            "incidence_rate": ratio,
            "median_length_of_interview_seconds": nullable(integer()),
            "study_type_code": string(),
        },
        optional=_OPTIONAL,
    ),
    "Performance": object_(
        {
            "entrants": integer(),
            "prescreens": integer(),
            "completes": integer(),
            "completes_cost": MONEY,
            "first_complete": date_time,
            "last_complete": date_time,
            "incidence_rate": ratio,
            "drop_off_rate": ratio,
            "conversion_rate": ratio,
            "respondent_analysis": object_({"live": _analysis, "test": _analysis}),
        },
        optional=("first_complete", "last_complete"),
    ),
    "Intervals": object_(
        {"aggregated_completes_intervals": array(object_({"timestamp": date_time, "count": integer()}))},
    ),
    "Changelog": object_(
        {
            "changelog": array(
                object_(
                    {
                        "id": ulid,
                        "occurred_at": date_time,
                        "user": object_({"type": string(), "las_user_id": uuid}, optional=("las_user_id",)),
                        "changes": array({"type": "object"}),
                    }
                )
            ),
            "next_cursor": string(),
        },
        optional=("next_cursor",),
    ),
    "CostChange": object_({"target_group_cpi": MONEY}),
    "Strategy": object_({"filling_strategy": string(enum=STRATEGIES)}),
    "Feasibility": object_(
        {
            "suggested_price": MONEY,
            "suggested_price_range": object_({"min": MONEY, "max": MONEY}),
            "suggested_completes_goal_range": object_({"min": integer(), "max": integer()}),
            "profiles": array({"type": "object"}),
        }
    ),
    "FeasibilityDraft": object_(
        {
            "business_unit_id": integer(0, 999_999_999),
            "locale": string(pattern="^[a-z]{3}_[a-z]{2}$"),
            "collects_pii": boolean(),
            "expected_incidence_rate": ratio,
            "expected_length_of_interview_minutes": integer(1, 45),
            "completes_goal": integer(1, 10_000),
            "fielding_specification": object_({"start_at": date_time, "end_at": date_time}),
            "cost_per_interview": MONEY,
            "profiling": _profiling,
            "allocations": ALLOCATIONS,
        },
        optional=("collects_pii", "cost_per_interview", "profiling", "allocations"),
    ),
    "FeasibilityChange": object_(
        {
            "locale": string(pattern="^[a-z]{3}_[a-z]{2}$"),
            "incidence_rate": ratio,
            "length_of_interview": integer(1, 45),
            "completes_goal": integer(1, 10_000),
            "start_at": date_time,
            "end_at": date_time,
            "cost_per_interview": MONEY,
            "profiling": _profiling,
        },
        optional=None,
    ),
    "FieldingAssistant": ASSISTANT,
    "AllocationSpecification": object_(
        {
            "open_exchange_allocations": object_(
                {
                    "blocked_suppliers": array(_supplier),
                    "exchange_suppliers": array(_supplier),
                    "exchange_min_percentage": integer(0, 100),
                    "exchange_max_percentage": integer(0, 100),
                    "groups": array(
                        object_(
                            {
                                "group_name": string(),
                                "min_percentage": integer(0, 100),
                                "max_percentage": integer(0, 100),
                                "suppliers": array(_supplier),
                            }
                        )
                    ),
                }
            ),
            "private_exchange_allocations": object_(
                {"blocked_suppliers": array(_supplier), "groups": array({"type": "object"})}
            ),
        }
    ),
    "TransitionsAsked": object_(
        {
            "search_string": string(high=128),
            "filters": object_(
                {
                    "status": array(string(enum=STATUSES), high=10),
                    "country": array(string(pattern="^[a-z]{2}$"), high=300),
                    "language": array(string(pattern="^[a-z]{3}$"), high=300),
                },
                optional=None,
            ),
            "included_target_group_ids": array(ulid, low=1, high=1_000),
            "excluded_target_group_ids": array(ulid, low=1, high=1_000),
        },
        optional=None,
    ),
    "Transitions": object_(
        {
            "target_groups": array(ulid),
            "is_launch_allowed": boolean(),
            "is_pause_allowed": boolean(),
            "is_resume_allowed": boolean(),
            "is_relaunch_allowed": boolean(),
            "is_finish_allowed": boolean(),
        },
        optional=("target_groups",),
    ),
}
