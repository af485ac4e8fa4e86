"""A raw HTTP client of a sandbox: it knows the public documents and nothing of cint_nb's own client.

It works below the base address and steps the sandbox's clock itself.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from cint_nb.domain import limits
from cint_nb.sandbox.sandbox import ACCOUNT_ID, PROJECT_MANAGER_ID, Sandbox
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
