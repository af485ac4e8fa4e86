"""The pace of one client: a token bucket that slows down when the exchange says 429 and recovers by itself."""

from __future__ import annotations

from cint_nb.domain import limits

_SLOWEST = 1.0
_RECOVERY_SECONDS = 60.0


class Pace:
    """Hand out moments to send at, at most `per_second` on average with a burst of one second's worth.

    Args:
        per_second: Requests a second.
    """

    def __init__(self, per_second: float = limits.REQUESTS_PER_SECOND) -> None:
        self._full = per_second
        self._rate = per_second
        self._tokens = per_second
        self._filled_at: float | None = None
        self._slowed_at: float | None = None

    @property
    def per_second(self) -> float:
        """Return the present pace."""
        return self._rate

    def reserve(self, now: float) -> float:
        """Take one place in the line and return the seconds to wait for it, counted from monotonic time `now`."""
        self._recover(now)
        if self._filled_at is not None:
            self._tokens = min(self._rate, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        self._tokens -= 1.0
        return max(0.0, -self._tokens / self._rate)

    def slow_down(self, now: float) -> None:
        """Halve the pace, down to one request a second, after a 429. Several at once count as one."""
        if self._slowed_at is None or now - self._slowed_at >= 1.0:
            self._rate = max(_SLOWEST, self._rate / 2)
            self._tokens = min(self._tokens, self._rate)
            self._slowed_at = now

    def _recover(self, now: float) -> None:
        """Double the pace again after each minute without a 429."""
        while self._slowed_at is not None and self._rate < self._full and now - self._slowed_at >= _RECOVERY_SECONDS:
            self._rate = min(self._full, self._rate * 2)
            self._slowed_at = None if self._rate == self._full else self._slowed_at + _RECOVERY_SECONDS
