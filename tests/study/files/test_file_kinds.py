"""Every kind of file an analyst has gives the same respondents, from a path, bytes or an open file."""

from __future__ import annotations

import gzip
import importlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.ids import synthetic_id
from cint_nb.study.files.respondents import Respondents, read_respondents

IDS = [synthetic_id("kinds", number) for number in range(12)]
FRAME = pd.DataFrame({"age": range(12), "RSID": IDS, "comment": ["a, b", "c;d", 'say "hi"', *["x"] * 9]})


def read(source: Any, **options: Any) -> Respondents:
    return read_respondents(source, entity_type="RSID", **options)


def write_sav(path: Path) -> None:
    pyreadstat = pytest.importorskip("pyreadstat")
    pyreadstat.write_sav(FRAME, str(path))


WRITERS: dict[str, Callable[[Path], object]] = {
    "ids.txt": lambda path: path.write_text("\n".join(IDS)),
    "ids.csv": lambda path: FRAME.to_csv(path, index=False),
    "semicolon.csv": lambda path: FRAME.to_csv(path, index=False, sep=";"),
    "ids.tsv": lambda path: FRAME.to_csv(path, index=False, sep="\t"),
    "crlf.csv": lambda path: FRAME.to_csv(path, index=False, lineterminator="\r\n", encoding="utf-8-sig"),
    "utf16.csv": lambda path: FRAME.to_csv(path, index=False, encoding="utf-16"),
    "latin.csv": lambda path: FRAME.assign(comment="\u00e4\u00f6\u00fc").to_csv(path, index=False, encoding="cp1252"),
    "ids.csv.gz": lambda path: path.write_bytes(gzip.compress(FRAME.to_csv(index=False).encode())),
    "ids.xlsx": lambda path: FRAME.to_excel(path, index=False),
    "ids.parquet": lambda path: FRAME.to_parquet(path),
    "ids.sav": write_sav,
    "line.txt": lambda path: path.write_text(",".join(IDS) + "\n"),
    "spaced.txt": lambda path: path.write_text("; ".join(IDS)),
    "UPPER.CSV": lambda path: path.write_text("\n".join(IDS).upper()),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_path_bytes_and_an_open_file_give_the_same_respondents(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    people = read(path)
    assert people.ids == tuple(IDS)
    assert people.source_name == name
    assert people.source_info.size == path.stat().st_size
    assert read(str(path)) == people
    assert read(path.read_bytes(), name=name) == people
    assert read(memoryview(path.read_bytes())) == people
    with path.open("rb") as file:
        from_file = read(file)
    assert from_file == people
    assert from_file.source_name == name


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("ids.csv", "utf-8"),
        ("crlf.csv", "utf-8-sig"),
        ("utf16.csv", "utf-16"),
        ("latin.csv", "cp1252"),
        ("ids.xlsx", None),
    ],
)
def test_the_encoding_is_told(name: str, encoding: str | None, tmp_path: Path) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    assert read(path).source_info.encoding == encoding


def test_the_column_that_was_found_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    WRITERS["ids.csv"](path)
    origin = read(path).source_info
    assert (origin.column, origin.position, origin.layout, origin.kind) == ("RSID", 2, "table", "text")


@pytest.mark.parametrize(
    "source", [FRAME, FRAME["RSID"], FRAME["RSID"].astype(object), pd.Series(IDS), IDS, tuple(IDS), iter(IDS)]
)
def test_values_of_the_session_are_read_in_their_order(source: Any) -> None:
    assert read(source).ids == tuple(IDS)


def test_a_set_has_no_order_and_is_sorted() -> None:
    assert read(set(IDS)).ids == tuple(sorted(IDS))


def test_missing_values_are_blank_and_numbers_are_damage() -> None:
    people = read(
        [IDS[0], None, float("nan"), pd.NA, pd.NaT, 7, 1.5, np.float64("nan"), pd.Timestamp("2026-09-01"), b"x", ""]
    )
    assert list(people.lines()["verdict"]) == [
        "usable", "blank", "blank", "blank", "blank", "malformed",
        "malformed", "blank", "malformed", "malformed", "blank",
    ]  # fmt: skip
    assert list(people.lines()["reason"])[5:7] == ["a number or a date, damaged by a spreadsheet"] * 2


def test_a_text_file_that_is_open_may_be_read_too(tmp_path: Path) -> None:
    path = tmp_path / "ids.txt"
    path.write_text("\n".join(IDS))
    with path.open() as file:
        assert read(file).ids == tuple(IDS)


