"""Target groups of a sandbox in which people come, and their reports, as a raw client sees them."""

from __future__ import annotations

import csv
import io
from typing import Any

from cint_nb.domain import ids
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.simulation.advance import catch_up
from cint_nb.sandbox.world.entities import TargetGroup
from tests.support.sandbox_client import RawClient

DAY = 86_400
PEOPLE = [ids.synthetic_id("visits", number) for number in range(700)]


def report(raw_client: RawClient, *groups: str, kind: str = "respondent-analysis", **body: Any) -> list[dict[str, str]]:
    """Return the rows of a report."""
    raw_client.log_in()
    reports = f"{raw_client.account}/reports"
    names = [group.rsplit("/", 1)[1] for group in groups]
    reply = raw_client.post(f"{reports}/{kind}", {"filter": "target_group", "filter_ids": names, **body})
    assert reply.status_code == 202, reply.text
    raw_client.sandbox.advance(90)
    text = raw_client.get(f"{reports}/{reply.json()['report_id']}/download", headers={"Accept": "*/*"}).text
    return list(csv.DictReader(io.StringIO(text)))


def group_of(sandbox: Sandbox, path: str) -> TargetGroup:
    """Return a target group as it is now."""
    catch_up(sandbox.world, sandbox.clock.elapsed)
    return sandbox.world.groups[path.rsplit("/", 1)[1]]


def period(sandbox: Sandbox, days: float = 20) -> dict[str, Any]:
    """Return the fielding period of a draft that begins in an hour."""
    now = sandbox.clock.elapsed
    times = [sandbox.world.format_time(now + seconds) for seconds in (3_600, days * DAY)]
    return {"fielding_specification": {"start_at": times[0], "end_at": times[1]}}


def live(raw_client: RawClient, project: str, people: list[str] = PEOPLE, **draft: Any) -> str:
    """Return a live recontact target group of some people."""
    raw_client.log_in()
    fields = period(raw_client.sandbox) | {"completes_goal": len(people) * 9 // 10} | draft
    group = raw_client.group(project, **fields)
    raw_client.saved_ids(group, people)
    raw_client.launched(group, fields["fielding_specification"]["end_at"])
    return group
