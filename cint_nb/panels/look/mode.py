"""Which exchange a panel is about, by what it shows; a badge that guesses could call live money practice."""

from __future__ import annotations

import os
from typing import Any

_latest_mode: list[str] = []
_modes: set[str] = set()


def remember_mode(mode: object) -> None:
    """Remember the mode of the latest connection."""
    _latest_mode[:] = [str(mode)]
    _modes.add(str(mode))


def certain_mode() -> str | None:
    """Return the mode of all connections so far; None where there was none, or where they differ.

    Values that do not know their own mode show this one: with two it would be a guess.
    """
    return next(iter(_modes)) if len(_modes) == 1 else None


def mode_of(source: Any = None) -> str:
    """Return the mode of a job, a status frame, a loader or a wave's verb.

    Without a source that knows: the mode of the latest connection, else the one that `connect()` would choose.
    """
    attrs = getattr(source, "attrs", None)
    if isinstance(attrs, dict) and attrs.get("mode"):
        return str(attrs["mode"])
    owner = getattr(source, "__self__", source)
    for path in (("mode",), ("client", "mode"), ("http", "settings", "mode")):
        found: Any = owner
        for name in path:
            found = getattr(found, name, None)
        if isinstance(found, str) and found:
            return str(found)
    return _latest_mode[0] if _latest_mode else os.environ.get("CINT_NB_MODE", "").strip().lower() or "sandbox"
