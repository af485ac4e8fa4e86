"""A job that ends with the seventh poll, and a clock moved by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cint_nb.api.client import AsyncClient
from cint_nb.api.jobs.job import Job
from cint_nb.domain.jobs import JobHandle, JobKind
from tests.support.clock import ManualClock
from tests.support.constants import GROUP, PROJECT
from tests.support.exchange import json_response

JOB = "01BTGNYV6HRNK8K8VKZASZCFP1"
STATUS = f"/jobs/upload-respondents-by-file/{JOB}"
COUNT = "/recontacts/overview"


class RequestCounter(list[float]):
    """The moments at which the status was requested."""


@pytest.fixture
def request_counter() -> RequestCounter:
    return RequestCounter()


@pytest.fixture
def job(client: AsyncClient, exchange: Any, request_counter: RequestCounter) -> Job:
    """A job that ends with the seventh poll."""

    def counted(word: str) -> Callable[[Any], Any]:
        def answer(request: Any) -> Any:
            request_counter.append(round(client.clock.monotonic(), 6))
            return json_response(200, {"job_id": JOB, "status": word})(request)

        return answer

    exchange.on("GET", STATUS, *[counted("Processing")] * 6, counted("Completed"))
    exchange.on("GET", COUNT, json_response(200, {"saved_respondent_ids_count": 9_990}))
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


@pytest.fixture
def manual_clock(client: AsyncClient) -> ManualClock:
    """A clock moved by hand, put into the client before the job is made of it."""
    clock = ManualClock(client.clock.now())
    client.http.clock = clock
    return clock
