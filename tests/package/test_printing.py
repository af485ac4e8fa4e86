"""What a cell or a script prints can be printed on every console: reprs of all public classes, and all frames."""

from __future__ import annotations

import ast
import builtins
import dataclasses
import importlib
import inspect
import io
import pkgutil
import sys
import traceback
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pytest
from pydantic import BaseModel

import cint_nb as cint
from cint_nb.api import plain
from cint_nb.domain.findings import Finding, Severity
from cint_nb.domain.ids import mask_id, printable, synthetic_id
from cint_nb.domain.models import TargetGroupRef
from cint_nb.wave.client import Client, open_client
from tests.support.plans import make_plan

FACADES = (cint, cint.errors, cint.frames, cint.plots, cint.sandbox)
ROOT = Path(__file__).parents[2]
CONSOLES = ("ascii", "cp850", "latin-1", "utf-8")
NAME = "Wellé 2 – “日本” 🙂"


class _Names(dict[str, Any]):
    """The names of a module and, for annotations of type checkers only, those of all our modules."""

    def __missing__(self, name: str) -> Any:
        if hasattr(builtins, name):
            raise KeyError(name)
        ours = (each for key, each in sys.modules.items() if key.startswith("cint_nb"))
        return next((found for each in ours if inspect.isclass(found := getattr(each, name, None))), Any)


def _annotated(owner: Any) -> dict[str, Any]:
    names = _Names(getattr(inspect.unwrap(owner), "__globals__", None) or vars(sys.modules[owner.__module__]))
    found = {}
    for name, annotation in getattr(owner, "__annotations__", {}).items():
        try:
            found[name] = eval(annotation, names) if isinstance(annotation, str) else annotation  # noqa: S307
        except (AttributeError, TypeError):  # of type checkers only
            continue
    return found


def _classes(annotation: Any) -> Iterator[type]:
    for each in (annotation, typing.get_origin(annotation)):
        if inspect.isclass(each) and each.__module__.startswith("cint_nb"):
            yield each
    for part in typing.get_args(annotation):
        yield from _classes(part)


def _given_by(thing: Any) -> Iterator[type]:
    """Yield the classes of ours that a public thing returns, or has as fields and properties."""
    if not inspect.isclass(thing):
        yield from _classes(_annotated(thing).get("return"))
        return
    for annotation in _annotated(thing).values():
        yield from _classes(annotation)
    for name, member in inspect.getmembers_static(thing):
        function = getattr(member, "fget", None) or getattr(member, "func", None) or getattr(member, "__func__", member)
        if not name.startswith("_") and str(getattr(function, "__module__", "")).startswith("cint_nb."):
            yield from _classes(_annotated(function).get("return"))


