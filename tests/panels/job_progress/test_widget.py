"""The progress panel tells where a job stands, in words, colour and text form."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from cint_nb.api.jobs.job import Job
from cint_nb.api.jobs.schedule import DurationModel
from cint_nb.domain.errors import LoopError, PermissionDenied, WatchTimeout
from cint_nb.domain.jobs import JobHandle, JobKind, JobSnapshot, JobState
from cint_nb.panels.job_progress import widget
from cint_nb.panels.job_progress.clocks import render_elapsed
from cint_nb.panels.job_progress.job_html import render_facts, render_message
from cint_nb.panels.job_progress.model import JobDisplay, WatchPhase, describe, job_title
from cint_nb.panels.job_progress.widget import JobProgress
from cint_nb.sandbox.sample import write_sample
from cint_nb.study.files.respondents import read_respondents
from cint_nb.wave.client import open_client
from cint_nb.wave.reporting import SilentReporter, run_with_progress
from cint_nb.wire import loop_thread
from cint_nb.wire.clock import ReplayClock
from cint_nb.wire.http import Http
from cint_nb.wire.settings import Settings
from tests.support.plans import make_plan
from tests.support.waiting import wait_for
from tests.support.widgets import html_of


def hold_the_loop(until: threading.Event) -> None:
    """Let nothing run on the package's loop thread from now on until an event."""
    held = threading.Event()

    async def hold() -> None:
        held.set()
        until.wait(10)

    loop_thread.submit(hold())
    assert held.wait(10)


def wait_for_the_loop() -> None:
    """Let everything run that the loop thread has to do."""
    for _ in range(5):
        loop_thread.run(asyncio.sleep(0))


PLACE = {"account_id": 101, "project_id": "P", "target_group_id": "G", "job_id": "JOB"}
START = datetime(2026, 9, 1, tzinfo=UTC)
HANDLE = JobHandle(
    kind=JobKind.UPLOAD, base_url="https://x.invalid/v1", account_id=1, job_id="01J" + "A" * 23, id_count=100
)


def look(state: JobState = JobState.RUNNING, **fields: object) -> JobSnapshot:
    return JobSnapshot.model_validate({"handle": HANDLE, "state": state, "id_count": 100, **fields})


