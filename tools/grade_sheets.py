"""Grade the sheets as a teacher's nbgrader does: full answers get every point, blanks get none.

Run `nox -s grading`: it needs nbgrader, in an environment of its own.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config

SHEETS = Path(__file__).resolve().parent.parent / "notebooks" / "sheets"
COURSE = "cint_nb"


def grade(sheet: Path, folder: Path) -> dict[str, tuple[float, float]]:
    """Release a sheet, hand it in twice, and return score and highest score of each hand-in.

    Args:
        sheet: A sheet with its answers.
        folder: An empty folder for the course.

    Raises:
        RuntimeError: nbgrader does not accept the sheet, or could not run it.
    """
    name = sheet.stem
    copy_into(folder / "source" / name / sheet.name, nbformat.read(sheet, as_version=4))
    api = NbGraderAPI(config=Config({"CourseDirectory": {"root": str(folder), "course_id": COURSE}}))
    require(api.generate_assignment(name))
    blank = nbformat.read(folder / "release" / name / sheet.name, as_version=4)
    text = nbformat.writes(blank)
    if "BEGIN SOLUTION" in text or "BEGIN HIDDEN TESTS" in text:
        raise RuntimeError(f"{name}: the release still holds answers.")
    copy_into(folder / "submitted" / "blanks" / name / sheet.name, blank)
    copy_into(folder / "submitted" / "answers" / name / sheet.name, with_answers(blank, sheet))
    scores = {}
    for student in ("answers", "blanks"):
        require(api.autograde(name, student))
        with api.gradebook as gradebook:
            found = gradebook.find_submission(name, student)
            scores[student] = (found.score, found.max_score)
    return scores


def with_answers(blank: Any, sheet: Path) -> Any:
    """Return a released sheet with the answers written into it, as a student would hand it in."""
    answers = {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in nbformat.read(sheet, as_version=4).cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }
    filled = nbformat.from_dict(blank)
    for cell in filled.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = answers[cell.metadata.nbgrader.grade_id]
    return filled


def copy_into(path: Path, notebook: Any) -> None:
    """Write a notebook, and make the folders above it."""
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)


def require(result: dict[str, Any]) -> None:
    """Stop with the log of nbgrader if it failed."""
    if not result["success"]:
        raise RuntimeError(f"{result.get('error') or ''}\n{result.get('log') or ''}")


def problems(sheet: Path, scores: dict[str, tuple[float, float]]) -> list[str]:
    """Return what is wrong with the scores of a sheet."""
    found = []
    reached, highest = scores["answers"]
    if not highest or reached != highest:
        found.append(f"{sheet.name}: the answers get {reached:g} of {highest:g} points.")
    if scores["blanks"][0] != 0:
        found.append(f"{sheet.name}: blanks get {scores['blanks'][0]:g} points.")
    return found


def main() -> int:
    """Grade every sheet."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    for name in [name for name in os.environ if name.startswith("CINT_NB_")]:
        del os.environ[name]  # a sheet runs as it does for a class
    found = []
    sheets = sorted(SHEETS.glob("*.ipynb"))
    for sheet in sheets:
        folder = Path(tempfile.mkdtemp())
        try:
            scores = grade(sheet, folder)
        finally:
            shutil.rmtree(folder)
        (reached, highest), (blank, _) = scores["answers"], scores["blanks"]
        print(f"{sheet.stem}: answers {reached:g} of {highest:g} points, blanks {blank:g}")
        found += problems(sheet, scores)
    print("\n".join(found))
    return int(bool(found) or not sheets)


if __name__ == "__main__":
    sys.exit(main())
