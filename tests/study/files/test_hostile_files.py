"""Files that mean harm are refused before they cost memory, time or trust."""

from __future__ import annotations

import gzip
import io
import os
import socket
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cint_nb.domain import limits
from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.ids import synthetic_id
from cint_nb.study.files.respondents import Respondents, read_respondents
from tests.support.hostile import gzip_bomb

IDS = [synthetic_id("hostile", number) for number in range(5)]
MEGABYTE = 1_000_000


def read(source: bytes | list[str] | str | Path, **options: Any) -> Respondents:
    return read_respondents(source, entity_type="RSID", **options)


@contextmanager
def at_most(megabytes: int) -> Iterator[None]:
    """Fail if more memory than this is in use at any time."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < megabytes * MEGABYTE
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet", ".sav", ".csv.gz"])
def test_a_sparse_file_of_2_gb_is_refused_by_its_size_alone(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"huge{suffix}"
    with path.open("wb") as file:
        file.truncate(2_000_000_000)
    with at_most(5), pytest.raises(RespondentFileError, match="2,000,000,000 bytes") as caught:
        read(path)
    assert caught.value.evidence["bytes"] == 2_000_000_000


@pytest.mark.parametrize(
    ("filler", "said"),
    [(b"\n", "expands to far more"), (b" ", "a line is longer"), (b"a", "a line is longer"), (b"\0", "binary")],
)
def test_a_gzip_bomb_is_stopped_while_it_unpacks(filler: bytes, said: str) -> None:
    bomb = gzip_bomb(filler)
    assert len(bomb) < MEGABYTE
    # Python 3.12 and later read 128 KB of the bomb at once.
    with at_most(150), pytest.raises(RespondentFileError, match=f"(?i){said}"):
        read(bomb, name="ids.csv.gz")


@pytest.mark.parametrize("cut", [5, 30, -4])
def test_a_damaged_gzip_file_is_said_to_be_damaged(cut: int) -> None:
    packed = gzip.compress("\n".join(synthetic_id("gzip", n) for n in range(1_000)).encode())
    with pytest.raises(RespondentFileError, match="gzip file is damaged"):
        read(packed[:cut], name="ids.csv.gz")


def test_only_text_may_be_packed_and_only_once() -> None:
    inner = io.BytesIO()
    pd.DataFrame({"RSID": IDS}).to_excel(inner, index=False)
    for content in (inner.getvalue(), gzip.compress(b"x")):
        with pytest.raises(RespondentFileError, match="Only text"):
            read(gzip.compress(content), name="ids.csv.gz")
    with pytest.raises(RespondentFileError, match="not gzip-compressed"):
        read("\n".join(IDS).encode(), name="ids.csv.gz")
    with pytest.raises(RespondentFileError, match="empty"):
        read(gzip.compress(b""), name="ids.csv.gz")


def workbook(parts: dict[str, Any] | None = None, values: list[str] = IDS) -> bytes:
    """Make a workbook, and put more parts into its package."""
    plain = io.BytesIO()
    pd.DataFrame({"RSID": values}).to_excel(plain, index=False)
    if not parts:
        return plain.getvalue()
    out = io.BytesIO()
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            new.writestr(item.filename, parts.pop(item.filename, old.read(item)))
        for name, content in parts.items():
            new.writestr(name, content)
    return out.getvalue()


def test_a_workbook_that_unpacks_to_far_more_is_refused_before_it_does() -> None:
    bomb = workbook({"xl/media/picture.bin": bytes(60 * MEGABYTE)})
    assert len(bomb) < 200_000
    with at_most(20), pytest.raises(RespondentFileError, match="expands to"):
        read(bomb)


@pytest.mark.filterwarnings("ignore::cint_nb.domain.errors.CintWarning")  # formulas
def test_links_of_a_workbook_to_other_files_are_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a workbook must not open a connection")

    monkeypatch.setattr(socket, "socket", refuse)
    schemas = "http://schemas.openxmlformats.org"
    relation = f"{schemas}/officeDocument/2006/relationships/externalLinkPath"
    link = f'<Relationship Id="rId1" Type="{relation}" Target="http://evil.example/x.xlsx" TargetMode="External"/>'
    parts = {
        "xl/externalLinks/externalLink1.xml": f'<externalLink xmlns="{schemas}/spreadsheetml/2006/main"/>',
        "xl/externalLinks/_rels/externalLink1.xml.rels": (
            f'<Relationships xmlns="{schemas}/package/2006/relationships">{link}</Relationships>'
        ),
    }
    people = read(workbook(parts, values=[*IDS[:4], "=[1]Sheet1!$A$1", '=HYPERLINK("http://evil.example")', IDS[4]]))
    assert people.ids == tuple(IDS)
    assert list(people.lines()["verdict"]) == ["header", *["usable"] * 4, "blank", "blank", "usable"]


def test_entities_of_a_workbook_are_not_expanded() -> None:
    laughs = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
    )
    secret = '<!DOCTYPE x [<!ENTITY j SYSTEM "file:///etc/hostname">'
    for doctype in (laughs, secret):
        sheet = (
            f'<?xml version="1.0"?>{doctype}]><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
            '<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&j;</t></is></c></row></sheetData></worksheet>'
        )
        with pytest.raises(RespondentFileError):
            read(workbook({"xl/worksheets/sheet1.xml": sheet}))


@pytest.mark.parametrize("name", ["ids.xlsx", "ids.parquet", "ids.sav"])
def test_a_damaged_file_is_refused_with_what_to_do(name: str) -> None:
    heads = {"ids.xlsx": b"PK\x03\x04", "ids.parquet": b"PAR1", "ids.sav": b"$FL2"}
    with pytest.raises(RespondentFileError, match="cannot be read") as caught:
        read(heads[name] + b"garbage" * 50, name=name)
    assert "save it" in str(caught.value.next_step)


def test_an_archive_that_is_no_workbook_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("word/document.xml", "<x/>")
    with pytest.raises(RespondentFileError, match="not a workbook"):
        read(buffer.getvalue())


def test_a_workbook_that_claims_a_million_rows_is_read_as_far_as_it_goes() -> None:
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1:XFD1048576"/>'
        f'<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>{IDS[0]}</t></is></c></row></sheetData></worksheet>'
    )
    assert read(workbook({"xl/worksheets/sheet1.xml": sheet})).counts.lines == 1


@pytest.mark.thorough
def test_two_cells_at_the_ends_of_a_sheet_cost_no_memory_for_what_lies_between() -> None:
    first, last = (
        f'<row r="{row}"><c r="{cell}" t="inlineStr"><is><t>{text}</t></is></c></row>'
        for row, cell, text in ((1, "A1", IDS[0]), (20_000, "XFD20000", "note"))
    )
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<sheetData>{first}{last}</sheetData></worksheet>"
    )
    content = workbook({"xl/worksheets/sheet1.xml": sheet})
    with at_most(20):
        people = read(content)
    assert people.ids == (IDS[0],)
    assert people.counts.lines == 20_000


def test_an_error_in_a_cell_is_malformed_and_not_blank() -> None:
    cells = f'<c r="A1" t="inlineStr"><is><t>{IDS[0]}</t></is></c>', '<c r="A2" t="e"><v>#N/A</v></c>'
    rows = "".join(f'<row r="{number}">{cell}</row>' for number, cell in enumerate(cells, start=1))
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<sheetData>{rows}</sheetData></worksheet>"
    )
    assert read(workbook({"xl/worksheets/sheet1.xml": sheet})).counts.malformed == 1


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RespondentFileError, match="longer than 1,000,000 bytes"):
        read(b"a" * (3 * MEGABYTE))


def test_more_lines_than_are_read_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SOURCE_MAX_LINES", 10)
    with pytest.raises(RespondentFileError, match="more than 10 lines"):
        read(("\n".join(IDS) + "\n" * 10).encode())
    with pytest.raises(RespondentFileError, match="more than 10 lines"):
        read(IDS * 3)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_or_device_is_not_read(tmp_path: Path) -> None:
    pipe = tmp_path / "ids.csv"
    os.mkfifo(pipe)
    with pytest.raises(RespondentFileError, match="not a regular file"):
        read(pipe)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="rights do not hold here")
def test_a_file_without_rights_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_text("x")
    path.chmod(0)
    with pytest.raises(RespondentFileError, match="cannot be opened"):
        read(path)


def test_a_name_with_a_zero_byte_is_no_path() -> None:
    with pytest.raises(RespondentFileError, match="path"):
        read("ids\0.csv")
