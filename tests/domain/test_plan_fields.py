"""A field with a word of somebody else's is answered with ours, whatever the word, and a value with what it lacks."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cint_nb.domain.errors import PlanError
from cint_nb.domain.plan import _ELSEWHERE, _FIELD_WORDS, _NEEDS, Money, TargetGroupPlan
from tests.support.plans import make_fresh_plan, make_plan

NOW = datetime(2026, 9, 1, tzinfo=UTC)
MAKERS = {"fresh": make_fresh_plan, "recontact": make_plan}
FIELDS = [name for name in TargetGroupPlan.model_fields if name != "kind"]


def refused(which: str, **changes: Any) -> str:
    """Return what a plan with these changes is refused with."""
    with pytest.raises(PlanError) as caught:
        MAKERS[which](NOW, **changes)
    return str(caught.value)


@pytest.mark.parametrize("kind", MAKERS)
def test_every_short_word_of_the_field_leads_to_the_right_one(kind: str) -> None:
    for word, name in _FIELD_WORDS.items():
        said = refused(kind, **{word: 20})
        assert f"{word}: unknown field: did you mean {name}" in said
        assert name not in _NEEDS or _NEEDS[name] in said


def test_the_words_of_the_field_are_none_of_our_own_and_lead_to_fields_that_are_there() -> None:
    assert not set(_FIELD_WORDS) & set(FIELDS)
    assert not set(_FIELD_WORDS) & set(_ELSEWHERE)
    assert set(_FIELD_WORDS.values()) | set(_NEEDS) <= set(FIELDS)


@pytest.mark.parametrize("word", _ELSEWHERE)
def test_what_belongs_to_the_wave_is_sent_there(word: str) -> None:
    assert "goes to client.wave(" in refused("recontact", **{word: "x"})


@given(name=st.sampled_from(FIELDS), place=st.integers(0, 40), letter=st.sampled_from("aeinorst_"))
def test_a_slip_of_one_letter_leads_to_the_field_that_was_meant(name: str, place: int, letter: str) -> None:
    place %= len(name)
    for slip in (name[:place] + name[place + 1 :], name[:place] + letter + name[place:]):
        if slip.isidentifier() and slip not in FIELDS and slip not in _FIELD_WORDS and slip not in _ELSEWHERE:
            assert f"did you mean {name}" in refused("fresh", **{slip: 1})


def test_a_word_that_is_near_to_nothing_is_not_led_astray() -> None:
    said = refused("fresh", xylophone=1)
    assert "xylophone: unknown field" in said
    assert "did you mean" not in said


@pytest.mark.parametrize("kind", MAKERS)
def test_all_that_is_missing_is_named_at_once_with_what_it_needs(kind: str) -> None:
    with pytest.raises(PlanError) as caught:
        getattr(TargetGroupPlan, kind)()
    for name, needs in _NEEDS.items():
        assert f"{name}: missing; pass {needs}" in str(caught.value)
    required = {name for name, field in TargetGroupPlan.model_fields.items() if field.is_required() and name != "kind"}
    assert required == set(_NEEDS)


def test_missing_and_mistaken_words_are_told_together() -> None:
    with pytest.raises(PlanError) as caught:
        TargetGroupPlan.fresh(loi=20, ir=0.5, goal=10)  # type: ignore[call-arg]
    said = str(caught.value)
    assert "did you mean expected_length_of_interview_minutes" in said
    assert "did you mean expected_incidence_rate" in said
    assert "did you mean completes_goal" in said
    assert "live_url: missing" in said


def test_fields_are_passed_by_name() -> None:
    with pytest.raises(PlanError, match="takes its fields by name"):
        TargetGroupPlan.fresh(1234)  # type: ignore[misc, call-arg]


@pytest.mark.parametrize("percent", range(101))
def test_every_incidence_in_whole_percent_passes_however_it_was_computed(percent: int) -> None:
    for rate in (percent / 100, round(percent * 0.01, 2), float(f"0.{percent:02}") if percent < 100 else 1.0):
        plan = make_fresh_plan(NOW, expected_incidence_rate=rate)
        assert plan.to_body()["expected_incidence_rate"] == percent / 100


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (0.805, "steps of 0.01"),
        (0.001, "steps of 0.01"),
        (80, "such as 0.8 for 80 %"),
        (7, "such as 0.07 for 7 %"),
        (1.5, "a share from 0 to 1"),
        (101, "a share from 0 to 1"),
        (-0.1, "greater than or equal to 0"),
        (float("nan"), "expected_incidence_rate"),
        ("much", "expected_incidence_rate"),
    ],
)
def test_an_incidence_that_is_none_says_what_it_may_be(rate: object, said: str) -> None:
    assert said in refused("fresh", expected_incidence_rate=rate)


@pytest.mark.parametrize("amount", [2.75, 3, Decimal("2.7352"), 0, -1])
@pytest.mark.parametrize("field", ["cost_per_interview", "maximum_cpi", "total_budget"])
def test_an_amount_without_a_currency_says_what_it_needs(field: str, amount: object) -> None:
    said = refused("fresh", **{field: amount})
    assert f"{field}: {amount!r} has no currency (write text, such as '2.75 EUR', in the unit's currency)" in said


@pytest.mark.parametrize("minutes", [0, 46, -5, "long", None])
def test_a_length_of_interview_that_cannot_be_says_its_range(minutes: object) -> None:
    assert "whole minutes from 1 to 45" in refused("fresh", expected_length_of_interview_minutes=minutes)


def test_neither_constructor_lets_the_kind_be_chosen() -> None:
    assert "A recontact plan sets study_type_code itself" in refused("recontact", study_type_code="adhoc")
    assert "A fresh plan sets kind itself" in refused("fresh", kind="recontact")


def test_amounts_are_exact_as_text_and_as_money() -> None:
    for given_as in ("2.7352 EUR", "€2.7352", Money.parse("2.7352 EUR")):
        plan = make_fresh_plan(NOW, cost_per_interview=given_as)
        assert plan.to_body()["cost_per_interview"] == {"value": "2.7352", "currency_code": "EUR"}
