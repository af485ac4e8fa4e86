"""Rates and times: against sums by hand, the rules written out plainly, and statsmodels."""

from __future__ import annotations

import math
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight, survdiff
from statsmodels.stats.proportion import proportion_confint

import cint_nb as cint
from cint_nb.domain.errors import InputError
from tests.measure import naive
from tests.measure.worlds import (
    HOUR,
    OPENED,
    Rows,
    in_duckdb,
    in_polars,
    panel,
    quiet,
    rows_of,
    same,
    shares,
    visit,
    warned,
)  # fmt: skip
from tests.support.sampling import examples

BASES = ("asked", "first", "previous", "ever")


@st.composite
def fielded(draw: st.DrawFn) -> Rows:
    """A panel of which every time is known; few hours, so that events and censoring tie."""
    rows: Rows = []
    for wave in draw(st.lists(st.sampled_from([1, 2, 4]), min_size=1, max_size=3, unique=True)):
        for person in draw(st.lists(st.integers(1, 9), min_size=1, max_size=9, unique=True)):
            closes = draw(st.sampled_from([3, 6]))
            word = draw(
                st.sampled_from(
                    ["completed", "completed", "screened", "over_quota", "closed", "dropped", None, None, "rejected",
                     "not_known"]
                )
            )  # fmt: skip
            after = draw(st.integers(0, closes))
            opened = OPENED + wave * HOUR * 1000
            rows.append(
                {
                    "person": person,
                    "wave": wave,
                    "reason": word,
                    "entered": opened + after * HOUR
                    if word in ("completed", "screened", "over_quota", "closed", "dropped")
                    else None,
                    "ended": opened + after * HOUR if word == "completed" and draw(st.booleans()) else None,
                    "open_from": opened,
                    "open_until": opened + closes * HOUR,
                    "closed_by": draw(st.sampled_from(["end", "goal", "pause", "open"])),
                }
            )
    return rows


@settings(max_examples=examples(90), deadline=None)
@given(fielded(), st.sampled_from(BASES))
def test_counts_and_estimates_are_those_of_the_rules(rows: Rows, base: str) -> None:
    found = rows_of(quiet(cint.measure.retention, in_polars(rows), base=base))
    expected = naive.retention_counts(rows, base)
    assert [{name: row[name] for name in wanted} for row, wanted in zip(found, expected, strict=True)] == expected
    for row in found:
        observed = naive.times(rows, base, row["wave"])
        if not observed:
            assert row["km_share"] is None
            continue
        horizon = row["horizon"] * HOUR
        longest = max(r["open_until"] - r["open_from"] for r in rows if r["wave"] == row["wave"])
        if row["km_share"] is None:
            assert horizon > min(longest, max(time for time, _ in observed)) - 1 or horizon > longest
            continue
        survival, _ = naive.survival(observed, horizon)
        assert math.isclose(row["km_share"], 1 - survival, abs_tol=1e-12)
        assert row["at_risk"] == sum(time >= horizon for time, _ in observed)


@settings(max_examples=examples(30), deadline=None)
@given(fielded(), st.sampled_from(BASES))
def test_the_curve_passes_through_the_estimate(rows: Rows, base: str) -> None:
    frame = in_polars(rows)
    curve = rows_of(quiet(cint.measure.retention_curve, frame, base=base))
    for row in rows_of(quiet(cint.measure.retention, frame, base=base)):
        if row["km_share"] is not None:
            reached = [
                point["share"] for point in curve if point["wave"] == row["wave"] and point["hours"] <= row["horizon"]
            ]
            assert math.isclose(row["km_share"], reached[-1] if reached else 0.0, abs_tol=1e-12)


def test_people_of_a_part_that_closed_when_it_opened_are_at_risk_of_nothing_later() -> None:
    for opened in (0, OPENED):
        rows = [
            visit(1, 1, "completed", entered=opened, ended=opened, open_from=opened, open_until=opened + 5 * HOUR),
            visit(
                2, 1, "completed", entered=opened, ended=opened + HOUR, open_from=opened, open_until=opened + 5 * HOUR
            ),
            visit(3, 1, None, open_from=opened, open_until=opened, closed_by="goal"),
            visit(4, 1, None, open_from=opened, open_until=opened + 5 * HOUR),
        ]
        found = rows_of(quiet(cint.measure.retention_curve, in_polars(rows)))
        assert [(row["hours"], row["at_risk"], row["events"]) for row in found] == [(0.0, 4, 1), (1.0, 2, 1)]
        assert found[-1]["share"] == pytest.approx(1 - 3 / 4 * 1 / 2)


