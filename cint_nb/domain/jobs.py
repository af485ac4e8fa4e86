"""Background jobs as plain values: kind, state, handle and snapshot."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.ids import EntityType, RichDisplay, printable
from cint_nb.domain.models import OptionalText


class JobKind(StrEnum):
    """What a job does; each kind has its own status endpoint."""

    UPLOAD = "upload"
    UPLOAD_RSIDS = "upload-rsids"
    REMOVAL = "removal"
    LAUNCH = "launch"
    SCHEDULE = "schedule"
    EXCLUSION_UPLOAD = "exclusion-upload"
    EXCLUSION_REMOVAL = "exclusion-removal"
    REPORT = "report"
    RECONCILIATION = "reconciliation"
    BATCH_LAUNCH = "batch-launch"
    BATCH_PAUSE = "batch-pause"
    BATCH_RESUME = "batch-resume"
    BATCH_COMPLETE = "batch-complete"
    BATCH_RELAUNCH = "batch-relaunch"


class JobState(StrEnum):
    """Where a job stands. `partial` is a final state of its own: done, but not for every id."""

    RUNNING = "running"
    DONE = "done"
    PARTIAL = "partial"
    FAILED = "failed"


_DONE_WORDS = frozenset({"completed", "complete", "succeeded", "success", "emailed", "done"})
_FAILED_WORDS = frozenset({"failed", "failure", "error", "cancelled", "canceled"})
_RUNNING_WORDS = frozenset({"processing", "pending", "in_progress", "queued", "running"})


def parse_job_state(word: str | None, *, partial: bool = False, ended: bool = False) -> JobState:
    """Parse the exchange's status, in any documented spelling, as a `JobState`.

    Args:
        word: The status as sent. Unknown ones mean that the job is still running, unless it has ended.
        partial: Whether the reply carries a partial-success reason.
        ended: Whether the job has a time of its end. With an unknown word it is `partial`: done, and for whom is open.
    """
    folded = _normalise_status(word)
    if folded in _FAILED_WORDS:
        return JobState.FAILED
    if folded in _DONE_WORDS:
        return JobState.PARTIAL if partial else JobState.DONE
    return JobState.PARTIAL if ended and folded not in _RUNNING_WORDS else JobState.RUNNING


def is_documented_status(word: str | None) -> bool:
    """Return whether Cint documents a status, so that others can be warned about once."""
    return _normalise_status(word) in _DONE_WORDS | _FAILED_WORDS | _RUNNING_WORDS


def _normalise_status(word: str | None) -> str:
    """Return a status in one spelling: `IN PROGRESS` and `in-progress` become `in_progress`."""
    return (word or "").strip().lower().replace(" ", "_").replace("-", "_")


@check_arguments()
@printable
class JobHandle(BaseModel):
    """The identity of a job as plain data, enough to resume it later in another process.

    Args:
        kind: What the job does.
        base_url: Host and API version of the job.
        account_id: Cint account.
        project_id: Project; None for account-wide jobs such as reports.
        target_group_id: Target group; None for jobs that span groups.
        job_id: The job; None if the reply that contained it was lost.
        id_count: How many ids the job handles, for the estimate; None when unknown.
        entity_type: What was uploaded.
        file_name: Name under which the upload is listed.
        sha256: Digest of the uploaded bytes.
        created_at: When the job was started, UTC.
        count_field: Field of the overview that counts what the job adds or removes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = 2
    kind: JobKind
    base_url: str
    account_id: int | None = None
    project_id: OptionalText = None
    target_group_id: OptionalText = None
    job_id: OptionalText = None
    id_count: int | None = None
    entity_type: EntityType | None = None
    file_name: OptionalText = None
    sha256: OptionalText = None
    created_at: datetime | None = None
    count_field: str = "saved_respondent_ids_count"


@check_arguments()
class JobSnapshot(RichDisplay, BaseModel):
    """What one poll of a job showed.

    Args:
        handle: Which job it is, as plain data.
        state: Where the job stands: `running`, `done`, `partial` or `failed`.
        raw_status: The same in the exchange's word; None if it gave none.
        created_at: When the job was created, UTC, if the exchange says so; `completed_at` likewise.
        elapsed_seconds: Since the job was created, never negative.
        id_count: Ids the job handles; None when unknown.
        saved_count: Ids the target group has now, if they were counted; `saved_count_before` when the job began.
        fraction: Low and high bound of the fraction done, each 0–1; equal when measured.
        is_measured: Whether `fraction` was counted (True) or estimated from documented durations (False).
        seconds_left: Low and high estimate of what remains; None when final, or if the job's size is unknown.
        polls: Status requests sent so far.
        next_poll_seconds: Seconds until the next poll; None when final.
        created_object_id: Id of what the job created, such as a fielding run.
        failure_code: Why the job failed, in a word of the exchange; `failure_message` in a sentence.
        partial_message: What the exchange says of a partial success.
        trace_id: For Cint support; `request_id` is that of the poll.
        warnings: Sentences about replies that were not as documented.

    Example:
        >>> snapshot = draft.upload()
        >>> print(snapshot.state, snapshot.saved_count, snapshot.is_final)
        partial 56 True
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    handle: JobHandle
    state: JobState
    raw_status: OptionalText = None
    created_at: datetime | None = None
    completed_at: datetime | None = None
    elapsed_seconds: float = 0.0
    id_count: int | None = None
    saved_count: int | None = None
    saved_count_before: int | None = None
    fraction: tuple[float, float] = (0.0, 0.0)
    is_measured: bool = False
    seconds_left: tuple[float, float] | None = None
    polls: int = 1
    next_poll_seconds: float | None = None
    created_object_id: OptionalText = None
    failure_code: OptionalText = None
    failure_message: OptionalText = None
    partial_message: OptionalText = None
    trace_id: OptionalText = None
    request_id: OptionalText = None
    warnings: tuple[str, ...] = ()

    @property
    def is_final(self) -> bool:
        """Whether the job has ended, well or not."""
        return self.state is not JobState.RUNNING

    @printable
    def __repr__(self) -> str:
        """Show the state on one line, without ids or times, so that stored outputs stay the same."""
        bits = [f"{self.handle.kind}: {self.state}"]
        if self.id_count is not None:
            bits.append(f"{self.id_count:,} ids")
        if self.saved_count is not None:
            bits.append(f"{self.saved_count:,} saved")
        if self.partial_message:
            bits.append(self.partial_message)
        if self.failure_message:
            bits.append(self.failure_message)
        bits += [f"warning: {text}" for text in self.warnings]
        return f"<{' · '.join(bits)}>"

    __str__ = __repr__
