"""The state file: a class continues tomorrow where it stopped today."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from cint_nb.domain import ids
from cint_nb.sandbox.http.control_api import world_to_json
from cint_nb.sandbox.sandbox import Sandbox
from tests.support.sandbox_client import RawClient


def live_a_day(sandbox: Sandbox) -> str:
    raw_client = RawClient(sandbox)
    raw_client.log_in()
    sandbox.faults.arm("partial@upload")
    group = raw_client.group(completes_goal=200)
    people = [ids.synthetic_id("class", number) for number in range(900)]
    raw_client.saved_ids(group, people)
    raw_client.saved_ids(group, people)
    run = raw_client.launched(group)
    sandbox.advance(40_000)
    etag = raw_client.get(run).headers["etag"]
    raw_client.post(f"{run}/pause", headers={"If-Match": etag})
    raw_client.upload(group, [ids.synthetic_id("late", number) for number in range(2_000)])
    assert raw_client.upload(group, people).status_code == 409, "refused requests leave no trace"
    sandbox.advance(60)
    raw_client.saved(group)
    raw_client.close()
    return group


def test_a_world_is_the_same_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "class.sqlite"
    first = Sandbox(seed=3, state=path)
    group = live_a_day(first)
    before, details = world_to_json(first), everything(first, group)
    first.close()
    second = Sandbox(seed=3, state=path)
    assert {**world_to_json(second), "faults": []} == {**before, "faults": []}
    assert everything(second, group) == details
    second.close()


def everything(sandbox: Sandbox, group: str) -> tuple[Any, ...]:
    held = sandbox.world.groups[group.rsplit("/", 1)[1]]
    jobs = [
        (job.id, job.status, job.failed, job.succeeded, job.total, job.applied) for job in sandbox.world.jobs.values()
    ]
    return (
        held.saved.keys(),
        held.fieldwork.visits,
        held.fieldwork.arrivals,
        held.rejected_once,
        held.run,
        held.changes,
        jobs,
    )


def test_the_world_goes_on_from_there(tmp_path: Path) -> None:
    path = tmp_path / "class.sqlite"
    first = Sandbox(seed=3, state=path)
    group = live_a_day(first)
    first.close()
    second = Sandbox(seed=3, state=path)
    raw_client = RawClient(second)
    raw_client.log_in()
    saved = raw_client.saved(group)
    second.advance(600)
    assert raw_client.saved(group) > saved, "the job that was running runs on"
    names = {raw_client.group(), raw_client.group()}
    assert not names & {group}
    made = len(second.world.groups)
    raw_client.close()
    second.close()
    third = Sandbox(seed=3, state=path)
    assert len(third.world.groups) == made
    third.close()


def test_the_file_holds_no_token(tmp_path: Path) -> None:
    path = tmp_path / "class.sqlite"
    sandbox = Sandbox(seed=3, state=path)
    live_a_day(sandbox)
    token = sandbox.dispatcher.make_token(0)
    sandbox.close()
    content = path.read_bytes()
    assert token.encode() not in content
    assert b"Bearer" not in content


def test_another_seed_is_refused_and_the_file_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "class.sqlite"
    Sandbox(seed=3, state=path).close()
    before = path.read_bytes()
    with pytest.raises(ValueError, match="seed 3"):
        Sandbox(seed=4, state=path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_state_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, " * 100)
    with pytest.raises(ValueError, match="not a state file"):
        Sandbox(state=path)
    with sqlite3.connect(tmp_path / "ok.sqlite") as other:
        other.execute("CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        other.execute("INSERT INTO about VALUES ('format', '99')")
    other.close()
    before = (tmp_path / "ok.sqlite").read_bytes()
    with pytest.raises(ValueError, match="not a state file"):
        Sandbox(state=tmp_path / "ok.sqlite")  # somebody else's, whatever its tables are called
    assert (tmp_path / "ok.sqlite").read_bytes() == before
    Sandbox(state=tmp_path / "later.sqlite").close()
    with sqlite3.connect(tmp_path / "later.sqlite") as later:
        later.execute("UPDATE about SET value = '99' WHERE name = 'format'")
    later.close()
    with pytest.raises(ValueError, match="format 99"):
        Sandbox(state=tmp_path / "later.sqlite")
