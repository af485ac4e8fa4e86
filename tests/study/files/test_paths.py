"""Paths as people write and paste them lead to the file, or to words that say what they are."""

from __future__ import annotations

import os
import stat as stat_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.ids import synthetic_id
from cint_nb.study.files import file_format
from cint_nb.study.files.respondents import read_respondents

IDS = [synthetic_id("paths", number) for number in range(5)]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for name in ("my wave 1.csv", "~name.csv", "'odd'.csv"):
        (tmp_path / name).write_text("\n".join(IDS))
    return tmp_path


@pytest.mark.parametrize(
    "form",
    [
        "my wave 1.csv", '"my wave 1.csv"', "'my wave 1.csv'", " my wave 1.csv\t", "\u201cmy wave 1.csv\u201d",
        "{folder}/my wave 1.csv", '"{folder}/my wave 1.csv"', "file://{folder}/my%20wave%201.csv",
        "file://localhost{folder}/my%20wave%201.csv", "~/my wave 1.csv", "~name.csv", "'odd'.csv",
    ],
)  # fmt: skip
def test_a_path_is_found_as_it_is_written(form: str, folder: Path) -> None:
    assert read_respondents(form.format(folder=folder), entity_type="RSID").ids == tuple(IDS)


@pytest.mark.parametrize(
    ("path", "says", "fix"),
    [
        ("C:\new\table.csv", "Python read a backslash", "write an r"),
        ("data\table.csv", "Python read a backslash", "write an r"),
        ("..\\a\bees.xlsx", "Python read a backslash", "write / for each"),
        ("https://example.com/x.csv", "an address (https://…)", "download"),
        ("s3://bucket/x.csv", "an address (s3://…)", "download"),
        ("file://server/share/x.csv", "an address (file://…)", "download"),
        ("my wave 2.csv", "no such file", "'my wave 1.csv'"),
        ("nothing alike.parquet", "no such file", "working folder"),
        ("~nobody-here/x.csv", "no such file", "working folder"),
        ("", "directory", "choose one file"),
        ("\n".join(IDS), "A string of text", "splitlines"),
        ("x" * 5_000, "cannot be opened", "check the path"),
        pytest.param(
            r"C:\Users\ann\x.csv", "a path of Windows", "upload the file",
            marks=pytest.mark.skipif(os.name == "nt", reason="it is one there"),
        ),
        pytest.param(
            r"\\server\share\x.csv", "a path of Windows", "upload the file",
            marks=pytest.mark.skipif(os.name == "nt", reason="it is one there"),
        ),
    ],
)  # fmt: skip
def test_what_is_no_path_here_is_told_in_true_words(path: str, says: str, fix: str) -> None:
    with pytest.raises(RespondentFileError) as caught:
        read_respondents(path, entity_type="RSID")
    assert says in caught.value.what
    assert fix in str(caught.value.next_step)
    assert not any(each in str(caught.value) for each in IDS)


def test_the_mark_of_an_open_workbook_is_not_the_workbook(folder: Path) -> None:
    (folder / "~$people.xlsx").write_bytes(bytes(165))
    with pytest.raises(RespondentFileError, match="one is open") as caught:
        read_respondents(folder / "~$people.xlsx", entity_type="RSID")
    assert str(caught.value.next_step) == "choose people.xlsx, after closing it."


def test_a_file_that_lies_elsewhere_is_said_to(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".people.csv.icloud").write_bytes(b"bplist00")
    with pytest.raises(RespondentFileError, match="in iCloud"):
        read_respondents("people.csv", entity_type="RSID")

    def refuse(*_: Any) -> Any:
        raise OSError(22, "The cloud file provider is not running")

    status = SimpleNamespace(st_mode=stat_module.S_IFREG, st_size=5, st_mtime=0.0, st_file_attributes=0x400000)
    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(Path, "stat", lambda *_, **__: status)
    with pytest.raises(RespondentFileError, match="online only"):
        file_format._open(Path("my wave 1.csv"))
    status.st_file_attributes = 0
    with pytest.raises(RespondentFileError, match="provider is not running"):
        file_format._open(Path("my wave 1.csv"))
