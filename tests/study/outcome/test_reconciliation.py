"""The rows of a list after a submission: every row in one box, and files, counts and rows in agreement, or an error."""

from __future__ import annotations

import warnings
from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cint_nb.domain.errors import UnexpectedReply
from cint_nb.domain.ids import synthetic_id
from cint_nb.domain.reconciliation.reasons import parse_reason
from cint_nb.domain.reconciliation.requests import ReconciliationCounts
from cint_nb.study.outcome.reconciliation import (
    LineEnd,
    ReconciliationLine,
    ReconciliationPlan,
    join_results,
    plan_reconciliation,
    rids_in,
)
from cint_nb.study.outcome.report_columns import end_time_column
from cint_nb.study.outcome.visit_reports import read_report

BOXES = ("expired", "invalid", "accepted")
LISTS = st.lists(st.tuples(st.sampled_from([11, 26, 933]), st.sampled_from(BOXES)), min_size=1, max_size=12)


def plan_of(codes: list[int]) -> ReconciliationPlan:
    lines = tuple(
        ReconciliationLine(row, synthetic_id("joined", row), parse_reason(code), LineEnd.TO_SEND)
        for row, code in enumerate(codes, 1)
    )
    return ReconciliationPlan(lines, 0, 0)


def counts_of(rows: list[tuple[int, str]]) -> ReconciliationCounts:
    accepted = [code for code, box in rows if box == "accepted"]
    return ReconciliationCounts(
        submitted=len(rows),
        expired=sum(box == "expired" for _, box in rows),
        invalid=sum(box == "invalid" for _, box in rows),
        positive_reversed=accepted.count(11),
        negative_reversed=len(accepted) - accepted.count(11),
    )


def files_of(plan: ReconciliationPlan, rows: list[tuple[int, str]]) -> dict[str, list[str]]:
    found = {box: [line.rid for line, (_, end) in zip(plan.lines, rows, strict=True) if end == box] for box in BOXES}
    return {**found, "submitted": [line.rid for line in plan.lines]}


@given(LISTS)
def test_submitted_minus_expired_minus_invalid_is_accepted(rows: list[tuple[int, str]]) -> None:
    plan = plan_of([code for code, _ in rows])
    files = files_of(plan, rows)
    lines = join_results(plan, files["submitted"], files["expired"], files["invalid"], counts_of(rows), "R")
    assert [line.end.value for line in lines] == [box for _, box in rows]


@given(LISTS, st.sampled_from([*ReconciliationCounts.model_fields]), st.sampled_from([-1, 1]))
def test_no_count_may_differ(rows: list[tuple[int, str]], name: str, off: int) -> None:
    plan, files, counts = plan_of([code for code, _ in rows]), None, counts_of(rows)
    files = files_of(plan, rows)
    right = getattr(counts, name)
    if right is None:  # the total, which only the list of submissions has
        right = (counts.positive_reversed or 0) + (counts.negative_reversed or 0)
    wrong = counts.model_copy(update={name: right + off})
    with pytest.raises(UnexpectedReply, match="contradict"):
        join_results(plan, files["submitted"], files["expired"], files["invalid"], wrong, "R")


@given(LISTS, st.sampled_from(["submitted", "expired", "invalid"]))
def test_no_row_may_be_missing_or_strange_in_a_file(rows: list[tuple[int, str]], name: str) -> None:
    plan = plan_of([code for code, _ in rows])
    for change in (lambda rids: rids[1:], lambda rids: [*rids, synthetic_id("stranger", 1)]):
        files = files_of(plan, rows)
        files[name] = change(files[name])
        if files[name] == files_of(plan, rows)[name]:
            continue
        with pytest.raises(UnexpectedReply):
            join_results(plan, files["submitted"], files["expired"], files["invalid"], counts_of(rows), "R")


@given(st.lists(st.sampled_from([11, 26, 933]), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_a_list_has_one_digest_in_any_order_and_another_with_any_change(codes: list[int], random: object) -> None:
    plan = plan_of(codes)
    shuffled = list(plan.lines)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    later = tuple(replace(line, end=LineEnd.EXPIRED) for line in shuffled)
    assert ReconciliationPlan(later, 1, 2).digest == plan.digest
    other = (replace(plan.lines[0], reason=parse_reason(930)), *plan.lines[1:])
    assert ReconciliationPlan(other, 0, 0).digest != plan.digest
    assert ReconciliationPlan(plan.lines[1:], 0, 0).digest != plan.digest


def test_every_rid_of_a_file_is_found_whatever_its_columns() -> None:
    first, second = (synthetic_id("file", number) for number in range(2))
    content = f'\ufeffRespondent,"Reason code"\r\n"{first.upper()}",933\r\n{second};expired\r\n'
    assert rids_in(content.encode()) == [first, second]
    assert rids_in(b"\n") == []


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["Entry Date", "Last Date"], "Last Date"),
        (["entry_date_utc", "last_date_utc"], "last_date_utc"),
        (["Entry time", "Exit time"], "Exit time"),
        (["Start", "Completion Date", "Last Date"], "Completion Date"),
        (["End Date", "Exit Date"], None),
        (["Entry Date", "CPI"], None),
    ],
)
def test_the_time_at_which_a_visit_ended_is_found_or_not_known(names: list[str], found: str | None) -> None:
    assert end_time_column(names) == found


def test_a_visit_of_unknown_status_is_left_to_the_exchange() -> None:
    rids = [synthetic_id("rid", number) for number in range(4)]
    cells = pd.DataFrame(
        {
            "Response ID (RID)": rids,
            "Respondent ID (RSID)": [synthetic_id("rsid", number) for number in range(4)],
            "Client Status": ["10", "20", "301", ""],
            "Last Date": ["2026-09-30 22:00:00", "2026-10-01 00:00:00", "2026-09-30 23:59:59", ""],
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = read_report(cells)
    now = datetime(2026, 10, 26, 5, 0, tzinfo=UTC)
    for reason, ends in ((26, "expired no_change expired to_send"), ("complete", "no_change to_send expired to_send")):
        plan = plan_reconciliation(pd.DataFrame({"x": rids}), report, rid=None, reason=reason, now=now)
        assert " ".join(line.end for line in plan.lines) == ends
        assert [line.completed for line in plan.lines] == [True, False, None, None]
    assert any("does not say when 1 visit ended" in text for text in plan.warnings(now))
