"""Who is erased is in no file afterwards, in no form; what was counted stays counted; nobody comes back by accident."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cint_nb.domain.errors import CintWarning, HistoryError, InputError
from cint_nb.history import storage
from cint_nb.history.erasure import Search
from cint_nb.history.history import History
from cint_nb.measure.flow import flow
from cint_nb.measure.retention import retention
from cint_nb.study.files.respondents import read_respondents
from tests.history.studies import FIRST, content, people, report, rid, rows, rsid, table, times, two_waves


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    history = two_waves(folder)
    history.join([{"RID": rid(1, 1), "mood": "good"}, {"RID": rid(1, 2), "mood": "bad"}])
    return folder


@pytest.fixture
def history(prepared: Path, tmp_path: Path) -> History:
    shutil.copytree(prepared, tmp_path / "copy")
    return History.open(tmp_path / "copy" / "study")


IDS = [rsid(1), rid(1, 1), rid(2, 1)]


def test_erased_people_are_in_no_file_and_their_counts_stay(history: History) -> None:
    before = retention(history.long()).to_dict()
    assert len(Search(IDS).find(history.folder)) >= 3  # people, and the sessions of two waves
    erasure = history.erase(people([1, 77]))
    assert (erasure.people, erasure.visits, erasure.attributes, erasure.not_known) == (1, 2, 1, 1)
    assert all("people" in name or "sessions" in name for name in erasure.found_before)
    assert Search(IDS).find(history.folder) == {}
    assert retention(history.long()).to_dict() == before
    assert not history.check().blocking
    assert history.attributes("mood").df()["mood"].tolist() == ["bad"]


def test_older_versions_and_half_written_files_are_searched_and_go(history: History) -> None:
    older = history.folder / storage.VERSIONS / "000002" / "people" / "people-1.parquet"
    assert older.exists()
    scratch = history.folder / storage.SCRATCH
    scratch.mkdir()
    (scratch / "spilled.tmp").write_bytes(b"x" * 1001 + uuid.UUID(rsid(1)).bytes)
    found = Search(IDS).find(history.folder)
    assert ".scratch/spilled.tmp" in found
    assert "versions/000002/people/people-1.parquet" in found
    history.erase(people([1]))
    assert not older.exists()
    assert not scratch.exists()


@pytest.mark.parametrize(
    "form", ["text", "upper case", "no dashes", "16 bytes", "16 bytes, little endian", "in a text"]
)
@pytest.mark.parametrize("place", ["parquet", "plain"])
def test_the_search_finds_an_id_in_every_form(tmp_path: Path, form: str, place: str) -> None:
    key = uuid.UUID(rsid(1))
    forms: dict[str, str | bytes] = {
        "text": rsid(1), "upper case": rsid(1).upper(), "no dashes": key.hex, "16 bytes": key.bytes,
        "16 bytes, little endian": key.bytes_le, "in a text": f"https://survey.example/?r={rsid(1)}&x=1",
    }  # fmt: skip
    value = forms[form]
    if place == "parquet":
        others = [value[::-1]] * 5_000
        pq.write_table(pa.table({"any": [*others, value]}), tmp_path / "any.parquet", compression="zstd")
    else:
        (tmp_path / "any.bin").write_bytes(b"?" * 77 + (value.encode() if isinstance(value, str) else value))
    assert list(Search([rsid(1)]).find(tmp_path).values()) == [1]
    assert Search([rsid(2)]).find(tmp_path) == {}


def test_an_erasure_that_could_not_be_shown_is_not_done(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Search, "ids_in", lambda *_: set())
    with pytest.raises(HistoryError, match="does not find these people"):
        history.erase(people([1]))
    monkeypatch.undo()
    assert rsid(1) in str(table(history, "people"))


def test_a_copy_left_in_the_folder_is_named(history: History) -> None:
    shutil.copy(history.version_folder / "people" / "people-1.parquet", history.folder / "my copy.parquet")
    with pytest.raises(HistoryError, match="still in the folder") as left:
        history.erase(people([1]))
    assert "my copy.parquet" in str(left.value)
    assert rsid(1) not in str(left.value)


def test_erased_people_do_not_come_back(history: History, prepared: Path, tmp_path: Path) -> None:
    history.erase(people([1]))
    later = report(tmp_path, [*FIRST, (9, 10)], name="later")
    with pytest.warns(CintWarning, match="people who were erased"):
        history.add_report(later, name="first", **times(1))
    assert rsid(1) not in str(table(history, "people"))
    assert retention(history.long())["completed"].tolist() == [5, 1]  # with the one who was erased, and the new one
    with pytest.warns(CintWarning, match="people who were erased"):
        history.add_report(
            report(tmp_path, [(1, 10), (2, 10)], wave=13), name="third", listed=people([1, 2]), **times(13)
        )
    assert Search([rsid(1), rid(13, 1)]).find(history.folder) == {}
    assert not history.check().blocking


def test_later_waves_show_them_as_erased(history: History, tmp_path: Path) -> None:
    history._now = lambda: times(3)["opened"]
    history.erase(people([1]))
    history.add_report(report(tmp_path, [(2, 10)], wave=5), name="third", listed=people([2]), **times(5))
    boxes = flow(history.long())
    third = boxes[boxes["wave"] == 3].set_index("box")["n"]
    assert (third["known"], third["erased"], third["listed"]) == (6, 1, 1)


def test_a_cohort_has_no_one_who_was_erased(history: History) -> None:
    history.erase(people([1]))
    cohort = history.cohort(completed=1)
    assert (len(cohort), len(cohort.respondents())) == (4, 3)


def test_answers_of_erased_people_are_not_taken(history: History) -> None:
    history.erase(people([1]))
    joined = history.join([{"RID": rid(1, 1), "age": 30}, {"RID": rid(1, 2), "age": 31}])
    assert joined.counts["not in the history"] == 1


def test_erasing_needs_people_of_the_history(history: History) -> None:
    with pytest.raises(InputError, match="None of these people"):
        history.erase(people([88]))
    with pytest.raises(InputError, match="RIDs name visits"):
        history.erase(read_respondents([rid(1, 1)], entity_type="RID"))
    history.erase(rsid(1))
    with pytest.raises(InputError, match="None of these people"):
        history.erase([rsid(1)])


def test_a_damaged_key_stops_additions(history: History, tmp_path: Path) -> None:
    history.erase(people([1]))
    (history.folder / storage.KEY).write_text("short")
    with pytest.raises(HistoryError, match=r"erasure\.key"):
        history.add_report(content(rows(FIRST, wave=3)), name="third", **times(3))
