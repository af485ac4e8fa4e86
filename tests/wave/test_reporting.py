"""What a step shows while it runs, and what it says when the exchange would refuse."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from cint_nb.domain.errors import InvalidState
from cint_nb.domain.jobs import JobHandle, JobKind, JobSnapshot, JobState
from cint_nb.wave.client import Client
from cint_nb.wave.reporting import run_with_progress
from cint_nb.wave.wave import Wave

SNAPSHOT = JobSnapshot(
    handle=JobHandle(kind=JobKind.UPLOAD, base_url="https://x.invalid/v1", account_id=1, job_id="JOB", id_count=10),
    state=JobState.RUNNING,
)


class RecordingReporter:
    """A reporter that keeps what it is given."""

    def __init__(self) -> None:
        self.snapshots: list[JobSnapshot] = []
        self.ends: list[JobSnapshot | None] = []

    def update(self, snapshot: JobSnapshot) -> None:
        self.snapshots.append(snapshot)

    def finish(self, snapshot: JobSnapshot | None) -> None:
        self.ends.append(snapshot)


def test_a_step_that_was_done_before_is_shown_as_done_and_not_as_stopped(
    client: Client, make_wave: Callable[..., Wave]
) -> None:
    wave = make_wave()
    wave.create()
    wave.upload()
    reporter = RecordingReporter()
    client.aio.reporter_factory = lambda *_: reporter
    again = wave.upload()
    assert reporter.ends == [again]
    assert again.state is JobState.PARTIAL


def test_an_interrupt_ends_the_watching_and_names_the_line_that_goes_on() -> None:
    ended = threading.Event()

    async def step(on_snapshot: Callable[[JobSnapshot], None]) -> None:
        on_snapshot(SNAPSHOT)
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    class Interrupted(RecordingReporter):
        def update(self, snapshot: JobSnapshot) -> None:
            super().update(snapshot)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=r"continues on the exchange; resume with wave\.upload\(\)"):
        run_with_progress(step, Interrupted(), resume="wave.upload()")
    assert ended.wait(10), "or it would go on asking the exchange where nobody sees it"


def test_closing_a_paused_wave_names_the_call_of_a_wave(make_wave: Callable[..., Wave]) -> None:
    wave: Any = make_wave()
    wave.create()
    wave.upload()
    wave.launch(budget="300 EUR")
    wave.pause()
    with pytest.raises(InvalidState) as caught:
        wave.close()
    assert "wave.close(resume_first=True)" in str(caught.value.next_step)
    wave.close(resume_first=True)
    assert wave.status().loc[0, "state"] == "completed"
