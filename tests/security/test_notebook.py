"""A notebook that was run and saved with the state of all its widgets: no secret and nobody's id is in the file."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from ipywidgets import Widget
from ipywidgets.widgets.widget import _instances
from nbclient import NotebookClient

from tests.support.canaries import SECRET, TOKEN, holds_respondent, secrets_in
from tests.support.plans import plan_cell

CELLS = (
    """
import cint_nb as cint
client = cint.connect("sandbox")
cint.sandbox.write_sample("people.csv", lines=400)
picker = cint.FilePicker().choose("people.csv", entity_type="RSID")
picker
""",
    plan_cell(50)
    + """
wave = client.wave("Tracker, wave 2", project="Brand tracker", respondents=picker.value, plan=plan)
cint.FindingsTable(wave.check())
""",
    "wave.create(); wave.upload(); wave.outcome",
    "wave.outcome.frame().head(20)",
    "picker.value.lines()",
    "wave.launch(budget='500 EUR'); client.pass_time(days=2); cint.StatusTable(wave.status())",
    "client.http.settings, client, wave, picker.value, vars(client.http)",
    "cint.read_respondents('people.csv', entity_type='RSID', column=picker.value.ids[0])",
)


def shown(cell: str, names: dict[str, Any]) -> str:
    """Run a cell as a notebook does, and return all forms in which the value of its last line is shown."""
    *lines, last = ast.parse(cell.strip()).body
    assert isinstance(last, ast.Expr)
    exec(compile(ast.Module(lines, []), "cell", "exec"), names)  # noqa: S102 - our own text
    value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)  # noqa: S307 - our own text
    forms = [getattr(value, name)() for name in ("_repr_html_", "_repr_mimebundle_") if hasattr(value, name)]
    return f"{value!r}\n{forms}"


def test_what_its_cells_show_and_its_widgets_know_is_no_secret_and_no_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CINT_NB_MODE", "sandbox")
    names: dict[str, Any] = {}
    of_others = set(_instances)
    saved = "".join(shown(cell, names) for cell in CELLS[:-1])
    # Widgets of other tests are closed in part, and have no state that could be asked for.
    made = [widget for key, widget in _instances.items() if key not in of_others]
    widgets = list(Widget.get_manager_state(widgets=made)["state"].values())
    assert len(widgets) > 50
    check(saved + json.dumps(widgets, default=str))


def check(saved: str) -> None:
    assert "••••" in saved
    assert "585 ids" in saved or "RSIDs" in saved
    assert secrets_in(saved) == []
    assert not holds_respondent(saved)
    assert TOKEN not in saved
    assert SECRET not in saved


@pytest.mark.thorough
def test_a_saved_notebook_with_its_widgets_holds_no_secret_and_no_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.strip()) for cell in CELLS])
    client = NotebookClient(book, timeout=60, allow_errors=True, store_widget_state=True, kernel_name="python3")
    client.execute(cwd=str(tmp_path))
    errors = [output.ename for cell in book.cells for output in cell.outputs if output.output_type == "error"]
    assert errors == ["RespondentFileError"]
    saved = nbformat.writes(book)
    widgets = book.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    assert len(widgets) > 50
    check(saved)
