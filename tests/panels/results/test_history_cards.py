"""A history shows what it keeps of each wave, and what the exchange will soon no longer give; a cohort its rule."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cint_nb.history.history import History
from cint_nb.panels.results import render
from tests.history.studies import rsid, two_waves


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return two_waves(tmp_path_factory.mktemp("study"))


def test_each_part_of_each_wave_is_a_row_with_its_counts_and_why_it_ended(history: History) -> None:
    parts = history.parts()
    text = render.text(history)
    rows = [line.split() for line in text.splitlines() if line.split()[0] in ("1", "2") and "–" in line]
    assert len(rows) == len(parts)
    for row, part in zip(rows, parts.to_dict("records"), strict=True):
        assert str(part["people"]) in row
        assert str(part["state"]).split()[0] in row
    assert "2 waves" in text


def test_a_wave_that_stopped_at_its_goal_is_called_censored(history: History) -> None:
    closed = set(history.parts()["closed_by"])
    assert ("goal: censored, not attrition" in render.text(history)) is ("goal" in closed)


def test_reports_that_go_out_of_reach_are_said_with_their_date(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = history.parts()["open_from"].min()
    monkeypatch.setattr(history, "_now", lambda: first.to_pydatetime())
    assert "can be read until" not in render.text(history)
    monkeypatch.setattr(history, "_now", lambda: (first + pd.Timedelta(days=330)).to_pydatetime())
    assert "Reports of wave 1 can be read until" in str(history._repr_html_())


def test_a_cohort_shows_its_rule_and_nobody(history: History) -> None:
    cohort = history.cohort(completed=1, not_completed=2)
    html = str(cohort._repr_html_())
    assert "3 people" in html
    assert "wave 1: completed, wave 2: not completed" in html
    assert not any(rsid(number) in html for number in range(20))


def test_a_history_with_nothing_in_it_says_so(tmp_path: Path) -> None:
    assert "nothing added yet" in render.text(History.open(tmp_path / "empty"))
