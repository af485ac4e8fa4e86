"""Every public name shows itself at work: its example calls it, and prints what it says."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cint_nb as cint
from tests.support.example_stage import staged

FLAGS = doctest.NORMALIZE_WHITESPACE  # an empty last cell of a table is blanks that no file keeps
SHARES = 12
OF_A_PROCESS = {"allow_nested_loops"}
"""What changes the whole process has one of its own."""
WITHOUT = {"sandbox.Missingness.log_odds"}
"""Called by the simulation, with a person of it."""
NO_METHODS_OF = ("FilePicker", "FindingsTable", "HistoryView", "JobProgress", "StatusTable", "WaveView", "errors.")
"""Panels are shown as a whole; an error is caught, as the page on troubleshooting shows."""


def public_things() -> Iterator[tuple[str, Any]]:
    """Yield everything public that can be called, as users write it: names, methods, and the verbs of a client."""
    for name in cint.__all__:
        thing = getattr(cint, name)
        if inspect.ismodule(thing):
            yield from ((f"{name}.{each}", getattr(thing, each)) for each in thing.__all__)
        else:
            yield name, thing
    with cint.connect("sandbox") as client:
        for group, verbs in vars(client).items():
            if not group.startswith("_") and group != "aio":
                yield f"client.{group}", type(verbs)


def examples() -> Iterator[tuple[str, Any]]:
    """Yield what needs an example; a group of verbs is only its verbs, and constants and errors need none."""
    for name, thing in public_things():
        if inspect.isfunction(thing):
            yield name, thing
        elif inspect.isclass(thing) and not issubclass(thing, Exception):
            if not name.startswith("client."):
                yield name, thing
            if not name.startswith(NO_METHODS_OF):
                yield from ((f"{name}.{method}", function) for method, function in methods(thing))


def methods(thing: type) -> Iterator[tuple[str, Any]]:
    """Yield the public methods that a class of ours defines itself."""
    for name, value in vars(thing).items():
        function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        if not name.startswith("_") and inspect.isfunction(function):
            yield name, function


THINGS = {name: thing for name, thing in examples() if name not in WITHOUT}


def parsed(name: str, text: str) -> doctest.DocTest:
    return doctest.DocTestParser().get_doctest(text, {}, name, None, None)


def what_is_wrong(name: str, text: str) -> str | None:
    """Return what an example lacks: it calls the name, shows a result, and hides nothing behind an ellipsis."""
    shown = parsed(name, text).examples
    if not shown:
        return "has no example"
    word = name.rpartition(".")[2]
    if not any(re.search(rf"\b{word}\b", each.source) for each in shown) and not is_shown(word, shown):
        return "has an example that does not use it"
    results = [each.want.strip() for each in shown if each.want.strip()]
    if not results:
        return "has an example that shows no result"
    if any(each.options.get(doctest.SKIP) for each in shown) or all(set(each) <= set(".[](){} \n") for each in results):
        return "has an example that is not compared with anything"
    return None


def is_shown(word: str, shown: list[doctest.Example]) -> bool:
    """Return whether a result is an object of the class: its repr begins with its name, or the stage calls it so."""
    return (
        any(re.match(rf"<(cint_nb )?{word}\b", each.want, re.IGNORECASE) for each in shown)
        or (word == "TargetGroupPlan" and any("plan." in each.source for each in shown))
        or (word in {"Job", "JobSnapshot"} and any(re.search("job|snapshot", each.source) for each in shown))
    )


def test_every_public_name_has_an_example_that_uses_it_and_shows_the_result() -> None:
    assert {
        name: wrong for name, thing in THINGS.items() if (wrong := what_is_wrong(name, inspect.getdoc(thing) or ""))
    } == {}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("Do it.", "has no example"),
        (">>> 1\n1", "has an example that does not use it"),
        (">>> do()", "has an example that shows no result"),
        (">>> do()  # doctest: +SKIP\n1", "has an example that is not compared with anything"),
        (">>> do()  # doctest: +ELLIPSIS\n[...]", "has an example that is not compared with anything"),
        (">>> do()\n1", None),
    ],
)
def test_an_example_that_shows_nothing_is_found(text: str, wrong: str | None) -> None:
    assert what_is_wrong("thing.do", text) == wrong


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cint.sandbox.write_sample(tmp_path_factory.mktemp("sample") / "sample.csv", lines=60)


@pytest.mark.sampled(every=12)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("share", range(SHARES))
def test_the_examples_print_what_they_say(sample: Path, tmp_path: Path, share: int) -> None:
    """A share of all, since an example takes less time than to set up a test."""
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    for number, (name, thing) in enumerate([*THINGS.items()][share::SHARES]):
        if name in OF_A_PROCESS or name.startswith("measure."):  # the measures have a test of their own
            continue
        test = parsed(name, inspect.getdoc(thing) or "")
        with staged(tmp_path / str(number), sample) as stage:
            test.globs = stage.names_for("".join(each.source for each in test.examples))
            runner.run(test, out=said.append, clear_globs=False)
    assert "".join(said) == ""


@pytest.mark.parametrize("name", sorted(OF_A_PROCESS))
def test_an_example_that_changes_its_process_runs_in_one_of_its_own(name: str) -> None:
    thing = THINGS[name]
    code = f"import doctest, cint_nb as cint; doctest.run_docstring_examples(cint.{name}, {{'cint': cint}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert importlib.import_module(thing.__module__)
