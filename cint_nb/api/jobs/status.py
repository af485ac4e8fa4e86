"""Look at one job: ask its status address, count what the target group holds, remember both."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from cint_nb.api import operations as ops
from cint_nb.api.jobs.schedule import DurationModel, extrapolate_end
from cint_nb.api.jobs.snapshot import StatusContext, fraction_done, parse_snapshot, parse_time
from cint_nb.domain import limits
from cint_nb.domain.errors import ApiError, TransportError
from cint_nb.domain.jobs import JobHandle, JobKind, JobSnapshot, is_documented_status
from cint_nb.domain.models import evolve
from cint_nb.wire.http import Http

_COUNT_OPERATIONS: Mapping[JobKind, ops.Operation] = {
    JobKind.UPLOAD: ops.RECONTACT_OVERVIEW,
    JobKind.UPLOAD_RSIDS: ops.RECONTACT_OVERVIEW,
    JobKind.REMOVAL: ops.RECONTACT_OVERVIEW,
    JobKind.EXCLUSION_UPLOAD: ops.EXCLUSION_OVERVIEW,
    JobKind.EXCLUSION_REMOVAL: ops.EXCLUSION_OVERVIEW,
}
_MAX_ATTEMPTS = 4
"""A look may take this many reads before the watch moves on."""


class StatusFetcher:
    """Fetches the status of one job and remembers it.

    Args:
        http: What sends the requests.
        handle: Which job. One without a job id, whose reply was lost, is followed by its count alone.
        saved_before: Ids the target group held before the job.
        durations: How fast earlier jobs were.
    """

    def __init__(self, http: Http, handle: JobHandle, saved_before: int | None, durations: DurationModel) -> None:
        self.http = http
        self.handle = handle
        self.pace = durations
        self.polls = 0
        self._saved_before = saved_before
        self._saved = saved_before
        self.projected_end: float | None = None
        self._counted_after: float | None = None
        self._counted_with = 0
        self._created_at = handle.created_at
        self._first_call_at: float | None = None
        self._path = {
            key: value
            for key, value in (("project_id", handle.project_id), ("target_group_id", handle.target_group_id))
            if value
        }
        self._warned_about: set[str] = set()

    def elapsed(self) -> float:
        """Return the seconds since the job was created, by the client's clock, never less than since the first call.

        By a clock that runs behind that of the exchange, the job would not have begun yet, for minutes.
        """
        clock = self.http.clock
        since = 0.0 if self._created_at is None else (clock.now() - self._created_at).total_seconds()
        now = clock.monotonic()
        self._first_call_at = now if self._first_call_at is None else self._first_call_at
        return round(max(since, now - self._first_call_at), 6)  # as exact as a date; a replay shows the same

    async def fetch(self, *, count: bool = False) -> JobSnapshot:
        """Send one status request, and one more to count if asked."""
        by_count = self.handle.kind in _COUNT_OPERATIONS and not self.handle.job_id
        before = self._saved
        if by_count or count:
            await self._count()
        request_id = ""
        if by_count:
            body: Mapping[str, Any] = self._state_from_count(before)
        else:
            place = "report_id" if self.handle.kind is JobKind.REPORT else "job_id"
            operation = ops.STATUS_OPERATIONS[self.handle.kind]
            reply = await self.http.send(
                operation.make_call(
                    {**self._path, place: self.handle.job_id}, deadline=_MAX_ATTEMPTS * limits.POLL_READ_SECONDS
                )
            )
            body, request_id = reply.json_object(), reply.request_id
        self.polls += 1
        self._created_at = self._created_at or parse_time(body.get("created_at"))
        seen = parse_snapshot(
            self.handle,
            body,
            StatusContext(
                elapsed=self.elapsed(),
                polls=self.polls,
                estimate=self.pace.estimate(self.handle),
                saved_count=self._saved,
                saved_count_before=self._saved_before,
                counted_after=self._counted_after,
                request_id=request_id,
            ),
        )
        if not is_documented_status(seen.raw_status):
            self.warn_once(seen.raw_status, f"Unknown job status {seen.raw_status[:40]!r}: taken as still running.")
        return seen

    async def finalise(self, seen: JobSnapshot) -> JobSnapshot:
        """Add the final count to the last snapshot and learn the pace; neither may cost the end of the job."""
        if seen.created_at and seen.completed_at:
            spent = (seen.completed_at - seen.created_at).total_seconds()
            self.pace.learn(self.handle.kind, self.handle.id_count, spent)
        if self.handle.kind not in _COUNT_OPERATIONS:
            return seen
        with contextlib.suppress(ApiError, TransportError):
            await self._count()
        return evolve(seen, saved_count=self._saved, saved_count_before=self._saved_before)

    def should_count(self) -> bool:
        """Return whether the next poll should count too: ever more rarely, then regularly near the expected end."""
        if self.handle.kind not in _COUNT_OPERATIONS or not self.handle.job_id:
            return False
        look = self.polls + 1
        if self.projected_end is None:
            doubled, rest = divmod(look, limits.POLL_FIRST_WITH_COUNT)
            return not rest and doubled.bit_count() == 1
        soon = self.elapsed() >= limits.POLL_AIM * self.projected_end
        return not soon and look - self._counted_with >= limits.POLL_WITH_COUNT_EVERY

    def warn_once(self, about: str, text: str) -> None:
        """Add a warning to the client's list, once for each thing it is about."""
        if about not in self._warned_about:
            self._warned_about.add(about)
            self.http.warn(text)

    def _state_from_count(self, last_saved: int | None) -> dict[str, Any]:
        """Return from the count alone whether a job whose id was lost still runs.

        A removal runs until nothing is left. An upload runs until all ids have arrived, or until its time is up and
        nothing arrives any more: then some were not taken.
        """
        saved = self._saved or 0
        if self.handle.kind in (JobKind.REMOVAL, JobKind.EXCLUSION_REMOVAL):
            return {"status": "Processing" if saved else "Completed"}
        arrived = saved - (self._saved_before or 0)
        if arrived >= self.handle.id_count:
            return {"status": "Completed"}
        if saved != last_saved or self.elapsed() < self.pace.estimate(self.handle).high:
            return {"status": "Processing"}
        text = (
            f"{arrived:,} of {self.handle.id_count:,} ids were counted; what the job itself says was lost with its id."
        )
        return {"status": "Completed", "partial_success_reason": {"description": text}}

    async def _count(self) -> None:
        fields = (await self.http.send(_COUNT_OPERATIONS[self.handle.kind].make_call(self._path))).json_object()
        counted = fields.get(self.handle.count_field)
        if isinstance(counted, int):
            self._saved = counted
            if self._saved_before is None:
                self._saved_before = counted
            self._counted_after, self._counted_with = self.elapsed(), self.polls + 1
            share = fraction_done(self.handle, self._saved, self._saved_before)
            if share is not None:
                self.projected_end = extrapolate_end(share, self._counted_after)
