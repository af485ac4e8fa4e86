"""The fielding of a wave: launched once within a budget, watched, changed, ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from cint_nb.api.jobs.handle import make_handle
from cint_nb.api.jobs.job import Job
from cint_nb.api.safety.spend_check import RecordApproval, within_budget
from cint_nb.domain.errors import (
    ApiError,
    InvalidState,
    JobFailed,
    JobStatusUnknown,
    JournalError,
    NotFound,
    PlanError,
    TransportError,
    UnexpectedReply,
)
from cint_nb.domain.fielding import RunState
from cint_nb.domain.ids import quote_foreign
from cint_nb.domain.jobs import JobKind, JobSnapshot, JobState
from cint_nb.domain.limits import RECONTACT_STUDY_TYPE
from cint_nb.domain.models import TargetGroupRef, evolve, text_or_none
from cint_nb.domain.plan import Money, TargetGroupPlan, format_utc
from cint_nb.domain.profiling.profiles import Profile, profiling_body
from cint_nb.domain.profiling.quotas import LaunchedProfile, LaunchedProfiles
from cint_nb.wave.context import SnapshotListener, WaveContext
from cint_nb.wave.exchange.changed_elsewhere import PAUSED_ELSEWHERE, ChangedElsewhere, changed_elsewhere
from cint_nb.wave.exchange.facts import unrecorded_fields
from cint_nb.wave.exchange.identity import idempotency_key
from cint_nb.wave.exchange.people import GroupUploads, check_people
from cint_nb.wave.exchange.quotas import Goals, raised_goals, replace_profiles, set_quotas
from cint_nb.wave.exchange.spending import least_commitment, read_limits
from cint_nb.wave.exchange.state import ExchangeState, GroupState
from cint_nb.wave.journal.journal import EntryState, JournalEntry
from cint_nb.wave.journal.payloads import (
    CLOSE,
    LAUNCH,
    PAUSE,
    RESUME,
    LaunchPayload,
    Payload,
    Step,
)
from cint_nb.wave.status_rows import Reads, read_completes_trend, read_pause_origin

_TEST_LINKS = {"screener": "test_screener", "client survey": "test_client_survey"}


class FieldingSteps:
    """Launch, watch, change and end the fielding of one wave."""

    def __init__(self, wave: WaveContext) -> None:
        self._wave = wave

    def pending_launch(self) -> JournalEntry[LaunchPayload] | None:
        """Return the launch that was accepted and whose end has not been seen; None if there is none."""
        entry = self._wave.last(LAUNCH)
        return entry if entry is not None and entry.state is EntryState.RUNNING else None

    def is_launching(self, uploads: GroupUploads) -> bool:
        """Return whether a launch of the present filling of the group was accepted: it is followed, not sent again."""
        entry = self.pending_launch()
        return entry is not None and entry.payload.cycle == uploads.cycle

    async def launch(
        self,
        ref: TargetGroupRef,
        cycle: int,
        budget: Money,
        worst_case: Money,
        unverified: Collection[str],
        on_snapshot: SnapshotListener,
    ) -> JobSnapshot:
        """Launch the draft once, whoever has tried before: the same launch has the same idempotency key everywhere."""
        while True:
            step = self._prepare_launch(ref, cycle, budget, worst_case, unverified)
            asked_at = self._wave.client.clock.now()
            try:
                snapshot = await self._wave.run_job(LAUNCH, "", *step, on_snapshot)
                break
            except (NotFound, JobStatusUnknown) as error:
                return await self._launch_from_the_group(error, budget)
            except JobFailed:
                failed = self._wave.last(LAUNCH)
                shown = failed.payload.snapshot if failed else None
                # The key of an attempt that failed long ago returns that job; only then does the next one follow.
                if shown is None or shown.created_at is None or shown.created_at >= asked_at:
                    raise
        await self._read_back(budget, worst_case)
        return snapshot

    async def start_launch(
        self, ref: TargetGroupRef, cycle: int, budget: Money, worst_case: Money, unverified: Collection[str]
    ) -> Job:
        """Launch the draft once, as `launch` does, and return its job, polled once, without waiting for its end."""
        while True:
            step = self._prepare_launch(ref, cycle, budget, worst_case, unverified)
            asked_at = self._wave.client.clock.now()
            try:
                job = await self._wave.start_job(LAUNCH, "", *step)
                if job.last_snapshot is None:
                    await job.refresh()
            except (NotFound, JobStatusUnknown) as error:
                return self._wave.ended_job(await self._launch_from_the_group(error, budget))
            shown = job.last_snapshot
            # As in `launch`: the key of an attempt that failed long ago returns that job.
            if shown is None or shown.state is not JobState.FAILED:
                return job
            if shown.created_at is None or shown.created_at >= asked_at:
                await job  # raises why it failed
                return job

    def _prepare_launch(
        self, ref: TargetGroupRef, cycle: int, budget: Money, worst_case: Money, unverified: Collection[str]
    ) -> tuple[
        JournalEntry[LaunchPayload] | None,
        Callable[[], Awaitable[LaunchPayload]],
        Callable[[LaunchPayload], Awaitable[Job]],
    ]:
        """Return what the journal holds of the next attempt, and how it is prepared and sent."""
        entry = self._wave.last(LAUNCH)
        if entry is not None and not self._is_of_this_launch(entry, cycle):
            entry = None
        attempt = 0 if entry is None else entry.payload.attempt + _has_failed_job(entry)

        async def prepare() -> LaunchPayload:
            return self._launch_payload(ref, budget, worst_case, unverified, cycle, attempt)

        async def send(payload: LaunchPayload) -> Job:
            with self._wave.failed_if_refused(LAUNCH, payload):
                async with within_budget(self._approval(ref, budget, worst_case)):
                    with self._wave.client.spend_guard.checked(ref):
                        return await self._wave.client.fielding.launch(
                            ref, payload.end_at, idempotency_key=payload.idempotency_key
                        )

        return entry, prepare, send

    async def _approval(self, ref: TargetGroupRef, budget: Money, worst_case: Money) -> RecordApproval:
        """Return what records the budget of a launch; the wave has compared it with plan and draft."""
        plan = self._wave.plan
        return lambda: self._wave.client.spend_guard.record(
            ref,
            verb="launch",
            budget=budget,
            worst_case=worst_case,
            completes_goal=plan.completes_goal,
            price_cap=plan.price_cap,
        )

    async def _launch_from_the_group(self, error: NotFound | JobStatusUnknown, budget: Money) -> JobSnapshot:
        """Return what became of a launch whose job does not tell, as the group shows it; it is not sent again."""
        last = self._wave.last(LAUNCH)
        if last is not None and last.state is EntryState.FAILED:
            raise error  # the request itself was refused
        state = await self._wave.read_state()
        uploads = await self._wave.read_uploads(state.ref)
        if (finished := await self.finished_launch(state, uploads)) is not None:
            return finished
        if isinstance(error, JobStatusUnknown):
            raise error
        return await self.adopt_launch(state, uploads, budget)  # the exchange has forgotten the job

    def _is_of_this_launch(self, entry: JournalEntry[LaunchPayload], cycle: int) -> bool:
        """Return whether an entry is continued: it is of this filling of the group, and unanswered or of this plan.

        A launch that was sent, and whose end was not seen, is continued as it was sent: with another end of fielding,
        such as that of a cell that says "in 14 days" and is run again, it would be a second launch.
        """
        unanswered = entry.state in (EntryState.INTENT, EntryState.RUNNING)
        return entry.payload.cycle == cycle and (unanswered or entry.payload.end_at == self._wave.plan.end_at)

    def _launch_payload(
        self,
        ref: TargetGroupRef,
        budget: Money,
        worst_case: Money,
        unverified: Collection[str],
        cycle: int,
        attempt: int,
    ) -> LaunchPayload:
        end_at = self._wave.plan.end_at
        return LaunchPayload(
            idempotency_key=idempotency_key(
                self._wave.client.account_id,
                "launch",
                ref.target_group_id,
                {"end_fielding_at": format_utc(end_at)},
                cycle=cycle,
                attempt=attempt,
            ),
            end_at=end_at,
            budget=str(budget),
            worst_case=str(worst_case),
            cycle=cycle,
            attempt=attempt,
            unverified=tuple(unverified),
        )

    async def adopt_launch(self, state: ExchangeState, uploads: GroupUploads, budget: Money) -> JobSnapshot:
        """Return the launch of a group that is live, whoever launched it.

        Raises:
            InvalidState: it is not live.
            BudgetExceeded: it can cost more than the budget.
        """
        state.require_known("launch")
        if state.state not in (GroupState.LIVE, GroupState.SCHEDULED):
            raise state.invalid_state_error(
                f"The launch job is no longer known, and the target group is {state.state}.",
                "read wave.status(); if it is a draft, run this again in a moment.",
                wave=self._wave.name,
            )
        approve = await self._wave.client.spend_guard.check(
            state.ref, verb="wave.launch", budget=budget, always=True, state=state
        )
        approve()
        if self._wave.plan.is_recontact:
            await self._warn_of_strangers(state, uploads)
        said = f"The wave {self._wave.name!r} is {state.state} already"
        if self._wave.last(LAUNCH) is None:
            said += "; it was launched elsewhere, or by a journal that is lost"
        self._wave.client.http.warn(f"{said}. Nothing was sent.")
        return self._launched_snapshot(state, None)

    async def _warn_of_strangers(self, state: ExchangeState, uploads: GroupUploads) -> None:
        if not uploads.saved:
            self._wave.client.http.warn(
                f"The wave {self._wave.name!r} is {state.state}, and nobody is in it: its recontacts were removed. "
                "wave.upload() fills it again."
            )
            return
        people = await check_people(self._wave.client, state.ref, uploads, self._wave.respondents, self._wave.crosswalk)
        if people.strangers:
            self._wave.client.http.warn(
                f"The wave {self._wave.name!r} is {state.state} with {people.strangers:,} people who are not on this "
                f"list, of {people.saved:,}. wave.pause() stops them from entering."
            )

    async def _read_people_back(self, state: ExchangeState) -> None:
        if not self._wave.plan.is_recontact:
            return
        try:
            await self._warn_of_strangers(state, await self._wave.read_uploads(state.ref))
        except (ApiError, TransportError):
            self._wave.client.http.warn(
                f"The wave {self._wave.name!r} was launched, but who is in it now could not be read: run "
                "wave.launch(budget=…) again in a moment, which sends nothing and compares."
            )

    async def _read_survey_back(self, state: ExchangeState) -> None:
        """Say if people are sent to another survey than the plan's, as far as the details show it."""
        client, plan = self._wave.client, self._wave.plan
        try:
            details = await client.target_groups.details(state.ref)
        except (ApiError, TransportError):
            client.http.warn(
                f"The wave {self._wave.name!r} was launched, but the address of its survey could not be read back: "
                "look into client.target_groups.details(wave.target_group)."
            )
            return
        hidden = unrecorded_fields(client)
        pairs = [
            ("live_url", plan.live_url, details.live_url),
            ("expected_length_of_interview_minutes", plan.expected_length_of_interview_minutes,
             details.expected_length_of_interview_minutes),
            ("collects_pii", plan.collects_pii, details.collects_pii),
        ]  # fmt: skip
        other = [name for name, ours, theirs in pairs if name not in hidden and theirs not in (None, ours)]
        if other:
            client.http.warn(
                f"The wave {self._wave.name!r} is {state.state} with another {', '.join(other)} than its plan: it was "
                "changed elsewhere. Pause it with wave.pause()."
            )

    def _launched_snapshot(self, state: ExchangeState, payload: LaunchPayload | None) -> JobSnapshot:
        """Return the end of a launch whose job is not known, from the run it led to."""
        handle = payload.handle if payload is not None else None
        return JobSnapshot(
            handle=handle or make_handle(self._wave.client.http, JobKind.LAUNCH, "", ref=state.ref),
            state=JobState.DONE,
            raw_status=state.run.status if state.run else "",
            created_object_id=state.run.id if state.run else "",
            fraction=(1.0, 1.0),
            polls=0,
        )

    async def finished_launch(self, state: ExchangeState, uploads: GroupUploads | None = None) -> JobSnapshot | None:
        """Return the launch of the present filling of the group if it was sent from here and there is a run.

        Args:
            state: The state of the group.
            uploads: Its uploads, if they were read in this moment already.
        """
        entry = self._wave.last(LAUNCH)
        if entry is None or entry.state is EntryState.FAILED or state.run is None:
            return None
        uploads = uploads or await self._wave.read_uploads(state.ref)
        if entry.payload.cycle != uploads.cycle:
            return None
        if entry.state is EntryState.DONE:
            return entry.payload.snapshot
        snapshot = self._launched_snapshot(state, entry.payload)
        self._wave.write(LAUNCH, EntryState.DONE, evolve(entry.payload, snapshot=snapshot))
        return snapshot

    async def _read_back(self, budget: Money, worst_case: Money) -> None:
        """Say what is so after a launch: somebody may have changed draft or people between its check and its launch."""
        state = await self._wave.read_back()
        if state is None:
            return
        await self._read_people_back(state)
        await self._read_survey_back(state)
        self._warn_of_another_audience(state)
        limits = await read_limits(self._wave.client, state)
        worst = limits.worst_case()
        if worst != worst_case:
            self._wave.client.spend_guard.record(
                state.ref,
                verb="launch",
                budget=budget,
                worst_case=worst,
                completes_goal=limits.completes_goal,
                price_cap=limits.price_cap,
            )
        self._warn_if_dearer(state, worst, budget, "it was changed between its check and its launch")

    async def adopt_rerun(
        self, state: ExchangeState, uploads: GroupUploads | None, budget: Money, worst_case: Money
    ) -> None:
        """Take on a launch that is run again: warn where the wave is no longer live, dearer, or holds other people.

        The process that sent it may have ended before it wrote the approval down: then the budget given now is it.
        """
        guard = self._wave.client.spend_guard
        if guard.last_approval(state.ref) is None:
            (await self._approval(state.ref, budget, worst_case))()
        if state.state not in (GroupState.LIVE, GroupState.SCHEDULED):
            advice = state.advice() or "Read wave.status()."
            self._wave.client.http.warn(
                f"The wave {self._wave.name!r} was launched before and is {state.state} now. Nothing was sent. "
                f"{advice[0].upper()}{advice[1:]}"
            )
        if state.is_in_field:
            worst = (await read_limits(self._wave.client, state)).worst_case()
            self._warn_if_dearer(state, worst, budget, "it was changed after its launch")
        if uploads is not None and self._wave.plan.is_recontact:
            await self._warn_of_strangers(state, uploads)
        if state.is_in_field:
            await self._read_survey_back(state)

    def _warn_if_dearer(self, state: ExchangeState, worst: Money | None, budget: Money, why: str) -> None:
        shown = worst or least_commitment(state)
        if shown is None or (shown.currency_code == budget.currency_code and shown.value <= budget.value):
            return
        than = f"more than the approved {budget}"
        if shown.currency_code != budget.currency_code:
            than = f"in another currency than the approved {budget}"
        self._wave.client.http.warn(
            f"The wave {self._wave.name!r} is {state.state} and can cost {shown}, {than}: {why}. Pause it with "
            "wave.pause(), or lower goal or price."
        )

    def _warn_of_another_audience(self, state: ExchangeState) -> None:
        """Say if a wave went live for other people than it was checked for, as far as its overview shows them."""
        plan, shown = self._wave.plan, state.overview
        if shown is None:
            return
        language, _, country = plan.locale.partition("_")
        pairs = [
            ("study type", plan.study_type_code, shown.study_type_code),
            ("language", language, shown.language_code),
            ("country", country, shown.country_code),
        ]
        found = [
            f"{name} {quote_foreign(now, 60)} where the plan has {wanted}"
            for name, wanted, now in pairs
            if now is not None and now.strip().lower() != wanted.lower()
        ]
        if found:
            self._wave.client.http.warn(
                f"The wave {self._wave.name!r} is {state.state} with {' and '.join(found)}: it was changed between its "
                "check and its launch, and admits other people. Stop it with wave.pause()."
            )

    async def _read_back_spending(self) -> ExchangeState | None:
        """Read what is so after a verb that spends, and say if it is dearer than approved.

        What the overview shows suffices: with no request more it sees a goal or a price that was raised in between.
        """
        state = await self._wave.read_back()
        if state is None or not state.is_in_field:
            return state
        approved, least = self._wave.client.spend_guard.approved(state.ref), least_commitment(state)
        if approved is not None:
            self._warn_if_dearer(state, least, approved, "it was changed elsewhere in the meantime")
        return state

    async def pause(self) -> None:
        """Pause the fielding run, guarded by its ETag; a journal that fails keeps no wave live."""
        await self._wave.client.fielding.pause(await self._ref_to_stop())
        await self._note_stop(PAUSE)

    async def _ref_to_stop(self) -> TargetGroupRef:
        """Return the target group; where the journal fails, the one that this session worked on."""
        try:
            return await self._wave.require_ref()
        except JournalError:
            if self._wave.seen_ref is None or self._wave.journal.is_closed:
                raise
            return self._wave.seen_ref

    async def _note_stop(self, step: Step[Payload]) -> None:
        """Write down that people can enter no more, and read it back."""
        try:
            self._wave.write(step, EntryState.DONE, Payload())
            await self._wave.read_back()
        except JournalError as error:
            self._wave.client.http.warn(
                f"The exchange accepted to {step.name} the wave {self._wave.name!r}; the journal does not say so: "
                f"{error.what}"
            )

    async def resume(self) -> None:
        """Resume a paused fielding run, guarded by its ETag: money flows again, as far as it was approved.

        Raises:
            BudgetExceeded: what stands at the exchange can cost more than was approved here.
        """
        state = await self._wave.read_state()
        state.require_known("resume")
        self._wave.require_kind(state)
        if state.state is GroupState.PAUSED:
            changed = await self._wave.client.spend_guard.check_resumption(state)
            if changed is not None:
                self._wave.client.http.warn(f"The wave {self._wave.name!r} was paused. {changed}")
        try:
            with self._wave.client.spend_guard.checked(state.ref):
                await self._wave.client.fielding.resume(state.ref)
        except InvalidState as error:
            error.next_step = state.advice() or error.next_step
            raise
        self._wave.write(RESUME, EntryState.DONE, Payload())
        await self._read_back_spending()

    async def close(self, *, resume_first: bool = False) -> None:
        """Complete the fielding run, guarded by its ETag; a run that has already ended is left unchanged.

        Closing depends on the run alone: that nothing else can be read must not keep a wave open.
        """
        ref = await self._ref_to_stop()
        run = await self._wave.client.fielding.run(ref)
        if run is None:
            state = await self._wave.read_state()
            state.require_known("close")
            raise state.invalid_state_error(
                f"The wave is not in the field: its target group is {state.state}, so there is nothing to close.",
                "launch it first, or leave it as it is: a draft costs nothing.",
                wave=self._wave.name,
            )
        if run.state is not RunState.COMPLETED:
            try:
                run = await self._wave.client.fielding.complete(ref, resume_first=resume_first)
            except InvalidState as error:
                if run.state is RunState.PAUSED:
                    error.next_step = (
                        "run wave.resume() first, or wave.close(resume_first=True) "
                        "if respondents may enter in the meantime."
                    )
                raise
            if run.state is not RunState.COMPLETED:
                self._wave.client.http.warn(
                    f"The exchange accepted the end of the wave {self._wave.name!r}, but its run still reads "
                    f"{run.state}: read wave.status() in a moment."
                )
        await self._note_stop(CLOSE)

    async def relaunch(self, budget: str | Money | None) -> None:
        """Relaunch a completed run whose goal and end have not been reached."""
        ref = await self._wave.require_ref()
        state = await self._wave.read_state()
        self._wave.require_kind(state)
        approval = self._wave.client.spend_guard.check(
            ref, verb="wave.relaunch", budget=budget, always=True, state=state
        )
        try:
            async with within_budget(approval):
                with self._wave.client.spend_guard.checked(ref):
                    await self._wave.client.fielding.relaunch(ref)
        except InvalidState as error:
            error.next_step = state.advice() or error.next_step
            raise
        await self._read_back_spending()

    async def raise_goal(self, goal: int, budget: str | Money | None) -> int:
        """Raise the goal of a launched group."""
        state = await self._require_launched("raise the goal", completed=True)
        if state.has_ended and not state.ended_by_date_alone:
            raise state.invalid_state_error(
                "Fielding has ended: a higher goal would bring nobody in.",
                state.advice() or "read wave.status().",
                wave=self._wave.name,
            )
        present = state.overview.progress.filling_goal if state.overview and state.overview.progress else None
        if present is None:
            raise UnexpectedReply(
                "The exchange does not show the present goal, so it is not known what raising it would cost.",
                evidence={"wave": self._wave.name, **state.ref.path_params()},
                safe="nothing was changed.",
                next_step="run it again in a moment; if it recurs, raise the goal in the web interface.",
            )
        saved: int | None = None
        if self._wave.plan.is_recontact:
            saved = await self._wave.client.recontacts.saved_count(state.ref)
        if goal == present:  # as after a reply that was lost, or when the cell is run again
            approve = await self._wave.client.spend_guard.check(
                state.ref, verb="wave.raise_goal", budget=budget, goal=goal, always=True, state=state
            )
            approve()
            return present
        if goal < present or (saved is not None and goal > saved):
            bound = "" if saved is None else f" and up to the {saved:,} saved IDs"
            raise PlanError(
                f"The goal cannot be raised to {goal!r}.",
                evidence={"field": "goal", "goal": present, "saved_ids": saved},
                safe="nothing was changed.",
                next_step=f"choose a whole number above {present:,}{bound}.",
            )
        profiles = await raised_goals(self._wave.client, state.ref, goal, self._wave.plan)
        with self._wave.client.spend_guard.called_as("wave.raise_goal"):
            await self._wave.client.target_groups.set_completes_goal(state.ref, goal, profiles=profiles, budget=budget)
        after = await self._read_back_spending()
        self._warn_if_closed(after, "The goal was raised")
        shown = after.overview.progress.filling_goal if after and after.overview and after.overview.progress else None
        return goal if shown is None else shown

    def _warn_if_closed(self, state: ExchangeState | None, done: str) -> None:
        """Say that a change which was to bring in more people brings in nobody as long as nobody can enter."""
        if state is not None and state.state is GroupState.COMPLETED and (advice := state.advice()) is not None:
            self._wave.client.http.warn(f"{done}, but nobody can enter the wave {self._wave.name!r} yet: {advice}")

    async def quotas(self) -> tuple[LaunchedProfile, ...]:
        """Return the profiles of the wave with their quotas: of the launched group, of its draft, or of the plan."""
        if await self._wave.locate() is not None:
            state = await self._wave.read_state()
            state.require_known("read the quotas")
            if state.group is None:
                return await self._launched_profiles(state.ref)
            if self._wave.plan_or_none is not None:
                await self._wave.look_up_profiles()
            return _as_launched(state.group.profiling, self._wave.plan_or_none)
        await self._wave.look_up_profiles()
        plan = self._wave.plan
        return _as_launched(profiling_body(plan.profiling), plan)

    async def _launched_profiles(self, ref: TargetGroupRef) -> tuple[LaunchedProfile, ...]:
        """Return the profiles of the launched group; a reply without any is no answer where the plan has some."""
        shown, plan = await self._wave.client.profiles.list(ref), self._wave.plan_or_none
        if shown.profiles is None and (plan is None or plan.profiling):
            self._wave.client.http.warn(
                f"The exchange does not say which profiles the wave {self._wave.name!r} has: its quotas are not known, "
                "which does not mean that there are none. Look in the exchange's web interface."
            )
        return shown.profiles or ()

    async def set_quotas(
        self, goals: Goals, *, in_percent: bool, goal: int | None, budget: str | Money | None
    ) -> LaunchedProfiles:
        """Set the goals of quotas of a launched group."""
        state = await self._require_launched("set the quotas", completed=True)
        await self._require_goal_possible(state, goal)
        with self._wave.client.spend_guard.called_as("wave.set_quotas"):
            after = await set_quotas(
                self._wave.client, state.ref, goals, in_percent=in_percent, goal=goal, budget=budget
            )
        self._warn_if_closed(await self._read_back_spending(), "The quotas were set")
        return after

    async def set_profiles(
        self,
        profiles: Sequence[Profile],
        *,
        remove: Collection[str | int],
        written: Mapping[str, Any] | None,
        goal: int | None,
        budget: str | Money | None,
        unverified: Collection[str],
    ) -> tuple[LaunchedProfiles, dict[str, Any]]:
        """Replace, add and remove profiles of a launched group; what they do not touch stays."""
        state = await self._require_launched("set the profiles", completed=True)
        await self._require_goal_possible(state, goal)
        with self._wave.client.spend_guard.called_as("wave.set_profiles"):
            found = await replace_profiles(
                self._wave.client,
                state.ref,
                profiles,
                remove=remove,
                plan=self._wave.plan,
                written=written,
                goal=goal,
                budget=budget,
                unverified=unverified,
            )
        self._warn_if_closed(await self._read_back_spending(), "The profiles were set")
        return found

    async def _require_goal_possible(self, state: ExchangeState, goal: int | None) -> None:
        if goal is None or not self._wave.plan.is_recontact:
            return
        saved = await self._wave.client.recontacts.saved_count(state.ref)
        if goal > saved:
            raise PlanError(
                f"The goal cannot be {goal:,}.",
                evidence={"field": "goal", "saved_ids": saved},
                safe="nothing was changed.",
                next_step=f"choose a goal up to the {saved:,} saved IDs.",
            )

    async def set_price(self, price: str | Money, budget: str | Money | None) -> Money:
        """Set the price per complete of a launched group."""
        state = await self._require_launched("set the price")
        wanted = Money.parse(price)
        with self._wave.client.spend_guard.called_as("wave.set_price"):
            await self._wave.client.target_groups.set_cost_per_interview(state.ref, wanted, budget=budget)
        await self._read_back_spending()
        return wanted

    async def extend(self, end_at: datetime, budget: str | Money | None) -> datetime:
        """Move the end of a run that is not completed; the end of a completed one cannot be moved."""
        state = await self._require_launched("extend the fielding", ended=True)
        run = state.run
        if run is None or run.start_fielding_at is None:
            raise state.invalid_state_error(
                "The start of the run is not shown, so its end cannot be moved.", "", wave=self._wave.name
            )
        approval = self._wave.client.spend_guard.check(
            state.ref, verb="wave.extend", budget=budget, always=True, state=state
        )
        async with within_budget(approval):
            with self._wave.client.spend_guard.checked(state.ref):
                changed = await self._wave.client.fielding.update_run(state.ref, run.start_fielding_at, end_at)
        await self._read_back_spending()
        return changed.end_fielding_at or end_at

    async def approve(self, budget: str | Money) -> Money:
        """Record a budget for what stands at the exchange now."""
        return await self._wave.client.spend_guard.approve(await self._wave.require_ref(), budget)

    async def _require_launched(self, action: str, *, completed: bool = False, ended: bool = False) -> ExchangeState:
        """Return the state of a group in the field; also of a completed one, or one whose end alone has passed."""
        state = await self._wave.read_state()
        state.require_known(action)
        self._wave.require_kind(state)
        if not (
            state.is_in_field
            or (completed and state.state is GroupState.COMPLETED)
            or (ended and state.ended_by_date_alone)
        ):
            raise state.invalid_state_error(
                f"The target group is {state.state}, which does not allow this: {action}.",
                state.advice() or "wave.update(plan) changes a draft.",
                wave=self._wave.name,
            )
        return state

    async def require_removable(self, *, while_live: bool) -> None:
        """Raise unless removing everybody stops no respondent from entering, or that is intended.

        Raises:
            InvalidState: the wave is in the field, or about to be.
            UnexpectedReply: it cannot be seen whether it is.
        """
        if while_live:
            return
        state = await self._wave.read_state()
        state.require_known("remove")
        launch = self.pending_launch()
        starting = state.state is GroupState.DRAFT and launch is not None and await self._launch_may_succeed(launch)
        if state.is_in_field or state.ended_by_date_alone or starting:
            shown = "about to be launched" if starting else str(state.state)
            if state.ended_by_date_alone and state.run is not None:
                shown = f"past its end by this computer's clock, but its run still reads {state.run.state}"
            raise state.invalid_state_error(
                f"The wave is {shown}: removing its recontacts now would stop respondents from entering.",
                "run wave.close() first, or wave.remove(while_live=True) if that is intended.",
                wave=self._wave.name,
                completes=state.overview.progress.current_completes
                if state.overview is not None and state.overview.progress is not None
                else None,
            )

    async def _launch_may_succeed(self, entry: JournalEntry[LaunchPayload]) -> bool:
        if entry.payload.handle is None:
            return True
        try:
            return (await Job.attach(self._wave.client, entry.payload.handle).refresh()).state is not JobState.FAILED
        except NotFound:  # forgotten, and the group is still a draft
            return False

    async def test_links(self) -> dict[str, str | None]:
        """Return the test links of the launched group by their names; None for one that the exchange does not give.

        Raises:
            InvalidState: it is a draft, which has none yet.
        """
        ref = await self._wave.require_ref()
        try:
            links = (await self._wave.client.target_groups.details(ref)).links or {}
        except NotFound:
            state = await self._wave.read_state()
            if state.state is not GroupState.DRAFT:
                raise
            raise state.invalid_state_error(
                "A draft has no test links: the exchange makes them when it is launched.",
                "test the survey itself at the plan's test_url; after wave.launch(budget=…) run wave.test_links().",
                wave=self._wave.name,
            ) from None
        found = {name: text_or_none(links.get(key)) for name, key in _TEST_LINKS.items()}
        if missing := [key for name, key in _TEST_LINKS.items() if found[name] is None]:
            self._wave.client.http.warn(
                f"The exchange gives no test link {', '.join(missing)} of the wave {self._wave.name!r}."
            )
        return found

    async def status(self, *, trend: bool = False) -> dict[str, Any]:
        """Return what is known about the wave, as `study.frames.status_frame` reads it; `trend` includes the trend."""
        state = await self._wave.read_state()
        state.require_known("status")
        plan, people = self._wave.plan_or_none, self._wave.respondents_or_none
        has_list = plan.is_recontact if plan else state.study_type in (None, RECONTACT_STUDY_TYPE)
        reads, saved = Reads(), None
        if has_list:
            saved = await reads.answer("the saved IDs", self._wave.client.recontacts.saved_count(state.ref))
        row: dict[str, Any] = {
            "name": self._wave.name,
            "target_group_id": state.ref.target_group_id,
            "state": str(state.state),
            "sent": None if people is None else len(people),
            "saved": saved,
            "price_cap": plan.price_cap if plan else None,
            "planned_strategy": plan.filling_strategy if plan else None,
            "approved": self._wave.client.spend_guard.approved(state.ref),
            "warnings": reads.unread,
        }
        if (changed := self._changed_elsewhere(state)) is not None:
            # who paused it, a column of its own tells
            said = [each for each in changed.differences if each != PAUSED_ELSEWHERE]
            reads.unread += [f"changed elsewhere: {', '.join(said)}"] * bool(said)
        if state.group is not None:
            specification = state.group.fielding_specification
            return row | {
                "price_cap": row["price_cap"] or state.group.price_cap,
                "goal": state.group.completes_goal,
                "ends_at": specification.end_at if specification else None,
            }
        limits = await read_limits(self._wave.client, state, saved)
        if state.overview is None:
            reads.unread.append("the overview could not be read")
        if state.is_in_field and limits.worst_case() is None:
            reads.unread.append("nothing that was read bounds what it can cost")
        planned, shown = plan.price_cap if plan else None, limits.price_cap or limits.price
        if planned and shown and shown.currency_code not in (None, planned.currency_code):
            reads.unread.append(f"prices are shown in {shown.currency_code}, and the plan has {planned.currency_code}")
        performance = self._wave.client.target_groups.performance(state.ref)
        row |= {
            "overview": state.overview,
            "performance": await reads.answer("the performance", performance),
            "price_cap": limits.price_cap or limits.price,
            "committed": limits.worst_case() if state.is_in_field else None,
            "started_at": state.run.start_fielding_at if state.run else None,
            "ends_at": state.run.end_fielding_at if state.run else None,
        }
        if state.state is GroupState.PAUSED and not self._paused_by_us:
            row |= await read_pause_origin(self._wave.client, state.ref, reads)
        if trend:
            row["trend"] = await read_completes_trend(self._wave.client, state.ref, reads)
        return row

    def _changed_elsewhere(self, state: ExchangeState) -> ChangedElsewhere | None:
        client = self._wave.client
        approval = client.spend_guard.last_approval(state.ref)
        return changed_elsewhere(self._wave.all_entries(), state, approval, unrecorded=unrecorded_fields(client))

    @property
    def _paused_by_us(self) -> bool:
        paused, resumed = (self._wave.last(step) for step in (PAUSE, RESUME))
        return paused is not None and (resumed is None or paused.number > resumed.number)


