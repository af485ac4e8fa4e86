"""Results show themselves: as cards of HTML in a notebook, with the same words in a terminal, and never an id."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cint_nb.domain.errors import BudgetExceeded, CintError
from cint_nb.domain.findings import Finding, Findings, Severity
from cint_nb.domain.ids import synthetic_id
from cint_nb.domain.jobs import JobHandle, JobKind, JobSnapshot, JobState
from cint_nb.panels.look import mode
from cint_nb.panels.look.text_format import format_moment, show_money
from cint_nb.panels.results import render
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.wave.client import open_client
from tests.support.plans import make_plan

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
IDS = [synthetic_id("card", number) for number in range(20)]
FINDINGS = Findings.of(
    [
        Finding("goal-above-ids", Severity.BLOCK, "The goal is above <the list>.", "400, 318 people", "lower it"),
        Finding("length-assumed", Severity.WARN, "10 minutes were assumed."),
        Finding("plain", Severity.NOTE, "fine"),
    ]
)
HANDLE = JobHandle(kind=JobKind.UPLOAD, base_url="https://x.invalid/v1", account_id=1, job_id="J", id_count=100)
SNAPSHOT = JobSnapshot(
    handle=HANDLE, state=JobState.RUNNING, saved_count=32, saved_count_before=0, fraction=(0.32, 0.32), is_measured=True
)
ERROR = BudgetExceeded(
    "The wave can cost 1,860.00 EUR; 1,400.00 EUR is approved.",
    safe="nothing was sent.",
    next_step='wave.launch(budget="1860 EUR").',
)


def people() -> Respondents:
    lines = ["RSID", *IDS, IDS[0], "", "someone@example.org"]
    return read_respondents("\n".join(lines).encode(), entity_type="RSID", name="export.csv")


VALUES: dict[str, Callable[[], Any]] = {
    "findings": lambda: FINDINGS,
    "no findings": Findings,
    "respondents": people,
    "snapshot": lambda: SNAPSHOT,
    "plan": lambda: make_plan(NOW),
    "error": lambda: ERROR,
}


def words_of(html: str) -> set[str]:
    """Return the words of HTML, without style, signs and bars."""
    text = re.sub(r"<style>.*?</style>|<[^>]*>", " ", html, flags=re.DOTALL)
    return set(re.findall(r"[\w,.]{3,}", unescape(text)))


@pytest.mark.parametrize("name", VALUES)
def test_html_and_text_have_the_same_words(name: str) -> None:
    value = VALUES[name]()
    missing = {word for word in words_of(value._repr_html_()) if word.strip(".,") not in render.text(value)}
    assert missing == set()


@pytest.mark.parametrize("name", VALUES)
def test_text_is_at_most_80_columns_wide(name: str) -> None:
    lines = render.text(VALUES[name]()).splitlines()
    assert [line for line in lines if len(line) > 80 and "https://" not in line] == []


@pytest.mark.parametrize("name", VALUES)
def test_a_card_brings_its_style_loads_nothing_and_runs_nothing(name: str) -> None:
    html = VALUES[name]()._repr_html_()
    assert html.startswith("<style>")
    assert not re.search(r"<script|<link|@import|url\(|src=", html)


def test_no_id_is_in_a_card() -> None:
    respondents = people()
    for shown in (respondents._repr_html_(), render.text(respondents)):
        assert not any(each in str(shown) for each in IDS)


def test_text_of_others_is_escaped() -> None:
    html = FINDINGS._repr_html_()
    assert html is not None
    assert "&lt;the list&gt;" in html
    assert "<the list>" not in html


def test_findings_begin_with_what_blocks_and_count_the_notes() -> None:
    text = render.text(FINDINGS).splitlines()
    assert text[0] == "Findings"
    assert "1 block" in text[1]
    assert "1 warning · 1 note" in text[1]
    assert "fine" not in "\n".join(text)
    assert "1 note more, shown by print" in "\n".join(text)


def test_an_error_shows_cause_what_is_safe_and_what_is_next() -> None:
    assert [line.split()[0] for line in render.text(ERROR).splitlines()[1:]] == ["cause", "safe", "next"]
    with pytest.raises(CintError) as caught:
        raise ERROR
    assert "cint-card-bad" in str(caught.value._repr_html_())


def test_an_outcome_counts_every_line_once_and_says_its_shares(tmp_path: Path) -> None:
    with open_client("sandbox") as client:
        plan = make_plan(client.clock.now(), completes_goal=5)
        wave = client.wave("Wave of a card", project="Card tests", respondents=people(), plan=plan)
        wave.create()
        wave.upload()
        text = render.text(wave.outcome)
    lines = {line.split()[0]: line.split()[1] for line in text.splitlines()[1:] if "%" in line and "ids" not in line}
    assert int(lines.pop("all")) == sum(map(int, lines.values()))
    assert "of the 20 ids sent are saved" in text


@pytest.mark.parametrize(
    ("modes", "shown"), [([], None), (["sandbox"], "sandbox"), (["live", "live"], "live"), (["live", "sandbox"], None)]
)
def test_a_mode_is_shown_only_where_it_is_certain(
    modes: list[str], shown: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mode, "_modes", set())
    for each in modes:
        mode.remember_mode(each)
    html = str(FINDINGS._repr_html_())
    assert ("cint-mode-" in html.partition("</style>")[2]) is (shown is not None)
    assert render.text(FINDINGS).splitlines()[0] == ("Findings" if shown is None else f"Findings  [{shown}]")


def test_a_terminal_prints_the_card_and_a_notebook_keeps_the_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    printed: list[str] = []
    printer = SimpleNamespace(text=printed.append)
    FINDINGS._repr_pretty_(printer, cycle=False)
    assert printed == [render.text(FINDINGS)]
    monkeypatch.setattr("cint_nb.domain.ids._in_kernel", lambda: True)
    FINDINGS._repr_pretty_(printer, cycle=False)
    assert printed[1] == repr(FINDINGS)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [(1094.08, "EUR", "1,094.08 EUR"), (1094.0, "JPY", "1,094 JPY"), (1.5, "KWD", "1.500 KWD"), (2.0, None, "2.00")],
)
def test_money_has_the_decimals_of_its_currency(amount: float, currency: str | None, text: str) -> None:
    assert show_money(amount, currency) == text


def test_the_year_is_written_only_where_it_is_another_one() -> None:
    assert format_moment(NOW) == "1 Sep 08:00"
    assert format_moment(NOW, year=2026, seconds=True) == "1 Sep 08:00:00"
    assert format_moment(NOW, year=2025) == "1 Sep 2026 08:00"


def test_a_job_as_the_last_line_of_a_cell_is_its_progress_and_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, str]] = []
    monkeypatch.setattr("cint_nb.panels.look.static_html._display", shown.append)
    monkeypatch.setattr("cint_nb.panels.look.static_html.in_kernel", lambda: True)
    with open_client("sandbox") as client:
        plan = make_plan(client.clock.now(), completes_goal=5)
        wave = client.wave("Wave of a card", project="Card tests", respondents=people(), plan=plan)
        wave.create()
        job = wave.upload(wait=False)
        before = client.requests_sent
        job._ipython_display_()
        assert client.requests_sent == before
        assert "JobProgress" in shown[0]["text/plain"]
        job.wait()
        assert "saved" in str(job._repr_html_())
