"""Serve JupyterLab apart from the user's own settings, and drive one of its notebooks."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import nbformat
import psutil

from tests.browser.lab_scripts import ASK_KERNEL, CELLS, FORGET, KERNEL_READY, REPLACE_CELLS

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / ".artifacts" / "browser"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
OVERRIDES = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}
PAGES = "page-"
"""Folders of the pages' own begin with it."""


@dataclass(frozen=True)
class Lab:
    """Hold where JupyterLab is served, and the folder it serves."""

    url: str
    token: str
    folder: Path
    process: int

    def forget(self) -> None:
        """Remove what was left in the folder; the pages' own folders stay."""
        for left in self.folder.iterdir():
            if not left.name.startswith(PAGES):
                shutil.rmtree(left) if left.is_dir() else left.unlink()


@contextlib.contextmanager
def serve_lab(place: Path, *, module: str = "jupyterlab", app: str = "LabApp") -> Iterator[Lab]:
    """Serve JupyterLab, or Notebook 7, with its own settings, data and run-time folders, until the block ends.

    Args:
        place: An empty folder.
        module: What is run.
        app: Name of its application, which options of its own begin with.
    """
    folder, settings = place / "work", place / "settings"
    for each in (folder, settings):
        each.mkdir()
    (settings / "overrides.json").write_text(json.dumps(OVERRIDES))
    token = secrets.token_hex(16)
    arguments = [
        *(module, "--no-browser", "--ip=127.0.0.1", "--allow-root", "--expose-app-in-browser"),
        *(f"--{app}.app_settings_dir={settings}", f"--{app}.workspaces_dir={place / 'workspaces'}"),
        *(f"--{app}.user_settings_dir={place / 'user'}", f"--ServerApp.root_dir={folder}"),
        f"--IdentityProvider.token={token}",
    ]
    with _served(place, arguments, f"/api?token={token}") as (url, process):
        yield Lab(url, token, folder, process)


@contextlib.contextmanager
def serve_voila(place: Path, notebook: Path) -> Iterator[str]:
    """Serve one notebook as a page without code, until the block ends."""
    arguments = ["voila", "--no-browser", "--Voila.ip=127.0.0.1", "--ServerApp.allow_root=True", str(notebook)]
    with _served(place, arguments, "/voila/static/voila.js") as (url, _):
        yield url


@contextlib.contextmanager
def _served(place: Path, arguments: Sequence[str], answers: str) -> Iterator[tuple[str, int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("CINT_NB_")},
        "JUPYTER_CONFIG_DIR": str(place / "config"),
        "JUPYTER_DATA_DIR": str(place / "data"),
        "JUPYTER_RUNTIME_DIR": str(place / "run"),
        "IPYTHONDIR": str(place / "ipython"),
        "XDG_DATA_HOME": str(place / "share"),
    }
    url, log = f"http://127.0.0.1:{port}", place / "server.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", *arguments, f"--port={port}"],
            env=environment, cwd=place, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            _wait_until_served(url + answers, server, log)
            yield url, server.pid
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait(10)


