"""Sending non-idempotent requests once: after a lost reply, check the exchange before anything else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from cint_nb.domain import limits
from cint_nb.domain.errors import ApiError, Conflict, OutcomeUnknown, ServerError, TransportError, UnexpectedReply
from cint_nb.wire.http import Http

T = TypeVar("T")

AMBIGUOUS_ERRORS = (OutcomeUnknown, ServerError, UnexpectedReply)
"""Errors after which a request may have taken effect: no reply, a failure of the exchange, an unreadable success."""


async def send_once(
    http: Http,
    send: Callable[[], Awaitable[T]],
    check: Callable[[], Awaitable[T | None]],
    *,
    what: str,
    **evidence: Any,
) -> T:
    """Send, and after an ambiguous error check for the result at 1, 4 and 10 s: adopt it, or send a second time.

    Args:
        http: Provides the pauses.
        send: Sends the request and parses its reply.
        check: Finds what an earlier attempt created; None if there is nothing.
        what: What the request does, for the message.
        evidence: What identifies the result later, such as the token.

    Raises:
        OutcomeUnknown: the checks failed, or the second attempt ended in an ambiguous error too; `evidence` contains
            what identifies the result later.
    """
    lost: Exception | None = None
    for _ in range(2):
        try:
            return await send()
        except AMBIGUOUS_ERRORS as error:
            found, is_certain = await check_after_delay(http, check)
            if found is not None:
                return found
            # Without a check that worked, "nothing found" proves nothing, and a second request could act twice.
            if not is_certain or lost is not None:
                raise outcome_unknown_error(what, error, **evidence) from error
            lost = error
        except Conflict:
            # On the first attempt the conflict is with somebody else's request; on the second it may be with our own.
            if lost is None:
                raise
            try:
                found = await check()
            except (ApiError, TransportError) as error:
                raise outcome_unknown_error(what, error, **evidence) from error
            if found is not None:
                return found
            raise
    raise outcome_unknown_error(what, lost, **evidence)


async def check_after_delay(http: Http, check: Callable[[], Awaitable[T | None]]) -> tuple[T | None, bool]:
    """Return what was found, and whether the answer is certain: a result, or a last check that worked.

    The checks are spread over seconds, because the exchange may still be busy with the request whose reply was lost.
    """
    waited, is_certain = 0.0, False
    for moment in limits.RECHECK_AFTER_SECONDS:
        await http.sleep(moment - waited)
        waited = moment
        try:
            found = await check()
        except (ApiError, TransportError):
            is_certain = False
            continue
        if found is not None:
            return found, True
        is_certain = True
    return None, is_certain


def outcome_unknown_error(what: str, error: Exception | None, **evidence: Any) -> OutcomeUnknown:
    """Return the error for a request that may or may not have taken effect."""
    known = error.evidence if isinstance(error, ApiError | TransportError) else {}
    return OutcomeUnknown(
        f"The reply to a request was lost, and checking did not show whether it took effect: {what}.",
        evidence={
            **evidence,
            "status": known.get("status"),
            "request_id": known.get("request_id"),
            "lost": type(error).__name__ if error else None,
        },
        safe="the request took effect once or not at all.",
        next_step="check again with the values above before resending; the same values identify it.",
    )
