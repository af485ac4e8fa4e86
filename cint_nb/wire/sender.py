"""One attempt at one request: the httpx clients, the places in flight, the pace, the limits, the log line."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import ssl
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import urlencode

import httpx

from cint_nb.domain import limits
from cint_nb.domain.errors import CintError, DeadlineExceeded, NotSent, OutcomeUnknown
from cint_nb.wire.bodies import TooLarge, Unreadable, read_body
from cint_nb.wire.calls import Call, Reply, reply_of
from cint_nb.wire.clock import Clock
from cint_nb.wire.rate import Pace
from cint_nb.wire.repeats import Ending, ending_of_failure

log = logging.getLogger("cint_nb.wire")
log.addHandler(logging.NullHandler())

_ERROR_BODY_MAX = 1_000_000
_ours = contextvars.ContextVar("cint_nb_sending", default=False)


def _not_ours(_record: logging.LogRecord) -> bool:
    return not _ours.get()


# httpx logs whole addresses, and a cursor in an address may hold a respondent id; httpcore logs headers. Of our
# requests, ours is the only line. Loggers do not inherit filters, so each one is named.
for _name in ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy", "httpcore.socks"):
    logging.getLogger(_name).addFilter(_not_ours)


class Failure(Exception):
    """Carry one failed attempt to whoever decides about the next.

    Args:
        ending: How it ended, as far as repeating is concerned.
        error: What to raise if it is not repeated.
        asked_wait: Seconds the exchange asked to wait.
        out_of_time: Whether the overall deadline ended it.
    """

    def __init__(
        self, ending: Ending, error: CintError, *, asked_wait: float | None = None, out_of_time: bool = False
    ) -> None:
        self.ending = ending
        self.error = error
        self.asked_wait = asked_wait
        self.out_of_time = out_of_time
        super().__init__(error.what)


class Sender:
    """Send single attempts through httpx clients, made on first use.

    One client serves few connections: its pool goes through all of them with each request, so that 64 are slower than
    8. More places in flight therefore mean more clients.

    Args:
        transport: Where requests go; httpx's own when None.
        client: A client of the caller's, used as it is and never closed here.
        clock: For the pace and the durations in the log.
        in_flight: Most attempts under way at once.
        per_second: Requests a second to hold back to; None for no pace.
        proxies: Whether the environment may name a proxy.
    """

    def __init__(
        self,
        *,
        transport: httpx.AsyncBaseTransport | None,
        client: httpx.AsyncClient | None,
        clock: Clock,
        in_flight: int = limits.IN_FLIGHT,
        per_second: float | None = None,
        proxies: bool = True,
    ) -> None:
        self._transport = transport
        self._given = client
        self._own: list[httpx.AsyncClient] = []
        self._under_way: list[int] = []
        self._tls: ssl.SSLContext | None = None
        self._clock = clock
        self._pace = None if per_second is None else Pace(per_second)
        self._proxies = proxies
        # A transport handed in is one, however many clients it serves.
        self._most_of_one = limits.IN_FLIGHT_PER_POOL if transport is None else in_flight
        self._places = asyncio.Semaphore(in_flight)

    def client(self) -> httpx.AsyncClient:
        """Return the client that requests are built with; ours is made here, on first use."""
        if self._given is not None:
            return self._given
        if not self._own:
            self._add_client()
        return self._own[0]

    def _add_client(self) -> int:
        """Make one more client and return its number; reading the certificates once is enough for all."""
        if self._transport is None and self._tls is None:
            self._tls = httpx.create_ssl_context(trust_env=self._proxies)
        places = self._most_of_one
        self._own.append(
            httpx.AsyncClient(
                transport=self._transport,
                limits=httpx.Limits(max_connections=places, max_keepalive_connections=places),
                verify=self._tls or True,
                follow_redirects=False,
                trust_env=self._proxies,
                headers={"user-agent": _user_agent()},
            )
        )
        self._under_way.append(0)
        return len(self._own) - 1

    @contextlib.contextmanager
    def _free_client(self) -> Iterator[httpx.AsyncClient]:
        """Lend the first client that has a connection free."""
        if self._given is not None:
            yield self._given
            return
        number = next((place for place, busy in enumerate(self._under_way) if busy < self._most_of_one), None)
        number = self._add_client() if number is None else number
        counted = self._under_way
        counted[number] += 1
        try:
            yield self._own[number]
        finally:
            counted[number] -= 1

    def build(self, call: Call, url: str, headers: dict[str, str], json: Any = None) -> httpx.Request:
        """Build a fresh request for an attempt; a client of the caller's keeps its own time limits."""
        extra: dict[str, Any] = {}
        if self._given is None:
            read = limits.UPLOAD_SECONDS if call.file else limits.READ_SECONDS
            extra["timeout"] = httpx.Timeout(read, connect=limits.CONNECT_SECONDS)
        if pairs := call.query_pairs():
            url = f"{url}?{urlencode(pairs)}"  # given apart, httpx would take the whole address apart once more
        files = {"file": (call.file[0], call.file[1], "text/csv")} if call.file else None
        return self.client().build_request(call.method, url, headers=headers, json=json, files=files, **extra)

    async def once(self, call: Call, request: httpx.Request, auth: httpx.Auth | None, seconds: float) -> Reply:
        """Send one attempt and read its whole reply, whatever its status.

        Args:
            call: For the limits and the words of errors.
            request: Built by `build`.
            auth: Puts the token on the request.
            seconds: Limit for the attempt as a whole; httpx itself only limits single reads.

        Raises:
            Failure: if no usable reply came back.
        """
        sent, started = False, self._clock.monotonic()
        mark = _ours.set(True)
        try:
            async with asyncio.timeout(max(0.001, seconds)), self._places:
                await self._keep_pace()
                sent, started = True, self._clock.monotonic()
                with self._free_client() as client:
                    response = await client.send(request, auth=auth, stream=True, follow_redirects=False)
                    try:
                        failed = response.status_code >= 300
                        limit = _ERROR_BODY_MAX if failed else call.max_bytes or limits.JSON_MAX_BYTES
                        body = await read_body(response, limit, cut=failed)
                    finally:
                        await response.aclose()
        except TimeoutError:
            raise _out_of_time(call, sent=sent) from None
        except httpx.TransportError as error:
            self._note(call, type(error).__name__, started)
            raise _no_reply(call, error) from None
        except (TooLarge, Unreadable) as error:
            reply = reply_of(call, response.status_code, response.headers, b"")
            self._note(call, f"{reply.status} unreadable", started, reply.request_id)
            raise Failure(Ending.AMBIGUOUS, reply.unexpected(f"The reply cannot be used: {error}.")) from None
        finally:
            _ours.reset(mark)
        reply = reply_of(call, response.status_code, response.headers, body)
        self._note(call, str(reply.status), started, reply.request_id)
        if reply.status == 429 and self._pace is not None:
            self._pace.slow_down(self._clock.monotonic())
        return reply

    async def aclose(self) -> None:
        """Close our own clients and their transport; one of the caller's stays open."""
        own, self._own, self._under_way = self._own, [], []
        for client in own:
            await client.aclose()
        if own:
            return
        if self._given is None and self._transport is not None:
            await self._transport.aclose()

    async def _keep_pace(self) -> None:
        if self._pace is not None and (wait := self._pace.reserve(self._clock.monotonic())):
            await self._clock.sleep(wait)

    def _note(self, call: Call, ending: str, started: float, request_id: str = "") -> None:
        milliseconds = (self._clock.monotonic() - started) * 1000
        log.info("%s %s %s %.0f ms %s", call.method, call.template, ending, milliseconds, request_id or "-")


