"""Warnings that reach whoever called: through Python's `warnings`, in the caller's thread, at the caller's line.

What is said while a caller waits for the loop thread is shown when the wait ends, since the filters of a notebook and
`warnings.catch_warnings` hold in the caller's thread only.
"""

from __future__ import annotations

import re
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar, Token

from cint_nb.domain.errors import LIBRARY_PATHS, CintWarning

_CELL = re.compile(r"[/\\]ipykernel_\d+[/\\]\d+\.py$")


class _Wait:
    """One caller that waits, and what was said meanwhile: all of it, and what is still to be shown."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self._to_show: list[str] | None = []
        self._lock = threading.Lock()

    def note(self, text: str) -> None:
        with self._lock:
            if text not in self.said:
                self.said.append(text)

    def will_show(self, text: str) -> bool:
        """Keep a text to show at the end of the wait; False if that has passed."""
        with self._lock:
            if self._to_show is None:
                return False
            self._to_show.append(text)
            return True

    def end(self) -> list[str]:
        with self._lock:
            texts, self._to_show = self._to_show or [], None
        return texts


_waits: ContextVar[tuple[_Wait, ...]] = ContextVar("cint_nb_waits", default=())
"""The outermost first."""


@contextmanager
def deliver_warnings(*, show: bool = True) -> Iterator[list[str]]:
    """Collect what is said during the block, and show it in this thread when the outermost such block ends.

    Tasks that are started in the block belong to it, on whatever thread they run.

    Args:
        show: Whether to show it through Python's `warnings`; not where a panel does.

    Yields:
        What was said so far, each text once, including what this client had said before.
    """
    wait = _Wait()
    token = _waits.set((*_waits.get(), wait))
    try:
        yield wait.said
    except BaseException as error:
        with suppress(CintWarning):  # one that a filter makes an error hides no other
            _end(wait, token, show, known=str(error))
        raise
    _end(wait, token, show)


def _end(wait: _Wait, token: Token[tuple[_Wait, ...]], show: bool, known: str | None = None) -> None:
    with suppress(ValueError):  # a coroutine that nobody awaits any more is closed in another context
        _waits.reset(token)
    texts = wait.end()
    if show:
        show_warnings(text for text in texts if known is None or text not in known)  # what the error says is said


def keep_for_caller(text: str, *, again: bool = False) -> bool:
    """Keep a text for the caller who waits, if there is one; return whether there is.

    Args:
        text: The warning.
        again: Whether it was shown before: it then stands with the result of this call, and is not shown once more.
    """
    waits = _waits.get()
    for wait in waits:
        wait.note(text)
    return again or any(wait.will_show(text) for wait in waits)


def warn_caller(text: str) -> None:
    """Warn whoever called, at their line: at once, or when their wait for the loop thread ends."""
    if not keep_for_caller(text):
        show_warnings([text])


def format_warning_count(texts: Sequence[str]) -> str:
    """Return what a repr says of warnings: how many, and the last; nothing where there is none."""
    if not texts:
        return ""
    return f" · 1 warning: {texts[0]}" if len(texts) == 1 else f" · {len(texts)} warnings, the last: {texts[-1]}"


def _name_of_place(filename: str) -> str:
    """Return a file as the caller knows it: a cell has no name but that of a temporary file, new in each kernel."""
    return "cell" if _CELL.search(filename) else filename


def show_warnings(texts: Iterable[str]) -> None:
    """Show texts through Python's `warnings`, at the line of the nearest caller outside the package.

    Raises:
        CintWarning: the first, where a filter makes warnings errors; the others were shown or raised likewise.
    """
    raised: CintWarning | None = None
    frame = sys._getframe(1)  # noqa: SLF001 - the cheapest way to the caller, which `inspect` uses too
    while frame.f_back is not None and frame.f_code.co_filename.startswith(LIBRARY_PATHS):
        frame = frame.f_back
    for text in texts:
        try:
            # A registry of our own: which text was shown already is decided for each client, not for each line.
            warnings.warn_explicit(
                text,
                CintWarning,
                _name_of_place(frame.f_code.co_filename),
                frame.f_lineno,
                module=frame.f_globals.get("__name__") or "<code>",  # with None, Python shows nothing at all
                registry={},
            )
        except CintWarning as warning:
            raised = raised or warning
    if raised is not None:
        raise raised
