"""A notebook that is opened again, or in a place without widgets, still reads well."""

from __future__ import annotations

import json

import pytest

from tests.browser.gallery import FINDINGS, HISTORY, PICKER, RUNNING, SETUP, TABLE, WAVE
from tests.browser.lab_harness import LabPage

pytestmark = pytest.mark.browser

# JupyterLab writes its error in place of each widget it could not make: text without any element
GIVEN_UP = """() => {
  const widgets = [...document.querySelectorAll('.jp-OutputArea-output.jupyter-widgets')];
  return widgets.length > 0 && widgets.every(each => each.children.length === 0 && each.textContent.trim());
}"""


def test_a_saved_notebook_reads_well_after_its_kernel_is_gone(notebook: LabPage) -> None:
    notebook.write("saved.ipynb", SETUP, RUNNING, TABLE, FINDINGS, PICKER, WAVE, HISTORY)
    notebook.open("saved.ipynb")
    notebook.run_all()
    notebook.save()
    notebook.shut_down()
    notebook.open("saved.ipynb")
    page = notebook.page
    page.wait_for_selector(".cint-static:visible")
    page.wait_for_function(GIVEN_UP)
    assert page.locator(".cint-static:visible").count() == 6
    assert page.locator("text=Error displaying widget >> visible=true").count() == 0
    assert "Tracker Q4, wave 7" in page.locator(".cint-static").nth(1).inner_text()
    assert "The goal is above the ids" in page.locator(".cint-static").nth(2).inner_text()
    assert "wave.create()" in page.locator(".cint-static").nth(4).inner_text()
    assert "Brand tracker, wave 3" in page.locator(".cint-static").nth(5).inner_text()
    notebook.picture("saved-without-kernel")


def test_the_same_panel_is_alive_again_after_its_cell_runs_again(warm: LabPage) -> None:
    warm.show(SETUP, RUNNING)
    warm.run_all()
    warm.run_all()
    assert warm.page.locator(".cint-panel:visible").count() == 1
    assert warm.page.locator(".cint-static:visible").count() == 0


def test_a_notebook_that_is_not_trusted_shows_the_tables_without_scripts_or_styles(notebook: LabPage) -> None:
    notebook.write("trust.ipynb", SETUP, FINDINGS, PICKER, WAVE, HISTORY)
    notebook.open("trust.ipynb")
    notebook.run_all()
    notebook.save()
    stored = json.loads((notebook.lab.folder / "trust.ipynb").read_text())
    stored["cells"][0]["source"] = "# somebody else's notebook\n" + "".join(stored["cells"][0]["source"])
    for cell in stored["cells"]:
        cell["id"] = cell["id"][::-1]
    (notebook.lab.folder / "foreign.ipynb").write_text(json.dumps(stored))
    notebook.shut_down()
    notebook.open("foreign.ipynb")
    notebook.page.wait_for_selector(".cint-static:visible")
    for place, words in enumerate(("The goal is above the ids", "usable", "wave.create()", "Brand tracker, wave 3")):
        assert words in notebook.page.locator(".cint-static").nth(place).inner_text()
