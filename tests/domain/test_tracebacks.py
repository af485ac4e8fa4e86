"""An error in a notebook reads as a message, not as the inside of the package."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from cint_nb.domain.ids import synthetic_id

CELL = """
import cint_nb as cint
planted = {planted!r}
client = cint.connect()

def job():
    return client.projects.get("01JX2KPG5VEBF8498Z8YTTE8TB")

job()
"""


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    def run(mode: str) -> str:
        make: Callable[[], Any] = InteractiveShell
        shell = make()
        shell.run_line_magic("xmode", mode)
        capsys.readouterr()
        shell.run_cell(CELL.format(planted=synthetic_id("planted", 1)))
        shell.run_cell("client.close()")
        return re.sub(r"\x1b\[[\d;]*m", "", "".join(capsys.readouterr()))

    return run


@pytest.mark.parametrize("mode", ["Context", "Verbose", "Plain"])
def test_a_cell_shows_its_own_lines_and_the_message_whatever_the_mode(show: Callable[[str], str], mode: str) -> None:
    shown = show(mode)
    first, *lines = shown.strip().splitlines()
    assert first == "NotFound"
    assert lines[0] == "cell, line 8: job()"
    assert lines[1].startswith("job(), line 6: return client.projects.get(")
    assert "Next:" in shown
    assert len(lines) < 10
    assert "cint_nb/" not in shown
    assert synthetic_id("planted", 1) not in shown


def test_every_frame_is_shown_on_request(show: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINT_NB_FULL_TRACEBACK", "1")
    shown = show("Verbose")
    assert "cint_nb/" in shown.replace("\\", "/")
    assert "state = _CallState(" in shown  # a local variable
