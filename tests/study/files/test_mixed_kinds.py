"""RSIDs and RIDs in one list: what the source shows is said by library, picker, command line and preflight alike."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import polars as pl
import pytest

from cint_nb.cli import main
from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.findings import Severity
from cint_nb.domain.ids import EntityType, synthetic_id
from cint_nb.panels.file_picker.widget import FilePicker
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.study.outcome.crosswalk import Crosswalk
from cint_nb.study.preflight.check import WaveFacts, check
from tests.support.plans import make_plan

RSIDS = [synthetic_id("mixed person", number) for number in range(60)]
RIDS = [synthetic_id("mixed visit", number) for number in range(60)]
OTHER = {"RSID": "RID", "RID": "RSID"}
MEANING = {"RSID": "one per person", "RID": "one per visit"}
pytestmark = pytest.mark.filterwarnings("ignore::cint_nb.domain.errors.CintWarning")  # of the result


def write(path: Path, names: list[str], rows: list[list[str]]) -> Any:
    """Write a table in the format of the path's ending; return what is read."""
    frame = pd.DataFrame(rows, columns=names)
    if path.suffix == ".xlsx":
        book: Any = openpyxl.Workbook()
        for row in [names, *rows]:
            book.active.append([value or None for value in row])
        book.save(path)
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".pandas":
        return frame
    elif path.suffix == ".polars":
        return pl.DataFrame(frame.to_dict("list"))
    elif path.suffix == ".records":
        return frame.to_dict("records")
    else:
        frame.to_csv(path, index=False, sep={".csv": ",", ".tsv": "\t", ".txt": ";"}[path.suffix])
    return path


FORMATS = [".csv", ".tsv", ".txt", ".xlsx", ".parquet", ".pandas", ".polars", ".records"]
FILES = (".csv", ".tsv", ".txt", ".xlsx", ".parquet")
NOW = datetime(2026, 9, 1, tzinfo=UTC)
PLAN = make_plan(NOW)


def preflight(people: Respondents, **facts: Any) -> list[Any]:
    found = check(WaveFacts(plan=PLAN, respondents=people, now=NOW, step="upload", **facts))
    return [finding for finding in found if finding.rule in ("mixed-kinds", "entity-type")]


def said_everywhere(source: Any, people: Respondents, sentence: str, capsys: Any, *, blocks: bool) -> None:
    """Check that each place says a sentence: the list, its summary, the command line, the picker and preflight."""
    assert sentence in people.warnings
    assert sentence in people.summary().to_string()
    assert f"warning: {sentence}" in repr(people)
    assert sentence in [finding.message for finding in preflight(people)]
    severity = {finding.message: finding.severity for finding in preflight(people)}[sentence]
    assert severity is (Severity.BLOCK if blocks else Severity.WARN)
    if blocks:
        assert [problem.what for problem in people.upload_problems if problem.rule == "mixed-kinds"] == [sentence]
        with pytest.raises(RespondentFileError) as caught:
            people.to_upload()
        assert caught.value.what == sentence
    else:
        assert people.upload_problems == ()
    if not isinstance(source, Path):
        return
    picker = FilePicker(source.parent).choose(
        source.name, entity_type=people.entity_type.value, column=people.source_info.position
    )
    html = str(picker.to_static_html()) + "".join(getattr(part, "value", "") or "" for part in picker.children)
    assert sentence.replace('"', "&quot;").replace("'", "&#x27;") in html + picker_text(picker)
    assert sentence in picker.to_text()
    column = str(people.source_info.position or 1)
    capsys.readouterr()
    code = main(["check", str(source), "--entity-type", people.entity_type.value, "--column", column])
    assert code == (2 if blocks else 0)
    assert sentence in capsys.readouterr().out
    main(["check", str(source), "--entity-type", people.entity_type.value, "--column", column, "--json"])
    told = json.loads(capsys.readouterr().out)
    assert sentence in told["warnings"]
    assert (sentence in told["problems"]) == blocks


