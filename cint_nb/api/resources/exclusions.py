"""Exclusions: who must not enter a target group, by file, by project or by recent activity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cint_nb.api import operations as ops
from cint_nb.api.jobs.handle import make_handle
from cint_nb.api.jobs.job import Job
from cint_nb.api.jobs.schedule import DurationModel
from cint_nb.api.parsing import parse, parse_created_id, parse_item, parse_list
from cint_nb.api.safety.remove_all import start_removal
from cint_nb.api.safety.send_once import send_once
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import InputError
from cint_nb.domain.files import Uploadable, UploadFile, validate_upload
from cint_nb.domain.ids import masked_text, normalise_id
from cint_nb.domain.jobs import JobKind
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.respondent_lists import ActivityExclusion, ExclusionGroup, ExclusionPolicy, RecontactOverview
from cint_nb.wire.http import Http
from cint_nb.wire.pages import iter_items

_PAGE_SIZE = 1000
_GROUPS_PAGE = 100
_COUNT_FIELDS = {
    "RSID": "saved_respondent_ids_count",
    "ACCESS_RESPONDENT_GUID": "saved_access_respondent_guids_count",
}


@check_arguments(leave=("uploadable",))
class Exclusions:
    """The exclusions of target groups: upload, remove, and read those in force."""

    def __init__(self, http: Http, durations: DurationModel) -> None:
        self._http = http
        self._durations = durations

    # --- by file ----------------------------------------------------------------------------------------------

    async def upload(
        self,
        ref: TargetGroupRef,
        uploadable: UploadFile | Uploadable,
        *,
        entity_type: str = "RSID",
        token: str | None = None,
    ) -> Job:
        """Upload ids to exclude in a background job.

        There is no list of these jobs. After a lost reply, a count that has changed shows that the job is running or
        done, and the job is followed by the count; a rejected second request shows that it is running. Without either,
        the request is sent a second time: adding an id twice excludes it once.

        Args:
            ref: The target group.
            uploadable: The exact bytes, or an object that provides them.
            entity_type: `RSID` or `ACCESS_RESPONDENT_GUID`.
            token: Marks this attempt in the file name; a new one if omitted.

        Raises:
            InputError: the entity type cannot be excluded; nothing was sent.
            JobAlreadyRunning: another job is running for this target group.
            OutcomeUnknown: the reply was lost and no check could settle the outcome; call it again.

        Serves `POST …/exclusions/jobs/upload-respondents-by-file`.

        Example:
            >>> job = client.exclusions.upload(ref, people.sample(5))
            >>> print(job.wait().state)
            done
            >>> len(client.exclusions.effective_rsids(ref))
            5
        """
        entity = _parse_exclusion_type(entity_type)
        upload = validate_upload(uploadable)
        name = upload.file_name(token or self._http.token_factory.token(8))
        before = await self._count(ref, entity)
        started_at = self._http.clock.now()

        def job(job_id: str | None) -> Job:
            handle = make_handle(
                self._http,
                JobKind.EXCLUSION_UPLOAD,
                job_id,
                ref=ref,
                created_at=started_at,
                id_count=upload.id_count,
                file_name=name,
                sha256=upload.sha256,
                count_field=_COUNT_FIELDS[entity],
            )
            return Job(self._http, handle, before, durations=self._durations)

        async def send() -> Job:
            call = ops.UPLOAD_EXCLUSIONS.make_call(
                ref.path_params(), query={"entity_type": entity}, file=(name, upload.content)
            )
            return job(parse_created_id(await self._http.send(call), "job_id", "id"))

        async def check() -> Job | None:
            return job(None) if await self._count(ref, entity) > before else None

        async def check_conflict() -> Job:
            return job(None)  # the first request was accepted, and its job is running

        return await send_once(
            self._http,
            send,
            check,
            check_conflict=check_conflict,
            twice_is_once=True,
            what="upload exclusions",
            file_name=name,
            **ref.path_params(),
        )

    async def remove_all(self, ref: TargetGroupRef, *, entity_type: str = "RSID", ids: int | None = None) -> Job:
        """Remove all uploaded exclusions of one entity type in a background job.

        Args:
            ref: The target group.
            entity_type: `RSID` or `ACCESS_RESPONDENT_GUID`.
            ids: How many are saved, for the estimate; counted if omitted.

        Raises:
            JobAlreadyRunning: another job is running for this target group.
            OutcomeUnknown: the reply was lost and nothing shows that the removal started; call it again.

        Serves `POST …/exclusions/jobs/remove-all-respondents`.

        Example:
            >>> uploaded = client.exclusions.upload(ref, people.sample(5)).wait()
            >>> print(client.exclusions.remove_all(ref).wait().state)
            done
            >>> client.exclusions.effective_rsids(ref)
            ()
        """
        entity = _parse_exclusion_type(entity_type)
        before = await self._count(ref, entity)

        async def no_job() -> None:
            return None

        return await start_removal(
            self._http,
            self._durations,
            call=ops.REMOVE_EXCLUSIONS.make_call(ref.path_params(), query={"entity_type": entity}),
            kind=JobKind.EXCLUSION_REMOVAL,
            ref=ref,
            before=before,
            id_count=before if ids is None else ids,
            count=lambda: self._count(ref, entity),
            conflicting_job=no_job,
            count_field=_COUNT_FIELDS[entity],
        )

    async def overview(self, ref: TargetGroupRef) -> RecontactOverview:
        """Count the uploaded exclusions, by type of id; `GET …/exclusions/overview`.

        Example:
            >>> client.exclusions.overview(ref)
            RecontactOverview(saved_respondent_ids_count=0, saved_access_respondent_guids_count=0)
        """
        return parse(RecontactOverview, await self._http.send(ops.EXCLUSION_OVERVIEW.make_call(ref.path_params())))

    async def effective_rsids(self, ref: TargetGroupRef) -> tuple[str, ...]:
        """Return every excluded RSID, normalised: by project, by group and by file.

        Compare them with the recontact list to see who will not be admitted.

        Serves `GET …/exclusions/rsid/paginated`.

        Example:
            >>> uploaded = client.exclusions.upload(ref, people.sample(5)).wait()
            >>> len(client.exclusions.effective_rsids(ref))
            5
        """
        call = ops.LIST_EXCLUDED_RSIDS.make_call(ref.path_params())
        return tuple([normalise_id(str(row)) async for row in iter_items(self._http, call, page_size=_PAGE_SIZE)])

    # --- by project and by activity ---------------------------------------------------------------------------

    async def policy(self, ref: TargetGroupRef) -> ExclusionPolicy:
        """Read whether people who completed elsewhere in the project are excluded; `GET …/exclusion-policy`.

        Example:
            >>> client.exclusions.policy(ref).project_exclusion_enabled
            False
        """
        reply = await self._http.send(ops.EXCLUSION_POLICY.make_call(ref.path_params()))
        return parse(ExclusionPolicy, reply, target_group_id=ref.target_group_id)

    async def policies(self, project_id: str) -> tuple[ExclusionPolicy, ...]:
        """Read the project exclusion of every target group of a project; `GET …/projects/{project_id}/exclusions`.

        Example:
            >>> [policy.project_exclusion_enabled for policy in client.exclusions.policies(ref.project_id)]
            [False]
        """
        reply = await self._http.send(ops.EXCLUSION_POLICIES.make_call({"project_id": project_id}))
        return parse_list(ExclusionPolicy, reply, "data")

    async def set_policies(self, project_id: str, enabled: Mapping[str, bool]) -> None:
        """Switch project exclusion on or off for target groups.

        Args:
            project_id: The project.
            enabled: By target group id, whether it is on.

        Serves `PUT …/projects/{project_id}/exclusion-policies`.

        Example:
            >>> client.exclusions.set_policies(ref.project_id, {ref.target_group_id: True})
            >>> client.exclusions.policy(ref).project_exclusion_enabled
            True
        """
        body = [{"target_group_id": group, "project_exclusion_enabled": on} for group, on in enabled.items()]
        await self._http.send(ops.SET_EXCLUSION_POLICIES.make_call({"project_id": project_id}, json=body))

    async def activity(self, ref: TargetGroupRef) -> tuple[ActivityExclusion, ...]:
        """Read the projects and groups whose respondents are excluded; `GET …/respondent-activity-exclusions`.

        Example:
            >>> len(client.exclusions.activity(ref))
            0
        """
        reply = await self._http.send(ops.ACTIVITY_EXCLUSIONS.make_call(ref.path_params()))
        return parse_list(ActivityExclusion, reply, "respondent_activity_exclusions")

    async def set_activity(self, ref: TargetGroupRef, exclusions: Sequence[ActivityExclusion]) -> None:
        """Replace the whole list of activity exclusions; an empty list removes them all.

        Raises:
            InputError: an exclusion names this target group or its own project; nothing was sent.

        Serves `PUT …/respondent-activity-exclusions`.

        Example:
            >>> client.exclusions.set_activity(ref, [])
            >>> len(client.exclusions.activity(ref))
            0
        """
        if {exclusion.id for exclusion in exclusions} & {ref.project_id, ref.target_group_id}:
            raise InputError(
                "A target group cannot exclude the respondents of itself or of its own project this way.",
                evidence={"field": "id"},
                next_step="use client.exclusions.set_policies(...) for people of the same project.",
            )
        body = {"respondent_activity_exclusions": [exclusion.to_body() for exclusion in exclusions]}
        await self._http.send(ops.SET_ACTIVITY_EXCLUSIONS.make_call(ref.path_params(), json=body))

    async def groups(self, ref: TargetGroupRef) -> tuple[ExclusionGroup, ...]:
        """Return the exclusion groups of a target group: each keeps out whoever completed another of its members.

        Two waves of one study must have none in common: it would turn away everybody who took part before.

        Serves `GET …/target-groups/{target_group_id}/exclusion-groups`.

        Example:
            >>> len(client.exclusions.groups(ref))
            0
        """
        call = ops.EXCLUSION_GROUPS.make_call({"target_group_id": ref.target_group_id})
        rows = iter_items(self._http, call, page_size=_GROUPS_PAGE)
        return tuple([parse_item(ExclusionGroup, row, call) async for row in rows])

    async def _count(self, ref: TargetGroupRef, entity: str) -> int:
        reply = await self._http.send(ops.EXCLUSION_OVERVIEW.make_call(ref.path_params()))
        count: int | None = getattr(parse(RecontactOverview, reply), _COUNT_FIELDS[entity])
        if count is None:
            raise reply.unexpected_reply_error(f"The exclusion overview contains no {_COUNT_FIELDS[entity]}.")
        return count


def _parse_exclusion_type(word: str) -> str:
    """Parse the entity type of an exclusion: `RSID`, `RESPONDENT_ID` or `ACCESS_RESPONDENT_GUID`.

    Raises:
        InputError: it is RID, which the exchange cannot exclude, or any other word.
    """
    folded = str(word).strip().upper()
    if folded in {"RSID", "RESPONDENT_ID"}:
        return "RSID"
    if folded == "ACCESS_RESPONDENT_GUID":
        return folded
    raise InputError(
        "Exclusions take RSID or ACCESS_RESPONDENT_GUID, not one per visit.",
        evidence={"entity_type": masked_text(folded, 40)},
        next_step="look up the RSIDs of these visits in the respondent analysis report.",
    )
