"""The chart of a target group's completes: one line over time below its goal, drawn inline and said in words."""

from __future__ import annotations

from html import escape

from cint_nb.sandbox.http.control_api import CompletesState

_WIDTH, _HEIGHT = 320, 120
_LEFT, _RIGHT, _TOP, _BOTTOM = 4, 4, 16, 18


def draw_completes(series: list[CompletesState], goal: int) -> str:
    """Return the chart of completes by time as SVG; nothing before the first interval has ended."""
    if len(series) < 2:
        return ""
    most = max(goal, series[-1]["completes"], 1)
    inner_width, inner_height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    floor = _HEIGHT - _BOTTOM

    def x(place: int) -> float:
        return round(_LEFT + inner_width * place / (len(series) - 1), 1)

    def y(count: int) -> float:
        return round(floor - inner_height * count / most, 1)

    points = [(x(place), y(one["completes"])) for place, one in enumerate(series)]
    line = " ".join(f"{'M' if place == 0 else 'L'}{a} {b}" for place, (a, b) in enumerate(points))
    area = f"{line} L{points[-1][0]} {floor} L{points[0][0]} {floor} Z"
    first, last = series[0], series[-1]
    words = f"{last['completes']} of {goal} completes, from {_day(first['at'])} to {_day(last['at'])}"
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(words)}">'
        f'<line class="goal" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(goal)}" y2="{y(goal)}"/>'
        f'<text x="{_LEFT}" y="{y(goal) - 4}">goal {goal:,}</text>'
        f'<path class="area" d="{area}"/><path class="line" d="{line}"/>'
        f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{floor}" y2="{floor}"/>'
        f'<text x="{_LEFT}" y="{_HEIGHT - 4}">{_day(first["at"])}</text>'
        f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 4}" text-anchor="end">{_day(last["at"])}</text></svg>'
    )


def _day(time: str) -> str:
    return f"{time[5:10]} {time[11:16]}"
