"""Runs notebooks one after the other in one kernel, each in a namespace and a folder of its own."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

_SECONDS = 60
# No name is left behind: a notebook that forgot an import must not find it here.
_CLEAN = """\
%reset -f
__import__("os").chdir({folder!r})
[__import__("os").environ.pop(name) for name in list(__import__("os").environ) if name.startswith("CINT_NB_")]
__import__("os").environ.update({environment!r})
"""


class NotebookKernel:
    """A running kernel."""

    def __init__(self, client: NotebookClient) -> None:
        self._client = client

    def run(self, notebook: Any, folder: Path, environment: Mapping[str, str]) -> Any:
        """Run every cell of a copy of the notebook, also after one that failed, and return the copy.

        Args:
            notebook: The notebook; it stays as it is.
            folder: Where it runs.
            environment: All the variables of ours it meets.
        """
        copy = nbformat.reads(nbformat.writes(notebook), as_version=4)
        variables = {"CINT_NB_MODE": "sandbox", "CINT_NB_JOURNAL": str(folder / "journal.sqlite3"), **environment}
        before = nbformat.v4.new_code_cell(_CLEAN.format(folder=str(folder), environment=variables))
        self._run([before], allow_errors=False)
        self._run(copy.cells, allow_errors=True)
        return copy

    def _run(self, cells: list[Any], *, allow_errors: bool) -> None:
        self._client.allow_errors = allow_errors
        self._client.nb = nbformat.v4.new_notebook(cells=cells)
        self._client.reset_execution_trackers()
        for index, cell in enumerate(cells):
            self._client.execute_cell(cell, index)


@contextlib.contextmanager
def start_kernel() -> Iterator[NotebookKernel]:
    """Start a kernel, and end it when the block ends."""
    client = NotebookClient(nbformat.v4.new_notebook(), timeout=_SECONDS, kernel_name="python3")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CINT_NB_")}
    with client.setup_kernel(env=environment):
        yield NotebookKernel(client)


def errors(cells: list[Any]) -> list[str]:
    """Return what failed: the source of each such cell and its error, unless the cell says it fails."""
    return [
        f"{cell.source}\n-> {output.ename}: {output.evalue}"
        for cell in cells
        if cell.cell_type == "code" and "raises-exception" not in cell.metadata.get("tags", [])
        for output in cell.outputs
        if output.output_type == "error"
    ]


def warnings(cells: list[Any]) -> list[str]:
    """Return what was written to the standard error stream."""
    return [
        f"{cell.source}\n-> {output.text}"
        for cell in cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "stream" and output.name == "stderr"
    ]
