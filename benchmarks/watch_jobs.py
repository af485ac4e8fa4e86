"""How soon, and with how many requests, the end of a 10,000-id job is noticed: ours beside four other schedules.

Time is virtual. Ours is the package's own poller with all its requests, the counts and the last one too; the others
send one status request per poll. Durations are log-normal, with 90 % of them inside the documented range, then made
faster or slower up to four times.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import random
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from statistics import NormalDist, mean

import httpx
from azure.core.polling.base_polling import LROBasePolling
from google.api_core.future.polling import DEFAULT_POLLING
from google.api_core.retry import exponential_sleep_generator
from measuring import Row, run_alone

from cint_nb.api.jobs.job import Job
from cint_nb.domain import limits
from cint_nb.domain.jobs import JobHandle, JobKind
from cint_nb.wire.clock import ReplayClock
from cint_nb.wire.http import Http
from cint_nb.wire.settings import Settings

IDS = 10_000
OTHER_IDS = (2_000, 30_000)
JOBS = 60
START = datetime(2026, 1, 1, tzinfo=UTC)
DOCUMENTED = {JobKind.UPLOAD: limits.UPLOAD_JOB_SECONDS_PER_10K, JobKind.REMOVAL: limits.REMOVAL_JOB_SECONDS_PER_10K}
PACES = (0.25, 0.5, 1.0, 2.0, 4.0)
OTHER_PACES = (0.35, 0.7, 1.4, 2.8)
"""Sizes and paces that only the rule for short jobs was chosen on, to see whether the rest is valid elsewhere."""
Figures = tuple[float, float]
"""Mean seconds from a job's end to the poll that sees it, and mean requests."""


def durations(kind: JobKind, pace: float, ids: int) -> list[float]:
    """Return evenly spaced quantiles, so that no luck is in them."""
    low, high = (math.log(bound * ids / 10_000) for bound in DOCUMENTED[kind])
    spread = NormalDist((low + high) / 2, (high - low) / 2 / NormalDist().inv_cdf(0.95))
    return [pace * math.exp(spread.inv_cdf((place + 0.5) / JOBS)) for place in range(JOBS)]


class FakeExchange(httpx.AsyncBaseTransport):
    """An exchange with one job that ends after so many seconds, its ids handled evenly or all at the end."""

    def __init__(self, clock: ReplayClock, kind: JobKind, seconds: float, ids: int, *, grows: bool) -> None:
        self.clock, self.kind, self.seconds, self.ids, self.grows = clock, kind, seconds, ids, grows
        self.seen_at = 0.0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        passed = self.clock.monotonic()
        if request.url.path.endswith("/overview"):
            share = min(1.0, passed / self.seconds) if self.grows else float(passed >= self.seconds)
            done = int(self.ids * share)
            return _reply({"saved_respondent_ids_count": self.ids - done if self.kind is JobKind.REMOVAL else done})
        ended = passed >= self.seconds
        self.seen_at = passed
        status = "Completed" if ended else "Processing"
        return _reply({"job_id": "JOB", "status": status, "created_at": f"{START:%Y-%m-%dT%H:%M:%SZ}"})


def _reply(body: dict[str, object]) -> httpx.Response:
    return httpx.Response(200, content=json.dumps(body), headers={"content-type": "application/json"})


async def watch(kind: JobKind, seconds: float, ids: int, *, grows: bool) -> Figures:
    """Follow one job with the package's own poller."""
    clock = ReplayClock(START)
    exchange = FakeExchange(clock, kind, seconds, ids, grows=grows)
    settings = Settings.load("sandbox", environ={}, token="none")  # noqa: S106 - nothing is asked for one
    http = Http(settings, transport=exchange, clock=clock)
    handle = JobHandle(
        kind=kind, base_url=settings.base_url, account_id=101, project_id="P", target_group_id="G", job_id="JOB",
        id_count=ids, created_at=START,
    )  # fmt: skip
    job = Job(http, handle, ids if kind is JobKind.REMOVAL else 0)
    await job
    await http.aclose()
    return exchange.seen_at - seconds, http.requests_sent


