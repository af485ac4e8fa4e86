"""What share of a base completed each wave: as counted, and as it would be after the same time in the field."""

from __future__ import annotations

import math
from typing import Any

from cint_nb.caller_warnings import warn_caller
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import InputError
from cint_nb.measure.bases import Cell, refuse_base
from cint_nb.measure.counting import HOUR, CellCounts, Counted, count_cells, refuse_horizon, warn_untimed
from cint_nb.measure.probability import log_log_interval, refuse_conf, wilson_interval

_KINDS: dict[str, type] = {
    "base": str,
    "n": int,
    "completed": int,
    "cut_off": int,
    "pending": int,
    "not_asked": int,
    "not_known": int,
    "share": float,
    "low": float,
    "high": float,
    "kind": str,
    "closed_by": str,
    "exposure": float,
    "horizon": float,
    "at_risk": int,
    "km_share": float,
    "km_low": float,
    "km_high": float,
}


@check_arguments()
def retention(
    frame: Any, *, by: str | None = None, base: str = "asked", horizon: float | None = None, conf: float = 0.95
) -> Any:
    """Return what share of a base completed each wave, with its interval and with what may be concluded from it.

    Formula: `share` = completed / n, with the score interval (Wilson 1927). With `base="asked"` this is the completion
    rate COMR (Callegaro & DiSogra 2008), AAPOR's participation rate. A wave that stopped at its goal did not see who
    would still have come: `share` is then a lower bound, and `km_share` = 1 − S(horizon) compares waves after the same
    time in the field (Kaplan & Meier 1958; Greenwood's variance, interval on the scale log(−log S)). Time runs from the
    opening to the completion, or to the closing for those who came before it and completed after it. Who was turned
    away for want of a place (`over_quota`, `closed`, `priced_out`) is censored when they came, everybody else when the
    part closed: potential censoring times are known, so that screened or blocked people stay in the risk set, as for a
    subdistribution (Fine & Gray 1999). A stop at the goal is type-II censoring.

    Args:
        frame: Visits and listed persons, see `dispositions`, or its output.
        by: A column to compare by, known in all rows and the same in all rows of a person and wave.
        base: `asked`: everybody asked in the wave; `first`, `previous`, `ever`: those who completed the first wave, the
            wave before, or any earlier one. These have no row for the first wave. People of a base without a row in a
            wave count as not asked, in the group of the complete that made them part of it. Of these bases, people who
            were not asked are in `n`, as people who did not complete; `km_share` is of those asked.
        horizon: Hours since the opening at which waves are compared, above 0; the shortest time that any row was open,
            if None.
        conf: Of the intervals, above 0.5 and below 1.

    Returns:
        A row per wave (and value of `by`): `wave [by] base n completed cut_off pending not_asked not_known share low
        high kind closed_by exposure horizon at_risk km_share km_low km_high`. `n` is the base without people whose
        report is missing, who are `not_known`. `kind` is `rate`, `lower_bound` (people were cut off), `provisional`
        (still open) or `not_known` (no report; the share is null). `exposure` is the **shortest** time, in hours, that
        people of the row could come; `at_risk` are those still in the risk set at the horizon. Without open times the
        last six are null.

    Raises:
        InputError: an argument or a column is wrong, or somebody came before the wave opened.

    Assumes: censoring is independent of whether people would come, and a pause inside the open time counts as open.

    Warns: of lower bounds, of paused waves, of a horizon at which not all people of a row could still come, and of one
    that is beyond the open time of a row, which has no estimate then.

    Example:
        >>> import pandas as pd
        >>> import cint_nb as cint
        >>> visits = pd.DataFrame({
        ...     "person": [1, 2, 3, 4, 1, 2, 3, 4],
        ...     "wave": [1, 1, 1, 1, 2, 2, 2, 2],
        ...     "reason": ["completed"] * 3 + ["absent", "completed", "screened", "absent", "absent"],
        ... })
        >>> cint.measure.retention(visits, base="first")[["wave", "n", "completed", "share", "kind"]].round(3)
           wave  n  completed  share  kind
        0     2  3          1  0.333  rate
    """
    refuse_base(base)
    refuse_conf(conf)
    hours = refuse_horizon(horizon)
    if by is not None and by in {"wave", *_KINDS}:
        raise InputError(
            f"The result has a column {by} of its own.",
            evidence={"field": "by"},
            next_step=f"rename the column {by} before you group by it.",
        )
    kinds: dict[str, Any] = {"wave": int, **({by: None} if by is not None else {}), **_KINDS}
    counted = count_cells(frame, by=by, base=base, horizon=hours)
    rows = [
        {"wave": cell.wave, **({by: cell.group} if by is not None else {}), "base": base}
        | _figures(counted.counts[cell], counted.horizon, conf)
        for cell in counted.cells
    ]
    _warn(counted, chosen=horizon is not None)
    return counted.people.origin.table({name: [row[name] for row in rows] for name in kinds}, kinds)


