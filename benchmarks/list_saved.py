"""List 100,000 saved RSIDs and compare them, beside a bare httpx loop that only downloads the pages.

Both talk to `exchange.py` over loopback HTTP, page after page of 100, with one connection. The server needs a fraction
of the client's time, so that the ratio shows the client's share; with a real exchange's latency both would wait alike.
Time is this process's processor time: the server's, in a process of its own, is not in it.
"""

from __future__ import annotations

import asyncio
import sys
from functools import partial

import httpx
from exchange import BIG_GROUP, SAVED, connected, served
from measuring import Row, in_turn, over, run_alone, seconds, spread

from cint_nb.domain import ids
from cint_nb.domain.models import TargetGroupRef
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.study.outcome.upload_outcome import compare_upload

IDS = 100_000
REPEATS = 21


async def only_download(base: str) -> int:
    """Download the pages as short as httpx lets one write it."""
    url = f"{base}/demand/accounts/101/projects/P/target-groups/{BIG_GROUP}/recontacts/rsids"
    headers = {"Authorization": "Bearer none", "Cint-API-Version": "2025-12-18"}
    found: list[str] = []
    async with httpx.AsyncClient(headers=headers, trust_env=False) as http:
        query: dict[str, str | int] = {"page_size": 100}
        while True:
            page = (await http.get(url, params=query)).raise_for_status().json()
            found += page["data"]
            if not page["next_cursor"]:
                return len(found)
            query["start_after"] = page["next_cursor"]


def list_and_compare(base: str, sent: Respondents) -> int:
    group = TargetGroupRef(project_id="P", target_group_id=BIG_GROUP)
    with connected(base) as client:
        after = client.run(client.recontacts.saved_ids(group))
    return compare_upload(sent, before=(), after=after).counts["saved"]


def rows() -> list[Row]:
    sent = read_respondents([ids.synthetic_id(SAVED, number) for number in range(IDS + 1_000)], entity_type="RSID")
    with served(big=IDS) as base:

        def ours() -> None:
            assert list_and_compare(base, sent) == IDS

        def bare() -> None:
            assert asyncio.run(only_download(base)) == IDS

        ours(), bare()
        for processor in (True, False):
            works = [partial(seconds, work, processor=processor) for work in (ours, bare)]
            taken = in_turn(works, REPEATS)
            if processor:
                mine, theirs = taken
            else:
                wall = over(*taken)
    return [
        Row(
            "list 100,000 saved RSIDs and compare",
            "bare httpx loop that only downloads the pages",
            over(mine, theirs),
            1.15,
            f"Processor time of 1,000 pages and the comparison: {spread(mine, 's')} against {spread(theirs, 's')} for "
            f"the pages alone; by the wall {spread(wall, '×')}. The server has no latency: the client's worst case.",
        )
    ]


if __name__ == "__main__":
    sys.exit(run_alone(rows, __doc__))
