"""The jobs that run on the exchange, or ended while nobody watched, as far as journal and exchange show."""

from __future__ import annotations

from dataclasses import dataclass

from cint_nb.api.jobs.job import Job
from cint_nb.domain.errors import CintError, NotFound
from cint_nb.domain.models import TargetGroupRef
from cint_nb.wave.journal.journal import EntryState, JournalEntry
from cint_nb.wave.journal.payloads import JOB, DraftPayload, JobPayload, Payload, StartedJobPayload, UploadPayload
from cint_nb.wave.journaled_client import JournaledClient

GROUPS_ASKED = 50
"""How many of the groups the journal knows are asked for uploads it does not know: one request each."""


@dataclass(frozen=True)
class RunningJob:
    """A job that was not seen to end.

    Args:
        wave: The wave it belongs to, or the id of its target group.
        job: The job, ready to be followed.
    """

    wave: str
    job: Job


async def find_running_jobs(client: JournaledClient) -> list[RunningJob]:
    """Return every job that runs now, and every job of a wave that ended while nobody watched.

    A job whose end the journal does not hold is polled once. Then each group the journal knows, the newest first, is
    asked for its running upload: the job of another session, or of a colleague.

    Args:
        client: Where the jobs run; jobs of another mode, host or account are left alone.
    """
    found: dict[str | None, RunningJob] = {}
    waves: dict[TargetGroupRef, str] = {}
    for entry in _newest_entries(client):
        if isinstance(entry.payload, DraftPayload) and entry.payload.target_group_id is not None:
            ref = TargetGroupRef(project_id=entry.payload.project_id, target_group_id=entry.payload.target_group_id)
            waves[ref] = entry.key.wave
        payload = entry.payload
        if entry.state is not EntryState.RUNNING or not isinstance(payload, JobPayload) or payload.handle is None:
            continue
        before = payload.saved_before if isinstance(payload, UploadPayload | StartedJobPayload) else None
        job = Job.attach(client, payload.handle, saved_before=before)
        is_known = await _poll(job)
        has_ended = not is_known or (job.last_snapshot is not None and job.last_snapshot.is_final)
        # An upload of a wave has two entries, one of which names the wave; who watched the other is not known.
        if not isinstance(payload, StartedJobPayload):
            if is_known:
                found[payload.handle.job_id] = RunningJob(entry.key.wave, job)
        elif has_ended:
            client.journal.write(entry.key, JOB, EntryState.DONE, payload, batch=entry.batch, at=client.clock.now())
        else:
            found.setdefault(payload.handle.job_id, RunningJob(entry.key.wave, job))
    for ref, wave in list(reversed(waves.items()))[:GROUPS_ASKED]:
        listed = await _running_upload(client, ref)
        if listed is not None and listed.handle.job_id not in found:
            found[listed.handle.job_id] = RunningJob(wave, listed)
    return list(found.values())


def _newest_entries(client: JournaledClient) -> list[JournalEntry[Payload]]:
    newest: dict[tuple[object, str, str], JournalEntry[Payload]] = {}
    for entry in client.journal.entries():
        if entry.key.scope == client.scope:
            newest[(entry.key, entry.step, entry.batch)] = entry
    return list(newest.values())


async def _poll(job: Job) -> bool:
    """Poll once, and return whether the exchange knows the job; where it cannot be asked, its panel says why."""
    try:
        await job.refresh()
    except NotFound:
        return False
    except CintError:
        return True
    return True


async def _running_upload(client: JournaledClient, ref: TargetGroupRef) -> Job | None:
    try:
        listed = await client.recontacts.running_job(ref)
    except CintError:  # the group is gone, or cannot be read: nothing can be followed there
        return None
    return None if listed is None else client.recontacts.job(ref, listed.job_id)
