"""Tables of any shape: no id from another column, every line in one verdict, and what is not known is asked."""

from __future__ import annotations

import io
import json
import random
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.ids import synthetic_id
from cint_nb.study.files.id_column import ColumnSample
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.study.outcome.visit_reports import read_report
from tests.support.sampling import examples

RSIDS = [synthetic_id("shape person", number) for number in range(60)]
RIDS = [synthetic_id("shape visit", number) for number in range(60)]
OTHERS = [synthetic_id("shape other", number) for number in range(3_000)]
CALM = settings(max_examples=examples(40), derandomize=True, suppress_health_check=list(HealthCheck))
pytestmark = pytest.mark.filterwarnings("ignore::cint_nb.domain.errors.CintWarning")  # of the result


def read(source: Any, **options: Any) -> Respondents:
    return read_respondents(source, entity_type="RSID", **options)


def check_lines(people: Respondents) -> None:
    counts = asdict(people.counts)
    assert counts.pop("lines") == sum(counts.values()) == len(people.lines())


# --- ragged rows ------------------------------------------------------------------------------------------------

FILLERS = {"comment": "fine", "minutes": "5", "city": "Bonn"}
column_orders = st.permutations(["RSID", "RID", "comment", "minutes", "thin"]).flatmap(
    lambda names: st.integers(2, 5).map(lambda count: names[:count])
)
damages = st.lists(
    st.tuples(st.integers(0, 29), st.sampled_from(["extra", "lost", "more"]), st.integers(0, 4)), max_size=12
)


def value_of(name: str, row: int) -> str:
    if name == "thin":
        return OTHERS[row] if row % 9 == 4 else ""
    return {"RSID": RSIDS, "RID": RIDS}[name][row] if name in ("RSID", "RID") else FILLERS[name]


@CALM
@given(column_orders, damages, st.sampled_from([",", ";", "\t", "|"]))
def test_a_row_of_another_width_never_gives_the_id_of_another_column(
    names: list[str], hurt: list[tuple[int, str, int]], mark: str
) -> None:
    assume("RSID" in names)
    rows = [[value_of(name, row) for name in names] for row in range(30)]
    damaged = set()
    for row, how, place in hurt:
        if row in damaged:
            continue
        damaged.add(row)
        place = min(place, len(names) - 1)
        if how == "lost":
            del rows[row][place]
        else:  # an unquoted separator in a text: the value becomes two, or four
            rows[row][place : place + 1] = [rows[row][place], *["more"] * (1 if how == "extra" else 3)]
    content = "\n".join(mark.join(row) for row in [names, *rows]) + "\n"
    people = read(content.encode(), column="RSID", name="x.csv")
    check_lines(people)
    assert people.counts.lines == 31
    verdicts = people.lines(reveal=True).set_index("line")
    for row in range(30):
        found = verdicts.loc[row + 2]
        if row not in damaged:
            assert (found["verdict"], found["id"]) == ("usable", RSIDS[row])
        else:
            assert found["id"] == RSIDS[row] or found["verdict"] in ("malformed", "blank")
    assert set(people.ids) <= set(RSIDS)


two_damages = st.lists(
    st.tuples(st.sampled_from(["split", "lost", "cut end", "end mark"]), st.integers(0, 5)), min_size=1, max_size=2
)


def damaged(cells: list[str], row: int, damage: Sequence[tuple[str, int]], *, end_mark: bool) -> str:
    """Write a row as a line, wrongly."""
    values = [*cells, *([""] if end_mark else [])]
    for how, place in damage:
        place = min(place, len(values) - 1)
        if how == "split" and values[place] in FILLERS.values():
            values[place : place + 1] = ["so", " so"]
        elif how == "lost" and len(values) > 2 and values[place] != RSIDS[row]:
            del values[place]
        elif how == "end mark":
            values.append("")
        while how == "cut end" and len(values) > 2 and not values[-1]:  # as Excel leaves out blank cells at the end
            values.pop()
    return ",".join(values)


