"""A pytest plugin: large tables of generated cases run whole in CI, and in part wherever else the suite runs.

A test marked `sampled` runs with as few of its cases as contain each value of each of its parameters at least once; one
marked `sampled(every=3)` with each third case, for cases that have no value in common. `--every-way` runs all of them.
The choice is the same in every run and in every worker. A test marked `thorough` runs with `--every-way` only. Of what
hypothesis invents, everyday runs make a tenth: the profile that is loaded says so.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable

import pytest

EXAMPLES = 100
"""So many examples hypothesis makes of itself, and with `--every-way`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every-way", action="store_true", help="every case of the tests that are marked as sampled")


def pytest_configure(config: pytest.Config) -> None:
    """Load the profile before the test modules are imported; the controller of pytest-xdist imports none."""
    if config.getoption("numprocesses", default=None):
        return
    from hypothesis import settings

    settings.register_profile("everyday", max_examples=EXAMPLES // 10, deadline=None)
    settings.register_profile("every way", max_examples=EXAMPLES, deadline=None)
    settings.load_profile("every way" if config.getoption("--every-way") else "everyday")


def examples(number: int) -> int:
    """Return how many examples the profile makes where `number` are made with `--every-way`."""
    from hypothesis import settings

    return -(-number * settings().max_examples // EXAMPLES)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--every-way"):
        return
    tables: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in sorted(items, key=lambda item: item.nodeid):  # pytest-randomly has shuffled them
        if item.get_closest_marker("sampled"):
            tables[item.nodeid.partition("[")[0]].append(item)
    left_out = {id(item) for name, cases in tables.items() for item in set(cases).difference(chosen(name, cases))}
    left_out |= {id(item) for item in items if item.get_closest_marker("thorough")}
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if id(item) in left_out])
        items[:] = [item for item in items if id(item) not in left_out]


def chosen(name: str, cases: list[pytest.Item]) -> Iterable[pytest.Item]:
    cases = sorted(cases, key=lambda case: case.nodeid)  # pytest-randomly has shuffled them
    marker = cases[0].get_closest_marker("sampled")
    every = marker.kwargs.get("every") if marker else None
    return covering(name, cases) if every is None else cases[::every]


def covering(name: str, cases: list[pytest.Item]) -> Iterable[pytest.Item]:
    """Choose cases of one test that together have every value of every parameter; each chosen one adds the most."""
    values = {case: _values(case) for case in cases}
    # Shuffled, else ties would always take the first value of a row.
    shuffled = random.Random(name).sample(cases, len(cases))  # noqa: S311 - a choice, no secret
    missing = set().union(*values.values())
    while missing:
        best = max(shuffled, key=lambda case: len(values[case] & missing))
        missing -= values[best]
        yield best


def _values(case: pytest.Item) -> set[tuple[str, object]]:
    """Return the parameters of a case; those given as one tuple count one by one."""
    parameters: dict[str, object] = case.callspec.params  # type: ignore[attr-defined]
    return {
        (name, value if isinstance(value, str | bytes | int | None) else repr(value))
        for name, value in parameters.items()
    }
