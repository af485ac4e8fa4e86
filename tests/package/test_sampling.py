"""What plain pytest runs of a sampled test is a part of it, and no value of a parameter is missing from that part."""

from __future__ import annotations

import random
from itertools import product
from typing import Any
from unittest.mock import Mock

import pytest

from tests.support.sampling import chosen, covering

LETTERS, NUMBERS = "abcdefg", range(1, 12)


@pytest.fixture
def cases() -> list[Any]:
    table = [cell for cell in product(LETTERS, NUMBERS, (True, None)) if cell[:2] != ("a", 1)]
    names = ("letter", "number", "also")
    return [Mock(**{"callspec.params": dict(zip(names, cell, strict=True))}) for cell in table]


def test_the_cases_chosen_have_every_value_and_are_few(cases: list[Any]) -> None:
    chosen = [case.callspec.params for case in covering("test_it", cases)]  # type: ignore[attr-defined]
    assert {case["letter"] for case in chosen} == set(LETTERS)
    assert {case["number"] for case in chosen} == set(NUMBERS)
    assert {case["also"] for case in chosen} == {True, None}
    assert len(chosen) == len(NUMBERS)


@pytest.mark.parametrize("every", [None, 3])
def test_the_choice_is_the_same_in_whatever_order_they_come(cases: list[Any], every: int | None) -> None:
    for number, case in enumerate(cases):
        case.nodeid = f"test_it[{number}]"
        case.get_closest_marker = lambda _: pytest.mark.sampled(every=every).mark
    first = set(chosen("test_it", cases))
    random.shuffle(cases)
    assert set(chosen("test_it", cases)) == first
    assert len(first) < len(cases)
