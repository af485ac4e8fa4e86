"""What became of each person: against the rules written out plainly, on panels that hypothesis makes."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cint_nb as cint
from cint_nb.domain.errors import InputError
from cint_nb.domain.ids import mask_id, synthetic_id
from tests.measure import naive
from tests.measure.worlds import (
    CLOSINGS,
    OPENED,
    OTHERS,
    VISITS,
    Rows,
    in_polars,
    panel,
    quiet,
    rows_of,
    same,
    visit,
    warned,
)
from tests.support.sampling import examples

REASONS = st.one_of(st.none(), st.sampled_from(VISITS), st.sampled_from(OTHERS))
TIMES = st.one_of(st.none(), st.integers(0, 6).map(lambda step: OPENED + step * 1000))
CLOSES = st.one_of(st.none(), st.sampled_from([OPENED + 7000, OPENED + 9000, OPENED + 20_000]))


@st.composite
def panels(draw: st.DrawFn) -> Rows:
    """Few people and few different times, so that every tie occurs."""
    rows = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "person": st.integers(1, 4),
                    "wave": st.sampled_from([1, 2, 5]),
                    "reason": REASONS,
                    "entered": TIMES,
                    "ended": TIMES,
                    "open_from": st.one_of(st.none(), st.just(OPENED)),
                    "open_until": CLOSES,
                    "closed_by": st.one_of(st.none(), st.sampled_from(CLOSINGS)),
                    "as_of": CLOSES,
                    "supplier": st.sampled_from(["a", "B", "ä", None]),
                    "cost": st.one_of(st.none(), st.integers(0, 3)),
                }
            ),
            min_size=1,
            max_size=14,
        )
    )
    left_out = draw(st.sets(st.sampled_from(["closed_by", "as_of", "supplier", "cost", "entered"]), max_size=2))
    return [{name: value for name, value in row.items() if name not in left_out} for row in rows]


@given(panels())
def test_they_are_those_of_the_rules(rows: Rows) -> None:
    same(rows_of(quiet(cint.measure.dispositions, in_polars(rows))), naive.dispositions(rows))


@settings(max_examples=examples(40))
@given(panels(), st.randoms())
def test_neither_order_nor_other_columns_matter(rows: Rows, random: Any) -> None:
    shuffled = [row | {"remark": "x"} for row in random.sample(rows, len(rows))]
    same(
        rows_of(quiet(cint.measure.dispositions, in_polars(shuffled))),
        rows_of(quiet(cint.measure.dispositions, in_polars(rows))),
    )


def test_the_frame_stays_as_it_is() -> None:
    frame = pd.DataFrame(panel(1, people=12)[0]).sample(frac=1, random_state=3)
    before = frame.copy(deep=True)
    for measure in (cint.measure.dispositions, cint.measure.retention, cint.measure.select):
        quiet(measure, frame)
    pd.testing.assert_frame_equal(frame, before)


@settings(max_examples=examples(40))
@given(panels())
def test_their_own_output_is_left_as_it_is(rows: Rows) -> None:
    once = quiet(cint.measure.dispositions, in_polars(rows))
    again = quiet(cint.measure.dispositions, once)
    same(rows_of(again), rows_of(once))


def test_the_order_of_words_is_that_of_strength() -> None:
    rows: Rows = []
    for person, stronger in enumerate(VISITS):
        rows += [visit(person, 1, word, after=1) for word in VISITS[person + 1 :]]  # all of them came before
        rows.append(visit(person, 1, stronger, after=2))
    found = rows_of(cint.measure.dispositions(pd.DataFrame(rows)))
    assert [row["disposition"] for row in found] == list(VISITS)


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize(
    ("closed_by", "word"),
    [
        ("end", "absent"), ("goal", "cut_off"), ("hand", "cut_off"), ("pause", "cut_off"), ("open", "pending"),
        ("not_known", "not_known"), (None, "not_known"),
    ],
)  # fmt: skip
def test_a_listed_person_without_a_visit_is_what_the_closing_says(closed_by: str | None, word: str) -> None:
    found = rows_of(
        cint.measure.dispositions(
            pd.DataFrame([visit(1, 1, None, closed_by=closed_by), visit(2, 1, "completed", after=1)])
        )
    )
    assert found[0]["disposition"] == word


def test_without_a_column_on_closing_they_are_absent_and_it_is_said() -> None:
    rows = [{"person": 1, "wave": 1, "reason": None}, {"person": 2, "wave": 1, "reason": "completed"}]
    with warned() as texts:
        found = rows_of(cint.measure.dispositions(pd.DataFrame(rows)))
    assert found[0]["disposition"] == "absent"
    assert len(texts) == 1
    assert "no column closed_by" in texts[0]


def test_where_nobody_is_without_a_reason_nothing_is_said() -> None:
    with warned() as texts:
        cint.measure.dispositions(pd.DataFrame([{"person": 1, "wave": 1, "reason": "completed"}]))
    assert texts == []


def test_whole_floats_and_empty_columns_of_odd_types_are_read() -> None:
    frame = pd.DataFrame(
        {
            "person": [1.0, 2.0],
            "wave": [1.0, 1.0],
            "reason": ["completed", "absent"],
            "entered": [float(OPENED), None],
            "supplier": [float("nan"), float("nan")],
            "cost": [None, None],
            "open_from": pd.Series([None, None], dtype="str"),
        }
    )
    found = rows_of(cint.measure.dispositions(frame))
    assert [row["person"] for row in found] == [1, 2]
    assert found[0]["entered"] == OPENED
    assert (found[0]["supplier"], found[0]["cost"], found[0]["open_from"]) == (None, None, None)


BASE: dict[str, Any] = {"person": [1, 2], "wave": [1, 1], "reason": ["completed", None], "closed_by": ["end", "goal"]}


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"reason": ["completed", "finished"]}, "'finished'"),
        ({"closed_by": ["end", "by accident"]}, "'by accident'"),
        ({"reason": [1, 2]}, "column reason holds"),
        ({"wave": [0, 1]}, "wave must be a whole number"),
        ({"wave": [1.5, 1]}, "wave must be a whole number"),
        ({"wave": [None, 1]}, "wave must be a whole number"),
        ({"wave": ["1", "2"]}, "wave must be a whole number"),
        ({"person": [None, 1]}, "person must be a key"),
        ({"person": [1.5, 1.0]}, "person must be a key"),
        ({"person": [mask_id(synthetic_id("a", 1)), "b"]}, "masked ids"),
        ({"entered": ["soon", "later"]}, "column entered holds"),
        ({"entered": pd.to_datetime(["2026-01-01", "2026-01-02"])}, "milliseconds"),
        ({"cost": ["2.75 EUR", None]}, "column cost holds"),
        ({"disposition": ["completed", None]}, "null"),
        ({"disposition": ["completed", "gone"]}, "'gone'"),
        ({"person": [1, 1], "disposition": ["completed", "absent"]}, "one row per person and wave"),
    ],
)
def test_what_cannot_be_counted_is_refused_in_words(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as refused:
        cint.measure.dispositions(pd.DataFrame(BASE | change))
    assert said in str(refused.value)
    assert refused.value.next_step


@pytest.mark.parametrize("missing", ["person", "wave", "reason"])
def test_a_missing_column_is_named(missing: str) -> None:
    with pytest.raises(InputError, match=f"no column {missing}"):
        cint.measure.dispositions(pd.DataFrame(BASE).drop(columns=missing))


def test_an_unknown_word_that_is_an_id_is_not_shown_whole() -> None:
    rsid = synthetic_id("respondent", 7)
    with pytest.raises(InputError) as refused:
        cint.measure.dispositions(pd.DataFrame(BASE | {"reason": ["completed", rsid]}))
    assert rsid not in str(refused.value)


def test_no_rows_give_no_rows_with_their_columns() -> None:
    found = cint.measure.dispositions(pd.DataFrame({"person": [], "wave": [], "reason": []}))
    assert list(found.columns) == list(naive.dispositions([visit(1, 1, None)])[0])
    assert found.empty
