"""The API client: one account on one exchange, with its resources as coroutines."""

from __future__ import annotations

import itertools
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import asdict
from types import TracebackType
from typing import TYPE_CHECKING, Any, Never, Self, TypeVar, overload

import httpx

from cint_nb.api.jobs.schedule import DurationModel
from cint_nb.api.resources.definitions import Definitions
from cint_nb.api.resources.exclusions import Exclusions
from cint_nb.api.resources.fielding import Fielding
from cint_nb.api.resources.prices import Prices
from cint_nb.api.resources.profiles import Profiles
from cint_nb.api.resources.projects import Projects
from cint_nb.api.resources.reconciliations import Reconciliations
from cint_nb.api.resources.recontacts import Recontacts
from cint_nb.api.resources.reports import Reports
from cint_nb.api.resources.target_groups import TargetGroups
from cint_nb.caller_warnings import format_warning_count
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import InputError, NotSent, SettingsError
from cint_nb.domain.ids import printable
from cint_nb.wire import loop_thread
from cint_nb.wire.clock import Clock, MovableClock, SystemClock
from cint_nb.wire.http import Http
from cint_nb.wire.recording.transports import RecordingTransport, ReplayTransport
from cint_nb.wire.settings import VARIABLES, Mode, Settings, wrap_secrets
from cint_nb.wire.token_factory import RandomTokenFactory, SeededTokenFactory, TokenFactory

if TYPE_CHECKING:
    from cint_nb.sandbox.sandbox import Sandbox
    from cint_nb.sandbox.world.missingness import Missingness
    from cint_nb.sandbox.world.population import PopulationParameters

T = TypeVar("T")
ClientT = TypeVar("ClientT", bound="AsyncClient")
_recording_numbers = itertools.count()
_ADVANCE_MAX = 400 * 86_400
"""As the served sandbox has it: what is longer is a mistyped unit."""


