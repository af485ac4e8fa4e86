"""When a request may be sent again, and after which pause. Pure decisions: no time is read, nothing is sent.

| an attempt ended     | safe  | keyed | guarded | naked                            |
|----------------------|-------|-------|---------|----------------------------------|
| unsent               | again | again | again   | again                            |
| busy (429)           | again | again | again   | again: refused before any work   |
| unavailable (503)    | again | again | again   | no: the caller looks first       |
| ambiguous            | again | again | again   | no: the caller looks first       |
| final                | no    | no    | no      | no                               |

A guarded request may be repeated because its If-Match no longer fits once the first one acted: the worst is a 412,
on which the caller reads again and decides again.
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
    """How an operation bears being sent twice.

    `safe` only reads, or ends the same however often it is sent; `keyed` carries an idempotency key, kept over all
    attempts; `guarded` carries If-Match; `naked` acts every time it arrives.
    """

    SAFE = "safe"
    KEYED = "keyed"
    CONDITIONAL = "guarded"
    NON_IDEMPOTENT = "naked"


class FailureKind(StrEnum):
    """How one attempt ended, as far as sending again is concerned."""

    NOT_SENT = "unsent"
    RATE_LIMITED = "busy"
    UNAVAILABLE = "unavailable"
    AMBIGUOUS = "ambiguous"
    FINAL = "final"


_NOT_SENT_ERRORS = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_NEVER_SENDABLE = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)


def classify_exception(error: httpx.TransportError) -> FailureKind:
    """Return how an attempt ended that brought no reply.

    Only what failed before the request was written is unsent. All else looks the same whether or not the exchange
    acted: broken reads and writes, read timeouts, malformed replies.
    """
    if isinstance(error, _NOT_SENT_ERRORS):
        return FailureKind.NOT_SENT
    if isinstance(error, _NEVER_SENDABLE):
        return FailureKind.FINAL
    return FailureKind.AMBIGUOUS


def classify_status(status: int) -> FailureKind:
    """Return how an attempt with an error reply ended: 429 did nothing, 5xx may have acted, others are final."""
    if status == 429:
        return FailureKind.RATE_LIMITED
    if status == 503:
        return FailureKind.UNAVAILABLE
    return FailureKind.AMBIGUOUS if status >= 500 else FailureKind.FINAL


def is_retryable(repeat: Idempotency, ending: FailureKind) -> bool:
    """Read the table of this module."""
    match ending:
        case FailureKind.FINAL:
            return False
        case FailureKind.NOT_SENT | FailureKind.RATE_LIMITED:
            return True
        case FailureKind.UNAVAILABLE | FailureKind.AMBIGUOUS:
            return repeat is not Idempotency.NON_IDEMPOTENT


def backoff(attempt: int, jitter: float) -> float:
    """Return the pause in seconds after the `attempt`-th attempt (from 1): exponential, capped, with full jitter.

    Args:
        attempt: How many attempts have failed.
        jitter: A random number, 0–1, so that many clients do not come back together.
    """
    first, most = limits.BACKOFF_SECONDS
    return float(min(most, first * 2.0 ** (attempt - 1))) * jitter


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Read a Retry-After header, seconds or an HTTP date, as seconds from `now`; a time past is 0, nonsense None."""
    text = (value or "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (TypeError, ValueError):
            return None
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        seconds = (moment - now).total_seconds()
    if seconds != seconds or seconds == float("inf"):
        return None
    return max(0.0, seconds)


@dataclass(frozen=True)
class RetryDecision:
    """Whether to retry, after how many seconds, and if not, why."""

    retry: bool
    delay: float = 0.0
    reason: str = ""


def decide_retry(
    repeat: Idempotency,
    ending: FailureKind,
    *,
    attempt: int,
    retry_after: float | None,
    jitter: float,
    seconds_left: float,
    deadline_is_hard: bool,
    budget_left: bool,
) -> RetryDecision:
    """Decide what follows a failed attempt.

    Args:
        repeat: How the operation bears being sent twice.
        ending: How the attempt ended.
        attempt: Which attempt it was, from 1.
        retry_after: Retry-After in seconds, None if not given.
        jitter: A random number, 0–1.
        seconds_left: Until the overall deadline.
        deadline_is_hard: Whether the deadline was the caller's own; otherwise a wait the exchange asks for may pass it.
        budget_left: Whether this client may still repeat anything at all.
    """
    if not is_retryable(repeat, ending):
        return RetryDecision(retry=False, reason="" if ending is FailureKind.FINAL else "repeating could act twice")
    if retry_after is not None and retry_after > limits.RETRY_AFTER_MAX_SECONDS:
        return RetryDecision(retry=False, reason=f"the exchange asks to wait {retry_after:.0f} s")
    if attempt > limits.RETRIES_PER_CALL:
        return RetryDecision(retry=False, reason=f"{attempt} attempts failed")
    if not budget_left:
        return RetryDecision(retry=False, reason="this client has repeated too much lately")
    wait = backoff(attempt, jitter) if retry_after is None else retry_after
    if wait >= seconds_left and (retry_after is None or deadline_is_hard):
        return RetryDecision(retry=False, reason="the time limit of the call has passed")
    return RetryDecision(retry=True, delay=wait)


@dataclass
class RetryBudget:
    """Count the repeats of one client, so that a broken exchange is not hammered: 30 in 10 minutes."""

    limit: int = limits.RETRY_BUDGET[0]
    window: timedelta = limits.RETRY_BUDGET[1]
    _spent: deque[float] = field(default_factory=deque, repr=False)

    def has_budget(self, now: float) -> bool:
        """Return whether another repeat is allowed at monotonic time `now`."""
        while self._spent and self._spent[0] <= now - self.window.total_seconds():
            self._spent.popleft()
        return len(self._spent) < self.limit

    def spend(self, now: float) -> None:
        """Count one repeat."""
        self._spent.append(now)
