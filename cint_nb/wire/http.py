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
from cint_nb.wire.api_errors import problem, without_secrets
from cint_nb.wire.auth import TOKEN_CALL, Bearer, TokenFile, Tokens, rejects_token, token_body
from cint_nb.wire.calls import Call, Reply
from cint_nb.wire.clock import Clock, SystemClock
from cint_nb.wire.retry_policy import Ending, Repeat, RetryBudget, Verdict
from cint_nb.wire.sender import Failure, Sender
from cint_nb.wire.settings import Mode, Settings
from cint_nb.wire.token_factory import Nonces, SystemNonces

__all__ = ["Call", "Http", "Repeat", "Reply"]

_WARNINGS_MAX = 100
_MAY_HAVE_ACTED = (Ending.AMBIGUOUS, Ending.UNAVAILABLE)


_NOTHING_DECIDED = Verdict(again=False)


@dataclass
class _Course:
    """Follow one call over its attempts.

    Its time is its own: what the attempts really took, and the pauses by the client's clock. So another task that
    lets hours of practice time pass does not use up the seconds of this call.
    """

    call: Call
    limit: float
    started: float = field(default_factory=time.monotonic)
    pauses_ahead: float = 0.0
    attempts: int = 0
    granted: float = 0.0
    new_token_tried: bool = False
    may_have_acted: bool = False
    verdict: Verdict = _NOTHING_DECIDED

    def seconds_left(self) -> float:
        return self.limit + self.granted - self.pauses_ahead - (time.monotonic() - self.started)

    async def pause(self, clock: Clock, seconds: float) -> None:
        began = time.monotonic()
        await clock.sleep(seconds)
        self.pauses_ahead += seconds - (time.monotonic() - began)


