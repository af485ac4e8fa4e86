"""The wave panel says where a wave stands and which line comes next: as the exchange says, or as last known."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.panels.job_progress.widget import JobProgress
from cint_nb.panels.results import render
from cint_nb.panels.wave_view import widget
from cint_nb.panels.wave_view.figures import WaveFigures, budget_rows, render_budget
from cint_nb.panels.wave_view.findings_table import FindingsTable
from cint_nb.panels.wave_view.model import StepState, WaveProgress, WaveStep
from cint_nb.panels.wave_view.widget import WaveView, render_steps
from cint_nb.sandbox.sample import write_sample
from cint_nb.study.files.respondents import read_respondents
from cint_nb.wave.client import Client, open_client
from cint_nb.wave.journal.journal import EntryState, WaveKey
from cint_nb.wave.journal.payloads import CLOSE, Payload
from cint_nb.wave.wave import Wave
from tests.support.changed_elsewhere import CHANGE_ROWS, NOTHING, STAGES, Cell, opened, read_truth
from tests.support.changed_elsewhere_rules import identity_is_lost
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
    client.pass_time(days=2)
    wave.close()
    assert (panel.refresh().value.step, panel.value.state) == (WaveStep.RECONCILE, StepState.NOW)
    assert panel.value.step_states()[-2] == (WaveStep.CLOSE, StepState.DONE)
    bad = wave.report().visits(reveal=True).head(1)
    effect = eval(panel.value.code.replace("…", "speeder"), {"wave": wave, "rejects": bad})  # noqa: S307
    assert "completes" in effect["what"].tolist()


def test_an_upload_by_the_clients_own_verb_is_followed_and_not_advised_as_if_nothing_were_sent(
    wave: Wave, client: Client
) -> None:
    group = wave.create()
    client.recontacts.upload(group, wave.respondents)
    panel = WaveView(wave)
    assert (panel.value.step, panel.value.state, panel.value.code) == (WaveStep.UPLOAD, StepState.NOW, "wave.upload()")
    assert "a call of the client itself has begun an upload" in html_of(panel)
    assert JobProgress in inside(panel)
    uploads = len(client.recontacts.jobs(group))
    assert str(wave.upload().state) == "partial"
    assert len(client.recontacts.jobs(group)) == uploads, "the line has followed the job, and sent nothing"
    assert panel.refresh().value.code == "wave.resubmit()"
    wave.remove()
    assert (panel.refresh().value.step, panel.value.state) == (WaveStep.UPLOAD, StepState.NOW), "nothing is left of it"


@pytest.mark.parametrize("refreshed", [False, True])
def test_each_look_reads_once_and_changes_nothing(
    wave: Wave, client: Client, caplog: pytest.LogCaptureFixture, refreshed: bool
) -> None:
    wave.create()
    panel, before = WaveView(wave), read_truth(client.sandbox)
    with caplog.at_level("INFO", logger="cint_nb"):
        caplog.clear()
        panel.refresh() if refreshed else WaveView(wave)
    assert [record.getMessage().split(" ")[0] for record in caplog.records] == ["GET", "GET"]
    assert read_truth(client.sandbox) == before


def test_after_a_cell_it_shows_what_the_cell_read_and_asks_nothing(
    wave: Wave, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    after_cell: list[Callable[[], None]] = []
    monkeypatch.setattr(widget, "after_each_cell", after_cell.append)
    panel = WaveView(wave)
    wave.create()
    wave.upload()
    wave.resubmit()
    wave.launch(budget="400 EUR")
    for call, line in ((None, "wave.status()"), (wave.pause, "wave.resume()"), (wave.resume, "wave.status()")):
        if call is not None:
            call()
        before = client.requests_sent
        after_cell[0]()
        assert client.requests_sent == before
        assert panel.value.code == line
    wave.close()
    after_cell[0]()
    assert panel.value.step is WaveStep.RECONCILE
    panel.close()


def test_shown_again_it_reads_again(wave: Wave, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cint_nb.panels.look.static_html._display", lambda _: None)
    wave.create()
    panel = WaveView(wave)
    before = client.requests_sent
    panel.display()
    assert client.requests_sent == before  # it was read when it was made
    wave.upload()
    client.sandbox.inject("launched-elsewhere", "now")
    panel.display()
    assert panel.value.step is WaveStep.FIELD


# --- changed elsewhere -----------------------------------------------------------------------------------------------

TRUTH = {
    "draft": (WaveStep.CREATE, WaveStep.UPLOAD, WaveStep.OUTCOME, WaveStep.LAUNCH),
    "scheduled": (WaveStep.FIELD,),
    "live": (WaveStep.FIELD,),
    "paused": (WaveStep.FIELD,),
    "completed": (WaveStep.RECONCILE,),
    "archived": (WaveStep.CLOSE,),
    None: (WaveStep.CHECK, WaveStep.CREATE),
}
"""The steps at which a wave may be shown, by the true state of its group."""


@pytest.mark.sampled(every=4)
@pytest.mark.filterwarnings("ignore::cint_nb.errors.CintWarning")
@pytest.mark.parametrize("change", [NOTHING, *(name for name in CHANGE_ROWS if ":" not in name)])
@pytest.mark.parametrize("with_journal", [True, False])
def test_whoever_changed_the_state_it_is_shown(change: str, with_journal: bool) -> None:
    shown = 0
    for stage in STAGES:
        with opened(stage, with_journal=with_journal) as (client, wave):
            try:
                if change != NOTHING:
                    client.sandbox.inject(change, "now")  # type: ignore[arg-type]
            except ValueError:  # it cannot happen there
                continue
            truth = read_truth(client.sandbox)
            panel = WaveView(wave)
            assert read_truth(client.sandbox) == truth
            status = truth.group.status if truth.group else None
            if identity_is_lost(Cell(change, "status", stage, with_journal)):
                continue
            shown += 1
            assert panel.value.step in TRUTH[status], (stage, status)
            assert panel.value.is_current
            assert (panel.value.code == "wave.resume()") is (status == "paused")
            assert f"{panel.value.as_of:%H:%M:%S} UTC" in html_of(panel)
    assert shown or change in ("second-machine", "project-renamed")


CHANGES_SHOWN = {
    "goal-raised": ("live", "Goal 10 → 20", "wave.approve("),
    "price-raised": ("live", "Price up to", "wave.approve("),
    "paused-elsewhere": ("live", "It was paused", "wave.resume()"),
    "resumed-elsewhere": ("paused", "It was paused, and is live", "wave.pause()"),
    "launched-elsewhere": ("uploaded", "It was launched", "wave.pause()"),
    "field-edited:expected_incidence_rate": ("uploaded", "expected_incidence_rate", "wave.plan_from_exchange()"),
}


@pytest.mark.parametrize("change", CHANGES_SHOWN)
def test_what_was_changed_elsewhere_is_said_with_what_differs_since_when_and_the_next_line(change: str) -> None:
    stage, said, code = CHANGES_SHOWN[change]
    with opened(stage, with_journal=True) as (client, wave):
        left = client.clock.now()
        client.pass_time(minutes=30)
        client.sandbox.inject(change, "now")  # type: ignore[arg-type]
        panel = WaveView(wave)
        assert panel.changed is not None
        assert panel.changed.since <= left
        html = html_of(panel)
        assert f"Changed elsewhere since {panel.changed.since.day} " in html
        assert said in html
        assert code in html
        assert said in panel.to_text()
        assert "changed elsewhere" in panel._steps.value
        line = panel.changed.code or ""
        if line.startswith("wave.approve"):
            eval(line, {"wave": wave})  # noqa: S307  # the point: the line as shown covers the new terms
            assert "Changed elsewhere" not in html_of(panel.refresh())


@pytest.mark.parametrize("stage", STAGES)
def test_a_wave_that_nobody_else_touched_is_not_called_changed(stage: str) -> None:
    with opened(stage, with_journal=True) as (_, wave):
        assert WaveView(wave).changed is None


def test_what_a_wave_does_itself_is_not_called_changed_elsewhere(live: Wave, client: Client) -> None:
    panel = WaveView(live)
    steps: list[Callable[[], Any]] = [
        lambda: live.raise_goal(101, budget="600 EUR"),
        lambda: live.set_price("2.80 EUR", budget="600 EUR"),
        lambda: live.extend(live.plan.end_at + timedelta(days=3), budget="600 EUR"),
        live.pause,
        live.resume,
        live.close,
        lambda: live.relaunch(budget="600 EUR"),
        live.close,
    ]
    for step in steps:
        step()
        client.pass_time(minutes=5)
        assert panel.refresh().changed is None, panel.changed
    assert panel.value.step is WaveStep.RECONCILE


def test_without_a_journal_nobody_is_said_to_have_changed_anything() -> None:
    with opened("live", with_journal=False) as (client, wave):
        client.sandbox.inject("paused-elsewhere", "now")
        assert WaveView(wave).changed is None


def test_a_closed_wave_says_until_when_its_completes_can_be_reconciled(live: Wave, client: Client) -> None:
    live.close()
    panel = WaveView(live)
    assert "open until 25 Oct" in panel._steps.value
    assert "2026-10-25 23:59:59 CDT" in html_of(panel)
    client.pass_time(days=60)
    panel.refresh()
    assert (panel.value.state, panel.value.code) == (StepState.DONE, None)
    assert "reconciled no longer since 2026-10-25" in html_of(panel)


def test_a_wave_over_the_turn_of_a_month_has_two_deadlines(live: Wave, client: Client) -> None:
    client.pass_time(days=40)
    panel = WaveView(live)
    assert panel.value.deadlines is not None
    first, final = panel.value.deadlines
    assert (first.month, final.month) in ((10, 10), (10, 11))


# --- the exchange does not answer ------------------------------------------------------------------------------------


@pytest.fixture
def live(wave: Wave, client: Client) -> Wave:
    wave.create()
    wave.upload()
    wave.launch(budget="400 EUR")
    client.pass_time(hours=1)
    return wave


async def _silent(*_: Any) -> Any:
    await asyncio.Event().wait()


def test_an_exchange_that_does_not_answer_in_time_leaves_what_was_last_known(
    live: Wave, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = WaveView(live)
    known = panel.value.as_of
    client.pass_time(hours=1)
    monkeypatch.setattr(client.aio.fielding, "runs", _silent)
    panel._show(lambda: live.look(0.02))
    assert (panel.value.step, panel.value.as_of, panel.value.is_current) == (WaveStep.FIELD, known, False)
    assert f"Last known, {known.day} Sep {known:%H:%M:%S} UTC: the exchange did not answer within" in html_of(panel)
    assert "UTC" not in repr(panel) + panel.to_static_html() + panel.to_text()


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("fault", ["500@any*always", "refuse@any*always", "expired-token@any*always"])
def test_an_exchange_that_fails_leaves_what_was_last_known(live: Wave, client: Client, fault: str) -> None:
    panel = WaveView(live)
    known = panel.value.as_of
    client.pass_time(hours=1)
    client.sandbox.faults.arm(fault)
    panel.refresh()
    assert (panel.value.step, panel.value.as_of, panel.value.is_current) == (WaveStep.FIELD, known, False)


def test_what_the_journal_has_written_since_is_newer_than_what_was_read(
    live: Wave, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = WaveView(live)
    client.pass_time(hours=1)
    same = client.wave(live.name, project="Panel tests", respondents=live.respondents, plan=live.plan)
    same.close()  # by another object, as in another kernel
    monkeypatch.setattr(client.aio.fielding, "runs", _silent)
    panel._show(lambda: live.look(0.02))
    assert panel.value.step is WaveStep.RECONCILE
    assert panel.value.as_of is not None
    assert not panel.value.is_current


def test_a_state_that_cannot_be_seen_is_not_shown_as_one(live: Wave, client: Client) -> None:
    panel = WaveView(live)
    known = panel.value.as_of
    client.pass_time(hours=1)
    (group,) = client.sandbox.world.groups.values()
    assert group.run is not None
    group.run.status = "marinating"
    panel.refresh()
    assert (panel.value.step, panel.value.as_of, panel.value.is_current) == (WaveStep.FIELD, known, False)
    assert "not documented" in html_of(panel)


def test_a_wave_nothing_is_known_of_says_that_it_was_not_asked(wave: Wave, client: Client) -> None:
    client.sandbox.faults.arm("refuse@any*always")
    panel = WaveView(wave)
    assert panel.value.step is WaveStep.CREATE
    assert "The state was not read" in html_of(panel)


# --- recordings ------------------------------------------------------------------------------------------------------


def test_a_recording_and_its_replay_hold_no_look_and_show_the_same(tmp_path: Path) -> None:
    people = read_respondents(write_sample(tmp_path / "sample.csv", lines=400), entity_type="RSID")
    shown = []
    recording = tmp_path / "r.jsonl"
    for connect in (
        partial(open_client, "sandbox", record=recording),
        partial(open_client, "replay", recording=recording),
    ):
        with connect() as client:
            wave = client.wave("Recorded", project="Panel tests", respondents=people, plan=plan_for(client))
            wave.create()
            before = client.requests_sent
            panel = WaveView(wave)
            assert client.requests_sent == before
            wave.upload()
            wave.resubmit()
            wave.launch(budget="400 EUR")
            panel.refresh()
            shown.append((panel.value.step, panel.value.code, panel.value.as_of_text))
    assert shown[0] == shown[1]
    assert shown[0][0] is WaveStep.FIELD
    assert "a recording repeats" in shown[0][2]


# --- the panel of each step ------------------------------------------------------------------------------------------


def test_current_step_shows_its_own_panel(wave: Wave) -> None:
    panel = WaveView(wave)
    assert inside(panel) == [FindingsTable]
    wave.create()
    wave.upload()
    assert inside(panel.refresh()) == [JobProgress]
    wave.resubmit()
    wave.launch(budget="400 EUR")
    assert inside(panel.refresh()) == []
    assert "People, and the share of the step before" in html_of(panel)


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
    buttons = {each.description for each in _all(panel) if hasattr(each, "on_click")}
    assert buttons <= {"Refresh", "Check again", "Ask again", "Watch", "Watch again", "Stop watching"}
    assert buttons
    truth = read_truth(wave.client.sandbox)
    panel._ask_again()
    assert read_truth(wave.client.sandbox) == truth
    assert panel.error == ""


# --- people and money ------------------------------------------------------------------------------------------------


def test_people_are_one_funnel_from_lines_to_completes(wave: Wave, client: Client) -> None:
    panel = WaveView(wave)
    assert [name for name, _, _ in panel.figures.stages()] == ["lines", "usable"], "what is not known is not shown as 0"
    wave.create()
    wave.upload()
    assert [name for name, _, _ in panel.refresh().figures.stages()] == ["lines", "usable", "sent", "saved"]
    wave.launch(budget="400 EUR")
    client.pass_time(days=1)
    panel._ask_again()
    stages = {name: number for name, number, _ in panel.figures.stages()}
    row = wave.status().iloc[0]
    assert stages["entered"] == row["entrants"] > stages["completed"] == row["completes"]
    assert list(stages.values()) == sorted(stages.values(), reverse=True)


def test_the_budget_shows_approved_spent_and_what_may_still_come(wave: Wave, client: Client) -> None:
    wave.create()
    wave.upload()
    wave.launch(budget="400 EUR")
    client.pass_time(hours=2)
    panel = WaveView(wave)
    assert {name: value for _, name, value in budget_rows(panel.figures)}["approved"] == "400.00"
    panel._ask_again()
    rows = {name: value for _, name, value in budget_rows(panel.figures)}
    assert list(rows) == ["spent", "may still come", "free", "approved"]
    amounts = [Decimal(value) for value in rows.values()]
    assert sum(amounts[:3]) == amounts[3]


def test_money_beyond_the_approval_is_named_and_an_unknown_approval_is_not_zero() -> None:
    over = WaveFigures(currency="EUR", approved=Decimal(1400), committed=Decimal("1772.50"), spent=Decimal("687.50"))
    assert [(name, value) for _, name, value in budget_rows(over)] == [
        ("spent", "687.50"),
        ("may still come", "1,085.00"),
        ("over the approval", "372.50"),
        ("approved", "1,400.00"),
    ]
    assert "wv-over" in render_budget(over)
    unknown = WaveFigures(currency="JPY", spent=Decimal(5000))
    assert budget_rows(unknown) == [("", "spent", "5,000"), ("-", "approved", "not known")]
    assert budget_rows(WaveFigures()) == []


def test_steps_say_what_came_of_them_and_new_people_have_no_upload(client: Client, wave: Wave) -> None:
    wave.create()
    wave.upload()
    drawn = WaveView(wave)._steps.value
    assert re.search(r"<b>.*?upload</b>.*?<small>\d+ saved</small>", drawn)
    assert re.search(r"<small>\d+ rejected</small>", drawn)
    assert "Step 4 of 8: outcome" in drawn
    stand = WaveProgress(WaveStep.LAUNCH, StepState.NOW, "wave.launch()", "goes live")
    assert "Step 3 of 6: launch" in render_steps(stand, {}, is_fresh=True)


def test_a_state_that_is_only_last_known_is_marked_as_a_question(live: Wave, client: Client) -> None:
    panel = WaveView(live)
    client.sandbox.faults.arm("500@any*always")
    panel.refresh()
    assert 'class="unknown"' in panel._steps.value
    assert panel.ask_button.description == "Ask again"


def test_a_wave_as_the_last_line_of_a_cell_is_its_view_and_always_the_same_one(
    wave: Wave, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[dict[str, str]] = []
    monkeypatch.setattr("cint_nb.panels.look.static_html._display", shown.append)
    wave._ipython_display_()
    assert shown[0]["text/plain"].startswith("<WaveView: sandbox · Wave of the panel · create: now"), "as in a terminal"
    assert "Next: wave.create()" in shown[0]["text/plain"]
    monkeypatch.setattr("cint_nb.panels.look.static_html.in_kernel", lambda: True)
    wave._ipython_display_()
    assert "application/vnd.jupyter.widget-view+json" in shown[1]
    assert "cint-static" in shown[2]["text/html"]
    assert render.view_of(wave) is render.view_of(wave)


def test_with_widgets_of_another_generation_a_wave_is_its_still_picture(
    wave: Wave, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[dict[str, str]] = []
    monkeypatch.setattr("cint_nb.panels.look.static_html._display", shown.append)
    monkeypatch.setattr("cint_nb.panels.look.static_html.in_kernel", lambda: True)
    monkeypatch.setattr("ipywidgets.__version__", "7.8.5")
    wave._ipython_display_()
    (still,) = shown
    assert set(still) == {"text/html", "text/plain"}
    assert "wave.create()" in still["text/html"]


def test_a_wave_has_a_still_picture_where_there_are_no_widgets(wave: Wave) -> None:
    drawn = wave._repr_html_()
    assert drawn is not None
    assert "<script" not in drawn
    for words in ("Wave of the panel", "wave.create()", "lines", "sandbox"):
        assert words in drawn


def _all(widget: Any) -> Iterator[Any]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _all(child)


def test_a_cell_that_reads_nothing_leaves_what_was_read_as_it_was(
    wave: Wave, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    after_cell: list[Callable[[], None]] = []
    monkeypatch.setattr(widget, "after_each_cell", after_cell.append)
    panel = WaveView(wave)
    shown = html_of(panel)
    after_cell[0]()
    assert html_of(panel) == shown
    assert "read from the exchange" in shown
    client.pass_time(minutes=5)
    wave.create()
    after_cell[0]()
    assert panel.value.code == "wave.upload()"
    assert "was not asked" not in html_of(panel), "nobody asked, so that nothing is amiss"
    assert panel.ask_button.description == "Refresh"
    panel.close()
