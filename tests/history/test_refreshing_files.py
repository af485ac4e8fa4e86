"""Refreshing reads files again whose content has changed since; all of them count, or none."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from cint_nb.domain.errors import CintWarning, InputError, RespondentFileError
from cint_nb.history.history import History
from tests.history.studies import (
    FIRST,
    SECOND,
    content,
    long,
    people,
    quiet,
    report,
    rid,
    rows,
    rsid,
    table,
    times,
    two_waves,
)

LATER = [(1, 40), *SECOND[1:], (4, 10)]
"""The second wave as it is seen later: a complete is none any more, and one more person came."""


def states(changes: Any) -> dict[int, str]:
    found: dict[int, str] = changes.attrs["parts"]
    return found


def test_a_file_that_changed_is_read_again_and_shows_who_changed(tmp_path: Path) -> None:
    history = two_waves(tmp_path)
    report(tmp_path, LATER, wave=2)
    changes = history.refresh()
    assert states(changes) == {1: "unchanged", 2: "read again"}
    person = dict(table_of_people(history))
    assert changes.fillna("").to_numpy().tolist() == [
        [2, 2, person[rsid(1)], "completed", "over_quota"],
        [2, 2, person[rsid(4)], "", "completed"],
    ]
    assert history.parts()["state"].tolist() == ["final", "final"]
    assert states(history.refresh()) == {1: "unchanged", 2: "unchanged"}
    assert repr(history).endswith("version 3 · DuckDB>")


def table_of_people(history: History) -> list[tuple[str, int]]:
    return [(key, number) for number, key, *_ in table(history, "people") if key]


def test_files_that_did_not_change_change_nothing(tmp_path: Path) -> None:
    history = two_waves(tmp_path)
    with quiet() as said:
        changes = history.refresh()
    assert (len(changes), said) == (0, [])
    assert repr(history).endswith("version 2 · DuckDB>")


def test_a_file_that_is_gone_leaves_its_wave_and_is_named(tmp_path: Path) -> None:
    history = two_waves(tmp_path)
    before = long(history)
    (tmp_path / "wave-1.csv").unlink()
    with pytest.warns(CintWarning, match="1 wave stays as read, since the file of its report is gone.*: first"):
        changes = history.refresh()
    assert states(changes) == {1: "gone", 2: "unchanged"}
    assert long(history) == before


def test_a_file_that_holds_another_wave_now_leaves_its_own(tmp_path: Path) -> None:
    """Whoever exports every wave under one name has the last of them there."""
    history = two_waves(tmp_path)
    before = long(history)
    shutil.copy(tmp_path / "wave-2.csv", tmp_path / "wave-1.csv")
    with pytest.warns(CintWarning, match="a report of another wave now: first"):
        assert states(history.refresh()) == {1: "of another wave", 2: "unchanged"}
    report(tmp_path, [(9, 10)], wave=3, name="wave-1")
    with pytest.warns(CintWarning, match="a report of another wave now: first"):
        assert states(history.refresh()) == {1: "of another wave", 2: "unchanged"}
    assert long(history) == before


def test_one_file_that_cannot_be_read_leaves_all_as_they_were(tmp_path: Path) -> None:
    history = two_waves(tmp_path)
    before = long(history)
    report(tmp_path, [*FIRST[:3], (4, 40), *FIRST[4:]], wave=1)
    (tmp_path / "wave-2.csv").write_text("nothing,of\nthe,kind\n")
    with pytest.raises(RespondentFileError):
        history.refresh()
    assert long(history) == before
    report(tmp_path, LATER, wave=2)
    assert states(history.refresh()) == {1: "read again", 2: "read again"}


def test_a_study_that_was_moved_with_its_files_is_read_again(tmp_path: Path) -> None:
    two_waves(tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    report(tmp_path / "there", LATER, wave=2)
    history = History.open(tmp_path / "there" / "study")
    assert states(history.refresh()) == {1: "unchanged", 2: "read again"}


def test_a_file_is_read_again_as_it_was_read_first(tmp_path: Path) -> None:
    history = History.open(tmp_path / "study")
    path = report(tmp_path, [(1, 301), (2, 10)])
    history.add_report(path, codes={301: "screened"}, attributes=["Supplier"], listed=people([1, 2, 3]), **times())
    report(tmp_path, [(1, 301), (2, 301)])
    assert history.refresh()["after"].tolist() == ["screened"]
    assert sorted(value for _, value in history.attributes("Supplier").fetchall()) == ["Alpha", "Beta"]
    assert sorted(value for _, value in history.attributes("Supplier").fetchall()) == ["Alpha", "Beta"]
    assert history.parts()["listed"].tolist() == [3]


def test_a_report_of_several_waves_is_read_once_for_all_and_brings_new_ones(tmp_path: Path) -> None:
    history, path = History.open(tmp_path / "study"), tmp_path / "project.csv"
    waves = [rows(FIRST), rows(SECOND, wave=2), rows([(3, 10)], wave=3)]
    path.write_bytes(content(waves[0] + waves[1]))
    history.add_report(path, as_of=times(2)["as_of"])
    path.write_bytes(content(waves[0] + waves[1] + waves[2]))
    changes = history.refresh()
    assert states(changes) == {1: "read again", 2: "read again"}
    assert history.parts()["name"].tolist() == [f"project · group-{wave}" for wave in (1, 2, 3)]
    path.write_bytes(content(waves[1] + waves[2]))  # the first is out of reach
    with pytest.warns(CintWarning, match="another wave now: project · group-1"):
        assert states(history.refresh())[1] == "of another wave"
    assert len(long(history)) == len(FIRST) + len(SECOND) + 1


def test_who_was_erased_is_not_read_again(tmp_path: Path) -> None:
    history = two_waves(tmp_path)
    history.erase(people([1]))
    report(tmp_path, LATER, wave=2)
    with pytest.warns(CintWarning, match="were left out"):
        history.refresh()
    assert rsid(1) not in dict(table_of_people(history))
    assert rid(2, 1) not in [each for _, each in table(history, "sessions")]


def test_what_was_no_file_or_has_an_id_in_its_name_is_not_remembered(tmp_path: Path) -> None:
    history = History.open(tmp_path / "study")
    history.add_report(content(rows(FIRST)), name="bytes", **times())
    with pytest.raises(InputError, match="no report from a file that is remembered"):
        history.refresh()
    path = report(tmp_path, SECOND, wave=2, name=rsid(1))
    history.add_report(path, name="second", **times(2))
    assert rsid(1) not in (history.folder / "history.json").read_text()
    with pytest.raises(InputError, match="no report from a file that is remembered"):
        history.refresh()
