"""The guard of every call that can spend, and the approvals it writes down."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from cint_nb.api.client import AsyncClient
from cint_nb.api.safety.spend_check import RecordApproval, SpendCheck
from cint_nb.domain.errors import ApiError, BudgetExceeded, PlanError
from cint_nb.domain.limits import RECONTACT_STUDY_TYPE
from cint_nb.domain.models import Amount, TargetGroupRef
from cint_nb.domain.plan import Money
from cint_nb.wave.budget import SpendingLimits, compare_with_budget
from cint_nb.wave.exchange.state import ExchangeState, GroupState, read_state
from cint_nb.wave.journal.journal import EntryState, Journal, JournalEntry, WaveKey
from cint_nb.wave.journal.payloads import APPROVAL, ApprovalPayload

_checked: ContextVar[frozenset[TargetGroupRef]] = ContextVar("cint_nb_checked_groups", default=frozenset())
_called_as: ContextVar[str | None] = ContextVar("cint_nb_called_as", default=None)


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
    goal, price = goal_and_price(state)
    if state.study_type not in (None, RECONTACT_STUDY_TYPE):
        saved_count = None  # anybody may enter: with overfill no list bounds the completes
    elif overfill is not True and saved_count is None:
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


def least_commitment(state: ExchangeState) -> Money | None:
    """Return what a group in the field can cost at least, by its state alone: goal times price; None if not shown."""
    goal, price = goal_and_price(state)
    if goal is None or price is None:
        return None
    return Money(value=goal * price.value, currency_code=price.currency_code)


class SpendGuard(SpendCheck):
    """Compare what a target group could cost after a call with the budget given for it, and record approvals.

    Args:
        client: Reads the state of groups.
        journal: Returns where approvals are kept; opened when the first one is written or asked for.
        scope: Where the client's groups are.
    """

    def __init__(self, client: AsyncClient, journal: Callable[[], Journal], scope: str) -> None:
        self._client = client
        self._journal = journal
        self._scope = scope

    @contextmanager
    def checked(self, ref: TargetGroupRef) -> Iterator[None]:
        """Ask for nothing about a group inside the block: its wave has just compared more than a call could."""
        reset = _checked.set(_checked.get() | {ref})
        try:
            yield
        finally:
            _checked.reset(reset)

    @contextmanager
    def called_as(self, verb: str) -> Iterator[None]:
        """Let messages and the audit trail name the verb the user called, not the call beneath it that asks."""
        reset = _called_as.set(verb)
        try:
            yield
        finally:
            _called_as.reset(reset)

    async def check(
        self,
        ref: TargetGroupRef,
        *,
        verb: str,
        budget: str | Money | None,
        goal: int | None = None,
        price: Money | None = None,
        always: bool = False,
        or_approved: bool = False,
        state: ExchangeState | None = None,
    ) -> RecordApproval:
        """Raise unless the budget covers the worst case after a change; return what records it once it is done.

        A change that makes nothing dearer needs no budget.

        Args:
            ref: The target group.
            verb: The call, for messages and the audit trail.
            budget: What the whole group may cost.
            goal: The goal wanted.
            price: The price wanted.
            always: Ask for a budget even if the change makes nothing dearer by itself, as a relaunch does.
            or_approved: Take what was approved for the group in place of a budget.
            state: The state of the group, if it was read in this moment already.

        Raises:
            PlanError: a budget is missing, or budget or price is in another currency.
            BudgetExceeded: the worst case exceeds it, or cannot be bounded.
        """
        if ref in _checked.get():
            return _nothing
        verb = _called_as.get() or verb
        state = state or await read_state(self._client, ref)
        state.require_known(verb)
        now = await read_limits(self._client, state)
        if price is not None and now.price is not None and price.currency_code != now.price.currency_code:
            raise PlanError(
                f"The price is in {price.currency_code}, the prices of the target group are in "
                f"{now.price.currency_code}.",
                evidence={"field": "price"},
                safe="nothing was changed.",
                next_step=f"give the price in {now.price.currency_code}.",
            )
        wanted = replace(
            now,
            completes_goal=now.completes_goal if goal is None else goal,
            price=now.price if price is None else price,
        )
        before, after = now.worst_case(), wanted.worst_case()
        dearer = always or before is None or after is None or after.value > before.value
        if budget is None and not dearer:
            return _nothing
        if budget is None and not always and state.state is GroupState.DRAFT:
            return _nothing  # the launch asks for it
        if budget is None and or_approved and (approved := self.approved(ref)) is not None:
            _require_covered(approved, after, verb, wanted.evidence())
            return _nothing
        allowed = compare_with_budget(after, budget, verb=verb, evidence=wanted.evidence())
        return lambda: self._record_limits(ref, verb, allowed, wanted)

    async def check_upload(self, ref: TargetGroupRef, id_count: int, budget: str | Money | None) -> RecordApproval:
        """Raise unless uploading to a group in the field costs no more than the budget, or than what was approved.

        With overfill each saved id may complete, so that ids commit money as a goal does.

        Args:
            ref: The target group.
            id_count: How many ids are to be uploaded.
            budget: What the whole group may cost.

        Raises:
            BudgetExceeded: the group could cost more, or nothing was approved here.
            NotFound: there is no such group.
            UnexpectedReply: the state of the group cannot be seen.
        """
        state = await read_state(self._client, ref)
        state.require_known("upload respondents")
        if not state.is_in_field:  # the launch asks for a budget
            return _nothing
        now = await read_limits(self._client, state)
        if now.prevent_overfill is True:
            return _nothing
        wanted = replace(now, saved_count=None if now.saved_count is None else now.saved_count + id_count)
        before, after = now.worst_case(), wanted.worst_case()
        if before is not None and after is not None and after.value <= before.value:
            return _nothing
        if budget is not None:
            verb = "client.recontacts.upload"
            allowed = compare_with_budget(after, budget, verb=verb, evidence=wanted.evidence())
            return lambda: self._record_limits(ref, verb, allowed, wanted)
        approved = self.approved(ref)
        if approved is None or not covers(approved, after):
            raise BudgetExceeded(
                f"The target group is {state.state} and allows overfill: with these ids it could cost "
                f"{after or 'without bound'}.",
                evidence={
                    "approved": str(approved) if approved else "not known to this journal",
                    "committed": str(before) if before else None,
                    "saved_ids": now.saved_count,
                    "ids_to_upload": id_count,
                },
                safe="nothing was sent.",
                next_step=_approval_advice(after, "upload again"),
            )
        return _nothing

    async def check_batch(
        self, refs: Sequence[TargetGroupRef], *, verb: str, budget: str | Money | None, or_approved: bool
    ) -> RecordApproval:
        """Raise unless the budget covers what all these groups could cost together; return what records it for each.

        Args:
            refs: The target groups; one that does not exist cannot spend, and does not count.
            verb: The call, for messages and the audit trail.
            budget: What they may cost together.
            or_approved: Take what was approved for each group in place of a budget.

        Raises:
            PlanError: a budget is missing, or there are several currencies.
            BudgetExceeded: the worst case exceeds it, or that of a group cannot be bounded.
        """
        found: list[tuple[TargetGroupRef, SpendingLimits]] = []
        for ref in refs:
            state = await read_state(self._client, ref)
            if state.state is not GroupState.MISSING:
                state.require_known(verb)
                found.append((ref, await read_limits(self._client, state)))
        worst = {ref: limits.worst_case() for ref, limits in found}
        if budget is None and or_approved:
            approvals = {ref: self.approved(ref) for ref, _ in found}
            if all(approvals.values()):
                for ref, limits in found:
                    evidence = {"target_group_id": ref.target_group_id, **limits.evidence()}
                    _require_covered(approvals[ref], worst[ref], verb, evidence)
                return _nothing
        together = _sum_of(list(worst.values()))
        unbounded = [ref.target_group_id for ref, most in worst.items() if most is None]
        subject = "The target group" if len(found) == 1 else f"The {len(found)} target groups"
        compare_with_budget(
            together, budget, verb=verb, subject=subject, evidence={"unbounded": ", ".join(unbounded) or None}
        )

        def record() -> None:
            for ref, limits in found:
                if (most := worst[ref]) is not None:  # its share of the budget
                    self._record_limits(ref, verb, most, limits)

        return record

    async def check_reconciliation(
        self,
        refs: Sequence[TargetGroupRef],
        *,
        positive: int,
        negative: int,
        budget: str | Money | None,
        verb: str = "client.reconciliations.submit",
    ) -> RecordApproval:
        """Raise unless the budget covers what groups could cost after a reconciliation; return what records it.

        A complete that is rejected while people can enter makes room for another one. What it cost is counted as spent
        all the same, since an audit may overturn the rejection. A visit that becomes a complete is paid for, in the
        field or not.

        Args:
            refs: The target groups of the visits.
            positive: How many visits become completes.
            negative: How many completes are rejected.
            budget: What these groups may cost together.
            verb: The call, for messages and the audit trail.

        Raises:
            PlanError: a budget is missing, or there are several currencies.
            BudgetExceeded: the worst case exceeds it, or that of a group cannot be bounded.
        """
        found: list[tuple[TargetGroupRef, SpendingLimits, Money | None]] = []
        for ref in refs:
            if ref in _checked.get():
                continue
            state = await read_state(self._client, ref)
            state.require_known("reconcile visits")
            if state.is_in_field or positive:
                limits = await read_limits(self._client, state)
                worst = limits.after_reconciliation(positive, negative, open_to_people=state.is_in_field)
                found.append((ref, limits, worst))
        if not found:
            return _nothing
        subject = "The target group" if len(found) == 1 else f"The {len(found)} target groups"
        evidence = {**found[0][1].evidence(), "rejected": negative, "made_complete": positive}
        allowed = compare_with_budget(
            _sum_of([worst for _, _, worst in found]), budget, verb=verb, subject=subject, evidence=evidence
        )

        def record() -> None:
            for ref, limits, worst in found:
                share = allowed if len(found) == 1 else worst
                if share is not None:
                    self._record_limits(ref, verb, share, limits)

        return record

    async def check_resumption(self, state: ExchangeState) -> str | None:
        """Compare what a paused group can cost with what was approved for it; return what is to be said, if anything.

        Raises:
            BudgetExceeded: it can cost more than was approved, or nothing bounds it.
        """
        limits = await read_limits(self._client, state)
        worst, entry = limits.worst_case(), self.last_approval(state.ref)
        committed = f"goal {limits.completes_goal}, up to {worst or 'no bound that can be seen'}"
        if entry is None:
            return f"This journal holds no approval for it; it is resumed with {committed}."
        approval = entry.payload
        if not covers(Money.parse(approval.budget), worst):
            raise BudgetExceeded(
                f"The paused target group could cost {worst or 'more than can be seen'}, but {approval.budget} was "
                "approved.",
                evidence={
                    "approved": approval.budget,
                    "committed": str(worst) if worst else None,
                    "goal": f"{approval.completes_goal} when approved, now {limits.completes_goal}",
                    "price_cap": f"{approval.price_cap} when approved, now {limits.price_cap}",
                    "price": limits.price,
                },
                safe="nothing was sent; the group stays paused.",
                next_step=_approval_advice(worst, "run wave.resume()"),
            )
        shown = (approval.completes_goal, approval.price_cap)
        if shown == (limits.completes_goal, str(limits.price_cap) if limits.price_cap else None):
            return None
        return (
            f"It was changed since {approval.budget} was approved for goal {approval.completes_goal} and a price of up "
            f"to {approval.price_cap}: it is resumed with {committed}."
        )

    async def approve(self, ref: TargetGroupRef, budget: str | Money) -> Money:
        """Record a budget for what now stands at the exchange; nothing is changed there.

        Raises:
            BudgetExceeded: what stands there could cost more.
        """
        state = await read_state(self._client, ref)
        state.require_known("approve a budget")
        limits = await read_limits(self._client, state)
        allowed = compare_with_budget(limits.worst_case(), budget, verb="wave.approve", evidence=limits.evidence())
        self._record_limits(ref, "approve", allowed, limits)
        return allowed

    def _record_limits(self, ref: TargetGroupRef, verb: str, budget: Money, limits: SpendingLimits) -> None:
        self.record(
            ref,
            verb=verb,
            budget=budget,
            worst_case=limits.worst_case(),
            completes_goal=limits.completes_goal,
            price_cap=limits.price_cap,
        )

    def record(
        self,
        ref: TargetGroupRef,
        *,
        verb: str,
        budget: Money,
        worst_case: Money | None,
        completes_goal: int | None,
        price_cap: Money | None,
    ) -> None:
        """Write an approval into the journal."""
        payload = ApprovalPayload(
            verb=verb,
            budget=str(budget),
            worst_case=str(worst_case),
            completes_goal=completes_goal,
            price_cap=str(price_cap) if price_cap else None,
        )
        self._journal().write(self._key(ref), APPROVAL, EntryState.DONE, payload, at=self._client.clock.now())

    def last_approval(self, ref: TargetGroupRef) -> JournalEntry[ApprovalPayload] | None:
        """Return the entry of the budget last approved here for a group, with the terms it was approved for."""
        return self._journal().last(self._key(ref), APPROVAL)

    def approved(self, ref: TargetGroupRef) -> Money | None:
        """Return the budget last approved here; None is *not known*: neither nothing nor unlimited."""
        entry = self.last_approval(ref)
        return Money.parse(entry.payload.budget) if entry is not None else None

    def _key(self, ref: TargetGroupRef) -> WaveKey:
        return WaveKey(self._scope, ref.project_id, ref.target_group_id)


def covers(approved: Money, worst_case: Money | None) -> bool:
    """Return whether an approval covers a worst case; what is not known is not covered."""
    return (
        worst_case is not None
        and worst_case.currency_code == approved.currency_code
        and worst_case.value <= approved.value
    )


def _require_covered(approved: Money | None, worst_case: Money | None, verb: str, evidence: dict[str, object]) -> None:
    if approved is None or not covers(approved, worst_case):
        raise BudgetExceeded(
            f"The target group could cost {worst_case or 'more than can be seen'}, but {approved} was approved.",
            evidence=evidence,
            safe="nothing was changed.",
            next_step=f"if that is intended, run {verb}(…, budget={str(worst_case)!r}); otherwise lower goal or price."
            if worst_case
            else "run it again in a moment; if goal, price cap or overfill stay hidden, check them in the web "
            "interface.",
        )


def _sum_of(amounts: Sequence[Money | None]) -> Money | None:
    """Return a sum of money; None if an amount is not known.

    Raises:
        PlanError: the amounts are in several currencies.
    """
    known = [each for each in amounts if each is not None]
    currencies = sorted({each.currency_code for each in known})
    if len(currencies) > 1:
        raise PlanError(
            f"The prices of these target groups are in {' and '.join(currencies)}, and a budget is in one currency.",
            evidence={"field": "budget"},
            next_step="start a batch for the groups of each currency.",
        )
    if not known or len(known) < len(amounts):
        return None
    return Money(value=sum((each.value for each in known), Decimal(0)), currency_code=currencies[0])


def _approval_advice(worst_case: Money | None, then: str) -> str:
    if worst_case is None:
        return "run it again in a moment; if goal, price cap or overfill stay hidden, check them in the web interface."
    return f"if that is intended, run wave.approve(budget={str(worst_case)!r}) and {then}; otherwise ask for less."


def _nothing() -> None:
    """Record nothing: no budget was given, and none was needed."""


def goal_and_price(state: ExchangeState) -> tuple[int | None, Money | None]:
    """Return the goal of a target group and the price of a complete, as its state shows them; None where not shown."""
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
