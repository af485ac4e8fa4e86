"""The client: one connection to one exchange as one account, and how it is made."""

from __future__ import annotations

import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Sequence
from types import TracebackType
from typing import Any, Never, Self, TypeVar, overload

import httpx

from cint_nb.api.jobs.schedule import DurationModel
from cint_nb.api.resources.definitions import Definitions
from cint_nb.api.resources.exclusions import Exclusions
from cint_nb.api.resources.fielding import Fielding
from cint_nb.api.resources.projects import Projects
from cint_nb.api.resources.recontacts import Recontacts
from cint_nb.api.resources.reports import Reports
from cint_nb.api.resources.target_groups import TargetGroups
from cint_nb.domain.errors import NotSent, SettingsError
from cint_nb.wire import loop_thread
from cint_nb.wire.clock import Clock, SystemClock
from cint_nb.wire.http import Http
from cint_nb.wire.recording.transports import RecordingTransport, ReplayTransport
from cint_nb.wire.settings import VARIABLES, Mode, Settings, wrap_secrets
from cint_nb.wire.token_factory import RandomTokenFactory, SeededTokenFactory, TokenFactory

T = TypeVar("T")
ClientT = TypeVar("ClientT", bound="AsyncClient")
_recording_numbers = itertools.count()


class AsyncClient:
    """The resources of the Demand API over one `Http`. Making it sends nothing and starts no thread.

    Every method of a resource is a coroutine, to be awaited on any event loop, or an asynchronous iterator; `run` waits
    for either from plain code.

    Args:
        http: What sends the requests.

    Attributes:
        projects: Create and read projects.
        target_groups: Create, read and change target groups.
        recontacts: Upload, count, list and remove recontacts.
        exclusions: The same for exclusions, with project and activity exclusions.
        fielding: Launch, schedule, pause, resume, complete, relaunch.
        reports: Request and fetch reports.
        definitions: Accounts, users, business units, locales, industries, study types, allocation templates.
        pace: What this client learned of the duration of jobs.
        sandbox: The practice room in this process, None elsewhere.
    """

    def __init__(self, http: Http) -> None:
        self.http = http
        live = http.settings.mode is Mode.LIVE
        self.durations = DurationModel(jitter=lambda: random.uniform(-1, 1)) if live else DurationModel()  # noqa: S311 - spreads looks only
        self.projects = Projects(http)
        self.target_groups = TargetGroups(http)
        self.recontacts = Recontacts(http, self.durations)
        self.exclusions = Exclusions(http, self.durations)
        self.fielding = Fielding(http, self.durations)
        self.reports = Reports(http, self.durations)
        self.definitions = Definitions(http)
        self.sandbox: Any = None

    @property
    def mode(self) -> Mode:
        """Return what answers: sandbox, replay or live."""
        return self.http.settings.mode

    @property
    def account_id(self) -> int:
        """Return the Cint account."""
        return self.http.settings.account_id or 0

    @property
    def clock(self) -> Clock:
        """Return the clock of this client: the sandbox's, the recording's or the system's."""
        return self.http.clock

    @property
    def token_factory(self) -> TokenFactory:
        """Return the source of tokens and idempotency keys."""
        return self.http.token_factory

    @property
    def requests_sent(self) -> int:
        """Return how many API requests were sent so far, repeats included."""
        return self.http.requests_sent

    @overload
    def run(self, awaitable: Awaitable[T]) -> T: ...
    @overload
    def run(self, awaitable: AsyncIterator[T]) -> list[T]: ...
    def run(self, awaitable: Awaitable[T] | AsyncIterator[T]) -> T | list[T]:
        """Wait for an awaitable from plain code and return its result; of an iterator, a list of all it gives.

        Raises:
            LoopError: called on the package's own loop thread.
        """
        if isinstance(awaitable, AsyncIterator):
            return loop_thread.run(_collect(awaitable))
        return loop_thread.run(awaitable)

    def pass_time(self, *, days: float = 0, hours: float = 0, minutes: float = 0) -> None:
        """Advance time in the sandbox or in a replay, so that fielding continues.

        Args:
            days: Days of the sandbox's time.
            hours: Hours, added.
            minutes: Minutes, added.

        Raises:
            SettingsError: in live mode, where time passes by itself.
        """
        if self.mode is Mode.LIVE:
            raise SettingsError(
                "Time cannot be passed on the live exchange.",
                next_step="wait, and look again; or practise with connect('sandbox').",
            )
        self.run(self.http.sleep(86_400.0 * days + 3_600.0 * hours + 60.0 * minutes))

    def close(self) -> None:
        """Close the connections from plain code. Jobs at the exchange go on."""
        self.run(self.aclose())

    async def aclose(self) -> None:
        """Close the connections. Jobs at the exchange go on."""
        await self.http.aclose()

    def __enter__(self) -> Self:
        """Enter a plain `with` block."""
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

    def __repr__(self) -> str:
        """Show mode and account."""
        return f"<cint_nb client: {self.mode} · account {self.account_id}>"


