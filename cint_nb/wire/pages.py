"""Pagination: one async iterator over every paged list of the API."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, TypedDict, Unpack

from cint_nb.domain import limits
from cint_nb.domain.ids import quote_foreign
from cint_nb.wire.calls import Call, Reply
from cint_nb.wire.http import Http
from cint_nb.wire.replies.json_body import distinct
from cint_nb.wire.replies.shape import Object

_LIKE_A_CURSOR = re.compile(r"cursor|next|pag(?:e|ing|ination)|token|contin|after|more|meta|links?$", re.IGNORECASE)


class Paging(TypedDict, total=False):
    """How a list is asked for; see `iter_pages`."""

    items_key: str
    cursor_in: str
    cursor_out: str
    page_size: int | None
    max_pages: int
    complete: bool
    total_key: str | None


async def iter_items(http: Http, call: Call, **paging: Unpack[Paging]) -> AsyncIterator[Any]:
    """Iterate over the items of a list one by one; see `iter_pages` for the arguments."""
    async for items in iter_pages(http, call, **paging):
        for item in items:
            yield item


async def iter_pages(
    http: Http,
    call: Call,
    *,
    items_key: str = "data",
    cursor_in: str = "start_after",
    cursor_out: str = "next_cursor",
    page_size: int | None = limits.LIST_PAGE_SIZE,
    max_pages: int = limits.LIST_PAGES_MAX,
    complete: bool = False,
    total_key: str | None = None,
) -> AsyncIterator[list[Any]]:
    """Iterate over a list page after page.

    It ends when the cursor is null, absent or empty; a short or empty page does not end it. An absent cursor on a full
    page, or beside an undocumented key that could hold it, may mean that the list is cut, as where `has_more` says so.
    That is a warning, like a repeated cursor and too many pages. The list's own `url` is never followed. An item that
    is given twice counts once.

    Args:
        http: The client's `Http`.
        call: The request of the first page.
        items_key: Name of the items in the reply.
        cursor_in: Query parameter that takes the cursor.
        cursor_out: Name of the cursor in the reply.
        page_size: Sent as `page_size` unless the call's query has one; None sends none.
        max_pages: Pages after which to stop.
        complete: Raise, instead of warning, if the list is truncated; for checks that must miss nothing.
        total_key: Name of the number of all items: where it is 0 the list may be null, and a list that ends with fewer
            is truncated.

    Raises:
        UnexpectedReply: if a page has an undocumented form, or the list is truncated and should be complete.
        ApiError: as `Http.send`.
    """

    def stop(reply: Reply, how: str) -> None:
        if complete:
            raise reply.unexpected_reply_error(f"A list may be incomplete: {how}.")
        http.warn(f"The reply to the request to {call.operation} may be incomplete: {how}.")

    size = {} if page_size is None else {"page_size": page_size}
    query = {**size, **call.query}
    seen_items: set[str] = set()
    seen = {str(query.get(cursor_in) or "")}
    read = 0
    for _ in range(max_pages):
        reply = await http.send(replace(call, query=query))
        page = reply.json_object()
        total = page.get(total_key) if total_key is not None else None
        items = _items_of(page, items_key, total)
        if items is None:
            raise reply.unexpected_reply_error(
                f"A page of the list has no list named {items_key!r} in the reply to the request to {call.operation}."
            )
        read += len(items)
        yield distinct(items, seen_items)
        cursor = page.get(cursor_out)
        if cursor is None or not str(cursor).strip():
            if page.get("has_more") is True:
                stop(reply, f"the list says there is more ('has_more') but gives no cursor ({cursor_out!r})")
            elif isinstance(total, int) and read < total:
                stop(reply, f"{total_key!r} says {total:,} rows, but {items_key!r} held {read:,}")
            elif cursor_out not in page and (doubt := _doubt(call, page, items, query.get("page_size"))) is not None:
                stop(reply, f"the list has no {cursor_out!r}, {doubt}")
            return
        if str(cursor) in seen:
            stop(reply, f"{cursor_out} was repeated, so reading stopped")
            return
        seen.add(str(cursor))
        query = {**query, cursor_in: str(cursor)}
    stop(reply, f"reading stopped after {max_pages:,} pages")


def _items_of(page: dict[str, Any], key: str, total: Any) -> list[Any] | None:
    """Return the items of a page; None if it has no list. Null is one of none, but only beside a total of 0."""
    items = page.get(key)
    if key in page and items is None and total == 0:
        return []
    return items if isinstance(items, list) else None


def _doubt(call: Call, page: dict[str, Any], items: list[Any], page_size: Any) -> str | None:
    """Return why a page without a cursor may not be the last one; None if nothing speaks against it."""
    shape = call.reply_shape.body if call.reply_shape else None
    documented = shape.keys if isinstance(shape, Object) else {}
    other = next((name for name in page if name not in documented and _LIKE_A_CURSOR.search(name) and page[name]), None)
    if other is not None:
        return f"but an undocumented {quote_foreign(other, 40)!r} that may stand for it"
    is_full = isinstance(page_size, int) and len(items) >= page_size
    return f"and the page is full: {len(items):,} rows" if is_full and "has_more" not in page else None
