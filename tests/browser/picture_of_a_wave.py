"""Take the picture of a wave in JupyterLab that the README and the documentation show: `nox -s picture`."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.browser.lab_harness import CHROMIUM_FLAGS, LabPage, serve_lab
from tests.support.plans import plan_cell

PICTURE = Path(__file__).parents[2] / "docs" / "_static" / "wave.png"
COLOURS = 64  # enough for a notebook, and a third of the bytes
CELLS = (
    'import cint_nb as cint\nclient = cint.connect("sandbox")\n'
    'people = cint.read_respondents(cint.sandbox.write_sample("respondents.csv"), entity_type="RSID")\n'
    + plan_cell(start="hours=1")
    + '\nwave = client.wave("Tracker Q4, wave 2", project="Brand tracker", respondents=people, plan=plan)\n'
    "ref = wave.create()\nuploaded = wave.upload()",
    "wave",
)


def main() -> None:
    """Run the cells, and keep what the last one shows."""
    program = os.environ.get("CINT_NB_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as folder, serve_lab(Path(folder)) as lab, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        page = LabPage(lab, browser.new_page(viewport={"width": 1000, "height": 900}), "picture")
        page.write("wave.ipynb", *CELLS)
        page.open("wave.ipynb")
        page.run_all()
        page.page.wait_for_selector(".cint-wave-panel .wv-next")
        page.page.wait_for_timeout(1_000)
        cell = page.page.locator(".jp-CodeCell").nth(1)
        cell.scroll_into_view_if_needed()
        taken = cell.screenshot()
        page.shut_down()
        browser.close()
    Image.open(io.BytesIO(taken)).convert("RGB").quantize(COLOURS).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
