"""A plan with a wrong field is refused in words an analyst can act on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from cint_nb.domain.errors import PlanError
from cint_nb.domain.plan import Money, TargetGroupPlan, format_utc

START = datetime(2026, 9, 1, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "business_unit_id": 1234,
    "project_manager_id": "b551326b-ac9d-4d32-8823-4f025787dab9",
    "locale": "ger_de",
    "completes_goal": 10,
    "expected_length_of_interview_minutes": 10,
    "expected_incidence_rate": 0.8,
    "start_at": START,
    "end_at": START + timedelta(days=7),
    "live_url": "https://your-survey.com?RECONTACT_RSID=[%RECONTACT_RSID%]",
}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"locale": "de_DE"}, "locale: use Cint's language_country code, such as ger_de"),
        ({"goal": 10}, "goal: unknown field: did you mean completes_goal"),
        ({"start_at": START.replace(tzinfo=None)}, "start_at: pass a time with its zone"),
    ],
)
def test_a_wrong_field_is_named_with_what_to_write(fields: dict[str, Any], said: str) -> None:
    assert TargetGroupPlan.recontact(**GOOD)
    with pytest.raises(PlanError) as caught:
        TargetGroupPlan.recontact(**{**GOOD, **fields})
    assert said in str(caught.value)


def test_what_is_sent_as_the_highest_price_is_what_the_budget_is_checked_against() -> None:
    body = TargetGroupPlan.recontact(**GOOD, cost_per_interview="2 EUR", maximum_cpi="3 EUR").to_body()
    assert body["cost_per_interview"] == {"value": "2", "currency_code": "EUR"}
    assert body["fielding_assistant_assignment"]["pricing"]["maximum_cpi"] == {"value": "3", "currency_code": "EUR"}


def test_overfill_is_prevented_unless_the_plan_says_otherwise() -> None:
    for prevented in (True, False):
        fields = GOOD if prevented else {**GOOD, "prevent_overfill": False}
        body = TargetGroupPlan.recontact(**fields).to_body()
        overlay = body["fielding_assistant_assignment"]["quota_overlay"]
        assert overlay == {"prevent_overfill": prevented, "balance_fill": False}


def test_an_exclusion_and_a_test_address_are_sent_as_planned() -> None:
    body = TargetGroupPlan.recontact(**GOOD, exclusion_enabled=True, test_url="https://test.your-survey.com").to_body()
    assert body["exclusion"] == {"enabled": True}
    assert body["test_url"] == "https://test.your-survey.com"


def test_an_amount_is_sent_without_an_exponent_and_its_currency_in_capitals() -> None:
    assert Money(value=Decimal("1E+3"), currency_code="EUR").to_body() == {"value": "1000", "currency_code": "EUR"}
    assert Money.parse("1,400.50 eur").to_body() == {"value": "1400.50", "currency_code": "EUR"}


def test_a_time_of_another_zone_is_kept_and_sent_as_utc() -> None:
    there = START.astimezone(timezone(timedelta(hours=9)))
    plan = TargetGroupPlan.recontact(**{**GOOD, "start_at": there})
    assert f"{plan.start_at:%Y-%m-%d %H:%M}" == "2026-09-01 00:00"
    assert format_utc(there) == "2026-09-01T00:00:00.000Z"
