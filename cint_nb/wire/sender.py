"""One attempt at one request: concurrency limit, rate limiter, timeouts and the log line."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import logging
from typing import Any
from urllib.parse import urlencode

import httpx

from cint_nb.domain import limits
from cint_nb.domain.errors import CintError, DeadlineExceeded, InputError, NotSent, OutcomeUnknown
from cint_nb.wire.calls import BODY_LEFT_OUT, Call, Reply, make_reply
from cint_nb.wire.client_pool import ClientPool
from cint_nb.wire.clock import Clock
from cint_nb.wire.response_body import BodyTooLarge, BodyUnreadable, read_body
from cint_nb.wire.retry_policy import FailureKind, classify_exception

_UNREADABLE = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError, OSError, RecursionError)
log = logging.getLogger("cint_nb.wire")
log.addHandler(logging.NullHandler())

_ERROR_BODY_MAX = 1_000_000
_READ = httpx.Timeout(limits.READ_SECONDS, connect=limits.CONNECT_SECONDS)
_UPLOAD = httpx.Timeout(limits.UPLOAD_SECONDS, connect=limits.CONNECT_SECONDS)
_sending = contextvars.ContextVar("cint_nb_sending", default=False)


@functools.lru_cache(256)
def _parsed_url(url: str) -> httpx.URL:
    """Return an address as httpx reads it, letter by letter: polls repeat theirs."""
    return httpx.URL(url)


def _drop_foreign_record(_record: logging.LogRecord) -> bool:
    return not _sending.get()


# httpx logs whole URLs, and a cursor in a URL may contain a respondent id; httpcore and, over HTTP/2, hpack log
# headers. Our own line is to be the only one about our requests. Loggers inherit no filters, so each one is named.
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
    """One failed attempt, for the code that decides about the next one.

    Args:
        kind: How it failed, as far as a retry is concerned.
        error: What to raise if it is not retried.
        retry_after: Seconds the exchange asked to wait.
        deadline_exceeded: Whether the deadline of the whole call ended it.
    """

    def __init__(
        self, kind: FailureKind, error: CintError, *, retry_after: float | None = None, deadline_exceeded: bool = False
    ) -> None:
        self.kind = kind
        self.error = error
        self.retry_after = retry_after
        self.deadline_exceeded = deadline_exceeded
        super().__init__(error.what)


class Sender:
    """Sender of single attempts.

    Args:
        transport: Where requests go; httpx's own when None.
        client: The caller's own client, used as it is and never closed here.
        clock: For the rate limit and the durations in the log.
        in_flight: Highest number of concurrent attempts.
        per_second: Rate limit, in requests per second; None for no limit.
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
        self._pool = ClientPool(transport, client, in_flight, proxies=proxies)
        self._clock = clock
        self._rate_limiter = None if per_second is None else RateLimiter(per_second)
        self._slots = asyncio.Semaphore(in_flight)

    def build_request(self, call: Call, url: str, headers: dict[bytes, bytes], json: Any = None) -> httpx.Request:
        """Build a fresh request for an attempt; the caller's own client keeps its own timeouts.

        Raises:
            InputError: if it has a value that cannot be written, such as NaN or half a surrogate pair.
        """
        extra: dict[str, Any] = {}
        if self._pool.owns_clients:
            extra["timeout"] = _UPLOAD if call.file or call.csv else _READ
        files = {"file": (call.file[0], call.file[1], "text/csv")} if call.file else None
        if call.csv is not None:
            extra["content"] = call.csv
        client = self._pool.any_client()
        try:
            if pairs := call.query_pairs():
                url = f"{url}?{urlencode(pairs)}"  # as `params`, httpx would parse the whole URL once more
            return client.build_request(call.method, _parsed_url(url), headers=headers, json=json, files=files, **extra)
        except (ValueError, TypeError, OverflowError, RecursionError, httpx.InvalidURL) as error:
            raise InputError(
                f"The request to {call.operation.replace('_', ' ')} has a value that cannot be sent.",
                evidence={"request": f"{call.method} {call.template}", "cause": type(error).__name__},
                next_step="pass texts, finite numbers and dates only, and no half of a surrogate pair.",
            ) from None

    async def send(self, call: Call, request: httpx.Request, auth: httpx.Auth | None, seconds: float) -> Reply:
        """Send one attempt and read its whole reply, whatever its status.

        Args:
            call: For the limits and the texts of errors.
            request: Built by `build_request`.
            auth: Puts the token on the request.
            seconds: Limit for the attempt as a whole; httpx itself only limits single reads.

        Raises:
            AttemptFailed: if no usable reply came back.
        """
        sent, started = False, self._clock.monotonic()
        mark = _sending.set(True)
        try:
            async with asyncio.timeout(max(0.001, seconds)), self._slots:
                await self._wait_for_rate_limit()
                sent, started = True, self._clock.monotonic()
                with self._pool.lease() as client:
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
            raise _lost_reply_error(call, error, self._pool.proxy_variable(request.url)) from None
        except CintError:
            raise
        except (*_UNREADABLE, ExceptionGroup) as error:
            # What the libraries below raise about a reply they cannot parse: it came, so the request was read.
            self._log_attempt(call, type(error).__name__, started)
            raise _lost_reply_error(call, error) from None
        except (BodyTooLarge, BodyUnreadable) as error:
            reply = make_reply(call, response.status_code, response.headers, b"")
            self._log_attempt(call, f"{reply.status} unreadable", started, reply.request_id)
            # A body that is too large will be too large again.
            kind = FailureKind.FINAL if isinstance(error, BodyTooLarge) else FailureKind.AMBIGUOUS
            raise AttemptFailed(kind, reply.unexpected_reply_error(f"The reply cannot be used: {error}.")) from None
        finally:
            _sending.reset(mark)
        left_out = BODY_LEFT_OUT in response.extensions
        reply = make_reply(call, response.status_code, response.headers, body, body_left_out=left_out)
        self._log_attempt(call, str(reply.status), started, reply.request_id)
        if reply.status == 429 and self._rate_limiter is not None:
            self._rate_limiter.slow_down(self._clock.monotonic())
        return reply

    async def aclose(self) -> None:
        """Close our own clients and their transport; the caller's own stays open."""
        await self._pool.aclose()

    async def _wait_for_rate_limit(self) -> None:
        if self._rate_limiter is not None and (wait := self._rate_limiter.reserve(self._clock.monotonic())):
            await self._clock.sleep(wait)

    def _log_attempt(self, call: Call, result: str, started: float, request_id: str | None = None) -> None:
        milliseconds = (self._clock.monotonic() - started) * 1000
        log.info("%s %s %s %.0f ms %s", call.method, call.template, result, milliseconds, request_id or "-")


