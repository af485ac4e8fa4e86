"""JupyterLab in headless Chromium, for tests marked `browser`.

They run when the variable `CINT_NB_BROWSER` is 1 (`nox -s browser` sets it) and are left out otherwise. Once asked
for, a missing browser is a failure: a browser test that is skipped proves nothing.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # test folders are no packages, and several files share the harness
from lab_harness import CHROMIUM_FLAGS, Lab, LabPage, serve_lab

WANTED = os.environ.get("CINT_NB_BROWSER") == "1"


# Not even imported when not asked for: what they import is installed only for them.
collect_ignore_glob = [] if WANTED else ["test_*.py"]


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Serve JupyterLab on a folder of its own."""
    with serve_lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Start Chromium, or fail."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        pytest.fail("playwright is not installed: pip install -e '.[browser]'")
    program = os.environ.get("CINT_NB_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        except Error as error:
            pytest.fail(f"Chromium cannot be started; set CINT_NB_CHROMIUM to its place. {error}")
        yield browser
        browser.close()


@pytest.fixture
def notebook(lab: Lab, chromium: Any, request: pytest.FixtureRequest) -> Iterator[LabPage]:
    """Give a page in which a notebook can be opened; a picture is kept of every test, passed or not."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1400})
    page = LabPage(lab, context.new_page())
    yield page
    page.picture(f"{request.node.name}-end")
    context.close()
    page.shut_down()
    lab.forget()
