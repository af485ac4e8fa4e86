"""Recording runs a notebook in the world it was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest

from cint_nb.cli import main
from cint_nb.cli.record import _join_streams, record
from cint_nb.domain.errors import InputError

CELL = "from cint_nb.sandbox.sample import sandbox_seed\nimport cint_nb as cint\n"
LOOK = "print(sandbox_seed(), len(cint.connect().definitions.study_types()) > 0)"


@pytest.mark.thorough
def test_samples_and_sandbox_have_the_same_seed(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL + LOOK)])
    record(notebook, tmp_path / "recording.jsonl", seed=23)
    assert notebook.cells[0].outputs[0].text == "23 True\n"
    assert "/study-types" in (tmp_path / "recording.jsonl").read_text()


def test_a_text_that_the_kernel_sent_in_two_pieces_is_stored_as_one() -> None:
    def piece(name: str, text: str) -> dict[str, Any]:
        return {"output_type": "stream", "name": name, "text": text}

    result: dict[str, Any] = {"output_type": "execute_result", "data": {}}
    pieces = [piece("stdout", "a\n"), piece("stdout", "b\n"), piece("stderr", "c\n"), result, piece("stdout", "d\n")]
    assert _join_streams(pieces) == [piece("stdout", "a\nb\n"), piece("stderr", "c\n"), result, piece("stdout", "d\n")]


@pytest.mark.parametrize("content", [None, b"", b"\xd0\x00", b"{}"], ids=["missing", "empty", "binary", "no notebook"])
def test_what_is_no_notebook_is_named_before_any_other_is_run(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cint_nb.cli.record.record", lambda *_, **__: pytest.fail("a notebook was run"))
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "good.ipynb")
    other = tmp_path / "other.ipynb"
    if content is not None:
        other.write_bytes(content)
    assert main(["record", str(tmp_path / "good.ipynb"), str(other), "--into", str(tmp_path / "recordings")]) == 2
    said = capsys.readouterr().err
    assert "other.ipynb" in said
    assert "nothing was recorded" in said


def test_a_file_that_is_no_recording_is_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "notes.jsonl"
    file.write_text('{"mine": true}\n')
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    with pytest.raises(InputError, match="exists already"):
        record(notebook, file)
    assert file.read_text() == '{"mine": true}\n'
