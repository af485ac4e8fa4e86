"""Panels in a real kernel, seen by front ends that are no browser: what they get, and how much of it."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from typing import Any

import nbformat
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from tests.support.plans import plan_cell

WIDGET = "application/vnd.jupyter.widget-view+json"
WAVE = (
    """
import cint_nb as cint
client = cint.connect()
people = cint.read_respondents(cint.sandbox.write_sample("sample.csv", lines=400), entity_type="RSID")
"""
    + plan_cell(start="hours=1")
    + """
wave = client.wave("Wave in a kernel", project="Kernel tests", respondents=people, plan=plan)
group = wave.create()
"""
)


class FrontEnd:
    """A front end that knows no widgets: it runs cells and keeps what is shown; comm messages are only counted."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self.client = client

    def run(self, source: str) -> tuple[list[dict[str, Any]], int]:
        """Run a cell; return its outputs and the number of comm messages."""
        number = self.client.execute(source)
        outputs, comms = [], 0
        while True:
            message = self.client.get_iopub_msg(timeout=180)
            kind, content = message["msg_type"], message["content"]
            if kind.startswith("comm_"):
                comms += 1
            if message["parent_header"].get("msg_id") != number:
                continue
            if kind in ("display_data", "execute_result", "stream", "error"):
                outputs.append({"kind": kind, **content})
            if kind == "status" and content["execution_state"] == "idle":
                return outputs, comms

    def quiet_for(self, seconds: float) -> list[str]:
        """Return the kinds of messages that come while no cell runs."""
        kinds = []
        try:
            while True:
                kinds.append(self.client.get_iopub_msg(timeout=seconds)["msg_type"])
        except queue.Empty:
            return kinds


@pytest.fixture(scope="module")
def front_end(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontEnd]:
    manager, client = start_new_kernel(cwd=str(tmp_path_factory.mktemp("kernel")))
    try:
        yield FrontEnd(client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def texts(outputs: list[dict[str, Any]]) -> list[str]:
    assert all(output["kind"] in ("display_data", "execute_result") for output in outputs), outputs
    return [output["data"]["text/plain"] for output in outputs]


@pytest.mark.thorough
def test_a_verb_shows_its_panel_and_leaves_its_end_for_front_ends_without_widgets(front_end: FrontEnd) -> None:
    front_end.run(WAVE)
    outputs, comms = front_end.run("wave.upload();")
    shown = texts(outputs)
    assert shown[0] == "<JobProgress: sandbox · Upload · Wave in a kernel · waiting>"
    assert shown[1].startswith("Upload · Wave in a kernel · partly saved · ")
    assert WIDGET in outputs[0]["data"]
    assert WIDGET not in outputs[1]["data"]
    assert comms < 80, "a job of virtual minutes must not flood the front end"


@pytest.mark.thorough
def test_work_in_the_background_prints_nothing_anywhere(front_end: FrontEnd) -> None:
    front_end.run(WAVE)
    front_end.run("job = client.recontacts.upload(group, people)\npanel = cint.JobProgress(job)")
    outputs, _ = front_end.run("panel.start()\njob.wait();")
    assert outputs == []
    kinds = front_end.quiet_for(1.0)
    assert set(kinds) <= {"comm_msg", "comm_open", "comm_close", "status"}, kinds
    outputs, _ = front_end.run("print(repr(panel))")
    assert outputs[0]["text"].startswith("<JobProgress: sandbox · Upload of ")
    assert "partly saved" in outputs[0]["text"]


@pytest.mark.thorough
def test_several_jobs_are_watched_at_once_while_a_cell_awaits(front_end: FrontEnd) -> None:
    front_end.run(WAVE)
    front_end.run(
        "def upload(name):\n"
        "    other = client.wave(name, project='Kernel tests', respondents=people, plan=plan)\n"
        "    return client.recontacts.upload(other.create(), people)\n"
        "jobs = [upload(f'Wave {number:03}') for number in range(4)]\n"
        "panels = [cint.JobProgress(each).start() for each in jobs]"
    )
    front_end.run("import asyncio\nends = await asyncio.gather(*jobs)")
    outputs, _ = front_end.run("print([str(panel.value.state) for panel in panels])")
    assert outputs[0]["text"].count("partial") == 4


def test_every_panel_reads_well_where_nothing_of_it_is_a_widget(front_end: FrontEnd) -> None:
    front_end.run(WAVE)
    show = {
        "cint.FilePicker().choose('sample.csv', entity_type='RSID')": "usable",
        "cint.StatusTable(wave.status())": "Wave in a kernel",
        "cint.FindingsTable(wave.check())": "malformed lines will be skipped",
        "wave": "wave.upload()",
        "cint.WaveView(wave)": "wave.upload()",
        "cint.History.open('study')": "nothing added yet",
        "cint.resume_jobs(client)": "0 jobs",
        "cint.JobProgress(client.recontacts.upload(group, people))": "waiting",
    }
    for code, word in show.items():
        outputs, _ = front_end.run(code)
        plain = [output["data"] for output in outputs if WIDGET not in output["data"]]
        assert len(plain) == 1, f"{code} leaves one output that needs no widgets"
        assert word in plain[0]["text/plain"], code
        assert word in plain[0]["text/html"], code
        assert "<script" not in plain[0]["text/html"]
        assert "object at 0x" not in "".join(texts(outputs))


@pytest.mark.thorough
def test_nbconvert_shows_the_still_pictures_with_their_content(front_end: FrontEnd) -> None:
    from nbconvert.exporters.html import HTMLExporter  # takes long to import, and is needed here only

    front_end.run(WAVE)
    cells = []
    show = {
        "cint.StatusTable(wave)": "Wave in a kernel",
        "wave": "wave.upload()",
        "cint.HistoryView(cint.History.open('study'))": "nothing added yet",
        "wave.check()": "malformed lines will be skipped",
        "people": "people",
        "plan": "worst case",
        "cint.plots.plot_outcomes({'saved': 9, 'rejected': 1})": 'alt="Bars of 10 lines',
        "cint.FilePicker().choose('sample.csv', entity_type='RSID')": "usable",
        "cint.JobProgress(client.recontacts.upload(group, people))": "waiting",
    }
    for code in show:
        outputs, _ = front_end.run(code)
        nodes = [
            nbformat.v4.new_output(output["kind"], data=output["data"], metadata=output["metadata"])
            for output in outputs
            if output["kind"] == "display_data"
        ] or [nbformat.v4.new_output("display_data", data=outputs[0]["data"])]
        cells.append(nbformat.v4.new_code_cell(code, outputs=nodes))
    exporter: Any = HTMLExporter  # has no types
    page, _ = exporter().from_notebook_node(nbformat.v4.new_notebook(cells=cells))
    for code, word in show.items():
        assert word in page, code
    assert "not loaded yet" not in page
