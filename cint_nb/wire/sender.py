"""One attempt at one request: the places in flight, the pace, the limits, the log line."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from typing import Any
from urllib.parse import urlencode

import httpx

from cint_nb.domain import limits
from cint_nb.domain.errors import CintError, DeadlineExceeded, NotSent, OutcomeUnknown
from cint_nb.wire.calls import Call, Reply, reply_of
from cint_nb.wire.client_pool import Connections
from cint_nb.wire.clock import Clock
from cint_nb.wire.response_body import TooLarge, Unreadable, read_body
from cint_nb.wire.retry_policy import Ending, ending_of_failure

log = logging.getLogger("cint_nb.wire")
log.addHandler(logging.NullHandler())

_ERROR_BODY_MAX = 1_000_000
_READ = httpx.Timeout(limits.READ_SECONDS, connect=limits.CONNECT_SECONDS)
_UPLOAD = httpx.Timeout(limits.UPLOAD_SECONDS, connect=limits.CONNECT_SECONDS)
_ours = contextvars.ContextVar("cint_nb_sending", default=False)


def _not_ours(_record: logging.LogRecord) -> bool:
    return not _ours.get()


# httpx logs whole addresses, and a cursor in an address may hold a respondent id; httpcore and, over
# HTTP/2, hpack log headers. Of our requests, ours is the only line. Loggers inherit no filters, so each one is named.
_FOREIGN = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy", "httpcore.socks")
for _name in (*_FOREIGN, "hpack.hpack", "hpack.table", "hpack.huffman"):
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
    """Send single attempts.

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
        self._connections = Connections(transport, client, in_flight, proxies=proxies)
        self._clock = clock
        self._pace = None if per_second is None else Pace(per_second)
        self._places = asyncio.Semaphore(in_flight)

    def build(self, call: Call, url: str, headers: dict[str, str], json: Any = None) -> httpx.Request:
        """Build a fresh request for an attempt; a client of the caller's keeps its own time limits."""
        extra: dict[str, Any] = {}
        if self._connections.ours:
            extra["timeout"] = _UPLOAD if call.file else _READ
        if pairs := call.query_pairs():
            url = f"{url}?{urlencode(pairs)}"  # given apart, httpx would take the whole address apart once more
        files = {"file": (call.file[0], call.file[1], "text/csv")} if call.file else None
        return self._connections.any().build_request(call.method, url, headers=headers, json=json, files=files, **extra)

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
                with self._connections.free() as client:
                    response = await _response(client, request, auth)
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
            # What was too large once would be so again.
            ending = Ending.FINAL if isinstance(error, TooLarge) else Ending.AMBIGUOUS
            raise Failure(ending, reply.unexpected(f"The reply cannot be used: {error}.")) from None
        finally:
            _ours.reset(mark)
        reply = reply_of(call, response.status_code, response.headers, body)
        self._note(call, str(reply.status), started, reply.request_id)
        if reply.status == 429 and self._pace is not None:
            self._pace.slow_down(self._clock.monotonic())
        return reply

    async def aclose(self) -> None:
        """Close our own clients and their transport; one of the caller's stays open."""
        await self._connections.aclose()

    async def _keep_pace(self) -> None:
        if self._pace is not None and (wait := self._pace.reserve(self._clock.monotonic())):
            await self._clock.sleep(wait)

    def _note(self, call: Call, ending: str, started: float, request_id: str = "") -> None:
        milliseconds = (self._clock.monotonic() - started) * 1000
        log.info("%s %s %s %.0f ms %s", call.method, call.template, ending, milliseconds, request_id or "-")


async def _response(client: httpx.AsyncClient, request: httpx.Request, auth: httpx.Auth | None) -> httpx.Response:
    try:
        return await client.send(request, auth=auth, stream=True, follow_redirects=False)
    except httpx.HTTPStatusError as error:
        # A hook of the caller's client makes errors of error replies, as the manual of httpx shows. What follows
        # from the reply is decided here; its body is gone unless the hook has read it.
        return error.response


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


_SLOWEST = 1.0
_RECOVERY_SECONDS = 60.0


class Pace:
    """Hand out moments to send at, at most `per_second` on average with a burst of one second's worth.

    Args:
        per_second: Requests a second.
    """

    def __init__(self, per_second: float = limits.REQUESTS_PER_SECOND) -> None:
        self._full = per_second
        self._rate = per_second
        self._tokens = per_second
        self._filled_at: float | None = None
        self._slowed_at: float | None = None

    @property
    def per_second(self) -> float:
        """Return the present pace."""
        return self._rate

    def reserve(self, now: float) -> float:
        """Take one place in the line and return the seconds to wait for it, counted from monotonic time `now`."""
        self._recover(now)
        if self._filled_at is not None:
            self._tokens = min(self._rate, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        self._tokens -= 1.0
        return max(0.0, -self._tokens / self._rate)

    def slow_down(self, now: float) -> None:
        """Halve the pace, down to one request a second, after a 429. Several at once count as one."""
        if self._slowed_at is None or now - self._slowed_at >= 1.0:
            self._rate = max(_SLOWEST, self._rate / 2)
            self._tokens = min(self._tokens, self._rate)
            self._slowed_at = now

    def _recover(self, now: float) -> None:
        """Double the pace again after each minute without a 429."""
        while self._slowed_at is not None and self._rate < self._full and now - self._slowed_at >= _RECOVERY_SECONDS:
            self._rate = min(self._full, self._rate * 2)
            self._slowed_at = None if self._rate == self._full else self._slowed_at + _RECOVERY_SECONDS
