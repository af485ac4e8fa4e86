"""Cancelled at any moment and called again: one object, and a client that still works."""

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


class SlowTransport(httpx.AsyncBaseTransport):
    """Lets other tasks run before a request and before its reply arrives, so that a call can be cancelled at both."""

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
    token_factory = SeededTokenFactory("given-up")
    http = Http(
        settings, transport=SlowTransport(sandbox.transport()), clock=sandbox.clock, token_factory=token_factory
    )
    with AsyncClient(http, sandbox=sandbox) as made:
        yield made


async def cancelled_at(work: Awaitable[Any], turns: int) -> bool:
    """Run some work for so many turns of the loop, then cancel it; return whether it was still running."""
    task = asyncio.ensure_future(work)
    for _ in range(turns):
        await asyncio.sleep(0)
    was_running = task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() is was_running
    return was_running


def at_every_await(client: AsyncClient, work: Callable[[int], Awaitable[Any]], check: Callable[[int], None]) -> None:
    """Cancel the work at one await after another, call it again each time, and check what exists then."""
    tried, was_running = 0, True
    while was_running:
        was_running = client.run(cancelled_at(work(tried), tried))
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

    at_every_await(client, create, check)


def test_an_upload_given_up_and_called_again_is_one_upload(client: AsyncClient, ref: TargetGroupRef) -> None:
    def upload(number: int) -> Awaitable[Any]:
        content = f"{synthetic_id('given-up', number)}\n".encode()
        return client.recontacts.upload(ref, UploadFile(content, 1, EntityType.RSID), token=f"token{number:03}")

    def check(tried: int) -> None:
        jobs = [job for job in client.sandbox.world.jobs.values() if job.kind == entities.RECONTACT_UPLOAD]
        assert len(jobs) == tried
        client.pass_time(minutes=5)

    at_every_await(client, upload, check)


def test_a_project_given_up_and_called_again_with_its_key_is_one_project(client: AsyncClient) -> None:
    manager = "b551326b-ac9d-4d32-8823-4f025787dab9"

    def create(number: int) -> Awaitable[Any]:
        return client.projects.create("A project", manager, idempotency_key=f"key-{number}")

    def check(tried: int) -> None:
        assert len(client.sandbox.world.projects) == tried

    at_every_await(client, create, check)


def test_a_pause_given_up_and_called_again_pauses_once(client: AsyncClient, live_group: TargetGroupRef) -> None:
    async def pause_and_resume(turns: int) -> bool:
        was_running = await cancelled_at(client.fielding.pause(live_group), turns)
        assert (await client.fielding.pause(live_group)).status == "paused"
        await client.fielding.resume(live_group)
        return was_running

    turns, before = 0, client.run(client.fielding.run(live_group))
    while client.run(pause_and_resume(turns)):
        turns += 1
    after = client.run(client.fielding.run(live_group))
    assert before is not None
    assert after is not None
    assert (after.version or 0) - (before.version or 0) == 2 * (turns + 1)
