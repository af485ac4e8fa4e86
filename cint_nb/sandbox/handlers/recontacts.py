"""Answers about recontacts: upload by file, job, list, download, overview, saved ids, remove all, removal job."""

from __future__ import annotations

import re

from cint_nb.domain import ids, limits
from cint_nb.sandbox.handlers.operation import GROUP, Operation, Query, paging
from cint_nb.sandbox.handlers.report_files import rids_of_sessions
from cint_nb.sandbox.handlers.upload_file import joined, read_lines, read_upload
from cint_nb.sandbox.protocol.messages import Answer, Ask, JsonObject, StateFault, busy, invalid
from cint_nb.sandbox.protocol.paging import cut, cut_positions, here
from cint_nb.sandbox.simulation import jobs
from cint_nb.sandbox.world.entities import RECONTACT_REMOVAL, RECONTACT_UPLOAD, Group, Job
from cint_nb.sandbox.world.population import Fate
from cint_nb.sandbox.world.world import World

_PAGE_CAP = 40  # "a page may contain fewer than page_size items even when more pages exist", so ours do
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]", re.ASCII)


def _upload(world: World, ask: Ask) -> Answer:
    entity = ids.parse_entity_type(ask.string_param("entity_type") or "RSID")
    group = world.group(ask)
    name, content = read_upload(ask)
    if not group.is_recontact:
        raise invalid(("StudyTypeCode", "the target group is not a recontact target group."))
    keys, failed = read_lines(content)
    if entity is ids.EntityType.RID:
        fielded = rids_of_sessions(world)
        keys = [fielded.get(key) or world.people.person_of_rid(key) for key in keys]
    if group.lock:
        raise busy()
    known = set(group.saved.keys())
    if len(known.union(keys)) > limits.IDS_PER_TARGET_GROUP:
        # Counted before the exchange knows whom it will reject, and the file is refused as a whole. Assumption.
        reason = f"the existing plus new respondent ids must not exceed {limits.IDS_PER_TARGET_GROUP}."
        raise invalid(("File", reason))
    accepted, late, refused = _sort_out(world, group, keys, known)
    group.refused_once |= late
    if StateFault.PARTIAL in ask.effects:
        # A fault: the last tenth of a clean file is refused once and can be sent again.
        kept = len(accepted) - max(1, len(accepted) // 10)
        refused += len(accepted) - max(0, kept)
        accepted = accepted[: max(0, kept)]
    job = _begin(world, ask, group, RECONTACT_UPLOAD, len(keys) + failed)
    job.file_name, job.content = name[:255], content
    job.accepted, job.total = joined(accepted), len(accepted)
    job.failed = failed + refused
    job.succeeded = len(keys) - refused
    jobs.start(world, job)
    return Answer(201, {"job_id": job.id})


def _sort_out(world: World, group: Group, keys: list[bytes], seen: set[bytes]) -> tuple[list[bytes], set[bytes], int]:
    """Return the ids to save, in order, those rejected this once, and how many lines the exchange rejects in all.

    Duplicates and ids saved before count as successes, since they are neither invalid nor empty. Assumption.
    """
    late: set[bytes] = set()
    accepted, refused = [], 0
    for key in keys:
        if key in seen:
            continue
        fate = world.people.fate(key)
        if fate is Fate.LATER and key not in group.refused_once:
            late.add(key)
            refused += 1
        elif fate in (Fate.ACCEPTED, Fate.LATER):
            seen.add(key)
            accepted.append(key)
        else:
            refused += 1
    return accepted, late, refused


def _begin(world: World, ask: Ask, group: Group, kind: str, count: int) -> Job:
    job = jobs.create_job(world, ask, kind, group.project_id, group.id, count)
    group.lock = job.id
    return job


def _remove_all(world: World, ask: Ask) -> Answer:
    group = world.group(ask)
    if group.lock:
        raise busy()
    job = _begin(world, ask, group, RECONTACT_REMOVAL, len(group.saved))
    job.total = len(group.saved)
    if group.is_recontact and job.fate != "failed":
        # "…will prevent any more respondents entering": nobody new comes in from now on.
        group.work.waiting.clear()
    jobs.start(world, job)
    return Answer(201, {"job_id": job.id})


def _upload_job(world: World, ask: Ask) -> Answer:
    job = world.job(ask, RECONTACT_UPLOAD)
    body = told(world, job, milliseconds=False)
    trace = body.pop("job_trace_id")
    partial = job.status == "Completed" and job.failed
    body["partial_success_reason"] = {"description": partial_text(job)} if partial else None
    return Answer(body={**body, "job_trace_id": trace})


def _removal_job(world: World, ask: Ask) -> Answer:
    return Answer(body=told(world, world.job(ask, RECONTACT_REMOVAL), milliseconds=True))


def partial_text(job: Job) -> str:
    """Write the partial success as the recontact guide prints it."""
    return (
        f"Upload partially successful. {job.succeeded} respondent IDs uploaded successfully, "
        f"{job.failed} failed (invalid or empty)."
    )


def told(world: World, job: Job, *, milliseconds: bool) -> JsonObject:
    """Write a job as the recontact guide prints it, with its nulls; upload jobs without fractions of a second."""

    def write(t: float) -> str:
        text = world.text(t)
        return text if milliseconds else f"{text[:19]}Z"

    ended = job.status != "Processing"
    return {
        "job_id": job.id,
        "created_at": write(job.created),
        "completed_at": write(job.ends) if ended else None,
        "status": job.status,
        "created_by": job.by,
        "failure_reason": job.failure,
        "job_trace_id": world.ids.readable(f"trace:{job.id}", 16).lower() if job.status == "Failed" else None,
    }


def _jobs(world: World, ask: Ask) -> Answer:
    group = world.group(ask)
    jobs = [job for job in world.jobs.values() if job.group_id == group.id and job.kind == RECONTACT_UPLOAD]
    jobs.sort(key=lambda job: job.id, reverse=True)
    ask.values["page_size"] = min(ask.int_param("page_size"), _PAGE_CAP)
    page, cursor = cut(ask, jobs, lambda job: job.id)
    data = [
        {
            "job_id": job.id,
            "file_name": job.file_name,
            "status": job.status,
            "created_at": f"{world.text(job.created)[:19]}Z",
            "created_by": job.by,
        }
        for job in page
    ]
    return Answer(body={"data": data, "next_cursor": cursor})


def _download(world: World, ask: Ask) -> Answer:
    job = world.job(ask, RECONTACT_UPLOAD)
    headers = {"Content-Disposition": f'attachment; filename="{_UNSAFE.sub("_", job.file_name)}"'}
    return Answer(content=job.content, media_type="application/octet-stream", headers=headers)


def _overview(world: World, ask: Ask) -> Answer:
    return Answer(body={"saved_respondent_ids_count": len(world.group(ask).saved)})


def _rsids(world: World, ask: Ask) -> Answer:
    group = world.group(ask)
    saved = group.saved
    begin, count, cursor = cut_positions(ask, saved.first, saved.end, group.id)
    body: JsonObject = {"url": here(ask)}
    if count:
        body["data"] = saved.page(begin, count)  # the reference does not promise `data` on an empty page
    if cursor:
        body["next_cursor"] = cursor
    return Answer(body=body)


_TAG = "Recontacts"
_JOBS = f"{GROUP}/recontacts/jobs"
_BY_FILE = f"{_JOBS}/upload-respondents-by-file"
_OLD = f"{_JOBS}/upload-rsids-by-file"
_REMOVAL = f"{_JOBS}/remove-all-rsids"
_ENTITY = Query(
    "entity_type",
    {"type": "string", "enum": ["RSID", "RESPONDENT_ID", "RID", "RESPONSE_ID"]},
    required=True,
    about="What the ids identify: one per person, or one per visit.",
)


def _uploads(name: str, path: str, about: str, query: tuple[Query, ...]) -> Operation:
    return Operation(
        name=name,
        method="POST",
        path=path,
        answer=_upload,
        about=about,
        tag=_TAG,
        status=201,
        reply="JobCreated",
        query=query,
        errors=(409, 413, 415),
        acts=True,
        upload=True,
        short=("upload",),
    )


OPERATIONS: tuple[Operation, ...] = (
    _uploads(
        "recontact_create_upload_respondents_by_file_job",
        _BY_FILE,
        "Upload a file of respondent or response ids: one id a line, no header, below 5 MB.",
        (_ENTITY,),
    ),
    _uploads("recontact_create_upload_rsids_by_file_job", _OLD, "Upload a file of respondent ids, the older way.", ()),
    Operation(
        name="recontact_list_upload_respondents_by_file_jobs",
        method="GET",
        path=_BY_FILE,
        answer=_jobs,
        about="List the upload jobs, newest first. A short page is not the end.",
        tag=_TAG,
        reply="UploadJobs",
        query=paging(1000, 1000, back=False),
        short=("list", "jobs"),
    ),
    Operation(
        name="get_recontact_upload_respondents_by_file_job",
        method="GET",
        path=f"{_BY_FILE}/{{job_id}}",
        answer=_upload_job,
        about="Get an upload job.",
        tag=_TAG,
        reply="UploadJob",
        short=("status", "job"),
    ),
    Operation(
        name="get_recontacts_rsids_upload_file_job_status",
        method="GET",
        path=f"{_OLD}/{{job_id}}",
        answer=_upload_job,
        about="Get an upload job, the older way.",
        tag=_TAG,
        reply="UploadJob",
        short=("status", "job"),
    ),
    Operation(
        name="recontact_download_job_file",
        method="GET",
        path=f"{_BY_FILE}/{{job_id}}/download",
        answer=_download,
        about="Download the uploaded file.",
        tag=_TAG,
        gives=("application/octet-stream",),
        headers=("Content-Disposition",),
        short=("download",),
    ),
    Operation(
        name="create_all_recontact_rsids_removal_job",
        method="POST",
        path=_REMOVAL,
        answer=_remove_all,
        about="Remove all saved respondents.",
        tag=_TAG,
        status=201,
        reply="JobCreated",
        errors=(409,),
        acts=True,
        short=("remove",),
    ),
    Operation(
        name="recontacts_remove_all_rsids_job_status",
        method="GET",
        path=f"{_REMOVAL}/{{job_id}}",
        answer=_removal_job,
        about="Get a removal job.",
        tag=_TAG,
        reply="RemovalJob",
        short=("removal-status", "job"),
    ),
    Operation(
        name="get_recontacts_overview",
        method="GET",
        path=f"{GROUP}/recontacts/overview",
        answer=_overview,
        about="Count the saved respondents: the most the goal may ask for.",
        tag=_TAG,
        reply="SavedCount",
        short=("count",),
    ),
    Operation(
        name="get_target_group_rsid_recontact_list",
        method="GET",
        path=f"{GROUP}/recontacts/rsids",
        answer=_rsids,
        about="List the saved respondent ids.",
        tag=_TAG,
        reply="IdPage",
        query=paging(),
        short=("rsids",),
    ),
)
