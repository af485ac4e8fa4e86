"""Sending a call safely: token, retries, deadline, rate limit and errors.

`Http` is all that the API client needs. It can be used from any thread and any event loop.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NoReturn

import httpx
from pydantic import SecretStr
from tenacity import AsyncRetrying, RetryCallState

from cint_nb.caller_warnings import keep_for_caller, show_warnings
from cint_nb.domain import limits
from cint_nb.domain.errors import (
    ApiError,
    CintError,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    ServerError,
    UnexpectedReply,
)
from cint_nb.domain.ids import printable, quote_foreign
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
from cint_nb.wire.replies import error_body, shape
from cint_nb.wire.retry_policy import FailureKind, Idempotency, RetryBudget, RetryDecision
from cint_nb.wire.sender import AttemptFailed, Sender
from cint_nb.wire.settings import Mode, Settings
from cint_nb.wire.token_factory import RandomTokenFactory, TokenFactory

__all__ = ["Call", "Http", "Idempotency", "Reply", "add_send_guard", "remove_send_guard"]

_WARNINGS_MAX = 100
_NO_MORE_WARNINGS = f"This client has given {_WARNINGS_MAX} warnings; it gives no more. Connect again to see others."
_MAY_HAVE_TAKEN_EFFECT = (FailureKind.AMBIGUOUS, FailureKind.UNAVAILABLE)


_NO_RETRY = RetryDecision(retry=False)
SendGuard = Callable[[], None]
_guards: ContextVar[tuple[SendGuard, ...]] = ContextVar("cint_nb_send_guards", default=())


def add_send_guard(guard: SendGuard) -> None:
    """Have a function called before each changing request of this context and of the tasks started in it.

    Args:
        guard: Raises if the request must not be sent.
    """
    _guards.set((*_guards.get(), guard))


def remove_send_guard(guard: SendGuard) -> None:
    """Remove what `add_send_guard` added in this context."""
    _guards.set(tuple(each for each in _guards.get() if each != guard))


def _check_may_send(method: str) -> None:
    if method != "GET":
        for guard in _guards.get():
            guard()


@dataclass
class _CallState:
    """The state of one call over its attempts.

    Each call measures its own time: the real duration of its attempts, and its delays by the client's clock. So another
    task that lets hours of sandbox time pass does not use up the seconds of this call.
    """

    call: Call
    limit: float
    started: float = field(default_factory=time.monotonic)
    slept_ahead: float = 0.0
    attempts: int = 0
    extra_seconds: float = 0.0
    new_token_tried: bool = False
    may_have_taken_effect: bool = False
    decision: RetryDecision = _NO_RETRY

    def seconds_left(self) -> float:
        return self.limit + self.extra_seconds - self.slept_ahead - (time.monotonic() - self.started)

    async def pause(self, clock: Clock, seconds: float) -> None:
        began = time.monotonic()
        await clock.sleep(seconds)
        self.slept_ahead += seconds - (time.monotonic() - began)


class Http:
    """Sends calls to one exchange, as one account. Creating it touches no network and starts no thread.

    Args:
        settings: Base URL, account and credentials.
        transport: httpx transport; its own network transport when None.
        clock: For all time and all waiting.
        token_factory: Unique tokens and idempotency keys, for the API client.
        client: Your own httpx client, used unchanged and left open by `aclose`. No other event loop may use it.
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
        self.reply_listener: Callable[[Call, object], None] = lambda _call, _body: None
        """Sees each body of JSON before it is compared with what its operation declares, for `cint-nb doctor`."""
        self._warnings: dict[str, None] = {}
        self._warnings_to_show: deque[str] = deque()
        live = settings.mode is Mode.LIVE
        # The rate limit is courtesy toward the live exchange; sandbox and replay have their own time.
        self._sender = Sender(
            transport=transport,
            client=client,
            clock=self.clock,
            in_flight=settings.in_flight,
            per_second=settings.requests_per_second if live else None,
            proxies=not settings.is_local,
        )
        store = FileTokenStore(settings) if settings.keep_token and live and settings.token is None else None
        self._tokens = TokenProvider(settings, self.clock, self._fetch_token, store)
        self._budget = RetryBudget()
        seed = getattr(self.token_factory, "seed", None)
        self._random = random.SystemRandom() if seed is None else random.Random(f"{seed}:pauses")  # noqa: S311 - jitter
        self._closed = False

    def __reduce__(self) -> NoReturn:
        """Raise: connections and credentials belong to one process, and a copy would limit its requests by itself."""
        raise TypeError(
            "A client holds connections and credentials: neither it nor a wave of it can be copied or pickled. Use it "
            "as it is; in another process call cint_nb.connect()."
        )

    async def send(self, call: Call) -> Reply:
        """Send a call and return its reply, any 2xx; retry where its idempotency allows it.

        Raises:
            InputError: if a path parameter is missing or malformed; nothing was sent.
            NotSent: if it never left, so that resending is safe.
            OutcomeUnknown: if the reply was lost; `DeadlineExceeded` if the deadline passed.
            ApiError: the class of the reply's status; `invalid_params` under the names of the plan, `body` as received.
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
        """Warn the caller, each text once for this client, with `CintWarning` at the caller's line.

        It also stands with the result of the verb that waits, each time. What is said while nobody waits, as by a panel
        that follows a job in the background, is shown by the next call.
        """
        if text not in self._warnings and len(self._warnings) >= _WARNINGS_MAX:
            text = _NO_MORE_WARNINGS
        again = text in self._warnings
        self._warnings[text] = None
        if keep_for_caller(text, again=again):
            return
        if loop_thread.on_loop_thread():
            self._warnings_to_show.append(text)
        else:
            show_warnings([text])

    @property
    def warning_texts(self) -> tuple[str, ...]:
        """What this client has warned of so far, for its repr."""
        return tuple(self._warnings)

    def _show_waiting_warnings(self) -> None:
        while self._warnings_to_show and keep_for_caller(self._warnings_to_show[0]):
            self._warnings_to_show.popleft()

    @printable
    def __repr__(self) -> str:
        """Show mode and account."""
        return f"<Http: {self.settings.mode} · account {self.settings.account_id}>"

    async def _send(self, call: Call) -> Reply:
        self._show_waiting_warnings()
        if self._closed:
            raise NotSent("This client is closed.", safe="nothing was sent.", next_step="connect again.")
        url = self.settings.base_url + call.url_path(self.settings.account_id)
        return await self._with_retries(call, lambda state: self._with_token(state, url))

    async def _with_retries(self, call: Call, attempt: Callable[[_CallState], Awaitable[Reply]]) -> Reply:
        default = limits.UPLOAD_SECONDS if call.file or call.csv else limits.CALL_SECONDS
        state = _CallState(call, call.deadline or default)

        async def one() -> Reply:
            state.attempts += 1
            return await attempt(state)

        def may_retry(retry: RetryCallState) -> bool:
            failure = retry.outcome.exception() if retry.outcome else None
            return isinstance(failure, AttemptFailed) and self._decide(state, failure)

        try:
            try:
                return await one()  # nearly every call ends here; tenacity's loop costs more than all the rest
            except AttemptFailed as failure:
                if not self._decide(state, failure):
                    raise
            await state.pause(self.clock, state.decision.delay)
            return await AsyncRetrying(
                retry=may_retry,
                wait=lambda _: state.decision.delay,
                sleep=lambda seconds: state.pause(self.clock, seconds),
                reraise=True,
            )(one)
        except AttemptFailed as failure:
            error = self._to_error(failure, state)
            if isinstance(error, UnexpectedReply):
                self.warn(error.what)  # whoever can do without this reply does not say so
            raise _with_earlier_attempts(error, state) from None
        except CintError as error:  # no token for another attempt
            raise _with_earlier_attempts(error, state) from None

    def _decide(self, state: _CallState, failure: AttemptFailed) -> bool:
        now = self.clock.monotonic()
        state.decision = retry_policy.decide_retry(
            state.call.idempotency,
            failure.kind,
            attempt=state.attempts,
            retry_after=failure.retry_after,
            jitter=self._random.random(),
            seconds_left=0.0 if failure.deadline_exceeded else state.seconds_left(),
            deadline_is_hard=state.call.deadline is not None,
            budget_left=self._budget.has_budget(now),
        )
        if state.decision.retry:
            self._budget.spend(now)
            if failure.kind in _MAY_HAVE_TAKEN_EFFECT and state.call.idempotency is not Idempotency.SAFE:
                state.may_have_taken_effect = True
            if failure.retry_after is not None and state.call.deadline is None:
                state.extra_seconds += failure.retry_after
        return state.decision.retry

    async def _with_token(self, state: _CallState, url: str) -> Reply:
        token = await self._tokens.current()
        reply = await self._once(state, url, BearerAuth(token))
        may_have_acted = state.call.idempotency is Idempotency.NON_IDEMPOTENT and reply.says_nothing_of_the_exchange()
        if may_mean_expired_token(reply) and not state.new_token_tried and not may_have_acted:
            # Rejected before any work was done, so that even a non-idempotent call may be resent once.
            newer = await self._tokens.renew(token)
            if newer is not None:
                state.new_token_tried = True
                reply = await self._once(state, url, BearerAuth(newer))
                if may_mean_expired_token(reply):
                    self._tokens.mark_valid(newer)
        return self._check_reply(state, reply)

    async def _once(self, state: _CallState, url: str, auth: BearerAuth) -> Reply:
        call = state.call
        headers = {
            b"Accept-Encoding": b"identity",
            b"Cint-API-Version": limits.API_VERSION.encode(),
            **call.headers(),
        }
        request = self._sender.build_request(call, url, headers, call.json)
        _check_may_send(call.method)
        self.requests_sent += 1
        reply = await self._sender.send(call, request, auth, state.seconds_left())
        return self._redact(reply, auth.secret)

    def _check_reply(self, state: _CallState, reply: Reply) -> Reply:
        call = state.call
        if 200 <= reply.status < 300:
            self._warn_of_sunset(call, reply)
            if call.is_download and reply.is_html_page():
                raise AttemptFailed(
                    FailureKind.AMBIGUOUS,
                    reply.unexpected_reply_error(
                        f"A web page answered the request to {call.operation}, not the exchange: the reply is no file."
                    ),
                )
            if not call.is_download and reply.is_malformed():
                raise AttemptFailed(
                    FailureKind.AMBIGUOUS,
                    reply.unexpected_reply_error(
                        f"A web page answered the request to {call.operation}, not the exchange: the reply is not JSON."
                        if reply.is_web_page()
                        else f"The reply to the request to {call.operation} is truncated or not JSON."
                    ),
                )
            try:
                self._check_shape(call, reply)
            except UnexpectedReply as unusable:
                if call.idempotency is Idempotency.SAFE:
                    unusable.safe = "nothing was changed; repeating the request is safe."
                # The same request would be answered alike.
                raise AttemptFailed(FailureKind.FINAL, unusable) from None
            return reply
        may_have_acted = call.idempotency is not Idempotency.SAFE and reply.says_nothing_of_the_exchange()
        error = error_from_reply(
            reply, operation=call.operation, tried_new_token=state.new_token_tried, may_have_acted=may_have_acted
        )
        sent_at = retry_policy.parse_http_date(reply.headers.get("date")) or self.clock.now()
        wait = retry_policy.parse_retry_after(reply.headers.get("retry-after"), sent_at)
        kind = FailureKind.AMBIGUOUS if may_have_acted else retry_policy.classify_status(reply.status)
        raise AttemptFailed(kind, error, retry_after=wait)

    def _check_shape(self, call: Call, reply: Reply) -> None:
        """Compare a success with what its operation declares; what it merely lacks is a warning.

        Raises:
            UnexpectedReply: it is an error whatever its status, lacks what the operation needs, or has a wrong type.
        """
        declared = call.reply_shape
        if not reply.body.strip():
            if declared is not None and not declared.may_be_empty and not reply.body_left_out:
                raise reply.unexpected_reply_error(f"The reply to the request to {call.operation} is empty.")
            return
        if call.is_download and not reply.claims_json():
            return
        try:
            body = reply.json()
        except UnexpectedReply:
            if call.is_download or declared is None or declared.may_be_empty:
                return
            raise
        self.reply_listener(call, body)
        if (key := error_body.key_of_error(body)) is not None:
            raise reply.unexpected_reply_error(
                f"The reply to the request to {call.operation} has the status {reply.status} and is an error "
                f"({key!r}): {error_body.words_of_error(body)}"
            )
        if declared is None:
            return
        found = shape.deviations(declared.body, body)
        refused = [each for each in found if each.is_refused]
        if found:
            what = shape.in_words(refused or found)
            text = f"The reply to the request to {call.operation} is not as documented: {what}."
            if refused:
                raise reply.unexpected_reply_error(text)
            self.warn(text)

    def _warn_of_sunset(self, call: Call, reply: Reply) -> None:
        if sunset := reply.headers.get("sunset"):
            self.warn(
                f"The reply to the request to {call.operation} says in its header Sunset that {reply.method} "
                f"{reply.template} ends on {quote_foreign(sunset, 40)}."
            )

    def _to_error(self, failure: AttemptFailed, state: _CallState) -> CintError:
        error = failure.error
        if state.attempts > 1:
            error.evidence["attempts"] = state.attempts
        if state.decision.reason:
            error.evidence["not_repeated"] = state.decision.reason
        if failure.retry_after is not None and isinstance(error, RateLimited | ServerError):
            moment = self.clock.now() + timedelta(seconds=failure.retry_after)
            error.evidence["retry_after_seconds"] = round(failure.retry_after, 3)
            wait = f"send nothing before {moment:%Y-%m-%d %H:%M:%S} UTC."
            error.next_step = " ".join(filter(None, (wait, error.next_step)))
        if (
            isinstance(error, ApiError)
            and failure.kind is FailureKind.AMBIGUOUS
            and state.call.idempotency is Idempotency.SAFE
        ):
            error.safe = "resending is safe."
        return error

    async def _fetch_token(self) -> Reply:
        return await self._with_retries(TOKEN_CALL, self._request_token)

    async def _request_token(self, state: _CallState) -> Reply:
        headers = {b"Accept-Encoding": b"identity", **TOKEN_CALL.headers()}
        request = self._sender.build_request(
            TOKEN_CALL, self.settings.token_url, headers, token_request_body(self.settings)
        )
        request.extensions["cint_nb_token"] = True  # recordings omit it
        self.token_requests_sent += 1
        reply = await self._sender.send(TOKEN_CALL, request, None, state.seconds_left())
        return self._check_reply(state, self._redact(reply))

    def _redact(self, reply: Reply, *sent: SecretStr) -> Reply:
        """Return a reply that is safe to show: credentials that it quotes are removed."""
        return redact_reply(reply, (*sent, self.settings.token, self.settings.client_secret))


def _with_earlier_attempts(error: CintError, state: _CallState) -> CintError:
    """Correct an error about the last attempt where an earlier attempt of the call may have taken effect."""
    if not state.may_have_taken_effect:
        return error
    safe = "unknown: an earlier attempt may have taken effect."
    if state.call.idempotency_key:
        error.evidence["idempotency_key"] = state.call.idempotency_key
    if isinstance(error, NotSent):
        return OutcomeUnknown(
            f"The request to {state.call.operation} got no usable reply, and retrying failed: {error.what}",
            evidence={"attempts": state.attempts, **error.evidence},
            safe=safe,
            next_step="check whether it took effect before resending.",
        )
    error.safe = safe
    return error
