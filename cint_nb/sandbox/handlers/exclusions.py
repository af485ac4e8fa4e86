"""Answers about exclusions: upload, jobs, overview, effective lists, project policy, respondent activity."""

from __future__ import annotations

import re

from cint_nb.domain import limits
from cint_nb.sandbox.handlers.drafts import activity_of
from cint_nb.sandbox.handlers.operation import GROUP, PROJECT, Handler, Operation, Query, paging
from cint_nb.sandbox.handlers.recontacts import partial_text, told
from cint_nb.sandbox.handlers.upload_file import joined, read_lines, read_upload
from cint_nb.sandbox.protocol.messages import Answer, Ask, JsonObject, busy, invalid, to_json
from cint_nb.sandbox.protocol.paging import cut_positions, here
from cint_nb.sandbox.protocol.request_bodies import ActivityExclusions, Exclusion, PolicyChange
from cint_nb.sandbox.simulation import fieldwork, jobs
from cint_nb.sandbox.world.entities import EXCLUSION_REMOVAL, EXCLUSION_UPLOAD, Group, Job
from cint_nb.sandbox.world.id_store import text_of
from cint_nb.sandbox.world.world import World

_DAYS = (1, 396)  # the reference's limits of a respondent-activity exclusion
_DAYS_ONLY = re.compile(r"P(\d{1,3}Y)?(\d{1,4}M)?(\d{1,4}W)?(\d{1,4}D)?", re.ASCII)


def _upload(world: World, ask: Ask) -> Answer:
    group = world.group(ask)
    guids = ask.string_param("entity_type") == "ACCESS_RESPONDENT_GUID"
    name, content = read_upload(ask)
    keys, failed = read_lines(content)
    if group.exclusion_lock:
        raise busy()
    store = group.excluded_guids if guids else group.excluded
    known = set(store.keys())
    accepted = [key for key in dict.fromkeys(keys) if key not in known]
    if len(store) + len(accepted) > limits.IDS_PER_TARGET_GROUP:
        raise invalid(("File", f"the existing plus new ids must not exceed {limits.IDS_PER_TARGET_GROUP}."))
    job = _begin(world, ask, group, EXCLUSION_UPLOAD, len(keys) + failed)
    job.file_name, job.content, job.guids = name[:255], b"", guids
    job.accepted, job.total, job.failed, job.succeeded = joined(accepted), len(accepted), failed, len(keys)
    jobs.start(world, job)
    return Answer(201, {"job_id": job.id})


def _remove_all(world: World, ask: Ask) -> Answer:
    group = world.group(ask)
    guids = ask.string_param("entity_type") == "ACCESS_RESPONDENT_GUID"
    if group.exclusion_lock:
        raise busy()
    store = group.excluded_guids if guids else group.excluded
    job = _begin(world, ask, group, EXCLUSION_REMOVAL, len(store))
    job.total, job.guids = len(store), guids
    jobs.start(world, job)
    return Answer(201, {"job_id": job.id})


def _begin(world: World, ask: Ask, group: Group, kind: str, count: int) -> Job:
    job = jobs.create_job(world, ask, kind, group.project_id, group.id, count)
    group.exclusion_lock = job.id
    return job


def _job(kind: str) -> Handler:
    def answer(world: World, ask: Ask) -> Answer:
        job = world.job(ask, kind)
        body = {name: value for name, value in told(world, job, milliseconds=True).items() if value is not None}
        if job.status == "Completed":
            body["status"] = "Success"  # exclusion jobs say it with another word
            if job.failed:
                body["partial_success_reason"] = {"description": partial_text(job)}
        return Answer(body=body)

    return answer


def _overview(world: World, ask: Ask) -> Answer:
    group = world.group(ask)
    counts = {"saved_respondent_ids_count": len(group.excluded)}
    counts["saved_access_respondent_guids_count"] = len(group.excluded_guids)
    return Answer(body=counts)


