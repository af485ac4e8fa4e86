"""Exclusions as plain verbs."""

# Generated from cint_nb/api/resources/exclusions.py by `nox -s plain`; change that file instead.

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cint_nb.api.jobs.job import Job
from cint_nb.api.resources import exclusions
from cint_nb.domain.files import Uploadable, UploadFile
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.respondent_lists import ActivityExclusion, ExclusionGroup, ExclusionPolicy, RecontactOverview
from cint_nb.wire import loop_thread


class Exclusions:
    """The exclusions of target groups: upload, remove, and read those in force."""

    def __init__(self, aio: exclusions.Exclusions) -> None:
        self._aio = aio

    def upload(
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
        return loop_thread.run(self._aio.upload(ref, uploadable, entity_type=entity_type, token=token))

    def remove_all(self, ref: TargetGroupRef, *, entity_type: str = "RSID", ids: int | None = None) -> Job:
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
        return loop_thread.run(self._aio.remove_all(ref, entity_type=entity_type, ids=ids))

    def overview(self, ref: TargetGroupRef) -> RecontactOverview:
        """Count the uploaded exclusions, by type of id; `GET …/exclusions/overview`.

        Example:
            >>> client.exclusions.overview(ref)
            RecontactOverview(saved_respondent_ids_count=0, saved_access_respondent_guids_count=0)
        """
        return loop_thread.run(self._aio.overview(ref))

    def effective_rsids(self, ref: TargetGroupRef) -> tuple[str, ...]:
        """Return every excluded RSID, normalised: by project, by group and by file.

        Compare them with the recontact list to see who will not be admitted.

        Serves `GET …/exclusions/rsid/paginated`.

        Example:
            >>> uploaded = client.exclusions.upload(ref, people.sample(5)).wait()
            >>> len(client.exclusions.effective_rsids(ref))
            5
        """
        return loop_thread.run(self._aio.effective_rsids(ref))

    def policy(self, ref: TargetGroupRef) -> ExclusionPolicy:
        """Read whether people who completed elsewhere in the project are excluded; `GET …/exclusion-policy`.

        Example:
            >>> client.exclusions.policy(ref).project_exclusion_enabled
            False
        """
        return loop_thread.run(self._aio.policy(ref))

    def policies(self, project_id: str) -> tuple[ExclusionPolicy, ...]:
        """Read the project exclusion of every target group of a project; `GET …/projects/{project_id}/exclusions`.

        Example:
            >>> [policy.project_exclusion_enabled for policy in client.exclusions.policies(ref.project_id)]
            [False]
        """
        return loop_thread.run(self._aio.policies(project_id))

    def set_policies(self, project_id: str, enabled: Mapping[str, bool]) -> None:
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
        loop_thread.run(self._aio.set_policies(project_id, enabled))

    def activity(self, ref: TargetGroupRef) -> tuple[ActivityExclusion, ...]:
        """Read the projects and groups whose respondents are excluded; `GET …/respondent-activity-exclusions`.

        Example:
            >>> len(client.exclusions.activity(ref))
            0
        """
        return loop_thread.run(self._aio.activity(ref))

    def set_activity(self, ref: TargetGroupRef, exclusions: Sequence[ActivityExclusion]) -> None:
        """Replace the whole list of activity exclusions; an empty list removes them all.

        Raises:
            InputError: an exclusion names this target group or its own project; nothing was sent.

        Serves `PUT …/respondent-activity-exclusions`.

        Example:
            >>> client.exclusions.set_activity(ref, [])
            >>> len(client.exclusions.activity(ref))
            0
        """
        loop_thread.run(self._aio.set_activity(ref, exclusions))

    def groups(self, ref: TargetGroupRef) -> tuple[ExclusionGroup, ...]:
        """Return the exclusion groups of a target group: each keeps out whoever completed another of its members.

        Two waves of one study must have none in common: it would turn away everybody who took part before.

        Serves `GET …/target-groups/{target_group_id}/exclusion-groups`.

        Example:
            >>> len(client.exclusions.groups(ref))
            0
        """
        return loop_thread.run(self._aio.groups(ref))
