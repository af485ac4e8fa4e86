"""Launching never costs more than the analyst allowed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cint_nb.domain.errors import BudgetExceeded, PlanError
from cint_nb.domain.plan import Money, TargetGroupPlan
from cint_nb.wave.budget import SpendingLimits, check_budget, worst_case_cost
from cint_nb.wave.client import Client
from cint_nb.wave.wave import Wave
from tests.support.plans import make_plan


def plan(**changes: Any) -> TargetGroupPlan:
    return make_plan(datetime(2026, 9, 2, tzinfo=UTC), **{"completes_goal": 400} | changes)


def test_the_worst_case_is_goal_times_price_cap_exactly() -> None:
    assert str(worst_case_cost(plan())) == "1,094.08 EUR"


def test_the_maximum_price_counts_not_the_wished_one() -> None:
    assert str(worst_case_cost(plan(maximum_cpi="3 EUR"))) == "1,200.00 EUR"


def test_a_budget_that_covers_the_worst_case_passes() -> None:
    assert check_budget(plan(), "1094.08 EUR") == worst_case_cost(plan())


def test_a_budget_below_the_worst_case_is_refused_with_both_numbers() -> None:
    with pytest.raises(BudgetExceeded, match=r"1,094.08 EUR.*1,094.07 EUR"):
        check_budget(plan(), "1094.07 EUR")


def test_no_budget_is_refused() -> None:
    with pytest.raises(PlanError, match="no budget was given"):
        check_budget(plan(), None)


def test_a_budget_in_another_currency_is_refused() -> None:
    with pytest.raises(PlanError, match="in USD, the prices are in EUR"):
        check_budget(plan(), "2000 USD")


def test_a_plan_without_a_price_cap_cannot_be_bounded() -> None:
    with pytest.raises(BudgetExceeded, match="no price cap"):
        check_budget(plan(cost_per_interview=None), "2000 EUR")


@pytest.mark.parametrize("text", ["", "1400", "EUR", "1,400 EUR", "many EUR", "-5 EUR", "1400 EURO", "NaN EUR"])
def test_a_budget_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(PlanError):
        check_budget(plan(), text)


def test_where_overfill_is_allowed_every_id_may_cost() -> None:
    loose = plan(prevent_overfill=False)
    assert str(worst_case_cost(loose, 1_000)) == "2,735.20 EUR"
    assert str(worst_case_cost(loose, 10)) == "1,094.08 EUR"
    assert check_budget(loose, "2736 EUR", id_count=1_000) == worst_case_cost(loose, 1_000)
    with pytest.raises(BudgetExceeded, match="1,000 ids may complete"):
        check_budget(loose, "1094.08 EUR", id_count=1_000)
    with pytest.raises(BudgetExceeded, match="allows overfill, so no budget can bound it"):
        check_budget(loose, "9999 EUR")


@pytest.mark.parametrize(("hours", "warned"), [(1, False), (23, False), (25, True), (120, True)])
@pytest.mark.filterwarnings("ignore::cint_nb.errors.CintWarning")  # read from the wave
def test_a_launch_long_before_the_start_of_the_plan_says_that_it_does_not_wait(
    make_wave: Callable[..., Wave], client: Client, hours: int, warned: bool
) -> None:
    wave = make_wave(start_at=client.clock.now() + timedelta(hours=hours))
    wave.create()
    wave.upload()
    wave.launch(budget="2000 EUR")
    assert any("does not wait for the start" in text for text in wave.warnings) is warned
    assert wave.status()["state"].item() == "live"


@pytest.mark.parametrize(("total_budget", "worst_case"), [("1200 EUR", "1,200.00 EUR"), ("1000 EUR", "1,094.08 EUR")])
def test_a_total_budget_below_goal_times_price_bounds_nothing(total_budget: str, worst_case: str) -> None:
    bounded = plan(total_budget=total_budget)
    assert str(worst_case_cost(bounded)) == worst_case
    assert check_budget(bounded, "1200 EUR") == worst_case_cost(bounded)
    with pytest.raises(BudgetExceeded, match=f"total_budget={bounded.total_budget}"):
        check_budget(bounded, "1000 EUR")


def test_amounts_in_two_currencies_bound_nothing() -> None:
    euros, dollars = Money.parse("2 EUR"), Money.parse("100 USD")
    shown = SpendingLimits(10, euros, euros, True, total_budget=dollars, saved_count=None)
    assert shown.worst_case() is None
    assert str(replace(shown, total_budget=None).worst_case()) == "20 EUR"