def test_who_completes_after_the_closing_is_not_alone_at_risk() -> None:
    rows = [visit(1, 1, "completed", after=1), visit(2, 1, "completed", after=167.9)]  # and takes ten minutes
    rows += [visit(person, 1, None) for person in (3, 4)]
    found = rows_of(quiet(cint.measure.retention_curve, in_polars(rows)))
    assert [(row["hours"], row["at_risk"], row["share"]) for row in found[1:]] == [(168.0, 3, pytest.approx(0.5))]
    (row,) = rows_of(quiet(cint.measure.retention, in_polars(rows)))
    assert row["km_share"] == pytest.approx(row["share"])


def test_a_wave_by_hand() -> None:
    """Ten people: completes after 1, 2 and 30 hours, one turned away after 2, one cut off after 20, five absent."""
    rows = [visit(person, 1, "completed", after=hours) for person, hours in ((1, 1), (2, 2), (3, 30))]
    rows.append(visit(4, 1, "over_quota", after=2))
    rows.append(visit(5, 1, None, open_until=OPENED + 20 * HOUR, closed_by="goal"))
    rows += [visit(person, 1, None) for person in range(6, 11)]
    for row in rows:  # completes at whole hours
        row["ended"] = row["entered"]
    (found,) = rows_of(quiet(cint.measure.retention, in_polars(rows), horizon=48))
    survival = 9 / 10 * 8 / 9 * 5 / 6  # at 30 hours four are gone: two completed, one turned away, one cut off
    greenwood = 1 / (10 * 9) + 1 / (9 * 8) + 1 / (6 * 5)
    spread = 1.959963984540054 * math.sqrt(greenwood) / -math.log(survival)
    assert math.isclose(found["km_share"], 1 - survival)
    assert math.isclose(found["km_low"], 1 - survival ** math.exp(-spread))
    assert math.isclose(found["km_high"], 1 - survival ** math.exp(spread))
    assert (found["n"], found["completed"], found["cut_off"], found["at_risk"]) == (10, 3, 1, 5)
    assert (found["kind"], found["closed_by"], found["exposure"]) == ("lower_bound", "mixed", 20)


@pytest.mark.parametrize("conf", [0.8, 0.95, 0.99])
def test_curve_and_interval_are_those_of_statsmodels(conf: float) -> None:
    rows, _ = panel(5, people=80, waves=2, goal_in=2)
    observed = naive.times(rows, "asked", 2)
    model = SurvfuncRight(np.array([time for time, _ in observed]), np.array([event for _, event in observed]))
    z = -float(__import__("statistics").NormalDist().inv_cdf((1 - conf) / 2))
    curve = [
        point
        for point in rows_of(quiet(cint.measure.retention_curve, in_polars(rows), conf=conf))
        if point["wave"] == 2
    ]
    assert [point["at_risk"] for point in curve] == model.n_risk.astype(int).tolist()
    for point, survival, se in zip(curve, model.surv_prob, model.surv_prob_se, strict=True):
        assert math.isclose(point["share"], 1 - survival, rel_tol=1e-9)
        assert math.isclose(point["se"], se, rel_tol=1e-9)
        spread = z * se / (survival * -math.log(survival))
        assert math.isclose(point["low"], 1 - survival ** math.exp(-spread), rel_tol=1e-8)
        assert math.isclose(point["high"], 1 - survival ** math.exp(spread), rel_tol=1e-8)


