"""One table of what a file is and what it is called: read, or refused in true words."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyreadstat
import pytest

from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.ids import synthetic_id
from cint_nb.study.files.file_format import READABLE_SUFFIXES
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.study.readable_frame import ReadableFrame

IDS = [synthetic_id("containers", number) for number in range(12)]
FRAME = pd.DataFrame({"n": range(12), "RSID": IDS})
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def read(source: Any, **options: Any) -> Respondents:
    return read_respondents(source, entity_type="RSID", **options)


def archive(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in files.items():
            package.writestr(name, content)
    return out.getvalue()


def written(write: Callable[[Path], Any], tmp_path: Path, suffix: str) -> bytes:
    path = tmp_path / f"made{suffix}"
    write(path)
    return path.read_bytes()


def contents(tmp_path: Path) -> dict[str, bytes]:
    """Return one example of everything that a file may contain, by what it is."""
    lines = "\n".join(["RSID", *IDS]).encode()
    return {
        "text": lines,
        "xlsx": written(lambda path: FRAME.to_excel(path, index=False), tmp_path, ".xlsx"),
        "parquet": written(lambda path: FRAME.to_parquet(path), tmp_path, ".parquet"),
        "sav": written(lambda path: pyreadstat.write_sav(FRAME, str(path)), tmp_path, ".sav"),
        "zsav": written(lambda path: pyreadstat.write_sav(FRAME, str(path), compress=True), tmp_path, ".zsav"),
        "dta": written(lambda path: pyreadstat.write_dta(FRAME, str(path)), tmp_path, ".dta"),
        "zip": archive({"people.csv": lines, "__MACOSX/people.csv": b"x", "readme.md": b"hello"}),
        "password": OLE + bytes(3_000) + "EncryptedPackage".encode("utf-16-le"),
        "old office": OLE + bytes(3_000),
        "word": archive({"word/document.xml": b"<x/>"}),
        "binary workbook": archive({"xl/workbook.bin": b"x"}),
        "numbers": archive({"Index/Document.iwa": b"x"}),
        "json lines": "".join(f'{{"rsid": "{each}"}}\n' for each in IDS).encode(),
        "json": ('[{"rsid": "' + IDS[0] + '"}]').encode(),
        "web page": b"<html><table><tr><td>" + IDS[0].encode(),
        "pdf": b"%PDF-1.7 ...",
    }


READS = {
    "text": {".csv", ".txt", ".tsv", ".tab"}, "xlsx": {".xlsx", ".xlsm"}, "parquet": {".parquet"},
    "sav": {".sav", ".zsav"}, "zsav": {".sav", ".zsav"}, "dta": {".dta"}, "zip": {".zip"},
}  # fmt: skip
SAYS = {
    "password": "protected by a password", "old office": "an old Office document", "word": "a Word document",
    "binary workbook": "a binary workbook", "numbers": "Apple Numbers", "json lines": "This is JSON",
    "json": "This is JSON", "web page": "a web page", "pdf": "a PDF",
}  # fmt: skip


@pytest.mark.sampled
@pytest.mark.parametrize("suffix", [*READABLE_SUFFIXES, None])
def test_what_a_file_contains_and_how_it_is_called_decide_together(suffix: str | None, tmp_path: Path) -> None:
    for what, content in contents(tmp_path).items():
        path = tmp_path / f"people{suffix or ''}"
        path.write_bytes(content)
        source: Any = path if suffix else content
        if (suffix is None and what in READS) or suffix in READS.get(what, ()):
            assert read(source).ids == tuple(IDS), (what, suffix)
            continue
        with pytest.raises(RespondentFileError) as caught:
            read(source)
        said = f"{caught.value.what} {caught.value.next_step}"
        if what in SAYS:
            assert SAYS[what] in said, (what, suffix)
        else:
            right = {"text": ".csv", "zsav": ".sav"}.get(what, f".{what}")
            assert f"rename the file to {right}" in said, (what, suffix)


def test_an_archive_is_read_where_one_file_in_it_can_be() -> None:
    lines = "\n".join(IDS).encode()
    people = read(archive({"My_survey.csv": lines}), name="export.zip")
    assert (people.ids, people.source_name) == (tuple(IDS), "My_survey.csv")
    assert people.to_upload().stem == "My_survey"
    with pytest.raises(RespondentFileError, match=r"2 files that could be read: 'a\.csv', 'b\.sav'"):
        read(archive({"a.csv": lines, "b.sav": lines}))
    with pytest.raises(RespondentFileError, match="no file that could be read"):
        read(archive({"readme.md": lines}))
    with pytest.raises(RespondentFileError, match="another archive"):
        read(archive({"inner.zip": archive({"a.csv": lines})}))
    with pytest.raises(RespondentFileError, match="expands to"):
        read(archive({"a.csv": bytes(20_000_000)}))
    with pytest.raises(RespondentFileError, match=r"\.zip file cannot be read"):
        read(b"PK\x03\x04" + b"garbage" * 50, name="x.zip")
    locked = bytearray(archive({"a.csv": lines}))
    place = locked.rindex(b"PK\x01\x02")
    locked[place + 8] |= 1
    with pytest.raises(RespondentFileError, match="archive is protected by a password"):
        read(bytes(locked))


def test_texts_of_another_code_page_do_not_hide_the_ids(tmp_path: Path) -> None:
    path = tmp_path / "page.sav"
    pyreadstat.write_sav(FRAME.assign(answer="zuviel"), str(path))
    path.write_bytes(path.read_bytes().replace(b"zuviel", b"zuv\xecel"))
    assert read(path).ids == tuple(IDS)


def raw(texts: list[str]) -> list[bytes]:
    return [UUID(text).bytes for text in texts]


def frames() -> dict[str, Any]:
    narwhals = pytest.importorskip("narwhals")
    arrow = pa.table({"n": list(range(12)), "RSID": IDS})
    return {
        "pandas": FRAME,
        "a subclass of pandas'": ReadableFrame(FRAME),
        "a subclass of polars'": type("Frame", (pl.DataFrame,), {})({"n": range(12), "RSID": IDS}),
        "categories": FRAME.astype({"RSID": "category"}),
        "UUIDs": FRAME.assign(RSID=pd.Series([UUID(text) for text in IDS], dtype=object)),
        "16 bytes": FRAME.assign(RSID=raw(IDS)),
        "polars": pl.DataFrame({"n": range(12), "RSID": IDS}),
        "polars, lazy": pl.LazyFrame({"n": range(12), "RSID": IDS}),
        "polars, categories": pl.DataFrame({"RSID": pl.Series(IDS, dtype=pl.Categorical)}),
        "polars, 16 bytes": pl.DataFrame({"n": range(12), "RSID": raw(IDS)}),
        "pyarrow": arrow,
        "pyarrow, batch": arrow.to_batches()[0],
        "pyarrow, dictionary": pa.table({"RSID": pa.array(IDS).dictionary_encode()}),
        "pyarrow, large": pa.table({"RSID": pa.array(IDS, pa.large_string())}),
        "pyarrow, 16 bytes": pa.table({"RSID": pa.array(raw(IDS), pa.binary(16))}),
        "narwhals": narwhals.from_native(FRAME),
        "narwhals of polars": narwhals.from_native(pl.DataFrame({"n": range(12), "RSID": IDS})),
        "rows": [{"n": number, "RSID": text} for number, text in enumerate(IDS)],
        "ragged rows": [{"n": 1}, *({"RSID": text} for text in IDS)],
    }


@pytest.mark.parametrize("what", list(frames()))
def test_every_frame_gives_the_same_ids(what: str) -> None:
    people = read(frames()[what])
    assert people.ids == tuple(IDS)
    assert (people.source_info.column, people.source_info.kind) == ("RSID", "frame")


@pytest.mark.parametrize("frame", [FRAME, ReadableFrame(FRAME)], ids=["pandas", "a subclass of pandas'"])
def test_a_frame_of_pandas_needs_no_pyarrow(frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert read(frame).ids == tuple(IDS)
    assert read(frame).source_name == "DataFrame"


@pytest.mark.parametrize(
    "column",
    [
        pl.Series("RSID", IDS),
        pa.array(IDS),
        np.array(raw(IDS), dtype="V16"),
        pa.chunked_array([IDS[:5], IDS[5:]]),
        raw(IDS),
        pd.Series(raw(IDS)),
    ],
)
def test_every_column_gives_the_same_ids(column: Any) -> None:
    assert read(column).ids == tuple(IDS)


def test_a_text_of_16_characters_becomes_no_id() -> None:
    assert read([IDS[0], "Zufriedenheit\u00e4x".encode(), b"sixteen letters!"]).ids == (IDS[0],)


@pytest.mark.parametrize("form", ["8", "7", "one"])
def test_the_value_of_a_file_upload_is_read(form: str) -> None:
    content = memoryview(FRAME.to_csv(index=False).encode())
    one = {"name": "wave1.csv", "type": "text/csv", "size": len(content), "content": content}
    value: Any = {"8": (one,), "7": {"wave1.csv": {"metadata": {}, "content": bytes(content)}}, "one": one}[form]
    people = read(value)
    assert (people.ids, people.source_name) == (tuple(IDS), "wave1.csv")
    with pytest.raises(RespondentFileError, match=r"2 files were uploaded: 'wave1\.csv', 'wave1\.csv'"):
        read((one, SimpleNamespace(**one).__dict__))
    with pytest.raises(RespondentFileError, match="cannot be read as respondents"):
        read({"a": 1})
