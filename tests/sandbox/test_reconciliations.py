"""Reconciliation in the sandbox: what each line becomes, what it changes, and by when it must be sent."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from cint_nb.domain.ids import synthetic_id
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.simulation.visit_ids import visit_rid
from cint_nb.sandbox.world.entities import TargetGroup
from tests.support.sandbox_client import RawClient
from tests.support.visits import group_of, live, report

DAY = 86_400
CSV = {"content-type": "text/csv"}


@pytest.fixture
def wave(sandbox: Sandbox, raw_client: RawClient) -> str:
    """Return a live target group in which many have completed."""
    group = live(raw_client, raw_client.project())
    sandbox.advance(3 * DAY)
    raw_client.log_in()
    return group


def rids(group: TargetGroup, outcome: str) -> list[str]:
    return [visit_rid(group, visit) for visit in group.fieldwork.visits if visit.outcome == outcome]


def submit(raw_client: RawClient, lines: list[str], **more: Any) -> httpx.Response:
    headers = {**CSV, **more.pop("headers", {})}
    path = f"{raw_client.account}/reconciliations"
    return raw_client.ask("POST", path, content="\n".join(lines).encode(), headers=headers, **more)


def end_of(raw_client: RawClient, reply: httpx.Response) -> dict[str, Any]:
    """Return a submission once it has been processed."""
    assert reply.status_code == 202, reply.text
    raw_client.sandbox.advance(300)
    found = raw_client.get(f"{raw_client.account}/reconciliations/{reply.json()['request_id']}").json()
    assert found["status"] == "complete"
    return dict(found)


def counts_of(found: dict[str, Any]) -> tuple[int, ...]:
    names = ("submitted", "expired", "invalid", "positive_reversed", "negative_reversed")
    return tuple(found[f"{name}_count"] for name in names)


def test_a_rejected_complete_leaves_completes_and_cost_and_its_place_is_free(
    sandbox: Sandbox, raw_client: RawClient, wave: str
) -> None:
    before = group_of(sandbox, wave)
    completes, cost, cpi = before.fieldwork.completes, before.fieldwork.cost, before.cpi
    bad = rids(before, "complete")[:3]
    raw_client.get(f"{wave}/overview")
    reply = submit(raw_client, [f"{bad[0]},26", f"{bad[1]},930", f"{bad[2]},933"])
    assert counts_of(end_of(raw_client, reply)) == (3, 0, 0, 0, 3)
    rows = {row["Response ID (RID)"]: row for row in report(raw_client, wave)}
    assert [rows[rid]["Client Status"] for rid in bad] == ["26", "38", "28"]
    assert {Decimal(rows[rid]["CPI"]) for rid in bad} == {Decimal(0)}
    after = group_of(sandbox, wave).fieldwork
    gained = sum(visit.outcome == "complete" for visit in after.visits) - (completes - 3)
    assert after.completes == completes - 3 + gained
    assert after.cost == cost - 3 * cpi + gained * cpi
    listed = {row["Response ID (RID)"] for row in report(raw_client, wave, kind="completes")}
    assert not listed & set(bad)


def test_code_11_makes_a_complete_that_is_paid_for(sandbox: Sandbox, raw_client: RawClient, wave: str) -> None:
    group = group_of(sandbox, wave)
    before, cost = group.fieldwork.completes, group.fieldwork.cost
    (rid, *_) = rids(group, "quality")
    counted = len(rids(group, "complete"))
    assert counts_of(end_of(raw_client, submit(raw_client, [f"{rid},11"]))) == (1, 0, 0, 1, 0)
    gained = len(rids(group_of(sandbox, wave), "complete")) - counted
    assert group.fieldwork.completes == before + 1 + gained
    assert group.fieldwork.cost == cost + (1 + gained) * group.cpi
    rows = {row["Response ID (RID)"]: row for row in report(raw_client, wave)}
    assert rows[rid]["Client Status"] == "11"


def test_a_rejected_complete_may_be_restored_and_rejected_again(
    sandbox: Sandbox, raw_client: RawClient, wave: str
) -> None:
    (rid, *_) = rids(group_of(sandbox, wave), "complete")
    for code, reversed_ in ((933, (0, 1)), (933, (0, 0)), (11, (1, 0)), (11, (0, 0)), (26, (0, 1))):
        found = counts_of(end_of(raw_client, submit(raw_client, [f"{rid},{code}"])))
        assert found == (1, 0, 1 - sum(reversed_), *reversed_)


def test_every_line_is_in_one_box(sandbox: Sandbox, raw_client: RawClient, wave: str) -> None:
    good, twice, wrong, *_ = rids(group_of(sandbox, wave), "complete")
    visit = group_of(sandbox, wave).fieldwork.visits[0]
    screened = rids(group_of(sandbox, wave), "screened_out")[0]
    lines = [
        f"{good},933",
        f"{twice},933",
        f"{twice},933",  # the same visit again
        f"{wrong},943",  # a code that buyers may not use
        f"{wrong},931",  # a code that nobody knows
        f"{screened},11",  # never reached the survey
        f"{synthetic_id('nobody', 1)},933",
        f"{visit.key.hex()},933",  # an RSID, without dashes
        "RID,code",
    ]
    reply = submit(raw_client, lines, params={"name": "boxes"})
    found = end_of(raw_client, reply)
    assert counts_of(found) == (9, 0, 7, 0, 2)
    assert found["submitted_count"] == sum(counts_of(found)[1:])
    files = f"{raw_client.account}/reconciliations/{found['request_id']}"
    assert raw_client.get(f"{files}/downloads/submitted-rids").text.splitlines() == lines
    assert len(raw_client.get(f"{files}/downloads/invalid-rids").text.split()) == 7
    assert raw_client.get(f"{files}/downloads/expired-rids").text.split() == []
    assert raw_client.get(f"{files}/downloads/remaining-project-completes").status_code == 400
    (row,) = raw_client.get(f"{files}/target-groups").json()["target_groups"]
    assert row == raw_client.get(f"{files}/target-groups/{row['target_group_id']}").json()
    assert counts_of(row) == (6, 0, 4, 0, 2)  # of the others nobody knows the group


def test_after_the_25th_a_line_is_expired(sandbox: Sandbox, raw_client: RawClient, wave: str) -> None:
    september = rids(group_of(sandbox, wave), "complete")
    deadline = datetime(2026, 10, 26, 5, 0, tzinfo=UTC)  # midnight in Chicago
    eligible = f"{raw_client.account}/reconciliations/eligible-target-groups"

    def seconds_until(moment: datetime) -> float:
        return (moment - sandbox.world.time_at(sandbox.clock.elapsed)).total_seconds()

    (row,) = raw_client.get(f"{eligible}?due_month=next_month").json()["target_groups"]
    assert int(row["eligible_completes"]) == len(september)
    sandbox.advance(seconds_until(deadline) - 1)
    raw_client.log_in()
    assert raw_client.get(f"{eligible}?due_month=current_month").json()["target_groups"]
    in_time = submit(raw_client, [f"{september[0]},933"])
    sandbox.advance(1)
    late = submit(raw_client, [f"{september[1]},933"])
    assert counts_of(end_of(raw_client, in_time)) == (1, 0, 0, 0, 1)
    assert counts_of(end_of(raw_client, late)) == (1, 1, 0, 0, 0)
    assert raw_client.get(f"{eligible}?due_month=current_month").json()["target_groups"] == []


def test_a_group_that_was_full_can_be_relaunched(sandbox: Sandbox, raw_client: RawClient) -> None:
    group = live(raw_client, raw_client.project(), completes_goal=20)
    sandbox.advance(3 * DAY)
    raw_client.log_in()
    assert group_of(sandbox, group).status == "completed"
    (run,) = raw_client.get(f"{group}/fielding-runs").json()["data"]
    path = f"{group}/fielding-runs/{run['id']}"
    etag = {"If-Match": raw_client.get(path).headers["etag"]}
    assert raw_client.post(f"{path}/relaunch", headers=etag).status_code == 422
    end_of(raw_client, submit(raw_client, [f"{rid},26" for rid in rids(group_of(sandbox, group), "complete")[:5]]))
    etag = {"If-Match": raw_client.get(path).headers["etag"]}
    assert raw_client.post(f"{path}/relaunch", headers=etag).status_code in (200, 204)
    sandbox.advance(3 * DAY)
    assert group_of(sandbox, group).fieldwork.completes == 20


def test_the_same_key_is_the_same_submission_and_no_key_is_a_new_one(
    sandbox: Sandbox, raw_client: RawClient, wave: str
) -> None:
    lines = [f"{rids(group_of(sandbox, wave), 'complete')[0]},933"]
    ids = Counter(
        submit(raw_client, lines, headers=headers).json()["request_id"]
        for headers in ({"idempotency-key": "a"}, {"idempotency-key": "a"}, {"idempotency-key": "b"}, {})
    )
    assert sorted(ids.values()) == [1, 1, 2]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "text/csv", 400),
        (b"\n\n", "text/csv", 400),
        (b"\xff\xfe", "text/csv", 400),
        (b"x,26", "application/csv", 202),
        (b"x,26", "application/json", 415),
        (b"x,26\n" * 100_001, "text/csv", 400),
    ],
    ids=["empty", "blank", "no text", "other csv", "json", "too many"],
)
def test_what_a_body_may_be(raw_client: RawClient, body: bytes, kind: str, status: int) -> None:
    path = f"{raw_client.account}/reconciliations"
    raw_client.log_in()
    assert raw_client.ask("POST", path, content=body, headers={"content-type": kind}).status_code == status


@pytest.mark.parametrize(
    ("fault", "status", "invalid"), [("job-never-ends", "processing", 0), ("partial", "complete", 1)]
)
def test_faults_by_name(
    sandbox: Sandbox, raw_client: RawClient, wave: str, fault: str, status: str, invalid: int
) -> None:
    sandbox.faults.arm(f"{fault}@reconcile")
    lines = [f"{rid},26" for rid in rids(group_of(sandbox, wave), "complete")[:10]]
    request = submit(raw_client, lines).json()["request_id"]
    sandbox.advance(10 * DAY)
    raw_client.log_in()
    found = raw_client.get(f"{raw_client.account}/reconciliations/{request}").json()
    assert (found["status"], found["invalid_count"]) == (status, invalid)


def test_what_was_submitted_is_found_again_after_a_restart(tmp_path: Any) -> None:
    seen = []
    for first in (True, False):
        sandbox = Sandbox(seed=3, state=tmp_path / "state.db")
        raw_client = RawClient(sandbox)
        raw_client.log_in()
        if first:
            submit(raw_client, [f"{synthetic_id('nobody', 1)},933"], params={"name": "kept"})
            sandbox.advance(300)
        seen.append(raw_client.get(f"{raw_client.account}/reconciliations").json())
        raw_client.close()
        sandbox.close()
    assert seen[0] == seen[1]
    assert seen[0]["reconciliation_requests"][0]["name"] == "kept"
