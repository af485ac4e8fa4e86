"""Plots carry their units, source and mode, and touch no global state."""

from __future__ import annotations

import sys

import pandas as pd
import pytest

from cint_nb.panels.plots import plot_completes, plot_funnel, plot_outcomes


def words(figure: object) -> str:
    axes = figure.axes[0]  # type: ignore[attr-defined]
    bits = [axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel(), figure._supxlabel.get_text()]  # type: ignore[attr-defined]
    return " | ".join(bits + [text.get_text() for text in axes.texts])


def test_completes_are_drawn_against_the_goal_in_utc() -> None:
    frame = pd.DataFrame({"time": pd.date_range("2026-09-01", periods=4, tz="UTC"), "completes": [0, 120, 300, 410]})
    text = words(plot_completes(frame, goal=500, mode="replay"))
    assert "goal 500" in text
    assert "410" in text
    assert "UTC" in text
    assert "replay" in text


def test_completes_before_the_first_interval_give_an_empty_plot_with_the_goal() -> None:
    empty = pd.DataFrame({"time": pd.to_datetime([], utc=True), "completes": []})
    assert "goal 10" in words(plot_completes(empty, goal=10))


def test_outcomes_show_each_count_and_leave_out_what_did_not_happen() -> None:
    figure = plot_outcomes({"saved": 9_000, "rejected": 1_000, "blank": 0})
    assert "9,000  (90.0%)" in words(figure)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["saved", "rejected"]
    assert "10,000 lines in all" in words(figure)


def test_funnel_shows_the_share_of_the_first_step() -> None:
    frame = pd.DataFrame({"step": ["entered", "qualified", "completed"], "people": [200, 120, 50]})
    assert "50  (25%)" in words(plot_funnel(frame))


@pytest.mark.parametrize("mode", ["sandbox", "live"])
def test_every_plot_names_the_mode(mode: str) -> None:
    assert mode in words(plot_outcomes({"saved": 1}, mode=mode))


def test_no_plot_touches_pyplot() -> None:
    plot_outcomes({"saved": 1})
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()
