"""Plots as functions from a DataFrame to a figure: no global state, no colour that alone carries a meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from cint_nb.panels.wording import count, mode_word

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart with every kind of colour blindness.
BLUE, ORANGE, GREEN, RED, PURPLE, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#8A8F95"

_OUTCOME_COLOURS = {
    "saved": GREEN,
    "already_saved": BLUE,
    "duplicate": PURPLE,
    "blank": "#C9CDD2",
    "header": GREY,
    "malformed": ORANGE,
    "rejected": RED,
}


def _canvas(title: str, mode: object, *, source: str, width: float = 7.2, height: float = 3.2) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=11, fontweight="semibold")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.supxlabel(f"{source} · {mode_word(mode)}", fontsize=8, color="#59636e", x=0.99, ha="right")
    return figure, axes


def plot_completes(
    frame: pd.DataFrame,
    *,
    goal: int,
    mode: object = "sandbox",
    title: str = "Completes over time",
    source: str = "Cint, completes by interval",
) -> Figure:
    """Draw collected completes over time against the goal.

    Args:
        frame: Columns `time` (UTC) and `completes` (collected by then, so it never falls).
        goal: Completes wanted.
        mode: `sandbox`, `replay` or `live`; written on the figure.
        title: Heading.
        source: Where the numbers come from; written on the figure.
    """
    figure, axes = _canvas(title, mode, source=source)
    times = pd.to_datetime(frame["time"], utc=True)
    axes.step(times, frame["completes"], where="post", color=BLUE, linewidth=2, label="completes")
    axes.axhline(goal, color=GREY, linestyle="--", linewidth=1.2)
    axes.annotate(f"goal {goal:,}", (0.005, goal), xycoords=("axes fraction", "data"), va="bottom", fontsize=9)
    if len(frame):
        last = int(frame["completes"].iloc[-1])
        axes.plot(times.iloc[-1:], [last], "o", color=BLUE)
        axes.annotate(f"{last:,}", (times.iloc[-1], last), xytext=(-6, 6), textcoords="offset points", ha="right")
    axes.set_ylim(0, max(float(goal), float(frame["completes"].max() if len(frame) else 0)) * 1.12)
    axes.set_ylabel("completes (count)")
    axes.set_xlabel("time (UTC)")
    _plain_dates(axes)
    return figure


def _plain_dates(axes: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    # matplotlib has no types for these two classes
    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def plot_outcomes(
    counts: Mapping[str, int],
    *,
    mode: object = "sandbox",
    title: str = "What became of every line",
    source: str = "sent against saved ids",
) -> Figure:
    """Draw how many source lines ended with each outcome.

    Args:
        counts: Outcome word to number of lines, such as `Outcome.counts`.
        mode: `sandbox`, `replay` or `live`; written on the figure.
        title: Heading.
        source: Where the numbers come from; written on the figure.
    """
    known = [word for word in _OUTCOME_COLOURS if counts.get(word)]
    words = known + [word for word in counts if word not in _OUTCOME_COLOURS and counts[word]]
    figure, axes = _canvas(title, mode, source=source, height=1.2 + 0.36 * max(len(words), 1))
    values = [int(counts[word]) for word in words]
    bars = axes.barh(
        [word.replace("_", " ") for word in words],
        values,
        color=[_OUTCOME_COLOURS.get(word, GREY) for word in words],
        height=0.62,
    )
    total = sum(values) or 1
    axes.bar_label(bars, [f"{value:,}  ({value / total:.1%})" for value in values], padding=4, fontsize=9)
    axes.invert_yaxis()
    axes.set_xlim(0, (max(values, default=0) or 1) * 1.25)
    axes.set_xlabel(f"lines (count), {count(sum(values), 'line')} in all")
    return figure


def plot_funnel(
    frame: pd.DataFrame,
    *,
    mode: object = "sandbox",
    title: str = "From invitation to complete",
    source: str = "Cint, target group performance",
) -> Figure:
    """Draw how many people reached each step, and the share of the first step.

    Args:
        frame: Columns `step` (words, in order) and `people` (count).
        mode: `sandbox`, `replay` or `live`; written on the figure.
        title: Heading.
        source: Where the numbers come from; written on the figure.
    """
    steps, people = [str(step) for step in frame["step"]], [int(number) for number in frame["people"]]
    figure, axes = _canvas(title, mode, source=source, height=1.2 + 0.42 * max(len(steps), 1))
    bars = axes.barh(steps, people, color=BLUE, height=0.66)
    first = people[0] if people and people[0] else 1
    axes.bar_label(bars, [f"{number:,}  ({number / first:.0%})" for number in people], padding=4, fontsize=9)
    axes.invert_yaxis()
    axes.set_xlim(0, (max(people, default=0) or 1) * 1.22)
    axes.set_xlabel("people (count), share of the first step in brackets")
    return figure
