"""A new sandbox for each test, and a raw HTTP client of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cint_nb.domain import ids
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.world.id_store import to_id_bytes
from cint_nb.sandbox.world.population import UploadResult
from tests.support.sandbox_client import RawClient


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(seed=1)


@pytest.fixture
def raw_client(sandbox: Sandbox) -> Iterator[RawClient]:
    raw_client = RawClient(sandbox)
    raw_client.log_in()
    yield raw_client
    raw_client.close()


@pytest.fixture
def open_sandbox() -> Iterator[Callable[..., RawClient]]:
    """Return what opens a client of a sandbox with settings of its own; all are closed at the end."""
    with contextlib.ExitStack() as stack:

        def opened(**settings: Any) -> RawClient:
            raw_client = RawClient(Sandbox(**{"seed": 1, **settings}))
            stack.callback(raw_client.close)
            raw_client.log_in()
            return raw_client

        yield opened


@pytest.fixture(scope="session")
def good_ids() -> list[str]:
    """Return 600 ids the exchange accepts."""
    population = Sandbox(seed=1).world.population
    every = (ids.synthetic_id("tests", number) for number in range(1000))
    return [one for one in every if population.upload_result(to_id_bytes(one)) is UploadResult.ACCEPTED][:600]
