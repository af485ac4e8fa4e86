"""One recontact wave three ways: with curl, with a generated client, with cint_nb, undisturbed and under five faults.

Run `python benchmarks/peers/run.py`; `--report` writes the tables of docs/comparison.md. It needs curl, jq and the
extra `peers`. A script that stops is run again with the same command, twice at most, as one runs a cell again.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import httpx
from comparison_page import ROOT, write_between
from exchange import ExchangeContents, Watch, exchange_contents, let_time_jump, watched
from user_code import SCRIPTS, count_lines

from cint_nb.domain import limits
from cint_nb.domain.plan import format_utc
from cint_nb.sandbox.http.openapi_document import build_openapi
from cint_nb.sandbox.openapi.examples import EXAMPLES
from cint_nb.sandbox.sample import write_sample
from cint_nb.sandbox.sandbox import ACCOUNT_ID, CLIENT_ID, CLIENT_SECRET, START, Sandbox
from cint_nb.sandbox.server import ServedSandbox

MARKS = ("<!-- measured: begin -->", "<!-- measured: end -->")
LINES = 1_000
SEED = 1
RUNS_AT_MOST = 3
FAULTS = {
    "drop-reply@create_target_group": "the draft is created, its reply is lost",
    "drop-reply@upload": "the upload is taken, its reply is lost",
    "429@status*3=1": "three polls of the upload job are refused as too many",
    "killed@status": "the process is killed while the upload job runs",
    "killed@launch-status": "the process is killed while the launch job runs",
}
_CLAIM = re.compile(r"^live: (\d+) saved, (\d+) rejected$", re.MULTILINE)


class Result(NamedTuple):
    """The result of one case."""

    stops: list[str]
    """Why each run but the last one stopped, or all of them."""
    ended: bool
    claim: tuple[int, int] | None
    requests: int
    minutes: float
    """Virtual minutes until the last run ended."""
    contents: ExchangeContents


def generate_client(folder: Path) -> Path:
    """Generate the client from our own description; return the folder to import it from."""
    (folder / "openapi.json").write_text(json.dumps(build_openapi()))
    # Two spellings of a report type would be one name of an enum class; literals have no names.
    (folder / "config.yml").write_text("literal_enums: true\n")
    options = {"path": "openapi.json", "config": "config.yml", "meta": "none", "output-path": "demand_client"}
    command = ["openapi-python-client", "generate", *(f"--{name}={value}" for name, value in options.items())]
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"openapi-python-client stopped:\n{done.stdout}{done.stderr}")
    return folder


def make_project(served: ServedSandbox) -> str:
    """Create the project the guide takes for granted, before anything goes wrong."""
    asked = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "grant_type": "client_credentials"}
    with httpx.Client(trust_env=False) as http:
        token = http.post(served.token_url, json=asked).raise_for_status().json()["access_token"]
        http.headers.update({"Authorization": f"Bearer {token}", "Cint-API-Version": limits.API_VERSION})
        projects = f"{served.base_url}/demand/accounts/{ACCOUNT_ID}/projects"
        reply = http.post(projects, json=EXAMPLES["ProjectDraft"], headers={"idempotency-key": "peers"})
    served.sandbox.advance(5)
    return str(reply.raise_for_status().json()["id"])


def environment_of(way: str, served: ServedSandbox, folder: Path, generated: Path) -> dict[str, str]:
    """Return the variables a script runs with: addresses, credentials, and a `sleep` that lets virtual time jump."""
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("CINT_") and not name.lower().endswith("_proxy") and name != "PYTHONPATH"
    }
    if way == "cint_nb":
        return plain | {"CINT_NB_BASE_URL": served.base_url, "CINT_NB_JOURNAL": str(folder / "journal.sqlite3")}
    jumps = let_time_jump(folder, served.url)
    return plain | {
        "CINT_BASE_URL": served.base_url,
        "CINT_TOKEN_URL": served.token_url,
        "CINT_ACCOUNT_ID": str(ACCOUNT_ID),
        "CINT_CLIENT_ID": CLIENT_ID,
        "CINT_CLIENT_SECRET": CLIENT_SECRET,
        "PATH": f"{jumps['shell']}{os.pathsep}{plain['PATH']}",
        "PYTHONPATH": f"{jumps['python']}{os.pathsep}{generated}",
    }


def run_case(way: str, fault: str, people: Path, generated: Path) -> Result:
    """Run one script under one fault until it ends, three times at most."""
    sandbox, watch = watched(fault, SEED)
    with tempfile.TemporaryDirectory() as name, ServedSandbox(sandbox) as served:
        folder = Path(name)
        period = [format_utc(START + timedelta(days=days)) for days in (1, 14)]
        script = SCRIPTS[way]
        interpreter = sys.executable if script.suffix == ".py" else "bash"
        command = [interpreter, str(script), str(people), make_project(served), *period]
        environment = environment_of(way, served, folder, generated)
        watch.requests, begun = 0, sandbox.clock.elapsed
        stops: list[str] = []
        claim = None
        for _ in range(RUNS_AT_MOST):
            stop, claim = run_once(command, environment, folder, watch)
            if not stop:
                break
            stops.append(stop)
        must_have_happened(fault, sandbox, stops)
        return Result(
            stops, not stop, claim, watch.requests, (sandbox.clock.elapsed - begun) / 60, exchange_contents(sandbox)
        )


def run_once(
    command: list[str], environment: Mapping[str, str], folder: Path, watch: Watch
) -> tuple[str, tuple[int, int] | None]:
    """Run a script once; return why it stopped, empty when it ended, and what its last line claims."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, env=environment, cwd=folder, start_new_session=True, **pipes)  # type: ignore[call-overload]
    watch.user = process
    said, complained = process.communicate(timeout=120)
    found = _CLAIM.search(said)
    claim = (int(found[1]), int(found[2])) if found else None
    if process.returncode == 0:
        return "", claim
    last = (complained.strip() or said.strip() or f"exit {process.returncode}").splitlines()[-1]
    return "killed" if process.returncode < 0 else last, claim