def _effective(world: World, ask: Ask) -> Answer:
    """List who is kept out for any reason: the uploaded file, the project, recent activity."""
    group = world.group(ask)
    keys = sorted(fieldwork.excluded_keys(world, group, ask.t))
    begin, count, cursor = cut_positions(ask, 0, len(keys), group.id)
    return _id_page(ask, [text_of(key) for key in keys[begin : begin + count]], cursor)


def _guids(world: World, ask: Ask) -> Answer:
    store = world.group(ask).excluded_guids
    begin, count, cursor = cut_positions(ask, store.first, store.end, ask.params["target_group_id"])
    return _id_page(ask, store.page(begin, count), cursor)


def _id_page(ask: Ask, data: list[str], cursor: str | None) -> Answer:
    body: JsonObject = {"data": data, "url": here(ask)}
    if cursor:
        body["next_cursor"] = cursor
    return Answer(body=body)


def _policy(world: World, ask: Ask) -> Answer:
    group = world.group(ask)
    return Answer(
        body={
            "project_exclusion_enabled": group.project_exclusion,
            "create_date": world.text(group.created),
            "updated_by": world.actor,
            "update_date": world.text(group.policy_updated),
        }
    )


def _policies(world: World, ask: Ask) -> Answer:
    groups = world.groups_of(world.project(ask).id)
    told: list[JsonObject] = [
        {"target_group_id": group.id, "project_exclusion_enabled": group.project_exclusion} for group in groups
    ]
    return Answer(body=told)


def _set_policies(world: World, ask: Ask) -> Answer:
    project = world.project(ask)
    known = {group.id: group for group in world.groups_of(project.id)}
    changes = ask.body_as(list[PolicyChange])
    unknown = [number for number, item in enumerate(changes) if item["target_group_id"] not in known]
    if unknown:
        raise invalid(*((f"[{number}].TargetGroupId", "the target group was not found.") for number in unknown))
    for item in changes:
        group = known[item["target_group_id"]]
        exclusion: Exclusion = {**(group.body.get("exclusion") or {}), "enabled": item["project_exclusion_enabled"]}
        group.body = {**group.body, "exclusion": exclusion}
        group.policy_updated = ask.t
        world.excluded_now.pop(group.id, None)
    return Answer(204)


def _activity(world: World, ask: Ask) -> Answer:
    return Answer(body={"respondent_activity_exclusions": [to_json(rule) for rule in world.group(ask).activity]})


def _set_activity(world: World, ask: Ask) -> Answer:
    group = world.group(ask)
    rules = activity_of(ask.body_as(ActivityExclusions))
    found = []
    for number, rule in enumerate(rules):
        where = f"RespondentActivityExclusions[{number}]"
        days = fieldwork.days_of(rule["duration"]) if _DAYS_ONLY.fullmatch(rule["duration"]) else 0
        if not _DAYS[0] <= days <= _DAYS[1]:
            found.append((f"{where}.Duration", f"'Duration' must be between {_DAYS[0]} and {_DAYS[1]} days."))
        if rule["id"] in (group.id, group.project_id):
            found.append((f"{where}.Id", "'Id' must not be the target group itself or its project."))
        elif rule["id"] not in (world.groups if rule["type"] == "target-group" else world.projects):
            found.append((f"{where}.Id", "'Id' was not found."))
    if found:
        raise invalid(*found)
    group.activity = rules
    world.excluded_now.pop(group.id, None)
    return Answer(204)


