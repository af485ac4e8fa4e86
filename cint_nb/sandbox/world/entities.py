"""The entities of the world: projects, target groups, fielding runs, jobs, reports."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias, TypedDict

from cint_nb.sandbox.protocol.messages import JsonObject
from cint_nb.sandbox.protocol.request_bodies import Draft
from cint_nb.sandbox.world.id_store import IdStore
from cint_nb.sandbox.world.ids import random_part
from cint_nb.sandbox.world.people import Draws
from cint_nb.sandbox.world.population import Population, Wave
from cint_nb.sandbox.world.profiling import Cell, ProfilingRules

RECONTACT_UPLOAD = "recontact-upload"
RECONTACT_REMOVAL = "recontact-removal"
EXCLUSION_UPLOAD = "exclusion-upload"
EXCLUSION_REMOVAL = "exclusion-removal"
LAUNCH = "launch"
SCHEDULE = "schedule"
BATCH = "batch"

PlannedEnd: TypeAlias = Literal["done", "failed", "never"]


class ActivityRule(TypedDict):
    """An exclusion by activity elsewhere, with its duration."""

    type: str
    id: str
    duration: str


@dataclass(slots=True)
class Project:
    """A project; it can be read from `readable_at` on."""

    id: str
    human_readable_id: str
    name: str
    project_manager_id: str
    reference: str | None
    created: float
    readable_at: float
    version: int = 1


@dataclass(slots=True)
class FieldingRun:
    """The one fielding run of a target group. Times are virtual seconds."""

    id: str
    start: float
    end: float
    status: str
    changed_at: float
    changed_by: str
    version: int = 1
    live_since: float | None = None
    live_before: float = 0.0

    @property
    def etag(self) -> str:
        """The entity tag of this version."""
        return f'W/"{self.version}"'

    def live_seconds(self, t: float) -> float:
        """Return how long the run was live until `t`."""
        return self.live_before + (max(0.0, t - self.live_since) if self.live_since is not None else 0.0)


class Visit(NamedTuple):
    """An ended or abandoned visit: who, when entered, when ended, and how; `number` is 0 for the person's first."""

    key: bytes
    entered: float
    ended: float
    outcome: str
    cost: Decimal
    number: int = 0


