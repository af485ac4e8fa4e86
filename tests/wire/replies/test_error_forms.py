"""An error is told for what it is, in whichever form it comes: the API's, OAuth's, a problem's, or a web page's."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from cint_nb.domain import errors
from cint_nb.wire import loop_thread
from cint_nb.wire.http import Call, Http, Idempotency
from cint_nb.wire.replies.error_body import read_error_body
from tests.support.constants import START
from tests.support.exchange import FakeExchange

PAGE = b"<!DOCTYPE html><html><body>Bad gateway of someone@example.com</body></html>"
BOTH = {("end_at", "must be later"), ("completes_goal", "must not be empty")}
FORMS: dict[str, dict[str, Any]] = {
    "the documents'": {
        "invalid_params": [
            {"name": "FieldingSpecification.EndAt", "reason": "must be later"},
            {"name": "ExpectedCompletes", "reason": "must not be empty"},
        ]
    },
    "an object": {
        "invalid_params": {"FieldingSpecification.EndAt": "must be later", "ExpectedCompletes": "must not be empty"}
    },
    "pointers": {
        "invalid_params": [
            {"pointer": "/fielding_specification/end_at", "message": "must be later"},
            {"pointer": "#/completes_goal", "message": "must not be empty"},
        ]
    },
    "a problem with errors": {
        "type": "about:blank",
        "title": "One or more validation errors occurred.",
        "status": 400,
        "errors": {"FieldingSpecification.EndAt": ["must be later"], "ExpectedCompletes": ["must not be empty"]},
    },
    "a problem with paths": {
        "title": "invalid",
        "invalid-params": [
            {"path": "$.fielding_specification.end_at", "detail": "must be later"},
            {"field": "completes_goal", "description": "must not be empty"},
        ],
    },
}


def failed(
    connect: Callable[..., tuple[Http, FakeExchange]], response: httpx.Response, method: str = "POST"
) -> tuple[errors.CintError, FakeExchange]:
    """Return the error that a reply to one request is."""
    http, exchange = connect(response)
    kind = Idempotency.SAFE if method == "GET" else Idempotency.NON_IDEMPOTENT
    with pytest.raises(errors.CintError) as caught:
        loop_thread.run(http.send(Call("upload a thing", method, "/things", kind)))
    return caught.value, exchange


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_fields_are_named_in_every_form(
    connect: Callable[..., tuple[Http, FakeExchange]], form: dict[str, Any]
) -> None:
    error, _ = failed(connect, httpx.Response(400, json=form))
    assert isinstance(error, errors.BadRequest)
    assert set(error.invalid_params) == BOTH
    assert "completes_goal: must not be empty" in str(error)


def test_a_problem_says_its_detail_or_its_title() -> None:
    problem = {"type": "about:blank", "title": "Not that way", "detail": "the goal is too high"}
    assert read_error_body(json.dumps(problem).encode()).detail == "the goal is too high"
    del problem["detail"]
    assert read_error_body(json.dumps(problem).encode()).detail == "Not that way"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("kind", ["text/html", "application/json", ""])
@pytest.mark.parametrize("status", [400, 403, 404, 413, 500, 502])
def test_a_web_page_is_not_the_exchange(
    connect: Callable[..., tuple[Http, FakeExchange]], status: int, kind: str, method: str
) -> None:
    error, exchange = failed(connect, httpx.Response(status, content=PAGE, headers={"content-type": kind}), method)
    assert error.what == f"A web page answered the request to upload a thing, not the exchange; its status is {status}."
    assert "cint-nb doctor" in str(error.next_step)
    assert "example.com" not in str(error)
    if method == "POST":
        assert "unknown" in str(error.safe)
        assert len(exchange.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_a_web_page_may_have_replaced_the_reply_to_a_request_that_acted(
    connect: Callable[..., tuple[Http, FakeExchange]], status: int
) -> None:
    http, exchange = connect(httpx.Response(status, content=PAGE), httpx.Response(200, json={}), mode="live")
    with pytest.raises(errors.ServerError, match="A web page answered"):
        loop_thread.run(http.send(Call("make a thing", "POST", "/things", Idempotency.NON_IDEMPOTENT)))
    assert len(exchange.requests) == 1  # with a new token it could make a second thing
    loop_thread.run(http.send(Call("make a thing", "POST", "/things", Idempotency.KEYED, idempotency_key="key")))


@pytest.mark.parametrize("status", [413, 425, 429])
def test_a_page_for_what_was_stopped_on_its_way_keeps_its_class(
    connect: Callable[..., tuple[Http, FakeExchange]], status: int
) -> None:
    error, _ = failed(connect, httpx.Response(status, content=PAGE), "POST")
    assert type(error) is errors.error_class_for_status(status)


def test_a_success_that_is_a_web_page_is_not_the_exchange(connect: Callable[..., tuple[Http, FakeExchange]]) -> None:
    error, exchange = failed(connect, httpx.Response(200, content=PAGE, headers={"content-type": "text/html"}))
    assert isinstance(error, errors.UnexpectedReply)
    assert "A web page answered the request to upload a thing, not the exchange" in error.what
    assert len(exchange.requests) == 1


def test_an_empty_reply_of_a_gateway_says_so(connect: Callable[..., tuple[Http, FakeExchange]]) -> None:
    error, _ = failed(connect, httpx.Response(502))
    assert isinstance(error, errors.ServerError)
    assert "a gateway before it gave the status 502 and no reason" in error.what


@pytest.mark.parametrize(
    ("status", "kind", "safe"),
    [
        (408, errors.ServerError, "unknown"),
        (423, errors.Conflict, "nothing was changed"),
        (425, errors.RateLimited, "nothing was changed"),
    ],
)
def test_rare_statuses_have_their_class_and_are_not_sent_twice(
    connect: Callable[..., tuple[Http, FakeExchange]], status: int, kind: type[errors.ApiError], safe: str
) -> None:
    error, exchange = failed(connect, httpx.Response(status, json={"object": "some_error", "detail": "no"}))
    assert type(error) is kind
    assert safe in str(error.safe)
    assert error.next_step
    assert len(exchange.requests) == 1


@pytest.mark.parametrize("status", [408, 425])
def test_a_read_is_repeated_after_them(connect: Callable[..., tuple[Http, FakeExchange]], status: int) -> None:
    http, exchange = connect(httpx.Response(status), httpx.Response(200, json={}))
    loop_thread.run(http.send(Call("read a thing", "GET", "/things", Idempotency.SAFE)))
    assert len(exchange.requests) == 2


@pytest.mark.parametrize("status", [400, 401])
def test_wrong_credentials_are_named_as_such(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], status: int
) -> None:
    http, exchange = connect(mode="live", client_secret="not-a-secret")
    body = {"error": "invalid_client", "error_description": "Client authentication failed"}
    exchange.token_response = lambda _: httpx.Response(status, json=body)
    with pytest.raises(errors.NotAuthenticated, match="CINT_NB_CLIENT_SECRET"):
        loop_thread.run(http.send(call()))
    assert exchange.requests == []


@pytest.mark.parametrize("kind", ["text/html", "application/json"])
@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 503])
def test_a_web_page_at_the_token_address_says_nothing_about_the_credentials(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], status: int, kind: str
) -> None:
    http, exchange = connect(mode="live", client_secret="not-a-secret")
    exchange.token_response = lambda _: httpx.Response(status, content=PAGE, headers={"content-type": kind})
    with pytest.raises(errors.NotSent) as caught:
        loop_thread.run(http.send(call()))
    assert "CINT_NB_CLIENT" not in str(caught.value)
    assert "cint-nb doctor" in str(caught.value.next_step)
    assert "CINT_NB_TOKEN_URL" in str(caught.value.next_step)
    assert exchange.requests == []


@pytest.mark.parametrize("ahead", [timedelta(hours=-3), timedelta(0), timedelta(days=400)])
def test_a_date_to_retry_after_is_measured_by_the_clock_that_wrote_it(
    connect: Callable[..., tuple[Http, FakeExchange]], ahead: timedelta
) -> None:
    theirs = START + ahead
    headers = {
        "date": format_datetime(theirs, usegmt=True),
        "retry-after": format_datetime(theirs + timedelta(seconds=600), usegmt=True),
    }
    error, _ = failed(connect, httpx.Response(429, headers=headers))
    assert error.evidence["retry_after_seconds"] == 600
