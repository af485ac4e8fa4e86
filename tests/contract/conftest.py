"""The exchange as a stranger's HTTP client meets it: no code of ours between the test and the wire."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from cint_nb.domain.ids import synthetic_id
from cint_nb.sandbox.idstore import key_of
from cint_nb.sandbox.people import Fate
from cint_nb.sandbox.practice import ACCOUNT_ID, BUSINESS_UNIT_ID, PROJECT_MANAGER_ID, Sandbox
from cint_nb.sandbox.server import ServedSandbox
from cint_nb.wire import loop

sys.path.insert(0, str(Path(__file__).parent))  # test folders are no packages, and several files share these
from journey import Journey, travel


class Exchange:
    """Speak plain HTTP with a sandbox, with the guide's headers."""

    def __init__(self, sandbox: Sandbox, http: httpx.AsyncClient) -> None:
        self.sandbox = sandbox
        self.http = http
        self.account = f"/v1/demand/accounts/{ACCOUNT_ID}"
        self.authenticate()

    def authenticate(self) -> None:
        token = self.request(
            "POST",
            "/oauth/token",
            json={
                "client_id": "sandbox",
                "client_secret": "sandbox",
                "grant_type": "client_credentials",
                "audience": "https://api.luc.id",
                "auth_scopes": "app:api",
            },
        ).json()["access_token"]
        self.headers = {"Authorization": f"Bearer {token}", "Cint-API-Version": "2025-12-18"}

    def request(self, method: str, path: str, **parts: Any) -> httpx.Response:
        return loop.run(self.http.request(method, path, **parts))

    def call(self, method: str, path: str, **parts: Any) -> Any:
        headers = self.headers | parts.pop("headers", {})
        return self.request(method, path, headers=headers, **parts)

    def wait(self, **span: float) -> None:
        self.sandbox.clock.advance(timedelta(**span).total_seconds())
        self.authenticate()  # a token lives for a day

    def project(self) -> str:
        made = self.call(
            "POST",
            f"{self.account}/projects",
            json={"name": "Brand tracker", "project_manager_id": PROJECT_MANAGER_ID},
            headers={"idempotency-key": "0b7f8f0e-6f0c-4f43-9d8e-0a1b2c3d4e5f"},
        )
        self.wait(seconds=30)
        return str(made.json()["id"])

    def draft_body(self, **changes: Any) -> dict[str, Any]:
        survey = "https://your-survey.com?RID=[%RID%]&RECONTACT_RSID=[%RECONTACT_RSID%]"
        now = self.sandbox.clock.now()
        return {
            "name": "My first target group",
            "business_unit_id": str(BUSINESS_UNIT_ID),
            "project_manager_id": PROJECT_MANAGER_ID,
            "study_type_code": "recontact",
            "industry_code": "other",
            "cost_per_interview": {"value": "2.7352", "currency_code": "EUR"},
            "collects_pii": False,
            "expected_length_of_interview_minutes": 5,
            "expected_incidence_rate": 0.8,
            "fielding_specification": {
                "start_at": (now + timedelta(hours=2)).isoformat(),
                "end_at": (now + timedelta(days=11)).isoformat(),
            },
            "live_url": survey,
            "test_url": survey,
            "fielding_assistant_assignment": {
                "pricing": {"type": "dynamic", "maximum_cpi": {"value": "2.7352", "currency_code": "EUR"}},
                "quota_overlay": {"prevent_overfill": True, "balance_fill": False},
            },
            "exclusion": {"enabled": False},
            "locale": "ger_de",
            "completes_goal": 10,
            "allocations": {"template_id": "01JH0PEGPC4Z8RDD304E2SF0EW"},
        } | changes

    def create(self, **changes: Any) -> Any:
        body = {key: value for key, value in self.draft_body(**changes).items() if value is not None}
        return self.call("POST", f"{self.account}/projects/{self.project()}/target-groups", json=body)

    def group(self, **changes: Any) -> str:
        project = self.project()
        body = {key: value for key, value in self.draft_body(**changes).items() if value is not None}
        groups = f"{self.account}/projects/{project}/target-groups"
        return f"{groups}/{self.call('POST', groups, json=body).json()['id']}"

    def upload(self, group: str, content: bytes, *, name: str = "respondents.csv", entity_type: str = "RSID") -> Any:
        return self.call(
            "POST",
            f"{group}/recontacts/jobs/upload-respondents-by-file?entity_type={entity_type}",
            files={"file": (name, content, "text/csv")},
        )

    def job(self, group: str, job_id: str, kind: str = "upload-respondents-by-file") -> dict[str, Any]:
        return dict(self.call("GET", f"{group}/recontacts/jobs/{kind}/{job_id}").json())

    def saved(self, group: str) -> int:
        return int(self.call("GET", f"{group}/recontacts/overview").json()["saved_respondent_ids_count"])

    def ids(self, count: int, fate: Fate = Fate.ACCEPTED, seed: str = "contract") -> list[str]:
        """Return ids of one fate; accepted ones unless asked otherwise."""
        people = self.sandbox.world.people
        found: list[str] = []
        number = 0
        while len(found) < count:
            identifier = synthetic_id(seed, number)
            if people.fate(key_of(identifier)) is fate:
                found.append(identifier)
            number += 1
        return found


@pytest.fixture(params=["in process", "over HTTP"])
def exchange(request: pytest.FixtureRequest) -> Iterator[Exchange]:
    sandbox = Sandbox(seed=1)
    with ExitStack() as stack:
        if request.param == "over HTTP":
            served = stack.enter_context(ServedSandbox(sandbox))
            http = httpx.AsyncClient(base_url=served.url)
        else:
            http = httpx.AsyncClient(transport=sandbox.transport(), base_url="http://sandbox.invalid")
        yield Exchange(sandbox, http)
        loop.run(http.aclose())


@pytest.fixture(scope="session")
def journey() -> Journey:
    """Everything our own client says to the sandbox in process, once for all tests of these folders."""
    return travel()
