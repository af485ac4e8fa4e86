"""Raw HTTP clients of a sandbox: they know the public documents and nothing of cint_nb's own client.

`RawClient` works below the base address and steps the sandbox's clock itself. `GuideClient` writes out what the
recontact guide writes out, whole addresses and the version among them, and speaks over a socket just as well.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx

from cint_nb.domain import limits
from cint_nb.domain.ids import synthetic_id
from cint_nb.sandbox.sandbox import ACCOUNT_ID, PROJECT_MANAGER_ID, Sandbox
from cint_nb.sandbox.world.id_store import to_id_bytes
from cint_nb.sandbox.world.population import UploadResult
from cint_nb.wire import loop_thread
from tests.support import plans


class RawClient:
    """Speak to a sandbox in process, one request at a time, at addresses below its base."""

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
        begins, ends = "2026-09-02T08:22:18.822Z", "2026-09-13T08:22:18.821Z"
        usual = {"name": "Tracker, wave 2", "filling_strategy": "completes"}
        return plans.draft_body(begins, ends, **usual | changes)

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

    def saved_ids(self, group: str, lines: list[str], **more: Any) -> str:
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


class GuideClient:
    """Speak plain HTTP with a sandbox, in process or over a socket, with the guide's whole addresses and headers."""

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
        return loop_thread.run(self.http.request(method, path, **parts))

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
        now = self.sandbox.clock.now()
        begins, ends = (now + timedelta(hours=2)).isoformat(), (now + timedelta(days=11)).isoformat()
        pricing = {"type": "dynamic", "maximum_cpi": plans.price_body()}
        overlay = {"prevent_overfill": True, "balance_fill": False}
        usual: dict[str, Any] = {
            "name": "My first target group",
            "fielding_assistant_assignment": {"pricing": pricing, "quota_overlay": overlay},
        }
        return plans.draft_body(begins, ends, **usual | changes)

    def create(self, **changes: Any) -> Any:
        return self.call(
            "POST", f"{self.account}/projects/{self.project()}/target-groups", json=self.draft_body(**changes)
        )

    def group(self, **changes: Any) -> str:
        project = self.project()
        groups = f"{self.account}/projects/{project}/target-groups"
        return f"{groups}/{self.call('POST', groups, json=self.draft_body(**changes)).json()['id']}"

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

    def ids(self, count: int, fate: UploadResult = UploadResult.ACCEPTED, seed: str = "contract") -> list[str]:
        """Return ids of one fate; accepted ones unless asked otherwise."""
        people = self.sandbox.world.population
        found: list[str] = []
        number = 0
        while len(found) < count:
            identifier = synthetic_id(seed, number)
            if people.upload_result(to_id_bytes(identifier)) is fate:
                found.append(identifier)
            number += 1
        return found
