"""Fixtures: a session on the sandbox, a list with one of everything, a plan that holds, and a wave of them.

A conftest imports those it wants: their names are too common to stand in every room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.sandbox.sample import write_sample
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.wave.client import Client, open_client
from cint_nb.wave.wave import Wave
from tests.support import plans


@pytest.fixture
def client() -> Iterator[Client]:
    with open_client("sandbox", seed=1) as session:
        yield session


@pytest.fixture(scope="session")
def people_as_read(tmp_path_factory: pytest.TempPathFactory) -> Respondents:
    """The list of all tests, written and read once: nothing can change it."""
    path = write_sample(tmp_path_factory.mktemp("people") / "people.csv", lines=600)
    return read_respondents(path, entity_type="RSID")


@pytest.fixture
def people(people_as_read: Respondents) -> Respondents:
    """The list, with nothing computed of it yet: a test may compute its digests as an earlier version did."""
    return replace(people_as_read)


@pytest.fixture
def make_plan(client: Client) -> Callable[..., TargetGroupPlan]:
    def make(**changes: Any) -> TargetGroupPlan:
        return plans.make_plan(client.clock.now(), **changes)

    return make


@pytest.fixture
def make_wave(client: Client, people: Respondents, make_plan: Callable[..., TargetGroupPlan]) -> Callable[..., Wave]:
    def make(
        name: str = "Tracker, wave 2",
        respondents: Respondents = people,
        project: str = "Brand tracker",
        **changes: Any,
    ) -> Wave:
        return client.wave(name, project=project, respondents=respondents, plan=make_plan(**changes))

    return make
