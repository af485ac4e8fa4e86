"""The panels in Notebook 7, which is built of JupyterLab's parts and shows one notebook in a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.gallery import GALLERY
from tests.browser.lab_harness import LabPage, serve_lab

pytestmark = pytest.mark.browser

JOB = """
job = client.recontacts.upload(wave.create(), people)
watched = cint.JobProgress(job)
watched
"""


@pytest.fixture(scope="module")
def page_of_notebook_7(tmp_path_factory: pytest.TempPathFactory, context: Any) -> Iterator[LabPage]:
    """Run the notebook that shows every panel."""
    with serve_lab(tmp_path_factory.mktemp("notebook"), module="notebook", app="JupyterNotebookApp") as served:
        page = LabPage(served, context.new_page())
        page.write("gallery.ipynb", *GALLERY, JOB)
        page.open_alone("gallery.ipynb")
        page.run_all()
        yield page
        page.page.close()
        page.shut_down()


def test_every_panel_and_picture_shows_in_notebook_7(page_of_notebook_7: LabPage) -> None:
    page = page_of_notebook_7.page
    page.wait_for_selector(".cint-wave-panel .wv-next")
    assert page.locator(".cint-job-progress:visible").count() == 7, (
        "one of them in the wave view, which follows the job"
    )
    assert page.locator(".cint-status-table tbody tr").count() == 200
    assert page.locator(".cint-file-picker:visible .fp-drop").count() == 2
    assert page.locator(".cint-findings-table:visible .cint-f").count() >= 2
    assert page.locator(".cint-wave-panel:visible").count() == 2
    assert page.locator(".cint-history-view:visible tbody tr").count() > 3
    assert page.locator(".cint-figure:visible").count() == 3
    assert page.locator(".cint-card:visible").count() >= 4
    assert page.locator(".cint-static:visible").count() == 0, "still pictures hide while the panels are alive"
    page_of_notebook_7.picture("notebook-7")


def test_a_job_is_watched_to_its_end_in_notebook_7(page_of_notebook_7: LabPage) -> None:
    panel = page_of_notebook_7.page.locator(".cint-job-progress").last
    panel.locator(".cint-watch").click()
    panel.locator(".cint-state:is(.cint-good, .cint-warn)").wait_for()
    assert panel.locator("button:visible").count() <= 1, "only what copies the next line"
    panel.scroll_into_view_if_needed()
    page_of_notebook_7.picture("notebook-7-job")


def test_a_table_is_sorted_and_keys_stay_in_a_panel_in_notebook_7(page_of_notebook_7: LabPage) -> None:
    page = page_of_notebook_7.page
    cells = "() => window.jupyterapp.shell.currentWidget.content.widgets.length"
    before = page.evaluate(cells)
    head = page.locator(".cint-status-table th:has-text('Completes') button")
    head.click()
    page.wait_for_selector(".cint-status-table th[aria-sort=descending]:has-text('Completes')")
    for key in ("d", "d", "r", "b"):
        page.keyboard.press(key)
    assert page.evaluate(cells) == before, "`d d` deletes a cell where keys are not kept"
