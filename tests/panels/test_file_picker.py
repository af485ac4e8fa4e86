"""The file picker reads inside its folder only, asks what no file can tell, and shows bad lines masked."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.ids import EntityType
from cint_nb.panels.fence import Fence
from cint_nb.panels.file_picker import FilePicker


class ReadPeople:
    """What a reader returns, with one malformed line."""

    def __init__(self, entity_type: EntityType) -> None:
        self.entity_type = entity_type
        self.counts = SimpleNamespace(usable=97, duplicate=1, malformed=1, blank=1, header=0)

    def lines(self) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "line": [1, 2, 3],
                "verdict": ["usable", "malformed", "blank"],
                "reason": ["", "not a <UUID>", ""],
                "id": ["••••0001", "••••beef", ""],
            }
        )


def read(source: Any, *, entity_type: EntityType, column: str | None = None) -> ReadPeople:
    return ReadPeople(entity_type)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "wave1.csv").write_text("x\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "deep.txt").write_text("y\n")
    (tmp_path / "notes.pdf").write_text("z")
    (tmp_path / ".hidden.csv").write_text("z")
    return tmp_path


def uploaded(name: str, content: bytes) -> tuple[dict[str, Any], ...]:
    """Return what the browser sends for one file."""
    return (
        {
            "name": name,
            "type": "text/csv",
            "size": len(content),
            "last_modified": datetime(2026, 9, 1, tzinfo=UTC),
            "content": memoryview(content),
        },
    )


def html_of(panel: Any) -> str:
    return " ".join(child.value for child in panel.children[1:] if isinstance(getattr(child, "value", None), str))


def test_choose_from_code_gives_the_respondents_and_shows_the_verdicts(folder: Path) -> None:
    picker = FilePicker(folder, reader=read).choose("wave1.csv", entity_type="respondent_id")
    assert picker.value.entity_type is EntityType.RSID
    html = html_of(picker)
    assert "97</b> usable" in html
    assert "not a &lt;UUID&gt;" in html
    assert "••••beef" in html
    assert repr(picker) == (
        "<FilePicker: sandbox · Respondent file · wave1.csv · RSID · 97 usable, 1 duplicate, 1 malformed, 1 blank>"
    )


@pytest.mark.parametrize("path", ["../secret.csv", "/etc/passwd", "sub/../../x.csv"])
def test_nothing_outside_the_folder_can_be_chosen(folder: Path, path: str) -> None:
    with pytest.raises(RespondentFileError, match="outside the folder"):
        FilePicker(folder, reader=read).choose(path, entity_type="RSID")


def test_links_that_lead_out_are_neither_listed_nor_followed(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "other.csv"
    outside.write_text("x")
    (folder / "link.csv").symlink_to(outside)
    fence = Fence(folder)
    assert not any("link.csv" in entry.label for entry in fence.entries(folder))
    with pytest.raises(RespondentFileError):
        fence.inside("link.csv")


def test_listing_shows_folders_and_readable_files_and_a_way_up(folder: Path) -> None:
    fence = Fence(folder)
    assert [entry.label for entry in fence.entries(folder)] == ["sub/", "wave1.csv  (2 bytes)"]
    assert [entry.label for entry in fence.entries(folder / "sub")] == ["↰ up", "deep.txt  (2 bytes)"]


def test_a_file_alone_is_not_read_before_the_ids_are_named(folder: Path) -> None:
    picker = FilePicker(folder, reader=read)
    picker.files.value = next(entry for _, entry in picker.files.options if not entry.folder)
    assert "what do the ids of wave1.csv identify?" in html_of(picker)
    assert picker.value is None
    ready = threading.Event()
    picker.observe(lambda _: ready.set(), "value")
    picker.entity.value = "RID"
    assert ready.wait(5)
    assert picker.value.entity_type is EntityType.RID


def test_uploaded_ids_do_not_stay_in_a_trait(folder: Path) -> None:
    picker = FilePicker(folder, reader=read)
    picker.entity.value = "RSID"
    ready = threading.Event()
    picker.observe(lambda _: ready.set(), "value")
    picker.upload.value = uploaded("mine.csv", b"abc\n")
    assert ready.wait(5)
    assert picker.upload.value == ()
    assert picker.facts is not None
    assert picker.facts.name == "mine.csv"


def test_an_upload_beyond_the_limit_is_refused_in_words(folder: Path) -> None:
    picker = FilePicker(folder, reader=read)
    picker.entity.value = "RSID"
    said = threading.Event()
    picker._error.observe(lambda _: said.set(), "value")
    picker.upload.value = uploaded("big.csv", bytes(6_000_000))
    assert said.wait(5)
    assert "6.0 MB" in picker.error
    assert "Next:" in picker.error
    assert picker.value is None