@pytest.mark.parametrize(("completed", "people"), [(0, 5), (5, 5), (1, 3), (254, 331), (1122, 5000)])
def test_the_interval_of_a_share_is_wilsons(completed: int, people: int) -> None:
    (found,) = rows_of(cint.measure.retention(in_polars(shares([(completed, people)])), conf=0.9))
    low, high = proportion_confint(completed, people, alpha=0.1, method="wilson")
    assert math.isclose(found["low"], low, abs_tol=1e-12)
    assert math.isclose(found["high"], high, abs_tol=1e-12)


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("seed", range(4))
def test_the_log_rank_test_is_that_of_statsmodels(seed: int) -> None:
    rows, attributes = panel(seed, people=90, waves=1)
    device = {row["person"]: row["device"] for row in attributes}
    frame = pd.DataFrame([row | {"device": device[row["person"]]} for row in rows])
    (found,) = rows_of(quiet(cint.measure.logrank, frame, by="device"))
    people = {row["person"]: row for row in naive.dispositions(rows)}
    times, events, groups = [], [], []
    for person in sorted(people):
        (observed,) = naive.times([row for row in rows if row["person"] == person], "asked", 1)
        times.append(observed[0])
        events.append(observed[1])
        groups.append(device[person])
    chi2, p = survdiff(np.array(times), np.array(events), np.array(groups))
    assert (found["groups"], found["events"], found["df"]) == (3, sum(events), 2)
    assert math.isclose(found["chi2"], chi2, rel_tol=1e-9)
    assert math.isclose(found["p"], p, rel_tol=1e-9)


def test_groups_without_events_have_no_test_and_it_is_said() -> None:
    rows = [visit(person, 1, None) | {"cell": "ab"[person % 2]} for person in range(6)]
    with warned() as texts:
        (found,) = rows_of(cint.measure.logrank(in_polars(rows), by="cell"))
    assert (found["events"], found["chi2"], found["df"], found["p"]) == (0, None, None, None)
    assert any("no events" in text for text in texts)


def test_groups_who_all_completed_at_once_have_no_test_and_it_is_said() -> None:
    rows = [visit(person, 1, "completed", after=1) | {"cell": "ab"[person % 2]} for person in range(4)]
    with warned() as texts:
        (found,) = rows_of(cint.measure.logrank(in_polars(rows), by="cell"))
    assert (found["events"], found["chi2"], found["df"], found["p"]) == (4, None, None, None)
    assert any("completed at once" in text for text in texts)


@pytest.mark.parametrize("by", ["wave", "part"])
def test_one_group_is_none_to_compare(by: str) -> None:
    with pytest.raises(InputError, match="two groups"):
        cint.measure.logrank(pd.DataFrame([visit(1, 1, None), visit(2, 2, None)]), by=by)


def test_a_wave_that_stopped_at_its_goal_is_a_lower_bound_and_its_estimate_is_not() -> None:
    rows, _ = panel(11, people=400, waves=2)
    stopped, _ = panel(11, people=400, waves=2, goal_in=2)
    whole = rows_of(cint.measure.retention(in_polars(rows), horizon=30))[1]
    with warned() as texts:
        cut = rows_of(cint.measure.retention(in_polars(stopped), horizon=30))[1]
    assert cut["kind"] == "lower_bound"
    assert cut["share"] < whole["share"]
    assert math.isclose(cut["km_share"], whole["km_share"], rel_tol=1e-9)
    assert any("lower bound" in text for text in texts)


def test_people_who_completed_twice_are_counted_when_they_first_came() -> None:
    late = visit(1, 1, "completed", after=50)
    early = visit(1, 1, "completed", after=2, ended=OPENED + 60 * HOUR)  # began first, ended last
    rows = [late, early, visit(2, 1, "completed", after=10), visit(3, 1, None)]
    curve = rows_of(cint.measure.retention_curve(in_polars(rows)))
    assert [point["hours"] for point in curve] == [pytest.approx(10 + 1 / 6), 60]
    (before, after) = (
        rows_of(cint.measure.retention(in_polars(rows), horizon=hours))[0]["km_share"] for hours in (59, 61)
    )
    assert (before, after) == (pytest.approx(1 / 3), pytest.approx(2 / 3))


def test_whole_people_are_in_no_denominator_when_their_report_is_missing() -> None:
    rows = [
        visit(1, 1, "completed", after=1),
        visit(2, 1, "not_known"),
        visit(3, 1, "not_known"),
        visit(1, 2, "not_known"),
    ]
    first, second = rows_of(quiet(cint.measure.retention, in_polars(rows)))
    assert (first["n"], first["not_known"], first["share"], first["kind"]) == (1, 2, 1, "rate")
    assert (second["n"], second["share"], second["low"], second["kind"]) == (0, None, None, "not_known")


def test_a_missing_report_is_no_rate_of_zero_for_those_who_were_not_asked() -> None:
    rows = [visit(person, 1, "completed", after=1) for person in (1, 2, 3)] + [visit(1, 2, "not_known")]
    (found,) = rows_of(quiet(cint.measure.retention, in_polars(rows), base="first"))
    assert (found["n"], found["not_asked"], found["not_known"]) == (2, 2, 1)
    assert (found["share"], found["kind"]) == (None, "not_known")


