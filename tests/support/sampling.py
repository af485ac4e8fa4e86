"""A pytest plugin: large tables of generated cases run whole in CI, and in part wherever else the suite runs.

A test marked `sampled` runs with as few of its cases as contain each value of each of its parameters at least once; one
marked `sampled(every=3)` with each third case, for cases that have no value in common. With `deeper=True` each case
does more where the run is not an everyday one. The choice is the same in every run and in every worker. A test marked
`thorough` does not run every day, and of what hypothesis invents, everyday runs make a tenth: the profile that is
loaded says so.

`--every-way` runs all of it. `--left-out` runs what an everyday run leaves out: the other cases, the thorough tests and
all examples of hypothesis. With `--part=2/4` both run, of the tests marked so, the second of four parts only, alike in
size and each a mixture of all: CI, which has made an everyday run before, runs one part.
"""

from __future__ import annotations

import argparse
import random
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pytest

_everyday = pytest.StashKey[set[str]]()
EXAMPLES = 100
"""So many examples hypothesis makes of itself, and with `--every-way`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every-way", action="store_true", help="every case of the tests that are marked as sampled")
    parser.addoption("--left-out", action="store_true", help="only what a run without --every-way leaves out")
    parser.addoption("--part", type=_part, metavar="K/N", help="of the tests so marked, only the K-th of N parts")


def _part(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", text, re.ASCII)
    if found is None or int(found[1]) > int(found[2]):
        raise argparse.ArgumentTypeError(f"{text!r} is no part, such as 2/4")
    return int(found[1]), int(found[2])


def pytest_configure(config: pytest.Config) -> None:
    """Load the profile before the test modules are imported; the controller of pytest-xdist imports none."""
    config.stash[_everyday] = set()
    if config.getoption("--part") and is_everyday(config):
        raise pytest.UsageError("--part needs --left-out or --every-way")
    if config.getoption("numprocesses", default=None):
        return
    from hypothesis import settings

    settings.register_profile("everyday", max_examples=EXAMPLES // 10, deadline=None)
    settings.register_profile("every way", max_examples=EXAMPLES, deadline=None)
    settings.load_profile("everyday" if is_everyday(config) else "every way")


def examples(number: int) -> int:
    """Return how many examples the profile makes where `number` are made with `--every-way`."""
    from hypothesis import settings

    return -(-number * settings().max_examples // EXAMPLES)


def is_everyday(config: pytest.Config) -> bool:
    """Return whether only a part is run; a test that asks this itself is marked `sampled(…, deeper=True)`."""
    return not (config.getoption("--every-way") or config.getoption("--left-out"))


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Leave cases out before an item is made of each: that takes longer than many a test. A case named is made."""
    config = metafunc.config
    marker = metafunc.definition.get_closest_marker("sampled")
    if marker is None or config.getoption("--every-way") or any("[" in argument for argument in config.args):
        return
    name = metafunc.definition.nodeid
    cases = [Case(f"{name}[{each.id}]", each.params) for each in metafunc._calls]
    kept = {case.nodeid for case in chosen(name, cases, every=marker.kwargs.get("every"))}
    if config.getoption("--left-out"):
        config.stash[_everyday] |= kept
        return
    metafunc._calls = [call for call, case in zip(metafunc._calls, cases, strict=True) if case.nodeid in kept]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--every-way"):
        wanted = _is_in_part
    else:
        wanted = _is_left_out if config.getoption("--left-out") else _is_for_every_day
    if others := [item for item in items if not wanted(item)]:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if wanted(item)]


def _is_for_every_day(item: pytest.Item) -> bool:
    return item.get_closest_marker("thorough") is None


def _is_in_part(item: pytest.Item) -> bool:
    """Return whether an item stands in the part that is asked for, by its name alone, or in every part."""
    part, parts = item.config.getoption("--part") or (1, 1)
    is_marked = any(item.get_closest_marker(name) for name in ("sampled", "thorough", "hypothesis"))
    return not is_marked or zlib.crc32(item.nodeid.encode()) % parts == part - 1


def _is_left_out(item: pytest.Item) -> bool:
    """Return whether an item stands in the part asked for, and an everyday run makes none, or fewer examples in it."""
    if not _is_in_part(item):
        return False
    if item.get_closest_marker("thorough") or item.get_closest_marker("hypothesis"):
        return True
    if (marker := item.get_closest_marker("sampled")) is None:
        return False
    return marker.kwargs.get("deeper", False) or item.nodeid not in item.config.stash[_everyday]


@dataclass(frozen=True, eq=False)
class Case:
    """One case of a test: its name, and the value of each of its parameters."""

    nodeid: str
    params: Mapping[str, object]


def chosen(name: str, cases: list[Case], *, every: int | None) -> Iterable[Case]:
    cases = sorted(cases, key=lambda case: case.nodeid)
    return covering(name, cases) if every is None else cases[::every]


def covering(name: str, cases: list[Case]) -> Iterable[Case]:
    """Choose cases of one test that together have every value of every parameter; each chosen one adds the most."""
    values = {case: _values(case) for case in cases}
    # Shuffled, else ties would always take the first value of a row.
    shuffled = random.Random(name).sample(cases, len(cases))  # noqa: S311 - a choice, no secret
    missing = set().union(*values.values())
    while missing:
        best = max(shuffled, key=lambda case: len(values[case] & missing))
        missing -= values[best]
        yield best


def _values(case: Case) -> set[tuple[str, object]]:
    """Return the parameters of a case; those given as one tuple count one by one."""
    return {
        (name, value if isinstance(value, str | bytes | int | None) else repr(value))
        for name, value in case.params.items()
    }
