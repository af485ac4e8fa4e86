"""Handlers for exclusions by file: upload, jobs, overview, and the list of all that are in force."""

from __future__ import annotations

from cint_nb.domain import limits
from cint_nb.domain.ids import EntityType
from cint_nb.sandbox.handlers.operation import TARGET_GROUP, Handler, Operation, QueryParam, paging_params
from cint_nb.sandbox.handlers.recontacts import NO_VALID_IDS, job_to_json, partial_message
from cint_nb.sandbox.handlers.upload_file import join_ids, parse_ids, parse_upload
from cint_nb.sandbox.protocol.messages import JsonObject, Request, Response, bad_request, job_conflict
from cint_nb.sandbox.protocol.paging import page_of_positions, self_link
from cint_nb.sandbox.simulation import entry, jobs
from cint_nb.sandbox.world.entities import EXCLUSION_REMOVAL, EXCLUSION_UPLOAD, Job, TargetGroup
from cint_nb.sandbox.world.id_store import to_uuid_text
from cint_nb.sandbox.world.ids import is_of_kind
from cint_nb.sandbox.world.world import World


def _upload(world: World, request: Request) -> Response:
    group = world.group(request)
    guids = request.string_param("entity_type") == "ACCESS_RESPONDENT_GUID"
    name, content = parse_upload(request)
    keys, failed = parse_ids(content)
    has_ids = bool(keys)
    if not guids and world.rules.wrong_kind == "unknown":
        lines, keys = len(keys), [key for key in keys if is_of_kind(key, EntityType.RSID)]
        failed += lines - len(keys)
    if group.running_exclusion_job_id is not None:
        raise job_conflict()
    store = group.excluded_guids if guids else group.excluded
    known = set(store.keys())
    accepted = [key for key in dict.fromkeys(keys) if key not in known]
    if len(store) + len(accepted) > limits.IDS_PER_TARGET_GROUP:
        raise bad_request(("File", f"the existing plus new ids must not exceed {limits.IDS_PER_TARGET_GROUP}."))
    job = _start_job(world, request, group, EXCLUSION_UPLOAD, len(keys) + failed)
    if not has_ids:
        jobs.plan_failure(job, *NO_VALID_IDS)
    job.file_name, job.guids = name[:255], guids
    job.accepted, job.total, job.failed, job.succeeded = join_ids(accepted), len(accepted), failed, len(keys)
    jobs.start_job(world, job)
    return Response(201, {"job_id": job.id})


def _remove_all(world: World, request: Request) -> Response:
    group = world.group(request)
    guids = request.string_param("entity_type") == "ACCESS_RESPONDENT_GUID"
    if group.running_exclusion_job_id is not None:
        raise job_conflict()
    store = group.excluded_guids if guids else group.excluded
    job = _start_job(world, request, group, EXCLUSION_REMOVAL, len(store))
    job.total, job.guids = len(store), guids
    jobs.start_job(world, job)
    return Response(201, {"job_id": job.id})


def _start_job(world: World, request: Request, group: TargetGroup, kind: str, count: int) -> Job:
    job = jobs.create_job(world, request, kind, group.project_id, group.id, count)
    group.running_exclusion_job_id = job.id
    return job


def _job_handler(kind: str) -> Handler:
    def handle(world: World, request: Request) -> Response:
        job = world.job(request, kind)
        body = {name: value for name, value in job_to_json(world, job, milliseconds=True).items() if value is not None}
        if job.status == "Completed":
            body["status"] = "Success"  # exclusion jobs use another word for it
            if job.failed:
                body["partial_success_reason"] = {"description": partial_message(job)}
        return Response(body=body)

    return handle


def _overview(world: World, request: Request) -> Response:
    group = world.group(request)
    counts = {"saved_respondent_ids_count": len(group.excluded)}
    counts["saved_access_respondent_guids_count"] = len(group.excluded_guids)
    return Response(body=counts)


