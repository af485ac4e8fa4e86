"""A sandbox of its own for each test, with as much of a wave as the test asks for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from cint_nb.api.client import AsyncClient, build_client
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import TargetGroupPlan
from tests.support.plans import make_plan
from tests.support.uploads import upload_file

MANAGER = "b551326b-ac9d-4d32-8823-4f025787dab9"


@pytest.fixture
def client() -> Iterator[AsyncClient]:
    with build_client("sandbox") as made:
        yield made


@pytest.fixture
def plan(client: AsyncClient) -> TargetGroupPlan:
    now = client.clock.now()
    return make_plan(now, end_at=now + timedelta(days=20))


@pytest.fixture
def project(client: AsyncClient) -> str:
    return client.run(client.projects.create("Brand tracker", MANAGER, reference="tracker-2026")).id


@pytest.fixture
def ref(client: AsyncClient, project: str, plan: TargetGroupPlan) -> TargetGroupRef:
    return client.run(client.target_groups.create_draft(project, plan, name="Wave two", reference="wave-2"))


@pytest.fixture
def group_with_ids(client: AsyncClient, ref: TargetGroupRef) -> TargetGroupRef:
    client.run(client.recontacts.upload(ref, upload_file(1_000, seed="life"))).wait()
    client.run(client.target_groups.set_filling_strategy(ref, "completes"))
    return ref


@pytest.fixture
def live_group(client: AsyncClient, group_with_ids: TargetGroupRef, plan: TargetGroupPlan) -> TargetGroupRef:
    client.run(client.fielding.launch(group_with_ids, plan.end_at)).wait()
    return group_with_ids
