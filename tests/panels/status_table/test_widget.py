"""Status and findings as tables: escaped, marked, readable as text."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cint_nb.domain.errors import InputError
from cint_nb.domain.findings import Finding, Findings, Severity
from cint_nb.panels.status_table.model import changed_cells
from cint_nb.panels.status_table.widget import StatusTable
from cint_nb.panels.wave_view.findings_table import FindingsTable
from cint_nb.sandbox.sample import write_sample
from cint_nb.study.files.respondents import read_respondents
from cint_nb.study.frames import status_frame
from cint_nb.wave.client import open_client
from tests.support.plans import make_plan
from tests.support.widgets import html_of


def frame(completes: int | None = 3, **more: object) -> pd.DataFrame:
    row = {
        "target_group_id": "01JTG",
        "name": "Wave <2>",
        "state": "live",
        "goal": 1_200,
        "completes": completes,
        "conversion_rate": 0.42,
        "cost": 12.5,
        "warnings": "ends soon",
        **more,
    }
    return pd.DataFrame([row])


def test_status_shows_known_columns_in_words_and_hides_ids() -> None:
    html = html_of(StatusTable(frame()))
    assert "Wave &lt;2&gt;" in html
    assert "1,200" in html
    assert "42 %" in html
    assert "ends soon" in html
    assert "01JTG" not in html


def test_status_text_form_is_a_table_under_the_repr() -> None:
    lines = StatusTable(frame(), mode="live").to_text().splitlines()
    assert lines[0] == "<StatusTable: live · Status · 1 target group>"
    assert lines[1].split()[:4] == ["Name", "State", "Completes", "Warnings"]
    assert "Wave <2>" in lines[2]


def test_its_text_fits_a_terminal_and_names_each_figure_where_columns_do_not() -> None:
    there = datetime(2026, 9, 1, 1, 30, tzinfo=UTC)
    text = StatusTable(frame(saved=956, entrants=400, came_back=0.42, last_complete=there, ends_at=there)).to_text()
    assert max(map(len, text.splitlines())) <= 80
    assert "Wave <2> · state live" in text
    assert "saved ids 956 · entrants 400 · came back 42 %" in " ".join(text.split())


def test_one_currency_stands_above_the_money_and_several_in_a_column_of_their_own() -> None:
    rows = [{"name": "A", "cost": 2.5, "currency": "EUR"}, {"name": "B", "cost": None, "currency": None}]
    one = StatusTable(pd.DataFrame(rows)).to_text()
    assert "Cost (EUR)" in one
    assert "Currency" not in one
    several = StatusTable(pd.DataFrame([*rows, {"name": "C", "cost": 1.0, "currency": "USD"}])).to_text()
    assert "Currency" in several
    assert "(EUR)" not in several


def test_a_time_of_another_zone_is_shown_as_utc() -> None:
    there = datetime(2026, 9, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert "2026-08-31 23:30 UTC" in StatusTable(frame(ends_at=there)).to_text()


def test_changed_cells_are_marked_with_more_than_a_colour() -> None:
    table = StatusTable(frame(3))
    table.update(frame(4))
    assert html_of(table).count("changed: ") == 1
    assert changed_cells(frame(3), frame(3)) == frozenset()
    assert changed_cells(frame(3), frame(4)) == {("01JTG", "completes")}


def test_missing_values_do_not_count_as_changes() -> None:
    assert changed_cells(frame(cost=float("nan")), frame(cost=float("nan"))) == frozenset()
    assert changed_cells(frame(cost=float("nan")), frame(cost=1.0)) == {("01JTG", "cost")}


def test_loader_runs_in_the_background_never_on_the_thread_that_clicks() -> None:
    threads: list[str] = []
    loaded = threading.Event()

    def load() -> pd.DataFrame:
        threads.append(threading.current_thread().name)
        return frame(9)

    table = StatusTable(load)
    table.observe(lambda _: loaded.set(), "value")
    assert repr(table) == "<StatusTable: sandbox · Status · not loaded yet>"
    table.refresh_button.click()
    assert loaded.wait(60)
    assert threads == ["cint-nb panel work"]
    assert list(table.frame["completes"]) == [9]


def test_failed_refresh_says_so_and_keeps_the_rows() -> None:
    outcomes: list[object] = [frame(5), RuntimeError("<no>")]
    said = threading.Event()

    def load() -> pd.DataFrame:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        assert isinstance(outcome, pd.DataFrame)
        return outcome

    table = StatusTable(load)
    table._load()
    table._error.observe(lambda _: said.set(), "value")
    table.refresh()
    assert said.wait(60)
    assert "&lt;no&gt;" in html_of(table)
    assert list(table.frame["completes"]) == [5]


def test_a_loader_may_show_what_it_has_before_it_has_all() -> None:
    looks: list[str] = []

    def load() -> Iterator[pd.DataFrame]:
        yield frame(5, cost=None)
        looks.append(html_of(table))
        table._throttle._last = float("-inf")  # as if a while had passed
        yield frame(5, cost=12.5)

    table = StatusTable(load)
    for _ in range(2):
        table._throttle._last = float("-inf")
        table._loading = True
        table._load()
    assert all("figures are coming in" in look and "Wave &lt;2&gt;" in look for look in looks)
    assert "refreshed when you ask" in html_of(table)
    assert table.frame["cost"].tolist() == [12.5]
    assert "changed: " not in html_of(table), "against the end of the refresh before, nothing has changed"


def test_findings_come_most_serious_first_with_evidence_and_fix() -> None:
    panel = FindingsTable(
        Findings.of(
            [
                Finding("plain-note", Severity.NOTE, "fine"),
                Finding(
                    "goal-above-ids", Severity.BLOCK, "too <many>", evidence="goal=9", fix="lower it", section="s1"
                ),
            ]
        )
    )
    html = html_of(panel)
    assert "too &lt;many&gt;" in html
    assert "goal=9" in html
    assert "Fix: lower it" in html
    assert "the step is refused until the blocks are gone" in html
    assert "1 note more" in html
    assert panel.to_text().splitlines()[2].split() == ["✕", "block", "too", "<many>", "goal=9"]
    assert "Fix: lower it" in panel.to_text()


@pytest.mark.parametrize("findings", [None, Findings()])
def test_no_findings_is_said_in_words(findings: Findings | None) -> None:
    panel = FindingsTable(findings)
    assert repr(panel) == "<FindingsTable: sandbox · Findings · nothing stands against this step>"


def many() -> pd.DataFrame:
    rows = [
        frame(completes, target_group_id=f"01JTG{number}", name=f"Wave {number}", state=state)
        for number, (completes, state) in enumerate([(5, "live"), (None, "paused"), (900, "live"), (20, "draft")])
    ]
    return pd.concat(rows, ignore_index=True).astype({"completes": "Int64"})


def shown(table: StatusTable) -> list[str]:
    return [row["name"] for _, row in table._view.visible_rows()]


def test_sorting_goes_by_value_and_leaves_empty_cells_last_in_both_directions() -> None:
    table = StatusTable(many())
    assert shown(table.set_options(sort_by="completes")) == ["Wave 0", "Wave 3", "Wave 2", "Wave 1"]
    assert shown(table.set_options(sort_by="completes", descending=True)) == ["Wave 2", "Wave 3", "Wave 0", "Wave 1"]
    assert 'aria-sort="descending"' in html_of(table)


def test_filter_keeps_rows_that_hold_every_word_and_says_how_many() -> None:
    table = StatusTable(many())
    table.set_options(filter_text="LIVE wave")
    assert shown(table) == ["Wave 0", "Wave 2"]
    assert "2 of 4 target groups" in html_of(table)
    table.set_options(filter_text="nothing has this")
    assert "No target group fits the filter." in html_of(table)


@pytest.mark.parametrize(
    ("rows", "words", "why"),
    [
        (frame(), "nothing has this", "No target group fits the filter."),
        (status_frame([]), "", "No target groups."),
    ],
)
def test_each_form_of_an_empty_table_says_why_it_is_empty(rows: pd.DataFrame, words: str, why: str) -> None:
    table = StatusTable(rows).set_options(filter_text=words)
    for shown in (html_of(table), table.to_text(), table.to_static_html()):
        assert why in shown
        assert "<th" not in shown


def test_order_and_filter_survive_a_refresh() -> None:
    table = StatusTable(many()).set_options(sort_by="completes", descending=True, filter_text="live")
    fresh = many()
    fresh.loc[0, "completes"] = 1_000
    table.update(fresh)
    assert shown(table) == ["Wave 0", "Wave 2"]


def test_columns_can_be_chosen_hidden_ones_too() -> None:
    table = StatusTable(many()).set_options(columns=("name", "target_group_id"))
    assert "01JTG0" in html_of(table)
    assert "Goal" not in html_of(table)
    with pytest.raises(InputError, match="no such column: price"):
        table.set_options(sort_by="price")


def test_csv_holds_plain_values_and_nothing_a_spreadsheet_would_run(tmp_path: Path) -> None:
    rows = many()
    rows.loc[0, "name"] = '=HYPERLINK("x")'
    path = StatusTable(rows).to_csv(tmp_path / "status.csv")
    read = pd.read_csv(path)
    assert read["completes"].tolist()[2] == 900
    assert not read["name"].iloc[0].startswith("=")


def test_each_cell_carries_what_a_browser_sorts_it_by() -> None:
    there = datetime(2026, 9, 1, tzinfo=UTC)
    html = html_of(StatusTable(frame(ends_at=there, cost=1094.08, currency="EUR")))
    for name, value in {"completes": "3", "cost": "1094.08", "state": "2", "ends_at": "1788220800"}.items():
        assert re.search(rf'<th scope="col"[^>]* data-c="{name}"', html)
        assert f'data-v="{value}"' in html
    assert "1 Sep 00:00" in html, "a short date; the zone stands once, above"
    assert "Ends, UTC" in html
    assert "Cost (EUR)" in html


def test_the_last_row_sums_what_is_known_and_says_over_how_many() -> None:
    table = StatusTable(many().assign(cost=[1.5, 2.0, float("nan"), 0.25], currency="EUR"))
    foot = html_of(table).partition("<tfoot>")[2].partition("</tfoot>")[0]
    for words in ("Total, 4 groups", "2 live", "925", "4 with warnings", "3.75"):
        assert words in foot
    assert "1 group not readable: not in the totals" in html_of(table)
    table.set_options(filter_text="live")
    assert "Total, 2 shown" in html_of(table)


def test_money_of_several_currencies_is_not_summed_and_yen_have_no_decimals() -> None:
    rows = pd.concat([frame(1, currency="EUR"), frame(2, currency="JPY", cost=5_000.0)], ignore_index=True)
    html = html_of(StatusTable(rows))
    assert "12.50" in html
    assert ">5,000<" in html
    assert "5,012" not in html.partition("<tfoot>")[2]


def test_a_name_is_cut_in_the_middle_and_whole_on_pointing_at_it() -> None:
    html = html_of(StatusTable(frame(name="Tea tracker, women 18–34")))
    assert 'title="Tea tracker, women 18–34"' in html
    assert "<span>Tea tracker, wo</span><span>men 18–34</span>" in html


def test_several_warnings_are_one_chip_and_a_number_and_all_are_there_to_be_heard() -> None:
    html = html_of(StatusTable(frame(warnings="ends soon; goal exceeds saved IDs; price cap reached")))
    assert "▲ ends soon</span>" in html
    assert "+2" in html
    assert "; goal exceeds saved IDs; price cap reached" in html


def test_columns_that_only_a_reader_asks_for_are_in_the_page_and_ids_are_not() -> None:
    html = html_of(StatusTable(frame(saved=9, incidence_rate=0.5)))
    assert re.search(r'class="r p3 k-count" data-c="saved"', html)
    assert re.search(r'class="r p0 k-rate" data-c="incidence_rate"', html)
    assert "target_group_id" not in html


@pytest.mark.parametrize(
    ("source", "named"), [(5, "int"), ("Brand tracker", "str"), (None, "NoneType"), ([1], "list"), (object(), "object")]
)
def test_what_is_no_wave_frame_or_loader_is_refused_by_name(source: Any, named: str) -> None:
    with pytest.raises(InputError, match=f"it was given {named}"):
        StatusTable(source)


@pytest.mark.parametrize("loaded", [7, {"name": "A"}, [1, 2]])
def test_a_loader_that_returns_no_frame_is_refused_by_name_in_the_panel(loaded: Any) -> None:
    table = StatusTable(lambda: loaded)
    table._load()
    assert "not a status frame" in table.error


def test_a_wave_is_a_source_and_gives_mode_and_title(tmp_path: Path) -> None:
    with open_client("sandbox") as client:
        people = read_respondents(write_sample(tmp_path / "sample.csv", lines=400), entity_type="RSID")
        start = client.clock.now() + timedelta(hours=1)
        plan = make_plan(client.clock.now(), start_at=start)
        wave = client.wave("Wave of a table", project="Panel tests", respondents=people, plan=plan)
        wave.create()
        table = StatusTable(wave)
        table._load()
        assert repr(table) == "<StatusTable: sandbox · Wave of a table · 1 target group>"
        assert "read 1 Sep 08:0" in html_of(table)


def test_it_loads_when_it_is_shown_and_its_still_picture_has_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs: list[dict[str, str]] = []
    monkeypatch.setattr("cint_nb.panels.look.static_html._display", outputs.append)
    monkeypatch.setattr("cint_nb.panels.look.static_html.in_kernel", lambda: True)
    table = StatusTable(lambda: frame(9))
    table._ipython_display_()
    assert "Wave &lt;2&gt;" in outputs[1]["text/html"]
    assert "not loaded yet" not in outputs[1]["text/html"]


def test_trend_is_a_line_with_a_name_for_a_screen_reader() -> None:
    table = StatusTable(frame(trend=[0, 4, 9]))
    assert 'role="img" aria-label="from 0 to 9"' in html_of(table)
    assert "▁▄█" in table.to_text()


def test_the_exchange_s_frame_is_shown_with_its_missing_values() -> None:
    rows = [{"name": "Wave 2", "state": "draft", "goal": 10, "saved": 9, "warnings": ["goal exceeds saved IDs"]}]
    table = StatusTable(status_frame(rows))
    assert "goal exceeds saved IDs" in html_of(table)
    assert table.frame.equals(status_frame(rows))
    assert "Entrants" not in html_of(table), "a column that holds nothing is left out"


def test_live_table_refreshes_until_it_is_paused() -> None:
    loads: list[int] = []
    third = threading.Event()

    def load() -> pd.DataFrame:
        loads.append(1)
        if len(loads) >= 3:
            third.set()
        return frame(len(loads))

    table = StatusTable(load, interval=1)
    table.interval = 0.01
    table.live_button.click()
    assert "mod-active" in table.live_button._dom_classes
    assert third.wait(60)
    quiet = threading.Event()

    def look(change: dict[str, Any]) -> None:
        if "refreshed when you ask" in change["new"]:
            quiet.set()

    table._line.observe(look, "value")
    table.live_button.click()
    assert quiet.wait(60), "at once, or when the refresh under way has ended"
    assert "mod-active" not in table.live_button._dom_classes
    seen = len(loads)
    threading.Event().wait(0.1)
    assert len(loads) <= seen + 1


def test_two_hundred_target_groups_are_drawn_without_a_noticeable_wait() -> None:
    rows = pd.concat([frame(number, target_group_id=str(number)) for number in range(200)], ignore_index=True)
    begun = time.perf_counter()
    StatusTable(rows)
    assert time.perf_counter() - begun < 4
