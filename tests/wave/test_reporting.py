"""What a step shows while it runs, and what it says when the exchange would refuse."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from cint_nb.api.safety.send_once import send_once
from cint_nb.domain.errors import InvalidState, OutcomeUnknown
from cint_nb.domain.jobs import JobHandle, JobKind, JobSnapshot, JobState
from cint_nb.wave import reporting
from cint_nb.wave.client import Client
from cint_nb.wave.reporting import run_with_progress
from cint_nb.wave.wave import Wave
from cint_nb.wire.clock import SystemClock
from cint_nb.wire.http import Http
from cint_nb.wire.settings import Settings

SNAPSHOT = JobSnapshot(
    handle=JobHandle(kind=JobKind.UPLOAD, base_url="https://x.invalid/v1", account_id=1, job_id="JOB", id_count=10),
    state=JobState.RUNNING,
)


class RecordingReporter:
    """A reporter that keeps what it is given."""

    def __init__(self) -> None:
        self.snapshots: list[JobSnapshot] = []
        self.ends: list[JobSnapshot | None] = []
        self.notes: list[str] = []

    def update(self, snapshot: JobSnapshot) -> None:
        self.snapshots.append(snapshot)

    def note(self, text: str) -> None:
        assert threading.current_thread() is threading.main_thread(), "text printed elsewhere lands in another cell"
        self.notes.append(text)

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


def test_a_step_that_ends_just_as_a_wait_for_it_is_over_has_not_timed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "_POLL_SECONDS", 0.0)  # a wait is over at every moment

    async def step(number: int) -> int:
        await asyncio.sleep(0)
        return number

    for number in range(300):
        assert run_with_progress(lambda _: step(number), RecordingReporter(), resume=None) == number  # noqa: B023


def test_a_time_out_of_the_step_itself_is_raised() -> None:
    async def step() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        run_with_progress(lambda _: step(), RecordingReporter(), resume=None)


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


STEPS: dict[str, tuple[str, Callable[[Wave], object]]] = {
    "create": ("create the draft target group", lambda wave: wave.create()),
    "upload": ("upload recontacts", lambda wave: wave.upload()),
    "resubmit": ("upload recontacts", lambda wave: wave.resubmit()),
    "remove": ("remove all recontacts", lambda wave: wave.remove()),
}


@pytest.mark.sampled(every=4)
@pytest.mark.parametrize("verb", STEPS)
@pytest.mark.parametrize("fault", ["drop-reply@{0}", "drop-reply@{0}*2", "500@{0}"])
def test_the_minute_after_a_lost_reply_is_shown_where_jobs_are(
    client: Client, make_wave: Callable[..., Wave], verb: str, fault: str
) -> None:
    wave = make_wave()
    for step in list(STEPS)[: list(STEPS).index(verb)]:
        STEPS[step][1](wave)
    made: list[RecordingReporter] = []

    def reporter(*_: str) -> RecordingReporter:
        made.append(RecordingReporter())
        return made[-1]

    client.aio.reporter_factory = reporter
    client.sandbox.faults.arm(fault.format("upload" if verb == "resubmit" else verb))
    what, call = STEPS[verb]
    call(wave)
    (shown,) = made
    assert shown.notes
    assert all(note.startswith(f"The reply to a request was lost: {what}.") for note in shown.notes)
    assert "Read 1 of 3" in shown.notes[0]
    assert len(shown.ends) == 1


def test_a_step_that_takes_no_time_shows_nothing(client: Client, make_wave: Callable[..., Wave]) -> None:
    made: list[str] = []
    client.aio.reporter_factory = lambda title, _: made.append(title) or RecordingReporter()  # type: ignore[func-returns-value]
    make_wave().create()
    make_wave().create()
    assert made == []


def test_an_interrupt_while_a_step_without_a_job_is_checked_names_no_job() -> None:
    async def step(_: object) -> None:
        async def check() -> None:
            return None

        await send_once(Http(Settings.load("sandbox", environ={}), clock=StoppedClock()), lost, check, what="do it")

    async def lost() -> None:
        raise OutcomeUnknown("lost")

    class Interrupted(RecordingReporter):
        def note(self, text: str) -> None:
            super().note(text)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        run_with_progress(step, Interrupted(), resume=None)
    assert str(caught.value) == ""


class StoppedClock(SystemClock):
    """A clock on which no wait ends."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()


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
