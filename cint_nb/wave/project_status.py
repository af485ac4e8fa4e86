"""The status of every target group of a project, refreshed with few requests."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pandas as pd

from cint_nb.caller_warnings import deliver_warnings
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import InputError
from cint_nb.domain.ids import normalise_name
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.target_groups import TargetGroupSummary
from cint_nb.study.frames import status_frame
from cint_nb.wave.context import find_project
from cint_nb.wave.journaled_client import JournaledClient
from cint_nb.wave.status_rows import merge_details, read_draft_details, read_fielding_details, row_from_list

T = TypeVar("T")
_FIRST_BATCH = 20
"""Groups whose details are fetched before the table is shown again."""

STALE_AFTER = timedelta(minutes=10)
STALE_PER_CALL = 10
"""Saved IDs can change while the line of the list does not: so many of the oldest details are fetched again."""

_STATE_PRIORITY = ("live", "paused", "scheduled", "draft")


@dataclass
class _CachedDetails:
    """What was fetched about one group, and for which line of the list."""

    line: TargetGroupSummary
    at: datetime
    details: dict[str, Any] = field(default_factory=dict)


@check_arguments()
class ProjectStatus:
    """The status of all target groups of a project; each call yields status frames, the last one complete.

    A call sends one request per page of the list (100 groups). For groups whose line has changed since the last call,
    and for those alone, it fetches the details: up to seven requests each, in batches, live groups first, with a frame
    after each batch. Details older than ten minutes are fetched again, ten groups per call. Pass it to `StatusTable`,
    which keeps it up to date. `attrs["warnings"]` of a frame are sentences about replies that were not as documented.

    Args:
        client: The client.
        project: Name or id of the project.

    Serves `GET …/target-groups`, and for each group that changed `…/overview`, `…/performance`,
    `…/completes-aggregated-by-interval`, `…/fielding-runs`, `…/recontacts/overview` and `…/changelog`.
    """

    def __init__(self, client: JournaledClient, project: str) -> None:
        self._client = client
        self._project = normalise_name(project)
        self._id: str | None = None
        self._cache: dict[str, _CachedDetails] = {}

    def __call__(self) -> Iterator[pd.DataFrame]:
        """Yield the frame from the list alone, then one after each batch of details.

        Raises:
            InputError: the account has no project of that name.
            ApiError: the list cannot be read.
        """
        said: dict[str, None] = {}
        lines = self._ask(self._list(), said)
        self._cache = {line.id: self._cache[line.id] for line in lines if line.id in self._cache}
        left = self._groups_to_fetch(lines)
        yield self._frame(lines, said)
        fetched = 0
        while left:
            # A share of what was fetched before: each frame has a row for every group, so that frames at even steps
            # would cost as the square of the groups.
            size = max(_FIRST_BATCH, fetched // 4)
            batch, left = left[:size], left[size:]
            self._ask(self._fetch_details(batch), said)
            fetched += len(batch)
            yield self._frame(lines, said)

    @property
    def mode(self) -> str:
        """The mode of the exchange: `sandbox`, `replay` or `live`."""
        return str(self._client.mode)

    def clear_cache(self) -> None:
        """Remove all cached details, so that the next call fetches those of every group."""
        self._cache.clear()

    def _ask(self, work: Coroutine[Any, Any, T], said: dict[str, None]) -> T:
        with deliver_warnings() as new:
            try:
                return self._client.run(work)
            finally:
                said |= dict.fromkeys(new)

    async def _list(self) -> list[TargetGroupSummary]:
        project_id = await self._project_id()
        return [line async for line in self._client.target_groups.list(project_id)]

    async def _project_id(self) -> str:
        if self._id is None:
            self._id = await find_project(self._client, self._project)
        if self._id is None:
            raise InputError(
                "The account has no project of that name.",
                evidence={"project": self._project},
                next_step="see client.projects.list(), or pass the project's ID.",
            )
        return self._id

    def _groups_to_fetch(self, lines: list[TargetGroupSummary]) -> list[TargetGroupSummary]:
        changed: list[TargetGroupSummary] = []
        unchanged: list[TargetGroupSummary] = []
        for line in lines:
            cached = self._cache.get(line.id)
            (unchanged if cached is not None and cached.line == line else changed).append(line)
        changed.sort(
            key=lambda line: (
                _STATE_PRIORITY.index(line.status) if line.status in _STATE_PRIORITY else len(_STATE_PRIORITY)
            )
        )
        stale = [line for line in unchanged if self._client.clock.now() - self._cache[line.id].at >= STALE_AFTER]
        stale.sort(key=lambda line: self._cache[line.id].at)
        return changed + stale[:STALE_PER_CALL]

    async def _fetch_details(self, lines: list[TargetGroupSummary]) -> None:
        await asyncio.gather(*map(self._fetch_one, lines))

    async def _fetch_one(self, line: TargetGroupSummary) -> None:
        state = None if line.status is None else line.status.strip().lower()
        project_id = await self._project_id()
        ref = TargetGroupRef(project_id=project_id, target_group_id=line.id)
        if state == "draft":
            details = await read_draft_details(self._client, ref)
        else:
            details = await read_fielding_details(self._client, ref, state)
        self._cache[line.id] = _CachedDetails(line, self._client.clock.now(), details)

    def _frame(self, lines: list[TargetGroupSummary], said: Collection[str]) -> pd.DataFrame:
        rows = []
        for line in lines:
            cached = self._cache.get(line.id)
            rows.append(merge_details(row_from_list(line), cached.details if cached else {}))
        now = self._client.clock.now()
        frame = status_frame(rows, now=now)
        frame.attrs |= {"mode": str(self._client.mode), "warnings": tuple(said), "read_at": now.isoformat()}
        return frame
