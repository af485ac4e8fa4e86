"""The spend guard: the most a wave can cost, compared with what the analyst allows."""

from __future__ import annotations

from decimal import Decimal

from cint_nb.domain.errors import BudgetExceeded, PlanError
from cint_nb.domain.plan import Money, TargetGroupPlan


def worst_case_cost(plan: TargetGroupPlan, id_count: int | None = None) -> Money | None:
    """Return the most a wave can cost: goal times price cap; None when nothing bounds it.

    Args:
        plan: The plan of the wave.
        id_count: How many may take part. Where the plan allows overfill, each of them may complete.
    """
    cap, completes = plan.price_cap, plan.completes_goal
    if not plan.prevent_overfill:
        if id_count is None:
            return None
        completes = max(completes, id_count)
    return None if cap is None else Money(value=Decimal(completes) * cap.value, currency_code=cap.currency_code)


def check_budget(plan: TargetGroupPlan, budget: str | Money | None, *, id_count: int | None = None) -> Money:
    """Return the worst case if the budget covers it.

    Args:
        plan: The plan of the wave.
        budget: Amount and currency, such as `1400 EUR`; required, since launching spends money.
        id_count: How many may take part; needed where the plan allows overfill.

    Raises:
        PlanError: there is no budget, or it is in another currency than the prices.
        BudgetExceeded: the worst case exceeds the budget, or nothing bounds it.
    """
    if budget is None:
        raise PlanError(
            "Launching spends money, but no budget was given.",
            evidence={"field": "budget", "worst_case": str(worst_case_cost(plan, id_count) or "unbounded")},
            next_step="say how much the wave may cost, such as wave.launch(budget='1400 EUR').",
        )
    allowed = Money.parse(budget)
    worst = worst_case_cost(plan, id_count)
    if worst is None:
        capped = plan.price_cap is not None
        raise BudgetExceeded(
            f"The plan {'allows overfill' if capped else 'has no price cap'}, so no budget can bound it.",
            evidence={"budget": str(allowed)},
            safe="nothing was launched.",
            next_step="set prevent_overfill to True." if capped else "give the plan a maximum_cpi.",
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
            evidence={
                "completes_goal": plan.completes_goal,
                "price_cap": str(plan.price_cap),
                "overfill": None if plan.prevent_overfill else f"allowed, {id_count:,} ids may complete",
            },
            safe="nothing was launched; the draft and its uploads are unchanged.",
            next_step="raise the budget, or lower completes_goal or maximum_cpi.",
        )
    return worst
