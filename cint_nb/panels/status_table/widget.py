"""A panel that shows the status DataFrame, and keeps it fresh in the background when it is given a loader.

itables was tried for it first: it works without a network, but every refresh forgets order, filter and page, and it can
neither mark a changed cell nor draw a trend without letting HTML through. So the table is our own: plain HTML that can
be read without a script, and that the panels' one script sorts and filters, also while the kernel is busy.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pandas as pd

from cint_nb.caller_warnings import deliver_warnings
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import InputError
from cint_nb.domain.ids import masked_text
from cint_nb.output_files import write_new_file
from cint_nb.panels.look.background import Throttle, call_later, run_in_thread
from cint_nb.panels.look.base import Panel, make_html_part, render_warnings, set_html
from cint_nb.panels.look.card import Card, Note, Rows, Say
from cint_nb.panels.look.cell_format import RIGHT_ALIGNED_KINDS
from cint_nb.panels.look.mode import mode_of
from cint_nb.panels.look.text_format import escape, format_count, format_duration, format_moment
from cint_nb.panels.status_table.model import (
    StatusView,
    TableOptions,
    changed_cells,
    column_format,
    format_table,
    plain_rows,
    to_delimited_text,
)
from cint_nb.panels.status_table.table_html import MENU_HTML, TOOLS_HTML, render_table, unreadable_groups
from cint_nb.wave.wave import Wave

Loader = Callable[[], pd.DataFrame | Iterable[pd.DataFrame]]

SHOW_SECONDS = 2.0
"""How long a table that is shown waits for its first rows, so that a saved notebook holds them."""
AUTO_REFRESH_HOURS = 12
"""A table that somebody forgot stops asking the exchange after so many hours."""
STATIC_ROWS = 50


@check_arguments(leave=("source",))
class StatusTable(Panel):
    """Show one row per target group: state, goal, completes, saved ids, rates, cost and warnings.

    Args:
        source: A wave; a status frame; or a callable that returns a fresh one, such as `client.project_status("…")` or
            `wave.status`. It runs in the background. It may yield several frames, each more complete than the one
            before; cells count as changed against the end of the refresh before.
        mode: `sandbox`, `replay` or `live`; that of the source when left out.
        title: Heading; the wave's name, or `Status`, when left out.
        interval: Seconds between two refreshes while the table refreshes itself, at least 1.

    Raises:
        InputError: the source is none of these.

    It loads when it is shown. In the browser a click on a heading sorts, and rows can be filtered, copied and saved,
    also while a cell runs. `frame` is the plain DataFrame, with the columns that `Wave.status` describes; `trend`, a
    list of numbers, is drawn as a line. `start()` refreshes it again and again, `refresh()` asks once, `stop()` pauses.

    Example:
        >>> cint.StatusTable(live.status())
        <StatusTable: sandbox · Status · 1 target group>
    """

    def __init__(
        self,
        source: Wave | pd.DataFrame | Loader,
        *,
        mode: str | None = None,
        title: str | None = None,
        interval: float = 30.0,
    ) -> None:
        self._loader = _loader_of(source)
        self.interval = max(float(interval), 1.0)
        self._view = StatusView(pd.DataFrame())
        self._options = TableOptions()
        self._auto_refresh, self._loading, self._refresh_number = False, False, 0
        self._lock = threading.RLock()
        self._loaded = threading.Event()
        self._table = make_html_part("cint-table-part")
        self._line = make_html_part("cint-foot-part")
        self._warnings = make_html_part("cint-warnings-part")
        title = title or (source.name if isinstance(source, Wave) else "Status")
        super().__init__(
            "status-table",
            mode or mode_of(source),
            title,
            (make_html_part("cint-menu-part", MENU_HTML), self._warnings, self._table, self._line),
        )
        self._make_buttons()
        self._throttle: Throttle[tuple[pd.DataFrame, pd.DataFrame | None]] = Throttle(self._show_frame)
        if isinstance(source, pd.DataFrame):
            self._show_frame((source, None))
        else:
            self._show_foot("not loaded yet")

    def _make_buttons(self) -> None:
        self.refresh_button = widgets.Button(description="↻ Refresh", tooltip="Reads again, and changes nothing")
        self.refresh_button.add_class("cint-refresh")
        self.refresh_button.on_click(lambda _: self.refresh())
        self.live_button = widgets.Button(description="Auto-refresh", tooltip="Refresh again and again, or stop that")
        self.live_button.add_class("cint-live")
        self.live_button.on_click(lambda _: self.stop() if self._auto_refresh else self.start())
        loading = [self.refresh_button, self.live_button] if self._loader else []
        self.set_buttons(make_html_part("cint-tools-part", TOOLS_HTML), *loading)

    @property
    def frame(self) -> pd.DataFrame:
        """Return the status frame last shown, empty before the first refresh."""
        return self.value if isinstance(self.value, pd.DataFrame) else pd.DataFrame()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences about replies that were not as documented, of the frame last shown."""
        return tuple(self.frame.attrs.get("warnings", ()))

    def update(self, frame: pd.DataFrame) -> None:
        """Show this frame; callable from any thread, at most four frames a second are drawn, the last always."""
        self._throttle.submit((frame, self.value))

    def refresh(self) -> StatusTable:
        """Ask the loader for a fresh frame in the background and return at once; without a loader nothing happens."""
        with self._lock:
            if self._loader is None or self._loading:
                return self
            self._loading = True
        self._show_foot("refreshing")
        run_in_thread(self._load)
        return self

    def start(self) -> StatusTable:
        """Refresh the table in the background, every `interval` seconds, and return at once."""
        with self._lock:
            if self._loader is None or self._auto_refresh:
                return self
            self._auto_refresh = True
            self._refresh_number += 1
            number = self._refresh_number
        self._note_start()
        self.live_button.add_class("mod-active")
        self.refresh()
        self._schedule_refresh(number, 0.0)
        return self

    def stop(self) -> None:
        """Pause: keep what is shown and load nothing more by itself."""
        with self._lock:
            self._auto_refresh = False
            self._refresh_number += 1
        self.live_button.remove_class("mod-active")
        self._show_loaded()

    def close(self) -> None:
        """Stop refreshing and take the panel away."""
        self.stop()
        super().close()

    def to_csv(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the rows as shown to a CSV file and return its path; texts cannot run in a spreadsheet.

        Args:
            path: The file.
            overwrite: Whether to replace an existing file.

        Raises:
            InputError: the file exists, or cannot be written.
        """
        content = to_delimited_text(self._view, ",").encode("utf-8", "replace")
        return write_new_file(path, content, overwrite=overwrite)

    def set_options(
        self,
        *,
        sort_by: str | None = None,
        descending: bool = False,
        filter_text: str = "",
        columns: tuple[str, ...] = (),
    ) -> StatusTable:
        """Sort, filter and choose columns from code, by the names of the frame's columns.

        Args:
            sort_by: Column to sort by; None for the order of the frame; empty cells come last.
            descending: Highest first.
            filter_text: Keep the rows that hold each of these words.
            columns: Columns to show, empty for the usual ones.

        Raises:
            InputError: a name is not a column of the frame.
        """
        unknown = [name for name in (sort_by, *columns) if name and name not in self.frame.columns]
        if unknown:
            raise InputError(
                f"There is no such column: {masked_text(', '.join(unknown), 120)}.",
                evidence={"columns": masked_text(", ".join(map(str, self.frame.columns)), 400)},
                next_step="use one of these columns.",
            )
        self._options = TableOptions(sort_by, descending, filter_text, columns)
        self._draw()
        return self

    # --- in the background ------------------------------------------------------------------------------------

    def _schedule_refresh(self, number: int, waited: float) -> None:
        def due() -> None:
            if not self._auto_refresh or self._refresh_number != number:
                return
            if waited >= AUTO_REFRESH_HOURS * 3600:
                self.stop()
                return
            self.refresh()
            self._schedule_refresh(number, waited + self.interval)

        call_later(self.interval, due)

    def _load(self) -> None:
        loader = self._loader
        if loader is None:
            return
        before, frame = self.value, self.frame
        try:
            with deliver_warnings(show=False):  # the panel shows them; on this thread nobody sees Python's
                loaded = loader()
                for frame in [loaded] if isinstance(loaded, pd.DataFrame) else _frames(loaded):
                    self._throttle.submit((frame, before))
        except Exception as error:  # noqa: BLE001  # whatever a loader raises belongs in the panel, not on a thread
            self._loading = False
            self._show_error(error)
            self._show_foot("the last refresh failed; what is shown is older")
            self._loaded.set()
            return
        self._loading = False
        self._show_error(None)
        self._throttle.submit((frame, before), last=True)
        self._loaded.set()

    def _show_frame(self, shown: tuple[pd.DataFrame, pd.DataFrame | None]) -> None:
        frame, before = shown
        with self._lock:
            self._view = StatusView(frame, changed_cells(before, frame))
            self.value = frame
            self._draw()

    def display(self) -> None:
        """Show the table; one that has a loader loads, and is waited for a little: a saved notebook has its rows."""
        self._load_for_picture()
        super().display()

    def _load_for_picture(self) -> None:
        if self._loader is not None and self.value is None:
            self.refresh()
            self._loaded.wait(SHOW_SECONDS)

    # --- drawing ----------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        with self._lock:
            self._view = StatusView(self._view.frame, self._view.changed, self._options)
            set_html(self._warnings, render_warnings(self.warnings))
            set_html(self._table, render_table(self._view, caption=self._title))
            self._show_loaded()

    def _show_loaded(self) -> None:
        if not isinstance(self.value, pd.DataFrame):
            return
        if self._loading:
            self._show_foot("refreshing, figures are coming in")
        elif self._auto_refresh:
            self._show_foot(f"auto-refresh every {format_duration(self.interval)}", on=True)
        else:
            self._show_foot("refreshed when you ask" if self._loader else "")

    def _show_foot(self, text: str, *, on: bool = False) -> None:
        """Show below the table how many rows there are, when they were read, and what it is doing."""
        bits = []
        if isinstance(self.value, pd.DataFrame):
            shown, every = len(self._view.visible_rows()), len(self.frame)
            rows = format_count(every, "target group")
            said = rows if shown == every else f"{shown:,} of {rows}"
            bits.append(f'<span class="st-count" role="status">{said}</span>')
        if read := self.frame.attrs.get("read_at"):
            bits.append(f"<span>read {format_moment(datetime.fromisoformat(read), seconds=True)} UTC</span>")
        if text:
            sign = '<span class="cint-on" aria-hidden="true">●</span> ' if on else ""
            bits.append(f'<span class="st-doing">{sign}{escape(text)}</span>')
        if changed := len(self._view.changed):
            bits.append(f"<span>{escape(format_count(changed, 'cell'))} changed</span>")
        if unread := unreadable_groups(self._view):
            bits.append(f"<span>{escape(format_count(unread, 'group'))} not readable: not in the totals</span>")
        set_html(self._line, f'<div class="cint-foot">{"".join(bits)}</div>')

    def summary(self) -> list[str]:
        """Return the title and the number of target groups."""
        loaded = isinstance(self.value, pd.DataFrame)
        rows = format_count(len(self.frame), "target group") if loaded else "not loaded yet"
        return [self._title, rows, *(f"warning: {text}" for text in self.warnings)]

    def to_text(self) -> str:
        """Return the repr and the rows as aligned text."""
        if not isinstance(self.value, pd.DataFrame):
            return repr(self)
        return "\n".join([repr(self), *format_table(self._view, limit=STATIC_ROWS)])

    def to_static_html(self) -> str:
        """Return the rows as a table, at most fifty."""
        if not isinstance(self.value, pd.DataFrame):
            return super().to_static_html()
        return self._to_card().html()

    def _to_card(self) -> Card:
        """Return the rows as a still picture, at most fifty."""
        notes = [Note("warn", "▲", text) for text in self.warnings]
        if why := self._view.empty_text():
            return Card(self._title, [Say(soft=why), *notes], self.mode)
        heads, cells, more = plain_rows(self._view, STATIC_ROWS)
        right = [column_format(name).kind in RIGHT_ALIGNED_KINDS for name in self._view.visible_columns()]
        rest = f"and {format_count(more, 'more target group')}" if more else None
        return Card(self._title, [*notes, Rows(heads, cells, right, rest)], self.mode, aside=self.summary()[1])


def _loader_of(source: Any) -> Loader | None:
    """Return what loads the rows; None for a frame.

    Raises:
        InputError: the source is neither a wave, a frame nor a callable.
    """
    if isinstance(source, pd.DataFrame):
        return None
    if isinstance(source, Wave):
        return lambda: source.status(trend=True)
    if callable(source) and not isinstance(source, type):
        loader: Loader = source
        return loader
    hint = 'client.project_status("…") shows a whole project.'
    if isinstance(source, str):
        hint = f"a project's table is cint.StatusTable({hint.removesuffix(' shows a whole project.')})."
    raise InputError(
        f"A status table shows a wave, a status frame or what a loader returns; it was given {type(source).__name__}.",
        next_step=f"pass a wave, wave.status(), or a loader; {hint}",
    )


def _frames(loaded: Any) -> Iterable[pd.DataFrame]:
    """Yield the frames of a loader.

    Raises:
        InputError: it returned something else.
    """
    for frame in loaded if isinstance(loaded, Iterable) and not isinstance(loaded, (str, dict)) else [loaded]:
        if not isinstance(frame, pd.DataFrame):
            raise InputError(
                f"The loader of this table returned {type(frame).__name__}, not a status frame.",
                next_step="let it return wave.status(), or what cint_nb.frames.status_frame returns.",
            )
        yield frame
