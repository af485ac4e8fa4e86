"""A server so light that what is measured is the client: `python benchmarks/exchange.py`.

It answers the recontact requests of any target group from memory, with ready-made bytes where it can, after a latency.
An upload ends, wholly saved, after the time given; at once by default. It checks nothing: the sandbox is for that.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cint_nb.api.client import AsyncClient
from cint_nb.domain import ids, limits
from cint_nb.wire.clock import SystemClock
from cint_nb.wire.http import Http
from cint_nb.wire.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

BIG_GROUP = "BIG"
SAVED = "exchange"
"""Seed of the synthetic ids that the target group `BIG` contains."""
_URL = re.compile(r"/target-groups/(?P<group>\w+)/recontacts/(?P<rest>[^?]*)\??(?P<query>.*)")
_HEAD = "HTTP/1.1 {} OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n"


def reply(content: Any, status: int = 200) -> bytes:
    body = json.dumps(content).encode()
    return _HEAD.format(status, len(body)).encode() + body


class Group:
    """One target group: its job, its ids, its pages as ready replies."""

    def __init__(self, saved: list[str], job_seconds: float = 0.0) -> None:
        self.job_seconds, self.posted_at = job_seconds, 0.0
        self.job: dict[str, str] = {}
        self.save(saved)

    def save(self, saved: list[str]) -> None:
        self.count = len(saved)
        marks = range(0, max(1, len(saved)), 100)
        self.pages = {
            str(mark) if mark else "": reply(
                {"data": saved[mark : mark + 100], "next_cursor": str(mark + 100) if mark != marks[-1] else None}
            )
            for mark in marks
        }

    def answer(self, method: str, rest: str, query: str, body: bytes) -> bytes:
        if rest == "rsids":
            cursor = re.search(r"start_after=(\d+)", query)
            return self.pages[cursor[1] if cursor else ""]
        if rest == "overview":
            return reply({"saved_respondent_ids_count": self.count})
        if method == "POST":
            name = re.search(rb'filename="([^"]+)"', body)
            now, self.posted_at = datetime.now(UTC).isoformat(), time.monotonic()
            self.job = {
                "job_id": "JOB",
                "file_name": name[1].decode() if name else "",
                "status": "Processing",
                "created_at": now,
            }
            self.save(re.findall(r"^[0-9a-f]{8}-[0-9a-f-]{27}(?=\r?$)", body.decode(), re.MULTILINE))
            return reply({"job_id": "JOB"}, 201)
        if self.job and time.monotonic() >= self.posted_at + self.job_seconds:
            self.job["status"] = "Completed"
        return reply(self.job if rest.endswith("JOB") else {"data": [self.job] if self.job else []})


class FakeExchange:
    """An exchange that serves target groups from memory.

    Args:
        latency: Seconds between a request's arrival and its answer.
        big: How many ids the target group `BIG` contains.
        job_seconds: How long an upload takes.
    """

    def __init__(self, latency: float, big: int, job_seconds: float) -> None:
        self.latency, self.job_seconds = latency, job_seconds
        self.groups = {BIG_GROUP: Group([ids.synthetic_id(SAVED, number) for number in range(big)])}

    def answer(self, method: str, url: str, body: bytes) -> bytes:
        match = _URL.search(url)
        if match is None:
            return reply({"access_token": "none", "expires_in": 3600})
        group = self.groups.setdefault(match["group"], Group([], self.job_seconds))
        return group.answer(method, match["rest"], match["query"], body)


class Connection(asyncio.Protocol):
    """As much HTTP/1.1 as httpx needs: one request at a time, with a length."""

    def __init__(self, exchange: FakeExchange) -> None:
        self.exchange = exchange
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, end, rest = self.received.partition(b"\r\n\r\n")
        if not end:
            return
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        if length and len(rest) < int(length[1]):
            return
        self.received = b""
        method, url, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        answer = self.exchange.answer(method, url, rest)
        if self.exchange.latency:
            asyncio.get_running_loop().call_later(self.exchange.latency, self.transport.write, answer)
        else:
            self.transport.write(answer)


async def serve(latency: float, big: int, job_seconds: float) -> None:
    make = partial(Connection, FakeExchange(latency, big, job_seconds))
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0, backlog=1_000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def served(*, latency: float = 0.0, big: int = 0, job_seconds: float = 0.0) -> Iterator[str]:
    """Run the server in a process of its own and yield the URL of its API."""
    figures = {"--latency": latency, "--big": big, "--job-seconds": job_seconds}
    command = [sys.executable, str(Path(__file__)), *(str(each) for pair in figures.items() for each in pair)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own file
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    finally:
        process.terminate()
        process.wait()


class InstantClock(SystemClock):
    """A clock whose sleeps take no time, so that only requests do."""

    async def sleep(self, seconds: float) -> None:  # noqa: ARG002 - the clock's signature
        await asyncio.sleep(0)


def connected(base: str, *, in_flight: int = limits.IN_FLIGHT) -> AsyncClient:
    """Connect a live client to the server: with all its safeguards, at a request rate that does not slow it down."""
    rate = limits.REQUESTS_PER_SECOND_MAX
    settings = Settings.load(
        "live", environ={}, base_url=base, account_id=101, token=SAVED, in_flight=in_flight, requests_per_second=rate
    )
    return AsyncClient(Http(settings, clock=InstantClock()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds")
    parser.add_argument("--big", type=int, default=0, help=f"ids of the target group {BIG_GROUP}")
    parser.add_argument("--job-seconds", type=float, default=0.0, help="how long an upload takes")
    options = parser.parse_args()
    asyncio.run(serve(options.latency, options.big, options.job_seconds))
