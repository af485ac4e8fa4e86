"""Wherever text of the exchange is quoted, an id in it is masked, whatever was done to its dashes and its case."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from cint_nb.api.client import AsyncClient
from cint_nb.domain.errors import CintError, UnexpectedReply
from cint_nb.domain.models import TargetGroupRef
from tests.support.constants import PROJECT
from tests.support.exchange import FakeExchange, json_response
from tests.support.id_spellings import FORMS, assert_masked

HEADER_FORMS = {name: form for name, form in FORMS.items() if form.isascii()}


def error_body(**parts: Any) -> httpx.Response:
    return httpx.Response(400, json={"object": "bad_request_error", "detail": "no", "id": "e1", **parts})


def error_with(request_id: str) -> httpx.Response:
    return httpx.Response(
        400, json={"object": "bad_request_error", "detail": "no"}, headers={"x-request-id": request_id}
    )


PLACES: dict[str, Callable[[str], httpx.Response]] = {
    "detail": lambda text: error_body(detail=text),
    "details": lambda text: error_body(detail=None, details=text),
    "object": lambda text: error_body(object=text),
    "name of a field": lambda text: error_body(invalid_params=[{"name": text, "reason": "unknown"}]),
    "reason of a field": lambda text: error_body(invalid_params=[{"name": "ids", "reason": text}]),
    "title": lambda text: error_body(title=text),
    "error id": lambda text: error_body(id=f"about {text}"),
    "error id of no document": lambda text: error_body(id=f"e-{text}"),
    "key of a reply": lambda text: httpx.Response(200, json={"id": PROJECT, "name": {text: {text: 1}}}),
    "value of a reply": lambda text: httpx.Response(200, json={"id": [text]}),
    "page": lambda text: httpx.Response(502, html=f"<h1>{text}</h1>"),
    "body that is no JSON": lambda text: httpx.Response(
        200, content=text.encode(), headers={"content-type": "application/json"}
    ),
}
HEADERS: dict[str, Callable[[str], httpx.Response]] = {
    "content type": lambda text: httpx.Response(200, content=b"no", headers={"content-type": f"{text}; json"}),
    "encoding": lambda text: httpx.Response(200, content=b"no", headers={"content-encoding": text}),
    "sunset": lambda text: httpx.Response(
        200, json={"id": PROJECT, "name": "A project"}, headers={"sunset": f"end of {text}"}
    ),
    "request id": lambda text: error_with(text),
    "request id, glued": lambda text: error_with(f"req-{text}"),
    "request id of a success": lambda text: httpx.Response(200, json=[], headers={"x-request-id": text}),
    "location": lambda text: httpx.Response(302, headers={"location": f"/v1/{text}"}),
    "retry-after": lambda text: httpx.Response(429, json={}, headers={"retry-after": text}),
}


def said(client: AsyncClient) -> str:
    """Return all that a request for a project says, whatever comes of it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            shown = repr(client.run(client.projects.get(PROJECT)))
        except CintError as error:
            shown = f"{error}\n{error.evidence}\n{getattr(error, 'invalid_params', '')}"
    shown += repr([str(warning.message) for warning in caught])
    return shown + repr(client)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.sampled
def test_an_id_in_a_body_is_masked(
    client: AsyncClient, exchange: FakeExchange, place: Callable[[str], httpx.Response], form: str
) -> None:
    exchange.on("GET", PROJECT, place(form))
    assert_masked(said(client))


@pytest.mark.parametrize("form", HEADER_FORMS.values(), ids=HEADER_FORMS)
@pytest.mark.parametrize("place", HEADERS.values(), ids=HEADERS)
@pytest.mark.sampled
def test_an_id_in_a_header_is_masked(
    client: AsyncClient, exchange: FakeExchange, place: Callable[[str], httpx.Response], form: str
) -> None:
    exchange.on("GET", PROJECT, place(form))
    assert_masked(said(client))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("field", ["status", "message", "failure_reason", "partial_success_reason"])
@pytest.mark.sampled
@pytest.mark.parametrize("nested", ["", "code", "description", "name", "reason", "detail"])
def test_an_id_in_the_status_of_a_job_is_masked(
    client: AsyncClient, exchange: FakeExchange, ref: TargetGroupRef, field: str, nested: str, form: str
) -> None:
    value: Any = {nested: form, "reasons": [{nested: form}]} if nested else form
    body = {"status": "Failed" if field != "partial_success_reason" else "Completed", field: value}
    exchange.on("GET", "J1", json_response(200, body)).on("GET", "/overview", json_response(200, {}))
    if field == "status" and nested:
        with pytest.raises(UnexpectedReply, match="status is an object") as refused:
            client.run(client.recontacts.job(ref, "J1").refresh())
        assert_masked(str(refused.value))
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        snapshot = client.run(client.recontacts.job(ref, "J1").refresh())
    assert_masked(snapshot.model_dump_json() + repr(client) + repr([str(warning.message) for warning in caught]))


@pytest.mark.parametrize("form", HEADER_FORMS.values(), ids=HEADER_FORMS)
def test_an_id_in_the_name_of_a_download_is_masked(
    client: AsyncClient, exchange: FakeExchange, ref: TargetGroupRef, form: str
) -> None:
    head = {"content-disposition": f'attachment; filename="{form}.csv"', "content-type": "text/csv"}
    exchange.on("GET", "R1/download", httpx.Response(200, content=b"id\n", headers=head))
    assert_masked(repr(client.run(client.reports.download("R1"))))
