"""JupyterLab in headless Chromium, for tests marked `browser`.

They run when the variable `CINT_NB_BROWSER` is 1 (`nox -s browser` sets it) and are left out otherwise. Once asked
for, a missing browser is a failure: a browser test that is skipped proves nothing.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.gallery import GALLERY
from tests.browser.lab_harness import CHROMIUM_FLAGS, Lab, LabPage, serve_lab

WINDOW = {"width": 1280, "height": 1400}
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


@pytest.fixture(scope="session")
def context(chromium: Any) -> Iterator[Any]:
    """Share what the browser has loaded of JupyterLab."""
    shared = chromium.new_context(viewport=WINDOW)
    yield shared
    shared.close()


class WarmPage:
    """Keep one page with a running kernel for all tests that need no page of their own."""

    def __init__(self, lab: Lab, context: Any) -> None:
        self._lab, self._context = lab, context
        self._number = 0
        self._page: LabPage | None = None

    def ready(self) -> LabPage:
        """Return the page with an empty notebook; a page or kernel that a test has spoilt is replaced."""
        if self._page is not None:
            try:
                self._page.show("")
            except Exception:  # noqa: BLE001  # whatever is wrong with it, the next test gets a new one
                self.close()
            else:
                return self._page
        self._number += 1
        page = LabPage(self._lab, self._context.new_page(), f"warm-{self._number}")
        page.write("notebook.ipynb", "")
        page.open("notebook.ipynb")
        self._page = page
        return page

    def close(self) -> None:
        """Close page and kernel."""
        page, self._page = self._page, None
        if page is not None:
            page.page.close()
            page.shut_down()


@pytest.fixture(scope="session")
def warm_page(lab: Lab, context: Any) -> Iterator[WarmPage]:
    """Start the page that most tests use."""
    shared = WarmPage(lab, context)
    yield shared
    shared.close()


@pytest.fixture
def warm(warm_page: WarmPage, request: pytest.FixtureRequest) -> Iterator[LabPage]:
    """Give the shared page with an empty notebook, to be filled by `show`; a picture is kept of every test."""
    page = warm_page.ready()
    page.page.set_viewport_size(WINDOW)
    yield page
    page.picture(f"{request.node.name}-end")


@pytest.fixture
def notebook(lab: Lab, context: Any, request: pytest.FixtureRequest) -> Iterator[LabPage]:
    """Give a page of its own, for tests that save, kill or open notebooks; a picture is kept of every test."""
    page = LabPage(lab, context.new_page(), re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:60])
    yield page
    page.picture(f"{request.node.name}-end")
    page.page.close()
    page.shut_down()


@pytest.fixture(scope="session")
def gallery_page(lab: Lab, context: Any) -> Iterator[LabPage]:
    """Run a notebook that shows every panel, once for all tests that look at it."""
    page = LabPage(lab, context.new_page(), "gallery")
    page.write("gallery.ipynb", *GALLERY)
    page.open("gallery.ipynb")
    page.run_all()
    page.page.wait_for_selector(".cint-wave-panel .wv-next")
    yield page
    page.page.close()
    page.shut_down()


@pytest.fixture
def gallery(gallery_page: LabPage) -> LabPage:
    """Give the notebook that shows every panel, in the light theme and a wide window."""
    gallery_page.page.bring_to_front()
    gallery_page.page.set_viewport_size(WINDOW)
    gallery_page.theme("JupyterLab Light")
    return gallery_page
