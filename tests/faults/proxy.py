"""A loopback proxy that damages one HTTP exchange at one byte: cut, truncated, delayed, trickled or delivered twice."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass

POSITIONS = {
    "request head": "in the head of the request",
    "request body": "in its body",
    "between": "before the reply",
    "reply head": "in the head of the reply",
    "reply body": "in its body",
    "last byte": "before its last byte",
}
DAMAGES = {
    "cut": "the connection is reset at that byte",
    "truncate": "the bytes end there, and both connections are closed cleanly",
    "delay": "nothing more arrives until the client gives up",
    "trickle": "the rest arrives a few bytes at a time",
    "drip": "the rest arrives so slowly that only the deadline of the call ends it",
    "twice": "the request is delivered twice, the client receives the first reply",
    "twice-last": "the request is delivered twice, the client receives the second reply",
    "echo": "the reply is delivered twice",
}
_ONLY_AT = {
    "drip": ("reply head", "reply body"),
    "twice": ("between",),
    "twice-last": ("between",),
    "echo": ("last byte",),
}
_PIECE = 7
_DRIP_SECONDS = 0.05  # real: shorter than the client's timeout for a single read


def can_damage(damage: str, position: str) -> bool:
    return position in _ONLY_AT.get(damage, POSITIONS)


@dataclass
class Message:
    """A request or reply as it was on the wire."""

    head: bytes
    body: bytes

    @property
    def whole(self) -> bytes:
        return self.head + self.body


class Proxy:
    """A proxy between a client and a server on this machine.

    Args:
        port: Where the server listens.
        picks: Whether the exchange with this request line is the one to damage; it is damaged once.
        damage: What happens.
        position: Where.
    """

    def __init__(self, port: int, picks: Callable[[str], bool], damage: str, position: str) -> None:
        self._upstream = port
        self._picks = picks
        self.damage, self.position = damage, position
        self.damaged_count = 0
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        try:
            while (request := await _read(reader)) is not None:
                if not self.damaged_count and self._picks(request.head.split(b"\r\n", 1)[0].decode("latin-1")):
                    self.damaged_count += 1
                    await self._apply_damage(request, reader, writer, far_reader, far_writer)
                    return
                await _write(far_writer, request.whole)
                reply = await _read(far_reader)
                if reply is None:
                    return
                await _write(writer, reply.whole)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            far_writer.close()

    async def _apply_damage(
        self,
        request: Message,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        far_reader: asyncio.StreamReader,
        far_writer: asyncio.StreamWriter,
    ) -> None:
        at = {"request head": len(request.head) // 2}
        if request.body:
            at["request body"] = len(request.head) + len(request.body) // 2
        elif self.position == "request body":
            self.damaged_count = 0  # there is no such byte
        if self.position in at:
            await _write(far_writer, request.whole[: at[self.position]])
            if not await self._damage(request.whole[at[self.position] :], far_writer, reader, writer, far_writer):
                return
        else:
            await _write(far_writer, request.whole)
        reply = await _read(far_reader)
        if reply is None:
            return
        if self.position == "reply body" and not reply.body:
            self.damaged_count = 0  # there is no such byte
        if self.damage.startswith("twice"):
            second = await self._resend(request)
            reply = second if self.damage == "twice-last" else reply
        length = len(reply.whole)
        body = len(reply.head) + len(reply.body) // 2
        at = {"between": 0, "reply head": len(reply.head) // 2, "reply body": body, "last byte": length - 1}
        place = at.get(self.position, length)
        await _write(writer, reply.whole[:place])
        if await self._damage(reply.whole[place:], writer, reader, writer, far_writer) and self.damage == "echo":
            await _write(writer, reply.whole)

    async def _resend(self, request: Message) -> Message:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        await _write(writer, request.whole)
        reply = await _read(reader)
        writer.close()
        assert reply is not None
        return reply

    async def _damage(
        self,
        rest: bytes,
        to: asyncio.StreamWriter,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        far_writer: asyncio.StreamWriter,
    ) -> bool:
        """Damage the remaining bytes, and return whether the exchange continues."""
        match self.damage:
            case "cut":
                for each in (writer, far_writer):
                    _reset(each)
                return False
            case "truncate":
                return False
            case "delay":
                await reader.read()  # ends when the client hangs up
                return False
            case "trickle":
                for start in range(0, len(rest), _PIECE):
                    await _write(to, rest[start : start + _PIECE])
                    await asyncio.sleep(0)
            case "drip":
                for start in range(len(rest)):
                    await _write(to, rest[start : start + 1])
                    await asyncio.sleep(_DRIP_SECONDS)
            case _:
                await _write(to, rest)
        return True


async def _read(reader: asyncio.StreamReader) -> Message | None:
    """Read one message with a stated length; None when the other side has nothing more to say."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return Message(head, await reader.readexactly(int(lengths[0])) if lengths else b"")


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