@CALM
@given(
    st.permutations(["RSID", "RID", "comment", "minutes", "city"]).flatmap(
        lambda names: st.integers(2, 5).map(lambda count: names[:count])
    ),
    st.dictionaries(st.integers(0, 29), two_damages, max_size=10),
    st.dictionaries(st.integers(0, 29), st.sets(st.sampled_from(["RID", "RSID", "comment", "minutes", "city"]))),
    st.booleans(),
)
def test_a_blank_cell_hides_no_displaced_row(
    names: list[str], damage: dict[int, list[tuple[str, int]]], blank: dict[int, set[str]], end_marks: bool
) -> None:
    assume("RSID" in names)
    rows = [["" if name in blank.get(row, ()) else value_of(name, row) for name in names] for row in range(30)]
    assume(sum(bool(row[names.index("RSID")]) for row in rows) > 15)
    lines = [damaged(cells, row, damage.get(row, ()), end_mark=end_marks) for row, cells in enumerate(rows)]
    people = read(("\n".join([",".join(names), *lines]) + "\n").encode(), column="RSID", name="x.csv")
    check_lines(people)
    verdicts = people.lines(reveal=True).set_index("line")
    for row, cells in enumerate(rows):
        found = verdicts.loc[row + 2]
        has_id = bool(cells[names.index("RSID")])
        if found["verdict"] == "usable":
            assert has_id, lines[row]
            assert found["id"] == RSIDS[row], lines[row]
        elif has_id:  # an id is read, or its line is said to be malformed
            assert found["verdict"] == "malformed", lines[row]
            assert row in damage, lines[row]


@CALM
@given(column_orders, st.sampled_from([",", ";", "\t"]), st.integers(2, 30), st.booleans())
def test_a_header_that_lacks_a_name_gives_no_column_the_name_of_its_neighbour(
    names: list[str], separator: str, rows: int, asked: bool
) -> None:
    """Row numbers were written before each row and not named, as R does."""
    assume("RSID" in names)
    lines = [[str(row + 1), *(value_of(name, row) for name in names)] for row in range(rows)]
    text = "\n".join(separator.join(line) for line in [names, *lines]).encode()
    with pytest.raises(RespondentFileError, match="which name belongs to which value"):
        read(text, separator=separator, **({"column": "RSID"} if asked else {}))
    if len(names) > 1:
        with pytest.raises(RespondentFileError):
            read_report(text)


def test_the_reason_says_both_widths_and_the_text_of_the_row_is_kept(tmp_path: Path) -> None:
    rows = [f"{'so, so' if row == 3 else 'fine'},{RIDS[row]},{RSIDS[row]}" for row in range(6)]
    people = read(("comment,RID,RSID\n" + "\n".join(rows)).encode(), column="RSID")
    assert people.summary().set_index("reason").loc["the row has 4 values, the header 3", "first_line"] == 5
    assert rows[3] in people.to_rejects(tmp_path / "rejects.csv").read_text(encoding="utf-8-sig").replace('"', "")


@pytest.mark.parametrize("last", ["so, so", "a, b, c", None])
def test_a_difference_behind_the_ids_is_forgiven_and_counted(last: str | None) -> None:
    rows = [
        f"x,{RSIDS[row]},{RIDS[row]}" + (f",{last}" if row == 3 and last else ",ok" * (row != 3)) for row in range(6)
    ]
    people = read(("city,RSID,RID,comment\n" + "\n".join(rows)).encode(), column="RSID")
    assert people.ids == tuple(RSIDS[:6])
    assert people.source_info.notes[0].startswith("1 row has more or fewer values than the header")
    assert people.warnings == people.source_info.notes


