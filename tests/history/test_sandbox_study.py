"""A study on the sandbox: two waves added as they end, refreshed after reconciliation, measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cint_nb.domain.errors import CintWarning, InputError
from cint_nb.history.history import History
from cint_nb.history.waves import WaveRecord
from cint_nb.measure.dispositions import dispositions
from cint_nb.measure.methods_text import methods_text
from cint_nb.measure.retention import retention
from cint_nb.wave.client import Client, open_client
from cint_nb.wave.wave import Wave
from tests.support.fresh_waves import NAME, PROJECT, live_wave
from tests.support.plans import make_plan


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with open_client("sandbox", seed=1) as session:
        yield session


class Study:
    """A first wave that is over, and a second one that has just ended."""

    def __init__(self, client: Client, folder: Path) -> None:
        self.client, self.folder = client, folder
        self.first = live_wave(client)
        client.pass_time(days=4)
        self.history = History.open(folder / "study")
        self.added = self.history.add(self.first)
        people = self.history.cohort(completed=1).respondents()
        self.second: Wave = client.wave(
            "Tracker, wave 2",
            project=PROJECT,
            respondents=people,
            plan=make_plan(client.clock.now(), completes_goal=min(60, len(people))),
        )
        self.second.create()
        self.second.upload()
        self.second.launch(budget="1400 EUR")
        client.pass_time(hours=10)
        self.midway = self.history.add(self.second)
        self.seen_midway = self.history.parts()
        client.pass_time(days=15)
        self.changes = self.history.refresh(client)


@pytest.fixture(scope="module")
def study(client: Client, tmp_path_factory: pytest.TempPathFactory) -> Study:
    return Study(client, tmp_path_factory.mktemp("study"))


def test_a_wave_is_kept_with_its_times_and_why_it_closed(study: Study) -> None:
    first = study.history.parts().iloc[0]
    assert first["name"] == NAME
    assert first["closed_by"] == "goal"
    assert first["open_from"] < first["open_until"] < first["as_of"]
    assert (first["goal"], first["locale"], first["currency"]) == (100, "ger_de", "EUR")
    assert study.added.frame()["new_people"].tolist() == study.added.frame()["people"].tolist()


def test_a_wave_in_the_field_is_marked_until_it_is_refreshed(study: Study) -> None:
    assert study.seen_midway["state"].tolist() == ["final", "mid-field"]
    assert study.history.parts()["state"].tolist() == ["final", "final"]
    assert study.history.parts()["closed_by"].tolist() == ["goal", "end"]


def test_every_listed_person_has_a_row(study: Study) -> None:
    outcome = study.second.outcome.counts
    second = study.history.parts().iloc[1]
    assert (second["listed"], second["saved"], second["rejected"]) == (
        study.second.id_count,
        outcome["saved"],
        outcome["rejected"],
    )
    words = dispositions(study.history.long()).filter("wave = 2").df()["disposition"].value_counts()
    assert words.sum() == study.second.id_count
    assert words["rejected"] == outcome["rejected"]
    rate = retention(study.history.long()).iloc[1]
    assert (rate["n"], rate["kind"]) == (outcome["saved"], "rate")


def test_refreshing_shows_who_changed(study: Study) -> None:
    assert (study.changes["wave"] == 2).all()
    assert len(study.changes) >= 10
    assert set(study.changes["after"]) >= {"completed"}
    assert len(study.history.refresh(study.client)) == 0


def test_the_text_for_a_journal_can_be_written(study: Study) -> None:
    assert "COMR" in methods_text(study.history.long())
    assert not study.history.check()


def test_reconciliation_is_seen_by_a_refresh(tmp_path: Path) -> None:
    with open_client("sandbox", seed=1) as client:
        wave = live_wave(client)
        client.pass_time(days=4)
        history = History.open(tmp_path / "study")
        history.add(wave)
        visits = wave.report().visits(reveal=True)
        done = visits.loc[visits["completed"], "Response ID (RID)"].head(3).tolist()
        wave.reconcile([{"RID": each} for each in done], reason="speeder")
        client.pass_time(days=1)
        changes = history.refresh(client)
    assert changes[["before", "after"]].to_numpy().tolist() == [["completed", "reconciled"]] * 3
    assert retention(history.long())["completed"].tolist() == [97]


def test_a_missing_report_is_not_known_never_absent(study: Study, tmp_path: Path) -> None:
    record = replace(study.second.history_record(), report=None, missing="Reports reach back twelve months.")
    wave: Any = SimpleNamespace(history_record=lambda **_: record)
    history = History.open(tmp_path / "study")
    history.add(study.first)
    with pytest.warns(CintWarning, match="who came is not known"):
        history.add(wave)
    words = dispositions(history.long()).filter("wave = 2").df()["disposition"].value_counts()
    assert words.to_dict() == {"not_known": len(record.saved or ()), "rejected": 1}
    assert history.parts()["state"].tolist() == ["final", "report missing"]
    assert retention(history.long())["kind"].tolist()[1] == "not_known"
    history.add(study.second)
    assert history.parts()["state"].tolist() == ["final", "final"]


def test_an_uploaded_list_of_which_nothing_is_known_is_not_absent(study: Study, tmp_path: Path) -> None:
    record = replace(study.second.history_record(), saved=None)
    history = History.open(tmp_path / "study")
    history.add(study.first)
    history.add(SimpleNamespace(history_record=lambda **_: record))
    words = dispositions(history.long()).filter("wave = 2").df()["disposition"].value_counts()
    assert "absent" not in words
    assert words["not_known"] > 40
    assert "not-known-whether-saved" in history.check().rules()


def test_a_wave_nobody_has_come_to_yet_is_kept(study: Study, tmp_path: Path) -> None:
    header = (study.second.history_record().report or b"").split(b"\r\n")[0] + b"\r\n"
    record = replace(study.second.history_record(), report=header, closed_by="open")
    history = History.open(tmp_path / "study")
    history.add(SimpleNamespace(history_record=lambda **_: record))
    words = dispositions(history.long()).df()["disposition"].value_counts()
    assert words.to_dict() == {"pending": len(record.saved or ()), "rejected": 1}


def test_a_list_of_rids_leads_to_people_by_the_visits_that_are_known(study: Study, tmp_path: Path) -> None:
    from cint_nb.study.files.respondents import read_respondents

    report = study.first.report()
    visits = report.visits(reveal=True)
    rids = read_respondents(visits.loc[visits["completed"], "Response ID (RID)"].tolist(), entity_type="RID")
    record: WaveRecord = replace(study.second.history_record(), uploaded=rids)
    history = History.open(tmp_path / "study")
    history.add(study.first)
    history.add(SimpleNamespace(history_record=lambda **_: record))
    second = history.parts().iloc[1]
    assert (second["listed"], second["rejected"]) == (len(rids), len(rids) - len(record.saved or ()))


def test_refreshing_needs_waves_of_a_client(client: Client, tmp_path: Path, study: Study) -> None:
    history = History.open(tmp_path / "study")
    history.add_report(study.first.report(), as_of=client.clock.now())
    with pytest.raises(InputError, match="came from a client"):
        history.refresh(client)
