from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cint_nb.domain import limits
from cint_nb.wire.retry_policy import (
    FailureKind,
    Idempotency,
    RetryBudget,
    RetryDecision,
    backoff,
    classify_exception,
    classify_status,
    decide_retry,
    is_retryable,
    parse_retry_after,
)
from tests.support.strategies import any_text

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)


def decision(
    idempotency: Idempotency = Idempotency.SAFE, kind: FailureKind = FailureKind.AMBIGUOUS, **changes: Any
) -> RetryDecision:
    defaults = {
        "attempt": 1,
        "retry_after": None,
        "jitter": 1.0,
        "seconds_left": 60.0,
        "deadline_is_hard": False,
        "budget_left": True,
    }
    return decide_retry(idempotency, kind, **{**defaults, **changes})


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError])
def test_what_failed_before_writing_was_never_sent(error: type[httpx.TransportError]) -> None:
    assert classify_exception(error("x")) is FailureKind.NOT_SENT


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadError,
        httpx.ReadTimeout,
        httpx.RemoteProtocolError,
        httpx.WriteError,
        httpx.WriteTimeout,
        httpx.CloseError,
    ],
)
def test_a_lost_reply_is_ambiguous(error: type[httpx.TransportError]) -> None:
    assert classify_exception(error("x")) is FailureKind.AMBIGUOUS


def test_what_can_never_be_sent_is_final() -> None:
    assert classify_exception(httpx.LocalProtocolError("x")) is FailureKind.FINAL


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, FailureKind.FINAL),
        (404, FailureKind.FINAL),
        (409, FailureKind.FINAL),
        (412, FailureKind.FINAL),
        (429, FailureKind.RATE_LIMITED),
        (500, FailureKind.AMBIGUOUS),
        (502, FailureKind.AMBIGUOUS),
        (503, FailureKind.UNAVAILABLE),
        (504, FailureKind.AMBIGUOUS),
    ],
)
def test_what_a_status_means_for_repeating(status: int, kind: FailureKind) -> None:
    assert classify_status(status) is kind


def test_only_a_naked_request_is_held_back_after_an_ambiguous_ending() -> None:
    for kind in (FailureKind.AMBIGUOUS, FailureKind.UNAVAILABLE):
        assert [each for each in Idempotency if not is_retryable(each, kind)] == [Idempotency.NON_IDEMPOTENT]
    for kind in (FailureKind.NOT_SENT, FailureKind.RATE_LIMITED):
        assert all(is_retryable(each, kind) for each in Idempotency)
    assert not any(is_retryable(each, FailureKind.FINAL) for each in Idempotency)


def test_a_naked_request_is_never_repeated_blindly_whatever_else_allows_it() -> None:
    assert not decision(Idempotency.NON_IDEMPOTENT, FailureKind.AMBIGUOUS).retry
    assert not decision(Idempotency.NON_IDEMPOTENT, FailureKind.UNAVAILABLE, retry_after=1).retry
    assert "twice" in str(decision(Idempotency.NON_IDEMPOTENT, FailureKind.AMBIGUOUS).reason)


def test_the_pause_doubles_up_to_its_cap_with_full_jitter() -> None:
    assert [backoff(attempt, 1.0) for attempt in range(1, 8)] == [0.5, 1, 2, 4, 8, 8, 8]
    assert backoff(5, 0.0) == 0
    assert backoff(3, 0.25) == 0.5


@given(st.integers(1, 50), st.floats(0, 1))
def test_the_pause_stays_within_its_bounds(attempt: int, jitter: float) -> None:
    assert 0 <= backoff(attempt, jitter) <= limits.BACKOFF_SECONDS[1]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3.0),
        (" 2.5 ", 2.5),
        ("-4", 0.0),
        ("0", 0.0),
        ("", None),
        (None, None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        (format_datetime(NOW + timedelta(seconds=30), usegmt=True), 30.0),
        (format_datetime(NOW - timedelta(seconds=30), usegmt=True), 0.0),
        ("Tue, 01 Sep 2026 08:00:10", 10.0),
        ("Tue, 99 Sep 2026 08:00:10 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, NOW) == seconds


@given(any_text(40))
def test_no_retry_after_breaks_the_reading(value: str) -> None:
    seconds = parse_retry_after(value, NOW)
    assert seconds is None or seconds >= 0


def test_the_wait_the_exchange_asks_for_wins_over_the_pause() -> None:
    assert decision(retry_after=7).delay == 7
    assert decision(retry_after=0).delay == 0
    assert decision(attempt=2).delay == 1.0


def test_a_wait_above_two_minutes_is_given_back_to_the_caller() -> None:
    assert decision(retry_after=120, kind=FailureKind.RATE_LIMITED).retry
    given_up = decision(retry_after=121, kind=FailureKind.RATE_LIMITED)
    assert not given_up.retry
    assert "121" in str(given_up.reason)


def test_five_repeats_are_enough() -> None:
    assert decision(attempt=5).retry
    assert not decision(attempt=6).retry


def test_time_up_ends_it_but_an_asked_wait_may_pass_our_own_limit() -> None:
    assert not decision(seconds_left=0.5, attempt=1).retry
    assert decision(seconds_left=5, retry_after=10).retry
    assert not decision(seconds_left=5, retry_after=10, deadline_is_hard=True).retry


def test_the_budget_of_a_client_is_thirty_repeats_in_ten_minutes() -> None:
    budget = RetryBudget()
    for second in range(30):
        assert budget.has_budget(second)
        budget.spend(second)
    assert not budget.has_budget(30)
    assert not budget.has_budget(599.9)
    assert budget.has_budget(600)
    assert not decision(budget_left=False).retry