def _effective(world: World, request: Request) -> Response:
    """Return everyone who is excluded for any reason: the uploaded file, the project, recent activity."""
    group = world.group(request)
    keys = sorted(entry.excluded_people(world, group, request.received_at))
    begin, count, cursor = page_of_positions(request, 0, len(keys), group.id)
    return _id_page(request, [to_uuid_text(key) for key in keys[begin : begin + count]], cursor)


def _list_guids(world: World, request: Request) -> Response:
    store = world.group(request).excluded_guids
    begin, count, cursor = page_of_positions(request, store.first, store.end, request.path_params["target_group_id"])
    return _id_page(request, store.page(begin, count), cursor)


def _id_page(request: Request, data: list[str], cursor: str | None) -> Response:
    body: JsonObject = {"data": data, "url": self_link(request)}
    if cursor:
        body["next_cursor"] = cursor
    return Response(body=body)


_TAG = "Exclusions"
_JOBS = f"{TARGET_GROUP}/exclusions/jobs"
_ENTITY = QueryParam(
    "entity_type",
    {"type": "string", "enum": ["RSID", "ACCESS_RESPONDENT_GUID"]},
    required=True,
    description="What the ids are.",
)
_PAGING = paging_params(1000, 1000)


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="exclusion_create_upload_rids_by_file_job",
        method="POST",
        path=f"{_JOBS}/upload-respondents-by-file",
        handler=_upload,
        summary="Upload a file of ids to keep out.",
        tag=_TAG,
        status=201,
        response_schema="JobCreated",
        query=(_ENTITY,),
        errors=(409, 413, 415),
        changes_state=True,
        is_upload=True,
        aliases=("exclude",),
    ),
    Operation(
        name="get_respondent_exclusions_upload_by_file_job",
        method="GET",
        path=f"{_JOBS}/upload-respondents-by-file/{{job_id}}",
        handler=_job_handler(EXCLUSION_UPLOAD),
        summary="Get an exclusion upload job.",
        tag=_TAG,
        response_schema="ExclusionJob",
        aliases=("exclusion-status", "job"),
    ),
    Operation(
        name="exclusion_create_remove_all_respondents_job",
        method="POST",
        path=f"{_JOBS}/remove-all-respondents",
        handler=_remove_all,
        summary="Remove all uploaded exclusions of one kind.",
        tag=_TAG,
        status=201,
        response_schema="JobCreated",
        query=(_ENTITY,),
        errors=(409,),
        changes_state=True,
        aliases=("unexclude",),
    ),
    Operation(
        name="get_all_respondent_exclusions_removal_job",
        method="GET",
        path=f"{_JOBS}/remove-all-respondents/{{job_id}}",
        handler=_job_handler(EXCLUSION_REMOVAL),
        summary="Get an exclusion removal job.",
        tag=_TAG,
        response_schema="ExclusionJob",
        aliases=("exclusion-status", "job"),
    ),
    Operation(
        name="get_exclusions_overview",
        method="GET",
        path=f"{TARGET_GROUP}/exclusions/overview",
        handler=_overview,
        summary="Count the uploaded exclusions.",
        tag=_TAG,
        response_schema="ExclusionCounts",
    ),
    Operation(
        name="get_target_group_rsid_exclusion_list_api_paginated",
        method="GET",
        path=f"{TARGET_GROUP}/exclusions/rsid/paginated",
        handler=_effective,
        summary="List all excluded respondents, whatever the reason.",
        tag=_TAG,
        response_schema="ExcludedIdPage",
        query=_PAGING,
    ),
    Operation(
        name="get_target_group_access_respondent_guid_exclusion_list_api_paginated",
        method="GET",
        path=f"{TARGET_GROUP}/exclusions/access-respondent-guid/paginated",
        handler=_list_guids,
        summary="List the uploaded access respondent ids.",
        tag=_TAG,
        response_schema="ExcludedIdPage",
        query=_PAGING,
    ),
)
