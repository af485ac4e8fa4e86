"""The controls of a status table: order, filter, columns, and the rows as text to copy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from cint_nb.panels.look.text_format import disable_mathjax
from cint_nb.panels.status_table.model import TableOptions, column_format

INTERVALS = (("10 s", 10.0), ("30 s", 30.0), ("1 min", 60.0), ("5 min", 300.0))


class StatusControls:
    """The widgets by which a reader says how the table should be.

    Args:
        changed: Called when the reader wants something else.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._events_suppressed = False
        self.sort = widgets.Dropdown(options=[("as listed", "")], description="Sort by")
        self.order = widgets.ToggleButton(value=False, description="highest first")
        self.filter_box = widgets.Text(placeholder="words to look for", description="Filter")
        self.columns: dict[str, widgets.Checkbox] = {}
        self._boxes = widgets.HBox([])
        self._boxes.add_class("cint-columns-part")
        self.show_copy = widgets.ToggleButton(value=False, description="As text to copy")
        self.copy_box = widgets.Textarea(description="Rows", layout=widgets.Layout(display="none"), disabled=False)
        for part, name in (
            (self.sort, "sort"),
            (self.order, "order"),
            (self.filter_box, "words"),
            (self.show_copy, "copy"),
            (self.copy_box, "tabbed"),
        ):
            part.add_class(f"cint-{name}")
        for part in (self.sort, self.order, self.filter_box, self.show_copy):
            part.observe(self._on_change, "value")
        row = widgets.HBox([self.sort, self.order, self.filter_box])
        row.add_class("cint-row")
        self.box = widgets.VBox(
            [row, self._boxes, self.show_copy, self.copy_box], layout=widgets.Layout(display="none")
        )
        self.box.add_class("cint-controls")

    @property
    def options(self) -> TableOptions:
        """Return what the reader wants."""
        return TableOptions(
            self.sort.value or None, bool(self.order.value), self.filter_box.value, self._chosen_columns()
        )

    def set_columns(self, names: Sequence[str], usual: Sequence[str]) -> None:
        """Offer the columns of a frame, and choose the usual ones unless the reader has chosen."""
        if list(self.columns) == list(names):
            return
        self._events_suppressed = True
        try:
            labelled = [(column_format(name).label, name) for name in names]
            before = self.sort.value
            self.sort.options = [("as listed", ""), *labelled]
            self.sort.value = before if before in names else ""
            self.columns = {name: self._checkbox(label, name in usual) for label, name in labelled}
            self._boxes.children = tuple(self.columns.values())
        finally:
            self._events_suppressed = False

    def set_options(self, options: TableOptions) -> None:
        """Set all controls at once."""
        self._events_suppressed = True
        try:
            self.sort.value, self.order.value = options.sort_by or "", options.descending
            self.filter_box.value = options.filter_text
            for name, box in self.columns.items():
                box.value = name in options.columns
        finally:
            self._events_suppressed = False

    def show_text(self, text: str) -> None:
        """Put the rows as text into the box to copy from, if it is open."""
        opened = bool(self.show_copy.value)
        self.copy_box.layout.display = "" if opened else "none"
        self.copy_box.value = text if opened else ""

    def _chosen_columns(self) -> tuple[str, ...]:
        return tuple(name for name, box in self.columns.items() if box.value)

    def _checkbox(self, label: str, chosen: bool) -> widgets.Checkbox:
        # Check boxes, since JupyterLab keeps the arrow keys for itself: a list could not be used without a mouse
        box = widgets.Checkbox(value=chosen, description=disable_mathjax(label), indent=False)
        box.observe(self._on_change, "value")
        return box

    def _on_change(self, _: Any) -> None:
        if not self._events_suppressed:
            self._changed()
