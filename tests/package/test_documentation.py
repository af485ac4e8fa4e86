"""The pages and the code say the same: messages, commands, variables, exit codes, checks and pages of the course."""

from __future__ import annotations

import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import cint_nb as cint
from cint_nb.cli import COMMANDS, EXIT_CODES
from cint_nb.wire.settings import MODE_VARIABLE, VARIABLES
from tests.support.sources import load_program

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "cint_nb").rglob("*.py")))
COMMAND_LINE = (DOCS / "engineers" / "command_line.md").read_text(encoding="utf-8")


def test_each_message_that_is_explained_is_one_of_ours() -> None:
    page = (DOCS / "analysts" / "troubleshooting.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+`) \|", page, re.MULTILINE)
    messages = [part for row in rows for part in re.findall(r"`([^`]+)`", row)]
    assert len(messages) > 35
    said = re.sub(r'"\s*\n\s*f?"', "", SOURCE)
    assert [each for each in messages if each not in said] == []


def test_every_command_variable_and_exit_code_is_on_the_page() -> None:
    assert [each for each in COMMANDS if f"`cint-nb {each}" not in COMMAND_LINE] == []
    assert [each for each in (MODE_VARIABLE, *VARIABLES.values()) if f"`{each}`" not in COMMAND_LINE] == []
    assert [f"| {code} |" for code in EXIT_CODES if f"| {code} |" not in COMMAND_LINE] == []


def test_the_workflow_publishes_the_folder_that_the_build_writes() -> None:
    workflow = (ROOT / ".github" / "workflows" / "docs.yml").read_text(encoding="utf-8")
    builder = (ROOT / "tools" / "build_docs.py").read_text(encoding="utf-8")
    assert '".nox" / "documentation"' in builder
    assert "path: .nox/documentation/html" in workflow


def test_what_opens_the_site_without_a_server_is_built_before_it_is_linked() -> None:
    """Where it is not built, the page says how to; the link stands only where the workflow publishes both."""
    builder = load_program("tools/build_docs.py")
    page = (DOCS / "analysts" / "in_the_browser.md").read_text(encoding="utf-8")
    linked = builder.with_lite(page)
    (target,) = re.findall(r'href="\.\./lite/lab/index\.html\?path=([^"]+)"', linked)
    assert (ROOT / "packaging" / "lite" / "files" / target).is_file()
    assert f"?path={target}" in page
    assert "http.server" in page
    assert "http.server" not in linked
    workflow = (ROOT / ".github" / "workflows" / "docs.yml").read_text(encoding="utf-8")
    site = re.search(r'LITE_SITE = Path\("(.+?)"\)', (ROOT / "noxfile.py").read_text(encoding="utf-8"))
    assert site is not None
    assert workflow.index("nox -s lite") < workflow.index(f"nox -s docs -- --lite {site[1]}")


def test_every_page_is_in_a_list_of_pages() -> None:
    """A page that no list names is reached by the search alone."""
    pages = {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md")} - {"index"}
    named: set[str] = set()
    for path in DOCS.rglob("*.md"):
        for block in re.findall(r"```\{toctree\}\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
            for line in block.split():
                if not line.startswith(":"):
                    named.add((path.parent / line).resolve().relative_to(DOCS).as_posix())
    assert pages - named == set()


@pytest.mark.thorough
def test_the_checklist_for_going_live_names_calls_that_exist() -> None:
    page = (DOCS / "analysts" / "going_live.md").read_text(encoding="utf-8")
    assert {"check", "create", "upload", "launch", "pause", "resume", "close", "report", "test_links"} <= {
        *re.findall(r"wave\.(\w+)", page)
    }
    shown = subprocess.run(
        [sys.executable, "-m", "cint_nb", "doctor", "--help"], capture_output=True, text=True, check=True
    )
    assert "--live" in shown.stdout


def test_the_first_wave_goes_live_by_the_page_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its cells in order, on the sandbox in place of the live exchange: none asks for what does not exist yet."""
    page = (DOCS / "analysts" / "going_live.md").read_text(encoding="utf-8")
    assert "[ ]" not in page, "shown as it stands"
    monkeypatch.chdir(tmp_path)
    cint.sandbox.write_sample("all.csv", lines=300)
    cint.read_respondents("all.csv", entity_type="RSID").sample(10).to_file("ten.csv")
    names: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.+?)^```", page, re.MULTILINE | re.DOTALL):
        if "wave.close()" in block:
            names["client"].pass_time(days=10)
        exec(block.replace('connect("live")', 'connect("sandbox")'), names)  # noqa: S102 - our own text
    wave, plan = names["wave"], names["plan"]
    (budget,) = re.findall(r'launch\(budget="([\d.]+) EUR"\)', page)
    assert Decimal(budget) == plan.completes_goal * plan.cost_per_interview.value
    assert wave.test_links()["url"].notna().all()
    assert wave.status()["state"].item() == "completed"
    names["client"].close()
