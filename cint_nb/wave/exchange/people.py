"""Who is in a target group: do the uploads and the saved ids belong to the wave's list?

Asked in this order, each only where the one before does not settle it: names of all upload jobs, the ids of the
original files, the list of saved ids. Ids get into a group through uploads alone, and every upload is listed: if each
of them holds people of the list only, so does the group.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from cint_nb.api.client import AsyncClient
from cint_nb.domain.errors import ApiError
from cint_nb.domain.ids import EntityType, normalise_ids
from cint_nb.domain.jobs import JobState
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.respondent_lists import UploadJob
from cint_nb.study.files.respondents import Respondents
from cint_nb.study.preflight.registry import OpenGroupFact, PeopleFact
from cint_nb.wave.exchange.identity import UploadName, list_hashes
from cint_nb.wave.exchange.state import IN_FIELD

_NO_LIST_OF_JOBS = (404, 405)
COMPARED_IDS = 20_000
"""How many saved ids of other groups are read to find people who would be asked twice."""


@dataclass(frozen=True)
class GroupUploads:
    """The uploads of a target group and how many ids it holds.

    Args:
        reference: `identity.group_reference` of the wave.
        jobs: All upload jobs, newest first; None where the exchange is too old to list them.
        saved: Number of ids saved now.
    """

    reference: str
    jobs: tuple[UploadJob, ...] | None
    saved: int

    @property
    def cycle(self) -> int:
        """How often the group was emptied and filled again: the highest in the names, one more once it is empty."""
        own = [(name.cycle, job.state) for name, job in self._own()]
        if not own:
            return 0
        highest = max(cycle for cycle, _ in own)
        states = {state for cycle, state in own if cycle == highest}
        emptied = self.saved == 0 and JobState.RUNNING not in states and states != {JobState.FAILED}
        return highest + emptied

    @property
    def is_running(self) -> bool:
        """Whether an upload runs."""
        return any(job.state is JobState.RUNNING for job in self.jobs or ())

    def name(self, respondents: Respondents, batch: int) -> UploadName:
        """Return the name under which a list is, or would be, uploaded now."""
        return self._names(respondents, batch)[0]

    def is_named(self, file_name: str, respondents: Respondents, batch: int) -> bool:
        """Return whether a file is a list's, or was by the names of earlier versions."""
        return file_name in map(str, self._names(respondents, batch))

    def find(self, respondents: Respondents, batch: int) -> UploadJob | None:
        """Return the job by which a list was uploaded: one that runs or has completed; None if there is none."""
        return next(
            (
                job
                for job in self.jobs or ()
                if job.state is not JobState.FAILED and self.is_named(job.file_name or "", respondents, batch)
            ),
            None,
        )

    def _names(self, respondents: Respondents, batch: int) -> list[UploadName]:
        return [UploadName(self.reference, hashed, batch, self.cycle) for hashed in list_hashes(respondents)]

    def unexplained(self, respondents: Respondents) -> list[UploadJob]:
        """Return the jobs that may have filled the group and whose names are not those of this list."""
        if self.jobs is None or not self.saved:
            return [
                job for job in self.jobs or () if job.state is JobState.RUNNING and not self._is_of(job, respondents)
            ]
        own_starts = [
            job.created_at for name, job in self._own() if name.cycle == self.cycle and job.created_at is not None
        ]
        # Before a first cycle the group may have been filled by anybody; before a later one it was empty.
        since = min(own_starts, default=None) if self.cycle else None
        return [
            job
            for job in self.jobs
            if job.state is not JobState.FAILED
            and not self._is_of(job, respondents)
            and (since is None or job.created_at is None or job.created_at >= since)
        ]

    def resubmissions(self, respondents: Respondents, cycle: int) -> dict[int, UploadJob]:
        """Return the jobs by which rejected people of a list were resent, by their batch, wherever they were sent."""
        hashes = list_hashes(respondents)
        return {
            name.batch: job
            for name, job in reversed(list(self._own()))  # of one batch the newest counts
            if name.batch and name.cycle == cycle and name.list_hash in hashes and job.state is not JobState.FAILED
        }

    def _own(self) -> Iterable[tuple[UploadName, UploadJob]]:
        for job in self.jobs or ():
            name = UploadName.parse(job.file_name or "")
            if name is not None and name.reference == self.reference:
                yield name, job

    def _is_of(self, job: UploadJob, respondents: Respondents) -> bool:
        name = UploadName.parse(job.file_name or "")
        return name is not None and name.reference == self.reference and name.list_hash in list_hashes(respondents)


async def read_uploads(client: AsyncClient, ref: TargetGroupRef, reference: str) -> GroupUploads:
    """Read the upload jobs of a group and the number of its saved ids; two requests, more for over 100 jobs.

    Raises:
        ApiError: one of the two may not be read: nothing may be uploaded or launched then.
    """
    try:
        jobs: tuple[UploadJob, ...] | None = tuple(await client.recontacts.jobs(ref))
    except ApiError as error:
        if error.status not in _NO_LIST_OF_JOBS:
            raise
        jobs = None
    return GroupUploads(reference, jobs, await client.recontacts.saved_count(ref))


