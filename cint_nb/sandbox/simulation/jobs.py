"""Background jobs: they take virtual minutes, save ids in batches, and advance with the clock."""

from __future__ import annotations

from cint_nb.domain import limits
from cint_nb.sandbox.protocol.messages import JsonObject, Request, StateFault
from cint_nb.sandbox.simulation import fieldwork, lifecycle
from cint_nb.sandbox.world.entities import (
    BATCH,
    EXCLUSION_REMOVAL,
    EXCLUSION_UPLOAD,
    LAUNCH,
    RECONTACT_REMOVAL,
    RECONTACT_UPLOAD,
    SCHEDULE,
    FieldingRun,
    Job,
    PlannedEnd,
    TargetGroup,
)
from cint_nb.sandbox.world.id_store import ID_BYTES, IdStore
from cint_nb.sandbox.world.world import World

_STEP = 50  # ids are saved in batches of this size while a job runs; assumption
_SECONDS_PER_10K = {
    # Seconds per 10,000 ids, from the guide's troubleshooting; the middle of the range, so that overheads fit in.
    RECONTACT_UPLOAD: limits.UPLOAD_JOB_SECONDS_PER_10K,
    RECONTACT_REMOVAL: limits.REMOVAL_JOB_SECONDS_PER_10K,
    EXCLUSION_UPLOAD: limits.REMOVAL_JOB_SECONDS_PER_10K,  # the reference gives 3–5 minutes for exclusions
    EXCLUSION_REMOVAL: limits.REMOVAL_JOB_SECONDS_PER_10K,
}


def job_seconds(world: World, kind: str, count: int) -> float:
    """Return how many virtual seconds a job for so many ids takes, drawn from the documented range.

    Jobs without ids (launch, schedule, batch) take 4 to 20 seconds. Assumption.
    """
    draw = world.id_factory.draw(f"{kind}:{world.id_factory.id_count}")
    if kind not in _SECONDS_PER_10K:
        return round(4 + 16 * draw, 3)
    low, high = _SECONDS_PER_10K[kind]
    margin = (high - low) * 0.05
    return round(3 + count / 10_000 * (low + margin + (high - low - 2 * margin) * draw), 3)


def create_job(
    world: World, request: Request, kind: str, project_id: str, group_id: str | None = None, count: int = 0
) -> Job:
    """Create the job of a request, with the end that the request's faults plan for it.

    Args:
        world: The world.
        request: The request.
        kind: Kind of job.
        project_id: Its project.
        group_id: Its target group; None for a batch job.
        count: How many ids it is about.
    """
    job_id = world.id_factory.ulid(request.received_at)
    planned: PlannedEnd = "done"
    if StateFault.JOB_FAILS in request.state_faults:
        planned = "failed"
    elif StateFault.JOB_NEVER_ENDS in request.state_faults:
        planned = "never"
    ends = round(request.received_at + job_seconds(world, kind, count), 3)
    job = Job(job_id, kind, project_id, group_id, request.received_at, ends, world.actor, planned_end=planned)
    if planned == "failed" and kind in _SECONDS_PER_10K:
        plan_failure(job, "JobExecutionStartMessageFailed", "the job could not be started")
    return job


def plan_failure(job: Job, code: str, description: str) -> None:
    """Let a job over ids fail, which it does before it starts on them."""
    job.planned_end = "failed"
    job.ends_at = round(job.created + 5.0, 3)
    job.planned_failure = _reason(code, description)


def start_job(world: World, job: Job) -> None:
    """Start a job, unless it never ends."""
    world.jobs[job.id] = job
    if job.kind in _SECONDS_PER_10K:
        world.running[job.id] = job
    if job.planned_end != "never":
        world.schedule(job.ends_at, job.id)


def update_group(world: World, group: TargetGroup, t: float) -> None:
    """Bring the lists of one group up to date: what happens must not depend on when somebody last polled."""
    for job in world.running.values():
        if job.group_id == group.id:
            apply_due_ids(world, job, t)


def _group_of(world: World, job: Job) -> TargetGroup:
    if job.group_id is None:
        raise ValueError("a batch job belongs to no single target group")
    return world.groups[job.group_id]


def _id_store_of(group: TargetGroup, job: Job) -> IdStore:
    if job.kind in (RECONTACT_UPLOAD, RECONTACT_REMOVAL):
        return group.saved
    return group.excluded_guids if job.guids else group.excluded


def apply_due_ids(world: World, job: Job, t: float) -> None:
    """Save or remove the ids that are due by `t`."""
    if job.planned_end == "failed":
        return
    part = 1.0 if t >= job.ends_at else max(0.0, (t - job.created) / (job.ends_at - job.created))
    if job.planned_end == "never":
        part = min(part, 0.4)
    wanted = int(job.total * part)
    if part < 1:
        wanted -= wanted % _STEP
    if wanted <= job.applied:
        return
    store = _id_store_of(_group_of(world, job), job)
    if job.kind in (RECONTACT_UPLOAD, EXCLUSION_UPLOAD):
        store.extend(job.accepted[job.applied * ID_BYTES : wanted * ID_BYTES])
    else:
        store.drop(wanted - job.applied)
    job.applied = wanted


