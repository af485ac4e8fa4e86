"""Status and findings as tables: escaped, marked, readable as text."""

from __future__ import annotations

import threading

import pandas as pd
import pytest

from cint_nb.domain.findings import Finding, Findings, Severity
from cint_nb.panels.findings_table import FindingsTable
from cint_nb.panels.status_model import changes
from cint_nb.panels.status_table import StatusTable


def frame(completes: int = 3, **more: object) -> pd.DataFrame:
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


def html_of(panel: object) -> str:
    return " ".join(child.value for child in panel.children[1:] if isinstance(getattr(child, "value", None), str))  # type: ignore[attr-defined]


def test_status_shows_known_columns_in_words_and_hides_ids() -> None:
    html = html_of(StatusTable(frame()))
    assert "Wave &lt;2&gt;" in html
    assert "1,200" in html
    assert "42 %" in html
    assert "ends soon" in html
    assert "01JTG" not in html


def test_status_text_form_is_a_table_under_the_repr() -> None:
    lines = StatusTable(frame(), mode="live").text().splitlines()
    assert lines[0] == "<StatusTable: live · Status · 1 target group>"
    assert lines[1].split()[:4] == ["Name", "State", "Goal", "Completes"]
    assert "Wave <2>" in lines[2]


def test_changed_cells_are_marked_with_more_than_a_colour() -> None:
    table = StatusTable(frame(3))
    table._take(frame(4))
    assert html_of(table).count('aria-label="changed"') == 1
    assert changes(frame(3), frame(3)) == frozenset()
    assert changes(frame(3), frame(4)) == {("01JTG", "completes")}


def test_missing_values_do_not_count_as_changes() -> None:
    assert changes(frame(cost=float("nan")), frame(cost=float("nan"))) == frozenset()
    assert changes(frame(cost=float("nan")), frame(cost=1.0)) == {("01JTG", "cost")}


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
    assert loaded.wait(5)
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
    assert said.wait(5)
    assert "&lt;no&gt;" in html_of(table)
    assert list(table.frame["completes"]) == [5]


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
    assert html.index("goal-above-ids") < html.index("plain-note")
    assert "too &lt;many&gt;" in html
    assert "the wave cannot go on" in html
    assert panel.text().splitlines()[1] == "  block  goal-above-ids: too <many>"
    assert "fix: lower it" in panel.text()


@pytest.mark.parametrize("findings", [None, Findings()])
def test_no_findings_is_said_in_words(findings: Findings | None) -> None:
    panel = FindingsTable(findings)
    assert repr(panel) == "<FindingsTable: sandbox · Findings · nothing stands against this step>"
