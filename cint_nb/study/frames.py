"""DataFrames with fixed columns from what the exchange returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cint_nb.domain.arguments import UNUSABLE, check_arguments
from cint_nb.domain.errors import InputError
from cint_nb.domain.findings import Findings
from cint_nb.domain.ids import mask_ids_in, masked_text
from cint_nb.domain.reconciliation.reasons import RECONCILIATION_CODES
from cint_nb.study.outcome.report_statuses import describe_statuses, is_screened_out
from cint_nb.study.status_warnings import WarningInputs, status_warnings

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
    "screenouts": "Int64",
    "completed_of_saved": "Float64",
    "conversion_rate": "Float64",
    "drop_off_rate": "Float64",
    "incidence_rate": "Float64",
    "median_minutes": "Float64",
    "cost": "Float64",
    "cost_per_complete": "Float64",
    "price_cap": "Float64",
    "approved": "Float64",
    "committed": "Float64",
    "spent": "Float64",
    "currency": "str",
    "first_complete": "datetime64[us, UTC]",
    "last_complete": "datetime64[us, UTC]",
    "ends_at": "datetime64[us, UTC]",
    "warnings": "str",
}
"""Columns of `status_frame` and their types."""


_FUNNEL = ("sent", "saved", "entrants", "completes")


@check_arguments(refusals=UNUSABLE)
def status_frame(rows: Iterable[Any], *, now: datetime | None = None) -> pd.DataFrame:
    """Return one row per target group: progress, return, cost.

    Args:
        rows: For each group, a mapping or an object with any of `name`, `target_group_id`, `state`, `goal`, `sent`,
            `saved`, `overview`, `performance`, `price_cap`, `approved`, `committed`, `started_at`, `ends_at`,
            `paused_by`, `pause_reason`, `trend` and `warnings`. `overview` and `performance` are the exchange's
            replies, as dictionaries or models. What is missing stays empty.
        now: When the metrics were read; if given, warnings drawn from them are added.

    Returns:
        A frame, one row per group, in the given order. The columns are `STATUS_COLUMNS`; `Wave.status` says what each
        means. If a row has a `trend`, a list of completes so far at even intervals, the frame has that column too.
        Printed it is at most 80 columns wide, with percentages and short dates; its values stay fractions and times.

    Example:
        >>> frame = cint.frames.status_frame([{"name": "Wave 1", "state": "completed", "goal": 100}])
        >>> frame[["name", "state", "goal"]]
             name      state  goal
        0  Wave 1  completed   100
    """
    import pandas as pd

    from cint_nb.study.readable_frame import StatusFrame

    records = [_status_row(row, now) for row in rows]
    trends = [record.pop("trend") for record in records]
    frame: pd.DataFrame = StatusFrame(records, columns=list(STATUS_COLUMNS))
    for column, kind in STATUS_COLUMNS.items():
        if kind.startswith("datetime"):
            frame[column] = pd.to_datetime(frame[column], utc=True, format="ISO8601", errors="coerce")
        elif kind != "str":
            frame[column] = pd.to_numeric(frame[column], errors="coerce")
    frame = frame.astype(dict(STATUS_COLUMNS))
    return frame.assign(trend=pd.Series(trends, dtype="object")) if any(trends) else frame


def _status_row(row: Any, now: datetime | None) -> dict[str, Any]:
    overview, performance = get_path(row, "overview"), get_path(row, "performance")
    completes = _first_known(get_path(overview, "progress", "current_completes"), get_path(performance, "completes"))
    goal = _first_known(get_path(overview, "progress", "filling_goal"), get_path(row, "goal"))
    saved, entrants = get_path(row, "saved"), get_path(performance, "entrants")
    cost = _first_known(get_path(overview, "current_cost"), get_path(performance, "completes_cost"))
    spent = _number(get_path(cost, "value"))
    seconds = _number(get_path(overview, "median_length_of_interview_seconds"))
    cap = get_path(row, "price_cap")
    warnings = get_path(row, "warnings") or ()
    warnings = [*([warnings] if isinstance(warnings, str) else map(str, warnings))]
    warnings += [text for text in (_unknown_ends(performance),) if text]
    columns: dict[str, Any] = {
        "name": _text(_first_known(get_path(row, "name"), get_path(overview, "target_group_name"))),
        "target_group_id": _text(get_path(row, "target_group_id")),
        "state": _word(_first_known(get_path(row, "state"), get_path(overview, "status"))).lower(),
        "goal": goal,
        "completes": completes,
        "filled": _share(completes, goal),
        "sent": get_path(row, "sent"),
        "saved": saved,
        "entrants": entrants,
        "came_back": _share(entrants, saved),
        "screenouts": _screenouts(performance),
        "completed_of_saved": _share(completes, saved),
        **{
            rate: _number(_first_known(get_path(performance, rate), get_path(overview, rate)))
            for rate in ("conversion_rate", "drop_off_rate", "incidence_rate")
        },
        "median_minutes": None if seconds is None else round(seconds / 60, 1),
        "cost": spent,
        "cost_per_complete": _share(spent, completes),
        "price_cap": _number(_first_known(get_path(cap, "value"), cap)),
        "approved": _number(get_path(row, "approved", "value")),
        "committed": _number(get_path(row, "committed", "value")),
        "spent": spent,
        "currency": _text(_first_known(get_path(cost, "currency_code"), get_path(cap, "currency_code"))),
        "first_complete": get_path(performance, "first_complete"),
        "last_complete": get_path(performance, "last_complete"),
        "ends_at": get_path(row, "ends_at"),
        "trend": get_path(row, "trend"),
    }
    drawn = () if now is None else status_warnings(_warning_inputs(row, columns), now)
    columns["warnings"] = "; ".join([*warnings, *drawn])
    return columns


def _warning_inputs(row: Any, columns: Mapping[str, Any]) -> WarningInputs:
    return WarningInputs(
        state=columns["state"],
        goal=_number(columns["goal"]),
        completes=_number(columns["completes"]),
        sent=_number(columns["sent"]),
        saved=_number(columns["saved"]),
        last_activity_at=_parse_time(_first_known(columns["last_complete"], get_path(row, "started_at"))),
        ends_at=_parse_time(columns["ends_at"]),
        paused_by=get_path(row, "paused_by"),
        pause_reason=get_path(row, "pause_reason"),
        cost_per_complete=columns["cost_per_complete"],
        price_cap=columns["price_cap"],
        approved=columns["approved"],
        committed=columns["committed"],
        prescreens=_number(get_path(row, "overview", "progress", "current_prescreens")),
        counts_prescreens=get_path(row, "planned_strategy") == "completes"
        and _text(get_path(row, "overview", "progress", "filling_strategy")) == "prescreens",
        spent=columns["spent"] if _text(get_path(row, "approved", "currency_code")) == columns["currency"] else None,
    )


def _screenouts(performance: Any) -> int | None:
    entries = get_path(performance, "respondent_analysis", "live")
    if entries is None:
        return None
    ends = [(is_screened_out(_text(get_path(each, "status"))), get_path(each, "count")) for each in entries]
    if any(count is None or (ended is None and count) for ended, count in ends):
        return None
    return sum(int(count) for ended, count in ends if ended)


def _unknown_ends(performance: Any) -> str | None:
    """Return a sentence about visits whose status is not known; None if there are none."""
    entries = get_path(performance, "respondent_analysis", "live") or ()
    unknown = {
        _text(get_path(each, "status")): get_path(each, "count")
        for each in entries
        if is_screened_out(_text(get_path(each, "status"))) is None and get_path(each, "count")
    }
    return f"screenouts not known: visits with the status {describe_statuses(unknown)}" if unknown else None


@check_arguments()
def findings_frame(findings: Findings) -> pd.DataFrame:
    """Return one row per finding of a check, the most serious first.

    Args:
        findings: What `wave.check()` returns.

    Returns:
        A frame: `severity` (`block`, `warn` or `note`), `rule`, `message`, `evidence`, `fix`, `section` (of a guide).

    Example:
        >>> cint.frames.findings_frame(wave.check())[["severity", "rule"]]
          severity            rule
        0     warn  lines-left-out
        1     note  lines-left-out
    """
    from cint_nb.study.readable_frame import ReadableFrame

    columns = ("severity", "rule", "message", "evidence", "fix", "section")
    rows = [[str(getattr(each, name) or "") for name in columns] for each in findings]
    return ReadableFrame(rows, columns=list(columns)).astype("str")


@check_arguments(refusals=UNUSABLE)
def completes_frame(intervals: Iterable[Any]) -> pd.DataFrame:
    """Return completes over time.

    Args:
        intervals: Entries with `timestamp`, the end of an interval, and `count`, completes until then.

    Returns:
        A frame sorted by time: `until`, UTC; `completes` so far; `new` in the interval.

    Serves the endpoint `target-groups/{id}/completes-aggregated-by-interval`.

    Example:
        >>> cint.frames.completes_frame(client.target_groups.completes_by_interval(ref))
                                  until  completes  new
        0 2026-09-02 08:00:29.286+00:00          7    7
        1 2026-09-03 08:00:29.286+00:00         11    4
        2 2026-09-04 08:00:29.286+00:00         13    2
        3 2026-09-05 08:00:29.286+00:00         13    0
    """
    import pandas as pd

    from cint_nb.study.readable_frame import ReadableFrame

    rows = [(get_path(each, "timestamp"), get_path(each, "count")) for each in intervals]
    until = pd.to_datetime(pd.Series([row[0] for row in rows], dtype="object"), utc=True, format="ISO8601")
    frame = ReadableFrame({"until": until, "completes": pd.array([row[1] for row in rows], dtype="Int64")})
    frame = frame.sort_values("until", kind="stable", ignore_index=True)
    return frame.assign(new=frame["completes"] - frame["completes"].shift(1, fill_value=0))


@check_arguments(refusals=UNUSABLE)
def analysis_frame(performance: Any, *, test: bool = False) -> pd.DataFrame:
    """Return why visits ended, as the exchange counts them.

    Args:
        performance: The reply of the performance endpoint.
        test: Count test visits instead of live ones.

    Returns:
        A frame, the most frequent first: `status`, `label`, `count`, `share` (0–1). A count that the exchange did not
        give is empty, and so are then all shares.

    Serves the endpoint `target-groups/{id}/performance`.

    Example:
        >>> cint.frames.analysis_frame(client.target_groups.performance(ref))
          status                     label  count   share
        0     10                  Complete     13  0.8125
        1     20          Client terminate      1  0.0625
        2     23              Screened out      1  0.0625
        3      3  In client survey or drop      1  0.0625
    """
    from cint_nb.study.readable_frame import ReadableFrame

    entries = get_path(performance, "respondent_analysis", "test" if test else "live") or ()
    rows = [(_word(get_path(e, "status")), _word(get_path(e, "label")), get_path(e, "count")) for e in entries]
    frame = ReadableFrame(rows, columns=["status", "label", "count"]).astype({"count": "Int64"})
    frame = frame.sort_values("count", ascending=False, kind="stable", ignore_index=True)
    counts = frame["count"].astype("float64")
    return frame.assign(share=counts / (counts.sum(skipna=False) or 1.0))  # of no visits at all every share is 0


@check_arguments(refusals=UNUSABLE)
def funnel_frame(status: pd.DataFrame) -> pd.DataFrame:
    """Return how many of the ids sent were saved, entered and completed, over all rows of a status frame.

    Args:
        status: As `wave.status()` or `client.project_status(project)` returns it.

    Returns:
        A frame: `stage` (`sent`, `saved`, `entrants`, `completes`), `people`, `of_first` and `of_previous` (0–1). A
        stage nothing is known of is left out. How many were invited is not published by the exchange.

    Raises:
        InputError: it lacks one of these columns.

    Example:
        >>> cint.frames.funnel_frame(live.status())
               stage  people  of_first  of_previous
        0       sent      57       1.0          1.0
        1      saved      56  0.982456     0.982456
        2   entrants      16  0.280702     0.285714
        3  completes      13   0.22807       0.8125
    """
    require_columns(status, _FUNNEL)
    import pandas as pd

    from cint_nb.study.readable_frame import ReadableFrame

    known = [(stage, int(status[stage].sum())) for stage in _FUNNEL if status[stage].notna().any()]
    frame = ReadableFrame(known, columns=["stage", "people"]).astype({"people": "Int64"})
    people = frame["people"].astype("Float64").where(frame["people"] != 0)
    first = people.iloc[0] if len(people) else pd.NA
    return frame.assign(of_first=frame["people"] / first, of_previous=frame["people"] / people.shift(1).fillna(people))


QUOTA_COLUMNS: Mapping[str, str] = {
    "profile": "str",
    "target": "str",
    "question_ids": "str",
    "options": "str",
    "percent": "Float64",
    "goal": "Int64",
    "completes": "Int64",
    "prescreens": "Int64",
    "filled": "Float64",
    "quota_id": "str",
}
"""Columns of `quota_frame` and their types."""


@check_arguments(refusals=UNUSABLE)
def quota_frame(rows: Iterable[Any]) -> pd.DataFrame:
    """Return one row per quota: whom it is about, its goal, and how far it is.

    Args:
        rows: Mappings with any of `profile`, `target`, `question_ids`, `options`, `percent`, `goal`, `completes`,
            `prescreens` and `quota_id`.

    Returns:
        A frame with the columns `QUOTA_COLUMNS`; `Wave.quotas` says what each means. What is not given is missing.
    """
    import pandas as pd

    from cint_nb.study.readable_frame import ReadableFrame

    records = []
    for row in rows:
        record = {name: get_path(row, name) for name in QUOTA_COLUMNS}
        for name in ("profile", "target"):
            record[name] = None if record[name] is None else _word(record[name])
        record["filled"] = _share(record["completes"], record["goal"])
        records.append(record)
    frame = ReadableFrame(records, columns=list(QUOTA_COLUMNS))
    for column, kind in QUOTA_COLUMNS.items():
        if kind != "str":
            frame[column] = pd.to_numeric(frame[column].map(_number), errors="coerce")
    known = frame.notna()  # pandas 2 writes "None" for a text that is missing
    return frame.astype(dict(QUOTA_COLUMNS)).where(known)


def reconciliation_codes() -> pd.DataFrame:
    """Return the reason codes of reconciliations that are documented, in order.

    Returns:
        A small frame: `code`; `word`, by which `wave.reconcile` takes it too; `meaning`; `allowed`, whether buyers may
        submit it; `makes`, what a visit becomes: `complete` or `terminate`. `client.reconciliations.reason_codes()`
        asks the exchange for its own list.

    Example:
        >>> import cint_nb as cint
        >>> codes = cint.frames.reconciliation_codes()
        >>> codes[codes.allowed].code.tolist()
        [11, 26, 930, 932, 933, 934, 935, 936]
    """
    from cint_nb.study.readable_frame import ReadableFrame

    return ReadableFrame(RECONCILIATION_CODES, columns=["code", "word", "meaning", "allowed", "makes"])


def require_columns(frame: pd.DataFrame, names: Sequence[str]) -> None:
    """Raise if a frame lacks a column.

    Raises:
        InputError: it names the columns that are missing.
    """
    if missing := [name for name in names if name not in frame.columns]:
        raise InputError(
            f"The frame has no column {', '.join(missing)}.",
            evidence={"columns": masked_text(", ".join(map(str, frame.columns)), 300)},
            next_step="pass a frame as cint_nb.frames makes it.",
        )


def get_path(value: Any, *path: str) -> Any:
    """Return the value at a path of names into mappings or objects; None if one is missing."""
    for name in path:
        if value is None:
            return None
        value = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
    return value


def _first_known(*values: Any) -> Any:
    return next((value for value in values if value is not None and value != ""), None)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _word(value: Any) -> str:
    """Return a status word or label as text; an id that the exchange wrote into one is masked."""
    return mask_ids_in(_text(value))


def _number(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None


def _parse_time(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return None


def _share(part: Any, whole: Any) -> float | None:
    part, whole = _number(part), _number(whole)
    return None if part is None or not whole else part / whole