def picker_text(picker: FilePicker) -> str:
    def walk(widget: Any) -> str:
        inner = "".join(map(walk, getattr(widget, "children", ())))
        return inner + (value if isinstance(value := getattr(widget, "value", ""), str) else "")

    return walk(picker)


@pytest.mark.sampled
@pytest.mark.parametrize("kind", ["RSID", "RID"])
@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("number", [1, 7, 20])
def test_ids_that_another_column_names_as_the_other_kind_block_everywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str, kind: str, number: int
) -> None:
    own, others = (RSIDS, RIDS) if kind == "RSID" else (RIDS, RSIDS)
    chance = random.Random(f"{ending}{kind}{number}")  # noqa: S311 - places, no secret
    rows = [["x", others[place], own[place]] for place in range(20)]
    for place in chance.sample(range(20), number):
        rows[place][2] = rows[place][1].upper()  # as a formula that takes the one where the other is blank
    source = write(tmp_path / f"export{ending}", ["note", f"wave {OTHER[kind]}", kind], rows)
    people = read_respondents(source, entity_type=kind, column=kind)
    share = "All 20" if number == 20 else f"{number} of the 20"
    sentence = (
        f"{share} IDs read as {kind}s ({MEANING[kind]}) are {OTHER[kind]}s ({MEANING[OTHER[kind]]}) according to the "
        f'column 2 "wave {OTHER[kind]}"; an ID is never both.'
    )
    said_everywhere(source, people, sentence, capsys, blocks=True)
    assert people.evidence()["says"].tolist() == [kind, OTHER[kind]]  # by the name of the column, and its contents
    left = people.difference(others)
    assert left.mixed_kinds is None
    assert left.upload_problems == () or number == 20


@pytest.mark.sampled
@pytest.mark.parametrize("words", [("RSID", "RID"), ("respondent id", "response id"), ("rsid", "session_id")])
@pytest.mark.parametrize("ending", FORMATS)
def test_a_column_of_words_that_names_the_kind_of_each_id_is_heard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str, words: tuple[str, str]
) -> None:
    rows = [[words[0], text] for text in RSIDS[:9]] + [[words[1], text] for text in RIDS[:4]]
    random.Random(ending).shuffle(rows)  # noqa: S311
    source = write(tmp_path / f"export{ending}", ["type", "id"], rows)
    people = read_respondents(source, entity_type="RSID")
    sentence = (
        "4 of the 13 IDs read as RSIDs (one per person) are RIDs (one per visit) according to the column 1 "
        '"type"; an ID is never both.'
    )
    said_everywhere(source, people, sentence, capsys, blocks=True)
    assert read_respondents(source, entity_type="RID").mixed_kinds == sentence.replace(
        "4 of the 13 IDs read as RSIDs (one per person) are RIDs (one per visit)",
        "9 of the 13 IDs read as RIDs (one per visit) are RSIDs (one per person)",
    )
    right = write(tmp_path / f"right{ending}", ["type", "id"], [row for row in rows if row[0] == words[0]])
    assert read_respondents(right, entity_type="RSID").warnings == ()


def test_an_answer_that_is_not_the_name_of_a_kind_makes_no_column_of_kinds() -> None:
    rows = [["my RID is wrong", text] for text in RSIDS[:5]] + [["respondent", RSIDS[5]]]
    assert read_respondents(pd.DataFrame(rows, columns=["a", "id"]), entity_type="RID").warnings == ()


# --- lists joined -----------------------------------------------------------------------------------------------


def joined(*parts: list[str]) -> list[str]:
    return [line for part in parts for line in part]


