"""Reading a reply with a limit, so that no answer, however packed, can fill the memory."""

from __future__ import annotations

import zlib

import httpx

_STATUSES_WITHOUT_BODY = (204, 304)
"""Replies that have no body, even if they name a length: stock servers do."""


class BodyTooLarge(Exception):
    """A body exceeded its limit; `read` bytes were read."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"the body is larger than {limit:,} bytes")


class BodyUnreadable(Exception):
    """A body has an unexpected encoding, or is damaged."""


async def read_body(response: httpx.Response, limit: int, *, truncate: bool = False) -> bytes:
    """Read at most `limit` bytes of a streamed response.

    We ask for unpacked bodies; one that comes packed anyway is unpacked step by step within the same limit.

    Args:
        response: Opened with `stream=True`.
        limit: Bytes, unpacked.
        truncate: Return the beginning of a longer body instead of failing; for error replies.

    Raises:
        TooLarge: if the body goes on after the limit.
        Unreadable: if it is packed otherwise than gzip or deflate, damaged, or shorter than announced.
    """
    if response.is_stream_consumed:  # a transport in this process handed over a finished reply
        if len(response.content) > limit and not truncate:
            raise BodyTooLarge(limit)
        return response.content[:limit]
    if response.is_closed:  # nobody can read it any more
        return b""
    packing = response.headers.get("content-encoding", "identity").strip().lower()
    if packing not in {"", "identity", "gzip", "deflate"}:
        raise BodyUnreadable(f"the body is packed as {packing[:20]!r}, which was not asked for")
    unpacker = zlib.decompressobj(wbits=47) if packing in {"gzip", "deflate"} else None
    body, arrived = bytearray(), 0
    async for piece in response.aiter_raw():
        arrived += len(piece)
        body += piece if unpacker is None else _decompress(unpacker, piece, limit + 1 - len(body))
        if len(body) > limit:
            if truncate:
                return bytes(body[:limit])
            raise BodyTooLarge(limit)
    _check_complete(response, arrived, unpacker)
    return bytes(body)


def _decompress(unpacker: zlib._Decompress, piece: bytes, room: int) -> bytes:
    try:
        return unpacker.decompress(piece, max(1, room))
    except zlib.error:
        raise BodyUnreadable("the packed body is damaged") from None


def _check_complete(response: httpx.Response, arrived: int, unpacker: zlib._Decompress | None) -> None:
    announced = response.headers.get("content-length", "")
    bodiless = response.request.method == "HEAD" or response.status_code in _STATUSES_WITHOUT_BODY
    if announced.isdecimal() and arrived < int(announced) and not bodiless:
        raise BodyUnreadable(f"the body ended after {arrived:,} of {int(announced):,} bytes")
    if unpacker is not None and arrived and not unpacker.eof:
        raise BodyUnreadable("the packed body ended too early")
