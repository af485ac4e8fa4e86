"""Where Python cannot start threads, as in a browser, a whole wave runs with the same verbs, its panel included."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

import cint_nb as cint
from cint_nb.panels.job_progress.model import WatchPhase
from cint_nb.panels.job_progress.widget import JobProgress
from cint_nb.wire import loop_thread
from tests.support.plans import make_plan


@pytest.fixture(autouse=True)
def _no_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(_: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(loop_thread, "_NO_THREADS", True)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    yield
    loop_thread.shut_down()


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


def _start_upload(client: cint.Client, folder: Path) -> cint.Job:
    people = cint.read_respondents(cint.sandbox.write_sample(folder / "people.csv", lines=300), entity_type="RSID")
    plan = make_plan(client.clock.now(), completes_goal=100)
    group = client.wave("Wave 2", project="Brand tracker", respondents=people, plan=plan).create()
    return client.recontacts.upload(group, people)


def test_a_panel_that_was_started_follows_its_job_while_the_event_loop_runs(tmp_path: Path) -> None:
    async def follow(panel: JobProgress) -> None:
        ended = asyncio.Event()
        panel.observe(lambda change: ended.set() if change["new"].is_final else None, "value")
        assert panel.start() is panel
        assert panel.phase is WatchPhase.WATCHED
        await asyncio.wait_for(ended.wait(), 30)

    with cint.connect("sandbox", seed=3) as client:
        panel = JobProgress(_start_upload(client, tmp_path))
        loop_thread.run(follow(panel))
        assert panel.value is not None
        assert panel.value.saved_count


def test_a_panel_that_was_started_advances_during_blocking_verbs(tmp_path: Path) -> None:
    with cint.connect("sandbox", seed=3) as client:
        panel = JobProgress(_start_upload(client, tmp_path)).start()
        assert panel.value is None
        while panel.value is None or not panel.value.is_final:
            assert client.projects.list()
        assert client.projects.list()
        assert panel.phase is WatchPhase.STOPPED


def test_a_panel_that_was_stopped_polls_no_more_until_it_is_started_again(tmp_path: Path) -> None:
    with cint.connect("sandbox", seed=3) as client:
        job = _start_upload(client, tmp_path)
        panel = JobProgress(job).start()
        panel.stop()
        for _ in range(3):
            assert client.projects.list()
        assert panel.value is None
        assert not job.is_watched
        panel.start()
        assert job.wait().is_final
        assert panel.value is not None
        assert panel.value.is_final


def test_a_verb_is_refused_where_a_listener_of_the_panel_would_block_it(tmp_path: Path) -> None:
    refused: list[BaseException] = []

    def observer(_: object) -> None:
        with pytest.raises(cint.errors.LoopError) as caught:
            client.projects.list()
        refused.append(caught.value)

    with cint.connect("sandbox", seed=3) as client:
        panel = JobProgress(_start_upload(client, tmp_path))
        panel.observe(observer, "value")
        panel.start()
        while not refused:
            loop_thread.run(asyncio.sleep(0))


@pytest.mark.parametrize(
    "settings",
    [
        {"mode": "live", "account_id": 1, "client_id": "someone", "client_secret": "planted-secret"},
        {"mode": "sandbox", "base_url": "http://127.0.0.1:8640/v1"},
    ],
    ids=["live", "a served sandbox"],
)
def test_a_connection_that_a_browser_cannot_open_is_refused_at_once(settings: dict[str, Any]) -> None:
    with pytest.raises(cint.errors.SettingsError, match="cannot open a connection") as refused:
        cint.connect(**settings)
    assert "nothing was sent" in str(refused.value)
    assert "planted-secret" not in str(refused.value)