def _figures(counts: CellCounts, horizon: float | None, conf: float) -> dict[str, Any]:
    share = low = high = None
    if counts.n and counts.is_known:
        share = counts.completed / counts.n
        low, high = wilson_interval(counts.completed, counts.n, conf)
    figures: dict[str, Any] = {
        "n": counts.n,
        "completed": counts.completed,
        "cut_off": counts.cut_off,
        "pending": counts.pending,
        "not_asked": counts.not_asked,
        "not_known": counts.not_known,
        "share": share,
        "low": low,
        "high": high,
        "kind": counts.kind,
        "closed_by": counts.closed_by,
        "exposure": None if counts.shortest is None else counts.shortest / HOUR,
        "horizon": None if horizon is None else horizon / HOUR,
        "at_risk": None,
        "km_share": None,
        "km_low": None,
        "km_high": None,
    }
    if horizon is not None and _can_estimate(counts, horizon):
        survival = 0.0 if counts.emptied else math.exp(counts.log_survival)
        limits = log_log_interval(survival, counts.greenwood, conf)
        figures |= {"at_risk": counts.at_risk, "km_share": 1 - survival}
        if limits is not None:
            figures |= {"km_low": 1 - limits[1], "km_high": 1 - limits[0]}
    return figures


def _can_estimate(counts: CellCounts, horizon: float) -> bool:
    return bool(counts.known) and not counts.untimed and counts.longest is not None and horizon <= counts.longest


def _warn(counted: Counted, *, chosen: bool) -> None:
    found: dict[str, list[Cell]] = {}
    untimed = 0
    for cell, counts in ((cell, counted.counts[cell]) for cell in counted.cells):
        horizon, shortest, longest = counted.horizon, counts.shortest, counts.longest
        if counts.kind == "lower_bound":
            estimated = counted.horizon is not None and _can_estimate(counts, counted.horizon)
            found.setdefault("lower" if estimated else "lower_alone", []).append(cell)
        if counts.paused:
            found.setdefault("paused", []).append(cell)
        if horizon is None or shortest is None or longest is None:
            continue
        untimed += counts.untimed
        if horizon > longest:
            found.setdefault("beyond", []).append(cell)
        elif horizon > shortest:
            found.setdefault("differ", []).append(cell)
    texts = {
        "lower": "the share is a lower bound: the field closed before everybody could come. Compare km_share instead.",
        "lower_alone": "the share is a lower bound: the field closed before everybody could come, and no "
        "km_share can be given to compare instead.",
        "paused": "paused before its end; if it was paused because of who came, censoring is informative and km_share "
        "is biased.",
        "beyond": "open for only part of the horizon: nothing is known about later hours, and km_share is null.",
        "differ": "its parts closed at different times before the horizon: people who could come longer stand for all, "
        "and they may not be alike. A horizon up to the column exposure avoids it.",
    }
    for key, text in texts.items():
        if key in found and (chosen or key not in ("beyond", "differ")):
            warn_caller(f"measure.retention, {_name(found[key])}: {text}")
    if untimed:
        warn_untimed(untimed, "km_share is null in their rows")


def _name(cells: list[Cell]) -> str:
    waves = sorted({cell.wave for cell in cells})
    shown = ", ".join(map(str, waves[:10])) + (" …" if len(waves) > 10 else "")
    return f"wave{'s' if len(waves) > 1 else ''} {shown}"
