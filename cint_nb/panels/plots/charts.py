"""Plots of a wave, from what an analyst holds to a figure: no global state, no colour that alone carries a meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from cint_nb.domain.arguments import UNUSABLE, check_arguments
from cint_nb.domain.errors import ApiError, InputError
from cint_nb.panels.look.cell_format import is_empty
from cint_nb.panels.look.text_format import format_count, format_duration, format_moment
from cint_nb.panels.plots.figure import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    RED,
    SHADE,
    SOFT,
    NotebookFigure,
    draw_grid,
    name_at,
)
from cint_nb.panels.plots.projection import project
from cint_nb.study.frames import completes_frame, require_columns
from cint_nb.study.outcome.upload_outcome import Outcome
from cint_nb.wave.exchange.state import GroupState
from cint_nb.wave.steps.record import Pause, find_pauses, open_time, read_status_changes
from cint_nb.wave.wave import Wave

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OUTCOMES = {"saved": GREEN, "already_saved": BLUE, "rejected": RED, "unknown": ORANGE, "malformed": ORANGE}
_CLOSED_BY = {
    "goal": "ended at the goal: who did not come was not asked long enough,\nand counts as censored, not as lost",
    "end": "ended at its end date",
    "hand": "closed by hand: who did not come\nwas not asked to the end",
    "pause": "paused, and never resumed",
    "not_known": "ended; why is not known",
}


@dataclass(frozen=True)
class _Completes:
    """What a plot of completes draws, read from a wave."""

    frame: pd.DataFrame
    goal: int
    end_at: datetime | None
    saved_count: int | None
    entrants: int | None
    closed_by: str | None
    mode: str
    pauses: tuple[tuple[datetime, datetime, str], ...]
    note: str


def _read_completes(wave: Wave) -> _Completes:
    """Read from the exchange what a wave's plot shows: the completes over time, and its status."""
    ref = wave.target_group
    if ref is None:
        raise InputError("The wave has no completes: it was not created.", next_step="run wave.create() first.")
    row = wave.status().to_dict("records")[0]
    if is_empty(row["goal"]):
        raise InputError(
            "The goal of the wave is not known, so there is nothing to draw against.", next_step="pass goal."
        )
    intervals = wave.client.run(wave.client.target_groups.completes_by_interval(ref))
    state = wave.last_known.state
    try:
        changes = wave.client.run(read_status_changes(wave.client, ref))
        note = ""
    except ApiError:
        changes, note = [], " Pauses are not known: the changelog could not be read."
    closed_by, now = None, wave.client.clock.now()
    if state is not None and state.state is GroupState.COMPLETED:
        reached = not is_empty(row["completes"]) and row["completes"] >= row["goal"]
        closed_by = "goal" if reached else "end" if state.has_ended else "not_known"
        if changes:
            read = open_time(state, changes).closed_by
            closed_by = read if read in _CLOSED_BY else closed_by
    pauses = tuple((each.begin, each.end or now, _pause_words(each, now)) for each in find_pauses(changes))
    whole = {name: None if is_empty(row[name]) else int(row[name]) for name in ("saved", "entrants")}
    end = None if is_empty(row["ends_at"]) else row["ends_at"].to_pydatetime()
    return _Completes(
        completes_frame(intervals), int(row["goal"]), end, whole["saved"], whole["entrants"], closed_by,
        str(wave.client.mode), pauses, note,
    )  # fmt: skip


def _pause_words(pause: Pause, now: datetime) -> str:
    """Return for how long nobody could enter, and by whom."""
    length = format_duration(((pause.end or now) - pause.begin).total_seconds())
    said = f"paused {length}" if pause.end is not None else f"paused for {length} now"
    return f"{said}\nby {pause.by}" if pause.by else said


