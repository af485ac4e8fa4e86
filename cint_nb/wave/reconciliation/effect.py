"""What a list changes in a wave: completes, people to recontact, cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from cint_nb.api.client import AsyncClient
from cint_nb.study.outcome.reconciliation import ReconciliationPlan
from cint_nb.wave.exchange.spending import read_limits
from cint_nb.wave.exchange.state import ExchangeState


async def read_effect(
    client: AsyncClient, state: ExchangeState, plan: ReconciliationPlan
) -> tuple[tuple[str, Any, Any], ...]:
    """Return what a list changes: completes, people to recontact, cost, and the most the group can cost."""
    overview, net = state.overview, plan.positive - plan.negative
    progress = overview.progress if overview is not None else None
    completes = None if progress is None else progress.current_completes
    rows: list[tuple[str, Any, Any]] = [
        ("completes", completes, None if completes is None else completes + net),
        ("people who completed, to recontact", plan.people, plan.people_after),
    ]
    cost, average = (None, None) if overview is None else (overview.current_cost, overview.average_cost_per_interview)
    after = None
    if cost is not None and cost.value is not None and average is not None and average.value is not None:
        after = f"about {max(Decimal(0), cost.value + net * average.value):,.2f} {cost.currency_code or ''}".strip()
    rows.append(("cost", cost, after))
    if state.is_in_field or plan.positive:
        limits = await read_limits(client, state)
        most = limits.after_reconciliation(plan.positive, plan.negative, open_to_people=state.is_in_field)
        rows.append(("the most it can cost, which a budget must cover", limits.worst_case(), most))
    return tuple(rows)
