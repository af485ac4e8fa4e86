"""Panels in a real browser: they show, update, fit, follow the theme, and are there for eye, ear and keyboard."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.lab_harness import LabPage

pytestmark = pytest.mark.browser

PANELS = ("job-progress", "file-picker", "status-table", "findings-table", "wave-panel")
SERIOUS = {"serious", "critical"}


def brightness(panel: Any, name: str) -> int:
    """Add up red, green and blue of a colour, 0 to 765."""
    colour = panel.evaluate("(element, name) => getComputedStyle(element)[name]", name)
    return sum(int(part) for part in re.findall(r"\d+", colour)[:3])


def test_all_panels_show_in_jupyterlab(gallery: LabPage) -> None:
    page = gallery.page
    assert page.locator(".cint-job-progress").count() == 5
    assert page.locator(".cint-progress-text", has_text="100 % · complete").count() == 1
    assert page.locator(".cint-status-table tbody tr").count() == 200
    assert page.locator(".cint-static").count() > 0
    assert page.locator(".cint-static:visible").count() == 0, "still pictures hide while the panels are alive"
    for css in PANELS:
        gallery.picture(f"gallery-{css}", f".cint-{css}")
    gallery.picture("gallery-ends", ".cint-job-progress:has(.cint-bad)")
    page.locator(".jp-RenderedImage").first.scroll_into_view_if_needed()
    gallery.picture("gallery-plots")


def test_panels_follow_the_dark_theme(gallery: LabPage) -> None:
    gallery.theme("JupyterLab Dark")
    for css in PANELS:
        panel = gallery.page.locator(f".cint-{css}").first
        ink, paper = (brightness(panel, name) for name in ("color", "backgroundColor"))
        assert ink > 600 > 200 > paper, f"{css}: light ink on dark paper, not {ink} on {paper}"
        gallery.picture(f"dark-{css}", f".cint-{css}")


def test_panels_fit_a_narrow_window(gallery: LabPage) -> None:
    gallery.page.set_viewport_size({"width": 400, "height": 1200})
    gallery.page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    gallery.page.wait_for_function("() => document.querySelector('.cint-panel').clientWidth < 400")
    for css in PANELS:
        panel = gallery.page.locator(f".cint-{css}").first
        wide = panel.evaluate("element => element.scrollWidth - element.clientWidth")
        assert wide <= 1, f"{css} is cut off by {wide} pixels"
        gallery.picture(f"narrow-{css}", f".cint-{css}")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_serious_in_any_panel(gallery: LabPage, theme: str) -> None:
    gallery.theme(theme)
    gallery.page.locator(".cint-more").first.click()
    gallery.page.wait_for_selector(".cint-controls:visible")
    gallery.picture(f"controls-{theme}", ".cint-status-table")
    found = Axe().run(gallery.page, context=".cint-panel")
    serious = [item for item in found.response["violations"] if item["impact"] in SERIOUS]
    assert found.response["passes"], "axe looked at nothing"
    said = [(item["id"], item["help"], [node["html"][:160] for node in item["nodes"]][:3]) for item in serious]
    gallery.page.locator(".cint-more").first.click()
    assert not said, said


def test_every_control_of_a_status_table_is_reached_by_tab(gallery: LabPage) -> None:
    page = gallery.page
    page.locator(".cint-more").first.focus()
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
    page.locator(".cint-more").first.click()
    assert {"SELECT select-one", "INPUT text", "INPUT checkbox", "BUTTON submit"} <= set(met), met


def test_the_state_line_is_announced_and_the_bar_has_a_value(gallery: LabPage) -> None:
    page = gallery.page
    assert "4,310 of 10,000 ids saved" in page.get_by_role("status").first.inner_text()
    bar = page.get_by_role("progressbar", name="Progress").first
    assert bar.get_attribute("aria-valuetext") == "35–52 % · estimated"


def test_the_browser_moves_the_line_to_the_next_look_but_not_where_no_motion_is_wanted(gallery: LabPage) -> None:
    page = gallery.page
    runs = "() => document.querySelector('.cint-due').getAnimations().map(run => run.effect.getTiming().duration)"
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(runs) == [12_000]
    page.emulate_media(reduced_motion="reduce")
    assert not page.locator(".cint-due").first.is_visible()
    page.emulate_media(reduced_motion="no-preference")


def test_two_hundred_rows_are_filtered_and_sorted_while_one_types(gallery: LabPage) -> None:
    page = gallery.page
    page.locator(".cint-more").first.click()
    page.locator(".cint-words input").fill("live wave 15")
    page.wait_for_selector(".cint-status-table .cint-status:has-text('of 200 target groups')")
    assert 0 < page.locator(".cint-status-table tbody tr").count() < 20
    page.locator(".cint-sort select").select_option(label="Completes")
    page.get_by_role("button", name="highest first").click()
    page.wait_for_selector(".cint-status-table th[aria-sort=descending]")
    gallery.picture("table-filtered", ".cint-status-table")
    page.get_by_role("button", name="highest first").click()
    page.locator(".cint-sort select").select_option(index=0)
    page.locator(".cint-words input").fill("")
    page.wait_for_function("() => document.querySelectorAll('.cint-status-table tbody tr').length === 200")
    page.locator(".cint-more").first.click()


def test_text_of_the_exchange_and_of_files_is_neither_markup_nor_formula(warm: LabPage) -> None:
    hostile = "<img src=x onerror=window.hit=1> $x^2$ \\\\(y\\\\) **bold** {{ 1 }}"
    warm.show(
        "import pandas as pd\nimport cint_nb as cint\n"
        "from cint_nb.domain.findings import Finding, Findings, Severity\n"
        f"hostile = '{hostile}'\n"
        "cint.FindingsTable(Findings.of([Finding('rule', Severity.WARN, hostile, hostile, hostile)]), title=hostile)",
        "cint.StatusTable(pd.DataFrame([{'name': hostile, 'state': hostile, 'warnings': hostile}]))",
        "cint.JobProgress(title=hostile)",
    )
    warm.run_all()
    page = warm.page
    page.wait_for_selector(".cint-job-progress .cint-title")
    warm.picture("hostile")
    for css in ("findings-table", "status-table", "job-progress"):
        shown = page.locator(f".cint-{css}").inner_text()
        assert "$x^2$" in shown, f"{css} has been taken for a formula"
        assert "onerror=window.hit=1" in shown
    assert page.locator(":is(.cint-panel, .cint-static) :is(mjx-container, .MathJax, img, b, strong)").count() == 0
    assert page.evaluate("() => window.hit") is None