@check_arguments(refusals=UNUSABLE)
def plot_completes(
    frame: pd.DataFrame | Wave,
    *,
    goal: int | None = None,
    end_at: Any = None,
    saved_count: int | None = None,
    entrants: int | None = None,
    now: Any = None,
    pauses: Sequence[tuple[Any, Any, str]] = (),
    closed_by: str | None = None,
    mode: str = "sandbox",
    title: str | None = None,
    source: str = "Cint, completes by interval",
) -> NotebookFigure:
    """Draw collected completes over time against the goal, and where they may end.

    Args:
        frame: A wave, of which all of this is read from the exchange; or columns `until` (UTC) and `completes`
            (collected by then), as `cint_nb.frames.completes_frame` returns them. A step stands at the end of its
            interval, and the line begins at 0.
        goal: Completes wanted; needed with a frame.
        end_at: End of fielding, UTC. With it, and at least three whole intervals since the first complete, a band shows
            where the completes may end: eight of ten futures, drawn as if entries go on slowing the way they have.
            It knows chance and slowing only: no weekday, no holiday, no change of price. It never rises above the goal,
            where the exchange stops.
        saved_count: Ids saved in the target group. The band never rises above what they can give.
        entrants: People who have entered; whoever came without completing is taken off `saved_count`.
        now: When the completes were read, UTC: an interval that had not ended by then counts for its part only.
        pauses: Beginning, end, and why, of each time when nobody could enter; of a wave those of its changelog.
        closed_by: Why it ended: `goal`, `end`, `hand`, `pause` or `not_known`, and no band is drawn; None while people
            can enter. Of a wave, what its changelog says.
        mode: `sandbox`, `replay` or `live`; that of the wave.
        title: Heading; what the numbers say when left out.
        source: Where the numbers come from; written on the figure.

    Raises:
        InputError: a frame was given without a goal, or a column is missing.

    Example:
        >>> frame = cint.frames.completes_frame(client.target_groups.completes_by_interval(ref))
        >>> cint.plots.plot_completes(frame, goal=20)
        <Figure: 13 of 20 completes · sandbox>
    """
    note = ""
    if isinstance(frame, Wave):
        read = _read_completes(frame)
        note, pauses = read.note, pauses or read.pauses
        frame, mode, source = read.frame, read.mode, f"{source} · {frame.name}"
        goal, end_at, closed_by = goal or read.goal, end_at or read.end_at, closed_by or read.closed_by
        saved_count, entrants = read.saved_count, read.entrants
    if goal is None:
        raise InputError("A plot of completes needs the goal.", next_step="pass goal=plan.completes_goal, or the wave.")
    if closed_by is not None and closed_by not in _CLOSED_BY:
        raise InputError(f"closed_by must be one of {', '.join(_CLOSED_BY)}.", next_step="pass one of these, or None.")
    require_columns(frame, ("until", "completes"))
    times, counts = _from_zero(frame)
    reached = float(counts.iloc[-1]) if len(counts) else 0.0
    end = None if end_at is None else pd.to_datetime(end_at, utc=True)
    ahead = None
    if end is not None and closed_by is None:
        ahead = project(frame, end_at=end, maximum=reachable_completes(goal, reached, saved_count, entrants), now=now)
    heading = title or _completes_title(reached, goal, ahead, closed_by)
    says = f"Completes collected.{' Band: if entries go on slowing as they have.' if ahead is not None else ''}{note}"
    ended = "" if closed_by is None else f" End: {_CLOSED_BY[closed_by]}."
    stops = "".join(f" From {format_moment(_time(begin))} {why}." for begin, _, why in pauses)
    figure = NotebookFigure(
        heading,
        mode,
        source=f"{source} · times in UTC",
        says=says,
        alt=f"{heading}. {says}{stops}{ended}".replace("\n", " "),
        room=(0.06, 0.55, 0.83, 0.66),
    )
    axes = figure.ax
    for place, (begin, until, why) in enumerate(pauses):
        low = _completes_at(times, counts, _time(until)) < 0.4 * goal  # where the line is not, there is room for words
        level = goal * ((0.94 if low else 0.04) + (-0.17 if low else 0.17) * (place % 2))
        _draw_pause(axes, _time(begin), _time(until), why, level, "top" if low else "bottom")
    colour = GREEN if closed_by == "goal" else BLUE
    axes.plot(times, counts, color=colour, linewidth=2, drawstyle="steps-post", solid_capstyle="butt")
    axes.axhline(goal, color=INK, linestyle=(0, (4, 3)), linewidth=0.9)
    last = max([each for each in (times.iloc[-1] if len(times) else None, end) if each is not None], default=None)
    name_at(axes, 1.0, goal, f"  goal {goal:,}", INK, bold=False, xycoords=("axes fraction", "data"))
    if len(frame):
        _draw_reached(axes, times.iloc[0], times.iloc[-1], reached, goal, colour, closed_by, end)
        axes.set_xlim(times.iloc[0], last)
    if end is not None:
        _draw_end(axes, end, goal)
    if ahead is not None:
        _draw_band(axes, ahead)
    axes.set_ylim(0, max(float(goal), reached) * 1.08 or 1)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    draw_grid(axes)
    _format_date_axis(axes)
    return figure


def _time(value: Any) -> pd.Timestamp:
    return pd.Timestamp(pd.to_datetime(value, utc=True))


def _completes_at(times: pd.Series[Any], counts: pd.Series[Any], when: pd.Timestamp) -> float:
    before = counts[times <= when]
    return float(before.iloc[-1]) if len(before) else 0.0


