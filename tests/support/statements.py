"""Statements of a guide as a table of tests: each row has an id, a paraphrase, and what must hold of the sandbox.

The words are ours. A row is one statement that can be true or false of an exchange; praise and advice are none.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest

from cint_nb.domain import limits
from cint_nb.sandbox.server import ServedSandbox
from cint_nb.sandbox.world.id_store import to_id_bytes
from cint_nb.sandbox.world.population import UploadResult, rid_of, rsid_of, visit_count
from tests.support.sandbox_client import RawClient

Check = Callable[[RawClient], None]
UPLOADS = "recontacts/jobs/upload-respondents-by-file"
REMOVALS = "recontacts/jobs/remove-all-rsids"
UNKNOWN = "01BTGNYV6HRNK8K8VKZASZCFP1"


@dataclass(frozen=True)
class Statement:
    """One statement: its number in the guide, what it says in our words, and what checks it."""

    id: str
    says: str
    check: Check

    def __str__(self) -> str:
        return f"{self.id}: {self.says}"


@dataclass
class StatementTable:
    """The statements of one guide, in its order.

    Args:
        letter: What their ids begin with.
    """

    letter: str
    rows: list[Statement] = field(default_factory=list)

    def __call__(self, says: str) -> Callable[[Check], Check]:
        """Return a decorator that makes a check the next row."""

        def add(check: Check) -> Check:
            self.rows.append(Statement(f"{self.letter}{len(self.rows) + 1}", says, check))
            return check

        return add


def people(client: RawClient, count: int, fate: UploadResult = UploadResult.ACCEPTED) -> list[str]:
    """Return respondent ids that the exchange knows, by default those it accepts."""
    population = client.sandbox.world.population
    every = (rsid_of(1, number) for number in range(population.parameters.population))
    return list(islice((one for one in every if population.upload_result(to_id_bytes(one)) is fate), count))


def visits_of(client: RawClient, count: int) -> list[str]:
    """Return response ids of people whom the exchange accepts, one visit each."""
    population = client.sandbox.world.population
    accepted = (
        number
        for number in range(population.parameters.population)
        if population.upload_result(to_id_bytes(rsid_of(1, number))) is UploadResult.ACCEPTED
    )
    return [rid_of(1, number, visit_count(number) - 1) for number in islice(accepted, count)]


def job_of(client: RawClient, group: str, lines: list[str], entity_type: str = "RSID") -> dict[str, Any]:
    """Upload lines, let the job end, and return it."""
    return dict(client.get(client.saved_ids(group, lines, entity_type=entity_type)).json())


def all_saved(client: RawClient, group: str) -> list[str]:
    """Return all saved ids."""

    def pages() -> Iterator[list[str]]:
        cursor: str | None = ""
        while cursor is not None:
            params = {"page_size": "100", **({"start_after": cursor} if cursor else {})}
            page = client.get(f"{group}/recontacts/rsids", params=params).json()
            yield page.get("data", [])
            cursor = page.get("next_cursor") or None

    return [one for page in pages() for one in page]


def wave(client: RawClient, count: int = 200, **changes: Any) -> str:
    """Return a draft with saved ids."""
    group = client.group(**changes)
    client.saved_ids(group, people(client, count))
    return group


def passed(client: RawClient, *, days: float) -> None:
    """Let days pass, after which one needs another token."""
    client.sandbox.advance(days * 86_400)
    client.log_in()


def removed(client: RawClient, group: str) -> str:
    """Remove all saved ids, let the job end, and return its address."""
    job = client.post(f"{group}/{REMOVALS}").json()["job_id"]
    client.sandbox.advance(600)
    return f"{group}/{REMOVALS}/{job}"


def curl(client: RawClient, method: str, path: str, *arguments: str, folder: Path | None = None) -> httpx.Response:
    """Send a request with curl, as the guides print it, to the client's sandbox served over HTTP."""
    command = shutil.which("curl")
    if command is None:
        pytest.skip("curl is not installed")
    headers = {**client.headers, "Cint-API-Version": limits.API_VERSION}
    fixed = [part for name in ("Authorization", "Cint-API-Version") for part in ("-H", f"{name}: {headers[name]}")]
    with ServedSandbox(client.sandbox) as served:
        done = subprocess.run(
            [command, "-sS", "-i", "-X", method, f"{served.base_url}{path}", *fixed, *arguments],
            capture_output=True,
            cwd=folder,
            check=True,
        )
    # A request with a large body may be answered twice: `100 Continue` comes first.
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    while head.startswith(b"HTTP/1.1 100"):
        head, _, body = body.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    pairs = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return httpx.Response(int(status.split()[1]), headers=pairs, content=body)
