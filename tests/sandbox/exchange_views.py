"""What the documented reads of a sandbox show, as one flat dictionary, and a raw client that speaks over a socket."""

from __future__ import annotations

from typing import Any

import httpx

from cint_nb.sandbox.server import ServedSandbox
from tests.support.sandbox_client import RawClient


class ServedRawClient(RawClient):
    """Speak to a served sandbox; its faults are armed over HTTP."""

    def __init__(self, served: ServedSandbox, token: str | None = None) -> None:
        super().__init__(served.sandbox)
        self.served = served
        self.runner.run(self.client.aclose())
        self.client = httpx.AsyncClient(base_url=served.base_url, trust_env=False, timeout=30)
        if token is not None:
            self.headers["Authorization"] = f"Bearer {token}"

    def log_in(self) -> None:
        body = {"client_id": "sandbox", "client_secret": "sandbox", "grant_type": "client_credentials"}
        reply = self.runner.run(self.client.post(self.served.token_url, json=body))
        self.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"

    def inject(self, **fault: Any) -> httpx.Response:
        return self.runner.run(self.client.post(f"{self.served.url}/sandbox/faults", json=fault))


def view(client: RawClient, group: str) -> dict[str, Any]:
    """Return all that documented reads say about a target group and its project, by the path of each value."""
    project = group.split("/target-groups/")[0]
    seen: dict[str, Any] = {}
    reads = {
        "project": project,
        "projects": f"{client.account}/projects",
        "groups": f"{project}/target-groups",
        "draft": group,
        "details": f"{group}/details",
        "overview": f"{group}/overview",
        "allocation": f"{group}/allocation-specification",
        "policy": f"{group}/exclusion-policy",
        "activity": f"{group}/respondent-activity-exclusions",
        "runs": f"{group}/fielding-runs",
        "jobs": f"{group}/recontacts/jobs/upload-respondents-by-file",
        "saved": f"{group}/recontacts/overview",
        "ids": f"{group}/recontacts/rsids?page_size=100",
        "changelog": f"{group}/changelog",
    }
    for name, path in reads.items():
        reply = client.get(path)
        seen[f"{name}.http"] = reply.status_code
        if reply.is_success:
            _flatten(reply.json(), name, seen)
        if name == "project":
            seen["project.etag"] = reply.headers.get("etag")
    run = seen.get("runs.data.0.id")
    if run is not None:
        seen["run.etag"] = client.get(f"{group}/fielding-runs/{run}").headers["etag"]
    return seen


def _flatten(value: Any, path: str, seen: dict[str, Any]) -> None:
    if isinstance(value, dict):
        for name, item in value.items():
            _flatten(item, f"{path}.{name}", seen)
    elif isinstance(value, list):
        seen[f"{path}.length"] = len(value)
        for number, item in enumerate(value):
            _flatten(item, f"{path}.{number}", seen)
    else:
        seen[path] = value


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Return the paths of values that differ, without the changelog and the times and names of whoever changed them."""
    times = ("updated_at", "update_date", "updated_by", "last_activity_at", "last_changed_at", "last_changed_by")
    return {
        path
        for path in before.keys() | after.keys()
        if before.get(path) != after.get(path) and not path.startswith("changelog") and not path.endswith(times)
    }
