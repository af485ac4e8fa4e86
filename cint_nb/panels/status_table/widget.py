"""A panel that shows the status DataFrame, and keeps it fresh in the background when it is given a loader.

itables was tried for it first: it works without a network, but every refresh forgets order, filter and page, and it can
neither mark a changed cell nor draw a trend without letting HTML through. So the table is our own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import ipywidgets as widgets
import pandas as pd

from cint_nb.caller_warnings import deliver_warnings
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import InputError
from cint_nb.domain.ids import masked_text
from cint_nb.output_files import write_new_file
from cint_nb.panels.look import static_html
from cint_nb.panels.look.background import Throttle, call_later, run_in_thread
from cint_nb.panels.look.base import Panel, make_html_part, render_warnings, set_html, show_state
from cint_nb.panels.look.mode import mode_of
from cint_nb.panels.look.text_format import escape, format_count, format_duration
from cint_nb.panels.status_table.controls import INTERVALS, StatusControls
from cint_nb.panels.status_table.model import (
    StatusView,
    TableOptions,
    changed_cells,
    format_table,
    plain_rows,
    render_table,
    to_delimited_text,
)

Loader = Callable[[], pd.DataFrame | Iterable[pd.DataFrame]]

AUTO_REFRESH_HOURS = 12
"""A table that somebody forgot stops asking the exchange after so many hours."""
STATIC_ROWS = 50


@check_arguments()
class StatusTable(Panel):
    """Show one row per target group: state, goal, completes, saved ids, rates, cost and warnings.

    Args:
        source: A status frame, or a callable that returns a fresh one, such as `client.project_status("…")` or
            `wave.status`. It runs in the background. It may yield several frames, each more complete than the one
            before; cells count as changed against the end of the refresh before.
        mode: `sandbox`, `replay` or `live`; that of the source when left out.
        title: Heading.
        interval: Seconds between two refreshes while the table is live, at least 1.

    `frame` is the plain DataFrame, with the columns that `Wave.status` describes; `trend`, a list of numbers, is drawn
    as a line. `start()` keeps it fresh, `refresh()` asks once, `stop()` pauses.
    """

    def __init__(
        self,
        source: pd.DataFrame | Loader,
        *,
        mode: str | None = None,
        title: str = "Status",
        interval: float = 30.0,
    ) -> None:
        self._loader: Loader | None = None if isinstance(source, pd.DataFrame) else source
        self.interval = max(float(interval), 1.0)
        self._view = StatusView(pd.DataFrame())
        self._auto_refresh, self._loading, self._refresh_number = False, False, 0
        self._lock = threading.RLock()
        self._line, self._table = make_html_part("cint-status-part"), make_html_part("cint-table-part")
        self._warnings = make_html_part("cint-warnings-part")
        self._table.tabbable = True  # it scrolls, so the keyboard must be able to reach it
        self.controls = StatusControls(self._draw)
        super().__init__(
            "status-table",
            mode or mode_of(source),
            title,
            (self._line, self._warnings, self._table, self._make_buttons(), self.controls.box),
        )
        self._throttle: Throttle[tuple[pd.DataFrame, pd.DataFrame | None]] = Throttle(self._show_frame)
        if isinstance(source, pd.DataFrame):
            self._show_frame((source, None))
        else:
            show_state(self._line, "calm", "…", "not loaded yet")

    def _make_buttons(self) -> widgets.HBox:
        self.refresh_button = widgets.Button(description="Refresh now")
        self.refresh_button.add_class("cint-refresh")
        self.refresh_button.on_click(lambda _: self.refresh())
        self.live_button = widgets.Button(description="Keep fresh", tooltip="Refresh again and again")
        self.live_button.add_class("cint-live")
        self.live_button.on_click(lambda _: self.stop() if self._auto_refresh else self.start())
        extra = () if self.interval in dict(INTERVALS).values() else ((format_duration(self.interval), self.interval),)
        self.every = widgets.Dropdown(options=[*extra, *INTERVALS], value=self.interval, description="every")
        self.every.add_class("cint-every")
        self.every.observe(self._on_interval, "value")
        self.more_button = widgets.ToggleButton(value=False, description="Sort, filter, columns")
        self.more_button.add_class("cint-more")
        self.more_button.observe(self._on_more, "value")
        loading = [self.refresh_button, self.live_button, self.every] if self._loader else []
        buttons = widgets.HBox([*loading, self.more_button])
        buttons.add_class("cint-buttons")
        return buttons

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
        show_state(
            self._line,
            "busy",
            "↻",
            "refreshing",
            format_count(len(self.frame), "target group") if len(self.frame) else None,
        )
        run_in_thread(self._load)
        return self

    def start(self) -> StatusTable:
        """Keep the table fresh in the background, every `interval` seconds, and return at once."""
        with self._lock:
            if self._loader is None or self._auto_refresh:
                return self
            self._auto_refresh = True
            self._refresh_number += 1
            number = self._refresh_number
        self.live_button.description = "Pause"
        self.refresh()
        self._schedule_refresh(number, 0.0)
        return self

    def stop(self) -> None:
        """Pause: keep what is shown and load nothing more by itself."""
        with self._lock:
            self._auto_refresh = False
            self._refresh_number += 1
        self.live_button.description = "Keep fresh"
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
        self.controls.set_options(
            TableOptions(sort_by, descending, filter_text, columns or tuple(self._view.default_columns()))
        )
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
                for frame in [loaded] if isinstance(loaded, pd.DataFrame) else loaded:
                    self._throttle.submit((frame, before))
        except Exception as error:  # noqa: BLE001  # whatever a loader raises belongs in the panel, not on a thread
            self._loading = False
            self._show_error(error)
            show_state(self._line, "bad", "✕", "the last refresh failed", "what is shown is older")
            return
        self._loading = False
        self._show_error(None)
        self._throttle.submit((frame, before), last=True)

    def _show_frame(self, shown: tuple[pd.DataFrame, pd.DataFrame | None]) -> None:
        frame, before = shown
        with self._lock:
            self._view = StatusView(frame, changed_cells(before, frame))
            self.controls.set_columns(self._view.all_columns(), self._view.default_columns())
            self.value = frame
            self._draw()

    # --- drawing ----------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        with self._lock:
            self._view = StatusView(self._view.frame, self._view.changed, self.controls.options)
            set_html(self._warnings, render_warnings(self.warnings))
            set_html(self._table, render_table(self._view, caption=self._title))
            self.controls.show_text(to_delimited_text(self._view, "\t") if self.controls.show_copy.value else "")
            self._show_loaded()

    def _show_loaded(self) -> None:
        if not isinstance(self.value, pd.DataFrame):
            return
        shown, all_rows = len(self._view.visible_rows()), len(self.frame)
        rows = (
            format_count(all_rows, "target group") if shown == all_rows else f"{shown:,} of {all_rows:,} target groups"
        )
        if self._loading:
            show_state(self._line, "busy", "↻", "refreshing", f"{rows}, figures are coming in")
        elif self._loader is None:
            show_state(self._line, "calm", "▤", rows)
        elif self._auto_refresh:
            show_state(self._line, "good", "●", "fresh", f"{rows}, refreshed every {format_duration(self.interval)}")
        else:
            show_state(self._line, "calm", "▤", rows, "refreshed when you ask")

    def _on_interval(self, change: dict[str, float]) -> None:
        self.interval = float(change["new"])
        if self._auto_refresh:
            self.stop()
            self.start()

    def _on_more(self, change: dict[str, bool]) -> None:
        self.controls.box.layout.display = "" if change["new"] else "none"

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
        if why := self._view.empty_text():
            return super().to_static_html() + f"<p>{why}</p>"
        heads, cells, more = plain_rows(self._view, STATIC_ROWS)
        tail = f"<p>{escape(format_count(more, 'more target group'))}</p>" if more else ""
        return super().to_static_html() + static_html.plain_table(heads, cells) + tail