@check_arguments(SettingsError)
class AsyncClient:
    """The resources of the Demand API over one `Http`. Creating it sends nothing and starts no thread.

    Every method of a resource is a coroutine, to be awaited on any event loop, or an asynchronous iterator; `run` waits
    for either from synchronous code.

    It has no guard on money: it launches and raises without a budget, which `cint_nb.Client` and its `aio` require.

    Args:
        http: What sends the requests.
        sandbox: The sandbox in this process that answers, where there is one.

    Attributes:
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
        durations: What this client has learned about the duration of jobs.
    """

    def __init__(self, http: Http, *, sandbox: Sandbox | None = None) -> None:
        self.http = http
        live = http.settings.mode is Mode.LIVE
        self.durations = DurationModel(jitter=lambda: random.uniform(-1, 1)) if live else DurationModel()  # noqa: S311 - only spreads polls
        self.projects = Projects(http)
        self.target_groups = TargetGroups(http)
        self.recontacts = Recontacts(http, self.durations)
        self.exclusions = Exclusions(http, self.durations)
        self.fielding = Fielding(http, self.durations)
        self.reports = Reports(http, self.durations)
        self.reconciliations = Reconciliations(http)
        self.definitions = Definitions(http)
        self.profiles = Profiles(http, self.definitions)
        self.prices = Prices(http)
        self._sandbox = sandbox

    @property
    def mode(self) -> Mode:
        """The mode: sandbox, replay or live."""
        return self.http.settings.mode

    @property
    def account_id(self) -> int | None:
        """The Cint account; None if the settings name none."""
        return self.http.settings.account_id

    @property
    def clock(self) -> Clock:
        """The clock of this client: the sandbox's, the recording's or the system's."""
        return self.http.clock

    @property
    def token_factory(self) -> TokenFactory:
        """The source of tokens and idempotency keys."""
        return self.http.token_factory

    @property
    def sandbox(self) -> Sandbox:
        """The simulated exchange in this process.

        Raises:
            SettingsError: the exchange is elsewhere: live, recorded, or a sandbox that another process serves.
        """
        if self._sandbox is None:
            raise SettingsError(
                "This client has no sandbox in its process.",
                evidence={"mode": self.mode},
                next_step="cint.connect('sandbox') without a base_url.",
            )
        return self._sandbox

    @property
    def requests_sent(self) -> int:
        """The number of API requests sent so far, retries included."""
        return self.http.requests_sent

    @overload
    def run(self, awaitable: Awaitable[T]) -> T: ...
    @overload
    def run(self, awaitable: AsyncIterator[T]) -> list[T]: ...
    def run(self, awaitable: Awaitable[T] | AsyncIterator[T]) -> T | list[T]:
        """Wait for an awaitable from synchronous code and return its result; for an iterator, a list of all items.

        Raises:
            LoopError: called on the package's own loop thread.
        """
        if isinstance(awaitable, AsyncIterator):
            return loop_thread.run(loop_thread.collect(awaitable))
        return loop_thread.run(awaitable)

    def pass_time(self, *, days: float = 0, hours: float = 0, minutes: float = 0) -> None:
        """Advance time in the sandbox or in a replay, so that fielding continues.

        A sandbox whose clock runs by itself, as a served one does, is moved on for everybody who uses it, and a line
        says so.

        Args:
            days: Days of virtual time.
            hours: Hours, added.
            minutes: Minutes, added.

        Raises:
            SettingsError: the client is in live mode, where time passes by itself.
            InputError: time cannot go back, or so far ahead at once.
        """
        self._refuse_live("Time cannot be advanced", "wait and check again, or practise")
        seconds = 86_400.0 * days + 3_600.0 * hours + 60.0 * minutes
        if not 0 <= seconds <= _ADVANCE_MAX:
            raise InputError(
                "Time can be advanced by 0 to 400 days at once.", next_step="pass days, hours or minutes in this range."
            )
        clock = self.clock
        if not isinstance(clock, MovableClock):
            self.run(self.http.sleep(seconds))
            return
        self.run(loop_thread.run_on_loop(clock.jump(seconds)))
        if clock.speed is not None:
            sys.stdout.write(
                f"The sandbox's clock was moved on by {_format_span(seconds)}: it is {clock.now():%Y-%m-%d %H:%M} UTC "
                "now, for everybody who uses it.\n"
            )

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
        """Let something break or change elsewhere in the sandbox, in this process or served; arguments as there.

        In a replay nothing is sent: the recorded replies show what was injected when they were recorded.

        Raises:
            SettingsError: the client is in live mode, where others change things without being asked to.
            InputError: it is not valid, or cannot happen now.
        """
        self._refuse_live("Nothing can be injected", "practise")
        if self.mode is Mode.REPLAY:
            return
        options: dict[str, Any] = {
            "at": at,
            "argument": argument,
            "value": value,
            "times": times,
            "skip": skip,
            "target": target,
        }
        if self._sandbox is not None:
            self._sandbox.inject(name, **options)  # type: ignore[arg-type]  # it refuses names it does not have
        else:
            self.run(_control_served(self.http.settings.base_url, "POST", "faults", {"name": name, **options}))

    def switch(self, missingness: Missingness | None = None, population: PopulationParameters | None = None) -> None:
        """Let people behave in another way in the sandbox, in this process or served; arguments as there.

        In a replay nothing is sent.

        Raises:
            SettingsError: the client is in live mode, where people do as they please.
        """
        self._refuse_live("How people behave cannot be set", "practise")
        if self.mode is Mode.REPLAY:
            return
        if self._sandbox is not None:
            self._sandbox.switch(missingness, population)
            return
        given = {"missingness": missingness, "population": population}
        body = {name: asdict(settings) for name, settings in given.items() if settings is not None}
        self.run(_control_served(self.http.settings.base_url, "PATCH", "people", body))

    def _refuse_live(self, what: str, advice: str) -> None:
        if self.mode is Mode.LIVE:
            raise SettingsError(f"{what} on the live exchange.", next_step=f"{advice} with cint.connect('sandbox').")

    def close(self) -> None:
        """Close the connections from synchronous code. Jobs on the exchange continue."""
        self.run(self.aclose())

    async def aclose(self) -> None:
        """Close the connections. Jobs on the exchange continue."""
        await self.http.aclose()

    def __enter__(self) -> Self:
        """Enter a `with` block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close at the end of the block."""
        self.close()

    async def __aenter__(self) -> Self:
        """Enter an `async with` block."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close at the end of the block."""
        await self.aclose()

    @printable
    def __repr__(self) -> str:
        """Show mode, account and what it has warned of."""
        warned = format_warning_count(self.http.warning_texts)
        return f"<cint_nb client: {self.mode} · account {self.account_id}{warned}>"


