"""A figure that draws itself in a notebook without pyplot, whose global state more than one thread can corrupt.

It is drawn once, in the light colours, and each colour becomes a variable of the drawing: one picture follows both
themes. Whoever cannot see it hears what it shows; where HTML is not shown, there is a bitmap of the light one.
"""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from cint_nb.domain.ids import mask_ids_in, printable
from cint_nb.panels.look.style import FIGURE_STYLE, themed_drawing
from cint_nb.panels.look.text_format import escape, parse_mode

# Each has another value in the dark theme. Blue and orange differ most for the colour-blind; green and grey never meet
# without words and a second sign.
PAPER, INK, SOFT, RULE, SHADE = "#ffffff", "#1f2328", "#57606a", "#d8dee4", "#f3f5f7"
BLUE, ORANGE, GREEN, RED, GREY = "#0b5cad", "#b35900", "#1a7f5a", "#b3261e", "#6b747d"
_COLOURS = {
    "paper": (PAPER, "#212121"), "ink": (INK, "#e3e6ea"), "soft": (SOFT, "#b3bac2"), "rule": (RULE, "#47494c"),
    "shade": (SHADE, "#2d2f31"), "blue": (BLUE, "#79b8ff"), "orange": (ORANGE, "#f0a45a"), "green": (GREEN, "#66d1a6"),
    "red": (RED, "#ff9a90"), "grey": (GREY, "#98a1aa"),
}  # fmt: skip

_SCREEN_DPI = 144
_INCHES_TO_PIXELS = 96
_drawing = threading.Lock()
"""Ids inside a drawing come from a setting of matplotlib that all threads share."""


class NotebookFigure(Figure):
    """A figure with a title, what it shows, and its source, that says in words what it shows.

    Args:
        title: Heading.
        mode: `sandbox`, `replay` or `live`; written on the figure.
        source: Where the numbers come from; written on the figure.
        height: Inches.
        says: What is drawn, below the heading.
        alt: What it shows, for whoever cannot see it; the heading and `says` when left out.
        room: Room for the axes: left, bottom, right and top, as shares of the figure; bottom and top in inches.
    """

    def __init__(
        self,
        title: str,
        mode: object,
        *,
        source: str,
        height: float = 3.3,
        says: str | None = None,
        alt: str | None = None,
        room: tuple[float, float, float, float] = (0.08, 0.62, 0.97, 0.66),
    ) -> None:
        super().__init__(figsize=(7.4, height), facecolor=PAPER)
        mode = parse_mode(mode)
        self._name = f"{title} · {mode}"
        self.alt_text = mask_ids_in(alt or " ".join(bit for bit in (f"{title}.", says) if bit))
        left, bottom, right, top = room
        self.text(0.012, 1 - 0.06 / height, title, fontsize=11, fontweight="bold", va="top", color=INK)
        self.text(0.012, 1 - 0.31 / height, says or "", fontsize=8.5, va="top", color=SOFT)
        self.text(0.012, 0.05 / height, f"{mode} · {source}", fontsize=7.5, va="bottom", color=SOFT)
        for text in self.texts:
            text.set_parse_math(False)  # a name with two `$` in it is a name
        self.ax = _make_axes(self)
        self.subplots_adjust(left=left, bottom=bottom / height, right=right, top=1 - top / height)

    @printable
    def __repr__(self) -> str:
        """Show the figure on one line that does not change from run to run."""
        return f"<Figure: {self._name}>"

    def _repr_png_(self) -> tuple[bytes, dict[str, Any]]:
        content = io.BytesIO()
        FigureCanvasAgg(self).print_figure(content, dpi=_SCREEN_DPI, format="png")
        width, height = (round(inches * _INCHES_TO_PIXELS) for inches in self.get_size_inches())
        return content.getvalue(), {"width": width, "height": height}

    def to_svg(self) -> str:
        """Return the drawing, whose colours follow the theme of the page it is shown on."""
        content = io.StringIO()
        with _drawing, rc_context({"svg.hashsalt": "cint_nb", "svg.fonttype": "path"}):
            FigureCanvasSVG(self).print_figure(content, format="svg", metadata={"Date": None, "Creator": None})
        return themed_drawing(content.getvalue(), _COLOURS)

    def _repr_html_(self) -> str:
        drawing = base64.b64encode(self.to_svg().encode()).decode()
        return (
            f'{FIGURE_STYLE}<figure class="cint-figure" tabindex="0"><img alt="{escape(self.alt_text)}" '
            f'src="data:image/svg+xml;base64,{drawing}"></figure>'
        )


def _make_axes(figure: Figure) -> Axes:
    axes = figure.add_subplot(facecolor=PAPER)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(RULE)
    axes.tick_params(colors=SOFT, labelsize=8.5, length=3)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.label.set(color=SOFT, fontsize=8.5)
    axes.yaxis.label.set(color=SOFT, fontsize=8.5)
    axes.set_axisbelow(True)
    return axes


def draw_grid(axes: Axes) -> None:
    """Draw faint lines at the numbers of the upright axis."""
    axes.grid(axis="y", color=RULE, linewidth=0.6)


def name_at(axes: Axes, x: Any, y: float, text: str, colour: str, *, bold: bool = True, **more: Any) -> None:
    """Write what a line is at its end, in its colour, in place of a legend."""
    axes.annotate(
        text, (x, y), color=colour, fontsize=8.5, fontweight="bold" if bold else "normal", annotation_clip=False,
        va=more.pop("va", "center"), parse_math=False, **more,
    )  # fmt: skip


def spread(levels: Sequence[float], gap: float) -> list[float]:
    """Move levels apart, so that what is written beside them does not overlap; their order and middle stay.

    Args:
        levels: Where each text wants to stand.
        gap: The least distance of two.
    """
    order = sorted(range(len(levels)), key=levels.__getitem__)
    placed = [levels[place] for place in order]
    for _ in range(50):
        for low, high in pairwise(range(len(placed))):
            if (lacking := gap - (placed[high] - placed[low])) > 1e-9:
                placed[low] -= lacking / 2
                placed[high] += lacking / 2
    found = dict(zip(order, placed, strict=True))
    return [found[place] for place in range(len(levels))]
