"""An id inside a word that is refused or unknown is masked wherever the word is shown, also where it is truncated."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import openpyxl
import pandas as pd
import pytest

from cint_nb.domain.errors import CintError
from cint_nb.domain.ids import mask_id, synthetic_id
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.study.files.id_column import ColumnSample
from cint_nb.study.files.readers import SourceInfo
from cint_nb.study.files.respondents import read_respondents
from cint_nb.study.frames import analysis_frame, status_frame
from cint_nb.study.outcome.crosswalk import Crosswalk
from cint_nb.study.outcome.visit_reports import read_report
from cint_nb.study.preflight.check import WaveFacts, check

IDS = [synthetic_id("masked words", number) for number in range(4)]
HIDDEN = synthetic_id("hidden in a word", 1)
NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
REPORT = pd.DataFrame({"RSID": IDS[:2], "RID": IDS[2:], "status": ["10", "20"]})
LENGTHS = (0, 8, 20, 32, 50)
"""Characters before the id: it lies before, across and behind every place where a message truncates a word."""


def assert_hidden(shown: str) -> None:
    """Fail if any four of the id's groups of digits but the last four digits can be read."""
    groups = HIDDEN.split("-")
    assert groups[0] not in shown
    assert HIDDEN[:6] not in shown
    assert f"{groups[1]}-{groups[2]}" not in shown
    assert groups[4][:8] not in shown


def workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.create_sheet("Wave 1", 0)
    sheet.append(["RSID"])
    sheet.append([IDS[0]])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


REFUSALS: dict[str, Callable[[str], Any]] = {
    "entity type": lambda word: read_respondents(IDS, entity_type=word),
    "column of a list": lambda word: read_respondents(pd.DataFrame({"RSID": IDS}), entity_type="RSID", column=word),
    "column without header": lambda word: read_respondents("\n".join(IDS).encode(), entity_type="RSID", column=word),
    "sheet": lambda word: read_respondents(workbook(), entity_type="RSID", sheet=word, name="w.xlsx"),
    "RSIDs of a report": lambda word: read_report(REPORT, rsid=word),
    "status of a report": lambda word: read_report(REPORT, status=word),
    "value of a report": lambda word: read_report(REPORT).values(word),
    "values of a report": lambda word: read_report(REPORT.assign(**{word: "x"})).values("no such column"),
    "column of a crosswalk": lambda word: Crosswalk.from_frame(REPORT, rid=word),
    "columns of a crosswalk": lambda word: Crosswalk.from_frame(pd.DataFrame({word: [1], "other": [2]})),
    "columns of a report": lambda word: read_report(pd.DataFrame({"RSID": IDS, word: ["10"] * 4})),
}


@pytest.mark.sampled
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("refuse", REFUSALS.values(), ids=list(REFUSALS))
def test_an_id_in_a_refused_word_is_masked(refuse: Callable[[str], Any], length: int) -> None:
    with pytest.raises(CintError) as caught:
        refuse("w" * length + " " + HIDDEN)
    assert_hidden(str(caught.value))
    assert_hidden(repr(caught.value.evidence))


@pytest.mark.parametrize("length", LENGTHS)
def test_an_id_in_the_name_of_a_column_or_source_is_masked(length: int) -> None:
    word = "w" * length + " " + HIDDEN
    assert_hidden(ColumnSample(1, word, ()).label())
    assert_hidden(repr(SourceInfo(name=word, column=word, sheet=word)))


@pytest.mark.parametrize("length", LENGTHS)
def test_an_id_in_a_word_of_the_exchange_is_masked_in_findings(length: int) -> None:
    word = "w" * length + " " + HIDDEN
    quota = {"quota": {"completes_goal_percentage": 50}}
    plan = TargetGroupPlan.recontact(
        business_unit_id=1234,
        project_manager_id="b551326b-ac9d-4d32-8823-4f025787dab9",
        locale="ger_de",
        completes_goal=2,
        expected_length_of_interview_minutes=10,
        expected_incidence_rate=0.8,
        start_at=NOW + timedelta(days=1),
        end_at=NOW + timedelta(days=10),
        live_url="https://survey.example/?RECONTACT_RSID=[%RECONTACT_RSID%]",
        cost_per_interview="2.50 EUR",
        profiling={"profiles": [{"name": word, "quotas_enabled": True, "targets": [quota]}]},
    )
    people = read_respondents(IDS, entity_type="RSID")
    facts = WaveFacts(plan=plan, respondents=people, now=NOW, step="launch", target_group_state=word, saved_count=4)
    found = {finding.rule: finding for finding in check(facts)}
    evidence = found["group-state"].evidence or ""
    assert mask_id(HIDDEN)[:4] in evidence
    assert_hidden(evidence)
    assert "do not sum to 100 %" in found["quota-percentages"].message
    assert_hidden(found["quota-percentages"].message)


def test_an_id_in_a_status_word_is_masked_in_frames() -> None:
    word = f"stopped_by {HIDDEN}"
    row = {"name": "w", "state": word}
    assert status_frame([row]).loc[0, "state"] == f"stopped_by {mask_id(HIDDEN)}"
    paused = {"name": "w", "state": "paused", "paused_by": "marketplace", "pause_reason": word}
    assert status_frame([paused], now=NOW).loc[0, "warnings"] == (
        f"paused by the marketplace: stopped by {mask_id(HIDDEN)}"
    )
    analysis = analysis_frame({"respondent_analysis": {"live": [{"status": word, "label": word, "count": 3}]}})
    assert_hidden(analysis.to_csv())


@pytest.mark.filterwarnings("ignore::cint_nb.domain.errors.CintWarning")
def test_an_id_in_the_status_of_a_visit_is_masked_unless_revealed() -> None:
    report = read_report(REPORT.assign(status=["10", f"stopped_by {HIDDEN}"]))
    assert_hidden(report.visits().to_csv())
    assert HIDDEN in report.visits(reveal=True).to_csv()
    assert_hidden(repr(report))
