"""One cell of the matrix *changed elsewhere × verb*: a stage of a wave, a change by somebody else, a verb, an end.

Each stage is built once. A cell gets a copy of its world, with the journal of the stage or with an empty one.
"""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any, get_args

from cint_nb.domain.ids import synthetic_id
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.sandbox.changes_elsewhere import CHANGES, LaggingList, field_edits
from cint_nb.sandbox.faults import Fault
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.simulation.advance import catch_up
from cint_nb.sandbox.world.entities import TargetGroup
from cint_nb.sandbox.world.id_store import to_id_bytes
from cint_nb.sandbox.world.population import PopulationParameters, UploadResult
from cint_nb.sandbox.world.world import World
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.wave.client import Client, open_client
from cint_nb.wave.journal.journal import Journal
from cint_nb.wave.wave import Wave
from cint_nb.wire.token_factory import SeededTokenFactory
from tests.support.plans import RSID_URL, make_plan

NAME, PROJECT = "Tracker, wave 2", "Brand tracker"
GOAL, BUDGET = 10, Decimal(40)
STAGES = ("new", "drafted", "uploaded", "live", "paused", "completed")
NOTHING = "nothing"
"""The control: nothing is changed."""
CHANGE_ROWS = (
    *(name for name in CHANGES if name not in ("field-edited", "replica-lags")),
    *field_edits(),
    *(f"replica-lags:{name}" for name in get_args(LaggingList)),
)
UPDATED = "expected_incidence_rate"
"""The field that the verb `update` changes."""
UNSEEN = ("template",)
"""What no documented read shows: without the journal that wrote it, the analyst names it."""


def _launch(wave: Wave) -> Any:
    return wave.launch(budget=f"{BUDGET} EUR", unverified=() if wave.client.journal.entries() else UNSEEN)


def _update(wave: Wave) -> Any:
    plan = wave.plan.model_copy(update={UPDATED: 0.7})
    # Without the journal nobody knows who wrote what stands there, so the analyst decides.
    return wave.update(plan, overwrite=() if wave.client.journal.entries() else (UPDATED,))


def _extend(wave: Wave) -> Any:
    return wave.extend(wave.plan.end_at + timedelta(days=7), budget=f"{BUDGET} EUR")


VERBS: dict[str, Callable[[Wave], Any]] = {
    "create": lambda wave: wave.create(),
    "check": lambda wave: wave.check("launch", ask=True),
    "upload": lambda wave: wave.upload(),
    "outcome": lambda wave: wave.outcome,
    "resubmit": lambda wave: wave.resubmit(),
    "lower_goal": lambda wave: wave.lower_goal(5),
    "update": _update,
    "launch": _launch,
    "status": lambda wave: wave.status(),
    "pause": lambda wave: wave.pause(),
    "resume": lambda wave: wave.resume(),
    "close": lambda wave: wave.close(),
    "raise_goal": lambda wave: wave.raise_goal(12, budget=f"{BUDGET} EUR"),
    "set_price": lambda wave: wave.set_price("3 EUR", budget=f"{BUDGET} EUR"),
    "extend": _extend,
    "relaunch": lambda wave: wave.relaunch(budget=f"{BUDGET} EUR"),
    "remove": lambda wave: wave.remove(),
}


SENT = {
    "create": "create",
    "upload": "upload",
    "resubmit": "upload",
    "lower_goal": "update-draft",
    "update": "update-draft",
    "launch": "launch",
    "pause": "pause",
    "resume": "resume",
    "close": "complete",
    "raise_goal": "goal",
    "set_price": "price",
    "extend": "update-run",
    "relaunch": "relaunch",
    "remove": "remove",
}
"""The request by which each verb changes something, which a second machine may send first."""


def may_happen(change: str, name: str) -> bool:
    """Return whether a change can happen at a stage; that of a second machine depends on the request too."""
    if change in (NOTHING, "second-machine"):
        return True
    with opened(name, with_journal=True) as (client, _):
        try:
            _inject(client.sandbox, change, "status")
        except ValueError:
            return False
    return True


