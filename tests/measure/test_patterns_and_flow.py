"""Patterns, selections and the flow: letters and sums by hand, and the rules written out plainly."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cint_nb as cint
from cint_nb.domain.errors import InputError
from tests.measure import naive
from tests.measure.worlds import CLOSINGS, OTHERS, VISITS, Rows, in_polars, quiet, rows_of
from tests.support.sampling import examples

LETTERS = {"1": "completed", "0": "screened", "?": "not_known"}


def lettered(**patterns: str) -> pl.DataFrame:
    """Return a frame in which each person has a pattern; `-` is no row."""
    rows = [
        {"person": person, "wave": wave, "reason": LETTERS[letter]}
        for person, letters in patterns.items()
        for wave, letter in enumerate(letters, start=1)
        if letter != "-"
    ]
    return in_polars(rows)


@st.composite
def panels(draw: st.DrawFn) -> Rows:
    row = st.fixed_dictionaries(
        {
            "person": st.integers(1, 6),
            "wave": st.sampled_from([1, 2, 3, 7]),
            "reason": st.sampled_from([*VISITS[:4], *OTHERS, None, "completed", "completed"]),
            "closed_by": st.sampled_from(CLOSINGS),
        }
    )
    return draw(st.lists(row, min_size=1, max_size=24))


@settings(max_examples=examples(60), deadline=None)
@given(panels())
def test_patterns_are_those_of_the_rules(rows: Rows) -> None:
    found = rows_of(quiet(cint.measure.patterns, in_polars(rows)))
    counts = Counter(naive.letters(rows).values())
    ordered = sorted(counts, key=lambda letters: (-counts[letters], letters))
    total = sum(counts.values())
    assert found == [
        {"pattern": each, "type": naive.pattern(each), "n": counts[each], "share": pytest.approx(counts[each] / total)}
        for each in ordered
    ]


@pytest.mark.parametrize(
    ("letters", "kind"),
    [
        ("1111", "always"), ("1100", "leaver"), ("0011", "late"), ("1001", "returner"), ("0000", "never"),
        ("10?1", "not_known"), ("1010", "intermittent"), ("0110", "intermittent"), ("-1-1", "always"),
        ("1-0-", "leaver"),
    ],
)  # fmt: skip
def test_the_type_of_a_pattern(letters: str, kind: str) -> None:
    frame = lettered(a=letters, z="1111")
    assert {row["pattern"]: row["type"] for row in rows_of(cint.measure.patterns(frame))}[letters] == kind


def test_people_who_were_listed_and_never_asked_are_so_called() -> None:
    rows = [{"person": 1, "wave": 1, "reason": "rejected"}, {"person": 2, "wave": 1, "reason": "completed"}]
    found = rows_of(cint.measure.patterns(in_polars(rows)))
    assert [(row["pattern"], row["type"]) for row in found] == [("-", "never_asked"), ("1", "always")]


def test_some_waves_only_and_without_the_people_who_have_none_of_them() -> None:
    frame = lettered(a="110", b="1-0", c="--1")
    found = rows_of(cint.measure.patterns(frame, waves=[2, 1]))
    assert [(row["pattern"], row["n"]) for row in found] == [("1-", 1), ("11", 1)]


@settings(max_examples=examples(40), deadline=None)
@given(
    panels(),
    st.sampled_from(["data", "attrition"]),
    st.booleans(),
    st.integers(0, 3),
    st.one_of(st.none(), st.integers(0, 2)),
)
def test_selections_are_those_of_the_rules(rows: Rows, gaps: str, endpoints: bool, done: int, gap: int | None) -> None:
    letters = naive.letters(rows)
    waves = sorted({row["wave"] for row in rows})
    done = min(done, len(waves))
    found = rows_of(
        quiet(
            cint.measure.select, in_polars(rows), gaps=gaps, endpoints=endpoints, min_done=done, max_gap=gap,
            last_since=2,
        )
    )  # fmt: skip
    expected = []
    for person, signs in letters.items():
        facts = naive.gaps(signs, waves, gaps)
        kept = facts["done"] >= done and (facts["last"] or 0) >= 2
        kept = kept and (gap is None or facts["longest_gap"] <= gap) and (not endpoints or facts["endpoints"])
        del facts["endpoints"]
        expected.append({"person": person, **facts, "kept": int(kept)})
    assert [row | {"coverage": None} for row in found] == [row | {"coverage": None} for row in expected]
    assert [row["coverage"] for row in found] == [
        pytest.approx(row["coverage"]) if row["coverage"] is not None else None for row in expected
    ]


def test_seven_people_under_three_rules() -> None:
    frame = lettered(a="111111", b="101111", c="100111", d="110110", e="111000", f="011111", g="100000")
    rules: dict[str, dict[str, Any]] = {
        "no gap": {"min_done": 2, "max_gaps": 0},
        "short gaps": {"min_done": 4, "max_gap": 1},
        "both ends": {"endpoints": True},
    }
    kept = {
        rule: [row["person"] for row in rows_of(cint.measure.select(frame, **arguments)) if row["kept"]]
        for rule, arguments in rules.items()
    }
    assert kept == {"no gap": ["a", "e", "f"], "short gaps": ["a", "b", "d", "f"], "both ends": ["a", "b", "c"]}


@settings(max_examples=examples(40), deadline=None)
@given(panels())
def test_the_boxes_of_the_flow_sum_exactly_and_are_those_of_the_rules(rows: Rows) -> None:
    found = rows_of(quiet(cint.measure.flow, in_polars(rows)))
    people = naive.dispositions(rows)
    for wave in sorted({row["wave"] for row in rows}):
        boxes = [row for row in found if row["wave"] == wave]
        n = {row["box"]: row["n"] for row in boxes}
        assert len(boxes) == len(n) == 26
        for parent, split in {(row["parent"], row["split"]) for row in boxes if row["parent"]}:
            assert sum(row["n"] for row in boxes if (row["parent"], row["split"]) == (parent, split)) == n[parent]
        words = Counter(row["disposition"] for row in people if row["wave"] == wave)
        for word in (*VISITS, "absent", "cut_off", "pending", "not_known", "rejected", "erased"):
            assert n[word] == words[word]
        first = {
            person: min(row["wave"] for row in people if row["person"] == person)
            for person in {row["person"] for row in people}
        }
        assert n["known"] == sum(since <= wave for since in first.values())
        assert n["new"] == sum(since == wave for since in first.values())


def test_some_waves_of_the_flow_are_those_of_the_whole() -> None:
    frame = lettered(a="110", b="1-0", c="--1")
    whole = [row for row in rows_of(cint.measure.flow(frame)) if row["wave"] == 3]
    assert rows_of(cint.measure.flow(frame, waves=[3])) == whole
    assert {row["box"]: row["n"] for row in whole}["carried"] == 2


@pytest.mark.parametrize("measure", ["patterns", "flow", "select", "methods_text"])
@pytest.mark.parametrize(("waves", "said"), [([1, 9], "no wave 9"), ([], "names no wave")])
def test_waves_that_do_not_exist_are_refused(measure: str, waves: list[int], said: str) -> None:
    with pytest.raises(InputError, match=said):
        getattr(cint.measure, measure)(lettered(a="11"), waves=waves)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"gaps": "both"}, "gaps"),
        ({"min_done": 3}, "min_done"),
        ({"min_done": -1}, "min_done"),
        ({"max_gap": -1}, "max_gap"),
    ],
)
def test_rules_that_cannot_hold_are_refused(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        cint.measure.select(lettered(a="11"), **arguments)


@pytest.mark.parametrize("measure", ["patterns", "flow", "select"])
def test_no_rows_give_no_rows_with_their_columns(measure: str) -> None:
    call = getattr(cint.measure, measure)
    empty = call(pd.DataFrame({"person": [], "wave": [], "reason": []}))
    assert empty.empty
    assert list(empty.columns) == list(call(lettered(a="11")).columns)
