"""The world of one sandbox: everything that exists, its time, and what is due next."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from cint_nb.sandbox.protocol.json_schema import parse_time
from cint_nb.sandbox.protocol.messages import Json, JsonObject, Request, not_found
from cint_nb.sandbox.world.catalogue import ACCOUNT_ID, PROJECT_MANAGER_ID
from cint_nb.sandbox.world.entities import (
    ChangelogEntry,
    ExclusionGroup,
    Job,
    Project,
    Reconciliation,
    Report,
    TargetGroup,
)
from cint_nb.sandbox.world.ids import IdFactory
from cint_nb.sandbox.world.missingness import Missingness
from cint_nb.sandbox.world.population import Population, PopulationParameters
from cint_nb.sandbox.world.rules import ExchangeRules


class World:
    """All state of one sandbox.

    Args:
        seed: Decides ids, people and durations.
        start: Moment at which virtual time is 0.
        parameters: The parameters of people's behaviour.
        account_id: The one account of this world. The worlds of different accounts have the same people, but neither
            ids nor draws in common.
        missingness: What decides who is missing from recontact waves.
        rules: What the exchange does where no source settles it.
    """

    def __init__(
        self,
        seed: int,
        start: datetime,
        parameters: PopulationParameters | None = None,
        account_id: int = ACCOUNT_ID,
        missingness: Missingness | None = None,
        rules: ExchangeRules | None = None,
    ) -> None:
        self.seed = seed
        self.rules = rules or ExchangeRules()
        self.start = start.astimezone(UTC)
        self.account_id = account_id
        self.population = Population(seed, parameters, missingness)
        self.id_factory = IdFactory(seed if account_id == ACCOUNT_ID else f"{seed}:{account_id}", self.start)
        self.projects: dict[str, Project] = {}
        self.groups: dict[str, TargetGroup] = {}
        self.jobs: dict[str, Job] = {}
        self.reports: dict[str, Report] = {}
        self.reconciliations: dict[str, Reconciliation] = {}
        self.exclusion_groups: dict[str, ExclusionGroup] = {}
        self.running: dict[str, Job] = {}
        self.caught_up_to = 0.0
        self.actor = PROJECT_MANAGER_ID
        self.last_seen: dict[bytes, float] = {}
        self.completed_waves: dict[bytes, int] = {}
        self.excluded_now: dict[str, tuple[float, dict[bytes, str]]] = {}
        self._agenda: list[tuple[float, str]] = []
        self._due: dict[str, float] = {}

    @contextmanager
    def acting_as(self, user_id: str) -> Iterator[None]:
        """Let what happens be the work of a user."""
        actor, self.actor = self.actor, user_id
        try:
            yield
        finally:
            self.actor = actor

    def time_at(self, t: float) -> datetime:
        """Return the time of a virtual second."""
        return self.start + timedelta(seconds=t)

    def format_time(self, t: float) -> str:
        """Return a time as the exchange writes it: RFC 3339, UTC, three decimals."""
        return self.time_at(t).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def parse_time(self, text: str) -> float:
        """Return an RFC 3339 time as virtual seconds; the schema has already checked it."""
        moment = parse_time(text)
        if moment is None:
            raise ValueError("not a time")
        return round((moment - self.start).total_seconds(), 3)

    def schedule(self, t: float, entity_id: str) -> None:
        """Put a job or a target group on the agenda, unless it is due earlier anyway."""
        known = self._due.get(entity_id)
        if known is None or t < known:
            self._due[entity_id] = t
            heapq.heappush(self._agenda, (t, entity_id))

    def pop_due(self, until: float) -> tuple[float, str] | None:
        """Pop the next entry that is due until then; None when there is none."""
        while self._agenda and self._agenda[0][0] <= until:
            t, entity_id = heapq.heappop(self._agenda)
            if self._due.get(entity_id) == t:
                del self._due[entity_id]
                return t, entity_id
        return None

    def due_next_at(self) -> float:
        """Return when the next entry of the agenda is due; infinite without one."""
        agenda = self._agenda
        while agenda and self._due.get(agenda[0][1]) != agenda[0][0]:
            heapq.heappop(agenda)
        return agenda[0][0] if agenda else math.inf

    def switch(self, parameters: PopulationParameters, missingness: Missingness) -> None:
        """Give people other parameters: from the next wave on, and at once where suppliers are down."""
        self.population = Population(self.seed, parameters, missingness)

    def remove_group(self, group: TargetGroup) -> None:
        """Remove a target group with its jobs and whatever was due in them."""
        jobs = [job.id for job in self.jobs.values() if job.group_id == group.id]
        for job_id in jobs:
            del self.jobs[job_id]
            self.running.pop(job_id, None)
        for entity_id in (group.id, *jobs):
            self._due.pop(entity_id, None)
        self.excluded_now.pop(group.id, None)
        del self.groups[group.id]

    def project(self, request: Request) -> Project:
        """Return the project of a path.

        Raises:
            ApiError: 404 when it does not exist or cannot be read yet.
        """
        project = self.projects.get(request.path_params["project_id"])
        if project is None or project.readable_at > request.received_at:
            raise not_found("the project")
        return project

    def group(self, request: Request) -> TargetGroup:
        """Return the target group of a path.

        Raises:
            ApiError: 404 when it does not exist in this project.
        """
        project = self.project(request)
        group = self.groups.get(request.path_params["target_group_id"])
        if group is None or group.project_id != project.id:
            raise not_found("the target group")
        return group

    def launched(self, request: Request) -> TargetGroup:
        """Return the target group of a path once it has left the draft state.

        Raises:
            ApiError: 404 also for drafts.
        """
        group = self.group(request)
        if group.status == "draft":
            raise not_found("the target group")
        return group

    def job(self, request: Request, *kinds: str) -> Job:
        """Return the job of a path.

        Raises:
            ApiError: 404 when no such job of these kinds exists for the path's target group or project.
        """
        job = self.jobs.get(request.path_params["job_id"])
        if (
            job is None
            or job.kind not in kinds
            or job.group_id != request.path_params.get("target_group_id")
            or job.project_id != request.path_params["project_id"]
        ):
            raise not_found("the job")
        return job

    def groups_of(self, project_id: str) -> list[TargetGroup]:
        """Return the target groups of a project, newest first."""
        return sorted(
            (group for group in self.groups.values() if group.project_id == project_id),
            key=lambda group: group.id,
            reverse=True,
        )

    def exclusion_groups_of(self, target_group_id: str) -> list[ExclusionGroup]:
        """Return the exclusion groups that a target group is in."""
        return [group for group in self.exclusion_groups.values() if target_group_id in group.members]

    def log_change(
        self,
        group: TargetGroup,
        t: float,
        *changes: tuple[str, Json, Json],
        system: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Append what changed to a target group's changelog.

        Args:
            group: The target group.
            t: When.
            changes: Name without `_change`, old value, new value.
            system: `system_user` or `system_marketplace_user`; None when a person did it.
            reason: Reason code of a status change; None without one.
        """
        user = {"type": "las_user", "las_user_id": self.actor} if system is None else {"type": system}
        entries: list[JsonObject] = [
            {
                "object": f"{name}_change",
                **({"old_value": old} if old is not None else {}),  # the first value has no old one
                "new_value": new,
                **({"reason_code": reason} if reason is not None else {}),
            }
            for name, old, new in changes
            if old != new
        ]
        if entries:
            name = f"change:{group.id}:{len(group.changes)}"
            group.changes.append(ChangelogEntry(self.id_factory.ulid_for(name, t), t, user, entries))
            group.updated = t
