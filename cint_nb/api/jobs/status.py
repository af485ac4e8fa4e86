"""Fetching a job's status and the count of saved ids."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from cint_nb.api import operations as ops
from cint_nb.api.jobs.schedule import DurationModel, extrapolate_end
from cint_nb.api.jobs.snapshot import StatusContext, fraction_done, parse_snapshot, parse_time
from cint_nb.domain import limits
from cint_nb.domain.errors import ApiError, JobStatusUnknown, TransportError
from cint_nb.domain.ids import EntityType, quote_foreign
from cint_nb.domain.jobs import JobHandle, JobKind, JobSnapshot, JobState, is_documented_status
from cint_nb.domain.models import evolve, text_or_none
from cint_nb.wire.http import Http

_COUNT_OPERATIONS: Mapping[JobKind, ops.Operation] = {
    JobKind.UPLOAD: ops.RECONTACT_OVERVIEW,
    JobKind.UPLOAD_RSIDS: ops.RECONTACT_OVERVIEW,
    JobKind.REMOVAL: ops.RECONTACT_OVERVIEW,
    JobKind.EXCLUSION_UPLOAD: ops.EXCLUSION_OVERVIEW,
    JobKind.EXCLUSION_REMOVAL: ops.EXCLUSION_OVERVIEW,
}
_ID_PLACES = {JobKind.REPORT: "report_id", JobKind.RECONCILIATION: "request_id"}
"""Where the address of a status has the job's id, if not at `job_id`."""
_MAX_ATTEMPTS = 4
"""One status request may take this many read timeouts, retries included, before the poll counts as failed."""


