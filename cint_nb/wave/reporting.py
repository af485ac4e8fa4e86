"""Waiting for a step in the calling thread, with its progress passed to a reporter there.

Reporters run in the caller's thread on purpose: text printed from the loop thread would land in another cell.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Coroutine
from concurrent.futures import wait
from functools import partial
from typing import Any, Protocol, TypeVar

from cint_nb.api.safety.send_once import listen_to_checks
from cint_nb.domain.jobs import JobSnapshot
from cint_nb.wire import loop_thread

T = TypeVar("T")
_POLL_SECONDS = 0.1


class ProgressReporter(Protocol):
    """Protocol for what shows the progress of one job; created for each step by the client's reporter factory."""

    def update(self, snapshot: JobSnapshot) -> None:
        """Show a snapshot of the job."""
        ...

    def note(self, text: str) -> None:
        """Show a sentence about what is waited for before there is a job."""
        ...

    def finish(self, snapshot: JobSnapshot | None) -> None:
        """Show the end: the last snapshot, or None if there was none."""
        ...


ReporterFactory = Callable[[str, str], ProgressReporter]


class SilentReporter:
    """A reporter that shows nothing."""

    def update(self, snapshot: JobSnapshot) -> None:
        """Ignore a snapshot."""

    def note(self, text: str) -> None:
        """Ignore a sentence."""

    def finish(self, snapshot: JobSnapshot | None) -> None:
        """Ignore the end."""


def make_silent_reporter(title: str, mode: str) -> SilentReporter:  # noqa: ARG001 - the factory's signature
    """Create a reporter that shows nothing."""
    return SilentReporter()


class OnDemandReporter:
    """A reporter that is created once there is something to show, for steps that mostly take no time.

    Args:
        factory: Creates the reporter.
        title: What is waited for.
        mode: `sandbox`, `replay` or `live`.
    """

    def __init__(self, factory: ReporterFactory, title: str, mode: str) -> None:
        self._create = partial(factory, title, mode)
        self._created: ProgressReporter | None = None

    def update(self, snapshot: JobSnapshot) -> None:
        """Show a snapshot of a job."""
        self._reporter().update(snapshot)

    def note(self, text: str) -> None:
        """Show a sentence."""
        self._reporter().note(text)

    def finish(self, snapshot: JobSnapshot | None) -> None:
        """Show the end, if anything was shown."""
        if self._created is not None:
            self._created.finish(snapshot)

    def _reporter(self) -> ProgressReporter:
        self._created = self._created or self._create()
        return self._created


def run_with_progress(
    step: Callable[[Callable[[JobSnapshot], None]], Coroutine[Any, Any, T]],
    reporter: ProgressReporter,
    *,
    resume: str | None,
) -> T:
    """Run a step on the loop thread, report its progress here, and return its result.

    Args:
        step: Called with a listener for snapshots; returns the coroutine to run.
        reporter: What shows the snapshots, and sentences about checks after a lost reply.
        resume: The line of code that follows the job again after an Interrupt; None for a step without a job.

    Raises:
        KeyboardInterrupt: it says that the job continues, and which line follows it again.
        LoopError: where the loop thread would never get to the step.
    """
    if not loop_thread.has_threads():
        return _run_in_this_thread(step, reporter, resume)
    loop_thread.check_may_block()
    shown: queue.SimpleQueue[JobSnapshot | str] = queue.SimpleQueue()
    last: JobSnapshot | None = None
    ended: JobSnapshot | None = None
    future = loop_thread.submit(_listening(step(shown.put), shown.put))
    try:
        # Not `result(timeout=…)`: a step that ends just as the time is up would be taken for one that timed out.
        while not wait([future], timeout=_POLL_SECONDS).done:
            last = _forward(shown, reporter) or last
        result = future.result()
        ended = result if isinstance(result, JobSnapshot) else None
    except KeyboardInterrupt:
        future.cancel()
        raise _interrupted(resume) from None
    finally:
        last = _forward(shown, reporter) or last
        reporter.finish(last or ended)  # a step that was done before ends without a snapshot
    return result


def _run_in_this_thread(
    step: Callable[[Callable[[JobSnapshot], None]], Coroutine[Any, Any, T]],
    reporter: ProgressReporter,
    resume: str | None,
) -> T:
    """Run a step where Python has no threads: the step itself reports, since nobody else runs beside it."""
    last: JobSnapshot | None = None

    def report(snapshot: JobSnapshot) -> None:
        nonlocal last
        last = snapshot
        reporter.update(snapshot)

    try:
        result = loop_thread.run(_listening(step(report), reporter.note))
        last = last or (result if isinstance(result, JobSnapshot) else None)
    except KeyboardInterrupt:
        raise _interrupted(resume) from None
    finally:
        reporter.finish(last)
    return result


async def _listening(step: Coroutine[Any, Any, T], note: Callable[[str], None]) -> T:
    with listen_to_checks(note):
        return await step


def _interrupted(resume: str | None) -> KeyboardInterrupt:
    if resume is None:
        return KeyboardInterrupt()
    return KeyboardInterrupt(f"Stopped following. The job continues on the exchange; resume with {resume}")


def _forward(shown: queue.SimpleQueue[JobSnapshot | str], reporter: ProgressReporter) -> JobSnapshot | None:
    """Show what has come since, and return the last snapshot of it."""
    last = None
    while not shown.empty():
        found = shown.get()
        if isinstance(found, str):
            reporter.note(found)
        else:
            last = found
            reporter.update(found)
    return last
