"""Every notebook also runs without its recording, in another world, and the answers to its exercises run in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.notebooks.course import NUMBERED, OTHER_SEED, STORED_SEED, answered, exercises, read
from tests.notebooks.notebook_kernel import NotebookKernel, errors, warnings
from tests.notebooks.numbers_in_prose import figures, output_texts, shown_by


def with_answers(notebook: Any) -> Any:
    """Put the code of the answers where its reader runs it: what it needs has to be there when the page comes to it."""
    answers = [
        nbformat.v4.new_code_cell(code, metadata={"exercise": number})
        for number, exercise in enumerate(exercises(notebook), start=1)
        for code in exercise.code
    ]
    place = answered(notebook)
    notebook.cells[place:place] = answers
    return notebook


Run = Callable[[Path, str], Any]


@pytest.fixture
def run(kernel: NotebookKernel, tmp_path: Path) -> Run:
    """Return a function that runs a notebook, its answers included, in a world with a seed."""

    def run_with(path: Path, seed: str) -> Any:
        return kernel.run(with_answers(read(path)), tmp_path, {"CINT_NB_SEED": seed})

    return run_with


@pytest.fixture(params=NUMBERED, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def shown(cells: list[Any]) -> list[str]:
    return [text for cell in cells for text in output_texts(cell)]


def in_words(warning: str) -> str:
    """Return what a warning says, whatever its cell and its figures."""
    return re.sub(r"\d[\d,]*", "#", warning.partition("\n-> ")[2])


@pytest.mark.sampled(every=7)
def test_it_and_its_answers_run_with_another_seed(run: Run, path: Path) -> None:
    cells = run(path, OTHER_SEED).cells
    assert errors(cells) == []
    stored = read(path).cells
    expected = {cell.source for cell in stored if warnings([cell])}  # what it warns of is part of the lesson
    taught = {in_words(each) for each in warnings(stored)}
    found = warnings([cell for cell in cells if cell.source not in expected])
    assert [each for each in found if in_words(each) not in taught] == []


def test_another_seed_is_another_world(run: Run) -> None:
    start = next(path for path in NUMBERED if path.stem == "00-start-here")
    assert shown(run(start, OTHER_SEED).cells) != shown(read(start).cells)


@pytest.mark.sampled(every=7)
def test_figures_in_answers_are_those_the_answers_show(run: Run, path: Path) -> None:
    asked = exercises(read(path))
    stated = [figure for each in asked for figure in figures(each.words)]
    if not stated:
        return  # nothing to compare with a run
    code = [cell for cell in run(path, STORED_SEED).cells if cell.cell_type == "code"]
    known = shown_by([*(cell.source for cell in code), *shown(code), *(each.question for each in asked)])
    assert [figure for figure in stated if not figure.is_among(known)] == []
