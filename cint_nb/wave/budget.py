"""The spend guard: what a wave can cost at most, compared with what the analyst allows."""

from __future__ import annotations

from decimal import Decimal

from cint_nb.domain.errors import BudgetExceeded, PlanError
from cint_nb.domain.plan import Money, TargetGroupPlan


def worst_case(plan: TargetGroupPlan) -> Money | None:
    """Return the most a wave can cost: goal times price cap; None when the plan sets no cap."""
    cap = plan.price_cap
    if cap is None:
        return None
    return Money(value=Decimal(plan.completes_goal) * cap.value, currency_code=cap.currency_code)


def check_budget(plan: TargetGroupPlan, budget: str | Money | None) -> Money:
    """Return the worst case if the budget covers it.

    Args:
        plan: The plan of the wave.
        budget: Amount and currency, such as `1400 EUR`; it must be given, since launching spends money.

    Raises:
        PlanError: no budget, or a budget in another currency than the prices.
        BudgetExceeded: goal times price cap is above the budget, or there is no cap to bound it.
    """
    if budget is None:
        raise PlanError(
            "Launching spends money and no budget was given.",
            evidence={"field": "budget", "worst_case": str(worst_case(plan) or "unbounded")},
            next_step="say how much the wave may cost, such as launch(budget='1400 EUR').",
        )
    allowed = Money.of(budget)
    worst = worst_case(plan)
    if worst is None:
        raise BudgetExceeded(
            "The plan has no price cap, so no budget can bound it.",
            evidence={"budget": str(allowed)},
            safe="nothing was launched.",
            next_step="give the plan a maximum_cpi.",
        )
    if worst.currency_code != allowed.currency_code:
        raise PlanError(
            f"The budget is in {allowed.currency_code}, the prices are in {worst.currency_code}.",
            evidence={"field": "budget", "price_cap": str(plan.price_cap)},
            next_step=f"give the budget in {worst.currency_code}.",
        )
    if worst.value > allowed.value:
        raise BudgetExceeded(
            f"The wave can cost {worst}, more than the budget of {allowed}.",
            evidence={"completes_goal": plan.completes_goal, "price_cap": str(plan.price_cap)},
            safe="nothing was launched; the draft and its uploads stay as they are.",
            next_step="raise the budget, or lower completes_goal or maximum_cpi.",
        )
    return worst
