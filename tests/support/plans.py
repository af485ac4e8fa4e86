"""Plans and drafts for tests, so that the price and the other fields nobody asks about stand in one place."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.sandbox.world.catalogue import BUSINESS_UNIT_ID, PROJECT_MANAGER_ID

PRICE_VALUE = "2.7352"
RECONTACT_TEMPLATE = "01JH0PEGPC4Z8RDD304E2SF0EW"
"""As the recontact guide prints it."""
PRICE = f"{PRICE_VALUE} EUR"
LIVE_URL = "https://your-survey.com?RID=[%RID%]&RECONTACT_RSID=[%RECONTACT_RSID%]"
EXAMPLE_URL = "https://survey.example/?RID=[%RID%]&RECONTACT_RSID=[%RECONTACT_RSID%]"
"""An address of nobody: a recording keeps it as it is."""
RSID_URL = "https://your-survey.com?RECONTACT_RSID=[%RECONTACT_RSID%]"


def make_plan(now: datetime, **changes: Any) -> TargetGroupPlan:
    """Make a plan that holds: it begins in two hours and ends in two weeks; keywords change its fields."""
    fields: dict[str, Any] = {
        "business_unit_id": BUSINESS_UNIT_ID,
        "project_manager_id": PROJECT_MANAGER_ID,
        "locale": "ger_de",
        "completes_goal": 100,
        "expected_length_of_interview_minutes": 10,
        "expected_incidence_rate": 0.8,
        "cost_per_interview": PRICE,
        "start_at": now + timedelta(hours=2),
        "end_at": now + timedelta(days=14),
        "live_url": LIVE_URL,
    }
    return TargetGroupPlan.recontact(**fields | changes)


def plan_cell(completes_goal: int = 100, *, start: str = "hours=2", live_url: str = LIVE_URL) -> str:
    """Return the cell of a notebook that makes the same plan: it needs `cint` and `client`, and leaves `plan`."""
    return f"""
from datetime import timedelta
now = client.clock.now()
plan = cint.TargetGroupPlan.recontact(
    business_unit_id={BUSINESS_UNIT_ID}, project_manager_id={PROJECT_MANAGER_ID!r}, locale="ger_de",
    completes_goal={completes_goal}, expected_length_of_interview_minutes=10, expected_incidence_rate=0.8,
    cost_per_interview={PRICE!r},
    start_at=now + timedelta({start}), end_at=now + timedelta(days=14),
    live_url={live_url!r})
"""


def price_body(value: str = PRICE_VALUE, currency: str = "EUR") -> dict[str, str]:
    """Return an amount of money as it goes over the wire."""
    return {"value": value, "currency_code": currency}


def draft_body(start_at: str, end_at: str, **changes: Any) -> dict[str, Any]:
    """Return a recontact draft as both guides write it; keywords change its fields, None leaves one out."""
    body: dict[str, Any] = {
        "business_unit_id": str(BUSINESS_UNIT_ID),
        "project_manager_id": PROJECT_MANAGER_ID,
        "study_type_code": "recontact",
        "industry_code": "other",
        "cost_per_interview": price_body(),
        "collects_pii": False,
        "expected_length_of_interview_minutes": 5,
        "expected_incidence_rate": 0.8,
        "fielding_specification": {"start_at": start_at, "end_at": end_at},
        "live_url": LIVE_URL,
        "test_url": LIVE_URL,
        "fielding_assistant_assignment": {"quota_overlay": {"prevent_overfill": True, "balance_fill": False}},
        "exclusion": {"enabled": False},
        "locale": "ger_de",
        "completes_goal": 10,
        "allocations": {"template_id": RECONTACT_TEMPLATE},
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


def guide_draft() -> dict[str, Any]:
    """Return the example of the guide on creating a target group, its placeholders filled."""
    targets = [
        {
            "conditions": [{"object": "selection", "question_id": 43, "option": option}],
            "quota": {"name": f"SF-BirthGender-Quota-{option}", "completes_goal_percentage": 50},
        }
        for option in ("1", "2")
    ]
    return {
        "name": "My first target group",
        "business_unit_id": str(BUSINESS_UNIT_ID),
        "project_manager_id": PROJECT_MANAGER_ID,
        "study_type_code": "adhoc",
        "industry_code": "other",
        "cost_per_interview": price_body(),
        "collects_pii": False,
        "expected_length_of_interview_minutes": 5,
        "expected_incidence_rate": 0.8,
        "fielding_specification": {"start_at": "2026-09-02T08:22:18.822Z", "end_at": "2026-09-13T08:22:18.821Z"},
        "live_url": "https://mytestsurvey.com/?RID=[%RID%]",
        "test_url": "https://mytestsurvey.com/?RID=[%RID%]",
        "fielding_assistant_assignment": {
            "pricing": {"type": "dynamic", "maximum_cpi": price_body()},
            "quota_overlay": {"prevent_overfill": True, "balance_fill": False},
        },
        "exclusion": {"enabled": True, "list": []},
        "locale": "ger_de",
        "completes_goal": 10,
        "profiling": {
            "profile_adjustment_type": "percentage",
            "profiles": [{"object": "regular", "name": "birth gender", "quotas_enabled": True, "targets": targets}],
        },
    }
