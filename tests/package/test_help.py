"""Whoever reads only `help(cint_nb)` can run a wave: the example runs, and each name says what it takes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import cint_nb as cint

DOCUMENTATION = cint.__doc__ or ""
(EXAMPLE,) = re.findall(r"^```python\n(.+?)^```", DOCUMENTATION, re.MULTILINE | re.DOTALL)
MODULES = ("errors", "frames", "measure", "plots", "sandbox")


def public_things() -> Iterator[tuple[str, Any]]:
    """Yield each public function, class and method of ours, under the name a user writes."""
    for prefix, room in [("", cint), *((f"{module}.", getattr(cint, module)) for module in MODULES)]:
        for name in room.__all__:
            thing = getattr(room, name)
            if inspect.isfunction(thing):
                yield prefix + name, thing
            elif inspect.isclass(thing):
                yield prefix + name, thing
                for method, raw in vars(thing).items():
                    function = raw.__func__ if isinstance(raw, classmethod | staticmethod) else raw
                    if not method.startswith("_") and inspect.isfunction(function):
                        yield f"{prefix}{name}.{method}", function


THINGS = dict(public_things())


def taken_by(thing: Any) -> list[str]:
    """Return the names of what a function, or the making of an object, takes.

    An object that a verb creates is not made by users, and its help says which verb; errors inherit theirs.
    """
    if inspect.isclass(thing) and (re.search(r"\bCreated by\b", thing.__doc__ or "") or "__init__" not in vars(thing)):
        return list(thing.model_fields) if issubclass(thing, BaseModel) else []
    function: Callable[..., Any] = thing.__init__ if inspect.isclass(thing) else thing
    return [name for name in inspect.signature(function).parameters if name not in {"self", "cls", "args", "kwargs"}]


def test_the_example_runs_a_whole_wave_on_the_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CINT_NB_MODE", "sandbox")
    shown: dict[str, Any] = {}
    exec(EXAMPLE, shown)  # noqa: S102 - our own text
    status = shown["status"]
    assert status["state"].item() == "completed"
    assert status["completes"].item() > 0
    uploaded = re.search(r"partial .* ids · ([\d,]+) saved", capsys.readouterr().out)
    assert uploaded is not None
    assert status["saved"].item() > int(uploaded[1].replace(",", "")), "some were saved when they were sent again"


def test_the_example_and_the_list_below_it_have_every_public_name() -> None:
    listed = set(re.findall(r"\w+", DOCUMENTATION))
    assert [name for name in cint.__all__ if name not in listed and name != "__version__"] == []


def test_the_list_has_no_name_that_does_not_exist() -> None:
    spans = re.findall(r"`(\w+)`", DOCUMENTATION)
    assert spans
    assert [name for name in spans if name not in cint.__all__] == []


def test_the_help_of_each_thing_explains_everything_it_takes() -> None:
    assert [name for name, thing in THINGS.items() if not inspect.getdoc(thing)] == []
    assert [
        f"{name}: {each}"
        for name, thing in THINGS.items()
        for each in taken_by(thing)
        if not re.search(rf"\b{each}\b", inspect.getdoc(thing) or "")
    ] == []


def test_no_help_leads_to_an_inner_module() -> None:
    inner = re.compile(r"cint_nb\.(?:api|cli|domain|panels|study|wave|wire)\.[\w.]+")
    found = {name: inner.findall(inspect.getdoc(thing) or "") for name, thing in THINGS.items()}
    assert {name: modules for name, modules in found.items() if modules} == {}
