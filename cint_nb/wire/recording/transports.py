"""Record and replay: two httpx transports over one recording file, with one call per line.

A file begins with a header line; then one call follows another. Each `connect` of a process adds such a section of its
own, and a replay opens them in the same order. Tokens are never requested in a replay and never written to a
recording.
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

from cint_nb.domain.errors import CintError, InputError, NotRecorded, SettingsError
from cint_nb.domain.plan import format_utc
from cint_nb.output_files import as_path, require_new_file, write_new_file
from cint_nb.wire.clock import Clock, ReplayClock
from cint_nb.wire.recording.recorded_call import EXCEPTION_TYPES, RecordedRequest, response_from_line, response_to_line
from cint_nb.wire.recording.scrub import Scrubber, find_leaks

FORMAT = 1
_HEADER_MAX_BYTES = 10_000
_sections_lock = threading.Lock()
_written: set[Path] = set()
_opened: dict[Path, int] = {}


class RecordingTransport(httpx.AsyncBaseTransport):
    """A transport that passes requests on and writes each call to a file, scrubbed.

    The first one that a process creates for a file overwrites an earlier recording; later ones add a section, even if
    nothing is sent. A file that is no recording is never changed.

    Args:
        inner: The transport that answers.
        path: File to write; its folder must exist.
        source: `sandbox` or `live`.
        clock_start: The client's time when it connected; a replay starts there.
        seed: Seed of the client's token factory; a replay uses the same.
        clock: The client's clock. With it each line has the time of its response, which a replay keeps.

    A file that is there and is no recording is left as it is: the first request says so, and none is sent.

    Raises:
        InputError: the file cannot be written.
    """

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        path: str | Path,
        *,
        source: str,
        clock_start: datetime,
        seed: str,
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
        self._refusal: InputError | None = None
        self._begin()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on, record it with its response, and return the response unchanged.

        Raises:
            InputError: the file is there and is no recording; nothing was sent.
        """
        if self._refusal is not None:
            raise self._refusal.with_traceback(None)
        if _is_token_request(request):
            return await self._inner.handle_async_request(request)
        recorded = RecordedRequest.from_request(request, await request.aread(), self._scrubber)
        try:
            response = await self._inner.handle_async_request(request)
            await response.aread()
            await response.aclose()
        except httpx.TransportError as error:
            name = type(error).__name__ if type(error).__name__ in EXCEPTION_TYPES else "ReadError"
            self._write({"request": recorded.to_line(), "response": {"failure": name}})
            raise
        self._write({"request": recorded.to_line(), "response": response_to_line(response, self._scrubber)})
        headers = [
            (name, value)
            for name, value in response.headers.multi_items()
            if name not in {"content-encoding", "content-length", "transfer-encoding"}  # the body is decompressed now
        ]
        return httpx.Response(
            response.status_code, headers=headers, content=response.content, extensions=response.extensions
        )

    async def aclose(self) -> None:
        """Close the inner transport; the file is complete after every line."""
        await self._inner.aclose()

    def _write(self, line: dict[str, Any]) -> None:
        if self._clock is not None:
            line["at"] = round((self._clock.now() - self._start).total_seconds(), 3)
        text = json.dumps(line, ensure_ascii=False)
        if found := find_leaks(text):
            raise CintError(
                f"A call was not recorded: it would have contained {' and '.join(found)}.",
                evidence={"request": f"{line['request']['method']} {line['request']['path']}"},
                safe="the request itself was sent and answered; only the recording lacks it.",
                next_step="remove the recording, and report which field contains it.",
            )
        self._append(text)

    def _begin(self) -> None:
        header = json.dumps(self._header)
        with _sections_lock:
            whole = as_path(self.path).resolve()
            if whole in _written:
                self._append(header)
                return
            if not is_recording(whole) and not self._may_create():
                return
            write_new_file(whole, f"{header}\n".encode(), overwrite=True)
            _written.add(whole)

    def _may_create(self) -> bool:
        """Return whether the file is new; where another is there, each request is refused."""
        try:
            require_new_file(
                self.path, "record to a new file; only a recording of cint_nb, or an empty file, is overwritten."
            )
        except InputError as error:
            error.safe = "nothing was sent, and nothing written; what is there was not changed."
            self._refusal = error
        return self._refusal is None

    def _append(self, line: str) -> None:
        try:
            with self.path.open("a", encoding="utf-8", newline="\n") as file:
                file.write(line + "\n")
        except OSError as error:
            raise CintError(
                "A call was not recorded: the recording cannot be written.",
                evidence={"recording": self.path.name, "reason": error.strerror or type(error).__name__},
                safe="the request itself may have been sent and answered; only the recording lacks it.",
                next_step="check the disk and the folder of the recording, and connect again.",
            ) from None

    def __repr__(self) -> str:
        """Show the file name."""
        return f"<RecordingTransport: {self.path.name}>"


