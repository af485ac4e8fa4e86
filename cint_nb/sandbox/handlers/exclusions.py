"""Handlers for exclusions: upload, jobs, overview, effective lists, project policy, respondent activity."""

from __future__ import annotations

import re

from cint_nb.domain import limits
from cint_nb.domain.ids import EntityType
from cint_nb.sandbox.handlers.drafts import parse_activity_exclusions
from cint_nb.sandbox.handlers.operation import PROJECT, TARGET_GROUP, Handler, Operation, QueryParam, paging_params
from cint_nb.sandbox.handlers.recontacts import NO_VALID_IDS, job_to_json, partial_message
from cint_nb.sandbox.handlers.upload_file import join_ids, parse_ids, parse_upload
from cint_nb.sandbox.protocol.messages import JsonObject, Request, Response, bad_request, job_conflict, to_json
from cint_nb.sandbox.protocol.paging import page_of_positions, self_link
from cint_nb.sandbox.protocol.request_bodies import ActivityExclusions, Exclusion, PolicyChange
from cint_nb.sandbox.simulation import entry, jobs
from cint_nb.sandbox.world.entities import EXCLUSION_REMOVAL, EXCLUSION_UPLOAD, Job, TargetGroup
from cint_nb.sandbox.world.id_store import to_uuid_text
from cint_nb.sandbox.world.ids import is_of_kind
from cint_nb.sandbox.world.world import World

_DAY_LIMITS = (1, 396)  # the reference's limits of a respondent-activity exclusion
_DAYS_ONLY = re.compile(r"P(\d{1,3}Y)?(\d{1,4}M)?(\d{1,4}W)?(\d{1,4}D)?", re.ASCII)


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


def _policy(world: World, request: Request) -> Response:
    group = world.group(request)
    return Response(
        body={
            "project_exclusion_enabled": group.project_exclusion,
            "create_date": world.format_time(group.created),
            "updated_by": world.actor,
            "update_date": world.format_time(group.policy_updated),
        }
    )


def _policies(world: World, request: Request) -> Response:
    groups = world.groups_of(world.project(request).id)
    policies: list[JsonObject] = [
        {"target_group_id": group.id, "project_exclusion_enabled": group.project_exclusion} for group in groups
    ]
    return Response(body=policies)


def _set_policies(world: World, request: Request) -> Response:
    project = world.project(request)
    known = {group.id: group for group in world.groups_of(project.id)}
    changes = request.body_as(list[PolicyChange])
    unknown = [number for number, item in enumerate(changes) if item["target_group_id"] not in known]
    if unknown:
        raise bad_request(*((f"[{number}].TargetGroupId", "the target group was not found.") for number in unknown))
    for item in changes:
        group = known[item["target_group_id"]]
        exclusion: Exclusion = {**(group.body.get("exclusion") or {}), "enabled": item["project_exclusion_enabled"]}
        group.body = {**group.body, "exclusion": exclusion}
        group.policy_updated = request.received_at
        world.excluded_now.pop(group.id, None)
    return Response(204)


def _activity(world: World, request: Request) -> Response:
    return Response(body={"respondent_activity_exclusions": [to_json(rule) for rule in world.group(request).activity]})


def _set_activity(world: World, request: Request) -> Response:
    group = world.group(request)
    body = request.body_as(ActivityExclusions)
    rules = parse_activity_exclusions(body["respondent_activity_exclusions"], body.get("duration", "P90D"))
    found = []
    for number, rule in enumerate(rules):
        where = f"RespondentActivityExclusions[{number}]"
        days = entry.duration_days(rule["duration"]) if _DAYS_ONLY.fullmatch(rule["duration"]) else 0
        if not _DAY_LIMITS[0] <= days <= _DAY_LIMITS[1]:
            found.append(
                (f"{where}.Duration", f"'Duration' must be between {_DAY_LIMITS[0]} and {_DAY_LIMITS[1]} days.")
            )
        if rule["id"] in (group.id, group.project_id):
            found.append((f"{where}.Id", "'Id' must not be the target group itself or its project."))
        elif rule["id"] not in (world.groups if rule["type"] == "target-group" else world.projects):
            found.append((f"{where}.Id", "'Id' was not found."))
    if found:
        raise bad_request(*found)
    group.activity = rules
    world.excluded_now.pop(group.id, None)
    return Response(204)


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
    Operation(
        name="get_target_group_exclusion_policy_api",
        method="GET",
        path=f"{TARGET_GROUP}/exclusion-policy",
        handler=_policy,
        summary="Get whether the project's completes are kept out.",
        tag=_TAG,
        response_schema="Policy",
    ),
    Operation(
        name="get_exclusion_by_project_api",
        method="GET",
        path=f"{PROJECT}/exclusions",
        handler=_policies,
        summary="List for each target group whether the project's completes are kept out.",
        tag=_TAG,
        response_schema="PolicyList",
    ),
    Operation(
        name="update_bulk_target_group_exclusions_api",
        method="PUT",
        path=f"{PROJECT}/exclusion-policies",
        handler=_set_policies,
        summary="Set for several target groups whether the project's completes are kept out.",
        tag=_TAG,
        status=204,
        request_schema="Policies",
        changes_state=True,
        aliases=("policy",),
    ),
    Operation(
        name="get_target_group_respondent_activity_exclusions",
        method="GET",
        path=f"{TARGET_GROUP}/respondent-activity-exclusions",
        handler=_activity,
        summary="Get the exclusions by activity elsewhere.",
        tag=_TAG,
        response_schema="ActivityExclusions",
    ),
    Operation(
        name="set_target_group_respondent_activity_exclusions",
        method="PUT",
        path=f"{TARGET_GROUP}/respondent-activity-exclusions",
        handler=_set_activity,
        summary="Replace the exclusions by activity elsewhere.",
        tag=_TAG,
        status=204,
        request_schema="ActivityExclusions",
        changes_state=True,
        aliases=("activity",),
    ),
)
