"""`docs/faults.md` is what the last full run found, and speaks of the faults, steps and errors of today."""

from __future__ import annotations

import re

import pytest

from cint_nb.sandbox.faults import CHANGE_NAMES
from tests.faults import report
from tests.faults.matrix_cells import FAULTS, STEPS
from tests.faults.proxied_sandbox import DAMAGED_REQUESTS, OTHER_PROOFS, damages_of
from tests.faults.proxy import DAMAGES
from tests.support.changed_elsewhere import CHANGE_ROWS, VERBS


@pytest.fixture(scope="module")
def text(pytestconfig: pytest.Config) -> str:
    if pytestconfig.getoption("--report", default=False):
        pytest.skip("it is being written")
    return report.FILE.read_text(encoding="utf-8")


def test_it_has_a_cell_for_each_fault_at_each_step_in_each_way(text: str) -> None:
    found = set(report.read(text))
    sockets = {(request, *damage) for request in DAMAGED_REQUESTS for damage in damages_of(request)}
    machines = {cell for cell in found if cell[1] == "second-machine"}
    assert {(table, "create") for table in report.CHANGED} <= {(table, verb) for table, _, verb in machines}
    assert found - machines == report.cells_of_the_matrix() | report.cells_of_changes() | sockets | {
        ("other", proof, "") for proof in OTHER_PROOFS
    }


def test_it_is_as_the_present_lists_would_write_it(text: str) -> None:
    names = dict(re.findall(r"^\| ([A-Z]{2,}) \| `(\w+)` \|", text, re.MULTILINE))
    spelled = {
        cell: "" if ending == report.FINE else " ".join(names[pair] for pair in ending.split())
        for cell, ending in report.read(text).items()
    }
    assert report.write(spelled) == text, "run `nox -s faults -- --report`"


def test_it_explains_every_fault_step_damage_and_error(text: str) -> None:
    assert set(report.described_faults()) == set(FAULTS)
    assert {name.split(":")[0] for name in report.described_changes()} == CHANGE_NAMES
    for name in (*FAULTS, *STEPS, *VERBS, *report.described_changes(), *CHANGE_ROWS):
        assert f"`{name}`" in text
    for name in DAMAGES:
        assert f"- *{name}*: " in text
    used = {pair for ending in report.read(text).values() for pair in re.findall(r"[A-Z]+", ending)}
    assert used == set(re.findall(r"^\| ([A-Z]{2,}) \| `", text, re.MULTILINE))
