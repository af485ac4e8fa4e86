"""One request, sent as safely as its kind allows: token, repeats, deadline, errors.

`Http` is the only thing the client above needs. It is used from any thread and any loop.
"""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
from pydantic import SecretStr
from tenacity import AsyncRetrying, RetryCallState

from cint_nb.domain import limits
from cint_nb.domain.errors import (
    ApiError,
    CintError,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    ServerError,
)
from cint_nb.wire import loop_thread, retry_policy
from cint_nb.wire.api_errors import error_from_reply, redact_reply
from cint_nb.wire.auth import (
    TOKEN_CALL,
    BearerAuth,
    FileTokenStore,
    TokenProvider,
    may_mean_expired_token,
    token_request_body,
)
from cint_nb.wire.calls import Call, Reply
from cint_nb.wire.clock import Clock, SystemClock
from cint_nb.wire.retry_policy import FailureKind, Idempotency, RetryBudget, RetryDecision
from cint_nb.wire.sender import AttemptFailed, Sender
from cint_nb.wire.settings import Mode, Settings
from cint_nb.wire.token_factory import RandomTokenFactory, TokenFactory

__all__ = ["Call", "Http", "Idempotency", "Reply"]

_WARNINGS_MAX = 100
_MAY_HAVE_ACTED = (FailureKind.AMBIGUOUS, FailureKind.UNAVAILABLE)


_NO_RETRY = RetryDecision(retry=False)


@dataclass
class _CallState:
    """Follow one call over its attempts.

    Its time is its own: what the attempts really took, and the pauses by the client's clock. So another task that
    lets hours of practice time pass does not use up the seconds of this call.
    """

    call: Call
    limit: float
    started: float = field(default_factory=time.monotonic)
    slept_ahead: float = 0.0
    attempts: int = 0
    extra_seconds: float = 0.0
    new_token_tried: bool = False
    may_have_acted: bool = False
    decision: RetryDecision = _NO_RETRY

    def seconds_left(self) -> float:
        return self.limit + self.extra_seconds - self.slept_ahead - (time.monotonic() - self.started)

    async def pause(self, clock: Clock, seconds: float) -> None:
        began = time.monotonic()
        await clock.sleep(seconds)
        self.slept_ahead += seconds - (time.monotonic() - began)


