"""No spelling of an id enters a recording, wherever the exchange writes it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from cint_nb.domain.ids import synthetic_id
from cint_nb.wire import loop_thread
from cint_nb.wire.recording.scrub import REMOVED, Scrubber, find_leaks
from cint_nb.wire.recording.transports import RecordingTransport
from tests.support.id_spellings import FORMS, ID, assert_masked

HALVES_ALONE = {"half without dashes", "in two halves without dashes"}
"""Sixteen digits alone may be a digest: they are half an id where the id itself was seen before."""


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("source", ["live", "sandbox"])
@pytest.mark.parametrize("form", FORMS)
def test_no_spelling_of_an_id_is_left_in_a_text(form: str, source: str) -> None:
    scrubber = Scrubber("seed", source)
    scrubber.scrub_value({"data": [ID]})
    assert_masked(scrubber.scrub_text(FORMS[form]))


@pytest.mark.parametrize("form", FORMS)
def test_a_spelling_that_was_not_removed_would_be_found(form: str) -> None:
    plain_digits = form in HALVES_ALONE or "without dashes" in form or "glued" in form or "list's field" in form
    assert bool(find_leaks(json.dumps({"detail": FORMS[form]}, ensure_ascii=False))) is not plain_digits


@pytest.mark.parametrize(
    "text",
    [
        synthetic_id("a", 1),
        synthetic_id("a", 1).upper(),
        "SF-BirthGender-Quota-1",
        "20261128-2155",
        "00-" + "a1" * 16 + "-" + "b2" * 8 + "-01",
        "list.0123456789abcdef.b0.c1.csv",
    ],
)
def test_what_is_nobodys_stays(text: str) -> None:
    scrubber = Scrubber("seed", "sandbox")
    if "a1a1" not in text:  # a trace id stands in a header of its own
        assert scrubber.scrub_text(text) == text
    assert find_leaks(text) == []


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("form", [name for name in FORMS if FORMS[name].isascii()])
def test_no_spelling_is_left_in_the_file_of_a_recording(tmp_path: Path, form: str) -> None:
    spelled = FORMS[form]
    name = spelled.replace("/", "_").replace(" ", "_")

    async def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            400,
            headers={"x-request-id": spelled, "location": f"/v1/{name}", "content-disposition": f"filename={spelled}"},
            json={
                "detail": spelled,
                "invalid_params": [{"name": spelled, "reason": spelled}],
                "message": [ID],
                spelled: 1,
            },
        )

    path = tmp_path / "calls.jsonl"
    transport = RecordingTransport(
        httpx.MockTransport(answer), path, source="live", clock_start=datetime(2026, 1, 1, tzinfo=UTC), seed="s"
    )
    request: Any = httpx.Request(
        "POST", f"https://x.invalid/v1/demand/accounts/5/{name}", params={"search": spelled}, json={"name": spelled}
    )
    loop_thread.run(transport.handle_async_request(httpx.Request("GET", "https://x.invalid/v1/a", params={"id": ID})))
    loop_thread.run(transport.handle_async_request(request))
    assert_masked(path.read_text(encoding="utf-8"))
    assert path.stat().st_mode & 0o777 == 0o600
    assert REMOVED in path.read_text(encoding="utf-8") or "8c17" in path.read_text(encoding="utf-8")
