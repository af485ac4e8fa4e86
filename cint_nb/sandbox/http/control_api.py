"""The control API under `/sandbox`: clock, faults and state. None of it exists on the real exchange."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import NotRequired, Protocol, TypedDict, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cint_nb.sandbox.changes_elsewhere import ChangeName
from cint_nb.sandbox.clock import SandboxClock
from cint_nb.sandbox.draft_edits import DraftField
from cint_nb.sandbox.faults import Fault, FaultPlan, write_fault
from cint_nb.sandbox.http.change_runner import ChangeRunner
from cint_nb.sandbox.http.dispatch import Dispatcher
from cint_nb.sandbox.moment import nearest
from cint_nb.sandbox.protocol.messages import JsonObject
from cint_nb.sandbox.simulation import metrics
from cint_nb.sandbox.simulation.advance import catch_up
from cint_nb.sandbox.world.entities import Job, TargetGroup
from cint_nb.sandbox.world.world import World

_MAX_BODY_BYTES = 10_000
_FAULT_PARTS = frozenset({"fault", "name", "at", "argument", "value", "times", "skip", "target"})
_MAX_ADVANCE_SECONDS = 400 * 86_400  # one advance is at most about a year
_CHART_POINTS = 48


class SandboxLike(Protocol):
    """Protocol for a sandbox: what the control API may use."""

    clock: SandboxClock
    world: World
    faults: FaultPlan
    dispatcher: Dispatcher
    changes: ChangeRunner

    def advance(self, seconds: float) -> None:
        """Advance virtual time."""
        ...


class ClockState(TypedDict):
    """The clock as JSON."""

    start: str
    t: float
    now: str
    speed: float | None


class ProjectState(TypedDict):
    """A project as JSON."""

    id: str
    name: str


class CompletesState(TypedDict):
    """The completes of a target group by a time."""

    at: str
    completes: int


class TargetGroupState(TypedDict):
    """A target group as JSON: how many people came, how their visits ended, and the completes over time."""

    id: str
    human_readable_id: str
    name: str
    project: str
    status: str
    goal: int
    saved: int
    entrants: int
    in_survey: int
    completes: int
    outcomes: dict[str, int]
    created_at: str
    completes_over_time: list[CompletesState]


class JobState(TypedDict):
    """A job as JSON; `ends_at` is when it ended, None while it runs."""

    id: str
    kind: str
    status: str
    file_name: str | None
    target_group: str | None
    created_at: str
    ends_at: str | None


class FaultState(TypedDict):
    """An armed fault as JSON; `problem` says why it did not happen the last time."""

    fault: str
    left: int
    happened: int
    problem: NotRequired[str]


class WorldState(TypedDict):
    """The world as JSON."""

    clock: ClockState
    projects: list[ProjectState]
    target_groups: list[TargetGroupState]
    jobs: list[JobState]
    faults: list[FaultState]


def clock_to_json(clock: SandboxClock) -> ClockState:
    """Return a clock as JSON: start, virtual seconds, now, speed."""
    t = clock.elapsed
    now = (clock.start + timedelta(seconds=t)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"start": clock.start.isoformat(), "t": t, "now": now, "speed": clock.speed}


def advance(sandbox: SandboxLike, seconds: float) -> None:
    """Advance time and process everything that is due.

    Raises:
        ValueError: for a negative number of seconds or more than 400 days.
    """
    if not 0 <= seconds <= _MAX_ADVANCE_SECONDS:
        raise ValueError(f"seconds must be between 0 and {_MAX_ADVANCE_SECONDS}")
    sandbox.advance(seconds)
    catch_up(sandbox.world, sandbox.clock.elapsed)


def world_to_json(sandbox: SandboxLike) -> WorldState:
    """Return everything that exists as JSON, without any respondent id."""
    world = sandbox.world
    catch_up(world, sandbox.clock.elapsed)
    t = sandbox.clock.elapsed
    return {
        "clock": clock_to_json(sandbox.clock),
        "projects": [{"id": project.id, "name": project.name} for project in world.projects.values()],
        "target_groups": [
            _group_to_json(world, group, t)
            for group in sorted(world.groups.values(), key=lambda group: group.id, reverse=True)
        ],
        "jobs": [_job_to_json(world, job) for job in sorted(world.jobs.values(), key=lambda job: job.id, reverse=True)],
        "faults": [fault_to_json(fault) for fault in sandbox.faults.armed],
    }


def _group_to_json(world: World, group: TargetGroup, t: float) -> TargetGroupState:
    fieldwork = group.fieldwork
    return {
        "id": group.id,
        "human_readable_id": group.human_readable_id,
        "name": group.body["name"],
        "project": world.projects[group.project_id].name,
        "status": group.status,
        "goal": group.goal,
        "saved": len(group.saved),
        "entrants": fieldwork.counts["entrants"],
        "in_survey": len(fieldwork.active_visits),
        "completes": fieldwork.completes,
        "outcomes": {name: count for name, count in fieldwork.counts.most_common() if name != "entrants"},
        "created_at": world.format_time(group.created),
        "completes_over_time": _completes_to_json(world, group, t),
    }


def _completes_to_json(world: World, group: TargetGroup, t: float) -> list[CompletesState]:
    """Return the completes at the start of fielding and by the end of each of its parts."""
    run = group.run
    if run is None or run.start >= t:
        return []
    step = timedelta(seconds=max(60.0, (t - run.start) / _CHART_POINTS))
    intervals = metrics.completes_by_interval(world, group, step, t)
    ends: list[CompletesState] = [
        {"at": str(one["timestamp"]), "completes": int(str(one["count"]))} for one in intervals
    ]
    return [{"at": world.format_time(run.start), "completes": 0}, *ends]


def _job_to_json(world: World, job: Job) -> JobState:
    group = world.groups.get(job.group_id) if job.group_id is not None else None
    return {
        "id": job.id,
        "kind": job.kind,
        "status": job.status,
        "file_name": job.file_name,
        "target_group": group.body["name"] if group is not None else None,
        "created_at": world.format_time(job.created),
        "ends_at": world.format_time(job.ends_at) if job.status != "Processing" else None,
    }


def fault_to_json(fault: Fault) -> FaultState:
    """Return an armed fault as JSON."""
    state: FaultState = {"fault": fault.text, "left": fault.remaining, "happened": fault.fired}
    if fault.problem is not None:
        state["problem"] = fault.problem
    return state


def arm(sandbox: SandboxLike, body: JsonObject) -> None:
    """Arm a fault that is given as text, or by its parts: the arguments of `write_fault`.

    Raises:
        ValueError: when it is not valid, or a change that cannot happen now.
        KeyError: when its text, or its name and moment are missing.
    """
    if "fault" in body:
        sandbox.faults.arm(str(body["fault"]))
        return
    for part in body:
        if part not in _FAULT_PARTS:
            near = nearest(part, _FAULT_PARTS)
            raise ValueError(f"{part!r:.40} is no part of a fault; {near}write {', '.join(sorted(_FAULT_PARTS))}")
    text = write_fault(
        cast("ChangeName", str(body["name"])),  # `arm` refuses what is none
        str(body["at"]),
        cast("DraftField | None", body.get("argument")),
        value=body.get("value"),
        times=int(str(body.get("times", 1))),
        skip=int(str(body.get("skip", 0))),
        target=cast("str | None", body.get("target")),
    )
    sandbox.faults.arm(text)


async def read_limited_body(request: Request) -> bytes:
    """Read a small body, truncated to 10 kB."""
    body = b""
    async for part in request.stream():
        if len(body) <= _MAX_BODY_BYTES:
            body += part
    return body[:_MAX_BODY_BYTES]


def clock_routes(clock: SandboxClock, move: Callable[[float], None]) -> list[Route]:
    """Return the routes that read and advance a clock.

    Args:
        clock: The clock.
        move: Advances it by some seconds, with all that is due by then; ValueError when that makes no sense.
    """

    async def read(_request: Request) -> Response:
        return JSONResponse(clock_to_json(clock))

    async def advance_clock(request: Request) -> Response:
        try:
            body = json.loads(await read_limited_body(request))
            seconds = body["until"] - clock.elapsed if "until" in body else body["seconds"]
            # Two clients may wait for the same moment: the second finds it already there.
            move(max(0.0, float(seconds)) if "until" in body else float(seconds))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            return error_response(error)
        return JSONResponse(clock_to_json(clock))

    return [
        Route("/sandbox/clock", read),
        Route("/sandbox/clock/advance", advance_clock, methods=["POST"]),
    ]


def control_routes(sandbox: SandboxLike) -> list[Route]:
    """Return the routes of the control API."""

    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            text = request.query_params.get("fault")
            if text is None:
                sandbox.faults.clear()
            else:
                try:
                    sandbox.faults.disarm(text)
                except ValueError as error:
                    return error_response(error)
        elif request.method == "POST":
            try:
                arm(sandbox, json.loads(await read_limited_body(request)))
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                return error_response(error)
        return JSONResponse({"faults": [fault_to_json(fault) for fault in sandbox.faults.armed]})

    async def world(_request: Request) -> Response:
        return JSONResponse(world_to_json(sandbox))

    return [
        *clock_routes(sandbox.clock, partial(advance, sandbox)),
        Route("/sandbox/faults", faults, methods=["GET", "POST", "DELETE"]),
        Route("/sandbox/world", world),
    ]


def error_response(error: Exception) -> Response:
    """Return the response to a control request that makes no sense."""
    return JSONResponse(
        {"object": "bad_request_error", "detail": str(error)[:300] or "cannot be read"}, status_code=400
    )