@pytest.mark.parametrize("column", ["RSID", "rsid", " RSID ", 2])
def test_a_column_is_chosen_by_name_or_position_from_one(column: int | str, tmp_path: Path) -> None:
    for name in ("ids.csv", "ids.xlsx", "ids.parquet"):
        path = tmp_path / name
        WRITERS[name](path)
        assert read(path, column=column).ids == tuple(IDS)
    assert read(FRAME, column=column).ids == tuple(IDS)


@pytest.mark.parametrize("column", ["RID", 0, 4, -1, True, 2.0])
def test_a_column_that_does_not_exist_is_refused_with_those_that_do(column: float | int | str, tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    WRITERS["ids.csv"](path)
    with pytest.raises(RespondentFileError, match="column") as caught:
        read(path, column=column)
    assert "column" in str(caught.value.next_step) or "names" in str(caught.value.next_step)


def test_a_label_of_a_frame_wins_over_a_position() -> None:
    frame = pd.DataFrame([[IDS[0], IDS[1]], [IDS[2], IDS[3]]])
    assert read(frame, column=1).ids == (IDS[1], IDS[3])


def test_a_name_without_a_header_row_is_refused() -> None:
    content = "\n".join(f"{identifier},x" for identifier in IDS).encode()
    with pytest.raises(RespondentFileError, match="not a header row"):
        read(content, column="RSID")
    assert read(content, column=1).ids == tuple(IDS)
    assert read(content).counts.header == 0


def test_a_column_of_a_plain_list_is_checked_too() -> None:
    assert read(b"RSID\n" + "\n".join(IDS).encode(), column="rsid").ids == tuple(IDS)
    with pytest.raises(RespondentFileError, match="no column 'RID'"):
        read(b"RSID\n" + "\n".join(IDS).encode(), column="RID")


def test_two_columns_of_one_name_are_asked_about() -> None:
    content = "id,id\n" + "\n".join(f"{a},{b}" for a, b in zip(IDS[:6], IDS[6:], strict=True))
    with pytest.raises(RespondentFileError, match="Several columns have this name"):
        read(content.encode(), column="id")
    assert read(content.encode(), column=2).ids == tuple(IDS[6:])


def test_a_table_without_ids_names_its_columns() -> None:
    with pytest.raises(
        RespondentFileError, match=r'No column contains respondent IDs\. The columns are 1 "age", 2 "sex"'
    ):
        read(b"age,sex\n30,f\n40,m\n")


def test_a_column_named_rsid_is_taken_even_when_every_id_is_damaged() -> None:
    people = read(b"age,RSID\n30,1.23E+05\n40,1.24E+05\n")
    assert people.counts.malformed == 2
    assert people.counts.header == 1


def test_a_quote_that_is_never_closed_is_named_by_its_line() -> None:
    content = (
        "RSID,comment\n"
        + f'{IDS[0]},ok\n{IDS[1]},"not closed\n'
        + "".join(f"{identifier},ok\n" for identifier in IDS[2:])
    )
    with pytest.raises(RespondentFileError, match="line 3 is never closed") as caught:
        read(content.encode())
    assert caught.value.evidence["line"] == 3


def test_an_answer_over_several_lines_keeps_its_row_together() -> None:
    content = f'RSID,comment\n{IDS[0]},"first\nsecond\n"\n{IDS[1]},x\n'
    people = read(content.encode())
    assert list(people.lines()["line"]) == [1, 2, 5]


def test_the_line_that_tells_a_spreadsheet_its_separator_is_a_header_too() -> None:
    people = read(f"sep=;\nage;RSID\n30;{IDS[0]}\n40;{IDS[1]}\n".encode())
    assert list(people.lines()["verdict"]) == ["header", "header", "usable", "usable"]
    assert people.source_info.column == "RSID"
    assert read(f"sep=,\n{IDS[0]}\n".encode()).counts.header == 1


def test_a_header_may_have_years_in_it() -> None:
    people = read(f"RSID,2025,2026\n{IDS[0]},1,2\n".encode())
    assert people.source_info.column == "RSID"


def test_other_columns_may_be_empty_on_most_rows() -> None:
    people = read(("RSID,comment\n" + "".join(f"{each},\n" for each in IDS[:-1]) + f"{IDS[-1]},late\n").encode())
    assert people.ids == tuple(IDS)


def test_a_comma_after_every_id_makes_no_table() -> None:
    people = read("".join(f"{each},\n" for each in IDS).encode())
    assert people.ids == tuple(IDS)
    assert people.source_info.layout == "one value a line"


def sheets(**frames: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer) as writer:
        for title, frame in frames.items():
            frame.to_excel(writer, sheet_name=title, index=False)
    return buffer.getvalue()


def test_the_only_sheet_with_ids_is_found_and_several_are_asked_about() -> None:
    notes = pd.DataFrame({"note": ["hello"]})
    people = read(sheets(Notes=notes, Wave1=FRAME))
    assert people.ids == tuple(IDS)
    assert people.source_info.sheet == "Wave1"
    both = sheets(Wave1=FRAME[:6], Wave2=FRAME[6:])
    with pytest.raises(RespondentFileError, match=r"Several sheets contain IDs\. The sheets are 'Wave1', 'Wave2'"):
        read(both)
    assert read(both, sheet="wave2").ids == tuple(IDS[6:])
    assert read(both, sheet=1).ids == tuple(IDS[:6])
    with pytest.raises(RespondentFileError, match="no sheet 'Wave3'"):
        read(both, sheet="Wave3")


def test_rows_of_a_workbook_keep_their_numbers_and_empty_rows_at_the_end_are_no_lines() -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active["B3"], book.active["B5"], book.active["B6"] = "RSID", IDS[0], 1.23e5
    book.active["B900"] = ""
    buffer = io.BytesIO()
    book.save(buffer)
    frame = read(buffer.getvalue()).lines()
    assert list(frame["verdict"]) == ["blank", "blank", "header", "blank", "usable", "malformed"]
    assert list(frame["line"]) == [1, 2, 3, 4, 5, 6]


def test_uuids_that_parquet_stores_as_bytes_are_read() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    stored = pyarrow.array([bytes.fromhex(identifier.replace("-", "")) for identifier in IDS], pyarrow.binary(16))
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.table({"RSID": stored}), buffer)
    assert read(buffer.getvalue()).ids == tuple(IDS)