@overload
def build_client(
    mode: Mode | str | None = None,
    *,
    seed: int | None = None,
    speed: float | None = None,
    faults: Sequence[str] = (),
    cls: type[ClientT],
    http_client: httpx.AsyncClient | None = None,
    **settings: Any,
) -> ClientT: ...
@overload
def build_client(
    mode: Mode | str | None = None,
    *,
    seed: int | None = None,
    speed: float | None = None,
    faults: Sequence[str] = (),
    cls: Never = ...,  # omitted
    http_client: httpx.AsyncClient | None = None,
    **settings: Any,
) -> AsyncClient: ...
@check_arguments(SettingsError)
def build_client(
    mode: Mode | str | None = None,
    *,
    seed: int | None = None,
    speed: float | None = None,
    faults: Sequence[str] = (),
    cls: type[AsyncClient] = AsyncClient,
    http_client: httpx.AsyncClient | None = None,
    **settings: Any,
) -> AsyncClient:
    """Build a client for the sandbox, a recording or the live exchange; nothing is sent yet.

    Args:
        mode: `sandbox`, `replay` or `live`. If omitted: CINT_NB_MODE, else `sandbox`; live is never the default.
        seed: Seed of the sandbox in this process: the same seed gives the same people, ids and numbers. If omitted:
            CINT_NB_SEED, else 1.
        speed: Virtual seconds of the sandbox per real second; with None, waiting takes no time.
        faults: Names of faults the sandbox injects, such as a lost reply.
        cls: The class of the client.
        http_client: A custom httpx client, used unchanged and left open; for the live exchange or a served sandbox.
        settings: Any field of `cint_nb.wire.settings.Settings`; each takes precedence over its environment variable.

    Raises:
        SettingsError: a setting is missing or wrong; the error names each of them and its variable.
    """
    settings = wrap_secrets(settings)  # replaced, so that no plain secret stays in this frame for a traceback to show
    loaded = Settings.load(mode, seed=seed, **settings)
    if http_client is not None and (loaded.is_in_process or loaded.record is not None):
        raise SettingsError(
            "A custom httpx client works only over the network: not with replay, recording or the in-process sandbox.",
            next_step="omit http_client, or connect to a URL.",
        )
    if not (loaded.is_in_process or loop_thread.has_threads() or http_client is not None):
        raise SettingsError(
            f"Python in a browser cannot open a connection to {loaded.base_url}.",
            evidence={"mode": loaded.mode},
            safe="nothing was sent.",
            next_step="use the sandbox in this page: mode 'sandbox', without a base_url. For the live exchange, or a "
            "served sandbox, use Python on a machine.",
        )
    sandbox: Sandbox | None = None
    transport: httpx.AsyncBaseTransport | None = None
    clock: Clock = SystemClock()
    token_factory: TokenFactory = RandomTokenFactory()
    if loaded.mode is Mode.REPLAY and loaded.recording is not None:
        replay = ReplayTransport(loaded.recording)
        transport, clock, token_factory = replay, replay.clock, SeededTokenFactory(replay.seed)
    elif loaded.mode is Mode.SANDBOX and loaded.is_in_process:
        from cint_nb.sandbox.sandbox import Sandbox

        try:
            sandbox = Sandbox(seed=loaded.seed, speed=speed, faults=tuple(faults))
        except InputError as error:
            raise SettingsError(error.what, next_step="correct its speed or its faults.") from None
        transport, clock, token_factory = sandbox.transport(), sandbox.clock, SeededTokenFactory(str(loaded.seed))
    elif loaded.mode is Mode.SANDBOX:
        from cint_nb.sandbox.clock import RemoteClock

        clock = RemoteClock(
            loaded.base_url, unreachable=lambda error: _sandbox_unreachable_error(loaded.base_url, error)
        )
    if loaded.record is not None:
        # A replay must produce the same tokens and keys as the recording, so they come from a seed stored in it.
        number = next(_recording_numbers)
        text = (
            token_factory.token(16)
            if loaded.mode is Mode.LIVE
            else f"{loaded.seed}.{number}"
            if number
            else str(loaded.seed)
        )
        token_factory = SeededTokenFactory(text)
        transport = RecordingTransport(
            transport or httpx.AsyncHTTPTransport(),
            loaded.record,
            source=str(loaded.mode),
            clock_start=clock.now(),
            seed=text,
            clock=clock,
        )
    http = Http(loaded, transport=transport, clock=clock, token_factory=token_factory, client=http_client)
    return cls(http, sandbox=sandbox)


async def _control_served(base_url: str, method: str, what: str, body: dict[str, Any]) -> None:
    """Change something in a served sandbox, by its control API, which no recording holds."""
    url = f"{base_url.rstrip('/').removesuffix('/v1')}/sandbox/{what}"
    try:
        async with httpx.AsyncClient(timeout=30.0, trust_env=False) as http:
            reply = await http.request(method, url, json=body)
            detail = reply.json().get("detail") if reply.status_code == httpx.codes.BAD_REQUEST else None
            if detail is None:
                reply.raise_for_status()
    except (httpx.HTTPError, ValueError) as error:
        raise _sandbox_unreachable_error(base_url, error) from None
    if detail is not None:
        raise InputError(str(detail), safe="nothing was changed.", next_step="correct it and run the line again.")


def _format_span(seconds: float) -> str:
    sizes = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
    size, unit = next((pair for pair in sizes if seconds >= pair[0]), sizes[-1])
    return f"{seconds / size:.4g} {unit}{'' if seconds == size else 's'}"


def _sandbox_unreachable_error(base_url: str, error: Exception) -> NotSent:
    return NotSent(
        f"No sandbox is responding at {base_url}.",
        evidence={"cause": type(error).__name__, "variable": VARIABLES["base_url"]},
        next_step=f"start one with `cint-nb sandbox`, or unset {VARIABLES['base_url']} to use the in-process sandbox.",
    )
