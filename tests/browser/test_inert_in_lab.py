"""Texts of the exchange and of files do nothing in JupyterLab: no script, no link, no request, no formula."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.browser.lab_harness import LabPage
from tests.support.hostile import ALL, FORMULAS, ONE
from tests.support.plans import plan_cell

pytestmark = pytest.mark.browser

SETUP = """
import json, logging
from pathlib import Path
import pandas as pd
from IPython.display import display
from ipywidgets import VBox
import cint_nb as cint
from cint_nb.domain.errors import BadRequest
from cint_nb.domain.findings import Finding, Findings, Severity
from cint_nb.domain.jobs import JobHandle, JobKind, JobSnapshot, JobState
from cint_nb.panels.wave_view.widget import WaveView
texts = json.loads(Path("texts.json").read_text())
one, short = texts["one"], [text[:110].strip() for text in texts["all"]]
handle = JobHandle(kind=JobKind.UPLOAD, base_url="https://x.invalid/v1", account_id=1, job_id=one, file_name=one)
"""
JOBS = """
jobs = []
for state in ("running", "partial", "failed"):
    job = cint.JobProgress(title=one)
    job.update(JobSnapshot(handle=handle, state=JobState(state), id_count=10, failure_code=one, failure_message=one,
                           partial_message=one, trace_id=one, request_id=one))
    jobs.append(job)
for job in jobs:
    display(job)
"""
FILES = """
for number, text in enumerate(short):
    name = text.replace("/", "_") + ".csv"
    heads = ",".join('"' + each.replace('"', '""') + '"' for each in short)
    Path(name).write_text(heads + "\\n" + "\\n".join(f'"{each}"' for each in texts["all"]))
picker = cint.FilePicker()
display(picker)
lines = Path("<img src=x onerror='window.__pwned = 7'> $x^2$.csv")
lines.write_text("\\n".join(["RSID", "0f1ce179-a917-8c17-b5ec-1234567890ab", *texts["all"]]))
display(cint.FilePicker().choose(lines.name, entity_type="RSID"))
"""
TABLES = """
names = ("target_group_id", "project_id", "name", "state", "currency")
frame = pd.DataFrame([{**dict.fromkeys(names, text), "warnings": [text, "x"], text: text} for text in texts["all"]])
table = cint.StatusTable(frame, title=one)
display(table)
display(cint.FindingsTable(Findings.of(
    [Finding(text, Severity.BLOCK, text, text, text, text) for text in texts["all"]]), title=one))
"""
WAVE = (
    """
client = cint.connect("sandbox")
cint.sandbox.write_sample("people.csv", lines=60)
people = cint.read_respondents("people.csv", entity_type="RSID")
"""
    + plan_cell(5)
    + """
name = r"<img src=x onerror=window.__pwned=8> $x^2$ \\(y\\)"
wave = client.wave(name, project="P " + name, respondents=people, plan=plan)
wave.create()
display(WaveView(wave), wave.status(), cint.StatusTable(wave.status()))
wave.upload()
display(wave, wave.outcome, wave.outcome.frame(), client, plan, frame.head(3))
"""
)
ERROR = """
raise BadRequest(one, evidence={"object": one}, next_step=one)
"""
CONTROL = """
from IPython.display import HTML
display(HTML('<div class="control">$x^2$ <img src="data:," onerror="window.__pwned = \\'control\\'"></div>'))
"""
WATCH = """
window.__hits = [];
Object.defineProperty(window, '__pwned', {set: value => window.__hits.push(value), get: () => undefined});
"""
ACTIVE = """() => [...document.querySelectorAll('.jp-OutputArea-output')]
  .filter(area => !area.querySelector('.control'))
  .flatMap(area => [...area.querySelectorAll('*')])
  .filter(node => node.matches('script, iframe, link, object, embed, mjx-container, .taken, img[src=x]')
    || /^\\s*javascript:/i.test(node.getAttribute('href') || '')
    || [...node.attributes].some(each => /^on/.test(each.name)))
  .map(node => {
    const panel = node.closest('.cint-panel, .cint-static, table.dataframe, .jp-RenderedText, .jp-OutputArea-output');
    return `${panel?.className} > ${node.parentElement?.className}: ${node.outerHTML.slice(0, 120)}`;
  })"""


class Watched:
    """Note what a page does that no page of ours may do."""

    def __init__(self, notebook: LabPage) -> None:
        self.page: Any = notebook.page
        self.dialogs: list[str] = []
        self.requests: list[str] = []
        self.page.add_init_script(WATCH)
        self.page.on("dialog", self._dialog)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.home = notebook.lab.url

    def _dialog(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def assert_inert(self, hits: list[str]) -> None:
        """Touch what can be touched, and see that nothing acted but, where it is shown, the control."""
        for node in self.page.locator(".jp-OutputArea-output a").all():
            assert not (node.get_attribute("href") or "").lower().startswith("javascript:")
        self.page.evaluate(
            """() => document.querySelectorAll('.jp-OutputArea-output *').forEach(node => {
              for (const kind of ['mouseover', 'focus', 'mouseenter']) node.dispatchEvent(new Event(kind));
            })"""
        )
        assert self.page.evaluate("window.__hits") == hits
        acting = self.page.evaluate(ACTIVE)
        assert acting == [], f"{len(acting)} parts act, in {sorted({each.partition(':')[0] for each in acting})}"
        assert self.dialogs == []
        outside = [url for url in self.requests if not url.startswith((self.home, "data:", "blob:", "ws:"))]
        assert outside == []


def test_no_text_of_the_exchange_or_of_a_file_does_anything(notebook: LabPage) -> None:
    watched = Watched(notebook)
    (notebook.lab.folder / "texts.json").write_text(json.dumps({"one": ONE, "all": ALL}))
    notebook.write("inert.ipynb", SETUP, JOBS, FILES, TABLES, WAVE, CONTROL)
    notebook.open("inert.ipynb")
    notebook.run_all()
    page = notebook.page
    page.wait_for_selector(".control mjx-container")  # formulas are set now, wherever something lets them
    page.wait_for_selector(".cint-findings-table .cint-f")
    assert page.locator(".cint-panel").count() >= 10
    shown = page.locator("body").inner_text()
    assert FORMULAS[0] in shown
    assert "<script>window.__pwned" in shown
    notebook.run_again(ERROR)
    page.wait_for_selector("text=BadRequest")
    watched.assert_inert(hits=["control"])

    notebook.save()
    page.wait_for_timeout(500)
    notebook.shut_down()
    notebook.open("inert.ipynb")
    page.wait_for_selector(".cint-static:visible")
    page.wait_for_selector(".control mjx-container")
    watched.assert_inert(hits=["control"])
