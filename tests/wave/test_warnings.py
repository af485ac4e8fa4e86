"""Nothing whispers: what a verb warns of stands in its result, in repr and panel, and is shown by Python."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from html import unescape
from typing import Any

import httpx
import pandas as pd
import pytest

import cint_nb
from cint_nb.domain.errors import CintWarning
from cint_nb.domain.findings import Severity
from cint_nb.panels.file_picker.model import FileChoice, summarise
from cint_nb.panels.file_picker.view import format_lines, render_static_lines
from cint_nb.panels.job_progress.widget import JobProgress
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.study.files.respondents import read_respondents
from cint_nb.study.outcome.upload_outcome import compare_upload
from cint_nb.wave.client import Client
from cint_nb.wave.wave import Wave

Make = Callable[..., Wave]
Change = Callable[[str, str, Any], Any]
CUT = "the list says there is more ('has_more') but gives no cursor ('next_cursor')"


class ChangedReplies(httpx.AsyncBaseTransport):
    """Passes requests on and changes what comes back."""

    def __init__(self, inner: httpx.AsyncBaseTransport, change: Change) -> None:
        self._inner, self._change = inner, change

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        content = await response.aread()
        if "json" not in response.headers.get("content-type", "") or not content:
            return response
        changed = self._change(request.method, request.url.path, json.loads(content))
        kept = [(name, text) for name, text in response.headers.multi_items() if name != "content-length"]
        return httpx.Response(response.status_code, headers=kept, json=changed)


@pytest.fixture
def change(monkeypatch: pytest.MonkeyPatch) -> dict[str, Change]:
    """Say what becomes of the replies of every sandbox, from now on."""
    changes: dict[str, Change] = {}
    plain = Sandbox.transport

    def apply(method: str, path: str, body: Any) -> Any:
        for one in changes.values():
            body = one(method, path, body)
        return body

    monkeypatch.setattr(Sandbox, "transport", lambda sandbox: ChangedReplies(plain(sandbox), apply))
    return changes


def cut_lists(method: str, path: str, body: Any) -> Any:
    listed = method == "GET" and re.search(r"/(projects|target-groups)$", path)
    return body | {"has_more": True, "next_cursor": None} if listed else body


def unknown_word(method: str, path: str, body: Any) -> Any:
    running = "/jobs/" in path and body.get("status") == "Processing"
    return body | {"status": "Marinating"} if method == "GET" and running else body


def test_a_cut_list_is_shown_to_a_script_and_by_the_client(
    change: dict[str, Change], client: Client, recwarn: pytest.WarningsRecorder
) -> None:
    assert "warning" not in repr(client)
    change["lists"] = cut_lists
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        client.projects.list()
        client.projects.list()
    (warning,) = recwarn.list
    assert str(warning.message) == f"The reply to the request to list the projects may be incomplete: {CUT}."
    assert warning.filename == __file__
    assert f"1 warning: {warning.message}" in repr(client)


def test_a_verb_says_it_in_its_result_its_repr_and_its_panels(
    change: dict[str, Change], client: Client, make_wave: Make
) -> None:
    wave = make_wave()
    wave.create()
    change["jobs"] = unknown_word
    with pytest.warns(CintWarning, match="the unknown status 'Marinating'") as caught:
        snapshot = wave.upload()
    (text,) = {str(warning.message) for warning in caught}
    assert snapshot.warnings == (text,)
    assert f"warning: {text}" in repr(snapshot)
    assert f"1 warning: {text}" in repr(wave)
    view = cint_nb.WaveView(wave)
    assert text in view.to_text()
    assert "the unknown status" in view._warnings.value
    panel = JobProgress(mode="sandbox", title="Upload")
    panel.finish(snapshot)
    assert text in panel.to_text()
    assert "the unknown status" in panel._body.value
    assert "the unknown status" in panel.to_static_html()
    again = wave.upload()  # it is shown once for each client, and stands with each result it concerns
    assert again.warnings == (text,)


@pytest.mark.sampled(every=4)
@pytest.mark.parametrize("value", ["2026-09-01T08:00:00", "0001-01-01T00:00:00Z", "soon", [], {"value": 5}, True, -1])
def test_a_run_is_stopped_whatever_stands_in_place_of_its_times(
    change: dict[str, Change], client: Client, make_wave: Make, value: Any
) -> None:
    wave = make_wave()
    wave.create()
    wave.upload()
    wave.launch(budget="1000 EUR")
    (group,) = client.sandbox.world.groups.values()
    keys = {"start_fielding_at", "end_fielding_at", "last_changed_at", "version"}

    def unreadable(_: str, path: str, body: Any) -> Any:
        for run in body.get("data", [body]) if "/fielding-runs" in path else ():
            run.update(dict.fromkeys(keys & run.keys(), value))
        return body

    change["runs"] = unreadable
    with pytest.warns(CintWarning, match="start_fielding_at") as caught:
        wave.pause()
    assert group.run is not None
    assert group.run.status == "paused"
    said = " ".join(str(warning.message) for warning in caught)
    assert all(key in said for key in keys)
    wave.resume()
    wave.close()
    assert group.run.status == "completed"
    assert wave.status()["ends_at"].isna().all()


def test_a_check_and_a_status_say_it(change: dict[str, Change], client: Client, make_wave: Make) -> None:
    wave = make_wave()
    wave.create()
    wave.upload()
    said = "A reply was odd."
    context = wave._context
    read_state = context.read_state

    async def odd() -> Any:
        wave.client.http.warn(said)
        return await read_state()

    context.read_state = odd  # type: ignore[method-assign]
    with pytest.warns(CintWarning, match="odd"):
        findings = wave.check("launch", ask=True)
    assert [each.message for each in findings if each.rule == "unexpected-reply"] == [said]
    assert {each.severity for each in findings if each.rule == "unexpected-reply"} == {Severity.WARN}
    assert said in wave.status().iloc[0]["warnings"]


def test_the_table_of_a_project_says_it_and_python_does_not(
    change: dict[str, Change], client: Client, make_wave: Make
) -> None:
    make_wave().create()
    change["lists"] = cut_lists
    source = client.project_status("Brand tracker")
    table = cint_nb.StatusTable(source)
    table._load()  # on its own thread nobody would see a warning, and here it would be an error
    for shown in (table._warnings.value, table.to_text(), table.to_static_html(), repr(table)):
        assert CUT in unescape(shown)
    assert any(CUT in text for text in table.frame.attrs["warnings"])


def test_an_outcome_that_is_not_known_says_so_everywhere() -> None:
    ids = [f"0f1ce179-a917-8c17-b5ec-12345678{number:04}" for number in range(5)]
    visits = read_respondents(ids, entity_type="RID")
    outcome = compare_upload(visits, before=[], after=visits.ids[:3], saved_count=3)
    (text,) = outcome.warnings
    assert f"warning: {text}" in repr(outcome)
    summary = outcome.summary()
    assert summary.iloc[-1]["outcome"] == "warning"
    assert summary.iloc[-1]["meaning"] == text
    assert pd.isna(summary.iloc[-1]["lines"])
    assert summary["lines"].sum() == 5
    assert text in summary.to_string()


def test_respondents_of_the_other_kind_say_so_in_the_panel() -> None:
    content = b"RID\n0f1ce179-a917-8c17-b5ec-123456789012\n"
    with pytest.warns(CintWarning, match="suggests RIDs"):
        people = read_respondents(content, entity_type="RSID", name="a.csv")
    facts = summarise(people, FileChoice("a.csv", content=content), people.entity_type)
    assert "check this" in "\n".join(format_lines(facts))
    assert "check this" in render_static_lines(facts)


def test_a_resubmission_that_calls_itself_complete_is_compared_with_the_count(
    change: dict[str, Change], client: Client, make_wave: Make
) -> None:
    wave = make_wave()
    wave.create()
    wave.upload()
    sent = len(wave.outcome.resubmittable)

    def without_reason(method: str, path: str, body: Any) -> Any:
        return body | {"partial_success_reason": None} if "partial_success_reason" in body else body

    change["now"] = without_reason
    with pytest.warns(CintWarning, match=rf"of the {sent} resubmitted IDs are saved"):
        snapshot = wave.resubmit()
    assert any("resubmitted IDs" in text for text in snapshot.warnings)