def _draw_pause(axes: Any, begin: pd.Timestamp, end: pd.Timestamp, why: str, level: float, side: str) -> None:
    """Draw a time when nobody could enter; neighbours write on other levels, so that short ones can be read."""
    axes.axvspan(begin, end, color=SHADE, linewidth=0)
    axes.axvline(begin, color=GREY, linewidth=0.6, linestyle=(0, (2, 2)))
    name_at(axes, begin + (end - begin) / 2, level, why, SOFT, bold=False, ha="center", va=side)


def _draw_reached(
    axes: Any,
    begin: pd.Timestamp,
    when: pd.Timestamp,
    reached: float,
    goal: int,
    colour: str,
    closed_by: str | None,
    end: pd.Timestamp | None,
) -> None:
    """Draw how many there are, and where it ended, why."""
    axes.plot(pd.DatetimeIndex([when]), [reached], "s" if closed_by else "o", color=colour, markersize=5)
    axes.annotate(
        f"{reached:,.0f}{'' if closed_by else ' now'}", (when, reached), xytext=(3, -13), textcoords="offset points",
        color=colour, fontweight="bold", fontsize=9,
    )  # fmt: skip
    if closed_by is None:
        return
    if end is not None and end > when:
        axes.axvspan(when, end, color=SHADE, linewidth=0)
    said = _CLOSED_BY[closed_by]
    if end is None or when - begin > 0.55 * (end - begin):  # no room to the right: below the line
        name_at(axes, when, goal * 0.05, said + "  ", INK, bold=False, ha="right", va="bottom")
    elif reached < 0.25 * goal:
        name_at(axes, when, reached, said, INK, bold=False, va="bottom", xytext=(8, 8), textcoords="offset points")
    else:
        name_at(axes, when, reached, said, INK, bold=False, va="top", xytext=(8, -16), textcoords="offset points")


def _completes_title(reached: float, goal: int, ahead: pd.DataFrame | None, closed_by: str | None) -> str:
    text = f"{reached:,.0f} of {format_count(goal, 'complete')}"
    if ahead is None or closed_by is not None:
        return text
    if float(ahead["high"].iloc[-1]) < goal:
        return f"{text}; the goal will probably be missed"
    return f"{text}; the goal will probably be reached" if float(ahead["low"].iloc[-1]) >= goal else text


