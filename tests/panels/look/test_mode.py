"""The badge says which exchange a panel is about, also when nobody named it to the panel."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

import cint_nb as cint
from cint_nb.panels.file_picker.widget import FilePicker
from cint_nb.panels.job_progress.widget import JobProgress
from cint_nb.panels.look.mode import mode_of, remember_mode
from cint_nb.panels.status_table.widget import StatusTable
from cint_nb.panels.wave_view.findings_table import FindingsTable


class LiveWave:
    client = SimpleNamespace(mode="live")

    def status(self) -> pd.DataFrame:
        return pd.DataFrame()


def test_a_job_and_a_verb_of_a_live_wave_are_not_called_practice() -> None:
    job = SimpleNamespace(
        http=SimpleNamespace(settings=SimpleNamespace(mode="live")),
        last_snapshot=None,
        add_listener=lambda *_: None,
        is_watched=False,
        watch=None,
        stop_watching=None,
    )
    assert JobProgress(job).mode == "live"
    assert StatusTable(LiveWave().status).mode == "live"


def test_a_status_frame_carries_its_mode_along() -> None:
    frame = pd.DataFrame([{"name": "Wave 2"}])
    frame.attrs["mode"] = "replay"
    assert StatusTable(frame).mode == "replay"


def test_without_a_source_the_latest_connection_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert FilePicker().mode == "sandbox"
    monkeypatch.setenv("CINT_NB_MODE", "live")
    assert FilePicker().mode == "live", "what connect() would choose"
    with cint.connect("sandbox"):
        assert FilePicker().mode == "sandbox"
    remember_mode("live")
    assert mode_of() == "live"
    assert FindingsTable().mode == "live"


def test_what_is_said_wins_over_what_could_be_told() -> None:
    remember_mode("live")
    assert FilePicker(mode="replay").mode == "replay"
