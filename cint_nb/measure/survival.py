"""How soon people complete: the curve of a wave, and whether groups differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from cint_nb.caller_warnings import warn_caller
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import InputError
from cint_nb.measure.bases import refuse_base
from cint_nb.measure.counting import EventTime, count_times, warn_untimed
from cint_nb.measure.probability import chi_square_tail, log_log_interval, refuse_conf, solve

_CURVE: dict[str, type] = {
    "hours": float,
    "at_risk": int,
    "events": int,
    "share": float,
    "se": float,
    "low": float,
    "high": float,
}
_TEST: dict[str, type] = {"wave": int, "groups": int, "events": int, "chi2": float, "df": int, "p": float}


@check_arguments()
def retention_curve(frame: Any, *, by: str | None = None, base: str = "asked", conf: float = 0.95) -> Any:
    """Return the share that had completed by each time at which somebody did.

    Formula: Kaplan–Meier (1958) with Greenwood's variance (1926) and the interval on the scale log(−log S); `share` is
    1 − S, `se` is S √(Σ d / (n (n − d))). Who is censored, and when, is said at `retention`. People who are censored
    at the time of an event are at risk of it.

    Args:
        frame: Visits and listed persons, see `dispositions`, or its output; with open times.
        by: A column to compare by, known in all rows and the same in all rows of a person and wave.
        base: Whom the share is of, as for `retention`.
        conf: Of the intervals, above 0.5 and below 1.

    Returns:
        A row per event time: `wave [by] hours at_risk events share se low high`; hours since the opening. Where
        everybody at risk has completed, `se`, `low` and `high` are null.

    Raises:
        InputError: an argument or a column is wrong, or somebody came before the wave opened.

    Assumes: as `retention`.

    Warns: as `dispositions`; and of people whose open times are not known, whose waves have no curve.

    Example:
        >>> import pandas as pd
        >>> import cint_nb as cint
        >>> hour = 3_600_000
        >>> visits = pd.DataFrame({
        ...     "person": [1, 2, 3, 4],
        ...     "wave": 1,
        ...     "reason": ["completed", "completed", None, None],
        ...     "ended": [2 * hour, 5 * hour, None, None],
        ...     "entered": [1 * hour, 4 * hour, None, None],
        ...     "open_from": 0,
        ...     "open_until": [48 * hour, 48 * hour, 3 * hour, 48 * hour],
        ...     "closed_by": ["end", "end", "goal", "end"],
        ... })
        >>> cint.measure.retention_curve(visits)[["hours", "at_risk", "events", "share"]]
           hours  at_risk  events  share
        0    2.0        4       1  0.250
        1    5.0        2       1  0.625
    """
    refuse_base(base)
    refuse_conf(conf)
    if by is not None and by in {"wave", *_CURVE}:
        raise InputError(
            f"The result has a column {by} of its own.",
            evidence={"field": "by"},
            next_step=f"rename the column {by} before you group by it.",
        )
    kinds: dict[str, Any] = {"wave": int, **({by: None} if by is not None else {}), **_CURVE}
    found = count_times(frame, by=by, base=base)
    if found.untimed:
        warn_untimed(found.untimed, "their waves have no curve")
    rows = [
        {"wave": cell.wave, **({by: cell.group} if by is not None else {})} | point
        for cell in found.cells
        for point in _curve(found.times.get(cell, ()), conf)
    ]
    return found.people.origin.table({name: [row[name] for row in rows] for name in kinds}, kinds)


def _curve(times: Sequence[EventTime], conf: float) -> list[dict[str, Any]]:
    points: list[dict[str, Any]] = []
    survival, greenwood = 1.0, 0.0
    for time in times:
        if not time.events:
            continue
        left = time.at_risk - time.events
        survival *= left / time.at_risk
        greenwood += time.events / (time.at_risk * left) if left else math.inf
        limits = log_log_interval(survival, greenwood, conf)
        points.append(
            {
                "hours": time.hours,
                "at_risk": time.at_risk,
                "events": time.events,
                "share": 1 - survival,
                "se": survival * math.sqrt(greenwood) if left else None,
                "low": None if limits is None else 1 - limits[1],
                "high": None if limits is None else 1 - limits[0],
            }
        )
    return points


@check_arguments()
def logrank(frame: Any, *, by: str, base: str = "asked") -> Any:
    """Return whether groups differ in how soon they complete, wave by wave.

    Formula: the log-rank test (Mantel 1966): observed less expected events over all event times, with their
    hypergeometric covariance; χ² with one degree of freedom less than groups that could have had events.

    Args:
        frame: Visits and listed persons, see `dispositions`, or its output; with open times.
        by: The column of the groups, known in all rows and the same in all rows of a person and wave.
        base: Who is compared, as for `retention`.

    Returns:
        A row per wave: `wave groups events chi2 df p`; without events the last three are null, and a warning says so.

    Raises:
        InputError: there are fewer than two groups, or a column is wrong.

    Assumes: as `retention`, in each group.

    Warns: as `retention_curve`; and where nobody completed while two groups were at risk, or all did at once.

    Example:
        >>> import pandas as pd
        >>> import cint_nb as cint
        >>> hour = 3_600_000
        >>> visits = pd.DataFrame({
        ...     "person": range(6),
        ...     "wave": 1,
        ...     "device": ["phone", "phone", "phone", "desktop", "desktop", "desktop"],
        ...     "reason": ["completed"] * 4 + [None] * 2,
        ...     "entered": [hour, hour, 2 * hour, 9 * hour, None, None],
        ...     "ended": [hour, 2 * hour, 3 * hour, 10 * hour, None, None],
        ...     "open_from": 0,
        ...     "open_until": 48 * hour,
        ...     "closed_by": "end",
        ... })
        >>> cint.measure.logrank(visits, by="device").round(3)
           wave  groups  events   chi2  df      p
        0     1       2       4  5.052   1  0.025
    """
    refuse_base(base)
    found = count_times(frame, by=by, base=base)
    if found.untimed:
        warn_untimed(found.untimed, "their groups cannot be compared")
    waves: dict[int, list[Sequence[EventTime]]] = {}
    for cell in found.cells:
        waves.setdefault(cell.wave, []).append(found.times.get(cell, ()))
    present = {wave: [times for times in groups if times] for wave, groups in waves.items()}
    if found.people.rows and all(len(groups) < 2 for groups in present.values()):
        raise InputError(
            f"A comparison needs two groups; no wave has two in the column {by}.",
            evidence={"field": "by"},
            next_step="compare by a column that has two values or more within a wave.",
        )
    rows = [{"wave": wave, "groups": len(groups)} | _log_rank(groups, wave) for wave, groups in present.items()]
    return found.people.origin.table({name: [row[name] for row in rows] for name in _TEST}, _TEST)


def _log_rank(groups: Sequence[Sequence[EventTime]], wave: int) -> dict[str, Any]:
    by_time: dict[int, list[int]] = {}
    for place, times in enumerate(groups):
        for time in times:
            if time.events:
                by_time.setdefault(time.time, [0] * len(groups))[place] = time.events
    size = len(groups)
    excess, expected = [0.0] * size, [0.0] * size
    covariance = [[0.0] * size for _ in groups]
    pointers = [0] * size
    for now, events in sorted(by_time.items()):
        at_risk = []
        for place, times in enumerate(groups):
            while pointers[place] < len(times) and times[pointers[place]].time < now:
                pointers[place] += 1
            at_risk.append(times[pointers[place]].at_risk if pointers[place] < len(times) else 0)
        total, happened = sum(at_risk), sum(events)
        shares = [number / total for number in at_risk]
        spread = happened * (total - happened) / (total - 1) if total > 1 else 0.0
        for row in range(size):
            expected[row] += happened * shares[row]
            excess[row] += events[row] - happened * shares[row]
            for column in range(size):
                covariance[row][column] += spread * shares[row] * ((row == column) - shares[column])
    events_in_all = sum(map(sum, by_time.values()))
    tested = [place for place in range(size) if expected[place] > 0][1:]
    solution = solve(
        [[covariance[row][column] for column in tested] for row in tested], [excess[row] for row in tested]
    )
    if not tested or solution is None:
        warn_caller(
            f"measure.logrank, wave {wave}: nothing to compare, because no events were seen while people of two "
            "groups were at risk, or all who were at risk completed at once."
        )
        return {"events": events_in_all, "chi2": None, "df": None, "p": None}
    chi2 = math.fsum(excess[place] * value for place, value in zip(tested, solution, strict=True))
    return {"events": events_in_all, "chi2": chi2, "df": len(tested), "p": chi_square_tail(chi2, len(tested))}
