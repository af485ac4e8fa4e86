"""Example bodies for the OpenAPI document: each is accepted by a sandbox with the default start."""

from __future__ import annotations

from cint_nb.domain import limits
from cint_nb.sandbox.protocol.messages import Json, JsonObject
from cint_nb.sandbox.world.catalogue import BUSINESS_UNIT_ID, PROJECT_MANAGER_ID

_URL = f"https://survey.example/?rid={limits.RID_URL_VARIABLE}&rsid={limits.RECONTACT_URL_VARIABLE}"
_PRICE = {"value": "2.50", "currency_code": "EUR"}
_PERIOD = {"start_at": "2026-09-02T08:00:00.000Z", "end_at": "2026-09-16T08:00:00.000Z"}

PROFILING: JsonObject = {
    "profile_adjustment_type": "percentage",
    "profiles": [
        {
            "object": "regular",
            "name": "birth gender",
            "quotas_enabled": True,
            "targets": [
                {
                    "conditions": [{"object": "selection", "question_id": 43, "option": option}],
                    "quota": {"name": f"half {option}", "completes_goal_percentage": 50},
                }
                for option in ("1", "2")
            ],
        }
    ],
}

CSV_EXAMPLE = "2f3f5f0c-9d1a-4c11-8c17-b5ec00000001,933\n2f3f5f0c-9d1a-4c11-8c17-b5ec00000002,11\n"
"""A submission of changes: response id and reason code."""

EXAMPLES: dict[str, Json] = {
    "ProjectDraft": {"name": "Brand tracker", "project_manager_id": PROJECT_MANAGER_ID},
    "Draft": {
        "name": "Brand tracker, wave 2",
        "business_unit_id": str(BUSINESS_UNIT_ID),
        "project_manager_id": PROJECT_MANAGER_ID,
        "study_type_code": limits.RECONTACT_STUDY_TYPE,
        "industry_code": "other",
        "cost_per_interview": _PRICE,
        "collects_pii": False,
        "expected_length_of_interview_minutes": 8,
        "expected_incidence_rate": 0.9,
        "fielding_specification": _PERIOD,
        "live_url": _URL,
        "test_url": _URL,
        "fielding_assistant_assignment": {
            "pricing": {"type": "dynamic", "maximum_cpi": _PRICE},
            "quota_overlay": {"prevent_overfill": True, "balance_fill": False},
        },
        "exclusion": {"enabled": False},
        "locale": "ger_de",
        "completes_goal": 10,
        "allocations": {"template_id": limits.RECONTACT_TEMPLATE_ID},
        "filling_strategy": "completes",
        "target_group_customer_reference_number": "tracker wave-2",
    },
    "DetailsUpdate": {
        "name": "Brand tracker, wave 2",
        "project_manager_id": PROJECT_MANAGER_ID,
        "expected_length_of_interview_minutes": 9,
        "expected_incidence_rate": 0.85,
        "industry_lockout_code": "",
        "live_url": _URL,
        "test_url": _URL,
    },
    "CostChange": {"target_group_cpi": _PRICE},
    "FeasibilityDraft": {
        "business_unit_id": BUSINESS_UNIT_ID,
        "locale": "ger_de",
        "expected_incidence_rate": 0.5,
        "expected_length_of_interview_minutes": 10,
        "completes_goal": 500,
        "fielding_specification": _PERIOD,
    },
    "ProfilesToValidate": {"locale": "ger_de", "completes_goal": 10, "profiling": PROFILING},
    "ProfilesToReplace": {"completes_goal": 70, "profiling": PROFILING},
    "Launch": {"end_fielding_at": _PERIOD["end_at"]},
    "Schedule": {"start_fielding_at": _PERIOD["start_at"], "end_fielding_at": _PERIOD["end_at"]},
}
