"""Recordings: exchanges written to a file, one a line, and answered from it again. Both are httpx transports.

A file begins with a line that says what it is; then one exchange follows another. Each `connect` of a process adds
such a section of its own, and a replay opens them in the same order. Tokens are never asked for in a replay and never
written in a recording.
"""

from __future__ import annotations

import difflib
import json
import threading
from collections import deque
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import httpx

from cint_nb.domain.errors import CintError, NotRecorded, SettingsError
from cint_nb.domain.plan import format_utc
from cint_nb.wire.clock import Clock, ReplayClock
from cint_nb.wire.recording.recorded_call import EXCEPTION_TYPES, RecordedRequest, response_from_line, response_to_line
from cint_nb.wire.recording.scrub import Scrubber, find_leaks

FORMAT = 1
_sections_lock = threading.Lock()
_written: set[Path] = set()
_opened: dict[Path, int] = {}


class RecordingTransport(httpx.AsyncBaseTransport):
    """Pass requests on and write each exchange to a file, scrubbed.

    The first one a process makes for a file begins it anew; later ones add a section, even if nothing is sent.

    Args:
        inner: What really answers.
        path: File to write; its folder must exist.
        source: `sandbox` or `live`.
        clock_start: The client's time when it connected; a replay begins there.
        seed: Seed of the client's nonces; a replay uses the same.
        clock: The client's clock. With it each line says when its answer came, and a replay keeps that time too.
    """

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        path: str | Path,
        *,
        source: str,
        clock_start: datetime,
        seed: str = "",
        clock: Clock | None = None,
    ) -> None:
        self.path = Path(path)
        self._inner = inner
        self._start = clock_start
        self._clock = clock
        self._scrubber = Scrubber(seed, source)
        self._header = {
            "format": FORMAT,
            "source": source,
            "made_at": format_utc(datetime.now(UTC)),
            "package_version": _package_version(),
            "clock_start": clock_start.astimezone(UTC).isoformat(),
            "seed": seed,
        }
        self._begin()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request on, write what was asked and answered, and hand the answer back as it came."""
        if _is_token_request(request):
            return await self._inner.handle_async_request(request)
        asked = RecordedRequest.from_request(request, await request.aread(), self._scrubber)
        try:
            response = await self._inner.handle_async_request(request)
            await response.aread()
            await response.aclose()
        except httpx.TransportError as error:
            name = type(error).__name__
            self._write(
                {"request": asked.to_line(), "response": {"failure": name if name in EXCEPTION_TYPES else "ReadError"}}
            )
            raise
        self._write({"request": asked.to_line(), "response": response_to_line(response, self._scrubber)})
        headers = [
            (name, value)
            for name, value in response.headers.multi_items()
            if name not in {"content-encoding", "content-length", "transfer-encoding"}  # the body is unpacked now
        ]
        return httpx.Response(
            response.status_code, headers=headers, content=response.content, extensions=response.extensions
        )

    async def aclose(self) -> None:
        """Close what really answers; the file is complete after every line."""
        await self._inner.aclose()

    def _write(self, line: dict[str, Any]) -> None:
        if self._clock is not None:
            line["at"] = round((self._clock.now() - self._start).total_seconds(), 3)
        text = json.dumps(line, ensure_ascii=False)
        if found := find_leaks(text):
            raise CintError(
                f"An exchange was not recorded: it would have held {' and '.join(found)}.",
                evidence={"request": f"{line['request']['method']} {line['request']['path']}"},
                safe="the request itself went out and was answered; the recording lacks it.",
                next_step="remove the recording, and report which field holds it.",
            )
        with self.path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(text + "\n")

    def _begin(self) -> None:
        whole = self.path.resolve()
        with _sections_lock:
            mode = "a" if whole in _written else "w"
            _written.add(whole)
        with self.path.open(mode, encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(self._header) + "\n")

    def __repr__(self) -> str:
        """Show the file name."""
        return f"<RecordingTransport: {self.path.name}>"


class ReplayTransport(httpx.AsyncBaseTransport):
    """Answers from a recording, and from nothing else.

    A request is answered if method, path, query and body are the recorded ones: of an uploaded file its name, number
    of lines and digest. Equal requests are answered in the order recorded; the last answer to a GET repeats.

    Its `clock` begins where the recording did, and moves on when an answer took its time there.

    Args:
        path: File made by `RecordingTransport`.
        section: Which section of the file, from 0; when left out, each transport a process makes takes the next.

    Raises:
        SettingsError: if there is no such file, or it is no recording of this format.
    """

    def __init__(self, path: str | Path, *, section: int | None = None) -> None:
        self.path = Path(path)
        sections = _read(self.path)
        if section is None:
            whole = self.path.resolve()
            with _sections_lock:
                section = _opened.get(whole, 0)
                _opened[whole] = section + 1
        header, lines = sections[section % len(sections)]
        self.source = str(header["source"])
        self.seed = str(header["seed"])
        self.recorded_at = str(header["made_at"])
        self.package_version = str(header["package_version"])
        self.clock_start = datetime.fromisoformat(header["clock_start"])
        self.clock = ReplayClock(self.clock_start)
        self._scrubber = Scrubber(self.seed, self.source)
        self._requests: dict[str, RecordedRequest] = {}
        self._responses: dict[str, deque[dict[str, Any]]] = {}
        self._last_response: dict[str, dict[str, Any]] = {}
        for line in lines:
            asked = RecordedRequest.from_line(line["request"])
            self._requests[asked.key] = asked
            self._responses.setdefault(asked.key, deque()).append(line)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the recorded response.

        Raises:
            NotRecorded: naming the nearest recorded request.
        """
        asked = RecordedRequest.from_request(request, await request.aread(), self._scrubber)
        waiting = self._responses.get(asked.key)
        if waiting:
            line = waiting.popleft()
            self._last_response[asked.key] = line["response"]
            self.clock.advance_to(float(line.get("at", 0.0)))
        elif waiting is None or asked.method != "GET":
            raise self._not_recorded_error(asked, again=waiting is not None)
        return response_from_line(self._last_response[asked.key], request, self._scrubber)

    def unused_requests(self) -> tuple[str, ...]:
        """Return the recorded requests that were not asked for, one entry per answer left."""
        return tuple(self._requests[key].method_and_url for key, waiting in self._responses.items() for _ in waiting)

    def _not_recorded_error(self, asked: RecordedRequest, *, again: bool) -> NotRecorded:
        evidence = {"asked": asked.method_and_url, "recording": self.path.name}
        if again:
            what = f"The recording holds no further answer to {asked.method_and_url}."
        else:
            nearest = self._nearest_request(asked)
            evidence["nearest"] = nearest.method_and_url if nearest else "none"
            what = f"The recording holds no answer to {asked.method_and_url}."
            if nearest is not None and nearest.method_and_url == asked.method_and_url:
                evidence["body_differs_in"] = asked.differing_parts(nearest)
        return NotRecorded(
            what,
            evidence=evidence,
            safe="a replay sends nothing.",
            next_step="record it again with `cint-nb record`, or use the sandbox.",
        )

    def _nearest_request(self, asked: RecordedRequest) -> RecordedRequest | None:
        by_address = {known.method_and_url: known for known in self._requests.values()}
        same_method = [address for address in by_address if address.startswith(asked.method + " ")]
        near = difflib.get_close_matches(asked.method_and_url, same_method or list(by_address), 1, cutoff=0.0)
        return by_address[near[0]] if near else None

    def __repr__(self) -> str:
        """Show the file name and its source."""
        return f"<ReplayTransport: {self.path.name}, recorded from {self.source}>"


