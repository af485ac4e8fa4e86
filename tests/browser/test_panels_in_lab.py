"""Panels in a real browser: they show, update, fit, follow the theme, and are there for eye, ear and keyboard."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.lab_harness import LabPage

pytestmark = pytest.mark.browser

PANELS = ("job-progress", "file-picker", "status-table", "findings-table", "wave-panel", "history-view")
SERIOUS = {"serious", "critical"}


def brightness(panel: Any, name: str) -> int:
    """Add up red, green and blue of a colour, 0 to 765."""
    colour = panel.evaluate("(element, name) => getComputedStyle(element)[name]", name)
    return sum(int(part) for part in re.findall(r"\d+", colour)[:3])


def test_all_panels_show_in_jupyterlab(gallery: LabPage) -> None:
    page = gallery.page
    assert page.locator(".cint-job-progress").count() == 5
    assert page.locator(".cint-job-progress .jb-1", has_text="100 %").count() == 1
    assert page.locator(".cint-status-table tbody tr").count() == 200
    assert page.locator(".cint-static").count() > 0
    assert page.locator(".cint-static:visible").count() == 0, "still pictures hide while the panels are alive"
    for css in PANELS:
        gallery.picture(f"gallery-{css}", f".cint-{css}")
    gallery.picture("gallery-otherwise", ".cint-file-picker:has(.cint-title:text('Read otherwise'))")
    gallery.picture("gallery-changed", ".cint-wave-panel:has(.cint-changed-part .cint-note)")
    gallery.picture("gallery-ends", ".cint-job-progress:has(.cint-note.cint-bad)")
    for number in range(page.locator(".cint-figure").count()):
        page.locator(".cint-figure").nth(number).scroll_into_view_if_needed()
        gallery.picture(f"gallery-plot-{number}")
    for number in range(page.locator(".cint-card:visible").count()):
        page.locator(".cint-card:visible").nth(number).scroll_into_view_if_needed()
    gallery.picture("gallery-cards")


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
    for css in (*PANELS, "file-picker:has(.cint-how:visible)", "wave-panel:has(.cint-changed-part .cint-note)"):
        panel = gallery.page.locator(f".cint-{css}").first
        wide = panel.evaluate("element => element.scrollWidth - element.clientWidth")
        assert wide <= 1, f"{css} is cut off by {wide} pixels"
        gallery.picture(f"narrow-{css}", f".cint-{css}")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_serious_in_any_panel(gallery: LabPage, theme: str) -> None:
    gallery.theme(theme)
    gallery.page.locator(".st-columns").first.click()
    gallery.page.wait_for_selector(".st-menu:visible")
    gallery.picture(f"controls-{theme}", ".cint-status-table")
    found = Axe().run(gallery.page, context=".cint-panel")
    serious = [item for item in found.response["violations"] if item["impact"] in SERIOUS]
    assert found.response["passes"], "axe looked at nothing"
    said = [(item["id"], item["help"], [node["html"][:160] for node in item["nodes"]][:3]) for item in serious]
    gallery.page.locator(".st-columns").first.click()
    assert not said, said


def test_every_control_of_a_status_table_is_reached_by_tab(gallery: LabPage) -> None:
    page = gallery.page
    page.locator(".st-columns").first.focus()
    page.keyboard.press("Space")
    page.wait_for_selector(".st-menu:visible")
    page.locator(".st-filter").first.focus()
    met = []
    for _ in range(40):
        page.keyboard.press("Tab")
        met.append(
            page.evaluate(
                "() => { const e = document.activeElement; return e.closest('.cint-status-table')"
                " ? [...e.classList].find(name => name.startsWith('st-')) ?? (e.type || '') : '' }"
            )
        )
    page.keyboard.press("Escape")
    page.locator(".st-columns").first.click()
    assert {"st-columns", "st-density", "st-copy", "st-csv", "checkbox", "st-view", "button"} <= set(met), met


def test_how_a_text_is_read_can_be_chosen_with_the_keyboard_alone(gallery: LabPage) -> None:
    page = gallery.page
    picker = page.locator(".cint-file-picker:has(.cint-title:text('Read otherwise'))")
    picker.get_by_role("button", name="Read it otherwise").focus()
    met = []
    for _ in range(3):
        page.keyboard.press("Tab")
        met.append(page.evaluate("() => document.activeElement.tagName.toLowerCase()"))
    assert met == ["select", "select", "input"]
    page.keyboard.type("1")
    page.keyboard.press("Enter")
    picker.get_by_text("header_row=1").wait_for()


def test_keys_pressed_in_a_panel_never_reach_jupyterlab(gallery: LabPage) -> None:
    page = gallery.page
    cells = "() => window.jupyterapp.shell.currentWidget.content.widgets.length"
    before = page.evaluate(cells)
    for css in (".st-density", ".cint-file-picker select", ".cint-file-picker .cint-entity button", ".cint-ask"):
        page.locator(f":is({css}):visible").first.focus()
        for key in ("b", "a", "d", "d", "x", "ArrowDown"):
            page.keyboard.press(key)
        assert page.evaluate(cells) == before, f"a key in {css} changed the notebook"


def test_the_state_line_is_announced_and_the_bar_has_a_value(gallery: LabPage) -> None:
    page = gallery.page
    assert "4,310 of 10,000 ids saved" in page.get_by_role("status").first.inner_text()
    bar = page.get_by_role("progressbar", name="Progress").first
    said = re.fullmatch(r"(\d+) to (\d+) percent estimated", bar.get_attribute("aria-valuetext") or "")
    assert said is not None
    low, high = map(int, said.groups())  # 35 and 52 when it was drawn; the browser counts on
    assert 35 <= low < high <= 100
    assert high >= 52


def test_the_browser_counts_on_between_polls_also_where_no_motion_is_wanted(gallery: LabPage) -> None:
    page = gallery.page
    digits = (
        "() => [...document.querySelector('.cint-job-progress .jb-3').querySelectorAll('.jb-d:not(.n) > b')]"
        ".map(b => new DOMMatrix(getComputedStyle(b).transform).f).join()"
    )
    for motion in ("no-preference", "reduce"):
        page.emulate_media(reduced_motion=motion)
        before = page.evaluate(digits)
        page.wait_for_function(f"before => ({digits})() !== before", arg=before, timeout=5_000)
    page.emulate_media(reduced_motion="no-preference")


def test_two_hundred_rows_are_filtered_and_sorted_while_one_types(gallery: LabPage) -> None:
    page = gallery.page
    shown = "() => [...document.querySelectorAll('table.st tbody tr')].filter(row => !row.hidden).length"
    page.locator(".st-filter").fill("live wave 15")
    page.wait_for_selector(".cint-status-table .st-count:has-text('of 200 target groups')")
    assert 0 < page.evaluate(shown) < 20
    page.locator("table.st th[data-c=completes] button").click()
    assert page.locator("table.st th[aria-sort=descending]").get_attribute("data-c") == "completes"
    gallery.picture("table-filtered", ".cint-status-table")
    page.locator("table.st th[data-c=completes] button").click()
    assert page.locator("table.st th[aria-sort=ascending]").count() == 1
    page.locator(".st-filter").fill("")
    assert page.evaluate(shown) == 200


def test_twelve_rows_fit_into_820_by_440_pixels(gallery: LabPage) -> None:
    page = gallery.page
    page.locator(".cint-status-table").first.evaluate("panel => { panel.style.maxWidth = '820px' }")
    seen = page.evaluate(
        """() => { const table = document.querySelector('table.st');
        const top = table.tHead.getBoundingClientRect().bottom, foot = table.tFoot.getBoundingClientRect().top;
        const panel = table.closest('.cint-panel').getBoundingClientRect();
        const rows = [...table.tBodies[0].rows].map(row => row.getBoundingClientRect())
          .filter(row => row.height && row.top >= top - 1 && row.bottom <= foot + 1);
        const view = document.querySelector('.st-view');
        return [rows.length, panel.height, view.scrollWidth - view.clientWidth] }"""
    )
    gallery.picture("table-820", ".cint-status-table")
    page.locator(".cint-status-table").first.evaluate("panel => { panel.style.maxWidth = '' }")
    rows, height, sideways = seen
    assert rows >= 12
    assert height <= 450
    assert sideways <= 12


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
    assert page.locator(":is(.cint-panel, .cint-static) :is(mjx-container, .MathJax, img, strong)").count() == 0
    assert page.evaluate("() => window.hit") is None
