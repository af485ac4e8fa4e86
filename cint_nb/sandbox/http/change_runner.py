"""Making the changes of somebody else: each at its moment, through the same rules as a client's request."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from cint_nb.sandbox.changes_elsewhere import ChangeElsewhere
from cint_nb.sandbox.clock import SandboxClock
from cint_nb.sandbox.faults import Fault
from cint_nb.sandbox.http.dispatch import Dispatcher
from cint_nb.sandbox.moment import ChangeRefused, Moment
from cint_nb.sandbox.protocol.messages import ApiError, Request
from cint_nb.sandbox.simulation.advance import catch_up


class ChangeRunner:
    """What makes the changes in one world.

    Args:
        dispatcher: Handles what a colleague sends.
        clock: Gives the time of a change that happens by itself.
    """

    def __init__(self, dispatcher: Dispatcher, clock: SandboxClock) -> None:
        self._dispatcher = dispatcher
        self._clock = clock

    def run(self, faults: Iterable[Fault], request: Request | None, *, after: bool) -> None:
        """Make the changes that happen before a request, or after it; note those that are not possible."""
        for fault in faults:
            if isinstance(fault.kind, ChangeElsewhere) and fault.after is after:
                try:
                    self._change(fault, fault.kind, request)
                    fault.problem = None
                except ValueError as error:
                    fault.fired -= 1
                    fault.problem = str(error)

    def change_now(self, fault: Fault) -> None:
        """Make a change at once.

        Raises:
            ValueError: when it is not possible.
        """
        if isinstance(fault.kind, ChangeElsewhere):
            self._change(fault, fault.kind, None)

    def _change(self, fault: Fault, kind: ChangeElsewhere, request: Request | None) -> None:
        dispatcher = self._dispatcher
        with dispatcher.lock:  # nothing happens between what a colleague sees and does
            t = self._clock.elapsed if request is None else request.received_at
            catch_up(dispatcher.world, t)
            if request is not None:
                request.path_params = dispatcher.router.match(request.method, request.path).params
            moment = Moment(
                dispatcher.world,
                t,
                dispatcher.act,
                partial(dispatcher.stop_replica, t=t),
                fault.argument,
                fault.value or None,
                fault.target,
                request,
            )
            try:
                kind.apply(moment)
            except ApiError as error:
                reasons = "; ".join(f"{name}: {reason}" for name, reason in error.invalid_params)
                raise ChangeRefused(f"{fault.name} was rejected: {reasons or error.detail}") from None
