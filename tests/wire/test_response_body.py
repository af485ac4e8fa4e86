from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from cint_nb.wire.response_body import BodyTooLarge, BodyUnreadable, read_body
from tests.support.hostile import gzip_bomb


class Pieces(httpx.AsyncByteStream):
    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            self.taken += 1
            yield piece


def response(*pieces: bytes, **headers: str) -> httpx.Response:
    return httpx.Response(
        200,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        stream=Pieces(*pieces),
        request=httpx.Request("GET", "https://api.invalid"),
    )


def read(answer: httpx.Response, limit: int = 100, **options: Any) -> bytes:
    return asyncio.run(read_body(answer, limit, **options))


def test_a_body_within_its_limit_comes_whole() -> None:
    assert read(response(b"a" * 60, b"b" * 40)) == b"a" * 60 + b"b" * 40
    assert read(response()) == b""


def test_reading_stops_at_the_limit_and_does_not_take_the_rest() -> None:
    answer = response(*[b"x" * 60] * 50)
    with pytest.raises(BodyTooLarge, match="100"):
        read(answer)
    assert isinstance(answer.stream, Pieces)
    assert answer.stream.taken == 2


def test_an_error_body_is_cut_instead() -> None:
    assert read(response(b"x" * 500), truncate=True) == b"x" * 100


def test_a_bomb_does_not_fill_the_memory() -> None:
    bomb = gzip_bomb(b"\0", megabytes=50)
    with pytest.raises(BodyTooLarge):
        read(response(bomb, content_encoding="gzip"), limit=1_000)


@pytest.mark.parametrize(("packing", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_body_packed_unasked_is_unpacked(packing: str, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(b"hello " * 10)
    assert read(response(packed[:9], packed[9:], content_encoding=packing)) == b"hello " * 10


@pytest.mark.parametrize(
    ("pieces", "headers"),
    [
        ([b"abc"], {"content_encoding": "br"}),
        ([b"no gzip at all"], {"content_encoding": "gzip"}),
        ([gzip.compress(b"hello")[:-5]], {"content_encoding": "gzip"}),
        ([b"abc"], {"content_length": "10"}),
    ],
)
def test_a_damaged_or_short_body_is_not_taken_for_a_whole_one(pieces: list[bytes], headers: dict[str, str]) -> None:
    with pytest.raises(BodyUnreadable):
        read(response(*pieces, **headers))


@pytest.mark.parametrize(("method", "status"), [("PUT", 204), ("GET", 304), ("HEAD", 200)])
def test_a_reply_that_cannot_have_a_body_is_whole_whatever_length_it_names(method: str, status: int) -> None:
    answer = response(content_length="2")
    answer.status_code, answer.request = status, httpx.Request(method, "https://api.invalid")
    assert read(answer) == b""


def test_a_finished_reply_is_limited_too() -> None:
    assert read(httpx.Response(200, content=b"abc")) == b"abc"
    with pytest.raises(BodyTooLarge):
        read(httpx.Response(200, content=b"x" * 101))
