"""The notebook of the browser alone: it keeps the form of the course, and needs neither numpy nor pandas."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.notebooks.course import ROOT, answered, clean_up, code_cells, exercises, prose, read
from tests.notebooks.numbers_in_prose import unfounded

PATH = ROOT / "packaging" / "lite" / "files" / "a-wave-in-the-browser.ipynb"


@pytest.fixture(scope="module")
def notebook() -> Any:
    return read(PATH)


def shown(sources: list[str], folder: Path) -> list[str]:
    """Return what cells show where there is neither numpy nor pandas."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.notebooks.run_without_tables"],
        input=json.dumps(sources), capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    texts: list[str] = json.loads(done.stdout)
    return texts


def test_it_runs_without_tables_and_its_figures_are_those_it_shows(
    notebook: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    cells = code_cells(notebook)
    ran = nbformat.from_dict(notebook)
    for cell, text in zip(code_cells(ran), shown([cell.source for cell in cells], tmp_path), strict=True):
        cell.outputs = [nbformat.v4.new_output("stream", text=text)] if text else []
    assert "951 of 975 ids saved" in "".join(output.text for cell in code_cells(ran) for output in cell.outputs)
    assert unfounded(ran) == []
    assert list(tmp_path.iterdir()) == [], "the file of people is gone"


def test_the_answers_of_its_exercises_run_where_they_stand(
    notebook: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    before = [cell.source for cell in notebook.cells[: answered(notebook)] if cell.cell_type == "code"]
    first, second = exercises(notebook)
    assert shown([*before, *first.code], tmp_path)[-1] == "956"
    assert "956" in first.words
    shown([*before, *second.code], tmp_path)


def test_it_keeps_the_form_of_the_course(notebook: Any) -> None:
    text, code = prose(notebook), [cell.source for cell in code_cells(notebook)]
    goals = re.findall(r"^\d\. ", next(c.source for c in notebook.cells if "**You will**" in c.source), re.MULTILINE)
    assert len(goals) == len(re.findall(r"^## \d\. ", text, re.MULTILINE))
    lengths = [len([line for line in source.splitlines() if line.strip()]) for source in code]
    assert 20 <= len(notebook.cells) <= 45
    assert statistics.median(lengths) <= 4
    assert max(lengths) <= 14
    assert len([source for source in code if re.search(r"^(import|from) ", source, re.MULTILINE)]) == 1
    for heading in ("**Before you start**", "## Summary", "## What next", "## Exercises", "## Clean up"):
        assert heading in text
    assert clean_up(notebook) == len(notebook.cells) - 1
    assert not re.search(r"\b(simply|just|obviously|easily)\b", text, re.IGNORECASE)


def test_it_is_stored_without_outputs_and_for_the_kernel_of_the_site(notebook: Any) -> None:
    assert [cell.outputs for cell in code_cells(notebook) if cell.outputs] == []
    assert notebook.metadata["kernelspec"]["name"] == "python"
