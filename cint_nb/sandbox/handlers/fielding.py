"""Handlers for fielding: launch and schedule from draft, the run with its ETag, its actions."""

from __future__ import annotations

from cint_nb.sandbox.handlers.operation import TARGET_GROUP, Handler, Operation
from cint_nb.sandbox.protocol.messages import (
    JsonObject,
    Request,
    Response,
    StateFault,
    bad_request,
    not_found,
    precondition_failed,
    unprocessable,
)
from cint_nb.sandbox.protocol.request_bodies import Launch, Schedule
from cint_nb.sandbox.simulation import fieldwork, jobs, lifecycle
from cint_nb.sandbox.world.entities import LAUNCH, SCHEDULE, FieldingRun, TargetGroup
from cint_nb.sandbox.world.world import World

_PAUSED_AFTER = 6 * 3600.0  # live seconds until the fault `paused-by-marketplace` pauses a group


def _launch(world: World, request: Request) -> Response:
    return _start_job(world, request, LAUNCH)


def _schedule(world: World, request: Request) -> Response:
    return _start_job(world, request, SCHEDULE)


def _start_job(world: World, request: Request, kind: str) -> Response:
    group = world.group(request)
    end = world.parse_time(request.body_as(Launch)["end_fielding_at"])
    begin = (
        world.parse_time(request.body_as(Schedule)["start_fielding_at"]) if kind == SCHEDULE else request.received_at
    )
    _require_period(begin, end, request.received_at)
    job = jobs.create_job(world, request, kind, group.project_id, group.id)
    job.start, job.end = begin, end
    if StateFault.PAUSED_BY_MARKETPLACE in request.state_faults:
        group.pause_at = _PAUSED_AFTER
    jobs.start_job(world, job)
    return Response(201, headers={"Location": f"{request.path}/{job.id}"})


def _require_period(begin: float, end: float, t: float) -> None:
    if begin < t:
        raise bad_request(("StartFieldingAt", "'Start Fielding At' must not be in the past."))
    if end <= max(begin, t):
        raise bad_request(("EndFieldingAt", "'End Fielding At' must be later than the start and the current datetime."))


def _job_handler(kind: str) -> Handler:
    def handle(world: World, request: Request) -> Response:
        job = world.job(request, kind)
        body: JsonObject = {
            "job_id": job.id,
            "created_at": world.format_time(job.created),
            "created_by": job.created_by,
            "status": job.status,
        }
        if job.run_id is not None:
            body["created_fielding_run_id"] = job.run_id
        if job.failure is not None:
            body["failure_reason"] = job.failure
            body["job_trace_id"] = world.id_factory.human_readable_id(f"trace:{job.id}", 16).lower()
        return Response(body=body)

    return handle


def _runs(world: World, request: Request) -> Response:
    run = world.group(request).run
    return Response(body={"data": [_run_to_json(world, run)] if run else [], "has_more": False})


def _get_run(world: World, request: Request) -> tuple[TargetGroup, FieldingRun]:
    group = world.group(request)
    if group.run is None or group.run.id != request.path_params["fielding_run_id"]:
        raise not_found("the fielding run")
    return group, group.run


def _run_to_json(world: World, run: FieldingRun) -> JsonObject:
    return {
        "id": run.id,
        "last_changed_at": world.format_time(run.changed_at),
        "last_changed_by": run.changed_by,
        "start_fielding_at": world.format_time(run.start),
        "end_fielding_at": world.format_time(run.end),
        "status": run.status,
        "version": run.version,
    }


def _get(world: World, request: Request) -> Response:
    _, run = _get_run(world, request)
    return Response(body=_run_to_json(world, run), headers={"ETag": run.etag})


def _check_etag(world: World, request: Request) -> tuple[TargetGroup, FieldingRun]:
    """Return the run if the caller has its current version; the state is checked afterwards."""
    group, run = _get_run(world, request)
    if request.headers["if-match"].strip() not in (run.etag, "*"):
        raise precondition_failed()
    return group, run


def _update(world: World, request: Request) -> Response:
    group, run = _check_etag(world, request)
    if run.status == "completed":
        raise unprocessable("the fielding run is completed and cannot be changed")
    period = request.body_as(Schedule)
    begin = world.parse_time(period["start_fielding_at"])
    end = world.parse_time(period["end_fielding_at"])
    if run.status == "scheduled":
        _require_period(begin, end, request.received_at)
        run.start = begin
    elif end <= request.received_at:
        raise bad_request(("EndFieldingAt", "'End Fielding At' must be later than the current datetime."))
    world.log_change(
        group, request.received_at, ("fielding_period_end_date", world.format_time(run.end), world.format_time(end))
    )
    run.end = end
    run.version += 1
    run.changed_at, run.changed_by = request.received_at, world.actor
    world.schedule(min(run.start, run.end) if run.status == "scheduled" else run.end, group.id)
    return Response(202, {"id": run.id}, {"ETag": run.etag})


