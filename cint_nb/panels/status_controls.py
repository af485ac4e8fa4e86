"""The controls of a status table: order, filter, columns, and the rows as text to copy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from cint_nb.panels.status_model import Wish, column

INTERVALS = (("10 s", 10.0), ("30 s", 30.0), ("1 min", 60.0), ("5 min", 300.0))


class StatusControls:
    """Hold the widgets by which a reader says how the table should be.

    Args:
        changed: Called when the reader wants something else.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._quiet = False
        self.sort = widgets.Dropdown(options=[("as listed", "")], description="Sort by")
        self.order = widgets.ToggleButton(value=False, description="highest first")
        self.words = widgets.Text(placeholder="words to look for", description="Filter")
        self.columns = widgets.SelectMultiple(options=[], description="Columns", rows=6)
        self.copy = widgets.ToggleButton(value=False, description="As text to copy")
        self.tabbed = widgets.Textarea(description="Rows", layout=widgets.Layout(display="none"), disabled=False)
        for part, name in (
            (self.sort, "sort"),
            (self.order, "order"),
            (self.words, "words"),
            (self.columns, "columns"),
            (self.copy, "copy"),
            (self.tabbed, "tabbed"),
        ):
            part.add_class(f"cint-{name}")
        for part in (self.sort, self.order, self.words, self.columns, self.copy):
            part.observe(self._on_change, "value")
        row = widgets.HBox([self.sort, self.order, self.words])
        row.add_class("cint-row")
        below = widgets.HBox([self.columns, self.copy])
        below.add_class("cint-row")
        self.box = widgets.VBox([row, below, self.tabbed], layout=widgets.Layout(display="none"))
        self.box.add_class("cint-controls")

    @property
    def wish(self) -> Wish:
        """Return what the reader wants."""
        return Wish(self.sort.value or "", bool(self.order.value), self.words.value, tuple(self.columns.value))

    def offer(self, names: Sequence[str], usual: Sequence[str]) -> None:
        """Offer the columns of a frame, and choose the usual ones unless the reader has chosen."""
        if [value for _, value in self.columns.options] == list(names):
            return
        self._quiet = True
        try:
            labelled = [(column(name).label, name) for name in names]
            before = self.sort.value
            self.sort.options = [("as listed", ""), *labelled]
            self.sort.value = before if before in names else ""
            self.columns.options = labelled
            self.columns.value = tuple(usual)
        finally:
            self._quiet = False

    def set(self, wish: Wish) -> None:
        """Set all controls at once."""
        self._quiet = True
        try:
            self.sort.value, self.order.value = wish.sort, wish.descending
            self.words.value, self.columns.value = wish.words, wish.columns
        finally:
            self._quiet = False

    def show_text(self, text: str) -> None:
        """Put the rows as text into the box to copy from, if it is open."""
        opened = bool(self.copy.value)
        self.tabbed.layout.display = "" if opened else "none"
        self.tabbed.value = text if opened else ""

    def _on_change(self, _: Any) -> None:
        if not self._quiet:
            self._changed()
