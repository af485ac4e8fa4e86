"""Reading response bodies up to a size limit, compressed ones included, so that none can fill the memory."""

from __future__ import annotations

import zlib

import httpx

from cint_nb.domain.ids import quote_foreign

_STATUSES_WITHOUT_BODY = (204, 304)
"""Replies without a body even if they announce a length, as common servers do."""


class BodyTooLarge(Exception):
    """A body exceeded its limit; `read` bytes were read."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"the body is larger than {limit:,} bytes")


class BodyUnreadable(Exception):
    """A body has an unexpected encoding, or is damaged."""


async def read_body(response: httpx.Response, limit: int, *, truncate: bool = False) -> bytes:
    """Read at most `limit` bytes of a streamed response.

    We ask for uncompressed bodies; one that is compressed anyway is decompressed piece by piece within the same limit.

    Args:
        response: Opened with `stream=True`.
        limit: Bytes, decompressed.
        truncate: Return the beginning of a longer body instead of failing; for error replies.

    Raises:
        BodyTooLarge: if the body exceeds the limit.
        BodyUnreadable: if it has an encoding other than gzip or deflate, is corrupt, or is shorter than announced.
    """
    if response.is_stream_consumed:  # a transport in this process returned a complete response
        if len(response.content) > limit and not truncate:
            raise BodyTooLarge(limit)
        return response.content[:limit]
    if response.is_closed:  # it can no longer be read
        return b""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"", "identity", "gzip", "deflate"}:
        raise BodyUnreadable(f"the body is encoded as {quote_foreign(encoding, 20)!r}, which was not asked for")
    decompressor = zlib.decompressobj(wbits=47) if encoding in {"gzip", "deflate"} else None
    body, arrived = bytearray(), 0
    async for piece in response.aiter_raw():
        arrived += len(piece)
        body += piece if decompressor is None else _decompress(decompressor, piece, limit + 1 - len(body))
        if len(body) > limit:
            if truncate:
                return bytes(body[:limit])
            raise BodyTooLarge(limit)
    _check_complete(response, arrived, decompressor)
    return bytes(body)


def _decompress(decompressor: zlib._Decompress, piece: bytes, room: int) -> bytes:
    try:
        return decompressor.decompress(piece, max(1, room))
    except zlib.error:
        raise BodyUnreadable("the compressed body is corrupt") from None


def _check_complete(response: httpx.Response, arrived: int, decompressor: zlib._Decompress | None) -> None:
    announced = response.headers.get("content-length", "")[:20]  # longer ones are of no body
    has_no_body = response.request.method == "HEAD" or response.status_code in _STATUSES_WITHOUT_BODY
    if announced.isdecimal() and arrived < int(announced) and not has_no_body:
        raise BodyUnreadable(f"the body ended after {arrived:,} of {int(announced):,} bytes")
    if decompressor is not None and arrived and not decompressor.eof:
        raise BodyUnreadable("the compressed body is truncated")