def must_have_happened(fault: str, sandbox: Sandbox, stops: list[str]) -> None:
    """Refuse a figure of a fault that never came."""
    armed = sandbox.faults.armed
    happened = all(one.remaining == 0 for one in armed) if armed else not fault or stops[:1] == ["killed"]
    if not happened:
        raise SystemExit(f"{fault} did not happen: {stops}")


def left_over(contents: ExchangeContents) -> str:
    """Write what the exchange contains beside one live target group."""
    more = []
    if contents.drafts:
        more.append(f"{contents.drafts} draft{'s' * (contents.drafts > 1)} with {contents.draft_ids:,} ids")
    if contents.live > 1:
        more.append(f"{contents.live - 1} more live target group{'s' * (contents.live > 2)}")
    return ", ".join(more) or "nothing"


def last_claim(result: Result, saved: frozenset[bytes]) -> str:
    """Write whether the last run's words are the whole truth."""
    if not result.ended:
        return "that it stopped"
    if result.claim is None or result.claim[0] != len(saved):
        return "**wrong numbers**"
    if left_over(result.contents) != "nothing":
        return "its own wave only"
    return "all of it"


def tables(results: Mapping[tuple[str, str], Result]) -> str:
    """Write both tables in Markdown."""
    rows = [
        "| | lines: the draft | lines: the steps | requests | sandbox minutes | saved | rejected |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for way, script in SCRIPTS.items():
        result, lines = results[way, ""], count_lines(script)
        saved, rejected = result.claim or (0, 0)
        link = f"[{way}](../{script.relative_to(ROOT)})"
        numbers = f"{result.requests} | {result.minutes:.1f} | {saved:,} | {rejected:,}"
        rows.append(f"| {link} | {lines.draft} | {lines.steps} | {numbers} |")
    rows += [
        "",
        "| fault | with | first run | left over | in two live groups | ids lost | uploads | the last run tells |",
        "|---|---|---|---|---:|---:|---:|---|",
    ]
    saved_ids = results["cint_nb", ""].contents.saved
    for fault in FAULTS:
        for way in SCRIPTS:
            result = results[way, fault]
            first = f"stops: `{result.stops[0][:90]}`" if result.stops else "ends"
            first = first if result.stops[:1] != ["killed"] else "killed"
            contents = result.contents
            rows.append(
                f"| `{fault}` | {way} | {first} | {left_over(contents)} | {contents.twice:,} "
                f"| {len(saved_ids - contents.saved):,} | {contents.uploads} | {last_claim(result, saved_ids)} |"
            )
    return "\n".join(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", action="store_true", help="write the tables of docs/comparison.md")
    parser.add_argument("--fault", action="append", help="only this one, printed as it came; may be given again")
    arguments = parser.parse_args()
    results: dict[tuple[str, str], Result] = {}
    with tempfile.TemporaryDirectory() as name:
        generated = generate_client(Path(name))
        people = write_sample(Path(name) / "respondents.csv", lines=LINES, seed=SEED)
        for fault in arguments.fault or ["", *FAULTS]:
            for way in SCRIPTS:
                result = results[way, fault] = run_case(way, fault, people, generated)
                result_so_far = result._replace(contents=result.contents._replace(saved=frozenset()))
                print(f"{fault or 'undisturbed':32} {way:18} {result_so_far}", file=sys.stderr)
    if arguments.fault:
        return 0
    undisturbed = {results[way, ""].contents for way in SCRIPTS}
    assert len(undisturbed) == 1, "without a fault the three ways must end alike"
    text = tables(results)
    print(text)
    if arguments.report:
        write_between(MARKS, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
