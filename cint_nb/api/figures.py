"""What a target group achieves and could achieve: overview, performance, completes, changelog, feasibility."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from cint_nb.api import operations as ops
from cint_nb.api.reading import read, read_item, read_many
from cint_nb.domain.errors import NotFound
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.target_groups import (
    Change,
    CompletesInterval,
    Feasibility,
    Performance,
    TargetGroupOverview,
)
from cint_nb.wire.http import Http
from cint_nb.wire.pages import pages

_CHANGELOG_PAGE = 50


class Figures:
    """Read figures of target groups."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def overview(self, ref: TargetGroupRef) -> TargetGroupOverview:
        """Read state, progress and cost of a launched target group.

        Raises:
            NotFound: there is no such group, or it is a draft still: drafts have no overview.

        Serves `GET …/overview`.
        """
        try:
            return read(TargetGroupOverview, await self._http.send(ops.GROUP_OVERVIEW.call(ref.path())))
        except NotFound as error:
            error.next_step = "a draft has no overview: launch it first, or check the ids."
            raise

    async def performance(self, ref: TargetGroupRef) -> Performance:
        """Read entrants, completes, rates, and visits by status with live and test apart; `GET …/performance`."""
        return read(Performance, await self._http.send(ops.PERFORMANCE.call(ref.path())))

    async def completes_by_interval(
        self, ref: TargetGroupRef, interval: str = "PT24H"
    ) -> tuple[CompletesInterval, ...]:
        """Read the completes over time; each count is cumulative, up to the end of its interval.

        Args:
            ref: The target group.
            interval: Length in ISO 8601, such as `PT1H` or `PT24H`.

        Serves `GET …/completes-aggregated-by-interval`.
        """
        call = ops.COMPLETES.call(ref.path(), query={"aggregation_interval": interval})
        return read_many(CompletesInterval, await self._http.send(call), "aggregated_completes_intervals")

    async def changelog(self, ref: TargetGroupRef, *, types: tuple[str, ...] = ()) -> AsyncIterator[Change]:
        """Go through what was changed, when and by whom.

        Args:
            ref: The target group.
            types: Only these kinds of change, such as `status_change`.

        Serves `GET …/changelog`.
        """
        call = ops.CHANGELOG.call(ref.path(), query={"change_types": types})
        async for row in pages(self._http, call, items_key="changelog", page_size=_CHANGELOG_PAGE):
            yield read_item(Change, row, call)

    async def feasibility(self, body: Mapping[str, Any]) -> Feasibility:
        """Forecast price and completes of a draft described by its body; nothing is created.

        The forecast is about the population: it knows nothing of a recontact list.

        Args:
            body: As for a draft, goal at most 10,000; the business unit number is sent as a number.

        Serves `POST …/target-groups/calculate-feasibility`.
        """
        sent = dict(body)
        if isinstance(unit := sent.get("business_unit_id"), str) and unit.isascii() and unit.isdigit():
            sent["business_unit_id"] = int(unit)
        return read(Feasibility, await self._http.send(ops.FEASIBILITY_OF_DRAFT.call(json=sent)))

    async def feasibility_of(self, ref: TargetGroupRef, changes: Mapping[str, Any] | None = None) -> Feasibility:
        """Forecast price and completes of an existing group, as it is or with changes; nothing is changed.

        Args:
            ref: The target group.
            changes: What to assume instead, such as `{"completes_goal": 200}`.

        Serves `POST …/target-groups/{target_group_id}/calculate-feasibility`.
        """
        return read(
            Feasibility, await self._http.send(ops.FEASIBILITY_OF_GROUP.call(ref.path(), json=dict(changes or {})))
        )

    async def allocation_specification(self, ref: TargetGroupRef) -> dict[str, Any]:
        """Read which suppliers the group goes to, as the exchange words it; `GET …/allocation-specification`."""
        return (await self._http.send(ops.ALLOCATIONS.call(ref.path()))).fields()
