"""The retry policy: whether a request may be retried, and after what delay. Pure functions: no clock, no I/O.

| an attempt was       | safe  | keyed | conditional | idempotent | non-idempotent                |
|----------------------|-------|-------|-------------|------------|-------------------------------|
| not sent             | retry | retry | retry       | retry      | retry                         |
| rate-limited (429)   | retry | retry | retry       | retry      | retry: rejected before any work |
| unavailable (503)    | retry | retry | retry       | retry      | no: the caller checks first   |
| ambiguous            | retry | retry | retry       | retry      | no: the caller checks first   |
| final                | no    | no    | no          | no         | no                            |

A conditional request may be retried because its If-Match no longer matches once the first attempt has taken effect:
the worst result is a 412, on which the caller reads again and decides again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

import httpx

from cint_nb.domain import limits


class Idempotency(StrEnum):
    """What happens if an operation is sent twice.

    `safe` only reads, or has the same result however often it is sent; `keyed` carries an idempotency key, the same in
    all attempts; `conditional` carries If-Match; `idempotent` sets a value outright, without a version: twice is the
    same as once; `non-idempotent` takes effect every time it arrives.
    """

    SAFE = "safe"
    KEYED = "keyed"
    CONDITIONAL = "conditional"
    IDEMPOTENT = "idempotent"
    NON_IDEMPOTENT = "non-idempotent"


class FailureKind(StrEnum):
    """How one attempt failed, as far as a retry is concerned."""

    NOT_SENT = "not-sent"
    RATE_LIMITED = "rate-limited"
    UNAVAILABLE = "unavailable"
    AMBIGUOUS = "ambiguous"
    FINAL = "final"


_NOT_SENT_ERRORS = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_LONGEST_RETRY_AFTER = timedelta(days=366).total_seconds()
"""A longer wait is no answer to when to send again, and beyond the years a calendar has."""
_NEVER_SENDABLE = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)


def classify_exception(error: Exception) -> FailureKind:
    """Return how an attempt failed that brought no reply.

    Only what failed before the request was written counts as not sent. Everything else looks the same whether or not
    the request took effect: broken reads and writes, read timeouts, malformed replies.
    """
    if isinstance(error, _NOT_SENT_ERRORS):
        return FailureKind.NOT_SENT
    if isinstance(error, _NEVER_SENDABLE):
        return FailureKind.FINAL
    return FailureKind.AMBIGUOUS


def classify_status(status: int) -> FailureKind:
    """Return how an attempt failed, by its status: 429 did nothing, 408 and 5xx may have acted, others are final."""
    if status == 429:
        return FailureKind.RATE_LIMITED
    if status in (425, 503):
        return FailureKind.UNAVAILABLE
    return FailureKind.AMBIGUOUS if status >= 500 or status == 408 else FailureKind.FINAL


def is_retryable(idempotency: Idempotency, kind: FailureKind) -> bool:
    """Return whether a retry is allowed, by the table of this module."""
    match kind:
        case FailureKind.FINAL:
            return False
        case FailureKind.NOT_SENT | FailureKind.RATE_LIMITED:
            return True
        case FailureKind.UNAVAILABLE | FailureKind.AMBIGUOUS:
            return idempotency is not Idempotency.NON_IDEMPOTENT


def backoff(attempt: int, jitter: float) -> float:
    """Return the delay in seconds after the `attempt`-th attempt (from 1): exponential, capped, with full jitter.

    Args:
        attempt: How many attempts have failed.
        jitter: A random number, 0–1, so that many clients do not retry at the same moment.
    """
    first, most = limits.BACKOFF_SECONDS
    return float(min(most, first * 2.0 ** (attempt - 1))) * jitter


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Read a Retry-After header, seconds or an HTTP date, in seconds from `now`: 0 for the past, None if invalid.

    A date is one of the exchange's clock, so `now` is the `Date` of the same reply where it has one: our clock may be
    wrong. More than a year is a year: nobody waits, and the number may be beyond any calendar.
    """
    text = (value or "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        moment = parse_http_date(text)
        if moment is None:
            return None
        seconds = (moment - now).total_seconds()
    if seconds != seconds or seconds == float("inf"):
        return None
    return min(max(0.0, seconds), _LONGEST_RETRY_AFTER)


def parse_http_date(value: str | None) -> datetime | None:
    """Parse the date of a header, in UTC; None if it is none."""
    try:
        moment = parsedate_to_datetime((value or "").strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


@dataclass(frozen=True)
class RetryDecision:
    """Whether to retry, after how many seconds, and if not, why."""

    retry: bool
    delay: float = 0.0
    reason: str | None = None


def decide_retry(
    idempotency: Idempotency,
    kind: FailureKind,
    *,
    attempt: int,
    retry_after: float | None,
    jitter: float,
    seconds_left: float,
    deadline_is_hard: bool,
    budget_left: bool,
) -> RetryDecision:
    """Decide whether a failed attempt is retried.

    Args:
        idempotency: What happens if the operation is sent twice.
        kind: How the attempt failed.
        attempt: Which attempt it was, from 1.
        retry_after: Retry-After in seconds, None if not given.
        jitter: A random number, 0–1.
        seconds_left: Until the overall deadline.
        deadline_is_hard: Whether the caller set the deadline; otherwise a wait the exchange asks for may exceed it.
        budget_left: Whether this client may still retry anything at all.
    """
    if not is_retryable(idempotency, kind):
        reason = None if kind is FailureKind.FINAL else "a retry could take effect twice"
        return RetryDecision(retry=False, reason=reason)
    if retry_after is not None and retry_after > limits.RETRY_AFTER_MAX_SECONDS:
        return RetryDecision(retry=False, reason=f"the exchange asks to wait {retry_after:.0f} s")
    if attempt > limits.RETRIES_PER_CALL:
        return RetryDecision(retry=False, reason=f"{attempt} attempts failed")
    if not budget_left:
        return RetryDecision(retry=False, reason="the retry budget of this client is used up")
    delay = backoff(attempt, jitter) if retry_after is None else retry_after
    if delay >= seconds_left and (retry_after is None or deadline_is_hard):
        return RetryDecision(retry=False, reason="the deadline of the call has passed")
    return RetryDecision(retry=True, delay=delay)


@dataclass
class RetryBudget:
    """The retries one client may still make, so that a broken exchange is not hammered: 30 in 10 minutes."""

    limit: int = limits.RETRY_BUDGET[0]
    window: timedelta = limits.RETRY_BUDGET[1]
    _spent: deque[float] = field(default_factory=deque, repr=False)

    def has_budget(self, now: float) -> bool:
        """Return whether another retry is allowed at monotonic time `now`."""
        while self._spent and self._spent[0] <= now - self.window.total_seconds():
            self._spent.popleft()
        return len(self._spent) < self.limit

    def spend(self, now: float) -> None:
        """Count one retry."""
        self._spent.append(now)
