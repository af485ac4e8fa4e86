"""Reports of any shape become people."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.ids import synthetic_id
from cint_nb.study.outcome.visit_reports import read_report

IDS = [synthetic_id("panel", number) for number in range(40)]
RIDS = [synthetic_id("panel visit", number) for number in range(80)]
HEADER = [
    "Respondent ID (RSID)",
    "Response ID (RID)",
    "Client Status",
    "Status Description",
    "Supplier",
    "LOI (seconds)",
]


def visit(person: int, code: str = "10", rid: int = 0, supplier: str = "Alpha", seconds: str = "300") -> list[str]:
    words = {"10": "Complete", "11": "Adjusted to complete", "20": "Client terminate", "3": "In survey"}
    return [IDS[person].upper(), RIDS[rid or person], code, words[code], supplier, seconds]


def frame(rows: list[list[str]], header: list[str] = HEADER) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=header)


def as_csv(data: pd.DataFrame) -> bytes:
    return data.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def as_semicolons(data: pd.DataFrame) -> bytes:
    return data.to_csv(index=False, sep=";").encode("utf-16")


def as_workbook(data: pd.DataFrame) -> bytes:
    pytest.importorskip("openpyxl")
    book = io.BytesIO()
    data.to_excel(book, index=False)
    return book.getvalue()


@pytest.mark.parametrize("write", [as_csv, as_semicolons, as_workbook, lambda data: data])
def test_every_kind_of_report_gives_the_same_people(write: Callable[..., Any]) -> None:
    rows = [visit(0), visit(1, "20"), visit(1, "11", rid=20), visit(2, "3")]
    found = read_report(write(frame(rows)), name="wave 1")
    assert found.columns == {"rsid": HEADER[0], "rid": HEADER[1], "status": "Client Status"}
    assert found.entrants.ids == tuple(IDS[:3])
    assert found.completes.ids == tuple(IDS[:2])
    assert found.completed.tolist() == [True, False, True, False]
    assert dict(found.crosswalk())[RIDS[20]] == IDS[1]
    assert repr(found) == "<VisitReport: 4 visits of 3 people · 2 completed · wave 1>"
    assert dict(found.summary().to_numpy().tolist())["people who completed"] == 2


def test_a_file_gives_its_name(tmp_path: Path) -> None:
    path = tmp_path / "respondent-analysis.csv"
    path.write_bytes(as_csv(frame([visit(0)])))
    found = read_report(path)
    assert found.name == "respondent-analysis"
    assert found.completes.to_upload().stem == "respondent-analysis completes"


def test_the_report_of_the_sandbox_is_understood() -> None:
    from cint_nb.sandbox.handlers.report_files import VISIT_HEADER

    row = [IDS[0], RIDS[0], "P", "T", "", "", "3", "10", "Complete", "S", "300", "2.5", "EUR"]
    found = read_report(frame([row], VISIT_HEADER))
    assert found.columns["status"] == "Client Status"
    assert found.time_zone == "America/Chicago"
    assert len(found.completes) == 1


def test_no_id_is_shown_unless_asked_for() -> None:
    rows = [[*visit(0), f"https://survey.example/?r={IDS[0]}"]]
    found = read_report(frame(rows, [*HEADER, "Address"]))
    hidden, shown = found.visits().to_csv(), found.visits(reveal=True).to_csv()
    assert IDS[0][:8] not in hidden.lower()
    assert f"••••{IDS[0][-4:]}" in hidden
    assert IDS[0] in shown.lower()
    assert IDS[0][:8] not in repr(found).lower()


@pytest.mark.parametrize(
    ("header", "named"),
    [
        (["RSID", "Recontact RSID"], ["RSID", "Recontact RSID"]),
        (["ID", "Panel member"], ["ID", "Panel member"]),
        (["ID"], ["ID"]),
    ],
)
def test_when_two_columns_could_be_meant_it_asks_and_names_them(header: list[str], named: list[str]) -> None:
    data = frame([[*IDS[: len(header)], "10"]], [*header, "Status"])
    with pytest.raises(RespondentFileError) as caught:
        read_report(data)
    assert all(f'"{name}"' in caught.value.what for name in named)
    assert f"rsid={named[0]!r}" in str(caught.value.next_step)
    assert read_report(data, rsid=named[0]).entrants.ids == (IDS[0],)


def test_a_nameless_column_of_ids_is_the_rsid_when_the_rids_are_known() -> None:
    data = frame([[RIDS[0], IDS[0], "complete"]], ["RID", "Who", "status"])
    assert read_report(data).columns == {"rsid": "Who", "rid": "RID", "status": "status"}


def test_a_column_that_is_only_called_rsid_is_not_taken() -> None:
    data = frame([["n/a", IDS[0], RIDS[0], "10"]], ["RSID", "Person", "RID", "Client Status"])
    assert read_report(data).columns["rsid"] == "Person"


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        (["Marketplace Status", "Client Status", "Status Description"], "Client Status"),
        (["Status", "Status Label"], "Status"),
        (["Respondent Status Description"], "Respondent Status Description"),
        (["client_status_code", "marketplace_code"], "client_status_code"),
    ],
)
def test_the_clients_status_decides_what_a_complete_is(header: list[str], taken: str) -> None:
    data = frame([[IDS[0], *["10"] * len(header)]], ["RSID", *header])
    assert read_report(data).columns["status"] == taken


def test_two_columns_of_status_are_asked_about() -> None:
    data = frame([[IDS[0], "10", "10"]], ["RSID", "Final Status", "Current Status"])
    with pytest.raises(RespondentFileError, match="2 columns could be the status"):
        read_report(data)
    assert read_report(data, status="Final Status").completed.tolist() == [True]


def test_a_report_of_completes_only_has_no_status() -> None:
    data = frame([[IDS[0]], [IDS[1]]], ["RSID"])
    with pytest.raises(RespondentFileError, match="No column shows which visits were completed"):
        read_report(data)
    assert len(read_report(data, all_complete=True).completes) == 2


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("10", True),
        ("11", True),
        ("10.0", True),
        (" Complete ", True),
        ("Adjusted to complete", True),
        ("3", False),
        ("5", False),
        ("100", False),
        ("Incomplete", False),
        ("Adjusted to terminate", False),
        ("", False),
    ],
)
@pytest.mark.filterwarnings("ignore::cint_nb.domain.errors.CintWarning")  # codes of nobody
def test_only_the_clients_codes_and_plain_words_are_completes(text: str, complete: bool) -> None:
    found = read_report(frame([[IDS[0], text], [IDS[1], "10"]], ["RSID", "Client Status"]))
    assert found.completed.tolist() == [complete, True]


def test_a_visit_without_rsid_is_counted_and_said() -> None:
    found = read_report(frame([visit(0), ["", RIDS[1], "20", "Client terminate", "", ""]]))
    assert (len(found), len(found.entrants), found.visits_without_rsid) == (2, 1, 1)
    assert "1 visit without RSID" in repr(found)


def test_exchanged_columns_are_noticed() -> None:
    swapped = frame([[RIDS[0], IDS[0], "10"], [RIDS[1], IDS[0], "10"]], ["RSID", "RID", "Client Status"])
    with pytest.raises(RespondentFileError, match="two different RSIDs"):
        read_report(swapped)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("\n".join(IDS).encode(), "not a table"),
        (b"RSID,Client Status\n", "no visits"),
        (f"{IDS[0]},10\n{IDS[1]},20\n".encode(), "no header row"),
        (b"%PDF-1.7 ...", "PDF|cannot|kind"),
        (b"name,Client Status\nann,10\n", "No column contains RSIDs"),
    ],
)
def test_what_is_no_report_is_refused_with_a_next_step(source: bytes, says: str) -> None:
    with pytest.raises(RespondentFileError, match=says) as caught:
        read_report(source)
    assert caught.value.next_step


@pytest.mark.parametrize("parameter", ["rsid", "rid", "status"])
def test_a_column_that_is_not_there_is_named_with_those_that_are(parameter: str) -> None:
    named: dict[str, Any] = {parameter: "Nope"}
    with pytest.raises(RespondentFileError, match="There is no column 'Nope'") as caught:
        read_report(frame([visit(0)]), **named)
    assert HEADER[2] in caught.value.what
    with pytest.raises(RespondentFileError, match="no column 'Nope'"):
        read_report(frame([visit(0)])).values("Nope")
    with pytest.raises(RespondentFileError, match="contains no RSID"):
        read_report(frame([visit(0)]), rsid="Supplier")


def test_values_and_visits_of_a_report_show_whole_ids_only_when_asked() -> None:
    report = read_report(frame([visit(person) for person in range(5)]))
    assert not hasattr(report, "cells")
    masked, whole = report.values(HEADER[0]), report.values(HEADER[0], reveal=True)
    assert len(masked) == len(whole) == 5
    shown = repr(masked) + report.visits().to_string() + repr(report)
    assert not any(identifier in shown.lower() for identifier in IDS)
    assert set(whole) == set(IDS[:5])


def test_people_whose_masked_ids_look_the_same_stay_apart() -> None:
    twins = [f"{number}f1ce179-a917-8c17-b5ec-123456789012" for number in range(3)]
    rows = pd.DataFrame({"RSID": twins, "Supplier": ["a", "b", "c"]})
    values = read_report(rows, all_complete=True).values("Supplier")
    assert list(values.values()) == ["a", "b", "c"]
    assert list(values) == ["••••9012", "••••9012 (2)", "••••9012 (3)"]
