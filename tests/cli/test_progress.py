"""Long work says on a terminal how far it is, and nowhere else."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from cint_nb.cli import main, record
from cint_nb.cli import progress as progress_line
from cint_nb.cli.progress import Progress
from cint_nb.sandbox.sample import write_sample
from tests.support.clock import ManualClock


class Terminal(io.StringIO):
    """A terminal that keeps what is written to it."""

    def isatty(self) -> bool:
        return True

    @property
    def line(self) -> str:
        """What a reader sees on the last line: whatever was overwritten is gone."""
        cells: list[str] = []
        place = 0
        for sign in self.getvalue().rpartition("\n")[2]:
            place = 0 if sign == "\r" else place
            if sign != "\r":
                cells[place : place + 1] = [sign]
                place += 1
        return "".join(cells).rstrip()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    return Terminal()


def begin(what: str, clock: ManualClock, stream: io.StringIO, total: int | None = None) -> Progress:
    return Progress(what, total=total, stream=stream, monotonic=clock.monotonic, later=clock.later)


def test_it_says_what_is_done_how_far_it_is_and_for_how_long(terminal: Terminal) -> None:
    clock = ManualClock()
    with begin("Recording", clock, terminal, total=19) as progress:
        progress.step("00-start-here")
        clock.move(2)
        assert terminal.line == "Recording · 1 of 19 · 00-start-here · 2 s"
        progress.step("10-connect")
        assert terminal.line == "Recording · 2 of 19 · 10-connect · 2 s"
        clock.move(80)
        assert terminal.line == "Recording · 2 of 19 · 10-connect · 1 min 22 s"
    assert terminal.line == "", "a line that has ended is taken away"


def test_what_is_quick_shows_nothing(terminal: Terminal) -> None:
    clock = ManualClock()
    with begin("Reading people.csv", clock, terminal) as progress:
        progress.step("one")
        clock.move(0.9)
        progress.step("two")
    clock.move(60)
    assert terminal.getvalue() == ""


def test_nothing_is_written_where_there_is_no_terminal() -> None:
    clock, pipe = ManualClock(), io.StringIO()
    with begin("Recording", clock, pipe) as progress:
        progress.step("one")
        clock.move(60)
        progress.clear()
    assert pipe.getvalue() == ""


def test_a_line_that_makes_room_for_another_comes_back(terminal: Terminal) -> None:
    clock = ManualClock()
    with begin("Recording", clock, terminal, total=2) as progress:
        progress.step("one")
        clock.move(5)
        progress_line.clear_line()
        assert terminal.line == ""
        terminal.write("warning: something\n")
        clock.move(1)
        assert terminal.line == "Recording · 1 of 2 · one · 6 s"


def test_a_narrow_terminal_gets_one_line_and_no_second(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    clock = ManualClock()
    with begin("Reading a file with a long name.csv", clock, terminal):
        clock.move(1)
        assert terminal.line == "Reading a file with"


def test_a_name_from_elsewhere_is_one_line_without_controls_and_without_ids(terminal: Terminal) -> None:
    clock = ManualClock()
    with begin("Reading \x1b[2Ja\nfile b551326b-ac9d-4d32-8823-4f025787dab9.csv", clock, terminal):
        clock.move(1)
    assert "\x1b" not in terminal.getvalue()
    assert "\n" not in terminal.getvalue()
    assert "b551326b" not in terminal.getvalue()


def test_a_terminal_that_cannot_overwrite_gets_a_line_for_each_long_step(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    clock = ManualClock()
    with begin("Recording", clock, terminal, total=2) as progress:
        progress.step("one")
        clock.move(30)
        progress.step("two")
        clock.move(30)
    assert terminal.getvalue() == "Recording · 1 of 2 · one\nRecording · 2 of 2 · two\n"


def test_after_an_interrupt_no_line_is_left(terminal: Terminal) -> None:
    clock = ManualClock()

    def interrupted() -> None:
        with begin("Recording", clock, terminal):
            clock.move(3)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert terminal.line == ""
    clock.move(60)
    assert terminal.line == ""


def test_recording_names_each_notebook_before_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    for name in ("a", "b"):
        nbformat.write(nbformat.v4.new_notebook(), tmp_path / f"{name}.ipynb")
    monkeypatch.setattr(Progress, "step", lambda self, name: said.append(name))
    monkeypatch.setattr(record, "record", lambda notebook, recording, *, seed: said.append(recording.name))
    assert main(["record", str(tmp_path), "--into", str(tmp_path / "recordings")]) == 0
    assert said == ["a", "a.jsonl", "b", "b.jsonl"]


def on_a_terminal(program: str, **environment: str) -> str:
    """Run a program whose error stream is a terminal, and return what it writes there."""
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-c", program], stdout=subprocess.DEVNULL, stderr=theirs, check=False,
            env={**os.environ, "TERM": "xterm", **environment},
        )  # fmt: skip
        assert done.returncode == 0
        os.set_blocking(ours, False)
        try:
            return os.read(ours, 65_536).decode()
        except BlockingIOError:
            return ""
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.thorough
@pytest.mark.parametrize("no_color", ["", "1"], ids=["", "NO_COLOR"])
def test_checking_a_file_says_so_on_the_error_stream_without_any_colour(tmp_path: Path, no_color: str) -> None:
    file = write_sample(tmp_path / "people.csv", lines=50)
    program = (
        "from cint_nb.cli import main, progress\n"
        "progress.SHOWN_AFTER_SECONDS = 0.0\n"
        "progress.Progress.__exit__ = lambda self, *_: (self._tick(), self.clear()) and None\n"
        f"raise SystemExit(main(['check', {str(file)!r}, '--entity-type', 'RSID', '--json']))\n"
    )
    written = on_a_terminal(program, NO_COLOR=no_color)
    assert "Reading people.csv · 0 s" in written
    assert "\x1b" not in written
    assert re.search(r"\r +\r$", written), "and takes it away"
