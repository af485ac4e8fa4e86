"""Every notebook also runs without its recording, in another world, and the answers to its exercises run in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.notebooks.course import NUMBERED, clean_up, exercises, read
from tests.notebooks.notebook_kernel import NotebookKernel, errors, warnings
from tests.notebooks.numbers_in_prose import figures, output_texts, shown_by

STORED_SEED = "1"  # of the outputs the notebooks are stored with
OTHER_SEED = "23"


def with_answers(notebook: Any) -> Any:
    """Put the code of the answers before the cell that cleans up: they are about what the notebook has made."""
    answers = [
        nbformat.v4.new_code_cell(code, metadata={"exercise": number})
        for number, exercise in enumerate(exercises(notebook), start=1)
        for code in exercise.code
    ]
    place = clean_up(notebook)
    notebook.cells[place:place] = answers
    return notebook


class Runs:
    """Run each notebook once a seed, when it is first asked for."""

    def __init__(self, kernel: NotebookKernel, folder: Path) -> None:
        self._classroom = kernel
        self._folder = folder
        self._done: dict[tuple[Path, str], Any] = {}

    def of(self, path: Path, seed: str) -> Any:
        if (path, seed) not in self._done:
            place = self._folder / f"{path.stem}-{seed}"
            place.mkdir()
            notebook = with_answers(read(path))
            self._done[path, seed] = self._classroom.run(notebook, place, {"CINT_NB_SEED": seed})
        return self._done[path, seed]


@pytest.fixture(scope="module")
def runs(kernel: NotebookKernel, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(kernel, tmp_path_factory.mktemp("unrecorded"))


@pytest.fixture(params=NUMBERED, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def answers(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if "exercise" in cell.metadata]


def shown(cells: list[Any]) -> list[str]:
    return [text for cell in cells for text in output_texts(cell)]


def test_it_runs_with_another_seed(runs: Runs, path: Path) -> None:
    cells = [cell for cell in runs.of(path, OTHER_SEED).cells if "exercise" not in cell.metadata]
    assert errors(cells) == []
    assert warnings(cells) == []


def test_its_answers_run_with_another_seed(runs: Runs, path: Path) -> None:
    cells = answers(runs.of(path, OTHER_SEED))
    assert errors(cells) == []
    assert warnings(cells) == []


def test_another_seed_is_another_world(runs: Runs) -> None:
    start = next(path for path in NUMBERED if path.stem == "00-start-here")
    assert shown(runs.of(start, OTHER_SEED).cells) != shown(read(start).cells)


def test_figures_in_answers_are_those_the_answers_show(runs: Runs, path: Path) -> None:
    notebook = runs.of(path, STORED_SEED)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    known = shown_by([*(cell.source for cell in code), *shown(code), *(each.question for each in exercises(notebook))])
    stated = [figure for each in exercises(notebook) for figure in figures(each.words)]
    assert [figure for figure in stated if not figure.is_among(known)] == []
