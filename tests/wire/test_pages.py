from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any

import httpx
import pytest

from cint_nb.domain import errors
from cint_nb.domain.errors import CintWarning
from cint_nb.wire import loop_thread
from cint_nb.wire.calls import Call
from cint_nb.wire.http import Call as HttpCall
from cint_nb.wire.http import Http
from cint_nb.wire.pages import iter_items
from tests.support.exchange import FakeExchange


def page(*items: Any, **more: Any) -> httpx.Response:
    return httpx.Response(200, json={"data": list(items), **more})


def listed(http: Http, call: Call, **options: Any) -> list[Any]:
    async def collect() -> list[Any]:
        return [item async for item in iter_items(http, call, **options)]

    return loop_thread.run(collect())


@pytest.mark.parametrize("end", [{"next_cursor": None}, {}, {"next_cursor": ""}, {"next_cursor": "  "}])
def test_a_null_absent_or_empty_cursor_ends_a_list(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., HttpCall], end: dict[str, str | None]
) -> None:
    http, exchange = connect(page(1, 2, next_cursor="c1"), page(3, **end), page(99))
    assert listed(http, call()) == [1, 2, 3]
    assert [request.url.params.get("start_after") for request in exchange.requests] == [None, "c1"]
    assert http.warning_texts == ()


def test_a_short_or_empty_page_is_no_end(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., HttpCall]
) -> None:
    http, _ = connect(page(1, next_cursor="a"), page(next_cursor="b"), page(2))
    assert listed(http, call()) == [1, 2]


def test_a_page_without_its_items_is_not_an_empty_one(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., HttpCall]
) -> None:
    http, _ = connect(httpx.Response(200, json={}))
    with pytest.raises(errors.UnexpectedReply, match="no list named 'data'"):
        listed(http, call())


TOTAL = {"items_key": "profiles", "total_key": "total"}


def test_a_list_is_null_where_its_total_is_zero_and_missing_nowhere(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., HttpCall]
) -> None:
    null = {"profiles": None, "next_cursor": None}
    http, _ = connect(httpx.Response(200, json={"total": 0, **null}))
    assert listed(http, call(), **TOTAL) == []
    for body in ({"total": 1, **null}, {"total": 0, "next_cursor": None}, null):
        http, _ = connect(httpx.Response(200, json=body))
        with pytest.raises(errors.UnexpectedReply, match="no list named 'profiles'"):
            listed(http, call(), **TOTAL)


@pytest.mark.filterwarnings("ignore::cint_nb.errors.CintWarning")  # read from the http
@pytest.mark.parametrize("pages", [[[1]], [[1], []], [[], [1]]])
def test_a_list_that_ends_before_its_total_is_truncated(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., HttpCall], pages: list[list[int]]
) -> None:
    for total, warnings in ((1, 0), (2, 1)):
        cursors = [*map(str, range(1, len(pages))), None]
        replies = [
            httpx.Response(200, json={"total": total, "profiles": items, "next_cursor": cursor})
            for items, cursor in zip(pages, cursors, strict=True)
        ]
        http, _ = connect(*replies)
        assert listed(http, call(), **TOTAL) == [1]
        assert len(http.warning_texts) == warnings
        assert warnings == 0 or "'total' says 2 rows, but 'profiles' held 1" in http.warning_texts[0]


def test_the_has_more_of_a_list_is_not_trusted(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., HttpCall]
) -> None:
    http, _ = connect(page(1, next_cursor="a", has_more=False), page(2, has_more=False))
    assert listed(http, call()) == [1, 2]
    http, _ = connect(page(1, has_more=True))
    with pytest.warns(CintWarning, match="has_more.* gives no cursor .*next_cursor"):
        assert listed(http, call()) == [1]


def test_the_url_of_a_list_is_never_followed(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., HttpCall]
) -> None:
    http, exchange = connect(page(1, url="https://elsewhere.invalid/next", next_cursor="a"), page(2))
    assert listed(http, call()) == [1, 2]
    assert {request.url.host for request in exchange.requests} == {"sandbox.invalid"}


