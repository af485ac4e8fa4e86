"""Answers of the exchange as frames with fixed columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

STATUS_COLUMNS: Mapping[str, str] = {
    "name": "str",
    "target_group_id": "str",
    "state": "str",
    "goal": "Int64",
    "completes": "Int64",
    "filled": "Float64",
    "sent": "Int64",
    "saved": "Int64",
    "entrants": "Int64",
    "came_back": "Float64",
    "completed_of_saved": "Float64",
    "conversion_rate": "Float64",
    "drop_off_rate": "Float64",
    "incidence_rate": "Float64",
    "median_minutes": "Float64",
    "cost": "Float64",
    "cost_per_complete": "Float64",
    "currency": "str",
    "first_complete": "datetime64[us, UTC]",
    "last_complete": "datetime64[us, UTC]",
    "warnings": "str",
}
"""Columns of `status_frame` and their types."""


_FUNNEL = ("sent", "saved", "entrants", "completes")


def status_frame(rows: Iterable[Any]) -> pd.DataFrame:
    """Show target groups side by side: how far they are, who came back, what they cost.

    Args:
        rows: For each group a mapping or an object with any of `name`, `target_group_id`, `state`, `goal`, `sent`,
            `saved`, `overview`, `performance` and `warnings`. `overview` and `performance` are the exchange's answers,
            as dictionaries or models. What is missing stays empty.

    Returns:
        A frame, one row a group, in the order given: `name`; `target_group_id`; `state`; `goal`, completes wanted;
        `completes`; `filled`, completes of the goal, 0–1; `sent`, ids uploaded; `saved`, ids in the group; `entrants`;
        `came_back`, entrants of the saved ids, 0–1; `completed_of_saved`, 0–1; `conversion_rate`, `drop_off_rate`,
        `incidence_rate`, 0–1 as the exchange counts them; `median_minutes` of an interview; `cost` so far;
        `cost_per_complete`; `currency`; `first_complete`, `last_complete`, UTC; `warnings`, joined by `; `.

    Serves the endpoints `target-groups/{id}/overview`, `…/performance` and `…/recontacts/overview`.
    """
    import pandas as pd

    records = [_status(row) for row in rows]
    frame = pd.DataFrame(records, columns=list(STATUS_COLUMNS))
    for column, kind in STATUS_COLUMNS.items():
        if kind.startswith("datetime"):
            frame[column] = pd.to_datetime(frame[column], utc=True, format="ISO8601", errors="coerce")
        elif kind != "str":
            frame[column] = pd.to_numeric(frame[column], errors="coerce")
    return frame.astype(dict(STATUS_COLUMNS))


def _status(row: Any) -> dict[str, Any]:
    overview, performance = get(row, "overview"), get(row, "performance")
    completes = _first(get(overview, "progress", "current_completes"), get(performance, "completes"))
    goal = _first(get(overview, "progress", "filling_goal"), get(row, "goal"))
    saved, entrants = get(row, "saved"), get(performance, "entrants")
    cost = _first(get(overview, "current_cost"), get(performance, "completes_cost"))
    spent = _number(get(cost, "value"))
    seconds = _number(get(overview, "median_length_of_interview_seconds"))
    warnings = get(row, "warnings") or ()
    return {
        "name": _text(_first(get(row, "name"), get(overview, "target_group_name"))),
        "target_group_id": _text(get(row, "target_group_id")),
        "state": _text(_first(get(overview, "status"), get(row, "state"))).lower(),
        "goal": goal,
        "completes": completes,
        "filled": _share(completes, goal),
        "sent": get(row, "sent"),
        "saved": saved,
        "entrants": entrants,
        "came_back": _share(entrants, saved),
        "completed_of_saved": _share(completes, saved),
        **{
            rate: _number(_first(get(performance, rate), get(overview, rate)))
            for rate in ("conversion_rate", "drop_off_rate", "incidence_rate")
        },
        "median_minutes": None if seconds is None else round(seconds / 60, 1),
        "cost": spent,
        "cost_per_complete": _share(spent, completes),
        "currency": _text(get(cost, "currency_code")),
        "first_complete": get(performance, "first_complete"),
        "last_complete": get(performance, "last_complete"),
        "warnings": warnings if isinstance(warnings, str) else "; ".join(map(str, warnings)),
    }


def completes_frame(intervals: Iterable[Any]) -> pd.DataFrame:
    """Show completes over time.

    Args:
        intervals: Entries with `timestamp`, the end of an interval, and `count`, completes until then.

    Returns:
        A frame sorted by time: `until`, UTC; `completes` so far; `new` in the interval.

    Serves the endpoint `target-groups/{id}/completes-aggregated-by-interval`.
    """
    import pandas as pd

    rows = [(get(each, "timestamp"), get(each, "count")) for each in intervals]
    until = pd.to_datetime(pd.Series([row[0] for row in rows], dtype="object"), utc=True, format="ISO8601")
    frame = pd.DataFrame({"until": until, "completes": pd.array([row[1] for row in rows], dtype="Int64")})
    frame = frame.sort_values("until", kind="stable", ignore_index=True)
    return frame.assign(new=frame["completes"].diff().fillna(frame["completes"]))


def analysis_frame(performance: Any, *, test: bool = False) -> pd.DataFrame:
    """Show why visits ended, as the exchange counts them.

    Args:
        performance: The answer of the performance endpoint.
        test: Count test visits instead of live ones.

    Returns:
        A frame, the most frequent first: `status`, `label`, `count`, `share` (0–1).

    Serves the endpoint `target-groups/{id}/performance`.
    """
    import pandas as pd

    entries = get(performance, "respondent_analysis", "test" if test else "live") or ()
    rows = [(_text(get(e, "status")), _text(get(e, "label")), int(get(e, "count") or 0)) for e in entries]
    frame = pd.DataFrame(rows, columns=["status", "label", "count"]).astype({"count": "int64"})
    frame = frame.sort_values("count", ascending=False, kind="stable", ignore_index=True)
    return frame.assign(share=frame["count"] / max(1, int(frame["count"].sum())))


def funnel_frame(status: pd.DataFrame) -> pd.DataFrame:
    """Show how many of those sent were saved, came back and completed, over all rows of a status frame.

    Args:
        status: As `status_frame` returns it.

    Returns:
        A frame: `stage` (`sent`, `saved`, `entrants`, `completes`), `people`, `of_first` and `of_previous` (0–1). A
        stage nothing is known of is left out. How many were invited is not published by the exchange.
    """
    import pandas as pd

    known = [(stage, int(status[stage].sum())) for stage in _FUNNEL if status[stage].notna().any()]
    frame = pd.DataFrame(known, columns=["stage", "people"]).astype({"people": "Int64"})
    people = frame["people"].astype("Float64").where(frame["people"] != 0)
    first = people.iloc[0] if len(people) else pd.NA
    return frame.assign(of_first=frame["people"] / first, of_previous=frame["people"] / people.shift(1).fillna(people))


def get(value: Any, *path: str) -> Any:
    """Follow names into mappings or objects; None where one is missing."""
    for name in path:
        if value is None:
            return None
        value = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
    return value


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None and value != ""), None)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _number(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None


def _share(part: Any, whole: Any) -> float | None:
    part, whole = _number(part), _number(whole)
    return None if part is None or not whole else part / whole
