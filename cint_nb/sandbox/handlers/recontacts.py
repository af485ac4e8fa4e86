"""Handlers for recontacts: upload by file, job, list, download, overview, saved ids, remove all, removal job."""

from __future__ import annotations

import re

from cint_nb.domain import ids, limits
from cint_nb.sandbox.handlers.operation import TARGET_GROUP, Operation, QueryParam, paging_params
from cint_nb.sandbox.handlers.upload_file import join_ids, parse_ids, parse_upload
from cint_nb.sandbox.protocol.messages import (
    JsonObject,
    Request,
    Response,
    StateFault,
    bad_request,
    job_conflict,
    not_found,
)
from cint_nb.sandbox.protocol.paging import page_of, page_of_positions, self_link
from cint_nb.sandbox.simulation import jobs
from cint_nb.sandbox.simulation.visit_ids import visit_rids
from cint_nb.sandbox.world.entities import RECONTACT_REMOVAL, RECONTACT_UPLOAD, Job, TargetGroup
from cint_nb.sandbox.world.ids import is_of_kind
from cint_nb.sandbox.world.population import UploadResult
from cint_nb.sandbox.world.world import World

_PAGE_CAP = 40  # "a page may contain fewer than page_size items even when more pages exist", so pages here do
NO_VALID_IDS = ("NoValidIdentifiers", "no line of the file is a valid identifier")
"""Why a job fails whose file has not one. The exchange publishes one code of another failure: an assumption."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]", re.ASCII)


def _upload(world: World, request: Request) -> Response:
    entity = ids.parse_entity_type(request.string_param("entity_type") or "RSID")
    group = world.group(request)
    name, content = parse_upload(request)
    if not group.is_recontact:
        raise bad_request(("StudyTypeCode", "the target group is not a recontact target group."))
    keys, failed = parse_ids(content)
    lines, has_ids = len(keys) + failed, bool(keys)
    wrong: list[bytes] = []
    if world.rules.wrong_kind == "unknown":
        wrong = [key for key in keys if not is_of_kind(key, entity)]
        keys = [key for key in keys if is_of_kind(key, entity)] if wrong else keys
        failed += len(wrong)
    if entity is ids.EntityType.RID:
        fielded = visit_rids(world)
        keys = [fielded.get(key) or world.population.person_of_rid(key) for key in keys]
    if group.running_job_id is not None:
        raise job_conflict()
    known = set(group.saved.keys())
    if len(known.union(keys, wrong)) > limits.IDS_PER_TARGET_GROUP:
        # Counted before the exchange knows whom it will reject, and the file is rejected as a whole. Assumption.
        reason = f"the existing plus new respondent ids must not exceed {limits.IDS_PER_TARGET_GROUP}."
        raise bad_request(("File", reason))
    accepted, late, rejected, repeated = _classify_ids(world, group, keys, known)
    group.rejected_once |= late
    if world.rules.repeated_ids == "failed":
        rejected += repeated
    if StateFault.PARTIAL in request.state_faults:
        # A fault: the last tenth of a clean file is rejected once and can be resent.
        kept = len(accepted) - max(1, len(accepted) // 10)
        rejected += len(accepted) - max(0, kept)
        accepted = accepted[: max(0, kept)]
    job = _start_job(world, request, group, RECONTACT_UPLOAD, lines)
    if not has_ids:
        jobs.plan_failure(job, *NO_VALID_IDS)
    job.file_name, job.content = name[:255], content
    job.accepted, job.total = join_ids(accepted), len(accepted)
    job.failed = failed + rejected
    job.succeeded = len(keys) - rejected
    jobs.start_job(world, job)
    return Response(201, {"job_id": job.id})


def _classify_ids(
    world: World, group: TargetGroup, keys: list[bytes], seen: set[bytes]
) -> tuple[list[bytes], set[bytes], int, int]:
    """Return the ids to save, in order, those rejected this time only, and how many are rejected, and repeated."""
    late: set[bytes] = set()
    accepted, rejected, repeated = [], 0, 0
    for key in keys:
        if key in seen:
            repeated += 1
            continue
        result = world.population.upload_result(key)
        if result is UploadResult.ACCEPTED_LATER and key not in group.rejected_once:
            late.add(key)
            rejected += 1
        elif result in (UploadResult.ACCEPTED, UploadResult.ACCEPTED_LATER):
            seen.add(key)
            accepted.append(key)
        else:
            rejected += 1
    return accepted, late, rejected, repeated


def _start_job(world: World, request: Request, group: TargetGroup, kind: str, count: int) -> Job:
    job = jobs.create_job(world, request, kind, group.project_id, group.id, count)
    group.running_job_id = job.id
    return job


def _remove_all(world: World, request: Request) -> Response:
    group = world.group(request)
    if group.running_job_id is not None:
        raise job_conflict()
    job = _start_job(world, request, group, RECONTACT_REMOVAL, len(group.saved))
    job.total = len(group.saved)
    if group.is_recontact and job.planned_end != "failed":
        # "…will prevent any more respondents entering": nobody new enters from now on.
        group.fieldwork.arrivals.clear()
        group.fieldwork.removed_at = request.received_at
    jobs.start_job(world, job)
    return Response(201, {"job_id": job.id})


def _upload_job(world: World, request: Request) -> Response:
    job = world.job(request, RECONTACT_UPLOAD)
    body = job_to_json(world, job, milliseconds=False)
    trace = body.pop("job_trace_id")
    partial = job.status == "Completed" and job.failed
    body["partial_success_reason"] = {"description": partial_message(job)} if partial else None
    return Response(body={**body, "job_trace_id": trace})


def _removal_job(world: World, request: Request) -> Response:
    return Response(body=job_to_json(world, world.job(request, RECONTACT_REMOVAL), milliseconds=True))


def partial_message(job: Job) -> str:
    """Return the message of a partial success as the recontact guide prints it."""
    return (
        f"Upload partially successful. {job.succeeded} respondent IDs uploaded successfully, "
        f"{job.failed} failed (invalid or empty)."
    )


def job_to_json(world: World, job: Job, *, milliseconds: bool) -> JsonObject:
    """Return a job as the recontact guide prints it, nulls included; upload jobs without fractions of a second."""

    def format_time(t: float) -> str:
        text = world.format_time(t)
        return text if milliseconds else f"{text[:19]}Z"

    ended = job.status != "Processing"
    return {
        "job_id": job.id,
        "created_at": format_time(job.created),
        "completed_at": format_time(job.ends_at) if ended else None,
        "status": job.status,
        "created_by": job.created_by,
        "failure_reason": job.failure,
        "job_trace_id": world.id_factory.human_readable_id(f"trace:{job.id}", 16).lower()
        if job.status == "Failed"
        else None,
    }


def _jobs(world: World, request: Request) -> Response:
    group = world.group(request)
    jobs = [job for job in world.jobs.values() if job.group_id == group.id and job.kind == RECONTACT_UPLOAD]
    jobs.sort(key=lambda job: job.id, reverse=True)
    request.query_params["page_size"] = min(request.int_param("page_size"), _PAGE_CAP)
    page, cursor = page_of(request, jobs, lambda job: job.id)
    data = [
        {
            "job_id": job.id,
            "file_name": job.file_name,
            "status": job.status,
            "created_at": f"{world.format_time(job.created)[:19]}Z",
            "created_by": job.created_by,
        }
        for job in page
    ]
    return Response(body={"data": data, "next_cursor": cursor})


def _download(world: World, request: Request) -> Response:
    job = world.job(request, RECONTACT_UPLOAD)
    if job.file_name is None:
        raise not_found("the file of the job")
    headers = {"Content-Disposition": f'attachment; filename="{_UNSAFE.sub("_", job.file_name)}"'}
    return Response(content=job.content, media_type="application/octet-stream", headers=headers)


def _overview(world: World, request: Request) -> Response:
    return Response(body={"saved_respondent_ids_count": len(world.group(request).saved)})


def _rsids(world: World, request: Request) -> Response:
    group = world.group(request)
    saved = group.saved
    begin, count, cursor = page_of_positions(request, saved.first, saved.end, group.id)
    body: JsonObject = {"url": self_link(request)}
    if count:
        body["data"] = saved.page(begin, count)  # the reference does not promise `data` on an empty page
    if cursor:
        body["next_cursor"] = cursor
    return Response(body=body)


_TAG = "Recontacts"
_JOBS = f"{TARGET_GROUP}/recontacts/jobs"
_BY_FILE = f"{_JOBS}/upload-respondents-by-file"
_LEGACY = f"{_JOBS}/upload-rsids-by-file"
_REMOVAL = f"{_JOBS}/remove-all-rsids"
_ENTITY = QueryParam(
    "entity_type",
    {"type": "string", "enum": ["RSID", "RESPONDENT_ID", "RID", "RESPONSE_ID"]},
    required=True,
    description="What the ids identify: one per person, or one per visit.",
)


def _upload_operation(name: str, path: str, about: str, query: tuple[QueryParam, ...]) -> Operation:
    return Operation(
        name=name,
        method="POST",
        path=path,
        handler=_upload,
        summary=about,
        tag=_TAG,
        status=201,
        response_schema="JobCreated",
        query=query,
        errors=(409, 413, 415),
        changes_state=True,
        is_upload=True,
        aliases=("upload",),
    )


OPERATIONS: tuple[Operation, ...] = (
    _upload_operation(
        "recontact_create_upload_respondents_by_file_job",
        _BY_FILE,
        "Upload a file of respondent or response ids: one id a line, no header, below 5 MB.",
        (_ENTITY,),
    ),
    _upload_operation(
        "recontact_create_upload_rsids_by_file_job", _LEGACY, "Upload a file of respondent IDs (legacy endpoint).", ()
    ),
    Operation(
        name="recontact_list_upload_respondents_by_file_jobs",
        method="GET",
        path=_BY_FILE,
        handler=_jobs,
        summary="List the upload jobs, newest first. A short page is not the end.",
        tag=_TAG,
        response_schema="UploadJobs",
        query=paging_params(1000, 1000, back=False),
        aliases=("list", "jobs"),
    ),
    Operation(
        name="get_recontact_upload_respondents_by_file_job",
        method="GET",
        path=f"{_BY_FILE}/{{job_id}}",
        handler=_upload_job,
        summary="Get an upload job.",
        tag=_TAG,
        response_schema="UploadJob",
        aliases=("status", "job"),
    ),
    Operation(
        name="get_recontacts_rsids_upload_file_job_status",
        method="GET",
        path=f"{_LEGACY}/{{job_id}}",
        handler=_upload_job,
        summary="Get an upload job (legacy endpoint).",
        tag=_TAG,
        response_schema="UploadJob",
        aliases=("status", "job"),
    ),
    Operation(
        name="recontact_download_job_file",
        method="GET",
        path=f"{_BY_FILE}/{{job_id}}/download",
        handler=_download,
        summary="Download the uploaded file.",
        tag=_TAG,
        media_types=("application/octet-stream",),
        headers=("Content-Disposition",),
        aliases=("download",),
    ),
    Operation(
        name="create_all_recontact_rsids_removal_job",
        method="POST",
        path=_REMOVAL,
        handler=_remove_all,
        summary="Remove all saved respondents.",
        tag=_TAG,
        status=201,
        response_schema="JobCreated",
        errors=(409,),
        changes_state=True,
        aliases=("remove",),
    ),
    Operation(
        name="recontacts_remove_all_rsids_job_status",
        method="GET",
        path=f"{_REMOVAL}/{{job_id}}",
        handler=_removal_job,
        summary="Get a removal job.",
        tag=_TAG,
        response_schema="RemovalJob",
        aliases=("removal-status", "job"),
    ),
    Operation(
        name="get_recontacts_overview",
        method="GET",
        path=f"{TARGET_GROUP}/recontacts/overview",
        handler=_overview,
        summary="Count the saved respondents: the most the goal may ask for.",
        tag=_TAG,
        response_schema="SavedCount",
        aliases=("count",),
    ),
    Operation(
        name="get_target_group_rsid_recontact_list",
        method="GET",
        path=f"{TARGET_GROUP}/recontacts/rsids",
        handler=_rsids,
        summary="List the saved respondent ids.",
        tag=_TAG,
        response_schema="SavedIdPage",
        query=paging_params(),
        aliases=("rsids",),
    ),
)
