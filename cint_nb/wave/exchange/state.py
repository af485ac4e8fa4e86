"""The state of a wave's target group, read from the exchange at the moment it is asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from cint_nb.api.client import AsyncClient
from cint_nb.domain.errors import ApiError, InvalidState, NotFound, TransportError, UnexpectedReply
from cint_nb.domain.fielding import FieldingRun, RunState
from cint_nb.domain.ids import masked_repr, printable
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.target_groups import TargetGroup, TargetGroupOverview


class GroupState(StrEnum):
    """Where a target group stands; `not known` allows nothing that spends or destroys."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    LIVE = "live"
    PAUSED = "paused"
    COMPLETED = "completed"
    ARCHIVED = "archived"
    MISSING = "missing"
    NOT_KNOWN = "not known"


NOT_ASKED = "the exchange was not asked just now"
"""Why a state is not the present one where nobody asked for it; any other reason is one that asking had."""

IN_FIELD = (GroupState.SCHEDULED, GroupState.LIVE, GroupState.PAUSED)
"""States in which respondents can enter, or will be able to again."""

_STATE_OF_RUN = {
    RunState.SCHEDULED: GroupState.SCHEDULED,
    RunState.LIVE: GroupState.LIVE,
    RunState.PAUSED: GroupState.PAUSED,
    RunState.COMPLETED: GroupState.COMPLETED,
}


@printable
@dataclass(frozen=True)
class ExchangeState:
    """What the exchange says about a target group.

    Args:
        ref: The target group.
        state: Where it stands.
        read_at: When it was read, by the client's clock.
        run: Its fielding run, as listed; None if there is none, or if it could not be read.
        group: The draft, where it is one.
        overview: The overview of a launched group; None if it could not be read.
        reason: Why the state is not known.
    """

    ref: TargetGroupRef
    state: GroupState
    read_at: datetime
    run: FieldingRun | None = None
    group: TargetGroup | None = None
    overview: TargetGroupOverview | None = None
    reason: str | None = None

    @property
    def study_type(self) -> str | None:
        """The study type of the group; None where it is not shown."""
        shown = self.group or self.overview
        return None if shown is None else shown.study_type_code

    @property
    def is_in_field(self) -> bool:
        """Whether respondents can enter now, or will be able to again."""
        return self.state in IN_FIELD

    @property
    def has_ended(self) -> bool:
        """Whether the end of its fielding has passed, whichever word is shown."""
        end = self.run.end_fielding_at if self.run else None
        return end is not None and end <= self.read_at

    @property
    def ended_by_date_alone(self) -> bool:
        """Whether its end has passed and the run is not completed, so that its end can still be moved."""
        return self.has_ended and self.run is not None and self.run.state in (RunState.LIVE, RunState.PAUSED)

    def advice(self) -> str | None:
        """Say which verb lets respondents in again, where a run exists and nobody can enter; None elsewhere."""
        if self.state is GroupState.PAUSED:
            return f"{self._goal_advice()}wave.resume() lets respondents in again."
        if self.state is not GroupState.COMPLETED:
            return None
        if self.ended_by_date_alone:
            word = self.run.state if self.run else ""
            return (
                f"its end has passed, but its run still reads {word}: wave.extend(end_at, budget=…) moves the end"
                f"{'; then wave.resume() lets respondents in again' if word == RunState.PAUSED else ''}."
            )
        if self.has_ended:
            return (
                "its end has passed, and the exchange moves the end of a completed run no more: nothing lets "
                "respondents in again. Before the next end, wave.extend(end_at, budget=…) moves it in time."
            )
        return f"{self._goal_advice()}wave.relaunch(budget=…) lets respondents in again."

    def _goal_advice(self) -> str:
        progress = self.overview.progress if self.overview else None
        if progress is None or progress.filling_goal is None:
            return ""
        counted = (
            progress.current_prescreens if progress.filling_strategy == "prescreens" else progress.current_completes
        )
        reached = counted is not None and counted >= progress.filling_goal
        return "its goal is reached: wave.raise_goal(goal, budget=…) first; then " if reached else ""

    def require_known(self, action: str) -> None:
        """Raise if the state is not known, or if the group does not exist.

        Raises:
            NotFound: the exchange does not have the group.
            UnexpectedReply: its state cannot be seen.
        """
        if self.state is GroupState.MISSING:
            raise NotFound(
                "The exchange no longer has this wave's target group.",
                evidence=dict(self.ref.path_params()),
                safe="nothing was sent that could have changed anything.",
                next_step="look for it in the project's list, client.target_groups.list(project_id): "
                "nobody can delete a group through the API. If a sandbox was restarted, its groups are gone.",
            )
        if self.state is GroupState.NOT_KNOWN:
            raise UnexpectedReply(
                f"The state of the target group cannot be seen, so this is not done: {action}.",
                evidence={"reason": self.reason, **self.ref.path_params()},
                safe="nothing was sent that could have changed anything.",
                next_step="run it again in a moment; if it recurs, check the account's permissions.",
            )

    def invalid_state_error(self, what: str, next_step: str, **evidence: object) -> InvalidState:
        """Return the error for an action that this state does not allow."""
        shown = {"state": str(self.state), "run": self.run.id if self.run else None, **evidence}
        return InvalidState(what, evidence=shown, safe="nothing was sent.", next_step=next_step)