@pytest.mark.sampled
@pytest.mark.parametrize("ending", [".txt", ".xlsx", ".csv", ".list", ".series", ".frame"])
@pytest.mark.parametrize("top", ["RSID", "id", None])
@pytest.mark.parametrize("name", ["RID", "Response ID", "RIDs", "response_id (RID)", "session id"])
def test_a_name_for_the_other_kind_among_the_ids_says_what_follows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str, top: str | None, name: str
) -> None:
    lines = joined([top] if top else [], RSIDS[:8], [name], RIDS[:3], ["RSID"], RSIDS[8:10])
    source = write_lines(tmp_path / f"joined{ending}", lines)
    options: dict[str, Any] = {"column": 1} if ending == ".frame" else {}
    people = read_respondents(source, entity_type="RSID", **options)
    assert people.ids == (*RSIDS[:8], *RIDS[:3], *RSIDS[8:10])
    assert people.counts.header == (2 if ending == ".frame" else 2 + bool(top))
    assert people.counts.malformed == 0
    line = lines.index(name) + 1 - (1 if ending == ".frame" and top else 0)
    sentence = (
        "3 of the 13 IDs read as RSIDs (one per person) are RIDs (one per visit) according to "
        f"line {line}; an ID is never both."
    )
    said_everywhere(source, people, sentence, capsys, blocks=True)
    assert people.select(~people_in(people, RIDS)).upload_problems == ()


def people_in(people: Respondents, ids: list[str]) -> Any:
    import numpy as np

    return np.array([each in set(ids) for each in people.ids])


def write_lines(path: Path, lines: list[str]) -> Any:
    if path.suffix == ".list":
        return lines
    if path.suffix == ".series":
        return pd.Series(lines)
    if path.suffix == ".frame":
        has_name = len(lines[0]) < 36
        return pd.DataFrame({lines[0] if has_name else "0": lines[1:] if has_name else lines})
    if path.suffix == ".xlsx":
        book: Any = openpyxl.Workbook()
        for line in lines:
            book.active.append([line])
        book.save(path)
        return path
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.sampled
@pytest.mark.parametrize("ending", [".txt", ".xlsx", ".list"])
@pytest.mark.parametrize("name", ["RSID", "rsids", "Respondent ID", "id", "Recontact RSID"])
def test_the_name_again_is_a_header_where_two_lists_were_joined(tmp_path: Path, ending: str, name: str) -> None:
    lines = joined([name], RSIDS[:5], [name], RSIDS[3:9])
    people = read_respondents(write_lines(tmp_path / f"joined{ending}", lines), entity_type="RSID")
    assert people.ids == tuple(RSIDS[:9])
    assert (people.counts.header, people.counts.malformed, people.counts.duplicate) == (2, 0, 2)
    assert people.warnings == ()
    assert list(people.lines()["verdict"])[6] == "header"


@pytest.mark.parametrize("text", ["n/a", "no RID", "RID missing", "[%RID%]", "${rid}", "RID: none", "my id was lost"])
def test_a_text_that_is_more_than_a_name_stays_malformed(text: str) -> None:
    people = read_respondents([*RSIDS[:4], text, *RSIDS[4:6]], entity_type="RSID")
    assert (people.counts.malformed, people.counts.header, people.warnings) == (1, 0, ())


def test_an_id_in_both_parts_is_of_both_kinds_and_counted() -> None:
    people = read_respondents(["RSID", *RSIDS[:4], "RID", RSIDS[2], RIDS[0]], entity_type="RSID")
    assert people.mixed_kinds is not None
    assert people.mixed_kinds.startswith("2 of the 5 IDs")


def test_a_table_whose_column_changes_its_name_is_heard_too(tmp_path: Path) -> None:
    path = tmp_path / "joined.csv"
    rows = [f"1,{text}" for text in RSIDS[:4]] + ["age,RID"] + [f"2,{text}" for text in RIDS[:2]]
    path.write_text("age,RSID\n" + "\n".join(rows) + "\n")
    people = read_respondents(path, entity_type="RSID")
    assert people.mixed_kinds is not None
    assert "2 of the 6 IDs" in people.mixed_kinds
    assert "line 6" in people.mixed_kinds


