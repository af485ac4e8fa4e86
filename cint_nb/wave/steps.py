"""The steps of a wave, asynchronous: each reads the exchange, writes its intent to the journal, acts once, reads back.

The exchange is the record. The journal is a cache, an audit trail and the store of approvals: a step that is run
without it finds what exists by reference, file name and idempotency key, and never creates it a second time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

from cint_nb.api.jobs.handle import make_handle
from cint_nb.api.jobs.job import Job
from cint_nb.domain.errors import (
    InvalidState,
    JobFailed,
    NotFound,
    NothingToResubmit,
    PlanError,
    RespondentFileError,
)
from cint_nb.domain.fielding import RunState
from cint_nb.domain.ids import EntityType, is_ulid, normalise_name
from cint_nb.domain.jobs import JobKind, JobSnapshot, JobState
from cint_nb.domain.models import TargetGroupRef, evolve
from cint_nb.domain.plan import Money, TargetGroupPlan, format_utc
from cint_nb.domain.target_groups import TargetGroupSummary
from cint_nb.study.files.respondents import Respondents
from cint_nb.study.outcome.upload_outcome import Outcome, compare_upload
from cint_nb.wave.exchange.draft_merge import merge_drafts, plan_with_fields
from cint_nb.wave.exchange.identity import group_reference, idempotency_key
from cint_nb.wave.exchange.people import GroupUploads, check_people, read_uploads
from cint_nb.wave.exchange.spending import read_limits
from cint_nb.wave.exchange.state import ExchangeState, GroupState, read_state
from cint_nb.wave.journal import EntryState, JournalEntry, WaveKey
from cint_nb.wave.journal_payloads import (
    CLOSE,
    DRAFT,
    GOAL,
    LAUNCH,
    PAUSE,
    PROJECT,
    REMOVE,
    RESUME,
    STRATEGY,
    UPLOAD,
    AnyJobPayload,
    AnyPayload,
    DraftPayload,
    GoalPayload,
    LaunchPayload,
    Payload,
    ProjectPayload,
    RemovalPayload,
    Step,
    StrategyPayload,
    UploadPayload,
)
from cint_nb.wave.journaled_client import JournaledClient
from cint_nb.wave.status_rows import answer_or_none, read_completes_trend, read_pause_origin
from cint_nb.wire.settings import Mode

_SEARCH_CHARACTERS = 5
SnapshotListener = Callable[[JobSnapshot], None]
_READ_ONLY_FIELDS = frozenset({"id", "human_readable_id", "launched", "created_at", "links", "pricing_model"})


class Steps:
    """The steps of one wave, run against a client.

    Args:
        client: The client, with its journal.
        project: Name or id of the project.
        name: Name of the wave, normalised.
        respondents: Whom the wave recontacts.
        plan: The target group.
        crosswalk: RSID of each RID.
    """

    def __init__(
        self,
        client: JournaledClient,
        project: str,
        name: str,
        respondents: Respondents,
        plan: TargetGroupPlan,
        crosswalk: Mapping[str, str] | None = None,
    ) -> None:
        self.client = client
        self.journal = client.journal
        self.project = normalise_name(project)
        self.name = name
        self.respondents = respondents
        self.crosswalk = crosswalk
        self.last_state: ExchangeState | None = None
        self._project_id: str | None = self.project if is_ulid(self.project) else None
        self._given_plan = plan

    # --- identity ---------------------------------------------------------------------------------------------

    @property
    def known_project_id(self) -> str | None:
        """The id of the wave's project; None while it is not known here."""
        if self._project_id is None:
            entry = self.journal.last(self._project_key, PROJECT)
            self._project_id = entry.payload.project_id if entry else None
        return self._project_id

    @property
    def _project_key(self) -> WaveKey:
        return WaveKey(self.client.scope, f"name:{self.project}")

    @property
    def key(self) -> WaveKey:
        """The key of the wave's journal entries: by the project's id, since one project may be named in two ways."""
        return WaveKey(self.client.scope, self.known_project_id or f"name:{self.project}", self.name)

    @property
    def plan(self) -> TargetGroupPlan:
        """The plan, with the goal that `lower_goal` wrote for it."""
        lowered = self.journal.last(self.key, GOAL)
        if lowered is None or lowered.payload.planned_goal != self._given_plan.completes_goal:
            return self._given_plan  # the plan has been changed since: what it says now counts
        return evolve(self._given_plan, completes_goal=lowered.payload.completes_goal)

    def _write(self, step: Step[AnyPayload], state: EntryState, payload: AnyPayload, *, batch: str = "") -> None:
        self.journal.write(self.key, step, state, payload, batch=batch, at=self.client.clock.now())

    def _since_removal(self) -> int:
        removal = self.journal.last(self.key, REMOVE)
        return removal.number if removal and removal.state is EntryState.DONE else 0

    def _reference(self, project_id: str) -> str:
        return group_reference(self.client.account_id, project_id, self.name)

    # --- project and draft ------------------------------------------------------------------------------------

    @property
    def ref(self) -> TargetGroupRef | None:
        """The target group of the wave as far as it is known here; `locate` searches the exchange too."""
        entry = self.journal.last(self.key, DRAFT)
        if entry is None or entry.payload.target_group_id is None:
            return None
        return TargetGroupRef(project_id=entry.payload.project_id, target_group_id=entry.payload.target_group_id)

    async def locate(self) -> TargetGroupRef | None:
        """Return the target group of the wave, searching the exchange if it is not known here; None if there is none.

        Raises:
            InvalidState: several projects or groups could be meant; nothing was sent.
        """
        ref = self.ref
        if ref is not None:
            return ref
        project_id = await self._find_project()
        return None if project_id is None else await self._find_group(project_id)

    async def require_ref(self) -> TargetGroupRef:
        """Return the target group of the wave.

        Raises:
            InvalidState: there is none, neither in the journal nor on the exchange.
        """
        ref = await self.locate()
        if ref is None:
            raise InvalidState(
                "This wave has no target group yet.",
                evidence={"wave": self.name},
                safe="nothing was sent.",
                next_step="run wave.create() first.",
            )
        return ref

    async def read_state(self) -> ExchangeState:
        """Read where the wave's target group stands.

        Raises:
            InvalidState: there is no target group.
        """
        self.last_state = await read_state(self.client, await self.require_ref())
        return self.last_state

    async def read_uploads(self, ref: TargetGroupRef) -> GroupUploads:
        """Read the uploads of the target group and the number of its saved ids."""
        return await read_uploads(self.client, ref, self._reference(ref.project_id))

    async def _find_project(self) -> str | None:
        if self.known_project_id is not None:
            return self.known_project_id
        found = [
            project
            async for project in self.client.projects.list(search=_search_word(self.project))
            if normalise_name(project.name or "") == self.project
        ]
        if len(found) > 1:
            raise InvalidState(
                f"{len(found)} projects have this name.",
                evidence={"project": self.project, "project_ids": ", ".join(sorted(each.id for each in found))},
                safe="nothing was sent.",
                next_step="name the project by its id: client.wave(…, project='01…').",
            )
        if not found:
            return None
        self._remember_project(found[0].id)
        return found[0].id

    def _remember_project(self, project_id: str) -> None:
        self._project_id = project_id
        payload = ProjectPayload(project_id=project_id)
        self.journal.write(self._project_key, PROJECT, EntryState.DONE, payload, at=self.client.clock.now())

    async def _ensure_project(self) -> str:
        found = await self._find_project()
        if found is not None:
            return found
        manager = self._given_plan.project_manager_id
        key = idempotency_key(
            self.client.account_id, "create project", self.project, {"name": self.project, "manager": manager}
        )
        project = await self.client.projects.create(self.project, manager, idempotency_key=key)
        self._remember_project(project.id)
        return project.id

    async def _find_group(self, project_id: str, *, adopt: str | None = None) -> TargetGroupRef | None:
        """Search a project for the wave's group by reference and by name, and adopt the one that is ours.

        Raises:
            InvalidState: a group has the wave's name but not its reference, or the group is archived.
        """
        reference = self._given_plan.customer_reference_number or self._reference(project_id)
        rows = {
            row.id: row async for row in self.client.target_groups.list(project_id, references=(reference,), whole=True)
        }
        search = max((word for word in self.name.split() if word.isascii() and len(word) >= 5), key=len, default="")
        async for row in self.client.target_groups.list(project_id, search=search, whole=True):
            if normalise_name(row.name or "") == self.name:
                rows.setdefault(row.id, row)
        if adopt is not None:
            return await self._adopt(TargetGroupRef(project_id=project_id, target_group_id=adopt), reference)
        ours: list[TargetGroupSummary] = []
        others: list[TargetGroupSummary] = []
        for row in rows.values():
            (ours if await self._is_ours(project_id, row, reference) else others).append(row)
        standing = [row for row in ours if not _is_archived(row)]
        if standing:
            self._name_leftovers(standing)
            first = min(row.id for row in standing)
            return await self._adopt(TargetGroupRef(project_id=project_id, target_group_id=first), reference)
        if ours:
            raise InvalidState(
                "The target group of this wave is archived.",
                evidence={"target_group_id": min(row.id for row in ours)},
                safe="nothing was sent.",
                next_step="restore it in the web interface: a wave of another name would invite its people again.",
            )
        others = [row for row in others if not _is_archived(row)]
        if others:
            raise InvalidState(
                "The project has a target group of this name that was not created as this wave.",
                evidence={"target_group_ids": ", ".join(sorted(row.id for row in others))},
                safe="nothing was sent.",
                next_step=f"if it is this wave, run wave.create(adopt={min(row.id for row in others)!r}); "
                "otherwise rename it, or choose another wave name.",
            )
        return None

    async def _is_ours(self, project_id: str, row: TargetGroupSummary, reference: str) -> bool:
        shown = row.target_group_customer_reference_number
        if not shown:
            ref = TargetGroupRef(project_id=project_id, target_group_id=row.id)
            shown = (await self.client.target_groups.get(ref)).target_group_customer_reference_number
        if shown != reference:
            return False
        # A number of the user's own may stand on several groups of a study; ours contains the name already.
        return not self._given_plan.customer_reference_number or normalise_name(row.name or "") == self.name

    def _name_leftovers(self, groups: Collection[TargetGroupSummary]) -> None:
        if len(groups) > 1:
            used, *rest = sorted(row.id for row in groups)
            self.client.http.warn(
                f"{len(groups)} target groups were created for this wave at the same moment; {used} is used. "
                f"{', '.join(rest)} stays an empty draft: ignore it, or archive it in the web interface."
            )

    async def _adopt(self, ref: TargetGroupRef, reference: str) -> TargetGroupRef:
        """Take a group found on the exchange as this wave's, and say so."""
        entry = self.journal.last(self.key, DRAFT)
        body = entry.payload.body if entry is not None and entry.state is not EntryState.FAILED else None
        payload = DraftPayload(
            project_id=ref.project_id, reference=reference, target_group_id=ref.target_group_id, body=body
        )
        self._write(DRAFT, EntryState.DONE, payload)
        if body is None:
            self.client.http.warn(
                f"The wave {self.name!r} was found on the exchange and is continued: target group "
                f"{ref.target_group_id}. This journal did not create it."
            )
        return ref

    async def create(self, *, adopt: str | None = None) -> TargetGroupRef:
        """Create the draft target group, or adopt the one that exists.

        Args:
            adopt: Id of a target group of the project to take as this wave's.
        """
        ref = self.ref
        if ref is not None and adopt in (None, ref.target_group_id):
            ref = await self._recreate_if_lost(ref)
        else:
            ref = None
        if ref is None:
            project_id = await self._ensure_project()
            ref = await self._find_group(project_id, adopt=adopt) or await self._create_draft(project_id)
        state = await self.read_state()
        if state.state is GroupState.DRAFT and self.journal.last(self.key, STRATEGY) is None:
            await self.client.target_groups.set_filling_strategy(ref, self._given_plan.filling_strategy)
            self._write(STRATEGY, EntryState.DONE, StrategyPayload(filling_strategy=self._given_plan.filling_strategy))
        return ref

    async def _recreate_if_lost(self, ref: TargetGroupRef) -> TargetGroupRef | None:
        """Return the group; None if a practice exchange was restarted and has forgotten it."""
        state = await read_state(self.client, ref)
        if state.state is not GroupState.MISSING or self.client.mode is not Mode.SANDBOX:
            state.require_known("create")
            return ref
        self.client.http.warn("The sandbox no longer has this wave's target group; the wave begins anew.")
        self._project_id = None if not is_ulid(self.project) else self._project_id
        if self._project_id is None:
            self.journal.write(
                self._project_key, PROJECT, EntryState.FAILED, ProjectPayload(), at=self.client.clock.now()
            )
        return None

    async def _create_draft(self, project_id: str) -> TargetGroupRef:
        reference = self._given_plan.customer_reference_number or self._reference(project_id)
        body = self.plan.to_body(name=self.name, customer_reference_number=reference)
        payload = DraftPayload(project_id=project_id, reference=reference, body=body)
        self._write(DRAFT, EntryState.INTENT, payload)
        ref = await self.client.target_groups.create_draft(project_id, body, reference=reference, name=self.name)
        self._write(DRAFT, EntryState.DONE, evolve(payload, target_group_id=ref.target_group_id))
        # Two machines may have created it in the same moment, and nothing can delete a draft: all use the lowest id.
        twins = [
            row
            async for row in self.client.target_groups.list(project_id, references=(reference,), whole=True)
            if normalise_name(row.name or "") == self.name and not _is_archived(row)
        ]
        self._name_leftovers(twins)
        first = min([ref.target_group_id, *(row.id for row in twins)])
        if first != ref.target_group_id:
            self._write(DRAFT, EntryState.DONE, evolve(payload, target_group_id=first))
        return TargetGroupRef(project_id=project_id, target_group_id=first)

    @property
    def draft_written_at(self) -> datetime | None:
        """When this journal last wrote the draft; None if it did not."""
        entry = self.journal.last(self.key, DRAFT)
        return entry.at if entry is not None and entry.payload.body is not None else None

    async def _require_draft(self, action: str) -> tuple[ExchangeState, dict[str, Any]]:
        """Return state and draft as read, in the exchange's field names.

        Raises:
            InvalidState: the group is no longer a draft.
        """
        state = await self.read_state()
        state.require_known(action)
        if state.group is None:
            raise state.invalid_state_error(
                f"The target group is {state.state}; its draft can no longer be changed.",
                "for a launched group use wave.raise_goal, wave.set_price or wave.extend.",
                wave=self.name,
            )
        return state, state.group.model_dump(mode="json", exclude_unset=True)

    async def _write_draft(self, ref: TargetGroupRef, body: dict[str, Any]) -> None:
        await self.client.target_groups.update_draft(ref, body)
        entry = self.journal.last(self.key, DRAFT)
        reference = str(body.get("target_group_customer_reference_number") or "")
        payload = (
            entry.payload
            if entry
            else DraftPayload(project_id=ref.project_id, reference=reference, target_group_id=ref.target_group_id)
        )
        self._write(DRAFT, EntryState.DONE, evolve(payload, body=body))

    @property
    def last_written(self) -> dict[str, Any] | None:
        """The draft as this journal last wrote it; None if it did not."""
        entry = self.journal.last(self.key, DRAFT)
        return None if entry is None else entry.payload.body

    async def update(self, plan: TargetGroupPlan, overwrite: Collection[str]) -> tuple[str, ...]:
        """Write a plan into the draft, keeping what was changed there only, and return the fields kept.

        Raises:
            InvalidState: a field was changed on both sides, or the group is no longer a draft.
        """
        state, found = await self._require_draft("update")
        reference = found.get("target_group_customer_reference_number")
        wanted = plan.to_body(name=self.name, customer_reference_number=str(reference or ""))
        merge = merge_drafts(self.last_written, found, wanted, overwrite=overwrite)
        if merge.conflicts:
            raise InvalidState(
                "Fields of the draft were changed on the exchange and in the plan.",
                evidence={"fields": ", ".join(merge.conflicts)},
                safe="nothing was sent; draft and plan are unchanged.",
                next_step=f"decide: wave.update(plan, overwrite={list(merge.conflicts)!r}) writes the plan's values; "
                "wave.plan_from_exchange() returns a plan with those of the exchange.",
            )
        await self._write_draft(state.ref, merge.body)
        self._given_plan = plan_with_fields(plan, found, merge.kept)
        return merge.kept

    async def plan_from_exchange(self) -> TargetGroupPlan:
        """Return the plan with every field as the draft has it."""
        _, found = await self._require_draft("read the draft")
        return plan_with_fields(self._given_plan, found)

    async def lower_goal(self, goal: int | None) -> int:
        """Write a lower goal into the draft and return it; by default the number of saved IDs. Nothing else changes."""
        state, found = await self._require_draft("lower the goal")
        saved = await self.client.recontacts.saved_count(state.ref)
        present = state.group.completes_goal if state.group else None
        planned = self.plan.completes_goal
        highest = min(saved, planned if present is None else present)
        wanted = highest if goal is None else goal
        if isinstance(wanted, bool) or not isinstance(wanted, int) or not 1 <= wanted <= highest:
            raise PlanError(
                f"A goal of {wanted!r} is not possible.",
                evidence={"field": "completes_goal", "saved_ids": saved, "goal": present},
                next_step=f"choose a whole number from 1 to {highest:,}." if saved else "upload respondents first.",
            )
        written = self.last_written or self.plan.to_body(name=self.name)
        body: dict[str, Any] = {
            **{name: written[name] for name in ("allocations", "allocation_template") if name in written},
            **{name: value for name, value in found.items() if name not in {*_READ_ONLY_FIELDS, "allocations"}},
            "completes_goal": wanted,
        }
        if isinstance(unit := body.get("business_unit_id"), int):
            body["business_unit_id"] = str(unit)
        await self._write_draft(state.ref, body)
        goals = GoalPayload(completes_goal=wanted, planned_goal=self._given_plan.completes_goal)
        self._write(GOAL, EntryState.DONE, goals)
        return wanted

    # --- upload and outcome -----------------------------------------------------------------------------------

    def _uploads(self, cycle: int | None = None) -> dict[str, JournalEntry[UploadPayload]]:
        """Return the newest entry of each batch, of one cycle or of the last one the journal knows."""
        entries = self.journal.entries(self.key, step=UPLOAD, after=self._since_removal())
        wanted = max((entry.payload.cycle for entry in entries), default=0) if cycle is None else cycle
        return {entry.batch: entry for entry in entries if entry.payload.cycle == wanted}

    async def upload(self, respondents: Respondents, *, batch: str, on_snapshot: SnapshotListener) -> JobSnapshot:
        """Upload a list once: attach to its job if there is one, wherever it was sent from; otherwise send it.

        Raises:
            RespondentFileError: the group holds people whom this list does not explain; nothing was sent.
            JobFailed: the exchange reports that the job failed; rerunning the step sends a new one.
        """
        ref = await self.require_ref()
        uploads = await self.read_uploads(ref)
        name = uploads.name(self.respondents, int(batch))
        entry = self._uploads(uploads.cycle).get(batch)
        if entry is not None and entry.payload.file_name != str(name):
            entry = None
        found = uploads.find(name)
        await self._require_explained(ref, uploads)

        async def prepare() -> UploadPayload:
            known = uploads.saved if found is None else None  # how many there were before somebody sent it
            # Who was saved before is known since the first upload; a resubmission need not list them again.
            before = await self.client.recontacts.saved_ids(ref) if known and batch == "0" else ()
            return UploadPayload(
                content_hash=respondents.content_hash,
                file_name=str(name),
                cycle=uploads.cycle,
                saved_before=known,
                digests_before=tuple(_digest(identifier) for identifier in before),
                digests_sent=() if batch == "0" else tuple(_digest(identifier) for identifier in respondents.ids),
            )

        async def send(payload: UploadPayload) -> Job:
            return await self.client.recontacts.upload(ref, respondents, file_name=payload.file_name)

        if entry is not None and entry.state is EntryState.DONE and uploads.jobs is not None and found is None:
            entry = None  # the job the journal remembers is not on the exchange's list: what is not there is sent
        return await self._run_job(UPLOAD, batch, entry, prepare, send, on_snapshot)

    async def _require_explained(self, ref: TargetGroupRef, uploads: GroupUploads) -> None:
        others = uploads.unexplained(self.respondents)
        if not others and (uploads.jobs or not uploads.saved):
            return
        people = await check_people(self.client, ref, uploads, self.respondents, self.crosswalk)
        if people.strangers == 0 and not (others and not uploads.saved):
            return
        own = any((job.file_name or "").startswith(self._reference(ref.project_id)) for job in others)
        raise RespondentFileError(
            "This wave has already uploaded another list."
            if own
            else "The target group holds people whom this list does not explain.",
            evidence={
                "wave": self.name,
                "saved": uploads.saved,
                "not_on_this_list": people.strangers,
                "jobs": ", ".join(job.job_id for job in others[:3]) or None,
            },
            next_step="use the list that was uploaded, or run wave.remove() first to start over with this one; "
            "client.recontacts.download(wave.target_group, job_id) returns what was uploaded.",
        )

    async def _run_job(
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
        if entry is None or entry.state is EntryState.FAILED:
            payload = await prepare()
            self._write(step, EntryState.INTENT, payload, batch=batch)
        else:
            payload = entry.payload
        if payload.handle is not None:
            job = Job.attach(self.client, payload.handle)
        else:
            job = await send(payload)
            payload = evolve(payload, handle=job.handle)
            self._write(step, EntryState.RUNNING, payload, batch=batch)
        job.add_listener(on_snapshot)
        try:
            snapshot = await job
        except JobFailed:
            self._write(step, EntryState.FAILED, evolve(payload, snapshot=job.last_snapshot), batch=batch)
            raise
        self._write(step, EntryState.DONE, evolve(payload, snapshot=snapshot), batch=batch)
        return snapshot

    async def fetch_outcome(self) -> Outcome:
        """Compare what was sent with what the exchange saved, id by id where a count does not settle it."""
        ref = await self.require_ref()
        uploads = self._uploads()
        entry = uploads.get("0")
        first = entry.payload if entry is not None and entry.state is EntryState.DONE else await self._find_upload(ref)
        has_rsids = self.respondents.entity_type is EntityType.RSID or self.crosswalk is not None
        before = self._select(first.digests_before, self._saved_form()) if has_rsids else []
        saved, saved_before = await self.client.recontacts.saved_count(ref), first.saved_before
        after: Collection[str] | None = None
        if has_rsids and (saved_before is None or saved != saved_before + len(self.respondents.ids) - len(before)):
            after = await self.client.recontacts.saved_ids(ref)
        new = saved if has_rsids else None if saved_before is None else saved - saved_before
        return compare_upload(
            self.respondents,
            before=before,
            after=after,
            saved_count=new,
            message=(first.snapshot.partial_message or "") if first.snapshot and len(uploads) == 1 else "",
            rejected_before=self._select(
                {digest for entry in self._resubmissions() for digest in entry.payload.digests_sent}
            ),
            crosswalk=self.crosswalk,
        )

    async def _find_upload(self, ref: TargetGroupRef) -> UploadPayload:
        """Return what is known of the wave's upload from the exchange alone.

        Raises:
            InvalidState: nothing has been uploaded, or the upload is still running.
        """
        uploads = await self.read_uploads(ref)
        name = uploads.name(self.respondents, 0)
        job = uploads.find(name)
        if job is None or job.state is JobState.RUNNING:
            raise InvalidState(
                "Nothing has been uploaded yet, so there is no outcome to show."
                if job is None
                else "The upload is still running, so there is no outcome yet.",
                evidence={"wave": self.name},
                safe="nothing was sent.",
                next_step="run wave.upload() first.",
            )
        return UploadPayload(
            content_hash=self.respondents.content_hash, file_name=str(name), cycle=uploads.cycle, saved_before=None
        )

    def select_for_resubmission(self, outcome: Outcome) -> tuple[Respondents, str]:
        """Return whom to resend, and the batch: the rejected IDs, or those of an unfinished attempt.

        Raises:
            NothingToResubmit: none was rejected, all were rejected twice, or it is not known which were.
        """
        batches = [entry for batch, entry in self._uploads().items() if batch != "0"]
        unfinished = next((entry for entry in batches if entry.state is not EntryState.DONE), None)
        if unfinished is not None:
            return self.respondents.intersection(self._select(unfinished.payload.digests_sent)), unfinished.batch
        if not len(outcome.resubmittable):
            raise _nothing_to_resubmit_error(outcome)
        return outcome.resubmittable, str(len(batches) + 1)

    def resubmitted_count(self) -> int:
        """Return the number of IDs that were resent by jobs that have ended."""
        return sum(entry.payload.handle.id_count or 0 for entry in self._resubmissions() if entry.payload.handle)

    def _resubmissions(self) -> list[JournalEntry[UploadPayload]]:
        return [entry for batch, entry in self._uploads().items() if batch != "0" and entry.state is EntryState.DONE]

    def _select(self, digests: Collection[str], ids: Iterable[str] | None = None) -> list[str]:
        """Return the IDs of the list, or of `ids`, whose digests are among these."""
        wanted = frozenset(digests)
        candidates = self.respondents.ids if ids is None else ids
        return [identifier for identifier in candidates if _digest(identifier) in wanted] if wanted else []

    def _saved_form(self) -> Iterable[str]:
        """Return the IDs of the list as the exchange saves them: RIDs as the RSIDs they belong to."""
        if self.respondents.entity_type is EntityType.RSID or self.crosswalk is None:
            return self.respondents.ids
        return {rsid for rid in self.respondents.ids if (rsid := self.crosswalk.get(rid))}

    # --- fielding ---------------------------------------------------------------------------------------------

    def pending_launch(self) -> JournalEntry[LaunchPayload] | None:
        """Return the launch that was accepted and whose end has not been seen; None if there is none."""
        entry = self.journal.last(self.key, LAUNCH)
        return entry if entry is not None and entry.state is EntryState.RUNNING else None

    async def launch(
        self, budget: Money, worst_case: Money, unverified: Collection[str], on_snapshot: SnapshotListener
    ) -> JobSnapshot:
        """Launch the draft once, whoever has tried before: the same launch has the same idempotency key everywhere."""
        state = await self.read_state()
        cycle = (await self.read_uploads(state.ref)).cycle
        while True:
            entry = self.journal.last(self.key, LAUNCH)
            if entry is not None and (entry.payload.cycle, entry.payload.end_at) != (cycle, self.plan.end_at):
                entry = None  # of an earlier filling of the group, or of a plan that has been changed since
            attempt = 0 if entry is None else entry.payload.attempt + (entry.state is EntryState.FAILED)
            asked_at = self.client.clock.now()

            async def prepare(attempt: int = attempt) -> LaunchPayload:
                return self._launch_payload(state.ref, budget, worst_case, unverified, cycle, attempt)

            async def send(payload: LaunchPayload) -> Job:
                return await self.client.fielding.launch(
                    state.ref, payload.end_at, idempotency_key=payload.idempotency_key
                )

            try:
                snapshot = await self._run_job(LAUNCH, "", entry, prepare, send, on_snapshot)
                break
            except NotFound:  # the exchange has forgotten the job; what became of it shows in the group
                state = await self.read_state()
                return await self.finished_launch(state) or await self.adopt_launch(state, budget)
            except JobFailed:
                failed = self.journal.last(self.key, LAUNCH)
                shown = failed.payload.snapshot if failed else None
                # The key of an attempt that failed long ago returns that job; only then does the next one follow.
                if shown is None or shown.created_at is None or shown.created_at >= asked_at:
                    raise
        await self._read_back(budget)
        return snapshot

    def _launch_payload(
        self,
        ref: TargetGroupRef,
        budget: Money,
        worst_case: Money,
        unverified: Collection[str],
        cycle: int,
        attempt: int,
    ) -> LaunchPayload:
        end_at = self.plan.end_at
        return LaunchPayload(
            idempotency_key=idempotency_key(
                self.client.account_id,
                "launch",
                ref.target_group_id,
                {"end_fielding_at": format_utc(end_at)},
                cycle=cycle,
                attempt=attempt,
            ),
            end_at=end_at,
            budget=str(budget),
            worst_case=str(worst_case),
            cycle=cycle,
            attempt=attempt,
            unverified=tuple(unverified),
        )

    async def adopt_launch(self, state: ExchangeState, budget: Money) -> JobSnapshot:
        """Return the launch of a group that is live, whoever launched it.

        Raises:
            InvalidState: it is not live.
            BudgetExceeded: it can cost more than the budget.
        """
        state.require_known("launch")
        if state.state not in (GroupState.LIVE, GroupState.SCHEDULED):
            raise state.invalid_state_error(
                f"The launch job is no longer known, and the target group is {state.state}.",
                "read wave.status(); if it is a draft, run this again in a moment.",
                wave=self.name,
            )
        await self.client.spend_guard.check(state.ref, verb="wave.launch", budget=budget, always=True)
        self.client.http.warn(
            f"The wave {self.name!r} is {state.state} already; it was launched elsewhere, or by a journal "
            "that is lost. Nothing was sent."
        )
        return self._launched_snapshot(state, None)

    def _launched_snapshot(self, state: ExchangeState, payload: LaunchPayload | None) -> JobSnapshot:
        """Return the end of a launch whose job is not known, from the run it led to."""
        handle = payload.handle if payload is not None else None
        return JobSnapshot(
            handle=handle or make_handle(self.client.http, JobKind.LAUNCH, "", ref=state.ref),
            state=JobState.DONE,
            raw_status=state.run.status if state.run else "",
            created_object_id=state.run.id if state.run else "",
            fraction=(1.0, 1.0),
            polls=0,
        )

    async def finished_launch(self, state: ExchangeState) -> JobSnapshot | None:
        """Return the launch of the present filling of the group if it was sent from here and there is a run."""
        entry = self.journal.last(self.key, LAUNCH)
        if entry is None or entry.state is EntryState.FAILED or state.run is None:
            return None
        if entry.payload.cycle != (await self.read_uploads(state.ref)).cycle:
            return None
        if entry.state is EntryState.DONE:
            return entry.payload.snapshot
        snapshot = self._launched_snapshot(state, entry.payload)
        self._write(LAUNCH, EntryState.DONE, evolve(entry.payload, snapshot=snapshot))
        return snapshot

    async def _read_back(self, budget: Money) -> None:
        """Say what is so after a launch: somebody may have changed the draft between its check and its launch."""
        state = await self.read_state()
        limits = await read_limits(self.client, state)
        worst = limits.worst_case()
        self.client.spend_guard.record(state.ref, verb="launch", budget=budget, worst_case=worst, limits=limits)
        if worst is not None and worst.currency_code == budget.currency_code and worst.value > budget.value:
            self.client.http.warn(
                f"The wave {self.name!r} is {state.state} and can cost {worst}, more than the approved {budget}: "
                "it was changed between its check and its launch. Pause it with wave.pause(), or lower goal or price."
            )

    async def pause(self) -> None:
        """Pause the fielding run, guarded by its ETag."""
        await self.client.fielding.pause(await self.require_ref())
        self._write(PAUSE, EntryState.DONE, Payload())
        await self.read_state()

    async def resume(self) -> None:
        """Resume the fielding run, guarded by its ETag."""
        await self.client.fielding.resume(await self.require_ref())
        self._write(RESUME, EntryState.DONE, Payload())
        await self.read_state()

    async def close(self, *, resume_first: bool = False) -> None:
        """Complete the fielding run, guarded by its ETag; a run that has already ended is left unchanged.

        Closing depends on the run alone: that nothing else can be read must not keep a wave open.
        """
        ref = await self.require_ref()
        run = await self.client.fielding.run(ref)
        if run is None:
            state = await self.read_state()
            state.require_known("close")
            raise state.invalid_state_error(
                f"The wave is not in the field: its target group is {state.state}, so there is nothing to close.",
                "launch it first, or leave it as it is: a draft costs nothing.",
                wave=self.name,
            )
        if run.state is not RunState.COMPLETED:
            try:
                run = await self.client.fielding.complete(ref, resume_first=resume_first)
            except InvalidState as error:
                if run.state is RunState.PAUSED:
                    error.next_step = (
                        "run wave.resume() first, or wave.close(resume_first=True) "
                        "if respondents may enter in the meantime."
                    )
                raise
            if run.state is not RunState.COMPLETED:
                self.client.http.warn(
                    f"The exchange accepted the end of the wave {self.name!r}, but its run still reads "
                    f"{run.state}: read wave.status() in a moment."
                )
        self._write(CLOSE, EntryState.DONE, Payload())
        await self.read_state()

    async def relaunch(self, budget: str | Money | None) -> None:
        """Relaunch a completed run whose goal and end have not been reached."""
        ref = await self.require_ref()
        await self.client.spend_guard.check(ref, verb="wave.relaunch", budget=budget, always=True)
        await self.client.fielding.relaunch(ref)
        await self.read_state()

    async def raise_goal(self, goal: int, budget: str | Money | None) -> int:
        """Raise the goal of a launched group."""
        state = await self._require_launched("raise the goal", completed=True)
        present = state.overview.progress.filling_goal if state.overview and state.overview.progress else None
        saved = await self.client.recontacts.saved_count(state.ref)
        if isinstance(goal, bool) or not isinstance(goal, int) or not (present or 0) < goal <= saved:
            raise PlanError(
                f"The goal cannot be raised to {goal!r}.",
                evidence={"field": "goal", "goal": present, "saved_ids": saved},
                next_step=f"choose a whole number above {present or 0:,} and up to the {saved:,} saved IDs.",
            )
        await self.client.target_groups.set_completes_goal(state.ref, goal, budget=budget)
        after = await self.read_state()
        shown = after.overview.progress.filling_goal if after.overview and after.overview.progress else None
        return goal if shown is None else shown

    async def set_price(self, price: str | Money, budget: str | Money | None) -> Money:
        """Set the price per complete of a launched group."""
        state = await self._require_launched("set the price")
        wanted = Money.parse(price)
        await self.client.target_groups.set_cost_per_interview(state.ref, wanted, budget=budget)
        await self.read_state()
        return wanted

    async def extend(self, end_at: datetime, budget: str | Money | None) -> datetime:
        """Move the end of a run that has not ended."""
        state = await self._require_launched("extend the fielding")
        run = state.run
        if run is None or run.start_fielding_at is None:
            raise state.invalid_state_error(
                "The start of the run is not shown, so its end cannot be moved.", "", wave=self.name
            )
        await self.client.spend_guard.check(state.ref, verb="wave.extend", budget=budget, always=True)
        changed = await self.client.fielding.update_run(state.ref, run.start_fielding_at, end_at)
        await self.read_state()
        return changed.end_fielding_at or end_at

    async def approve(self, budget: str | Money) -> Money:
        """Record a budget for what stands at the exchange now."""
        return await self.client.spend_guard.approve(await self.require_ref(), budget)

    async def _require_launched(self, action: str, *, completed: bool = False) -> ExchangeState:
        state = await self.read_state()
        state.require_known(action)
        if not state.is_in_field and not (completed and state.state is GroupState.COMPLETED):
            raise state.invalid_state_error(
                f"The target group is {state.state}, which does not allow this: {action}.",
                "wave.update(plan) changes a draft; wave.relaunch(budget=…) continues a completed wave.",
                wave=self.name,
            )
        return state

    # --- removal ----------------------------------------------------------------------------------------------

    async def require_removable(self, *, while_live: bool) -> None:
        """Raise unless removing everybody stops no respondent from entering, or that is intended.

        Raises:
            InvalidState: the wave is in the field, or about to be.
            UnexpectedReply: it cannot be seen whether it is.
        """
        if while_live:
            return
        state = await self.read_state()
        state.require_known("remove")
        launch = self.pending_launch()
        starting = state.state is GroupState.DRAFT and launch is not None and await self._launch_may_succeed(launch)
        if state.is_in_field or starting:
            shown = "about to be launched" if starting else str(state.state)
            raise state.invalid_state_error(
                f"The wave is {shown}: removing its recontacts now would stop respondents from entering.",
                "run wave.close() first, or wave.remove(while_live=True) if that is intended.",
                wave=self.name,
                completes=state.overview.progress.current_completes
                if state.overview is not None and state.overview.progress is not None
                else None,
            )

    async def _launch_may_succeed(self, entry: JournalEntry[LaunchPayload]) -> bool:
        if entry.payload.handle is None:
            return True
        try:
            return (await Job.attach(self.client, entry.payload.handle).refresh()).state is not JobState.FAILED
        except NotFound:  # forgotten, and the group is still a draft
            return False

    async def remove(self, on_snapshot: SnapshotListener) -> JobSnapshot:
        """Remove every recontact of the group, once, and follow the job to its end."""
        ref = await self.require_ref()
        entry = self.journal.last(self.key, REMOVE)
        if entry is not None and entry.state is EntryState.DONE and await self.client.recontacts.saved_count(ref):
            entry = None  # ids were added since the last removal

        async def prepare() -> RemovalPayload:
            return RemovalPayload(id_count=await self.client.recontacts.saved_count(ref))

        async def send(payload: RemovalPayload) -> Job:
            # Removing what is already removed changes nothing, so a removal whose reply was lost may be resent.
            return await self.client.recontacts.remove_all(ref, ids=payload.id_count)

        return await self._run_job(REMOVE, "", entry, prepare, send, on_snapshot)

    # --- status -----------------------------------------------------------------------------------------------

    async def status(self, *, trend: bool = False) -> dict[str, Any]:
        """Return what is known about the wave, as `study.frames.status_frame` reads it; `trend` includes the trend."""
        state = await self.read_state()
        state.require_known("status")
        saved = await answer_or_none(self.client.recontacts.saved_count(state.ref))
        row: dict[str, Any] = {
            "name": self.name,
            "target_group_id": state.ref.target_group_id,
            "state": str(state.state),
            "sent": len(self.respondents),
            "saved": saved,
            "price_cap": self.plan.price_cap,
            "approved": self.client.spend_guard.approved(state.ref),
        }
        if state.group is not None:
            specification = state.group.fielding_specification
            return row | {
                "goal": state.group.completes_goal,
                "ends_at": specification.end_at if specification else None,
            }
        limits = await read_limits(self.client, state, saved)
        row |= {
            "overview": state.overview,
            "performance": await answer_or_none(self.client.target_groups.performance(state.ref)),
            "price_cap": limits.price_cap or limits.price,
            "committed": limits.worst_case() if state.is_in_field else None,
            "started_at": state.run.start_fielding_at if state.run else None,
            "ends_at": state.run.end_fielding_at if state.run else None,
        }
        if state.state is GroupState.PAUSED and not self._paused_by_us:
            row |= await read_pause_origin(self.client, state.ref)
        if trend:
            row["trend"] = await read_completes_trend(self.client, state.ref)
        return row

    @property
    def _paused_by_us(self) -> bool:
        paused, resumed = (self.journal.last(self.key, step) for step in (PAUSE, RESUME))
        return paused is not None and (resumed is None or paused.number > resumed.number)


def _search_word(name: str) -> str:
    """Return the part of a name to search for: a plain word, since how the exchange compares accents is not known.

    The exchange searches for five characters or more; without such a word the whole list is read.
    """
    return max(
        (word for word in name.split() if word.isascii() and len(word) >= _SEARCH_CHARACTERS), key=len, default=""
    )


def _is_archived(row: TargetGroupSummary) -> bool:
    return (row.status or "").strip().lower() == "archived"


def _nothing_to_resubmit_error(outcome: Outcome) -> NothingToResubmit:
    if unknown := outcome.counts.get("unknown"):
        return NothingToResubmit(
            f"It is not possible to tell which of the {unknown:,} RIDs were rejected.",
            safe="the saved people stay saved; nothing was sent.",
            next_step="give the wave a RID-to-RSID crosswalk: client.wave(…, crosswalk=report.crosswalk()).",
        )
    if rejected := len(outcome.rejected):
        return NothingToResubmit(
            f"The same {rejected:,} ids were rejected twice.",
            safe="the saved ids stay saved; nothing was sent.",
            next_step="continue with wave.launch(), or ask Cint about them: wave.outcome.rejected lists them.",
        )
    return NothingToResubmit("No id was rejected.", safe="every usable id is saved.")


def _digest(identifier: str) -> str:
    return blake2b(identifier.encode(), digest_size=10, person=b"cint_nb").hexdigest()