_TAG = "Exclusions"
_JOBS = f"{GROUP}/exclusions/jobs"
_ENTITY = Query(
    "entity_type",
    {"type": "string", "enum": ["RSID", "ACCESS_RESPONDENT_GUID"]},
    required=True,
    about="What the ids are.",
)
_PAGES = paging(1000, 1000)


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="exclusion_create_upload_rids_by_file_job",
        method="POST",
        path=f"{_JOBS}/upload-respondents-by-file",
        answer=_upload,
        about="Upload a file of ids to keep out.",
        tag=_TAG,
        status=201,
        reply="JobCreated",
        query=(_ENTITY,),
        errors=(409, 413, 415),
        acts=True,
        upload=True,
        short=("exclude",),
    ),
    Operation(
        name="get_respondent_exclusions_upload_by_file_job",
        method="GET",
        path=f"{_JOBS}/upload-respondents-by-file/{{job_id}}",
        answer=_job(EXCLUSION_UPLOAD),
        about="Get an exclusion upload job.",
        tag=_TAG,
        reply="ExclusionJob",
        short=("exclusion-status", "job"),
    ),
    Operation(
        name="exclusion_create_remove_all_respondents_job",
        method="POST",
        path=f"{_JOBS}/remove-all-respondents",
        answer=_remove_all,
        about="Remove all uploaded exclusions of one kind.",
        tag=_TAG,
        status=201,
        reply="JobCreated",
        query=(_ENTITY,),
        errors=(409,),
        acts=True,
        short=("unexclude",),
    ),
    Operation(
        name="get_all_respondent_exclusions_removal_job",
        method="GET",
        path=f"{_JOBS}/remove-all-respondents/{{job_id}}",
        answer=_job(EXCLUSION_REMOVAL),
        about="Get an exclusion removal job.",
        tag=_TAG,
        reply="ExclusionJob",
        short=("exclusion-status", "job"),
    ),
    Operation(
        name="get_exclusions_overview",
        method="GET",
        path=f"{GROUP}/exclusions/overview",
        answer=_overview,
        about="Count the uploaded exclusions.",
        tag=_TAG,
        reply="ExclusionCounts",
    ),
    Operation(
        name="get_target_group_rsid_exclusion_list_api_paginated",
        method="GET",
        path=f"{GROUP}/exclusions/rsid/paginated",
        answer=_effective,
        about="List everyone who is kept out, for whatever reason.",
        tag=_TAG,
        reply="IdPage",
        query=_PAGES,
    ),
    Operation(
        name="get_target_group_access_respondent_guid_exclusion_list_api_paginated",
        method="GET",
        path=f"{GROUP}/exclusions/access-respondent-guid/paginated",
        answer=_guids,
        about="List the uploaded access respondent ids.",
        tag=_TAG,
        reply="IdPage",
        query=_PAGES,
    ),
    Operation(
        name="get_target_group_exclusion_policy_api",
        method="GET",
        path=f"{GROUP}/exclusion-policy",
        answer=_policy,
        about="Get whether the project's completes are kept out.",
        tag=_TAG,
        reply="Policy",
    ),
    Operation(
        name="get_exclusion_by_project_api",
        method="GET",
        path=f"{PROJECT}/exclusions",
        answer=_policies,
        about="List for each target group whether the project's completes are kept out.",
        tag=_TAG,
        reply="PolicyList",
    ),
    Operation(
        name="update_bulk_target_group_exclusions_api",
        method="PUT",
        path=f"{PROJECT}/exclusion-policies",
        answer=_set_policies,
        about="Set for several target groups whether the project's completes are kept out.",
        tag=_TAG,
        status=204,
        body="Policies",
        acts=True,
        short=("policy",),
    ),
    Operation(
        name="get_target_group_respondent_activity_exclusions",
        method="GET",
        path=f"{GROUP}/respondent-activity-exclusions",
        answer=_activity,
        about="Get the exclusions by activity elsewhere.",
        tag=_TAG,
        reply="ActivityExclusions",
    ),
    Operation(
        name="set_target_group_respondent_activity_exclusions",
        method="PUT",
        path=f"{GROUP}/respondent-activity-exclusions",
        answer=_set_activity,
        about="Replace the exclusions by activity elsewhere.",
        tag=_TAG,
        status=204,
        body="ActivityExclusions",
        acts=True,
        short=("activity",),
    ),
)
