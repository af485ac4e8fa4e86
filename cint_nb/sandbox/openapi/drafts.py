"""The JSON shape of a target group draft: what may be sent, in every form the documents show."""

from __future__ import annotations

from cint_nb.domain import limits
from cint_nb.sandbox.openapi.builders import (
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
    text,
    ulid,
    uuid,
    whole,
)
from cint_nb.sandbox.protocol.json_schema import Schema

GOAL_MAX = 1_000_000  # assumption: the exchange names no upper limit; the draft stays a sensible number
_percent = whole(0, 100)
MONEY = ref("Money")
URL = or_null(text(high=limits.URL_MAX_CHARACTERS))
_period = record({"start_at": moment, "end_at": moment})
GOAL = whole(1, GOAL_MAX)
DURATION = text(format="duration", high=12)

_question = whole(1, 10_000_000)
_condition: Schema = {
    "anyOf": [
        record({"object": text(enum=["selection"]), "question_id": _question, "option": text(high=200)}),
        record({"object": text(enum=["range"]), "question_id": _question, "min": whole(1, 99), "max": whole(1, 99)}),
        record(
            {
                "object": text(enum=["open_ended"]),
                "question_id": _question,
                "allow_all_values": flag(),
                "open_ended_values": many(text(high=200), high=10_000),
            }
        ),
    ]
}
_quota = record(
    {"name": text(high=200), "completes_goal": whole(0, GOAL_MAX), "completes_goal_percentage": number(0, 100)},
    optional=None,
)
PROFILE = record(
    {
        "object": text(enum=["regular", "blended"]),
        "blended_type": text(enum=["interlock", "control"]),
        "name": text(high=200),
        "quotas_enabled": flag(),
        "targets": many(
            record(
                {
                    "object": text(enum=["nominal"]),
                    "conditions": many(_condition, low=1, high=200),
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
_pricing = record(
    {
        "type": text(enum=["dynamic", "rate_card"]),
        "total_budget": MONEY,
        "maximum_cpi": MONEY,
        "minimum_cpi": MONEY,
        "boost_cpi": MONEY,
    },
    optional=("total_budget", "maximum_cpi", "minimum_cpi", "boost_cpi"),
)
_group_of_suppliers = record(
    {
        "group_name": text(high=200),
        "min_percentage": _percent,
        "max_percentage": _percent,
        "suppliers": many(text(high=20), high=500),
        "supplier_id": text(high=20),
    },
    optional=("suppliers", "supplier_id"),
)
ALLOCATIONS = record(
    {
        "template_id": text(high=26),
        "open_exchange_allocations": record(
            {
                "blocked_supplier_ids": many(text(high=20), high=500),
                "exchange_min_percentage": _percent,
                "exchange_max_percentage": _percent,
                "groups": many(_group_of_suppliers, high=100),
            },
        ),
        "private_exchange_allocations": record(
            {
                "blocked_supplier_ids": many(text(high=20), high=500),
                "groups": many(_group_of_suppliers, high=100),
            },
        ),
    },
    optional=None,
)
_assistant = record(
    {
        "pricing": _pricing,
        "quota_overlay": record({"prevent_overfill": flag(), "balance_fill": flag()}),
        "pacing": record(
            {
                "type": text(enum=["linear", "adaptive", "gemini"]),
                "increment_interval": DURATION,
                "exposed_target_group_id": ulid,
            },
            optional=("increment_interval", "exposed_target_group_id"),
        ),
        "soft_launch": record(
            {
                "end_at": moment,
                "filling_goal_percentage": whole(1, 100),
                "demographics_strictness_percentage": _percent,
            },
        ),
    },
    optional=None,
)
ACTIVITY = record(
    {
        "type": text(enum=["target-group", "project"]),
        "id": ulid,
        "duration": DURATION,
        "respondent_statuses": many(text(high=40), high=20),
    },
    optional=("duration", "respondent_statuses"),
)

DRAFT_FIELDS: dict[str, Schema] = {
    "name": name,
    # The create guide sends text, newer documents a number: both are taken.
    "business_unit_id": {"anyOf": [text(pattern="^[0-9]{1,9}$"), whole(0, 999_999_999)]},
    "locale": text(pattern="^[a-z]{3}_[a-z]{2}$"),
    "collects_pii": flag(),
    "study_type_code": text(high=60),
    "industry_code": text(high=60),
    "cost_per_interview": MONEY,
    "client_cost_per_interview_note": MONEY,
    "project_manager_id": uuid,
    "client_id": or_null(whole(0, 2_147_483_647)),
    "fielding_specification": _period,
    "completes_goal": GOAL,
    "expected_length_of_interview_minutes": whole(*limits.INTERVIEW_MINUTES),
    "expected_incidence_rate": number(0, 1, step=0.01),
    "exclusion": record(
        {
            "enabled": flag(),
            "list": many(record({"entity_type": text(), "entity_ids": many(text())}, optional=None), high=100),
        },
        optional=None,
    ),
    "respondent_activity_exclusions": many(ACTIVITY, high=100),
    "industry_lockout_code": text(high=60),
    "live_url": URL,
    "test_url": URL,
    "fielding_assistant_assignment": _assistant,
    # The recontact guide leaves profiling out; the create guide sends it.
    "profiling": or_null(
        record(
            {
                "template_id": uuid,
                "profile_adjustment_type": text(enum=["percentage", "nominal"]),
                "profiles": many(PROFILE, high=1_500),
            },
            optional=None,
        )
    ),
    "allocations": ALLOCATIONS,
    "allocation_template": record({"id": text(high=26), "type": text(enum=["global", "account", "country"])}),
    "filling_strategy": text(enum=STRATEGIES),
    "re_entry_configuration": or_null({"type": "object"}),
    "target_group_customer_reference_number": or_null(reference),
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
    "Draft": record(DRAFT_FIELDS, optional=tuple(sorted(set(DRAFT_FIELDS) - set(REQUIRED)))),
    "DraftCreated": record({"id": ulid, "target_group_id": ulid}, optional=("target_group_id",)),
}
