"""Every public callable, with an odd value for each argument in turn: it works, or an error of ours says why, unsent.

The callables and their arguments are read from the public names, so that a new one is tried the day it is written.
A wrong number of arguments stays Python's own `TypeError`: such a call never began.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
import itertools
import os
import random
import subprocess
import sys
import warnings
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib as mpl
import pandas as pd
import pytest
from pydantic import BaseModel

import cint_nb as cint
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import CintError, InputError, PlanError, SettingsError
from cint_nb.domain.ids import synthetic_id
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.panels.resume import RunningJobs
from cint_nb.sandbox.openapi.examples import PROFILING
from cint_nb.wave.client import open_client
from cint_nb.wave.journal.journal import Journal
from cint_nb.wire import loop_thread
from cint_nb.wire.settings import Settings
from tests.support.constants import MANAGER, PROJECT
from tests.support.odd_values import ODD
from tests.support.plans import make_plan
from tests.support.sampling import is_everyday

RESOURCES = (
    *("projects", "target_groups", "recontacts", "exclusions", "fielding", "reports", "definitions", "profiles"),
)
FACADES = (cint, cint.errors, cint.frames, cint.plots, cint.sandbox)
RSIDS = [synthetic_id("odd", number) for number in range(20)]
RIDS = [synthetic_id("odd visit", number) for number in range(20)]


def _report() -> cint.VisitReport:
    return cint.read_report(pd.DataFrame({"RSID": RSIDS, "RID": RIDS, "Status": ["10"] * 20, "Age": ["40"] * 20}))


def _status() -> pd.DataFrame:
    row = {"goal": 10, "completes": 2, "sent": 20, "saved": 20, "entrants": 4}
    return cint.frames.status_frame([row])


class World:
    """One object of every public class, and a good value for each parameter."""

    def __init__(self, folder: Path, *, on_disk: bool = False) -> None:
        self.folder = folder
        self.client = client = open_client("sandbox", seed=1)
        self.journal = folder / "journal.sqlite3"
        if on_disk:
            client.aio._journal = Journal(self.journal)
        self.people = cint.read_respondents(RSIDS, entity_type="RSID")
        self.report = _report()
        now = client.clock.now()
        self.plan = make_plan(now, completes_goal=10)
        self.wave = self.new_wave(self.plan)
        self.ref = self.wave.create()
        self.wave.upload()
        self.job = client.recontacts.job(self.ref, client.recontacts.jobs(self.ref)[0].job_id or "")
        self.history = cint.History.open(folder / "study")
        with warnings.catch_warnings(action="ignore"):  # about what the report does not say
            self.history.add_report(self.report, as_of=now)
        self.served = cint.sandbox.ServedSandbox()
        self.owners: dict[str, Any] = {
            "client": client,
            "client.aio": client.aio,
            **{f"client.{name}": getattr(client, name) for name in RESOURCES},
            **{f"client.aio.{name}": getattr(client.aio, name) for name in RESOURCES},
            "project_status": client.project_status("Brand tracker"),
            "wave": self.wave,
            "outcome": self.wave.outcome,
            "people": self.people,
            "report": self.report,
            "crosswalk": self.report.crosswalk(),
            "history": self.history,
            "findings": self.wave.check(),
            "plan": self.plan,
            "profile": cint.Profile("gender", {"male": 50, "female": 50}),
            "choices": client.choices,
            "money": cint.Money.parse("5 EUR"),
            "ref": self.ref,
            "job": self.job,
            "snapshot": self.job.poll(),
            "sandbox": client.sandbox,
            "served": self.served,
            "population": cint.sandbox.PopulationParameters(),
            "missingness": cint.sandbox.Missingness(),
            "rules": cint.sandbox.ExchangeRules(),
            "file picker": cint.FilePicker(folder),
            "findings table": cint.FindingsTable(self.wave.check()),
            "history view": cint.HistoryView(self.history),
            "job progress": cint.JobProgress(),
            "status table": cint.StatusTable(_status()),
            "wave view": cint.WaveView(self.wave),
            "running jobs": RunningJobs(client),
        }
        self.good: dict[str, Any] = {
            "ref": self.ref,
            "target_group": self.ref,
            "plan": self.plan,
            "respondents": self.people,
            "uploadable": self.people,
            "other": self.people,
            "earlier": self.people,
            "name": "A name of odd values",
            "project": "Brand tracker",
            "project_id": self.ref.project_id,
            "project_manager_id": MANAGER,
            "target_group_id": self.ref.target_group_id,
            "budget": "1400 EUR",
            "price": "2.5 EUR",
            "amount": "2.5 EUR",
            "end_at": now + timedelta(days=9),
            "end_fielding_at": now + timedelta(days=9),
            "start_fielding_at": now + timedelta(days=1),
            "start": date(2026, 8, 1),
            "end": date(2026, 8, 31),
            "entity_type": "RSID",
            "path": "out.csv",
            "source": RSIDS,
            "client": client.aio,
            "aio": client.aio,
            "http": client.aio.http,
            "handle": self.job.handle,
            "frame": pd.DataFrame({"RSID": RSIDS, "RID": RIDS}),
            "mask": self.people.id_array[:, 0] >= 0,
            "report": self.report,
            "standing": {"first": "completed"},
            "attribute": "Age",
            "awaitable": client.aio.projects.list(),
            "column": "Age",
            "text": "5 EUR",
            "fraction": 0.1,
            "wave": self.wave,
            "job": self.job,
            "snapshot": self.job.last_snapshot,
            "findings": self.wave.check(),
            "pairs": [(RIDS[0], RSIDS[0])],
            "listener": print,
            "counts": {"saved": 5},
            "performance": None,
            "status": _status(),
            "size": 5,
            "goal": 5,
            "completes_goal": 5,
            "locale": "ger_de",
            "question": "gender",
            "profiling": PROFILING,
            "profiles": [cint.Profile("gender", {"male": 50, "female": 50})],
            "goals": {"gender": {"male": 5}},
            "questions": client.definitions.questions("ger_de", search="gender"),
            "targets": {"male": 50, "female": 50},
        }

    def new_wave(self, plan: TargetGroupPlan, name: str = "A wave of odd values") -> cint.Wave:
        return self.client.wave(name, project="Brand tracker", respondents=self.people, plan=plan)

    def sent(self) -> int:
        return self.client.requests_sent

    def fill(self, call: Callable[..., Any]) -> dict[str, Any]:
        """Return arguments for a call: good ones for what it requires, by name, else by what it takes."""
        made: dict[str, Any] = {}
        for name, parameter in inspect.signature(call).parameters.items():
            if parameter.default is not parameter.empty or parameter.kind in VARIABLE:
                continue
            text = str(parameter.annotation)
            by_kind: Any = (
                [PROJECT] if "Sequence" in text or "list" in text or "Collection" in text
                else {} if "Mapping" in text or "dict" in text
                else 5 if "int" in text
                else PROJECT
            )  # fmt: skip
            made[name] = self.good.get(name, by_kind)
        return made


VARIABLE = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
OWNERS = (
    "client", "client.aio", *(f"client.{name}" for name in RESOURCES),
    *(f"client.aio.{name}" for name in RESOURCES), "project_status", "wave", "outcome", "people", "report",
    "crosswalk", "history", "findings", "plan", "profile", "choices", "money", "ref",
    "job", "snapshot", "sandbox", "served", "population", "missingness", "rules", "file picker", "findings table",
    "history view", "job progress", "status table", "wave view", "running jobs",
)  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    before = mpl.get_backend()
    mpl.use("agg")
    made = World(tmp_path_factory.mktemp("odd"))
    yield made
    with made.served:
        made.client.close()
    mpl.use(before)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def public_methods(owner: Any) -> list[str]:
    """Return the names of the methods that this package defines in the class of an object."""
    return [
        name
        for name, member in inspect.getmembers_static(type(owner))
        if not name.startswith("_")
        and (callable(member) or isinstance(member, classmethod | staticmethod))
        and any(name in vars(base) for base in type(owner).__mro__ if base.__module__.startswith("cint_nb."))
    ]


def public_properties(owner: Any) -> list[str]:
    return [
        name
        for name, member in inspect.getmembers_static(type(owner))
        if isinstance(member, property)
        and not name.startswith("_")
        and any(name in vars(base) for base in type(owner).__mro__ if base.__module__.startswith("cint_nb."))
    ]


def public_things() -> dict[str, Any]:
    """Return what the package and its facades hand out, without modules, constants, errors and enumerations.

    Enumerations are Python's: an unknown word is its `ValueError`; what takes one of their words is ours.
    """
    return {
        name: thing
        for facade in FACADES
        for name in facade.__all__
        if callable(thing := getattr(facade, name))
        and not isinstance(thing, ModuleType)
        and not (inspect.isclass(thing) and issubclass(thing, BaseException | Enum))
    }


def share(seed: str, part: int) -> list[str]:
    """Return one of so many parts of the odd values, always the same for a seed."""
    return random.Random(seed).sample(list(ODD), len(ODD) // part)  # noqa: S311 - a choice of tests


@pytest.fixture
def part(pytestconfig: pytest.Config) -> int:
    """Which part of the odd values plain `pytest` tries: a sixth."""
    return 6 if is_everyday(pytestconfig) else 1


def finish(result: Any) -> None:
    """Wait for what a coroutine returns, and read the beginning of what an iterator yields."""
    if inspect.iscoroutine(result):
        result = loop_thread.run(result)
    if isinstance(result, AsyncIterator):
        loop_thread.run(loop_thread.collect(result))
    elif isinstance(result, cint.sandbox.ServedSandbox):
        with result:
            pass
    elif inspect.isgenerator(result):
        list(itertools.islice(result, 3))


def complaint(call: Callable[[], Any], sent: Callable[[], int] = lambda: 0) -> str:
    """Return what is wrong with a call that ended in neither a value nor a good error of ours; empty if nothing is."""
    before = sent()
    try:
        finish(call())
    except CintError as error:
        said = str(error)
        if said.encode("utf-8", "replace").decode() != said:
            return f"cannot be printed: {said}"
        if isinstance(error, InputError) and "nothing was sent" in (error.safe or "") and sent() != before:
            return f"sent {sent() - before} requests before {type(error).__name__}: {error.what}"
        return f"no next step: {said}" if isinstance(error, InputError) and not error.next_step else ""
    except Exception as error:  # noqa: BLE001 - what this test is about
        return f"{type(error).__name__}: {error}"
    return ""


def try_all(
    call: Callable[..., Any],
    good: dict[str, Any],
    sent: Callable[[], int] = lambda: 0,
    odd: Collection[str] = tuple(ODD),
) -> list[str]:
    """Call with each odd value for each parameter in turn, and return all complaints."""
    return [
        ascii(f"{name}={what}: {wrong[:160]}")
        for name, parameter in inspect.signature(call).parameters.items()
        if parameter.kind not in VARIABLE
        for what in odd
        if (wrong := complaint(functools.partial(call, **{**good, name: ODD[what]}), sent))
    ]


def test_the_walk_meets_every_public_class_and_function(world: World) -> None:
    classes = {type(owner) for owner in world.owners.values()}
    missed = [name for name, thing in public_things().items() if inspect.isclass(thing) and thing not in classes]
    assert missed == []
    assert set(OWNERS) == set(world.owners)
    assert sum(len(public_methods(owner)) for owner in world.owners.values()) > 200


@pytest.mark.sampled(every=1, deeper=True)  # by `part`
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("owner", OWNERS)
def test_a_method(world: World, owner: str, part: int) -> None:
    thing = world.owners[owner]
    odd = share(owner, 4 * part if owner.startswith("client.") else part)  # each verb is there twice: plain, to await
    wrong = {}
    for name in public_methods(thing):
        call = getattr(thing, name)
        if found := try_all(call, world.fill(call), world.sent, odd):
            wrong[name] = found
    assert wrong == {}


@pytest.mark.sampled(every=1, deeper=True)  # by `part`
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", public_things())
def test_a_function_or_constructor(world: World, name: str, part: int) -> None:
    call = public_things()[name]
    assert try_all(call, world.fill(call), world.sent, share(name, part)) == []


def test_a_callable_without_the_boundary_is_found() -> None:
    class Public:
        def verb(self, count: int) -> int:
            return count + 1

    assert any("TypeError" in wrong for wrong in try_all(Public().verb, {}))
    assert try_all(check_arguments()(Public)().verb, {}) == []


ITEMS: dict[str, Callable[[list[Any]], Any]] = {
    "a list": list,
    "a tuple": tuple,
    "an iterator": iter,
    "a generator": lambda items: (item for item in items),
}


@pytest.mark.sampled
@pytest.mark.parametrize("form", ITEMS)
@pytest.mark.parametrize("place", [0, 1, 999, 1_000, 1_500])
@pytest.mark.parametrize("odd", [None, 5, {}, b"x"])
def test_an_item_of_a_wrong_kind_is_refused_wherever_it_stands(form: str, place: int, odd: Any) -> None:
    @check_arguments()
    def join(texts: Iterable[str]) -> str:
        return "".join(texts)

    items: list[Any] = ["x"] * 1_600
    assert join(ITEMS[form](items)) == "x" * 1_600
    items[place] = odd
    with pytest.raises(InputError, match=r"join\(…, texts=…\) takes a list, each item a text"):
        join(ITEMS[form](items))


def test_a_value_of_a_mapping_is_compared_wherever_it_stands() -> None:
    @check_arguments()
    def total(counts: Mapping[str, int]) -> int:
        return sum(counts.values())

    counts: dict[Any, Any] = {str(number): number for number in range(1_600)}
    assert total(counts) == 1_279_200
    for wrong in ({"1500": "x"}, {7: 7}):
        with pytest.raises(InputError, match="takes a mapping"):
            total(counts | wrong)


def test_a_boundary_keeps_signature_and_docstring() -> None:
    async def verb(count: int, *, name: str | None = None) -> int:
        """Count."""
        return count

    checked = check_arguments()(verb)
    assert inspect.signature(checked) == inspect.signature(verb)
    assert checked.__doc__ == "Count."
    assert inspect.iscoroutinefunction(checked)


def test_a_class_imported_for_type_checkers_only_is_known_by_its_name() -> None:
    with pytest.raises(InputError, match="takes a DataFrame"):
        cint.frames.funnel_frame([1])  # type: ignore[arg-type]


# --- environments -------------------------------------------------------------------------------------------------


def _close(world: World) -> None:
    world.client.close()


def _lose_journal(world: World) -> None:
    assert world.journal.is_file()
    world.journal.unlink()


def _overwrite_journal(world: World) -> None:
    world.journal.write_text("rid\n" * 5_000)


def _lose_exchange(world: World) -> None:
    world.client.sandbox.inject("refuse", "any", times=10**9)


def _break_every_reply(world: World) -> None:
    world.client.sandbox.inject("html", "any", times=10**9)


ENVIRONMENTS = {
    "the client is closed": _close,
    "the journal is gone": _lose_journal,
    "the journal is another file": _overwrite_journal,
    "the exchange cannot be reached": _lose_exchange,
    "every reply is a web page": _break_every_reply,
}
BROUGHT = ("client", "wave", "job", "project_status", "file picker", "status table", "wave view", "running jobs")
"""What depends on where it is; the verbs of resources are reached through those of the wave."""


@pytest.mark.sampled(every=3)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_hostile_environment(tmp_path: Path, environment: str) -> None:
    world = World(tmp_path, on_disk=True)
    ENVIRONMENTS[environment](world)
    owners = {name: thing for name, thing in world.owners.items() if name.startswith(BROUGHT) and ".aio." not in name}
    wrong: dict[str, str] = {}
    for owner, thing in owners.items():
        methods = {name: getattr(thing, name) for name in public_methods(thing)}
        calls: dict[str, Callable[[], Any]] = {
            name: functools.partial(call, **world.fill(call)) for name, call in methods.items()
        }
        calls |= {name: functools.partial(getattr, thing, name) for name in public_properties(thing)}
        calls |= {"repr": functools.partial(repr, thing), "str": functools.partial(str, thing)}
        wrong |= {f"{owner}.{name}": found for name, call in calls.items() if (found := complaint(call))}
    with world.served, contextlib.suppress(CintError):
        world.client.close()
    assert wrong == {}


# --- output -------------------------------------------------------------------------------------------------------

NAME = "Wellé 2 – “日本” 🙂"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("encoding", ["ascii", "cp850", "latin-1", "utf-8"])
def test_everything_can_be_printed_on_a_console_that_knows_few_signs(
    world: World, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    plan = make_plan(world.client.clock.now(), name=NAME)
    printed = {
        **world.owners,
        "a wave": world.new_wave(plan, NAME),
        "a plan": plan,
        "a project": world.client.projects.get(world.ref.project_id).model_copy(update={"name": NAME}),
        "an error": InputError(NAME, evidence={"name": NAME}, next_step=NAME),
        "a panel": cint.FindingsTable(title=NAME),
        "a report": cint.read_report(pd.DataFrame({"RSID": RSIDS, "RID": RIDS, "Status": ["10"] * 20}), name=NAME),
    }
    console = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", console)
    for thing in printed.values():
        console.write(f"{thing}\n{thing!r}\n")
    console.flush()
    shown = console.buffer.getvalue().decode(encoding)
    assert (NAME in shown) is (encoding == "utf-8")


@pytest.mark.thorough
def test_a_script_on_such_a_console_ends_in_silence() -> None:
    script = f"""
