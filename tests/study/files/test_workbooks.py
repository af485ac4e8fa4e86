"""Workbooks: what an analyst hid is never sent unsaid, and every cell is read as it stands."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cint_nb.domain.errors import CintWarning, RespondentFileError
from cint_nb.domain.ids import synthetic_id
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.study.outcome.crosswalk import Crosswalk
from cint_nb.study.outcome.visit_reports import read_report
from tests.support.sampling import examples

IDS = [synthetic_id("workbooks", number) for number in range(40)]
CALM = settings(max_examples=examples(25), derandomize=True, suppress_health_check=list(HealthCheck))
MODES: list[Any] = [None, "skip", "read"]
pytestmark = pytest.mark.filterwarnings("ignore::cint_nb.domain.errors.CintWarning")  # of the result


def read(source: Any, **options: Any) -> Respondents:
    return read_respondents(source, entity_type="RSID", **options)


def saved(book: Any) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    # openpyxl writes no height of 0
    return rewritten(buffer.getvalue(), lambda part: part.replace(b' customHeight="1"', b' ht="0" customHeight="1"'))


def rewritten(content: bytes, change: Any) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)))
    return out.getvalue()


def workbook(rows: int = 10) -> Any:
    book: Any = openpyxl.Workbook()
    book.active.append(["Status", "RSID"])
    for number in range(rows):
        book.active.append(["complete", IDS[number]])
    return book


def hide_by_filter(sheet: Any, row: int) -> None:
    sheet.auto_filter.ref = "A1:B11"
    sheet.row_dimensions[row].hidden = True


def hide_by_group(sheet: Any, row: int) -> None:
    sheet.row_dimensions.group(row, row, hidden=True)


def hide_by_height(sheet: Any, row: int) -> None:
    sheet.row_dimensions[row].height = 0


@pytest.mark.parametrize("hide", [hide_by_filter, hide_by_group, hide_by_height])
@pytest.mark.parametrize("mode", MODES)
def test_hidden_rows_are_lines_of_their_own_until_somebody_says_what_they_are(hide: Any, mode: Any) -> None:
    book = workbook()
    for row in (3, 7, 8):
        hide(book.active, row)
    people = read(saved(book), hidden=mode)
    hidden = [1, 5, 6]
    if mode == "read":
        assert people.ids == tuple(IDS[:10])
        assert people.warnings == ("3 lines that are hidden in the workbook were read too.",)
        return
    assert people.ids == tuple(text for number, text in enumerate(IDS[:10]) if number not in hidden)
    assert people.counts.hidden == 3
    assert list(people.lines().query("verdict == 'hidden'")["line"]) == [3, 7, 8]
    assert people.summary().query("verdict == 'hidden'")[["lines", "first_line"]].to_numpy().tolist() == [[3, 3]]
    assert "3 hidden" in repr(people)
    if mode == "skip":
        assert people.warnings == ()
        assert people.to_upload().id_count == 7
    else:
        assert 'hidden="skip" or hidden="read"' in people.warnings[0]


def test_nothing_is_uploaded_until_it_is_said_whether_hidden_lines_count() -> None:
    book = workbook()
    hide_by_filter(book.active, 4)
    with pytest.warns(CintWarning, match="nothing is uploaded until you say"):
        people = read(saved(book))
    others = read(IDS[20:25])
    crosswalk = Crosswalk(zip(IDS[:10], IDS[20:30], strict=True))
    as_visits = read_respondents(saved(book), entity_type="RID", column="RSID")
    for each in (
        people, people.sample(3), people.difference(others), people.union(others), others.union(people),
        people.split(4)[0], people.intersection(people), crosswalk.to_rsids(as_visits),
    ):  # fmt: skip
        with pytest.raises(RespondentFileError, match="1 lines are hidden") as caught:
            each.to_upload()
        assert 'hidden="read"' in str(caught.value.next_step)


@CALM
@given(
    st.sets(st.integers(2, 31)),
    st.sets(st.integers(2, 31)),
    st.sampled_from(MODES),
    st.integers(0, 2),
    st.integers(0, 2),
)
def test_every_line_of_a_workbook_is_in_one_verdict(
    hidden: set[int], blank: set[int], mode: Any, above: int, left: int
) -> None:
    assume(len(hidden | blank) < 30)
    book: Any = openpyxl.Workbook()
    sheet = book.active
    sheet.cell(above + 1, left + 1, "RSID")
    sheet.cell(above + 1, left + 2, "n")
    for row in range(2, 32):
        if row not in blank:
            sheet.cell(above + row, left + 1, IDS[row])
        sheet.cell(above + row, left + 2, row)
        sheet.row_dimensions[above + row].hidden = row in hidden
    people = read(saved(book), hidden=mode)
    expected = ["blank"] * above + ["header"]
    for row in range(2, 32):
        is_hidden = row in hidden and mode != "read"
        expected.append("blank" if row in blank else "hidden" if is_hidden else "usable")
    assert list(people.lines()["verdict"]) == expected
    assert people.ids == tuple(IDS[row] for row in range(2, 32) if expected[above + row - 1] == "usable")
    assert people.source_info.hidden_undecided == (expected.count("hidden") if mode is None else 0)


def test_a_hidden_column_and_a_hidden_sheet_are_seen_too() -> None:
    book = workbook()
    book.active.column_dimensions["B"].hidden = True
    people = read(saved(book))
    assert (len(people), people.counts.hidden) == (0, 10)
    assert 'hidden column 2 "RSID"' in people.warnings[0]
    assert read(saved(book), hidden="read").ids == tuple(IDS[:10])
    assert read(saved(book), column="RSID").ids == tuple(IDS[:10])  # who names it knows of it
    book.active["C1"] = "old"
    for row in range(2, 12):
        book.active.cell(row, 3, IDS[row + 20])
    with pytest.raises(RespondentFileError, match="2 columns may contain the IDs"):
        read(saved(book))
    assert read(saved(book), hidden="skip").source_info.column == "old"

    book = workbook()
    book.active.title = "Old"
    book.create_sheet("Notes").append(["hello"])
    book["Old"].sheet_state = "veryHidden"
    people = read(saved(book))
    assert (len(people), people.counts.hidden) == (0, 10)
    assert "on a hidden sheet" in people.warnings[0]
    assert read(saved(book), sheet="Old").ids == tuple(IDS[:10])
    with pytest.raises(
        RespondentFileError, match=r"No sheet contains respondent IDs\. The sheets are 'Old' \(hidden\)"
    ):
        read(saved(book), hidden="skip")
    book["Notes"]["A2"] = IDS[30]
    with pytest.raises(RespondentFileError, match="Several sheets contain IDs"):
        read(saved(book))
    assert read(saved(book), hidden="skip").ids == (IDS[30],)


def test_a_report_with_hidden_rows_asks() -> None:
    book: Any = openpyxl.Workbook()
    book.active.append(["RSID", "Client Status"])
    for number in range(6):
        book.active.append([IDS[number], 10 + number % 2 * 10])
    book.active.row_dimensions[4].hidden = True
    with pytest.raises(RespondentFileError, match="1 rows of the report are hidden"):
        read_report(saved(book))
    assert len(read_report(saved(book), hidden="read")) == 6
    report = read_report(saved(book), hidden="skip")
    assert (len(report), report.visits()["Client Status"].tolist()) == (5, ["10", "20", "20", "10", "20"])


@pytest.mark.parametrize("mode", ["hide", "", True, 0])
def test_what_hidden_takes_is_said(mode: Any) -> None:
    with pytest.raises(RespondentFileError, match=r"either skipped or read|takes one of 'skip', 'read' or None"):
        read(IDS, hidden=mode)


def test_a_formula_without_a_stored_result_is_said_to_be_one() -> None:
    book = workbook(3)
    book.active["B5"] = "=A1"
    book.active["C5"] = "=A1"
    people = read(saved(book))
    assert people.counts.blank == 1
    assert people.warnings[0].startswith("1 formulas of the column have no stored result")


def test_numbers_errors_and_truth_values_are_read_as_they_stand() -> None:
    book: Any = openpyxl.Workbook()
    for value in ["RSID", IDS[0], 10, 1.5, 1.23e20, True, "#N/A"]:
        book.active.append([value])
    book.active["A7"].data_type = "e"
    shown = read(saved(book)).lines(reveal=True)["id"].tolist()
    assert shown[2:] == ["10", "1.5", "1.23e+20", "True", "#N/A"]


def test_strict_open_xml_is_read_with_what_it_hides() -> None:
    book = workbook()
    hide_by_filter(book.active, 4)
    schemas = b"http://schemas.openxmlformats.org/"
    strict = rewritten(
        saved(book),
        lambda part: part.replace(
            schemas + b"spreadsheetml/2006/main", b"http://purl.oclc.org/ooxml/spreadsheetml/main"
        ).replace(schemas + b"officeDocument/2006/", b"http://purl.oclc.org/ooxml/officeDocument/"),
    )
    assert b"purl.oclc.org" in zipfile.ZipFile(io.BytesIO(strict)).read("xl/workbook.xml")
    assert read(strict).counts.hidden == 1


ODS = """<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">
<office:body><office:spreadsheet><table:table table:name="A &amp; B"><table:table-column/>{rows}</table:table>
</office:spreadsheet></office:body></office:document-content>"""


def ods(rows: list[str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("content.xml", ODS.format(rows="".join(rows)))
        package.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
    return out.getvalue()


def ods_row(text: str, attributes: str = "") -> str:
    cell = f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'
    return f"<table:table-row{attributes}>{cell}</table:table-row>"


def test_an_opendocument_spreadsheet_is_read_with_what_it_hides() -> None:
    rows = [ods_row("RSID"), ods_row(IDS[0]), ods_row(IDS[1], ' table:visibility="filter"'), ods_row(IDS[2])]
    rows += [
        '<table:table-row-group table:display="false">',
        ods_row(IDS[3]),
        "</table:table-row-group>",
        ods_row(IDS[4]),
    ]
    for source, options in ((ods(rows), {}), (ods(rows), {"name": "people.ods"})):
        people = read(source, **options)
        assert people.ids == (IDS[0], IDS[2], IDS[4])
        assert people.counts.hidden == 2
        assert people.source_info.sheet == "A & B"