def _read(path: Path) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Return the sections of a file: a header and its exchanges each."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable_error(path, f"it cannot be read ({type(error).__name__})") from None
    sections: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
    for number, text in enumerate(lines, start=1):
        try:
            line = json.loads(text)
            if "format" in line:
                _check_header(line)
                sections.append((line, []))
            else:
                _check_call(line)
                sections[-1][1].append(line)
        except (ValueError, KeyError, TypeError, IndexError):
            raise _unusable_error(path, f"line {number} is no part of a recording of format {FORMAT}") from None
    if not sections:
        raise _unusable_error(path, "it is empty")
    return sections


def _check_header(line: dict[str, Any]) -> None:
    if line["format"] != FORMAT or datetime.fromisoformat(line["clock_start"]).tzinfo is None:
        raise ValueError("another format")
    _ = line["source"], line["seed"], line["made_at"], line["package_version"]


def _check_call(line: dict[str, Any]) -> None:
    response = line["response"]
    _ = float(line.get("at", 0.0))
    _ = line["request"]["method"], line["request"]["path"]
    if "failure" in response:
        _ = EXCEPTION_TYPES[response["failure"]]
    elif not 100 <= response["status"] < 600:
        raise ValueError("no status")


def _unusable_error(path: Path, why: str) -> SettingsError:
    return SettingsError(
        f"The recording {path.name!r} cannot be replayed: {why}.",
        evidence={"variable": "CINT_NB_RECORDING"},
        next_step="make it with `cint-nb record`, or choose another file.",
    )


def _is_token_request(request: httpx.Request) -> bool:
    return bool(request.extensions.get("cint_nb_token")) or request.url.path.endswith("/oauth/token")


def _package_version() -> str:
    try:
        return version("cint_nb")
    except PackageNotFoundError:
        return "unknown"
