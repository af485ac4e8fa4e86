"""How the status of a project, its table and the comparison of uploads grow, from one target group to 500.

A sandbox in a process of its own serves a project of each size over HTTP; all groups are live and have 200 people, of
whom the exchange saved most. Measured are the requests of the first status, of the next one, in which nothing has
changed, and of the comparison of all lists with what was saved; and time and memory of the client's process. 32
requests are in flight, with practically no rate limit; with the usual ten a second the requests decide how long it
takes.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from growth import Cost, cost_of, costs_of, growth_row, print_cost
from measuring import Row, run_alone
from status_table import groups as status_of

import cint_nb as cint
from cint_nb.domain import ids, limits
from cint_nb.domain.models import TargetGroupRef
from cint_nb.panels.status_table.model import StatusView
from cint_nb.panels.status_table.table_html import render_table
from cint_nb.sandbox.openapi.examples import EXAMPLES
from cint_nb.sandbox.sandbox import ACCOUNT_ID, CLIENT_ID, CLIENT_SECRET, Sandbox
from cint_nb.sandbox.server import ServedSandbox
from cint_nb.study.outcome.upload_outcome import compare_upload

SIZES = (1, 5, 20, 100, 500)
PEOPLE, IN_FLIGHT = 200, 32
WORKS = {
    "status": "status of a project",
    "again": "status of a project, read again",
    "table": "status table drawn",
    "compare": "uploads compared with what was saved",
}


def project_name(groups: int) -> str:
    return f"Growth to {groups} groups"


def sent(group: int) -> list[str]:
    """Return the ids that were uploaded to a group."""
    return [ids.synthetic_id("growth", group * PEOPLE + number) for number in range(PEOPLE)]


class Filler:
    """Fills a sandbox in this process with projects whose target groups are live."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.keys = sandbox, 0
        self.http = httpx.AsyncClient(transport=sandbox.transport(), base_url=sandbox.base_url)

    async def post(self, path: str, **more: Any) -> Any:
        self.keys += 1
        reply = await self.http.post(path, headers={"idempotency-key": f"growth-{self.keys}"}, **more)
        return reply.raise_for_status().json() if reply.content else None

    async def log_in(self) -> None:
        login = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "grant_type": "client_credentials"}
        token = (await self.http.post(self.sandbox.token_url, json=login)).json()["access_token"]
        self.http.headers.update({"Authorization": f"Bearer {token}", "Cint-API-Version": limits.API_VERSION})

    async def fill(self) -> None:
        await self.log_in()
        for groups in SIZES:
            await self.project(groups)
        self.sandbox.advance(86_400)
        await self.http.aclose()

    async def project(self, groups: int) -> None:
        account = f"/demand/accounts/{ACCOUNT_ID}"
        project: Any = EXAMPLES["ProjectDraft"]
        draft: Any = EXAMPLES["Draft"]
        made = await self.post(f"{account}/projects", json=project | {"name": project_name(groups)})
        self.sandbox.advance(5)
        base = f"{account}/projects/{made['id']}/target-groups"
        paths = []
        for number in range(groups):
            reply = await self.post(base, json=draft | {"name": f"Group {number:03}"})
            paths.append(f"{base}/{reply['id']}")
            file = {"file": ("list.csv", "\n".join(sent(number)).encode(), "text/csv")}
            await self.post(f"{paths[-1]}/recontacts/jobs/upload-respondents-by-file?entity_type=RSID", files=file)
        self.sandbox.advance(60)
        for path in paths:
            await self.post(f"{path}/fielding-run-jobs/launch-from-draft", json=EXAMPLES["Launch"])


def serve() -> None:
    """Serve the sandbox until the standard input ends."""
    sandbox = Sandbox()
    asyncio.run(Filler(sandbox).fill())
    with ServedSandbox(sandbox) as served:
        print(json.dumps([served.base_url, served.token_url]), flush=True)
        sys.stdin.read()


@contextmanager
def served() -> Iterator[list[str]]:
    """Serve the sandbox in a process of its own, and yield its addresses."""
    command = [sys.executable, __file__, "--serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        assert process.stdin is not None
        process.stdin.close()


def compare_all(client: cint.Client, groups: int) -> None:
    """List what was saved in each group, and compare it with what was sent."""

    async def one(project: str, group: str, number: int) -> None:
        ref = TargetGroupRef(project_id=project, target_group_id=group)
        people = cint.read_respondents(sent(number), entity_type="RSID")
        outcome = compare_upload(people, before=(), after=await client.aio.recontacts.saved_ids(ref))
        assert 0 < outcome.counts["saved"] <= PEOPLE

    async def every() -> None:
        projects = [each.id async for each in client.aio.projects.list() if each.name == project_name(groups)]
        lines = [line async for line in client.aio.target_groups.list(projects[0])]
        assert len(lines) == groups
        await asyncio.gather(*(one(projects[0], line.id, int(line.name.split()[1])) for line in lines))

    client.aio.run(every())


def alone(work: str, groups: int, base_url: str, token_url: str) -> None:
    """Do a work for the smallest project, which imports everything, then for one of so many groups."""
    client = cint.connect(
        "live", base_url=base_url, token_url=token_url, account_id=ACCOUNT_ID, client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET, in_flight=IN_FLIGHT, requests_per_second=limits.REQUESTS_PER_SECOND_MAX,
    )  # fmt: skip

    def sent_until_now() -> int:
        return client.requests_sent

    if work == "compare":
        compare_all(client, SIZES[0])
        print_cost(lambda: compare_all(client, groups), sent_until_now)
        return
    list(client.project_status(project_name(SIZES[0]))())
    status = client.project_status(project_name(groups))

    def read() -> None:
        *_, frame = status()
        assert len(frame) == groups

    print_cost(read, sent_until_now)
    print_cost(read, sent_until_now)  # nothing has changed


def draw_alone(number: int) -> None:
    """Draw a small table, and then one of so many groups."""
    small, view = (StatusView(status_of(each)) for each in (SIZES[0], number))
    render_table(small, caption="Status")
    print_cost(lambda: render_table(view, caption="Status"))


def rows() -> list[Row]:
    costs: dict[str, list[Cost]] = {work: [] for work in WORKS}
    with served() as addresses:
        for groups in SIZES:
            first, again = costs_of(groups, __file__, "--alone", "status", groups, *addresses)
            costs["status"].append(first)
            costs["again"].append(again)
            costs["compare"].append(cost_of(groups, __file__, "--alone", "compare", groups, *addresses))
    costs["table"] = [cost_of(groups, __file__, "--draw", groups) for groups in SIZES]
    fewest, most = (costs["status"][place].requests or 0 for place in (0, -1))
    usual = most / limits.REQUESTS_PER_SECOND
    says = {
        "status": f"{fewest} requests for one group, {most:,} for {SIZES[-1]}: at the usual rate {usual / 60:.0f} "
        "minutes. The table shows all rows after one request for a hundred groups, and completes those of live groups "
        "first.",
        "again": "Nothing has changed: one request for a hundred groups.",
        "table": "The kernel's part: the HTML of all rows. What a browser needs is a row of its own.",
        "compare": f"{PEOPLE} people a group: the pages of their ids, and the comparison.",
    }
    return [growth_row(words, costs[work], "groups", says[work]) for work, words in WORKS.items()]


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve()
    elif sys.argv[1:2] == ["--draw"]:
        draw_alone(int(sys.argv[2]))
    elif sys.argv[1:2] == ["--alone"]:
        alone(sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
    else:
        sys.exit(run_alone(rows, __doc__))
