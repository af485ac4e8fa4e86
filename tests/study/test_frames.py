"""Answers of the exchange as frames with fixed columns, whatever is missing."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pandas as pd
import pytest

from cint_nb.domain.target_groups import CompletesInterval, Performance, RespondentAnalysis, RespondentCount
from cint_nb.study.frames import STATUS_COLUMNS, analysis_frame, completes_frame, status_frame
from tests.support.plans import PRICE_VALUE, price_body

OVERVIEW = {
    "target_group_name": "Tracker, wave 2",
    "status": "live",
    "progress": {"current_completes": 30, "filling_goal": 120, "filling_strategy": "completes"},
    "current_cost": {"value": "75.00", "currency_code": "EUR"},
    "median_length_of_interview_seconds": 330,
    "conversion_rate": 0.5,
}
PERFORMANCE = {
    "entrants": 60,
    "completes": 30,
    "conversion_rate": 0.51,
    "first_complete": "2026-09-02T08:00:00Z",
    "last_complete": "2026-09-03T08:00:00.123Z",
}


def test_a_group_in_the_field_is_one_row() -> None:
    row = {"target_group_id": "T1", "overview": OVERVIEW, "performance": PERFORMANCE, "saved": 600, "sent": 650}
    frame = status_frame([row])
    group = frame.iloc[0]
    assert (group["name"], group["state"], group["goal"], group["completes"]) == ("Tracker, wave 2", "live", 120, 30)
    assert group["filled"] == pytest.approx(0.25)
    assert group["came_back"] == pytest.approx(0.1)
    assert group["completed_of_saved"] == pytest.approx(0.05)
    assert group["conversion_rate"] == pytest.approx(0.51)
    assert group["median_minutes"] == pytest.approx(5.5)
    assert (group["cost"], group["cost_per_complete"], group["currency"]) == (75.0, 2.5, "EUR")
    assert group["last_complete"] == pd.Timestamp("2026-09-03T08:00:00.123Z")


def test_the_cost_is_that_of_the_overview_in_the_currency_it_was_spent_in() -> None:
    performance = {**PERFORMANCE, "completes_cost": {"value": "70.00", "currency_code": "EUR"}}
    cap = {"value": "3.10", "currency_code": "USD"}
    group = status_frame([{"overview": OVERVIEW, "performance": performance, "price_cap": cap}]).iloc[0]
    assert (group["cost"], group["currency"]) == (75.0, "EUR")


def test_models_serve_as_well_as_dictionaries() -> None:
    overview = SimpleNamespace(status="Paused", progress=SimpleNamespace(current_completes=1, filling_goal=4))
    frame = status_frame(
        [SimpleNamespace(name="w", overview=overview, performance=None, saved=10, warnings=["a", "b"])]
    )
    assert frame.loc[0, "state"] == "paused"
    assert frame.loc[0, "filled"] == pytest.approx(0.25)
    assert frame.loc[0, "warnings"] == "a; b"


def test_a_draft_has_empty_cells_and_the_same_types() -> None:
    live, draft = (
        status_frame([{"overview": OVERVIEW, "saved": 1}]),
        status_frame([{"name": "draft", "state": "draft"}]),
    )
    assert dict(live.dtypes) == dict(draft.dtypes) == dict(status_frame([]).dtypes)
    assert draft.loc[0, "completes"] is pd.NA
    assert list(status_frame([]).columns) == list(STATUS_COLUMNS)


def test_nothing_is_divided_by_zero() -> None:
    frame = status_frame([{"overview": {"progress": {"current_completes": 0, "filling_goal": 0}}, "saved": 0}])
    assert frame.loc[0, ["filled", "came_back", "cost_per_complete"]].isna().all()


def test_completes_so_far_become_completes_of_each_interval() -> None:
    frame = completes_frame(
        [{"timestamp": "2026-09-03T00:00:00Z", "count": 9}, {"timestamp": "2026-09-02T00:00:00.000Z", "count": 5}]
    )
    assert list(frame["completes"]) == [5, 9]
    assert list(frame["new"]) == [5, 4]
    assert frame["until"].is_monotonic_increasing
    assert list(completes_frame([]).columns) == ["until", "completes", "new"]


def test_live_visits_are_counted_apart_from_tests() -> None:
    performance = {
        "respondent_analysis": {
            "live": [
                {"status": "20", "label": "Terminate", "count": 1},
                {"status": "10", "label": "Complete", "count": 3},
            ],
            "test": [{"status": "10", "label": "Complete", "count": 7}],
        }
    }
    assert list(analysis_frame(performance)["status"]) == ["10", "20"]
    assert analysis_frame(performance)["share"].sum() == pytest.approx(1)
    assert list(analysis_frame(performance, test=True)["count"]) == [7]
    assert analysis_frame(None).empty


def test_screen_outs_are_visits_that_ended_without_complete_and_not_by_leaving() -> None:
    ends = [("10", 50), ("20", 30), ("40", 4), ("138", 2), ("3", 9), ("1", 7)]
    performance = {"respondent_analysis": {"live": [{"status": code, "count": number} for code, number in ends]}}
    assert status_frame([{"performance": performance}]).loc[0, "screenouts"] == 36
    assert status_frame([{"performance": {"entrants": 3}}])["screenouts"].isna().all()
    assert status_frame([{"performance": Performance(entrants=3)}])["screenouts"].isna().all()


def performance_of(*ends: tuple[str, int]) -> dict[str, object]:
    return {"respondent_analysis": {"live": [{"status": status, "count": count} for status, count in ends]}}


@pytest.mark.parametrize(
    "ends",
    [
        (("Complete", 50), ("Terminate", 30), ("Overquota", 6), ("In Survey", 9)),
        (("10 ", 50), ("20", 30), (" 40", 6), ("3", 9)),
        (("COMPLETE", 50), ("TERMINATE", 36), ("Drop", 2), ("status_of_next_year", 0)),
    ],
)
def test_screen_outs_are_the_same_in_words_and_in_codes(ends: tuple[tuple[str, int], ...]) -> None:
    assert status_frame([{"performance": performance_of(*ends)}]).loc[0, "screenouts"] == 36


@pytest.mark.parametrize("status", ["STATUS_20", "77", "", "banana"])
def test_visits_of_an_unknown_status_are_no_screen_outs_and_are_told(status: str) -> None:
    frame = status_frame([{"performance": performance_of(("10", 50), ("20", 30), (status, 4))}])
    assert frame["screenouts"].isna().all()
    assert frame.loc[0, "warnings"] == f"screenouts not known: visits with the status {status!r} (4)"


def test_more_ids_saved_than_sent_are_told() -> None:
    now = datetime(2026, 9, 1, tzinfo=UTC)
    warned = [status_frame([{"sent": 230, "saved": saved}], now=now).loc[0, "warnings"] for saved in (230, 231)]
    assert warned == ["", "more IDs saved than this list has: 231 of 230"]


def test_a_count_that_the_exchange_did_not_give_is_not_zero() -> None:
    live = [RespondentCount(status="20", count=4), RespondentCount(status="30"), RespondentCount(status="10", count=3)]
    performance = Performance(respondent_analysis=RespondentAnalysis(live=tuple(live)))
    assert status_frame([{"performance": performance}])["screenouts"].isna().all()
    frame = analysis_frame(performance)
    assert list(frame["count"].fillna(-1)) == [4, 3, -1]
    assert frame["share"].isna().all()


def test_what_an_interval_added_is_not_known_beside_an_unknown_count() -> None:
    days = [CompletesInterval(timestamp=f"2026-09-0{day}T00:00:00Z", count=count) for day, count in DAYS]
    frame = completes_frame(days)
    assert list(frame["completes"].fillna(-1)) == [5, -1, 9, 12]
    assert list(frame["new"].fillna(-1)) == [5, -1, -1, 3]


DAYS = ((1, 5), (2, None), (3, 9), (4, 12))


def test_cost_stands_beside_its_cap_and_completes_so_far_make_a_trend() -> None:
    cap = price_body()
    frame = status_frame([{"price_cap": cap, "trend": [1, 4]}, {"state": "draft"}])
    assert list(frame.loc[0, ["price_cap", "currency"]]) == [float(PRICE_VALUE), "EUR"]
    assert frame.loc[0, "trend"] == [1, 4]
    assert "trend" not in status_frame([{"state": "draft"}]).columns
