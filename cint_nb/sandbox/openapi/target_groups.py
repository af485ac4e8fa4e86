"""The JSON shapes of what is told of a target group, and of its reports over time."""

from __future__ import annotations

from cint_nb.domain import limits
from cint_nb.sandbox.openapi.builders import (
    STATUSES,
    STRATEGIES,
    flag,
    many,
    moment,
    name,
    number,
    or_null,
    record,
    ref,
    reference,
    share,
    text,
    ulid,
    uuid,
    whole,
)
from cint_nb.sandbox.openapi.drafts import ACTIVITY, ALLOCATIONS, DRAFT_FIELDS, DURATION, GOAL, MONEY, PROFILE, URL
from cint_nb.sandbox.protocol.json_schema import Schema

_progress = record(
    {
        "current_completes": whole(),
        "current_prescreens": whole(),
        "filling_goal": whole(1),
        "filling_strategy": text(enum=STRATEGIES),
    }
)
_told = {
    "human_readable_id": text(low=7, high=7),
    "project_manager_id": uuid,
    "created_at": moment,
    "target_group_customer_reference_number": reference,
}
_OPTIONAL = ("target_group_customer_reference_number",)
_details_fields: dict[str, Schema] = {
    **_told,
    "id": ulid,
    "name": name,
    "account_name": text(),
    "business_unit_id": text(),
    "study_type_code": text(),
    "industry_code": text(),
    "locale": text(),
    "completes_goal": GOAL,
    "expected_length_of_interview_minutes": whole(1, 45),
    "expected_incidence_rate": share,
    "industry_lockout_code": text(),
    "client_cost_per_interview_note": MONEY,
    "client_id": or_null(whole(0)),
    "collects_pii": flag(),
    "live_url": URL,
    "test_url": URL,
    "links": record({"test_screener": text(format="uri"), "test_client_survey": text(format="uri")}),
}
_stat_issue = record(
    {
        "reason": ref("Reason"),
        "issue_type": text(enum=["warning", "error"]),
        "suggestions": many(ref("Reason")),
    }
)

_analysis = many(record({"status": text(), "label": text(), "description": text(), "count": whole()}))
_profiling = or_null(
    record({"profile_adjustment_type": text(), "profiles": many(PROFILE, high=1_500)}, optional=None),
)
_supplier = record({"id": whole(), "name": text(low=1)})


def _stat(value: Schema) -> Schema:
    return record({"value": value, "issues": many(_stat_issue)})