async def check_people(
    client: AsyncClient,
    ref: TargetGroupRef,
    uploads: GroupUploads,
    respondents: Respondents,
    crosswalk: Mapping[str, str] | None = None,
) -> PeopleFact:
    """Find out whether everybody in the group is on the list.

    Args:
        client: Reads the original files and, where those do not settle it, the saved ids.
        ref: The target group.
        uploads: Its uploads.
        respondents: The wave's list.
        crosswalk: RSID of each RID, to compare saved ids with a list of RIDs.
    """
    if not uploads.saved:
        return PeopleFact(saved=0, strangers=0)
    others = uploads.unexplained(respondents)
    if uploads.jobs is not None and uploads.saved <= len(respondents.ids):
        ids = frozenset(respondents.ids)
        strangers = [await _strangers_in(client, ref, job, respondents.entity_type, ids) for job in others]
        if all(count == 0 for count in strangers) and (others or uploads.jobs):
            return PeopleFact(saved=uploads.saved, strangers=0)
    return await _compare_saved(client, ref, uploads.saved, respondents, crosswalk, len(others))


async def _strangers_in(
    client: AsyncClient, ref: TargetGroupRef, job: UploadJob, entity_type: EntityType, ids: Collection[str]
) -> int | None:
    """Return how many ids of an uploaded file are not on the list; None if the original cannot be read."""
    found = await original_ids(client, ref, job)
    if not found or (entity_type is EntityType.RID and not all(each in ids for each in found)):
        return None  # a file of RSIDs looks like one of RIDs, so only RIDs of the list prove anything
    return sum(each not in ids for each in found)


async def original_ids(client: AsyncClient, ref: TargetGroupRef, job: UploadJob) -> Collection[str] | None:
    """Return the ids of an uploaded file; None if it cannot be read."""
    try:
        original = await client.recontacts.download(ref, job.job_id)
        return normalise_ids(original.content.decode("utf-8-sig").split())
    except (ApiError, UnicodeDecodeError):
        return None


async def find_same_people(
    client: AsyncClient, ref: TargetGroupRef, uploads: GroupUploads, respondents: Respondents
) -> UploadJob | None:
    """Return the job that uploaded exactly the people of a list under another name; None if there is none.

    Such is the upload of a colleague, or one of an earlier version of a list in another order.
    """
    ids = frozenset(respondents.ids)
    for job in uploads.unexplained(respondents):
        found = await original_ids(client, ref, job)
        if found and len(found) == len(ids) and ids.issuperset(found):
            return job
    return None


async def _compare_saved(
    client: AsyncClient,
    ref: TargetGroupRef,
    saved: int,
    respondents: Respondents,
    crosswalk: Mapping[str, str] | None,
    unexplained_jobs: int,
) -> PeopleFact:
    if respondents.entity_type is EntityType.RID and crosswalk is None:
        return PeopleFact(saved=saved, strangers=None, unexplained_jobs=unexplained_jobs, reason="rids")
    known = frozenset(respondents.ids)
    if respondents.entity_type is EntityType.RID and crosswalk is not None:
        known = frozenset(rsid for rid in respondents.ids if (rsid := crosswalk.get(rid)))
    try:
        listed = await client.recontacts.saved_ids(ref)
    except ApiError as error:
        return PeopleFact(
            saved=saved, strangers=None, unexplained_jobs=unexplained_jobs, reason=f"refused ({error.status})"
        )
    if len(listed) != saved:
        reason = f"{len(listed):,} are listed"
        return PeopleFact(saved=saved, strangers=None, unexplained_jobs=unexplained_jobs, reason=reason)
    return PeopleFact(
        saved=saved, strangers=sum(each not in known for each in listed), unexplained_jobs=unexplained_jobs
    )


async def compare_open_groups(
    client: AsyncClient, ref: TargetGroupRef, respondents: Respondents
) -> tuple[OpenGroupFact, ...]:
    """Compare a list of RSIDs with the other groups of the project that are in the field.

    One request for the list of groups, one for the size of each, and one per 100 ids, up to `COMPARED_IDS` in all.

    Returns:
        One fact per group.

    Raises:
        ApiError: the groups could not be listed.
    """
    found: list[OpenGroupFact] = []
    left = COMPARED_IDS if respondents.entity_type is EntityType.RSID else 0
    ids = frozenset(respondents.ids) if left else frozenset()
    open_groups = [
        row
        async for row in client.target_groups.list(ref.project_id, statuses=tuple(map(str, IN_FIELD)), whole=True)
        if row.id != ref.target_group_id
    ]
    for row in open_groups:
        other = TargetGroupRef(project_id=ref.project_id, target_group_id=row.id)
        size: int | None = None
        shared: int | None = None
        try:
            size = await client.recontacts.saved_count(other) if left else None
            if size is not None and size <= left:
                left -= size
                shared = sum(each in ids for each in await client.recontacts.saved_ids(other)) if size else 0
        except ApiError:  # its people may not be read
            shared = None
        found.append(OpenGroupFact(row.id, row.name, size, shared))
    return tuple(found)