class StatusFetcher:
    """Fetches the status of one job, counts the saved ids, and remembers both.

    Args:
        http: What sends the requests.
        handle: Which job. One without a job id, because the reply was lost, is followed by the count alone.
        saved_before: Number of ids saved before the job; None if unknown.
        durations: How fast earlier jobs were.
    """

    def __init__(self, http: Http, handle: JobHandle, saved_before: int | None, durations: DurationModel) -> None:
        self.http = http
        self.handle = handle
        self.durations = durations
        self.polls = 0
        self._saved_before = saved_before
        self._saved = saved_before
        self.projected_end: float | None = None
        self._counted_after: float | None = None
        self._counted_with = 0
        self._created_at = handle.created_at
        self._first_call_at: float | None = None
        self._path = {"project_id": handle.project_id, "target_group_id": handle.target_group_id}
        self._warned_about: dict[str, str] = {}

    def elapsed(self) -> float:
        """Return the seconds since the job was created, by the client's clock, but at least those since the first call.

        To a clock that is minutes behind that of the exchange, the job would otherwise seem not to have started yet.
        """
        clock = self.http.clock
        since = 0.0 if self._created_at is None else (clock.now() - self._created_at).total_seconds()
        now = clock.monotonic()
        self._first_call_at = now if self._first_call_at is None else self._first_call_at
        # Rounded to microseconds, the precision of a datetime, so that a replay computes the same schedule.
        return round(max(since, now - self._first_call_at), 6)

    async def fetch(self, *, count: bool = False) -> JobSnapshot:
        """Send one status request, and with `count` one more for the number of saved ids."""
        by_count = self.handle.kind in _COUNT_OPERATIONS and not self.handle.job_id
        saved_at_last_poll = self._saved
        if by_count or count:
            await self._count(required=by_count)
        request_id: str | None = None
        if by_count:
            body: Mapping[str, Any] = self._state_from_count(saved_at_last_poll)
        else:
            place = _ID_PLACES.get(self.handle.kind, "job_id")
            operation = ops.STATUS_OPERATIONS[self.handle.kind]
            reply = await self.http.send(
                operation.make_call(
                    {**self._path, place: self.handle.job_id},
                    deadline=_MAX_ATTEMPTS * limits.POLL_READ_SECONDS,
                )
            )
            body, request_id = reply.json_object(), reply.request_id
        if (ended_as := _undocumented_end(body)) is not None:
            body = await self._end_by_count(body, ended_as)
        self.polls += 1
        self._created_at = self._created_at or parse_time(body.get("created_at"))
        snapshot = parse_snapshot(
            self.handle,
            body,
            StatusContext(
                elapsed=self.elapsed(),
                polls=self.polls,
                estimate=self.durations.estimate(self.handle),
                saved_count=self._saved,
                saved_count_before=self._saved_before,
                counted_after=self._counted_after,
                request_id=request_id,
            ),
        )
        if ended_as is not None:
            snapshot = evolve(snapshot, raw_status=ended_as)
        elif not is_documented_status(snapshot.raw_status):
            word = snapshot.raw_status
            shown = "no status" if word is None else f"the unknown status {quote_foreign(word, 40)!r}"
            asked = ops.STATUS_OPERATIONS[self.handle.kind].description
            self.warn_once(
                shown, f"The reply to the request to {asked} has {shown}: the job is treated as still running."
            )
        return evolve(snapshot, warnings=tuple(self._warned_about.values())) if self._warned_about else snapshot

    async def finalise(self, snapshot: JobSnapshot) -> JobSnapshot:
        """Return the last snapshot with the final count, and record the duration of the job.

        A count that fails is omitted: it must not keep the end of the job from being reported.
        """
        if snapshot.created_at and snapshot.completed_at:
            seconds = (snapshot.completed_at - snapshot.created_at).total_seconds()
            self.durations.learn(self.handle.kind, self.handle.id_count, seconds)
        if self.handle.kind not in _COUNT_OPERATIONS:
            return snapshot
        with contextlib.suppress(ApiError, TransportError):
            await self._count(has_ended=True)
        whole, is_upload = self.handle.id_count, self.handle.kind in (JobKind.UPLOAD, JobKind.UPLOAD_RSIDS)
        # Of RIDs several may be one person, and people who were there before add nothing to the count.
        exact = is_upload and self.handle.entity_type is EntityType.RSID and self._saved_before == 0
        if exact and snapshot.state is JobState.DONE and self._saved is not None and self._saved < (whole or 0):
            self.warn_once(
                "a full success",
                f"The upload job has no 'partial_success_reason', which reports a full success, but {self._saved:,} of "
                f"{whole:,} IDs are saved ({ops.RECONTACT_OVERVIEW.description}): wave.outcome compares them.",
            )
        return evolve(snapshot, saved_count=self._saved, saved_count_before=self._saved_before)

    async def _end_by_count(self, body: Mapping[str, Any], word: str) -> dict[str, Any]:
        """Return the status of a job that has ended with an undocumented word, by the count, in the form of a reply.

        Raises:
            JobStatusUnknown: nothing is counted for this kind of job.
        """
        statement = f"The {self.handle.kind} job has ended as {word!r}, which is not documented"
        self.warn_once(word, f"{statement}: its result is taken from the exchange itself.")
        if self.handle.kind not in _COUNT_OPERATIONS:
            raise JobStatusUnknown(
                f"{statement}.",
                evidence={"job_id": self.handle.job_id, "status": word},
                safe="unknown: it may have succeeded.",
                next_step="read the target group's state before starting it again.",
            )
        await self._count(required=True, has_ended=True)
        saved, before, whole = self._saved, self._saved_before, self.handle.id_count
        if self.handle.kind in (JobKind.REMOVAL, JobKind.EXCLUSION_REMOVAL):
            if not saved:
                return {**body, "status": "Completed"}
            counted = f"{saved:,} IDs are still saved"
        else:
            arrived = None if saved is None or before is None else saved - before
            if arrived is not None and arrived == whole:
                return {**body, "status": "Completed"}
            of = "" if whole is None else f" of {whole:,}"
            counted = f"{saved:,} IDs are saved" if arrived is None else f"{arrived:,}{of} IDs are newly saved"
        return {**body, "status": "Completed", "partial_success_reason": {"description": f"{statement}; {counted}."}}

    def should_count(self) -> bool:
        """Return whether the next poll should also count the saved ids.

        As long as no end can be projected, the intervals between counts double, because most of them show nothing new.
        Afterwards the ids are counted regularly, to correct the projection; close to the projected end a correction
        would come too late to matter, so they are no longer counted.
        """
        if self.handle.kind not in _COUNT_OPERATIONS or not self.handle.job_id:
            return False
        poll = self.polls + 1
        if self.projected_end is None:
            doublings, rest = divmod(poll, limits.POLL_FIRST_WITH_COUNT)
            return not rest and doublings.bit_count() == 1  # polls 3, 6, 12, 24 …
        is_near_end = self.elapsed() >= limits.POLL_AIM * self.projected_end
        return not is_near_end and poll - self._counted_with >= limits.POLL_WITH_COUNT_EVERY

    def warn_once(self, subject: str, text: str) -> None:
        """Warn the caller, once per subject; it also stands in every later snapshot."""
        if subject not in self._warned_about:
            self._warned_about[subject] = text
            self.http.warn(text)

    def _state_from_count(self, last_saved: int | None) -> dict[str, Any]:
        """Return the state of a job whose id was lost, by the count alone, in the form of a status reply.

        A removal runs until no ids are left. An upload runs until all ids have arrived, or until its longest likely
        duration has passed and the count no longer changes: the ids that are missing were then rejected.
        """
        saved, whole = self._saved, self.handle.id_count
        if saved is None or self._saved_before is None:
            return {"status": "Processing"}
        if self.handle.kind in (JobKind.REMOVAL, JobKind.EXCLUSION_REMOVAL):
            return {"status": "Processing" if saved else "Completed"}
        arrived = saved - self._saved_before
        if whole is not None and arrived >= whole:
            return {"status": "Completed"}
        if saved != last_saved or self.elapsed() < self.durations.estimate(self.handle).high:
            return {"status": "Processing"}
        counted = f"{arrived:,} IDs" if whole is None else f"{arrived:,} of {whole:,} IDs"
        text = f"{counted} were counted; the job's own report is unavailable because its ID was lost."
        return {"status": "Completed", "partial_success_reason": {"description": text}}

    async def _count(self, *, required: bool = False, has_ended: bool = False) -> None:
        """Count the saved ids; the first count stands for the one before the job, unless the job has ended by then."""
        reply = await self.http.send(_COUNT_OPERATIONS[self.handle.kind].make_call(self._path))
        counted = reply.json_object().get(self.handle.count_field)
        if required and not isinstance(counted, int):
            raise reply.unexpected_reply_error(f"The overview contains no {self.handle.count_field}.")
        if isinstance(counted, int):
            self._saved = counted
            if self._saved_before is None and not has_ended:
                self._saved_before = counted
            self._counted_after, self._counted_with = self.elapsed(), self.polls + 1
            share = fraction_done(self.handle, self._saved, self._saved_before)
            if share is not None:
                self.projected_end = extrapolate_end(share, self._counted_after)


def _undocumented_end(body: Mapping[str, Any]) -> str | None:
    """Return the undocumented word with which a job has ended; None if it runs, or its word is documented."""
    word = text_or_none(body.get("status"))
    if word is None or is_documented_status(word) or parse_time(body.get("completed_at")) is None:
        return None
    return quote_foreign(word, 40)
