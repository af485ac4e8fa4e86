"""The controls of a status table: order, filter, columns, and the rows as text to copy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from cint_nb.panels.look.text_format import no_formula
from cint_nb.panels.status_table.model import Wish, column

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
        self.columns: dict[str, widgets.Checkbox] = {}
        self._boxes = widgets.HBox([])
        self._boxes.add_class("cint-columns-part")
        self.copy = widgets.ToggleButton(value=False, description="As text to copy")
        self.tabbed = widgets.Textarea(description="Rows", layout=widgets.Layout(display="none"), disabled=False)
        for part, name in (
            (self.sort, "sort"),
            (self.order, "order"),
            (self.words, "words"),
            (self.copy, "copy"),
            (self.tabbed, "tabbed"),
        ):
            part.add_class(f"cint-{name}")
        for part in (self.sort, self.order, self.words, self.copy):
            part.observe(self._on_change, "value")
        row = widgets.HBox([self.sort, self.order, self.words])
        row.add_class("cint-row")
        self.box = widgets.VBox([row, self._boxes, self.copy, self.tabbed], layout=widgets.Layout(display="none"))
        self.box.add_class("cint-controls")

    @property
    def wish(self) -> Wish:
        """Return what the reader wants."""
        return Wish(self.sort.value or "", bool(self.order.value), self.words.value, self._chosen())

    def offer(self, names: Sequence[str], usual: Sequence[str]) -> None:
        """Offer the columns of a frame, and choose the usual ones unless the reader has chosen."""
        if list(self.columns) == list(names):
            return
        self._quiet = True
        try:
            labelled = [(column(name).label, name) for name in names]
            before = self.sort.value
            self.sort.options = [("as listed", ""), *labelled]
            self.sort.value = before if before in names else ""
            self.columns = {name: self._box(label, name in usual) for label, name in labelled}
            self._boxes.children = tuple(self.columns.values())
        finally:
            self._quiet = False

    def set(self, wish: Wish) -> None:
        """Set all controls at once."""
        self._quiet = True
        try:
            self.sort.value, self.order.value = wish.sort, wish.descending
            self.words.value = wish.words
            for name, box in self.columns.items():
                box.value = name in wish.columns
        finally:
            self._quiet = False

    def show_text(self, text: str) -> None:
        """Put the rows as text into the box to copy from, if it is open."""
        opened = bool(self.copy.value)
        self.tabbed.layout.display = "" if opened else "none"
        self.tabbed.value = text if opened else ""

    def _chosen(self) -> tuple[str, ...]:
        return tuple(name for name, box in self.columns.items() if box.value)

    def _box(self, label: str, chosen: bool) -> widgets.Checkbox:
        # Check boxes, since JupyterLab keeps the arrow keys for itself: a list could not be used without a mouse
        box = widgets.Checkbox(value=chosen, description=no_formula(label), indent=False)
        box.observe(self._on_change, "value")
        return box

    def _on_change(self, _: Any) -> None:
        if not self._quiet:
            self._changed()
