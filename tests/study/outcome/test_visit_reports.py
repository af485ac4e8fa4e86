"""Reports of any origin: what is not known is asked or counted, and no id is shown unasked."""

from __future__ import annotations

import io
import traceback
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cint_nb.domain.errors import CintWarning, RespondentFileError
from cint_nb.domain.ids import mask_id, synthetic_id
from cint_nb.study.files.respondents import read_respondents
from cint_nb.study.outcome.crosswalk import Crosswalk
from cint_nb.study.outcome.visit_reports import read_report
from tests.support.sampling import examples

RSIDS = [synthetic_id("reports person", number) for number in range(60)]
RIDS = [synthetic_id("reports visit", number) for number in range(60)]
CALM = settings(max_examples=examples(25), derandomize=True, suppress_health_check=list(HealthCheck))
pytestmark = pytest.mark.filterwarnings("ignore::cint_nb.domain.errors.CintWarning")  # of the result


def frame(statuses: list[str], **more: list[str]) -> pd.DataFrame:
    count = len(statuses)
    return pd.DataFrame({"RSID": RSIDS[:count], "RID": RIDS[:count], "Client Status": statuses, **more})


# --- statuses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("statuses", [["301", "302", "301"], ["Abgeschlossen", "abgebrochen", "Abgeschlossen"]])
def test_statuses_that_nobody_knows_are_named_all_at_once_with_their_counts(statuses: list[str]) -> None:
    data = frame([*statuses, "20", ""])
    with pytest.raises(RespondentFileError, match="the meaning of these statuses is not") as caught:
        read_report(data)
    one, other = statuses[0].lower(), statuses[1].lower()
    assert f"'{one}' (2), '{other}' (1)." in caught.value.what
    codes: dict[int | str, str] = {statuses[0]: "complete", statuses[1]: "screened"}
    report = read_report(data, codes=codes)
    assert report.completed.tolist() == [True, False, True, False, False]
    assert report.unknown_statuses == {}
    assert report.warnings == ()
    if one.isdecimal():
        assert len(read_report(data, codes={301: "complete", 302: "screened"}).completes) == 2


def test_a_status_that_is_not_known_beside_completes_is_counted_and_said() -> None:
    with pytest.warns(CintWarning, match="The meaning of these statuses is not known"):
        report = read_report(frame(["10", "20", "777", "777", "Client terminate", "in survey", "over quota"]))
    assert report.completed.sum() == 1
    assert report.unknown_statuses == {"777": 2}
    assert "'777' (2)" in report.warnings[0]
    assert f"warning: {report.warnings[0]}" in repr(report)


def test_a_report_of_visits_that_all_ended_otherwise_is_no_error() -> None:
    report = read_report(frame(["20", "30", "-1", "Screened out", "Quota full", ""]))
    assert (report.completed.sum(), report.warnings) == (0, ())


# --- target groups ----------------------------------------------------------------------------------------------


def test_several_target_groups_are_said_and_one_can_be_kept() -> None:
    data = frame(["10"] * 6, **{"Target Group ID": ["A", "A", "B", "A", "B", "C"], "Target Group Name": ["x"] * 6})
    report = read_report(data)
    assert report.target_groups == {"A": 3, "B": 2, "C": 1}
    assert "3 target groups ('A': 3, 'B': 2, 'C': 1)" in report.warnings[0]
    kept = read_report(data, target_group="b")
    assert (kept.entrants.ids, kept.warnings) == ((RSIDS[2], RSIDS[4]), ())
    with pytest.raises(RespondentFileError, match="no visit to the target group 'D'"):
        read_report(data, target_group="D")
    with pytest.raises(RespondentFileError, match="No column of the report names the target group"):
        read_report(frame(["10"]), target_group="A")


# --- which column holds the RSIDs -------------------------------------------------------------------------------


