"""The sandbox itself: one world with its clock, faults and app, in this process."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx
from starlette.applications import Starlette

from cint_nb.domain import limits
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
from cint_nb.sandbox.http.web_interface import SWITCH_PEOPLE_PATH
from cint_nb.sandbox.moment import Sender
from cint_nb.sandbox.protocol.messages import Json, Request
from cint_nb.sandbox.simulation.advance import catch_up
from cint_nb.sandbox.simulation.quotas import Quota, quotas_of
from cint_nb.sandbox.simulation.truth import Truth, truth_of
from cint_nb.sandbox.world.catalogue import ACCOUNT_ID, BUSINESS_UNIT_ID, CLIENT_ID, CLIENT_SECRET, PROJECT_MANAGER_ID
from cint_nb.sandbox.world.missingness import Missingness
from cint_nb.sandbox.world.population import PopulationParameters
from cint_nb.sandbox.world.rules import ExchangeRules
from cint_nb.sandbox.world.settings import changed_settings
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
        missingness: What decides who is missing from recontact waves; nothing but chance when omitted.
        account_id: The account of this sandbox.
        student_token: The only token it accepts, for ever; without it, those that its token endpoint issues.
        rules: What it does where no source says what the exchange does.

    Raises:
        InputError: for a fault that is not valid, or a state file of another seed, start or rules.

    Example:
        >>> sandbox = cint.sandbox.Sandbox(seed=7, faults=["drop-reply@upload"])
        >>> with cint.sandbox.ServedSandbox(sandbox) as served:
        ...     print(cint.connect(base_url=served.base_url))
        <cint_nb client: sandbox · account 101>
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
        missingness: Missingness | None = None,
        account_id: int = ACCOUNT_ID,
        student_token: str | None = None,
        rules: ExchangeRules | None = None,
    ) -> None:
        self.seed = seed
        self.clock = SandboxClock(start, speed)
        self.world = World(seed, start, population, account_id, missingness, rules)
        self.faults = FaultPlan(faults, seed=seed, known_steps=FAULT_STEPS)
        log_rules = self.world.rules.to_text()
        self.request_log = (
            RequestLog(
                state, seed=seed, start=start, account_id=account_id, people=self.world.population, rules=log_rules
            )
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
        """Return a transport that responds from this world, without a network.

        Example:
            >>> import httpx
            >>> transport = cint.sandbox.Sandbox().transport()
            >>> isinstance(transport, httpx.AsyncBaseTransport)
            True
        """
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
            >>> fault = client.sandbox.inject("paused-elsewhere", target=ref.target_group_id)
            >>> client.fielding.run(ref).status
            'paused'
        """
        return self.faults.arm(write_fault(name, at, argument, value=value, times=times, skip=skip, target=target))

    def switch(self, missingness: Missingness | None = None, population: PopulationParameters | None = None) -> None:
        """Let people behave in another way: in waves that go live from now on, and at once where suppliers are down.

        Args:
            missingness: What decides who is missing from now on; as before when omitted.
            population: The parameters of people's behaviour from now on; as before when omitted.

        Example:
            >>> client.sandbox.switch(cint.sandbox.Missingness.mnar())
            >>> client.sandbox.world.population.missingness
            Missingness(by_answer=1.0)
        """
        settings = {"missingness": missingness, "population": population}
        body = {name: changed_settings(value) for name, value in settings.items() if value is not None}
        path = SWITCH_PEOPLE_PATH.format(account_id=self.world.account_id)
        headers = {"cint-api-version": limits.API_VERSION}
        request = Request("PUT", path, {}, headers, json.dumps(body).encode(), self.clock.elapsed)
        self.dispatcher.act(request, Sender.COLLEAGUE)

    def truth(self, target_group_id: str | None = None, *, reveal: bool = False) -> Truth:
        """Return who the people of each wave are and what they would have answered, also those who never came.

        A wave here is a target group that has been live. Its people are those in its list and those who came; of new
        people those whom suppliers were asked to send.

        Args:
            target_group_id: Only this target group, by either of its ids.
            reveal: Show whole ids. Masked otherwise; `person` is the key.

        Returns:
            Columns of equal length, a row per wave and person: `wave` (1, 2 … in the order in which they went live),
            `target_group_id`, `person` (a number, the same in all waves of this truth), `rsid`; `age` (years),
            `gender`, `region`, `education`, `device`, `tenure_months`, `supplier`; `loyalty` and `speed` (standard
            normal); `answer` (0–100, what they answer in this wave or would); `propensity` (their chance to enter,
            0–1), `would_enter`, `enters_after_hours` (hours live after the invitation; None for who would not enter
            and for new people), `would_complete` (as long as no quota, exclusion or end of fielding stops them);
            `visits` so far, `completed` so far, and `reason`, the word for how the visits ended, None without one.

        Raises:
            InputError: when no target group of this id has been live.

        Example:
            >>> group_id = ref.target_group_id
            >>> truth = pd.DataFrame(client.sandbox.truth(group_id))
            >>> bias = truth.answer[truth.completed].mean() - truth.answer.mean()  # of the unweighted mean
            >>> print(f"{bias:+.2f}")
            -7.64
        """
        with self.dispatcher.lock:
            catch_up(self.world, self.clock.elapsed)
            return truth_of(self.world, target_group_id, reveal=reveal)

    def quotas(self, target_group_id: str) -> list[Quota]:
        """Return the quotas of a target group and how far each is filled; empty without quotas.

        Args:
            target_group_id: The target group, by either of its ids.

        Raises:
            InputError: when there is none of this id.

        Example:
            >>> group_id = fresh.target_group.target_group_id
            >>> [(quota.limit, quota.completes) for quota in client.sandbox.quotas(group_id)]
            [(10, 8), (10, 4)]
        """
        with self.dispatcher.lock:
            catch_up(self.world, self.clock.elapsed)
            for group in self.world.groups.values():
                if target_group_id in (group.id, group.human_readable_id):
                    return quotas_of(group)
        raise ValueError("there is no target group of this id")

    def advance(self, seconds: float) -> None:
        """Advance virtual time by so many seconds.

        Example:
            >>> before = client.clock.now()
            >>> client.sandbox.advance(3_600)
            >>> client.clock.now() - before
            datetime.timedelta(seconds=3600)
        """
        self.clock.advance(seconds)
        if self.request_log is not None:
            self.request_log.save_time(self.clock.elapsed)

    def close(self) -> None:
        """Save the time and close the state file, if there is one.

        Example:
            >>> from pathlib import Path
            >>> file = Path("world.sqlite3")
            >>> sandbox = cint.sandbox.Sandbox(state=file)
            >>> sandbox.close()
            >>> file.exists()
            True
        """
        if self.request_log is not None:
            self.request_log.save_time(self.clock.elapsed)
            self.request_log.close()

    @printable
    def __repr__(self) -> str:
        """Show seed, time and speed."""
        return f"<Sandbox seed {self.seed} · {self.clock.now():%Y-%m-%d %H:%M} UTC · {self.clock.pace}>"