def public_classes() -> set[type]:
    """Return every class of ours that public names lead to."""
    for module in pkgutil.walk_packages(cint.__path__, "cint_nb."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    left: list[Any] = [getattr(facade, name) for facade in FACADES for name in facade.__all__]
    left = [thing for thing in left if callable(thing)] + [*filter(inspect.isclass, vars(plain).values())]
    found: set[type] = set()
    while left:
        thing = left.pop()
        if thing not in found:
            left += [each for each in _given_by(thing) if each not in found]
            found |= {thing} if inspect.isclass(thing) else set()
    return found


def holds_text(made: type) -> bool:
    """Return whether a value class has a field other than numbers: what the exchange or a person wrote may be in it."""
    if not (dataclasses.is_dataclass(made) or issubclass(made, BaseModel | tuple)):
        return False
    return any(annotation not in (int, float, bool) for annotation in _annotated(made).values())


def is_fitted(made: type, name: str) -> bool:
    if getattr(made, name) is object.__str__:  # which is its repr
        return True
    code = getattr(getattr(made, name), "__code__", None)
    return code is not None and code is printable(lambda _: "").__code__  # the same wrapper


def test_the_walk_finds_what_is_handed_out() -> None:
    names = {made.__name__ for made in public_classes()}
    assert names >= {
        "Finding", "Findings", "JobSnapshot", "Money", "TargetGroupRef", "Performance", "Fault", "Job",
        "ExchangeState", "SourceInfo", "LineIndex", "ProjectSummary", "Download",
    }  # fmt: skip
    assert len(names) > 60


def test_every_public_value_is_printed_as_the_console_can() -> None:
    values = [made for made in public_classes() if holds_text(made)]
    assert len(values) > 30
    missed = [made.__name__ for made in values if not (is_fitted(made, "__repr__") and is_fitted(made, "__str__"))]
    assert sorted(missed) == []


VALUES = {
    "a finding": Finding("rule", Severity.WARN, NAME, evidence=NAME, fix=NAME),
    "findings": cint.Findings.of([Finding("rule", Severity.WARN, NAME)]),
    "a reference": TargetGroupRef(project_id=NAME, target_group_id=NAME),
    "a masked id": mask_id(synthetic_id("printing", 1)),
}


@pytest.mark.parametrize("encoding", CONSOLES)
@pytest.mark.parametrize("value", VALUES)
def test_a_value_is_printed(monkeypatch: pytest.MonkeyPatch, value: str, encoding: str) -> None:
    console = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", console)
    console.write(f"{VALUES[value]!s}\n{VALUES[value]!r}\n" if value != "a masked id" else mask_id("x" * 36))
    console.flush()
    assert (NAME in console.buffer.getvalue().decode(encoding)) is (encoding == "utf-8" and value != "a masked id")


def test_what_refused_its_arguments_is_printed_in_a_traceback_with_local_variables() -> None:
    rid, first, second = (synthetic_id("printing", number) for number in range(3))
    with pytest.raises(cint.errors.RespondentFileError) as caught:
        cint.Crosswalk([(rid, first), (rid, second)])
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "self = <Crosswalk: not complete>" in shown


def test_the_repr_of_lines_shows_nobody() -> None:
    person = synthetic_id("printing", 3)
    people = cint.read_respondents([person, "max@example.com", f"{person[:-1]}"], entity_type="RSID")
    shown = repr(people.line_index) + str(people.line_index.texts)
    assert "max@" not in shown
    assert person[:8] not in shown
    as_bytes = ",".join(str(value) for value in bytes.fromhex(person.replace("-", ""))[:4])
    assert as_bytes not in shown.replace(" ", "")


# --- frames -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with open_client("sandbox", seed=1) as client:
        yield client


def frames(client: Client) -> Iterator[tuple[str, Any]]:
    """Yield the frames of a wave and of its history, made on the console of the moment."""
    rsids, rids = ([synthetic_id(kind, number) for number in range(40)] for kind in ("printed", "printed visit"))
    odd = ["", "max@example.com", "=1+1", "12345", "x" * 36, f"{rsids[1]}, {rsids[2]}", "[%RID%]", mask_id(rsids[3])]
    people = cint.read_respondents([*rsids, *rsids[:2], *odd], entity_type="RSID")
    yield "lines", people.lines()
    yield "people", people.summary()
    yield "evidence", people.evidence(earlier=[people])
    table = pd.DataFrame(
        {
            "RSID": rsids,
            "RID": rids,
            "Status": ["10"] * 20 + ["20"] * 20,
            "Age": [str(20 + number) for number in range(40)],
            "Comment": rsids[::-1],
        }
    )
    report = cint.read_report(table)
    yield "visits", report.visits()
    yield "report", report.summary()
    yield "values", pd.Series(report.values("Comment"))
    with TemporaryDirectory() as folder:
        history = cint.History.open(f"{folder}/study")
        history.add_report(report, name="wave 1", attributes=["Age"])
        yield "parts", history.parts()
        yield "wide", history.wide().df()
        yield "long", history.long().df()
        yield "attributes", history.attributes().df()
    plan = make_plan(client.clock.now(), completes_goal=10)
    encoding = sys.stdout.encoding
    wave = client.wave(f"Printed {encoding}", project=f"For {encoding}", respondents=people, plan=plan)
    wave.create()
    wave.upload()
    yield "outcome", wave.outcome.frame()
    yield "summary of the outcome", wave.outcome.summary()
    wave.launch(budget="500 EUR")
    client.pass_time(days=1)
    assert wave.target_group is not None
    performance = client.target_groups.performance(wave.target_group)
    yield "status", wave.status()
    yield "analysis", cint.frames.analysis_frame(performance)
    yield "funnel", cint.frames.funnel_frame(wave.status())
    yield "completes", cint.frames.completes_frame(client.target_groups.completes_by_interval(wave.target_group))


@pytest.mark.sampled(every=2)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("encoding", CONSOLES)
def test_a_frame_is_printed(monkeypatch: pytest.MonkeyPatch, client: Client, encoding: str) -> None:
    console = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", console)
    printed: dict[str, str] = {}
    for name, frame in frames(client):
        with pd.option_context("display.max_rows", None, "display.max_columns", None, "display.max_colwidth", None):
            printed[name] = str(frame)
    monkeypatch.undo()
    assert _unprintable(printed, encoding) == {}
    assert len(printed) >= 15
    assert ("\u2022" in printed["visits"]) is (encoding == "utf-8")
    assert ("****" in printed["visits"]) is (encoding != "utf-8")


@pytest.mark.filterwarnings("ignore")
def test_a_frame_is_readable_at_80_columns_in_a_script(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pd.option_context("display.max_columns", 0, "display.width", 80):
        for name, frame in frames(client):
            if not isinstance(frame, pd.DataFrame) or name in ("wide", "long", "attributes"):  # made by the engine
                continue
            text = str(frame)
            assert max(map(len, text.splitlines())) <= 80, name
            assert " ... " not in text.splitlines()[0], f"{name}: a column is left out"


def test_frames_get_their_printed_form_in_one_place() -> None:
    others = []
    for room in ("study", "wave", "history"):
        for path in sorted((ROOT / "cint_nb" / room).rglob("*.py")):
            if path.name == "readable_frame.py":
                continue
            others += [
                f"{path.relative_to(ROOT)}:{node.lineno}"
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "pd.DataFrame"
            ]
    assert others == [], "these frames would be cut in a script: make a ReadableFrame"


def _unprintable(texts: dict[str, str], encoding: str) -> dict[str, str]:
    return {name: signs for name, text in texts.items() if (signs := _lost(text, encoding))}


def _lost(text: Iterable[str], encoding: str) -> str:
    return "".join(sorted({sign for sign in text if sign.encode(encoding, "ignore") == b""}))