def _user_agent() -> str:
    try:
        return f"cint_nb/{version('cint_nb')}"
    except PackageNotFoundError:
        return "cint_nb"


def _no_reply(call: Call, error: httpx.TransportError) -> Failure:
    ending = ending_of_failure(error)
    evidence = {"request": f"{call.method} {call.template}", "cause": type(error).__name__}
    words = call.operation.replace("_", " ")
    if ending is Ending.AMBIGUOUS:
        return Failure(
            ending,
            OutcomeUnknown(
                f"The reply to the request to {words} was lost on the way.",
                evidence=evidence,
                safe=_safe_to_repeat(call),
                next_step="look whether it took effect before sending it again.",
            ),
        )
    return Failure(
        ending,
        NotSent(
            f"The request to {words} was not sent: the exchange could not be reached.",
            evidence=evidence,
            safe="nothing was sent; sending it again is safe.",
            next_step="check the network, the proxy and CINT_NB_BASE_URL; `cint-nb doctor` tests them.",
        ),
    )


def _out_of_time(call: Call, *, sent: bool) -> Failure:
    evidence = {"request": f"{call.method} {call.template}"}
    words = call.operation.replace("_", " ")
    if not sent:
        return Failure(
            Ending.UNSENT,
            NotSent(
                f"The request to {words} was not sent within its time limit: other requests came first.",
                evidence=evidence,
                safe="nothing was sent; sending it again is safe.",
                next_step="send fewer requests side by side, or give it a longer deadline.",
            ),
            out_of_time=True,
        )
    return Failure(
        Ending.AMBIGUOUS,
        DeadlineExceeded(
            f"No reply to the request to {words} came within the time limit of the call.",
            evidence=evidence,
            safe=_safe_to_repeat(call),
            next_step="look whether it took effect before sending it again.",
        ),
        out_of_time=True,
    )


def _safe_to_repeat(call: Call) -> str:
    if call.method == "GET":
        return "nothing was changed; reading again is safe."
    return "unknown: the exchange may have acted."
