"""The first notebook a newcomer opens runs in JupyterLab from top to bottom."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.browser.lab_harness import ROOT, LabPage

pytestmark = pytest.mark.browser

START = ROOT / "notebooks" / "00-start-here.ipynb"


@pytest.fixture
def start_here(notebook: LabPage) -> LabPage:
    """Copy the notebooks as `cint-nb lab` does, so that running them leaves the originals alone."""
    for path in sorted(Path(ROOT / "notebooks").iterdir()):
        if path.is_file():
            shutil.copy(path, notebook.lab.folder)
    return notebook


def test_start_here_runs_to_its_end_and_its_progress_bar_too(start_here: LabPage) -> None:
    start_here.open(START.name)
    start_here.run_all(240)
    page = start_here.page
    page.wait_for_selector(".cint-job-progress .jb-1 > span:last-child")
    texts = page.locator(".cint-job-progress .jb-1 > span:last-child").all_inner_texts()
    assert texts
    assert all(text.startswith("100 %") or "rejected" in text for text in texts), texts
    assert page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    page.locator(".wv-steps").first.scroll_into_view_if_needed()
    assert "the wave is closed" in page.locator(".wv-next").first.inner_text(), "the view of step 2 follows the wave"
    start_here.picture("start-here-wave")
    page.locator(".cint-job-progress").first.scroll_into_view_if_needed()
    start_here.picture("start-here")
