"""`cint-nb demo`: run one whole recontact wave on the sandbox, with no account and no network."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from cint_nb.cli import whole_number
from cint_nb.cli.progress import Progress
from cint_nb.domain.limits import IDS_PER_TARGET_GROUP
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.output_files import make_folder, require_new_file, unused_folder, write_new_file
from cint_nb.panels.job_progress.reporters import make_reporter
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.wave.client import Client, open_client
from cint_nb.wave.reporting import make_silent_reporter
from cint_nb.wave.wave import Wave

COST_PER_INTERVIEW = Decimal("2.7352")
CURRENCY = "EUR"
FIELDING_DAYS = 10


EXAMPLES = ("cint-nb demo", "cint-nb demo --lines 500 --json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("--folder", type=Path, help="folder for its files (default: a new folder in the current one)")
    parser.add_argument(
        "--lines",
        type=whole_number(1, IDS_PER_TARGET_GROUP),
        default=10_000,
        help="lines of the sample file, as many as one target group takes (default 10,000)",
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the sample and the sandbox")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the walkthrough")


def run(arguments: argparse.Namespace) -> int:
    """Run the demo and print its walkthrough or its numbers."""
    from cint_nb.sandbox.sample import write_sample

    started = time.perf_counter()
    print_step = _ignore_step if arguments.json else _print_step
    folder: Path = arguments.folder or unused_folder(Path("cint-nb-demo"))
    make_folder(folder)
    for name in ("respondents.csv", "outcome.csv"):
        require_new_file(folder / name, "give another folder: cint-nb demo --folder NAME.")
    with Progress(f"Writing and reading {arguments.lines:,} lines"):
        file = write_sample(folder / "respondents.csv", lines=arguments.lines, seed=arguments.seed)
        people = read_respondents(file, entity_type="RSID")
    print_step("1  read", f"{file} is a sample respondent file with the errors real files have.")
    print_step("", people.summary())
    with open_client(
        "sandbox", seed=arguments.seed, reporter=make_silent_reporter if arguments.json else make_reporter
    ) as client:
        started_at = client.clock.now()
        wave = client.wave(
            "Tracker Q4, wave 2", project="Brand tracker", respondents=people, plan=demo_plan(client, people)
        )
        _run_wave(client, wave, folder, print_step)
        numbers = _collect_numbers(wave)
        wave.close()
        wave.remove()
        print_step("8  close", "closed; all recontacts removed.")
        numbers["requests"] = client.requests_sent
        numbers["virtual_seconds"] = round((client.clock.now() - started_at).total_seconds(), 3)
    numbers["wall_seconds"] = round(time.perf_counter() - started, 3)
    if arguments.json:
        print(json.dumps(numbers))
        return 0
    print_step("9  files", f"{file}, and {folder / 'outcome.csv'} with one row per line of it.")
    print_step(
        "",
        f"{numbers['requests']:,} requests; {numbers['virtual_seconds'] / 86_400:.1f} days of sandbox time "
        f"in {numbers['wall_seconds']:.1f} seconds. Nothing was spent: this was the sandbox.",
    )
    print_step("next", "open the notebooks: cint-nb lab")
    return 0


def demo_goal(people: Respondents) -> int:
    """Return how many completes the demo asks for: two of five come back."""
    return max(1, len(people) * 2 // 5)


def demo_budget(people: Respondents) -> str:
    """Return what the demo approves: the most it can cost, in whole thousands, whatever the number of lines."""
    thousands = math.ceil(demo_goal(people) * COST_PER_INTERVIEW / 1000)
    return f"{thousands * 1000} {CURRENCY}"


def demo_plan(client: Client, people: Respondents) -> TargetGroupPlan:
    """Return the demo's plan: the create guide's example, turned into a recontact as the recontact guide says."""
    from cint_nb.sandbox import sandbox

    now = client.clock.now()
    survey = "https://your-survey.com?RID=[%RID%]&RECONTACT_RSID=[%RECONTACT_RSID%]"
    return TargetGroupPlan.recontact(
        business_unit_id=sandbox.BUSINESS_UNIT_ID,
        project_manager_id=sandbox.PROJECT_MANAGER_ID,
        locale="ger_de",
        completes_goal=demo_goal(people),
        start_at=now + timedelta(hours=1),
        end_at=now + timedelta(days=14),
        live_url=survey,
        test_url=survey,
        cost_per_interview=f"{COST_PER_INTERVIEW} {CURRENCY}",
        expected_length_of_interview_minutes=5,
        expected_incidence_rate=0.8,
    )


def _run_wave(client: Client, wave: Wave, folder: Path, print_step: Any) -> None:
    findings = wave.check()
    print_step("2  check", f"{len(findings)} findings, {len(findings.blocking)} blocking.")
    ref = wave.create()
    print_step("3  create", f"draft recontact target group {ref.target_group_id} in project {ref.project_id}.")
    uploaded = wave.upload()
    print_step("4  upload", uploaded.partial_message or "every ID was saved.")
    rejected = wave.outcome.rejected
    print_step(
        "5  outcome",
        f"{len(rejected):,} IDs were sent but not saved. The exchange does not say which; cint_nb does.",
    )
    if len(rejected):
        resent = len(wave.outcome.resubmittable)
        wave.resubmit()
        print_step(
            "6  resubmit",
            f"{resent:,} IDs resent, {len(wave.outcome.rejected):,} still rejected.",
        )
    print_step("", wave.outcome.summary())
    write_new_file(folder / "outcome.csv", wave.outcome.frame().to_csv(index=False).encode())
    budget = demo_budget(wave.respondents)
    wave.launch(budget=budget)
    with Progress(f"{FIELDING_DAYS} days of fielding pass"):
        client.pass_time(days=FIELDING_DAYS)
    print_step("7  launch", f"live within {budget}; {FIELDING_DAYS} days of fielding later:")
    print_step("", str(wave.status()))


def _collect_numbers(wave: Wave) -> dict[str, Any]:
    outcome = wave.outcome.counts
    status = wave.status().iloc[0]
    usable = ("saved", "already_saved", "rejected")
    return {
        "lines": sum(outcome.values()),
        **{name: outcome.get(name, 0) for name in ("blank", "malformed", "duplicate")},
        "sent": sum(outcome.get(name, 0) for name in usable),
        **{name: outcome.get(name, 0) for name in usable},
        "resubmitted": wave.resubmitted_count,
        "target_group_id": wave.target_group.target_group_id if wave.target_group else None,
        "launched": wave.launched,
        "completes": int(status["completes"]),
    }


def _print_step(step: str, what: str | pd.DataFrame) -> None:
    text = what.to_string(index=False) if isinstance(what, pd.DataFrame) else str(what)
    sys.stderr.flush()
    for number, line in enumerate(text.splitlines()):
        print(f"{step if number == 0 else '':<13}{line}")
    sys.stdout.flush()


def _ignore_step(step: str, what: str | pd.DataFrame) -> None:
    pass
