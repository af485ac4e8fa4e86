"""How much the sandbox bears: pages of saved ids a second, memory of 100,000 ids, the cost of a request, of an upload.

Run `python benchmarks/sandbox_load.py`; `--check` fails when a promise is broken: at least 300 requests a second for a
page of saved ids at 100,000 ids, served on one core, and less than 60 MB for 100,000 saved ids. Time is processor time,
so that a busy machine says the same; in process it is the client's and the sandbox's together, served the server's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
import tracemalloc

import httpx

from cint_nb.domain import ids, limits
from cint_nb.sandbox.openapi.examples import EXAMPLES
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.server import ServedSandbox

IDS = 100_000
PAGES = 1_000
PROMISES = {"served_pages_per_second": 300.0, "megabytes_for_100000_ids": 60.0}
CREDENTIALS = {"client_id": "sandbox", "client_secret": "sandbox", "grant_type": "client_credentials"}


async def fill(sandbox: Sandbox, http: httpx.AsyncClient) -> tuple[str, float]:
    """Store 100,000 ids in a target group; return its address and the seconds its upload took."""
    token = (await http.post(sandbox.token_url, json=CREDENTIALS)).json()["access_token"]
    http.headers.update({"Authorization": f"Bearer {token}", "Cint-API-Version": limits.API_VERSION})
    account = "/demand/accounts/101"
    reply = await http.post(f"{account}/projects", json=EXAMPLES["ProjectDraft"], headers={"idempotency-key": "load"})
    sandbox.advance(5)
    project = f"{account}/projects/{reply.json()['id']}"
    reply = await http.post(f"{project}/target-groups", json=EXAMPLES["Draft"])
    group = f"{project}/target-groups/{reply.json()['id']}"
    content = "\n".join(ids.synthetic_id("load", number) for number in range(IDS)).encode()
    begun = time.process_time()
    upload = f"{group}/recontacts/jobs/upload-respondents-by-file?entity_type=RSID"
    reply = await http.post(upload, files={"file": ("load.csv", content, "text/csv")}, timeout=60)
    took = time.process_time() - begun
    assert reply.status_code == 201, reply.text
    sandbox.advance(3 * 3_600)
    return group, took


async def page_through(http: httpx.AsyncClient, group: str, *, others_only: bool = False) -> float:
    """Read all pages of 100 saved ids one after the other; return requests a second of processor time.

    With `others_only` the time of this thread, the client's, does not count.
    """

    def spent() -> float:
        return time.process_time() - (time.thread_time() if others_only else 0.0)

    cursor, requests, begun = "", 0, spent()
    while True:
        query = f"&start_after={cursor}" if cursor else ""
        page = json.loads((await http.get(f"{group}/recontacts/rsids?page_size=100{query}")).content)
        requests += 1
        cursor = page.get("next_cursor", "")
        if not cursor:
            return requests / (spent() - begun)


async def measure() -> dict[str, float]:
    results: dict[str, float] = {}
    sandbox = Sandbox()
    tracemalloc.start()
    async with httpx.AsyncClient(transport=sandbox.transport(), base_url=sandbox.base_url) as http:
        await http.get("/locales")
        before = tracemalloc.get_traced_memory()[0]
        group, _ = await fill(sandbox, http)
        await http.get(f"{group}/recontacts/overview")
        results["megabytes_for_100000_ids"] = (tracemalloc.get_traced_memory()[0] - before) / 1e6
        tracemalloc.stop()
        results["pages_per_second"] = await page_through(http, group)
        begun = time.process_time()
        for _ in range(PAGES):
            await http.get(f"{group}/recontacts/overview")
        results["milliseconds_per_request"] = (time.process_time() - begun) / PAGES * 1_000
    fresh = Sandbox()
    async with httpx.AsyncClient(transport=fresh.transport(), base_url=fresh.base_url) as http:
        results["seconds_to_take_100000_ids"] = (await fill(fresh, http))[1]
    return results


def measure_served() -> dict[str, float]:
    """Page through the same list over HTTP on the loopback."""
    sandbox = Sandbox()

    async def main() -> float:
        async with httpx.AsyncClient(transport=sandbox.transport(), base_url=sandbox.base_url) as inside:
            group, _ = await fill(sandbox, inside)
            headers = dict(inside.headers)
        with ServedSandbox(sandbox) as served:
            async with httpx.AsyncClient(base_url=served.base_url, headers=headers, trust_env=False) as http:
                return await page_through(http, group, others_only=True)

    return {"served_pages_per_second": asyncio.run(main())}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail when a promise is broken")
    check = parser.parse_args().check
    results = {**asyncio.run(measure()), **measure_served()}
    for name, value in results.items():
        print(f"{name:28} {value:10.2f}")
    broken = results["served_pages_per_second"] < PROMISES["served_pages_per_second"]
    broken |= results["megabytes_for_100000_ids"] > PROMISES["megabytes_for_100000_ids"]
    return int(check and broken)


if __name__ == "__main__":
    sys.exit(main())
