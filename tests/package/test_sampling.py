"""What plain pytest runs of a sampled test is a part of it, and no value of a parameter is missing from that part."""

from __future__ import annotations

from itertools import product
from typing import Any
from unittest.mock import Mock

import pytest

from tests.support.sampling import covering

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


def test_the_choice_is_the_same_each_time(cases: list[Any]) -> None:
    assert list(covering("test_it", cases)) == list(covering("test_it", cases))
