"""A pytest plugin: large tables of generated cases run whole in CI, and in part wherever else the suite runs.

A test marked `sampled` runs with as few of its cases as contain each value of each of its parameters at least once; one
marked `sampled(every=3)` with each third case, for cases that have no value in common. `--every-way` runs all of them.
The choice is the same in every run and in every worker. `examples` does the same for what hypothesis invents. A test
marked `thorough` runs with `--every-way` only.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable

import pytest

_every_way = False


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every-way", action="store_true", help="every case of the tests that are marked as sampled")


def pytest_configure(config: pytest.Config) -> None:
    global _every_way
    _every_way = config.getoption("--every-way")


def examples(number: int) -> int:
    """Return how many examples hypothesis makes where `number` are made with `--every-way`: a third of them."""
    return number if _every_way else -(-number // 3)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--every-way"):
        return
    tables: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in sorted(items, key=lambda item: item.nodeid):  # pytest-randomly has shuffled them
        if item.get_closest_marker("sampled"):
            tables[item.nodeid.partition("[")[0]].append(item)
    left_out = {id(item) for name, cases in tables.items() for item in set(cases).difference(_chosen(name, cases))}
    left_out |= {id(item) for item in items if item.get_closest_marker("thorough")}
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if id(item) in left_out])
        items[:] = [item for item in items if id(item) not in left_out]


def _chosen(name: str, cases: list[pytest.Item]) -> Iterable[pytest.Item]:
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
