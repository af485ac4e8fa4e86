"""A kernel killed during the upload and while a job runs: its cells, run again from the top, create everything once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.server import ServedSandbox
from cint_nb.study.files.respondents import Respondents
from tests.faults.matrix_cells import count_objects, run_wave
from tests.support.plans import RSID_URL, plan_cell

CELLS = (
    """
import sys
import cint_nb as cint
client = cint.connect("sandbox", base_url={url!r})
people = cint.read_respondents({file!r}, entity_type="RSID")
"""
    + plan_cell(30, live_url=RSID_URL)
    + """
wave = client.wave("A wave of kernels", project="Brand tracker", respondents=people, plan=plan)
""",
    "ref = wave.create()",
    "last = wave.upload()",
    "if not wave.resubmitted_count: wave.resubmit()",
    "from pathlib import Path; Path({out!r}).write_text(wave.outcome.frame(reveal=True).to_csv(), encoding='utf-8')",
    "last = wave.launch(budget='100 EUR')",
)
DIED = "the kernel died"
KILLS = (("upload", 1), ("status", 2))
"""At which requests kernels die."""


class Notebook:
    """A notebook that runs cells in a real kernel, which may die while a cell runs."""

    def __init__(self, cwd: Path) -> None:
        self.manager = KernelManager()
        self.manager.start_kernel(cwd=str(cwd))
        self.client = self._connect()

    def _connect(self) -> BlockingKernelClient:
        client: BlockingKernelClient = self.manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=60)
        return client

    @property
    def pid(self) -> int:
        return int(self.manager.provisioner.pid)  # type: ignore[union-attr]

    def run_all(self, cells: list[str]) -> str:
        """Run the cells in order; return how it ended: `ok`, the error of a cell, or that the kernel died."""
        for cell in cells:
            ended = self._run(cell)
            if ended != "ok":
                return ended
        return "ok"

    def _run(self, cell: str) -> str:
        message_id = self.client.execute(cell)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                reply = self.client.get_shell_msg(timeout=0.1)
            except Empty:
                if not self.manager.is_alive():
                    return DIED
                continue
            if reply["parent_header"].get("msg_id") == message_id:
                content = reply["content"]
                return "ok" if content["status"] == "ok" else f"{content['ename']}: {content['evalue']}"
        raise AssertionError(f"the cell never ended: {cell}")

    def restart(self) -> None:
        self.client.stop_channels()
        self.manager.restart_kernel(now=True)
        self.client = self._connect()

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Notebook]:
    notebook = Notebook(tmp_path)
    yield notebook
    notebook.close()


def kill_at(sandbox: Sandbox, step: str, times: int, pid: int) -> None:
    """Kill a process while the exchange handles the given request of a step, counted from one."""
    trigger = type(sandbox.faults).trigger.__get__(sandbox.faults)
    left = [times]

    def triggered(names: tuple[str, ...]) -> object:
        if step in names:
            left[0] -= 1
            if left[0] == 0:
                os.kill(pid, signal.SIGKILL)
        return trigger(names)

    sandbox.faults.trigger = triggered  # type: ignore[method-assign, assignment]


@pytest.mark.thorough
def test_the_cells_of_a_killed_kernel_go_on_after_a_restart(
    notebook: Notebook,
    people: Respondents,
    people_file: Path,
    tmp_path: Path,
    noted: Callable[[str, str, str, str], None],
) -> None:
    out, sandbox = tmp_path / "outcome.csv", Sandbox(seed=1)
    with ServedSandbox(sandbox) as served:
        cells = [cell.format(url=served.base_url, file=str(people_file), out=str(out)) for cell in CELLS]
        for step, times in KILLS:
            kill_at(sandbox, step, times, notebook.pid)
            assert notebook.run_all(cells) == DIED
            notebook.restart()
        kill_at(sandbox, "nothing any more", 0, notebook.pid)
        assert notebook.run_all(cells) == "ok"
    undisturbed = run_wave(people, "blocking")
    assert out.read_text(encoding="utf-8") == undisturbed.outcome
    assert count_objects(sandbox.world) == {
        kind: number for kind, number in undisturbed.objects.items() if kind != "recontact-removal"
    }
    noted("other", "kernel", "", "")