GROUPS: dict[str, Schema] = {
    "DraftRead": record(
        {
            **{key: value for key, value in DRAFT_FIELDS.items() if key != "business_unit_id"},
            **_told,
            "business_unit_id": whole(0),
            "pricing_model": text(enum=["dynamic", "rate_card"]),
            "allocations": {"type": "object"},
        },
        optional=None,
    ),
    "Details": record(
        _details_fields,
        optional=("client_cost_per_interview_note", "client_id", "live_url", "test_url", "links", *_OPTIONAL),
    ),
    "DetailsUpdate": record(
        {
            "name": name,
            "project_manager_id": uuid,
            "expected_length_of_interview_minutes": whole(1, 45),
            "expected_incidence_rate": number(0, 1, step=0.01),
            "industry_lockout_code": text(high=60),
            "live_url": text(low=1, high=limits.URL_MAX_CHARACTERS),
            "test_url": text(low=1, high=limits.URL_MAX_CHARACTERS),
            "target_group_customer_reference_number": or_null(reference),
            "client_cost_per_interview_note": MONEY,
        },
        optional=("target_group_customer_reference_number", "client_cost_per_interview_note"),
    ),
    "GroupList": record(
        {
            "url": text(),
            "has_more": flag(),
            "next_cursor": or_null(text()),
            "target_groups": many(
                record(
                    {
                        **_told,
                        "id": ulid,
                        "name": name,
                        "exclusion_enabled": flag(),
                        "locale": text(),
                        "status": text(enum=STATUSES),
                        "updated_at": moment,
                        "statistics": record(
                            {
                                "progress": _stat(_progress),
                                "last_complete_date": _stat(moment),
                                "average_cost_per_interview": _stat(MONEY),
                                "median_length_of_interview_seconds": _stat(whole()),
                                "incidence_rate": _stat(share),
                                "drop_off_rate": _stat(share),
                                "conversion_rate": _stat(share),
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
    "ActivityExclusions": record(
        {"duration": DURATION, "respondent_activity_exclusions": many(ACTIVITY, high=100)}, optional=("duration",)
    ),
    "Overview": record(
        {
            **_told,
            "project_name": text(),
            "target_group_name": text(),
            "progress": _progress,
            "pricing_model": text(enum=["rate_card", "dynamic"]),
            "is_pricing_restricted": flag(),
            "current_cost_per_interview": MONEY,
            "average_cost_per_interview": MONEY,
            "current_cost": MONEY,
            "status": text(enum=STATUSES),
            "country_code": text(),
            "language_code": text(),
            "conversion_rate": share,
            "drop_off_rate": share,
            "incidence_rate": share,
            "median_length_of_interview_seconds": or_null(whole()),
            "study_type_code": text(),
        },
        optional=_OPTIONAL,
    ),
    "Performance": record(
        {
            "entrants": whole(),
            "prescreens": whole(),
            "completes": whole(),
            "completes_cost": MONEY,
            "first_complete": moment,
            "last_complete": moment,
            "incidence_rate": share,
            "drop_off_rate": share,
            "conversion_rate": share,
            "respondent_analysis": record({"live": _analysis, "test": _analysis}),
        },
        optional=("first_complete", "last_complete"),
    ),
    "Intervals": record(
        {"aggregated_completes_intervals": many(record({"timestamp": moment, "count": whole()}))},
    ),
    "Changelog": record(
        {
            "changelog": many(
                record(
                    {
                        "id": ulid,
                        "occurred_at": moment,
                        "user": record({"type": text(), "las_user_id": uuid}, optional=("las_user_id",)),
                        "changes": many({"type": "object"}),
                    }
                )
            ),
            "next_cursor": text(),
        },
        optional=("next_cursor",),
    ),
    "CostChange": record({"target_group_cpi": MONEY}),
    "Strategy": record({"filling_strategy": text(enum=STRATEGIES)}),
    "GoalChange": record(
        {"completes_goal": GOAL, "profiles": many({"type": "object"}, high=1_500)}, optional=("profiles",)
    ),
    "GoalChanged": record(
        {"locale": text(), "completes_goal": GOAL, "profiles": many({"type": "object"})},
    ),
    "Feasibility": record(
        {
            "suggested_price": MONEY,
            "suggested_price_range": record({"min": MONEY, "max": MONEY}),
            "suggested_completes_goal_range": record({"min": whole(), "max": whole()}),
            "profiles": many({"type": "object"}),
        }
    ),
    "FeasibilityDraft": record(
        {
            "business_unit_id": whole(0, 999_999_999),
            "locale": text(pattern="^[a-z]{3}_[a-z]{2}$"),
            "collects_pii": flag(),
            "expected_incidence_rate": share,
            "expected_length_of_interview_minutes": whole(1, 45),
            "completes_goal": whole(1, 10_000),
            "fielding_specification": record({"start_at": moment, "end_at": moment}),
            "cost_per_interview": MONEY,
            "profiling": _profiling,
            "allocations": ALLOCATIONS,
        },
        optional=("collects_pii", "cost_per_interview", "profiling", "allocations"),
    ),
    "FeasibilityChange": record(
        {
            "locale": text(pattern="^[a-z]{3}_[a-z]{2}$"),
            "incidence_rate": share,
            "length_of_interview": whole(1, 45),
            "completes_goal": whole(1, 10_000),
            "start_at": moment,
            "end_at": moment,
            "cost_per_interview": MONEY,
            "profiling": _profiling,
        },
        optional=None,
    ),
    "AllocationSpecification": record(
        {
            "open_exchange_allocations": record(
                {
                    "blocked_suppliers": many(_supplier),
                    "exchange_suppliers": many(_supplier),
                    "exchange_min_percentage": whole(0, 100),
                    "exchange_max_percentage": whole(0, 100),
                    "groups": many(
                        record(
                            {
                                "group_name": text(),
                                "min_percentage": whole(0, 100),
                                "max_percentage": whole(0, 100),
                                "suppliers": many(_supplier),
                            }
                        )
                    ),
                }
            ),
            "private_exchange_allocations": record(
                {"blocked_suppliers": many(_supplier), "groups": many({"type": "object"})}
            ),
        }
    ),
    "TransitionsAsked": record(
        {
            "search_string": text(high=128),
            "filters": record(
                {
                    "status": many(text(enum=STATUSES), high=10),
                    "country": many(text(pattern="^[a-z]{2}$"), high=300),
                    "language": many(text(pattern="^[a-z]{3}$"), high=300),
                },
                optional=None,
            ),
            "included_target_group_ids": many(ulid, low=1, high=1_000),
            "excluded_target_group_ids": many(ulid, low=1, high=1_000),
        },
        optional=None,
    ),
    "Transitions": record(
        {
            "target_groups": many(ulid),
            "is_launch_allowed": flag(),
            "is_pause_allowed": flag(),
            "is_resume_allowed": flag(),
            "is_relaunch_allowed": flag(),
            "is_finish_allowed": flag(),
        },
        optional=("target_groups",),
    ),
}