@CALM
@given(column_orders, damages)
def test_a_report_judges_rows_as_a_list_does(names: list[str], hurt: list[tuple[int, str, int]]) -> None:
    assume("RSID" in names)
    columns = [*names, "Client Status"]
    rows = [[*(value_of(name, row) for name in names), "10" if row % 3 else "20"] for row in range(30)]
    damaged = {row for row, _, _ in hurt}
    for row, how, place in {row: (row, how, place) for row, how, place in hurt}.values():
        place = min(place, len(names) - 1)
        rows[row][place : place + 1] = [] if how == "lost" else [rows[row][place], "more"]
    content = "\n".join(",".join(row) for row in [columns, *rows]) + "\n"
    report = read_report(content.encode(), rsid="RSID", rid="RID" if "RID" in names else None)
    assert len(report) + len(report.malformed_lines) == 30
    assert set(report.malformed_lines) <= {row + 2 for row in damaged}
    kept = [row for row in range(30) if row + 2 not in report.malformed_lines]
    assert report.rsids == tuple(RSIDS[row] for row in kept)
    assert report.completed.tolist() == [row % 3 > 0 for row in kept]
    if report.malformed_lines:
        assert re.search(rf"\b{len(report.malformed_lines)} malformed rows? left out", repr(report))


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("place", [3, 2_500])
def test_exports_that_were_joined_are_read_as_one_where_their_columns_agree(place: int) -> None:
    header, rows = "RSID,RID,note", [f"{text},{RIDS[0]},x" for text in OTHERS]
    people = read("\n".join([header, *rows[:place], header, *rows[place:]]).encode(), column="RSID")
    assert people.ids == tuple(OTHERS)
    assert list(people.lines().query("verdict == 'header'")["line"]) == [1, place + 2]
    swapped = [f"{RIDS[0]},{text},x" for text in OTHERS[place:]]
    for again in ("RID,RSID,note", "RID,RSID,remark"):
        content = "\n".join([header, *rows[:place], again, *swapped]).encode()
        with pytest.raises(RespondentFileError, match=f"Line {place + 2:,} is another header"):
            read(content, column="RSID")
        with pytest.raises(RespondentFileError, match=f"Line {place + 2:,} is another header"):
            read_report(content, rsid="RSID", all_complete=True)


# --- columns named for the ids ----------------------------------------------------------------------------------


@pytest.mark.sampled
@pytest.mark.parametrize("form", ["csv", "frame", "xlsx", "parquet"])
@pytest.mark.parametrize("rsids", [[None] * 2_010 + RSIDS[:5], [*["-99"] * 80, *RSIDS[:10]], ["0" * 32] * 30])
def test_a_column_named_for_the_ids_is_never_passed_over_in_silence(form: str, rsids: list[str | None]) -> None:
    frame = pd.DataFrame({"transaction": OTHERS[: len(rsids)], "RSID": rsids})
    buffer = io.BytesIO()
    if form == "csv":
        source: Any = frame.to_csv(index=False).encode()
    elif form == "frame":
        source = frame
    else:
        (frame.to_excel if form == "xlsx" else frame.to_parquet)(buffer, index=False)
        source = buffer.getvalue()
    with pytest.raises(RespondentFileError, match='1 "transaction", 2 "RSID"') as caught:
        read(source)
    assert "column='RSID'" in str(caught.value.next_step)
    people = read(source, column="RSID")
    assert set(people.ids) <= set(RSIDS)
    assert people.source_info.column == "RSID"


@pytest.mark.parametrize("packed", [False, True])
def test_a_column_that_fills_late_is_looked_at_to_its_end(packed: bool) -> None:
    late = [""] * 2_100 + RSIDS
    early = pd.DataFrame({"a": OTHERS[: len(late)], "b": late}).to_csv(index=False).encode()
    only = pd.DataFrame({"a": range(len(late)), "b": late}).to_csv(index=False).encode()
    if packed:
        early, only = (__import__("gzip").compress(content) for content in (early, only))
    with pytest.raises(RespondentFileError, match='2 columns may contain the IDs: 1 "a", 2 "b"'):
        read(early)
    assert read(only).ids == tuple(RSIDS)
    assert read(early, column="b").ids == tuple(RSIDS)


def test_a_number_of_another_system_under_a_name_for_ids_is_no_candidate_beside_the_ids() -> None:
    frame = pd.DataFrame({"Respondent ID": range(1_000, 1_010), "RSID": RSIDS[:10]})
    assert read(frame).source_info.column == "RSID"
    with pytest.raises(RespondentFileError, match="2 columns may contain") as caught:
        read(frame.assign(**{"Respondent ID": [text.replace("-", "") for text in OTHERS[:10]]}))
    assert "column='RSID'" in str(caught.value.next_step)


