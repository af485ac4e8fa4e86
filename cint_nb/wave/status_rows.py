"""One target group as a row for `study.frames.status_frame`, from the replies of the exchange."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from typing import Any, TypeVar

from cint_nb.api.client import AsyncClient
from cint_nb.domain import limits
from cint_nb.domain.errors import ApiError, NotFound, PermissionDenied
from cint_nb.domain.ids import masked_repr
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.target_groups import ChangelogEntry, TargetGroupSummary
from cint_nb.wave.exchange.state import GroupState

T = TypeVar("T")

_DOCUMENTED_STATES = frozenset(GroupState) - {GroupState.MISSING, GroupState.NOT_KNOWN}
_MARKETPLACE_USER = "system_marketplace_user"


class Reads:
    """Reads that a row can do without.

    Attributes:
        unread: For each one that was refused a sentence: silence is not "nothing there".
    """

    def __init__(self) -> None:
        self.unread: list[str] = []

    def note(self, what: str, error: ApiError) -> None:
        """Note that something was not read."""
        self.unread.append(f"{what} could not be read ({error.status or 'not as documented'})")

    async def answer(self, what: str, request: Awaitable[T]) -> T | None:
        """Return the answer to a request; None for what does not exist or may not be read."""
        try:
            return await request
        except (NotFound, PermissionDenied) as error:
            self.note(what, error)
            return None


def row_from_list(line: TargetGroupSummary) -> dict[str, Any]:
    """Return the row of a line of the list, with the exchange's own advice as warnings."""
    metrics = {
        name: entry.get("value") if isinstance(entry, dict) else None for name, entry in (line.statistics or {}).items()
    }
    return {
        "name": line.name,
        "target_group_id": line.id,
        "state": (line.status or "").strip(),
        "overview": {
            "status": line.status,
            "progress": metrics.get("progress"),
            **{rate: metrics.get(rate) for rate in ("conversion_rate", "drop_off_rate", "incidence_rate")},
            "median_length_of_interview_seconds": metrics.get("median_length_of_interview_seconds"),
        },
        "performance": {"last_complete": metrics.get("last_complete_date")},
        "warnings": [
            *_unknown_state(line),
            *(f"Cint: {reason}" for _, kind, reason in line.issues() if reason and kind in ("warning", "error")),
        ],
    }


def _unknown_state(line: TargetGroupSummary) -> Iterator[str]:
    if line.status is None:
        yield "its state is not known"
    elif line.status.strip().lower() not in _DOCUMENTED_STATES:
        yield f"its state is {masked_repr(line.status, 40)}, which is not documented"


def _advice(line: TargetGroupSummary) -> Iterator[str]:
    for _, kind, reason in line.issues():
        if reason and kind in ("warning", "error"):
            yield f"Cint: {reason}"


def merge_details(listed: dict[str, Any], details: dict[str, Any]) -> dict[str, Any]:
    """Return a line of the list with its details; where both have a metric, that of the list is newer."""
    row = {**listed, **details, "warnings": [*listed["warnings"], *details.get("warnings", ())]}
    for part in ("overview", "performance"):
        detail = details.get(part)
        newer = {name: value for name, value in listed[part].items() if value is not None}
        row[part] = {**(detail.model_dump() if detail is not None else {}), **newer}
    return row


async def read_draft_details(client: AsyncClient, ref: TargetGroupRef) -> dict[str, Any]:
    """Return what a draft's body and its saved IDs add to its row."""
    reads = Reads()
    group = await reads.answer("the draft", client.target_groups.get(ref))
    if group is None:
        return {"warnings": reads.unread}
    return {
        "goal": group.completes_goal,
        "price_cap": group.price_cap,
        "ends_at": group.fielding_specification.end_at,
        "saved": await _read_saved_count(client, ref, group.study_type_code, reads),
        "warnings": reads.unread,
    }


async def read_fielding_details(client: AsyncClient, ref: TargetGroupRef, state: str | None) -> dict[str, Any]:
    """Return what overview, performance, completes over time and the fielding run add to a launched group's row."""
    reads = Reads()
    overview = await reads.answer("the overview", client.target_groups.overview(ref))
    if overview is None:
        return {"warnings": reads.unread}
    run = await reads.answer("the fielding run", client.fielding.run(ref))
    return {
        "overview": overview,
        "performance": await reads.answer("the performance", client.target_groups.performance(ref)),
        "price_cap": overview.current_cost_per_interview,
        "started_at": run.start_fielding_at if run else None,
        "ends_at": run.end_fielding_at if run else None,
        "trend": await read_completes_trend(client, ref, reads),
        **(await read_pause_origin(client, ref, reads) if state == "paused" else {}),
        "saved": await _read_saved_count(client, ref, overview.study_type_code, reads),
        "warnings": reads.unread,
    }


async def read_completes_trend(client: AsyncClient, ref: TargetGroupRef, reads: Reads) -> list[int] | None:
    """Return the completes at the start of fielding, 0, and by the end of each day; None if they are unavailable."""
    try:
        counts = [each.count for each in await client.target_groups.completes_by_interval(ref)]
    except ApiError as error:  # a sparkline is not worth a failed refresh
        reads.note("the completes over time", error)
        return None
    known = [count for count in counts if count is not None]
    return [0, *known] if known and len(known) == len(counts) else None


async def read_pause_origin(client: AsyncClient, ref: TargetGroupRef, reads: Reads) -> dict[str, Any]:
    """Return who last paused a group, from its changelog: `marketplace` or `elsewhere`, and the reason code."""
    try:
        async for entry in client.target_groups.changelog(ref, types=("status_change",)):
            found = _find_pause(entry)
            if found is not None:
                by = "marketplace" if (entry.user or {}).get("type") == _MARKETPLACE_USER else "elsewhere"
                return {"paused_by": by, "pause_reason": found.get("reason_code")}
    except (NotFound, PermissionDenied) as error:
        reads.note("the changelog, which says who paused it", error)
        return {}
    return {"paused_by": "elsewhere"}


def _find_pause(entry: ChangelogEntry) -> dict[str, Any] | None:
    return next((each for each in entry.changes or () if str(each.get("new_value")).lower() == "paused"), None)


async def _read_saved_count(
    client: AsyncClient, ref: TargetGroupRef, study_type: str | None, reads: Reads
) -> int | None:
    if study_type is not None and study_type.strip().lower() != limits.RECONTACT_STUDY_TYPE:
        return None
    return await reads.answer("the saved IDs", client.recontacts.saved_count(ref))
