"""Plots as functions from a DataFrame to a figure: no global state, no colour that alone carries a meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from cint_nb.domain.arguments import UNUSABLE, check_arguments
from cint_nb.panels.look.text_format import format_count
from cint_nb.panels.plots.figure import BLUE, GREEN, GREY, INK, ORANGE, PALE, PURPLE, RED, SOFT, NotebookFigure
from cint_nb.panels.plots.projection import project
from cint_nb.study.frames import require_columns
from cint_nb.study.outcome.upload_outcome import Outcome

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OUTCOMES = {
    "saved": (GREEN, ""),
    "already_saved": (BLUE, ""),
    "rejected": (RED, "//"),
    "malformed": (ORANGE, "//"),
    "duplicate": (PURPLE, ".."),
    "header": (GREY, ""),
    "blank": (PALE, ""),
}


@check_arguments(refusals=UNUSABLE)
def plot_completes(
    frame: pd.DataFrame,
    *,
    goal: int,
    end_at: Any = None,
    saved_count: int | None = None,
    entrants: int | None = None,
    now: Any = None,
    mode: str = "sandbox",
    title: str = "Completes over time",
    source: str = "Cint, completes by interval",
) -> NotebookFigure:
    """Draw collected completes over time against the goal, and where they may end.

    Args:
        frame: Columns `until` (UTC) and `completes` (collected by then), as `cint_nb.frames.completes_frame`
            returns them.
        goal: Completes wanted.
        end_at: End of fielding, UTC. With it, and at least three whole intervals since the first complete, a band shows
            where the completes may end: eight of ten futures, drawn as if entries go on slowing the way they have.
            It knows chance and slowing only: no weekday, no holiday, no change of price. It never rises above the goal,
            where the exchange stops.
        saved_count: Ids saved in the target group. The band never rises above what they can give.
        entrants: People who have entered; whoever came without completing is taken off `saved_count`.
        now: When the completes were read, UTC: an interval that had not ended by then counts for its part only.
        mode: `sandbox`, `replay` or `live`; written on the figure.
        title: Heading.
        source: Where the numbers come from; written on the figure.
    """
    require_columns(frame, ("until", "completes"))
    figure = NotebookFigure(title, mode, source=source)
    axes = figure.ax
    times = pd.to_datetime(frame["until"], utc=True)
    counts = frame["completes"].astype("float64")
    reached = float(counts.iloc[-1]) if len(counts) else 0.0
    axes.step(times, counts, where="post", color=BLUE, linewidth=2)
    axes.axhline(goal, color=SOFT, linestyle="--", linewidth=1.2)
    axes.annotate(
        f"goal {goal:,}", (0.005, goal), xycoords=("axes fraction", "data"), va="bottom", fontsize=9, color=SOFT
    )
    if len(frame):
        _annotate_last(axes, times.iloc[-1], reached)
    most = reachable_completes(goal, reached, saved_count, entrants)
    ahead = project(frame, end_at=end_at, maximum=most, now=now) if end_at is not None else None
    if ahead is not None:
        _draw_band(axes, ahead)
    axes.set_ylim(0, max(float(goal), reached) * 1.14 or 1)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_ylabel("completes (count)")
    axes.set_xlabel("time (UTC)")
    _format_date_axis(axes)
    return figure


def reachable_completes(goal: int, reached: float, saved: int | None, entrants: int | None) -> float:
    """Return the completes that cannot be exceeded: the goal, or less where the list gives less."""
    if saved is None:
        return float(goal)
    gone = max((entrants or 0) - reached, 0.0)
    return min(float(goal), max(saved - gone, reached))


def _draw_band(axes: Axes, ahead: pd.DataFrame) -> None:
    axes.fill_between(ahead["until"], ahead["low"], ahead["high"], color=BLUE, alpha=0.16, linewidth=0)
    axes.plot(ahead["until"], ahead["middle"], color=BLUE, linestyle=":", linewidth=1.6)
    low, high = (round(float(ahead[side].iloc[-1])) for side in ("low", "high"))
    reach = f"{low:,}" if low == high else f"{low:,}–{high:,}"
    axes.annotate(
        f"{reach} likely at the end,\nif entries slow as they have",
        (ahead["until"].iloc[-1], low),
        xytext=(0, -18), textcoords="offset points", ha="right", va="top", fontsize=9, color=BLUE,
    )  # fmt: skip


def _annotate_last(axes: Axes, when: pd.Timestamp, last: float) -> None:
    axes.plot(pd.DatetimeIndex([when]), [last], "o", color=BLUE, markersize=5)
    axes.annotate(
        f"{last:,.0f}", (when, last), xytext=(-5, 6), textcoords="offset points", ha="right", color=BLUE,
        fontweight="bold", fontsize=10,
    )  # fmt: skip


def _format_date_axis(axes: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    # matplotlib has no types for these two classes
    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


@check_arguments(refusals=UNUSABLE)
def plot_outcomes(
    counts: Mapping[str, int] | Outcome,
    *,
    mode: str = "sandbox",
    title: str = "What became of every line",
    source: str = "sent against saved ids",
) -> NotebookFigure:
    """Draw how many source lines ended with each outcome.

    Args:
        counts: What became of the lines of a wave, `wave.outcome`; or outcome to number of lines.
        mode: `sandbox`, `replay` or `live`; written on the figure.
        title: Heading.
        source: Where the numbers come from; written on the figure.
    """
    counts = counts.counts if isinstance(counts, Outcome) else counts
    words = [word for word in _OUTCOMES if counts.get(word)]
    words += [word for word in counts if word not in _OUTCOMES and counts[word]]
    values = [int(counts[word]) for word in words]
    figure = NotebookFigure(title, mode, source=source, height=1.3 + 0.34 * max(len(words), 1))
    axes = figure.ax
    looks = [_OUTCOMES.get(word, (GREY, "")) for word in words]
    bars = axes.barh(
        [str(word).replace("_", " ") for word in words], values, color=[look[0] for look in looks], height=0.62
    )
    for bar, look in zip(bars, looks, strict=True):
        bar.set_hatch(look[1])
        bar.set_edgecolor("white")
    total = sum(values) or 1
    axes.bar_label(bars, [f"{value:,}  ({value / total:.1%})" for value in values], padding=4, fontsize=9, color=INK)
    axes.invert_yaxis()
    axes.set_xlim(0, (max(values, default=0) or 1) * 1.25)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel(f"lines (count), {format_count(sum(values), 'line')} in all")
    return figure


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
    """
    require_columns(frame, ("stage", "people"))
    if reasons is not None:
        require_columns(reasons, ("label", "count"))
    steps, people = (
        [_STAGES.get(stage, str(stage)) for stage in frame["stage"]],
        [int(number) for number in frame["people"]],
    )
    colours = [BLUE] * len(steps)
    first = people[0] if people and people[0] else 1
    labels = [f"{number:,}  ({number / first:.0%})" for number in people]
    if reasons is not None and len(reasons):
        for row in reasons.nlargest(6, "count").to_dict("records"):
            steps.append(f"ended: {row['label']}")
            people.append(int(row["count"]))
            colours.append(PALE)
            labels.append(f"{int(row['count']):,}")
    figure = NotebookFigure(title, mode, source=source, height=1.3 + 0.34 * max(len(steps), 1))
    axes = figure.ax
    places = range(len(steps))
    bars = axes.barh(list(places), people, color=colours, height=0.66)
    axes.set_yticks(list(places), steps, parse_math=False)  # a reason is a text of the exchange, no formula
    axes.bar_label(bars, labels, padding=4, fontsize=9, color=INK)
    axes.invert_yaxis()
    axes.set_xlim(0, (max(people, default=0) or 1) * 1.22)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("people (count), share of the first step in brackets")
    return figure