def _launch_now(world: World, request: Request) -> Response:
    group, _ = _check_etag(world, request)
    run = lifecycle.require_allowed(group, "launch-now", request.received_at)
    # The length of the field period is kept; its end moves along.
    run.start, run.end = request.received_at, round(request.received_at + run.end - run.start, 3)
    fieldwork.go_live(world, group, request.received_at)
    body = {"start_fielding_at": world.format_time(run.start), "end_fielding_at": world.format_time(run.end)}
    return Response(200, body, {"ETag": run.etag})


def _action_handler(action: str) -> Handler:
    def handle(world: World, request: Request) -> Response:
        group, _ = _check_etag(world, request)
        run = lifecycle.require_allowed(group, action, request.received_at)
        lifecycle.transition(world, group, jobs.STATUS_AFTER[action], request.received_at)
        return Response(204, headers={"ETag": run.etag})

    return handle


_TAG = "Fielding"
_JOBS = f"{TARGET_GROUP}/fielding-run-jobs"
_RUN = f"{TARGET_GROUP}/fielding-runs/{{fielding_run_id}}"


def _action_operation(name: str, action: str, about: str) -> Operation:
    return Operation(
        name=f"{name}_fielding_run",
        method="POST",
        path=f"{_RUN}/{action}",
        handler=_action_handler(action),
        summary=about,
        tag=_TAG,
        status=204,
        errors=(412, 422, 429),
        changes_state=True,
        requires_if_match=True,
        headers=("ETag",),
        aliases=(action,),
    )


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="create_launch_fielding_run_from_draft_job",
        method="POST",
        path=f"{_JOBS}/launch-from-draft",
        handler=_launch,
        summary="Launch a draft; a job does it.",
        tag=_TAG,
        status=201,
        request_schema="Launch",
        errors=(429,),
        changes_state=True,
        requires_idempotency_key=True,
        headers=("Location",),
        aliases=("launch",),
    ),
    Operation(
        name="get_launch_fielding_run_from_draft_job",
        method="GET",
        path=f"{_JOBS}/launch-from-draft/{{job_id}}",
        handler=_job_handler(LAUNCH),
        summary="Get a launch job.",
        tag=_TAG,
        response_schema="LaunchJob",
        errors=(429,),
        aliases=("launch-status", "job"),
    ),
    Operation(
        name="create_schedule_fielding_run_from_draft_job",
        method="POST",
        path=f"{_JOBS}/schedule-from-draft",
        handler=_schedule,
        summary="Launch a draft at a later time.",
        tag=_TAG,
        status=201,
        request_schema="Schedule",
        errors=(429,),
        changes_state=True,
        requires_idempotency_key=True,
        headers=("Location",),
        aliases=("schedule",),
    ),
    Operation(
        name="get_schedule_fielding_run_from_draft_job",
        method="GET",
        path=f"{_JOBS}/schedule-from-draft/{{job_id}}",
        handler=_job_handler(SCHEDULE),
        summary="Get a schedule job.",
        tag=_TAG,
        response_schema="LaunchJob",
        errors=(429,),
        aliases=("schedule-status", "job"),
    ),
    Operation(
        name="get_fielding_runs_by_target_group_id",
        method="GET",
        path=f"{TARGET_GROUP}/fielding-runs",
        handler=_runs,
        summary="List the one fielding run of a target group.",
        tag=_TAG,
        response_schema="Runs",
        errors=(429,),
        aliases=("runs",),
    ),
    Operation(
        name="get_fielding_run",
        method="GET",
        path=_RUN,
        handler=_get,
        summary="Get a fielding run with its ETag.",
        tag=_TAG,
        response_schema="Run",
        errors=(429,),
        headers=("ETag",),
        aliases=("run",),
    ),
    Operation(
        name="update_fielding_run",
        method="PUT",
        path=_RUN,
        handler=_update,
        summary="Change the field period.",
        tag=_TAG,
        status=202,
        request_schema="Schedule",
        response_schema="RunChanged",
        errors=(412, 422, 429),
        changes_state=True,
        requires_if_match=True,
        headers=("ETag",),
        aliases=("update-run",),
    ),
    Operation(
        name="launch_now_fielding_run",
        method="POST",
        path=f"{_RUN}/launch-now",
        handler=_launch_now,
        summary="Launch a scheduled run at once; its length stays.",
        tag=_TAG,
        response_schema="Period",
        errors=(412, 422, 429),
        changes_state=True,
        requires_if_match=True,
        headers=("ETag",),
        aliases=("launch-now",),
    ),
    _action_operation("pause", "pause", "Pause a live run."),
    _action_operation("resume", "resume", "Resume a paused run whose goal and end are not reached."),
    _action_operation("complete", "complete", "Complete a live or scheduled run; not a paused one."),
    _action_operation("relaunch", "relaunch", "Relaunch a completed run whose goal and end are not reached."),
)
