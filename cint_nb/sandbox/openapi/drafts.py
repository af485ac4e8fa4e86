"""The schema of a target group draft: what may be sent, in every form the documents show."""

from __future__ import annotations

from cint_nb.domain import limits
from cint_nb.sandbox.openapi.builders import (
    STRATEGIES,
    array,
    boolean,
    date_time,
    integer,
    name,
    nullable,
    number,
    object_,
    ref,
    reference,
    string,
    ulid,
    uuid,
)
from cint_nb.sandbox.protocol.json_schema import Schema

GOAL_MAX = 1_000_000  # assumption: the exchange names no upper limit; this keeps the number sensible
_percent = integer(0, 100)
MONEY = ref("Money")
URL = nullable(string(high=limits.URL_MAX_CHARACTERS))
_period = object_({"start_at": date_time, "end_at": date_time})
GOAL = integer(1, GOAL_MAX)
DURATION = string(format="duration", high=12)

_question = integer(1, 10_000_000)
_condition: Schema = {
    "anyOf": [
        object_({"object": string(enum=["selection"]), "question_id": _question, "option": string(high=200)}),
        object_(
            {"object": string(enum=["range"]), "question_id": _question, "min": integer(1, 99), "max": integer(1, 99)}
        ),
        object_(
            {
                "object": string(enum=["open_ended"]),
                "question_id": _question,
                "allow_all_values": boolean(),
                "open_ended_values": array(string(high=200), high=10_000),
            }
        ),
    ]
}
_quota = object_(
    {"name": string(high=200), "completes_goal": integer(0, GOAL_MAX), "completes_goal_percentage": number(0, 100)},
    optional=None,
)
PROFILE = object_(
    {
        "object": string(enum=["regular", "blended"]),
        "blended_type": string(enum=["interlock", "control"]),
        "name": string(high=200),
        "quotas_enabled": boolean(),
        "targets": array(
            object_(
                {
                    "object": string(enum=["nominal"]),
                    "conditions": array(_condition, low=1, high=200),
                    "quota": _quota,
                },
                optional=("object", "quota"),
            ),
            low=1,
            high=200,
        ),
    },
    optional=("blended_type", "name"),
)
_pricing = object_(
    {
        "type": string(enum=["dynamic", "rate_card"]),
        "total_budget": MONEY,
        "maximum_cpi": MONEY,
        "minimum_cpi": MONEY,
        "boost_cpi": MONEY,
    },
    optional=("total_budget", "maximum_cpi", "minimum_cpi", "boost_cpi"),
)
_group_of_suppliers = object_(
    {
        "group_name": string(high=200),
        "min_percentage": _percent,
        "max_percentage": _percent,
        "suppliers": array(string(high=20), high=500),
        "supplier_id": string(high=20),
    },
    optional=("suppliers", "supplier_id"),
)
ALLOCATIONS = object_(
    {
        "template_id": string(high=26),
        "open_exchange_allocations": object_(
            {
                "blocked_supplier_ids": array(string(high=20), high=500),
                "exchange_min_percentage": _percent,
                "exchange_max_percentage": _percent,
                "groups": array(_group_of_suppliers, high=100),
            },
        ),
        "private_exchange_allocations": object_(
            {
                "blocked_supplier_ids": array(string(high=20), high=500),
                "groups": array(_group_of_suppliers, high=100),
            },
        ),
    },
    optional=None,
)
ASSISTANT = object_(
    {
        "pricing": _pricing,
        "quota_overlay": object_({"prevent_overfill": boolean(), "balance_fill": boolean()}),
        "pacing": object_(
            {
                "type": string(enum=["linear", "adaptive", "gemini"]),
                "increment_interval": DURATION,
                "exposed_target_group_id": ulid,
            },
            optional=("increment_interval", "exposed_target_group_id"),
        ),
        "soft_launch": object_(
            {
                "end_at": date_time,
                "filling_goal_percentage": integer(1, 100),
                "demographics_strictness_percentage": _percent,
            },
        ),
    },
    optional=None,
)
ACTIVITY = object_(
    {
        "type": string(enum=["target-group", "project"]),
        "id": ulid,
        "duration": DURATION,
        "respondent_statuses": array(string(high=40), high=20),
    },
    optional=("duration", "respondent_statuses"),
)

DRAFT_FIELDS: dict[str, Schema] = {
    "name": name,
    # The create guide sends text, newer documents a number: both are accepted.
    "business_unit_id": {"anyOf": [string(pattern="^[0-9]{1,9}$"), integer(0, 999_999_999)]},
    "locale": string(pattern="^[a-z]{3}_[a-z]{2}$"),
    "collects_pii": boolean(),
    "study_type_code": string(high=60),
    "industry_code": string(high=60),
    "cost_per_interview": MONEY,
    "client_cost_per_interview_note": MONEY,
    "project_manager_id": uuid,
    "client_id": nullable(integer(0, 2_147_483_647)),
    "fielding_specification": _period,
    "completes_goal": GOAL,
    "expected_length_of_interview_minutes": integer(*limits.INTERVIEW_MINUTES),
    "expected_incidence_rate": number(0, 1, step=0.01),
    "exclusion": object_(
        {
            "enabled": boolean(),
            "list": nullable(
                array(
                    object_(
                        {
                            "entity_type": string(enum=["RID", "CID"]),
                            "entity_ids": array(uuid, high=limits.IDS_PER_TARGET_GROUP),
                        },
                        optional=None,
                    ),
                    high=100,
                )
            ),
        },
        optional=None,
    ),
    "respondent_activity_exclusions": array(ACTIVITY, high=100),
    "industry_lockout_code": string(high=60),
    "live_url": URL,
    "test_url": URL,
    "fielding_assistant_assignment": ASSISTANT,
    # The recontact guide omits profiling; the create guide sends it.
    "profiling": nullable(
        object_(
            {
                "template_id": uuid,
                "profile_adjustment_type": string(enum=["percentage", "nominal"]),
                "profiles": array(PROFILE, high=1_500),
            },
            optional=None,
        )
    ),
    "allocations": ALLOCATIONS,
    "allocation_template": object_({"id": string(high=26), "type": string(enum=["global", "account", "country"])}),
    "filling_strategy": string(enum=STRATEGIES),
    "re_entry_configuration": nullable({"type": "object"}),
    "target_group_customer_reference_number": nullable(reference),
}
REQUIRED = (
    "name",
    "business_unit_id",
    "locale",
    "collects_pii",
    "project_manager_id",
    "fielding_specification",
    "completes_goal",
    "expected_length_of_interview_minutes",
    "expected_incidence_rate",
    "fielding_assistant_assignment",
)

DRAFTS: dict[str, Schema] = {
    "Draft": object_(DRAFT_FIELDS, optional=tuple(sorted(set(DRAFT_FIELDS) - set(REQUIRED)))),
    "DraftCreated": object_({"id": ulid, "target_group_id": ulid}, optional=("target_group_id",)),
}
