"""The wave panel says where a wave stands and which line comes next, from its journal alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.panels.job_progress.widget import JobProgress
from cint_nb.panels.status_table.widget import StatusTable
from cint_nb.panels.wave_view.findings_table import FindingsTable
from cint_nb.panels.wave_view.model import StepState, WaveStep
from cint_nb.panels.wave_view.widget import WaveView
from cint_nb.sandbox.sample import write_sample
from cint_nb.study.files.respondents import read_respondents
from cint_nb.wave.client import Client, open_client
from cint_nb.wave.journal.journal import EntryState, WaveKey
from cint_nb.wave.journal.payloads import CLOSE, Payload
from cint_nb.wave.wave import Wave
from tests.support.plans import make_plan
from tests.support.widgets import html_of


@pytest.fixture
def client() -> Iterator[Client]:
    client = open_client("sandbox")
    yield client
    client.close()


def plan_for(client: Client, **changes: Any) -> TargetGroupPlan:
    now = client.clock.now()
    return make_plan(now, **{"start_at": now + timedelta(hours=1)} | changes)


@pytest.fixture
def wave(client: Client, tmp_path: Path) -> Wave:
    people = read_respondents(write_sample(tmp_path / "sample.csv", lines=400), entity_type="RSID")
    return client.wave("Wave of the panel", project="Panel tests", respondents=people, plan=plan_for(client))


def inside(panel: WaveView) -> list[type]:
    return [type(each) for each in panel._content.children]


def test_each_line_the_panel_names_leads_to_the_next_step_until_the_wave_is_closed(wave: Wave, client: Client) -> None:
    panel = WaveView(wave)
    lines, stages = [], []
    for _ in range(12):
        stand = panel.refresh().value
        stages.append(stand.step)
        if not stand.code or stand.step is WaveStep.FIELD:
            break
        lines.append(stand.code)
        eval(stand.code, {"wave": wave})  # noqa: S307  # the point: the line as shown is the line that runs
    assert lines == ["wave.create()", "wave.upload()", "wave.resubmit()", 'wave.launch(budget="274 EUR")']
    assert stages[-1] is WaveStep.FIELD
    wave.close()
    assert (panel.refresh().value.step, panel.value.state, panel.value.code) == (WaveStep.CLOSE, StepState.DONE, None)


def test_looking_sends_nothing(wave: Wave, client: Client) -> None:
    wave.create()
    before = client.requests_sent
    WaveView(wave).refresh()
    assert client.requests_sent == before


def test_current_step_shows_its_own_panel(wave: Wave) -> None:
    panel = WaveView(wave)
    assert inside(panel) == [FindingsTable]
    wave.create()
    wave.upload()
    assert inside(panel.refresh()) == [JobProgress]
    wave.resubmit()
    wave.launch(budget="400 EUR")
    assert inside(panel.refresh()) == [StatusTable]


def test_a_finding_that_blocks_is_shown_before_anything_is_created(client: Client, wave: Wave) -> None:
    wrong = client.wave(
        "Another wave",
        project="Panel tests",
        respondents=wave.respondents,
        plan=plan_for(client, live_url="https://x.com"),
    )
    panel = WaveView(wrong)
    assert (panel.value.step, panel.value.state) == (WaveStep.CHECK, StepState.FAILED)
    assert "must be fixed first" in html_of(panel)
    assert inside(panel) == [FindingsTable]


def test_paused_wave_names_the_line_that_resumes_it(wave: Wave) -> None:
    wave.create()
    wave.upload()
    wave.launch(budget="400 EUR")
    wave.pause()
    panel = WaveView(wave)
    assert panel.value.code == "wave.resume()"
    wave.resume()
    assert panel.refresh().value.code == "wave.status()"


def test_a_draft_whose_start_has_passed_is_not_called_blocked(wave: Wave, client: Client) -> None:
    wave.create()
    client.pass_time(hours=2)
    assert wave.plan.start_at < client.clock.now()
    assert WaveView(wave).value.code == "wave.upload()"


def test_a_removed_list_starts_again_at_the_upload(wave: Wave) -> None:
    wave.create()
    wave.upload()
    wave.remove()
    assert WaveView(wave).value.code == "wave.upload()"


def test_the_budget_the_panel_names_covers_every_cent(client: Client, wave: Wave) -> None:
    cheap = plan_for(client, completes_goal=4, cost_per_interview="2.55 EUR")
    small = client.wave("Small wave", project="Panel tests", respondents=wave.respondents, plan=cheap)
    small.create()
    small.upload()
    small.resubmit()
    line = WaveView(small).value.code
    assert line == 'wave.launch(budget="11 EUR")'
    eval(line, {"wave": small})  # noqa: S307  # the point: the line as shown is not refused
    assert small.launched


def test_a_wave_of_the_same_name_at_another_exchange_is_another_wave(wave: Wave, client: Client) -> None:
    elsewhere = WaveKey("live https://api.cint.com/v1 account 7", "Panel tests", wave.name)
    client.aio.journal.write(elsewhere, CLOSE, EntryState.DONE, Payload())
    assert WaveView(wave).value.code == "wave.create()"


def test_text_form_names_step_and_line_and_no_id(wave: Wave) -> None:
    wave.create()
    panel = WaveView(wave)
    assert repr(panel) == "<WaveView: sandbox · Wave of the panel · upload: now · wave.upload()>"
    group = wave.target_group
    assert group is not None
    assert group.target_group_id not in panel.to_static_html() + panel.to_text() + html_of(panel)


def test_panel_keeps_what_it_shows_after_the_session_is_closed(wave: Wave, client: Client) -> None:
    wave.create()
    panel = WaveView(wave)
    client.close()
    assert panel.refresh().value.step is WaveStep.UPLOAD


def test_no_button_of_the_panel_launches_closes_or_removes(wave: Wave) -> None:
    wave.create()
    wave.upload()
    wave.launch(budget="400 EUR")
    panel = WaveView(wave)
    buttons = [each.description for part in panel._content.children for each in _all(part) if hasattr(each, "on_click")]
    assert set(buttons) <= {"Refresh now", "Keep fresh", "Watch", "Resume", "Stop watching"}
    assert buttons


def _all(widget: Any) -> Iterator[Any]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _all(child)
