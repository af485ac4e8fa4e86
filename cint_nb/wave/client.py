"""The client an analyst works with: the resources as plain verbs, and the waves started from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from cint_nb.api import plain
from cint_nb.api.client import build_client
from cint_nb.api.jobs.schedule import DurationModel
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import PlanError
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.study.files.respondents import Respondents
from cint_nb.wave.choices import Choices
from cint_nb.wave.journaled_client import JournaledClient
from cint_nb.wave.project_status import ProjectStatus
from cint_nb.wave.reporting import ReporterFactory, make_silent_reporter
from cint_nb.wave.wave import Wave
from cint_nb.wire.clock import Clock
from cint_nb.wire.http import Http
from cint_nb.wire.settings import Mode, ModeName, wrap_secrets

if TYPE_CHECKING:
    from cint_nb.sandbox.sandbox import Sandbox
    from cint_nb.sandbox.world.missingness import Missingness
    from cint_nb.sandbox.world.population import PopulationParameters


@check_arguments(PlanError, leave=("respondents", "plan"))
class Client:
    """The Demand API in plain verbs, and waves: one account on one exchange.

    Every verb waits for its result, in a cell as in a script. The same verbs as coroutines, for code with an event loop
    of its own, are at `aio`: `await client.aio.projects.list()`.

    Every call that can spend money asks for a budget and compares it with the most the target group could cost, here
    and at `aio`; the bare `AsyncClient` beneath has no such guard.

    Made by `cint_nb.connect`. Use it in a `with` block, or close it with `close()`.

    Attributes:
        aio: The same client for `await`, with the same guard on money.
        projects: Create and read projects.
        target_groups: Create, read and change target groups.
        recontacts: Upload, count, list and remove recontacts.
        exclusions: The same for exclusions, with project and activity exclusions.
        fielding: Launch, schedule, pause, resume, complete, relaunch.
        reports: Request and fetch reports.
        reconciliations: Submit changes of completed visits, and read what became of them.
        definitions: Accounts, users, business units, locales, industries, study types, suppliers, questions, allocation
            templates.
        profiles: From names to ids; validate, read and replace the profiles of target groups.
        prices: Price predictions and rate cards, where the account may.
        choices: What a plan can choose from, as small tables.

    Example:
        >>> client
        <cint_nb client: sandbox · account 101>
    """

    def __init__(self, aio: JournaledClient) -> None:
        self.aio = aio
        self.projects = plain.Projects(aio.projects)
        self.target_groups = plain.TargetGroups(aio.target_groups)
        self.recontacts = plain.Recontacts(aio.recontacts)
        self.exclusions = plain.Exclusions(aio.exclusions)
        self.fielding = plain.Fielding(aio.fielding)
        self.reports = plain.Reports(aio.reports)
        self.reconciliations = plain.Reconciliations(aio.reconciliations)
        self.definitions = plain.Definitions(aio.definitions)
        self.profiles = plain.Profiles(aio.profiles)
        self.prices = plain.Prices(aio.prices)
        self.choices = Choices(aio)

    def wave(
        self,
        name: str,
        *,
        project: str,
        respondents: Respondents | None = None,
        plan: TargetGroupPlan | None = None,
        sources: Sequence[TargetGroupRef] = (),
        list_made_on: date | None = None,
        crosswalk: Mapping[str, str] | None = None,
    ) -> Wave:
        """Describe one wave; nothing is sent yet. The plan decides whom it is about.

        With `TargetGroupPlan.fresh` it is a wave of new people and takes no respondents. With
        `TargetGroupPlan.recontact` it needs them: without, it can be read, paused and closed only. With neither plan
        nor respondents it opens what exists, for the same three.

        Args:
            name: Name of the wave and of its target group, 5–128 characters. The same name in the same project is the
                same wave: rerunning it continues where it stands.
            project: Name of the project, 5–128 characters, created on first use; or the id of an existing one.
            respondents: Whom to recontact; none for new people.
            plan: The target group; none to read a wave that exists.
            sources: Target groups of earlier waves the respondents come from; `check` then sees who is excluded.
            list_made_on: Day the list was created; `check` then sees whether reconciliation may have changed it since.
            crosswalk: RSID of each RID, such as `report.crosswalk()`. The exchange stores RIDs as RSIDs;
                without it, the outcome of RIDs is known by count only.

        Raises:
            PlanError: the name is too short or too long, or respondents were given for a plan of new people.

        Example:
            >>> wave = client.wave("Tracker, wave 5", project="Brand tracker", respondents=people, plan=plan)
            >>> wave
            <Wave 'Tracker, wave 5': sandbox · 57 ids · not created>
        """
        return Wave(
            self.aio,
            name,
            project=project,
            respondents=respondents,
            plan=plan,
            sources=sources,
            list_made_on=list_made_on,
            crosswalk=crosswalk,
        )

    def project_status(self, project: str) -> ProjectStatus:
        """Return a function that loads the status of all target groups of a project.

        `StatusTable(client.project_status("Brand tracker"))` shows it.

        Args:
            project: Name or id of the project.

        Example:
            >>> started = live.launched
            >>> for frame in client.project_status("Brand tracker")():
            ...     print(frame[["name", "state", "completes", "saved"]].to_string(index=False))
                       name state  completes  saved
            Tracker, wave 2  live         13   <NA>
                       name state  completes  saved
            Tracker, wave 2  live         13     56
        """
        return ProjectStatus(self.aio, project)

    @property
    def mode(self) -> Mode:
        """Which exchange answers: `sandbox`, `replay` or `live`."""
        return self.aio.mode

    @property
    def account_id(self) -> int | None:
        """The Cint account; None if the settings name none."""
        return self.aio.account_id

    @property
    def sandbox(self) -> Sandbox:
        """The simulated exchange in this process.

        Raises:
            SettingsError: the exchange is elsewhere: live, recorded, or a sandbox that another process serves.
        """
        return self.aio.sandbox

    @property
    def clock(self) -> Clock:
        """The clock of this client: the sandbox's, the recording's or the system's."""
        return self.aio.clock

    @property
    def requests_sent(self) -> int:
        """How many API requests were sent so far, retries included."""
        return self.aio.requests_sent

    def pass_time(self, *, days: float = 0, hours: float = 0, minutes: float = 0) -> None:
        """Advance time in the sandbox or in a replay, so that fielding continues.

        A sandbox whose clock runs by itself, as a served one does, is moved on for everybody who uses it, and a line
        says so.

        Args:
            days: Days of the sandbox's time.
            hours: Hours, added.
            minutes: Minutes, added.

        Raises:
            SettingsError: in live mode, where time passes by itself.
            InputError: time cannot go back, or by more than 400 days at once.

        Example:
            >>> before = client.clock.now()
            >>> client.pass_time(days=1, hours=2)
            >>> print(client.clock.now() - before)
            1 day, 2:00:00
        """
        self.aio.pass_time(days=days, hours=hours, minutes=minutes)

    def inject(
        self,
        name: str,
        at: str = "now",
        argument: str | None = None,
        *,
        value: Any = None,
        times: int = 1,
        skip: int = 0,
        target: str | None = None,
    ) -> None:
        """Let something break in the sandbox, or let somebody else change something there, to see what follows.

        The same as `client.sandbox.inject`, for a served sandbox too. In a replay nothing happens: its recorded replies
        show the change. `cint.sandbox.CHANGE_NAMES` and `cint.sandbox.FAULT_NAMES` list what can be injected.

        ```python
        client.inject("goal-raised", value=600)  # a colleague raises the goal
        client.inject("drop-reply", "upload")  # the reply of the next upload is lost
        ```

        Args:
            name: What happens.
            at: `now`, which is for changes only; or the step before which it happens, such as `launch`.
            argument: The field that is edited, or the list whose replica lags.
            value: Its value; None for the usual one.
            times: At how many requests it happens.
            skip: How many matching requests pass first.
            target: Id of the target group or project it is about; None for that of the request, else the newest.

        Raises:
            SettingsError: in live mode.
            InputError: it is not valid, with the name that was nearly meant, or cannot happen now.

        Example:
            >>> client.inject("goal-raised", value=30, target=ref.target_group_id)
            >>> int(live.status()["goal"].iloc[0])
            30
        """
        self.aio.inject(name, at, argument, value=value, times=times, skip=skip, target=target)

    def switch(self, missingness: Missingness | None = None, population: PopulationParameters | None = None) -> None:
        """Let people of the sandbox behave in another way: in waves that go live from now on.

        The same as `client.sandbox.switch`, for a served sandbox too. In a replay nothing happens.

        Args:
            missingness: What decides who stays away; as before when omitted.
            population: The parameters of people's behaviour; as before when omitted.

        Raises:
            SettingsError: in live mode, where people do as they please.

        Example:
            >>> client.switch(cint.sandbox.Missingness.mar())
            >>> client.sandbox.world.population.missingness == cint.sandbox.Missingness.mar()
            True
            >>> client.switch(cint.sandbox.Missingness())
        """
        self.aio.switch(missingness, population)

    def close(self) -> None:
        """Close the connections and the journal. Jobs on the exchange continue.

        Example:
            >>> client.close()
            >>> try:
            ...     client.projects.list()
            ... except cint.CintError as error:
            ...     print(error.what)
            This client is closed.
        """
        self.aio.close()

    def __enter__(self) -> Self:
        """Enter a `with` block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close at the end of the block."""
        self.close()

    # `Job.attach(client, handle)` reads these two; they are no verbs, so completion does not offer them.

    @property
    def http(self) -> Http:
        """What sends the requests."""
        return self.aio.http

    @property
    def durations(self) -> DurationModel:
        """What this client learned of the duration of jobs."""
        return self.aio.durations

    def __dir__(self) -> list[str]:
        """List the verbs and values a user needs, for completion."""
        return sorted(set(super().__dir__()) - {"http", "durations"})

    def __repr__(self) -> str:
        """Show mode and account."""
        return repr(self.aio)


def open_client(
    mode: ModeName | Mode | None = None, *, reporter: ReporterFactory = make_silent_reporter, **settings: Any
) -> Client:
    """Connect to the sandbox, a replay or the live exchange, without showing progress.

    For scripts; notebooks use `cint_nb.connect`, which shows it.
    """
    settings = wrap_secrets(settings)
    aio = build_client(mode, cls=JournaledClient, **settings)
    aio.reporter_factory = reporter
    return Client(aio)