def ours(kind: JobKind, pace: float, ids: int, *, grows: bool) -> Figures:
    async def all_of_them() -> list[Figures]:
        return [await watch(kind, seconds, ids, grows=grows) for seconds in durations(kind, pace, ids)]

    late, requests = zip(*asyncio.run(all_of_them()), strict=True)
    return mean(late), mean(requests)


def every(seconds: float) -> Callable[[], Iterator[float]]:
    return lambda: itertools.repeat(seconds)


def google() -> Iterator[float]:
    """Give the pauses of google-api-core's futures, by its own code and its own defaults, for as long as it takes."""
    polling = DEFAULT_POLLING
    return exponential_sleep_generator(polling._initial, polling._maximum, polling._multiplier)  # noqa: SLF001


PEERS: dict[str, Callable[[], Iterator[float]]] = {
    "5 s": every(5),
    "15 s": every(15),
    "30 s": every(30),
    "google-api-core": google,
    "azure-core": every(LROBasePolling()._timeout),  # noqa: SLF001 - its default, by its own word for it
}


def peer(schedule: Callable[[], Iterator[float]], kind: JobKind, pace: float, ids: int, times: int = 5) -> Figures:
    figures = []
    for seconds in durations(kind, pace, ids) * times:
        passed, requests = 0.0, 0
        for pause in schedule():
            passed, requests = passed + pause, requests + 1
            if passed >= seconds:
                break
        figures.append((passed - seconds, requests))
    late, requests_sent = zip(*figures, strict=True)
    return mean(late), mean(requests_sent)


def dominates(one: Figures, other: Figures) -> bool:
    return one[0] < other[0] and one[1] < other[1]


def compared(kind: JobKind, pace: float, ids: int) -> tuple[list[Figures], dict[str, Figures], list[str]]:
    """Return our figures with and without growth, those of the peers, and who beats us, in words."""
    mine = [ours(kind, pace, ids, grows=grows) for grows in (True, False)]
    theirs = {name: peer(schedule, kind, pace, ids) for name, schedule in PEERS.items()}
    beaten = [f"{kind} × {pace:g} by {name}" for name in theirs for each in mine if dominates(theirs[name], each)]
    return mine, theirs, beaten


def rows() -> list[Row]:
    random.seed(1)
    names = ["cint_nb, ids seen to grow", "cint_nb, not seen", *PEERS]
    lines = [f"| job | durations | {' | '.join(names)} |", f"|---|---|{'---|' * len(names)}"]
    beaten: list[str] = []
    for kind, pace in itertools.product(DOCUMENTED, PACES):
        mine, theirs, lost = compared(kind, pace, IDS)
        beaten += lost
        cells = [f"{late:.1f} s / {requests:.0f}" for late, requests in (*mine, *theirs.values())]
        lines.append(f"| {kind} | × {pace:g} | {' | '.join(cells)} |")
    others = list(itertools.product(DOCUMENTED, OTHER_PACES, OTHER_IDS))
    elsewhere = [f"{ids:,} ids, {lost}" for kind, pace, ids in others for lost in compared(kind, pace, ids)[2]]
    summary = f" Beaten: {'; '.join(beaten)}." if beaten else ""
    summary += (
        f" With {' and '.join(f'{ids:,}' for ids in OTHER_IDS)} ids, at paces × "
        f"{', '.join(f'{pace:g}' for pace in OTHER_PACES)}, which only the rule for short jobs was fitted to: beaten "
        f"in {len(elsewhere)} of {2 * len(others)} cases{': ' if elsewhere else ''}{'; '.join(elsewhere)}."
    )
    return [
        Row(
            "notice the end of a 10,000-id job",
            "every 5, 15, 30 s; google-api-core; azure-core",
            [],
            None,
            f"Mean seconds from the end to its notice / mean requests, on virtual time; {JOBS} jobs a cell. "
            "Counts of saved ids are among our requests; google-api-core is let run past its own limit of 900 s."
            + summary,
            wanted="nobody has both fewer requests and less delay",
            met=not beaten,
            shown=f"beaten in {len(beaten)} of {2 * len(PACES) * len(DOCUMENTED)} cases",
            tables=["\n".join(lines)],
        )
    ]


if __name__ == "__main__":
    sys.exit(run_alone(rows, __doc__))
