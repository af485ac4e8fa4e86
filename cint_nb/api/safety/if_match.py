"""Change a fielding run guarded by its version: read, decide, act; if it changed meanwhile, once more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cint_nb.domain.errors import (
    Conflict,
    InvalidState,
    OutcomeUnknown,
    PreconditionFailed,
    ServerError,
    UnexpectedReply,
)
from cint_nb.domain.fielding import FieldingRun
from cint_nb.wire.calls import Call
from cint_nb.wire.http import Http


@dataclass(frozen=True)
class RunDecision:
    """What was decided about a run: whether it already is as wanted."""

    run: FieldingRun
    already_done: bool


async def update_conditionally(
    http: Http,
    *,
    read_run: Callable[[], Awaitable[FieldingRun | None]],
    decide: Callable[[FieldingRun | None], RunDecision],
    call: Callable[[FieldingRun], Call],
) -> FieldingRun:
    """Act on a run and return it as it stands afterwards.

    A changed version (412) and a lost reply are treated alike: the run is read again and decided upon again, once.
    A lost reply of an act that took effect shows then as a run that is as wanted; so does a repeat that the exchange
    refuses because the first attempt had acted.

    Args:
        http: Sends.
        read_run: Reads the run with its ETag.
        decide: Says whether there is anything to do; raises where the state forbids it.
        call: Builds the guarded request for the run as read.

    Raises:
        InvalidState: the state forbids it, at first or after a change.
        PreconditionFailed: it changed twice.
        OutcomeUnknown: two replies were lost and the run is not as wanted.
        UnexpectedReply: the run came without its version; nothing was sent.
    """
    decision = decide(await read_run())
    for attempt in range(2):
        if decision.already_done:
            return decision.run
        if not decision.run.etag:  # a change that names no version could undo somebody else's
            raise _missing_etag_error(decision.run)
        try:
            await http.send(call(decision.run))
        except (PreconditionFailed, OutcomeUnknown, ServerError):
            decision = decide(await read_run())
            if attempt and not decision.already_done:
                raise
        except (Conflict, InvalidState):
            decision = decide(await read_run())
            if not decision.already_done:
                raise
        else:
            return await read_run() or decision.run
    return decision.run


def _missing_etag_error(run: FieldingRun) -> UnexpectedReply:
    return UnexpectedReply(
        "The fielding run came without its version, the ETag header, and cannot be changed safely.",
        evidence={"fielding_run_id": run.id, "state": run.status},
        safe="nothing was sent that could change it.",
        next_step="check whether a proxy removes headers; if none does, report it to Cint's support.",
    )