async def _send_and_stream(
    client: httpx.AsyncClient, request: httpx.Request, auth: httpx.Auth | None
) -> httpx.Response:
    try:
        return await client.send(request, auth=auth, stream=True, follow_redirects=False)
    except httpx.HTTPStatusError as error:
        # A hook of the caller's client raises for error replies, as the manual of httpx shows. The reply is interpreted
        # here all the same; its body is lost unless the hook has read it.
        return error.response


def _lost_reply_error(call: Call, error: Exception, proxy_variable: str | None = None) -> AttemptFailed:
    kind = classify_exception(error)
    evidence = {"request": f"{call.method} {call.template}", "cause": type(error).__name__}
    words = call.operation.replace("_", " ")
    if kind is FailureKind.AMBIGUOUS:
        return AttemptFailed(
            kind,
            OutcomeUnknown(
                f"The reply to the request to {words} was lost.",
                evidence=evidence,
                safe=_safe_line(call),
                next_step="check whether it took effect before resending.",
            ),
        )
    if proxy_variable is not None:  # by its name: its value may hold a password
        return AttemptFailed(
            kind,
            NotSent(
                f"The request to {words} was not sent: the exchange could not be reached through the proxy that "
                f"{proxy_variable} names.",
                evidence=evidence | {"variable": proxy_variable},
                safe="nothing was sent; resending is safe.",
                next_step=f"check the proxy and the network, or unset {proxy_variable}.",
            ),
        )
    return AttemptFailed(
        kind,
        NotSent(
            f"The request to {words} was not sent: the exchange could not be reached.",
            evidence=evidence,
            safe="nothing was sent; resending is safe.",
            next_step="check the network and CINT_NB_BASE_URL.",
        ),
    )


def _deadline_error(call: Call, *, sent: bool) -> AttemptFailed:
    evidence = {"request": f"{call.method} {call.template}"}
    words = call.operation.replace("_", " ")
    if not sent:
        return AttemptFailed(
            FailureKind.NOT_SENT,
            NotSent(
                f"The request to {words} was not sent before its deadline: other requests were ahead of it.",
                evidence=evidence,
                safe="nothing was sent; resending is safe.",
                next_step="send fewer concurrent requests, or set a longer deadline.",
            ),
            deadline_exceeded=True,
        )
    return AttemptFailed(
        FailureKind.AMBIGUOUS,
        DeadlineExceeded(
            f"No reply to the request to {words} arrived before the deadline.",
            evidence=evidence,
            safe=_safe_line(call),
            next_step="check whether it took effect before resending.",
        ),
        deadline_exceeded=True,
    )


def _safe_line(call: Call) -> str:
    if call.method == "GET":
        return "nothing was changed; repeating the read is safe."
    return "unknown: the request may have taken effect."


_SLOWEST = 1.0
_RECOVERY_SECONDS = 60.0


class RateLimiter:
    """A rate limiter: at most `per_second` requests on average, with bursts of up to one second's worth.

    Args:
        per_second: Requests per second.
    """

    def __init__(self, per_second: float = limits.REQUESTS_PER_SECOND) -> None:
        self._burst = per_second
        self._rate = per_second
        self._tokens = per_second
        self._filled_at: float | None = None
        self._slowed_at: float | None = None

    @property
    def per_second(self) -> float:
        """The current rate."""
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
        """Halve the rate, down to one request per second, after a 429. Several within a second count as one."""
        if self._slowed_at is None or now - self._slowed_at >= 1.0:
            self._rate = max(_SLOWEST, self._rate / 2)
            self._tokens = min(self._tokens, self._rate)
            self._slowed_at = now

    def _recover(self, now: float) -> None:
        """Double the rate again after each minute without a 429."""
        while self._slowed_at is not None and self._rate < self._burst and now - self._slowed_at >= _RECOVERY_SECONDS:
            self._rate = min(self._burst, self._rate * 2)
            self._slowed_at = None if self._rate == self._burst else self._slowed_at + _RECOVERY_SECONDS
