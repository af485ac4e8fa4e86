"""Sources that hold no list of ids stop before the network, with cause, place and fix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cint_nb.domain.errors import InputError, RespondentFileError
from cint_nb.domain.ids import synthetic_id
from cint_nb.study.files.respondents import read_respondents

IDS = [synthetic_id("bad sources", number) for number in range(20)]


def refused(source: Any, **options: Any) -> RespondentFileError:
    with pytest.raises(RespondentFileError) as caught:
        read_respondents(source, entity_type="RSID", **options)
    error = caught.value
    assert error.what
    assert error.next_step
    assert "nothing was sent" in str(error.safe)
    assert not any(identifier in str(error) for identifier in IDS)
    return error


def test_a_missing_file(tmp_path: Path) -> None:
    error = refused(tmp_path / "wave1.csv")
    assert "no such file" in error.what
    assert error.evidence["source"] == "wave1.csv"
    assert isinstance(error, InputError)
    assert isinstance(error, ValueError)


def test_a_directory(tmp_path: Path) -> None:
    assert "directory" in refused(tmp_path).what


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "wave1.csv"
    path.touch()
    assert "empty" in refused(path).what


@pytest.mark.parametrize("content", ["\n\n\n", " \r\n\t\r\n", "\ufeff\n"])
def test_a_file_of_blank_lines(content: str) -> None:
    assert "blank" in refused(content.encode()).what


def test_a_header_row_and_nothing_else() -> None:
    assert "only a header row" in refused(b"RSID\n").what
    assert "only a header row" in refused(b"RSID,age\n\n").what


@pytest.mark.parametrize("content", [b"\x00\x01\x02\x03" * 100, bytes(range(256)) * 10, b"\x01\x02\x03\x04\x05\x06"])
def test_a_binary_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "wave1.csv"
    path.write_bytes(content)
    assert "binary" in refused(path).what


def test_bytes_that_turn_binary_late_name_the_line() -> None:
    content = "\n".join(IDS * 20_000).encode() + b"\n\x00\x00\n"
    error = refused(content)
    assert "binary" in error.what
    assert error.evidence["line"] == 400_001


@pytest.mark.parametrize("suffix", [".docx", ".pdf", ".json", ".xls", ".sas7bdat", ".zip", ".xlsx.gz"])
def test_a_wrong_extension(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"wave1{suffix}"
    path.write_text("\n".join(IDS))
    error = refused(path)
    assert "extension" in error.what
    assert ".csv" in str(error.next_step)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"%PDF-1.7 ...", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Office document"),
        (b"<!DOCTYPE html><html><body>Log in</body></html>", "web page"),
        (b"\n <html><table><tr><td>x</td></tr></table>", "web page"),
        (b'<?xml version="1.0"?><a/>', "web page or XML"),
        (b"\x7fELF\x02\x01", "executable"),
    ],
)
def test_another_kind_of_file_under_the_name_of_a_list(tmp_path: Path, content: bytes, word: str) -> None:
    path = tmp_path / "wave1.csv"
    path.write_bytes(content)
    assert word in refused(path).what


def test_a_workbook_named_csv_is_told_its_name(tmp_path: Path) -> None:
    path = tmp_path / "wave1.csv"
    path.write_bytes(b"PK\x03\x04" + bytes(100))
    assert ".xlsx" in str(refused(path).next_step)


def test_two_columns_of_ids_are_named_with_the_call_to_write(tmp_path: Path) -> None:
    path = tmp_path / "wave1.csv"
    path.write_text("visit,RSID\n" + "\n".join(f"{a},{b}" for a, b in zip(IDS[:10], IDS[10:], strict=True)))
    error = refused(path)
    assert '1 "visit", 2 "RSID"' in error.what
    assert "read_respondents('wave1.csv', column='RSID', entity_type=\"RSID\")" in str(error.next_step)
    people = read_respondents(path, column="RSID", entity_type="RSID")
    assert people.ids == tuple(IDS[10:])


def test_two_columns_without_a_header_are_named_by_position() -> None:
    content = "\n".join(f"{a};{b}" for a, b in zip(IDS[:10], IDS[10:], strict=True)).encode()
    error = refused(content)
    assert "column=1" in str(error.next_step)
    assert read_respondents(content, column=2, entity_type="RSID").ids == tuple(IDS[10:])


def test_text_in_place_of_a_path_is_explained() -> None:
    error = refused("\n".join(IDS))
    assert "path" in error.what
    assert "splitlines" in str(error.next_step)


@pytest.mark.parametrize("source", [7, None, {"a": 1}, object()])
def test_other_values_are_refused_by_their_type(source: Any) -> None:
    assert type(source).__name__ in refused(source).what
