"""Reading a list of respondents: every line gets one verdict, and the upload is exactly what the guide asks for."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from cint_nb.domain import limits
from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.ids import EntityType, synthetic_id
from cint_nb.study.files.id_array import RowNumbers
from cint_nb.study.files.line_frames import escape_formula
from cint_nb.study.files.line_index import LineIndex
from cint_nb.study.files.respondents import Respondents, read_respondents

IDS = [synthetic_id("respondents", number) for number in range(50)]


def read(content: bytes | str, **options: Any) -> Respondents:
    return read_respondents(content.encode() if isinstance(content, str) else content, entity_type="RSID", **options)


def verdicts(people: Respondents) -> list[str]:
    return list(people.lines()["verdict"])


def test_a_messy_file_is_accounted_for_line_by_line() -> None:
    people = read(
        "\ufeffRSID\r\n"
        f'{IDS[0]}\r\n{IDS[1].upper()}\r\n"{IDS[2]}"\r\n\r\n {IDS[0].upper()} \r\n{{{IDS[3]}}}\r\nann@example.com\r\n'
    )
    assert people.ids == tuple(IDS[:4])
    assert verdicts(people) == [
        "header", "usable", "usable", "usable", "blank", "duplicate", "usable", "malformed",
    ]  # fmt: skip
    frame = people.lines(reveal=True)
    assert frame.loc[5, "of_line"] == 2
    assert frame.loc[5, "id"] == IDS[0]
    assert frame.loc[7, "reason"] == "an e-mail address"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (IDS[0][:-1], "wrong length: an ID has 36 characters"),
        (IDS[0] + "a", "wrong length: an ID has 36 characters"),
        ("g" + IDS[0][1:], "characters other than 0–9, a–f and dashes"),
        (IDS[0].replace("-", ""), "wrong or missing dashes"),
        (IDS[0].replace("-", "\u2013"), "wrong or missing dashes"),
        (IDS[0].replace("-", "_"), "wrong or missing dashes"),
        ("ann@example.com", "an e-mail address"),
        ("[%RECONTACT_RSID%]", "unfilled template text, such as [%RECONTACT_RSID%]"),
        ("%5B%25RSID%25%5D", "unfilled template text, such as [%RECONTACT_RSID%]"),
        ("${rsid}", "unfilled template text, such as [%RECONTACT_RSID%]"),
        ("1.23E+05", "a number or a date, damaged by a spreadsheet"),
        ("1,23E+05", "a number or a date, damaged by a spreadsheet"),
        ("2026-09-01 00:00:00", "a number or a date, damaged by a spreadsheet"),
        ("#NAME?", "a number or a date, damaged by a spreadsheet"),
        ('=HYPERLINK("http://evil.example")', "a spreadsheet formula"),
        ("@SUM(A1)", "a spreadsheet formula"),
        ("<td>x</td>", "HTML"),
        (f"{IDS[0]} {IDS[1]}", "more than one value on the line"),
        (f"{IDS[0]},{IDS[1]}", "more than one value on the line"),
    ],
)
def test_a_malformed_line_says_why(text: str, reason: str) -> None:
    people = read(f"{IDS[5]}\n{text}\n{IDS[6]}\n")
    assert verdicts(people) == ["usable", "malformed", "usable"]
    assert people.lines().loc[1, "reason"] == reason


@pytest.mark.parametrize(
    "wrapped",
    [
        f'"{IDS[0]}"', f"'{IDS[0]}'", f"{{{IDS[0].upper()}}}", f"  {IDS[0]}\t", f"{IDS[0]},", f"{IDS[0]};",
        f"\u200b{IDS[0]}\ufeff", f"\u00a0{IDS[0]}\u00a0", f"{IDS[0][:9]}\u200b{IDS[0][9:]}", f"\u201c{IDS[0]}\u201d",
        f"\u00ab{IDS[0]}\u00bb", f'="{IDS[0]}"', f"`{IDS[0]}`", f"<{IDS[0]}>",
    ],
)  # fmt: skip
def test_wrapping_around_an_id_is_taken_off(wrapped: str) -> None:
    people = read(f"{IDS[1]}\n{wrapped}\n{IDS[2]}\n")
    assert people.ids == (IDS[1], IDS[0], IDS[2])


@pytest.mark.parametrize("blank", ["", "   ", "\t", '""', "\u200b", "\u00a0", ",", ";;", "{}", "\ufeff"])
def test_a_line_with_nothing_on_it_is_blank(blank: str) -> None:
    assert verdicts(read(f"{IDS[1]}\n{blank}\n{IDS[2]}")) == ["usable", "blank", "usable"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends_of_any_system_give_the_same_lines(end: str, last: bool) -> None:
    people = read(end.join([*IDS[:3], "", IDS[3]]) + (end if last else ""))
    assert verdicts(people) == ["usable", "usable", "usable", "blank", "usable"]


@pytest.mark.parametrize("header", ["RSID", "respondent_id", '"Respondent ID"', "id", "Teilnehmer", "[RSID]"])
def test_a_header_row_is_found_and_named(header: str) -> None:
    people = read(f"\n{header}\n{IDS[0]}\n")
    assert verdicts(people) == ["blank", "header", "usable"]
    assert people.source_info.column is not None
    assert people.source_info.column.strip("[]") == header.strip('"[]')


def test_a_damaged_first_id_is_no_header() -> None:
    assert verdicts(read(f"{IDS[0][:-2]}\n{IDS[1]}\n")) == ["malformed", "usable"]
    assert verdicts(read(f"ann@example.com\n{IDS[1]}\n")) == ["malformed", "usable"]


def test_the_upload_is_one_id_a_line_in_lower_case_without_mark_or_header(tmp_path: Path) -> None:
    people = read(f"\ufeffRSID\r\n{IDS[1].upper()}\r\n{IDS[0]}\r\n{IDS[1]}\r\n")
    upload = people.to_upload()
    assert upload.content == f"{IDS[1]}\n{IDS[0]}\n".encode()
    assert (upload.id_count, upload.entity_type) == (2, EntityType.RSID)
    assert people.to_file(tmp_path / "wave2.txt").read_bytes() == upload.content
    with pytest.raises(RespondentFileError, match=r"\.csv or \.txt"):
        people.to_file(tmp_path / "wave2.xlsx")


def test_one_id_more_than_a_target_group_holds_stops_before_the_upload_and_names_split() -> None:
    ids = [synthetic_id("many", number) for number in range(limits.IDS_PER_TARGET_GROUP + 1)]
    people = read("\n".join(ids))
    with pytest.raises(RespondentFileError, match="100,001 IDs exceed the 100,000") as caught:
        people.to_upload()
    assert "split(100_000)" in str(caught.value.next_step)
    first, second = people.split(100_000)
    assert (len(first), len(second)) == (100_000, 1)
    assert first.to_upload().id_count == 100_000
    assert first.ids + second.ids == people.ids


def test_many_parts_look_the_usable_lines_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    people = read("\n".join(IDS * 2))
    looked_up: list[int] = []
    plain = LineIndex.usable_positions

    def counted(line_index: LineIndex) -> RowNumbers:
        looked_up.append(line_index.lines)
        return plain(line_index)

    monkeypatch.setattr(LineIndex, "usable_positions", counted)
    assert [part.ids for part in people.split(1)] == [(each,) for each in people.ids]
    assert looked_up == [people.counts.lines]


def test_a_6_mb_file_is_read_and_its_upload_fits_when_the_ids_do() -> None:
    padded = "\n".join(identifier + " " * 80 for identifier in IDS * 1_100)
    assert len(padded) > 6_000_000
    people = read(padded)
    assert people.counts.lines == 55_000
    assert people.to_upload().id_count == 50


@pytest.mark.parametrize("word", ["RSID", "rsid", "RESPONDENT_ID", EntityType.RSID])
def test_respondent_ids_are_named_by_either_word(word: str) -> None:
    assert read_respondents(IDS, entity_type=word).entity_type is EntityType.RSID


@pytest.mark.parametrize("word", ["RID", "RESPONSE_ID"])
def test_response_ids_are_named_by_either_word(word: str) -> None:
    assert read_respondents(IDS, entity_type=word).entity_type is EntityType.RID


@pytest.mark.parametrize("word", ["", "PID", None, 7])
def test_an_unknown_entity_type_is_refused_with_the_words_that_exist(word: int | str | None) -> None:
    with pytest.raises(RespondentFileError, match="type of ID must be RSID or RID") as caught:
        read_respondents(IDS, entity_type=word)  # type: ignore[arg-type]
    assert "RSID" in str(caught.value.next_step)
    assert "RID" in str(caught.value.next_step)
    assert caught.value.evidence["field"] == "entity_type"


def test_no_id_shows_unless_asked() -> None:
    people = read(f"{IDS[0]}\nann@example.com\n{IDS[0]}\n", name="wave1.csv")
    shown = repr(people) + people.summary().to_string() + people.lines().to_string() + repr(people.to_upload())
    assert IDS[0] not in shown
    assert "example.com" not in shown
    assert IDS[0][-4:] in people.lines().to_string()
    assert people.lines().loc[1, "id"] == "••••", "the end of an address tells as much as the whole"
    assert IDS[0] in people.lines(reveal=True).to_string()
    assert repr(people) == "<Respondents: 1 RSIDs · 3 lines · 1 duplicate, 1 malformed · wave1.csv>"


def test_the_summary_counts_by_verdict_and_reason_and_names_the_first_line() -> None:
    frame = read(f"id\n{IDS[0]}\nann@example.com\n\n{IDS[0]}\n1.23E+05\nbob@example.com\n").summary()
    rows = {(row.verdict, row.reason): (row.lines, row.first_line) for row in frame.itertuples()}
    assert rows["lines", ""] == (7, 1)
    assert rows["usable", ""] == (1, 2)
    assert rows["duplicate", ""] == (1, 5)
    assert rows["malformed", "an e-mail address"] == (2, 3)
    assert rows["malformed", "a number or a date, damaged by a spreadsheet"] == (1, 6)
    assert rows["blank", ""] == (1, 4)
    assert rows["header", ""] == (1, 1)


def test_what_reads_back_from_an_upload_is_the_same() -> None:
    people = read("\n".join(IDS))
    again = read(people.to_upload().content)
    assert again == people
    assert again.content_hash == people.content_hash
    assert hash(again) == hash(people)


def test_order_and_type_make_a_difference() -> None:
    people = read("\n".join(IDS))
    assert people != read("\n".join(reversed(IDS)))
    assert people != read_respondents(IDS, entity_type="RID")
    assert people.content_hash != read_respondents(IDS, entity_type="RID").content_hash
    assert people != IDS


def test_one_text_alone_is_one_id() -> None:
    people = read_respondents(IDS, entity_type="RSID")
    assert people.intersection(IDS[0].upper()).ids == (IDS[0],)
    assert len(people.difference(IDS[0])) == len(people) - 1


@pytest.mark.sampled
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    "text",
    [
        "=1+1", "x;=1+1", "x; =1+1", "x\t=1+1", 'x;"=1+1"', "x\n=1+1", "x;+1", "x;-1", "x;@SUM(A1)", ";;=1+1", "\t=1+1",
        "x;|cmd", "x\r\n@a;%b",
    ],
)  # fmt: skip
def test_no_cell_becomes_a_formula_whatever_separates_the_cells_of_a_country(
    tmp_path: Path, text: str, separator: str
) -> None:
    people = read_respondents([text, IDS[0]], entity_type="RSID")
    content = people.to_rejects(tmp_path / "rejects.csv").read_text(encoding="utf-8-sig")
    cells = [cell for row in csv.reader(content.splitlines(), delimiter=separator) for cell in row]
    assert [cell for cell in cells if cell.strip(' "\t')[:1] in "=+-@|%" and cell.strip(' "\t')] == []


@pytest.mark.parametrize("text", ["a; b", "Berlin - Mitte", "1;2", "a\tb", "x = y"])
def test_a_text_without_a_formula_stays(text: str) -> None:
    assert escape_formula(text) == text
