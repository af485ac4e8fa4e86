"""A saved notebook reads well without a kernel, and says the same from run to run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cint_nb.domain.findings import Finding, Findings, Severity
from cint_nb.history.history import History
from cint_nb.panels.file_picker.widget import FilePicker
from cint_nb.panels.history_view.widget import HistoryView
from cint_nb.panels.job_progress.widget import JobProgress
from cint_nb.panels.look import static_html
from cint_nb.panels.look.base import Panel
from cint_nb.panels.status_table.widget import StatusTable
from cint_nb.panels.wave_view.findings_table import FindingsTable
from tests.history.studies import two_waves

FRAME = pd.DataFrame([{"name": "Wave <2>", "state": "live", "goal": 10, "completes": 3}])
FINDINGS = Findings.of([Finding("goal-above-ids", Severity.BLOCK, "too <many>")])
MAKERS: list[Callable[[History], Panel]] = [
    lambda _: JobProgress(),
    lambda _: FilePicker(),
    lambda _: StatusTable(FRAME),
    lambda _: FindingsTable(FINDINGS),
    lambda history: HistoryView(history, mode="sandbox"),
]


@pytest.fixture(params=MAKERS, ids=["job", "picker", "table", "findings", "history"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Panel]:
    """Return what makes a panel, and the same again."""
    history = two_waves(tmp_path)
    return lambda: request.param(history)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    bundles: list[dict[str, Any]] = []
    monkeypatch.setattr(static_html, "_display", bundles.append)
    monkeypatch.setattr(static_html, "in_kernel", lambda: True)
    return bundles


def test_each_panel_is_shown_as_a_widget_and_as_a_still_picture(
    make: Callable[[], Panel], shown: list[dict[str, Any]]
) -> None:
    panel = make()
    panel._ipython_display_()
    live, still = shown
    assert live["text/plain"] == repr(panel)
    assert "application/vnd.jupyter.widget-view+json" in live
    assert set(still) == {"text/html", "text/plain"}
    assert "sandbox" in still["text/html"]


@pytest.mark.sampled(every=3)
def test_what_is_stored_repeats_from_run_to_run(make: Callable[[], Panel], shown: list[dict[str, Any]]) -> None:
    for _ in range(2):
        make()._ipython_display_()
    assert shown[1] == shown[3]
    assert shown[0]["text/plain"] == shown[2]["text/plain"]


def test_still_tables_hold_their_rows_escaped(shown: list[dict[str, Any]]) -> None:
    StatusTable(FRAME)._ipython_display_()
    FindingsTable(FINDINGS)._ipython_display_()
    assert "Wave &lt;2&gt;" in shown[1]["text/html"]
    assert "too &lt;many&gt;" in shown[3]["text/html"]
    assert "Wave <2>" in shown[1]["text/plain"]


def test_without_a_kernel_the_text_form_is_shown_once(
    make: Callable[[], Panel], shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static_html, "in_kernel", lambda: False)
    panel = make()
    panel._ipython_display_()
    assert shown == [{"text/plain": panel.to_text()}]


def test_a_long_table_leaves_a_short_picture() -> None:
    many = pd.concat([FRAME] * 500, ignore_index=True)
    still = StatusTable(many).to_static_html()
    assert still.count("<tr") < 60
    assert "450 more target groups" in still


def test_panels_keep_their_look_after_all_widgets_were_closed() -> None:
    JobProgress().children[0].close()  # as Widget.close_all() does
    sheet = JobProgress().children[0]
    assert sheet.comm is not None
    assert ".cint-panel" in sheet.value


def test_with_widgets_of_another_generation_the_still_picture_stands_alone(
    make: Callable[[], Panel], shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ipywidgets.__version__", "7.8.5")
    make()._ipython_display_()
    (still,) = shown
    assert set(still) == {"text/html", "text/plain"}


def test_marimo_is_given_the_still_picture_and_no_widget(make: Callable[[], Panel]) -> None:
    panel = make()
    picture = panel._display_()
    assert panel.to_static_html() in picture._repr_html_()
    assert repr(picture) == panel.to_text()
    assert not isinstance(picture, Panel)


def test_a_table_that_loads_is_loaded_before_its_picture_is_taken() -> None:
    table = StatusTable(lambda: FRAME)
    assert "Wave &lt;2&gt;" in table._display_()._repr_html_()
