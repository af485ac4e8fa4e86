"""What a laboratory of a million people costs, and a wave of 100,000: seconds of processor time, and megabytes.

Run `python benchmarks/laboratory_load.py`; `--check` fails when a promise is broken: with a million people the first
list within 2 s, whether it is one of new people or of response ids, and at most 150 MB added by a list of a million; a
wave of 100,000, from the upload to the report with answers, within 4 s. Each part runs in a process of its own, since
the memory of one cannot be given back. Time is processor time, so that a busy machine says nearly the same: one whose
cores are shared takes up to twice as long.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

import httpx

from cint_nb.domain import ids, limits
from cint_nb.sandbox.openapi.examples import EXAMPLES
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.world.population import PopulationParameters, rid_of, rsid_of

PROMISES = {
    "seconds_to_first_list_of_new_people": 2.0,
    "seconds_to_first_list_of_response_ids": 2.0,
    "megabytes_for_a_million_listed": 150.0,
    "seconds_for_a_wave_of_100000": 4.0,
}
MILLION = PopulationParameters(population=1_000_000)
ACCOUNT = "/demand/accounts/101"
CREDENTIALS = {"client_id": "sandbox", "client_secret": "sandbox", "grant_type": "client_credentials"}
DAY = 86_400


class Laboratory:
    """A sandbox with a plain HTTP client, in process."""

    def __init__(self, population: PopulationParameters | None = None) -> None:
        self.sandbox = Sandbox(population=population)
        self.http = httpx.AsyncClient(transport=self.sandbox.transport(), base_url=self.sandbox.base_url, timeout=60)
        self.http.headers["Cint-API-Version"] = limits.API_VERSION

    async def log_in(self) -> None:
        token = (await self.http.post(self.sandbox.token_url, json=CREDENTIALS)).json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    async def project(self) -> str:
        await self.log_in()
        path = f"{ACCOUNT}/projects"
        reply = await self.http.post(path, json=EXAMPLES["ProjectDraft"], headers={"idempotency-key": "project"})
        self.sandbox.advance(5)
        return f"{path}/{reply.json()['id']}"

    async def group(self, project: str, goal: int, **changes: object) -> str:
        await self.log_in()
        now = self.sandbox.clock.elapsed
        times = [self.sandbox.world.format_time(now + seconds) for seconds in (2 * 3_600, 20 * DAY)]
        body = {**EXAMPLES["Draft"], "completes_goal": goal, "filling_strategy": "completes", **changes}
        body["fielding_specification"] = {"start_at": times[0], "end_at": times[1]}
        reply = await self.http.post(f"{project}/target-groups", json={k: v for k, v in body.items() if v is not None})
        assert reply.status_code == 201, reply.text
        return f"{project}/target-groups/{reply.json()['id']}"

    async def upload(self, group: str, content: bytes, entity_type: str = "RSID") -> int:
        await self.log_in()
        path = f"{group}/recontacts/jobs/upload-respondents-by-file?entity_type={entity_type}"
        reply = await self.http.post(path, files={"file": ("list.csv", content, "text/csv")})
        assert reply.status_code == 201, reply.text
        self.sandbox.advance(3 * 3_600)
        return int((await self.http.get(f"{group}/recontacts/overview")).json()["saved_respondent_ids_count"])

    async def launch(self, group: str, days: float) -> None:
        end = self.sandbox.world.format_time(self.sandbox.clock.elapsed + 20 * DAY)
        path = f"{group}/fielding-run-jobs/launch-from-draft"
        reply = await self.http.post(path, json={"end_fielding_at": end}, headers={"idempotency-key": group})
        assert reply.status_code == 201, reply.text
        self.sandbox.advance(days * DAY)
        await self.log_in()

    async def report(self, group: str) -> bytes:
        body = {
            "filter": "target_group",
            "filter_ids": [group.rsplit("/", 1)[1]],
            "report_options": {"include_respondent_answers": True},
        }
        reply = await self.http.post(f"{ACCOUNT}/reports/respondent-analysis", json=body)
        self.sandbox.advance(90)
        path = f"{ACCOUNT}/reports/{reply.json()['report_id']}/download"
        return (await self.http.get(path, headers={"Accept": "*/*"})).content


async def first_list_of_new_people() -> float:
    begun = time.process_time()
    laboratory = Laboratory(MILLION)
    group = await laboratory.group(await laboratory.project(), 1_000, study_type_code="adhoc", allocations=None)
    await laboratory.launch(group, 10)
    assert (await laboratory.report(group)).count(b",Complete,") == 1_000
    return time.process_time() - begun


async def first_list_of_response_ids() -> float:
    content = "\n".join(rid_of(1, number * 97, 0) for number in range(10_000)).encode()
    begun = time.process_time()
    laboratory = Laboratory(MILLION)
    group = await laboratory.group(await laboratory.project(), 100)
    assert await laboratory.upload(group, content, "RID") > 9_000
    page = (await laboratory.http.get(f"{group}/recontacts/rsids?page_size=100")).json()["data"]
    assert set(page) <= {rsid_of(1, number * 97) for number in range(200)}, "the people the response ids belong to"
    return time.process_time() - begun


async def a_million_listed() -> float:
    laboratory = Laboratory(MILLION)
    project = await laboratory.project()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for part in range(10):
        content = "\n".join(rsid_of(1, part * 100_000 + number) for number in range(100_000)).encode()
        assert await laboratory.upload(await laboratory.group(project, 100), content) > 95_000
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1_000


async def a_wave_of_100000() -> float:
    content = "\n".join(ids.synthetic_id("load", number) for number in range(100_000)).encode()
    laboratory = Laboratory()
    begun = time.process_time()
    group = await laboratory.group(await laboratory.project(), 90_000)
    assert await laboratory.upload(group, content) > 95_000
    await laboratory.launch(group, 14)
    assert (await laboratory.report(group)).count(b",Complete,") > 20_000
    return time.process_time() - begun


PARTS: dict[str, Callable[[], Awaitable[float]]] = dict(
    zip(
        PROMISES,
        (first_list_of_new_people, first_list_of_response_ids, a_million_listed, a_wave_of_100000),
        strict=True,
    )
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail when a promise is broken")
    parser.add_argument("--part", choices=PARTS, help="only this figure, in this process")
    options = parser.parse_args()
    if options.part is not None:
        print(asyncio.run(PARTS[options.part]()))  # type: ignore[arg-type]
        return 0
    broken = False
    for name, promised in PROMISES.items():
        command = [sys.executable, __file__, "--part", name]
        value = float(subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ).stdout)  # noqa: S603
        broken |= value > promised
        print(f"{name:40} {value:8.2f}   promised {promised:g}")
    return int(options.check and broken)


if __name__ == "__main__":
    sys.exit(main())
