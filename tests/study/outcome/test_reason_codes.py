"""Codes to words: both tables as published, and no code taken for another."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cint_nb.domain.errors import InputError
from cint_nb.study.outcome.reason_codes import reason_of

CLIENT = {
    10: "completed", 11: "completed", 70: "completed", 26: "reconciled", 28: "reconciled", 38: "reconciled",
    30: "quality", 33: "quality", 34: "quality", 60: "quality", 20: "screened", 80: "screened", 40: "over_quota",
    136: "closed", 62: "declined", 66: "declined", 1: "dropped", 35: "failed", 91: "failed", 134: "failed",
    135: "failed", 137: "failed", 233: "failed", 235: "failed", 110: "not_known",
}  # fmt: skip
MARKETPLACE = {
    32: "quality", 37: "quality", 38: "quality", 132: "quality", 133: "quality", 134: "quality", 234: "quality",
    238: "quality", 241: "quality", 242: "quality", 23: "screened", 24: "screened", 237: "screened",
    40: "over_quota", 41: "over_quota", 42: "closed", 50: "priced_out", 21: "blocked", 138: "blocked",
    139: "blocked", 230: "blocked", 30: "duplicate", 31: "duplicate", 35: "duplicate", 36: "duplicate",
    120: "declined", 122: "declined", 125: "declined", 236: "declined", -6: "dropped", -5: "dropped", 1: "dropped",
    3: "dropped", 98: "dropped", 123: "dropped", 124: "dropped", 126: "dropped", -1: "failed", 131: "failed",
    240: "failed", 243: "failed",
}  # fmt: skip
SHARED = [30, 35, 38, 134]
"""In both tables, with another meaning in each."""


@pytest.mark.parametrize(("code", "word"), CLIENT.items())
def test_the_client_decides(code: int, word: str) -> None:
    assert {reason_of(code, other) for other in (None, *MARKETPLACE)} == {word}


@pytest.mark.parametrize(("code", "word"), MARKETPLACE.items())
def test_the_marketplace_decides_where_the_client_does_not(code: int, word: str) -> None:
    assert reason_of(None, code) == reason_of(-1, code) == word


@pytest.mark.parametrize("code", SHARED)
def test_a_shared_number_is_not_one_code(code: int) -> None:
    assert reason_of(code, None) != reason_of(None, code)


def test_without_any_code_it_is_not_known() -> None:
    assert reason_of(None, None) == reason_of(-1, None) == "not_known"


def test_reconciling_takes_back_completes_only() -> None:
    words = {reason_of(code, None): reason_of(code, None, reconciled=True) for code in CLIENT}
    assert words.pop("completed") == "reconciled"
    assert all(word == after for word, after in words.items())


@given(st.integers(-1000, 1000))
def test_an_unknown_code_is_named_and_never_a_word(code: int) -> None:
    for arguments, known in (
        ((code, None), {-1, *CLIENT}),
        ((None, code), set(MARKETPLACE)),
        ((-1, code), set(MARKETPLACE)),
    ):
        if code in known:
            continue
        with pytest.raises(InputError, match=f"code {code} is not documented"):
            reason_of(*arguments)


def test_every_pair_has_a_word() -> None:
    pairs = itertools.product((None, -1, *CLIENT), (None, *MARKETPLACE))
    assert all(reason_of(client, marketplace) for client, marketplace in pairs)
