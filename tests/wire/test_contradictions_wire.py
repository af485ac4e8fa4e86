"""Where the guides, the API reference and older documents disagree about the wire: what this client does.

Each test is named after its row of the facts the project was built on: `b09` is a contradiction, `a04` a fact.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from cint_nb.domain import errors
from cint_nb.wire import loop_thread
from cint_nb.wire.http import Call, Http, Idempotency
from cint_nb.wire.pages import iter_items
from tests.support.exchange import FakeExchange, error_response

FINE = httpx.Response(200, json={"fine": True})


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("repeat", list(Idempotency))
def test_b09_expired_token_is_refreshed_once_on_401_and_403(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], status: int, repeat: Idempotency
) -> None:
    """The recontact guide says 401, the authentication page 403 `authorization_error`. Rejected means not done."""
    http, exchange = connect(error_response(status, "authorization_error"), FINE)
    assert loop_thread.run(http.send(call("POST", repeat, json={"a": 1}))).json() == {"fine": True}
    assert exchange.tokens_used == ["token-1", "token-2"]
    assert [request.content for request in exchange.requests] == [b'{"a":1}'] * 2


@pytest.mark.parametrize(("status", "kind"), [(401, errors.NotAuthenticated), (403, errors.PermissionDenied)])
def test_b09_a_second_refusal_is_told_and_not_tried_again(
    connect: Callable[..., tuple[Http, FakeExchange]],
    call: Callable[..., Call],
    status: int,
    kind: type[errors.NotAuthenticated | errors.PermissionDenied],
) -> None:
    http, exchange = connect(error_response(status, "authorization_error"))
    with pytest.raises(kind):
        loop_thread.run(http.send(call()))
    assert len(exchange.requests) == len(exchange.token_requests) == 2


def test_b09_a_refusal_in_a_later_attempt_of_the_same_call_is_not_answered_by_yet_another_token(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    expired = error_response(401, "authorization_error")
    http, exchange = connect(expired, error_response(503, "busy"), expired, FINE)
    with pytest.raises(errors.NotAuthenticated):
        loop_thread.run(http.send(call()))
    assert len(exchange.token_requests) == 2


def test_a02_the_version_header_is_on_every_request_and_not_on_the_token_request(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(error_response(401, "authorization_error"), error_response(503, "busy"), FINE)
    loop_thread.run(http.send(call()))
    assert [request.headers["cint-api-version"] for request in exchange.requests] == ["2025-12-18"] * 3
    assert all("cint-api-version" not in request.headers for request in exchange.token_requests)


def test_a02_the_three_causes_of_403_are_told_apart_by_object_and_listed(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(error_response(403, "required_header_missing", "The header is missing"))
    with pytest.raises(errors.PermissionDenied, match="header is missing") as caught:
        loop_thread.run(http.send(call()))
    assert len(exchange.token_requests) == 1  # a new token would not bring the header back
    assert "Cint-API-Version" in str(caught.value.next_step)
    http, exchange = connect(error_response(403, "feature_not_enabled"))
    with pytest.raises(errors.PermissionDenied) as caught:
        loop_thread.run(http.send(call()))
    assert len(exchange.token_requests) == 1
    for cause in ("expired token", "Cint-API-Version", "right or feature"):
        assert cause in str(caught.value.next_step)


def test_a01_the_token_request_says_auth_scopes_and_its_errors_have_another_envelope(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(FINE)
    exchange.token_response = lambda _: httpx.Response(
        401, json={"error": "access_denied", "error_description": "Nope"}
    )
    with pytest.raises(errors.NotAuthenticated, match="Nope"):
        loop_thread.run(http.send(call()))
    body = json.loads(exchange.token_requests[0].content)
    assert body["auth_scopes"] == "app:api"
    assert "scope" not in body


def test_a03_a_retry_uses_the_same_idempotency_key(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(httpx.ReadTimeout("x"), error_response(503, "busy"), FINE)
    loop_thread.run(http.send(call("POST", Idempotency.KEYED, idempotency_key="one")))
    assert {request.headers["idempotency-key"] for request in exchange.requests} == {"one"}


def test_a03_a_naked_request_is_not_protected_by_a_key_it_carries(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    """B12: one page asks for a key on a draft, the guide and the reference do not know it. It is no protection."""
    http, exchange = connect(httpx.ReadTimeout("x"), FINE)
    with pytest.raises(errors.OutcomeUnknown):
        loop_thread.run(http.send(call("POST", Idempotency.NON_IDEMPOTENT, idempotency_key="one")))
    assert len(exchange.requests) == 1
    assert exchange.requests[0].headers["idempotency-key"] == "one"


def test_a03_a_stale_etag_is_given_back_for_a_new_decision(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, exchange = connect(error_response(412, "precondition_failed_error"), FINE)
    with pytest.raises(errors.PreconditionFailed):
        loop_thread.run(http.send(call("POST", Idempotency.CONDITIONAL, if_match='W/"1234"')))
    assert exchange.requests[0].headers["if-match"] == 'W/"1234"'
    assert len(exchange.requests) == 1


def test_a04_a_429_says_details_instead_of_detail(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    busy = {"object": "too_many_requests_problem_details", "details": "Slow down, please."}
    http, _ = connect(httpx.Response(429, json=busy, headers={"retry-After": "500"}))
    with pytest.raises(errors.RateLimited, match="Slow down, please"):
        loop_thread.run(http.send(call()))


def test_a04_invalid_params_come_under_our_names(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    params = [
        {"name": "ExpectedCompletes", "reason": "empty"},
        {"name": "FieldingSpecification.EndAt", "reason": "past"},
    ]
    http, _ = connect(httpx.Response(400, json={"object": "bad_request_error", "invalid_params": params}))
    with pytest.raises(errors.BadRequest) as caught:
        loop_thread.run(http.send(call()))
    assert caught.value.invalid_params == (("completes_goal", "empty"), ("end_at", "past"))


def test_a04_invalid_params_may_be_null(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    http, _ = connect(httpx.Response(400, json={"object": "bad_request_error", "detail": "x", "invalid_params": None}))
    with pytest.raises(errors.BadRequest) as caught:
        loop_thread.run(http.send(call()))
    assert caught.value.invalid_params == ()


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206, 299])
def test_b27_any_2xx_is_a_success(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], status: int
) -> None:
    """Also B21 (202 or 201 for an exclusion upload) and A4: successes are not uniform, and a body may be missing."""
    http, exchange = connect(httpx.Response(status))
    reply = loop_thread.run(http.send(call("POST", Idempotency.NON_IDEMPOTENT)))
    assert (reply.status, reply.body) == (status, b"")
    assert len(exchange.requests) == 1


@pytest.mark.parametrize("location", ["/demand/accounts/101/things/details", "https://elsewhere.invalid/details"])
def test_b23_a_301_is_not_followed_and_its_status_is_told(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], location: str
) -> None:
    """A draft that was launched answers 301: the caller asks the other address, and the token goes to no other host."""
    http, exchange = connect(httpx.Response(301, headers={"location": location}), FINE)
    with pytest.raises(errors.ApiError) as caught:
        loop_thread.run(http.send(call()))
    assert caught.value.status == 301
    assert type(caught.value) is errors.ApiError
    assert len(exchange.requests) == 1


@pytest.mark.parametrize(
    "location", ["https://api.cint.com/v1/demand/jobs/01JX", "/demand/jobs/01JX", "/v1/demand/jobs/01JX", "01JX"]
)
def test_b01_a_location_gives_the_id_in_any_of_its_shapes(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call], location: str
) -> None:
    """A9: the job of a launch comes in `Location` only, as an address, a path without `/v1`, or a bare id."""
    http, _ = connect(httpx.Response(201, headers={"location": location}))
    assert loop_thread.run(http.send(call("POST", Idempotency.KEYED))).location_id == "01JX"


def test_b05_the_page_size_is_always_asked_for_and_the_cursor_alone_ends_a_list(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    """The guide says 1–1000 with 1000 as default, the reference 1–100 with 10: 100 is right in both."""
    answers = [{"data": [1], "next_cursor": "a"}, {"data": [], "next_cursor": "b"}, {"data": [2], "next_cursor": None}]
    http, exchange = connect(*(httpx.Response(200, json=answer) for answer in answers))

    async def collect() -> list[int]:
        return [item async for item in iter_items(http, call())]

    assert loop_thread.run(collect()) == [1, 2]
    assert [request.url.params["page_size"] for request in exchange.requests] == ["100"] * 3


@pytest.mark.parametrize("path", ["recontacts/jobs/remove-all-rsids", "exclusions/jobs/upload-respondents-by-file"])
def test_b14_a_409_at_uploads_and_removals_is_a_lock(
    connect: Callable[..., tuple[Http, FakeExchange]], path: str
) -> None:
    """The guide's removal only says that "an error will be returned"; the reference says 409 for both."""
    http, exchange = connect(error_response(409, "conflict_error"))
    with pytest.raises(errors.JobAlreadyRunning):
        loop_thread.run(
            http.send(Call("remove", "POST", "/demand/target-groups/x/" + path, Idempotency.NON_IDEMPOTENT))
        )
    assert len(exchange.requests) == 1


def test_a05_retry_after_is_obeyed_wherever_it_appears(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., Call]
) -> None:
    """The reference declares it on some 429 only. Expect it on any, and without it wait all the same."""
    http, _ = connect(httpx.Response(429, headers={"retry-After": "9"}), FINE)
    loop_thread.run(http.send(call("POST", Idempotency.NON_IDEMPOTENT)))
    assert http.clock.monotonic() == pytest.approx(9)
    http, _ = connect(httpx.Response(429), FINE)
    loop_thread.run(http.send(call("POST", Idempotency.NON_IDEMPOTENT)))
    assert 0 < http.clock.monotonic() <= 0.5
