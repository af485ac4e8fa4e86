"""docs/contract.md names a rule, a verb and a test for each trap of the contract, and all of them exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from cint_nb.study.preflight import check  # noqa: F401 - it registers the rules
from cint_nb.study.preflight.registry import RULES
from cint_nb.wave.wave import Wave
from tests.support.sources import parsed

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "contract.md"
TEXT = PAGE.read_text(encoding="utf-8")
ROWS = [line.strip("|").split("|") for line in TEXT.splitlines() if line.startswith("| ") and "| trap |" not in line]


def names_in(path: Path) -> set[str]:
    """Return the names of the tests of a file."""
    return {
        node.name for node in ast.walk(parsed(path.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip()[:40])
def test_a_trap_has_a_rule_a_place_and_a_test(row: list[str]) -> None:
    trap, rule, where, test = (cell.strip() for cell in row)
    assert trap
    assert rule
    for name in re.findall(r"`([a-z]+(?:-[a-z]+)+)`", where):
        assert name in RULES, name
    for verb in re.findall(r"`wave\.(\w+)", where):
        assert hasattr(Wave, verb), verb
    if test == "the same":
        return
    file, name = test.strip("`").split("::")
    assert name in names_in(ROOT / file), test


def test_the_page_has_many_traps_and_the_readme_leads_to_it() -> None:
    assert len(ROWS) >= 20
    assert "(docs/contract.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("what", ["webhooks", "Server-to-server", "Unique codes"])
def test_what_is_left_out_on_purpose_is_said(what: str) -> None:
    assert what in TEXT.partition("## What is left out on purpose")[2]