def _from_zero(frame: pd.DataFrame) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Return the ends of the intervals with the completes by then, and the beginning of the first one, with 0."""
    times = pd.to_datetime(frame["until"], utc=True).reset_index(drop=True)
    counts = frame["completes"].astype("float64").reset_index(drop=True)
    if not len(times) or counts.iloc[0] == 0:
        return times, counts
    step = times.diff().median() if len(times) > 1 else pd.Timedelta(hours=1)
    return (
        pd.concat([pd.Series([times.iloc[0] - step]), times], ignore_index=True),
        pd.concat([pd.Series([0.0]), counts], ignore_index=True),
    )


def _draw_end(axes: Any, end: pd.Timestamp, goal: int) -> None:
    axes.axvline(end, color=GREY, linewidth=0.9, ymax=0.97)
    name_at(axes, end, goal * 0.09, f"  end date\n  {format_moment(end.to_pydatetime())}", SOFT, bold=False)


def reachable_completes(goal: int, reached: float, saved: int | None, entrants: int | None) -> float:
    """Return the completes that cannot be exceeded: the goal, or less where the list gives less."""
    if saved is None:
        return float(goal)
    gone = max((entrants or 0) - reached, 0.0)
    return min(float(goal), max(saved - gone, reached))


def _draw_band(axes: Axes, ahead: pd.DataFrame) -> None:
    axes.fill_between(ahead["until"], ahead["low"], ahead["high"], color=BLUE, alpha=0.18, linewidth=0)
    axes.plot(ahead["until"], ahead["middle"], color=BLUE, linestyle=(0, (1, 1.5)), linewidth=1.4)
    low, high = (round(float(ahead[side].iloc[-1])) for side in ("low", "high"))
    reach = f"{low:,}" if low == high else f"{low:,}–{high:,}"
    name_at(
        axes, ahead["until"].iloc[-1], (low + high) / 2 * 0.97, f"  {reach} likely\n  8 futures of 10", BLUE, va="top"
    )


def _format_date_axis(axes: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    # matplotlib has no types for these two classes
    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


@check_arguments(refusals=UNUSABLE)
def plot_outcomes(
    counts: Mapping[str, int] | Outcome | Wave,
    *,
    mode: str = "sandbox",
    title: str | None = None,
    source: str = "sent against saved ids",
) -> NotebookFigure:
    """Draw how many source lines ended with each outcome, the most frequent first.

    Args:
        counts: What became of the lines of a wave, `wave.outcome`; the wave; or outcome to number of lines.
        mode: `sandbox`, `replay` or `live`; written on the figure.
        title: Heading; what became of how many lines when left out.
        source: Where the numbers come from; written on the figure.

    Example:
        >>> cint.plots.plot_outcomes(wave.outcome)
        <Figure: What became of the 60 lines · sandbox>
    """
    if isinstance(counts, Wave):
        mode, counts = str(counts.client.mode), counts.outcome
    if isinstance(counts, Outcome):
        counts = counts.counts
    words = sorted((word for word in counts if counts[word]), key=lambda word: -counts[word])
    values = [int(counts[word]) for word in words]
    total = sum(values) or 1
    lines = format_count(sum(values), "line")
    alt = ", ".join(f"{value:,} {word.replace('_', ' ')}" for word, value in zip(words, values, strict=True))
    figure = NotebookFigure(
        title or f"What became of the {lines}",
        mode,
        source=source,
        says="Every line is counted once; shares are of all lines.",
        alt=f"Bars of {lines}: {alt}.",
        height=1.15 + 0.3 * max(len(words), 1),
        room=(0.15, 0.3, 0.97, 0.62),
    )
    colours = [_OUTCOMES.get(word, GREY) for word in words]
    labels = [f"{value:,}  {100 * value / total:.1f} %" for value in values]
    _draw_bars(figure, [str(word).replace("_", " ") for word in words], values, labels, colours)
    return figure


def _draw_bars(
    figure: NotebookFigure, names: Sequence[str], values: Sequence[int], labels: Sequence[str], colours: Sequence[str]
) -> None:
    """Draw bars that lie, each with its name and number, and no axis: the numbers are written."""
    axes = figure.ax
    places = list(range(len(names)))
    bars = axes.barh(places, values, color=colours, height=0.62)
    axes.set_yticks(places, names, parse_math=False)  # a reason is a text of the exchange, no formula
    axes.tick_params(axis="y", labelcolor=INK, labelsize=9)
    axes.bar_label(bars, labels, padding=4, fontsize=9, color=INK)
    axes.set_ylim(len(names) - 0.45 if names else 1, -0.55)
    axes.set_xlim(0, (max(values, default=0) or 1) * 1.25)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)


_STAGES = {"sent": "sent", "saved": "saved ids", "entrants": "entered", "completes": "completed"}


@check_arguments(refusals=UNUSABLE)
def plot_funnel(
    frame: pd.DataFrame,
    reasons: pd.DataFrame | None = None,
    *,
    mode: str = "sandbox",
    title: str = "From saved ids to completes",
    source: str = "Cint, target group performance",
) -> NotebookFigure:
    """Draw how many people reached each step, the share of the first step, and why visits ended.

    Args:
        frame: Columns `stage` (in order) and `people` (count), as `cint_nb.frames.funnel_frame` returns them.
        reasons: Columns `label` and `count`, as `cint_nb.frames.analysis_frame` returns them; the six most
            frequent are drawn below the steps.
        mode: `sandbox`, `replay` or `live`; written on the figure.
        title: Heading.
        source: Where the numbers come from; written on the figure.

    Example:
        >>> cint.plots.plot_funnel(cint.frames.funnel_frame(live.status()))
        <Figure: From saved ids to completes · sandbox>
    """
    require_columns(frame, ("stage", "people"))
    if reasons is not None:
        require_columns(reasons, ("label", "count"))
    steps = [_STAGES.get(stage, str(stage)) for stage in frame["stage"]]
    people = [int(number) for number in frame["people"]]
    alt = ", ".join(f"{number:,} {step}" for step, number in zip(steps, people, strict=True))
    colours = [BLUE] * len(steps)
    first = people[0] if people and people[0] else 1
    labels = [f"{number:,}  {100 * number / first:.0f} %" for number in people]
    if reasons is not None and len(reasons):
        for row in reasons.nlargest(6, "count").to_dict("records"):
            steps.append(f"ended: {row['label']}")
            people.append(int(row["count"]))
            colours.append(ORANGE)
            labels.append(f"{int(row['count']):,}")
    figure = NotebookFigure(
        title,
        mode,
        source=source,
        says="People who reached each step, and their share of the first one.",
        alt=f"{title}: {alt}.",
        height=1.15 + 0.3 * max(len(steps), 1),
        room=(0.24, 0.3, 0.97, 0.62),
    )
    _draw_bars(figure, steps, people, labels, colours)
    return figure