def finish_job(world: World, job: Job, t: float) -> None:
    """Apply what a job does at its end; it is the work of whoever started it."""
    with world.acting_as(job.created_by):
        if job.kind == BATCH:
            _finish_batch(world, job, t)
        elif job.kind in (LAUNCH, SCHEDULE):
            _finish_launch(world, job, t)
        else:
            _finish_ids(world, job, t)


def _finish_ids(world: World, job: Job, t: float) -> None:
    group = _group_of(world, job)
    apply_due_ids(world, job, t)
    world.running.pop(job.id, None)
    if job.kind in (RECONTACT_UPLOAD, RECONTACT_REMOVAL):
        group.running_job_id = None
    else:
        group.running_exclusion_job_id = None
        world.excluded_now.pop(group.id, None)
    if job.planned_end == "failed":
        job.status = "Failed"
        job.failure = job.planned_failure
    else:
        job.status = "Completed"
        live = group.run is not None and group.run.status in ("live", "paused")
        if job.kind == RECONTACT_UPLOAD and live:
            fieldwork.invite(
                world, group, [job.accepted[at : at + ID_BYTES] for at in range(0, len(job.accepted), ID_BYTES)]
            )
            world.schedule(t, group.id)
    job.accepted = b""


def _finish_launch(world: World, job: Job, t: float) -> None:
    group = _group_of(world, job)
    update_group(world, group, t)
    job.failure = {"code": "InternalError", "description": "the job failed"} if job.planned_end == "failed" else None
    job.failure = job.failure or launch_problem(group, job.end, t)
    if job.failure is not None:
        job.status = "Failed"
        return
    job.status = "Completed"
    job.run_id = launch_group(world, group, max(job.start, t) if job.kind == SCHEDULE else t, job.end, t, job.id)


def launch_group(world: World, group: TargetGroup, start_at: float, end_at: float, t: float, name: str) -> str:
    """Create the run of a draft and set it live, or schedule it; return its id."""
    run = FieldingRun(
        world.id_factory.ulid_for(f"run:{name}:{group.id}", t), start_at, end_at, "scheduled", t, world.actor, version=0
    )
    if start_at > t:
        lifecycle.attach_run(world, group, run, t)
    else:
        group.run = run
        world.log_change(group, t, ("fielding_period_end_date", None, world.format_time(run.end)))
        fieldwork.go_live(world, group, t)
    return run.id


def launch_problem(group: TargetGroup, end_at: float, t: float) -> JsonObject | None:
    """Return why a draft cannot be launched, in the form of a job's `failure_reason`; None when it can."""
    if group.status != "draft":
        return _reason("TargetGroupInvalidState", "the target group is not in a draft state and cannot be launched")
    reasons = []
    if end_at <= t:
        reasons.append(("FieldingSpecification.EndAt", "end_in_the_past", "the end of fielding has passed"))
    if not group.body.get("live_url"):
        reasons.append(("LiveUrl", "live_url_missing", "a target group needs a live url to be launched"))
    if group.is_recontact and group.goal > len(group.saved):
        detail = f"the completes goal is {group.goal}, but only {len(group.saved)} respondent ids are saved"
        reasons.append(("CompletesGoal", "goal_above_saved_respondent_ids", detail))
    if not reasons:
        return None
    failure = _reason("TargetGroupValidationFailed", "; ".join(detail for _, _, detail in reasons))
    failure["reasons"] = [{"name": name, "reason": reason, "detail": detail} for name, reason, detail in reasons]
    return failure


def _reason(code: str, description: str) -> JsonObject:
    return {"code": code, "description": description}


def _finish_batch(world: World, job: Job, t: float) -> None:
    if job.action is None:
        raise ValueError("a batch job has an action")
    if job.planned_end == "failed":
        job.status = "Failed"
        return
    for target in job.targets:
        group = world.groups.get(target)
        if group is None or group.project_id != job.project_id:
            job.rejected.append((target, "TargetGroupNotFound", "the target group was not found"))
            continue
        update_group(world, group, t)
        if job.action == "launch":
            end_at = world.parse_time(group.body["fielding_specification"]["end_at"])
            problem = launch_problem(group, end_at, t)
            if problem is not None:
                job.rejected.append((target, str(problem["code"]), str(problem["description"])))
                continue
            launch_group(world, group, t, end_at, t, job.id)
        elif (reason := lifecycle.refusal(group, job.action, t)) is not None:
            job.rejected.append((target, "TargetGroupInvalidState", reason))
            continue
        else:
            lifecycle.transition(world, group, STATUS_AFTER[job.action], t)
        job.updated.append(target)
    job.status = "Completed"


STATUS_AFTER = {"pause": "paused", "resume": "live", "complete": "completed", "relaunch": "live"}
