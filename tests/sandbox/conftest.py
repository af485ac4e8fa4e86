"""A stranger's HTTP client: it knows the public documents and nothing of cint_nb's own client."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from cint_nb.domain import ids, limits
from cint_nb.sandbox.practice import ACCOUNT_ID, PROJECT_MANAGER_ID, Sandbox

URL = "https://survey.example/?RID=[%RID%]&RECONTACT_RSID=[%RECONTACT_RSID%]"


class Stranger:
    """Speak to a sandbox in process, one request at a time."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.runner = asyncio.Runner()
        self.client = httpx.AsyncClient(transport=sandbox.transport(), base_url=sandbox.base_url)
        self.headers = {"Cint-API-Version": limits.API_VERSION}
        self.account = f"/demand/accounts/{ACCOUNT_ID}"
        self.keys = 0

    def close(self) -> None:
        self.runner.run(self.client.aclose())
        self.runner.close()

    def log_in(self) -> None:
        body = {"client_id": "sandbox", "client_secret": "sandbox", "grant_type": "client_credentials"}
        reply = self.runner.run(self.client.post(self.sandbox.token_url, json=body))
        self.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {**self.headers, **more.pop("headers", {})}
        return self.runner.run(self.client.request(method, path, headers=headers, **more))

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.ask("GET", path, **more)

    def post(self, path: str, json: Any = None, *, key: str | None = None, **more: Any) -> httpx.Response:
        if key is not None:
            more["headers"] = {**more.get("headers", {}), "idempotency-key": key}
        return self.ask("POST", path, json=json, **more)

    def new_key(self) -> str:
        self.keys += 1
        return f"key-{self.keys}"

    def project(self, name: str = "Brand tracker") -> str:
        body = {"name": name, "project_manager_id": PROJECT_MANAGER_ID}
        reply = self.post(f"{self.account}/projects", body, key=self.new_key())
        assert reply.status_code == 202, reply.text
        self.sandbox.advance(5)
        return f"{self.account}/projects/{reply.json()['id']}"

    def draft_body(self, **changes: Any) -> dict[str, Any]:
        """Return a recontact draft as both guides write it."""
        body: dict[str, Any] = {
            "name": "Tracker, wave 2",
            "business_unit_id": "1234",
            "project_manager_id": PROJECT_MANAGER_ID,
            "study_type_code": "recontact",
            "industry_code": "other",
            "cost_per_interview": {"value": "2.7352", "currency_code": "EUR"},
            "collects_pii": False,
            "expected_length_of_interview_minutes": 5,
            "expected_incidence_rate": 0.8,
            "fielding_specification": {"start_at": "2026-09-02T08:22:18.822Z", "end_at": "2026-09-13T08:22:18.821Z"},
            "live_url": URL,
            "test_url": URL,
            "fielding_assistant_assignment": {"quota_overlay": {"prevent_overfill": True, "balance_fill": False}},
            "exclusion": {"enabled": False},
            "locale": "ger_de",
            "completes_goal": 10,
            "allocations": {"template_id": limits.RECONTACT_TEMPLATE_ID},
            "filling_strategy": "completes",
        }
        body.update(changes)
        return {name: value for name, value in body.items() if value is not None}

    def group(self, project: str = "", **changes: Any) -> str:
        project = project or self.project()
        reply = self.post(f"{project}/target-groups", self.draft_body(**changes))
        assert reply.status_code == 201, reply.text
        return f"{project}/target-groups/{reply.json()['id']}"

    def upload(self, group: str, lines: list[str], entity_type: str = "RSID", name: str = "wave.csv") -> httpx.Response:
        file = {"file": (name, "\n".join(lines).encode() + b"\n", "text/csv")}
        path = f"{group}/recontacts/jobs/upload-respondents-by-file"
        return self.ask("POST", path, params={"entity_type": entity_type}, files=file)

    def saved(self, group: str) -> int:
        return int(self.get(f"{group}/recontacts/overview").json()["saved_respondent_ids_count"])

    def stored(self, group: str, lines: list[str], **more: Any) -> str:
        """Upload, let the job end, return its address."""
        reply = self.upload(group, lines, **more)
        assert reply.status_code == 201, reply.text
        self.sandbox.advance(30 + len(lines) * 0.1)
        return f"{group}/recontacts/jobs/upload-respondents-by-file/{reply.json()['job_id']}"

    def launched(self, group: str, end: str = "2026-09-13T08:00:00.000Z") -> str:
        """Launch, let the job end, return the run's address."""
        path = f"{group}/fielding-run-jobs/launch-from-draft"
        reply = self.post(path, {"end_fielding_at": end}, key=self.new_key())
        assert reply.status_code == 201, reply.text
        self.sandbox.advance(30)
        job = self.get(reply.headers["location"]).json()
        assert job["status"] == "Completed", job
        return f"{group}/fielding-runs/{job['created_fielding_run_id']}"


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(seed=1)


@pytest.fixture
def stranger(sandbox: Sandbox) -> Iterator[Stranger]:
    stranger = Stranger(sandbox)
    stranger.log_in()
    yield stranger
    stranger.close()


@pytest.fixture
def good_ids(sandbox: Sandbox) -> list[str]:
    """Return 600 ids the exchange accepts."""
    from cint_nb.sandbox.idstore import key_of
    from cint_nb.sandbox.people import Fate

    every = (ids.synthetic_id("tests", number) for number in range(1000))
    return [one for one in every if sandbox.world.people.fate(key_of(one)) is Fate.ACCEPTED][:600]
