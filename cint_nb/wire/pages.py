"""Pagination: one async iterator over every paged list of the API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from cint_nb.domain import limits
from cint_nb.wire.calls import Call, Reply
from cint_nb.wire.http import Http


async def iter_items(
    http: Http,
    call: Call,
    *,
    items_key: str = "data",
    cursor_in: str = "start_after",
    cursor_out: str = "next_cursor",
    page_size: int | None = limits.LIST_PAGE_SIZE,
    max_pages: int = limits.LIST_PAGES_MAX,
    complete: bool = False,
) -> AsyncIterator[Any]:
    """Iterate over the items of a list one by one; see `iter_pages` for the arguments."""
    async for items in iter_pages(
        http,
        call,
        items_key=items_key,
        cursor_in=cursor_in,
        cursor_out=cursor_out,
        page_size=page_size,
        max_pages=max_pages,
        complete=complete,
    ):
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
) -> AsyncIterator[list[Any]]:
    """Iterate over a list page after page.

    It ends when the cursor is null, absent or empty; a short or empty page does not end it. The list's own `url` is
    never followed, and its `has_more` is not trusted. A repeated cursor, or too many pages, ends it with a warning.

    Args:
        http: The client's `Http`.
        call: The request of the first page.
        items_key: Name of the items in the reply; a page without it is empty.
        cursor_in: Query parameter that takes the cursor.
        cursor_out: Name of the cursor in the reply.
        page_size: Sent as `page_size` unless the call's query has one; None sends none.
        max_pages: Pages after which to stop.
        complete: Raise, instead of warning, if the list is truncated; for checks that must miss nothing.

    Raises:
        UnexpectedReply: if a page has an undocumented form, or the list is truncated and should be complete.
        ApiError: as `Http.send`.
    """

    def stop(reply: Reply, how: str) -> None:
        if complete:
            raise reply.unexpected_reply_error(f"A list may be incomplete: {how}.")
        http.warn(f"The reply to {call.operation!r} may be incomplete: {how}.")

    size = {} if page_size is None else {"page_size": page_size}
    query = {**size, **call.query}
    seen = {str(query.get(cursor_in) or "")}
    for _ in range(max_pages):
        reply = await http.send(replace(call, query=query))
        page = reply.json_object()
        items = page.get(items_key)
        if items is not None and not isinstance(items, list):
            raise reply.unexpected_reply_error(f"A page of the list has no list named {items_key!r}.")
        yield items or []
        cursor = page.get(cursor_out)
        if cursor is None or not str(cursor).strip():
            if page.get("has_more") is True:
                stop(reply, f"has_more is true, but {cursor_out} gives no cursor")
            return
        if str(cursor) in seen:
            stop(reply, f"{cursor_out} was repeated, so reading stopped")
            return
        seen.add(str(cursor))
        query = {**query, cursor_in: str(cursor)}
    stop(reply, f"reading stopped after {max_pages:,} pages")
