"""A client of a fake exchange, which answers by rule."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cint_nb.api.client import AsyncClient
from cint_nb.domain.models import TargetGroupRef
from cint_nb.wire.clock import ReplayClock
from cint_nb.wire.http import Http
from cint_nb.wire.settings import Settings
from cint_nb.wire.token_factory import SeededTokenFactory
from tests.support.constants import GROUP, PROJECT, START
from tests.support.exchange import FakeExchange


@pytest.fixture
def exchange() -> FakeExchange:
    return FakeExchange()


@pytest.fixture
def client(exchange: FakeExchange) -> Iterator[AsyncClient]:
    made = AsyncClient(
        Http(
            Settings.load("sandbox", environ={}),
            transport=exchange,
            clock=ReplayClock(START),
            token_factory=SeededTokenFactory("tests"),
        )
    )
    with made:
        yield made


@pytest.fixture
def ref() -> TargetGroupRef:
    return TargetGroupRef(project_id=PROJECT, target_group_id=GROUP)