class Http:
    """Send calls to one exchange, as one account. Making it touches no network and starts no thread.

    Args:
        settings: Where and as whom.
        transport: What answers; httpx's own network transport when None.
        clock: All time and all waiting.
        nonces: Names that must not repeat, for those above.
        client: A client of your own, used unchanged and left open by `aclose`. It must not serve another loop at once.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
        nonces: Nonces | None = None,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.nonces: Nonces = nonces or SystemNonces()
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
            proxies=not settings.on_this_machine,
        )
        keep = TokenFile(settings) if settings.keep_token and live and settings.token is None else None
        self._tokens = Tokens(settings, self.clock, self._fetch_token, keep)
        self._budget = RetryBudget()
        seed = getattr(self.nonces, "seed", None)
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
        return await loop_thread.hop(self._send(call))

    async def sleep(self, seconds: float) -> None:
        """Wait on this client's clock."""
        await loop_thread.hop(self.clock.sleep(seconds))

    async def aclose(self) -> None:
        """Close the connections. A closed client sends nothing more; closing twice is fine."""
        if not self._closed:
            self._closed = True
            await loop_thread.hop(self._sender.aclose())

    def warn(self, text: str) -> None:
        """Add a warning, each text once."""
        if text not in self.warnings and len(self.warnings) < _WARNINGS_MAX:
            self.warnings.append(text)

    def __repr__(self) -> str:
        """Name mode and account."""
        return f"<Http: {self.settings.mode} · account {self.settings.account_id}>"

    async def _send(self, call: Call) -> Reply:
        if self._closed:
            raise NotSent("This client is closed.", safe="nothing was sent.", next_step="connect again.")
        url = self.settings.base_url + call.address(self.settings.account_id)
        return await self._repeating(call, lambda course: self._with_token(course, url))

    async def _repeating(self, call: Call, attempt: Callable[[_Course], Awaitable[Reply]]) -> Reply:
        usual = limits.UPLOAD_SECONDS if call.file else limits.CALL_SECONDS
        course = _Course(call, call.deadline or usual)

        async def one() -> Reply:
            course.attempts += 1
            return await attempt(course)

        def again(state: RetryCallState) -> bool:
            failure = state.outcome.exception() if state.outcome else None
            return isinstance(failure, Failure) and self._decide(course, failure)

        try:
            try:
                return await one()  # nearly every call ends here: the loop would cost it more than all else of ours
            except Failure as failure:
                if not self._decide(course, failure):
                    raise
            await course.pause(self.clock, course.verdict.seconds)
            return await AsyncRetrying(
                retry=again,
                wait=lambda _: course.verdict.seconds,
                sleep=lambda seconds: course.pause(self.clock, seconds),
                reraise=True,
            )(one)
        except Failure as failure:
            raise _remembering(self._explained(failure, course), course) from None
        except CintError as error:  # no token could be had for another attempt
            raise _remembering(error, course) from None

    def _decide(self, course: _Course, failure: Failure) -> bool:
        now = self.clock.monotonic()
        course.verdict = retry_policy.decide(
            course.call.repeat,
            failure.ending,
            attempt=course.attempts,
            asked_wait=failure.asked_wait,
            jitter=self._random.random(),
            seconds_left=0.0 if failure.out_of_time else course.seconds_left(),
            deadline_is_hard=course.call.deadline is not None,
            budget_left=self._budget.left(now),
        )
        if course.verdict.again:
            self._budget.spend(now)
            if failure.ending in _MAY_HAVE_ACTED and course.call.repeat is not Repeat.SAFE:
                course.may_have_acted = True
            if failure.asked_wait is not None and course.call.deadline is None:
                course.granted += failure.asked_wait
        return course.verdict.again

    async def _with_token(self, course: _Course, url: str) -> Reply:
        token = await self._tokens.current()
        reply = await self._once(course, url, Bearer(token))
        if rejects_token(reply) and not course.new_token_tried:
            # Rejected before any work was done, so that even a naked call may be sent once more.
            newer = await self._tokens.renew(token)
            if newer is not None:
                course.new_token_tried = True
                reply = await self._once(course, url, Bearer(newer))
                if rejects_token(reply):
                    self._tokens.proven(newer)
        return self._judged(course, reply)

    async def _once(self, course: _Course, url: str, auth: Bearer) -> Reply:
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
        request = self._sender.build(call, url, headers, call.json)
        self.requests_sent += 1
        reply = await self._sender.once(call, request, auth, course.seconds_left())
        return self._told(reply, auth.secret)

    def _judged(self, course: _Course, reply: Reply) -> Reply:
        call = course.call
        if 200 <= reply.status < 300:
            self._note_sunset(reply)
            if call.accept != "application/json" and reply.is_page():
                raise Failure(Ending.AMBIGUOUS, reply.unexpected("The reply is a page for people, not the file."))
            if call.accept == "application/json" and reply.is_broken():
                raise Failure(Ending.AMBIGUOUS, reply.unexpected("The reply is cut off, or is no JSON."))
            return reply
        error = problem(reply, operation=call.operation, tried_new_token=course.new_token_tried)
        wait = retry_policy.retry_after(reply.headers.get("retry-after"), self.clock.now())
        raise Failure(retry_policy.ending_of_status(reply.status), error, asked_wait=wait)

    def _note_sunset(self, reply: Reply) -> None:
        if sunset := reply.headers.get("sunset", ""):
            self.warn(f"The exchange says that {reply.method} {reply.template} ends on {sunset[:40]}.")

    def _explained(self, failure: Failure, course: _Course) -> CintError:
        error = failure.error
        if course.attempts > 1:
            error.evidence["attempts"] = course.attempts
        if course.verdict.why_not:
            error.evidence["not_repeated"] = course.verdict.why_not
        if failure.asked_wait is not None and isinstance(error, RateLimited | ServerError):
            moment = self.clock.now() + timedelta(seconds=failure.asked_wait)
            error.evidence["retry_after_seconds"] = round(failure.asked_wait, 3)
            error.next_step = f"send nothing before {moment:%Y-%m-%d %H:%M:%S} UTC. {error.next_step}"
        if isinstance(error, ApiError) and failure.ending is Ending.AMBIGUOUS and course.call.repeat is Repeat.SAFE:
            error.safe = "sending it again is safe."
        return error

    async def _fetch_token(self) -> Reply:
        return await self._repeating(TOKEN_CALL, self._ask_for_token)

    async def _ask_for_token(self, course: _Course) -> Reply:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        request = self._sender.build(TOKEN_CALL, self.settings.token_url, headers, token_body(self.settings))
        request.extensions["cint_nb_token"] = True  # recordings leave it out
        self.token_requests_sent += 1
        reply = await self._sender.once(TOKEN_CALL, request, None, course.seconds_left())
        return self._judged(course, self._told(reply))

    def _told(self, reply: Reply, *sent: SecretStr) -> Reply:
        """Return a reply as it may be told: an error that quotes our credentials is told without them."""
        if reply.status < 300:
            return reply
        return without_secrets(reply, (*sent, self.settings.token, self.settings.client_secret))


def _remembering(error: CintError, course: _Course) -> CintError:
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
