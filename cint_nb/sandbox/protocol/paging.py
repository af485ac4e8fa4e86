"""Cursors: opaque to the client, and free of respondent ids."""

from __future__ import annotations

import base64
import binascii
import contextlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from cint_nb.sandbox.protocol.messages import Request, bad_request

T = TypeVar("T")


def encode_cursor(place: str) -> str:
    """Encode a position in a list as an opaque cursor."""
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, name: str = "start_after") -> str:
    """Decode a cursor to the position in its list.

    Raises:
        ApiError: 400 for a cursor that was never issued.
    """
    place: str | None = None
    with contextlib.suppress(binascii.Error, ValueError):
        place = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    if not place or encode_cursor(place) != cursor:
        raise bad_request((name, f"'{name}' is not a cursor of this list."))
    return place


def page_of(request: Request, items: Sequence[T], place_of: Callable[[T], str]) -> tuple[list[T], str | None]:
    """Return the requested page of an ordered list with the next cursor, None at the end."""
    places = [place_of(item) for item in items]
    begin, stop = 0, len(items)
    size, after, before = (
        request.int_param("page_size"),
        request.string_param("start_after"),
        request.string_param("end_before"),
    )
    if after:
        begin = _index(places, decode_cursor(after), "start_after") + 1
    if before:
        stop = _index(places, decode_cursor(before, "end_before"), "end_before")
        begin = max(begin, stop - size)
    page = list(items[begin : min(stop, begin + size)])
    more = begin + len(page) < len(items) and bool(page)
    return page, encode_cursor(place_of(page[-1])) if more else None


def page_of_positions(request: Request, first: int, end: int, prefix: str) -> tuple[int, int, str | None]:
    """Return the requested page of numbered positions: its start, its size and the next cursor."""
    size, after, before = (
        request.int_param("page_size"),
        request.string_param("start_after"),
        request.string_param("end_before"),
    )
    begin, stop = first, end
    if after:
        begin = max(first, _position(after, prefix, "start_after") + 1)
    if before:
        stop = min(end, _position(before, prefix, "end_before"))
        begin = max(begin, stop - size)
    count = max(0, min(size, stop - begin))
    more = count > 0 and begin + count < end
    return begin, count, encode_cursor(f"{prefix}&{begin + count - 1}") if more else None


def self_link(request: Request) -> str:
    """Return the URL of this request as the exchange's lists contain it: relative, without `/v1`."""
    return request.path


def contains(text: str, part: str | None) -> bool:
    """Return whether a text contains the part that a list was filtered by, in any case; all do when it was omitted."""
    return part is None or part.lower() in text.lower()


def _index(places: list[str], place: str, name: str) -> int:
    try:
        return places.index(place)
    except ValueError:
        raise bad_request((name, f"'{name}' is not a cursor of this list.")) from None


def _position(cursor: str, prefix: str, name: str) -> int:
    begin, _, number = decode_cursor(cursor, name).rpartition("&")
    if begin != prefix or not number.isdigit() or len(number) > 12:
        raise bad_request((name, f"'{name}' is not a cursor of this list."))
    return int(number)
