"""Jobs: watched, waited for, given up, and attached to again."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

import cint_nb
from cint_nb.api import operations as ops
from cint_nb.api.client import AsyncClient
from cint_nb.api.jobs.job import Job
from cint_nb.domain import limits
from cint_nb.domain.errors import (
    CintWarning,
    InputError,
    JobFailed,
    LoopError,
    NotFound,
    PermissionDenied,
    WatchTimeout,
)
from cint_nb.domain.jobs import JobHandle, JobKind, JobSnapshot, JobState
from cint_nb.domain.models import TargetGroupRef
from tests.support.constants import GROUP, PROJECT
from tests.support.exchange import error_response, json_response, lost_reply

JOB = "01BTGNYV6HRNK8K8VKZASZCFP1"
STATUS = f"/jobs/upload-respondents-by-file/{JOB}"
COUNT = "/recontacts/overview"


@pytest.fixture
def job(client: AsyncClient) -> Job:
    handle = JobHandle(
        kind=JobKind.UPLOAD,
        base_url=client.http.settings.base_url,
        account_id=101,
        project_id=PROJECT,
        target_group_id=GROUP,
        job_id=JOB,
        id_count=10_000,
        created_at=client.clock.now(),
    )
    return Job(client.http, handle, 0, durations=client.durations)


def status(word: str, **more: Any) -> Any:
    return json_response(200, {"job_id": JOB, "status": word, **more})


@pytest.fixture
def running_then_done(exchange: Any) -> None:
    times = {"created_at": "2026-09-01T08:00:00Z", "completed_at": "2026-09-01T08:10:00Z"}
    exchange.on("GET", STATUS, *[status("Processing")] * 6, status("Completed", **times))
    exchange.on("GET", COUNT, json_response(200, {"saved_respondent_ids_count": 9_990}))


async def every(job: Job, **options: Any) -> list[JobSnapshot]:
    return [snapshot async for snapshot in job.watch(**options)]


@pytest.mark.usefixtures("running_then_done")
def test_watching_yields_every_look_until_the_end(client: AsyncClient, job: Job) -> None:
    seen = client.run(every(job))
    assert [snapshot.state for snapshot in seen] == [JobState.RUNNING] * 6 + [JobState.DONE]
    assert [snapshot.polls for snapshot in seen] == [1, 2, 3, 4, 5, 6, 7]
    assert [snapshot.next_poll_seconds for snapshot in seen][:3] == [5.0, 10.0, 20.0]
    assert seen[-1].next_poll_seconds is None


@pytest.mark.usefixtures("running_then_done")
def test_the_last_snapshot_carries_the_count(client: AsyncClient, job: Job) -> None:
    assert client.run(every(job))[-1].saved_count == 9_990


@pytest.mark.usefixtures("running_then_done")
def test_waiting_blocks_and_awaiting_does_not_and_both_return_the_end(client: AsyncClient, job: Job) -> None:
    assert job.wait().state is JobState.DONE

    async def on_a_loop_of_its_own() -> JobSnapshot:
        return await job

    assert asyncio.run(on_a_loop_of_its_own()).state is JobState.DONE


def test_waiting_on_the_loop_thread_is_refused_before_anything_is_sent(
    client: AsyncClient, exchange: Any, job: Job
) -> None:
    async def wrongly() -> None:
        job.wait()

    with pytest.raises(LoopError, match="await"):
        client.run(wrongly())
    assert exchange.requests == []


def test_one_refresh_is_one_request(client: AsyncClient, exchange: Any, job: Job) -> None:
    exchange.on("GET", STATUS, status("Processing"))
    assert client.run(job.refresh()).state is JobState.RUNNING
    assert len(exchange.requests) == 1
    assert repr(job) == "<Job upload: running>"


def test_a_failed_job_raises_when_waited_for_and_is_only_shown_when_watched(
    client: AsyncClient, exchange: Any, job: Job
) -> None:
    failure = {"code": "JobExecutionStartMessageFailed", "description": "could not start"}
    exchange.on("GET", STATUS, status("Failed", failure_reason=failure, job_trace_id="trace-7"))
    exchange.on("GET", COUNT, json_response(200, {"saved_respondent_ids_count": 0}))
    assert client.run(every(job))[-1].state is JobState.FAILED
    with pytest.raises(JobFailed, match="could not start") as caught:
        job.wait()
    assert caught.value.evidence["failure_code"] == "JobExecutionStartMessageFailed"
    assert caught.value.evidence["trace_id"] == "trace-7"


def test_partial_success_is_returned_not_raised(exchange: Any, job: Job) -> None:
    exchange.on("GET", STATUS, status("Completed", partial_success_reason={"description": "10 failed"}))
    exchange.on("GET", COUNT, json_response(200, {"saved_respondent_ids_count": 9_990}))
    assert job.wait().state is JobState.PARTIAL


def test_a_deadline_ends_the_watching_and_says_how_to_resume(client: AsyncClient, exchange: Any, job: Job) -> None:
    exchange.on("GET", STATUS, status("Processing"))
    exchange.on("GET", COUNT, json_response(200, {"saved_respondent_ids_count": 0}))
    begun = client.clock.monotonic()
    with pytest.raises(WatchTimeout, match=r"Job\.attach") as caught:
        job.wait(deadline=timedelta(minutes=5))
    assert client.clock.monotonic() - begun == pytest.approx(300)
    assert "continues" in str(caught.value.safe)


def test_an_unknown_word_means_running_and_is_warned_of_once(client: AsyncClient, exchange: Any, job: Job) -> None:
    exchange.on("GET", STATUS, *[status("Marinating")] * 3, status("Completed"))
    exchange.on("GET", COUNT, json_response(200, {"saved_respondent_ids_count": 10_000}))
    asked = ops.STATUS_OPERATIONS[job.handle.kind].description
    text = (
        f"The reply to the request to {asked} has the unknown status 'Marinating': the job is treated as still running."
    )
    with pytest.warns(CintWarning) as caught:
        snapshots = client.run(every(job))
    assert [words for warning in caught if "Marinating" in (words := str(warning.message))] == [text]
    assert snapshots[0].state is JobState.RUNNING
    assert {snapshot.warnings for snapshot in snapshots} == {(text,)}
    assert text in repr(snapshots[-1])


def test_failures_on_the_way_do_not_lose_the_job(exchange: Any, job: Job) -> None:
    bad = error_response(500, "internal_error")
    exchange.on("GET", STATUS, status("Processing"), *[bad] * 8, lost_reply, status("Completed"))
    exchange.on("GET", COUNT, json_response(200, {"saved_respondent_ids_count": 10_000}))
    assert job.wait().state is JobState.DONE


def test_nothing_but_failures_for_ten_minutes_ends_the_watching(client: AsyncClient, exchange: Any, job: Job) -> None:
    exchange.on("GET", STATUS, error_response(500, "internal_error"))
    exchange.on("GET", COUNT, error_response(500, "internal_error"))
    begun = client.clock.monotonic()
    with pytest.raises(Exception, match="could not read the upload job"):
        job.wait()
    spent = client.clock.monotonic() - begun
    assert limits.POLL_FAILURES_MAX.total_seconds() <= spent < 1.3 * limits.POLL_FAILURES_MAX.total_seconds()


def test_an_error_that_no_waiting_mends_ends_the_watching_at_once(exchange: Any, job: Job) -> None:
    exchange.on("GET", STATUS, error_response(403, "permission_error"))
    with pytest.raises(PermissionDenied):
        job.wait()
    assert len(exchange.sent("GET", STATUS)) <= 2


def test_a_job_too_new_to_be_readable_is_waited_for(exchange: Any, job: Job) -> None:
    exchange.on("GET", STATUS, error_response(404, "not_found"), status("Completed"))
    exchange.on("GET", COUNT, json_response(200, {"saved_respondent_ids_count": 10_000}))
    assert job.wait().state is JobState.DONE


def test_an_old_job_that_does_not_exist_is_an_error(client: AsyncClient, exchange: Any, job: Job) -> None:
    exchange.on("GET", STATUS, error_response(404, "not_found"))
    client.pass_time(hours=1)
    with pytest.raises(NotFound):
        job.wait()
    assert len(exchange.requests) == 1


def test_an_id_that_no_job_has_is_an_error_within_a_minute_though_nobody_knows_how_old_the_job_is(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef
) -> None:
    exchange.on("GET", STATUS, error_response(404, "not_found"))
    begun = client.clock.now()
    with pytest.raises(NotFound):
        client.recontacts.job(ref, JOB).wait()
    assert timedelta(0) < client.clock.now() - begun < 2 * limits.POLL_NEW_JOB
    assert len(exchange.requests) < 10


def counting(exchange: Any, *counts: int, polls: int) -> None:
    exchange.on("GET", STATUS, *[status("Processing")] * (polls - 1), status("Completed"))
    exchange.on("GET", COUNT, *[json_response(200, {"saved_respondent_ids_count": count}) for count in counts])


def test_a_count_that_does_not_move_is_asked_for_ever_more_rarely(client: AsyncClient, exchange: Any, job: Job) -> None:
    counting(exchange, 0, polls=30)
    client.run(every(job))
    kinds = [request.url.path.endswith(COUNT) for request in exchange.requests]
    assert [place - sum(kinds[:place]) + 1 for place, is_count in enumerate(kinds) if is_count] == [3, 6, 12, 24, 31]


def test_a_count_that_moves_is_taken_with_every_second_look_and_foretells_the_end(
    client: AsyncClient, exchange: Any, job: Job
) -> None:
    counting(exchange, 0, 1_000, 1_500, 3_000, 10_000, polls=11)
    seen = client.run(every(job))
    assert [snapshot.fraction[0] for snapshot in seen if snapshot.is_measured] == [0.1, 0.1, 0.15, 0.15, 0.3, 1.0]
    sixth, seventh = seen[5], seen[6]
    assert sum(sixth.seconds_left or ()) / 2 == pytest.approx(9 * sixth.elapsed_seconds)
    passed = seventh.elapsed_seconds - sixth.elapsed_seconds
    assert sum(seventh.seconds_left or ()) / 2 == pytest.approx(9 * sixth.elapsed_seconds - passed)


def test_near_a_foretold_end_nothing_more_is_counted(client: AsyncClient, exchange: Any, job: Job) -> None:
    counting(exchange, 9_900, 9_990, polls=20)
    client.run(every(job))
    assert len(exchange.requests) == 20 + 2


def test_a_count_that_fails_at_the_end_does_not_cost_the_end(exchange: Any, job: Job) -> None:
    exchange.on("GET", STATUS, status("Completed"))
    exchange.on("GET", COUNT, error_response(403, "permission_error"))
    ended = job.wait()
    assert (ended.state, ended.saved_count) == (JobState.DONE, 0)


@pytest.mark.usefixtures("running_then_done")
def test_listeners_hear_every_snapshot_and_a_broken_one_ends_nothing(client: AsyncClient, job: Job) -> None:
    heard: list[JobState] = []

    def broken(_: JobSnapshot) -> None:
        raise RuntimeError("the display is gone")

    job.add_listener(broken)
    job.add_listener(lambda snapshot: heard.append(snapshot.state))
    with pytest.warns(CintWarning, match="A progress listener failed; the job is still being followed"):
        job.wait()
    assert heard[-1] is JobState.DONE
    assert len(heard) == 7


def test_stopping_from_another_thread_ends_the_wait_and_not_the_job(
    client: AsyncClient, exchange: Any, job: Job
) -> None:
    exchange.on("GET", STATUS, status("Processing"))
    exchange.on("GET", COUNT, json_response(200, {"saved_respondent_ids_count": 0}))
    polled = threading.Event()
    job.add_listener(lambda _: polled.set())

    def stop() -> None:
        polled.wait(5)
        job.stop_watching()

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(WatchTimeout, match="stopped"):
        job.wait(deadline=1e9)
    stopper.join()
    assert {request.method for request in exchange.requests} == {"GET"}


@pytest.mark.usefixtures("running_then_done")
def test_a_handle_as_json_is_enough_to_take_a_job_up_again(client: AsyncClient, job: Job) -> None:
    kept = job.handle.model_dump_json()
    assert Job.attach(client, kept).wait().state is JobState.DONE
    assert Job.attach(client.http, json.loads(kept)).handle == job.handle
    assert Job.attach(client, job.handle).handle == job.handle


@pytest.mark.usefixtures("running_then_done")
def test_the_resume_hint_is_a_line_that_works(client: AsyncClient, job: Job) -> None:
    attached = eval(job.resume_hint, {"cint": cint_nb, "client": client})  # noqa: S307 - our own line
    assert attached.handle == job.handle


def test_a_job_of_another_exchange_is_refused(client: AsyncClient, job: Job) -> None:
    elsewhere = job.handle.model_copy(update={"base_url": limits.LIVE_BASE_URL})
    with pytest.raises(InputError, match="different exchange"):
        Job.attach(client, elsewhere)


@pytest.mark.usefixtures("running_then_done")
def test_a_finished_job_teaches_the_client_its_pace(client: AsyncClient, job: Job) -> None:
    before = job.estimate
    job.wait()
    assert client.durations.estimate(job.handle).eta == pytest.approx(600)
    assert client.durations.estimate(job.handle).eta < before.eta


def test_an_interrupt_ends_the_watching_with_the_line_that_resumes(
    monkeypatch: pytest.MonkeyPatch, job: Job, exchange: Any
) -> None:
    def interrupted(awaitable: Any) -> None:
        awaitable.close()
        raise KeyboardInterrupt

    monkeypatch.setattr("cint_nb.api.jobs.job.loop_thread", SimpleNamespace(run=interrupted))
    with pytest.raises(KeyboardInterrupt, match=r"continues on the exchange; resume with cint\.Job\.attach"):
        job.wait()


def test_what_a_rate_limit_asks_for_is_obeyed(client: AsyncClient, exchange: Any, job: Job) -> None:
    def busy(_: httpx.Request) -> httpx.Response:
        body = {"object": "too_many_requests_problem_details", "details": "slow down"}
        return httpx.Response(429, json=body, headers={"retry-After": "400"})

    exchange.on("GET", STATUS, busy, status("Completed"))
    exchange.on("GET", COUNT, json_response(200, {"saved_respondent_ids_count": 10_000}))
    begun = client.clock.monotonic()
    assert job.wait().state is JobState.DONE
    assert client.clock.monotonic() - begun >= 400


@pytest.mark.parametrize("broken", ["", "{}", '{"kind": "no such kind"}'])
def test_what_is_no_handle_is_refused_with_advice(client: AsyncClient, broken: str) -> None:
    with pytest.raises(InputError, match="model_dump_json"):
        Job.attach(client, broken)


def test_a_clock_that_fails_ends_the_watching(
    client: AsyncClient, exchange: Any, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(_: float) -> None:
        raise OSError("the served sandbox is gone")

    exchange.on("GET", STATUS, status("Processing"))
    monkeypatch.setattr(client.clock, "sleep", gone)
    with pytest.raises(OSError, match="gone"):
        job.wait()
    assert exchange.requests == []
