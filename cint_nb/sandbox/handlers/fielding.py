"""Answers about fielding: launch and schedule from draft, the run with its ETag, its actions."""

from __future__ import annotations

from cint_nb.sandbox.handlers.operation import GROUP, Handler, Operation
from cint_nb.sandbox.protocol.messages import (
    Answer,
    Ask,
    JsonObject,
    StateFault,
    invalid,
    not_found,
    stale,
    wrong_state,
)
from cint_nb.sandbox.protocol.request_bodies import Launch, Schedule
from cint_nb.sandbox.simulation import fieldwork, jobs, lifecycle
from cint_nb.sandbox.world.entities import LAUNCH, SCHEDULE, Group, Run
from cint_nb.sandbox.world.world import World

_PAUSED_AFTER = 6 * 3600.0  # live seconds until the fault `paused-by-marketplace` pauses a group


def _launch(world: World, ask: Ask) -> Answer:
    return _begin(world, ask, LAUNCH)


def _schedule(world: World, ask: Ask) -> Answer:
    return _begin(world, ask, SCHEDULE)


def _begin(world: World, ask: Ask, kind: str) -> Answer:
    group = world.group(ask)
    end = world.seconds(ask.body_as(Launch)["end_fielding_at"])
    begin = world.seconds(ask.body_as(Schedule)["start_fielding_at"]) if kind == SCHEDULE else ask.t
    _require_period(begin, end, ask.t)
    job = jobs.create_job(world, ask, kind, group.project_id, group.id)
    job.start, job.end = begin, end
    if StateFault.PAUSED_BY_MARKETPLACE in ask.effects:
        group.pause_at = _PAUSED_AFTER
    jobs.start(world, job)
    return Answer(201, headers={"Location": f"{ask.path}/{job.id}"})


def _require_period(begin: float, end: float, t: float) -> None:
    if begin < t:
        raise invalid(("StartFieldingAt", "'Start Fielding At' must not be in the past."))
    if end <= max(begin, t):
        raise invalid(("EndFieldingAt", "'End Fielding At' must be later than the start and the current datetime."))


def _job(kind: str) -> Handler:
    def answer(world: World, ask: Ask) -> Answer:
        job = world.job(ask, kind)
        body: JsonObject = {
            "job_id": job.id,
            "created_at": world.text(job.created),
            "created_by": job.by,
            "status": job.status,
        }
        if job.run_id:
            body["created_fielding_run_id"] = job.run_id
        if job.failure:
            body["failure_reason"] = job.failure
            body["job_trace_id"] = world.ids.readable(f"trace:{job.id}", 16).lower()
        return Answer(body=body)

    return answer


def _runs(world: World, ask: Ask) -> Answer:
    run = world.group(ask).run
    return Answer(body={"data": [_told(world, run)] if run else [], "has_more": False})


def _run_of(world: World, ask: Ask) -> tuple[Group, Run]:
    group = world.group(ask)
    if group.run is None or group.run.id != ask.params["fielding_run_id"]:
        raise not_found("the fielding run")
    return group, group.run


def _told(world: World, run: Run) -> JsonObject:
    return {
        "id": run.id,
        "last_changed_at": world.text(run.changed),
        "last_changed_by": run.changed_by,
        "start_fielding_at": world.text(run.start),
        "end_fielding_at": world.text(run.end),
        "status": run.status,
        "version": run.version,
    }


def _get(world: World, ask: Ask) -> Answer:
    _, run = _run_of(world, ask)
    return Answer(body=_told(world, run), headers={"ETag": run.etag})


def _guarded(world: World, ask: Ask) -> tuple[Group, Run]:
    """Return the run if the caller has seen its present version; the state is judged after."""
    group, run = _run_of(world, ask)
    if ask.headers["if-match"].strip() not in (run.etag, "*"):
        raise stale()
    return group, run


def _update(world: World, ask: Ask) -> Answer:
    group, run = _guarded(world, ask)
    if run.status == "completed":
        raise wrong_state("the fielding run is completed and cannot be changed")
    period = ask.body_as(Schedule)
    begin = world.seconds(period["start_fielding_at"])
    end = world.seconds(period["end_fielding_at"])
    if run.status == "scheduled":
        _require_period(begin, end, ask.t)
        run.start = begin
    elif end <= ask.t:
        raise invalid(("EndFieldingAt", "'End Fielding At' must be later than the current datetime."))
    world.note(group, ask.t, ("fielding_period_end_date", world.text(run.end), world.text(end)))
    run.end = end
    run.version += 1
    run.changed, run.changed_by = ask.t, world.actor
    world.due(min(run.start, run.end) if run.status == "scheduled" else run.end, group.id)
    return Answer(202, {"id": run.id}, {"ETag": run.etag})


