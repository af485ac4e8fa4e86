"""Where completes may end: slowing as they did, cut at what the list can give, and right about the sandbox."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from cint_nb.panels.plots.charts import plot_completes, reachable_completes
from cint_nb.panels.plots.projection import project
from cint_nb.sandbox.sample import write_sample
from cint_nb.study.files.respondents import read_respondents
from cint_nb.study.frames import completes_frame
from cint_nb.wave.client import open_client
from tests.support.plans import make_plan

END = "2026-09-15T00:00:00Z"


def completes(*counts: int) -> pd.DataFrame:
    return completes_frame(
        [{"timestamp": f"2026-09-0{day}T00:00:00Z", "count": number} for day, number in enumerate(counts, 1)]
    )


def at_end(frame: pd.DataFrame | None) -> tuple[float, float, float]:
    assert frame is not None
    low, middle, high = frame[["low", "middle", "high"]].iloc[-1]
    return float(low), float(middle), float(high)


def test_completes_that_slow_down_are_not_continued_at_their_average_pace() -> None:
    seen = completes(200, 300, 350, 375, 388)
    low, middle, high = at_end(project(seen, end_at=END))
    assert 388 <= low <= 405, "next to nothing may come"
    assert middle < 388 + 10 * 20
    assert high < 388 + 10 * (388 / 5), "ten more days as the average of the first five would give 1,164"


def test_completes_that_do_not_slow_may_go_on_but_never_faster() -> None:
    low, middle, high = at_end(project(completes(50, 100, 150, 200, 250), end_at=END))
    assert low < middle < high
    assert high <= 250 + 10 * 60


def test_the_band_never_exceeds_what_is_left() -> None:
    ahead = project(completes(50, 100, 150, 200, 250), end_at=END, maximum=300)
    assert at_end(ahead)[2] == 300
    assert ahead is not None
    assert (ahead["high"] <= 300).all()
    assert (ahead[["low", "middle", "high"]].diff().dropna() >= 0).all().all(), "completes are never taken back"


def test_more_completes_than_thought_possible_stay_where_they_are() -> None:
    assert at_end(project(completes(50, 100, 150, 200, 250), end_at=END, maximum=240)) == (250, 250, 250)


@pytest.mark.parametrize(
    ("saved", "entrants", "most"),
    [(None, None, 500), (900, None, 500), (400, None, 400), (400, 300, 350), (100, 900, 250)],
)
def test_list_and_goal_both_set_a_limit(saved: int | None, entrants: int | None, most: float) -> None:
    assert reachable_completes(500, 250, saved, entrants) == most


def test_an_interval_that_has_not_ended_counts_for_its_part_only() -> None:
    seen = completes(100, 190, 270, 280)
    hopeless = at_end(project(seen, end_at=END))
    early_on = at_end(project(seen, end_at=END, now="2026-09-03T02:40:00Z"))
    assert early_on[1] > hopeless[1] + 50


def test_intervals_before_the_first_complete_say_nothing_about_slowing() -> None:
    assert project(completes(0, 0, 0, 10, 20), end_at=END) is None
    assert project(completes(0, 0, 10, 20, 30), end_at=END) is not None


def test_a_band_repeats_from_run_to_run() -> None:
    first, second = (project(completes(50, 90, 120, 140), end_at=END) for _ in range(2))
    assert first is not None
    assert second is not None
    pd.testing.assert_frame_equal(first, second)


@pytest.mark.parametrize("frame", [completes(), completes(1, 2), completes(0, 0, 0, 0)])
def test_too_few_intervals_give_no_band(frame: pd.DataFrame) -> None:
    assert project(frame, end_at=END) is None


def test_a_passed_end_gives_no_band() -> None:
    assert project(completes(1, 2, 3, 4, 5), end_at="2026-09-03T00:00:00Z") is None


def test_the_figure_says_what_the_band_rests_on() -> None:
    figure = plot_completes(completes(50, 90, 120, 140), goal=500, end_at=END, saved_count=400, entrants=200)
    said = " ".join(text.get_text() for text in (*figure.texts, *figure.axes[0].texts))
    assert "8 futures of 10" in said
    assert "if entries go on slowing as they have" in said
    assert "140 of 500 completes; the goal will probably be missed" in said


def test_bands_drawn_while_a_recontact_runs_hold_its_end(tmp_path: Path) -> None:
    people = read_respondents(write_sample(tmp_path / "sample.csv", lines=2_000), entity_type="RSID")
    with open_client("sandbox", seed=3) as client:
        now = client.clock.now()
        plan = make_plan(now, completes_goal=1_500, start_at=now + timedelta(hours=1))
        wave = client.wave("Projected wave", project="Panel tests", respondents=people, plan=plan)
        group = wave.create()
        wave.upload()
        wave.launch(budget="5000 EUR")
        client.pass_time(days=2)
        bands = []
        for _ in range(6):
            client.pass_time(days=1)
            seen = completes_frame(client.target_groups.completes_by_interval(group))
            bands.append(at_end(project(seen, end_at=plan.end_at, now=client.clock.now())))
        client.pass_time(days=8)
        ended = int(wave.status()["completes"].iloc[0])
    assert sum(low <= ended <= high for low, _, high in bands) >= 4, (ended, bands)
    widths = [high - low for low, _, high in bands]
    assert widths[-1] < widths[0], "the longer one looks, the surer the band"
