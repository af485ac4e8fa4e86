"""Every notebook as its reader meets it: in JupyterLab, and two of them as a page without code."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.browser.lab_harness import ARTIFACTS, ROOT, Lab, LabPage, serve_voila
from tests.browser.lab_scripts import KERNEL_READY
from tests.notebooks.notebook_kernel import warnings

pytestmark = pytest.mark.browser

NOTEBOOKS = ROOT / "notebooks"
NUMBERED = sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
WAVE = NOTEBOOKS / "templates" / "run-a-wave.ipynb"

OPEN = "path => { window.jupyterapp.commands.execute('docmanager:open', {path}); }"
OPENED = "path => window.jupyterapp?.shell.currentWidget?.context?.path === path"
HEIGHT = "() => window.jupyterapp.shell.currentWidget.node.querySelector('.jp-WindowedPanel-outer').scrollHeight"
TO_TOP = "() => window.jupyterapp.shell.currentWidget.node.querySelector('.jp-WindowedPanel-outer').scrollTo(0, 0)"

# What does not fit: whatever would have to be scrolled sideways, or a cell of a table whose text is cut.
TOO_WIDE = """() => {
  const scrolls = element => element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0
    && ['auto', 'scroll'].includes(getComputedStyle(element).overflowX);
  const name = element => element.className + ': ' + element.innerText.slice(0, 80);
  const notebook = window.jupyterapp.shell.currentWidget.node.querySelector('.jp-NotebookPanel-notebook');
  return [notebook, ...notebook.querySelectorAll('*')].filter(scrolls).map(name);
}"""
CUT = """() => {
  const cut = cell => /(\\.\\.\\.|…)$/.test(cell.innerText.trim()) || cell.scrollWidth > cell.clientWidth + 1;
  const cells = '.jp-OutputArea-output td, .jp-OutputArea-output th';
  return [...window.jupyterapp.shell.currentWidget.node.querySelectorAll(cells)].filter(cut).map(
    cell => cell.innerText);
}"""
WARNED = """() => {
  const lines = ".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']";
  return [...window.jupyterapp.shell.currentWidget.node.querySelectorAll(lines)].map(line => line.innerText);
}"""


@pytest.fixture(scope="module")
def reader(lab: Lab, chromium: Any) -> Iterator[LabPage]:
    """Open JupyterLab once on a copy of the notebooks, as `cint-nb lab` makes it, with the list of files folded."""
    shutil.copytree(NOTEBOOKS, lab.folder, dirs_exist_ok=True)
    context = chromium.new_context(viewport={"width": 1280, "height": 1400})
    page = LabPage(lab, context.new_page())
    page.open("README.md", kernel=False)
    page.page.wait_for_function(OPENED, arg="README.md", timeout=90_000)
    page.page.evaluate("() => window.jupyterapp.commands.execute('application:toggle-left-area')")
    yield page
    context.close()
    lab.forget()


def read(reader: LabPage, path: Path) -> None:
    """Open one more notebook beside those already open, and run it."""
    place = str(path.relative_to(NOTEBOOKS))
    reader.page.evaluate(OPEN, place)
    reader.page.wait_for_function(OPENED, arg=place, timeout=90_000)
    reader.page.wait_for_function(KERNEL_READY, timeout=90_000)
    reader.run_all()


def keep_picture(reader: LabPage, name: str) -> None:
    """Keep a picture of the whole notebook: the window grows to its height for a moment."""
    height = min(reader.page.evaluate(HEIGHT) + 160, 16_000)
    reader.page.set_viewport_size({"width": 1280, "height": height})
    reader.page.evaluate(TO_TOP)
    reader.picture(name)
    reader.page.set_viewport_size({"width": 1280, "height": 1400})


@pytest.mark.sampled(every=5)
@pytest.mark.parametrize("path", [*NUMBERED, WAVE], ids=lambda path: path.stem)
def test_it_runs_and_fits_the_page(reader: LabPage, path: Path) -> None:
    read(reader, path)
    keep_picture(reader, f"course-{path.stem}")
    stored = warnings(nbformat.read(path, as_version=4).cells)
    assert len(reader.page.evaluate(WARNED)) == len(stored)  # what it warns of is part of the lesson
    assert reader.page.evaluate(TOO_WIDE) == []
    assert reader.page.evaluate(CUT) == []
    reader.shut_down()


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("path", [NUMBERED[0], WAVE], ids=lambda path: path.stem)
def test_as_a_page_it_shows_results_and_no_code(chromium: Any, tmp_path: Path, path: Path) -> None:
    copy = Path(shutil.copy(path, tmp_path))
    with serve_voila(tmp_path, copy) as url:
        page = chromium.new_page(viewport={"width": 1280, "height": 1400})
        page.goto(url, timeout=120_000)
        page.wait_for_selector(".cint-findings-table .cint-f", timeout=120_000)
        page.screenshot(path=ARTIFACTS / f"voila-{path.stem}.png", full_page=True)
        text = page.inner_text("body")
        assert "Traceback" not in text
        assert "cint.connect(" not in text.replace('cint.connect("live")', "")
        assert page.locator(".jp-CodeCell .jp-InputArea:visible").count() == 0
        assert page.locator("[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
        assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
        page.close()
