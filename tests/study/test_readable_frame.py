"""A status is printed for people, 80 columns wide, and stays a frame of fractions and times for programs."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import pandas as pd
import pytest

from cint_nb.study.frames import status_frame
from cint_nb.study.readable_frame import ReadableFrame

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


# --- frames of any kind ----------------------------------------------------------------------------------------------


@pytest.fixture
def as_in_a_script(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("COLUMNS", "80")
    with pd.option_context("display.max_columns", 0, "display.width", 80):
        yield


def wide(rows: int, **more: object) -> ReadableFrame:
    return ReadableFrame({f"column {number}": [number * 1.5] * rows for number in range(12)} | more)


@pytest.mark.parametrize("rows", [1, 12, 13, 500])
def test_a_wide_frame_leaves_out_no_column_in_a_script(as_in_a_script: None, rows: int) -> None:
    text = repr(wide(rows))
    assert max(map(len, text.splitlines())) <= 80
    assert all(f"column {number}" in text for number in range(12))
    assert (f"[{rows:,} rows x 12 columns" in text) is (rows == 500)


def test_a_long_text_is_wrapped_in_its_column_and_not_cut(as_in_a_script: None) -> None:
    note = " ".join(f"word{number}" for number in range(40))
    frame = ReadableFrame({"what": ["excluded", "saved"], "people": [2, 56], "note": [note, None]})
    lines = repr(frame).splitlines()
    assert max(map(len, lines)) <= 80
    assert all(f"word{number}" in repr(frame).split() for number in range(40))
    assert lines[0].split() == ["what", "people", "note"]
    assert lines[-1].split() == ["1", "saved", "56", "–"]


def test_what_fits_and_what_the_reader_set_is_printed_as_pandas_does(as_in_a_script: None) -> None:
    small = {"name": ["a", "b"], "number": [1, 2]}
    assert repr(ReadableFrame(small)) == repr(pd.DataFrame(small))
    assert repr(ReadableFrame(columns=["a"])) == repr(pd.DataFrame(columns=["a"]))
    with pd.option_context("display.max_columns", 4):
        assert repr(wide(3)) == repr(pd.DataFrame(wide(3)))


def test_it_stays_readable_when_it_is_cut_sorted_and_pickled(as_in_a_script: None) -> None:
    frame = wide(40)
    for each in (frame.head(3), frame.sort_values("column 1"), pickle.loads(pickle.dumps(frame))):  # noqa: S301
        assert isinstance(each, ReadableFrame)
    assert frame.equals(pd.DataFrame(frame))


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame([[1, 2]], columns=["same", "same"]),
        pd.DataFrame({"nested": [[1, 2], [], None], "x" * 90: [1, 2, 3]}),
        pd.DataFrame({("a", number): ["y" * 30] for number in range(9)}),
        pd.DataFrame({"text": ["line\nline"], "long": ["z" * 200]}),
        pd.DataFrame({"a": ["w" * 70]}, index=pd.MultiIndex.from_tuples([("m", 1)])),
    ],
)
def test_odd_frames_are_printed(as_in_a_script: None, frame: pd.DataFrame) -> None:
    assert repr(ReadableFrame(frame))
