from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import httpx
import pytest
from hypothesis import given

from cint_nb.domain.errors import InputError, UnexpectedReply
from cint_nb.wire.calls import Call, Reply, make_reply
from cint_nb.wire.retry_policy import Idempotency
from tests.support.strategies import any_text

TEMPLATE = "/demand/accounts/{account_id}/projects/{project_id}"


def call(**parts: Any) -> Call:
    return Call("read the project", "GET", TEMPLATE, Idempotency.SAFE, **parts)


def reply(body: bytes = b"", status: int = 200, **headers: str) -> Reply:
    return make_reply(
        call(), status, httpx.Headers({key.replace("_", "-"): text for key, text in headers.items()}), body
    )


def test_the_account_comes_from_the_settings_unless_the_path_names_one() -> None:
    assert call(path={"project_id": "01J"}).url_path(101) == "/demand/accounts/101/projects/01J"
    assert call(path={"project_id": "01J", "account_id": 5}).url_path(101) == "/demand/accounts/5/projects/01J"


@pytest.mark.parametrize(
    "value", ["", "..", ".", "a/b", "a?b", "a#b", "%2e", "a b", "ä", "１", "a\n", "x" * 129, "https:"]
)
def test_a_path_value_cannot_change_the_address(value: str) -> None:
    with pytest.raises(InputError, match="project_id") as caught:
        call(path={"project_id": value}).url_path(101)
    assert "nothing was sent" in str(caught.value)


@given(any_text(20))
def test_whatever_stands_in_a_path_the_address_keeps_its_shape(value: str) -> None:
    try:
        address = call(path={"project_id": value}).url_path(101)
    except InputError:
        return
    assert address.count("/") == TEMPLATE.count("/")
    assert httpx.URL("https://api.invalid" + address).path == address


def test_a_missing_path_value_is_named() -> None:
    with pytest.raises(InputError, match="account_id"):
        call(path={"project_id": "01J"}).url_path(None)
    with pytest.raises(InputError, match="project_id"):
        call().url_path(101)


def test_the_query_leaves_none_out_repeats_lists_and_writes_values_as_the_api_does() -> None:
    class Kind(StrEnum):
        RSID = "RSID"

    query = {
        "entity_type": Kind.RSID,
        "status": ["live", "paused"],
        "page_size": 100,
        "archived": False,
        "start_after": None,
        "since": datetime(2026, 9, 1, tzinfo=UTC),
        "none": [],
    }
    assert call(query=query).query_pairs() == (
        ("entity_type", "RSID"),
        ("status", "live"),
        ("status", "paused"),
        ("page_size", "100"),
        ("archived", "false"),
        ("since", "2026-09-01T00:00:00.000Z"),
    )


def test_a_call_shows_no_values() -> None:
    shown = repr(
        call(path={"project_id": "01SECRET"}, json={"a": "01SECRET"}, file=("f", b"01SECRET"), query={"a": "01SECRET"})
    )
    assert "01SECRET" not in shown


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("https://api.cint.com/v1/demand/jobs/01J", "01J"),
        ("/demand/jobs/01J", "01J"),
        ("/demand/jobs/01J/", "01J"),
        ("/demand/jobs/01J?x=1", "01J"),
        ("01J", "01J"),
        ("", None),
        ("/demand/jobs/..", None),
    ],
)
def test_a_location_may_be_an_address_a_path_or_a_bare_id(location: str, expected: str | None) -> None:
    assert reply(location=location).location_id == expected
    assert reply().location_id is None


def test_the_etag_is_kept_as_it_came() -> None:
    assert reply(etag='W/"1234"').etag == 'W/"1234"'
    assert reply().etag is None


def test_support_gets_the_ids_of_the_reply() -> None:
    traced = reply(traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01")
    assert traced.trace_id == traced.request_id == "a" * 32
    assert reply(traceparent="nonsense").trace_id is None
    assert reply(x_request_id="abc").request_id == "abc"


@pytest.mark.parametrize("body", [b"", b"<html>busy</html>", b'{"data": [', b"\xff\xfe", b"null,"])
def test_garbage_is_an_unexpected_reply_that_keeps_the_body_and_does_not_print_it(body: bytes) -> None:
    with pytest.raises(UnexpectedReply) as caught:
        reply(body).json()
    assert caught.value.body == body
    assert "busy" not in str(caught.value)
    assert caught.value.status == 200


def test_another_shape_than_an_object_is_an_unexpected_reply() -> None:
    assert reply(b"[1]").json() == [1]
    with pytest.raises(UnexpectedReply):
        reply(b"[1]").json_object()
    assert reply(b'{"a": 1}').json_object() == {"a": 1}
