"""One wave as all its steps see it: client, journal, list, plan, and where it is on the exchange.

The exchange is the record. The journal is a cache, an audit trail and the store of approvals: a step that is run
without it finds what exists by reference, file name and idempotency key, and never creates it a second time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace

from cint_nb.api.jobs.job import Job
from cint_nb.api.safety.send_once import had_no_effect
from cint_nb.domain import limits
from cint_nb.domain.arguments import check_model
from cint_nb.domain.errors import (
    ApiError,
    CintError,
    InvalidState,
    JobFailed,
    PlanError,
    TransportError,
)
from cint_nb.domain.ids import is_ulid, normalise_name, quote_foreign
from cint_nb.domain.jobs import JobSnapshot, JobState
from cint_nb.domain.models import TargetGroupRef, evolve
from cint_nb.domain.plan import PlanKind, TargetGroupPlan
from cint_nb.domain.target_groups import TargetGroupSummary
from cint_nb.study.files.respondents import Respondents
from cint_nb.wave.exchange.identity import group_reference, idempotency_key
from cint_nb.wave.exchange.people import GroupUploads, read_uploads
from cint_nb.wave.exchange.state import NOT_ASKED, ExchangeState, GroupState, KnownState, read_state
from cint_nb.wave.journal.journal import EntryState, JournalEntry, WaveKey
from cint_nb.wave.journal.payloads import (
    DRAFT,
    GOAL,
    LAUNCH,
    PROJECT,
    AnyJobPayload,
    AnyPayload,
    DraftPayload,
    Payload,
    ProjectPayload,
    Step,
)
from cint_nb.wave.journaled_client import JournaledClient
from cint_nb.wire.settings import Mode

_SEARCH_CHARACTERS = 5
SEARCHED_PROJECTS = 200
"""In how many projects a wave is searched for where none has its project's name: one request each."""

SnapshotListener = Callable[[JobSnapshot], None]


