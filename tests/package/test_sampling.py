"""What plain pytest runs of a sampled test is a part of it, and no value of a parameter is missing from that part."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from tests.support.sampling import Case, chosen, covering

LETTERS, NUMBERS = "abcdefg", range(1, 12)


@pytest.fixture
def cases() -> list[Case]:
    table = [cell for cell in product(LETTERS, NUMBERS, (True, None)) if cell[:2] != ("a", 1)]
    names = ("letter", "number", "also")
    return [Case(f"test_it[{number}]", dict(zip(names, cell, strict=True))) for number, cell in enumerate(table)]


def test_the_cases_chosen_have_every_value_and_are_few(cases: list[Case]) -> None:
    chosen = [case.params for case in covering("test_it", cases)]
    assert {case["letter"] for case in chosen} == set(LETTERS)
    assert {case["number"] for case in chosen} == set(NUMBERS)
    assert {case["also"] for case in chosen} == {True, None}
    assert len(chosen) == len(NUMBERS)


@pytest.mark.parametrize("every", [None, 3])
def test_the_choice_is_the_same_in_whatever_order_they_come(cases: list[Case], every: int | None) -> None:
    first = set(chosen("test_it", cases, every=every))
    random.shuffle(cases)
    assert set(chosen("test_it", cases, every=every)) == first
    assert len(first) < len(cases)


SUITE = """
import pytest

@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("number", range(5))
def test_of_some(number): pass

@pytest.mark.sampled(every=1, deeper=True)
@pytest.mark.parametrize("number", range(2))
def test_that_does_more(number): pass

@pytest.mark.thorough
def test_that_takes_long(): pass

def test_of_every_day(): pass
"""


@pytest.fixture
def collected(tmp_path: Path) -> Callable[..., list[str]]:
    (tmp_path / "test_suite.py").write_text(SUITE, encoding="utf-8")
    environment = os.environ | {
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "PYTEST_ADDOPTS": "-c /dev/null --rootdir=.",
    }

    def collect(*options: str) -> list[str]:
        command = [sys.executable, "-m", "pytest", "-p", "tests.support.sampling", "--collect-only", "-q", *options]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment)
        if ran.returncode not in (0, 5):  # 5: nothing was left to collect
            raise ValueError(ran.stderr)
        return [line.partition("::")[2] for line in ran.stdout.splitlines() if "::" in line]

    return collect


@pytest.mark.thorough  # three processes
def test_an_everyday_run_and_what_it_leaves_out_are_the_whole(collected: Callable[..., list[str]]) -> None:
    everyday, left_out, whole = (set(collected(*options)) for options in ((), ("--left-out",), ("--every-way",)))
    assert everyday | left_out == whole
    assert len(whole) == 9
    assert {name.partition("[")[0] for name in everyday & left_out} == {"test_that_does_more"}
    assert {"test_of_every_day", "test_of_some[0]"} <= everyday - left_out
    assert {"test_that_takes_long", "test_of_some[1]"} <= left_out - everyday


@pytest.mark.thorough  # eight processes
def test_the_parts_are_the_whole_and_share_no_test_that_is_marked(collected: Callable[..., list[str]]) -> None:
    parts = [name for part in (1, 2, 3) for name in collected("--left-out", f"--part={part}/3")]
    assert sorted(parts) == sorted(collected("--left-out"))
    parts = [name for part in (1, 2, 3) for name in collected("--every-way", f"--part={part}/3")]
    assert sorted(parts) == sorted([*collected("--every-way"), *["test_of_every_day"] * 2])


@pytest.mark.thorough  # six processes
@pytest.mark.parametrize(
    "options", [("--part=1/3",), *(("--left-out", f"--part={part}") for part in ("0/3", "4/3", "1", "1/0", "a/b"))]
)
def test_a_part_that_does_not_exist_is_refused(collected: Callable[..., list[str]], options: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="part"):
        collected(*options)
