"""RSID or RID: their form is the same, so names, other waves and reports are heard; a crosswalk leads across."""

from __future__ import annotations

import pandas as pd
import pytest

from cint_nb.domain.errors import CintWarning, RespondentFileError
from cint_nb.domain.ids import EntityType, synthetic_id
from cint_nb.study.files.id_column import entity_type_from_name
from cint_nb.study.files.respondents import read_respondents
from cint_nb.study.outcome.crosswalk import Crosswalk

RSIDS = [synthetic_id("person", number) for number in range(6)]
RIDS = [synthetic_id("visit", number) for number in range(6)]
REPORT = pd.DataFrame({"Response ID (RID)": RIDS, "Respondent ID (RSID)": RSIDS, "status": "complete"})


NAMES = {
    EntityType.RSID: "RSID, rsid, Respondent ID, respondent_id, RecontactRSID, wave1_rsids.csv, respondentId",
    EntityType.RID: "RID, Response ID, session_id, my rids.txt, Response ID (RID)",
    None: "Respondent ID (RID), id, respondents.csv, grid",
}


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for kind, names in NAMES.items() for name in names.split(", ")]
)
def test_a_name_says_rsid_rid_or_nothing(name: str, kind: EntityType | None) -> None:
    assert entity_type_from_name(name) is kind


def test_a_contradicting_name_is_a_warning_and_shows_in_the_repr() -> None:
    content = ("RID\n" + "\n".join(RIDS)).encode()
    with pytest.warns(CintWarning) as caught:
        people = read_respondents(content, entity_type="RSID", name="wave1.csv")
    (warning,) = people.warnings
    assert [str(each.message) for each in caught] == [warning]
    assert caught[0].filename == __file__
    assert "read as RSIDs (one per person), but the column name is 'RID'" in warning
    assert f"warning: {warning}" in repr(people)
    assert people.summary().iloc[-1].tolist()[:2] == ["warning", warning]
    assert people.summary()["lines"].dropna().tolist()[0] == len(RIDS) + 1
    assert read_respondents(content, entity_type="RID").warnings == ()


def test_evidence_is_gathered_from_names_other_waves_and_reports() -> None:
    with pytest.warns(CintWarning, match=r"rsids\.csv"):
        people = read_respondents("\n".join(["id", *RSIDS]).encode(), entity_type="RID", name="rsids.csv")
    wave_1 = read_respondents(RSIDS[:2], entity_type="RSID")
    frame = people.evidence(earlier=[wave_1], report=REPORT)
    assert list(frame["source"]) == ["file name", "other waves", "report"]
    assert list(frame["says"]) == ["RSID"] * 3
    assert not frame["agrees"].any()
    assert "2 of 6 IDs" in frame["detail"].loc[1]
    assert "6 of 6 IDs" in frame["detail"].loc[2]
    assert not any(identifier in frame.to_string() for identifier in RSIDS)


def test_without_evidence_the_frame_is_empty_and_keeps_its_columns() -> None:
    frame = read_respondents(RIDS, entity_type="RID").evidence(report=pd.DataFrame({"RSID": RSIDS}))
    assert frame.empty
    assert list(frame.columns) == ["source", "says", "agrees", "detail"]


def test_a_crosswalk_is_read_from_a_report_by_the_names_of_its_columns() -> None:
    crosswalk = Crosswalk.from_frame(REPORT)
    assert len(crosswalk) == 6
    assert crosswalk[RIDS[0].upper()] == RSIDS[0]
    assert repr(crosswalk) == "<Crosswalk: 6 RIDs of 6 RSIDs>"
    assert dict(crosswalk) == dict(zip(RIDS, RSIDS, strict=True))
    with pytest.raises(KeyError):
        crosswalk[RSIDS[0]]


def test_columns_with_other_names_are_asked_for() -> None:
    frame = REPORT.set_axis(["visit", "person", "status"], axis=1)
    with pytest.raises(RespondentFileError, match="0 columns look like RIDs by name"):
        Crosswalk.from_frame(frame)
    assert len(Crosswalk.from_frame(frame, rid="visit", rsid="person")) == 6
    with pytest.raises(RespondentFileError, match="no column 'nobody'"):
        Crosswalk.from_frame(frame, rid="visit", rsid="nobody")


def test_exchanged_columns_are_noticed() -> None:
    pairs = [(RSIDS[0], RIDS[0]), (RSIDS[0], RIDS[1])]
    with pytest.raises(RespondentFileError, match="two different RSIDs"):
        Crosswalk(pairs)


def test_damaged_pairs_are_left_out() -> None:
    assert len(Crosswalk([(RIDS[0], None), ("x", RSIDS[0]), (RIDS[1], RSIDS[1])])) == 1


def test_rids_become_the_people_behind_them_each_once() -> None:
    crosswalk = Crosswalk([(RIDS[0], RSIDS[1]), (RIDS[1], RSIDS[0]), (RIDS[2], RSIDS[1])])
    people = crosswalk.to_rsids(read_respondents(RIDS, entity_type="RID"))
    assert people.ids == (RSIDS[1], RSIDS[0])
    assert people.entity_type is EntityType.RSID
    assert crosswalk.to_rsids(people) is people
