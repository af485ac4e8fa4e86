"""The seam at which a budget is asked for: the resources call it, the client of a wave implements it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import Money


class SpendCheck(Protocol):
    """Protocol for what asks for a budget before a launched group may become dearer."""

    async def check(
        self,
        ref: TargetGroupRef,
        *,
        verb: str,
        budget: str | Money | None,
        goal: int | None = None,
        price: Money | None = None,
    ) -> Callable[[], None]:
        """Raise unless the budget covers what the group could cost after it; return what records the approval."""
        ...
