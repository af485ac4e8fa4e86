"""The sandbox's time: virtual by default, or accelerated real time, and the same clock over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import heapq
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx

SERVED_SPEED = 60.0
"""Virtual seconds per real second of a served sandbox, unless it is given another speed."""
_REREAD_SECONDS = 1.0  # real seconds between two readings of a served clock while somebody waits for it
_SLEEP_SLICE = 0.05  # real seconds between two checks of a running clock, so that an advance wakes sleepers soon


class SandboxClock:
    """The sandbox's clock, which can be advanced.

    Args:
        start: Moment at which the clock starts, UTC.
        speed: Virtual seconds per real second. With None the clock is paused until someone sleeps or advances it:
            sleeping then returns at once and time jumps.

    Several sleepers share one timeline: it jumps to the earliest waiting one, so waits do not add up.
    """

    def __init__(self, start: datetime, speed: float | None = None) -> None:
        if speed is not None and not 0 < speed <= 1_000_000:
            raise ValueError("speed must be above 0 and at most 1,000,000 virtual seconds per second, or None")
        self.start = start.astimezone(UTC)
        self.speed = speed
        self.in_flight = 0
        self._advanced = 0.0
        self._real = time.monotonic()
        self._sleepers: list[tuple[float, int]] = []
        self._count = 0

    @property
    def pace(self) -> str:
        """How its time passes, in words."""
        return describe_speed(self.speed)

    @property
    def elapsed(self) -> float:
        """The virtual seconds since the start, to the millisecond."""
        running = 0.0 if self.speed is None else (time.monotonic() - self._real) * self.speed
        return round(self._advanced + running, 3)

    def now(self) -> datetime:
        """Return the time, UTC."""
        return self.start + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        """Return the virtual seconds since the start."""
        return self.elapsed

    def advance(self, seconds: float) -> None:
        """Advance the clock; a negative number counts as 0.

        Raises:
            ValueError: for a number that leads out of the calendar.
        """
        advanced = round(self._advanced + max(0.0, seconds), 3)
        try:
            self.start + timedelta(seconds=advanced)
        except (OverflowError, ValueError):
            raise ValueError("the time cannot be advanced beyond the year 9999") from None
        self._advanced = advanced

    def advance_to(self, t: float) -> None:
        """Jump forward to a number of virtual seconds since the start; never back."""
        self.advance(t - self.elapsed)

    async def jump(self, seconds: float) -> None:
        """Let virtual seconds pass at once, whatever the speed."""
        if self.speed is None:
            await self.sleep(seconds)
        else:
            self.advance(seconds)

    async def sleep(self, seconds: float) -> None:
        """Wait for virtual seconds."""
        due = round(self.elapsed + max(0.0, seconds), 3)
        speed = self.speed
        if speed is not None:
            await _wait(lambda: (due - self.elapsed) / speed)
            return
        self._count += 1
        mine = (due, self._count)
        heapq.heappush(self._sleepers, mine)
        try:
            # Time jumps only when nobody has work left: other tasks get a turn, requests in flight may finish first.
            await asyncio.sleep(0)
            while self._sleepers[0] != mine or self.in_flight:
                if self.elapsed >= due and not self.in_flight:
                    break
                await asyncio.sleep(0)
            self.advance_to(due)
        finally:
            self._sleepers.remove(mine)
            heapq.heapify(self._sleepers)


def describe_speed(speed: float | None) -> str:
    """Return in words how time passes at a speed: virtual seconds per real second, or None."""
    if speed is None:
        return "the clock stands until it is moved"
    a_second = {60.0: "a minute", 3_600.0: "an hour", 86_400.0: "a day"}.get(speed)
    return f"{speed:,g} times real time" + (f", {a_second} each second" if a_second else "")


async def _wait(left: Callable[[], float]) -> None:
    """Wait in slices: the clock may be advanced in the meantime, which no event announces."""
    while (seconds := left()) > 0:  # noqa: ASYNC110 - see above
        await asyncio.sleep(min(_SLEEP_SLICE, seconds))


@functools.cache  # loading them takes longer than everything else that a clock does
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()


class RemoteClock:
    """The clock of a served sandbox; where that stands, sleeping moves it.

    Args:
        base_url: URL of the served sandbox, with or without `/v1`.
        transport: Replaces the network, for tests.
        unreachable: Builds the error to raise when no sandbox responds; httpx's own, or ValueError, when omitted.

    A sandbox with a speed runs by itself: sleeping then takes real time, and `jump` moves it on for everybody.
    """

    def __init__(
        self,
        base_url: str,
        transport: httpx.AsyncBaseTransport | None = None,
        unreachable: Callable[[Exception], Exception] | None = None,
    ) -> None:
        self._url = base_url.rstrip("/").removesuffix("/v1") + "/sandbox/clock"
        self._transport = transport
        self._unreachable = unreachable or (lambda error: error)
        self._start: datetime | None = None
        self._elapsed = 0.0
        self.speed: float | None = None
        self._real = 0.0
        self._read_at = 0.0

    def now(self) -> datetime:
        """Return the time, UTC. The first call requests it from the served sandbox; later calls compute it."""
        if self._start is None:
            try:
                self._update_from(httpx.get(self._url, timeout=5.0, trust_env=False, verify=_certificates()))
            except (httpx.HTTPError, ValueError) as error:
                raise self._unreachable(error) from None
        return (self._start or datetime.now(UTC)) + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Return the virtual seconds since the sandbox started, as far as this client knows."""
        running = 0.0 if self.speed is None else (time.monotonic() - self._real) * self.speed
        return round(self._elapsed + running, 3)

    async def sleep(self, seconds: float) -> None:
        """Wait for virtual seconds: the served clock jumps, or runs at its own speed."""
        if self._start is None:
            await self._request("GET")
        due = round(self.monotonic() + max(0.0, seconds), 3)
        while self.speed is not None and (left := due - self.monotonic()) > 0:
            await asyncio.sleep(min(_SLEEP_SLICE, left / self.speed))
            await self._reread()
        if self.speed is None:
            await self._request("POST", {"until": due})

    async def _reread(self) -> None:
        """Read the clock again from time to time: its page, or somebody else, may have moved it."""
        if time.monotonic() - self._read_at >= _REREAD_SECONDS:
            self._read_at = time.monotonic()
            with contextlib.suppress(httpx.HTTPError, ValueError):  # it goes on as it went so far
                self._update_from(await self._send("GET"))

    async def jump(self, seconds: float) -> None:
        """Let virtual seconds pass at once, whatever the speed."""
        if self._start is None:
            await self._request("GET")
        if self.speed is None:
            await self.sleep(seconds)
        else:
            await self._request("POST", {"seconds": seconds})

    async def _request(self, method: str, body: dict[str, float] | None = None) -> None:
        try:
            self._update_from(await self._send(method, body))
        except (httpx.HTTPError, ValueError) as error:
            raise self._unreachable(error) from None

    async def _send(self, method: str, body: dict[str, float] | None = None) -> httpx.Response:
        async with httpx.AsyncClient(
            transport=self._transport, timeout=30.0, trust_env=False, verify=_certificates()
        ) as client:
            url = self._url if method == "GET" else f"{self._url}/advance"
            return await client.request(method, url, json=body)

    def _update_from(self, reply: httpx.Response) -> None:
        body = reply.raise_for_status().json()
        self._start = datetime.fromisoformat(body["start"])
        self._elapsed = float(body["t"])
        self.speed = body["speed"]
        self._real = self._read_at = time.monotonic()