def test_nobody_in_the_base_leaves_its_row() -> None:
    rows = [visit(1, 1, "absent"), visit(2, 2, "completed", after=1), visit(3, 3, "rejected")]
    found = rows_of(quiet(cint.measure.retention, in_polars(rows), base="first"))
    assert [(row["wave"], row["n"], row["share"], row["kind"]) for row in found] == [
        (2, 0, None, "rate"),
        (3, 0, None, "rate"),
    ]
    asked = rows_of(quiet(cint.measure.retention, in_polars(rows)))
    assert [(row["wave"], row["n"]) for row in asked] == [(1, 1), (2, 1), (3, 0)]


def test_by_group_people_without_a_row_count_where_they_came_from() -> None:
    rows = [
        visit(1, 1, "completed", after=1) | {"land": "de"},
        visit(2, 1, "completed", after=1) | {"land": "de"},
        visit(3, 1, "completed", after=1) | {"land": "fr"},
        visit(1, 2, "completed", after=1) | {"land": "de"},
    ]
    for base in ("first", "previous", "ever"):
        found = rows_of(quiet(cint.measure.retention, in_polars(rows), by="land", base=base))
        assert [(row["wave"], row["land"], row["n"], row["completed"], row["not_asked"]) for row in found] == [
            (2, "de", 2, 1, 1),
            (2, "fr", 1, 0, 1),
        ], base


@pytest.mark.parametrize("groups", [3, 50])
def test_groups_sum_to_the_whole(groups: int) -> None:
    """Few groups are compared as numbers, many as they are."""
    rows, _ = panel(3, people=100, waves=2)
    frame = in_polars([row | {"cell": f"cell {row['person'] % groups}"} for row in rows])
    for base in BASES:
        by_cell = rows_of(quiet(cint.measure.retention, frame, by="cell", base=base))
        whole = rows_of(quiet(cint.measure.retention, frame, base=base))
        for row in whole:
            for name in ("n", "completed", "cut_off", "not_asked", "not_known"):
                assert sum(each[name] for each in by_cell if each["wave"] == row["wave"]) == row[name]


TIMED: list[dict[str, Any]] = [visit(1, 1, "completed", after=5), visit(2, 1, None)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"entered": OPENED - HOUR}, "before the wave opened"),
        ({"ended": OPENED - HOUR}, "before the wave opened"),
        ({"open_until": OPENED - HOUR}, "closed before it opened"),
        ({"reason": "gone"}, "'gone'"),
    ],
)
def test_times_that_contradict_each_other_are_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        cint.measure.retention(in_polars([TIMED[0] | change, TIMED[1]]))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"conf": 95}, "conf"),
        ({"conf": 0.5}, "conf"),
        ({"base": "wave1"}, "wave1"),
        ({"horizon": 0}, "horizon"),
        ({"horizon": -3.0}, "horizon"),
        ({"by": "shoe"}, "no column shoe"),
        ({"by": "wave"}, "column wave of its own"),
        ({"by": "supplier"}, "not known for all"),
        ({"by": "mixed"}, "differs between the rows"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_words(arguments: dict[str, Any], said: str) -> None:
    rows = [*TIMED, visit(2, 1, "dropped", after=2)]
    frame = in_polars([row | {"mixed": letter} for row, letter in zip(rows, "abc", strict=True)])
    with pytest.raises(InputError) as refused:
        cint.measure.retention(frame, **arguments)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("rows", "arguments", "said"),
    [
        ([TIMED[0], visit(2, 1, None, closed_by="pause")], {}, "paused"),
        (
            [TIMED[0], visit(2, 1, None, closed_by="goal", open_until=OPENED + 9 * HOUR)],
            {"horizon": 48},
            "closed at different times",
        ),
        (TIMED, {"horizon": 500}, "open for only"),
        ([TIMED[0], visit(2, 1, None, open_until=None)], {}, "open times are not known"),
        ([TIMED[0], visit(2, 1, None, closed_by="goal")], {}, "Compare km_share instead"),
        ([TIMED[0], visit(2, 1, None, closed_by="goal", open_until=None)], {}, "no km_share can be given"),
    ],
)
def test_what_weakens_an_estimate_is_said(rows: Rows, arguments: dict[str, Any], said: str) -> None:
    with warned() as texts:
        cint.measure.retention(in_polars(rows), **arguments)
    assert [text for text in texts if said in text]


