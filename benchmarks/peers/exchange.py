"""The exchange of one case: a served sandbox that counts requests, can kill who asks, and reports what it contains."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Receive, Scope, Send

from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.world.entities import RECONTACT_UPLOAD

KILLS = {
    "killed@status": re.compile(r"/upload-respondents-by-file/\w+"),
    "killed@launch-status": re.compile(r"/launch-from-draft/\w+"),
}
"""Kills by name: the process dies when it first polls such a job, before it reads the reply."""


class ExchangeContents(NamedTuple):
    """What the exchange contains at the end."""

    drafts: int
    draft_ids: int
    live: int
    uploads: int
    saved: frozenset[bytes]
    twice: int


class Watch:
    """Count the requests of the API and of the token endpoint, and carry out a kill; an ASGI middleware."""

    def __init__(self, app: ASGIApp, kill: str = "") -> None:
        self.app = app
        self.requests = 0
        self.user: subprocess.Popen[str] | None = None
        self._kill = KILLS.get(kill)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        self.requests += path.startswith("/v1/") or path == "/oauth/token"

        async def send_or_kill(message: Any) -> None:
            if self._kill is not None and scope["method"] == "GET" and self._kill.search(path) and self.user:
                self._kill = None
                os.killpg(self.user.pid, signal.SIGKILL)
            await send(message)

        await self.app(scope, receive, send_or_kill)


def watched(fault: str, file_seed: int) -> tuple[Sandbox, Watch]:
    """Make a sandbox with one fault or kill, none for an empty text, and its watch."""
    sandbox = Sandbox(seed=file_seed, faults=[fault] if fault and fault not in KILLS else [])
    watch = Watch(sandbox.app, fault)
    sandbox.app = watch  # type: ignore[assignment]
    return sandbox, watch


def exchange_contents(sandbox: Sandbox) -> ExchangeContents:
    """Return what a sandbox contains."""
    groups = list(sandbox.world.groups.values())
    live = [frozenset(group.saved.keys()) for group in groups if group.status == "live"]
    drafts = [group for group in groups if group.status == "draft"]
    everyone = frozenset().union(*live)
    return ExchangeContents(
        drafts=len(drafts),
        draft_ids=sum(len(group.saved) for group in drafts),
        live=len(live),
        uploads=sum(job.kind == RECONTACT_UPLOAD for job in sandbox.world.jobs.values()),
        saved=everyone,
        twice=sum(map(len, live)) - len(everyone),
    )


def let_time_jump(folder: Path, url: str) -> dict[str, str]:
    """Write a `sleep` for the shell and one for Python that let the served clock jump; return where they lie."""
    advance = f"{url}/sandbox/clock/advance"
    shell = folder / "bin" / "sleep"
    shell.parent.mkdir(parents=True)
    shell.write_text(f'#!/bin/sh\nexec curl -sS -o {os.devnull} -d "{{\\"seconds\\": $1}}" {advance}\n')
    shell.chmod(0o755)
    python = folder / "python" / "sitecustomize.py"
    python.parent.mkdir()
    python.write_text(
        "import json, time, urllib.request\n"
        "def sleep(seconds):\n"
        f"    urllib.request.urlopen({advance!r}, json.dumps({{'seconds': seconds}}).encode()).close()\n"
        "time.sleep = sleep\n"
    )
    return {"shell": str(shell.parent), "python": str(python.parent)}
