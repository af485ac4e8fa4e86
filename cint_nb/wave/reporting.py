"""Waiting for a step in the calling thread, with its progress passed to a reporter there.

Reporters run in the caller's thread on purpose: text printed from the loop thread would land in another cell.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Coroutine
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, Protocol, TypeVar

from cint_nb.domain.jobs import JobSnapshot
from cint_nb.wire import loop_thread

T = TypeVar("T")
_POLL_SECONDS = 0.1


class ProgressReporter(Protocol):
    """Protocol for what shows the progress of one job; created for each step by the client's reporter factory."""

    def update(self, snapshot: JobSnapshot) -> None:
        """Show a snapshot of the job."""
        ...

    def finish(self, snapshot: JobSnapshot | None) -> None:
        """Show the end: the last snapshot, or None if there was none."""
        ...


ReporterFactory = Callable[[str, str], ProgressReporter]


class SilentReporter:
    """A reporter that shows nothing."""

    def update(self, snapshot: JobSnapshot) -> None:
        """Ignore a snapshot."""

    def finish(self, snapshot: JobSnapshot | None) -> None:
        """Ignore the end."""


def make_silent_reporter(title: str, mode: str) -> SilentReporter:  # noqa: ARG001 - the factory's signature
    """Create a reporter that shows nothing."""
    return SilentReporter()


def run_with_progress(
    step: Callable[[Callable[[JobSnapshot], None]], Coroutine[Any, Any, T]], reporter: ProgressReporter, *, resume: str
) -> T:
    """Run a step on the loop thread, report its progress here, and return its result.

    Args:
        step: Called with a listener for snapshots; returns the coroutine to run.
        reporter: What shows the snapshots.
        resume: The line of code that continues after an Interrupt.

    Raises:
        KeyboardInterrupt: it says that the job continues, and which line follows it again.
        LoopError: where the loop thread would never get to the step.
    """
    if not loop_thread.has_threads():
        return _run_in_this_thread(step, reporter, resume)
    loop_thread.check_may_block()
    snapshots: queue.SimpleQueue[JobSnapshot] = queue.SimpleQueue()
    last: JobSnapshot | None = None
    ended: JobSnapshot | None = None
    future = loop_thread.submit(step(snapshots.put))
    try:
        while True:
            try:
                result = future.result(timeout=_POLL_SECONDS)
                ended = result if isinstance(result, JobSnapshot) else None
                break
            except FutureTimeout:
                if future.done():
                    raise
                last = _forward_snapshots(snapshots, reporter) or last
    except KeyboardInterrupt:
        future.cancel()
        raise _interrupted(resume) from None
    finally:
        last = _forward_snapshots(snapshots, reporter) or last
        reporter.finish(last or ended)  # a step that was done before ends without a snapshot
    return result


def _run_in_this_thread(
    step: Callable[[Callable[[JobSnapshot], None]], Coroutine[Any, Any, T]], reporter: ProgressReporter, resume: str
) -> T:
    """Run a step where Python has no threads: the step itself reports, since nobody else runs beside it."""
    last: JobSnapshot | None = None

    def report(snapshot: JobSnapshot) -> None:
        nonlocal last
        last = snapshot
        reporter.update(snapshot)

    try:
        result = loop_thread.run(step(report))
        last = last or (result if isinstance(result, JobSnapshot) else None)
    except KeyboardInterrupt:
        raise _interrupted(resume) from None
    finally:
        reporter.finish(last)
    return result


def _interrupted(resume: str) -> KeyboardInterrupt:
    return KeyboardInterrupt(f"Stopped following. The job continues on the exchange; resume with {resume}")


def _forward_snapshots(snapshots: queue.SimpleQueue[JobSnapshot], reporter: ProgressReporter) -> JobSnapshot | None:
    last = None
    while not snapshots.empty():
        last = snapshots.get()
        reporter.update(last)
    return last