def _as_launched(profiling: Mapping[str, Any] | None, plan: TargetGroupPlan | None) -> tuple[LaunchedProfile, ...]:
    """Return the profiles of a draft or a plan in the form of those of a launched group: without progress.

    Without a name they are called as the plan calls them, where they ask for the same: a draft shows no texts.
    """
    shown = [LaunchedProfile.model_validate(each) for each in (profiling or {}).get("profiles") or ()]
    written = plan.profiling if plan is not None and isinstance(plan.profiling, tuple) else ()
    return tuple(_called_as_written(each, written) for each in shown)


def _called_as_written(profile: LaunchedProfile, written: Sequence[Profile]) -> LaunchedProfile:
    for each in written:
        own = LaunchedProfile.model_validate(each.body)
        names = {target.options: cell.label for target, cell in zip(own.targets, each.cells, strict=False)}
        if own.question_ids == profile.question_ids and all(target.options in names for target in profile.targets):
            targets = tuple(evolve(target, text=target.text or names[target.options]) for target in profile.targets)
            return evolve(profile, name=profile.name or each.label, targets=targets)
    return profile


def _has_failed_job(entry: JournalEntry[LaunchPayload]) -> bool:
    """Return whether the exchange accepted the launch and its job failed; a refused request leaves its key unused."""
    return entry.state is EntryState.FAILED and entry.payload.handle is not None