class WaveContext:
    """One wave: what its steps share.

    Args:
        client: The client, with its journal.
        project: Name or id of the project.
        name: Name of the wave, normalised.
        respondents: Whom the wave recontacts; None for new people, and where a wave is only read.
        plan: The target group; None where a wave is only read.
        crosswalk: RSID of each RID.
    """

    def __init__(
        self,
        client: JournaledClient,
        project: str,
        name: str,
        respondents: Respondents | None,
        plan: TargetGroupPlan | None,
        crosswalk: Mapping[str, str] | None = None,
    ) -> None:
        self.client = client
        self.journal = client.journal
        self.project = normalise_name(project)
        if is_ulid(self.project.upper()):  # an id, however it was typed
            self.project = self.project.upper()
        self.name = name
        self.respondents_or_none = respondents
        self.crosswalk = crosswalk
        self.last_state: ExchangeState | None = None
        self._project_id: str | None = self.project if is_ulid(self.project) else None
        self._given_plan = plan
        self._opened: TargetGroupRef | None = None
        self.seen_ref: TargetGroupRef | None = None
        """The target group as it was last known here; also where the journal cannot be read any more."""

    @property
    def given_plan(self) -> TargetGroupPlan:
        """The plan as it was given; `plan` has the lowered goal.

        Raises:
            PlanError: the wave has no plan, or one made around its constructor with a value that its field cannot have.
        """
        if self._given_plan is None:
            raise PlanError(
                "This wave was opened without a plan, so that it can be read, paused and closed, and no more.",
                evidence={"wave": self.name, "field": "plan"},
                next_step="open it with its plan: client.wave(…, plan=cint.TargetGroupPlan.fresh(…)) for new people, "
                "with TargetGroupPlan.recontact and respondents= for a list.",
            )
        check_model(self._given_plan, PlanError)
        return self._given_plan

    @given_plan.setter
    def given_plan(self, plan: TargetGroupPlan) -> None:
        self._given_plan = plan

    @property
    def kind(self) -> PlanKind | None:
        """Whom the wave is about, as its plan says; None for a wave that is only read."""
        return None if self._given_plan is None else self._given_plan.kind

    @property
    def plan_or_none(self) -> TargetGroupPlan | None:
        """The plan, with the goal that `lower_goal` wrote for it; None for a wave that is only read."""
        return None if self._given_plan is None else self.plan

    @property
    def respondents(self) -> Respondents:
        """Whom the wave recontacts.

        Raises:
            PlanError: it is about new people, or was given no list.
        """
        if self.respondents_or_none is not None:
            return self.respondents_or_none
        if self._given_plan is not None and not self._given_plan.is_recontact:
            raise PlanError(
                "This wave is about new people, so it has no list: nobody is uploaded, resubmitted or removed.",
                evidence={"wave": self.name, "plan": str(self._given_plan.kind)},
                next_step="run wave.create() and wave.launch(budget=…); for a list of earlier respondents use "
                "TargetGroupPlan.recontact and respondents=.",
            )
        raise PlanError(
            "This wave was given no respondents.",
            evidence={"wave": self.name, "field": "respondents"},
            next_step="pass respondents=cint.read_respondents(…) to client.wave(…), or picker.value once the file "
            'picker shows "ready".',
        )

    def require_complete(self) -> TargetGroupPlan:
        """Return the plan if the wave has everything that its plan needs: a recontact has its list.

        Raises:
            PlanError: it has no plan, or its plan recontacts people and there is no list of them; nothing was sent.
        """
        plan = self.plan
        if plan.is_recontact and self.respondents_or_none is None:
            raise PlanError(
                "The plan recontacts people, and the wave was given no list of them: it can be read, paused and "
                "closed, and no more.",
                evidence={"wave": self.name, "field": "respondents"},
                next_step="pass respondents=cint.read_respondents(…) to client.wave(…), or picker.value once the file "
                'picker shows "ready"; for new people use TargetGroupPlan.fresh.',
            )
        return plan

    def require_kind(self, state: ExchangeState) -> None:
        """Raise if a launched group shows another kind than the plan's; a draft is compared field by field.

        Raises:
            InvalidState: the plan is about new people and the group takes a list, or the other way round.
        """
        plan, shown = self.plan, state.study_type
        if state.group is not None or shown is None or (shown == limits.RECONTACT_STUDY_TYPE) == plan.is_recontact:
            return
        theirs = "is open to new people" if plan.is_recontact else "admits a list of earlier respondents"
        ours = "recontacts a list" if plan.is_recontact else "is about new people"
        raise state.invalid_state_error(
            f"The plan {ours}, and the target group {theirs}.",
            "open the wave with the plan it was created with, or choose another wave name.",
            wave=self.name,
            study_type=quote_foreign(shown, 60),
        )

    async def require_list_taken(self, ref: TargetGroupRef) -> None:
        """Raise if the target group was launched for new people, so that no list belongs into it.

        A draft that this journal wrote as a recontact needs no read: its launch compares it with the plan all the same.

        Raises:
            InvalidState: it is open to new people.
        """
        entry = self.last(DRAFT)
        body = entry.payload.body if entry is not None else None
        if body is None or body.get("study_type_code") != limits.RECONTACT_STUDY_TYPE:
            self.require_kind(await read_state(self.client, ref))

    @property
    def _own_number(self) -> str | None:
        """The user's own reference number for the group; None for none."""
        return self._given_plan.customer_reference_number if self._given_plan is not None else None

    @property
    def known_project_id(self) -> str | None:
        """The id of the wave's project; None while it is not known here."""
        if self._project_id is None:
            self._project_id = remembered_project(self.client, self.project)
        return self._project_id

    @property
    def key(self) -> WaveKey:
        """The key of the wave's journal entries: by the project's id, since one project may be named in two ways."""
        return WaveKey(self.client.scope, self.known_project_id or f"name:{self.project}", self.name)

    @property
    def group_name(self) -> str:
        """The name of the target group: the plan's own, where it has one."""
        return normalise_name((self._given_plan.name if self._given_plan is not None else None) or self.name)

    def last(self, step: Step[AnyPayload]) -> JournalEntry[AnyPayload] | None:
        """Return the wave's last entry of a step; those about a group that the wave had before do not count."""
        return self.journal.last(self.key, step, after=self._since_group())

    def entries(self, step: Step[AnyPayload], *, after: int = 0) -> list[JournalEntry[AnyPayload]]:
        """Return the wave's entries of a step about its present group."""
        return self.journal.entries(self.key, step=step, after=max(after, self._since_group()))

    def all_entries(self) -> list[JournalEntry[Payload]]:
        """Return the wave's entries of all steps about its present group."""
        return self.journal.entries(self.key, after=self._since_group())

    def _since_group(self) -> int:
        """Return the number of the entry with which the wave took another group than before; 0 if it never did."""
        since, group = 0, None
        for entry in self.journal.entries(self.key, step=DRAFT):
            taken = entry.payload.target_group_id
            if taken is not None and group not in (None, taken):
                since = entry.number - 1
            group = taken or group
        return since

    @property
    def plan(self) -> TargetGroupPlan:
        """The plan, with the goal that `lower_goal` wrote for it."""
        lowered = self.last(GOAL)
        if lowered is None or lowered.payload.planned_goal != self.given_plan.completes_goal:
            return self.given_plan  # the plan has been changed since: what it says now counts
        return evolve(self.given_plan, completes_goal=lowered.payload.completes_goal)

    @property
    def ref(self) -> TargetGroupRef | None:
        """The target group of the wave as far as it is known here; `locate` searches the exchange too."""
        entry = self.journal.last(self.key, DRAFT)
        ref = self._opened
        if entry is not None and (taken := entry.payload.target_group_id) is not None:
            ref = TargetGroupRef(project_id=entry.payload.project_id, target_group_id=taken)
        self.seen_ref = ref or self.seen_ref
        return ref

    async def look_up_profiles(self) -> None:
        """Have the names of the plan's profiles looked up, once, so that the plan can be written.

        Raises:
            PlanError: the library of the locale has no such question or answer; nothing was sent that changes anything.
        """
        self.given_plan = await self.client.profiles.look_up(self.given_plan)

    async def locate(self) -> TargetGroupRef | None:
        """Return the target group of the wave, searching the exchange if it is not known here; None if there is none.

        Raises:
            InvalidState: several projects or groups could be meant; nothing was sent.
        """
        ref = self.ref
        if ref is not None:
            return ref
        project_id = await self._find_project()
        return None if project_id is None else await self.find_group(project_id)

    async def search(self, *, adopt: str | None = None) -> TargetGroupRef | None:
        """Return the target group of the wave, searching everywhere; None only where it is known that there is none.

        Args:
            adopt: Id of the group to adopt, so that no other is searched for.

        Raises:
            InvalidState: several projects or groups could be meant, the wave is in a project of another name or may be
                in one that was not searched, or there is no project in which a group could be adopted.
        """
        if adopt is None:
            ref = await self.locate()
            if ref is None and self._project_id is None:
                await self._require_no_group_elsewhere()
            return ref
        if await self._find_project() is None:
            raise InvalidState(
                "No project has this name, so it has no target group to adopt.",
                evidence={"project": self.project, "target_group_id": adopt},
                safe="nothing was sent.",
                next_step="name the group's project, by its id if it was renamed: client.wave(…, project='01…').",
            )
        return None

    async def require_ref(self) -> TargetGroupRef:
        """Return the target group of the wave.

        Raises:
            InvalidState: there is none, neither in the journal nor on the exchange, or it is not known where it is.
        """
        ref = await self.search()
        if ref is None:
            raise InvalidState(
                "This wave has no target group yet.",
                evidence={"wave": self.name},
                safe="nothing was sent.",
                next_step="run wave.create() first."
                if self._given_plan is not None
                else "it was opened to be read: check both names; client.project_status(project) lists the groups.",
            )
        return ref

    async def read_state(self) -> ExchangeState:
        """Read where the wave's target group stands; a draft whose launch was seen here is *not known*.

        Raises:
            InvalidState: there is no target group.
        """
        state = await read_state(self.client, await self.require_ref())
        launch = self.last(LAUNCH) if state.state is GroupState.DRAFT else None
        if launch is not None and launch.state is EntryState.DONE:
            reason = "it reads as a draft, and this journal holds its launch, which no draft can be after"
            state = replace(state, state=GroupState.NOT_KNOWN, group=None, reason=reason)
        self.last_state = state
        return state

    @property
    def last_known(self) -> KnownState:
        """The state as it was last read, by any verb; nothing is sent."""
        return KnownState(self.last_state, self.client.clock.now(), NOT_ASKED)

    async def look(self, seconds: float) -> KnownState:
        """Read the state once, for a display that cannot wait long; what was last read where that does not succeed.

        Args:
            seconds: How long to wait for the exchange, in real time.
        """
        before, now = self.last_state, self.client.clock.now()
        if self.client.mode is Mode.REPLAY or self.client.http.settings.record is not None:
            return KnownState(before, now, "a recording repeats what was read when it was made")
        try:
            async with asyncio.timeout(seconds):
                state = None if await self.locate() is None else await self.read_state()
        except TimeoutError:
            return KnownState(before, now, f"the exchange did not answer within {seconds:.0f} s")
        except (ApiError, TransportError) as error:
            return KnownState(before, now, error.what.rstrip("."))
        if state is not None and state.state is GroupState.NOT_KNOWN:
            self.last_state = before or state
            return KnownState(before, now, f"its state cannot be seen ({state.reason})")
        return KnownState(state, now)

    async def read_back(self) -> ExchangeState | None:
        """Read where the group stands after something was done; a read that fails does not undo it, and is said."""
        try:
            return await self.read_state()
        except (ApiError, TransportError):
            self.last_state = None
            self.client.http.warn(
                f"What was asked for the wave {self.name!r} was accepted, but what is so now could not be read: "
                "run wave.status() in a moment."
            )
            return None

    async def read_uploads(self, ref: TargetGroupRef) -> GroupUploads:
        """Read the uploads of the target group and the number of its saved ids; new people are uploaded by nobody."""
        if not self.plan.is_recontact:
            return GroupUploads(self.reference(ref.project_id), (), 0)
        return await read_uploads(self.client, ref, self.reference(ref.project_id))

    async def _find_project(self) -> str | None:
        if self._project_id is None:
            self._project_id = await find_project(self.client, self.project)
        return self._project_id

    def forget_project(self) -> None:
        """Forget the id of a project that a restarted sandbox no longer has."""
        if not is_ulid(self.project):
            self._project_id = None
            _remember_project(self.client, self.project, None)

    async def ensure_project(self) -> str:
        """Return the id of the wave's project; create it when a new name is first used."""
        found = await self._find_project()
        if found is not None:
            return found
        manager = self.given_plan.project_manager_id
        key = idempotency_key(
            self.client.account_id, "create project", self.project, {"name": self.project, "manager": manager}
        )
        project = await self.client.projects.create(self.project, manager, idempotency_key=key)
        _remember_project(self.client, self.project, project.id)
        self._project_id = project.id
        return project.id

    async def _require_no_group_elsewhere(self) -> None:
        """Raise unless it is known that no project has this wave under another name, as after somebody renamed it.

        The exchange lists target groups by project only, so this is one request per project, and only where no project
        has the name and this journal does not know which one had.
        """
        searched = 0
        async for project in self.client.projects.list(whole=True):
            if project.target_group_count == 0:
                continue
            if searched == SEARCHED_PROJECTS:
                raise self._not_searched_error(searched)
            searched += 1
            reference = self._own_number or self.reference(project.id)
            async for row in self.client.target_groups.list(project.id, references=(reference,), whole=True):
                if is_archived(row) or not await self._is_ours(project.id, row, reference):
                    continue
                raise InvalidState(
                    "No project has this name, but a project of another name has a target group of this wave.",
                    evidence={
                        "project": self.project,
                        "found": project.name,
                        "project_id": project.id,
                        "target_group_id": row.id,
                    },
                    safe="nothing was sent.",
                    next_step=f"if the project was renamed, open the wave by its id: client.wave(…, "
                    f"project={project.id!r}). If this is another study, whose wave has the same name, create its "
                    f"project first: client.projects.create({self.project!r}, "
                    f"{self.given_plan.project_manager_id!r}).",
                )

    def _not_searched_error(self, searched: int) -> InvalidState:
        manager = self.given_plan.project_manager_id
        return InvalidState(
            f"No project is called {self.project!r}, and the account has too many projects to search them all for this "
            "wave: it is not known whether its project was renamed.",
            evidence={"project": self.project, "searched_projects": searched},
            safe="nothing was sent.",
            next_step="if the project was renamed, name it by its id, client.wave(…, project='01…'); "
            "client.projects.list() has the ids. If it is new, create it first: "
            f"client.projects.create({self.project!r}, {manager!r}).",
        )

    async def find_group(
        self, project_id: str, *, adopt: str | None = None, leave: Collection[str] = ()
    ) -> TargetGroupRef | None:
        """Search a project for the wave's group by reference and by name, and adopt the one that is ours.

        Args:
            project_id: The project.
            adopt: Id of the group to adopt instead.
            leave: Ids of groups of this wave that may be left although they are in the field or hold ids.

        Raises:
            InvalidState: a group has the wave's name but not its reference, or another group would be left behind.
        """
        reference = self._own_number or self.reference(project_id)
        rows = {
            row.id: row async for row in self.client.target_groups.list(project_id, references=(reference,), whole=True)
        }
        async for row in self.client.target_groups.list(project_id, search=_search_word(self.group_name), whole=True):
            if normalise_name(row.name or "") == self.group_name:
                rows.setdefault(row.id, row)
        ours: list[TargetGroupSummary] = []
        others: list[TargetGroupSummary] = []
        for row in rows.values():
            (ours if await self._is_ours(project_id, row, reference) else others).append(row)
        if adopt is not None:
            chosen = TargetGroupRef(project_id=project_id, target_group_id=adopt)
            await self.client.target_groups.get(chosen)  # it exists, in this project
            known = {row.id for row in ours if not is_archived(row)} | {
                ref.target_group_id for ref in (self.ref,) if ref
            }
            left = [await self._leave(project_id, each, adopt, leave) for each in sorted(known - {adopt})]
            ref = await self._adopt(chosen, reference, was_named=True)
            for words in left:
                self.client.http.warn(f"The wave {self.name!r} has the target group {adopt} now. {words}")
            return ref
        if found := [row for row in ours if not is_archived(row)] or ours:
            self.name_leftovers(found)
            first = min(row.id for row in found)
            return await self._adopt(TargetGroupRef(project_id=project_id, target_group_id=first), reference)
        if self._given_plan is None:
            return self._open(others)
        # A number of the user's own may stand on other groups of the study: they are not this wave.
        others = [row for row in others if not is_archived(row) and normalise_name(row.name or "") == self.group_name]
        if others:
            raise InvalidState(
                "The project has a target group of this name that was not created as this wave.",
                evidence={"target_group_ids": ", ".join(sorted(row.id for row in others))},
                safe="nothing was sent.",
                next_step=f"if it is this wave, run wave.create(adopt={min(row.id for row in others)!r}); "
                "otherwise rename it, or choose another wave name.",
            )
        return None

    def _open(self, rows: Collection[TargetGroupSummary]) -> TargetGroupRef | None:
        """Return the one group that has the wave's name, to be read: it is not adopted, since nothing may rest on it.

        Raises:
            InvalidState: several groups have the name.
        """
        named = [row for row in rows if not is_archived(row) and normalise_name(row.name or "") == self.group_name]
        if len(named) > 1:
            raise InvalidState(
                f"{len(named)} target groups of the project have this name.",
                evidence={"wave": self.name, "target_group_ids": ", ".join(sorted(row.id for row in named))},
                safe="nothing was sent.",
                next_step="rename all but one, or read one by its id: client.target_groups.overview(ref).",
            )
        if named and self._project_id is not None:
            self._opened = TargetGroupRef(project_id=self._project_id, target_group_id=named[0].id)
        return self._opened

    async def _leave(self, project_id: str, group_id: str, adopt: str, leave: Collection[str]) -> str:
        """Say what is left behind when another group is adopted.

        Raises:
            InvalidState: it is in the field, holds ids, or cannot be seen, and it was not said that it may be left.
        """
        ref = TargetGroupRef(project_id=project_id, target_group_id=group_id)
        state, saved = await read_state(self.client, ref), None
        if state.state is not GroupState.MISSING:
            with suppress(ApiError):
                saved = await self.client.recontacts.saved_count(ref)
        held = "an unknown number of ids" if saved is None else f"{saved:,} saved ids"
        is_empty = state.state is GroupState.MISSING or (
            saved == 0 and not state.is_in_field and state.state is not GroupState.NOT_KNOWN
        )
        if not is_empty and group_id not in leave:
            raise state.invalid_state_error(
                f"This wave has a target group already, which is {state.state} and holds {held}; it would be left so.",
                f"to leave it as it is, run wave.create(adopt={adopt!r}, leave=[{group_id!r}]); its people could enter "
                "two groups: close it or remove its ids first, if they are to enter the other one.",
                wave=self.name,
                target_group_id=group_id,
                saved_ids=saved,
            )
        return f"It leaves {group_id} as it is: {state.state}, with {held}."

    async def _is_ours(self, project_id: str, row: TargetGroupSummary, reference: str) -> bool:
        shown = row.target_group_customer_reference_number
        if not shown:
            ref = TargetGroupRef(project_id=project_id, target_group_id=row.id)
            shown = (await self.client.target_groups.get(ref)).target_group_customer_reference_number
        if shown != reference:
            return False
        # A number of the user's own may stand on several groups of a study; ours contains the name already.
        return not self._own_number or normalise_name(row.name or "") == self.group_name

    def name_leftovers(self, groups: Collection[TargetGroupSummary]) -> None:
        """Warn of groups beside the one that is used: they are named, and never filled."""
        if len(groups) > 1:
            used, *rest = sorted(row.id for row in groups)
            self.client.http.warn(
                f"{len(groups)} target groups were created for this wave at the same moment; {used} is used. "
                f"{', '.join(rest)} stays an empty draft: ignore it, or archive it in the web interface."
            )

    async def _adopt(self, ref: TargetGroupRef, reference: str, *, was_named: bool = False) -> TargetGroupRef:
        """Take a group found on the exchange as this wave's, and say so unless it was named by its id."""
        entry = self.journal.last(self.key, DRAFT)
        # What was last written is that of this group, or of a request whose reply was lost.
        is_known = (
            entry is not None
            and entry.state is not EntryState.FAILED
            and entry.payload.target_group_id in (None, ref.target_group_id)
        )
        body = entry.payload.body if entry is not None and is_known else None
        payload = DraftPayload(
            project_id=ref.project_id,
            reference=reference,
            target_group_id=ref.target_group_id,
            body=body,
            allocations=entry.payload.allocations if entry is not None and is_known else None,
        )
        self.write(DRAFT, EntryState.DONE, payload)
        if body is None and not was_named:
            self.client.http.warn(
                f"The wave {self.name!r} was found on the exchange and is continued: target group "
                f"{ref.target_group_id}. This journal did not create it."
            )
        return ref

    def reference(self, project_id: str) -> str:
        """Return the reference by which the wave's target group and uploads are recognised."""
        return group_reference(self.client.account_id, project_id, self.name)

    def write(self, step: Step[AnyPayload], state: EntryState, payload: AnyPayload, *, batch: str = "") -> None:
        """Add an entry to the journal of this wave."""
        self.journal.write(self.key, step, state, payload, batch=batch, at=self.client.clock.now())

    @contextmanager
    def failed_if_refused(self, step: Step[AnyPayload], payload: AnyPayload, *, batch: str = "") -> Iterator[None]:
        """Note an intent as failed if its request had no effect; without a clear answer it stays an intent."""
        try:
            yield
        except CintError as error:
            if had_no_effect(error):
                self.write(step, EntryState.FAILED, payload, batch=batch)
            raise

    async def run_job(
        self,
        step: Step[AnyJobPayload],
        batch: str,
        entry: JournalEntry[AnyJobPayload] | None,
        prepare: Callable[[], Awaitable[AnyJobPayload]],
        send: Callable[[AnyJobPayload], Awaitable[Job]],
        on_snapshot: SnapshotListener,
    ) -> JobSnapshot:
        """Continue a job from where the journal left it, to its end."""
        if entry is not None and entry.state is EntryState.DONE and entry.payload.snapshot is not None:
            return entry.payload.snapshot
        job, payload = await self._send_or_attach(step, batch, entry, prepare, send)
        job.add_listener(on_snapshot)
        try:
            snapshot = await job
        except JobFailed:
            self.write(step, EntryState.FAILED, evolve(payload, snapshot=job.last_snapshot), batch=batch)
            raise
        self.write(step, EntryState.DONE, evolve(payload, snapshot=snapshot), batch=batch)
        return snapshot

    async def start_job(
        self,
        step: Step[AnyJobPayload],
        batch: str,
        entry: JournalEntry[AnyJobPayload] | None,
        prepare: Callable[[], Awaitable[AnyJobPayload]],
        send: Callable[[AnyJobPayload], Awaitable[Job]],
    ) -> Job:
        """Continue a job as `run_job` does, without waiting: whoever sees its end first writes it into the journal."""
        if entry is not None and entry.state is EntryState.DONE and entry.payload.snapshot is not None:
            return self.ended_job(entry.payload.snapshot)
        job, payload = await self._send_or_attach(step, batch, entry, prepare, send)
        key = self.key

        def write_end(snapshot: JobSnapshot) -> None:
            last = self.journal.last(key, step, batch=batch)
            is_open = last is not None and last.state is EntryState.RUNNING and last.payload.handle == payload.handle
            if snapshot.is_final and is_open:  # else a verb that was run since has written it
                state = EntryState.FAILED if snapshot.state is JobState.FAILED else EntryState.DONE
                self.write(step, state, evolve(payload, snapshot=snapshot), batch=batch)

        job.add_listener(write_end)
        return job

    def ended_job(self, snapshot: JobSnapshot) -> Job:
        """Return a job that is known to have ended: it is not polled again."""
        job = Job.attach(self.client, snapshot.handle)
        job.last_snapshot = snapshot
        return job

    async def _send_or_attach(
        self,
        step: Step[AnyJobPayload],
        batch: str,
        entry: JournalEntry[AnyJobPayload] | None,
        prepare: Callable[[], Awaitable[AnyJobPayload]],
        send: Callable[[AnyJobPayload], Awaitable[Job]],
    ) -> tuple[Job, AnyJobPayload]:
        """Return the job of a step, sent now unless the journal holds it, and what the journal says of it."""
        if entry is None or entry.state is EntryState.FAILED:
            payload = await prepare()
            self.write(step, EntryState.INTENT, payload, batch=batch)
        else:
            payload = entry.payload
        if payload.handle is not None:
            return Job.attach(self.client, payload.handle), payload
        job = await send(payload)
        payload = evolve(payload, handle=job.handle)
        self.write(step, EntryState.RUNNING, payload, batch=batch)
        return job, payload


