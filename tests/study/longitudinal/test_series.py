"""From wave to wave: reports of any shape become people, people become rates that say what they are a share of."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cint_nb.domain.errors import InputError, RespondentFileError
from cint_nb.domain.ids import synthetic_id
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.study.longitudinal.series import Disposition, HistoryWave, WaveSeries, read_report, wilson_interval
from cint_nb.study.outcome.visit_reports import VisitReport

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


def people(numbers: list[int] | range) -> Respondents:
    return read_respondents([IDS[number] for number in numbers], entity_type="RSID")


def report(completed: list[int] | range, others: list[int] | tuple[Any, ...] = (), name: str = "wave") -> VisitReport:
    rows = [visit(number) for number in completed] + [visit(number, "20") for number in others]
    return read_report(frame(rows), name=name)


@pytest.fixture
def panel() -> WaveSeries:
    """Wave 1: twelve completed, two left. Wave 2 asks the twelve: one rejected, seven completed, two came, two not.

    Wave 3 asks the twelve again: of the seven six completed, and one of the absent came back.
    """
    first = report(range(12), [12, 13])
    second = report(range(7), [7, 8])
    third = report([0, 1, 2, 3, 4, 5, 9], [6])
    asked = people(range(12))
    return WaveSeries(
        [
            HistoryWave("wave 1", first),
            HistoryWave("wave 2", second, uploaded=asked, rejected=people([11])),
            HistoryWave("wave 3", third, uploaded=asked),
        ]
    )


# --- reports ----------------------------------------------------------------------------------------------------


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
    panel = WaveSeries([HistoryWave("wave 1", found)])
    assert "participation may be higher" in panel.warnings[0]


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


# --- people over the waves --------------------------------------------------------------------------------------


def test_each_person_is_one_row_with_a_word_for_each_wave(panel: WaveSeries) -> None:
    table = panel.wide(reveal=True).set_index("id")
    assert len(table) == len(panel) == 14
    assert list(table.loc[IDS[0]]) == ["completed", "completed", "completed"]
    assert list(table.loc[IDS[7]]) == ["completed", "came back", "absent"]
    assert list(table.loc[IDS[9]]) == ["completed", "absent", "completed"]
    assert list(table.loc[IDS[11]]) == ["completed", "rejected", "absent"]
    assert list(table.loc[IDS[12]]) == ["entered", "not asked", "not asked"]
    assert not set(panel.wide()["id"]) & set(IDS)
    assert IDS[0][:8] not in repr(panel)


def test_every_person_is_in_one_pattern(panel: WaveSeries) -> None:
    patterns = panel.patterns()
    assert patterns["people"].sum() == len(panel)
    assert patterns["share"].sum() == pytest.approx(1)
    assert patterns["people"].is_monotonic_decreasing
    assert patterns.iloc[0][["wave 1", "wave 2", "wave 3", "people"]].tolist() == ["completed"] * 3 + [6]


def test_people_of_a_pattern_become_a_list_to_upload(panel: WaveSeries) -> None:
    again = panel.respondents({"wave 1": "completed", "wave 2": ["absent", Disposition.CAME_BACK]})
    assert again.ids == tuple(IDS[number] for number in (7, 8, 9, 10))
    assert again.to_upload().id_count == 4
    with pytest.raises(InputError, match="no wave 'wave 9'"):
        panel.respondents({"wave 9": "completed"})
    with pytest.raises(InputError, match="not a disposition"):
        panel.respondents({"wave 1": "complete"})
    with pytest.raises(RespondentFileError, match="Nobody"):
        panel.respondents({"wave 1": "rejected"})


def test_rates_say_what_they_are_a_share_of(panel: WaveSeries) -> None:
    rates = panel.retention().set_index(["wave", "rate"])
    counts = rates[["people", "of"]].apply(tuple, axis=1).to_dict()
    assert counts == {
        ("wave 2", "participation"): (9, 11),
        ("wave 2", "completion"): (7, 11),
        ("wave 2", "retention"): (7, 11),
        ("wave 2", "every wave"): (7, 12),
        ("wave 3", "participation"): (8, 12),
        ("wave 3", "completion"): (7, 12),
        ("wave 3", "retention"): (6, 7),
        ("wave 3", "every wave"): (6, 12),
    }
    assert rates.loc[("wave 3", "retention"), "among"] == "completed wave 2, uploaded to wave 3"
    assert (rates["share"] == rates["people"] / rates["of"]).all()
    assert ((rates["low"] < rates["share"]) & (rates["share"] < rates["high"])).all()
    assert (rates["confidence"] == 0.95).all()
    assert not rates.index.get_level_values("rate").str.contains("response").any()


def test_more_confidence_is_a_wider_interval(panel: WaveSeries) -> None:
    usual, sure = panel.retention(), panel.retention(confidence=0.99)
    assert (sure["low"] < usual["low"]).all()
    assert (sure["high"] > usual["high"]).all()


def test_a_wave_nobody_was_uploaded_to_has_empty_rates() -> None:
    nobody = people([0]).difference(people([0]))
    rates = WaveSeries([HistoryWave("w1", report([1])), HistoryWave("w2", report([2]), uploaded=nobody)]).retention()
    assert rates["share"].isna().tolist() == [True, True, True, False]


def test_strangers_in_a_report_count_in_no_rate_and_are_said() -> None:
    panel = WaveSeries([HistoryWave("w1", report([0, 1])), HistoryWave("w2", report([0, 30]), uploaded=people([0, 1]))])
    assert panel.retention().set_index("rate").loc["completion", "people"] == 1
    assert panel.warnings == ("1 people in the report of w2 are not in its uploaded list; they count in no rate.",)


def test_a_list_of_visits_is_refused() -> None:
    visits = read_respondents(RIDS[:3], entity_type="RID")
    with pytest.raises(RespondentFileError, match="RIDs, one per visit") as caught:
        WaveSeries([HistoryWave("w1", report([0])), HistoryWave("w2", report([1]), uploaded=visits)])
    assert "to_rsids" in str(caught.value.next_step)


@pytest.mark.parametrize("names", [[], ["w", "w"], ["id"]])
def test_waves_have_names_of_their_own(names: list[str]) -> None:
    with pytest.raises(InputError, match="at least one wave"):
        WaveSeries([HistoryWave(name, report([0])) for name in names])


# --- who dropped out --------------------------------------------------------------------------------------------


def two_waves() -> WaveSeries:
    rows = [visit(number, supplier="Alpha" if number < 6 else "Beta", seconds=str(100 + number)) for number in range(9)]
    rows += [visit(9, supplier="", seconds="")]
    first, asked = read_report(frame(rows)), people(range(10))
    return WaveSeries([HistoryWave("w1", first), HistoryWave("w2", report([0, 1, 2, 3, 6]), uploaded=asked)])


def test_those_who_dropped_out_are_compared_with_those_who_stayed() -> None:
    found = two_waves().contrast("Supplier")
    assert found["value"].tolist() == ["Alpha", "Beta", "not known"]
    assert found["stayed"].tolist() == [4, 1, 0]
    assert found["dropped_out"].tolist() == [2, 2, 1]
    assert found["share_of_stayed"].tolist() == pytest.approx([0.8, 0.2, 0.0])
    assert found["share_of_dropped_out"].tolist() == pytest.approx([0.4, 0.4, 0.2])
    assert found["retention"].tolist() == pytest.approx([4 / 6, 1 / 3, 0])
    assert (found.loc[0, "low"], found.loc[0, "high"]) == pytest.approx(wilson_interval(4, 6))


def test_an_attribute_may_come_from_anywhere() -> None:
    panel = two_waves()
    ages = {IDS[number].upper(): "young" if number % 2 else "old" for number in range(10)}
    expected = panel.contrast(ages)
    assert expected.set_index("value")["stayed"].to_dict() == {"old": 3, "young": 2}
    pd.testing.assert_frame_equal(panel.contrast(pd.Series(ages)), expected)


def test_numbers_are_compared_in_groups_of_about_equal_size() -> None:
    found = two_waves().contrast("LOI (seconds)", bins=3)
    assert found["value"].tolist() == ["100–102", "103–105", "106–108", "not known"]
    assert (found["stayed"] + found["dropped_out"]).tolist() == [3, 3, 3, 1]
    same = pd.Series([5.0] * 10, index=IDS[:10])
    assert two_waves().contrast(same, bins=4)["value"].tolist() == ["5"]
    with pytest.raises(InputError, match="Groups of numbers need numbers"):
        two_waves().contrast("Supplier", bins=2)


def test_waves_to_compare_are_checked(panel: WaveSeries) -> None:
    assert panel.contrast("Supplier", stayed="wave 3", since="wave 1")["stayed"].sum() == 7
    with pytest.raises(InputError, match="earlier wave and a later one"):
        panel.contrast("Supplier", stayed="wave 1")
    with pytest.raises(InputError, match="earlier wave and a later one"):
        panel.contrast("Supplier", stayed="wave 2", since="wave 3")
    with pytest.raises(InputError, match="no wave 'wave 4'"):
        panel.contrast("Supplier", stayed="wave 4")


# --- intervals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("people_", "of", "low", "high"), [(8, 10, 0.4901625, 0.9433178), (0, 10, 0.0, 0.2775328), (10, 10, 0.7224672, 1.0)]
)
def test_wilson_gives_the_published_values(people_: int, of: int, low: float, high: float) -> None:
    assert wilson_interval(people_, of) == pytest.approx((low, high), abs=1e-6)


@given(st.integers(0, 500), st.integers(1, 500), st.floats(0.5, 0.999))
def test_an_interval_holds_its_share_and_stays_within_bounds(part: int, rest: int, confidence: float) -> None:
    low, high = wilson_interval(part, part + rest, confidence)
    assert low is not None
    assert high is not None
    assert 0 <= low <= part / (part + rest) <= high <= 1
    mirrored_low, mirrored_high = wilson_interval(rest, part + rest, confidence)
    assert mirrored_low is not None
    assert mirrored_high is not None
    assert np.allclose((low, high), (1 - mirrored_high, 1 - mirrored_low))


def test_an_interval_of_nobody_is_empty_and_of_nonsense_refused() -> None:
    assert wilson_interval(0, 0) == (None, None)
    for wrong in ((3, 2, 0.95), (-1, 2, 0.95), (1, 2, 1.0), (1, 2, 0)):
        with pytest.raises(InputError):
            wilson_interval(*wrong)


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
