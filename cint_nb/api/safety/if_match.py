"""Conditional updates of a fielding run with If-Match: read, decide, act, and retry once on 412."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cint_nb.api.safety.spend_check import RecordApproval, within_budget
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
    """What was decided about a run: whether it already is in the wanted state."""

    run: FieldingRun
    already_done: bool


async def update_conditionally(
    http: Http,
    *,
    read_run: Callable[[], Awaitable[FieldingRun | None]],
    decide: Callable[[FieldingRun | None], RunDecision],
    call: Callable[[FieldingRun], Call],
    spending: Callable[[FieldingRun], Awaitable[RecordApproval] | None] = lambda _: None,
) -> FieldingRun:
    """Act on a run and return its state afterwards.

    A changed version (412) and a lost reply are treated alike: the run is read and decided on once more. If the reply
    was lost but the action took effect, the run is then in the wanted state; the same holds if the exchange rejects the
    retry because the first attempt took effect.

    Args:
        http: Sends the request.
        read_run: Reads the run with its ETag.
        decide: Returns whether there is anything to do; raises if the state forbids it.
        call: Builds the conditional request for the run as read.
        spending: Asks for the budget of a request that can spend money; called for each that is sent.

    Raises:
        InvalidState: the state forbids the action, at first or after a change.
        PreconditionFailed: the run changed twice.
        OutcomeUnknown: two replies were lost and the run is not in the wanted state.
        UnexpectedReply: the run was returned without an ETag; nothing was sent.
    """
    decision = decide(await read_run())
    for attempt in range(2):
        if decision.already_done:
            return decision.run
        if decision.run.etag is None:  # an unconditional change could undo somebody else's
            raise _missing_etag_error(decision.run)
        try:
            async with within_budget(spending(decision.run)):
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
        "The fielding run was returned without an ETag header, so it cannot be changed safely.",
        evidence={"fielding_run_id": run.id, "state": run.status},
        safe="nothing that could change it was sent.",
        next_step="check whether a proxy removes headers; if none does, report it to Cint support.",
    )
