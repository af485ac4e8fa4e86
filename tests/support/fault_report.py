"""A pytest plugin: the report of the fault matrices, written on request, else compared with the committed one.

What knows the report is imported where it is needed: it imports the package, which the controller of pytest-xdist need
not wait for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.faults.report import Cells

_found = pytest.StashKey["Cells"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--report", action="store_true", help="write docs/faults.md; with --every-way")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--report", default=False) and not config.getoption("--every-way"):
        raise pytest.UsageError("--report covers everything, so it needs --every-way")
    config.stash[_found] = {}


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    found = session.config.stash[_found]
    if (to_controller := getattr(session.config, "workeroutput", None)) is not None:
        to_controller["cells"] = [[*cell, ending] for cell, ending in found.items()]
    elif session.config.getoption("--report", default=False) and exitstatus == pytest.ExitCode.OK:
        from tests.faults import report

        report.FILE.parent.mkdir(exist_ok=True)
        report.FILE.write_text(report.write(found), encoding="utf-8")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Gather the cells that a worker of pytest-xdist found."""
    for table, row, column, ending in getattr(node, "workeroutput", {}).get("cells", ()):
        node.config.stash[_found][table, row, column] = ending


@pytest.fixture(scope="session")
def committed(pytestconfig: pytest.Config) -> Cells:
    """Return the cells of the committed report, as letters; none while a new one is written."""
    from tests.faults import report

    writing = pytestconfig.getoption("--report", default=False)
    return {} if writing else report.read(report.FILE.read_text(encoding="utf-8"))


@pytest.fixture
def noted(pytestconfig: pytest.Config, committed: Cells) -> Callable[[str, str, str, str], None]:
    """Record how a cell ended, by table, row and column; the committed report must say the same."""
    from tests.faults import report

    def note(table: str, row: str, column: str, ending: str) -> None:
        pytestconfig.stash.setdefault(_found, {})[table, row, column] = ending
        if committed:
            assert committed.get((table, row, column)) == report.letters(ending), "run `nox -s faults -- --report`"

    return note
