"""Where Python cannot start threads, as in a browser, a whole wave runs with the same verbs, its panel included."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import NoReturn

import pytest

import cint_nb as cint
from cint_nb.panels.job_progress.widget import JobProgress
from cint_nb.wire import loop_thread
from tests.support.plans import make_plan


@pytest.fixture(autouse=True)
def _no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(loop_thread, "_NO_THREADS", True)
    monkeypatch.setattr(threading.Thread, "start", refuse)


def test_a_whole_wave_runs_without_starting_a_thread(tmp_path: Path) -> None:
    people = cint.read_respondents(cint.sandbox.write_sample(tmp_path / "people.csv", lines=500), entity_type="RSID")
    with cint.connect("sandbox", seed=3) as client:
        plan = make_plan(client.clock.now(), completes_goal=100)
        wave = client.wave("Wave 2", project="Brand tracker", respondents=people, plan=plan)
        assert not wave.check().blocking
        wave.create()
        uploaded = wave.upload()
        assert uploaded.is_final
        assert wave.outcome.counts["saved"] == uploaded.saved_count
        wave.launch(budget="1000 EUR")
        client.pass_time(days=1)
        assert wave.status()["state"].item() == "live"
        wave.close()
        assert [project.name for project in client.projects.list()] == ["Brand tracker"]


def test_a_panel_follows_a_job_without_starting_a_thread(tmp_path: Path) -> None:
    people = cint.read_respondents(cint.sandbox.write_sample(tmp_path / "people.csv", lines=300), entity_type="RSID")
    with cint.connect("sandbox", seed=3) as client:
        plan = make_plan(client.clock.now(), completes_goal=100)
        group = client.wave("Wave 2", project="Brand tracker", respondents=people, plan=plan).create()
        job = client.recontacts.upload(group, people)
        panel = JobProgress(job)
        assert job.wait().is_final
        assert panel.value is not None
        assert panel.value.is_final
