"""Servers on this machine, over real sockets, that misbehave as servers do."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable

from tests.support import canaries

Say = Callable[[str, bytes], bytes | None]


def raw_response(
    body: bytes = b'{"fine": true}', length: int | None = None, status: str = "200 OK", more: str = ""
) -> bytes:
    """Return the bytes of an answer; `length` is the one that is claimed, `more` are further header lines."""
    length = len(body) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
    return f"{head}{more}\r\n".encode() + body


class ScriptedServer:
    """Answer each connection's requests from a script of bytes; b"" hangs up."""

    def __init__(self, *script: bytes) -> None:
        self.script = list(script)
        self.heads: list[bytes] = []
        self.server: asyncio.Server | None = None
        self.port = 0

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.heads.append(await reader.readuntil(b"\r\n\r\n"))
            said = self.script.pop(0) if len(self.script) > 1 else self.script[0]
            writer.write(said)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def stop(self) -> None:
        assert self.server is not None
        self.server.close()


class Listener(ScriptedServer):
    """Write down every request, hand out the planted token, and let a function of path and request answer the rest.

    A function that returns None hangs up.
    """

    def __init__(self, say: Say, context: ssl.SSLContext | None = None) -> None:
        super().__init__()
        self.say = say
        self.context = context
        self.bodies: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http{'s' if self.context else ''}://127.0.0.1:{self.port}"

    @property
    def heard(self) -> bytes:
        """Return everything that was ever sent here."""
        return b"\n".join(self.heads + self.bodies)

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.context)
        self.port = self.server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            length = next((line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
            self.bodies.append(await reader.readexactly(int(length)))
            path = head.split(b" ", 2)[1].decode()
            said = self.say(path, head + self.bodies[-1])
            if said is None and path == "/oauth/token":
                token = {"access_token": canaries.TOKEN, "expires_in": 86_400, "token_type": "Bearer"}
                said = raw_response(json.dumps(token).encode())
            writer.write(said or b"")
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
