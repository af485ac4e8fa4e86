"""Sending non-idempotent requests once: after a lost reply, check the exchange before anything else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from cint_nb.domain import limits
from cint_nb.domain.errors import ApiError, Conflict, OutcomeUnknown, ServerError, TransportError, UnexpectedReply
from cint_nb.wire.http import Http

T = TypeVar("T")

_AMBIGUOUS_ERRORS = (OutcomeUnknown, ServerError, UnexpectedReply)
"""Errors after which a request may have taken effect: no reply, a failure of the exchange, an unreadable success."""


async def send_once(
    http: Http,
    send: Callable[[], Awaitable[T]],
    check: Callable[[], Awaitable[T | None]],
    *,
    check_conflict: Callable[[], Awaitable[T | None]] | None = None,
    what: str,
    **evidence: Any,
) -> T:
    """Send, and after an ambiguous error check for the result at 1, 4 and 10 s: adopt it, or send a second time.

    A conflict on the first attempt is with somebody else's request; on the second it may be with our own first one.

    Args:
        http: Provides the pauses.
        send: Sends the request and parses its reply.
        check: Finds what an earlier attempt created; None if there is nothing.
        check_conflict: Finds it when the second attempt ends in a conflict, which may itself be the proof that the
            first was accepted; None if the conflict is somebody else's. `check` if omitted.
        what: What the request does, for the message.
        evidence: What identifies the result later, such as the token.

    Raises:
        Conflict: somebody else's request is in the way.
        OutcomeUnknown: the checks failed, or the second attempt ended in an ambiguous error too; `evidence` contains
            what identifies the result later.
    """
    lost: Exception | None = None
    for _ in range(2):
        try:
            return await send()
        except _AMBIGUOUS_ERRORS as error:
            found, is_certain = await _check_after_delay(http, check)
            if found is not None:
                return found
            # Without a check that worked, "nothing found" proves nothing, and a second request could act twice.
            if not is_certain or lost is not None:
                raise _outcome_unknown_error(what, error, **evidence) from error
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


async def _check_after_delay(http: Http, check: Callable[[], Awaitable[T | None]]) -> tuple[T | None, bool]:
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


def _outcome_unknown_error(what: str, error: Exception | None, **evidence: Any) -> OutcomeUnknown:
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
