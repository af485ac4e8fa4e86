"""How reading, checking and planning the upload of ids grows, from a thousand ids to ten million.

A file of ids, two in a hundred repeated, is read; what is usable is split into lists of the size that a target group
takes; each list is checked as a wave, and becomes the file that would be uploaded, with its digests. Nothing is sent.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from growth import cost_of, growth_row, print_cost
from measuring import Row, run_alone
from read_ids import write_ids

import cint_nb as cint

SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
TURNS = 7
BYTES_MAX = 100
"""Bytes of memory that one more id may take at the peak; its line in the file has 37."""


def plan_upload(path: Path, client: cint.Client, plan: cint.TargetGroupPlan) -> None:
    people = cint.read_respondents(path, entity_type="RSID")
    for number, part in enumerate(people.split(), 1):
        wave = client.wave(f"Growth, list {number}", project="Growth", respondents=part, plan=plan)
        assert not wave.check("upload").blocking
        file = part.to_upload()
        assert file.id_count == len(part) > 0
        assert part.content_hash
        assert part.people_hash


def alone(small: Path, path: Path) -> None:
    client = cint.connect("sandbox")
    now = client.clock.now()
    plan = cint.TargetGroupPlan.recontact(
        business_unit_id=cint.sandbox.BUSINESS_UNIT_ID, project_manager_id=cint.sandbox.PROJECT_MANAGER_ID,
        locale="ger_de", completes_goal=100, expected_length_of_interview_minutes=10, expected_incidence_rate=0.8,
        cost_per_interview="2.75 EUR", start_at=now + timedelta(hours=1), end_at=now + timedelta(days=14),
        live_url="https://your-survey.com?RID=[%RID%]&RECONTACT_RSID=[%RECONTACT_RSID%]",
    )  # fmt: skip
    plan_upload(small, client, plan)
    print_cost(lambda: plan_upload(path, client, plan))


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="cint-nb-growth-") as folder:
        small = write_ids(Path(folder) / "small.csv", SIZES[0])
        costs = []
        for number in SIZES:
            path = write_ids(Path(folder) / f"{number}.csv", number)
            costs.append(cost_of(number, __file__, "--alone", small, path, turns=TURNS))
    before, last = costs[-2:]
    more = (last.memory - before.memory) * 1_048_576 / (last.items - before.items)
    return [
        growth_row(
            "read, check and plan the upload of ids", costs, "ids",
            f"Of {last.items:,} ids {last.processor / last.items * 1e9:.0f} ns each, with all lists and digests.",
        ),
        Row(
            "growth: memory of ids", f"{before.items:,} to {last.items:,} ids", [], None,
            "What the peak of the process grows by with one more id; its line in the file has 37 bytes.",
            wanted=f"≤ {BYTES_MAX} bytes an id", met=more <= BYTES_MAX, shown=f"{more:.0f} bytes an id",
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["--alone"]:
        alone(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        sys.exit(run_alone(rows, __doc__))
