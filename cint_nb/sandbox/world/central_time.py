"""US Central time, in which the exchange's reports are: both ways between it and UTC.

The rule stands here and not in a database of zones, which a browser's Python and Windows do not have.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache

_WINTER, _SUMMER = timedelta(hours=-6), timedelta(hours=-5)
_CHANGE_HOUR = 2
"""Clocks change at two in the morning, local time."""


def to_central(moment: datetime) -> datetime:
    """Return a moment as US Central time without a zone; in autumn an hour of it occurs twice."""
    moment = moment.astimezone(UTC).replace(tzinfo=None)
    begin, end = _summer(moment.year)
    return moment + (_SUMMER if begin - _WINTER <= moment < end - _SUMMER else _WINTER)


def central_midnight(day: date) -> datetime:
    """Return the moment at which a day begins in US Central time."""
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - local, without a zone
    begin, end = _summer(day.year)
    return (midnight - (_SUMMER if begin <= midnight < end else _WINTER)).replace(tzinfo=UTC)


def reconcilable_until(completed: datetime) -> datetime:
    """Return the moment from which a visit can no longer be reconciled.

    That is midnight, US Central time, at the end of the 25th of the month after its completion.
    """
    month = to_central(completed)
    year, number = divmod(month.year * 12 + month.month, 12)
    return central_midnight(date(year, number + 1, 26))


def reconcilable_since(now: datetime) -> datetime:
    """Return the begin of the first month whose visits can still be reconciled."""
    local = to_central(now)
    year, number = divmod(local.year * 12 + local.month - (2 if local.day <= 25 else 1), 12)
    return central_midnight(date(year, number + 1, 1))


@cache
def _summer(year: int) -> tuple[datetime, datetime]:
    """Return begin and end of daylight saving time, local time: second Sunday of March, first of November."""
    return _sunday(year, 3, 2), _sunday(year, 11, 1)


def _sunday(year: int, month: int, number: int) -> datetime:
    first = datetime(year, month, 1, _CHANGE_HOUR)  # noqa: DTZ001 - local, without a zone
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (number - 1))
