"""Panels as a screen reader and a keyboard meet them."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from lab_harness import LabPage
from test_panels_in_lab import PARADE, THEME

pytestmark = pytest.mark.browser

SERIOUS = {"serious", "critical"}


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_serious_in_any_panel(notebook: LabPage, theme: str) -> None:
    notebook.write("axe.ipynb", *PARADE)
    notebook.open("axe.ipynb")
    notebook.page.evaluate(THEME, theme)
    notebook.run_all()
    page = notebook.page
    page.wait_for_selector(".cint-findings-table .cint-finding-block")
    page.locator(".cint-more").first.click()
    page.wait_for_selector(".cint-controls:visible")
    found = Axe().run(page, context=".cint-panel")
    serious = [item for item in found.response["violations"] if item["impact"] in SERIOUS]
    assert found.response["passes"], "axe looked at nothing"
    said = [(item["id"], item["help"], [node["html"][:160] for node in item["nodes"]][:3]) for item in serious]
    assert not said, said


def test_every_control_of_a_status_table_is_reached_by_tab(notebook: LabPage) -> None:
    notebook.write("tab.ipynb", *PARADE[:1], PARADE[4])
    notebook.open("tab.ipynb")
    notebook.run_all()
    page = notebook.page
    page.locator(".cint-more").focus()
    page.keyboard.press("Space")
    page.wait_for_selector(".cint-controls:visible")
    met = []
    for _ in range(40):
        page.keyboard.press("Tab")
        met.append(
            page.evaluate(
                "() => { const e = document.activeElement; return e.closest('.cint-controls')"
                " ? (e.tagName + ' ' + (e.type || '')) : '' }"
            )
        )
    assert {"SELECT select-one", "INPUT text", "INPUT checkbox", "BUTTON submit"} <= set(met), met


def test_the_state_line_is_announced_and_the_bar_has_a_value(notebook: LabPage) -> None:
    notebook.write("roles.ipynb", *PARADE[:2])
    notebook.open("roles.ipynb")
    notebook.run_all()
    page = notebook.page
    assert "4,310 of 10,000 ids saved" in page.get_by_role("status").first.inner_text()
    bar = page.get_by_role("progressbar", name="Progress").first
    assert bar.get_attribute("aria-valuetext") == "35–52 % · estimated"
