"""What plain pytest runs of a sampled test is a part of it, and no value of a parameter is missing from that part."""

from __future__ import annotations

import random
from itertools import product

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