class Http:
    """Send calls to one exchange, as one account. Making it touches no network and starts no thread.

    Args:
        settings: Where and as whom.
        transport: What answers; httpx's own network transport when None.
        clock: All time and all waiting.
        token_factory: Names that must not repeat, for those above.
        client: A client of your own, used unchanged and left open by `aclose`. It must not serve another loop at once.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
        token_factory: TokenFactory | None = None,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.token_factory: TokenFactory = token_factory or RandomTokenFactory()
        self.requests_sent = 0
        self.token_requests_sent = 0
        self.warnings: list[str] = []
        live = settings.mode is Mode.LIVE
        # The pace is manners toward the real exchange; practice and replay run on a time of their own.
        self._sender = Sender(
            transport=transport,
            client=client,
            clock=self.clock,
            in_flight=settings.in_flight,
            per_second=settings.requests_per_second if live else None,
            proxies=not settings.is_local,
        )
        keep = FileTokenStore(settings) if settings.keep_token and live and settings.token is None else None
        self._tokens = TokenProvider(settings, self.clock, self._fetch_token, keep)
        self._budget = RetryBudget()
        seed = getattr(self.token_factory, "seed", None)
        self._random = random.SystemRandom() if seed is None else random.Random(f"{seed}:pauses")  # noqa: S311 - jitter
        self._closed = False

    async def send(self, call: Call) -> Reply:
        """Send a call and return its reply, any 2xx; repeat what its kind allows to be repeated.

        Raises:
            InputError: if a path value is missing or malformed; nothing was sent.
            NotSent: if it never left, so that sending it again is safe.
            OutcomeUnknown: if the reply was lost. `DeadlineExceeded`, if time was up.
            ApiError: the class of the reply's status; `invalid_params` under our names, `body` as it came.
        """
        return await loop_thread.run_on_loop(self._send(call))

    async def sleep(self, seconds: float) -> None:
        """Wait on this client's clock."""
        await loop_thread.run_on_loop(self.clock.sleep(seconds))

    async def aclose(self) -> None:
        """Close the connections. A closed client sends nothing more; closing twice is fine."""
        if not self._closed:
            self._closed = True
            await loop_thread.run_on_loop(self._sender.aclose())

    def warn(self, text: str) -> None:
        """Add a warning, each text once."""
        if text not in self.warnings and len(self.warnings) < _WARNINGS_MAX:
            self.warnings.append(text)

    def __repr__(self) -> str:
        """Show mode and account."""
        return f"<Http: {self.settings.mode} · account {self.settings.account_id}>"

    async def _send(self, call: Call) -> Reply:
        if self._closed:
            raise NotSent("This client is closed.", safe="nothing was sent.", next_step="connect again.")
        url = self.settings.base_url + call.url_path(self.settings.account_id)
        return await self._with_retries(call, lambda course: self._with_token(course, url))

    async def _with_retries(self, call: Call, attempt: Callable[[_CallState], Awaitable[Reply]]) -> Reply:
        usual = limits.UPLOAD_SECONDS if call.file else limits.CALL_SECONDS
        course = _CallState(call, call.deadline or usual)

        async def one() -> Reply:
            course.attempts += 1
            return await attempt(course)

        def again(state: RetryCallState) -> bool:
            failure = state.outcome.exception() if state.outcome else None
            return isinstance(failure, AttemptFailed) and self._decide(course, failure)

        try:
            try:
                return await one()  # nearly every call ends here: the loop would cost it more than all else of ours
            except AttemptFailed as failure:
                if not self._decide(course, failure):
                    raise
            await course.pause(self.clock, course.decision.delay)
            return await AsyncRetrying(
                retry=again,
                wait=lambda _: course.decision.delay,
                sleep=lambda seconds: course.pause(self.clock, seconds),
                reraise=True,
            )(one)
        except AttemptFailed as failure:
            raise _with_earlier_attempts(self._to_error(failure, course), course) from None
        except CintError as error:  # no token could be had for another attempt
            raise _with_earlier_attempts(error, course) from None

    def _decide(self, course: _CallState, failure: AttemptFailed) -> bool:
        now = self.clock.monotonic()
        course.decision = retry_policy.decide_retry(
            course.call.idempotency,
            failure.ending,
            attempt=course.attempts,
            retry_after=failure.asked_wait,
            jitter=self._random.random(),
            seconds_left=0.0 if failure.out_of_time else course.seconds_left(),
            deadline_is_hard=course.call.deadline is not None,
            budget_left=self._budget.has_budget(now),
        )
        if course.decision.retry:
            self._budget.spend(now)
            if failure.ending in _MAY_HAVE_ACTED and course.call.idempotency is not Idempotency.SAFE:
                course.may_have_acted = True
            if failure.asked_wait is not None and course.call.deadline is None:
                course.extra_seconds += failure.asked_wait
        return course.decision.retry

    async def _with_token(self, course: _CallState, url: str) -> Reply:
        token = await self._tokens.current()
        reply = await self._once(course, url, BearerAuth(token))
        if may_mean_expired_token(reply) and not course.new_token_tried:
            # Rejected before any work was done, so that even a naked call may be sent once more.
            newer = await self._tokens.renew(token)
            if newer is not None:
                course.new_token_tried = True
                reply = await self._once(course, url, BearerAuth(newer))
                if may_mean_expired_token(reply):
                    self._tokens.mark_valid(newer)
        return self._check_reply(course, reply)

    async def _once(self, course: _CallState, url: str, auth: BearerAuth) -> Reply:
        call = course.call
        headers = {
            "Accept": call.accept,
            "Accept-Encoding": "identity",
            "Cint-API-Version": limits.API_VERSION,
        }
        if call.idempotency_key:
            headers["idempotency-key"] = call.idempotency_key
        if call.if_match:
            headers["If-Match"] = call.if_match
        request = self._sender.build_request(call, url, headers, call.json)
        self.requests_sent += 1
        reply = await self._sender.send(call, request, auth, course.seconds_left())
        return self._redact(reply, auth.secret)

    def _check_reply(self, course: _CallState, reply: Reply) -> Reply:
        call = course.call
        if 200 <= reply.status < 300:
            self._warn_of_sunset(reply)
            if call.accept != "application/json" and reply.is_html_page():
                raise AttemptFailed(
                    FailureKind.AMBIGUOUS, reply.unexpected_reply_error("The reply is a page for people, not the file.")
                )
            if call.accept == "application/json" and reply.is_malformed():
                raise AttemptFailed(
                    FailureKind.AMBIGUOUS, reply.unexpected_reply_error("The reply is cut off, or is no JSON.")
                )
            return reply
        error = error_from_reply(reply, operation=call.operation, tried_new_token=course.new_token_tried)
        wait = retry_policy.parse_retry_after(reply.headers.get("retry-after"), self.clock.now())
        raise AttemptFailed(retry_policy.classify_status(reply.status), error, retry_after=wait)

    def _warn_of_sunset(self, reply: Reply) -> None:
        if sunset := reply.headers.get("sunset", ""):
            self.warn(f"The exchange says that {reply.method} {reply.template} ends on {sunset[:40]}.")

    def _to_error(self, failure: AttemptFailed, course: _CallState) -> CintError:
        error = failure.error
        if course.attempts > 1:
            error.evidence["attempts"] = course.attempts
        if course.decision.reason:
            error.evidence["not_repeated"] = course.decision.reason
        if failure.asked_wait is not None and isinstance(error, RateLimited | ServerError):
            moment = self.clock.now() + timedelta(seconds=failure.asked_wait)
            error.evidence["retry_after_seconds"] = round(failure.asked_wait, 3)
            error.next_step = f"send nothing before {moment:%Y-%m-%d %H:%M:%S} UTC. {error.next_step}"
        if (
            isinstance(error, ApiError)
            and failure.ending is FailureKind.AMBIGUOUS
            and course.call.idempotency is Idempotency.SAFE
        ):
            error.safe = "sending it again is safe."
        return error

    async def _fetch_token(self) -> Reply:
        return await self._with_retries(TOKEN_CALL, self._request_token)

    async def _request_token(self, course: _CallState) -> Reply:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        request = self._sender.build_request(
            TOKEN_CALL, self.settings.token_url, headers, token_request_body(self.settings)
        )
        request.extensions["cint_nb_token"] = True  # recordings leave it out
        self.token_requests_sent += 1
        reply = await self._sender.send(TOKEN_CALL, request, None, course.seconds_left())
        return self._check_reply(course, self._redact(reply))

    def _redact(self, reply: Reply, *sent: SecretStr) -> Reply:
        """Return a reply as it may be told: an error that quotes our credentials is told without them."""
        if reply.status < 300:
            return reply
        return redact_reply(reply, (*sent, self.settings.token, self.settings.client_secret))


def _with_earlier_attempts(error: CintError, course: _CallState) -> CintError:
    """Correct what an error says of the last attempt, where an earlier one of the same call may have acted."""
    if not course.may_have_acted:
        return error
    safe = "unknown: an earlier attempt of this request may have acted."
    if course.call.idempotency_key:
        error.evidence["idempotency_key"] = course.call.idempotency_key
    if isinstance(error, NotSent):
        return OutcomeUnknown(
            f"The request to {course.call.operation} got no usable reply, and repeating it failed: {error.what}",
            evidence={"attempts": course.attempts, **error.evidence},
            safe=safe,
            next_step="look whether it took effect before sending it again.",
        )
    error.safe = safe
    return error
