"""What the tests read out of the course: its files, its prose, its exercises."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "notebooks"
NUMBERED = sorted(FOLDER.glob("[0-9]*.ipynb"))
TEMPLATES = sorted((FOLDER / "templates").glob("*.ipynb"))
SHEETS = sorted((FOLDER / "sheets").glob("*.ipynb"))
STORED_SEED = "1"  # of the outputs the notebooks are stored with
OTHER_SEED = "23"

_DETAILS = re.compile(r"<details>(.*?)</details>", re.DOTALL)
_PYTHON = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Exercise:
    """A question and its folded answer."""

    question: str
    answer: str

    @property
    def code(self) -> list[str]:
        """Return the blocks of code of the answer."""
        return _PYTHON.findall(self.answer)

    @property
    def words(self) -> str:
        """Return the answer without its code."""
        return re.sub(r"<summary>.*?</summary>", "", _PYTHON.sub("", self.answer)).strip()


def read(path: Path) -> Any:
    """Read a notebook."""
    return nbformat.read(path, as_version=4)


def code_cells(notebook: Any) -> list[Any]:
    """Return the cells of code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook: Any) -> str:
    """Return all prose."""
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def exercises(notebook: Any) -> list[Exercise]:
    """Return the exercises, which stand after the summary."""
    text = prose(notebook).partition("## Exercises")[2].partition("## Clean up")[0]
    pieces = _DETAILS.split(text)
    return [Exercise(question.strip(), answer) for question, answer in zip(pieces[::2], pieces[1::2], strict=False)]


def without_answers(text: str) -> str:
    """Return prose without what is folded."""
    return _DETAILS.sub("", text)


def answered(notebook: Any) -> int:
    """Return where on the page its reader answers the exercises: right below them."""
    return next(index for index, cell in enumerate(notebook.cells) if "## Exercises" in cell.source) + 1


def clean_up(notebook: Any) -> int:
    """Return where the cell stands that cleans up."""
    heading = next(index for index, cell in enumerate(notebook.cells) if "## Clean up" in cell.source)
    return heading + 1


def tagged(notebook: Any, tag: str) -> list[int]:
    """Return where cells with a tag stand."""
    return [index for index, cell in enumerate(notebook.cells) if tag in cell.metadata.get("tags", [])]
