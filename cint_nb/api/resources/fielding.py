"""Fielding: launch or schedule a draft, steer its run, and do the same for many groups in a batch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cint_nb.api import operations as ops
from cint_nb.api.jobs.handle import make_handle
from cint_nb.api.jobs.job import Job
from cint_nb.api.jobs.schedule import DurationModel
from cint_nb.api.parsing import parse, parse_created_id, parse_list
from cint_nb.api.safety.if_match import RunDecision, update_conditionally
from cint_nb.domain.errors import InputError, InvalidState, ServerError, TransportError, UnexpectedReply
from cint_nb.domain.fielding import BatchResult, FieldingRun, RunState
from cint_nb.domain.jobs import JobHandle, JobKind
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import format_utc
from cint_nb.domain.target_groups import Transitions
from cint_nb.wire.calls import Call
from cint_nb.wire.http import Http


class Fielding:
    """Launch target groups and steer their fielding runs."""

    def __init__(self, http: Http, pace: DurationModel) -> None:
        self._http = http
        self._pace = pace

    # --- from draft to run ------------------------------------------------------------------------------------

    async def launch(self, ref: TargetGroupRef, end_fielding_at: datetime, *, idempotency_key: str = "") -> Job:
        """Launch a draft in a background job; once it is done the group is live and spends money.

        Args:
            ref: The draft.
            end_fielding_at: End of fielding, aware, at least one hour ahead.
            idempotency_key: The same key never launches twice; a new one when left out.

        Raises:
            InputError: the time has no zone; nothing was sent.
            BadRequest: the exchange refuses the time.
            TransportError: the reply was lost; `evidence` holds the key to call this again with.

        Serves the recontact guide, step 4, and `POST …/fielding-run-jobs/launch-from-draft`.
        """
        body = {"end_fielding_at": _format_time(end_fielding_at)}
        key = idempotency_key or self._http.token_factory.uuid()
        return await self._start_job(
            ops.LAUNCH.make_call(ref.path_params(), json=body, idempotency_key=key), JobKind.LAUNCH, ref
        )

    async def schedule(
        self, ref: TargetGroupRef, start_fielding_at: datetime, end_fielding_at: datetime, *, idempotency_key: str = ""
    ) -> Job:
        """Schedule a draft in a background job; it goes live at the start by itself.

        Args:
            ref: The draft.
            start_fielding_at: Start, aware, not past.
            end_fielding_at: End, aware.
            idempotency_key: The same key never schedules twice; a new one when left out.

        Raises:
            InputError: a time has no zone, or the end is not after the start; nothing was sent.
            TransportError: the reply was lost; `evidence` holds the key to call this again with.

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
        listed = parse_list(FieldingRun, await self._http.send(ops.LIST_RUNS.make_call(ref.path_params())), "data")
        if not listed:
            return None
        reply = await self._http.send(ops.GET_RUN.make_call(ref.path_params(fielding_run_id=listed[0].id)))
        return parse(FieldingRun, reply, etag=reply.etag)

    async def pause(self, ref: TargetGroupRef) -> FieldingRun:
        """Pause a live run; one that is paused stays so. Raises as `complete`. Serves `POST …/pause`."""
        return await self._change_state(ref, ops.PAUSE, "pause", {RunState.LIVE}, RunState.PAUSED)

    async def resume(self, ref: TargetGroupRef) -> FieldingRun:
        """Resume a paused run; one that is live stays so. Raises as `complete`. Serves `POST …/resume`."""
        return await self._change_state(ref, ops.RESUME, "resume", {RunState.PAUSED}, RunState.LIVE)

    async def launch_now(self, ref: TargetGroupRef) -> FieldingRun:
        """Launch a scheduled run at once; its end moves so that it lasts as long. Serves `POST …/launch-now`."""
        return await self._change_state(ref, ops.LAUNCH_NOW, "launch now", {RunState.SCHEDULED}, RunState.LIVE)

    async def relaunch(self, ref: TargetGroupRef) -> FieldingRun:
        """Relaunch a completed run whose goal and end are not reached. Serves `POST …/relaunch`."""
        return await self._change_state(ref, ops.RELAUNCH, "relaunch", {RunState.COMPLETED}, RunState.LIVE)

    async def complete(self, ref: TargetGroupRef, *, resume_first: bool = False) -> FieldingRun:
        """Complete a live or scheduled run, so that nobody enters any more; a completed one stays so.

        Args:
            ref: The target group.
            resume_first: Resume a paused run and then complete it. The exchange completes no paused run, and for the
                moment between, respondents may enter.

        Returns:
            The run as it stands afterwards, read again.

        Raises:
            InvalidState: the run's state does not allow it, or there is no run; nothing was changed.
            PreconditionFailed: the run changed twice while this tried.

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
            advice="resume it first, or call complete(ref, resume_first=True) if respondents may enter meanwhile.",
        )

    async def update_run(
        self, ref: TargetGroupRef, start_fielding_at: datetime, end_fielding_at: datetime
    ) -> FieldingRun:
        """Change start and end of the run. Raises as `complete`. Serves `PUT …/fielding-runs/{fielding_run_id}`."""
        body = _check_period(start_fielding_at, end_fielding_at)
        wanted = (start_fielding_at, end_fielding_at)

        def decide(run: FieldingRun | None) -> RunDecision:
            found = _require_run(run, "change the times of")
            return RunDecision(found, already_done=(found.start_fielding_at, found.end_fielding_at) == wanted)

        def call(run: FieldingRun) -> Call:
            return ops.UPDATE_RUN.make_call(ref.path_params(fielding_run_id=run.id), json=body, if_match=run.etag)

        return await update_conditionally(self._http, read_run=lambda: self.run(ref), decide=decide, call=call)

    async def allowed_actions(self, project_id: str, target_group_ids: Sequence[str]) -> Transitions:
        """Ask which actions a set of target groups allows now; `POST …/compute-target-group-transitions`."""
        body = {"included_target_group_ids": list(target_group_ids)}
        return parse(
            Transitions, await self._http.send(ops.TRANSITIONS.make_call({"project_id": project_id}, json=body))
        )

    # --- batches ----------------------------------------------------------------------------------------------

    async def start_batch(
        self, verb: str, project_id: str, target_group_ids: Sequence[str], *, idempotency_key: str = ""
    ) -> Job:
        """Do one thing to many target groups of a project in a background job.

        The job is `partial` when some groups could not be changed; `batch_result` names them with the reasons.

        Args:
            verb: `launch`, `pause`, `resume`, `complete` or `relaunch`.
            project_id: The project of all the groups.
            target_group_ids: The groups, at least one.
            idempotency_key: The same key never acts twice; a new one when left out.

        Raises:
            InputError: an unknown verb or no group; nothing was sent.

        Serves `POST …/batch-jobs/{verb}-fielding-runs-by-target-group-id`.
        """
        if verb not in ops.START_BATCH or not target_group_ids:
            raise InputError(
                f"A batch needs one of {', '.join(ops.START_BATCH)} and at least one target group.",
                evidence={"verb": verb[:40], "groups": len(target_group_ids)},
            )
        key = idempotency_key or self._http.token_factory.uuid()
        call = ops.START_BATCH[verb].make_call(
            {"project_id": project_id}, json={"target_group_ids": list(target_group_ids)}, idempotency_key=key
        )
        return await self._start_job(call, JobKind(f"batch-{verb}"), None, project_id=project_id)

    async def batch_result(self, handle: JobHandle) -> BatchResult:
        """Read which target groups a batch changed and which it could not, with the reasons."""
        call = ops.STATUS_OPERATIONS[handle.kind].make_call({"project_id": handle.project_id, "job_id": handle.job_id})
        return BatchResult.from_body((await self._http.send(call)).json_object())

    # --- inside -----------------------------------------------------------------------------------------------

    async def _start_job(self, call: Call, kind: JobKind, ref: TargetGroupRef | None, *, project_id: str = "") -> Job:
        begun = self._http.clock.now()
        try:
            try:
                job_id = parse_created_id(await self._http.send(call), "job_id", "id")
            except UnexpectedReply:  # the key makes a second request harmless
                job_id = parse_created_id(await self._http.send(call), "job_id", "id")
        except (TransportError, ServerError, UnexpectedReply) as error:
            error.evidence["idempotency_key"] = call.idempotency_key
            raise
        handle = make_handle(self._http, kind, job_id, ref=ref, project_id=project_id, created_at=begun)
        return Job(self._http, handle, pace=self._pace)

    async def _change_state(
        self,
        ref: TargetGroupRef,
        operation: ops.Operation,
        verb: str,
        allowed: set[RunState],
        target: RunState,
        *,
        advice: str = "",
    ) -> FieldingRun:
        def decide(run: FieldingRun | None) -> RunDecision:
            found = _require_run(run, verb)
            if found.state is target:
                return RunDecision(found, already_done=True)
            if found.state is not RunState.UNKNOWN and found.state not in allowed:
                raise InvalidState(
                    f"A run that is {found.status} cannot be acted on this way: {verb}.",
                    evidence={"state": found.status, "allowed_from": ", ".join(sorted(allowed))},
                    safe="nothing was sent that could change it.",
                    next_step=advice or "read the run again and choose what its state allows.",
                )
            return RunDecision(found, already_done=False)

        def call(run: FieldingRun) -> Call:
            return operation.make_call(ref.path_params(fielding_run_id=run.id), if_match=run.etag)

        return await update_conditionally(self._http, read_run=lambda: self.run(ref), decide=decide, call=call)


def _require_run(run: FieldingRun | None, verb: str) -> FieldingRun:
    if run is None:
        raise InvalidState(
            f"There is no fielding run to {verb}: the target group is a draft.",
            safe="nothing was sent that could change it.",
            next_step="launch the target group first.",
        )
    return run


def _format_time(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise InputError(
            "A fielding time needs its time zone.",
            evidence={"given": moment.isoformat()},
            next_step="give an aware time, such as datetime(2026, 9, 13, 8, tzinfo=UTC).",
        )
    return format_utc(moment)


def _check_period(start: datetime, end: datetime) -> dict[str, str]:
    body = {"start_fielding_at": _format_time(start), "end_fielding_at": _format_time(end)}
    if end <= start:
        raise InputError("Fielding must end after it starts.", evidence=body)
    return body
