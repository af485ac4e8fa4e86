"""How an error reads in a notebook: the reader's own lines, then the message; no frame of the package."""

from __future__ import annotations

import linecache
import os
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

FULL = "CINT_NB_FULL_TRACEBACK"
"""Set to anything, it brings IPython's own tracebacks back, for whoever works on the package."""

_NOT_THE_READERS = (str(Path(__file__).parents[1]), *{sysconfig.get_path(name) for name in ("stdlib", "purelib")})


def wants_full_tracebacks() -> bool:
    """Tell whether whoever works on the package wants every frame."""
    return bool(os.environ.get(FULL))


def notebook_traceback(error: BaseException) -> list[str]:
    """Return what a notebook shows for an error: where in the reader's code it came up, and the message.

    An error deep in a request has some hundred lines of traceback, and under IPython's verbose mode the values of all
    variables with them, respondent ids too.
    """
    name = f"\x1b[31m{type(error).__name__}\x1b[0m"
    return ["\n".join([name, *_readers_lines(error.__traceback__), str(error)])]


def _readers_lines(frames: TracebackType | None) -> Iterator[str]:
    while frames is not None:
        code = frames.tb_frame.f_code
        if not code.co_filename.startswith(_NOT_THE_READERS):
            where = "cell" if code.co_name == "<module>" else f"{code.co_name}()"
            line = linecache.getline(code.co_filename, frames.tb_lineno).strip()
            yield f"{where}, line {frames.tb_lineno}: {line}"
        frames = frames.tb_next
