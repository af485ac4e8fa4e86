"""The one line on a terminal that says what a command is doing, while that takes long.

It stands on the error stream, so that what is printed can be piped, and only where that stream is a terminal.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from cint_nb.domain.ids import quote_foreign
from cint_nb.panels.look.background import call_later
from cint_nb.panels.look.text_format import format_duration

SHOWN_AFTER_SECONDS = 1.0
"""What is quicker shows no line: one that flashes by is read by nobody."""
_TICK_SECONDS = 1.0
_LONGEST = 60
_active: list[Progress] = []


def clear_line() -> None:
    """Take the line away, so that something else can be printed; it comes back when there is something new to say."""
    for progress in _active:
        progress.clear()


class Progress:
    """Say what is done, how far it is and for how long, from the first second on until the block ends.

    A terminal that cannot overwrite a line (`TERM=dumb`) gets a line for each step that takes long. There is no colour
    in it, so that `NO_COLOR` has nothing to take away.

    Args:
        what: What the command does, such as `Recording`.
        total: How many steps there are, where that is known.
        stream: Where the line stands; standard error if omitted.
        monotonic: Tells the time in seconds.
        later: Runs a call after some seconds.
    """

    def __init__(
        self,
        what: str,
        *,
        total: int | None = None,
        stream: TextIO | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        later: Callable[[float, Callable[[], None]], None] = call_later,
    ) -> None:
        self._what, self._total = quote_foreign(what, _LONGEST), total
        self._stream = stream if stream is not None else sys.stderr
        self._monotonic, self._later = monotonic, later
        self._lock = threading.RLock()
        self._step, self._number = "", 0
        self._started = self._step_started = 0.0
        self._shown = ""
        self._is_open = False
        self._overwrites = os.environ.get("TERM") != "dumb"

    def __enter__(self) -> Self:
        """Begin; nothing is shown yet, and without a terminal nothing ever."""
        if self._stream is not None and self._stream.isatty():
            self._is_open = True
            self._started = self._step_started = self._monotonic()
            _active.append(self)
            self._later(SHOWN_AFTER_SECONDS, self._tick)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the line away."""
        with self._lock:
            if self._is_open:
                self.clear()
                self._is_open = False
                _active.remove(self)

    def step(self, name: str) -> None:
        """Begin the next step.

        Args:
            name: What it is about.
        """
        with self._lock:
            self._step, self._number = quote_foreign(name, _LONGEST), self._number + 1
            self._step_started = self._monotonic()
            if self._overwrites and self._is_open and self._monotonic() - self._started >= SHOWN_AFTER_SECONDS:
                self._draw()

    def clear(self) -> None:
        """Take the line away until the next step, or the next second."""
        with self._lock:
            if self._shown and self._overwrites:
                self._write(f"\r{' ' * len(self._shown)}\r")
            self._shown = ""

    def _tick(self) -> None:
        with self._lock:
            if self._is_open:
                self._draw()
                self._later(_TICK_SECONDS, self._tick)

    def _draw(self) -> None:
        seconds = self._monotonic() - self._started
        count = f"{self._number} of {self._total}" if self._total is not None and self._number else ""
        words = [each for each in (self._what, count, self._step) if each]
        if self._overwrites:
            text = " · ".join([*words, format_duration(seconds)])[: max(shutil.get_terminal_size().columns - 1, 1)]
            self.clear()
            self._write(text)
        else:
            text = " · ".join(words)
            if text == self._shown or self._monotonic() - self._step_started < SHOWN_AFTER_SECONDS:
                return
            self._write(f"{text}\n")
        self._shown = text

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
