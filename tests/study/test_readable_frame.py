"""A status is printed for people, 80 columns wide, and stays a frame of fractions and times for programs."""

from __future__ import annotations

import pickle

import pandas as pd
import pytest

from cint_nb.study.frames import status_frame

OVERVIEW = {
    "status": "live",
    "progress": {"current_completes": 25, "filling_goal": 100},
    "conversion_rate": 0.42,
    "current_cost": {"value": "68.38", "currency_code": "EUR"},
}


def frame(groups: int = 1, currency: str = "EUR") -> pd.DataFrame:
    cost = {"value": "1094.0800", "currency_code": currency}
    rows = [
        {
            "name": f"Tea tracker, women 18–34, group {number}",
            "state": "live",
            "goal": 100,
            "saved": 1_000,
            "overview": {**OVERVIEW, "current_cost": cost},
            "price_cap": {"value": "2.7352", "currency_code": currency},
            "warnings": ["goal exceeds saved IDs: 1,200 of 1,100", "ends soon: in 14 h, 75 completes short"],
        }
        for number in range(groups)
    ]
    return status_frame(rows)


@pytest.mark.parametrize("groups", [1, 3, 4, 40])
def test_a_status_is_at_most_80_columns_wide_and_cuts_no_column(groups: int) -> None:
    lines = repr(frame(groups)).splitlines()
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    for words in ("live", "goal exceeds", f"oup {groups - 1}"):
        assert words in text


def test_people_read_percentages_and_money_and_programs_get_fractions() -> None:
    status = frame()
    assert ["conversion_rate", "42", "%"] in [line.split() for line in repr(status).splitlines()]
    assert "1,094.08 EUR" in repr(status)
    assert "2.7352 EUR" in repr(status), "a price is not rounded"
    assert status["conversion_rate"].iloc[0] == 0.42
    assert status["cost"].iloc[0] == 1094.08


def test_money_has_the_decimals_of_its_currency() -> None:
    assert "1,094 JPY" in repr(frame(currency="JPY"))


def test_what_is_missing_is_left_out_and_not_shown_as_zero() -> None:
    assert "entrants" not in repr(frame())
    assert "entrants" not in str(frame()._repr_html_())  # type: ignore[operator]  # not in the stubs of pandas


def test_a_part_of_it_is_printed_as_any_frame_is() -> None:
    part = frame()[["name", "state"]]
    assert repr(part) == repr(pd.DataFrame(part))


def test_it_stays_equal_to_itself_through_copies_and_files() -> None:
    status = frame(2)
    status.attrs["mode"] = "replay"
    again = pickle.loads(pickle.dumps(status))  # noqa: S301  # our own bytes
    assert again.equals(status)
    assert status.equals(pd.DataFrame(status))
    assert pd.DataFrame(status).equals(status)
    assert status.copy().attrs == {"mode": "replay"}


def test_html_is_escaped() -> None:
    html = status_frame([{"name": "<b>$x$</b>", "state": "live"}])._repr_html_()  # type: ignore[operator]  # the same
    assert "<b>" not in html
    assert "mathjax_ignore" in html
