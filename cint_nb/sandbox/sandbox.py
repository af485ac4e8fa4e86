"""The sandbox itself: one world with its clock, faults and app, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx
from starlette.applications import Starlette

from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.ids import printable
from cint_nb.sandbox.changes_elsewhere import ChangeName, LaggingList
from cint_nb.sandbox.clock import SandboxClock
from cint_nb.sandbox.draft_edits import DraftField
from cint_nb.sandbox.fault_kinds import FaultName
from cint_nb.sandbox.faults import NOW, Fault, FaultPlan, write_fault
from cint_nb.sandbox.http.app import build_app
from cint_nb.sandbox.http.change_runner import ChangeRunner
from cint_nb.sandbox.http.dispatch import Dispatcher
from cint_nb.sandbox.http.persistence import RequestLog
from cint_nb.sandbox.http.routes import OPERATIONS
from cint_nb.sandbox.http.transport import SandboxTransport
from cint_nb.sandbox.protocol.messages import Json
from cint_nb.sandbox.world.catalogue import ACCOUNT_ID, BUSINESS_UNIT_ID, CLIENT_ID, CLIENT_SECRET, PROJECT_MANAGER_ID
from cint_nb.sandbox.world.population import PopulationParameters
from cint_nb.sandbox.world.rules import ExchangeRules
from cint_nb.sandbox.world.world import World

__all__ = [
    "ACCOUNT_ID",
    "BUSINESS_UNIT_ID",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "PROJECT_MANAGER_ID",
    "START",
    "Sandbox",
]

FAULT_STEPS = frozenset({"any", "token", *(name for row in OPERATIONS for name in (row.name, *row.aliases))})
START = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)


@check_arguments(refusals=(ValueError,))
class Sandbox:
    """A simulated Demand API: a world with its own time, people and rules.

    Args:
        seed: Decides ids, durations and people; the same seed and requests give the same world.
        speed: Virtual seconds per real second. With None time is virtual: it is paused, and sleeping makes it jump.
        faults: Faults to inject, such as `drop-reply@upload` or `429@list*3`; see `cint_nb.sandbox.faults`.
        start: Moment at which the world starts, UTC.
        state: SQLite file that stores the world; it is read when it exists.
        population: The parameters of people's behaviour.
        account_id: The account of this sandbox.
        student_token: The only token it accepts, for ever; without it, those that its token endpoint issues.
        rules: What it does where no source says what the exchange does.

    Raises:
        InputError: for a fault that is not valid, or a state file of another seed, start or rules.
    """

    base_url = "http://sandbox.invalid/v1"
    token_url = "http://sandbox.invalid/oauth/token"  # noqa: S105 - a URL

    def __init__(
        self,
        *,
        seed: int = 1,
        speed: float | None = None,
        faults: Sequence[str] = (),
        start: datetime = START,
        state: Path | None = None,
        population: PopulationParameters | None = None,
        account_id: int = ACCOUNT_ID,
        student_token: str | None = None,
        rules: ExchangeRules | None = None,
    ) -> None:
        self.seed = seed
        self.clock = SandboxClock(start, speed)
        self.world = World(seed, start, population, account_id, rules)
        self.faults = FaultPlan(faults, seed=seed, known_steps=FAULT_STEPS)
        self.request_log = (
            RequestLog(state, seed=seed, start=start, account_id=account_id, rules=self.world.rules.to_text())
            if state is not None
            else None
        )
        log_request = self.request_log.append if self.request_log is not None else None
        self.dispatcher = Dispatcher(self.world, log_request, student_token)
        if self.request_log is not None:
            self.clock.advance_to(self.request_log.replay(self.dispatcher))
        self.changes = ChangeRunner(self.dispatcher, self.clock)
        self.faults.change_now = self.changes.change_now
        self.app: Starlette = build_app(self)

    def transport(self) -> httpx.AsyncBaseTransport:
        """Return a transport that responds from this world, without a network."""
        return SandboxTransport(self.app, self.clock)

    def inject(
        self,
        name: FaultName | ChangeName,
        at: str = NOW,
        argument: DraftField | LaggingList | None = None,
        *,
        value: Json = None,
        times: int = 1,
        skip: int = 0,
        target: str | None = None,
    ) -> Fault:
        """Let something break, or change elsewhere: at once, or at a request that is yet to come.

        Args:
            name: What happens; `cint_nb.sandbox.faults` and `cint_nb.sandbox.changes_elsewhere` describe each.
            at: `now`, which is for changes only; a step, such as `launch`, for the moment before it; or the moment
                after it, such as `after-launch`. A step is an operation of the OpenAPI document or an alias of one.
            argument: The field that is edited, or the list whose replica lags.
            value: Its value; None for the usual one.
            times: At how many requests it happens.
            skip: How many matching requests pass first.
            target: Id of the target group or project it is about; None for the one of the request, else the newest.

        Returns:
            The fault: `fired` says how often it has happened, `problem` why it did not.

        Raises:
            InputError: when it is not valid, with the name that was nearly meant, or cannot happen now.

        Example:
            >>> sandbox.inject("field-edited", "launch", "completes_goal", value=150)
            >>> sandbox.inject("paused-elsewhere")
        """
        return self.faults.arm(write_fault(name, at, argument, value=value, times=times, skip=skip, target=target))

    def advance(self, seconds: float) -> None:
        """Advance virtual time by so many seconds."""
        self.clock.advance(seconds)
        if self.request_log is not None:
            self.request_log.save_time(self.clock.elapsed)

    def close(self) -> None:
        """Save the time and close the state file, if there is one."""
        if self.request_log is not None:
            self.request_log.save_time(self.clock.elapsed)
            self.request_log.close()

    @printable
    def __repr__(self) -> str:
        """Show seed, time and speed."""
        return f"<Sandbox seed {self.seed} · {self.clock.now():%Y-%m-%d %H:%M} UTC · {self.clock.pace}>"
