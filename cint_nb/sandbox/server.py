"""The sandbox served over HTTP: for other programs, for a class, and for recordings."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import socket
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, TypedDict, Unpack

import uvicorn
from starlette.types import ASGIApp

from cint_nb.domain.arguments import check_arguments
from cint_nb.sandbox.classroom import Classroom
from cint_nb.sandbox.clock import SERVED_SPEED
from cint_nb.sandbox.http.connections import MAX_CONNECTIONS, REQUEST_TIMEOUT_SECONDS, ConnectionTracker
from cint_nb.sandbox.sandbox import START, Sandbox
from cint_nb.sandbox.world.rules import ExchangeRules

__all__ = ["Sandbox", "ServedSandbox", "serve"]

_log = logging.getLogger("cint_nb.sandbox")
_STARTUP_SECONDS = 15.0  # real seconds


class ServerOptions(TypedDict, total=False):
    """How something is served; see `ServedApp`."""

    host: str
    port: int
    request_timeout: float
    max_connections: int


class Servable(Protocol):
    """Protocol for what can be served: a sandbox, or a class."""

    @property
    def app(self) -> ASGIApp:
        """The ASGI app."""
        ...

    def close(self) -> None:
        """Save what is to be saved."""
        ...


class ServedApp:
    """A sandbox, or one with an account for each student, served on its own thread as a context manager.

    Args:
        served: What is served.
        host: Address to listen on.
        port: Port; 0 chooses a free one.
        request_timeout: Real seconds within which a request must have arrived completely.
        max_connections: Connections open at once.

    Attributes:
        url: URL of the control page.
        base_url: URL of the API, with `/v1`.
        token_url: URL of the token endpoint.

    Raises:
        OSError: when the port is taken, and in a browser, where nothing can be served.
    """

    def __init__(
        self,
        served: Servable,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        request_timeout: float = REQUEST_TIMEOUT_SECONDS,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        self.served = served
        self._socket = _bind(host, port)
        address, number = self._socket.getsockname()[:2]
        self.url = f"http://{address}:{number}"
        self.connections = ConnectionTracker(
            self.served.app, request_timeout=request_timeout, max_connections=max_connections
        )
        self._server = uvicorn.Server(_config(self.connections))
        self._thread = threading.Thread(target=self._run, name="cint-nb sandbox", daemon=True)

    @property
    def base_url(self) -> str:
        """The URL of the API."""
        return f"{self.url}/v1"

    @property
    def token_url(self) -> str:
        """The URL of the token endpoint."""
        return f"{self.url}/oauth/token"

    def __enter__(self) -> Self:
        """Start the server; return once it responds to requests."""
        self._thread.start()
        deadline = threading.Event()
        waited = 0.0
        while not self._server.started:
            if not self._thread.is_alive() or waited > _STARTUP_SECONDS:
                raise OSError("the sandbox could not be started")
            deadline.wait(0.01)
            waited += 0.01
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server and save the state."""
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()
        self.served.close()

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))


@check_arguments()
class ServedSandbox(ServedApp):
    """A sandbox served on its own thread, as a context manager.

    Args:
        sandbox: The sandbox; when omitted a new one with seed 1, whose clock runs at 60 times real time.
        options: Those of `ServedApp`.

    Example:
        >>> with cint.sandbox.ServedSandbox() as served, cint.connect(base_url=served.base_url) as client:
        ...     print(len(client.definitions.accounts()))
        1
    """

    def __init__(self, sandbox: Sandbox | None = None, **options: Unpack[ServerOptions]) -> None:
        self.sandbox = sandbox if sandbox is not None else Sandbox(speed=SERVED_SPEED)
        super().__init__(self.sandbox, **options)


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 8640,
    seed: int = 1,
    speed: float | None = SERVED_SPEED,
    faults: Sequence[str] = (),
    state: Path | None = None,
    start: datetime = START,
    students: int | None = None,
    rules: ExchangeRules | None = None,
    notes: Sequence[str] = (),
    echo: Callable[[str], None] = _log.info,
) -> None:
    """Serve a sandbox until interrupted; blocks.

    Args:
        host: Address to listen on; loopback by default, and for any other `echo` receives a warning.
        port: Port; 0 chooses a free one.
        seed: The sandbox's seed.
        speed: Virtual seconds per real second; with None the clock stands until a client, or the page, moves it.
        faults: Faults to inject.
        state: SQLite file that stores the world.
        start: Moment at which the world starts.
        students: Gives each of so many students a token and an account of their own; without it there is one account
            for all.
        rules: What it does where no source says what the exchange does.
        notes: Further lines, after the first one.
        echo: Called with each line for the person who serves.

    Raises:
        ValueError: for a fault or state file that cannot be used.
        OSError: when the port is taken.
    """
    sandbox: Sandbox | Classroom = (
        Sandbox(seed=seed, speed=speed, faults=faults, start=start, state=state, rules=rules)
        if students is None
        else Classroom(students, seed=seed, speed=speed, faults=faults, start=start, state=state, rules=rules)
    )
    listening = _bind(host, port)
    address, number = listening.getsockname()[:2]
    url = f"http://{address}:{number}"
    whose = f"{len(sandbox.students)} accounts" if isinstance(sandbox, Classroom) else f"API {url}/v1"
    echo(f"sandbox on {url} · {sandbox.clock.pace} · {whose}")
    if not ipaddress.ip_address(address).is_loopback:
        echo(
            f"warning: other machines can reach this sandbox on {address}. "
            "It contains no secrets but is not protected either."
        )
    for line in (*notes, *(sandbox.table(url) if isinstance(sandbox, Classroom) else ())):
        echo(line)
    try:
        asyncio.run(uvicorn.Server(_config(ConnectionTracker(sandbox.app))).serve(sockets=[listening]))
    except KeyboardInterrupt:
        pass
    finally:
        sandbox.close()
        listening.close()


def _bind(host: str, port: int) -> socket.socket:
    if not hasattr(socket, "SO_REUSEADDR"):
        raise OSError(errno.EOPNOTSUPP, "Python in a browser cannot listen on a port; use the sandbox in this page")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Naming TCP lets asyncio switch off Nagle's algorithm, which otherwise costs 40 ms per reply.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen()  # whoever reads the address at once and connects is kept waiting, not turned away
    except OSError:
        listening.close()
        raise
    return listening


def _config(connections: ConnectionTracker) -> uvicorn.Config:
    return uvicorn.Config(
        connections,
        http=connections.protocol_class(),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
    )