def remembered_project(client: JournaledClient, project: str) -> str | None:
    """Return the id of a project, given by id or by normalised name, as far as the journal knows it."""
    if is_ulid(project):
        return project
    entry = client.journal.last(_project_key(client, project), PROJECT)
    return entry.payload.project_id if entry else None


async def find_project(client: JournaledClient, project: str) -> str | None:
    """Return the id of a project, given by id or by normalised name; None if the account has none of that name.

    Raises:
        InvalidState: several projects have the name, or one has it in other letter case only.
    """
    known = remembered_project(client, project)
    if known is not None:
        return known
    found, alike = [], []
    async for each in client.projects.list(search=_search_word(project), whole=True):
        name = normalise_name(each.name or "")
        if name == project:
            found.append(each.id)
        elif name.casefold() == project.casefold():
            alike.append(each)
    if len(found) > 1:
        raise InvalidState(
            f"{len(found)} projects have this name.",
            evidence={"project": project, "project_ids": ", ".join(sorted(found))},
            safe="nothing was sent.",
            next_step="name the project by its id, such as client.wave(…, project='01…').",
        )
    if alike and not found:
        raise InvalidState(
            "No project has this name, but one has it in other letter case.",
            evidence={"project": project, "found": alike[0].name, "project_id": alike[0].id},
            safe="nothing was sent.",
            next_step=f"write it {alike[0].name!r}, or name the project by its id; a second project would invite its "
            "people again.",
        )
    if found:
        _remember_project(client, project, found[0])
    return found[0] if found else None


def _remember_project(client: JournaledClient, project: str, project_id: str | None) -> None:
    state = EntryState.FAILED if project_id is None else EntryState.DONE
    payload = ProjectPayload(project_id=project_id)
    client.journal.write(_project_key(client, project), PROJECT, state, payload, at=client.clock.now())


def _project_key(client: JournaledClient, project: str) -> WaveKey:
    return WaveKey(client.scope, f"name:{project}")


def _search_word(name: str) -> str:
    """Return the part of a name to search for: a plain word, since how the exchange compares accents is not known.

    The exchange searches for five characters or more; without such a word the whole list is read.
    """
    return max(
        (word for word in name.split() if word.isascii() and len(word) >= _SEARCH_CHARACTERS), key=len, default=""
    )


def is_archived(row: TargetGroupSummary) -> bool:
    """Return whether a listed group is archived."""
    return (row.status or "").strip().lower() == "archived"