def _launch_now(world: World, ask: Ask) -> Answer:
    group, _ = _guarded(world, ask)
    run = lifecycle.require(group, "launch-now", ask.t)
    # The length of the field period stays; its end moves along.
    run.start, run.end = ask.t, round(ask.t + run.end - run.start, 3)
    fieldwork.go_live(world, group, ask.t)
    body = {"start_fielding_at": world.text(run.start), "end_fielding_at": world.text(run.end)}
    return Answer(200, body, {"ETag": run.etag})


def _action(action: str) -> Handler:
    def answer(world: World, ask: Ask) -> Answer:
        group, _ = _guarded(world, ask)
        run = lifecycle.require(group, action, ask.t)
        lifecycle.move(world, group, jobs.AFTER[action], ask.t)
        return Answer(204, headers={"ETag": run.etag})

    return answer


_TAG = "Fielding"
_JOBS = f"{GROUP}/fielding-run-jobs"
_RUN = f"{GROUP}/fielding-runs/{{fielding_run_id}}"


def _act(name: str, action: str, about: str) -> Operation:
    return Operation(
        name=f"{name}_fielding_run",
        method="POST",
        path=f"{_RUN}/{action}",
        answer=_action(action),
        about=about,
        tag=_TAG,
        status=204,
        errors=(412, 422, 429),
        acts=True,
        guarded=True,
        headers=("ETag",),
        short=(action,),
    )


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="create_launch_fielding_run_from_draft_job",
        method="POST",
        path=f"{_JOBS}/launch-from-draft",
        answer=_launch,
        about="Launch a draft; a job does it.",
        tag=_TAG,
        status=201,
        body="Launch",
        errors=(429,),
        acts=True,
        keyed=True,
        headers=("Location",),
        short=("launch",),
    ),
    Operation(
        name="get_launch_fielding_run_from_draft_job",
        method="GET",
        path=f"{_JOBS}/launch-from-draft/{{job_id}}",
        answer=_job(LAUNCH),
        about="Get a launch job.",
        tag=_TAG,
        reply="LaunchJob",
        errors=(429,),
        short=("launch-status", "job"),
    ),
    Operation(
        name="create_schedule_fielding_run_from_draft_job",
        method="POST",
        path=f"{_JOBS}/schedule-from-draft",
        answer=_schedule,
        about="Launch a draft at a later time.",
        tag=_TAG,
        status=201,
        body="Schedule",
        errors=(429,),
        acts=True,
        keyed=True,
        headers=("Location",),
        short=("schedule",),
    ),
    Operation(
        name="get_schedule_fielding_run_from_draft_job",
        method="GET",
        path=f"{_JOBS}/schedule-from-draft/{{job_id}}",
        answer=_job(SCHEDULE),
        about="Get a schedule job.",
        tag=_TAG,
        reply="LaunchJob",
        errors=(429,),
        short=("schedule-status", "job"),
    ),
    Operation(
        name="get_fielding_runs_by_target_group_id",
        method="GET",
        path=f"{GROUP}/fielding-runs",
        answer=_runs,
        about="List the one fielding run of a target group.",
        tag=_TAG,
        reply="Runs",
        errors=(429,),
        short=("runs",),
    ),
    Operation(
        name="get_fielding_run",
        method="GET",
        path=_RUN,
        answer=_get,
        about="Get a fielding run with its ETag.",
        tag=_TAG,
        reply="Run",
        errors=(429,),
        headers=("ETag",),
        short=("run",),
    ),
    Operation(
        name="update_fielding_run",
        method="PUT",
        path=_RUN,
        answer=_update,
        about="Change the field period.",
        tag=_TAG,
        status=202,
        body="Schedule",
        reply="RunChanged",
        errors=(412, 422, 429),
        acts=True,
        guarded=True,
        headers=("ETag",),
        short=("update-run",),
    ),
    Operation(
        name="launch_now_fielding_run",
        method="POST",
        path=f"{_RUN}/launch-now",
        answer=_launch_now,
        about="Launch a scheduled run at once; its length stays.",
        tag=_TAG,
        reply="Period",
        errors=(412, 422, 429),
        acts=True,
        guarded=True,
        headers=("ETag",),
        short=("launch-now",),
    ),
    _act("pause", "pause", "Pause a live run."),
    _act("resume", "resume", "Resume a paused run whose goal and end are not reached."),
    _act("complete", "complete", "Complete a live or scheduled run; not a paused one."),
    _act("relaunch", "relaunch", "Relaunch a completed run whose goal and end are not reached."),
)
