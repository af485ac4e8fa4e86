"""The spend guard: the most a wave can cost, compared with what the analyst allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from cint_nb.domain.errors import BudgetExceeded, PlanError
from cint_nb.domain.plan import Money, TargetGroupPlan


def worst_case_cost(plan: TargetGroupPlan, id_count: int | None = None) -> Money | None:
    """Return the most a wave can cost: goal times the higher of price and price cap; None when nothing bounds it.

    A total budget, where the plan has one, is the exchange's own bound; goal times price can still be above it.

    Args:
        plan: The plan of the wave.
        id_count: How many may take part. Where the plan allows overfill, each of them may complete.
    """
    cap, completes, budget = _highest_price(plan), plan.completes_goal, plan.total_budget
    if budget is not None:
        budget = _at_least(budget, completes, plan.cost_per_interview)
    if not plan.prevent_overfill:
        if id_count is None:
            return budget
        completes = max(completes, id_count)
    if cap is None:
        return budget
    most = Money(value=Decimal(completes) * cap.value, currency_code=cap.currency_code)
    if budget is None or budget.currency_code != most.currency_code:
        return most
    return min(budget, most, key=lambda each: each.value)


@dataclass(frozen=True)
class SpendingLimits:
    """What bounds the cost of a target group, as read from the exchange.

    Args:
        completes_goal: Completes wanted; None if it was not shown.
        price: The price of a complete now; None if it was not shown, or with a rate card.
        price_cap: The highest price of a complete; None if there is none.
        prevent_overfill: Whether completes stop at the goal; None if it was not shown.
        total_budget: The exchange's own bound of the cost, where one is set.
        saved_count: Number of ids saved: with overfill each of them may complete.
        spent: What the group has cost so far; None for a draft, or if it was not shown.
        completes: Completes so far.
    """

    completes_goal: int | None
    price: Money | None
    price_cap: Money | None
    prevent_overfill: bool | None
    total_budget: Money | None
    saved_count: int | None
    spent: Money | None = None
    completes: int | None = None

    def worst_case(self) -> Money | None:
        """Return the most the group can cost; None where nothing that was read bounds it."""
        prices = [price for price in (self.price, self.price_cap) if price is not None]
        if len({each.currency_code for each in (*prices, self.total_budget) if each is not None}) > 1:
            return None  # amounts in two currencies bound nothing together
        bounds = []
        if self.total_budget is not None:
            bounds.append(_at_least(self.total_budget, self.completes_goal, self.price, self.spent, self.completes))
        completes = self.completes_goal
        if completes is not None and self.prevent_overfill is not True:
            completes = None if self.saved_count is None else max(completes, self.saved_count)
        # A cap below the present price does not bound what is being paid now.
        if completes is not None and self.price_cap is not None:
            highest = max(prices, key=lambda each: each.value)
            nothing = Money(value=Decimal(0), currency_code=highest.currency_code)
            bounds.append(_at_least(nothing, completes, highest, self.spent, self.completes))
        return min(bounds, key=lambda each: each.value) if bounds else None

    def after_reconciliation(self, positive: int, negative: int, *, open_to_people: bool) -> Money | None:
        """Return the most the group can cost once completes were rejected and others added; None if nothing bounds it.

        Args:
            positive: Visits that become completes.
            negative: Completes that are rejected, and whose places are free again.
            open_to_people: Whether people can enter, or will be able to.
        """
        completes = None if self.completes is None else max(0, self.completes - negative)
        base = replace(self, completes=completes).worst_case() if open_to_people else self.spent
        if not positive or base is None:
            return base
        prices = [price for price in (self.price, self.price_cap) if price is not None]
        if {price.currency_code for price in prices} != {base.currency_code}:
            return None
        highest = max(price.value for price in prices)
        return Money(value=base.value + positive * highest, currency_code=base.currency_code)

    def evidence(self) -> dict[str, object]:
        """Return what the worst case is computed from, for a message."""
        return {
            "goal": self.completes_goal,
            "price": self.price,
            "price_cap": self.price_cap,
            "total_budget": self.total_budget,
            "saved_ids": self.saved_count if self.prevent_overfill is not True else None,
        }


def _at_least(
    bound: Money, completes: int | None, price: Money | None, spent: Money | None = None, done: int | None = None
) -> Money:
    """Return a bound, raised to what so many completes cost at a price, where that is more.

    The documents call a total budget the most to be spent "for the target number of completes", and say nowhere that
    completes stop at it: so one below goal times price does not bound what is being paid now.

    Args:
        bound: The bound.
        completes: How many complete; None if it is not known.
        price: What each of them costs.
        spent: What those who have completed did cost, which may be more than a complete costs now.
        done: How many have completed.
    """
    if completes is None or price is None or price.currency_code != bound.currency_code:
        return bound
    most = max(bound.value, completes * price.value)
    if spent is not None and done is not None:
        most = max(most, spent.value + max(0, completes - done) * price.value)
    return Money(value=most, currency_code=bound.currency_code)


def compare_with_budget(
    worst_case: Money | None,
    budget: str | Money | None,
    *,
    verb: str,
    subject: str = "The target group",
    evidence: Mapping[str, object] | None = None,
) -> Money:
    """Return the budget, parsed, if it covers the most that target groups on the exchange can cost.

    Args:
        worst_case: The most they can cost; None where nothing bounds it.
        budget: Amount and currency, such as `1400 EUR`; required.
        verb: The call, for the message.
        subject: What can cost it, for the message.
        evidence: What the worst case was computed from.

    Raises:
        PlanError: there is no budget, or it is in another currency.
        BudgetExceeded: the worst case exceeds it, or nothing bounds it.
    """
    if budget is None:
        raise PlanError(
            "This can spend more money, but no budget was given.",
            evidence={"field": "budget", "worst_case": str(worst_case) if worst_case else "unbounded"},
            safe="nothing was changed.",
            next_step=f"say how much {subject[0].lower()}{subject[1:]} may cost in all, such as "
            f"{verb}(…, budget='1400 EUR').",
        )
    allowed = Money.parse(budget)
    if worst_case is None:
        raise BudgetExceeded(
            f"The exchange shows nothing that bounds the cost of {subject[0].lower()}{subject[1:]}, so no budget can.",
            evidence={"budget": str(allowed), **(evidence or {})},
            safe="nothing was changed.",
            next_step="run it again in a moment; if goal, price cap or overfill stay hidden, check them in the "
            "exchange's web interface and change them there.",
        )
    if worst_case.currency_code != allowed.currency_code:
        raise PlanError(
            f"The budget is in {allowed.currency_code}, the prices are in {worst_case.currency_code}.",
            evidence={"field": "budget"},
            next_step=f"give the budget in {worst_case.currency_code}.",
        )
    if worst_case.value > allowed.value:
        raise BudgetExceeded(
            f"{subject} could cost {worst_case}, more than the budget of {allowed}.",
            evidence={"worst_case": str(worst_case), "budget": str(allowed), **(evidence or {})},
            safe="nothing was changed.",
            next_step="raise the budget, or ask for less.",
        )
    return allowed


def _highest_price(plan: TargetGroupPlan) -> Money | None:
    """Return the cap, or the price where it is above its own cap: whether a cap binds it is not documented."""
    cap, price = plan.price_cap, plan.cost_per_interview
    if cap is None or price is None or price.currency_code != cap.currency_code:
        return cap
    return max(cap, price, key=lambda each: each.value)


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
            next_step="set prevent_overfill to True." if capped else "give the plan a maximum_cpi or a total_budget.",
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
                "price_cap": str(plan.price_cap) if plan.price_cap else None,
                "cost_per_interview": str(plan.cost_per_interview) if plan.total_budget else None,
                "total_budget": str(plan.total_budget) if plan.total_budget else None,
                "overfill": None if plan.prevent_overfill else f"allowed, {id_count:,} ids may complete",
            },
            safe="nothing was launched or changed.",
            next_step="raise the budget, or lower completes_goal or "
            f"{'cost_per_interview' if plan.total_budget else 'maximum_cpi'}.",
        )
    return worst
