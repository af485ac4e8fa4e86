"""Reason codes, changes, and deadlines: over every month, both changes of the clocks, and every kind of wrong id."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cint_nb.domain.errors import InputError
from cint_nb.domain.ids import mask_id, synthetic_id
from cint_nb.domain.reconciliation.changes import parse_changes, to_csv
from cint_nb.domain.reconciliation.deadlines import (
    CENTRAL,
    format_deadline,
    is_expired,
    is_near,
    reconciliation_deadline,
)
from cint_nb.domain.reconciliation.reasons import RECONCILIATION_CODES, parse_reason
from cint_nb.domain.reconciliation.requests import ReconciliationCounts
from cint_nb.sandbox.simulation.reconciliation import REASONS
from cint_nb.sandbox.world.central_time import reconcilable_since, reconcilable_until

RIDS = [synthetic_id("changes", number) for number in range(4)]
MOMENTS = st.integers(0, 9 * 366 * 86_400).map(lambda seconds: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(0, seconds))


# --- deadlines ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("month", range(1, 13))
def test_a_visit_of_a_month_can_be_reconciled_until_the_25th_of_the_next(month: int) -> None:
    first = datetime(2026, month, 1, 0, 0, tzinfo=CENTRAL)
    last = (first + timedelta(days=32)).replace(day=1) - timedelta(seconds=1)
    for completed in (first, last):
        deadline = reconciliation_deadline(completed)
        assert (deadline.year, deadline.month) == ((2026, month + 1) if month < 12 else (2027, 1))
        assert (deadline.day, deadline.hour, deadline.minute, deadline.second) == (25, 23, 59, 59)


@pytest.mark.parametrize(
    ("completed", "deadline"),
    [
        ("2026-09-30T12:00:00+00:00", "2026-10-26T04:59:59+00:00"),  # summer time
        ("2026-10-15T12:00:00+00:00", "2026-11-26T05:59:59+00:00"),  # completed in summer time, due in winter time
        ("2026-02-15T12:00:00+00:00", "2026-03-26T04:59:59+00:00"),  # and the other way round
        ("2026-10-01T04:59:59+00:00", "2026-10-26T04:59:59+00:00"),  # still September in Chicago
        ("2026-10-01T05:00:00+00:00", "2026-11-26T05:59:59+00:00"),
        ("2026-12-31T23:59:59-06:00", "2027-01-26T05:59:59+00:00"),
    ],
)
def test_the_deadline_is_that_of_the_place(completed: str, deadline: str) -> None:
    found = reconciliation_deadline(datetime.fromisoformat(completed))
    assert found.astimezone(UTC) == datetime.fromisoformat(deadline)


def test_the_hour_that_occurs_twice_has_one_deadline() -> None:
    once = datetime(2026, 11, 1, 1, 30, tzinfo=CENTRAL)
    assert reconciliation_deadline(once) == reconciliation_deadline(once.replace(fold=1))


@given(MOMENTS)
def test_a_visit_has_25_to_56_days_and_the_sandbox_counts_alike(completed: datetime) -> None:
    deadline = reconciliation_deadline(completed)
    assert timedelta(days=24, hours=22) < deadline.astimezone(UTC) - completed < timedelta(days=56, hours=2)
    assert not is_expired(deadline, completed)
    assert not is_expired(deadline, deadline)
    assert is_expired(deadline, deadline.astimezone(UTC) + timedelta(seconds=1))
    assert reconcilable_until(completed) == deadline.astimezone(UTC) + timedelta(seconds=1)


@given(MOMENTS, st.integers(0, 80))
def test_what_can_still_be_reconciled_begins_with_a_month(now: datetime, days: int) -> None:
    completed = now - timedelta(days=days)
    assert is_expired(reconciliation_deadline(completed), now) == (completed < reconcilable_since(now))


def test_it_is_near_from_the_20th() -> None:
    deadline = reconciliation_deadline(datetime(2026, 9, 3, tzinfo=UTC))
    near = [day for day in range(1, 32) if is_near(deadline, datetime(2026, 10, day, 12, tzinfo=UTC))]
    assert near == [*range(20, 32)]
    assert not is_near(deadline, datetime(2026, 9, 22, tzinfo=UTC))
    assert format_deadline(deadline) == "2026-10-25 23:59:59 CDT (America/Chicago)"


# --- reason codes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", RECONCILIATION_CODES, ids=lambda row: row.word)
def test_a_code_is_taken_by_number_and_word_if_buyers_may_use_it(row: object) -> None:
    (given_row,) = [each for each in RECONCILIATION_CODES if each is row]
    for spelling in (given_row.code, str(given_row.code), f" {given_row.code}.0", given_row.word.upper()):
        if given_row.allowed:
            assert parse_reason(spelling) is given_row
        else:
            with pytest.raises(InputError, match="rejects") as refused:
                parse_reason(spelling)
            assert "nothing was sent" in str(refused.value)


def test_the_sandbox_has_the_same_codes() -> None:
    assert {row.code: row.allowed for row in RECONCILIATION_CODES} == {
        code: allowed for code, (_, _, allowed) in REASONS.items()
    }


@pytest.mark.parametrize("reason", [None, "", True, 10, 20, 33, 931, 9330, "speedy", "11, 26", -11, float("nan"), "٣٢"])
def test_an_unknown_reason_is_refused(reason: object) -> None:
    with pytest.raises(InputError, match="none of the documented") as refused:
        parse_reason(reason)
    assert "933 (speeder)" in str(refused.value)


# --- changes --------------------------------------------------------------------------------------------------------


def test_changes_are_lines_of_rid_and_code_without_header_or_space() -> None:
    rows = parse_changes([(f" {RIDS[0].upper()} ", "speeder"), (RIDS[1], 11)])
    assert to_csv(rows) == f"{RIDS[0]},933\n{RIDS[1]},11\n".encode()
    assert RIDS[0] not in repr(rows)


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {},
        [("", 933)],
        [("01BTGNYV6HRNK8K8VKZASZCFP0", 933)],
        [(mask_id(RIDS[0]), 933)],
        [(RIDS[0][:-1], 933)],
        [(None, 933)],
        [(RIDS[0], 933), (RIDS[0].upper(), 933)],
        [(RIDS[0], 943)],
        [RIDS[0]],
        7,
    ],
    ids=str,
)
def test_what_cannot_be_sent_is_refused_and_shows_no_id(wrong: object) -> None:
    with pytest.raises(InputError) as refused:
        parse_changes(wrong)  # type: ignore[arg-type]
    assert RIDS[0] not in str(refused.value)


@pytest.mark.thorough
def test_more_than_100_000_rows_are_refused() -> None:
    with pytest.raises(InputError, match="100,000"):
        parse_changes((synthetic_id("many", 0), 26) for _ in range(100_001))


# --- counts ---------------------------------------------------------------------------------------------------------


@given(st.tuples(*[st.integers(0, 9)] * 4), st.integers(-2, 2))
def test_counts_that_do_not_add_up_contradict_each_other(parts: tuple[int, int, int, int], off: int) -> None:
    expired, invalid, positive, negative = parts
    counts = ReconciliationCounts(
        submitted=sum(parts) + off,
        expired=expired,
        invalid=invalid,
        positive_reversed=positive,
        negative_reversed=negative,
    )
    assert (counts.contradiction() is None) == (off == 0)


def test_counts_that_are_not_known_contradict_nothing() -> None:
    assert ReconciliationCounts(submitted=3, expired=1, invalid=0, positive_reversed=0).contradiction() is None
    assert ReconciliationCounts().submitted is None


def test_a_day_is_no_moment() -> None:
    with pytest.raises(InputError):
        reconciliation_deadline(date(2026, 9, 1))  # type: ignore[arg-type]
