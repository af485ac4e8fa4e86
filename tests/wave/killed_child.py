"""A notebook's cells as a script: run waves against a served sandbox, and die at the given point.

Usage: `python -m tests.wave.killed_child SERVED_URL PEOPLE_FILE (WAVE KILL_AT)...`. KILL_AT is `never`,
`entry:N` (after the N-th new line in the journal), or `sent:N` (after the exchange acted on the N-th changing request,
before its reply is read).
For each wave that reaches its end one line of JSON is printed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

import httpx

from cint_nb.study.files.respondents import read_respondents
from cint_nb.wave.client import open_client
from cint_nb.wave.journal.journal import Journal
from tests.support.plans import RSID_URL, make_plan


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(kill_at: str) -> None:
    kind, _, number = kill_at.partition(":")
    left = [int(number or 0)]

    def count_down() -> None:
        left[0] -= 1
        if left[0] == 0:
            die()

    if kind == "entry":
        write = Journal.write

        def write_and_die(self: Journal, *arguments: Any, **named: Any) -> None:
            write(self, *arguments, **named)
            count_down()

        Journal.write = write_and_die  # type: ignore[method-assign]
    elif kind == "sent":
        handle = httpx.AsyncHTTPTransport.handle_async_request

        async def handle_and_die(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
            response = await handle(self, request)
            if request.method in {"POST", "PUT"} and "/v1/" in request.url.path:
                count_down()
            return response

        httpx.AsyncHTTPTransport.handle_async_request = handle_and_die  # type: ignore[method-assign]


def run(url: str, file: str, name: str) -> None:
    people = read_respondents(file, entity_type="RSID")
    with open_client("sandbox", base_url=url) as client:
        plan = make_plan(client.clock.now(), completes_goal=50, live_url=RSID_URL)
        wave = client.wave(name, project=f"Project of {name}", respondents=people, plan=plan)
        ref = wave.create()
        wave.upload()
        if not wave.resubmitted_count:
            wave.resubmit()
        wave.launch(budget="200 EUR")
        end = {"wave": name, "ref": ref.model_dump(), "outcome": wave.outcome.frame().to_csv()}
        sys.stdout.write(json.dumps(end) + "\n")
        sys.stdout.flush()


url, file, *rest = sys.argv[1:]
for name, kill_at in zip(rest[::2], rest[1::2], strict=True):
    arm(kill_at)
    run(url, file, name)