def _inject(sandbox: Sandbox, change: str, verb: str) -> Fault:
    name, _, argument = change.partition(":")
    at = SENT[verb] if name == "second-machine" else "now"
    value = 3 if name == "replica-lags" else None
    return sandbox.inject(name, at, argument or None, value=value)  # type: ignore[arg-type]


# --- stages ----------------------------------------------------------------------------------------------------------


@cache
def people() -> Respondents:
    """Return a list of 30 people, of whom four are rejected, three of them only once."""
    population = Sandbox(seed=1).world.population
    wanted = {UploadResult.ACCEPTED: 26, UploadResult.ACCEPTED_LATER: 3, UploadResult.UNKNOWN: 1}
    found: list[str] = []
    for number in range(10_000):
        identifier = synthetic_id("changed elsewhere", number)
        fate = population.upload_result(to_id_bytes(identifier))
        if wanted.get(fate):
            wanted[fate] -= 1
            found.append(identifier)
    assert not any(wanted.values())
    return read_respondents(found, entity_type="RSID")


KEYS: Callable[[], frozenset[bytes]] = cache(lambda: frozenset(to_id_bytes(each) for each in people().ids))


@dataclass(frozen=True)
class Stage:
    """What happened before: a world, the keys it answered to, its time, the journal, and the plan."""

    world: World
    keys: dict[Any, Any]
    elapsed: float
    journal: Journal
    plan: TargetGroupPlan


@cache
def stage(name: str) -> Stage:
    """Build a stage, on the one before it."""
    client = open_client("sandbox", seed=1)
    # So many return that the goal is reached within days, whoever they are, and not within hours.
    client.sandbox.switch(population=PopulationParameters(returns=0.95, months_since_seen=0))
    plan = make_plan(client.clock.now(), completes_goal=GOAL, live_url=RSID_URL)
    wave = client.wave(NAME, project=PROJECT, respondents=people(), plan=plan)
    steps: list[Callable[[], Any]] = [wave.create, wave.upload, lambda: _launch(wave)]
    for step in steps[: {"new": 0, "drafted": 1, "uploaded": 2}.get(name, 3)]:
        step()
    if name == "new":
        client.projects.create(PROJECT, plan.project_manager_id)
    if name in ("live", "paused", "completed"):
        client.pass_time(hours=2)
    if name == "paused":
        wave.pause()
    if name == "completed":
        wave.close()
    client.pass_time(minutes=5)
    sandbox = client.sandbox
    catch_up(sandbox.world, sandbox.clock.elapsed)
    return Stage(sandbox.world, sandbox.dispatcher._idempotency_keys, sandbox.clock.elapsed, client.aio.journal, plan)


@contextmanager
def opened(name: str, *, with_journal: bool) -> Iterator[tuple[Client, Wave]]:
    """Open a wave on a copy of a stage, with its journal or with an empty one."""
    begun = stage(name)
    with open_client("sandbox", seed=1) as client:
        sandbox = client.sandbox
        world = copy.deepcopy(begun.world, {id(begun.world.population): begun.world.population})
        sandbox.world = sandbox.dispatcher.world = world
        sandbox.dispatcher._idempotency_keys = dict(begun.keys)
        sandbox.clock.advance_to(begun.elapsed)
        client.aio.http.token_factory = SeededTokenFactory("another process")
        if with_journal:
            before, now = begun.journal._database._memory, client.aio.journal._database._memory
            assert before is not None
            assert now is not None
            before.backup(now)
        yield client, client.wave(NAME, project=PROJECT, respondents=people(), plan=begun.plan)


