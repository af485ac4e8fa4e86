"""Every text of the exchange or of a file is inert in the HTML of every panel, table and page.

The same texts meet a real browser in `tests/browser/test_inert_in_lab.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import ipywidgets as widgets
import pandas as pd
import pytest

import cint_nb
from cint_nb.domain.findings import Finding, Findings, Severity
from cint_nb.domain.jobs import JobHandle, JobKind, JobSnapshot, JobState
from cint_nb.panels import connect
from cint_nb.panels.look import static_html
from cint_nb.panels.look.base import Panel
from cint_nb.panels.plots.charts import plot_funnel
from cint_nb.panels.status_table.table_html import TOOLS_HTML
from cint_nb.panels.wave_view.widget import WaveView
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.server import ServedSandbox
from cint_nb.wave.client import Client
from cint_nb.wave.wave import Wave
from tests.support.hostile import ALL, FORMULAS, LOADS, ONE, SCRIPTS

ACTING = {"script", "iframe", "img", "link", "object", "embed", "base", "meta", "input", "math", "video", "audio"}


class Reader(HTMLParser):
    """Name what in some HTML would act, as a browser would read it: tags, handlers, addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.acting: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in ACTING or "taken" in given.get("class", ""):
            self.acting.append(f"<{tag}>")
        for name, value in given.items():
            leads = name in {"href", "src", "action", "srcset", "xlink:href", "formaction"}
            if name.startswith("on") or leads or (name == "style" and "url(" in value):
                self.acting.append(f"{tag} {name}")


def acting(html: str) -> list[str]:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader.acting


def every(widget: Any) -> Iterator[Any]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from every(child)


def snapshot(state: JobState) -> JobSnapshot:
    handle = JobHandle(
        kind=JobKind.UPLOAD, base_url="https://x.invalid/v1", account_id=1, job_id=ONE, file_name=ONE, id_count=10
    )
    return JobSnapshot(
        handle=handle,
        state=state,
        id_count=10,
        failure_code=ONE,
        failure_message=ONE,
        partial_message=ONE,
        trace_id=ONE,
        request_id=ONE,
    )


def job(state: JobState) -> Panel:
    panel = cint_nb.JobProgress(title=ONE)
    panel.update(snapshot(state))
    return panel


def frame() -> pd.DataFrame:
    row = dict.fromkeys(("project_id", "state", "currency", "first_complete"), ONE)
    return pd.DataFrame([{**row, "target_group_id": text, "name": text, "warnings": [text], ONE: text} for text in ALL])


def html_of_a_frame() -> str:
    return str(frame()._repr_html_())  # type: ignore[operator]  # pandas-stubs take it for a column


def findings() -> Panel:
    found = [Finding(text, severity, text, text, text, text) for text in ALL for severity in Severity]
    return cint_nb.FindingsTable(Findings.of(found), title=ONE)


def status() -> Panel:
    table = cint_nb.StatusTable(frame(), title=ONE)
    return table.set_options(columns=("name", "state", "warnings", "target_group_id", ONE))


@pytest.fixture
def picker(tmp_path: Path) -> Panel:
    for text in ALL:
        heads = ",".join('"' + each.replace('"', '""') + '"' for each in ALL)
        (tmp_path / (text.replace("/", "_")[:200] + ".csv")).write_text(f"{heads}\n" + "\n".join(f'"{a}"' for a in ALL))
    name = f"{SCRIPTS[1]}.csv"
    (tmp_path / name).write_text("\n".join(["RSID", "0f1ce179-a917-8c17-b5ec-1234567890ab", *ALL]))
    return cint_nb.FilePicker(tmp_path).choose(name, entity_type="RSID")


@pytest.fixture
def wave_panel(client: Client, make_wave: Callable[..., Wave]) -> Panel:
    panel = WaveView(make_wave(name=SCRIPTS[1]))
    panel._show_error(RuntimeError(ONE))
    return panel


@pytest.fixture(params=["running", "partial", "failed", "findings", "status", "picker", "wave"])
def panel(request: pytest.FixtureRequest) -> Panel:
    match request.param:
        case "findings":
            return findings()
        case "status":
            return status()
        case "picker" | "wave" as name:
            made = request.getfixturevalue("wave_panel" if name == "wave" else name)
            assert isinstance(made, Panel)
            return made
        case state:
            return job(JobState(state))


