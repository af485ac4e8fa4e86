"""A process that dies anywhere leaves nothing behind that a second run of the same cells does not continue."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cint_nb.domain.models import TargetGroupRef
from cint_nb.sandbox.sample import write_sample
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.server import ServedSandbox
from cint_nb.wave.client import open_client

CHILD = "tests.wave.killed_child"
ROOT = Path(__file__).parents[2]
MOMENTS = [f"entry:{number}" for number in range(1, 15)] + [f"sent:{number}" for number in range(1, 7)]
"""A wave writes 14 lines into its journal and sends 6 changing requests."""
JOURNAL_DELETED = ", journal deleted"
POINTS = [moment + journal for moment in MOMENTS for journal in ("", JOURNAL_DELETED)]


class Lives:
    """Processes that run a wave one after the other, with one journal, at an exchange that outlives them all."""

    def __init__(self, served: ServedSandbox, process: subprocess.Popen[str]) -> None:
        self.served, self.process = served, process
        self.undisturbed = self.finish("An undisturbed wave")["outcome"]

    def live(self, wave: str, kill_at: str, *, deletes_journal: bool = False) -> dict[str, Any]:
        """Run a wave in a process of its own, and return how that ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps([[[wave, kill_at]], deletes_journal]), file=self.process.stdin, flush=True)
        return dict(json.loads(self.process.stdout.readline()))

    def finish(self, wave: str) -> dict[str, Any]:
        """Run a wave to its end, and return what it ended with."""
        life = self.live(wave, "never")
        assert life["ends"], life["failure"]
        return dict(life["ends"][0])


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lives]:
    folder = tmp_path_factory.mktemp("killed")
    people = write_sample(folder / "people.csv", lines=300, seed=5)
    environment = os.environ | {"CINT_NB_JOURNAL": str(folder / "journal.sqlite3")}
    with (
        ServedSandbox(Sandbox(seed=1)) as served,
        subprocess.Popen(
            [sys.executable, "-m", CHILD, served.base_url, str(people)],
            cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ) as process,
    ):  # fmt: skip
        yield Lives(served, process)


@pytest.mark.thorough
@pytest.mark.parametrize("point", POINTS)
def test_after_a_kill_the_same_cells_end_with_one_of_everything(lives: Lives, point: str) -> None:
    name = f"A wave killed at {point.replace(':', ' ')}"
    moment = point.removesuffix(JOURNAL_DELETED)
    assert lives.live(name, moment, deletes_journal=moment != point)["status"] == -9
    end = lives.finish(name)
    assert end["outcome"] == lives.undisturbed
    ref = TargetGroupRef(**end["ref"])
    project = f"Project of {name}"
    with open_client("sandbox", base_url=lives.served.base_url) as client:
        projects = client.projects.list(name=project)
        groups = client.target_groups.list(ref.project_id)
        uploads = client.recontacts.jobs(ref)
        client.pass_time(minutes=10)  # every job has ended by then
        run = client.fielding.run(ref)
    assert [one.id for one in projects if one.name == project] == [ref.project_id]
    assert len(groups) == 1
    assert len(uploads) == 2  # the list, and its rejected ids once more
    assert run is not None
    # Without its journal a plan made anew is launched once more: the exchange fails one of the two jobs.
    jobs = [job for job in lives.served.sandbox.world.jobs.values() if job.group_id == ref.target_group_id]
    launches = [job.status for job in jobs if job.kind == "launch"]
    assert launches.count("Completed") == 1
    assert len(launches) == 1 or (JOURNAL_DELETED in point and sorted(launches) == ["Completed", "Failed"])
