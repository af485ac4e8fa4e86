"""The control room under `/sandbox`: clock, faults and a look at the world. None of it exists at the real exchange."""

from __future__ import annotations

import json
from typing import Protocol, TypedDict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cint_nb.sandbox.clock import SandboxClock
from cint_nb.sandbox.faults import Fault, Faults
from cint_nb.sandbox.http.dispatch import Dispatcher
from cint_nb.sandbox.simulation import jobs
from cint_nb.sandbox.world.world import World

_SMALL = 10_000
_FARTHEST = 400 * 86_400  # one jump goes at most a good year


class Held(Protocol):
    """Stand for a sandbox: what the control room may touch."""

    clock: SandboxClock
    world: World
    faults: Faults
    dispatcher: Dispatcher

    def advance(self, seconds: float) -> None:
        """Let virtual time pass."""
        ...


class ClockState(TypedDict):
    """Hold the clock as it is told."""

    start: str
    t: float
    now: str
    speed: float | None


class ProjectState(TypedDict):
    """Hold a project as it is told."""

    id: str
    name: str


class TargetGroupState(TypedDict):
    """Hold a target group as it is told."""

    id: str
    name: str
    status: str
    goal: int
    saved: int
    entrants: int
    completes: int


class JobState(TypedDict):
    """Hold a job as it is told."""

    id: str
    kind: str
    status: str
    file_name: str


class FaultState(TypedDict):
    """Hold an armed fault as it is told."""

    fault: str
    left: int
    happened: int


class WorldState(TypedDict):
    """Hold the world as it is told."""

    clock: ClockState
    projects: list[ProjectState]
    target_groups: list[TargetGroupState]
    jobs: list[JobState]
    faults: list[FaultState]


def clock_told(sandbox: Held) -> ClockState:
    """Tell the clock: start, virtual seconds, now, speed."""
    clock = sandbox.clock
    return {"start": clock.start.isoformat(), "t": clock.t, "now": sandbox.world.text(clock.t), "speed": clock.speed}


def advance(sandbox: Held, seconds: float) -> None:
    """Let time jump and the world catch up.

    Raises:
        ValueError: for a jump backwards or beyond 400 days.
    """
    if not 0 <= seconds <= _FARTHEST:
        raise ValueError(f"seconds must be between 0 and {_FARTHEST}")
    sandbox.advance(seconds)
    jobs.catch_up(sandbox.world, sandbox.clock.t)


def world_told(sandbox: Held) -> WorldState:
    """Tell what exists, without any respondent id."""
    world = sandbox.world
    jobs.catch_up(world, sandbox.clock.t)
    return {
        "clock": clock_told(sandbox),
        "projects": [{"id": project.id, "name": project.name} for project in world.projects.values()],
        "target_groups": [
            {
                "id": group.id,
                "name": group.body["name"],
                "status": group.status,
                "goal": group.goal,
                "saved": len(group.saved),
                "entrants": group.work.counts["entrants"],
                "completes": group.work.completes,
            }
            for group in world.groups.values()
        ],
        "jobs": [
            {"id": job.id, "kind": job.kind, "status": job.status, "file_name": job.file_name}
            for job in world.jobs.values()
        ],
        "faults": [fault_told(fault) for fault in sandbox.faults.armed],
    }


def fault_told(fault: Fault) -> FaultState:
    """Tell an armed fault."""
    return {"fault": fault.text, "left": fault.left, "happened": fault.happened}


async def read_small(request: Request) -> bytes:
    """Read a small body; what goes beyond 10 kB is cut off."""
    body = b""
    async for part in request.stream():
        if len(body) <= _SMALL:
            body += part
    return body[:_SMALL]


def control_routes(sandbox: Held) -> list[Route]:
    """Return the routes of the control room."""

    async def clock(_request: Request) -> Response:
        return JSONResponse(clock_told(sandbox))

    async def jump(request: Request) -> Response:
        try:
            body = json.loads(await read_small(request))
            seconds = body["until"] - sandbox.clock.t if "until" in body else body["seconds"]
            # Two clients may wait for the same moment: the second finds it already there.
            advance(sandbox, max(0.0, float(seconds)) if "until" in body else float(seconds))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            return _refused(error)
        return JSONResponse(clock_told(sandbox))

    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            sandbox.faults.clear()
        elif request.method == "POST":
            try:
                sandbox.faults.arm(str(json.loads(await read_small(request))["fault"]))
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                return _refused(error)
        return JSONResponse({"faults": [fault_told(fault) for fault in sandbox.faults.armed]})

    async def world(_request: Request) -> Response:
        return JSONResponse(world_told(sandbox))

    return [
        Route("/sandbox/clock", clock),
        Route("/sandbox/clock/advance", jump, methods=["POST"]),
        Route("/sandbox/faults", faults, methods=["GET", "POST", "DELETE"]),
        Route("/sandbox/world", world),
    ]


def _refused(error: Exception) -> Response:
    return JSONResponse(
        {"object": "bad_request_error", "detail": str(error)[:300] or "cannot be read"}, status_code=400
    )
