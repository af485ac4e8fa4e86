"""The steps of a wave up to its outcome, asynchronous: each writes its intent, acts once, and writes the outcome.

A step that is run again continues from the journal: it adopts what exists and never sends a naked request twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from hashlib import blake2b
from typing import Any

from cint_nb.api.client import Client
from cint_nb.api.jobs import Job
from cint_nb.domain.errors import InvalidState, JobFailed, NothingToResubmit, RespondentFileError
from cint_nb.domain.ids import EntityType, is_ulid
from cint_nb.domain.jobs import JobHandle, JobSnapshot
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.study.reconcile import Outcome, reconcile
from cint_nb.study.respondents import Respondents
from cint_nb.wave.journal import Entry, Journal, State, WaveKey

Listener = Callable[[JobSnapshot], None]


class Steps:
    """Run the steps of one wave against a client, guided by its journal."""

    def __init__(
        self,
        client: Client,
        journal: Journal,
        key: WaveKey,
        people: Respondents,
        plan: TargetGroupPlan,
        crosswalk: Mapping[str, str] | None = None,
    ) -> None:
        self.client = client
        self.journal = journal
        self.key = key
        self.people = people
        self.crosswalk = crosswalk
        lowered = journal.last(key, "goal")
        self.plan = plan.model_copy(update=lowered.data) if lowered else plan

    def _write(self, step: str, state: State, data: dict[str, Any], *, batch: str = "") -> None:
        self.journal.write(self.key, step, state, data, batch=batch, at=self.client.clock.now())

    def _since_removal(self) -> int:
        removal = self.journal.last(self.key, "remove")
        return removal.number if removal and removal.state is State.DONE else 0

    # --- project and draft ------------------------------------------------------------------------------------

    @property
    def ref(self) -> TargetGroupRef | None:
        """Return the target group of the wave, None before it is created."""
        entry = self.journal.last(self.key, "draft")
        if entry is None or entry.state is not State.DONE:
            return None
        return TargetGroupRef(project_id=entry.data["project_id"], target_group_id=entry.data["target_group_id"])

    def need_ref(self) -> TargetGroupRef:
        """Return the target group of the wave.

        Raises:
            InvalidState: the wave has no draft yet.
        """
        ref = self.ref
        if ref is None:
            raise InvalidState(
                "The wave has no target group yet.",
                evidence={"wave": self.key.wave},
                safe="nothing was sent.",
                next_step="run wave.create() first.",
            )
        return ref

    @property
    def known_project(self) -> str:
        """Return the id of the wave's project, empty while nothing here knows it."""
        if is_ulid(self.key.project):
            return self.key.project
        entry = self.journal.last(WaveKey(self.key.place, self.key.project), "project")
        return str(entry.data["project_id"]) if entry is not None and entry.state is State.DONE else ""

    async def project(self) -> str:
        """Return the id of the wave's project; create it the first time a new name is used."""
        if self.known_project:
            return self.known_project
        key = WaveKey(self.key.place, self.key.project)
        entry = self.journal.last(key, "project")
        idempotency_key = entry.data["idempotency_key"] if entry else self.client.nonces.uuid()
        if entry is None:
            self.journal.write(
                key, "project", State.INTENT, {"idempotency_key": idempotency_key}, at=self.client.clock.now()
            )
        project = await self.client.projects.create(
            self.key.project, self.plan.project_manager_id, idempotency_key=idempotency_key
        )
        self.journal.write(key, "project", State.DONE, {"project_id": project.id}, at=self.client.clock.now())
        return project.id

    async def draft(self) -> TargetGroupRef:
        """Create the draft target group, or adopt the one an earlier attempt made."""
        ref = self.ref
        if ref is None:
            project_id = await self.project()
            entry = self.journal.last(self.key, "draft")
            reference = entry.data["reference"] if entry else f"cint-nb-{self.client.nonces.token(12)}"
            if entry is None:
                self._write("draft", State.INTENT, {"project_id": project_id, "reference": reference})
            ref = await self.client.target_groups.create_draft(
                project_id, self.plan, name=self.key.wave, reference=reference
            )
            self._write("draft", State.DONE, {"project_id": project_id, "target_group_id": ref.target_group_id})
        if self.journal.last(self.key, "strategy") is None:
            await self.client.target_groups.set_filling_strategy(ref, self.plan.filling_strategy)
            self._write("strategy", State.DONE, {"filling_strategy": self.plan.filling_strategy})
        return ref

    # --- upload and outcome -----------------------------------------------------------------------------------

    def _uploads(self) -> dict[str, Entry]:
        entries = self.journal.entries(self.key, step="upload", after=self._since_removal())
        return {entry.batch: entry for entry in entries}

    async def upload(self, people: Respondents, *, batch: str, listen: Listener) -> JobSnapshot:
        """Upload one list once: attach to its job if it was sent, else send it.

        Raises:
            RespondentFileError: the wave already uploaded another list under this batch.
            JobFailed: the exchange says the job failed; running the step again sends a new one.
        """
        ref = self.need_ref()
        entry = self._uploads().get(batch)
        if entry is not None and entry.data["content_hash"] != people.content_hash:
            raise RespondentFileError(
                "This wave has already uploaded another list.",
                evidence={"wave": self.key.wave, "batch": batch},
                next_step="give the new list a wave of its own, or run wave.remove() first to start again.",
            )

        async def prepare() -> dict[str, Any]:
            saved = await self.client.recontacts.saved_count(ref)
            # Whom the group held is known since the first upload; a resubmission need not list them again.
            before = await self.client.recontacts.saved_ids(ref) if saved and batch == "0" else ()
            return {
                "content_hash": people.content_hash,
                "token": self.client.nonces.token(8),
                "saved_before": saved,
                "before": [_digest(identifier) for identifier in before],
                # Once its job has ended, the rejected ids no longer tell which list was sent again.
                "again": [] if batch == "0" else [_digest(identifier) for identifier in people.ids],
            }

        async def send(data: dict[str, Any]) -> Job:
            return await self.client.recontacts.upload(ref, people, token=data["token"])

        return await self._job("upload", batch, entry, prepare, send, listen)

    async def _job(
        self,
        step: str,
        batch: str,
        entry: Entry | None,
        prepare: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[Job]],
        listen: Listener,
    ) -> JobSnapshot:
        """Take a job from wherever the journal says it stands to its end."""
        if entry is not None and entry.state is State.DONE:
            return JobSnapshot.model_validate(entry.data["snapshot"])
        if entry is None or entry.state is State.FAILED:
            data = await prepare()
            self._write(step, State.INTENT, data, batch=batch)
        else:
            data = dict(entry.data)
        if "handle" in data:
            job = Job.attach(self.client, JobHandle.model_validate(data["handle"]))
        else:
            job = await send(data)
            data["handle"] = job.handle.model_dump(mode="json")
            self._write(step, State.RUNNING, data, batch=batch)
        job.add_listener(listen)
        try:
            snapshot = await job
        except JobFailed:
            self._write(step, State.FAILED, data, batch=batch)
            raise
        self._write(step, State.DONE, {**data, "snapshot": snapshot.model_dump(mode="json")}, batch=batch)
        return snapshot

    async def outcome(self) -> Outcome:
        """Compare what was sent with what the exchange saved, id by id where a count does not settle it."""
        ref = self.need_ref()
        uploads = self._uploads()
        first = uploads.get("0")
        if first is None or first.state is not State.DONE:
            raise InvalidState(
                "Nothing has been uploaded yet, so there is no outcome.",
                evidence={"wave": self.key.wave},
                safe="nothing was sent.",
                next_step="run wave.upload() first.",
            )
        listed = self.people.entity_type is EntityType.RSID or self.crosswalk is not None
        before = self._those(first.data["before"], self._as_saved()) if listed else []
        saved, held = await self.client.recontacts.saved_count(ref), int(first.data["saved_before"])
        after: Collection[str] | None = None
        if listed and saved != held + len(self.people.ids) - len(before):
            after = await self.client.recontacts.saved_ids(ref)
        return reconcile(
            self.people,
            before=before,
            after=after,
            saved_count=saved if listed else saved - held,
            message=first.data["snapshot"].get("partial_text", "") if len(uploads) == 1 else "",
            rejected_before=self._those({mark for entry in self._resubmissions() for mark in entry.data["again"]}),
            crosswalk=self.crosswalk,
        )

    def to_resubmit(self, outcome: Outcome) -> tuple[Respondents, str]:
        """Return whom to send once more and the batch it is: the rejected ids, or those of an unfinished attempt.

        Raises:
            NothingToResubmit: none was rejected, all were rejected twice, or which ones cannot be told.
        """
        batches = [entry for batch, entry in self._uploads().items() if batch != "0"]
        unfinished = next((entry for entry in batches if entry.state is not State.DONE), None)
        if unfinished is not None:
            return self.people.intersect(self._those(unfinished.data.get("again", ()))), unfinished.batch
        if not len(outcome.resubmittable):
            raise _nothing_to_resubmit(outcome)
        return outcome.resubmittable, str(len(batches) + 1)

    def resubmitted(self) -> int:
        """Count the ids that were sent again by jobs that have ended."""
        return sum(int(entry.data["handle"]["ids"]) for entry in self._resubmissions())

    def _resubmissions(self) -> list[Entry]:
        return [entry for batch, entry in self._uploads().items() if batch != "0" and entry.state is State.DONE]

    def _those(self, marks: Collection[str], ids: Iterable[str] | None = None) -> list[str]:
        """Return the ids of the list, or of `ids`, whose digests the journal holds."""
        wanted = frozenset(marks)
        looked_at = self.people.ids if ids is None else ids
        return [identifier for identifier in looked_at if _digest(identifier) in wanted] if wanted else []

    def _as_saved(self) -> Iterable[str]:
        """Return the ids of the list as the exchange saves them: RIDs as the RSIDs they belong to."""
        if self.people.entity_type is EntityType.RSID or self.crosswalk is None:
            return self.people.ids
        return {rsid for rid in self.people.ids if (rsid := self.crosswalk.get(rid))}


def _nothing_to_resubmit(outcome: Outcome) -> NothingToResubmit:
    if unknown := outcome.counts.get("unknown"):
        return NothingToResubmit(
            f"Which of the {unknown:,} RIDs were rejected cannot be told.",
            safe="the saved people stay saved; nothing was sent.",
            next_step="give the wave a crosswalk of RIDs and RSIDs: client.wave(…, crosswalk=Crosswalk.of(report)).",
        )
    if rejected := len(outcome.rejected):
        return NothingToResubmit(
            f"The same {rejected:,} ids were rejected twice.",
            safe="the saved ids stay saved; nothing was sent.",
            next_step="go on with wave.launch(), or ask Cint about them: wave.outcome.rejected holds them.",
        )
    return NothingToResubmit("No id was rejected.", safe="every usable id is saved.")


def _digest(identifier: str) -> str:
    return blake2b(identifier.encode(), digest_size=10, person=b"cint_nb").hexdigest()
