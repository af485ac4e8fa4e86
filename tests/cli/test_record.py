"""Recording runs a notebook in the world it was asked for."""

from __future__ import annotations

from pathlib import Path

import nbformat

from cint_nb.cli.record import record

CELL = "from cint_nb.sandbox.sample import sandbox_seed\nimport cint_nb as cint\n"
LOOK = "print(sandbox_seed(), len(cint.connect().run(cint.connect().definitions.study_types())) > 0)"


def test_samples_and_sandbox_have_the_same_seed(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL + LOOK)])
    record(notebook, tmp_path / "recording.jsonl", seed=23)
    assert notebook.cells[0].outputs[0].text == "23 True\n"
    assert "/study-types" in (tmp_path / "recording.jsonl").read_text()
