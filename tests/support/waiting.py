"""Wait for what happens on another thread."""

from __future__ import annotations

import threading
from collections.abc import Callable


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait for the background, at most a minute."""
    pause = threading.Event()
    for _ in range(6_000):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("nothing happened in the background")
