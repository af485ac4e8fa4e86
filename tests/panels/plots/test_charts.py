"""Plots carry their units, source and mode, and touch no global state."""

from __future__ import annotations

import sys
from typing import Any

import pandas as pd
import pytest

from cint_nb.panels.plots.charts import plot_completes, plot_funnel, plot_outcomes
from cint_nb.study.frames import analysis_frame, completes_frame, funnel_frame, status_frame

END = "2026-09-08T00:00:00Z"


def words(figure: Any) -> str:
    axes = figure.axes[0]
    bits = [axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel(), figure.get_supxlabel()]
    ticks = [label.get_text() for label in axes.get_yticklabels()]
    return " | ".join(bits + ticks + [text.get_text() for text in axes.texts])


def completes(*counts: int) -> pd.DataFrame:
    return completes_frame(
        [{"timestamp": f"2026-09-0{day}T00:00:00Z", "count": number} for day, number in enumerate(counts, 1)]
    )


def test_completes_are_drawn_against_the_goal_in_utc() -> None:
    text = words(plot_completes(completes(0, 120, 300, 410), goal=500, mode="replay"))
    assert "goal 500" in text
    assert "410" in text
    assert "UTC" in text
    assert "replay" in text
    assert "likely" not in text


def test_completes_before_the_first_interval_give_an_empty_plot_with_the_goal() -> None:
    assert "goal 10" in words(plot_completes(completes(), goal=10, end_at=END))


def test_outcomes_show_each_count_and_leave_out_what_did_not_happen() -> None:
    figure = plot_outcomes({"saved": 9_000, "rejected": 1_000, "blank": 0})
    assert "9,000  (90.0%)" in words(figure)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["saved", "rejected"]
    assert "10,000 lines in all" in words(figure)


def test_every_outcome_differs_from_its_neighbour_in_more_than_colour() -> None:
    bars = plot_outcomes({"saved": 1, "rejected": 1, "malformed": 1, "duplicate": 1}).axes[0].patches
    looks = [(bar.get_facecolor(), bar.get_hatch()) for bar in bars]
    assert len(set(looks)) == len(looks)


def test_funnel_shows_the_share_of_the_first_step_and_why_visits_ended() -> None:
    performance = {
        "entrants": 100,
        "prescreens": 80,
        "completes": 50,
        "respondent_analysis": {"live": [{"status": "20", "label": "Terminate", "count": 30}]},
    }
    figure = plot_funnel(
        funnel_frame(status_frame([{"saved": 200, "performance": performance}])), analysis_frame(performance)
    )
    assert "50  (25%)" in words(figure)
    assert "ended: Terminate" in words(figure)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()][:2] == ["saved ids", "entered"]


@pytest.mark.parametrize("mode", ["sandbox", "live"])
def test_every_plot_names_the_mode(mode: str) -> None:
    assert mode in words(plot_outcomes({"saved": 1}, mode=mode))


def test_no_plot_touches_pyplot() -> None:
    plot_outcomes({"saved": 1})
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


def test_a_figure_draws_itself_without_pyplot_and_names_itself_in_text() -> None:
    figure = plot_outcomes({"saved": 1}, mode="replay")
    content, size = figure._repr_png_()
    assert content.startswith(b"\x89PNG")
    assert size["width"] == 710
    assert repr(figure) == "<Figure: What became of every line · replay>"
