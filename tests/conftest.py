"""Shared by all rooms: no test may touch the user's journal or read the user's settings, or leak a secret."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import Iterator

import pytest

# jsonschema would compile the grammars in it, a second and a half in each process, for a format no document here has.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # None: an import fails, which it allows

pytest_plugins = [
    "tests.support.canaries",
    "tests.support.done_once",
    "tests.support.sampling",
    "tests.support.fault_report",
    "nbval.plugin",
]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that starts us in the background has Interrupts ignored; tests that send one would wait for ever.
    signal.signal(signal.SIGINT, signal.default_int_handler)


_numbers = itertools.count()


@pytest.fixture(autouse=True)
def isolated_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, canary_environment: dict[str, str]
) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith("CINT_NB_") and name != "CINT_NB_BROWSER":
            monkeypatch.delenv(name)
    for name, value in canary_environment.items():
        monkeypatch.setenv(name, value)
    journal = tmp_path_factory.getbasetemp() / "journals" / str(next(_numbers)) / "journal.sqlite3"
    monkeypatch.setenv("CINT_NB_JOURNAL", str(journal))  # whoever opens it makes its folder: few tests do
    yield
    if background := sys.modules.get("cint_nb.panels.look.background"):
        with background._SCHEDULER._condition:  # a table kept fresh in one test would be refreshed in all that follow
            background._SCHEDULER._calls.clear()


@pytest.fixture(autouse=True)
def settled_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a file that a test has just written read at once; only `test_changing_files` is about the wait for it."""
    if file_format := sys.modules.get("cint_nb.study.files.file_format"):
        monkeypatch.setattr(file_format, "_SETTLE_SECONDS", 0.0)


class _HastyAsyncio:
    """asyncio with sleeps a twentieth as long."""

    def __getattr__(self, name: str) -> object:
        return getattr(asyncio, name)

    @staticmethod
    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds / 20)


@pytest.fixture(autouse=True)
def hasty_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have uvicorn stop soon after it is told to: it looks ten times a second, and then waits as long again."""
    if server := sys.modules.get("uvicorn.server"):
        monkeypatch.setattr(server, "asyncio", _HastyAsyncio())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let replies of a script lack what a test is not about; the sandbox's are whole, and there every warning fails."""
    unlike_the_documents = "ignore:The reply to the request .* is not as documented:cint_nb.errors.CintWarning"
    for item in items:
        if {"exchange", "listen", "serve"}.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.filterwarnings(unlike_the_documents))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Report which documents the whole suite was checked against; a folder cannot where xdist collects elsewhere."""
    if config.args_source is pytest.Config.ArgsSource.ARGS:
        return
    variable = "CINT_NB_VENDOR_OPENAPI"
    document = os.environ.get(variable)
    said = f"checked against {document}" if document else f"not collected: set {variable} to the document"
    terminalreporter.write_line(f"tests against the vendor's OpenAPI document: {said}")
    if not (document and os.environ.get("CINT_NB_PRISM")):
        terminalreporter.write_line(f"tests against Prism: not collected; `nox -s prism` runs them, given {variable}")
