"""A figure that draws itself in a notebook without pyplot, whose global state more than one thread can corrupt."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from cint_nb.domain.ids import printable
from cint_nb.panels.look.text_format import parse_mode

# Okabe and Ito's palette: distinguishable with every kind of colour blindness.
BLUE, ORANGE, GREEN, RED, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7"
GREY, PALE, INK, SOFT = "#8A8F95", "#C9CDD2", "#1f2328", "#59636e"

_SCREEN_DPI = 144
_INCHES_TO_PIXELS = 96


class NotebookFigure(Figure):
    """Draw a figure with a title, and say in its text form what it shows.

    Args:
        title: Heading.
        mode: `sandbox`, `replay` or `live`; written on the figure.
        source: Where the numbers come from; written on the figure.
        height: Inches.
    """

    def __init__(self, title: str, mode: object, *, source: str, height: float = 3.2) -> None:
        super().__init__(figsize=(7.4, height), layout="constrained", facecolor="white")
        self._alt_text = f"{title} · {parse_mode(mode)}"
        self.supxlabel(f"Source: {source} · {parse_mode(mode)}", fontsize=8, color=SOFT, x=0.99, ha="right")
        self.ax = _make_axes(self, title)

    @printable
    def __repr__(self) -> str:
        """Show the figure on one line that does not change from run to run."""
        return f"<Figure: {self._alt_text}>"

    def _repr_png_(self) -> tuple[bytes, dict[str, Any]]:
        content = io.BytesIO()
        FigureCanvasAgg(self).print_figure(content, dpi=_SCREEN_DPI, format="png")
        width, height = (round(inches * _INCHES_TO_PIXELS) for inches in self.get_size_inches())
        return content.getvalue(), {"width": width, "height": height}


def _make_axes(figure: Figure, title: str) -> Axes:
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(PALE)
    axes.tick_params(colors=SOFT, labelsize=9)
    axes.xaxis.label.set(color=SOFT, fontsize=9)
    axes.yaxis.label.set(color=SOFT, fontsize=9)
    return axes
