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

from cint_nb.panels.look import static_html
from cint_nb.panels.look.background import Throttle, after, beside
from cint_nb.panels.look.base import Panel, html_part, say, write
from cint_nb.panels.look.mode import mode_of
from cint_nb.panels.look.text_format import count, duration, esc
from cint_nb.panels.status_table.controls import INTERVALS, StatusControls
from cint_nb.panels.status_table.model import StatusView, Wish, as_text, changes, draw_table, plain_rows, text_table

Loader = Callable[[], pd.DataFrame | Iterable[pd.DataFrame]]

LIVE_HOURS = 12
"""A table that somebody forgot stops asking the exchange after so many hours."""
STILL_ROWS = 50


class StatusTable(Panel):
    """Show one row a target group: state, goal, completes, saved ids, rates, cost and warnings.

    Args:
        source: A status frame, or a callable that returns a fresh one, such as `client.project_status("…")` or
            `wave.status`. It runs in the background. It may yield several frames, each more complete than the one
            before; cells count as changed against the end of the refresh before.
        mode: `sandbox`, `replay` or `live`; that of the source when left out.
        title: Heading.
        interval: Seconds between two refreshes while the table is live, at least 1.

    `frame` is the plain DataFrame; its columns are those of `cint_nb.study.frames.status_frame`, and `trend`, a list of
    numbers, is drawn as a line. `start()` keeps it fresh, `refresh()` asks once, `stop()` pauses.
    """

    def __init__(
        self,
        source: pd.DataFrame | Loader,
        *,
        mode: object = None,
        title: str = "Status",
        interval: float = 30.0,
    ) -> None:
        self._loader: Loader | None = None if isinstance(source, pd.DataFrame) else source
        self.interval = max(float(interval), 1.0)
        self._view = StatusView(pd.DataFrame())
        self._live, self._loading, self._round = False, False, 0
        self._lock = threading.RLock()
        self._line, self._table = html_part("cint-status-part"), html_part("cint-table-part")
        self._table.tabbable = True  # it scrolls, so the keyboard must be able to reach it
        self.controls = StatusControls(self._draw)
        super().__init__(
            "status-table",
            mode or mode_of(source),
            title,
            (self._line, self._table, self._make_buttons(), self.controls.box),
        )
        self._throttle: Throttle[tuple[pd.DataFrame, pd.DataFrame | None]] = Throttle(self._take)
        if isinstance(source, pd.DataFrame):
            self._take((source, None))
        else:
            say(self._line, "calm", "…", "not loaded yet")

    def _make_buttons(self) -> widgets.HBox:
        self.refresh_button = widgets.Button(description="Refresh now")
        self.refresh_button.add_class("cint-refresh")
        self.refresh_button.on_click(lambda _: self.refresh())
        self.live_button = widgets.Button(description="Keep fresh", tooltip="Refresh again and again")
        self.live_button.add_class("cint-live")
        self.live_button.on_click(lambda _: self.stop() if self._live else self.start())
        extra = () if self.interval in dict(INTERVALS).values() else ((duration(self.interval), self.interval),)
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

    def update(self, frame: pd.DataFrame) -> None:
        """Show this frame; callable from any thread, at most four frames a second are drawn, the last always."""
        self._throttle.offer((frame, self.value))

    def refresh(self) -> StatusTable:
        """Ask the loader for a fresh frame in the background and return at once; without a loader nothing happens."""
        with self._lock:
            if self._loader is None or self._loading:
                return self
            self._loading = True
        say(self._line, "busy", "↻", "refreshing", count(len(self.frame), "target group") if len(self.frame) else "")
        beside(self._load)
        return self

    def start(self) -> StatusTable:
        """Keep the table fresh in the background, every `interval` seconds, and return at once."""
        with self._lock:
            if self._loader is None or self._live:
                return self
            self._live = True
            self._round += 1
            number = self._round
        self.live_button.description = "Pause"
        self.refresh()
        self._again(number, 0.0)
        return self

    def stop(self) -> None:
        """Pause: keep what is shown and load nothing more by itself."""
        with self._lock:
            self._live = False
            self._round += 1
        self.live_button.description = "Keep fresh"
        self._say_loaded()

    def close(self) -> None:
        """Stop refreshing and take the panel away."""
        self.stop()
        super().close()

    def to_csv(self, path: str | Path) -> Path:
        """Write the rows as shown to a CSV file and return its path; texts cannot run in a spreadsheet."""
        target = Path(path)
        target.write_text(as_text(self._view, ","), encoding="utf-8")
        return target

    def arrange(
        self, *, sort: str = "", descending: bool = False, words: str = "", columns: tuple[str, ...] = ()
    ) -> StatusTable:
        """Sort, filter and choose columns from code, by the names of the frame's columns.

        Args:
            sort: Column to sort by, empty for the order of the frame; empty cells come last.
            descending: Highest first.
            words: Keep the rows that hold each of these words.
            columns: Columns to show, empty for the usual ones.

        Raises:
            KeyError: a name is not a column of the frame.
        """
        unknown = [name for name in (sort, *columns) if name and name not in self.frame.columns]
        if unknown:
            raise KeyError(f"no such column: {', '.join(unknown)}")
        self.controls.set(Wish(sort, descending, words, columns or tuple(self._view.usual())))
        self._draw()
        return self

    # --- in the background ------------------------------------------------------------------------------------

    def _again(self, number: int, waited: float) -> None:
        def due() -> None:
            if not self._live or self._round != number:
                return
            if waited >= LIVE_HOURS * 3600:
                self.stop()
                return
            self.refresh()
            self._again(number, waited + self.interval)

        after(self.interval, due)

    def _load(self) -> None:
        loader = self._loader
        if loader is None:
            return
        before, frame = self.value, self.frame
        try:
            loaded = loader()
            for frame in [loaded] if isinstance(loaded, pd.DataFrame) else loaded:
                self._throttle.offer((frame, before))
        except Exception as error:  # noqa: BLE001  # whatever a loader raises belongs in the panel, not on a thread
            self._loading = False
            self._show_error(error)
            say(self._line, "bad", "✖", "the last refresh failed", "what is shown is older")
            return
        self._loading = False
        self._show_error(None)
        self._throttle.offer((frame, before), last=True)

    def _take(self, shown: tuple[pd.DataFrame, pd.DataFrame | None]) -> None:
        frame, before = shown
        with self._lock:
            self._view = StatusView(frame, changes(before, frame))
            self.controls.offer(self._view.names(), self._view.usual())
            self.value = frame
            self._draw()

    # --- drawing ----------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        with self._lock:
            self._view = StatusView(self._view.frame, self._view.changed, self.controls.wish)
            write(self._table, draw_table(self._view, caption=self._title))
            self.controls.show_text(as_text(self._view, "\t") if self.controls.copy.value else "")
            self._say_loaded()

    def _say_loaded(self) -> None:
        if not isinstance(self.value, pd.DataFrame):
            return
        shown, all_rows = len(self._view.rows()), len(self.frame)
        rows = count(all_rows, "target group") if shown == all_rows else f"{shown:,} of {all_rows:,} target groups"
        if self._loading:
            say(self._line, "busy", "↻", "refreshing", f"{rows}, figures are coming in")
        elif self._loader is None:
            say(self._line, "calm", "▤", rows)
        elif self._live:
            say(self._line, "good", "●", "fresh", f"{rows}, refreshed every {duration(self.interval)}")
        else:
            say(self._line, "calm", "▤", rows, "refreshed when you ask")

    def _on_interval(self, change: dict[str, float]) -> None:
        self.interval = float(change["new"])
        if self._live:
            self.stop()
            self.start()

    def _on_more(self, change: dict[str, bool]) -> None:
        self.controls.box.layout.display = "" if change["new"] else "none"

    def summary(self) -> list[str]:
        """Return the title and the number of target groups."""
        loaded = isinstance(self.value, pd.DataFrame)
        return [self._title, count(len(self.frame), "target group") if loaded else "not loaded yet"]

    def text(self) -> str:
        """Return the repr and the rows as aligned text."""
        if not isinstance(self.value, pd.DataFrame):
            return repr(self)
        return "\n".join([repr(self), *text_table(self._view, limit=STILL_ROWS)])

    def still(self) -> str:
        """Return the rows as a table, at most fifty."""
        if not isinstance(self.value, pd.DataFrame):
            return super().to_static_html()
        heads, cells, more = plain_rows(self._view, STILL_ROWS)
        tail = f"<p>{esc(count(more, 'more target group'))}</p>" if more else ""
        return super().to_static_html() + (static_html.plain_table(heads, cells) if cells else "") + tail
