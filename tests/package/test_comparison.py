"""The comparison in docs/ names scripts and faults that exist, and its line counts are those of the scripts."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from cint_nb.sandbox.faults import parse_fault
from cint_nb.sandbox.sandbox import FAULT_STEPS

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "benchmarks" / "peers"
TEXT = (ROOT / "docs" / "comparison.md").read_text(encoding="utf-8")
MEASURED = TEXT.partition("<!-- measured: begin -->")[2].partition("<!-- measured: end -->")[0]
PANEL = TEXT.partition("<!-- panel: begin -->")[2].partition("<!-- panel: end -->")[0]


def rows_of(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]


ROWS = rows_of(MEASURED)


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"peers_{name}", PEERS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def faults_of_the_runner() -> list[str]:
    tree = ast.parse((PEERS / "run.py").read_text(encoding="utf-8"))
    return next(
        list(ast.literal_eval(node.value))
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "FAULTS"
    )


def test_its_first_table_counts_the_lines_of_the_scripts_as_they_are() -> None:
    user_code = load("user_code")
    shown = {row[0]: tuple(row[1:3]) for row in ROWS if row[0].startswith("[")}
    counted = {way: user_code.count_lines(script) for way, script in user_code.SCRIPTS.items()}
    assert shown == {
        f"[{way}](../benchmarks/peers/{user_code.SCRIPTS[way].name})": (str(lines.draft), str(lines.steps))
        for way, lines in counted.items()
    }


def test_its_second_table_has_each_way_under_each_of_five_faults() -> None:
    shown = {(row[0], row[1]) for row in ROWS if row[0].startswith("`")}
    faults = faults_of_the_runner()
    assert len(faults) == 5
    assert shown == {(f"`{fault}`", way) for fault in faults for way in load("user_code").SCRIPTS}


@pytest.mark.parametrize("name", faults_of_the_runner())
def test_a_fault_is_one_of_the_sandbox_or_a_kill_of_the_runner(name: str) -> None:
    kind, _, step = re.split(r"[*=]", name)[0].partition("@")
    assert step in FAULT_STEPS
    assert kind == "killed" or parse_fault(name).name == kind
    assert kind != "killed" or name in load("exchange").KILLS


@pytest.mark.parametrize(
    ("name", "text", "counted"),
    [
        (
            "some.py",
            '"""Says\nmuch."""\n\n# --- the draft\na = 1\n# why\n\n# --- the steps\nb = """x\ny"""\nc = 2\n',
            (1, 3),
        ),
        ("some.py", 'def f():\n    """Says."""\n    return "it"  # why\n', (0, 2)),
        ("some.sh", "#!/bin/sh\n\na=1\n# --- the draft\nb=2\n  # why\n", (1, 1)),
    ],
)
def test_blank_lines_comments_and_docstrings_are_no_code(
    tmp_path: Path, name: str, text: str, counted: tuple[int, int]
) -> None:
    script = tmp_path / name
    script.write_text(text, encoding="utf-8")
    assert load("user_code").count_lines(script) == counted


@pytest.mark.parametrize("runner", ["run", "run_panel"])
def test_tables_are_written_between_the_marks_of_their_runner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runner: str
) -> None:
    tree = ast.parse((PEERS / f"{runner}.py").read_text(encoding="utf-8"))
    marks = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "MARKS"
    )
    page = load("comparison_page")
    written = tmp_path / "comparison.md"
    written.write_text(TEXT, encoding="utf-8")
    monkeypatch.setattr(page, "REPORT", written)
    page.write_between(marks, "new tables")
    before, _, rest = TEXT.partition(marks[0])
    assert written.read_text(encoding="utf-8") == (
        f"{before}{marks[0]}\n\nnew tables\n\n{marks[1]}{rest.partition(marks[1])[2]}"
    )
    with pytest.raises(SystemExit, match="once each"):
        page.write_between(("<!-- no such mark -->", marks[1]), "lost")


def test_the_table_of_the_panel_counts_the_lines_of_its_scripts_as_they_are() -> None:
    user_code = load("user_code")
    shown = {row[0]: tuple(map(int, row[1:3])) for row in rows_of(PANEL) if row[0].startswith("[")}
    sections = {way: user_code.count_sections(script) for way, script in user_code.PANEL_SCRIPTS.items()}
    assert shown == {
        f"[{way}](../benchmarks/peers/{user_code.PANEL_SCRIPTS[way].name})": (
            counts["the analysis"],
            sum(counts.values()),
        )
        for way, counts in sections.items()
    }


@pytest.mark.thorough
def test_the_measures_still_find_what_r_found(tmp_path: Path) -> None:
    """R is not asked here: what it found is in the page."""
    load("panel_data").write_panel(tmp_path, 1)
    script = load("user_code").PANEL_SCRIPTS["cint_nb.measure"]
    command = [sys.executable, "-W", "ignore", str(script), str(tmp_path)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    found = dict(line.split("\t") for line in printed.splitlines())
    by_r = {row[0]: row[1] for row in rows_of(PANEL) if row[3].isdigit() and not row[0].startswith("[")}
    assert len(by_r) > 15
    assert {name: f"{float(value):.6g}" for name, value in found.items()} == by_r
