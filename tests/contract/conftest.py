"""The sandbox as a raw HTTP client sees it: no code of ours between the test and the wire."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.server import ServedSandbox
from cint_nb.wire import loop_thread
from tests.contract.recorded_tour import RecordedTour, record_tour
from tests.support.sandbox_client import GuideClient


@pytest.fixture(params=["in process", pytest.param("over HTTP", marks=pytest.mark.thorough)])
def guide_client(request: pytest.FixtureRequest) -> Iterator[GuideClient]:
    sandbox = Sandbox(seed=1)
    with ExitStack() as stack:
        if request.param == "over HTTP":
            served = stack.enter_context(ServedSandbox(sandbox))
            http = httpx.AsyncClient(base_url=served.url)
        else:
            http = httpx.AsyncClient(transport=sandbox.transport(), base_url="http://sandbox.invalid")
        yield GuideClient(sandbox, http)
        loop_thread.run(http.aclose())


@pytest.fixture(scope="session")
def recorded_tour() -> RecordedTour:
    """Everything our own client sends to the in-process sandbox, once for all tests of these folders."""
    return record_tour()
