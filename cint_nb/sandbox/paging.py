"""Cursors: opaque to the client, and without any respondent id in them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from cint_nb.sandbox.messages import Ask, invalid

T = TypeVar("T")


def write_cursor(place: str) -> str:
    """Wrap a place in a list as an opaque cursor."""
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def read_cursor(cursor: str, name: str = "start_after") -> str:
    """Return the place of a cursor.

    Raises:
        Refusal: 400 for a cursor that was never given out.
    """
    try:
        place = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        place = ""
    if not place or write_cursor(place) != cursor:
        raise invalid((name, f"'{name}' is not a cursor of this list."))
    return place


def cut(ask: Ask, items: Sequence[T], place_of: Callable[[T], str]) -> tuple[list[T], str | None]:
    """Cut the page a request asks for out of a list in order; return it with the next cursor, None at the end."""
    places = [place_of(item) for item in items]
    begin, stop = 0, len(items)
    if ask.values.get("start_after"):
        begin = _index(places, read_cursor(ask.values["start_after"]), "start_after") + 1
    if ask.values.get("end_before"):
        stop = _index(places, read_cursor(ask.values["end_before"], "end_before"), "end_before")
        begin = max(begin, stop - ask.values["page_size"])
    page = list(items[begin : min(stop, begin + ask.values["page_size"])])
    more = begin + len(page) < len(items) and bool(page)
    return page, write_cursor(place_of(page[-1])) if more else None


def cut_positions(ask: Ask, first: int, end: int, prefix: str) -> tuple[int, int, str | None]:
    """Cut a page out of numbered positions; return its begin, its size and the next cursor."""
    size = ask.values["page_size"]
    begin, stop = first, end
    if ask.values.get("start_after"):
        begin = max(first, _position(ask.values["start_after"], prefix, "start_after") + 1)
    if ask.values.get("end_before"):
        stop = min(end, _position(ask.values["end_before"], prefix, "end_before"))
        begin = max(begin, stop - size)
    count = max(0, min(size, stop - begin))
    more = count > 0 and begin + count < end
    return begin, count, write_cursor(f"{prefix}&{begin + count - 1}") if more else None


def here(ask: Ask) -> str:
    """Return the address of this request as the exchange's lists tell it: relative, without `/v1`."""
    return ask.path


def listed(key: str, items: list[Any], cursor: str | None) -> dict[str, Any]:
    """Write a list reply whose last page has no cursor."""
    return {key: items, "next_cursor": cursor}


def _index(places: list[str], place: str, name: str) -> int:
    try:
        return places.index(place)
    except ValueError:
        raise invalid((name, f"'{name}' is not a cursor of this list.")) from None


def _position(cursor: str, prefix: str, name: str) -> int:
    begin, _, number = read_cursor(cursor, name).rpartition("&")
    if begin != prefix or not number.isdigit() or len(number) > 12:
        raise invalid((name, f"'{name}' is not a cursor of this list."))
    return int(number)
