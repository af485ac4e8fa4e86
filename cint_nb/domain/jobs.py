"""Background jobs as plain values: what they are, where they stand, what a watcher sees."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from cint_nb.domain.ids import EntityType


class JobKind(StrEnum):
    """Name what a job does; each kind has its own status address."""

    UPLOAD = "upload"
    UPLOAD_RSIDS = "upload-rsids"
    REMOVAL = "removal"
    LAUNCH = "launch"
    SCHEDULE = "schedule"
    EXCLUSION_UPLOAD = "exclusion-upload"
    EXCLUSION_REMOVAL = "exclusion-removal"
    REPORT = "report"
    BATCH_LAUNCH = "batch-launch"
    BATCH_PAUSE = "batch-pause"
    BATCH_RESUME = "batch-resume"
    BATCH_COMPLETE = "batch-complete"
    BATCH_RELAUNCH = "batch-relaunch"


class JobState(StrEnum):
    """Name where a job stands. `partial` is an end of its own: done, but not for every id."""

    RUNNING = "running"
    DONE = "done"
    PARTIAL = "partial"
    FAILED = "failed"


_DONE = frozenset({"completed", "complete", "succeeded", "success", "emailed", "done"})
_FAILED = frozenset({"failed", "failure", "error", "cancelled", "canceled"})
_RUNNING = frozenset({"processing", "pending", "in_progress", "queued", "running"})


def classify(word: str | None, *, partial: bool = False) -> JobState:
    """Read the exchange's status word, in any spelling its documents use, as a `JobState`.

    Args:
        word: The status as sent. Unknown words mean the job is still running.
        partial: Whether the reply carries a partial-success reason.
    """
    folded = _folded(word)
    if folded in _FAILED:
        return JobState.FAILED
    if folded in _DONE:
        return JobState.PARTIAL if partial else JobState.DONE
    return JobState.RUNNING


def is_known_word(word: str | None) -> bool:
    """Tell whether a status word is one the documents name, so that others can be warned of once."""
    return _folded(word) in _DONE | _FAILED | _RUNNING


def _folded(word: str | None) -> str:
    """Return a status word without its spelling: `IN PROGRESS`, `in-progress` and `in_progress` are one."""
    return (word or "").strip().lower().replace(" ", "_").replace("-", "_")


class JobHandle(BaseModel):
    """Identify a job by plain data, enough to find it again tomorrow, in another process.

    Args:
        kind: What the job does.
        base_url: Host and version the job lives on.
        account_id: Cint account.
        project_id: Project, empty for account-wide jobs such as reports.
        target_group_id: Target group, empty for jobs that span groups.
        job_id: The job.
        ids: How many ids the job handles, for the estimate; 0 when unknown.
        entity_type: What was uploaded.
        file_name: Name under which the upload is listed.
        sha256: Digest of the uploaded bytes.
        created_at: When the job was sent, UTC.
        counted_as: Field of the overview that counts what the job adds or removes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = 1
    kind: JobKind
    base_url: str
    account_id: int
    project_id: str = ""
    target_group_id: str = ""
    job_id: str
    ids: int = 0
    entity_type: EntityType | None = None
    file_name: str = ""
    sha256: str = ""
    created_at: datetime | None = None
    counted_as: str = "saved_respondent_ids_count"


class JobSnapshot(BaseModel):
    """Hold what one look at a job showed.

    Args:
        state: Where the job stands, by our classifier; `word` is the exchange's own.
        elapsed_seconds: Since the job was created, never negative.
        ids: Ids the job handles; 0 when unknown.
        saved: Ids the target group holds now, where it was looked at; `saved_before` when the job began.
        fraction: Low and high bound of the share done, each 0–1; equal when measured.
        measured: Whether `fraction` was counted (True) or estimated from documented durations (False).
        seconds_left: Low and high estimate of what remains; None when final, or when the job's size is unknown.
        looks: Status requests sent so far.
        next_look_seconds: Wait until the next look; None when final.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    handle: JobHandle
    state: JobState
    word: str = ""
    created_at: datetime | None = None
    completed_at: datetime | None = None
    elapsed_seconds: float = 0.0
    ids: int = 0
    saved: int | None = None
    saved_before: int | None = None
    fraction: tuple[float, float] = (0.0, 0.0)
    measured: bool = False
    seconds_left: tuple[float, float] | None = None
    looks: int = 1
    next_look_seconds: float | None = None
    created_object_id: str = ""
    failure_code: str = ""
    failure_text: str = ""
    partial_text: str = ""
    trace_id: str = ""
    request_id: str = ""

    @property
    def final(self) -> bool:
        """Tell whether the job has ended, well or not."""
        return self.state is not JobState.RUNNING

    def __repr__(self) -> str:
        """Say the state in one line, without ids or times, so that stored outputs stay the same."""
        bits = [f"{self.handle.kind}: {self.state}"]
        if self.ids:
            bits.append(f"{self.ids:,} ids")
        if self.saved is not None:
            bits.append(f"{self.saved:,} saved")
        if self.partial_text:
            bits.append(self.partial_text)
        if self.failure_text:
            bits.append(self.failure_text)
        return f"<{' · '.join(bits)}>"

    __str__ = __repr__