# --- truth -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Group:
    """A target group as it is in the world."""

    id: str
    status: str
    body: str
    strategy: str
    price: Decimal
    currency: str
    saved: frozenset[bytes]
    run_end: float | None
    goal_count: int
    uploads: tuple[str, ...]
    jobs: tuple[tuple[str, str, str | None], ...]

    @property
    def draft(self) -> dict[str, Any]:
        """The body of the draft."""
        return dict(json.loads(self.body))

    @property
    def goal(self) -> int:
        """The completes goal."""
        return int(self.draft["completes_goal"])

    @property
    def in_field(self) -> bool:
        """Whether people can enter, or will be able to."""
        return self.status in ("scheduled", "live", "paused")

    @property
    def strangers(self) -> int:
        """How many saved people are not on the list."""
        return len(self.saved - KEYS())

    def worst_case(self, *, goal: int | None = None, price: Decimal | None = None) -> Decimal | None:
        """Return the most it can cost; None where nothing bounds it."""
        assistant = self.draft.get("fielding_assistant_assignment") or {}
        pricing = assistant.get("pricing") or {}
        overfill = (assistant.get("quota_overlay") or {}).get("prevent_overfill") is not True
        completes = goal or self.goal
        completes = max(completes, len(self.saved)) if overfill else completes
        bounds = [Decimal(str(pricing["total_budget"]["value"]))] if pricing.get("total_budget") else []
        if pricing.get("maximum_cpi"):
            cap = Decimal(str(pricing["maximum_cpi"]["value"]))
            bounds.append(completes * max(cap, self.price if price is None else price))
        return min(bounds, default=None)


@dataclass(frozen=True)
class Truth:
    """The world at one moment, read without a request."""

    projects: tuple[tuple[str, str], ...]
    groups: tuple[Group, ...]

    @property
    def group(self) -> Group | None:
        """The wave's group: the one there is, or the first of several."""
        return self.groups[0] if self.groups else None


def read_truth(sandbox: Sandbox) -> Truth:
    """Read the world."""
    world = sandbox.world
    catch_up(world, sandbox.clock.elapsed)
    projects = tuple(sorted((each.id, each.name) for each in world.projects.values()))
    return Truth(projects, tuple(_read_group(world, world.groups[key]) for key in sorted(world.groups)))


def _read_group(world: World, group: TargetGroup) -> Group:
    jobs = [job for job in world.jobs.values() if job.group_id == group.id and job.status != "Failed"]
    body = json.dumps(group.body, sort_keys=True, default=str)
    fieldwork = group.fieldwork
    return Group(
        id=group.id,
        status=group.status,
        body=body,
        strategy=group.strategy,
        price=group.cpi,
        currency=group.currency,
        saved=frozenset(group.saved.keys()),
        run_end=group.run.end if group.run else None,
        goal_count=fieldwork.prescreens if group.strategy == "prescreens" else fieldwork.completes,
        uploads=tuple(job.file_name or "" for job in jobs if job.kind == "recontact-upload"),
        jobs=tuple(sorted((job.kind, job.id, job.file_name) for job in jobs)),
    )


# --- cells -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """One cell."""

    change: str
    verb: str
    stage: str
    with_journal: bool

    def __str__(self) -> str:
        """Return the cell in words."""
        return f"{self.change} × {self.verb} × {self.stage} × {'journal' if self.with_journal else 'journal lost'}"

    @property
    def control(self) -> Cell:
        """The same cell with nothing changed."""
        return Cell(NOTHING, self.verb, self.stage, self.with_journal)


@dataclass(frozen=True)
class End:
    """How a cell ended.

    Args:
        cell: The cell.
        before: The world after the change and before the verb.
        after: The world after the verb.
        value: What the verb returned; None if it raised.
        error: What it raised.
        warnings: What Python warned of.
    """

    cell: Cell
    before: Truth
    after: Truth
    value: Any
    error: BaseException | None
    warnings: tuple[str, ...]


def run_cell(cell: Cell, verbs: dict[str, Callable[[Wave], Any]] = VERBS) -> End | None:
    """Run a cell; None if the change cannot happen there."""
    with (
        opened(cell.stage, with_journal=cell.with_journal) as (client, wave),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        sandbox = client.sandbox
        if cell.change == "second-machine" and cell.verb not in SENT:
            return None
        try:
            fault = None if cell.change == NOTHING else _inject(sandbox, cell.change, cell.verb)
        except ValueError:
            return None
        before = read_truth(sandbox)
        result, error = None, None
        try:
            result = verbs[cell.verb](wave)
        except Exception as raised:  # noqa: BLE001 - the oracle judges it
            error = raised
        if fault is not None and not fault.fired:  # the verb sent nothing that a second machine could send first
            return None
        return End(
            cell,
            before,
            read_truth(sandbox),
            result,
            error,
            tuple(str(each.message) for each in caught),
        )
