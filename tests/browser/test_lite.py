"""The site without a server: its notebook runs in the browser alone, and asks nobody outside for anything.

`nox -s lite` builds the site and runs this; a site that is missing is a failure.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab_harness import ARTIFACTS, ROOT
from tests.notebooks.course import code_cells, read

pytestmark = pytest.mark.browser

SITE = Path(os.environ.get("CINT_NB_LITE_SITE", ROOT / ".nox" / "lite-site"))
NOTEBOOK = ROOT / "packaging" / "lite" / "files" / "a-wave-in-the-browser.ipynb"
SECONDS = 150
"""Python is loaded and compiled first; on a busy machine that takes a while."""
SHOWN = """cells => cells.map(cell => [...cell.querySelectorAll('.jp-OutputArea-output')]
  .map(output => output.innerText).join('\\n').trim())"""
ALL_RAN = """count => [...document.querySelectorAll('.jp-Notebook .jp-CodeCell .jp-InputPrompt')]
  .filter(prompt => /\\[\\d+\\]/.test(prompt.innerText)).length === count"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serve files as any static host does, without a log."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """Serve the site on this machine, from a folder, as a published copy is served."""
    if not (SITE / "lab" / "index.html").is_file():
        pytest.fail("there is no site to open: run nox -s lite")
    handler = functools.partial(Quiet, directory=str(SITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def visit(chromium: Any, origin: str) -> Iterator[tuple[Any, list[str]]]:
    """Open the notebook by its address, run all of it, and give the page with every address that was asked for."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1400})
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    try:
        run_all(page, f"{origin}/lab/index.html?path={NOTEBOOK.name}")
        yield page, asked
    finally:
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=ARTIFACTS / "lite.png")
        context.close()


def run_all(page: Any, address: str) -> None:
    """Open the notebook and run it to its end."""
    page.goto(address)
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=SECONDS * 1000)
    page.click('.lm-MenuBar-itemLabel:text-is("Run")')
    page.click('.lm-Menu-itemLabel:has-text("Run All Cells")')
    page.wait_for_function(ALL_RAN, arg=len(code_cells(read(NOTEBOOK))), timeout=SECONDS * 1000)


def expected(folder: Path) -> list[str]:
    """Return what each cell shows in Python on this machine, without numpy and pandas."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.notebooks.run_without_tables"],
        input=json.dumps([cell.source for cell in code_cells(read(NOTEBOOK))]),
        capture_output=True, text=True, check=True, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    texts: list[str] = json.loads(done.stdout)
    return texts


def test_each_cell_shows_in_the_browser_what_it_shows_elsewhere(visit: Any, tmp_path: Path) -> None:
    page, _ = visit
    shown = page.eval_on_selector_all(".jp-Notebook .jp-CodeCell", SHOWN)
    wanted = expected(tmp_path)
    panels = [text.startswith("<JobProgress") for text in wanted]
    assert sum(panels) == 1
    text_cells = [(cell, there) for cell, there, is_panel in zip(shown, wanted, panels, strict=True) if not is_panel]
    assert [cell for cell, _ in text_cells] == [there for _, there in text_cells]
    assert "(951, 24)" in shown


def test_the_panel_of_the_job_is_a_widget_there_too(visit: Any) -> None:
    page, _ = visit
    panel = page.locator(".cint-job-progress").first
    assert "951 of 975 ids saved" in panel.inner_text()
    assert panel.get_by_role("button", name="Copy").count() == 1


def test_no_request_left_the_site(visit: Any, origin: str) -> None:
    _, asked = visit
    assert [url for url in asked if "/static/pyodide/cint_nb-" in url], "the requests of the kernel's worker are seen"
    assert [url for url in asked if not url.startswith((f"{origin}/", "data:", "blob:"))] == []