def test_an_index_is_a_column_too() -> None:
    index = pd.Index(RSIDS[:5], name="RSID")
    with pytest.raises(RespondentFileError, match='1 "transaction", index "RSID"'):
        read(pd.DataFrame({"transaction": OTHERS[:5]}, index=index))
    for frame in (
        pd.DataFrame({"age": range(5)}, index=index),
        pd.DataFrame({"age": range(5)}, index=pd.MultiIndex.from_arrays([range(5), RSIDS[:5]], names=["n", "RSID"])),
        pd.DataFrame({"transaction": OTHERS[:5]}, index=index),
    ):
        people = read(frame, column="RSID")
        assert (people.ids, people.source_info.column, people.source_info.position) == (tuple(RSIDS[:5]), "RSID", None)
    unnamed = pd.DataFrame({"transaction": OTHERS[:5]}, index=RSIDS[:5])
    with pytest.raises(RespondentFileError, match='1 "transaction", index "index"'):
        read(unnamed)
    assert read(unnamed, column="index").ids == tuple(RSIDS[:5])


def test_the_name_of_two_columns_is_asked_about_everywhere() -> None:
    frame = pd.DataFrame(
        [[a, b, "10"] for a, b in zip(RSIDS[:5], OTHERS[:5], strict=True)], columns=["id", "id", "status"]
    )
    for source in (frame, frame.to_csv(index=False).encode()):
        with pytest.raises(RespondentFileError, match="Several columns have this name"):
            read(source, column="id")
        assert read(source, column=2).ids == tuple(OTHERS[:5])
        with pytest.raises(RespondentFileError, match="Several columns have this name"):
            read_report(source, rsid="id")
        assert read_report(source, rsid="id (2)").entrants.ids == tuple(OTHERS[:5])


def test_advice_shows_the_position_and_a_masked_value_of_the_column_it_names() -> None:
    content = "visit,person\n" + "\n".join(f"{a},{b}" for a, b in zip(RIDS[:5], RSIDS[:5], strict=True))
    with pytest.raises(RespondentFileError) as caught:
        read(content.encode())
    step = str(caught.value.next_step)
    assert f"column 1, which begins with ••••{RIDS[0][-4:]}" in step
    assert RIDS[0] not in step
    assert ColumnSample(1, "name", ["", "ann@example.com"]).beginning == "which begins with a text of 15 characters"


# --- headers ----------------------------------------------------------------------------------------------------

titles = st.lists(
    st.sampled_from(["Project report", "RSID list", "Generated 2025-02-01", "# made by hand", "", "Wave 1 of 3"]),
    max_size=4,
)


@CALM
@given(
    titles,
    st.booleans(),
    st.permutations(["RID", "RSID", "Status", "Answer"]),
    st.sampled_from(["none", "qualtrics", "surveymonkey", "drawn", "labels"]),
    st.sampled_from([",", ";", "\t", "|"]),
)
def test_the_header_is_found_below_titles_and_above_labels(
    above: list[str], padded: bool, names: list[str], below: str, mark: str
) -> None:
    ends = mark * 3 if padded else ""
    lines = [title + ends for title in above] + [mark.join(names)]
    labels = {
        "qualtrics": [
            mark.join(f"Label of {name}" for name in names),
            mark.join('"' + json.dumps({"ImportId": name}).replace('"', '""') + '"' for name in names),
        ],
        "surveymonkey": [mark.join("Response" if name == "Answer" else "" for name in names)],
        "drawn": [mark.join(["---"] * 4)],
        "labels": [mark.join(name if name == "RSID" else f"What is {name}?" for name in names)],
        "none": [],
    }[below]
    cells = {"RID": RIDS, "RSID": RSIDS, "Status": ["10"] * 20, "Answer": ["yes"] * 20}
    rows = [mark.join(cells[name][row] for name in names) for row in range(20)]
    people = read(("\n".join([*lines, *labels, *rows]) + "\n").encode(), column="RSID")
    assert people.ids == tuple(RSIDS[:20])
    assert people.counts.malformed == 0
    assert people.counts.header + people.counts.blank == len(lines) + len(labels)
    assert people.source_info.header_row == (len(lines) if len(lines) > 1 else None)
    check_lines(people)
    again = read(("\n".join([*lines, *labels, *rows]) + "\n").encode(), column="RSID", header_row=len(lines))
    assert again == people