@printable
@dataclass(frozen=True)
class KnownState:
    """What is known of a wave's target group where it is shown: as read now, or as last read.

    Args:
        state: The state; None if it was never read, or if there is no target group.
        looked_at: When the exchange was, or would have been, asked.
        reason: Why it could not be read now; None if it was: then a state of None means that there is no target group.
    """

    state: ExchangeState | None
    looked_at: datetime
    reason: str | None = None

    @property
    def is_current(self) -> bool:
        """Whether this was read now."""
        return self.reason is None


async def read_state(client: AsyncClient, ref: TargetGroupRef) -> ExchangeState:
    """Read where a target group stands; two requests, and one more where a group that left its draft has no run.

    Group and run are two clocks: where there is a run it decides, and one whose end has passed has ended, whichever
    word is shown. A refused read, an unknown word and a launched group without a run are *not known*.
    """
    now = client.clock.now()
    refused: ApiError | None = None
    try:
        runs = await client.fielding.runs(ref)
    except ApiError as error:  # a group that does not exist has no list of runs; the reads below tell
        refused, runs = error, ()
    if runs:
        return await _launched_state(client, ref, runs[0], now)
    try:
        group = await client.target_groups.get(ref)
    except NotFound:
        if isinstance(refused, NotFound | None):
            return ExchangeState(ref, GroupState.MISSING, now)
        return _not_known(ref, now, refused)
    except ApiError as error:
        return _not_known(ref, now, error)
    if not group.launched:
        return ExchangeState(ref, GroupState.DRAFT, now, group=group)
    if refused is not None:
        return _not_known(ref, now, refused)
    overview = await _overview_or_none(client, ref)
    if _is_archived(overview):  # as a draft: it never had a run
        return ExchangeState(ref, GroupState.ARCHIVED, now, overview=overview)
    return ExchangeState(
        ref, GroupState.NOT_KNOWN, now, reason="the group is launched, but its fielding run is not listed"
    )


async def _launched_state(client: AsyncClient, ref: TargetGroupRef, run: FieldingRun, now: datetime) -> ExchangeState:
    overview = await _overview_or_none(client, ref)
    if _is_archived(overview):
        return ExchangeState(ref, GroupState.ARCHIVED, now, run=run, overview=overview)
    state, reason = _STATE_OF_RUN.get(run.state, GroupState.NOT_KNOWN), None
    begin, end = run.start_fielding_at, run.end_fielding_at
    if begin is not None and end is not None and end < begin:
        reason = "its run ends before it begins"
        return ExchangeState(ref, GroupState.NOT_KNOWN, now, overview=overview, reason=reason)
    if state is GroupState.NOT_KNOWN:
        reason = f"the run's status is {masked_repr(run.status, 40)}, which is not documented"
    read = ExchangeState(ref, state, now, run=run, overview=overview, reason=reason)
    return replace(read, state=GroupState.COMPLETED) if read.ended_by_date_alone else read


async def _overview_or_none(client: AsyncClient, ref: TargetGroupRef) -> TargetGroupOverview | None:
    try:
        return await client.target_groups.overview(ref)
    except (ApiError, TransportError):  # the run decides; what only the overview shows stays unknown
        return None


def _is_archived(overview: TargetGroupOverview | None) -> bool:
    return overview is not None and (overview.status or "").strip().lower() == "archived"


def _not_known(ref: TargetGroupRef, now: datetime, error: ApiError) -> ExchangeState:
    reason = error.what if isinstance(error, UnexpectedReply) else f"a read was refused ({error.status})"
    return ExchangeState(ref, GroupState.NOT_KNOWN, now, reason=reason)
