"""Plots of a study, each from the result of one measure of `cint_nb.measure`, in a frame of any library."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import narwhals as nw
import pandas as pd

from cint_nb.domain.arguments import UNUSABLE, check_arguments
from cint_nb.domain.errors import InputError
from cint_nb.panels.look.cell_format import is_empty
from cint_nb.panels.look.text_format import format_count
from cint_nb.panels.plots.figure import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PAPER,
    RULE,
    SHADE,
    SOFT,
    NotebookFigure,
    draw_grid,
    name_at,
    spread,
)
from cint_nb.study.frames import require_columns

_PATTERNS_SHOWN = 12
_LINES = ((BLUE, "-"), (ORANGE, (0, (5, 1.2))), (GREEN, (0, (1, 1.2))), (GREY, (0, (6, 1, 1, 1))))
"""Colour and dash of each group: two are always blue and orange."""
_BALANCED = 0.1


def _as_pandas(frame: Any, columns: Sequence[str], measure: str) -> pd.DataFrame:
    """Return the result of a measure as a frame of pandas.

    Raises:
        InputError: it is no frame, or not the result of this measure.
    """
    try:
        native = nw.from_native(frame)
    except TypeError:
        raise InputError(
            f"This plot takes the frame that cint.measure.{measure} returns; it was given {type(frame).__name__}.",
            next_step=f"pass cint.measure.{measure}(…).",
        ) from None
    table: pd.DataFrame = native.lazy().collect().to_pandas()
    require_columns(table, columns)
    return table.reset_index(drop=True)


def _percent_axis(axes: Any) -> None:
    axes.set_ylim(0, 1.02)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    axes.yaxis.set_major_formatter(lambda value, _: f"{value * 100:.0f} %")
    draw_grid(axes)


@check_arguments(refusals=UNUSABLE, leave=("curve",))
def plot_retention(
    curve: Any,
    *,
    by: str | None = None,
    mode: str = "sandbox",
    title: str | None = None,
    source: str = "Kaplan–Meier, Greenwood, log-log",
) -> NotebookFigure:
    """Draw the share that had completed by each hour, with its band, who was still at risk, and who was censored.

    A line for each wave, or value of `by`: four at most. It ends at the last complete, since a wave that closed then
    says nothing of later hours. Strokes on a line are people whose wave closed before they came: censored, not lost.

    Args:
        curve: What `cint_nb.measure.retention_curve` returns.
        by: Its column by which it was compared; waves when left out.
        mode: `sandbox`, `replay` or `live`; written on the figure.
        title: Heading; what the last shares are when left out.
        source: Where the numbers come from; written on the figure.

    Raises:
        InputError: it is not the result of that measure, or has more than four lines.

    Example:
        >>> import pandas as pd
        >>> import cint_nb as cint
        >>> curve = pd.DataFrame({"wave": 2, "hours": [2.0, 5.0], "at_risk": [4, 2], "events": 1, "share": [0.25, 0.6]})
        >>> cint.plots.plot_retention(curve)
        <Figure: wave 2: 60 % completed · sandbox>
    """
    columns = ("wave", "hours", "at_risk", "events", "share", *([by] if by else []))
    table = _as_pandas(curve, columns, "retention_curve")
    keys = [by] if by and table["wave"].nunique() == 1 else ["wave", *([by] if by else [])]
    groups = list(table.groupby(keys, sort=True)) if len(table) else []
    if len(groups) > len(_LINES):
        raise InputError(
            f"A plot of {len(groups)} curves cannot be read; {len(_LINES)} fit.",
            next_step="choose waves or values first, such as curve[curve.wave <= 2].",
        )
    names = [_curve_name(keys, key) for key, _ in groups]
    last = [float(rows["share"].iloc[-1]) for _, rows in groups]
    ends = [f"{name}: {100 * share:.0f} %" for name, share in zip(names, last, strict=True)]
    height = 3.2 + 0.22 * len(groups)
    figure = NotebookFigure(
        title or ("; ".join(f"{end} completed" for end in ends[:2]) if ends else "Nobody has completed"),
        mode,
        source=source,
        says="Share that had completed by then, with its band. Strokes: their wave closed first (censored, not lost).",
        alt=f"Curves of the share that completed by hours since the opening. At the end {', '.join(ends)}.",
        height=height,
        room=(0.19, 0.98 + 0.22 * len(groups), 0.80, 0.66),
    )
    axes = figure.ax
    longest = max((float(rows["hours"].max()) for _, rows in groups), default=1.0)
    ticks = _nice_hours(longest)
    labels = spread(last, 0.19)
    for place, ((_, rows), name) in enumerate(zip(groups, names, strict=True)):
        colour, dash = _LINES[place]
        _draw_curve(axes, rows, colour, dash, longest)
        band = ""
        if {"low", "high"} <= set(rows) and not is_empty(rows["low"].iloc[-1]):
            band = f" ({100 * float(rows['low'].iloc[-1]):.0f}–{100 * float(rows['high'].iloc[-1]):.0f})"
        name_at(axes, longest, labels[place], f"  {name}\n  {100 * last[place]:.0f} %{band}", colour)
        _draw_risk(axes, rows, name, colour, ticks, height, place)
    if groups:
        trans = axes.get_xaxis_transform()
        down = -(0.52 / (height - 1.64 - 0.22 * len(groups)))
        axes.text(-longest * 0.055, down, "at risk", ha="right", va="center", fontsize=7.5, color=SOFT, transform=trans)
    axes.set_xlim(0, longest)
    axes.set_xticks(ticks)
    axes.set_xlabel("hours since the opening", labelpad=2)
    _percent_axis(axes)
    return figure


def _curve_name(keys: Sequence[str], key: Any) -> str:
    values = key if isinstance(key, tuple) else (key,)
    return ", ".join(
        f"wave {value}" if name == "wave" else str(value) for name, value in zip(keys, values, strict=True)
    )


_CURVE_COLUMNS = 400


def _nice_hours(longest: float) -> list[float]:
    step = next((step for step in (1, 2, 6, 12, 24, 48, 96, 168, 336) if longest / step <= 8), longest / 6)
    return [step * number for number in range(int(longest / step) + 1)]


def _draw_curve(axes: Any, rows: pd.DataFrame, colour: str, dash: Any, longest: float) -> None:
    column = (rows["hours"].astype(float) / (longest or 1.0) * _CURVE_COLUMNS).astype(int)
    seen = rows[column != column.shift(-1)]  # a step narrower than a pixel shows nothing and fills the notebook
    # Not beyond the last complete: the wave may have closed then, and nothing is known of later hours.
    hours = [0.0, *map(float, seen["hours"])]
    share = [0.0, *map(float, seen["share"])]
    if {"low", "high"} <= set(rows):
        low, high = ([0.0, *seen[side].fillna(seen["share"]).astype(float)] for side in ("low", "high"))
        axes.fill_between(hours, low, high, step="post", color=colour, alpha=0.16, linewidth=0)
    axes.step(hours, share, where="post", color=colour, linewidth=2, linestyle=dash)
    at_risk, events = list(rows["at_risk"].astype(int)), list(rows["events"].astype(int))
    marks: dict[int, tuple[float, float]] = {}  # one for each few pixels
    for place in range(len(rows) - 1):
        if at_risk[place] - events[place] > at_risk[place + 1]:  # censored between two events: drawn before the second
            hour, level = float(rows["hours"].iloc[place + 1]), float(rows["share"].iloc[place])
            marks.setdefault(int(hour / (longest or 1.0) * _CURVE_COLUMNS / 4), (hour, level))
    across = [place for hour, _ in marks.values() for place in (hour, hour, float("nan"))]
    up = [place for _, level in marks.values() for place in (level - 0.022, level + 0.022, float("nan"))]
    axes.plot(across, up, color=colour, linewidth=1.3)


def _draw_risk(
    axes: Any, rows: pd.DataFrame, name: str, colour: str, ticks: Sequence[float], height: float, place: int
) -> None:
    """Write how many were at risk at each tick: as many as at the next event; after the last that is not known."""
    inner = height - 1.64 - (height - 3.2)
    down, trans = -(0.72 + 0.2 * place) / inner, axes.get_xaxis_transform()
    span = ticks[-1] or 1.0
    axes.text(
        -span * 0.055, down, name, ha="right", va="center", fontsize=8, color=colour, fontweight="bold",
        transform=trans, parse_math=False,
    )  # fmt: skip
    for tick in ticks:
        later = rows[rows["hours"] >= tick]
        left = int(later["at_risk"].iloc[0]) if len(later) else int(rows["at_risk"].iloc[-1] - rows["events"].iloc[-1])
        shown = f"{left:,}" if len(later) or not left else "–"
        axes.text(tick, down, shown, ha="center", va="center", fontsize=8, color=INK, transform=trans)


_PATTERN_WORDS = {
    "always": "every wave they were asked to",
    "leaver": "left",
    "late": "came late",
    "returner": "came back after a gap",
    "intermittent": "on and off",
    "never": "never",
    "never_asked": "not asked",
    "not_known": "not known",
}


@check_arguments(refusals=UNUSABLE, leave=("patterns",))
def plot_patterns(
    patterns: Any, *, mode: str = "sandbox", title: str | None = None, source: str = "participation by wave"
) -> NotebookFigure:
    """Draw how many people took part in which waves, the most frequent pattern first, twelve at most.

    Args:
        patterns: What `cint_nb.measure.patterns` returns.
        mode: `sandbox`, `replay` or `live`; written on the figure.
        title: Heading; the share that came every time when left out.
        source: Where the numbers come from; written on the figure.

    Raises:
        InputError: it is not the result of that measure.

    Example:
        >>> import pandas as pd
        >>> import cint_nb as cint
        >>> found = pd.DataFrame({"pattern": ["11", "10"], "type": ["always", "leaver"], "n": [3, 1]})
        >>> found["share"] = found.n / found.n.sum()
        >>> cint.plots.plot_patterns(found)
        <Figure: 75 % came to every wave they were asked to · sandbox>
    """
    table = _as_pandas(patterns, ("pattern", "type", "n", "share"), "patterns").sort_values(
        "n", ascending=False, kind="stable"
    )
    total = int(table["n"].sum())
    every = table.loc[table["type"] == "always", "share"].sum()
    shown = table.head(_PATTERNS_SHOWN).to_dict("records")
    rest = len(table) - len(shown)
    waves = max((len(row["pattern"]) for row in shown), default=1)
    figure = NotebookFigure(
        title or f"{100 * float(every):.0f} % came to every wave they were asked to",
        mode,
        source=source,
        says=f"{total:,} people by pattern of participation, most frequent first"
        + (f"; {format_count(rest, 'rarer pattern')} not drawn" if rest else ""),
        alt="Patterns: " + ", ".join(f"{row['pattern']} {int(row['n']):,} people" for row in shown[:6]) + ".",
        height=1.35 + 0.26 * max(len(shown), 1),
        room=(0.02, 0.3, 0.97, 0.85),
    )
    axes = figure.ax
    most = max((int(row["n"]) for row in shown), default=1)
    cell, start = 1.0, waves * 1.0 + 0.25
    scale = 6.0 / most
    for y, row in enumerate(shown):
        kind = str(row["type"])
        colour = GREEN if kind == "always" else ORANGE if kind in ("returner", "intermittent") else GREY
        for x, letter in enumerate(row["pattern"]):
            _draw_letter(axes, x * cell, y, letter, colour)
        axes.barh(y, int(row["n"]) * scale, left=start, color=colour, height=0.62)
        said = f"{int(row['n']):,}  {100 * float(row['share']):.0f} %  {_PATTERN_WORDS.get(kind, kind)}"
        axes.text(start + int(row["n"]) * scale + 0.1, y, said, va="center", fontsize=8.5, color=INK)
    for wave in range(waves):
        axes.text(wave + 0.5, -0.75, f"{wave + 1}", ha="center", fontsize=8, color=SOFT)
    axes.set_xlim(0, start + 11.5)
    axes.set_ylim(len(shown) - 0.45 if shown else 1, -1.0)
    _clear(axes)
    return figure


def _draw_letter(axes: Any, x: float, y: float, letter: str, colour: str) -> None:
    from matplotlib.patches import Rectangle

    done = letter == "1"
    axes.add_patch(
        Rectangle((x + 0.06, y - 0.36), 0.88, 0.72, facecolor=colour if done else PAPER,
                  edgecolor=colour if done else RULE, linewidth=0.8)
    )  # fmt: skip
    sign = {"1": "✓", "0": "–", "?": "?", "-": ""}.get(letter, letter)
    axes.text(x + 0.5, y, sign, ha="center", va="center", fontsize=7.5, color=PAPER if done else SOFT)


def _clear(axes: Any) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


@check_arguments(refusals=UNUSABLE, leave=("balance",))
def plot_balance(
    balance: Any,
    *,
    mode: str = "sandbox",
    title: str | None = None,
    source: str = "standardised differences to the first wave",
) -> NotebookFigure:
    """Draw how far those who stayed differ from all who began, before and after weighting, the largest first.

    Args:
        balance: What `cint_nb.measure.balance` returns.
        mode: `sandbox`, `replay` or `live`; written on the figure.
        title: Heading; how many differences are left when left out.
        source: Where the numbers come from; written on the figure.

    Raises:
        InputError: it is not the result of that measure.

    Example:
        >>> import pandas as pd
        >>> import cint_nb as cint
        >>> found = pd.DataFrame({"attribute": ["age"], "level": ["18–24"], "smd_before": [-0.3], "smd_after": [0.02]})
        >>> cint.plots.plot_balance(found)
        <Figure: Balanced after weighting · sandbox>
    """
    table = _as_pandas(balance, ("attribute", "level", "smd_before", "smd_after"), "balance")
    table = table.assign(_size=table["smd_before"].abs()).sort_values("_size", kind="stable")
    rows = table.to_dict("records")
    off = sum(abs(float(row["smd_after"])) > _BALANCED for row in rows if not is_empty(row["smd_after"]))
    names = [f"{row['attribute']}" + ("" if is_empty(row["level"]) else f": {row['level']}") for row in rows]
    figure = NotebookFigure(
        title
        or (f"After weighting {format_count(off, 'difference')} above ±0.10" if off else "Balanced after weighting"),
        mode,
        source=source,
        says="Who is still here, against the first wave. To the left: too few, to the right: too many.",
        alt="Standardised differences before and after weighting: "
        + ", ".join(
            f"{name} {_signed(row['smd_before'])} and {_signed(row['smd_after'])}"
            for name, row in list(zip(names, rows, strict=True))[::-1][:8]
        )
        + ".",
        height=1.75 + 0.28 * max(len(rows), 1),
        room=(0.27, 0.62, 0.96, 0.75),
    )
    axes = figure.ax
    axes.axvspan(-_BALANCED, _BALANCED, color=SHADE, linewidth=0)
    axes.axvline(0, color=GREY, linewidth=0.8)
    widest = _BALANCED * 2
    for y, row in enumerate(rows):
        before, after = (None if is_empty(row[name]) else float(row[name]) for name in ("smd_before", "smd_after"))
        if before is not None and after is not None:
            axes.plot([before, after], [y, y], color=RULE, linewidth=1.6, zorder=1)
        if before is not None:
            axes.plot(before, y, "o", markersize=7, markerfacecolor=PAPER, markeredgecolor=ORANGE, markeredgewidth=1.6)
            side = ("right", -0.02) if before < 0 else ("left", 0.02)
            axes.text(before + side[1], y, _signed(before), ha=side[0], va="center", fontsize=8, color=ORANGE)
        if after is not None:
            axes.plot(after, y, "D", markersize=6, color=BLUE)
        widest = max(widest, *(abs(value) for value in (before, after) if value is not None))
    if rows:
        top = rows[-1]
        for name, words, colour in (("smd_before", "before weighting", ORANGE), ("smd_after", "after", BLUE)):
            if not is_empty(top[name]):
                axes.text(
                    float(top[name]),
                    len(rows) - 0.55,
                    words,
                    ha="center",
                    fontsize=8.5,
                    color=colour,
                    fontweight="bold",
                )
    axes.set_yticks(range(len(rows)), names, parse_math=False)
    axes.tick_params(axis="y", labelcolor=INK, labelsize=9)
    axes.set_ylim(-0.6, len(rows) - 0.1 if rows else 1)
    axes.set_xlim(-widest * 1.35, widest * 1.35)
    axes.set_xlabel("standardised difference; shaded: within ±0.10")
    axes.xaxis.set_major_formatter(lambda value, _: _signed(value, 1))
    return figure


def _signed(value: Any, decimals: int = 2) -> str:
    if is_empty(value):
        return "not known"
    text = f"{float(value):+.{decimals}f}".replace("-", "−")
    return "0" if abs(float(value)) < 1e-9 else text


_FLOW_WORDS = {
    "known": "known before or new", "listed": "on the list", "asked": "saved and asked", "came": "came",
    "completed": "completed",
}  # fmt: skip
_FLOW_STEPS = ("known", "listed", "asked", "came", "completed")


@check_arguments(refusals=UNUSABLE, leave=("flow",))
def plot_flow(
    flow: Any,
    *,
    wave: int | None = None,
    mode: str = "sandbox",
    title: str | None = None,
    source: str = "visits and listed persons",
) -> NotebookFigure:
    """Draw where everybody went in one wave: boxes from those who were known to those who completed.

    Each box is the box above it less what left between them.

    Args:
        flow: What `cint_nb.measure.flow` returns.
        wave: The wave; the last one when left out.
        mode: `sandbox`, `replay` or `live`; written on the figure.
        title: Heading.
        source: Where the numbers come from; written on the figure.

    Raises:
        InputError: it is not the result of that measure, has no such wave, or its boxes do not sum.

    Example:
        >>> import pandas as pd
        >>> import cint_nb as cint
        >>> visits = pd.DataFrame({"person": [1, 2, 3], "wave": 1, "reason": ["completed", "completed", "screened"]})
        >>> cint.plots.plot_flow(cint.measure.flow(visits))
        <Figure: Wave 1: 2 of 3 asked completed · sandbox>
    """
    table = _as_pandas(flow, ("wave", "box", "parent", "split", "n"), "flow")
    waves = sorted(set(table["wave"]))
    chosen = (waves[-1] if waves else None) if wave is None else wave
    if chosen not in waves:
        raise InputError(
            f"There is no wave {chosen} in this flow.", next_step=f"choose from {', '.join(map(str, waves))}."
        )
    rows = table[table["wave"] == chosen]
    numbers = {str(row["box"]): int(row["n"]) for row in rows.to_dict("records")}
    steps = [step for step in _FLOW_STEPS if step in numbers]
    left = {step: _left_after(rows, step, following) for step, following in pairwise(steps)}
    for step, following in pairwise(steps):
        if numbers[step] - sum(number for _, number in left[step]) != numbers[following]:
            raise InputError(
                f"The boxes of wave {chosen} do not sum: {step} and {following}.", next_step="measure it again."
            )
    figure = NotebookFigure(
        title or f"Wave {chosen}: {numbers.get('completed', 0):,} of {numbers.get('asked', 0):,} asked completed",
        mode,
        source=source,
        says="Each box is the box above it less what left between them; nobody is counted twice or lost",
        alt="From top to bottom: " + ", ".join(f"{numbers[step]:,} {_FLOW_WORDS[step]}" for step in steps) + ".",
        height=0.95 + 0.56 * len(steps),
        room=(0.01, 0.28, 0.99, 0.62),
    )
    _draw_boxes(figure.ax, steps, numbers, left)
    return figure


def _left_after(rows: pd.DataFrame, step: str, following: str) -> list[tuple[str, int]]:
    """Return what left between two boxes: the other fates of the upper one, the most frequent first."""
    fates = rows[(rows["parent"] == step) & (rows["split"] == "fate") & (rows["box"] != following) & (rows["n"] > 0)]
    found = [(str(row["box"]).replace("_", " "), int(row["n"])) for row in fates.to_dict("records")]
    return sorted(found, key=lambda each: -each[1])


def _draw_boxes(
    axes: Any, steps: Sequence[str], numbers: dict[str, int], left: dict[str, list[tuple[str, int]]]
) -> None:
    from matplotlib.patches import FancyBboxPatch

    high, step_high = 0.58, 1.0
    for place, step in enumerate(steps):
        y, last = -place * step_high, place == len(steps) - 1
        axes.add_patch(
            FancyBboxPatch((2, y - high / 2), 34, high, boxstyle="round,pad=0,rounding_size=.12",
                           mutation_aspect=1, facecolor=PAPER if last else SHADE, edgecolor=GREEN if last else GREY,
                           linewidth=1.6 if last else 0.9)
        )  # fmt: skip
        axes.text(4, y, f"{numbers[step]:,}", va="center", fontsize=11, fontweight="bold", color=INK)
        axes.text(15, y, _FLOW_WORDS[step], va="center", fontsize=9, color=INK)
        if last:
            continue
        arrow = {"arrowstyle": "-|>", "color": GREY, "linewidth": 1, "mutation_scale": 9}
        axes.annotate("", (19, y - step_high + high / 2), (19, y - high / 2), arrowprops=arrow)
        gone = left.get(step, [])
        if gone:
            middle = y - step_high / 2
            axes.annotate("", (40, middle), (19, middle), arrowprops=arrow)
            axes.text(
                41, middle, f"{sum(n for _, n in gone):,}", va="center", fontsize=9.5, fontweight="bold", color=ORANGE
            )
            said = " + ".join(f"{n:,} {word}" for word, n in gone[:4]) if len(gone) > 1 else gone[0][0]
            more = f" + {sum(n for _, n in gone[4:]):,} others" if len(gone) > 4 else ""
            axes.text(49, middle, said + more, va="center", fontsize=8.5, color=SOFT)
    axes.set_xlim(0, 110)
    axes.set_ylim(-(len(steps) - 1) * step_high - 0.4, 0.4)
    _clear(axes)


@check_arguments(refusals=UNUSABLE, leave=("forecast", "past"))
def plot_forecast(
    forecast: Any,
    past: Any,
    *,
    goal: int | None = None,
    mode: str = "sandbox",
    title: str | None = None,
    source: str = "beta-binomial over past waves",
) -> NotebookFigure:
    """Draw the completes of past waves, and the fan of those of the next one.

    Args:
        forecast: What `cint_nb.measure.forecast` returns.
        past: What `cint_nb.measure.retention` returns of the same waves.
        goal: Completes wanted, drawn as a line.
        mode: `sandbox`, `replay` or `live`; written on the figure.
        title: Heading; the band, and the chance of the goal, when left out.
        source: Where the numbers come from; written on the figure.

    Raises:
        InputError: they are not the results of those measures.

    Example:
        >>> import pandas as pd
        >>> import cint_nb as cint
        >>> visits = pd.DataFrame({
        ...     "person": [*range(100)] * 4,
        ...     "wave": [1] * 100 + [2] * 100 + [3] * 100 + [4] * 100,
        ...     "reason": sum((["completed"] * n + ["absent"] * (100 - n) for n in (30, 36, 25, 33)), []),
        ... })
        >>> ahead = cint.measure.forecast(visits, saved=500, goal=100)
        >>> cint.plots.plot_forecast(ahead, cint.measure.retention(visits), goal=100)
        <Figure: 94 to 228 completes are likely; the goal is reached in 94 of 100 futures · sandbox>
    """
    ahead = _as_pandas(forecast, ("saved", "mean", "median", "low", "high", "p_goal"), "forecast").to_dict("records")[0]
    seen = _as_pandas(past, ("wave", "completed"), "retention").groupby("wave", sort=True)["completed"].sum()
    waves, counts = [int(wave) for wave in seen.index], [int(number) for number in seen]
    low, middle, high = (float(ahead[name]) for name in ("low", "median", "high"))
    chance = (
        ""
        if is_empty(ahead["p_goal"])
        else f"; the goal is reached in {100 * float(ahead['p_goal']):.0f} of 100 futures"
    )
    figure = NotebookFigure(
        title or f"{low:,.0f} to {high:,.0f} completes are likely{chance}",
        mode,
        source=source,
        says=f"Completes of past waves, and of the next one with {int(ahead['saved']):,} saved ids",
        alt=f"Completes of waves {', '.join(f'{w}: {n:,}' for w, n in zip(waves, counts, strict=True))}; "
        f"forecast {low:,.0f} to {high:,.0f}, median {middle:,.0f}.",
        height=3.2,
        room=(0.07, 0.5, 0.84, 0.66),
    )
    axes = figure.ax
    following = (waves[-1] if waves else 0) + 1
    if waves:
        axes.plot(waves, counts, "-o", color=BLUE, linewidth=2, markersize=5)
        start = counts[-1]
        for low_, high_, alpha in ((low, high, 0.16), ((low + middle) / 2, (high + middle) / 2, 0.16)):
            axes.fill_between(
                [waves[-1], following], [start, low_], [start, high_], color=BLUE, alpha=alpha, linewidth=0
            )
        axes.plot([waves[-1], following], [start, middle], color=BLUE, linestyle=(0, (1, 1.5)), linewidth=1.4)
    for wave, number in zip(waves, counts, strict=True):
        axes.annotate(
            f"{number:,}", (wave, number), xytext=(5, 6), textcoords="offset points", fontsize=9, fontweight="bold",
            color=BLUE,
        )  # fmt: skip
    top = max([*counts, high, goal or 0]) * 1.1
    levels = spread([middle, *([float(goal)] if goal is not None else [])], 0.15 * top)
    name_at(axes, following, levels[0], f"  {low:,.0f}–{high:,.0f}\n  next wave", BLUE)
    if goal is not None:
        axes.axhline(goal, color=INK, linestyle=(0, (4, 3)), linewidth=0.9)
        name_at(axes, following, levels[1], f"  goal {goal:,}", INK, bold=False)
    axes.set_ylim(0, top)
    axes.set_xlim((waves[0] if waves else 0) - 0.1, following)
    axes.set_xticks([*waves, following], [*(f"wave {wave}" for wave in waves), "next"])
    axes.yaxis.set_major_formatter("{x:,.0f}")
    draw_grid(axes)
    return figure
