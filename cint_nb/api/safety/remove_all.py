"""Remove everything, safely: removals are in no list, so the count of saved ids is the evidence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from cint_nb.api.jobs.handle import make_handle
from cint_nb.api.jobs.job import Job
from cint_nb.api.jobs.schedule import DurationModel
from cint_nb.api.parsing import parse_created_id
from cint_nb.api.safety.send_once import AMBIGUOUS_ERRORS, check_after_delay, outcome_unknown_error
from cint_nb.domain.errors import JobAlreadyRunning
from cint_nb.domain.jobs import JobKind
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.respondent_lists import UploadJob
from cint_nb.wire.calls import Call
from cint_nb.wire.http import Http


async def start_removal(
    http: Http,
    pace: DurationModel,
    *,
    call: Call,
    kind: JobKind,
    ref: TargetGroupRef,
    before: int,
    ids: int,
    count: Callable[[], Awaitable[int]],
    conflicting_job: Callable[[], Awaitable[UploadJob | None]],
    counted_as: str = "saved_respondent_ids_count",
) -> Job:
    """Begin a removal, and after a lost reply find out by the count whether it began.

    A count of 0 says that it is done. A refused second request (one job at a time) says that it runs, unless a
    listed upload explains the refusal. Either way the id of the job is lost, so the job is followed by the count.
    The second request cannot remove twice: while the first removal runs it is refused, and after it there is nothing.

    Args:
        http: Sends and waits.
        pace: How fast earlier jobs were.
        call: The naked request.
        kind: What the job does.
        ref: The target group.
        before: Ids saved before.
        ids: Ids the caller knows of, for the estimate. If none of them is left, an earlier request has removed them.
        count: Counts the saved ids.
        conflicting_job: Finds a job that would explain a refusal; None if there is none.
        counted_as: Field of the overview that counts them.

    Raises:
        JobAlreadyRunning: another job runs.
        OutcomeUnknown: neither count nor refusal shows that the removal began.
    """
    begun = http.clock.now()

    def job(job_id: str) -> Job:
        handle = make_handle(http, kind, job_id, ref=ref, created_at=begun, ids=ids, counted_as=counted_as)
        return Job(http, handle, before, pace=pace)

    async def emptied() -> Job | None:
        return None if await count() else job("")

    if ids and not before:
        return job("")
    lost: Exception | None = None
    for _ in range(2):
        try:
            return job(parse_created_id(await http.send(call), "job_id", "id"))
        except JobAlreadyRunning:
            if lost is None or await conflicting_job() is not None:
                raise
            return job("")
        except AMBIGUOUS_ERRORS as error:
            found, sure = await check_after_delay(http, emptied)
            if found is not None:
                return found
            if not sure or lost is not None:
                raise outcome_unknown_error(call.operation, error, **ref.path_params()) from error
            lost = error
    raise outcome_unknown_error(call.operation, lost, **ref.path_params())
