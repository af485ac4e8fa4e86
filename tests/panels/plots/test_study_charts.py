"""Each plot of a study takes the result of its measure, in any library, says what it shows, and refuses the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from cint_nb import measure
from cint_nb.domain.errors import InputError
from cint_nb.panels.plots.study_charts import plot_balance, plot_flow, plot_forecast, plot_patterns, plot_retention

HOUR = 3_600_000
PEOPLE = 40


def visits() -> pd.DataFrame:
    """Three waves of forty people; of the second some were cut off at the goal."""
    rows = []
    for person in range(PEOPLE):
        for wave in (1, 2, 3):
            came = wave == 1 or (person + wave) % 3 != 0
            closed = 20 if wave == 2 and person % 8 == 0 else 100
            hour = (person * 7 + wave) % 60
            came = came and hour < closed
            rows.append(
                {
                    "person": person,
                    "wave": wave,
                    "reason": "completed" if came else "absent",
                    "entered": hour * HOUR if came else None,
                    "ended": (hour + 1) * HOUR if came else None,
                    "open_from": 0,
                    "open_until": closed * HOUR,
                    "closed_by": "goal" if closed < 100 else "end",
                    "source": "own" if person % 2 else "panel",
                }
            )
    return pd.DataFrame(rows)


def words(figure: Any) -> str:
    return " | ".join(text.get_text() for text in (*figure.texts, *figure.axes[0].texts))


@pytest.fixture(scope="module")
def study() -> pd.DataFrame:
    return visits()


def test_retention_shows_each_group_with_its_share_and_who_was_at_risk(study: pd.DataFrame) -> None:
    curve = measure.retention_curve(study, by="source")
    chosen = curve[curve["wave"] == 2]
    figure = plot_retention(chosen, by="source")
    text = words(figure)
    assert "at risk" in text
    for source, rows in chosen.groupby("source"):
        assert f"{source}\n  {100 * rows['share'].iloc[-1]:.0f} %" in text
        assert f"{int(rows['at_risk'].iloc[0])}" in text.split(" | ")
    assert "At the end" in figure.alt_text


def test_people_who_were_cut_off_are_strokes_on_the_line(study: pd.DataFrame) -> None:
    curve = measure.retention_curve(study)
    strokes = []
    for wave in (2, 3):
        ends: list[Any] = [line.get_xdata() for line in plot_retention(curve[curve["wave"] == wave]).axes[0].lines]
        strokes.append([end for end in ends if len(end) >= 3 and end[0] == end[1] and end[2] != end[2]])
    assert len(strokes[0]) >= 1
    assert strokes[1] == []


def test_a_line_ends_where_nothing_more_is_known() -> None:
    curve = pd.DataFrame(
        {
            "wave": [2, 2, 3],
            "hours": [2.0, 9.0, 96.0],
            "at_risk": [40, 39, 50],
            "events": 1,
            "share": [0.025, 0.05, 0.02],
        }
    )
    figure = plot_retention(curve)
    ends = [np.asarray(line.get_xdata()) for line in figure.axes[0].lines]
    assert [each.max() for each in ends if each.size] == [9, 96]
    assert "–" in words(figure).split(" | ")
    assert "38" not in words(figure).split(" | ")


def test_more_curves_than_one_can_tell_apart_are_refused(study: pd.DataFrame) -> None:
    curve = measure.retention_curve(pd.concat([study, study.assign(wave=study["wave"] + 3)]))
    with pytest.raises(InputError, match="A plot of 6 curves cannot be read"):
        plot_retention(curve)


def test_patterns_come_most_frequent_first_with_number_and_words(study: pd.DataFrame) -> None:
    found = measure.patterns(study)
    text = words(plot_patterns(found))
    first = found.iloc[0]
    assert f"{int(first['n'])}  {100 * first['share']:.0f} %" in text
    assert "every wave they were asked to" in text
    assert f"{PEOPLE} people by pattern" in text


def test_the_flow_of_a_wave_sums_from_box_to_box(study: pd.DataFrame) -> None:
    boxes = measure.flow(study)
    text = words(plot_flow(boxes, wave=2))
    numbers = boxes[boxes["wave"] == 2].set_index("box")["n"]
    for box in ("known", "asked", "came", "completed"):
        assert f"{numbers[box]:,}" in text.split(" | ")
    assert "Wave 3" in words(plot_flow(boxes)), "the last one unless another is asked for"
    with pytest.raises(InputError, match="no wave 9"):
        plot_flow(boxes, wave=9)
    with pytest.raises(InputError, match="do not sum"):
        plot_flow(boxes.assign(n=boxes["n"].where(boxes["box"] != "came", 1)), wave=2)


def test_the_forecast_is_a_fan_behind_the_past(study: pd.DataFrame) -> None:
    ahead = measure.forecast(study, saved=200, goal=90, horizon=20)
    figure = plot_forecast(ahead, measure.retention(study, horizon=20), goal=90)
    low, high = int(ahead["low"].iloc[0]), int(ahead["high"].iloc[0])
    assert f"{low:,}–{high:,}" in words(figure)
    assert "goal 90" in words(figure)
    assert "futures" in words(figure)


def test_balance_shows_both_differences_the_largest_on_top() -> None:
    frame = pd.DataFrame(
        {
            "attribute": ["age", "device", "tenure"],
            "level": ["18–24", "phone", None],
            "smd_before": [0.05, -0.34, 0.2],
            "smd_after": [0.0, -0.05, 0.12],
        }
    )
    figure = plot_balance(frame)
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["age: 18–24", "tenure", "device: phone"]
    assert "−0.34" in words(figure)
    assert "After weighting 1 difference above ±0.10" in words(figure)
    assert "device: phone −0.34 and −0.05" in figure.alt_text


@pytest.mark.parametrize(
    ("plot", "measured"),
    [
        (plot_retention, "retention_curve"),
        (plot_patterns, "patterns"),
        (plot_balance, "balance"),
        (plot_flow, "flow"),
        (lambda frame: plot_forecast(frame, frame), "forecast"),
    ],
)
def test_what_is_not_the_result_of_the_measure_is_refused(plot: Any, measured: str) -> None:
    with pytest.raises(InputError, match=f"cint.measure.{measured} returns"):
        plot(5)
    with pytest.raises(InputError):
        plot(pd.DataFrame({"nothing": [1]}))


def test_frames_of_other_libraries_are_drawn_alike(study: pd.DataFrame) -> None:
    polars = pytest.importorskip("polars")
    found = measure.patterns(study)
    assert words(plot_patterns(polars.from_pandas(found))) == words(plot_patterns(found))
