"""A notebook's cells as a script: run waves against a served sandbox, and die at the given point.

Usage: `python -m tests.wave.killed_child SERVED_URL PEOPLE_FILE`, with one life a line on the standard input, as the
JSON of a list of waves and points, and whether the journal is deleted afterwards: `[[[WAVE, KILL_AT], ...], false]`.
KILL_AT is `never`, `entry:N` (after the N-th new line in the journal), or `sent:N` (after the exchange acted on the
N-th changing request, before its reply is read).

Each life is a process of its own, forked before any wave has run, so that none imports everything again. For each one
line of JSON says how it ended: the status of the process, what its waves printed, and its last words.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from cint_nb.domain.errors import NothingToResubmit, PreflightBlocked
from cint_nb.study.files.respondents import read_respondents
from cint_nb.wave.client import open_client
from cint_nb.wave.journal.journal import Journal
from cint_nb.wave.wave import Wave
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
            with suppress(NothingToResubmit):  # without its journal: what the process that died resent was saved
                wave.resubmit()
        launch(wave)
        end = {"wave": name, "ref": ref.model_dump(), "outcome": wave.outcome.frame().to_csv()}
        sys.stdout.write(json.dumps(end) + "\n")
        sys.stdout.flush()


def launch(wave: Wave) -> None:
    try:
        wave.launch(budget="200 EUR")
    except PreflightBlocked as error:
        if "wave.update(wave.plan)" not in str(error.next_step):
            raise
        wave.update(wave.plan)  # the advice to those who lost their journal
        wave.launch(budget="200 EUR")


def live(url: str, file: str, waves: list[list[str]]) -> None:
    for name, kill_at in waves:
        arm(kill_at)
        run(url, file, name)


def fork(url: str, file: str, waves: list[list[str]]) -> dict[str, Any]:
    with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as failure:
        if (pid := os.fork()) == 0:
            os.dup2(printed.fileno(), 1)
            os.dup2(failure.fileno(), 2)
            try:
                live(url, file, waves)
                os._exit(0)  # never back into the loop over lives, which is the parent's
            finally:
                traceback.print_exc()
                os._exit(1)
        _, status = os.waitpid(pid, 0)
        printed.seek(0)
        failure.seek(0)
        ends = [json.loads(line) for line in printed]
        return {"status": os.waitstatus_to_exitcode(status), "ends": ends, "failure": failure.read()[-3000:]}


if __name__ == "__main__":
    for line in sys.stdin:
        lived, deletes_journal = json.loads(line)
        sys.stdout.write(json.dumps(fork(sys.argv[1], sys.argv[2], lived)) + "\n")
        sys.stdout.flush()
        if deletes_journal:
            Path(os.environ["CINT_NB_JOURNAL"]).unlink()