def test_a_quiet_wave_says_nothing() -> None:
    with warned() as texts:
        cint.measure.retention(in_polars(TIMED))
        cint.measure.retention_curve(in_polars(TIMED))
    assert texts == []


def test_a_horizon_read_off_a_result_meets_its_milliseconds() -> None:
    rows, _ = panel(2, people=60, waves=2, goal_in=2)
    rows = [row | {"open_until": row["open_until"] - 7} for row in rows]
    default = rows_of(quiet(cint.measure.retention, in_polars(rows)))
    again = rows_of(quiet(cint.measure.retention, in_polars(rows), horizon=default[0]["horizon"]))
    assert [row["at_risk"] for row in again] == [row["at_risk"] for row in default]


@settings(max_examples=examples(25), deadline=None)
@given(fielded(), st.sampled_from(BASES), st.sampled_from(["closed_by", None]), st.booleans())
def test_wave_after_wave_gives_what_all_at_once_gives(rows: Rows, base: str, by: str | None, timed: bool) -> None:
    """Very many rows are counted so; people in parts of unlike lengths have no open time of any row."""
    alike = {(row["person"], row["wave"]): row["closed_by"] for row in rows}
    left_out = () if timed else ("open_from", "open_until")
    given_rows = [
        {name: value for name, value in row.items() if name not in left_out}
        | {"cell": alike[row["person"], row["wave"]]}
        for row in rows
    ]
    column = "cell" if by else None
    expected = rows_of(quiet(cint.measure.retention, in_polars(given_rows), base=base, by=column))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cint_nb.measure.people._ROWS_AT_ONCE", 5)
        same(rows_of(quiet(cint.measure.retention, in_duckdb(given_rows), base=base, by=column)), expected)


@pytest.mark.parametrize("rows_at_once", [1, 10**6])
def test_a_horizon_is_that_of_people_whatever_rows_seem_to_say(
    monkeypatch: pytest.MonkeyPatch, rows_at_once: int
) -> None:
    """One person came to two parts, of which each was open for a shorter time than for anybody else."""
    monkeypatch.setattr("cint_nb.measure.people._ROWS_AT_ONCE", rows_at_once)
    parts = [
        visit(1, 1, "dropped", open_until=OPENED + HOUR),
        visit(1, 1, "completed", open_from=OPENED + HOUR, open_until=OPENED + 9 * HOUR, entered=OPENED + 2 * HOUR),
        visit(2, 1, "completed", open_until=OPENED + 8 * HOUR),
        visit(2, 2, "completed"),
    ]
    found = rows_of(quiet(cint.measure.retention, in_duckdb(parts)))
    same(found, rows_of(quiet(cint.measure.retention, in_polars(parts))))
    assert [row["horizon"] for row in found] == [8, 8]


@pytest.mark.parametrize("column", ["person", "wave", "closed_by", "by"])
def test_a_query_is_refused_for_what_a_frame_is_refused_for(column: str) -> None:
    rows = [visit(1, 1, "completed", by="a"), visit(2, 1, None, by="a"), visit(2, 2, None, by="a")]
    rows[1][column] = {"closed_by": "some day"}.get(column)
    said = []
    for make in (in_duckdb, in_polars):
        with pytest.raises(InputError) as refused:
            quiet(cint.measure.retention, make(rows), by="by")
        said.append(str(refused.value))
    assert said[0] == said[1]


def test_too_little_memory_is_said_as_such() -> None:
    connection = duckdb.connect()
    connection.execute("SET memory_limit = '8MB'")
    connection.execute("SET temp_directory = ''")
    rows = connection.sql(
        "SELECT range AS person, 1 AS wave, 'completed' AS reason, 'end' AS closed_by FROM range(2_000_000)"
    )
    with pytest.raises(InputError, match="memory that the engine may use is not enough"):
        cint.measure.retention(rows)


def test_without_times_nothing_is_estimated() -> None:
    (found,) = rows_of(cint.measure.retention(pd.DataFrame(shares([(3, 4)]))))
    assert {found[name] for name in ("exposure", "horizon", "at_risk", "km_share", "km_low", "km_high")} == {None}
    assert quiet(cint.measure.retention_curve, pd.DataFrame(shares([(3, 4)]))).empty
