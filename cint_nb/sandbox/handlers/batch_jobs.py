"""Handlers for batch jobs: one action on many target groups of a project."""

from __future__ import annotations

from cint_nb.sandbox.handlers.operation import PROJECT, Handler, Operation
from cint_nb.sandbox.protocol.messages import JsonObject, Request, Response, not_found
from cint_nb.sandbox.protocol.request_bodies import Batch
from cint_nb.sandbox.simulation import jobs
from cint_nb.sandbox.world.entities import BATCH
from cint_nb.sandbox.world.world import World

_ACTIONS = ("complete", "launch", "pause", "relaunch", "resume")


def _start_handler(action: str) -> Handler:
    def handle(world: World, request: Request) -> Response:
        project = world.project(request)
        job = jobs.create_job(world, request, BATCH, project.id)
        job.action, job.targets = action, tuple(dict.fromkeys(request.body_as(Batch)["target_group_ids"]))
        jobs.start_job(world, job)
        return Response(201, headers={"Location": f"{request.path}/{job.id}"})

    return handle


def _get_handler(action: str) -> Handler:
    def handle(world: World, request: Request) -> Response:
        world.project(request)
        job = world.job(request, BATCH)
        if job.action != action:
            raise not_found("the job")
        updated: list[JsonObject] = [{"target_group_id": target} for target in job.updated]
        failed: list[JsonObject] = [
            {"target_group_id": target, "failure_reason": {"code": code, "description": description}}
            for target, code, description in job.rejected
        ]
        return Response(
            body={
                "job_id": job.id,
                "created_at": world.format_time(job.created),
                "created_by": job.created_by,
                "status": job.status,
                "updated_target_groups": {"data": updated, "has_more": False},
                "failed_target_groups": {"data": failed, "has_more": False},
            }
        )

    return handle


def _path(action: str) -> str:
    return f"{PROJECT}/batch-jobs/{action}-fielding-runs-by-target-group-id"


def _start_and_get(action: str) -> tuple[Operation, Operation]:
    return (
        Operation(
            name=f"create_bulk_{action}_target_groups_job",
            method="POST",
            path=_path(action),
            handler=_start_handler(action),
            summary=f"Try to {action} several target groups at once.",
            tag="Batch jobs",
            status=201,
            request_schema="Batch",
            changes_state=True,
            requires_idempotency_key=True,
            headers=("Location",),
            aliases=(f"batch-{action}", "batch"),
        ),
        Operation(
            name=f"get_bulk_{action}_target_groups_job",
            method="GET",
            path=f"{_path(action)}/{{job_id}}",
            handler=_get_handler(action),
            summary=f"Get a batch job that tries to {action}.",
            tag="Batch jobs",
            response_schema="BatchJob",
            aliases=("batch-status", "job"),
        ),
    )


OPERATIONS: tuple[Operation, ...] = tuple(operation for action in _ACTIONS for operation in _start_and_get(action))
