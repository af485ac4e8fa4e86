"""What plain pytest runs of a sampled test is a part of it, and no value of a parameter is missing from that part."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.sampling import covering

LETTERS, NUMBERS = "abcdefg", range(1, 12)


class FakeCase(SimpleNamespace):
    __hash__ = object.__hash__


@pytest.fixture
def cases() -> list[Any]:
    table = [cell for cell in product(LETTERS, NUMBERS, (True, None)) if cell[:2] != ("a", 1)]
    names = ("letter", "number", "also")
    return [FakeCase(callspec=SimpleNamespace(params=dict(zip(names, cell, strict=True)))) for cell in table]


def test_the_cases_chosen_have_every_value_and_are_few(cases: list[Any]) -> None:
    chosen = [case.callspec.params for case in covering("test_it", cases)]
    assert {case["letter"] for case in chosen} == set(LETTERS)
    assert {case["number"] for case in chosen} == set(NUMBERS)
    assert {case["also"] for case in chosen} == {True, None}
    assert len(chosen) == len(NUMBERS)


def test_the_choice_is_the_same_each_time(cases: list[Any]) -> None:
    assert list(covering("test_it", cases)) == list(covering("test_it", cases))
