"""Send what has no protection against being sent twice: once, and after a lost reply look before anything else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from cint_nb.domain import limits
from cint_nb.domain.errors import ApiError, Conflict, OutcomeUnknown, ServerError, TransportError, UnexpectedReply
from cint_nb.wire.http import Http

T = TypeVar("T")

AMBIGUOUS_ERRORS = (OutcomeUnknown, ServerError, UnexpectedReply)
"""Endings after which the exchange may have acted: no reply, a failure of its own, a success that cannot be read."""


async def send_once(
    http: Http,
    send: Callable[[], Awaitable[T]],
    check: Callable[[], Awaitable[T | None]],
    *,
    what: str,
    **evidence: Any,
) -> T:
    """Send, and after an ambiguous ending look for the result at 1, 4 and 10 s: adopt it, or send once more.

    Args:
        http: Gives the pauses.
        send: Sends the request and reads its reply.
        check: Finds what an earlier attempt made; None if there is nothing.
        what: What was to be done, for the message.
        evidence: What finds the result later, such as the token.

    Raises:
        OutcomeUnknown: the looks failed, or the second attempt ended as badly as the first; `evidence` tells how to
            find the result later.
    """
    lost: Exception | None = None
    for _ in range(2):
        try:
            return await send()
        except AMBIGUOUS_ERRORS as error:
            found, sure = await check_after_delay(http, check)
            if found is not None:
                return found
            if not sure or lost is not None:
                raise outcome_unknown_error(what, error, **evidence) from error
            lost = error
        except Conflict:
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


async def check_after_delay(http: Http, look: Callable[[], Awaitable[T | None]]) -> tuple[T | None, bool]:
    """Return what was found, and whether the last look could see at all."""
    waited, sure = 0.0, False
    for moment in limits.RECHECK_AFTER_SECONDS:
        await http.sleep(moment - waited)
        waited = moment
        try:
            found = await look()
        except (ApiError, TransportError):
            sure = False
            continue
        if found is not None:
            return found, True
        sure = True
    return None, sure


def outcome_unknown_error(what: str, error: Exception | None, **evidence: Any) -> OutcomeUnknown:
    """Build the error for a request of which nobody knows whether it took effect."""
    known = error.evidence if isinstance(error, ApiError | TransportError) else {}
    return OutcomeUnknown(
        f"The reply to a request was lost, and looking did not show whether the exchange did it: {what}.",
        evidence={
            **evidence,
            "status": known.get("status"),
            "request_id": known.get("request_id"),
            "lost": type(error).__name__ if error else None,
        },
        safe="it was done once or not at all.",
        next_step="look again with the values above before sending it again; the same values find it.",
    )
