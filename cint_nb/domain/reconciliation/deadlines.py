"""Until when a visit can be reconciled: the end of the 25th of the month after its completion, US Central time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cint_nb.domain.arguments import check_arguments

CENTRAL = ZoneInfo("America/Chicago")
"""The zone in which the exchange's deadlines are."""
_DEADLINE_DAY = 25
_WARN_FROM_DAY = 20


@check_arguments()
def reconciliation_deadline(completed_at: datetime) -> datetime:
    """Return until when a visit can be reconciled: the end of the 25th of the month after its completion, US Central.

    Args:
        completed_at: When the visit was completed.

    Returns:
        The last second of that day, with the zone America/Chicago.

    Example:
        >>> from datetime import UTC, datetime
        >>> from cint_nb.domain.reconciliation.deadlines import reconciliation_deadline
        >>> reconciliation_deadline(datetime(2026, 9, 30, 12, 0, tzinfo=UTC)).isoformat()
        '2026-10-25T23:59:59-05:00'
        >>> reconciliation_deadline(datetime(2026, 10, 31, 12, 0, tzinfo=UTC)).isoformat()
        '2026-11-25T23:59:59-06:00'
    """
    local = completed_at.astimezone(CENTRAL)
    year, month = divmod(local.year * 12 + local.month, 12)
    return datetime(year, month + 1, _DEADLINE_DAY, 23, 59, 59, tzinfo=CENTRAL)


def is_expired(deadline: datetime, now: datetime) -> bool:
    """Return whether a deadline has passed: its last second has."""
    return now.astimezone(UTC) >= deadline.astimezone(UTC) + timedelta(seconds=1)


def is_near(deadline: datetime, now: datetime) -> bool:
    """Return whether a deadline is near: it is that month's 20th or later, US Central."""
    local = now.astimezone(CENTRAL)
    return (local.year, local.month) == (deadline.year, deadline.month) and local.day >= _WARN_FROM_DAY


def format_deadline(deadline: datetime) -> str:
    """Write a deadline with its zone, such as `2026-10-25 23:59:59 CDT (America/Chicago)`."""
    return f"{deadline:%Y-%m-%d %H:%M:%S %Z} (America/Chicago)"
