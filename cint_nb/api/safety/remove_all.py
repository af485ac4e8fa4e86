"""Removing all ids safely: no list names a removal job, so the count of saved ids is the evidence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from cint_nb.api.jobs.handle import make_handle
from cint_nb.api.jobs.job import Job
from cint_nb.api.jobs.schedule import DurationModel
from cint_nb.api.parsing import parse_created_id
from cint_nb.api.safety.send_once import send_once
from cint_nb.domain.jobs import JobKind
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.respondent_lists import UploadJob
from cint_nb.wire.calls import Call
from cint_nb.wire.http import Http


async def start_removal(
    http: Http,
    durations: DurationModel,
    *,
    call: Call,
    kind: JobKind,
    ref: TargetGroupRef,
    before: int,
    id_count: int,
    count: Callable[[], Awaitable[int]],
    conflicting_job: Callable[[], Awaitable[UploadJob | None]],
    count_field: str = "saved_respondent_ids_count",
    may_be_done: bool = False,
) -> Job:
    """Start a removal, and after a lost reply find out by the count whether it started.

    A count of 0 shows that it is done. A second request that is rejected (one job at a time) shows that it is running,
    unless a listed upload explains the rejection. Either way the id of the job is lost, so the job is followed by the
    count. The second request cannot remove twice: it is rejected while the first removal is running, and afterwards
    there is nothing left.

    Args:
        http: Sends and waits.
        durations: How fast earlier jobs were.
        call: The request; it is not idempotent.
        kind: What the job does.
        ref: The target group.
        before: Number of ids saved before.
        id_count: How many ids the caller knows of, for the estimate.
        count: Counts the saved ids.
        conflicting_job: Finds a job that would explain a rejection; None if there is none.
        count_field: Field of the overview that counts them.
        may_be_done: Whether an earlier request removed the ids that the caller knows of if none is left; nothing is
            sent then.

    Raises:
        JobAlreadyRunning: another job is running.
        OutcomeUnknown: neither the count nor a rejection shows that the removal started, or they could not be read.
    """
    started_at = http.clock.now()

    def job(job_id: str | None) -> Job:
        handle = make_handle(
            http, kind, job_id, ref=ref, created_at=started_at, id_count=id_count, count_field=count_field
        )
        return Job(http, handle, before, durations=durations)

    async def send() -> Job:
        return job(parse_created_id(await http.send(call), "job_id", "id"))

    # Ids that are still saved may mean that the removal is running or that it never started: the second request tells
    # the two apart.
    async def check_count() -> Job | None:
        return None if await count() else job(None)

    async def check_conflict() -> Job | None:
        return job(None) if await conflicting_job() is None else None

    # An earlier call did it: its job ends with the first count, and nothing needs to be sent.
    if may_be_done and id_count and not before:
        return job(None)
    return await send_once(
        http,
        send,
        check_count,
        check_conflict=check_conflict,
        twice_is_once=True,
        what=call.operation,
        **ref.path_params(),
    )
