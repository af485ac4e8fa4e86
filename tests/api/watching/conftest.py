"""A job that ends with the seventh look, and a clock moved by hand."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from cint_nb.api.client import Client
from cint_nb.api.jobs import Job
from cint_nb.domain.jobs import JobHandle, JobKind

JOB = "01BTGNYV6HRNK8K8VKZASZCFP1"
STATUS = f"/jobs/upload-respondents-by-file/{JOB}"
COUNT = "/recontacts/overview"


class Asked(list[float]):
    """The moments at which the status was asked for."""


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def job(client: Client, exchange: Any, script: Any, asked: Asked) -> Job:
    """A job that ends with the seventh look."""

    def noting(word: str) -> Callable[[Any], Any]:
        def answer(request: Any) -> Any:
            asked.append(round(client.clock.monotonic(), 6))
            return script.answer(200, {"job_id": JOB, "status": word})(request)

        return answer

    exchange.on("GET", STATUS, *[noting("Processing")] * 6, noting("Completed"))
    exchange.on("GET", COUNT, script.answer(200, {"saved_respondent_ids_count": 9_990}))
    handle = JobHandle(
        kind=JobKind.UPLOAD,
        base_url=client.http.settings.base_url,
        account_id=101,
        project_id=script.project,
        target_group_id=script.group,
        job_id=JOB,
        ids=10_000,
        created_at=client.clock.now(),
    )
    return Job(client.http, handle, 0, pace=client.pace)


class HandClock:
    """Stand still until the test moves time; remember how long sleepers wanted to sleep."""

    def __init__(self, start: datetime) -> None:
        self.start, self.passed = start, 0.0
        self.naps: list[float] = []
        self.sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self.asleep = threading.Event()
        self.cancelled = threading.Event()

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        if seconds <= 0:
            return
        mine = (self.passed + seconds, asyncio.get_running_loop().create_future())
        self.sleepers.append(mine)
        self.asleep.set()
        try:
            await mine[1]
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        finally:
            self.sleepers.remove(mine)

    def move(self, seconds: float) -> None:
        self.passed += seconds
        for due, waiting in list(self.sleepers):
            if due <= self.passed and not waiting.done():
                waiting.set_result(None)


@pytest.fixture
def hand(client: Client) -> HandClock:
    """A clock moved by hand, put into the client before the job is made of it."""
    clock = HandClock(client.clock.now())
    client.http.clock = clock
    return clock
