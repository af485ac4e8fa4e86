"""Nested event loops, for analysts who write `asyncio.run(...)` in a cell. Nothing of ours needs them."""

from __future__ import annotations

import asyncio


def allow_nested_loops() -> None:
    """Let `asyncio.run` work inside a running loop, such as a notebook's, through nest_asyncio2.

    It changes asyncio for the whole process, so it happens only when asked for. Plain verbs and `await` of this
    package work with and without it.
    """
    import nest_asyncio2

    nest_asyncio2.apply()


def archived_nest_asyncio_applied() -> bool:
    """Tell whether the archived nest_asyncio (1.6 and before) has patched asyncio in this process.

    On ipykernel 7.1 and later that patch silently loses the queued cells of a Run All; `allow_nested_loops` does not.
    """
    return bool(getattr(asyncio, "_nest_patched", False)) and not hasattr(asyncio, "_nest_asyncio2")
