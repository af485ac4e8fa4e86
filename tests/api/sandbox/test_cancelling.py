"""Given up at any moment and called again: one object, and a client as good as before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest

from cint_nb.api.client import AsyncClient
from cint_nb.domain.files import UploadFile
from cint_nb.domain.ids import EntityType, synthetic_id
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.world import entities
from cint_nb.wire.http import Http
from cint_nb.wire.settings import Settings
from cint_nb.wire.token_factory import SeededTokenFactory


class Unhurried(httpx.AsyncBaseTransport):
    """Let others run before a request arrives and before its reply does, so that both can be given up."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        response = await self.inner.handle_async_request(request)
        await asyncio.sleep(0)
        return response


@pytest.fixture
def client() -> Iterator[AsyncClient]:
    sandbox = Sandbox(seed=1)
    settings = Settings.load("sandbox", environ={})
    nonces = SeededTokenFactory("given-up")
    http = Http(settings, transport=Unhurried(sandbox.transport()), clock=sandbox.clock, token_factory=nonces)
    with AsyncClient(http) as made:
        made.sandbox = sandbox
        yield made


async def given_up(work: Awaitable[Any], turns: int) -> bool:
    """Run a piece of work for so many turns of the loop and give it up; tell whether it had not ended by itself."""
    task = asyncio.ensure_future(work)
    for _ in range(turns):
        await asyncio.sleep(0)
    was_running = task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() is was_running
    return was_running


def at_every_moment(client: AsyncClient, work: Callable[[int], Awaitable[Any]], check: Callable[[int], None]) -> None:
    """Give the work up at one moment after another, call it again each time, and check what exists then."""
    tried, was_running = 0, True
    while was_running:
        was_running = client.run(given_up(work(tried), tried))
        client.run(work(tried))
        tried += 1
        check(tried)
    assert tried > 5


def test_a_draft_given_up_and_called_again_is_one_draft(
    client: AsyncClient, project: str, plan: TargetGroupPlan
) -> None:
    def create(number: int) -> Awaitable[Any]:
        return client.target_groups.create_draft(project, plan, name="Wave two", reference=f"once-{number}")

    def check(tried: int) -> None:
        assert len(client.sandbox.world.groups) == tried

    at_every_moment(client, create, check)


def test_an_upload_given_up_and_called_again_is_one_upload(client: AsyncClient, ref: TargetGroupRef) -> None:
    def upload(number: int) -> Awaitable[Any]:
        content = f"{synthetic_id('given-up', number)}\n".encode()
        return client.recontacts.upload(ref, UploadFile(content, 1, EntityType.RSID), token=f"token{number:03}")

    def check(tried: int) -> None:
        jobs = [job for job in client.sandbox.world.jobs.values() if job.kind == entities.RECONTACT_UPLOAD]
        assert len(jobs) == tried
        client.pass_time(minutes=5)

    at_every_moment(client, upload, check)


def test_a_project_given_up_and_called_again_with_its_key_is_one_project(client: AsyncClient) -> None:
    manager = "b551326b-ac9d-4d32-8823-4f025787dab9"

    def create(number: int) -> Awaitable[Any]:
        return client.projects.create("A project", manager, idempotency_key=f"key-{number}")

    def check(tried: int) -> None:
        assert len(client.sandbox.world.projects) == tried

    at_every_moment(client, create, check)


def test_a_pause_given_up_and_called_again_pauses_once(client: AsyncClient, live: TargetGroupRef) -> None:
    async def pause_and_resume(turns: int) -> bool:
        was_running = await given_up(client.fielding.pause(live), turns)
        assert (await client.fielding.pause(live)).status == "paused"
        await client.fielding.resume(live)
        return was_running

    turns, before = 0, client.run(client.fielding.run(live))
    while client.run(pause_and_resume(turns)):
        turns += 1
    after = client.run(client.fielding.run(live))
    assert before is not None
    assert after is not None
    assert (after.version or 0) - (before.version or 0) == 2 * (turns + 1)
