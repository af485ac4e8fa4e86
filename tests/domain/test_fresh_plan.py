"""A plan for new people says what the create guide says, and a price is its cap only where the plan says so."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from typing import Any

import pytest

from cint_nb.domain.plan import AllocationFormat, PlanKind, TargetGroupPlan
from cint_nb.domain.profiling.profiles import Profile
from cint_nb.domain.profiling.questions import Question
from tests.support.plans import guide_draft, guide_plan, make_fresh_plan, make_plan, price_body

NOW = datetime(2026, 9, 1, tzinfo=UTC)
BIRTH_GENDER = Question.model_validate(
    {
        "name": "GENDER",
        "targets": [
            {"text": text, "conditions": [{"object": "selection", "question_id": 43, "option": option}]}
            for text, option in (("Male", "1"), ("Female", "2"))
        ],
    }
)


def test_the_guides_example_as_a_plan_gives_the_guides_body() -> None:
    plan = guide_plan()
    assert isinstance(plan.profiling, tuple)
    looked_up = plan.model_copy(update={"profiling": tuple(each.look_up([BIRTH_GENDER]) for each in plan.profiling)})
    expected = guide_draft()
    del expected["exclusion"]["list"]  # empty there, and deprecated in the description
    assert looked_up.to_body() == expected


def test_profiling_in_the_exchanges_own_form_is_sent_as_it_is() -> None:
    profiling = guide_draft()["profiling"]
    assert make_fresh_plan(NOW, profiling=profiling).to_body()["profiling"] == profiling


def test_the_constructors_differ_where_the_studies_do() -> None:
    fresh, recontact = make_fresh_plan(NOW), make_plan(NOW)
    assert (fresh.kind, recontact.kind) == (PlanKind.FRESH, PlanKind.RECONTACT)
    assert (fresh.study_type_code, recontact.study_type_code) == ("adhoc", "recontact")
    assert (fresh.exclusion_enabled, recontact.exclusion_enabled) == (True, False)
    assert fresh.allocation_format is AllocationFormat.OMITTED
    assert "allocations" not in fresh.to_body()
    assert recontact.to_body()["allocations"].keys() == {"template_id"}


def test_the_constructors_show_every_field_of_the_plan_with_its_default() -> None:
    fields = set(TargetGroupPlan.model_fields) - {"kind"}
    for constructor, own in ((TargetGroupPlan.fresh, set()), (TargetGroupPlan.recontact, {"study_type_code"})):
        parameters = inspect.signature(constructor).parameters
        assert set(parameters) == fields - own
        assert all(each.kind is inspect.Parameter.KEYWORD_ONLY for each in parameters.values())
        assert parameters["expected_length_of_interview_minutes"].default is inspect.Parameter.empty
        assert parameters["expected_incidence_rate"].default is inspect.Parameter.empty


@pytest.mark.parametrize(
    ("fields", "cap"),
    [
        ({"maximum_cpi": "3 EUR"}, "3 EUR"),
        ({"maximum_cpi": None}, None),
        ({"maximum_cpi": None, "total_budget": "300 EUR"}, None),
        ({"maximum_cpi": "3 EUR", "total_budget": "300 EUR"}, "3 EUR"),
    ],
)
def test_the_price_is_no_cap_where_nobody_said_it_is(fields: dict[str, Any], cap: str | None) -> None:
    shown = make_fresh_plan(NOW, cost_per_interview="2 EUR", **fields).price_cap
    assert (None if shown is None else str(shown)) == cap


@pytest.mark.parametrize(
    ("fields", "pricing"),
    [
        ({}, {"type": "dynamic", "maximum_cpi": price_body()}),
        (
            {"maximum_cpi": None, "total_budget": "300 EUR"},
            {"type": "dynamic", "total_budget": {"value": "300", "currency_code": "EUR"}},
        ),
        ({"maximum_cpi": None, "cost_per_interview": None, "pricing_model": "rate_card"}, {"type": "rate_card"}),
        ({"maximum_cpi": None}, None),
    ],
)
def test_pricing_is_written_as_planned(fields: dict[str, Any], pricing: dict[str, Any] | None) -> None:
    assert make_fresh_plan(NOW, **fields).to_body()["fielding_assistant_assignment"].get("pricing") == pricing


def test_a_profile_alone_or_in_a_list_is_the_same_and_an_empty_list_is_none() -> None:
    profile = Profile("gender", {"male": 50, "female": 50})
    assert make_fresh_plan(NOW, profiling=profile).profiling == (profile,)
    assert make_fresh_plan(NOW, profiling=[profile]).profiling == (profile,)
    assert make_fresh_plan(NOW, profiling=[]).profiling is None