def _wait_until_served(url: str, server: subprocess.Popen[bytes], log: Path, seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(url, timeout=2)
            return
        time.sleep(0.2)
    raise AssertionError(f"JupyterLab was not served:\n{log.read_text()[-2000:]}")


def _is_kernel(process: psutil.Process, kernel_id: str) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return any(kernel_id in part for part in process.cmdline())
    return False


def write_notebook(path: Path, *cells: str) -> Path:
    """Write a notebook of code cells."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, path)
    return path


class LabPage:
    """Drive a notebook in one browser page.

    Args:
        lab: The server.
        page: The browser's page.
        name: With it the page has a folder, which is then its `lab.folder`, and a workspace of its own.
    """

    def __init__(self, lab: Lab, page: Any, name: str = "") -> None:
        self.own = f"{PAGES}{name}" if name else ""
        self.lab = replace(lab, folder=lab.folder / self.own)
        self.lab.folder.mkdir(exist_ok=True)
        self.page = page
        page.set_default_timeout(60_000)

    def write(self, name: str, *cells: str) -> Path:
        """Write a notebook of code cells into the folder."""
        return write_notebook(self.lab.folder / name, *cells)

    def open(self, name: str, *, kernel: bool = True) -> None:
        """Open a notebook of the folder and wait for its kernel."""
        place = f"workspaces/{self.own}/tree/{self.own}" if self.own else "tree"
        self.page.goto(f"{self.lab.url}/lab/{place}/{name}?token={self.lab.token}&reset")
        if kernel:
            self.page.wait_for_function(KERNEL_READY, timeout=90_000)

    def open_alone(self, name: str) -> None:
        """Open a notebook of the folder where each has a page of its own, as in Notebook 7, and wait for its kernel."""
        place = f"{self.own}/{name}" if self.own else name
        self.page.goto(f"{self.lab.url}/notebooks/{place}?token={self.lab.token}")
        self.page.wait_for_function(KERNEL_READY, timeout=90_000)

    def show(self, *cells: str) -> None:
        """Replace all cells of the open notebook; its kernel keeps nothing but what is imported."""
        self.page.bring_to_front()
        self.page.wait_for_function(KERNEL_READY, timeout=30_000)
        for left in self.lab.folder.iterdir():
            if left.suffix != ".ipynb":
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        assert self.ask_kernel(FORGET) == "ok"
        self.page.evaluate(REPLACE_CELLS, list(cells))

    def ask_kernel(self, code: str) -> str:
        """Run code that is no cell and return `ok` or `error`."""
        return self.page.evaluate(ASK_KERNEL, code)  # type: ignore[no-any-return]

    def run_all(self, seconds: float = 120) -> None:
        """Run all cells, wait until each has run, and fail on any error."""
        self.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
        end = time.monotonic() + seconds
        cells: Sequence[dict[str, Any]] = []
        while time.monotonic() < end:
            cells = self.page.evaluate(CELLS)
            errors = [(cell["source"], error) for cell in cells for error in cell["errors"]]
            assert not errors, f"a cell failed: {errors}"
            if all(cell["count"] is not None for cell in cells) and self.page.evaluate(KERNEL_READY):
                return
            self.page.wait_for_timeout(200)
        raise AssertionError(f"not every cell has run: {[cell for cell in cells if cell['count'] is None]}")

    def run_cell(self, index: int) -> None:
        """Start one cell and return at once."""
        self.page.evaluate(
            """index => {
              const book = window.jupyterapp.shell.currentWidget.content;
              book.activeCellIndex = index;
              window.jupyterapp.commands.execute('notebook:run-cell');
            }""",
            index,
        )

    def count(self, index: int) -> int | None:
        """Return the execution count of a code cell, None while it runs or before it ran."""
        return self.page.evaluate(CELLS)[index]["count"]  # type: ignore[no-any-return]

    def run_again(self, source: str) -> None:
        """Add a cell at the end and start it, once the kernel is done with every cell before it."""
        for _ in range(50):  # after an error the kernel still drops what comes right behind it
            if self.ask_kernel("pass") == "ok":
                break
        self.page.evaluate(
            """source => {
              const book = window.jupyterapp.shell.currentWidget.content;
              book.activeCellIndex = book.widgets.length - 1;
              book.model.sharedModel.insertCell(book.widgets.length, {cell_type: 'code', source});
              book.activeCellIndex = book.widgets.length - 1;
              window.jupyterapp.commands.execute('notebook:run-cell');
            }""",
            source,
        )

    def save(self) -> None:
        """Save the notebook."""
        self.page.evaluate("async () => { await window.jupyterapp.commands.execute('docmanager:save'); }")

    def kill_kernel(self) -> None:
        """Kill the kernel's process as an accident would, and wait until JupyterLab's server has started another."""
        (mine,) = self._sessions()
        children = psutil.Process(self.lab.process).children(recursive=True)
        kernels = [child for child in children if _is_kernel(child, mine["kernel"]["id"])]
        assert kernels
        for kernel in kernels:
            kernel.kill()
        self.page.locator(".jp-Dialog button.jp-mod-accept").click(timeout=60_000)
        self.page.wait_for_function(KERNEL_READY, timeout=90_000)

    def theme(self, name: str) -> None:
        """Change the theme and wait until the page has it."""
        self.page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", name)
        light = "false" if name.endswith("Dark") else "true"
        self.page.wait_for_selector(f"body[data-jp-theme-light='{light}']", state="attached")

    def picture(self, name: str, css: str = "") -> Path:
        """Keep a screenshot, of one element or of the window."""
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        path = ARTIFACTS / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', name).strip('-')}.png"
        target = self.page.locator(css).first if css else self.page
        target.screenshot(path=path)
        return path

    def shut_down(self) -> None:
        """End the kernels of this folder's notebooks."""
        for session in self._sessions():
            with self._server() as server:
                server.delete(f"/api/sessions/{session['id']}", timeout=20)

    def _sessions(self) -> list[dict[str, Any]]:
        with self._server() as server:
            every = server.get("/api/sessions", timeout=20).json()
        if not self.own:
            return [session for session in every if not session["path"].startswith(PAGES)]
        return [session for session in every if session["path"].startswith(f"{self.own}/")]

    def _server(self) -> httpx.Client:
        return httpx.Client(base_url=self.lab.url, headers={"Authorization": f"token {self.lab.token}"})