@dataclass(slots=True)
class Fieldwork:
    """Who is still to arrive, who is in the survey, and who has left it.

    `population` and `wave` are those of `live_at`, when the group went live: later switches count for later waves.
    `arrivals` is a heap of (live seconds, key, number of the visit), `active_visits` one of (end, key, entered,
    outcome, number, its draws), `reconciliations` one of (time, place in `visits`, outcome). `invited_late` has when
    people were invited who were not in the list at first, `ended_visits` how the last visit ended of those who come
    again; nobody does who entered before `removed_at`.
    """

    population: Population | None = None
    wave: Wave | None = None
    live_at: float = 0.0
    removed_at: float = -1.0
    arrivals: list[tuple[float, bytes, int]] = field(default_factory=list)
    invited_late: dict[bytes, float] = field(default_factory=dict)
    active_visits: list[tuple[float, bytes, float, str, int, Draws]] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    ended_visits: dict[bytes, str] = field(default_factory=dict)
    reconciliations: list[tuple[float, int, str]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    rules: ProfilingRules | None = None
    quota_prescreens: Counter[Cell] = field(default_factory=Counter)
    quota_completes: Counter[Cell] = field(default_factory=Counter)
    prescreens: int = 0
    completes: int = 0
    cost: Decimal = Decimal(0)
    lengths: list[int] = field(default_factory=list)
    new_people_invited: int = 0


@dataclass(slots=True)
class ChangelogEntry:
    """One entry of a target group's changelog."""

    id: str
    t: float
    user: dict[str, str]
    changes: list[JsonObject]


@dataclass(slots=True)
class TargetGroup:
    """A target group with all that belongs to it. `body` is the draft as last written."""

    id: str
    human_readable_id: str
    project_id: str
    body: Draft
    created: float
    updated: float
    strategy: str
    currency: str
    cpi: Decimal
    status: str = "draft"
    saved: IdStore = field(default_factory=IdStore)
    rejected_once: set[bytes] = field(default_factory=set)
    running_job_id: str | None = None
    excluded: IdStore = field(default_factory=IdStore)
    excluded_guids: IdStore = field(default_factory=IdStore)
    running_exclusion_job_id: str | None = None
    policy_updated: float = 0.0
    activity: list[ActivityRule] = field(default_factory=list)
    run: FieldingRun | None = None
    fieldwork: Fieldwork = field(default_factory=Fieldwork)
    changes: list[ChangelogEntry] = field(default_factory=list)
    pause_at: float | None = None

    @property
    def seed(self) -> bytes:
        """The seed of this group's draws, independent of when it was created."""
        return random_part(self.id).encode()

    @property
    def goal(self) -> int:
        """The completes goal."""
        return int(self.body["completes_goal"])

    @property
    def is_recontact(self) -> bool:
        """Whether only saved ids may enter."""
        return bool(self.body.get("study_type_code") == "recontact")

    @property
    def pricing_model(self) -> str:
        """How a complete is priced."""
        pricing = self.body["fielding_assistant_assignment"].get("pricing")
        return "dynamic" if pricing is None else pricing["type"]

    @property
    def project_exclusion(self) -> bool:
        """Whether people who completed another group of the project are excluded."""
        return bool((self.body.get("exclusion") or {}).get("enabled", False))

    def __repr__(self) -> str:
        """Show the target group without respondent ids."""
        return f"<TargetGroup {self.id} {self.status}: {len(self.saved):,} saved>"


@dataclass(slots=True)
class Job:
    """A background job. `planned_end` is how it will end; a batch job belongs to no single target group."""

    id: str
    kind: str
    project_id: str
    group_id: str | None
    created: float
    ends_at: float
    created_by: str
    planned_end: PlannedEnd = "done"
    status: str = "Processing"
    file_name: str | None = None
    content: bytes | None = None
    accepted: bytes = b""
    applied: int = 0
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    run_id: str | None = None
    failure: JsonObject | None = None
    planned_failure: JsonObject | None = None
    start: float = 0.0
    end: float = 0.0
    action: str | None = None
    targets: tuple[str, ...] = ()
    updated: list[str] = field(default_factory=list)
    rejected: list[tuple[str, str, str]] = field(default_factory=list)
    guids: bool = False

    def __repr__(self) -> str:
        """Show the job without its file."""
        return f"<Job {self.kind} {self.id} {self.status}>"


@dataclass(slots=True)
class ReconciledGroup:
    """What a reconciliation came to in one target group."""

    submitted: int = 0
    expired: int = 0
    invalid: int = 0
    positive: int = 0
    negative: int = 0


@dataclass(slots=True)
class Reconciliation:
    """A submission of changes: each line has a response id and a reason code. It is processed at `ends_at`.

    `groups` has what it came to by target group; lines that belong to none are under None.
    """

    id: str
    name: str
    content: bytes
    lines: list[str]
    created: float
    created_by: str
    ends_at: float
    is_partial: bool = False
    is_processed: bool = False
    groups: dict[str | None, ReconciledGroup] = field(default_factory=dict)
    expired_rids: list[str] = field(default_factory=list)
    invalid_rids: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        """Show the submission without its lines."""
        return f"<Reconciliation {self.id}: {len(self.lines):,} lines>"


@dataclass(slots=True)
class ExclusionGroup:
    """Target groups of which each keeps out whoever completed another one of them."""

    id: str
    tag: str
    description: str
    created: float
    updated: float | None = None
    members: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """A report: what was requested, and its content from `ready_at` on. Without a level it is about the account."""

    id: str
    kind: str
    level: str | None
    created: float
    ready_at: float
    created_by: str
    params: JsonObject
    begin: float
    end: float
    filter_ids: list[str]
    with_answers: bool = False
    failed: bool = False
