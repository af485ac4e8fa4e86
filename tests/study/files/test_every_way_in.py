"""One table, every way in: path, bytes, archive, workbook, frames, picker and command line give the same verdicts."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cint_nb.cli import main
from cint_nb.domain.ids import synthetic_id
from cint_nb.panels.file_picker.widget import FilePicker
from cint_nb.study.files.respondents import Respondents, read_respondents

IDS = [synthetic_id("ways in", number) for number in range(30)]
FEW = settings(max_examples=6, derandomize=True, suppress_health_check=list(HealthCheck))
cells = st.one_of(
    st.sampled_from(IDS),
    st.sampled_from(IDS),
    st.sampled_from(IDS).map(str.upper),
    st.sampled_from(["", "n/a", "ann@example.com", IDS[0][:-1], "[%RSID%]"]),
)
notes = st.sampled_from(["fine", "so, so", "two\nlines", 'say "hi"', "", "a;b|c"])


def verdicts(people: Respondents) -> list[tuple[str, str, str]]:
    """Return verdict, reason and id of every row below the header."""
    frame = people.lines(reveal=True)
    frame = frame[frame["verdict"] != "header"]
    return list(zip(frame["verdict"], frame["reason"], frame["id"], strict=True))


@FEW
@given(st.lists(st.tuples(notes, cells), min_size=2, max_size=15), st.sampled_from([",", ";", "\t", "|"]))
def test_every_way_in_gives_the_same_verdicts(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], mark: str
) -> None:
    assume(any(len(text) == 36 for _, text in rows) and rows[-1][1])
    folder = tmp_path_factory.mktemp("ways")
    text = io.StringIO()
    csv.writer(text, delimiter=mark).writerows([("note", "RSID"), *rows])
    content = text.getvalue().encode()
    path = folder / "people.csv"
    path.write_bytes(content)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("people.csv", content)
    book: Any = openpyxl.Workbook()
    for row in [("note", "RSID"), *rows]:
        book.active.append([value or None for value in row])
    book.save(folder / "people.xlsx")
    frame = pd.DataFrame(rows, columns=["note", "RSID"])

    sources: list[Any] = [
        path, f'"{path}"', content, archive.getvalue(), folder / "people.xlsx", frame, frame.set_index("RSID"),
        pl.DataFrame(frame.to_dict("list")), frame.to_dict("records"),
        ({"name": "people.csv", "size": len(content), "type": "text/csv", "content": memoryview(content)},),
    ]  # fmt: skip
    expected = verdicts(read_respondents(["RSID", *(value for _, value in rows)], entity_type="RSID"))
    for source in sources:
        assert verdicts(read_respondents(source, entity_type="RSID", column="RSID")) == expected, type(source)
    picker = FilePicker(folder).choose("people.csv", entity_type="RSID", column="RSID")
    assert verdicts(picker.value) == expected


def test_the_command_line_counts_what_the_library_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "people.csv"
    path.write_text("note,RSID\n" + "".join(f"x,{text}\n" for text in [*IDS, IDS[0], "n/a", ""]) + f"so, so,{IDS[0]}\n")
    people = read_respondents(path, entity_type="RSID")
    assert main(["check", str(path), "--entity-type", "RSID", "--json"]) == 0
    counted = json.loads(capsys.readouterr().out)
    for name in ("lines", "usable", "duplicate", "malformed", "blank", "header", "hidden"):
        assert counted[name] == getattr(people.counts, name)
