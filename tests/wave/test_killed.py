"""A process that dies anywhere leaves nothing behind that a second run of the same cells does not continue."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cint_nb.domain.models import TargetGroupRef
from cint_nb.sandbox.sample import write_sample
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.server import ServedSandbox
from cint_nb.wave.client import open_client
from tests.support.sampling import is_everyday

CHILD = "tests.wave.killed_child"
ROOT = Path(__file__).parents[2]
MOMENTS = [f"entry:{number}" for number in range(1, 15)] + [f"sent:{number}" for number in range(1, 7)]
"""A wave writes 14 lines into its journal and sends 6 changing requests."""
JOURNAL_DELETED = ", journal deleted"
POINTS = [moment + journal for moment in MOMENTS for journal in ("", JOURNAL_DELETED)]
EVERYDAY = POINTS[5::23]
"""Where plain `pytest` kills, with and without the journal; `nox -s faults` kills at all points."""


class KilledRuns(NamedTuple):
    """What became of each wave that was killed, at an exchange that outlived every process."""

    url: str
    sandbox: Sandbox
    died: dict[str, int]
    ends: dict[str, dict[str, Any]]
    undisturbed: str


def name_of(point: str) -> str:
    return f"A wave killed at {point.replace(':', ' ')}"


def points_of(config: pytest.Config) -> list[str]:
    return EVERYDAY if is_everyday(config) else POINTS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "point" in metafunc.fixturenames:
        metafunc.parametrize("point", points_of(metafunc.config))


@pytest.fixture(scope="module")
def killed_runs(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KilledRuns]:
    """Kill one process after the other: each finishes the wave of the one before it, then dies in its own."""
    folder = tmp_path_factory.mktemp("killed_runs")
    people = write_sample(folder / "people.csv", lines=300, seed=5)
    environment = os.environ | {"CINT_NB_JOURNAL": str(folder / "journal.sqlite3")}
    died: dict[str, int] = {}
    ends: dict[str, dict[str, Any]] = {}
    points, sandbox = points_of(pytestconfig), Sandbox(seed=1)
    with ServedSandbox(sandbox) as served:
        waves = ["An undisturbed wave", *map(name_of, points)]
        lives = [
            (
                [(before, "never"), *([(name_of(point), point.removesuffix(JOURNAL_DELETED))] if point else [])],
                point.endswith(JOURNAL_DELETED),
            )
            for before, point in zip(waves, [*points, ""], strict=True)
        ]
        done = subprocess.run(
            [sys.executable, "-m", CHILD, served.base_url, str(people)],
            input="".join(json.dumps(life) + "\n" for life in lives),
            cwd=ROOT, env=environment, text=True, capture_output=True, check=False,
        )  # fmt: skip
        for before, point, line in zip(waves, [*points, ""], done.stdout.splitlines(), strict=True):
            life = json.loads(line)
            died[point] = life["status"]
            ends |= {end["wave"]: end for end in life["ends"]}
            assert before in ends, life["failure"]
        yield KilledRuns(served.base_url, sandbox, died, ends, ends[waves[0]]["outcome"])


@pytest.mark.thorough
def test_after_a_kill_the_same_cells_end_with_one_of_everything(killed_runs: KilledRuns, point: str) -> None:
    assert killed_runs.died[point] == -9
    end = killed_runs.ends[name_of(point)]
    assert end["outcome"] == killed_runs.undisturbed
    ref = TargetGroupRef(**end["ref"])
    project = f"Project of {name_of(point)}"
    with open_client("sandbox", base_url=killed_runs.url) as client:
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
    jobs = [job for job in killed_runs.sandbox.world.jobs.values() if job.group_id == ref.target_group_id]
    launches = [job.status for job in jobs if job.kind == "launch"]
    assert launches.count("Completed") == 1
    assert len(launches) == 1 or (JOURNAL_DELETED in point and sorted(launches) == ["Completed", "Failed"])
