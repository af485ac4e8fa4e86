"""Fielding: launch or schedule a draft, control its run, and do the same for many groups in a batch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from cint_nb.api import operations as ops
from cint_nb.api.jobs.handle import make_handle
from cint_nb.api.jobs.job import Job
from cint_nb.api.jobs.schedule import DurationModel
from cint_nb.api.parsing import parse, parse_created_id, parse_list
from cint_nb.api.safety.if_match import RunDecision, update_conditionally
from cint_nb.api.safety.spend_check import RecordApproval, SpendCheck, within_budget
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import InputError, InvalidState, ServerError, TransportError, UnexpectedReply
from cint_nb.domain.fielding import BatchResult, FieldingRun, RunState
from cint_nb.domain.ids import masked_text
from cint_nb.domain.jobs import JobHandle, JobKind
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import Money, MoneyText, format_utc
from cint_nb.domain.target_groups import Transitions
from cint_nb.wire.calls import Call
from cint_nb.wire.http import Http


@check_arguments()
class Fielding:
    """The fielding of target groups: launch them and control their runs.

    Attributes:
        spend_guard: Asks for a budget before people can enter; None asks for nothing.
    """

    def __init__(self, http: Http, durations: DurationModel) -> None:
        self._http = http
        self._durations = durations
        self.spend_guard: SpendCheck | None = None

    # --- from draft to run ------------------------------------------------------------------------------------

    async def launch(
        self,
        ref: TargetGroupRef,
        end_fielding_at: datetime,
        *,
        budget: Money | MoneyText | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Launch a draft in a background job; once it is done, the group is live and costs money.

        Args:
            ref: The draft.
            end_fielding_at: End of fielding, with a time zone, at least one hour ahead.
            budget: The most the whole target group may cost. `Client` requires it; the bare `AsyncClient` does not.
            idempotency_key: The same key never launches twice; a new one if omitted.

        Raises:
            InputError: the time has no time zone; nothing was sent.
            PlanError: a budget is missing or in another currency; nothing was sent.
            BudgetExceeded: the group could cost more than the budget; nothing was sent.
            BadRequest: the exchange rejects the time.
            TransportError: the reply was lost; `evidence` contains the key with which to call this again.

        Serves the recontact guide, step 4, and `POST …/fielding-run-jobs/launch-from-draft`.

        Example:
            >>> group = wave.target_group
            >>> job = client.fielding.launch(group, client.clock.now() + timedelta(days=14), budget="100 EUR")
            >>> print(job.wait().state)
            done
            >>> client.fielding.run(group).status
            'live'
        """
        body = {"end_fielding_at": _format_time(end_fielding_at)}
        key = idempotency_key or self._http.token_factory.uuid()
        async with within_budget(self._spending(ref, "launch", budget)):
            return await self._start_job(
                ops.LAUNCH.make_call(ref.path_params(), json=body, idempotency_key=key), JobKind.LAUNCH, ref
            )

    async def schedule(
        self,
        ref: TargetGroupRef,
        start_fielding_at: datetime,
        end_fielding_at: datetime,
        *,
        budget: Money | MoneyText | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Schedule a draft in a background job; it goes live automatically at the start time.

        Args:
            ref: The draft.
            start_fielding_at: Start, with a time zone, not in the past.
            end_fielding_at: End, with a time zone.
            budget: The most the whole target group may cost. `Client` requires it; the bare `AsyncClient` does not.
            idempotency_key: The same key never schedules twice; a new one if omitted.

        Raises:
            InputError: a time has no time zone, or the end is not after the start; nothing was sent.
            PlanError: a budget is missing or in another currency; nothing was sent.
            BudgetExceeded: the group could cost more than the budget; nothing was sent.
            TransportError: the reply was lost; `evidence` contains the key with which to call this again.

        Serves `POST …/fielding-run-jobs/schedule-from-draft`.

        Example:
            >>> group, now = wave.target_group, client.clock.now()
            >>> start, end = now + timedelta(days=1), now + timedelta(days=14)
            >>> job = client.fielding.schedule(group, start, end, budget="100 EUR")
            >>> print(job.wait().state)
            done
            >>> client.fielding.run(group).status
            'scheduled'
        """
        body = _check_period(start_fielding_at, end_fielding_at)
        key = idempotency_key or self._http.token_factory.uuid()
        async with within_budget(self._spending(ref, "schedule", budget)):
            return await self._start_job(
                ops.SCHEDULE.make_call(ref.path_params(), json=body, idempotency_key=key), JobKind.SCHEDULE, ref
            )

    # --- the run ----------------------------------------------------------------------------------------------

    async def run(self, ref: TargetGroupRef) -> FieldingRun | None:
        """Read the fielding run with its ETag; None before the launch. A target group has at most one.

        Serves `GET …/fielding-runs` and `GET …/fielding-runs/{fielding_run_id}`.

        Example:
            >>> client.fielding.run(ref).status
            'live'
        """
        listed = await self.runs(ref)
        if not listed:
            return None
        reply = await self._http.send(ops.GET_RUN.make_call(ref.path_params(fielding_run_id=listed[0].id)))
        return parse(FieldingRun, reply, etag=reply.etag)

    async def runs(self, ref: TargetGroupRef) -> tuple[FieldingRun, ...]:
        """List the fielding runs of a target group, without ETags: none before the launch, then one.

        Raises:
            UnexpectedReply: the reply has no list, or more than one run: which of them people enter by is not known.

        Serves `GET …/fielding-runs`.

        Example:
            >>> [run.status for run in client.fielding.runs(ref)]
            ['live']
        """
        reply = await self._http.send(ops.LIST_RUNS.make_call(ref.path_params()))
        found = parse_list(FieldingRun, reply, "data")
        if len(found) > 1:
            raise reply.unexpected_reply_error(
                f"The reply to the request to {ops.LIST_RUNS.description} is not as documented: data has "
                f"{len(found)} runs, and a target group has at most one."
            )
        return found

    async def pause(self, ref: TargetGroupRef) -> FieldingRun:
        """Pause a live run; a paused one stays paused. Raises the same errors as `complete`. Serves `POST …/pause`.

        Example:
            >>> client.fielding.pause(ref).status
            'paused'
        """
        advice = "only a live run can be paused; as long as a run is in another state, nobody can enter it."
        return await self._change_state(ref, ops.PAUSE, "pause", {RunState.LIVE}, RunState.PAUSED, advice=advice)

    async def resume(self, ref: TargetGroupRef, *, budget: Money | MoneyText | None = None) -> FieldingRun:
        """Resume a paused run; a live one stays live.

        Args:
            ref: The target group.
            budget: The most the whole target group may cost. `Client` requires it unless what was approved for the
                group covers it; the bare `AsyncClient` does not.

        Raises:
            PlanError: a budget is missing or in another currency; nothing was sent.
            BudgetExceeded: the group could cost more than the budget; nothing was sent.
            InvalidState: the run's state does not allow it, or there is no run; nothing was changed.

        Serves `POST …/resume`.

        Example:
            >>> client.fielding.pause(ref).status
            'paused'
            >>> client.fielding.resume(ref, budget="100 EUR").status
            'live'
        """
        return await self._change_state(
            ref,
            ops.RESUME,
            "resume",
            {RunState.PAUSED},
            RunState.LIVE,
            spending=lambda: self._spending(ref, "resume", budget, or_approved=True),
        )

    async def launch_now(self, ref: TargetGroupRef, *, budget: Money | MoneyText | None = None) -> FieldingRun:
        """Launch a scheduled run at once; its end moves with its start. A live run stays live.

        Args:
            ref: The target group.
            budget: The most the whole target group may cost. `Client` requires it unless what was approved for the
                group covers it; the bare `AsyncClient` does not.

        Raises:
            PlanError: a budget is missing or in another currency; nothing was sent.
            BudgetExceeded: the group could cost more than the budget; nothing was sent.
            InvalidState: the run's state does not allow it, or there is no run; nothing was changed.

        Serves `POST …/launch-now`.

        Example:
            >>> group, now = wave.target_group, client.clock.now()
            >>> start, end = now + timedelta(days=1), now + timedelta(days=14)
            >>> scheduled = client.fielding.schedule(group, start, end, budget="100 EUR").wait()
            >>> client.fielding.launch_now(group, budget="100 EUR").status
            'live'
        """
        return await self._change_state(
            ref,
            ops.LAUNCH_NOW,
            "launch now",
            {RunState.SCHEDULED},
            RunState.LIVE,
            spending=lambda: self._spending(ref, "launch_now", budget, or_approved=True),
        )

    async def relaunch(self, ref: TargetGroupRef, *, budget: Money | MoneyText | None = None) -> FieldingRun:
        """Relaunch a completed run whose goal and end have not been reached; a live one stays live.

        Args:
            ref: The target group.
            budget: The most the whole target group may cost, what it has cost included. `Client` requires it; the bare
                `AsyncClient` does not.

        Raises:
            PlanError: a budget is missing or in another currency; nothing was sent.
            BudgetExceeded: the group could cost more than the budget; nothing was sent.
            InvalidState: the run's state does not allow it, or there is no run; nothing was changed.

        Serves `POST …/relaunch`.

        Example:
            >>> client.fielding.relaunch(closed.target_group, budget="100 EUR").status
            'live'
        """
        return await self._change_state(
            ref,
            ops.RELAUNCH,
            "relaunch",
            {RunState.COMPLETED},
            RunState.LIVE,
            spending=lambda: self._spending(ref, "relaunch", budget),
        )

    async def complete(self, ref: TargetGroupRef, *, resume_first: bool = False) -> FieldingRun:
        """Complete a live or scheduled run, so that nobody can enter any longer; a completed one stays completed.

        Args:
            ref: The target group.
            resume_first: Resume a paused run, then complete it. The exchange does not complete a paused run, and
                between the two requests respondents may enter.

        Returns:
            The run as read afterwards.

        Raises:
            InvalidState: the run's state does not allow it, or there is no run; nothing was changed.
            PreconditionFailed: the run was changed twice by others during the call.

        Serves `POST …/fielding-runs/{fielding_run_id}/complete`, with `If-Match`.

        Example:
            >>> client.fielding.complete(ref).status
            'completed'
        """
        if resume_first:
            run = await self.run(ref)
            if run is not None and run.state is RunState.PAUSED:  # for a moment, and to end it: no budget is asked for
                await self._change_state(ref, ops.RESUME, "resume", {RunState.PAUSED}, RunState.LIVE)
        return await self._change_state(
            ref,
            ops.COMPLETE,
            "complete",
            {RunState.LIVE, RunState.SCHEDULED},
            RunState.COMPLETED,
            advice="resume it first, or call client.fielding.complete(ref, resume_first=True) if respondents may enter "
            "until then.",
        )

    async def update_run(
        self,
        ref: TargetGroupRef,
        start_fielding_at: datetime,
        end_fielding_at: datetime,
        *,
        budget: Money | MoneyText | None = None,
    ) -> FieldingRun:
        """Change start and end of the run.

        Args:
            ref: The target group.
            start_fielding_at: Start, with a time zone.
            end_fielding_at: End, with a time zone.
            budget: The most the whole target group may cost. `Client` requires it if fielding would begin earlier or
                end later; the bare `AsyncClient` does not.

        Raises:
            InputError: a time has no time zone, or the end is not after the start; nothing was sent.
            PlanError: a budget is missing or in another currency; nothing was sent.
            BudgetExceeded: the group could cost more than the budget; nothing was sent.
            InvalidState: the run's state does not allow it, or there is no run; nothing was changed.

        Serves `PUT …/fielding-runs/{fielding_run_id}`.

        Example:
            >>> run = client.fielding.run(ref)
            >>> end = run.end_fielding_at + timedelta(days=7)
            >>> changed = client.fielding.update_run(ref, run.start_fielding_at, end, budget="100 EUR")
            >>> changed.end_fielding_at - run.end_fielding_at
            datetime.timedelta(days=7)
        """
        body = _check_period(start_fielding_at, end_fielding_at)

        def decide(run: FieldingRun | None) -> RunDecision:
            found = _require_run(run, "change the times of")
            # In the exchange's precision: a time of the clock has more digits, and would never equal what was saved.
            present = [each and format_utc(each) for each in (found.start_fielding_at, found.end_fielding_at)]
            return RunDecision(found, already_done=present == list(body.values()))

        def call(run: FieldingRun) -> Call:
            return ops.UPDATE_RUN.make_call(ref.path_params(fielding_run_id=run.id), json=body, if_match=run.etag)

        def spending(run: FieldingRun) -> Awaitable[RecordApproval] | None:
            start, end = run.start_fielding_at, run.end_fielding_at
            is_within = start and end and start <= start_fielding_at and end_fielding_at <= end
            return None if is_within else self._spending(ref, "update_run", budget)

        return await update_conditionally(
            self._http, read_run=lambda: self.run(ref), decide=decide, call=call, spending=spending
        )

    async def allowed_actions(self, project_id: str, target_group_ids: Sequence[str]) -> Transitions:
        """Read which actions a set of target groups allows now; `POST …/compute-target-group-transitions`.

        Example:
            >>> allowed = client.fielding.allowed_actions(ref.project_id, [ref.target_group_id])
            >>> allowed.is_pause_allowed, allowed.is_launch_allowed
            (True, False)
        """
        body = {"included_target_group_ids": list(target_group_ids)}
        return parse(
            Transitions, await self._http.send(ops.TRANSITIONS.make_call({"project_id": project_id}, json=body))
        )

    # --- batches ----------------------------------------------------------------------------------------------

    async def start_batch(
        self,
        action: str,
        project_id: str,
        target_group_ids: Sequence[str],
        *,
        budget: Money | MoneyText | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Apply one action to many target groups of a project in a background job.

        The job is `partial` if some groups could not be changed; `batch_result` returns them with the reasons. A batch
        launches what is scheduled and no drafts: those are launched one by one, with `launch`.

        Args:
            action: `launch`, `pause`, `resume`, `complete` or `relaunch`.
            project_id: The project of all the groups.
            target_group_ids: The groups, at least one.
            budget: The most all these groups together may cost. `Client` requires it to `relaunch`, and to `launch` or
                `resume` unless what was approved for each group covers it; the bare `AsyncClient` does not.
            idempotency_key: The same key never acts twice; a new one if omitted.

        Raises:
            InputError: the action is unknown or there is no group; nothing was sent.
            PlanError: a budget is missing or in another currency; nothing was sent.
            BudgetExceeded: the groups could cost more than the budget; nothing was sent.

        Serves `POST …/batch-jobs/{verb}-fielding-runs-by-target-group-id`.

        Example:
            >>> job = client.fielding.start_batch("pause", ref.project_id, [ref.target_group_id])
            >>> print(job.wait().state)
            done
            >>> client.fielding.run(ref).status
            'paused'
        """
        if action not in ops.START_BATCH or not target_group_ids:
            raise InputError(
                f"A batch needs one of {', '.join(ops.START_BATCH)} and at least one target group.",
                evidence={"action": masked_text(action, 40), "groups": len(target_group_ids)},
                next_step="pass one of these actions, and the ids of the target groups.",
            )
        key = idempotency_key or self._http.token_factory.uuid()
        call = ops.START_BATCH[action].make_call(
            {"project_id": project_id}, json={"target_group_ids": list(target_group_ids)}, idempotency_key=key
        )
        refs = [TargetGroupRef(project_id=project_id, target_group_id=each) for each in dict.fromkeys(target_group_ids)]
        check = None
        if self.spend_guard is not None and ops.START_BATCH[action].name in ops.SPENDING:
            check = self.spend_guard.check_batch(
                refs, verb="client.fielding.start_batch", budget=budget, or_approved=action != "relaunch"
            )
        async with within_budget(check):
            return await self._start_job(call, JobKind(f"batch-{action}"), None, project_id=project_id)

    async def batch_result(self, handle: JobHandle) -> BatchResult:
        """Read which target groups a batch changed and which it could not, with the reasons.

        Raises:
            UnexpectedReply: a row of the reply names no target group.

        Example:
            >>> job = client.fielding.start_batch("pause", ref.project_id, [ref.target_group_id])
            >>> print(job.wait().state)
            done
            >>> client.fielding.batch_result(job.handle).failed
            {}
        """
        call = ops.STATUS_OPERATIONS[handle.kind].make_call({"project_id": handle.project_id, "job_id": handle.job_id})
        return parse(BatchResult, await self._http.send(call))

    # --- inside -----------------------------------------------------------------------------------------------

    def _spending(
        self, ref: TargetGroupRef, verb: str, budget: Money | str | None, *, or_approved: bool = False
    ) -> Awaitable[RecordApproval] | None:
        """Return what asks for the budget of a call that lets people in; None where there is no guard."""
        if self.spend_guard is None:
            return None
        return self.spend_guard.check(
            ref, verb=f"client.fielding.{verb}", budget=budget, always=True, or_approved=or_approved
        )

    async def _start_job(
        self, call: Call, kind: JobKind, ref: TargetGroupRef | None, *, project_id: str | None = None
    ) -> Job:
        started_at = self._http.clock.now()
        try:
            try:
                job_id = parse_created_id(await self._http.send(call), "job_id", "id")
            except UnexpectedReply:  # the key makes a second request harmless
                job_id = parse_created_id(await self._http.send(call), "job_id", "id")
        except (TransportError, ServerError, UnexpectedReply) as error:
            error.evidence["idempotency_key"] = call.idempotency_key
            raise
        handle = make_handle(self._http, kind, job_id, ref=ref, project_id=project_id, created_at=started_at)
        return Job(self._http, handle, durations=self._durations)

    async def _change_state(
        self,
        ref: TargetGroupRef,
        operation: ops.Operation,
        action: str,
        allowed: set[RunState],
        target: RunState,
        *,
        advice: str | None = None,
        spending: Callable[[], Awaitable[RecordApproval] | None] = lambda: None,
    ) -> FieldingRun:
        def decide(run: FieldingRun | None) -> RunDecision:
            found = _require_run(run, action)
            if found.state is target:
                return RunDecision(found, already_done=True)
            if found.state is not RunState.UNKNOWN and found.state not in allowed:
                raise InvalidState(
                    f"A run that is {found.status} does not allow this action: {action}.",
                    evidence={"state": found.status, "allowed_from": ", ".join(sorted(allowed))},
                    safe="nothing that could change it was sent.",
                    next_step=advice or "re-read the run and choose an action its state allows.",
                )
            return RunDecision(found, already_done=False)

        def call(run: FieldingRun) -> Call:
            return operation.make_call(ref.path_params(fielding_run_id=run.id), if_match=run.etag)

        return await update_conditionally(
            self._http, read_run=lambda: self.run(ref), decide=decide, call=call, spending=lambda _: spending()
        )


def _require_run(run: FieldingRun | None, action: str) -> FieldingRun:
    if run is None:
        raise InvalidState(
            f"There is no fielding run to {action}: the target group is a draft.",
            safe="nothing that could change it was sent.",
            next_step="launch the target group first.",
        )
    return run


def _format_time(time: datetime) -> str:
    if time.tzinfo is None:
        raise InputError(
            "A fielding time needs a time zone.",
            evidence={"given": time.isoformat()},
            next_step="pass a timezone-aware datetime, such as datetime(2026, 9, 13, 8, tzinfo=UTC).",
        )
    return format_utc(time)


def _check_period(start: datetime, end: datetime) -> dict[str, str]:
    body = {"start_fielding_at": _format_time(start), "end_fielding_at": _format_time(end)}
    if end <= start:
        raise InputError(
            "Fielding must end after it starts.", evidence=body, next_step="pass an end that is after the start."
        )
    return body
