"""A session on the sandbox, a list with one of everything, and a plan that holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.sandbox.practice import BUSINESS_UNIT_ID, PROJECT_MANAGER_ID
from cint_nb.sandbox.sample import write_sample
from cint_nb.study.respondents import Respondents, read_respondents
from cint_nb.wave.session import Session, connect_session
from cint_nb.wave.wave import Wave

SURVEY = "https://your-survey.com?RID=[%RID%]&RECONTACT_RSID=[%RECONTACT_RSID%]"


@pytest.fixture
def client() -> Iterator[Session]:
    with connect_session("sandbox", seed=1) as session:
        yield session


@pytest.fixture
def people(tmp_path: Path) -> Respondents:
    return read_respondents(write_sample(tmp_path / "people.csv", lines=600), entity_type="RSID")


@pytest.fixture
def make_plan(client: Session) -> Callable[..., TargetGroupPlan]:
    def make(**changes: Any) -> TargetGroupPlan:
        now = client.clock.now()
        fields: dict[str, Any] = {
            "business_unit_id": BUSINESS_UNIT_ID,
            "project_manager_id": PROJECT_MANAGER_ID,
            "locale": "ger_de",
            "completes_goal": 100,
            "cost_per_interview": "2.7352 EUR",
            "start_at": now + timedelta(hours=2),
            "end_at": now + timedelta(days=14),
            "live_url": SURVEY,
        }
        return TargetGroupPlan.of(**fields | changes)

    return make


@pytest.fixture
def make_wave(client: Session, people: Respondents, make_plan: Callable[..., TargetGroupPlan]) -> Callable[..., Wave]:
    def make(name: str = "Tracker, wave 2", respondents: Respondents = people, **changes: Any) -> Wave:
        return client.wave(name, project="Brand tracker", respondents=respondents, plan=make_plan(**changes))

    return make
