"""Sending non-idempotent requests once: after a lost reply, check the exchange before anything else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from cint_nb.domain import limits
from cint_nb.domain.errors import (
    ApiError,
    BudgetExceeded,
    Conflict,
    InputError,
    NotSent,
    OutcomeUnknown,
    PreflightBlocked,
    ServerError,
    TransportError,
    UnexpectedReply,
)
from cint_nb.wire.http import Http

T = TypeVar("T")

_AMBIGUOUS_ERRORS = (OutcomeUnknown, ServerError, UnexpectedReply)
"""Errors after which a request may have taken effect: no reply, a failure of the exchange, an unreadable success."""


def had_no_effect(error: BaseException) -> bool:
    """Return whether nothing was sent, or the exchange refused it.

    Anything else may stand behind a success: a lost reply, one that cannot be read, or a journal that could not write
    down what had been done already.
    """
    refused = isinstance(error, ApiError) and not isinstance(error, ServerError | UnexpectedReply)
    return refused or isinstance(error, NotSent | InputError | BudgetExceeded | PreflightBlocked)


CheckListener = Callable[[str], None]
_listener: ContextVar[CheckListener | None] = ContextVar("cint_nb_check_listener", default=None)


@contextmanager
def listen_to_checks(listener: CheckListener) -> Iterator[None]:
    """Have a function called with a sentence at each step of `check_until_certain` inside the block: it takes a minute.

    Args:
        listener: Called on the thread that checks.
    """
    reset = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(reset)


def _say(text: str) -> None:
    if (listener := _listener.get()) is not None:
        listener(text)


async def send_once(
    http: Http,
    send: Callable[[], Awaitable[T]],
    check: Callable[[], Awaitable[T | None]],
    *,
    check_conflict: Callable[[], Awaitable[T | None]] | None = None,
    twice_is_once: bool = False,
    what: str,
    **evidence: Any,
) -> T:
    """Send, and after an ambiguous error check for the result over a minute: adopt it, or send a second time.

    What was accepted, with a success that cannot be read, is not sent a second time: it has taken effect, or will. A
    conflict on the first attempt is with somebody else's request; on the second it may be with our own first one.

    Args:
        http: Provides the pauses.
        send: Sends the request and parses its reply.
        check: Finds what an earlier attempt created; None if there is nothing. It has to read the exchange each time.
        check_conflict: Finds it when the second attempt ends in a conflict, which may itself be the proof that the
            first was accepted; None if the conflict is somebody else's. `check` if omitted.
        twice_is_once: Whether the request, sent twice, does the same as once; then it may be sent again although it was
            accepted.
        what: What the request does, for the message.
        evidence: What identifies the result later, such as the token.

    Raises:
        Conflict: somebody else's request is in the way.
        OutcomeUnknown: a check failed, the request was accepted and its result is not found, or the second attempt
            ended in an ambiguous error too; `evidence` contains what identifies the result later.
    """
    lost: Exception | None = None
    for _ in range(2):
        try:
            return await send()
        except _AMBIGUOUS_ERRORS as error:
            found = await check_until_certain(http, check, what=what, lost=error, **evidence)
            if found is not None:
                return found
            accepted = isinstance(error, UnexpectedReply)
            if lost is not None or (accepted and not twice_is_once):
                raise _outcome_unknown_error(what, error, accepted=accepted, **evidence) from error
            lost = error
        except Conflict:
            if lost is None:
                raise
            try:
                found = await (check_conflict or check)()
            except (ApiError, TransportError) as error:
                raise _outcome_unknown_error(what, error, **evidence) from error
            if found is not None:
                return found
            raise
    raise _outcome_unknown_error(what, lost, **evidence)


async def check_until_certain(
    http: Http,
    check: Callable[[], Awaitable[T | None]],
    *,
    what: str,
    lost: Exception | None = None,
    **evidence: Any,
) -> T | None:
    """Return what a request whose reply is not known created; None only if three reads over a minute find nothing.

    The exchange may still be busy with the request, or answer from a replica that lags behind. A read that failed
    agrees with nothing: a second request could then act twice.

    Args:
        http: Provides the pauses.
        check: Finds the result; None if there is nothing.
        what: What the request does, for the message.
        lost: The error that ended the request; None if it ended with the process that sent it.
        evidence: What identifies the result later.

    Raises:
        OutcomeUnknown: nothing was found, and a read failed.
    """
    waited, failed = 0.0, None
    moments = limits.RECHECK_AFTER_SECONDS
    doubt = "The reply to a request was lost" if lost else "It is not known whether an earlier request took effect"
    for number, moment in enumerate(moments, 1):
        _say(f"{doubt}: {what}. Read {number} of {len(moments)} that check it follows in {moment - waited:.0f} s.")
        await http.sleep(moment - waited)
        waited = moment
        try:
            found = await check()
        except (ApiError, TransportError) as error:
            failed = error
            continue
        if found is not None:
            _say(f"{doubt}: {what}. It had taken effect.")
            return found
    if failed is not None:
        accepted = isinstance(lost, UnexpectedReply)
        raise _outcome_unknown_error(what, lost or failed, accepted=accepted, **evidence) from (lost or failed)
    _say(f"{doubt}: {what}. It had not taken effect.")
    return None


def _outcome_unknown_error(
    what: str, error: Exception | None, *, accepted: bool = False, **evidence: Any
) -> OutcomeUnknown:
    """Return the error for a request that may or may not have taken effect; `accepted` if its reply was a success."""
    known = error.evidence if isinstance(error, ApiError | TransportError) else {}
    happened = "was lost"
    if accepted and isinstance(error, UnexpectedReply):
        happened = f"reported a success that cannot be read ({error.what.rstrip('.')})"
    next_step = "check again with the values above before resending; the same values identify it."
    if isinstance(error, ApiError) and error.is_web_page:
        happened = "was a web page in place of what the exchange said"
        next_step = f"{next_step} {error.next_step or ''}".strip()
    return OutcomeUnknown(
        f"The reply to a request {happened}, and checking did not show whether it took effect: {what}.",
        evidence={
            **evidence,
            "status": known.get("status"),
            "request_id": known.get("request_id"),
            "lost": type(error).__name__ if error else None,
        },
        safe="the request took effect once or not at all.",
        next_step=next_step,
    )
