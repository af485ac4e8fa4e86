"""The same notebook as a page without code: Voila shows the panels alive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.gallery import CARDS, ENDS, FINDINGS, HISTORY, PICKER, PLOTS, RUNNING, SETUP, TABLE, WAVE
from tests.browser.lab_harness import ARTIFACTS, serve_voila, write_notebook

pytestmark = pytest.mark.browser


def test_voila_shows_the_panels_alive_and_without_their_still_pictures(context: Any, tmp_path: Path) -> None:
    cells = (SETUP, RUNNING, ENDS, PICKER, TABLE, FINDINGS, WAVE, HISTORY, PLOTS, CARDS)
    notebook = write_notebook(tmp_path / "page.ipynb", *cells)
    with serve_voila(tmp_path, notebook) as url:
        page = context.new_page()
        page.goto(url, timeout=120_000)
        page.wait_for_selector(".cint-findings-table .cint-f", timeout=120_000)
        assert page.locator(".cint-job-progress:visible").count() == 5
        page.wait_for_selector(".cint-wave-panel .wv-next code:text-is('wave.create()')")
        page.wait_for_selector(".cint-history-view tbody tr:has-text('Brand tracker, wave 3')")
        page.wait_for_selector(".cint-card:has-text('worst case')", timeout=120_000)
        assert page.locator(".cint-figure:visible").count() == 3
        assert page.locator(".cint-static:visible").count() == 0
        page.get_by_role("button", name="one per person").click()
        page.wait_for_selector(".cint-file-picker :text('people = picker.value')")
        page.wait_for_function("() => !document.querySelector('.cint-hints .cint-warn')")
        page.screenshot(path=ARTIFACTS / "voila.png", full_page=True)
        page.close()
