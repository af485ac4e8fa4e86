"""What a history keeps of a wave: when people could enter, why that ended, and whose ids are saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cint_nb.api.client import AsyncClient
from cint_nb.domain.errors import ApiError
from cint_nb.domain.ids import EntityType
from cint_nb.domain.models import Amount, TargetGroupRef
from cint_nb.domain.plan import Money
from cint_nb.domain.target_groups import ChangelogEntry
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.study.outcome.crosswalk import Crosswalk
from cint_nb.study.outcome.upload_outcome import Outcome
from cint_nb.wave.context import WaveContext
from cint_nb.wave.exchange.state import ExchangeState, GroupState

_STATUS_CHANGE = "status_change"
_REASONS = {"total_completes_reached": "goal", "past_scheduled_end_date": "end"}
_PERSON = "las_user"
_WHO = {_PERSON: "somebody", "system_marketplace_user": "the marketplace"}
_ALREADY_SAVED = 1
"""The highest code of an `Outcome` that means that the id is in the target group."""


@dataclass(frozen=True)
class OpenTime:
    """When people could enter, and why that ended; None where it is not known."""

    opened: datetime | None
    closed: datetime | None
    closed_by: str


@dataclass(frozen=True)
class StatusChange:
    """A change of the status of a target group."""

    at: datetime
    status: str
    reason: str | None
    by_person: bool
    by: str | None = None


@dataclass(frozen=True)
class Pause:
    """A time when nobody could enter and people could be let in again.

    Args:
        begin: When it began.
        end: When people could enter again, or when that became impossible; None while it lasts.
        by: Who paused it: `somebody`, `the marketplace`, or None where the exchange does not say.
    """

    begin: datetime
    end: datetime | None
    by: str | None


class RecordSteps:
    """The reads for the record of one wave; they change nothing."""

    def __init__(self, wave: WaveContext) -> None:
        self._wave = wave

    async def read_open_time(self, state: ExchangeState) -> tuple[OpenTime, tuple[str, ...]]:
        """Return when the wave was open, and sentences about what could not be read.

        Raises:
            InvalidState: it was never launched, or begins later.
        """
        state.require_known("keep it in a history")
        if state.run is None or state.state is GroupState.SCHEDULED:
            raise state.invalid_state_error(
                "Nobody could enter this wave yet, so that there is nothing to keep of it.",
                "add it to the history once it is in the field.",
            )
        try:
            changes = await read_status_changes(self._wave.client, state.ref)
        except ApiError as error:
            note = f"The changelog of {self._wave.name} could not be read: {error.what} Why it closed may not be known."
            return open_time(state, ()), (note,)
        return open_time(state, changes), ()

    async def read_saved(self, ref: TargetGroupRef) -> Respondents:
        """Return the people whose ids are saved in the group."""
        ids = await self._wave.client.recontacts.saved_ids(ref)
        return read_respondents(list(ids), entity_type=EntityType.RSID, name="saved ids")


async def read_status_changes(client: AsyncClient, ref: TargetGroupRef) -> list[StatusChange]:
    """Read from the changelog when the status of a target group changed, in the order of time.

    Raises:
        ApiError: the changelog cannot be read.
    """
    return _status_changes([entry async for entry in client.target_groups.changelog(ref, types=(_STATUS_CHANGE,))])


def find_pauses(changes: Sequence[StatusChange]) -> list[Pause]:
    """Return the times between a pause and what followed it, in the order of time."""
    found: list[Pause] = []
    begun: StatusChange | None = None
    for change in changes:
        if begun is not None and change.status != GroupState.PAUSED:
            found.append(Pause(begun.at, change.at, begun.by))
            begun = None
        elif begun is None and change.status == GroupState.PAUSED:
            begun = change
    return [*found, Pause(begun.at, None, begun.by)] if begun is not None else found


def open_time(state: ExchangeState, changes: Sequence[StatusChange]) -> OpenTime:
    """Return when a wave was open, from its run and the changes of its status in the order of time."""
    run = state.run
    planned, end = (None, None) if run is None else (run.start_fielding_at, run.end_fielding_at)
    lives = [change.at for change in changes if change.status == GroupState.LIVE]
    opened = min(lives, default=planned)
    if state.state is GroupState.LIVE:
        return OpenTime(opened, end, "open")
    ended = _end_of_the_last_stretch(changes)
    if ended is not None and not (end is not None and ended.at > end):
        if ended.status == GroupState.PAUSED:
            return OpenTime(opened, ended.at, "pause")
        known = _REASONS.get(ended.reason or "") or ("hand" if ended.by_person else "not_known")
        return OpenTime(opened, ended.at, known)
    if state.has_ended and (ended is not None or state.ended_by_date_alone):
        is_paused = run is not None and run.state.value == GroupState.PAUSED.value
        return OpenTime(opened, None if is_paused else end, "pause" if is_paused else "end")
    changed = None if run is None else run.last_changed_at
    if state.state is GroupState.PAUSED:
        return OpenTime(opened, changed, "pause")
    return OpenTime(opened, min((each for each in (changed, end) if each is not None), default=None), "not_known")


def _end_of_the_last_stretch(changes: Sequence[StatusChange]) -> StatusChange | None:
    """Return the change that let nobody in any more, after the group was live for the last time."""
    found: StatusChange | None = None
    is_live = False
    for change in changes:
        if change.status == GroupState.LIVE:
            is_live, found = True, None
        elif is_live:
            is_live, found = False, change
    return found


def _status_changes(entries: Sequence[ChangelogEntry]) -> list[StatusChange]:
    """Return the changes of status in the order of time; what cannot be read is left out."""
    found = []
    for entry in entries:
        for change in entry.changes or ():
            status = change.get("new_value")
            if change.get("object") == _STATUS_CHANGE and isinstance(status, str) and entry.occurred_at is not None:
                reason = change.get("reason_code")
                kind = str((entry.user or {}).get("type"))
                found.append(
                    StatusChange(
                        entry.occurred_at,
                        status.strip().lower(),
                        reason if isinstance(reason, str) else None,
                        kind == _PERSON,
                        _WHO.get(kind),
                    )
                )
    return sorted(found, key=lambda change: change.at)


def saved_people(outcome: Outcome, crosswalk: Mapping[str, str] | None, *, saved_count: int) -> Respondents | None:
    """Return the people of a list who are saved; None if others are saved too, or if RIDs lead to nobody."""
    chosen = outcome.respondents.select(outcome.outcome_codes <= _ALREADY_SAVED)
    if chosen.entity_type is EntityType.RID:
        if not isinstance(crosswalk, Crosswalk):
            return None
        chosen = crosswalk.to_rsids(chosen)
    return chosen if len(chosen) == saved_count else None


def as_money(amount: Amount | None) -> Money | None:
    """Return an amount of the exchange as money; None if it is not given whole."""
    if amount is None or amount.value is None or amount.currency_code is None:
        return None
    return Money(value=amount.value, currency_code=amount.currency_code)
