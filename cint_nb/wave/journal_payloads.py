"""What a journal entry says about its step: one typed payload per step, and the steps by name.

A field that was not known when the entry was written is None; a field that no payload declares is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from cint_nb.domain.jobs import JobHandle, JobSnapshot


class Payload(BaseModel):
    """The base of all payloads, and the payload of steps of which only the fact is recorded."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ProjectPayload(Payload):
    """A project: the key its creation was sent with, and its id once there is one."""

    idempotency_key: str
    project_id: str | None = None


class DraftPayload(Payload):
    """A draft target group: its project, the reference it was created under, and its id once there is one."""

    project_id: str
    reference: str
    target_group_id: str | None = None


class StrategyPayload(Payload):
    """The filling strategy that was set."""

    filling_strategy: str


class GoalPayload(Payload):
    """The goal that was written into the draft."""

    completes_goal: int


class JobPayload(Payload):
    """A background job: its handle once it was started, its last snapshot once it ended."""

    handle: JobHandle | None = None
    snapshot: JobSnapshot | None = None


class UploadPayload(JobPayload):
    """An upload.

    Args:
        content_hash: Digest of the list.
        token: Unique part of the name of the uploaded file.
        saved_before: Number of IDs saved in the group before.
        digests_before: Digests of those IDs, where they were listed.
        digests_sent: Digests of what was sent, for a resubmission: once its job has ended, the rejected IDs no longer
            show which list was resent.
    """

    content_hash: str
    token: str
    saved_before: int
    digests_before: tuple[str, ...] = ()
    digests_sent: tuple[str, ...] = ()


class LaunchPayload(JobPayload):
    """A launch: key, end and budget. The end is recorded because an idempotency key is valid only for the same body."""

    idempotency_key: str
    end_at: datetime
    budget: str


class RemovalPayload(JobPayload):
    """A removal of all IDs: how many there were."""

    id_count: int


AnyPayload = TypeVar("AnyPayload", bound=Payload)
PayloadOut = TypeVar("PayloadOut", bound=Payload, covariant=True)
AnyJobPayload = TypeVar("AnyJobPayload", bound=JobPayload)


@dataclass(frozen=True)
class Step(Generic[PayloadOut]):
    """A step of a wave: the name the journal writes it under, and the payload its entries carry."""

    name: str
    payload: type[PayloadOut]


PROJECT = Step("project", ProjectPayload)
DRAFT = Step("draft", DraftPayload)
STRATEGY = Step("strategy", StrategyPayload)
UPLOAD = Step("upload", UploadPayload)
GOAL = Step("goal", GoalPayload)
LAUNCH = Step("launch", LaunchPayload)
PAUSE = Step("pause", Payload)
RESUME = Step("resume", Payload)
CLOSE = Step("close", Payload)
REMOVE = Step("remove", RemovalPayload)

STEPS: dict[str, Step[Payload]] = {
    step.name: step for step in (PROJECT, DRAFT, STRATEGY, UPLOAD, GOAL, LAUNCH, PAUSE, RESUME, CLOSE, REMOVE)
}