# --- names ------------------------------------------------------------------------------------------------------


@pytest.mark.sampled
@pytest.mark.parametrize("kind", ["RSID", "RID"])
@pytest.mark.parametrize("ending", FILES)
@pytest.mark.parametrize("where", ["column", "file"])
def test_a_name_against_the_stated_kind_is_said_everywhere_and_blocks_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str, kind: str, where: str
) -> None:
    names = ["note", OTHER[kind] if where == "column" else "id"]
    file = f"{OTHER[kind]}s{ending}" if where == "file" else f"export{ending}"
    source = write(tmp_path / file, names, [["x", text] for text in RSIDS[:5]])
    people = read_respondents(source, entity_type=kind)
    shown = OTHER[kind] if where == "column" else file
    sentence = (
        f"The IDs were read as {kind}s ({MEANING[kind]}), but the {where} name is '{shown}', which suggests "
        f"{OTHER[kind]}s ({MEANING[OTHER[kind]]})."
    )
    said_everywhere(source, people, sentence, capsys, blocks=False)


@pytest.mark.parametrize("name", ["RSID / RID", "rsid_or_rid", "Respondent ID (RID)"])
def test_a_name_that_says_both_kinds_is_said_everywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    source = write(tmp_path / "export.csv", ["note", name], [["x", text] for text in RSIDS[:5]])
    people = read_respondents(source, entity_type="RSID")
    sentence = f"The IDs were read as RSIDs (one per person), but the column name is '{name}', which names both kinds."
    said_everywhere(source, people, sentence, capsys, blocks=False)


# --- what only others know --------------------------------------------------------------------------------------


def test_both_columns_of_a_report_in_one_list_are_known_with_the_report_only() -> None:
    both = read_respondents([*RSIDS[:6], *RIDS[:6]], entity_type="RSID")
    assert both.warnings == ()  # nothing in the list shows it
    report = pd.DataFrame({"RID": RIDS, "RSID": RSIDS})
    evidence = both.evidence(report=report)
    assert evidence["says"].tolist() == ["RID", "RSID"]
    assert evidence["detail"].str.contains("6 of 12 IDs").all()


@pytest.mark.parametrize("kind", list(EntityType))
def test_a_crosswalk_and_the_lists_of_other_waves_show_ids_of_the_other_kind(kind: EntityType) -> None:
    own, others = (RSIDS, RIDS) if kind is EntityType.RSID else (RIDS, RSIDS)
    mixed = read_respondents([*own[:6], *others[:2]], entity_type=kind)
    clean = read_respondents(own[:6], entity_type=kind)
    crosswalk = Crosswalk(zip(RIDS, RSIDS, strict=True))
    earlier = read_respondents(others[1:20], entity_type=OTHER[kind])
    for facts, number, where in (
        ({"crosswalk": crosswalk}, 2, "the crosswalk"),
        ({"earlier_waves": [earlier]}, 1, "the list of another wave"),
    ):
        found = [finding for finding in preflight(mixed, **facts) if finding.rule == "mixed-kinds"]
        assert [finding.severity for finding in found] == [Severity.BLOCK]
        assert found[0].message == (
            f"{number} of the 8 IDs are {OTHER[kind]}s ({MEANING[OTHER[kind]]}) according to {where}; an ID is never "
            "both."
        )
        assert not [finding for finding in preflight(clean, **facts) if finding.rule == "mixed-kinds"]


def test_lists_that_are_joined_keep_what_is_known_of_each() -> None:
    one = read_respondents(["RSID", *RSIDS[:3], "RID", RIDS[0]], entity_type="RSID")
    other = read_respondents(["RSID", *RSIDS[3:6], "RID", RIDS[1]], entity_type="RSID")
    assert str(one.union(other).mixed_kinds).startswith("2 of the 8 IDs")
    assert one.union(other).difference(RIDS).mixed_kinds is None
    assert one.intersection(RSIDS).upload_problems == ()
