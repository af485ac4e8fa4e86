"""The state of a tour: the client, what it has created so far, and how its results are compared."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from cint_nb.api.client import AsyncClient
from cint_nb.api.jobs.job import Job
from cint_nb.domain.errors import CintError
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.sandbox.openapi.examples import EXAMPLES
from tests.support.plans import EXAMPLE_URL, make_plan
from tests.support.uploads import upload_file

NOBODY = "01JX2X0N5RTR012AYDTA83QWTW"


@dataclass
class TourState:
    """The client, and what earlier steps have created."""

    client: AsyncClient
    project: str = ""
    groups: dict[str, TargetGroupRef] = field(default_factory=dict)

    @property
    def plan(self) -> TargetGroupPlan:
        """A plan that starts tomorrow."""
        now = self.client.clock.now()
        begins, ends = now + timedelta(days=1), now + timedelta(days=12)
        return make_plan(now, completes_goal=60, start_at=begins, end_at=ends, live_url=EXAMPLE_URL)


def example(name: str) -> dict[str, Any]:
    """Return a body that our description contains as an example."""
    body = EXAMPLES[name]
    assert isinstance(body, dict)
    return body


def plain(value: Any) -> Any:
    """Return a value without its handles, whose URL differs from one exchange to the other."""
    if hasattr(value, "model_dump"):
        return {key: item for key, item in value.model_dump().items() if key != "handle"}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return tuple(plain(item) for item in value) if isinstance(value, (tuple, list)) else value


async def refusal(call: Awaitable[Any]) -> tuple[str, str]:
    """Return type and message of the error, which must be raised."""
    try:
        await call
    except CintError as error:
        return type(error).__name__, error.what
    raise AssertionError("this was expected to be rejected")


async def every(rows: AsyncIterator[Any]) -> tuple[Any, ...]:
    return tuple([row async for row in rows])


people = partial(upload_file, seed="tour")


async def ended(job: Job) -> Any:
    """Return the last snapshot of a job."""
    return await job


async def end_or_refusal(job: Job) -> Any:
    """Return the last snapshot of a job, or type and message of its failure."""
    try:
        return await job
    except CintError as error:
        return type(error).__name__, error.what