class ScriptedJob:
    """A job whose looks are handed out one by one, when the test allows."""

    def __init__(
        self, *looks: JobSnapshot, gate: threading.Event | None = None, error: Exception | None = None
    ) -> None:
        self.last_snapshot: JobSnapshot | None = None
        self.looks, self.error = looks, error
        self.gate = gate
        self.listeners: list[Callable[[JobSnapshot], None]] = []
        self.is_watched = False
        self.on_watch: Callable[[], None] = lambda: None
        self.stopped = 0
        self.resume_hint = "Job.attach(client, …)"
        self.ended = threading.Event()

    def add_listener(self, listener: Callable[[JobSnapshot], None], on_watch: Callable[[], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        self.on_watch = on_watch
        return lambda: self.listeners.remove(listener)

    def turn(self, *, watched: bool) -> None:
        """Let somebody begin to look, or the last one end it."""
        self.is_watched = watched
        self.on_watch()

    def stop_watching(self) -> None:
        self.stopped += 1

    async def watch(self) -> AsyncIterator[JobSnapshot]:
        try:
            for item in self.looks:
                self.last_snapshot = item
                for listener in self.listeners:
                    listener(item)
                yield item
                if self.gate is not None and not item.is_final:
                    while not self.gate.is_set() and not self.stopped:
                        await asyncio.to_thread(self.gate.wait, 0.02)
                    if self.stopped and not self.gate.is_set():
                        return
            if self.error:
                raise self.error
        finally:
            self.ended.set()


def offered_by(panel: JobProgress) -> str:
    """Return which of its two buttons a panel offers, by what the style sheet goes by."""
    (offer,) = re.findall(r'data-offer="(\w*)"', panel._body.value)
    return str(offer)


def phase_of(panel: JobProgress) -> WatchPhase:
    """Read the phase anew; mypy takes `panel.phase` for what it was."""
    return panel.phase


def test_running_upload_says_what_is_saved_and_that_the_bar_is_measured() -> None:
    text = describe(
        look(saved_count=43, saved_count_before=0, fraction=(0.43, 0.43), is_measured=True, seconds_left=(60, 240))
    )
    assert text.word == "uploading"
    assert text.detail == "43 of 100 ids saved"
    assert text.bar == "43 % measured"
    assert "1–4 min left" in text.facts


def test_estimate_is_a_labelled_range_never_one_number() -> None:
    assert describe(look(fraction=(0.35, 0.52))).bar == "35–52 % estimated"


def test_partial_success_has_its_own_colour_and_word_and_quotes_the_exchange() -> None:
    panel = JobProgress(mode="replay")
    panel.update(look(JobState.PARTIAL, saved_count=90, saved_count_before=0, partial_message="<b>10 failed</b>"))
    assert "cint-warn" in panel._body.value
    assert "partly saved" in panel._body.value
    assert "cint-good" not in panel._body.value.partition("cint-bar")[0]
    assert "10 rejected" in panel._body.value
    assert 'style="width:90.00%"' in panel._body.value
    assert "wave.resubmit()" in panel._body.value
    assert "&lt;b&gt;10 failed&lt;/b&gt;" in html_of(panel), "server text is escaped"
    assert repr(panel) == "<JobProgress: replay · Upload of 100 ids · partly saved · 90 of 100 ids saved>"


def test_failure_shows_code_trace_id_and_what_to_do() -> None:
    text = describe(look(JobState.FAILED, failure_message="no", failure_code="E1", trace_id="t-9"))
    assert (text.css, text.word, text.exchange_message) == ("bad", "failed", "no")
    assert text.advice is not None
    assert "code E1" in text.advice
    assert "trace id t-9" in text.advice


def test_finished_bar_reaches_its_end_even_if_the_estimate_did_not() -> None:
    panel = JobProgress()
    panel.update(look(JobState.DONE, fraction=(0.2, 0.4)))
    assert "<span>100 %</span>" in html_of(panel)
    assert 'aria-valuenow="100"' in html_of(panel)


def test_repr_repeats_from_run_to_run_while_the_job_runs() -> None:
    first, second = JobProgress(), JobProgress()
    first.update(look(elapsed_seconds=3, saved_count=7, fraction=(0.1, 0.2)))
    second.update(look(elapsed_seconds=90, saved_count=70, fraction=(0.6, 0.9), polls=9))
    assert repr(first) == repr(second) == "<JobProgress: sandbox · Upload of 100 ids · uploading>"
    assert str(HANDLE.job_id) not in html_of(first)


def test_background_watching_reaches_the_end_and_takes_the_buttons_away() -> None:
    panel = JobProgress(ScriptedJob(look(), look(JobState.DONE, saved_count=100)))
    panel.start()
    wait_for(lambda: panel.value is not None and panel.value.is_final and offered_by(panel) == "")
    assert "<span>100 %</span>" in html_of(panel)
    assert offered_by(panel) == ""


def test_stop_ends_the_looking_and_offers_resume_and_resume_goes_on() -> None:
    gate = threading.Event()
    job = ScriptedJob(look(saved_count=5), look(JobState.DONE, saved_count=100), gate=gate)
    panel = JobProgress(job)
    panel.start()
    wait_for(lambda: panel.value is not None)
    panel.stop_button.click()
    assert job.ended.wait(60)
    assert job.stopped == 1
    assert offered_by(panel) == "watch"
    assert "not watched" in html_of(panel)
    assert "the job continues on the exchange" in html_of(panel)
    assert panel.follow_button.description == "Watch again"
    assert "cint.resume_jobs()" in html_of(panel)
    wait_for(lambda: panel._own_watch is None)
    gate.set()
    panel.follow_button.click()
    wait_for(lambda: panel.value.is_final)


def test_an_error_while_watching_lands_in_the_panel() -> None:
    panel = JobProgress(ScriptedJob(look(), error=RuntimeError("the <line> broke")))
    panel.start()
    wait_for(lambda: panel.error != "")
    assert panel.error == "RuntimeError: the <line> broke"
    assert "the &lt;line&gt; broke" in html_of(panel)
    assert offered_by(panel) == "watch"


def test_panel_without_a_job_refuses_to_start() -> None:
    with pytest.raises(ValueError, match="without a job"):
        JobProgress().start()


def test_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="sandbox, replay, live"):
        JobProgress(mode="production")


@pytest.mark.parametrize("mode", ["sandbox", "replay", "live"])
def test_mode_is_a_word_in_the_head_and_in_the_text_form(mode: str) -> None:
    panel = JobProgress(mode=mode)
    assert re.search(rf">{mode}<", html_of(panel))
    assert f": {mode} ·" in repr(panel)


def test_title_from_elsewhere_is_escaped() -> None:
    assert "<script>" not in html_of(JobProgress(title="<script>alert(1)</script>"))


def test_looks_of_a_waiting_cell_are_shown_too() -> None:
    job = ScriptedJob()
    panel = JobProgress(job)
    assert panel.phase is WatchPhase.WAITING
    job.turn(watched=True)
    job.listeners[0](look(saved_count=3))
    assert "3 of 100 ids saved" in html_of(panel)
    assert phase_of(panel) is WatchPhase.WATCHED
    assert offered_by(panel) == "stop"


def test_interrupted_verb_leaves_a_panel_that_says_the_job_goes_on() -> None:
    panel = JobProgress(title="Upload")
    panel.update(look(saved_count=3))
    panel.finish(look(saved_count=4))
    assert "the job continues on the exchange" in html_of(panel)
    assert repr(panel) == "<JobProgress: sandbox · Upload · not watched>"


def test_verb_that_failed_before_its_first_look_does_not_seem_to_wait() -> None:
    panel = JobProgress(title="Upload")
    panel.finish(None)
    assert repr(panel) == "<JobProgress: sandbox · Upload · stopped>"


def test_a_watch_stopped_before_its_first_look_says_that_the_job_goes_on() -> None:
    panel = JobProgress(ScriptedJob())
    panel.stop()
    assert "not watched" in html_of(panel)
    assert "the job continues on the exchange; not polled yet" in html_of(panel)
    assert offered_by(panel) == "watch"


def test_a_watch_stopped_before_it_has_begun_does_not_begin() -> None:
    class Deaf(ScriptedJob):
        def stop_watching(self) -> None:
            """Do as a job that nobody watches yet: there is no watch to stop."""

        async def watch(self) -> AsyncIterator[JobSnapshot]:
            await asyncio.sleep(0)  # as a real one, which first waits for its first look
            async for seen in super().watch():
                yield seen

    begin, job = threading.Event(), Deaf(look(saved_count=1), gate=threading.Event())
    hold_the_loop(begin)
    panel = JobProgress(job).start()
    panel.stop()
    begin.set()
    wait_for_the_loop()
    assert job.last_snapshot is None
    assert panel.phase is WatchPhase.STOPPED


RUNS = httpx.Response(
    200,
    json={
        "job_id": "JOB", "status": "Processing", "created_at": START.isoformat(), "saved_respondent_ids_count": 0,
    },
)  # fmt: skip
"""What the job and the overview say."""


class _Endless(DurationModel):
    """Lets no watch meet its deadline within a test, however many hours its clock jumps."""

    def deadline(self, handle: JobHandle) -> timedelta:
        return timedelta(days=100_000)


def real_job(answer: Callable[[httpx.Request], httpx.Response] = lambda _: RUNS) -> Job:
    """Return a job that runs for ever, created five minutes ago."""
    settings = Settings.load("sandbox", environ={}, token="none")
    http = Http(settings, transport=httpx.MockTransport(answer), clock=ReplayClock(START))
    created = http.clock.now() - timedelta(minutes=5)
    handle = HANDLE.model_copy(
        update={"base_url": settings.base_url, "kind": JobKind.UPLOAD, "created_at": created, "id_count": None} | PLACE
    )
    return Job(http, handle, durations=_Endless())


async def looks_at(job: Job, number: int) -> None:
    """Look at a job so many times, then leave."""
    async for seen in job.watch():
        if seen.polls >= number:
            return


@pytest.mark.parametrize("own", [True, False], ids=["of the panel", "of a cell"])
def test_a_watch_stopped_while_a_look_is_handed_on_stays_stopped(own: bool) -> None:
    job, handed, on = real_job(), threading.Event(), threading.Event()

    def hand_on(_: JobSnapshot) -> None:
        handed.set()
        on.wait(10)

    job.add_listener(hand_on)  # comes before the panel's
    panel = JobProgress(job)
    if own:
        panel.start()
    else:
        cell = loop_thread.submit(looks_at(job, 10**9))
    assert handed.wait(10)
    assert panel.phase is WatchPhase.WATCHED
    panel.stop()
    on.set()
    if not own:
        cell.result(10)
    wait_for_the_loop()
    assert phase_of(panel) is WatchPhase.STOPPED
    assert offered_by(panel) == "watch"
    assert not job.is_watched


def test_a_panel_stopped_by_who_observes_it_is_stopped() -> None:
    job = real_job()
    panel = JobProgress(job)
    panel.observe(lambda _: panel.stop(), "value")
    panel.start()
    wait_for(lambda: panel.value is not None)
    wait_for_the_loop()
    assert panel.phase is WatchPhase.STOPPED
    assert not job.is_watched
    assert offered_by(panel) == "watch"


def test_stopped_and_started_at_once_it_watches() -> None:
    job = real_job()
    panel = JobProgress(job).start()
    for _ in range(20):
        panel.stop()
        panel.start()
    seen = job.last_snapshot.polls if job.last_snapshot else 0
    wait_for(lambda: job.last_snapshot is not None and job.last_snapshot.polls > seen + 3)
    assert panel.phase is WatchPhase.WATCHED
    assert panel._own_watch is not None
    panel.stop()
    wait_for_the_loop()
    assert not job.is_watched
    assert phase_of(panel) is WatchPhase.STOPPED


@pytest.mark.parametrize("how", ["deadline", "error", "left"])
def test_however_the_watch_of_a_cell_ends_the_panel_hears_of_it(how: str) -> None:
    job = real_job(lambda _: httpx.Response(403, json={}) if how == "error" and job.last_snapshot else RUNS)
    panel = JobProgress(job)

    async def cell() -> None:
        async for seen in job.watch(60 if how == "deadline" else None):
            if seen.polls == 2 and how == "left":
                return

    with suppress(WatchTimeout, PermissionDenied):
        loop_thread.run(cell())
    wait_for_the_loop()
    assert panel.value is not None
    assert panel.phase is WatchPhase.STOPPED
    assert offered_by(panel) == "watch"


def test_a_cell_that_leaves_its_watch_leaves_a_panel_that_offers_to_resume() -> None:
    job = real_job()
    panel = JobProgress(job)
    loop_thread.run(looks_at(job, 3))
    wait_for_the_loop()
    assert not job.is_watched
    assert panel.phase is WatchPhase.STOPPED
    assert "not watched" in html_of(panel)
    assert offered_by(panel) == "watch"


def test_a_second_panel_knows_when_the_watch_of_the_first_looks_next() -> None:
    job = ScriptedJob()
    job.last_snapshot, job.is_watched = look(next_poll_seconds=12), True
    panel = JobProgress(job, mode="live", monotonic=lambda: 0.0)
    assert phase_of(panel) is WatchPhase.WATCHED
    assert "next poll in" in panel._body.value
    assert "--due:12" in panel._body.value
    panel.start()
    assert "--due:12" in panel._body.value


def test_a_look_by_hand_is_shown_and_is_no_watch() -> None:
    job = real_job()
    panel = JobProgress(job)
    loop_thread.run(job.refresh())
    assert panel.value.polls == 1
    assert panel.phase is WatchPhase.WAITING
    assert offered_by(panel) == "watch"
    loop_thread.run(looks_at(job, 2))
    wait_for_the_loop()
    loop_thread.run(job.refresh())
    assert phase_of(panel) is WatchPhase.STOPPED


def test_a_watch_that_waits_for_a_busy_thread_is_not_given_up() -> None:
    begin, job = threading.Event(), real_job()
    hold_the_loop(begin)
    panel = JobProgress(job).start()
    panel._draw()
    assert not job.is_watched
    assert panel.phase is WatchPhase.WATCHED
    begin.set()
    wait_for(lambda: panel.value is not None)
    assert panel.phase is WatchPhase.WATCHED
    panel.close()


def test_nobody_is_said_to_look_next_where_nobody_watches() -> None:
    job = real_job()
    loop_thread.run(looks_at(job, 1))
    wait_for_the_loop()
    panel = JobProgress(job, mode="live", monotonic=lambda: 0.0)
    assert panel.value.next_poll_seconds is not None
    assert panel.phase is WatchPhase.WAITING
    assert "next poll" not in panel._body.value
    assert "--due" not in panel._body.value


def test_closing_a_panel_ends_its_own_watch_and_nobody_elses() -> None:
    job = real_job()
    first, second = JobProgress(job).start(), JobProgress(job).start()
    wait_for(lambda: first.value is not None)
    first.close()
    wait_for_the_loop()
    looks = job.last_snapshot.polls if job.last_snapshot else 0
    wait_for(lambda: job.last_snapshot is not None and job.last_snapshot.polls > looks)
    assert second.phase is WatchPhase.WATCHED
    second.close()
    wait_for_the_loop()
    assert not job.is_watched
    assert job._listeners == []


def test_a_closed_panel_does_not_seem_to_watch_and_refuses_to_start() -> None:
    panel = JobProgress(real_job()).start()
    wait_for(lambda: panel.value is not None)
    panel.close()
    assert panel.phase is WatchPhase.STOPPED
    assert "not watched" in repr(panel)
    with pytest.raises(ValueError, match="was closed"):
        panel.start()


def test_a_panel_made_while_the_end_comes_in_shows_the_end() -> None:
    class Ending(ScriptedJob):
        def add_listener(self, listener: Callable[[JobSnapshot], None], on_watch: Callable[[], None]) -> Any:
            ending = threading.Thread(target=listener, args=(look(JobState.DONE, saved_count=100),))
            ending.start()
            ending.join(0.05)  # the end may come in here only if nothing keeps it out
            return super().add_listener(listener, on_watch)

    job = Ending()
    job.last_snapshot = look(saved_count=3)
    panel = JobProgress(job)
    wait_for(lambda: panel.value.is_final)
    assert "100 %" in panel._body.value


def test_a_look_that_comes_while_a_panel_is_made_is_not_drawn_over_by_an_older_one() -> None:
    class Moving(ScriptedJob):
        @property
        def last_snapshot(self) -> JobSnapshot | None:
            if self.listeners and not self.looks:
                self.looks = (look(saved_count=50, polls=2),)
                newer = threading.Thread(target=self.listeners[0], args=self.looks)
                newer.start()
                newer.join(0.05)  # it may come in here only if nothing keeps it out
            return look(saved_count=3, polls=1)

        @last_snapshot.setter
        def last_snapshot(self, _: object) -> None:
            """Keep none."""

    panel = JobProgress(Moving())
    wait_for(lambda: panel.value.polls == 2)
    assert "50 of 100 ids saved" in html_of(panel)


def test_who_observes_the_value_and_fails_leaves_the_panel_as_it_should_be() -> None:
    panel = JobProgress(real_job())

    def observe(_: object) -> None:
        raise RuntimeError("no")

    panel.observe(observe, "value")
    with pytest.raises(RuntimeError, match="no"):
        panel._show_snapshot(look(saved_count=3))
    assert "3 of 100 ids saved" in html_of(panel)


def test_who_observes_the_value_may_not_make_the_loop_wait() -> None:
    job = real_job()
    said: list[str] = []

    def observe(_: object) -> None:
        waits: tuple[Callable[[], object], ...] = (
            lambda: loop_thread.run(job.refresh()),
            lambda: asyncio.run(job.refresh()),
            lambda: run_with_progress(lambda _: job.refresh(), SilentReporter(), resume="again"),
        )
        for wait in waits:
            with pytest.raises(LoopError) as caught:
                wait()
            said.append(str(caught.value))

    panel = JobProgress(job)
    panel.observe(observe, "value")
    panel._show_snapshot(look())  # as the panels' own thread does with a look that was one too many
    assert len(said) == 3
    assert all("a thread of your own" in each for each in said)
    panel.close()
    assert loop_thread.run(job.refresh()).polls == 1, "later all is as before"


def test_the_end_is_not_drawn_over_by_a_drawing_that_began_before(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = JobProgress(title="Upload", mode="live", monotonic=lambda: 0.0)
    panel.update(look(next_poll_seconds=5))
    describe_it, ending = panel._describe, threading.Thread(target=panel._show_snapshot, args=(look(JobState.DONE),))

    def described() -> JobDisplay:
        text = describe_it()
        if ending.ident is None:
            ending.start()
            ending.join(0.05)  # the end may come in here only if nothing keeps it out
        return text

    monkeypatch.setattr(panel, "_describe", described)
    panel._draw()
    ending.join(10)
    assert "100 %" in panel._body.value


def test_watched_again_it_polls_soon_and_counts_on_from_what_was_seen() -> None:
    now, begin = [0.0], threading.Event()
    panel = JobProgress(ScriptedJob(), mode="live", monotonic=lambda: now[0])
    panel.update(look(elapsed_seconds=60, next_poll_seconds=10))
    panel.stop()
    now[0] = 90.0
    hold_the_loop(begin)
    panel.start()
    assert "2 min 30 s elapsed" in panel._body.value
    assert "polling …" in panel._body.value
    begin.set()
    wait_for_the_loop()


@pytest.mark.parametrize(("speed", "counts"), [(None, False), (1.0, True), (60, True)])
def test_the_browser_counts_on_as_fast_as_the_time_of_the_job_and_not_where_it_jumps(
    speed: float | None, counts: bool
) -> None:
    text = describe(look(elapsed_seconds=77), next_poll_in=12)
    drawn = render_facts(text, speed) + render_message(text, speed)
    assert ("jb-d" in drawn) is counts
    assert ("No reply from the kernel" in drawn) is counts
    assert ("1 min 17 s elapsed" in drawn) is not counts
    if speed is not None:
        assert f"--due:12;--grace:10;--speed:{speed:g}" in drawn
        assert "1 min 17 s at the last poll" in drawn, "for who cannot see the digits"


def test_each_digit_begins_at_its_place_and_comes_round_in_its_time() -> None:
    clock = render_elapsed(77, 1.0)
    assert re.findall(r"--t:(\d+);--k:(\d+);--from:(\d+)", clock) == [
        ("3600", "6", "77"),
        ("600", "10", "77"),
        ("60", "6", "77"),
        ("10", "10", "77"),
    ]
    assert "--t:86400;--k:24" in render_elapsed(3_100, 1.0), "an hour is near"


def test_elapsed_time_moves_on_between_two_polls() -> None:
    text = describe(look(elapsed_seconds=60, seconds_left=(120, 240)), since_poll=20, next_poll_in=10)
    assert text.facts == ("1 min 20 s elapsed", "1–4 min left", "poll 1", "next poll in 10 s")
    assert "up to 5 s left" in describe(look(seconds_left=(0, 5))).facts
    assert "longer than usual" in describe(look(seconds_left=(0, 5)), since_poll=9).facts


def test_each_poll_is_shown_with_its_time() -> None:
    running = look(created_at=START, elapsed_seconds=77, polls=7)
    assert "poll 7 at 00:01:17" in describe(running).facts
    assert "last poll at 00:01:17" in describe(running, phase=WatchPhase.STOPPED).facts
    ended = look(
        JobState.DONE, created_at=START, completed_at=START + timedelta(minutes=4), elapsed_seconds=240, polls=20
    )
    assert describe(ended).facts == ("took 4 min", "20 polls", "ended 00:04:00 UTC")


def test_between_two_polls_nothing_is_sent_and_nothing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = JobProgress(title="Upload", mode="live", monotonic=lambda: 0.0)
    panel.update(look(saved_count=3, next_poll_seconds=5))
    drawn = html_of(panel)
    assert not hasattr(widget, "call_later"), "no timer of the kernel draws it anew"
    panel._draw()
    assert html_of(panel) == drawn


def estimated(elapsed: float, polls: int, **fields: object) -> JobSnapshot:
    """Make the snapshot of a poll that counted nothing: all it says follows from the time that has passed."""
    counted: dict[str, object] = {
        "elapsed_seconds": elapsed,
        "fraction": (elapsed / 200, elapsed / 100),
        "seconds_left": (100 - elapsed, 200 - elapsed),
        "polls": polls,
        "next_poll_seconds": 4.0,
    }
    state = fields.pop("state", JobState.RUNNING)
    assert isinstance(state, JobState)
    return look(state, **(counted | fields))


def drawings(panel: JobProgress) -> list[str]:
    """Keep each drawing from now on."""
    drawn: list[str] = []
    panel._body.observe(lambda change: drawn.append(change["new"]), "value")
    return drawn


@pytest.fixture
def ticking() -> tuple[JobProgress, list[float]]:
    """Return a panel of a live job that is drawn for the second time 10 s after its creation, and its clock."""
    now = [0.0]
    panel = JobProgress(title="Upload", mode="live", monotonic=lambda: now[0])
    panel._throttle._monotonic = iter(range(10**6)).__next__
    panel.update(estimated(10, 1))
    return panel, now


def test_polls_that_find_what_the_browser_counts_to_by_itself_are_not_drawn(
    ticking: tuple[JobProgress, list[float]],
) -> None:
    panel, now = ticking
    drawn = drawings(panel)
    for poll in range(2, 20):
        now[0] += 4
        panel.update(estimated(10 + now[0], poll))
        assert panel.value.polls == poll, "whoever observes the value hears of each poll"
    assert len(drawn) == 1, "once a minute, so that the browser knows that the kernel still polls"
    assert "<span>poll 16</span>" in drawn[0]


@pytest.mark.parametrize(
    "news",
    [
        {"saved_count": 3},
        {"warnings": ("a key was missing",)},
        {"is_measured": True},
        {"fraction": (0.2, 0.3)},
        {"seconds_left": (300, 400)},
        {"seconds_left": None},
        {"next_poll_seconds": 61.0},
        {"state": JobState.DONE},
    ],
    ids=str,
)
def test_each_news_is_drawn_at_once(ticking: tuple[JobProgress, list[float]], news: dict[str, object]) -> None:
    panel, now = ticking
    drawn = drawings(panel)
    now[0] += 4
    panel.update(estimated(14, 2))
    assert drawn == []
    now[0] += 4
    panel.update(estimated(18, 3, **news))
    assert len(drawn) == 1


@pytest.mark.parametrize("lacks", ["script", "clock"])
def test_where_nothing_counts_on_in_the_browser_each_poll_is_drawn(lacks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if lacks == "script":
        monkeypatch.setattr(widget, "is_scripted", lambda: False)
    now = [0.0]
    panel = JobProgress(mode="live" if lacks == "script" else "sandbox", monotonic=lambda: now[0])
    panel._throttle._monotonic = iter(range(10**6)).__next__
    panel.update(estimated(10, 1))
    drawn = drawings(panel)
    for poll in range(2, 5):
        now[0] += 4
        panel.update(estimated(10 + now[0], poll))
    assert len(drawn) == 3


def test_no_reply_is_said_only_when_a_drawing_is_overdue(ticking: tuple[JobProgress, list[float]]) -> None:
    panel, _ = ticking
    assert "--due:4;--grace:66;--speed:1" in panel._body.value, "a minute in which nothing new may come, and 10 s more"
    assert "polling, nothing new" in panel._body.value
    panel.update(estimated(10, 1, next_poll_seconds=61.0))
    assert "--due:61;--grace:10;--speed:1" in panel._body.value
    assert "polling …" in panel._body.value


def test_a_panel_is_called_what_its_job_does_before_the_first_poll() -> None:
    panel = JobProgress(real_job(), mode="live")
    assert repr(panel) == "<JobProgress: live · Upload · waiting>"


def test_a_watch_that_somebody_else_begins_is_drawn_with_its_first_poll() -> None:
    job = real_job()
    panel = JobProgress(job)
    drawn = drawings(panel)
    loop_thread.run(looks_at(job, 1))
    assert "uploading" in drawn[0]


def test_a_first_poll_that_takes_long_does_not_hide_that_somebody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(widget, "_FIRST_POLL_SECONDS", 0.0)
    job = ScriptedJob()
    panel = JobProgress(job)

    async def begin() -> None:
        job.turn(watched=True)

    assert offered_by(panel) == "watch"
    loop_thread.run(begin())
    wait_for(lambda: offered_by(panel) == "stop")
    assert "starting" in panel._body.value


def test_one_drawing_is_one_message(ticking: tuple[JobProgress, list[float]], monkeypatch: pytest.MonkeyPatch) -> None:
    panel, now = ticking
    sent: list[object] = []
    monkeypatch.setattr("ipywidgets.Widget._send", lambda _, message, buffers=None: sent.append(message))
    now[0] += 4
    panel.update(estimated(14, 2, saved_count=3))
    panel.update(estimated(18, 3, state=JobState.DONE))
    assert len(sent) == 2


def test_without_its_kernel_a_panel_says_what_was_last_seen_and_how_to_go_on() -> None:
    panel = JobProgress(title="Upload", mode="live", monotonic=lambda: 0.0)
    panel.update(look(saved_count=3, saved_count_before=0, next_poll_seconds=5))
    gone = " ".join(re.findall(r'class="jb-gone">(.*?)</div>', html_of(panel)))
    for words in (
        "kernel gone",
        "last seen",
        "3 of 100 ids saved",
        "this panel no longer changes",
        "cint.resume_jobs()",
    ):
        assert words in gone
    panel.update(look(JobState.DONE, saved_count=100))
    assert "jb-gone" not in html_of(panel), "what has ended needs no kernel"


def test_after_a_second_rejection_it_does_not_advise_what_would_be_refused() -> None:
    again = HANDLE.model_copy(update={"file_name": "cint-nb-" + "0" * 24 + "." + "1" * 16 + ".b1.c0.csv"})
    first = describe(look(JobState.PARTIAL, saved_count=90, saved_count_before=0))
    second = describe(look(JobState.PARTIAL, saved_count=0, saved_count_before=0).model_copy(update={"handle": again}))
    assert first.code == "wave.resubmit()"
    assert second.code is None
    assert "rejected twice; a third time changes nothing" in str(second.advice)


def test_started_where_it_is_shown_it_shows_no_second_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[object] = []
    cell = [3]
    monkeypatch.setattr("cint_nb.panels.look.static_html._display", shown.append)
    monkeypatch.setattr("cint_nb.panels.look.static_html.in_kernel", lambda: True)
    monkeypatch.setattr("cint_nb.panels.look.base._cell_number", lambda: cell[0])
    panel = JobProgress(ScriptedJob(look()))
    panel.start()._ipython_display_()
    assert len(shown) == 2, "the panel, and its still picture"
    cell[0] = 4
    panel.start()._ipython_display_()
    assert len(shown) == 2
    cell[0] = 5
    panel._ipython_display_()
    assert len(shown) == 4, "asked for by itself it is shown again"


def test_kinds_of_jobs_without_a_title_of_their_own_still_have_one() -> None:
    handle = HANDLE.model_copy(update={"kind": JobKind.EXCLUSION_REMOVAL})
    assert job_title(handle) == "Removal of exclusions"
    for kind in JobKind:
        assert job_title(HANDLE.model_copy(update={"kind": kind}))


def test_a_late_look_of_a_second_watcher_does_not_bring_an_ended_job_back() -> None:
    panel = JobProgress(title="Upload")
    panel._show_snapshot(look(JobState.DONE, saved_count=100))
    panel._show_snapshot(look(saved_count=50))
    assert repr(panel) == "<JobProgress: sandbox · Upload · saved · 100 of 100 ids saved>"
    assert panel.value.is_final


def test_the_speed_of_a_sandbox_elsewhere_is_read_when_it_is_known() -> None:
    job = real_job()
    job.http.clock.speed = None  # type: ignore[attr-defined]
    panel = JobProgress(job).start()
    wait_for(lambda: panel.value is not None)
    panel.stop()
    wait_for_the_loop()
    job.http.clock.speed = 60.0  # type: ignore[attr-defined]
    panel._phase = WatchPhase.WATCHED
    panel._show_snapshot(look(next_poll_seconds=30))
    assert "--due:30;--grace:10;--speed:60" in panel._body.value


def test_a_job_found_after_its_end_is_not_said_to_have_rejected_what_nobody_counted(tmp_path: Path) -> None:
    with open_client("sandbox") as client:
        people = read_respondents(write_sample(tmp_path / "sample.csv", lines=400), entity_type="RSID")
        plan = make_plan(client.clock.now(), start_at=client.clock.now() + timedelta(hours=1))
        wave = client.wave("Wave of a job", project="Panel tests", respondents=people, plan=plan)
        group = wave.create()
        job = client.recontacts.upload(group, people)
        client.pass_time(hours=1)
        found = Job.attach(client.aio, job.handle)
        seen = loop_thread.run(found.refresh())
    assert seen.is_final
    assert seen.saved_count_before is None, "what was saved before the job is not known, and not what is saved now"
    assert "rejected" not in describe(seen).bar
    assert not str(describe(seen).detail).startswith("0 of")