import cint_nb as cint
client = cint.connect("sandbox")
people = cint.read_respondents({RSIDS!r}, entity_type="RSID")
wave = client.wave({NAME!r}, project="Brand tracker", respondents=people, plan=cint.TargetGroupPlan.recontact(
    business_unit_id=cint.sandbox.BUSINESS_UNIT_ID, project_manager_id=cint.sandbox.PROJECT_MANAGER_ID, locale="ger_de",
    completes_goal=5, cost_per_interview="2 EUR", expected_length_of_interview_minutes=5, expected_incidence_rate=0.5,
    live_url="https://survey.example/?RECONTACT_RSID=[%RECONTACT_RSID%]",
    start_at=client.clock.now(), end_at="2026-10-01T08:00:00Z"))
print(wave)
table = cint.StatusTable(cint.frames.status_frame([{{"name": "A group"}}]))
panels = [cint.WaveView(wave), cint.FilePicker(), client]
"""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ended = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "<Wave" in ended.stdout


def test_the_outcome_of_a_wave_can_be_drawn_as_it_is(world: World) -> None:
    drawn = cint.plots.plot_outcomes(world.owners["outcome"])
    same = cint.plots.plot_outcomes(world.owners["outcome"].counts)
    assert [each.get_text() for each in drawn.ax.texts] == [each.get_text() for each in same.ax.texts] != []


# --- plans --------------------------------------------------------------------------------------------------------


def _make(fields: dict[str, Any]) -> TargetGroupPlan | PlanError:
    try:
        return TargetGroupPlan(**fields)
    except PlanError as error:
        return error


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("field", [*TargetGroupPlan.model_fields, "completes_gaol"])
def test_a_plan_with_an_odd_field_is_refused_by_name_and_its_copy_before_anything_is_sent(
    world: World, field: str
) -> None:
    before = world.sent()
    copied = {*share(field, 4), "a price as text", "a goal as text"}
    for what, value in {**ODD, "a price as text": "5 EUR", "a goal as text": "30"}.items():
        made = _make({**dict(world.plan), field: value})
        if isinstance(made, PlanError):
            assert made.next_step, what
            assert field in str(made), what
        if what not in copied:
            continue
        if isinstance(made, PlanError):
            with pytest.raises(PlanError, match=field):
                world.plan.model_copy(update={field: value})
        else:
            assert world.plan.model_copy(update={field: value}) == made, what
        if isinstance(made, PlanError) or type(dict(made)[field]) is not type(value):
            # pydantic's own copy, as its other ways around the constructor, reads nothing
            changed = BaseModel.model_copy(world.plan, update={field: value})
            wave = world.new_wave(changed, "A wave that is never created")
            assert repr(wave)
            for verb in (wave.check, wave.create, functools.partial(wave.update, changed)):
                with pytest.raises(PlanError, match=field):
                    verb()
    assert world.sent() == before


# --- settings -----------------------------------------------------------------------------------------------------

SETTINGS = [*Settings.model_fields, "speed", "faults", "no_such_setting"]


@pytest.mark.parametrize("mode", ["sandbox", "live", "replay"])
def test_a_setting(mode: Any) -> None:
    good: dict[str, Any] = {"mode": mode}
    if mode == "live":
        good |= {"account_id": 7, "client_id": "me", "client_secret": "not-a-real-secret"}
    wrong = []
    for setting, what in itertools.chain.from_iterable(
        itertools.product([name], share(f"{mode} {name}", 5)) for name in SETTINGS
    ):
        try:
            cint.connect(**{**good, setting: ODD[what]}).close()
        except InputError as error:
            if not error.next_step or not (isinstance(error, SettingsError) or setting == "record"):
                wrong.append(f"{setting}={what}: {type(error).__name__}: {error}")
        except Exception as error:  # noqa: BLE001 - what this test is about
            wrong.append(f"{setting}={what}: {type(error).__name__}: {str(error)[:80]}")
    assert [ascii(text) for text in wrong] == []
