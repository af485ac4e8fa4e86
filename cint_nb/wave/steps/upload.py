"""The people of a wave: uploaded once, compared with what was saved, resubmitted, removed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass

from cint_nb.api.jobs.job import Job
from cint_nb.api.operations import RECONTACT_OVERVIEW
from cint_nb.api.safety.send_once import check_until_certain
from cint_nb.domain.errors import InvalidState, NotFound, NothingToResubmit, RespondentFileError
from cint_nb.domain.ids import EntityType
from cint_nb.domain.jobs import JobSnapshot, JobState
from cint_nb.domain.models import TargetGroupRef, evolve
from cint_nb.domain.respondent_lists import UploadJob
from cint_nb.study.files.respondents import Respondents
from cint_nb.study.outcome.upload_outcome import Outcome, compare_upload, parse_message_counts
from cint_nb.wave.context import SnapshotListener, WaveContext
from cint_nb.wave.exchange.identity import UploadName, id_digest, list_hashes
from cint_nb.wave.exchange.people import GroupUploads, check_people, find_same_people, original_ids
from cint_nb.wave.journal.journal import EntryState, JournalEntry
from cint_nb.wave.journal.payloads import (
    REMOVE,
    UPLOAD,
    AnyJobPayload,
    RemovalPayload,
    UploadPayload,
)

_JobStep = tuple[
    JournalEntry[AnyJobPayload] | None,
    Callable[[], Awaitable[AnyJobPayload]],
    Callable[[AnyJobPayload], Awaitable[Job]],
]
"""What the journal holds of a step with a job, how the job is prepared, and how it is sent."""


@dataclass(frozen=True)
class _Resent:
    """A resubmission that this journal did not send: how its job stands, and digests of who was sent, if known."""

    state: JobState
    digests: frozenset[str] | None

    @property
    def has_ended(self) -> bool:
        return self.state is not JobState.RUNNING


class UploadSteps:
    """Upload, compare, resubmit and remove the people of one wave."""

    def __init__(self, wave: WaveContext) -> None:
        self._wave = wave
        self._saved_at_outcome: int | None = None
        self._resent_elsewhere: dict[int, _Resent] = {}

    async def upload(
        self,
        respondents: Respondents,
        *,
        batch: str,
        on_snapshot: SnapshotListener,
        may_send: Callable[[], None] = lambda: None,
    ) -> JobSnapshot:
        """Upload a list once: attach to its job if there is one, wherever it was sent from; otherwise send it.

        Args:
            respondents: The people.
            batch: `0` for the whole list, or the number of the resubmission.
            on_snapshot: Called with each snapshot of the job.
            may_send: Called before the list is sent, and only then; it raises if that must not be.

        Raises:
            InvalidState: the group is in the field for new people; nothing was sent.
            RespondentFileError: the group holds people whom this list does not explain; nothing was sent.
            JobFailed: the exchange reports that the job failed; rerunning the step sends a new one.
        """
        step = await self._prepare_upload(respondents, batch, may_send)
        snapshot = await self._wave.run_job(UPLOAD, batch, *step, on_snapshot)
        return snapshot if batch == "0" else self._compare_with_count(snapshot)

    async def start_upload(
        self, respondents: Respondents, *, batch: str, may_send: Callable[[], None] = lambda: None
    ) -> Job:
        """Upload a list once, as `upload` does, without waiting for the end of its job."""
        return await self._wave.start_job(UPLOAD, batch, *await self._prepare_upload(respondents, batch, may_send))

    async def _prepare_upload(
        self, respondents: Respondents, batch: str, may_send: Callable[[], None]
    ) -> _JobStep[UploadPayload]:
        """Return what is known of an upload, and how it is prepared and sent, once it may be."""
        ref = await self._wave.require_ref()
        await self._wave.require_list_taken(ref)
        uploads = await self._wave.read_uploads(ref)
        entry = self._uploads(uploads.cycle).get(batch)
        if entry is not None and not uploads.is_named(entry.payload.file_name, self._wave.respondents, int(batch)):
            entry = None
        found = uploads.find(self._wave.respondents, int(batch))
        if found is None and batch == "0":
            found = await find_same_people(self._wave.client, ref, uploads, respondents)
        await self._require_explained(ref, uploads, found)
        if int(batch) and not uploads.saved and not uploads.is_running:
            raise self._list_removed_error(uploads)
        if found is None and uploads.jobs is not None and entry is not None:
            if entry.state is EntryState.INTENT:
                await self._check_for_lost_upload(ref, entry.payload.file_name, int(batch))
            elif entry.state is EntryState.DONE and await self._is_forgotten(entry.payload):
                entry = None

        async def prepare() -> UploadPayload:
            known = uploads.saved if found is None else None  # how many there were before somebody sent it
            # Who was saved before is known since the first upload; a resubmission need not list them again.
            before = await self._wave.client.recontacts.saved_ids(ref) if known and batch == "0" else ()
            sent = await self._who_was_sent(ref, respondents, found) if int(batch) else None
            return UploadPayload(
                content_hash=respondents.content_hash,
                file_name=str(uploads.name(self._wave.respondents, int(batch))),
                cycle=uploads.cycle,
                saved_before=known,
                digests_before=tuple(id_digest(identifier) for identifier in before),
                digests_sent=()
                if batch == "0"
                else tuple(id_digest(identifier) for identifier in sent or respondents.ids),
            )

        async def send(payload: UploadPayload) -> Job:
            if found is not None:
                sent = await self._who_was_sent(ref, respondents, found) if int(batch) else respondents.ids
                return self._wave.client.recontacts.job(ref, found.job_id, ids=None if sent is None else len(sent))
            may_send()
            with self._wave.failed_if_refused(UPLOAD, payload, batch=batch):
                return await self._wave.client.recontacts.upload(ref, respondents, file_name=payload.file_name)

        return entry, prepare, send

    def _compare_with_count(self, snapshot: JobSnapshot) -> JobSnapshot:
        """Return the end of a resubmission, with a warning if it calls itself a full success and the count does not.

        None of these people was saved before, so that each of them adds one; of RIDs several may be one person.
        """
        counts = (snapshot.saved_count, snapshot.saved_count_before, snapshot.id_count)
        if self._wave.respondents.entity_type is not EntityType.RSID or snapshot.state is not JobState.DONE:
            return snapshot
        saved, before, sent = counts
        if saved is None or before is None or sent is None or saved - before >= sent:
            return snapshot
        text = (
            f"The upload job has no 'partial_success_reason', which reports a full success, but {saved - before:,} of "
            f"the {sent:,} resubmitted IDs are saved ({RECONTACT_OVERVIEW.description}): wave.outcome compares them."
        )
        self._wave.client.http.warn(text)
        return evolve(snapshot, warnings=(*snapshot.warnings, text))

    async def _who_was_sent(
        self, ref: TargetGroupRef, respondents: Respondents, found: UploadJob | None
    ) -> Collection[str] | None:
        """Return who is resent, or was by a job from elsewhere; None if its file cannot be read."""
        return respondents.ids if found is None else await original_ids(self._wave.client, ref, found)

    def _list_removed_error(self, uploads: GroupUploads) -> InvalidState:
        return InvalidState(
            "The list this resubmission belongs to is no longer in the target group; it was removed.",
            evidence={"wave": self._wave.name, "saved": uploads.saved},
            safe="nothing was sent.",
            next_step="run wave.upload() to send the whole list again.",
        )

    async def _check_for_lost_upload(self, ref: TargetGroupRef, file_name: str, batch: int) -> None:
        """Wait until it is certain whether an upload that was sent, and whose reply was never seen, is listed.

        Raises:
            OutcomeUnknown: the list could not be read; nothing was sent.
        """

        async def check() -> UploadJob | None:
            return (await self._wave.read_uploads(ref)).find(self._wave.respondents, batch)

        await check_until_certain(
            self._wave.client.http,
            check,
            what="upload recontacts",
            file_name=file_name,
            target_group_id=ref.target_group_id,
        )

    async def _is_forgotten(self, upload: UploadPayload) -> bool:
        """Return whether a job that ended is unknown to the exchange: a list without it may be that of a replica."""
        if upload.handle is None or upload.handle.job_id is None:
            return False
        try:
            await Job.attach(self._wave.client, upload.handle).refresh()
        except NotFound:
            return True
        return False

    def _uploads(self, cycle: int | None = None) -> dict[str, JournalEntry[UploadPayload]]:
        """Return the newest entry of each batch of this list, of one cycle or of the last one the journal knows.

        The file may have changed since, or another have been given: who was never sent was not rejected either.
        """
        hashes = list_hashes(self._wave.respondents)
        entries = [
            entry
            for entry in self._wave.entries(UPLOAD, after=self._since_removal())
            if (name := UploadName.parse(entry.payload.file_name)) is None or name.list_hash in hashes
        ]
        wanted = max((entry.payload.cycle for entry in entries), default=0) if cycle is None else cycle
        return {entry.batch: entry for entry in entries if entry.payload.cycle == wanted}

    def _since_removal(self) -> int:
        removal = self._wave.last(REMOVE)
        return removal.number if removal and removal.state is EntryState.DONE else 0

    async def _require_explained(
        self, ref: TargetGroupRef, uploads: GroupUploads, found: UploadJob | None = None
    ) -> None:
        """Raise if the group holds, or is about to hold, people of another list; `found` is a job of the same."""
        others = [job for job in uploads.unexplained(self._wave.respondents) if job != found]
        if not others and (uploads.jobs or not uploads.saved):
            return
        people = await check_people(self._wave.client, ref, uploads, self._wave.respondents, self._wave.crosswalk)
        if people.strangers == 0 and not (others and not uploads.saved):
            return
        own = any((job.file_name or "").startswith(self._wave.reference(ref.project_id)) for job in others)
        raise RespondentFileError(
            "This wave has already uploaded another list."
            if own
            else "The target group holds people whom this list does not explain.",
            evidence={
                "wave": self._wave.name,
                "saved": uploads.saved,
                "not_on_this_list": people.strangers,
                "jobs": ", ".join(job.job_id for job in others[:3]) or None,
            },
            next_step="use the list that was uploaded, or run wave.remove() first to start over with this one; "
            "client.recontacts.download(wave.target_group, job_id) returns what was uploaded.",
        )

    def is_known_to_be_sent(self) -> bool:
        """Return whether this journal has sent the wave's list, and has not removed it since."""
        entry = self._uploads().get("0")
        return (
            entry is not None
            and entry.state in (EntryState.RUNNING, EntryState.DONE)
            and entry.payload.content_hash == self._wave.respondents.content_hash
        )

    async def is_sent(self) -> bool:
        """Return whether the exchange lists an upload of the wave's list, wherever it was sent from."""
        uploads = await self._wave.read_uploads(await self._wave.require_ref())
        return uploads.find(self._wave.respondents, 0) is not None

    async def fetch_outcome(self) -> Outcome:
        """Compare what was sent with what the exchange saved, id by id where a count does not settle it."""
        ref = await self._wave.require_ref()
        uploads = self._uploads()
        entry = uploads.get("0")
        listed: GroupUploads | None = None
        if entry is not None and entry.state is EntryState.DONE:
            first = entry.payload
        else:
            first, listed = await self._find_upload(ref)
        has_rsids = self._wave.respondents.entity_type is EntityType.RSID or self._wave.crosswalk is not None
        before = self._select(first.digests_before, self._saved_form()) if has_rsids else []
        saved, saved_before = await self._wave.client.recontacts.saved_count(ref), first.saved_before
        self._saved_at_outcome = saved
        self._resent_elsewhere = {}
        message = first.snapshot.partial_message if first.snapshot and len(uploads) == 1 else None
        new_people = len(self._wave.respondents.ids) - len(before)
        uploaded, _ = parse_message_counts(message)
        says_less = uploaded is not None and uploaded < new_people
        after: Collection[str] | None = None
        if has_rsids and (saved_before is None or saved != saved_before + new_people or says_less):
            after = await self._wave.client.recontacts.saved_ids(ref)
            await self._require_still_there(ref, first, after, saved)
            await self._read_resubmissions(ref, first.cycle, listed)
            message = None if self._resent_elsewhere else message
        new = saved if has_rsids else None if saved_before is None else saved - saved_before
        return compare_upload(
            self._wave.respondents,
            before=before,
            after=after,
            saved_count=new,
            message=message,
            rejected_before=self._select(self._resent_digests()),
            crosswalk=self._wave.crosswalk,
        )

    async def _read_resubmissions(self, ref: TargetGroupRef, cycle: int, listed: GroupUploads | None) -> None:
        """Read who was resent from elsewhere: another machine, or a journal that is lost."""
        known = self._uploads(cycle)
        listed = listed or await self._wave.read_uploads(ref)
        for batch, job in listed.resubmissions(self._wave.respondents, cycle).items():
            if str(batch) not in known:
                sent = await original_ids(self._wave.client, ref, job)
                digests = None if sent is None else frozenset(map(id_digest, sent))
                self._resent_elsewhere[batch] = _Resent(job.state, digests)

    def _resent_digests(self) -> set[str]:
        """Return the digests of everybody who was resent by jobs that have ended, here or elsewhere."""
        here = (entry.payload.digests_sent for entry in self._resubmissions())
        elsewhere = (each.digests or () for each in self._resent_elsewhere.values() if each.has_ended)
        return {digest for digests in (*here, *elsewhere) for digest in digests}

    async def is_outcome_current(self) -> bool:
        """Return whether as many ids are saved as when the outcome was fetched: nobody was added or removed since."""
        saved = await self._wave.client.recontacts.saved_count(await self._wave.require_ref())
        return saved == self._saved_at_outcome

    async def _require_still_there(
        self, ref: TargetGroupRef, first: UploadPayload, after: Collection[str], saved: int
    ) -> None:
        """Raise if nobody of the list is in the group any more: people who were removed were not rejected.

        Raises:
            RespondentFileError: other people are in the group now.
            InvalidState: nobody is.
        """
        if not frozenset(after).isdisjoint(self._saved_form()):
            return
        uploaded, _ = parse_message_counts(first.snapshot.partial_message if first.snapshot else None)
        if after:
            await self._require_explained(ref, await self._wave.read_uploads(ref))
        elif not saved and (uploaded or (first.snapshot is not None and first.snapshot.state is JobState.DONE)):
            raise InvalidState(
                "The people of this upload are no longer saved: all recontacts were removed since.",
                evidence={"wave": self._wave.name, "uploaded": uploaded, "saved": 0},
                safe="nothing was sent.",
                next_step="run wave.upload() to save them again.",
            )

    async def _find_upload(self, ref: TargetGroupRef) -> tuple[UploadPayload, GroupUploads]:
        """Return what is known of the wave's upload from the exchange alone, and all uploads.

        Raises:
            InvalidState: nothing has been uploaded, or the upload is still running.
            RespondentFileError: another list has been uploaded, with people who are not on this one.
        """
        uploads = await self._wave.read_uploads(ref)
        job = uploads.find(self._wave.respondents, 0)
        if job is None:
            job = await find_same_people(self._wave.client, ref, uploads, self._wave.respondents)
        if job is None and uploads.saved:
            await self._require_explained(ref, uploads)
        if job is None or job.state is JobState.RUNNING:
            nothing = "This list has not been uploaded yet" if uploads.saved else "Nothing has been uploaded yet"
            raise InvalidState(
                f"{nothing}, so there is no outcome to show."
                if job is None
                else "The upload is still running, so there is no outcome yet.",
                evidence={"wave": self._wave.name},
                safe="nothing was sent.",
                next_step="run wave.upload() first.",
            )
        payload = UploadPayload(
            content_hash=self._wave.respondents.content_hash,
            file_name=str(uploads.name(self._wave.respondents, 0)),
            cycle=uploads.cycle,
            saved_before=None,
        )
        return payload, uploads

    def select_for_resubmission(self, outcome: Outcome, withdrawn: Respondents | None) -> tuple[Respondents, str]:
        """Return whom to resend, and the batch: the rejected IDs, or those of an unfinished attempt.

        Args:
            outcome: The outcome of the upload.
            withdrawn: Who of the list has withdrawn, and is not sent again.

        Raises:
            NothingToResubmit: none was rejected, all were rejected twice, or it is not known which were.
        """
        batches = [entry for batch, entry in self._uploads().items() if batch != "0"]
        unfinished = next((entry for entry in batches if entry.state is not EntryState.DONE), None)
        if unfinished is not None:
            return self._wave.respondents.intersection(self._select(unfinished.payload.digests_sent)), unfinished.batch
        for number, resent in self._resent_elsewhere.items():
            if not resent.has_ended and resent.digests:
                return self._wave.respondents.intersection(self._select(resent.digests)), str(number)
        rejected = outcome.resubmittable
        if withdrawn is not None and len(rejected):
            rejected = rejected.difference(withdrawn)
            if not len(rejected):
                raise NothingToResubmit(
                    "Everybody who was rejected has withdrawn.", safe="the saved ids stay saved; nothing was sent."
                )
        if not len(rejected):
            raise _nothing_to_resubmit_error(outcome)
        return rejected, str(1 + max([len(batches), *self._resent_elsewhere]))

    def resubmitted_count(self) -> int | None:
        """Return the number of IDs that were resent by jobs that have ended; None if it is not known of one."""
        here = (entry.payload.handle for entry in self._resubmissions())
        counts = [None if handle is None else handle.id_count for handle in here]
        elsewhere = [each.digests for each in self._resent_elsewhere.values() if each.has_ended]
        counts += [None if digests is None else len(digests) for digests in elsewhere]
        return None if None in counts else sum(count for count in counts if count is not None)

    def _resubmissions(self) -> list[JournalEntry[UploadPayload]]:
        return [entry for batch, entry in self._uploads().items() if batch != "0" and entry.state is EntryState.DONE]

    def _select(self, digests: Collection[str], ids: Iterable[str] | None = None) -> list[str]:
        """Return the IDs of the list, or of `ids`, whose digests are among these."""
        wanted = frozenset(digests)
        candidates = self._wave.respondents.ids if ids is None else ids
        return [identifier for identifier in candidates if id_digest(identifier) in wanted] if wanted else []

    def _saved_form(self) -> Iterable[str]:
        """Return the IDs of the list as the exchange saves them: RIDs as the RSIDs they belong to."""
        if self._wave.respondents.entity_type is EntityType.RSID or self._wave.crosswalk is None:
            return self._wave.respondents.ids
        return {rsid for rid in self._wave.respondents.ids if (rsid := self._wave.crosswalk.get(rid))}

    async def remove(self, on_snapshot: SnapshotListener) -> JobSnapshot:
        """Remove every recontact of the group, once, and follow the job to its end."""
        return await self._wave.run_job(REMOVE, "", *await self._prepare_removal(), on_snapshot)

    async def start_removal(self) -> Job:
        """Remove every recontact of the group, once, without waiting for the end of the job."""
        return await self._wave.start_job(REMOVE, "", *await self._prepare_removal())

    async def _end_of_removal(self, entry: JournalEntry[RemovalPayload]) -> JournalEntry[RemovalPayload] | None:
        """Return a removal that nobody saw end as it is now: those who were added after its end have to be removed too.

        None where the exchange does not know its job any more.
        """
        if entry.payload.handle is None:
            return entry
        try:
            shown = await Job.attach(self._wave.client, entry.payload.handle).refresh()
        except NotFound:
            return None
        if not shown.is_final:
            return entry
        state = EntryState.FAILED if shown.state is JobState.FAILED else EntryState.DONE
        self._wave.write(REMOVE, state, evolve(entry.payload, snapshot=shown))
        return self._wave.last(REMOVE)

    async def _prepare_removal(self) -> _JobStep[RemovalPayload]:
        ref = await self._wave.require_ref()
        entry = self._wave.last(REMOVE)
        if entry is not None and entry.state is EntryState.RUNNING:
            entry = await self._end_of_removal(entry)
        if entry is not None and entry.state is EntryState.DONE and await self._wave.client.recontacts.saved_count(ref):
            entry = None  # ids were added since the last removal

        async def prepare() -> RemovalPayload:
            return RemovalPayload(id_count=await self._wave.client.recontacts.saved_count(ref))

        async def send(payload: RemovalPayload) -> Job:
            # Removing what is already removed changes nothing, so a removal whose reply was lost may be resent.
            return await self._wave.client.recontacts.remove_all(ref, ids=payload.id_count)

        return entry, prepare, send


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
