"""The turns of processes and threads that write one history: the system ends a turn when its process ends."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

from cint_nb.domain.errors import HistoryBusy, HistoryError

PATIENCE_SECONDS = 300.0
_STEP_SECONDS = 0.1


class FolderLock:
    """The turn of one writer, for a `with` block. Reading needs none.

    Args:
        path: The file that is locked; it stays.
        patience: How long to wait for another writer, in seconds.
        wait: Waits for some seconds.
        now: The time, in seconds.
    """

    def __init__(
        self,
        path: Path,
        *,
        patience: float = PATIENCE_SECONDS,
        wait: Callable[[float], object] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._patience = patience
        self._wait = wait
        self._now = now
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        """Wait for the turn.

        Raises:
            HistoryBusy: another writer did not end in time; it is named.
            HistoryError: the file system knows no locks.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        began = self._now()
        try:
            while not _try_lock(descriptor):
                if self._now() - began >= self._patience:
                    self._raise_busy(descriptor)
                self._wait(_STEP_SECONDS)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()}".encode(), 0) if hasattr(os, "pwrite") else None
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the turn."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            _unlock(descriptor)
            os.close(descriptor)

    def _raise_busy(self, descriptor: int) -> NoReturn:
        holder = "another process"
        with suppress(OSError):
            os.lseek(descriptor, 0, os.SEEK_SET)
            holder = os.read(descriptor, 100).decode("ascii", "replace") or holder
        raise HistoryBusy(
            f"The history is being written by {holder}.",
            evidence={"folder": self._path.parent.name, "waited_seconds": round(self._patience)},
            safe="nothing was written from here; the other process continues.",
            next_step="wait until it is done, or stop it (shut down its kernel), and run this again.",
        )


def _try_lock(descriptor: int) -> bool:
    try:
        module: Any = __import__("fcntl")
    except ImportError:
        return _try_lock_on_windows(descriptor)
    try:
        module.flock(descriptor, module.LOCK_EX | module.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise HistoryError(
            "The file system of this history has no locks, so that two kernels could write at once.",
            evidence={"reason": error.strerror},
            safe="nothing was written.",
            next_step="keep the history on a disk of this computer.",
        ) from None
    return True


def _try_lock_on_windows(descriptor: int) -> bool:
    module: Any = __import__("msvcrt")
    os.lseek(descriptor, 200, os.SEEK_SET)  # behind the text, which others may read
    try:
        module.locking(descriptor, module.LK_NBLCK, 1)
    except OSError:
        return False
    return True


def _unlock(descriptor: int) -> None:
    try:
        module: Any = __import__("fcntl")
        module.flock(descriptor, module.LOCK_UN)
    except ImportError:
        module = __import__("msvcrt")
        os.lseek(descriptor, 200, os.SEEK_SET)
        module.locking(descriptor, module.LK_UNLCK, 1)
