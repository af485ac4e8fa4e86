"""A success is compared with what its operation declares, in one place, before anything reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from cint_nb.domain.errors import CintWarning, UnexpectedReply
from cint_nb.domain.ids import synthetic_id
from cint_nb.wire import loop_thread
from cint_nb.wire.calls import Call
from cint_nb.wire.http import Http
from cint_nb.wire.replies import shape
from cint_nb.wire.replies.shape import (
    Either,
    Kind,
    Object,
    ReplyShape,
    Rows,
    deviations,
    expected,
    needed,
    optional,
    spare,
)
from cint_nb.wire.retry_policy import Idempotency
from tests.support.exchange import FakeExchange

ROWS = Rows(Object({"at": needed(Kind.MOMENT)}))
SHAPE = ReplyShape(Object({"id": needed(Kind.ID), "rate": expected(Kind.RATE), "rows": optional(ROWS)}))
GOOD: dict[str, Any] = {"id": "R1", "rate": 0.5, "rows": [{"at": "2026-09-01T08:00:00Z"}]}
PERSON = synthetic_id("shape", 2)
NEVER = ("0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z")
"""What programs write for a time that is not given."""
WRONG_VALUES: dict[Kind, tuple[Any, ...]] = {
    Kind.TEXT: (True, [], {}),
    Kind.ID: ("../x", "a b", "a/b", "é", 5, "x" * 129),
    Kind.RESPONDENT: (
        "urn:uuid:" + PERSON,
        PERSON[:-1],
        PERSON.replace("-", ""),
        "9b523227****",
        *(f"{PERSON}{sign}{synthetic_id('shape', 3)}" for sign in ("\n", "\r\n", ",", " ", "")),
        "",
        5,
        {"rsid": PERSON},
    ),
    Kind.NUMBER: ("1", True, [], -1.5, 2**53),
    Kind.COUNT: ("5", -1, 1.5, True, {}, 10**30),
    Kind.RATE: ("0.5", 1.01, -0.1, True),
    Kind.FLAG: ("true", 1, 0),
    Kind.MOMENT: ("2026-09-01T08:00:00", "2026-09-01", "tomorrow", 1_790_000_000, *NEVER),
    Kind.DECIMAL: ("two", "NaN", "", True, [], "-2.75", "1e30"),
    Kind.CURRENCY: ("978", "EURO", "\u20ac", "", 978, {"code": "EUR"}),
}
RIGHT_VALUES: dict[Kind, tuple[Any, ...]] = {
    Kind.TEXT: ("x", 5),
    Kind.ID: ("01BTGNYV6HRNK8K8VKZASZCFP1", "b551326b-ac9d-4d32"),
    Kind.RESPONDENT: (PERSON, PERSON.upper(), f"{{{PERSON}}}"),
    Kind.NUMBER: (0, 1.5),
    Kind.COUNT: (0, 5, 150.0),
    Kind.RATE: (0, 1, 0.25),
    Kind.FLAG: (True, False),
    Kind.MOMENT: ("2026-09-01T08:00:00Z", "2026-09-01T08:00:00.000+02:00"),
    Kind.DECIMAL: ("2.7352", 3, "1E+2"),
    Kind.CURRENCY: ("EUR", "eur"),
    Kind.ANY: (None, [], "x"),
}


def test_a_value_is_proved_to_be_right_only_where_the_comparison_finds_nothing() -> None:
    values = [value for table in (WRONG_VALUES, RIGHT_VALUES) for values in table.values() for value in values]
    for kind in Kind:
        for declared, of in (
            (Rows(kind), lambda value: [value]),
            (Rows(kind), lambda value: [value, value]),
            (Object({"key": needed(kind)}), lambda value: {"key": value}),
            (Object({"key": spare(kind)}), lambda value: {"key": value}),
            (Object({"key": optional(kind)}), lambda value: {"other_key": value}),
            (Object({"key": optional(kind), "more": optional(kind)}), lambda value: {"more": value, "the_key": 1}),
            (Rows(Object({"key": expected(kind)})), lambda value: [{"key": value}, {"key": value, "more": 1}]),
            (Either((Rows(kind), kind)), lambda value: value),
        ):
            for value in (*values, None, "", " ", 1e300, float(2**53)):
                body = of(value)
                slow = list(shape._compare(declared, body, ""))
                assert not (shape._proof_of(declared)(body) and slow), (kind, body)
                assert deviations(declared, body) == list(dict.fromkeys(slow)), (kind, body)


@pytest.mark.parametrize(
    ("kind", "value"), [(kind, value) for kind, values in WRONG_VALUES.items() for value in values]
)
def test_a_value_of_the_wrong_type_is_refused_and_never_quoted(kind: Kind, value: Any) -> None:
    (found,) = deviations(Rows(kind), [value])
    assert found.is_refused
    assert found.key == "[]"
    assert repr(value) not in found.problem or value in (True, 1, 0)


@pytest.mark.parametrize(
    ("kind", "value"), [(kind, value) for kind, values in RIGHT_VALUES.items() for value in values]
)
def test_a_value_of_the_right_type_is_quiet(kind: Kind, value: Any) -> None:
    assert deviations(Object({"key": optional(kind)}), {"key": value}) == []


@pytest.mark.parametrize(
    ("kind", "value"), [(kind, value) for kind, values in WRONG_VALUES.items() for value in (*values, None)]
)
def test_a_spare_value_of_the_wrong_type_is_a_warning(kind: Kind, value: Any) -> None:
    (found,) = deviations(Object({"key": spare(kind)}), {"key": value})
    assert (found.key, found.is_refused) == ("key", False)


def test_every_kind_is_tried() -> None:
    assert set(RIGHT_VALUES) == set(Kind)
    assert set(WRONG_VALUES) == set(Kind) - {Kind.ANY}


@pytest.mark.parametrize("absent", [{}, {"key": None}, {"key": ""}])
def test_absent_is_refused_warned_or_quiet_as_declared(absent: dict[str, Any]) -> None:
    found = [deviations(Object({"key": declare(Kind.TEXT)}), absent) for declare in (needed, expected, optional)]
    assert [[each.is_refused for each in one] for one in found] == [[True], [False], []]


def test_a_choice_is_compared_with_the_shape_of_its_type() -> None:
    choice = Either((Rows(Kind.ID), Object({"data": needed(Rows(Kind.ID))})))
    assert deviations(choice, ["a"]) == deviations(choice, {"data": ["a"]}) == []
    assert [each.key for each in deviations(choice, {})] == ["data"]
    assert [each.problem for each in deviations(choice, "x")] == ["is a text, not a list"]


def send(
    connect: Callable[..., tuple[Http, FakeExchange]], response: httpx.Response, method: str = "GET"
) -> tuple[Http, FakeExchange, str]:
    """Return the client and what it said about one reply."""
    idempotency = Idempotency.SAFE if method == "GET" else Idempotency.NON_IDEMPOTENT
    http, exchange = connect(response)
    try:
        loop_thread.run(http.send(Call("do a thing", method, "/things", idempotency, reply_shape=SHAPE)))
    except UnexpectedReply as error:
        return http, exchange, str(error)
    return http, exchange, ""


def test_the_reply_as_declared_is_quiet(connect: Callable[..., tuple[Http, FakeExchange]]) -> None:
    http, _, said = send(connect, httpx.Response(200, json={**GOOD, "unheard_of": [1]}))
    assert (said, http.warning_texts) == ("", ())


REFUSED: dict[str, tuple[Any, str]] = {
    "a needed key renamed": ({"ID": "R1", "rate": 0.5}, "id is missing"),
    "nested": ({"thing": GOOD}, "the body has its keys below 'thing'"),
    "a list": ([GOOD], "the body is a list, not an object"),
    "a naive date in a row": (
        {**GOOD, "rows": [{"at": "2026-09-01T08:00:00"}]},
        "rows[].at is a time without its zone",
    ),
    "an error": ({"object": "conflict_error", "detail": "locked"}, "is an error ('object'): locked"),
    "an error beside the keys": ({**GOOD, "object": "x_error", "detail": "no"}, "is an error ('object')"),
    "a problem": ({"type": "about:blank", "title": "Bad", "status": 400}, "is an error ('title'): Bad"),
    "an OAuth error": ({"error": "invalid_client", "error_description": "x"}, "is an error ('error')"),
}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("body", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_used_is_refused_once_and_said_twice(
    connect: Callable[..., tuple[Http, FakeExchange]], body: Any, words: str, method: str
) -> None:
    http, exchange, said = send(connect, httpx.Response(200, json=body), method)
    assert words in said
    assert "do a thing" in said
    assert len(exchange.requests) == 1
    assert [words in warning for warning in http.warning_texts] == [True]
    assert ("nothing was changed" in said) is (method == "GET")
    assert ("may have taken effect" in said) is (method == "POST")


def test_an_empty_reply_is_refused(connect: Callable[..., tuple[Http, FakeExchange]]) -> None:
    assert "do a thing is empty" in send(connect, httpx.Response(200))[2]


def test_what_is_merely_expected_is_a_warning(connect: Callable[..., tuple[Http, FakeExchange]]) -> None:
    text = "The reply to the request to do a thing is not as documented: rate is missing"
    with pytest.warns(CintWarning, match=text):
        http, _, said = send(connect, httpx.Response(200, json={"id": "R1"}))
    assert said == ""
    assert http.warning_texts == (f"{text}.",)


def test_an_id_of_a_person_in_a_reply_is_not_quoted(connect: Callable[..., tuple[Http, FakeExchange]]) -> None:
    person = synthetic_id("shape", 1)
    for body in ({"id": [person]}, {"id": "x/" + person}, {"object": "error", "detail": person}):
        http, _, said = send(connect, httpx.Response(200, json=body))
        assert person not in said + repr(http.warning_texts)


COST = Object({"value": optional(Kind.DECIMAL)})
VISITS = Object(
    {
        "first_complete": optional(Kind.MOMENT),
        "completes_cost": optional(COST),
        "created_at": optional(Kind.MOMENT),
        "live_url": optional(Kind.TEXT),
    }
)
IN_ITS_PLACE = {
    "first_complete": ("firstComplete", "FirstComplete", "first-complete", "FIRST_COMPLETE", "first_complete_at"),
    "completes_cost": ("completesCost", "cost", "total_completes_cost"),
    "created_at": ("created_date", "createdAt", "at"),
    "live_url": ("survey_url", "liveUrl"),
}
VISITED: dict[str, Any] = {
    "first_complete": "2026-09-01T08:00:00Z",
    "completes_cost": {"value": "5"},
    "created_at": "2026-09-01T08:00:00Z",
    "live_url": "https://survey.example/",
}


@pytest.mark.parametrize(("key", "other"), [(key, other) for key, others in IN_ITS_PLACE.items() for other in others])
def test_a_key_under_another_name_is_told_however_optional_it_is(key: str, other: str) -> None:
    renamed = {(other if name == key else name): value for name, value in VISITED.items()}
    (found,) = deviations(VISITS, renamed)
    assert str(found) == f"{key} is missing, and an undocumented {other!r} may stand for it"
    assert not found.is_refused


@pytest.mark.parametrize("key", VISITED)
def test_a_key_that_moved_into_an_object_is_told(key: str) -> None:
    moved = {name: value for name, value in VISITED.items() if name != key} | {"more": {key: VISITED[key]}}
    assert [str(each) for each in deviations(VISITS, moved)] == [
        f"{key} is missing, and an undocumented 'more' may stand for it"
    ]


@pytest.mark.parametrize(
    "other", ["links", "beta", "url_of_a_survey_that_is_elsewhere", "completion_lately", "currency"]
)
@pytest.mark.parametrize("value", ["x", {"href": "/"}, None])
def test_a_new_key_beside_an_absent_one_is_quiet(other: str, value: Any) -> None:
    assert deviations(VISITS, {"live_url": "https://survey.example/", other: value}) == []


def test_a_row_of_another_kind_is_told_and_an_empty_one_is_not() -> None:
    rows = Rows(Object({"id": optional(Kind.TEXT), "changes": optional(Rows(Object({})))}))
    assert deviations(rows, [{"id": "1"}, {}, {"changes": []}]) == []
    assert [str(each) for each in deviations(rows, [{"id": "1"}, {"kind": "advert"}])] == [
        "[] has none of the documented keys"
    ]
