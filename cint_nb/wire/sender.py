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
from cint_nb.wire.calls import Call, Reply, make_reply
from cint_nb.wire.client_pool import ClientPool
from cint_nb.wire.clock import Clock
from cint_nb.wire.response_body import BodyTooLarge, BodyUnreadable, read_body
from cint_nb.wire.retry_policy import FailureKind, classify_exception

log = logging.getLogger("cint_nb.wire")
log.addHandler(logging.NullHandler())

_ERROR_BODY_MAX = 1_000_000
_READ = httpx.Timeout(limits.READ_SECONDS, connect=limits.CONNECT_SECONDS)
_UPLOAD = httpx.Timeout(limits.UPLOAD_SECONDS, connect=limits.CONNECT_SECONDS)
_sending = contextvars.ContextVar("cint_nb_sending", default=False)


def _drop_foreign_record(_record: logging.LogRecord) -> bool:
    return not _sending.get()


# httpx logs whole addresses, and a cursor in an address may hold a respondent id; httpcore and, over
# HTTP/2, hpack log headers. Of our requests, ours is the only line. Loggers inherit no filters, so each one is named.
_FOREIGN_LOGGERS = (
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
)
for _name in (*_FOREIGN_LOGGERS, "hpack.hpack", "hpack.table", "hpack.huffman"):
    logging.getLogger(_name).addFilter(_drop_foreign_record)


class AttemptFailed(Exception):
    """Carry one failed attempt to whoever decides about the next.

    Args:
        kind: How it ended, as far as repeating is concerned.
        error: What to raise if it is not repeated.
        retry_after: Seconds the exchange asked to wait.
        deadline_exceeded: Whether the overall deadline ended it.
    """

    def __init__(
        self, kind: FailureKind, error: CintError, *, retry_after: float | None = None, deadline_exceeded: bool = False
    ) -> None:
        self.ending = kind
        self.error = error
        self.asked_wait = retry_after
        self.out_of_time = deadline_exceeded
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
        self._connections = ClientPool(transport, client, in_flight, proxies=proxies)
        self._clock = clock
        self._rate_limiter = None if per_second is None else RateLimiter(per_second)
        self._slots = asyncio.Semaphore(in_flight)

    def build_request(self, call: Call, url: str, headers: dict[str, str], json: Any = None) -> httpx.Request:
        """Build a fresh request for an attempt; a client of the caller's keeps its own time limits."""
        extra: dict[str, Any] = {}
        if self._connections.owns_clients:
            extra["timeout"] = _UPLOAD if call.file else _READ
        if pairs := call.query_pairs():
            url = f"{url}?{urlencode(pairs)}"  # given apart, httpx would take the whole address apart once more
        files = {"file": (call.file[0], call.file[1], "text/csv")} if call.file else None
        return self._connections.any_client().build_request(
            call.method, url, headers=headers, json=json, files=files, **extra
        )

    async def send(self, call: Call, request: httpx.Request, auth: httpx.Auth | None, seconds: float) -> Reply:
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
        mark = _sending.set(True)
        try:
            async with asyncio.timeout(max(0.001, seconds)), self._slots:
                await self._wait_for_rate_limit()
                sent, started = True, self._clock.monotonic()
                with self._connections.lease() as client:
                    response = await _send_and_stream(client, request, auth)
                    try:
                        failed = response.status_code >= 300
                        limit = _ERROR_BODY_MAX if failed else call.max_bytes or limits.JSON_MAX_BYTES
                        body = await read_body(response, limit, truncate=failed)
                    finally:
                        await response.aclose()
        except TimeoutError:
            raise _deadline_error(call, sent=sent) from None
        except httpx.TransportError as error:
            self._log_attempt(call, type(error).__name__, started)
            raise _lost_reply_error(call, error) from None
        except (BodyTooLarge, BodyUnreadable) as error:
            reply = make_reply(call, response.status_code, response.headers, b"")
            self._log_attempt(call, f"{reply.status} unreadable", started, reply.request_id)
            # What was too large once would be so again.
            ending = FailureKind.FINAL if isinstance(error, BodyTooLarge) else FailureKind.AMBIGUOUS
            raise AttemptFailed(ending, reply.unexpected_reply_error(f"The reply cannot be used: {error}.")) from None
        finally:
            _sending.reset(mark)
        reply = make_reply(call, response.status_code, response.headers, body)
        self._log_attempt(call, str(reply.status), started, reply.request_id)
        if reply.status == 429 and self._rate_limiter is not None:
            self._rate_limiter.slow_down(self._clock.monotonic())
        return reply

    async def aclose(self) -> None:
        """Close our own clients and their transport; one of the caller's stays open."""
        await self._connections.aclose()

    async def _wait_for_rate_limit(self) -> None:
        if self._rate_limiter is not None and (wait := self._rate_limiter.reserve(self._clock.monotonic())):
            await self._clock.sleep(wait)

    def _log_attempt(self, call: Call, ending: str, started: float, request_id: str = "") -> None:
        milliseconds = (self._clock.monotonic() - started) * 1000
        log.info("%s %s %s %.0f ms %s", call.method, call.template, ending, milliseconds, request_id or "-")


