"""200 waves at once, uploaded, watched and compared, beside one after the other and beside bare httpx.

The server (`exchange.py`, a process of its own) answers after 50 ms; a job has ended at the first poll and pauses
between polls take no time, so that only requests count. Settings: 32 requests in flight and practically no rate
limit; by default there are 8 and ten a second. Bare httpx sends the same requests, as many at once, over as many
clients of 8 connections. One after the other is measured with 10 of the waves, times 20. Time is the wall's.
"""

from __future__ import annotations

import asyncio
import json
import sys
from itertools import count

import httpx
from exchange import connected, served
from measuring import Row, in_turn, over, run_alone, seconds, spread

from cint_nb.api.client import AsyncClient
from cint_nb.domain import ids
from cint_nb.domain.models import TargetGroupRef
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.study.outcome.upload_outcome import compare_upload

WAVES, ALONE, IN_FLIGHT, PER_CLIENT, PEOPLE, REPEATS, LATENCY = 200, 10, 32, 8, 200, 3, 0.05
_numbers = count()


async def wave(client: AsyncClient, people: Respondents) -> None:
    group = TargetGroupRef(project_id="P", target_group_id=f"G{next(_numbers)}")
    job = await client.recontacts.upload(group, people)
    seen = await job
    after = await client.recontacts.saved_ids(group)
    outcome = compare_upload(people, before=(), after=after, saved_count=seen.saved_count)
    assert outcome.counts["saved"] == PEOPLE


async def bare_wave(http: httpx.AsyncClient, slots: asyncio.Semaphore, base: str, content: bytes) -> None:
    """Send what `wave` sends, in its order: jobs, count, upload, status, count, pages."""
    url = f"{base}/demand/accounts/101/projects/P/target-groups/B{next(_numbers)}/recontacts"
    jobs = f"{url}/jobs/upload-respondents-by-file"

    async def send(method: str, path: str, **more: object) -> dict[str, object]:
        async with slots:
            return json.loads((await http.request(method, path, **more)).content)  # type: ignore[arg-type]

    await send("GET", jobs, params={"page_size": 100})
    await send("GET", f"{url}/overview")
    file = {"file": ("wave.csv", content, "text/csv")}
    await send("POST", jobs, params={"entity_type": "RSID"}, files=file)
    await send("GET", f"{jobs}/JOB")
    await send("GET", f"{url}/overview")
    query: dict[str, object] = {"page_size": 100}
    found = 0
    while True:
        page = await send("GET", f"{url}/rsids", params=query)
        found += len(page["data"])  # type: ignore[arg-type]
        if not page["next_cursor"]:
            break
        query["start_after"] = page["next_cursor"]
    assert found == PEOPLE


def rows() -> list[Row]:
    people = read_respondents([ids.synthetic_id("waves", number) for number in range(PEOPLE)], entity_type="RSID")
    content = people.to_upload().content

    async def at_once(client: AsyncClient) -> None:
        await asyncio.gather(*(wave(client, people) for _ in range(WAVES)))

    async def in_order(client: AsyncClient) -> None:
        for _ in range(ALONE):
            await wave(client, people)

    async def bare(base: str) -> None:
        limits = httpx.Limits(max_connections=PER_CLIENT, max_keepalive_connections=PER_CLIENT)
        tls = httpx.create_ssl_context()
        clients = [
            httpx.AsyncClient(headers={"Authorization": "Bearer none"}, limits=limits, verify=tls, trust_env=False)
            for _ in range(IN_FLIGHT // PER_CLIENT)
        ]
        slots = [asyncio.Semaphore(PER_CLIENT) for _ in clients]
        turns = (number % len(clients) for number in range(WAVES))
        await asyncio.gather(*(bare_wave(clients[turn], slots[turn], base, content) for turn in turns))
        for client in clients:
            await client.aclose()

    with served(latency=LATENCY) as base:

        def ours() -> None:
            with connected(base, in_flight=IN_FLIGHT) as client:
                client.run(at_once(client))

        def alone() -> None:
            with connected(base, in_flight=IN_FLIGHT) as client:
                client.run(in_order(client))

        ours()
        works = [lambda: seconds(ours), lambda: seconds(alone), lambda: seconds(lambda: asyncio.run(bare(base)))]
        together, one_by_one, theirs = in_turn(works, REPEATS)
    sequential = [WAVES / ALONE * each for each in one_by_one]
    settings = f"{IN_FLIGHT} requests in flight, a server of {LATENCY * 1000:.0f} ms, {PEOPLE} people a wave"
    return [
        Row(
            "200 waves at once: upload, watch, compare",
            "the same waves one after the other",
            over(together, sequential),
            0.05,
            f"{settings}: {spread(together, 's')} at once, {spread(sequential, 's')} in order ({ALONE} waves, times "
            f"{WAVES // ALONE}).",
        ),
        Row(
            "200 waves at once: requests a second",
            "bare httpx with the same requests",
            over(theirs, together),
            0.8,
            f"{settings}: {spread(together, 's')} against {spread(theirs, 's')} of bare httpx, over the same number of "
            "clients and connections.",
            at_least=True,
        ),
    ]


if __name__ == "__main__":
    sys.exit(run_alone(rows, __doc__))
