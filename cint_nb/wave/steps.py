"""The steps of a wave, asynchronous: each writes its intent to the journal, acts once, and writes the outcome.

A step that is rerun continues from the journal: it adopts what exists and never resends a non-idempotent request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping
from datetime import datetime
from functools import wraps
from hashlib import blake2b
from typing import Any, Concatenate, ParamSpec, TypeVar

from cint_nb.api.client import AsyncClient
from cint_nb.api.jobs.job import Job
from cint_nb.domain.errors import InvalidState, JobFailed, NotFound, NothingToResubmit, PlanError, RespondentFileError
from cint_nb.domain.fielding import RunState
from cint_nb.domain.ids import EntityType, is_ulid
from cint_nb.domain.jobs import JobSnapshot
from cint_nb.domain.models import TargetGroupRef, evolve
from cint_nb.domain.plan import Money, TargetGroupPlan
from cint_nb.study.files.respondents import Respondents
from cint_nb.study.outcome.upload_outcome import Outcome, compare_upload
from cint_nb.wave.journal import EntryState, Journal, JournalEntry, WaveKey
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
from cint_nb.wave.status_rows import read_completes_trend, read_pause_origin

SnapshotListener = Callable[[JobSnapshot], None]
P = ParamSpec("P")
T = TypeVar("T")
_Step = Callable[Concatenate["Steps", P], Coroutine[Any, Any, T]]


def _locks_wave(step: _Step[P, T]) -> _Step[P, T]:
    """Have a step that sends hold the lock of its wave until it ends.

    Pausing and closing stop what spends money, may be repeated, and never wait for anybody.
    """

    @wraps(step)
    async def locked(self: Steps, /, *args: P.args, **kwargs: P.kwargs) -> T:
        async with self.journal.lock(self.key):
            return await step(self, *args, **kwargs)

    return locked


def _locks_project(step: _Step[P, T]) -> _Step[P, T]:
    """Have a step that sends hold the lock of its project, which other waves use too."""

    @wraps(step)
    async def locked(self: Steps, /, *args: P.args, **kwargs: P.kwargs) -> T:
        async with self.journal.lock(WaveKey(self.key.scope, self.key.project)):
            return await step(self, *args, **kwargs)

    return locked


class Steps:
    """The steps of one wave, run against a client and guided by its journal."""

    def __init__(
        self,
        client: AsyncClient,
        journal: Journal,
        key: WaveKey,
        respondents: Respondents,
        plan: TargetGroupPlan,
        crosswalk: Mapping[str, str] | None = None,
    ) -> None:
        self.client = client
        self.journal = journal
        self.key = key
        self.respondents = respondents
        self.crosswalk = crosswalk
        lowered = journal.last(key, GOAL)
        self.plan = evolve(plan, completes_goal=lowered.payload.completes_goal) if lowered else plan

    def _write(self, step: Step[AnyPayload], state: EntryState, payload: AnyPayload, *, batch: str = "") -> None:
        self.journal.write(self.key, step, state, payload, batch=batch, at=self.client.clock.now())

    def _since_removal(self) -> int:
        removal = self.journal.last(self.key, REMOVE)
        return removal.number if removal and removal.state is EntryState.DONE else 0

    # --- project and draft ------------------------------------------------------------------------------------

    @property
    def ref(self) -> TargetGroupRef | None:
        """The target group of the wave; None before it is created."""
        entry = self.journal.last(self.key, DRAFT)
        if entry is None or entry.payload.target_group_id is None:
            return None
        return TargetGroupRef(project_id=entry.payload.project_id, target_group_id=entry.payload.target_group_id)

    def require_ref(self) -> TargetGroupRef:
        """Return the target group of the wave.

        Raises:
            InvalidState: the wave has no draft yet.
        """
        ref = self.ref
        if ref is None:
            raise InvalidState(
                "This wave has no target group yet.",
                evidence={"wave": self.key.wave},
                safe="nothing was sent.",
                next_step="run wave.create() first.",
            )
        return ref

    @property
    def known_project_id(self) -> str:
        """The id of the wave's project; empty while the journal does not know it."""
        if is_ulid(self.key.project):
            return self.key.project
        entry = self.journal.last(WaveKey(self.key.scope, self.key.project), PROJECT)
        return (entry.payload.project_id if entry else None) or ""

    @_locks_project
    async def ensure_project(self) -> str:
        """Return the id of the wave's project; create it when a new name is first used."""
        if self.known_project_id:
            return self.known_project_id
        key = WaveKey(self.key.scope, self.key.project)
        entry = self.journal.last(key, PROJECT)
        payload = entry.payload if entry else ProjectPayload(idempotency_key=self.client.token_factory.uuid())
        if entry is None:
            self.journal.write(key, PROJECT, EntryState.INTENT, payload, at=self.client.clock.now())
        project = await self.client.projects.create(
            self.key.project, self.plan.project_manager_id, idempotency_key=payload.idempotency_key
        )
        done = ProjectPayload(idempotency_key=payload.idempotency_key, project_id=project.id)
        self.journal.write(key, PROJECT, EntryState.DONE, done, at=self.client.clock.now())
        return project.id

    @_locks_wave
    async def create_draft(self) -> TargetGroupRef:
        """Create the draft target group, or adopt the one an earlier attempt created."""
        ref = self.ref
        if ref is None:
            project_id = await self.ensure_project()
            entry = self.journal.last(self.key, DRAFT)
            reference = entry.payload.reference if entry else f"cint-nb-{self.client.token_factory.token(12)}"
            payload = DraftPayload(project_id=project_id, reference=reference)
            if entry is None:
                self._write(DRAFT, EntryState.INTENT, payload)
            ref = await self.client.target_groups.create_draft(
                project_id, self.plan, name=self.key.wave, reference=reference
            )
            self._write(DRAFT, EntryState.DONE, evolve(payload, target_group_id=ref.target_group_id))
        if self.journal.last(self.key, STRATEGY) is None:
            await self.client.target_groups.set_filling_strategy(ref, self.plan.filling_strategy)
            self._write(STRATEGY, EntryState.DONE, StrategyPayload(filling_strategy=self.plan.filling_strategy))
        return ref

    # --- upload and outcome -----------------------------------------------------------------------------------

    def _uploads(self) -> dict[str, JournalEntry[UploadPayload]]:
        entries = self.journal.entries(self.key, step=UPLOAD, after=self._since_removal())
        return {entry.batch: entry for entry in entries}

    @_locks_wave
    async def upload(self, respondents: Respondents, *, batch: str, on_snapshot: SnapshotListener) -> JobSnapshot:
        """Upload a list once: attach to its job if it was sent, otherwise send it.

        Raises:
            RespondentFileError: the wave has already uploaded another list in this batch.
            JobFailed: the exchange reports that the job failed; rerunning the step sends a new one.
        """
        ref = self.require_ref()
        entry = self._uploads().get(batch)
        if entry is not None and entry.payload.content_hash != respondents.content_hash:
            raise RespondentFileError(
                "This wave has already uploaded another list.",
                evidence={"wave": self.key.wave, "batch": batch},
                next_step="create a separate wave for the new list, or run wave.remove() first to start over.",
            )

        async def prepare() -> UploadPayload:
            saved = await self.client.recontacts.saved_count(ref)
            # Who was saved before is known since the first upload; a resubmission need not list them again.
            before = await self.client.recontacts.saved_ids(ref) if saved and batch == "0" else ()
            return UploadPayload(
                content_hash=respondents.content_hash,
                token=self.client.token_factory.token(8),
                saved_before=saved,
                digests_before=tuple(_digest(identifier) for identifier in before),
                digests_sent=() if batch == "0" else tuple(_digest(identifier) for identifier in respondents.ids),
            )

        async def send(payload: UploadPayload) -> Job:
            return await self.client.recontacts.upload(ref, respondents, token=payload.token)

        return await self._run_job(UPLOAD, batch, entry, prepare, send, on_snapshot)

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
            self._write(step, EntryState.FAILED, payload, batch=batch)
            raise
        self._write(step, EntryState.DONE, evolve(payload, snapshot=snapshot), batch=batch)
        return snapshot

    async def fetch_outcome(self) -> Outcome:
        """Compare what was sent with what the exchange saved, id by id where a count does not settle it."""
        ref = self.require_ref()
        uploads = self._uploads()
        first = uploads.get("0")
        if first is None or first.state is not EntryState.DONE:
            raise InvalidState(
                "Nothing has been uploaded yet, so there is no outcome to show.",
                evidence={"wave": self.key.wave},
                safe="nothing was sent.",
                next_step="run wave.upload() first.",
            )
        has_rsids = self.respondents.entity_type is EntityType.RSID or self.crosswalk is not None
        before = self._select(first.payload.digests_before, self._saved_form()) if has_rsids else []
        saved, saved_before = await self.client.recontacts.saved_count(ref), first.payload.saved_before
        after: Collection[str] | None = None
        if has_rsids and saved != saved_before + len(self.respondents.ids) - len(before):
            after = await self.client.recontacts.saved_ids(ref)
        return compare_upload(
            self.respondents,
            before=before,
            after=after,
            saved_count=saved if has_rsids else saved - saved_before,
            message=first.payload.snapshot.partial_message if first.payload.snapshot and len(uploads) == 1 else "",
            rejected_before=self._select(
                {digest for entry in self._resubmissions() for digest in entry.payload.digests_sent}
            ),
            crosswalk=self.crosswalk,
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
        return sum(entry.payload.handle.id_count for entry in self._resubmissions() if entry.payload.handle)

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

    @_locks_wave
    async def lower_goal(self, goal: int | None) -> int:
        """Write a lower goal into the draft and the plan and return it; by default the number of saved IDs."""
        ref = self.require_ref()
        if self.launched:
            raise InvalidState(
                "The wave has been launched; its draft can no longer be changed.",
                evidence={"wave": self.key.wave},
                safe="nothing was sent.",
            )
        saved = await self.client.recontacts.saved_count(ref)
        highest = min(saved, self.plan.completes_goal)
        wanted = highest if goal is None else goal
        if not 1 <= wanted <= highest:
            raise PlanError(
                f"A goal of {wanted:,} is not possible.",
                evidence={"field": "completes_goal", "saved_ids": saved, "goal": self.plan.completes_goal},
                next_step=f"choose a goal from 1 to {highest:,}." if saved else "upload respondents first.",
            )
        plan = evolve(self.plan, completes_goal=wanted)
        draft = self.journal.entries(self.key, step=DRAFT)[0]
        body = plan.to_body(name=self.key.wave, customer_reference_number=draft.payload.reference)
        await self.client.target_groups.update_draft(ref, body)
        self._write(GOAL, EntryState.DONE, GoalPayload(completes_goal=wanted))
        self.plan = plan
        return wanted

    @_locks_wave
    async def launch(self, end_at: datetime, budget: Money, on_snapshot: SnapshotListener) -> JobSnapshot:
        """Launch the draft once: the idempotency key of the journal makes a second request harmless."""
        ref = self.require_ref()

        async def prepare() -> LaunchPayload:
            return LaunchPayload(idempotency_key=self.client.token_factory.uuid(), end_at=end_at, budget=str(budget))

        async def send(payload: LaunchPayload) -> Job:
            return await self.client.fielding.launch(ref, payload.end_at, idempotency_key=payload.idempotency_key)

        return await self._run_job(LAUNCH, "", self.journal.last(self.key, LAUNCH), prepare, send, on_snapshot)

    @property
    def launched(self) -> bool:
        """Whether the launch job has succeeded."""
        entry = self.journal.last(self.key, LAUNCH)
        return entry is not None and entry.state is EntryState.DONE

    @property
    def launch_started(self) -> bool:
        """Whether a launch was sent, or meant to be, and has not failed: it may only be continued from the journal."""
        entry = self.journal.last(self.key, LAUNCH)
        return entry is not None and entry.state is not EntryState.FAILED

    async def close(self, *, resume_first: bool = False) -> None:
        """Complete the fielding run, guarded by its ETag; a run that has already ended is left unchanged."""
        ref = self.require_ref()
        run = await self.client.fielding.run(ref)
        if run is not None and run.state is not RunState.COMPLETED:
            try:
                await self.client.fielding.complete(ref, resume_first=resume_first)
            except InvalidState as error:
                if run.state is RunState.PAUSED:
                    error.next_step = (
                        "run wave.resume() first, or wave.close(resume_first=True) "
                        "if respondents may enter in the meantime."
                    )
                raise
        self._write(CLOSE, EntryState.DONE, Payload())

    @_locks_wave
    async def remove(self, on_snapshot: SnapshotListener) -> JobSnapshot:
        """Remove every recontact of the group, once, and follow the job to its end."""
        ref = self.require_ref()
        entry = self.journal.last(self.key, REMOVE)
        if entry is not None and entry.state is EntryState.DONE and await self.client.recontacts.saved_count(ref):
            entry = None  # ids were added since the last removal

        async def prepare() -> RemovalPayload:
            return RemovalPayload(id_count=await self.client.recontacts.saved_count(ref))

        async def send(payload: RemovalPayload) -> Job:
            # Removing what is already removed changes nothing, so a removal whose reply was lost may be resent.
            return await self.client.recontacts.remove_all(ref, ids=payload.id_count)

        return await self._run_job(REMOVE, "", entry, prepare, send, on_snapshot)

    async def pause(self) -> None:
        """Pause the fielding run, guarded by its ETag."""
        await self.client.fielding.pause(self.require_ref())
        self._write(PAUSE, EntryState.DONE, Payload())

    @_locks_wave
    async def resume(self) -> None:
        """Resume the fielding run, guarded by its ETag."""
        await self.client.fielding.resume(self.require_ref())
        self._write(RESUME, EntryState.DONE, Payload())

    async def status(self, *, trend: bool = False) -> dict[str, Any]:
        """Return what is known about the wave, as `study.frames.status_frame` reads it; `trend` includes the trend."""
        ref = self.require_ref()
        row: dict[str, Any] = {
            "name": self.key.wave,
            "target_group_id": ref.target_group_id,
            "state": "draft",
            "goal": self.plan.completes_goal,
            "sent": len(self.respondents),
            "saved": await self.client.recontacts.saved_count(ref),
            "price_cap": self.plan.price_cap,
            "ends_at": self.plan.end_at,
        }
        if not self.launched:
            return row
        try:
            overview = await self.client.target_groups.overview(ref)
        except NotFound:  # the exchange has no overview until the launch has reached it
            return row
        performance = await self.client.target_groups.performance(ref)
        row |= {"overview": overview, "performance": performance, "state": str(overview.status)}
        if launch := self.journal.last(self.key, LAUNCH):
            row["started_at"] = max(launch.at, self.plan.start_at) if launch.at else None
        if overview.status.lower() == "paused" and not self._paused_by_us:
            row |= await read_pause_origin(self.client, ref)
        if trend:
            row["trend"] = await read_completes_trend(self.client, ref)
        return row

    @property
    def _paused_by_us(self) -> bool:
        paused, resumed = (self.journal.last(self.key, step) for step in (PAUSE, RESUME))
        return paused is not None and (resumed is None or paused.number > resumed.number)


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
