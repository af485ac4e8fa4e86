"""A history view shows what is kept of each wave, who came back and what expires; what is not known is called so."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

import cint_nb as cint
from cint_nb.history.history import REACH, History
from cint_nb.history.waves import WaveRecord
from cint_nb.panels.history_view import widget
from cint_nb.panels.history_view.widget import HistoryView
from cint_nb.panels.look import mode
from cint_nb.panels.results import render
from tests.history.studies import DAY, FIRST, OPENED, SECOND, people, quiet, report, rid, rows, rsid, times, two_waves
from tests.support.widgets import html_of


@pytest.fixture
def history(tmp_path: Path) -> History:
    return two_waves(tmp_path)


def cells(view: HistoryView, table: str) -> list[list[str]]:
    """Return what stands in the rows of a table of the view."""
    found = re.search(rf'aria-label="{table}[^"]*"><table.*?<tbody[^>]*>(.*?)</tbody>', html_of(view), re.DOTALL)
    assert found is not None, table
    lines = re.findall(r"<tr[^>]*>(.*?)</tr>", found[1])
    return [[re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", line)] for line in lines]


def test_each_part_of_each_wave_is_a_row_from_its_opening_to_its_completes(history: History) -> None:
    first, second = cells(HistoryView(history), "Waves")
    assert first == [
        "1", "first", "2 Mar 08:00", "16 Mar 08:00", "end date", "–", "6", "4", "final", "2 Mar 2027",
    ]  # fmt: skip
    assert second[5:8] == ["4", "3", "1"]


def test_retention_names_its_base_who_was_not_asked_and_how_sure_it_is(history: History) -> None:
    (row,) = cells(HistoryView(history), "Retention: who completed the wave before")
    assert row == ["2", "4", "1", "1", "25.0 %", "", "4.6–69.9 %", "rate"]
    both = cells(HistoryView(history, base="asked"), "Participation")
    assert [row[:4] for row in both] == [["1", "6", "0", "4"], ["2", "3", "0", "1"]]


def test_what_is_not_known_of_a_wave_is_called_so_and_is_nowhere_zero(tmp_path: Path) -> None:
    history = History.open(tmp_path / "study")
    history.add_report(report(tmp_path, FIRST), name="first", **times(1))
    record = WaveRecord(
        "second", None, "group-2", OPENED + 60 * DAY, opened=OPENED + 30 * DAY, missing="It was refused.",
        saved=people([1, 2, 3, 4]),
    )  # fmt: skip
    with quiet():
        history.add(SimpleNamespace(history_record=lambda **_: record))
    view = HistoryView(history)
    assert cells(view, "Waves")[1][3:9] == ["not known", "not known", "4", "not known", "not known", "?missing"]
    assert history.parts()["completes"].isna().tolist() == [False, True]
    (row,) = cells(view, "Retention")
    assert row[3:5] == ["not known", "not known"]


def test_a_wave_that_stopped_at_its_goal_is_censored_and_its_rate_a_lower_bound(tmp_path: Path) -> None:
    history = History.open(tmp_path / "study")
    history.add_report(report(tmp_path, FIRST), name="first", **times(1, closed_by="goal"))
    history.add_report(
        report(tmp_path, SECOND, wave=2), name="second", listed=people([1, 2, 3, 4]), **times(2, closed_by="goal")
    )
    view = HistoryView(history)
    assert [row[4] for row in cells(view, "Waves")] == ["goal", "▲goal: censored, not attrition"]
    assert cells(view, "Retention")[0][-1] == "▲at least: it stopped at its goal"


def test_a_wave_in_the_field_shows_its_planned_end_and_what_it_says_so_far(tmp_path: Path) -> None:
    history = two_waves(tmp_path)
    third = report(tmp_path, [(1, 10)], wave=3)
    history.add_report(third, name="third", listed=people([1, 2]), **times(3, closed_by="open", read_after=2))
    row = cells(HistoryView(history), "Waves")[2]
    assert (row[3], row[4], row[8]) == ("planned 15 May 08:00", "still open", "▶mid-field")


def test_reports_that_go_out_of_reach_are_said_with_their_date_and_what_keeps_them(history: History) -> None:
    ends = OPENED + REACH
    assert "can be read until" not in html_of(HistoryView(history, now=ends - 61 * DAY))
    soon = html_of(HistoryView(history, now=ends - 40 * DAY))
    assert "Reports of wave 1 (first) can be read until 2 Mar 2027. <code>history.refresh(client)</code>" in soon
    assert "wave 2" not in soon
    gone = html_of(HistoryView(history, now=ends + DAY))
    assert "Reports of wave 1 (first) have been going since 2 Mar 2027. What is kept here stays." in gone


def test_it_counts_from_the_last_report_where_a_sandbox_is_ahead_of_this_computer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = two_waves(tmp_path)
    monkeypatch.setattr(history, "_now", lambda: OPENED)
    assert history.expiring(within_days=340)["name"].tolist() == ["first"]


def test_a_history_as_the_last_line_of_a_cell_is_its_view(history: History) -> None:
    view = render._view_of(history)
    assert isinstance(view, HistoryView)
    assert render._view_of(history) is view
    assert "first" in str(history._repr_html_())
    assert render.text(history).splitlines()[0].startswith("History study")


def test_a_change_shows_after_the_cell_that_made_it_and_reads_nothing_before(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    after_cell: list[Callable[[], None]] = []
    monkeypatch.setattr(widget, "after_each_cell", after_cell.append)
    view = HistoryView(history)
    shown = view.value
    after_cell[0]()
    assert view.value is shown
    history.add_report(report(tmp_path, [(1, 10)], wave=3), name="third", **times(3))
    after_cell[0]()
    assert [row.name for row in view.value.rows] == ["first", "second", "third"]


def test_it_is_read_again_where_it_is_shown_again_and_the_history_is_another(history: History, tmp_path: Path) -> None:
    view = render._view_of(history)
    assert isinstance(view, HistoryView)
    shown = view.value
    assert render._view_of(history).value is shown, "the files say nothing new"  # type: ignore[union-attr]
    history.add_report(report(tmp_path, [(1, 10)], wave=3), name="third", **times(3))
    assert "third" in str(history._repr_html_())


def test_in_a_narrow_panel_each_cell_names_its_heading_and_the_table_keeps_its_roles(history: History) -> None:
    html = html_of(HistoryView(history))
    assert '<td role="cell" class="r" data-l="Completes">4</td>' in html
    assert html.count('role="table"') == 2


def test_neither_panel_nor_picture_nor_text_names_anybody(history: History, tmp_path: Path) -> None:
    named = report(tmp_path, [(1, 10)], wave=3)
    history.add_report(named, name=f"for {rsid(1)}", **times(3))
    view = HistoryView(history)
    said = html_of(view) + view.to_static_html() + view.to_text() + repr(view) + repr(view.value)
    assert len(rows(FIRST)) == 6
    for number in range(10):
        assert rsid(number) not in said
        assert rid(1, number) not in said


def test_a_history_with_nothing_in_it_says_how_a_wave_is_added(tmp_path: Path) -> None:
    view = HistoryView(History.open(tmp_path / "empty"))
    assert repr(view) == "<HistoryView: History empty · nothing added yet>"
    assert "history.add(wave)" in html_of(view)


def test_a_history_that_cannot_be_read_says_why_and_shows_no_figures(history: History) -> None:
    view = HistoryView(history)
    (history.folder / "history.json").write_text("torn")
    view.refresh()
    assert view.value is None
    assert "<table" not in html_of(view)
    assert "history.json" in view.error
    assert "cannot be read" in repr(view)
    assert "HistoryError" in view.to_static_html()


def test_it_shows_the_mode_of_all_connections_and_none_where_they_differ(history: History) -> None:
    assert HistoryView(history).mode == ""
    mode.remember_mode("sandbox")
    assert HistoryView(history).mode == "sandbox"
    mode.remember_mode("live")
    assert "cint-mode-" not in html_of(HistoryView(history))


def test_its_text_fits_a_terminal(history: History) -> None:
    wide = HistoryView(history, now=OPENED + REACH - timedelta(days=3)).to_text().splitlines()
    assert max(map(len, wide)) <= 80


def test_it_is_made_by_its_public_name() -> None:
    assert cint.HistoryView is HistoryView
