"""What a journal entry says about its step: one typed payload per step, and the steps by name.

A field that was not known when the entry was written is None; a field that no payload declares is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from cint_nb.domain.jobs import JobHandle, JobSnapshot


class Payload(BaseModel):
    """The base of all payloads, and the payload of steps of which only the fact is recorded."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ProjectPayload(Payload):
    """A project found or created under a name; no id where it has been lost."""

    project_id: str | None = None


class DraftPayload(Payload):
    """A draft target group.

    Args:
        project_id: Its project.
        reference: The reference it was created under.
        target_group_id: Its id, once there is one.
        body: The draft as it was last written from here; None if it was written elsewhere and only found.
        allocations: What the exchange showed after that in place of the allocation template; None if it was not read.
    """

    project_id: str
    reference: str
    target_group_id: str | None = None
    body: dict[str, Any] | None = None
    allocations: dict[str, Any] | None = None


class StrategyPayload(Payload):
    """The filling strategy that was set."""

    filling_strategy: str


class GoalPayload(Payload):
    """The goal that was written into the draft, and the plan's goal at that time."""

    completes_goal: int
    planned_goal: int


class ApprovalPayload(Payload):
    """What was approved for a target group, and what stood at the exchange then.

    Args:
        verb: What the budget was given for.
        budget: The amount approved.
        worst_case: The most the group could cost.
        completes_goal: The goal.
        price_cap: The highest price of a complete.
    """

    verb: str
    budget: str
    worst_case: str
    completes_goal: int | None = None
    price_cap: str | None = None


class JobPayload(Payload):
    """A background job: its handle once it was started, its last snapshot once it ended."""

    handle: JobHandle | None = None
    snapshot: JobSnapshot | None = None


class StartedJobPayload(JobPayload):
    """A job that was started by any call, also outside a wave; `saved_before` is the number of IDs saved before it."""

    saved_before: int | None = None


class UploadPayload(JobPayload):
    """An upload.

    Args:
        content_hash: Digest of the list.
        file_name: Name of the uploaded file.
        cycle: How often the group had been emptied and filled again.
        saved_before: Number of IDs saved in the group before; None if the upload was sent from elsewhere.
        digests_before: Digests of those IDs, where they were listed.
        digests_sent: Digests of what was sent, for a resubmission: once its job has ended, the rejected IDs no longer
            show which list was resent.
    """

    content_hash: str
    file_name: str
    cycle: int
    saved_before: int | None = None
    digests_before: tuple[str, ...] = ()
    digests_sent: tuple[str, ...] = ()


class LaunchPayload(JobPayload):
    """A launch.

    Args:
        idempotency_key: The key it was sent with.
        end_at: The end it was sent with: a key is valid only for the same body.
        budget: The budget that was approved.
        worst_case: The most it can cost.
        cycle: How often the group had been emptied and filled again.
        attempt: How many earlier launch jobs had failed.
        unverified: Fields that the analyst vouched for.
    """

    idempotency_key: str
    end_at: datetime
    budget: str
    worst_case: str
    cycle: int
    attempt: int = 0
    unverified: tuple[str, ...] = ()


class RemovalPayload(JobPayload):
    """A removal of all IDs: how many there were."""

    id_count: int


class WithdrawalPayload(JobPayload):
    """A withdrawal of people.

    Args:
        digests: Digests of their RSIDs, by which later lists of the project are compared.
        target_group_id: The group that was to exclude them; None where the wave had none yet.
        excluded: How many of them its list of exclusions then held; None if it was not read.
        is_undone: Whether these people have not withdrawn after all.
    """

    digests: tuple[str, ...]
    is_undone: bool = False
    target_group_id: str | None = None
    excluded: int | None = None


class ReconcilePayload(Payload):
    """A reconciliation: the name it is submitted under, its rows, and its id once there is one."""

    name: str
    rows: int | None = None
    request_id: str | None = None


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
RECONCILE = Step("reconcile", ReconcilePayload)
APPROVAL = Step("approval", ApprovalPayload)
WITHDRAWAL = Step("withdrawal", WithdrawalPayload)
JOB = Step("job", StartedJobPayload)

STEPS: dict[str, Step[Payload]] = {
    step.name: step
    for step in (
        PROJECT,
        DRAFT,
        STRATEGY,
        UPLOAD,
        GOAL,
        LAUNCH,
        PAUSE,
        RESUME,
        CLOSE,
        REMOVE,
        RECONCILE,
        APPROVAL,
        WITHDRAWAL,
        JOB,
    )
}