def test_a_column_called_respondent_id_proves_nothing() -> None:
    data = pd.DataFrame({"respondent_id": RIDS[:5], "status": ["10"] * 5})
    with pytest.raises(RespondentFileError, match="its name does not show whether they are RSIDs"):
        read_report(data)
    assert read_report(data, rsid="respondent_id").entrants.ids == tuple(RIDS[:5])
    older = data.assign(RSID=RSIDS[:5])
    report = read_report(older)
    assert report.columns == {"rsid": "RSID", "rid": "respondent_id", "status": "status"}
    assert dict(report.crosswalk()) == dict(zip(RIDS[:5], RSIDS[:5], strict=True))
    newer = pd.DataFrame({"Respondent ID": RSIDS[:5], "Response ID": RIDS[:5], "status": ["10"] * 5})
    assert read_report(newer).columns["rsid"] == "Respondent ID"


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".txt", ""])
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_bytes_say_whether_a_report_is_a_workbook(suffix: str, form: str, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    frame(["10", "20"]).to_excel(buffer, index=False)
    content = frame(["10", "20"]).to_csv(index=False).encode() if form == "csv" else buffer.getvalue()
    path = tmp_path / f"report{suffix}"
    path.write_bytes(content)
    for report in (read_report(path), read_report(content, name=f"wave 1{suffix}")):
        assert report.completed.tolist() == [True, False]


@pytest.mark.parametrize(
    ("names", "zone"),
    [
        (["Entry Date (UTC)"], "UTC"),
        (["Entry Date"], "America/Chicago"),
        (["Completion Date", "OUTCOME"], "America/Chicago"),
        (["Completion Date", "Exported UTC"], "America/Chicago"),
        (["CompletionDateUtc"], "UTC"),
        (["completion_date_gmt", "OUTCOME"], "UTC"),
    ],
)
def test_the_zone_of_the_times_is_stated(names: list[str], zone: str) -> None:
    assert read_report(frame(["10"], **{name: ["2026-01-01"] for name in names})).time_zone == zone


def test_titles_above_the_header_of_a_report_are_passed_over() -> None:
    content = "Respondent analysis,,\nProject 7,,\n" + frame(["10", "20"]).to_csv(index=False)
    assert len(read_report(content.encode())) == 2
    assert len(read_report(content.encode(), header_row=3)) == 2


# --- privacy ----------------------------------------------------------------------------------------------------


@CALM
@given(st.lists(st.integers(0, 9), min_size=1, max_size=20))
def test_no_id_is_shown_unasked_and_nobody_is_lost(people: list[int]) -> None:
    alike = [f"{number:08x}-0000-4000-8000-00000000abcd" for number in range(10)]
    data = pd.DataFrame(
        {
            "RSID": [alike[each] for each in people],
            "status": "10",
            "link": [f"https://x.example/{RIDS[each]}" for each in people],
        }
    )
    report = read_report(data)
    hidden, shown = report.values("link"), report.values("link", reveal=True)
    assert list(shown) == [alike[each] for each in dict.fromkeys(people)]
    assert len(hidden) == len(shown)
    printed = f"{hidden} {report!r} {report.visits().to_csv()}"
    assert not any(each in printed for each in (*alike, *RIDS))
    assert all(name.startswith(mask_id(alike[0])) for name in hidden)


# --- crosswalks -------------------------------------------------------------------------------------------------


@CALM
@given(st.lists(st.integers(0, 29), min_size=1, max_size=40), st.integers(0, 30))
def test_every_rid_of_a_list_is_a_line_with_a_verdict(visits: list[int], known: int) -> None:
    crosswalk = Crosswalk((RIDS[each], RSIDS[each // 2]) for each in range(known))
    source = read_respondents(["RID", *(RIDS[each] for each in visits), "broken"], entity_type="RID")
    people = crosswalk.to_rsids(source)
    expected: list[tuple[str, Any]] = []
    order = list(dict.fromkeys(visits))
    first: dict[int, int] = {}
    for each in order:
        line = visits.index(each) + 2
        if each >= known:
            expected.append(("malformed", line))
        else:
            expected.append(("duplicate" if each // 2 in first else "usable", line))
            first.setdefault(each // 2, line)
    lines = people.lines()
    assert list(zip(lines["verdict"], lines["line"], strict=True)) == expected
    assert people.ids == tuple(RSIDS[each] for each in first)
    without = sum(verdict == "malformed" for verdict, _ in expected)
    assert (people.summary()["reason"] == "the crosswalk has no RSID for this RID").sum() == (without > 0)


def test_rows_that_are_no_pair_are_counted_and_two_columns_of_one_name_are_asked_about() -> None:
    data = pd.DataFrame({"RID": [*RIDS[:3], "n/a", RIDS[4]], "RSID": [*RSIDS[:3], RSIDS[3], None]})
    crosswalk = Crosswalk.from_frame(data)
    assert repr(crosswalk) == "<Crosswalk: 3 RIDs of 3 RSIDs · 2 rows without a pair>"
    double = pd.DataFrame([[RIDS[0], RSIDS[0], RSIDS[1]]], columns=["RID", "who", "who"])
    with pytest.raises(RespondentFileError, match="2 columns are called 'who'"):
        Crosswalk.from_frame(double, rsid="who")
    assert len(Crosswalk.from_frame(double.iloc[:, :2], rsid="who")) == 1


def test_a_rid_without_a_partner_is_not_repeated_whole() -> None:
    crosswalk = Crosswalk({RIDS[0]: RSIDS[0]})
    assert crosswalk.get(RIDS[1]) is None
    with pytest.raises(KeyError) as caught:
        crosswalk[RIDS[1]]
    assert RIDS[1] not in "".join(traceback.format_exception(caught.value))


def test_visits_that_are_listed_twice_are_told_and_people_are_not_counted_twice() -> None:
    data = frame(["10", "20", "10"], Age=["40", "41", "42"])
    found = read_report(pd.concat([data, data.iloc[:2]]))
    assert len(found) == 5
    assert len(found.completes) == 2
    assert found.warnings == ("2 visits are listed again, with the same RID; each row counts as a visit.",)
    assert read_report(data).warnings == ()
