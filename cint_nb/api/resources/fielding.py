"""Fielding: launch or schedule a draft, control its run, and do the same for many groups in a batch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cint_nb.api import operations as ops
from cint_nb.api.jobs.handle import make_handle
from cint_nb.api.jobs.job import Job
from cint_nb.api.jobs.schedule import DurationModel
from cint_nb.api.parsing import parse, parse_created_id, parse_list
from cint_nb.api.safety.if_match import RunDecision, update_conditionally
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import InputError, InvalidState, ServerError, TransportError, UnexpectedReply
from cint_nb.domain.fielding import BatchResult, FieldingRun, RunState
from cint_nb.domain.ids import masked_text
from cint_nb.domain.jobs import JobHandle, JobKind
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import format_utc
from cint_nb.domain.target_groups import Transitions
from cint_nb.wire.calls import Call
from cint_nb.wire.http import Http


@check_arguments()
class Fielding:
    """The fielding of target groups: launch them and control their runs."""

    def __init__(self, http: Http, durations: DurationModel) -> None:
        self._http = http
        self._durations = durations

    # --- from draft to run ------------------------------------------------------------------------------------

    async def launch(
        self, ref: TargetGroupRef, end_fielding_at: datetime, *, idempotency_key: str | None = None
    ) -> Job:
        """Launch a draft in a background job; once it is done, the group is live and costs money.

        Args:
            ref: The draft.
            end_fielding_at: End of fielding, with a time zone, at least one hour ahead.
            idempotency_key: The same key never launches twice; a new one if omitted.

        Raises:
            InputError: the time has no time zone; nothing was sent.
            BadRequest: the exchange rejects the time.
            TransportError: the reply was lost; `evidence` contains the key with which to call this again.

        Serves the recontact guide, step 4, and `POST …/fielding-run-jobs/launch-from-draft`.
        """
        body = {"end_fielding_at": _format_time(end_fielding_at)}
        key = idempotency_key or self._http.token_factory.uuid()
        return await self._start_job(
            ops.LAUNCH.make_call(ref.path_params(), json=body, idempotency_key=key), JobKind.LAUNCH, ref
        )

    async def schedule(
        self,
        ref: TargetGroupRef,
        start_fielding_at: datetime,
        end_fielding_at: datetime,
        *,
        idempotency_key: str | None = None,
    ) -> Job:
        """Schedule a draft in a background job; it goes live automatically at the start time.

        Args:
            ref: The draft.
            start_fielding_at: Start, with a time zone, not in the past.
            end_fielding_at: End, with a time zone.
            idempotency_key: The same key never schedules twice; a new one if omitted.

        Raises:
            InputError: a time has no time zone, or the end is not after the start; nothing was sent.
            TransportError: the reply was lost; `evidence` contains the key with which to call this again.

        Serves `POST …/fielding-run-jobs/schedule-from-draft`.
        """
        body = _check_period(start_fielding_at, end_fielding_at)
        key = idempotency_key or self._http.token_factory.uuid()
        return await self._start_job(
            ops.SCHEDULE.make_call(ref.path_params(), json=body, idempotency_key=key), JobKind.SCHEDULE, ref
        )

    # --- the run ----------------------------------------------------------------------------------------------

    async def run(self, ref: TargetGroupRef) -> FieldingRun | None:
        """Read the fielding run with its ETag; None before the launch. A target group has at most one.

        Serves `GET …/fielding-runs` and `GET …/fielding-runs/{fielding_run_id}`.
        """
        listed = await self.runs(ref)
        if not listed:
            return None
        reply = await self._http.send(ops.GET_RUN.make_call(ref.path_params(fielding_run_id=listed[0].id)))
        return parse(FieldingRun, reply, etag=reply.etag)

    async def runs(self, ref: TargetGroupRef) -> tuple[FieldingRun, ...]:
        """List the fielding runs of a target group, without ETags: none before the launch, then one.

        Raises:
            UnexpectedReply: the reply has no list.

        Serves `GET …/fielding-runs`.
        """
        return parse_list(FieldingRun, await self._http.send(ops.LIST_RUNS.make_call(ref.path_params())), "data")

    async def pause(self, ref: TargetGroupRef) -> FieldingRun:
        """Pause a live run; a paused one stays paused. Raises the same errors as `complete`. Serves `POST …/pause`."""
        advice = "only a live run can be paused; as long as a run is in another state, nobody can enter it."
        return await self._change_state(ref, ops.PAUSE, "pause", {RunState.LIVE}, RunState.PAUSED, advice=advice)

    async def resume(self, ref: TargetGroupRef) -> FieldingRun:
        """Resume a paused run; a live one stays live. Raises the same errors as `complete`. Serves `POST …/resume`."""
        return await self._change_state(ref, ops.RESUME, "resume", {RunState.PAUSED}, RunState.LIVE)

    async def launch_now(self, ref: TargetGroupRef) -> FieldingRun:
        """Launch a scheduled run at once; its end moves with its start. Serves `POST …/launch-now`."""
        return await self._change_state(ref, ops.LAUNCH_NOW, "launch now", {RunState.SCHEDULED}, RunState.LIVE)

    async def relaunch(self, ref: TargetGroupRef) -> FieldingRun:
        """Relaunch a completed run whose goal and end have not been reached. Serves `POST …/relaunch`."""
        return await self._change_state(ref, ops.RELAUNCH, "relaunch", {RunState.COMPLETED}, RunState.LIVE)

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
        """
        if resume_first:
            run = await self.run(ref)
            if run is not None and run.state is RunState.PAUSED:
                await self.resume(ref)
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
        self, ref: TargetGroupRef, start_fielding_at: datetime, end_fielding_at: datetime
    ) -> FieldingRun:
        """Change start and end of the run. Raises the same errors as `complete`.

        Serves `PUT …/fielding-runs/{fielding_run_id}`.
        """
        body = _check_period(start_fielding_at, end_fielding_at)

        def decide(run: FieldingRun | None) -> RunDecision:
            found = _require_run(run, "change the times of")
            # In the exchange's precision: a time of the clock has more digits, and would never equal what was saved.
            present = [each and format_utc(each) for each in (found.start_fielding_at, found.end_fielding_at)]
            return RunDecision(found, already_done=present == list(body.values()))

        def call(run: FieldingRun) -> Call:
            return ops.UPDATE_RUN.make_call(ref.path_params(fielding_run_id=run.id), json=body, if_match=run.etag)

        return await update_conditionally(self._http, read_run=lambda: self.run(ref), decide=decide, call=call)

    async def allowed_actions(self, project_id: str, target_group_ids: Sequence[str]) -> Transitions:
        """Read which actions a set of target groups allows now; `POST …/compute-target-group-transitions`."""
        body = {"included_target_group_ids": list(target_group_ids)}
        return parse(
            Transitions, await self._http.send(ops.TRANSITIONS.make_call({"project_id": project_id}, json=body))
        )

    # --- batches ----------------------------------------------------------------------------------------------

    async def start_batch(
        self, action: str, project_id: str, target_group_ids: Sequence[str], *, idempotency_key: str | None = None
    ) -> Job:
        """Apply one action to many target groups of a project in a background job.

        The job is `partial` if some groups could not be changed; `batch_result` returns them with the reasons.

        Args:
            action: `launch`, `pause`, `resume`, `complete` or `relaunch`.
            project_id: The project of all the groups.
            target_group_ids: The groups, at least one.
            idempotency_key: The same key never acts twice; a new one if omitted.

        Raises:
            InputError: the action is unknown or there is no group; nothing was sent.

        Serves `POST …/batch-jobs/{verb}-fielding-runs-by-target-group-id`.
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
        return await self._start_job(call, JobKind(f"batch-{action}"), None, project_id=project_id)

    async def batch_result(self, handle: JobHandle) -> BatchResult:
        """Read which target groups a batch changed and which it could not, with the reasons.

        Raises:
            UnexpectedReply: a row of the reply names no target group.
        """
        call = ops.STATUS_OPERATIONS[handle.kind].make_call({"project_id": handle.project_id, "job_id": handle.job_id})
        return parse(BatchResult, await self._http.send(call))

    # --- inside -----------------------------------------------------------------------------------------------

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

        return await update_conditionally(self._http, read_run=lambda: self.run(ref), decide=decide, call=call)


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