def test_header_row_decides_where_nobody_could_know() -> None:
    content = f"who,when,what\nid,date,text\n{RSIDS[0]},1,2\n{RSIDS[1]},1,2\n".encode()
    assert read(content).source_info.column == "id"
    people = read(content, header_row=1)
    assert (people.source_info.column, people.counts.header, people.counts.malformed) == ("who", 1, 1)
    for wrong in (0, 9):
        with pytest.raises(RespondentFileError, match=f"No row with names begins on line {wrong}"):
            read(content, header_row=wrong)
    with pytest.raises(RespondentFileError, match="header_row= is for texts and workbooks"):
        read(pd.DataFrame({"RSID": RSIDS[:2]}), header_row=1)


def test_a_list_may_have_titles_too() -> None:
    content = ("My people\nof wave 1\n\nRSID\n" + "\n".join(RSIDS[:5])).encode()
    for people in (read(content), read(content, header_row=4)):
        assert list(people.lines()["verdict"][:4]) == ["header", "header", "blank", "header"]
        assert people.source_info.column == "RSID"
        assert people.source_info.header_row == 4
    assert read(content, header_row=2).counts.malformed == 1
    for wrong in (3, 5, 99):
        with pytest.raises(RespondentFileError, match=f"Line {wrong} is no header"):
            read(content, header_row=wrong)


# --- quotation marks and separators -----------------------------------------------------------------------------


@CALM
@given(st.integers(0, 8), st.randoms(use_true_random=False))
def test_a_quotation_mark_is_open_only_where_rows_lie_inside(row: int, chance: random.Random) -> None:
    answers = ["fine", '"two\nlines"', f'"my id is\n{OTHERS[0]}\nthanks"', '"say ""hi"""', '"a, b\nc"']
    rows = [f"{chance.choice(answers)},{RSIDS[each]}" for each in range(12)]
    people = read(("answer,RSID\n" + "\n".join(rows) + "\n").encode(), column="RSID")
    assert people.ids == tuple(RSIDS[:12])
    rows[row] = f'"never closed,{RSIDS[row]}'
    line = 2 + sum(text.count("\n") + 1 for text in rows[:row])
    with pytest.raises(RespondentFileError, match=f"opened on line {line} is never closed"):
        read(("answer,RSID\n" + "\n".join(rows) + "\n").encode(), column="RSID")


@pytest.mark.parametrize("mark", ["|", "^", "~", "\x01", "\x1f", "||"])
@pytest.mark.parametrize("quoted", [False, True])
def test_separators_of_databases_are_read(mark: str, quoted: bool) -> None:
    lines = [mark.join(row) for row in [("name", "RSID", "n"), *(("a", text, "1") for text in RSIDS[:10])]]
    if quoted:
        lines = [f'"{line}"' for line in lines]
    people = read("\n".join(lines).encode())
    assert people.ids == tuple(RSIDS[:10])
    assert (people.source_info.column, people.source_info.separator) == ("RSID", mark[0])
    if len(mark) == 1 and not quoted:
        announced = read((f"sep={mark}\n" + "\n".join(lines)).encode())
        assert (announced.ids, announced.counts.header) == (people.ids, 2)


@pytest.mark.parametrize("mark", ["::", " : ", "=>", "/", "   "])
def test_a_separator_that_is_not_read_is_named(mark: str) -> None:
    content = "\n".join(mark.join(("a", text, "1")) for text in RSIDS[:10])
    with pytest.raises(RespondentFileError, match=f"separated by {repr(mark.strip()) if mark.strip() else 'spaces'}"):
        read(content.encode())
    sentences = "\n".join(f"{'so ' * row}my id is {text} thanks" for row, text in enumerate(RSIDS[:10]))
    assert read(sentences.encode()).counts.malformed == 10


@pytest.mark.parametrize("place", [0, 5_000])
@pytest.mark.parametrize("length", [140_000, 900_000])
def test_a_long_value_is_no_open_quotation_mark(place: int, length: int) -> None:
    rows = ["answer,RSID", *(f"ok,{text}" for text in RSIDS)]
    rows = [*rows, *[f"ok,{RSIDS[0]}"] * place, f'"{"x" * length}",{OTHERS[0]}']
    assert read("\n".join(rows).encode()).ids == (*RSIDS, OTHERS[0])
