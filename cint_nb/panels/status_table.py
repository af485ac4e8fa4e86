"""A panel that shows the status DataFrame, and keeps it fresh in the background when it is given a loader."""

from __future__ import annotations

import threading
from collections.abc import Callable

import ipywidgets as widgets
import pandas as pd

from cint_nb.panels.background import Throttle, after, beside
from cint_nb.panels.base import Panel, html_part, say, write
from cint_nb.panels.status_model import StatusView, changes, draw_table, text_table
from cint_nb.panels.wording import count

Loader = Callable[[], pd.DataFrame]


class StatusTable(Panel):
    """Show one row a target group: state, goal, completes, saved ids, rates, cost and warnings.

    Args:
        source: A status frame, or a callable that returns a fresh one. The callable runs in the background.
        mode: `sandbox`, `replay` or `live`.
        title: Heading.
        interval: Seconds between two refreshes while the table is live, at least 1.

    `frame` is the plain DataFrame; `start()` keeps it fresh, `refresh()` asks once, `stop()` pauses.
    """

    def __init__(
        self,
        source: pd.DataFrame | Loader,
        *,
        mode: object = "sandbox",
        title: str = "Status",
        interval: float = 30.0,
    ) -> None:
        self._loader: Loader | None = None if isinstance(source, pd.DataFrame) else source
        self.interval = max(float(interval), 1.0)
        self._live = False
        self._round = 0
        self._loading = False
        self._lock = threading.RLock()
        self._line = html_part("cint-status-part")
        self._table = html_part("cint-table-part")
        self.refresh_button = widgets.Button(description="Refresh now")
        self.refresh_button.add_class("cint-refresh")
        self.refresh_button.on_click(lambda _: self.refresh())
        self.live_button = widgets.Button(description="Keep fresh")
        self.live_button.add_class("cint-live")
        self.live_button.on_click(lambda _: self.stop() if self._live else self.start())
        buttons = widgets.HBox([self.refresh_button, self.live_button] if self._loader else [])
        buttons.add_class("cint-buttons")
        super().__init__("status-table", mode, title, (self._line, self._table, buttons))
        self._throttle: Throttle[pd.DataFrame] = Throttle(self._take)
        if isinstance(source, pd.DataFrame):
            self._take(source)
        else:
            say(self._line, "calm", "…", "not loaded yet")

    @property
    def frame(self) -> pd.DataFrame:
        """Return the status frame last shown, empty before the first refresh."""
        return self.value if isinstance(self.value, pd.DataFrame) else pd.DataFrame()

    def update(self, frame: pd.DataFrame) -> None:
        """Show this frame; callable from any thread, at most four frames a second are drawn, the last always."""
        self._throttle.offer(frame)

    def refresh(self) -> StatusTable:
        """Ask the loader for a fresh frame in the background and return at once; a table of a frame stays as it is."""
        with self._lock:
            if self._loader is None or self._loading:
                return self
            self._loading = True
        say(self._line, "busy", "↻", "refreshing")
        beside(self._load)
        return self

    def start(self) -> StatusTable:
        """Keep the table fresh in the background, every `interval` seconds, and return at once."""
        with self._lock:
            if self._loader is None or self._live:
                return self
            self._live = True
            self._round += 1
        self.live_button.description = "Pause"
        self.refresh()
        self._again(self._round)
        return self

    def stop(self) -> None:
        """Pause: keep what is shown and load nothing more by itself."""
        with self._lock:
            self._live = False
            self._round += 1
        self.live_button.description = "Keep fresh"
        self._say_loaded()

    def _again(self, number: int) -> None:
        def due() -> None:
            if self._live and self._round == number:
                self.refresh()
                self._again(number)

        after(self.interval, due)

    def _load(self) -> None:
        loader = self._loader
        if loader is None:
            return
        try:
            frame = loader()
        except Exception as error:  # noqa: BLE001  # whatever a loader raises belongs in the panel, not on a thread
            self._loading = False
            self._show_error(error)
            say(self._line, "bad", "✖", "the last refresh failed")
            return
        self._loading = False
        self._show_error(None)
        self._throttle.offer(frame, last=True)

    def _take(self, frame: pd.DataFrame) -> None:
        before = self.value if isinstance(self.value, pd.DataFrame) else None
        self._view = StatusView(frame, changes(before, frame))
        self.value = frame
        write(self._table, draw_table(self._view, caption=self._title))
        self._say_loaded()

    def _say_loaded(self) -> None:
        if not isinstance(self.value, pd.DataFrame):
            return
        rows = count(len(self.frame), "target group")
        if self._loader is None:
            say(self._line, "calm", "▤", rows)
        elif self._live:
            say(self._line, "good", "●", "live", f"{rows}, refreshed every {self.interval:g} s")
        else:
            say(self._line, "calm", "❚❚", "paused", rows)

    def summary(self) -> list[str]:
        """Return the title and the number of target groups."""
        loaded = isinstance(self.value, pd.DataFrame)
        return [self._title, count(len(self.frame), "target group") if loaded else "not loaded yet"]

    def text(self) -> str:
        """Return the repr and the rows as aligned text."""
        if not isinstance(self.value, pd.DataFrame):
            return repr(self)
        return "\n".join([repr(self), *text_table(self._view)])
