"""The report of a wave: all its visits so far, of its target group alone, read; it changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from cint_nb.domain.errors import CintWarning, InputError, InvalidState
from cint_nb.domain.models import TargetGroupRef
from cint_nb.wave.client import Client
from cint_nb.wave.wave import Wave
from tests.support.plans import make_plan

MakeWave = Callable[..., Wave]


@pytest.fixture
def fielded(make_wave: MakeWave, client: Client) -> Wave:
    wave = make_wave()
    wave.create()
    wave.upload()
    wave.launch(budget="2000 EUR")
    client.pass_time(days=1)
    return wave


def test_it_holds_the_visits_that_ended_and_the_completes_that_the_status_counts(fielded: Wave, client: Client) -> None:
    for _ in range(2):  # of an hour of today too
        status, report = fielded.status().iloc[0], fielded.report()
        assert 0 < len(report) <= status["entrants"]  # who is in the survey now has no row yet
        assert len(report.completes) == status["completes"] > 0
        assert report.name == fielded.name
        client.pass_time(hours=1)


def test_it_is_about_this_wave_alone(fielded: Wave, client: Client) -> None:
    earlier = fielded.report()
    second = client.wave(
        "Tracker, wave 3",
        project="Brand tracker",
        respondents=fielded.respondents,
        plan=make_plan(client.clock.now(), start_at=client.clock.now() + timedelta(hours=1)),
    )
    second.create()
    second.upload()
    with pytest.warns(CintWarning, match="would be asked twice"):
        second.launch(budget="2000 EUR", unverified=["asked twice"])
    client.pass_time(hours=6)
    report = second.report()
    assert 0 < len(report) <= second.status().iloc[0]["entrants"]
    assert len(fielded.report()) >= len(earlier)


def test_the_file_is_kept_where_it_is_asked_to_be_and_replaces_none(fielded: Wave, tmp_path: Path) -> None:
    report = fielded.report(save_to=tmp_path / ".")
    (kept,) = tmp_path.glob("respondent-analysis-*")
    assert kept.read_text(encoding="utf-8").count("\n") == len(report) + 1
    sent = fielded.client.http.requests_sent
    with pytest.raises(InputError, match="There is no folder"):
        fielded.report(save_to=tmp_path / "missing")
    assert fielded.client.http.requests_sent == sent


def test_answers_come_where_they_are_asked_for(fielded: Wave) -> None:
    columns = set(fielded.report().visits().columns)
    assert set(fielded.report(include_respondent_answers=True).visits().columns) > columns


def test_a_wave_that_was_never_launched_has_none(make_wave: MakeWave) -> None:
    wave = make_wave()
    with pytest.raises(InvalidState, match="no target group"):
        wave.report()
    wave.create()
    with pytest.raises(InvalidState, match="never launched"):
        wave.report()


def test_a_wave_that_nobody_has_entered_is_told_so(make_wave: MakeWave) -> None:
    wave = make_wave()
    wave.create()
    wave.upload()
    wave.launch(budget="2000 EUR")
    with pytest.raises(InvalidState, match="no visit has ended"):
        wave.report()


@pytest.mark.parametrize("start", [date(2020, 1, 1), date(2030, 1, 1)])
def test_a_period_that_no_report_has_is_refused_before_it_is_requested(fielded: Wave, start: date) -> None:
    with pytest.raises(InputError, match="at most 6 months"):
        fielded.report(start=start)


def test_a_wave_that_ended_half_a_year_ago_is_reported_to_its_end(fielded: Wave, client: Client) -> None:
    client.pass_time(days=255)
    report = fielded.report()
    assert 0 < len(report.completes) == fielded.status()["completes"].item()


def test_a_beginning_that_is_not_shown_is_asked_for_and_never_guessed(
    fielded: Wave, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = client.aio.fielding.runs

    async def without_start(ref: object) -> object:
        return tuple(run.model_copy(update={"start_fielding_at": None}) for run in await read(ref))  # type: ignore[arg-type]

    monkeypatch.setattr(client.aio.fielding, "runs", without_start)
    with pytest.raises(InputError, match="does not say when fielding began"):
        fielded.report()
    day = client.clock.now().date() - timedelta(days=3)
    assert len(fielded.report(start=day)) > 0


def test_it_changes_nothing(fielded: Wave) -> None:
    before = json.dumps(fielded.status().astype(str).to_dict("records"))
    fielded.report()
    assert json.dumps(fielded.status().astype(str).to_dict("records")) == before


@pytest.mark.parametrize("days", [0, 255], ids=["a wave of now", "a wave that ended long ago"])
def test_it_reads_the_fielding_runs_once(
    fielded: Wave, client: Client, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    client.pass_time(days=days)
    read, reads = client.aio.fielding.runs, []

    async def counted(ref: TargetGroupRef) -> object:
        reads.append(ref)
        return await read(ref)

    monkeypatch.setattr(client.aio.fielding, "runs", counted)
    fielded.report()
    assert len(reads) == 1