@pytest.mark.parametrize("text", [text for text in SCRIPTS + LOADS if re.search(r"<[a-z]", text)])
def test_the_reader_sees_what_acts(text: str) -> None:
    """The control: each of these texts, unescaped, would be noticed."""
    assert acting(f"<div>{text}</div>")


def test_no_text_acts_in_a_panel(panel: Panel) -> None:
    html = [each.value for each in every(panel) if isinstance(each, widgets.HTML)]
    html = [each for each in html if each != TOOLS_HTML]  # the filter box of a table, which holds no text of others
    html += [panel.to_static_html()]
    assert any("&lt;" in each for each in html), "the texts are shown"
    assert [part for each in html for part in acting(each)] == []


def test_no_text_becomes_a_formula_in_a_panel(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Front ends look for formulas in descriptions, in labels and in stored HTML, and not in HTML widgets."""
    for each in every(panel):
        assert not isinstance(each, (widgets.HTMLMath, widgets.Label))
        texts = [getattr(each, "description", ""), *map(str, getattr(each, "tooltips", ()) or ())]
        assert not any(sign in text for text in texts for sign in ("$", r"\(", r"\[", r"\begin"))
        assert not getattr(each, "description_allow_html", False)
    shown: list[dict[str, str]] = []
    monkeypatch.setattr(static_html, "_display", shown.append)
    panel.display_static()
    assert 'class="cint-static mathjax_ignore"' in shown[0]["text/html"]


def test_an_error_line_shows_a_text_and_nothing_else() -> None:
    panel = findings()
    panel._show_error(RuntimeError(ONE))
    assert acting(panel._error.value) == []


def test_frames_escape_and_a_notebook_asks_for_no_formulas(monkeypatch: pytest.MonkeyPatch) -> None:
    ignored = "tex2jax_ignore" if pd.__version__.startswith("2.") else "mathjax_ignore"
    assert acting(html_of_a_frame()) == []
    monkeypatch.setattr(connect, "in_kernel", lambda: True)
    with pd.option_context("display.html.use_mathjax", True):
        assert ignored not in html_of_a_frame()
        cint_nb.connect("sandbox").close()
        assert ignored in html_of_a_frame()


def test_outside_a_notebook_the_options_of_pandas_are_left_alone() -> None:
    before = pd.get_option("display.html.use_mathjax")
    cint_nb.connect("sandbox").close()
    assert pd.get_option("display.html.use_mathjax") == before


def test_no_frame_is_styled_since_a_styler_does_not_escape() -> None:
    package = Path(cint_nb.__file__).parent
    assert [path.name for path in package.rglob("*.py") if ".style." in path.read_text(encoding="utf-8")] == []


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("text", [*FORMULAS, r"$\frac{1}{$", r"$\nonsense$"])
def test_a_plot_writes_a_text_as_it_is(text: str) -> None:
    steps = pd.DataFrame({"step": ["saved ids", text], "stage": ["saved", text], "people": [10, 5]})
    figure = plot_funnel(steps, pd.DataFrame({"label": [text], "count": [3]}))
    figure.canvas.draw()
    assert f"ended: {text}" in [each.get_text() for each in figure.ax.get_yticklabels()]


def test_the_page_of_the_sandbox_shows_texts_and_lets_nothing_in() -> None:
    sandbox = Sandbox(seed=1)
    headers = {"Cint-API-Version": "2025-12-18", "Authorization": f"Bearer {sandbox.dispatcher.make_token(0)}"}
    with (
        ServedSandbox(sandbox) as served,
        httpx.Client(base_url=served.base_url, trust_env=False, headers=headers) as http,
    ):
        for number, text in enumerate(ALL):
            body = {"name": text[:100], "project_manager_id": "b551326b-ac9d-4d32-8823-4f025787dab9"}
            made = http.post("/demand/accounts/101/projects", json=body, headers={"idempotency-key": f"key-{number}"})
            assert made.status_code == 202
        reply = http.get(f"{served.url}/", params={"problem": ONE})
    forms = {"form action", "<input>", "<meta>", "a href"}
    assert set(acting(reply.text)) <= forms
    assert "outside.invalid" not in reply.text
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert reply.headers["x-content-type-options"] == "nosniff"
