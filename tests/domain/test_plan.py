"""A plan with a wrong field is refused in words an analyst can act on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cint_nb.domain.errors import PlanError
from cint_nb.domain.plan import TargetGroupPlan

START = datetime(2026, 9, 1, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "business_unit_id": 1234,
    "project_manager_id": "b551326b-ac9d-4d32-8823-4f025787dab9",
    "locale": "ger_de",
    "completes_goal": 10,
    "start_at": START,
    "end_at": START + timedelta(days=7),
    "live_url": "https://your-survey.com?RECONTACT_RSID=[%RECONTACT_RSID%]",
}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"locale": "de_DE"}, "locale: write language and country in Cint's way, such as ger_de"),
        ({"goal": 10}, "goal: a plan has no such field"),
        ({"start_at": START.replace(tzinfo=None)}, "start_at: give a time with its zone"),
    ],
)
def test_a_wrong_field_is_named_with_what_to_write(fields: dict[str, Any], said: str) -> None:
    assert TargetGroupPlan.of(**GOOD)
    with pytest.raises(PlanError) as caught:
        TargetGroupPlan.of(**{**GOOD, **fields})
    assert said in str(caught.value)
