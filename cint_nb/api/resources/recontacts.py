"""Recontacts: upload, follow, list, download, count and remove the respondents of a target group."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from cint_nb.api import operations as ops
from cint_nb.api.jobs.handle import make_handle
from cint_nb.api.jobs.job import Job
from cint_nb.api.jobs.schedule import DurationModel
from cint_nb.api.parsing import parse, parse_created_id, parse_item
from cint_nb.api.resources.downloads import Download, make_download
from cint_nb.api.safety.remove_all import start_removal
from cint_nb.api.safety.send_once import send_once
from cint_nb.api.safety.spend_check import RecordApproval, SpendCheck, within_budget
from cint_nb.domain import limits
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import ApiError, JobAlreadyRunning, TransportError, UnexpectedReply
from cint_nb.domain.files import Uploadable, UploadFile, validate_upload
from cint_nb.domain.ids import EntityType, normalise_ids, quote_foreign
from cint_nb.domain.jobs import JobHandle, JobKind, JobState, is_documented_status
from cint_nb.domain.models import TargetGroupRef, evolve
from cint_nb.domain.plan import Money, MoneyText
from cint_nb.domain.respondent_lists import RecontactOverview, UploadJob
from cint_nb.wire.http import Http
from cint_nb.wire.pages import iter_items, iter_pages

_ENDPOINT_MISSING = (404, 405)
_FOLLOW_ADVICE = "wait for it with client.recontacts.find_job(ref, file_name).wait(), then upload."


@check_arguments(leave=("uploadable",))
class Recontacts:
    """The recontacts of target groups: upload them, follow the jobs, and read what is saved.

    Attributes:
        on_started: Called with the handle of each job that was started, and the number of ids saved before it.
        spend_guard: Asks for a budget where more ids can cost more; None asks for nothing.
    """

    def __init__(self, http: Http, durations: DurationModel) -> None:
        self._http = http
        self._durations = durations
        self.on_started: Callable[[JobHandle, int | None], None] | None = None
        self.spend_guard: SpendCheck | None = None

    # --- upload -----------------------------------------------------------------------------------------------

    async def upload(
        self,
        ref: TargetGroupRef,
        uploadable: UploadFile | Uploadable,
        *,
        token: str | None = None,
        file_name: str | None = None,
        budget: Money | MoneyText | None = None,
    ) -> Job:
        """Upload respondent ids in a background job, or adopt the job an earlier attempt started.

        The exchange does not protect against uploading twice. So the file name contains a token, the job list is read
        first, and after a lost reply it is read again before anything is sent. An exchange of an older version may have
        neither this URL nor a list: RSIDs are then sent to the older URL, and after a lost reply the count of saved ids
        shows what happened.

        Args:
            ref: The target group.
            uploadable: The exact bytes, or an object that provides them, such as `Respondents`.
            token: Lower-case letters and digits that mark this attempt; a new one if omitted. Where jobs are listed,
                the same token and the same ids adopt the job that was started with them, whatever its state.
            file_name: The whole name of the file, in place of one made from the token: letters, digits, `.`, `_`, `-`.
                A job of that name is adopted unless it failed.
            budget: The most the whole target group may cost. `Client` requires it for a group in the field that allows
                overfill, unless what was approved for it covers the ids; the bare `AsyncClient` does not.

        Raises:
            RespondentFileError: the file is empty or above a limit; nothing was sent.
            BudgetExceeded: with these ids the group could cost more than was approved; nothing was sent.
            JobAlreadyRunning: another job is running for this target group; `evidence` names it if a list shows it.
                A running job of the same file name is adopted instead.
            OutcomeUnknown: the reply was lost and the checks failed; `evidence` contains the token with which to call
                this again.

        Serves the recontact guide, step 2, and `POST …/recontacts/jobs/upload-respondents-by-file`.

        Example:
            >>> group = draft.target_group
            >>> print(client.recontacts.upload(group, people).wait().state)
            partial
        """
        upload = validate_upload(uploadable)
        token = token or self._http.token_factory.token(8)
        name = file_name or upload.file_name(token)

        def adoptable(job: UploadJob) -> bool:
            # A name that stands for a list, not for one attempt, is free again once its job has failed.
            return file_name is None or job.state is not JobState.FAILED

        listed = await self._jobs_or_none(ref, upload)
        own = _own_job(listed or (), name, adoptable)
        if own is not None:
            return self._adopt(ref, own, upload)
        saved_before = await self.saved_count(ref)
        started_at = self._http.clock.now()

        def sent_job(kind: JobKind, job_id: str | None) -> Job:
            handle = _handle(self._http, kind, job_id, ref, upload, name, started_at)
            return Job(self._http, handle, saved_before, durations=self._durations)

        def unlisted() -> Job:
            return sent_job(JobKind.UPLOAD_RSIDS, None)

        async def send() -> Job:
            return sent_job(*await self._post(ref, upload, name))

        async def check() -> Job | None:
            if listed is None:
                return unlisted() if await self.saved_count(ref) > saved_before else None
            found = await self._find_by_name(ref, name, whole=True, adoptable=adoptable)
            return None if found is None else self._adopt(ref, found, upload, saved_before=saved_before)

        async def check_conflict() -> Job | None:
            # Where nothing is listed, the conflict is the proof: the first request was accepted, its job is running.
            return unlisted() if listed is None else await check()

        async with within_budget(self._spending(ref, upload, budget)):
            try:
                job = await send_once(
                    self._http,
                    send,
                    check,
                    check_conflict=check_conflict,
                    what="upload recontacts",
                    token=token,
                    file_name=name,
                    project_id=ref.project_id,
                    target_group_id=ref.target_group_id,
                )
            except JobAlreadyRunning as error:
                running = await self._running_of_name(ref, name, error)
                job = self._adopt(ref, running, upload, saved_before=saved_before)
        return self._announce(job, saved_before)

    async def jobs(self, ref: TargetGroupRef) -> list[UploadJob]:
        """Return the upload jobs of a target group, newest first.

        Serves the recontact guide, "List all upload jobs". No list contains removals.

        Example:
            >>> [job.status for job in client.recontacts.jobs(ref)]
            ['Completed']
        """
        call = ops.LIST_UPLOADS.make_call(ref.path_params())
        listed = [parse_item(UploadJob, row, call) async for row in iter_items(self._http, call)]
        return [job if is_documented_status(job.status) else await self._with_end(ref, job) for job in listed]

    async def find_job(self, ref: TargetGroupRef, file_name: str) -> Job | None:
        """Return the upload job with a file name, ready to be followed; None if the list contains none.

        Example:
            >>> name = client.recontacts.jobs(ref)[0].file_name
            >>> print(client.recontacts.find_job(ref, name).wait().state)
            partial
        """
        found = await self._find_by_name(ref, file_name)
        return None if found is None else self._adopt(ref, found, None)

    def job(self, ref: TargetGroupRef, job_id: str, *, ids: int | None = None) -> Job:
        """Attach to an upload job by its id; nothing is sent.

        Args:
            ref: The target group.
            job_id: As returned by the upload.
            ids: How many ids were sent, for the estimate; not known if omitted.

        Example:
            >>> job_id = client.recontacts.jobs(ref)[0].job_id
            >>> print(client.recontacts.job(ref, job_id).wait().state)
            partial
        """
        handle = make_handle(self._http, JobKind.UPLOAD, job_id, ref=ref, id_count=ids)
        # When it was created is not known here; the first poll will show it.
        return Job(self._http, evolve(handle, created_at=None), durations=self._durations)

    async def running_job(self, ref: TargetGroupRef) -> UploadJob | None:
        """Return the upload job that is running now; None if there is none.

        Example:
            >>> client.recontacts.running_job(ref) is None
            True
            >>> job = client.recontacts.upload(draft.target_group, people)
            >>> client.recontacts.running_job(draft.target_group).status
            'Processing'
        """
        return next((job for job in await self.jobs(ref) if job.state is JobState.RUNNING), None)

    async def download(self, ref: TargetGroupRef, job_id: str) -> Download:
        """Return name and content of an uploaded file; `save(folder)` replaces no file unless asked to.

        Serves the recontact guide, "Download an uploaded file".

        Example:
            >>> job_id = client.recontacts.jobs(ref)[0].job_id
            >>> len(client.recontacts.download(ref, job_id).content.splitlines())
            57
        """
        call = ops.DOWNLOAD_UPLOAD.make_call(
            ref.path_params(job_id=job_id), accept="*/*", max_bytes=limits.DOWNLOAD_MAX_BYTES
        )
        reply = await self._http.send(call)
        return make_download(reply, f"{job_id}.csv")

    # --- what is saved ----------------------------------------------------------------------------------------

    async def saved_count(self, ref: TargetGroupRef) -> int:
        """Count the saved ids, which is the upper limit of the goal; `GET …/recontacts/overview`.

        Example:
            >>> client.recontacts.saved_count(ref)
            56
        """
        reply = await self._http.send(ops.RECONTACT_OVERVIEW.make_call(ref.path_params()))
        count = parse(RecontactOverview, reply).saved_respondent_ids_count
        if count is None:
            raise reply.unexpected_reply_error("The recontact overview contains no saved_respondent_ids_count.")
        return count

    async def saved_ids(self, ref: TargetGroupRef) -> tuple[str, ...]:
        """Return the saved RSIDs, normalised, in the exchange's order; one request per hundred ids.

        After an upload of RIDs, these are the RSIDs they were mapped to.

        Raises:
            UnexpectedReply: the list, or a part of it, could not be read: that nobody is listed is then not known.

        Serves `GET …/recontacts/rsids`.

        Example:
            >>> len(client.recontacts.saved_ids(ref))
            56
        """
        call = ops.LIST_RECONTACT_RSIDS.make_call(ref.path_params())
        saved: list[str] = []
        try:
            async for rows in iter_pages(self._http, call, complete=True):
                saved += normalise_ids(rows)
        except UnexpectedReply:
            # An empty list may omit its rows, and a full last page its cursor: the count tells whether all were read.
            if await self.saved_count(ref) != len(saved):
                raise
        return tuple(saved)

    # --- removal ----------------------------------------------------------------------------------------------

    async def remove_all(self, ref: TargetGroupRef, *, ids: int | None = None) -> Job:
        """Remove all recontacts of a target group in a background job; there is no way to remove only some.

        Args:
            ref: The target group.
            ids: How many are saved, for the estimate; counted if omitted. If none of them is left, an earlier removal
                did it, and nothing is sent.

        Raises:
            JobAlreadyRunning: another job is running for this target group.
            OutcomeUnknown: the reply was lost, ids are still saved, and no job seems to be running. Call it again:
                removing what is already removed changes nothing.

        Serves the recontact guide, "Removing recontact opportunities".

        Example:
            >>> group = wave.target_group
            >>> print(client.recontacts.remove_all(group).wait().state)
            done
            >>> client.recontacts.saved_count(group)
            0
        """
        before = await self.saved_count(ref)

        async def running_upload() -> UploadJob | None:
            return await self.running_job(ref)

        job = await start_removal(
            self._http,
            self._durations,
            call=ops.REMOVE_RECONTACTS.make_call(ref.path_params()),
            kind=JobKind.REMOVAL,
            ref=ref,
            before=before,
            id_count=before if ids is None else ids,
            count=lambda: self.saved_count(ref),
            conflicting_job=running_upload,
            may_be_done=True,
        )
        return self._announce(job, before)

    # --- inside -----------------------------------------------------------------------------------------------

    async def _with_end(self, ref: TargetGroupRef, job: UploadJob) -> UploadJob:
        """Return a job with an undocumented status word and the time of its end, which only the job itself shows."""
        call = ops.GET_UPLOAD.make_call(ref.path_params(job_id=job.job_id))
        try:
            shown = (await self._http.send(call)).json_object()
        except (ApiError, TransportError):  # whether it runs is then not known, so that it counts as running
            return job
        return evolve(job, completed_at=shown.get("completed_at"))

    def _announce(self, job: Job, saved_before: int | None) -> Job:
        if self.on_started is not None:
            self.on_started(job.handle, saved_before)
        return job

    async def _post(self, ref: TargetGroupRef, upload: UploadFile, name: str) -> tuple[JobKind, str]:
        kind = JobKind.UPLOAD
        call = ops.UPLOAD_RECONTACTS.make_call(
            ref.path_params(), query={"entity_type": str(upload.entity_type)}, file=(name, upload.content)
        )
        try:
            reply = await self._http.send(call)
        except ApiError as error:
            # The older URL takes RSIDs only: RIDs sent there would be treated as RSIDs of people who do not exist.
            if error.status not in _ENDPOINT_MISSING or upload.entity_type != EntityType.RSID:
                raise
            kind = JobKind.UPLOAD_RSIDS
            try:
                reply = await self._http.send(
                    ops.UPLOAD_RSIDS.make_call(ref.path_params(), file=(name, upload.content))
                )
            except ApiError as again:
                if again.status not in _ENDPOINT_MISSING:
                    raise
                raise error from None
        return kind, parse_created_id(reply, "job_id", "id")

    def _adopt(
        self, ref: TargetGroupRef, found: UploadJob, upload: UploadFile | None, *, saved_before: int | None = None
    ) -> Job:
        handle = _handle(self._http, JobKind.UPLOAD, found.job_id, ref, upload, found.file_name, found.created_at)
        return Job(self._http, handle, saved_before, durations=self._durations)

    async def _running_of_name(self, ref: TargetGroupRef, name: str, error: JobAlreadyRunning) -> UploadJob:
        """Return the running job if it has this file name: another machine was first.

        Raises:
            JobAlreadyRunning: it is another job; the error is the same, and names it as far as a list shows it.
        """
        with contextlib.suppress(ApiError, TransportError):
            running = await self.running_job(ref)
            if running is None:
                error.next_step = (
                    "no upload is listed as running, so a removal must be: wait until it ends, then upload."
                )
                raise error
            if running.file_name == name:
                return running
            error.evidence.update(_job_evidence(running))
            error.next_step = _FOLLOW_ADVICE
        raise error

    async def _find_by_name(
        self,
        ref: TargetGroupRef,
        name: str,
        *,
        whole: bool = False,
        adoptable: Callable[[UploadJob], bool] = lambda _: True,
    ) -> UploadJob | None:
        call = ops.LIST_UPLOADS.make_call(ref.path_params())
        async for row in iter_items(self._http, call, complete=whole):
            job = parse_item(UploadJob, row, call)
            if job.file_name == name and adoptable(job):
                return job
        return None

    def _spending(
        self, ref: TargetGroupRef, upload: UploadFile, budget: Money | str | None
    ) -> Awaitable[RecordApproval] | None:
        return None if self.spend_guard is None else self.spend_guard.check_upload(ref, upload.id_count, budget)

    async def _jobs_or_none(self, ref: TargetGroupRef, upload: UploadFile) -> list[UploadJob] | None:
        """Return the upload jobs; None if an older exchange has no list of them and RSIDs can go to the older URL."""
        try:
            return await self.jobs(ref)
        except ApiError as error:
            if error.status not in _ENDPOINT_MISSING or upload.entity_type != EntityType.RSID:
                raise
            return None


def _own_job(listed: Sequence[UploadJob], name: str, adoptable: Callable[[UploadJob], bool]) -> UploadJob | None:
    """Return the job of a name; None if there is none and nothing else is running.

    Raises:
        JobAlreadyRunning: another job is running.
    """
    own = next((job for job in listed if job.file_name == name and adoptable(job)), None)
    running = next((job for job in listed if job.state is JobState.RUNNING), None)
    if own is None and running is not None:
        raise _conflict_error(running)
    return own


def _handle(
    http: Http,
    kind: JobKind,
    job_id: str | None,
    ref: TargetGroupRef,
    upload: UploadFile | None,
    file_name: str | None,
    created_at: datetime | None,
) -> JobHandle:
    return make_handle(
        http,
        kind,
        job_id,
        ref=ref,
        created_at=created_at,
        id_count=upload.id_count if upload else None,
        entity_type=upload.entity_type if upload else None,
        file_name=file_name,
        sha256=upload.sha256 if upload else None,
    )


def _conflict_error(job: UploadJob) -> JobAlreadyRunning:
    return JobAlreadyRunning(
        "Another upload is running for this target group; only one job can run at a time.",
        evidence=_job_evidence(job),
        safe="nothing was sent that could have taken effect.",
        next_step=_FOLLOW_ADVICE,
    )


def _job_evidence(job: UploadJob) -> dict[str, str]:
    return {
        "job_id": job.job_id,
        "file_name": quote_foreign(job.file_name, 80),
        "job_status": quote_foreign(job.status, 60),
    }
