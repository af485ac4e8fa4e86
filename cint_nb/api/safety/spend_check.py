"""The seam at which a budget is asked for: the resources call it, the client of a wave implements it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from cint_nb.api.safety.send_once import had_no_effect
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import Money

RecordApproval = Callable[[], None]
"""What writes down the budget of a call that was sent."""


class SpendCheck(Protocol):
    """Protocol for what asks for a budget before money can be spent, and keeps what was approved."""

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
    ) -> RecordApproval:
        """Raise unless the budget covers what the group could cost after it; return what records the approval."""
        ...

    async def check_upload(self, ref: TargetGroupRef, id_count: int, budget: str | Money | None) -> RecordApproval:
        """Raise unless more ids in a group cost no more than was approved; return what records the approval."""
        ...

    async def check_batch(
        self, refs: Sequence[TargetGroupRef], *, verb: str, budget: str | Money | None, or_approved: bool
    ) -> RecordApproval:
        """Raise unless the budget covers what all these groups could cost; return what records the approvals."""
        ...

    async def check_reconciliation(
        self,
        refs: Sequence[TargetGroupRef],
        *,
        positive: int,
        negative: int,
        budget: str | Money | None,
        verb: str = "client.reconciliations.submit",
    ) -> RecordApproval:
        """Raise unless the budget covers what groups could cost after a reconciliation; return what records it."""
        ...


@asynccontextmanager
async def within_budget(check: Awaitable[RecordApproval] | None) -> AsyncIterator[None]:
    """Ask for the budget, then send; the approval is recorded unless the exchange refused the request.

    Args:
        check: What asks for it; None where nothing guards the money.
    """
    record = None if check is None else await check
    try:
        yield
    except BaseException as error:
        if record is not None and not had_no_effect(error):
            record()
        raise
    if record is not None:
        record()
