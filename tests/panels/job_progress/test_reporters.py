"""A verb tells of its job where someone can read it, and nowhere else."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import pytest

from cint_nb.domain.jobs import JobHandle, JobKind, JobSnapshot, JobState
from cint_nb.panels.job_progress import reporters
from cint_nb.panels.look import static_html

DONE = JobSnapshot(
    handle=JobHandle(kind=JobKind.UPLOAD, base_url="https://x.invalid/v1", account_id=1, job_id="J", id_count=100),
    state=JobState.DONE,
    id_count=100,
    saved_count=100,
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporters, "in_kernel", lambda: False)


def test_terminal_ends_with_one_line_that_names_mode_and_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TERM", raising=False)
    out = Terminal()
    teller = reporters.make_reporter("Upload", "sandbox", stream=out)
    teller.update(DONE)
    teller.finish(DONE)
    last = out.getvalue().replace("\r", "\n").strip().splitlines()[-1]
    assert last == "[sandbox] Upload: saved · 100 of 100 ids saved"


def test_plain_terminal_gets_one_line_and_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    out = Terminal()
    teller = reporters.make_reporter("Upload", "replay", stream=out)
    teller.update(DONE)
    teller.finish(DONE)
    assert out.getvalue() == "[replay] Upload: saved · 100 of 100 ids saved\n"


def test_interrupted_wait_says_that_the_job_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    out = Terminal()
    reporters.make_reporter("Upload", "sandbox", stream=out).finish(None)
    assert "the job continues" in out.getvalue()


NOTES = ("The reply was lost. Read 1 of 3 follows in 1 s.", "The reply was lost. It had taken effect.")


@pytest.mark.parametrize("terminal", ["dumb", "xterm"])
@pytest.mark.parametrize("end", [DONE, None])
def test_a_terminal_shows_what_is_checked_line_by_line(
    monkeypatch: pytest.MonkeyPatch, terminal: str, end: JobSnapshot | None
) -> None:
    monkeypatch.setenv("TERM", terminal)
    out = Terminal()
    reporter = reporters.make_reporter("Upload", "sandbox", stream=out)
    for note in NOTES:
        reporter.note(note)
    reporter.finish(end)
    text = out.getvalue()
    assert [f"[sandbox] Upload: {note}\n" in text for note in NOTES] == [True, True]
    assert "the job goes on" not in text
    assert ("100 of 100 ids saved" in text) is (end is not None)


def test_in_a_kernel_the_panel_shows_what_is_checked_until_there_is_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, str]] = []
    monkeypatch.setattr(reporters, "in_kernel", lambda: True)
    monkeypatch.setattr("cint_nb.panels.look.static_html._display", shown.append)
    reporter = reporters.make_reporter("Creation", "sandbox")
    reporter.note(NOTES[0])
    panel = reporter.panel  # type: ignore[attr-defined]
    assert NOTES[0] in panel.to_static_html()
    assert "checking" in panel._body.value
    reporter.note(NOTES[1])
    reporter.finish(None)
    assert NOTES[1] in shown[-1]["text/html"]
    assert "checked" in panel._body.value
    reporter.update(DONE)
    assert NOTES[1] not in panel.to_static_html()


def test_without_a_terminal_nothing_is_written() -> None:
    out = io.StringIO()
    teller = reporters.make_reporter("Upload", "sandbox", stream=out)
    teller.note("The reply was lost.")
    teller.update(DONE)
    teller.finish(DONE)
    assert out.getvalue() == ""


def test_in_a_kernel_a_panel_is_shown_at_once_and_its_end_is_left_in_the_notebook(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[dict[str, str]] = []
    monkeypatch.setattr(reporters, "in_kernel", lambda: True)
    monkeypatch.setattr("cint_nb.panels.look.static_html._display", shown.append)
    teller = reporters.make_reporter("Upload", "live")
    assert [bundle["text/plain"] for bundle in shown] == ["<JobProgress: live · Upload · waiting>"]
    teller.finish(DONE)
    assert shown[1]["text/plain"] == "Upload · saved · 100 of 100 ids saved"
    assert "100 of 100 ids saved" in shown[1]["text/html"]


def test_a_kernel_is_recognised_by_its_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for kernel, expected in ((object(), True), (None, False)):
        shell = SimpleNamespace(kernel=kernel)
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda shell=shell: shell))
            assert static_html.in_kernel() is expected
