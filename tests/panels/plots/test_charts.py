"""Plots carry their units, source and mode, and touch no global state."""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cint_nb.domain.errors import InputError
from cint_nb.panels.plots.charts import plot_completes, plot_funnel, plot_outcomes
from cint_nb.panels.plots.figure import spread
from cint_nb.sandbox.sample import write_sample
from cint_nb.study.files.respondents import read_respondents
from cint_nb.study.frames import analysis_frame, completes_frame, funnel_frame, status_frame
from cint_nb.wave.client import open_client
from cint_nb.wave.wave import Wave
from tests.support.plans import make_plan

END = "2026-09-08T00:00:00Z"


def words(figure: Any) -> str:
    axes = figure.axes[0]
    bits = [axes.get_xlabel(), axes.get_ylabel(), *(text.get_text() for text in figure.texts)]
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
    assert "9,000  90.0 %" in words(figure)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["saved", "rejected"]
    assert "the 10,000 lines" in words(figure)


def test_every_outcome_has_its_word_and_number_and_the_most_frequent_comes_first() -> None:
    figure = plot_outcomes({"blank": 1, "saved": 7, "rejected": 2})
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["saved", "rejected", "blank"]
    assert [text.get_text() for text in figure.axes[0].texts] == ["7  70.0 %", "2  20.0 %", "1  10.0 %"]


def test_completes_begin_at_zero_and_step_at_the_end_of_each_interval() -> None:
    line: Any = plot_completes(completes(120, 300), goal=500).axes[0].lines[0]
    assert list(line.get_ydata()) == [0, 120, 300]
    assert line.get_drawstyle() == "steps-post"
    begin, first, second = line.get_xdata()
    assert first - begin == second - first


def test_pauses_and_the_reason_of_the_end_are_drawn() -> None:
    pause = ("2026-09-02T00:00:00Z", "2026-09-02T12:00:00Z", "paused by a colleague")
    figure = plot_completes(completes(0, 200, 400), goal=400, end_at=END, pauses=[pause], closed_by="goal")
    assert "paused by a colleague" in words(figure)
    assert "censored, not as lost" in words(figure)
    assert "likely" not in words(figure), "what has ended has no future"
    with pytest.raises(InputError, match="closed_by must be one of goal, end, hand, pause"):
        plot_completes(completes(0, 200), goal=400, closed_by="boredom")


def test_a_frame_without_a_goal_says_what_is_wanted() -> None:
    with pytest.raises(InputError, match="needs the goal"):
        plot_completes(completes(0, 1))


def test_a_wave_is_drawn_as_the_exchange_knows_it(tmp_path: Path) -> None:
    with open_client("sandbox") as client:
        people = read_respondents(write_sample(tmp_path / "sample.csv", lines=400), entity_type="RSID")
        plan = make_plan(client.clock.now(), start_at=client.clock.now() + timedelta(hours=1))
        wave = client.wave("Wave of a plot", project="Panel tests", respondents=people, plan=plan)
        with pytest.raises(InputError, match="was not created"):
            plot_completes(wave)
        wave.create()
        wave.upload()
        wave.launch(budget="400 EUR")
        client.pass_time(days=2)
        figure = plot_completes(wave)
        assert "Wave of a plot" in words(figure)
        assert "goal 100" in words(figure)
        assert "saved" in words(plot_outcomes(wave))
        assert words(plot_outcomes(wave.outcome)) == words(plot_outcomes(wave.outcome.counts))


@pytest.fixture
def paused(tmp_path: Path) -> Iterator[Wave]:
    """Give a wave that was paused twice, by a person and by the marketplace, and let people in again both times."""
    with open_client("sandbox") as client:
        people = read_respondents(write_sample(tmp_path / "sample.csv", lines=400), entity_type="RSID")
        plan = make_plan(client.clock.now(), start_at=client.clock.now() + timedelta(hours=1), completes_goal=300)
        wave = client.wave("Wave with pauses", project="Panel tests", respondents=people, plan=plan)
        wave.create()
        wave.upload()
        wave.launch(budget="900 EUR")
        client.pass_time(days=1)
        wave.pause()
        client.pass_time(hours=22)
        wave.resume()
        client.pass_time(days=1)
        client.sandbox.inject("paused-elsewhere", "now", value="marketplace")
        client.pass_time(hours=6)
        wave.resume()
        client.pass_time(days=1)
        yield wave


def test_pauses_of_a_wave_are_drawn_from_its_changelog_with_their_length_and_by_whom(paused: Wave) -> None:
    figure = plot_completes(paused)
    assert "paused 22 h\nby somebody" in words(figure)
    assert "paused 6 h\nby the marketplace" in words(figure)
    assert "paused 22 h by somebody" in figure.alt_text
    given = [("2026-09-02T00:00:00Z", "2026-09-02T12:00:00Z", "a holiday")]
    assert "by somebody" not in words(plot_completes(paused, pauses=given)), "what the caller knows better counts"


def test_a_pause_that_lasts_is_drawn_until_now(paused: Wave) -> None:
    paused.pause()
    paused.client.pass_time(hours=5)
    assert "paused for 5 h now" in words(plot_completes(paused))


def test_a_wave_that_was_closed_says_by_whom_and_has_no_future(paused: Wave) -> None:
    paused.close()
    figure = plot_completes(paused)
    assert "closed by hand" in words(figure)
    assert "closed by hand" in figure.alt_text
    assert "likely" not in words(figure)


def test_without_a_changelog_pauses_are_not_known_and_a_close_is_not_put_down_to_anybody(paused: Wave) -> None:
    paused.close()
    paused.client.sandbox.faults.arm("404@get_target_group_changelog*always")
    figure = plot_completes(paused)
    assert "Pauses are not known" in words(figure)
    assert "why is not known" in words(figure)
    assert "by hand" not in words(figure)


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
    assert "50  25 %" in words(figure)
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
    assert repr(figure) == "<Figure: What became of the 1 line · replay>"


def test_one_drawing_serves_both_themes_and_says_in_words_what_it_shows() -> None:
    html = plot_outcomes({"saved": 9, "rejected": 1}, mode="replay")._repr_html_()
    drawing = base64.b64decode(re.search(r"base64,([^\"]+)", html)[1]).decode()  # type: ignore[index]
    assert "prefers-color-scheme:dark" in drawing
    assert set(re.findall(r"#[0-9a-f]{6}\b", drawing.partition("</style>")[2])) <= {"#000000"}, "each colour has two"
    assert 'alt="Bars of 10 lines: 9 saved, 1 rejected."' in html
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", html.partition("base64")[0])


def test_a_drawing_is_the_same_from_run_to_run() -> None:
    first, second = (plot_outcomes({"saved": 9})._repr_html_() for _ in range(2))
    assert first == second


def test_texts_at_the_ends_of_lines_are_moved_apart() -> None:
    assert spread([0.5, 0.51, 0.9], 0.1) == pytest.approx([0.455, 0.555, 0.9])
    assert spread([], 1) == []
