"""The guard of everything that can spend after a launch, and the approvals it writes down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from cint_nb.api.client import AsyncClient
from cint_nb.api.safety.spend_check import SpendCheck
from cint_nb.domain.errors import ApiError, PlanError
from cint_nb.domain.models import Amount, TargetGroupRef
from cint_nb.domain.plan import Money
from cint_nb.wave.budget import SpendingLimits, compare_with_budget
from cint_nb.wave.exchange.state import ExchangeState, GroupState, read_state
from cint_nb.wave.journal.journal import EntryState, Journal, WaveKey
from cint_nb.wave.journal.payloads import APPROVAL, ApprovalPayload


async def read_limits(client: AsyncClient, state: ExchangeState, saved_count: int | None = None) -> SpendingLimits:
    """Read what bounds the cost of a target group: one request, and one more where overfill is allowed.

    Args:
        client: Reads it.
        state: The state of the group, with its overview or draft.
        saved_count: Number of ids saved, if it was read already.
    """
    modules: Mapping[str, Any] | None
    try:
        modules = await client.target_groups.fielding_assistant(state.ref)
    except ApiError:
        modules = None
    pricing = _object(modules, "pricing")
    overfill = _object(modules, "quota_overlay").get("prevent_overfill")
    goal, price = _goal_and_price(state)
    if overfill is not True and saved_count is None:
        try:
            saved_count = await client.recontacts.saved_count(state.ref)
        except ApiError:
            saved_count = None
    return SpendingLimits(
        completes_goal=goal,
        price=price,
        price_cap=_money(pricing.get("maximum_cpi")),
        prevent_overfill=overfill if isinstance(overfill, bool) else None,
        total_budget=_money(pricing.get("total_budget")),
        saved_count=saved_count,
        spent=None if state.overview is None else _money(state.overview.current_cost),
        completes=None
        if state.overview is None or state.overview.progress is None
        else state.overview.progress.current_completes,
    )


class SpendGuard(SpendCheck):
    """Compare what a launched group could cost after a change with the budget given for it, and record approvals.

    Args:
        client: Reads the state of groups.
        journal: Returns where approvals are kept; opened when the first one is written or asked for.
        scope: Where the client's groups are.
    """

    def __init__(self, client: AsyncClient, journal: Callable[[], Journal], scope: str) -> None:
        self._client = client
        self._journal = journal
        self._scope = scope

    async def check(
        self,
        ref: TargetGroupRef,
        *,
        verb: str,
        budget: str | Money | None,
        goal: int | None = None,
        price: Money | None = None,
        always: bool = False,
    ) -> Callable[[], None]:
        """Raise unless the budget covers the worst case after a change; return what records it once it is done.

        A change that makes nothing dearer needs no budget.

        Args:
            ref: The target group.
            verb: The call, for messages and the audit trail.
            budget: What the whole group may cost.
            goal: The goal wanted.
            price: The price wanted.
            always: Ask for a budget even if the change makes nothing dearer by itself, as a relaunch does.

        Raises:
            PlanError: a budget is missing or in another currency.
            BudgetExceeded: the worst case exceeds it, or cannot be bounded.
        """
        state = await read_state(self._client, ref)
        state.require_known(verb)
        now = await read_limits(self._client, state)
        wanted = replace(
            now,
            completes_goal=now.completes_goal if goal is None else goal,
            price=now.price if price is None else price,
        )
        before, after = now.worst_case(), wanted.worst_case()
        dearer = always or before is None or after is None or after.value > before.value
        if budget is None and not dearer:
            return _nothing
        if budget is None and state.state is GroupState.DRAFT:
            return _nothing  # the launch asks for it
        allowed = compare_with_budget(wanted, budget, verb=verb)
        return lambda: self.record(ref, verb=verb, budget=allowed, worst_case=after, limits=wanted)

    async def approve(self, ref: TargetGroupRef, budget: str | Money) -> Money:
        """Record a budget for what now stands at the exchange; nothing is changed there.

        Raises:
            BudgetExceeded: what stands there could cost more.
        """
        state = await read_state(self._client, ref)
        state.require_known("approve a budget")
        limits = await read_limits(self._client, state)
        allowed = compare_with_budget(limits, budget, verb="wave.approve")
        self.record(ref, verb="approve", budget=allowed, worst_case=limits.worst_case(), limits=limits)
        return allowed

    def record(
        self, ref: TargetGroupRef, *, verb: str, budget: Money, worst_case: Money | None, limits: SpendingLimits
    ) -> None:
        """Write an approval into the journal."""
        payload = ApprovalPayload(
            verb=verb,
            budget=str(budget),
            worst_case=str(worst_case),
            completes_goal=limits.completes_goal,
            price_cap=str(limits.price_cap) if limits.price_cap else None,
        )
        self._journal().write(self._key(ref), APPROVAL, EntryState.DONE, payload, at=self._client.clock.now())

    def approved(self, ref: TargetGroupRef) -> Money | None:
        """Return the budget last approved here; None is *not known*: neither nothing nor unlimited."""
        entry = self._journal().last(self._key(ref), APPROVAL)
        return Money.parse(entry.payload.budget) if entry is not None else None

    def _key(self, ref: TargetGroupRef) -> WaveKey:
        return WaveKey(self._scope, ref.project_id, ref.target_group_id)


def _nothing() -> None:
    """Record nothing: no budget was given, and none was needed."""


def _goal_and_price(state: ExchangeState) -> tuple[int | None, Money | None]:
    if state.group is not None:
        return state.group.completes_goal, _money(state.group.cost_per_interview)
    if state.overview is not None:
        progress = state.overview.progress
        return progress.filling_goal if progress else None, _money(state.overview.current_cost_per_interview)
    return None, None


def _object(body: Mapping[str, Any] | None, name: str) -> Mapping[str, Any]:
    found = None if body is None else body.get(name)
    return found if isinstance(found, Mapping) else {}


def _money(amount: Any) -> Money | None:
    if isinstance(amount, Amount):
        amount = {"value": amount.value, "currency_code": amount.currency_code}
    if not isinstance(amount, Mapping) or amount.get("value") is None:
        return None
    try:
        return Money(value=Decimal(str(amount["value"])), currency_code=str(amount.get("currency_code") or "").upper())
    except (ValueError, InvalidOperation, PlanError):
        return None
