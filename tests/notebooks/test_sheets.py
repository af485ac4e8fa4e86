"""The sheets for a class: each task has a check, which its answer passes and a blank fails.

`nox -s grading` does the same in nbgrader itself; here its two conventions are enough: a solution region becomes an
error, and a graded cell that raises gets no points.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode

from tests.notebooks.course import FOLDER, OTHER_SEED, SHEETS, STORED_SEED, code_cells, prose, read
from tests.notebooks.notebook_kernel import NotebookKernel, errors, warnings

MAP = (FOLDER / "README.md").read_text(encoding="utf-8")
SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n.*?^ *### END SOLUTION$", re.MULTILINE | re.DOTALL)

Run = Callable[[Any, str], list[Any]]


@pytest.fixture(params=SHEETS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


@pytest.fixture
def sheet(path: Path) -> Any:
    return read(path)


@pytest.fixture
def run(kernel: NotebookKernel, tmp_path: Path) -> Run:
    def run_with(sheet: Any, seed: str) -> list[Any]:
        return list(kernel.run(sheet, tmp_path, {"CINT_NB_SEED": seed}).cells)

    return run_with


def marks(cell: Any) -> dict[str, Any]:
    return dict(cell.metadata.get("nbgrader", {}))


def lines_of(cell: Any) -> list[str]:
    """Return the lines of a cell, without those that are only a mark for nbgrader."""
    return [line for line in cell.source.splitlines() if line.strip() and not line.lstrip().startswith("###")]


def tasks(sheet: Any) -> list[str]:
    return [marks(cell)["grade_id"] for cell in sheet.cells if marks(cell).get("solution")]


def blanked(sheet: Any, chosen: list[str]) -> Any:
    """Take out the answers to some tasks, as nbgrader does when it makes the students' sheet."""
    for cell in sheet.cells:
        if marks(cell).get("grade_id") in chosen:
            cell.source, number = SOLUTION.subn(r"\1raise NotImplementedError()", cell.source)
            assert number == 1
    return sheet


def failed_checks(cells: list[Any]) -> set[str]:
    """Return the tasks whose checks raised."""
    return {
        marks(cell)["grade_id"].removesuffix("-test")
        for cell in cells
        if marks(cell).get("grade") and any(output.output_type == "error" for output in cell.outputs)
    }


def test_there_are_sheets() -> None:
    assert [path.stem for path in SHEETS] == ["where-did-the-ids-go", "who-changed-my-wave", "why-are-they-missing"]


def test_the_course_map_lists_it_with_what_it_needs(path: Path, sheet: Any) -> None:
    row = next(line for line in MAP.splitlines() if line.startswith(f"| [{path.stem}](sheets/{path.name}) |"))
    needed = sorted(set(re.findall(r"\]\(\.\./(\d\d)-[\w-]+\.ipynb\)", prose(sheet))))
    assert row.endswith(f"| {', '.join(needed)} |")


def test_it_opens_with_title_time_level_and_cost(sheet: Any) -> None:
    opening = "\n".join(cell.source for cell in sheet.cells[:2])
    assert opening.startswith("# ")
    assert "By the end you will have" in opening
    for word in ("Time", "Level", "Cost"):
        assert f"| {word} |" in opening
    for heading in ("## Summary", "## Clean up", "**To talk about.**"):
        assert heading in prose(sheet)


def test_it_has_the_form_of_the_course(sheet: Any) -> None:
    lengths = [len(lines_of(cell)) for cell in code_cells(sheet)]
    assert 20 <= len(sheet.cells) <= 45
    assert statistics.median(lengths) <= 4
    assert max(lengths) <= 14
    assert not re.search(r"\b(simply|just|obviously|easily)\b", prose(sheet), re.IGNORECASE)
    for cell in code_cells(sheet):
        assert cell.outputs == []
        assert cell.execution_count is None


def test_each_task_is_asked_answered_and_checked(sheet: Any) -> None:
    asked = re.findall(r"\*\*Task (\d+)\.\*\*", prose(sheet))
    assert asked == [str(number) for number in range(1, len(tasks(sheet)) + 1)]
    for cell, check in zip(sheet.cells, sheet.cells[1:], strict=False):
        if marks(cell).get("solution"):
            assert len(SOLUTION.findall(cell.source)) == 1
            assert not marks(cell)["locked"]
            assert marks(check)["grade_id"] == f"{marks(cell)['grade_id']}-test"
            assert marks(check)["locked"]
            assert marks(check)["points"] > 0
            assert re.search(r"^assert ", check.source, re.MULTILINE)
    assert sum(marks(cell).get("points", 0) for cell in sheet.cells) == 20


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("seed", [STORED_SEED, OTHER_SEED])
def test_its_answers_pass_in_any_world(run: Run, sheet: Any, seed: str) -> None:
    cells = run(sheet, seed)
    assert errors(cells) == []
    assert warnings(cells) == []


def test_blanks_get_no_points(run: Run, sheet: Any) -> None:
    assert failed_checks(run(blanked(sheet, tasks(sheet)), STORED_SEED)) == set(tasks(sheet))


@pytest.mark.thorough
def test_each_single_blank_fails_its_own_check(run: Run, path: Path) -> None:
    """Each blank is checked before its answer is run; all that comes before it is answered by then."""
    sheet, blanks = read(path), blanked(read(path), tasks(read(path)))
    cells = []
    for place, cell in enumerate(sheet.cells):
        if marks(cell).get("solution"):
            cells += [blanks.cells[place], sheet.cells[place + 1]]
        cells.append(cell)
    sheet.cells = [NotebookNode(cell | {"id": f"cell-{number}"}) for number, cell in enumerate(cells)]
    assert failed_checks(run(sheet, STORED_SEED)) == set(tasks(sheet))
