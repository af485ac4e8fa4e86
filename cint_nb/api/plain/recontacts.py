"""Recontacts as plain verbs."""

# Generated from cint_nb/api/resources/recontacts.py by `nox -s plain`; change that file instead.

from __future__ import annotations

import builtins

from cint_nb.api.jobs.job import Job
from cint_nb.api.resources import recontacts
from cint_nb.api.resources.downloads import Download
from cint_nb.domain.files import Uploadable, UploadFile
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import Money, MoneyText
from cint_nb.domain.respondent_lists import UploadJob
from cint_nb.wire import loop_thread


class Recontacts:
    """The recontacts of target groups: upload them, follow the jobs, and read what is saved.

    Attributes:
        on_started: Called with the handle of each job that was started, and the number of ids saved before it.
        spend_guard: Asks for a budget where more ids can cost more; None asks for nothing.
    """

    def __init__(self, aio: recontacts.Recontacts) -> None:
        self._aio = aio

    def upload(
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
        return loop_thread.run(self._aio.upload(ref, uploadable, token=token, file_name=file_name, budget=budget))

    def jobs(self, ref: TargetGroupRef) -> builtins.list[UploadJob]:
        """Return the upload jobs of a target group, newest first.

        Serves the recontact guide, "List all upload jobs". No list contains removals.

        Example:
            >>> [job.status for job in client.recontacts.jobs(ref)]
            ['Completed']
        """
        return loop_thread.run(self._aio.jobs(ref))

    def find_job(self, ref: TargetGroupRef, file_name: str) -> Job | None:
        """Return the upload job with a file name, ready to be followed; None if the list contains none.

        Example:
            >>> name = client.recontacts.jobs(ref)[0].file_name
            >>> print(client.recontacts.find_job(ref, name).wait().state)
            partial
        """
        return loop_thread.run(self._aio.find_job(ref, file_name))

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
        return self._aio.job(ref, job_id, ids=ids)

    def running_job(self, ref: TargetGroupRef) -> UploadJob | None:
        """Return the upload job that is running now; None if there is none.

        Example:
            >>> client.recontacts.running_job(ref) is None
            True
            >>> job = client.recontacts.upload(draft.target_group, people)
            >>> client.recontacts.running_job(draft.target_group).status
            'Processing'
        """
        return loop_thread.run(self._aio.running_job(ref))

    def download(self, ref: TargetGroupRef, job_id: str) -> Download:
        """Return name and content of an uploaded file; `save(folder)` replaces no file unless asked to.

        Serves the recontact guide, "Download an uploaded file".

        Example:
            >>> job_id = client.recontacts.jobs(ref)[0].job_id
            >>> len(client.recontacts.download(ref, job_id).content.splitlines())
            57
        """
        return loop_thread.run(self._aio.download(ref, job_id))

    def saved_count(self, ref: TargetGroupRef) -> int:
        """Count the saved ids, which is the upper limit of the goal; `GET …/recontacts/overview`.

        Example:
            >>> client.recontacts.saved_count(ref)
            56
        """
        return loop_thread.run(self._aio.saved_count(ref))

    def saved_ids(self, ref: TargetGroupRef) -> tuple[str, ...]:
        """Return the saved RSIDs, normalised, in the exchange's order; one request per hundred ids.

        After an upload of RIDs, these are the RSIDs they were mapped to.

        Raises:
            UnexpectedReply: the list, or a part of it, could not be read: that nobody is listed is then not known.

        Serves `GET …/recontacts/rsids`.

        Example:
            >>> len(client.recontacts.saved_ids(ref))
            56
        """
        return loop_thread.run(self._aio.saved_ids(ref))

    def remove_all(self, ref: TargetGroupRef, *, ids: int | None = None) -> Job:
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
        return loop_thread.run(self._aio.remove_all(ref, ids=ids))
