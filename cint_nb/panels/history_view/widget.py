"""A panel that shows a history: its waves, retention between them, and what the exchange will soon no longer give."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import ipywidgets as widgets

from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import CintError
from cint_nb.domain.ids import mask_ids_in
from cint_nb.history.history import History
from cint_nb.panels.history_view.figures import HistoryFigures, history_figures
from cint_nb.panels.history_view.view import history_blocks
from cint_nb.panels.look.background import after_each_cell
from cint_nb.panels.look.base import Panel, make_html_part, set_html
from cint_nb.panels.look.card import Card
from cint_nb.panels.look.error_card import error_card
from cint_nb.panels.look.mode import certain_mode
from cint_nb.panels.look.text_format import format_count, format_moment


@check_arguments()
class HistoryView(Panel):
    """Show what a history keeps: its waves, who came back, and what the exchange will soon no longer give.

    `history` alone as the last line of a cell shows the same. Everything is read from the files of the history, and
    after every cell that changed them once more; the exchange is asked nothing. What is not known is called so, and
    never shown as 0. No id is shown.

    Args:
        history: The history.
        base: What the rates are shares of, as in `cint.measure.retention`: `previous`, those who completed the wave
            before; `first`, the first wave; `ever`, any earlier wave; `asked`, those asked in the wave itself.
        now: The time from which it is counted what expires; that of this computer if omitted, or of the last report
            where that is later. On the sandbox pass `client.clock.now()`.
        mode: `sandbox`, `replay` or `live`; that of all connections so far, or none where they differ, if omitted.
        title: Heading; the name of the folder if omitted.

    `value` is a `HistoryFigures`, None while the history cannot be read.

    Example:
        >>> cint.HistoryView(history)
        <HistoryView: sandbox · History brand-tracker · 1 wave · 16 visits>
    """

    def __init__(
        self,
        history: History,
        *,
        base: Literal["asked", "first", "previous", "ever"] = "previous",
        now: datetime | None = None,
        mode: str | None = None,
        title: str | None = None,
    ) -> None:
        self._history, self._base, self._time = history, base, now
        self._version: int | None = None
        self._refused: CintError | None = None
        self._body = make_html_part("cint-history-part")
        self.refresh_button = widgets.Button(description="Refresh", tooltip="Reads the folder again, and asks nobody")
        self.refresh_button.add_class("cint-refresh")
        # Not beside the cells: a query of theirs would run on the same connection in the same moment
        self.refresh_button.on_click(lambda _: self.refresh())
        super().__init__(
            "history-view",
            mode or certain_mode(),
            title or f"History {mask_ids_in(history.folder.name)}",
            (self._body,),
        )
        self.set_buttons(self.refresh_button)
        self.refresh()
        self._forget = after_each_cell(self.refresh_if_changed)

    def refresh(self) -> HistoryView:
        """Read the files of the history again; what cannot be read is said in the panel."""
        try:
            self._version = self._history.version
            figures = history_figures(self._history, base=self._base, now=self._time)
        except CintError as error:
            self.value, self._refused = None, error
            set_html(self._body, "")
            self._show_aside("")
            self._show_error(error)
            return self
        self._show_error(None)
        self.value, self._refused = figures, None
        read = figures.read_at
        self._show_aside("" if read is None else f"last report read {format_moment(read)} UTC")
        set_html(self._body, f'<div class="cint-body">{self.to_card().body()}</div>')
        return self

    def refresh_if_changed(self) -> None:
        """Read the files again where there is a new version of the history."""
        try:
            changed = self._history.version != self._version
        except CintError:
            changed = True
        if changed:
            self.refresh()

    def to_card(self) -> Card:
        """Return the history as a still picture."""
        if self._refused is not None:
            return error_card(self._refused, self.mode or None)
        figures: HistoryFigures = self.value
        return Card(self._title, history_blocks(figures), self.mode or None, self._aside or None)

    def to_static_html(self) -> str:
        """Return the history as a still picture."""
        return self.to_card().html()

    def to_text(self) -> str:
        """Return the repr, and the history as text."""
        return "\n".join([repr(self), *self.to_card().text().splitlines()[1:]])

    def summary(self) -> list[str]:
        """Return the name of the history, its waves and their visits."""
        figures: HistoryFigures | None = self.value
        if figures is None:
            return [self._title, "cannot be read"]
        if not figures.rows:
            return [self._title, "nothing added yet"]
        visits = "visits not known" if figures.visits is None else format_count(figures.visits, "visit")
        return [self._title, format_count(figures.waves, "wave"), visits]

    def close(self) -> None:
        """Stop following the cells and take the panel away."""
        forget, self._forget = self._forget, None
        if forget is not None:
            forget()
        super().close()