def test_a_missing_library_is_named_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ids.xlsx"
    WRITERS["ids.xlsx"](path)

    def gone(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", gone)
    with pytest.raises(RespondentFileError, match="needs python-calamine") as caught:
        read(path)
    assert "[files]" in str(caught.value.next_step)


def test_the_reject_file_opens_in_a_spreadsheet_without_running_anything(tmp_path: Path) -> None:
    people = read([*IDS[:2], IDS[0], "=HYPERLINK(1)", "+1", "@x", "-2", " =3", "ann@example.com"])
    text = people.to_rejects(tmp_path / "rejects.csv").read_text(encoding="utf-8-sig")
    rows = [line.split(",") for line in text.splitlines()]
    assert rows[0] == ["line", "verdict", "reason", "of_line", "id"]
    assert len(rows) == 8
    assert all(not cell.lstrip().startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    assert rows[1][3:] == ["1", IDS[0]]


def test_a_sample_depends_on_ids_and_seed_and_grows_without_losing_anyone() -> None:
    people = read(IDS)
    some = people.sample(4, seed=7)
    assert len(some) == 4
    assert some == people.sample(4, seed=7)
    assert some != people.sample(4, seed=8)
    assert set(some.ids) < set(people.sample(8, seed=7).ids)
    assert set(read(list(reversed(IDS))).sample(4, seed=7).ids) == set(some.ids)
    assert list(some.lines()["line"]) == sorted(IDS.index(identifier) + 1 for identifier in some.ids)
    with pytest.raises(RespondentFileError, match="sample of 13"):
        people.sample(13)


def test_rsids_and_rids_are_never_compared() -> None:
    with pytest.raises(RespondentFileError, match="cannot be compared"):
        read(IDS).difference(read_respondents(IDS, entity_type="RID"))


def test_respondents_cannot_be_changed() -> None:
    people = read(IDS)
    with pytest.raises(AttributeError):
        people.entity_type = "RID"  # type: ignore[misc, assignment]
    with pytest.raises(ValueError, match="read-only"):
        people.id_array[0] = 0


def test_a_part_must_hold_someone() -> None:
    with pytest.raises(RespondentFileError, match="at least one"):
        read(IDS).split(0)
    nobody = read(IDS).difference(IDS)
    assert nobody.split() == ()
    with pytest.raises(RespondentFileError, match="no usable ID"):
        nobody.to_upload()