async def _collect(each: AsyncIterator[T]) -> list[T]:
    return [item async for item in each]


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
    cls: Never = ...,  # left out
    http_client: httpx.AsyncClient | None = None,
    **settings: Any,
) -> AsyncClient: ...
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
    """Connect to the sandbox, a recording or the live exchange; nothing is sent yet.

    Args:
        mode: `sandbox`, `replay` or `live`; else CINT_NB_MODE; else `sandbox`. Live is never chosen by default.
        seed: Of the sandbox in this process: the same seed gives the same people, ids and figures. Else CINT_NB_SEED,
            else 1.
        speed: Virtual seconds of the sandbox for each real one; None lets waiting take no time.
        faults: Names of faults the sandbox plays, such as a lost reply.
        cls: The class to make.
        http_client: Your own httpx client, used unchanged and left open; for the live exchange or a served sandbox.
        settings: Any field of `cint_nb.wire.settings.Settings`; each wins over its environment variable.

    Raises:
        SettingsError: naming each setting or variable that is missing or wrong.
    """
    settings = wrap_secrets(settings)
    read = Settings.load(mode, seed=seed, **settings)
    if http_client is not None and (read.is_in_process or read.record is not None):
        raise SettingsError(
            "An httpx client of your own serves the network only: not a replay, a recording or the sandbox in here.",
            next_step="leave http_client out, or connect to an address.",
        )
    sandbox: Any = None
    transport: httpx.AsyncBaseTransport | None = None
    clock: Clock = SystemClock()
    nonces: TokenFactory = RandomTokenFactory()
    if read.mode is Mode.REPLAY and read.recording is not None:
        replay = ReplayTransport(read.recording)
        transport, clock, nonces = replay, replay.clock, SeededTokenFactory(replay.seed)
    elif read.mode is Mode.SANDBOX and read.is_in_process:
        from cint_nb.sandbox.sandbox import Sandbox

        sandbox = Sandbox(seed=read.seed, speed=speed, faults=tuple(faults))
        transport, clock, nonces = sandbox.transport(), sandbox.clock, SeededTokenFactory(str(read.seed))
    elif read.mode is Mode.SANDBOX:
        from cint_nb.sandbox.clock import RemoteClock

        clock = RemoteClock(read.base_url, unreachable=lambda error: _sandbox_unreachable_error(read.base_url, error))
    if read.record is not None:
        # A recording meets the same tokens and keys when it is replayed, so they come from a seed it keeps.
        number = next(_recording_numbers)
        text = nonces.token(16) if read.mode is Mode.LIVE else f"{read.seed}.{number}" if number else str(read.seed)
        nonces = SeededTokenFactory(text)
        transport = RecordingTransport(
            transport or httpx.AsyncHTTPTransport(),
            read.record,
            source=str(read.mode),
            clock_start=clock.now(),
            seed=text,
            clock=clock,
        )
    client = cls(Http(read, transport=transport, clock=clock, token_factory=nonces, client=http_client))
    client.sandbox = sandbox
    return client


def _sandbox_unreachable_error(base_url: str, error: Exception) -> NotSent:
    return NotSent(
        f"No sandbox answers at {base_url}.",
        evidence={"cause": type(error).__name__, "variable": VARIABLES["base_url"]},
        next_step=f"start one with `cint-nb sandbox`, or unset {VARIABLES['base_url']} to practise in this process.",
    )