async def _send_and_stream(
    client: httpx.AsyncClient, request: httpx.Request, auth: httpx.Auth | None
) -> httpx.Response:
    try:
        return await client.send(request, auth=auth, stream=True, follow_redirects=False)
    except httpx.HTTPStatusError as error:
        # A hook of the caller's client makes errors of error replies, as the manual of httpx shows. What follows
        # from the reply is decided here; its body is gone unless the hook has read it.
        return error.response


def _lost_reply_error(call: Call, error: httpx.TransportError) -> AttemptFailed:
    ending = classify_exception(error)
    evidence = {"request": f"{call.method} {call.template}", "cause": type(error).__name__}
    words = call.operation.replace("_", " ")
    if ending is FailureKind.AMBIGUOUS:
        return AttemptFailed(
            ending,
            OutcomeUnknown(
                f"The reply to the request to {words} was lost on the way.",
                evidence=evidence,
                safe=_safe_line(call),
                next_step="look whether it took effect before sending it again.",
            ),
        )
    return AttemptFailed(
        ending,
        NotSent(
            f"The request to {words} was not sent: the exchange could not be reached.",
            evidence=evidence,
            safe="nothing was sent; sending it again is safe.",
            next_step="check the network, the proxy and CINT_NB_BASE_URL; `cint-nb doctor` tests them.",
        ),
    )


def _deadline_error(call: Call, *, sent: bool) -> AttemptFailed:
    evidence = {"request": f"{call.method} {call.template}"}
    words = call.operation.replace("_", " ")
    if not sent:
        return AttemptFailed(
            FailureKind.NOT_SENT,
            NotSent(
                f"The request to {words} was not sent within its time limit: other requests came first.",
                evidence=evidence,
                safe="nothing was sent; sending it again is safe.",
                next_step="send fewer requests side by side, or give it a longer deadline.",
            ),
            deadline_exceeded=True,
        )
    return AttemptFailed(
        FailureKind.AMBIGUOUS,
        DeadlineExceeded(
            f"No reply to the request to {words} came within the time limit of the call.",
            evidence=evidence,
            safe=_safe_line(call),
            next_step="look whether it took effect before sending it again.",
        ),
        deadline_exceeded=True,
    )


def _safe_line(call: Call) -> str:
    if call.method == "GET":
        return "nothing was changed; reading again is safe."
    return "unknown: the exchange may have acted."


_SLOWEST = 1.0
_RECOVERY_SECONDS = 60.0


class RateLimiter:
    """Hand out moments to send at, at most `per_second` on average with a burst of one second's worth.

    Args:
        per_second: Requests a second.
    """

    def __init__(self, per_second: float = limits.REQUESTS_PER_SECOND) -> None:
        self._burst = per_second
        self._rate = per_second
        self._tokens = per_second
        self._filled_at: float | None = None
        self._slowed_at: float | None = None

    @property
    def per_second(self) -> float:
        """Return the present pace."""
        return self._rate

    def reserve(self, now: float) -> float:
        """Reserve a slot and return the seconds to wait for it, from monotonic time `now`."""
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
        while self._slowed_at is not None and self._rate < self._burst and now - self._slowed_at >= _RECOVERY_SECONDS:
            self._rate = min(self._burst, self._rate * 2)
            self._slowed_at = None if self._rate == self._burst else self._slowed_at + _RECOVERY_SECONDS