@pytest.mark.parametrize("cursors", [["a", "a"], ["a", "b", "a"]])
def test_a_cursor_that_comes_back_ends_the_list_with_a_warning(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., HttpCall], cursors: list[str]
) -> None:
    http, exchange = connect(*(page(number, next_cursor=cursor) for number, cursor in enumerate(cursors)))
    with pytest.warns(CintWarning, match="next_cursor was repeated"):
        assert listed(http, call()) == list(range(len(cursors)))
    assert len(exchange.requests) == len(cursors)


def test_a_cursor_one_began_with_is_no_way_on_either(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., HttpCall]
) -> None:
    http, exchange = connect(page(1, next_cursor="a"))
    with pytest.warns(CintWarning, match="next_cursor was repeated"):
        assert listed(http, call(query={"start_after": "a"})) == [1]
    assert len(exchange.requests) == 1


def test_a_list_that_never_ends_is_ended(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., HttpCall]
) -> None:
    numbers = iter(range(1_000))
    http, exchange = connect(lambda _: page(number := next(numbers), next_cursor=f"c{number}"))
    with pytest.warns(CintWarning, match="7 pages"):
        assert listed(http, call(), max_pages=7) == list(range(7))
    assert len(exchange.requests) == 7


@pytest.mark.parametrize("cut", [{"next_cursor": "a"}, {"has_more": True}, {"next_cursor": "b"}])
def test_a_list_that_must_be_whole_is_an_error_where_it_was_cut(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., HttpCall], cut: dict[str, Any]
) -> None:
    http, _ = connect(page(1, next_cursor="a"), page(2, **cut), page(3, next_cursor="c"))
    with pytest.raises(errors.UnexpectedReply, match="may be incomplete"):
        listed(http, call(), complete=True, max_pages=3)
    http, _ = connect(page(1, next_cursor="a"), page(2, next_cursor=None))
    assert listed(http, call(), complete=True, max_pages=3) == [1, 2]


def test_the_size_is_always_asked_for_unless_the_call_has_its_own(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., HttpCall]
) -> None:
    http, exchange = connect(page(1))
    listed(http, call())
    listed(http, call(query={"page_size": 50, "status": "live"}))
    listed(http, call(), page_size=None)
    assert [dict(request.url.params) for request in exchange.requests] == [
        {"page_size": "100"},
        {"page_size": "50", "status": "live"},
        {},
    ]


def test_lists_that_name_their_items_and_cursors_otherwise(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., HttpCall]
) -> None:
    http, exchange = connect(
        httpx.Response(200, json={"templates": [1], "next": "n"}), httpx.Response(200, json={"templates": [2]})
    )
    assert listed(http, call(), items_key="templates", cursor_in="after", cursor_out="next") == [1, 2]
    assert exchange.requests[1].url.params["after"] == "n"


def test_a_caller_may_stop_early_and_no_further_page_is_asked_for(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., HttpCall]
) -> None:
    http, exchange = connect(page(1, 2, next_cursor="a"), page(3))

    async def first() -> int:
        items = iter_items(http, call())
        assert isinstance(items, AsyncGenerator)
        try:
            number: int = await anext(items)
            return number
        finally:
            await items.aclose()

    assert loop_thread.run(first()) == 1
    assert len(exchange.requests) == 1


@pytest.mark.parametrize("body", [[], {"data": "x"}, {"data": {}}, 3])
def test_a_page_of_another_shape_is_an_unexpected_reply(
    connect: Callable[..., tuple[Http, FakeExchange]],
    call: Callable[..., HttpCall],
    body: dict[str, Any] | int | list[Any],
) -> None:
    http, _ = connect(httpx.Response(200, json=body))
    with pytest.raises(errors.UnexpectedReply):
        listed(http, call())


def test_a_failing_page_is_asked_again(
    connect: Callable[..., tuple[Http, FakeExchange]], call: Callable[..., HttpCall]
) -> None:
    http, exchange = connect(page(1, next_cursor="a"), httpx.ReadError("x"), page(2))
    assert listed(http, call()) == [1, 2]
    assert len(exchange.requests) == 3