class ReplayTransport(httpx.AsyncBaseTransport):
    """A transport that answers from a recording only.

    A request is answered if method, path, query and body are the recorded ones: for an uploaded file its name, number
    of lines and digest. Equal requests are answered in the order recorded; the last response to a GET repeats.

    Its `clock` starts where the recording did, and advances as it did in the recording.

    Args:
        path: File written by `RecordingTransport`.
        section: Section of the file, from 0; if omitted, each transport of a process takes the next one.

    Raises:
        SettingsError: if there is no such file, or it is not a recording of this format.
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
            recorded = RecordedRequest.from_line(line["request"])
            self._requests[recorded.key] = recorded
            self._responses.setdefault(recorded.key, deque()).append(line)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the recorded response.

        Raises:
            NotRecorded: naming the nearest recorded request.
        """
        recorded = RecordedRequest.from_request(request, await request.aread(), self._scrubber)
        waiting = self._responses.get(recorded.key)
        if waiting:
            line = waiting.popleft()
            self._last_response[recorded.key] = line["response"]
            self.clock.advance_to(float(line.get("at", 0.0)))
        elif waiting is None or recorded.method != "GET":
            raise self._not_recorded_error(recorded, again=waiting is not None)
        return response_from_line(self._last_response[recorded.key], request, self._scrubber)

    def unused_requests(self) -> tuple[str, ...]:
        """Return the recorded requests that were not replayed, one entry per response left."""
        return tuple(self._requests[key].method_and_url for key, waiting in self._responses.items() for _ in waiting)

    def _not_recorded_error(self, recorded: RecordedRequest, *, again: bool) -> NotRecorded:
        evidence = {"asked": recorded.method_and_url, "recording": self.path.name}
        if again:
            what = f"The recording has no further response to {recorded.method_and_url}."
        else:
            nearest = self._nearest_request(recorded)
            evidence["nearest"] = nearest.method_and_url if nearest else "none"
            what = f"The recording has no response to {recorded.method_and_url}."
            if nearest is not None and nearest.method_and_url == recorded.method_and_url:
                evidence["body_differs_in"] = recorded.differing_parts(nearest)
        return NotRecorded(
            what,
            evidence=evidence,
            safe="a replay sends nothing.",
            next_step="record it again with `cint-nb record`, or use the sandbox.",
        )

    def _nearest_request(self, recorded: RecordedRequest) -> RecordedRequest | None:
        by_url = {known.method_and_url: known for known in self._requests.values()}
        same_method = [url for url in by_url if url.startswith(recorded.method + " ")]
        near = difflib.get_close_matches(recorded.method_and_url, same_method or list(by_url), 1, cutoff=0.0)
        return by_url[near[0]] if near else None

    def __repr__(self) -> str:
        """Show the file name and its source."""
        return f"<ReplayTransport: {self.path.name}, recorded from {self.source}>"


def _read(path: Path) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Return the sections of a file: for each its header and its calls."""
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
            raise _unusable_error(path, f"line {number} is not valid in a recording of format {FORMAT}") from None
    if not sections:
        raise _unusable_error(path, "it is empty")
    return sections


def is_recording(path: Path) -> bool:
    """Return whether a file begins as a recording does, or is empty: what has neither is somebody else's."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            first = file.readline(_HEADER_MAX_BYTES)
        return not first or isinstance(json.loads(first)["clock_start"], str)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


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
        next_step="create it with `cint-nb record`, or choose another file.",
    )


def _is_token_request(request: httpx.Request) -> bool:
    return bool(request.extensions.get("cint_nb_token")) or request.url.path.endswith("/oauth/token")


def _package_version() -> str:
    try:
        return version("cint_nb")
    except PackageNotFoundError:
        return "unknown"
