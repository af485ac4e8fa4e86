"""One recorded call: a request and its response as one line of a recording."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx

from cint_nb.wire.calls import BODY_LEFT_OUT
from cint_nb.wire.recording.scrub import Scrubber, canonical_json

EXCEPTION_TYPES: dict[str, type[httpx.TransportError]] = {
    kind.__name__: kind
    for kind in (
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.PoolTimeout,
        httpx.ReadError,
        httpx.ReadTimeout,
        httpx.RemoteProtocolError,
        httpx.WriteError,
        httpx.WriteTimeout,
    )
}
"""Failures of the network that can be recorded and replayed, by name."""

_BODY_PARTS: tuple[str, ...] = ("json", "file", "text")
_NOT_JSON = "this was no JSON"


@dataclass(frozen=True)
class RecordedRequest:
    """What identifies a request: method, path, query and body, all scrubbed."""

    method: str
    path: str
    query: list[list[str]]
    body: dict[str, Any]

    @classmethod
    def from_request(cls, request: httpx.Request, content: bytes, scrubber: Scrubber) -> RecordedRequest:
        """Create it from a request as sent."""
        query = parse_qsl(request.url.query.decode("ascii", "replace"), keep_blank_values=True)
        return cls(
            request.method,
            scrubber.scrub_path(request.url.path),
            scrubber.scrub_query(query),
            _request_body(request.headers.get("content-type", ""), content, scrubber),
        )

    @classmethod
    def from_line(cls, line: dict[str, Any]) -> RecordedRequest:
        """Create it from a recorded line."""
        body: dict[str, Any] = {name: line[name] for name in _BODY_PARTS if name in line}
        return cls(line["method"], line["path"], line.get("query", []), body)

    def to_line(self) -> dict[str, Any]:
        """Return it as the request of a recorded line."""
        query = {"query": self.query} if self.query else {}
        return {"method": self.method, "path": self.path, **query, **self.body}

    @property
    def method_and_url(self) -> str:
        """Method, path and query, as one text."""
        query = "?" + urlencode([(name, value) for name, value in self.query]) if self.query else ""
        return f"{self.method} {self.path}{query}"

    @property
    def key(self) -> str:
        """What must be equal for two requests to be the same."""
        return f"{self.method_and_url}\n{canonical_json(self.body)}"

    def differing_parts(self, other: RecordedRequest) -> str:
        """Return which parts of the body differ in another request, never their values."""
        names = []
        for part in _BODY_PARTS:
            mine, theirs = self.body.get(part), other.body.get(part)
            if isinstance(mine, dict) and isinstance(theirs, dict):
                names += [name for name in sorted(mine.keys() | theirs.keys()) if mine.get(name) != theirs.get(name)]
            elif mine != theirs:
                names.append(part)
        return ", ".join(names)


def _request_body(kind: str, content: bytes, scrubber: Scrubber) -> dict[str, Any]:
    if not content:
        return {}
    if kind.startswith("multipart/form-data"):
        name, file = parse_multipart_file(kind, content)
        return {"file": scrubber.describe_upload(name, file)}
    if kind.startswith(("text/csv", "application/csv")):
        return {"file": scrubber.describe_upload("", content)}
    try:
        return {"json": scrubber.scrub_value(json.loads(content), in_request=True)}
    except ValueError:
        return {"text": _NOT_JSON}


def parse_multipart_file(kind: str, content: bytes) -> tuple[str, bytes]:
    """Return name and content of the one file in a multipart body; both empty if there is none."""
    boundary = re.search(r'boundary="?([^";]+)"?', kind)
    if boundary is None:
        return "", b""
    for part in content.split(b"--" + boundary[1].encode("latin-1")):
        head, _, body = part.partition(b"\r\n\r\n")
        name = re.search(rb'filename="([^"]*)"', head)
        if name is not None:
            return name[1].decode("utf-8", "replace"), body.removesuffix(b"\r\n")
    return "", b""


def response_to_line(response: httpx.Response, scrubber: Scrubber) -> dict[str, Any]:
    """Return the response of a recorded line; the response must have been read."""
    line = {"status": response.status_code, "headers": scrubber.scrub_headers(response.headers)}
    content = response.content
    kind = response.headers.get("content-type", "").lower()
    if not content:
        return line
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return {**line, "left_out": len(content)}
    if "json" in kind or "html" in kind:
        try:
            return {**line, "json": scrubber.scrub_value(json.loads(text))}
        except ValueError:
            return {**line, "text": _NOT_JSON}
    if "\0" in text:
        return {**line, "left_out": len(content)}
    return {**line, "text": scrubber.scrub_table(text)}


def response_from_line(line: dict[str, Any], request: httpx.Request, scrubber: Scrubber) -> httpx.Response:
    """Build the response of a recorded line.

    Raises:
        httpx.TransportError: if a failure of the network was recorded.
    """
    if "failure" in line:
        raise EXCEPTION_TYPES[line["failure"]]("recorded failure", request=request)
    return httpx.Response(
        line["status"],
        headers=line.get("headers", {}),
        content=scrubber.restore_ids(canonical_body(line)).encode(),
        request=request,
        extensions={BODY_LEFT_OUT: line["left_out"]} if "left_out" in line else {},
    )


def canonical_body(line: dict[str, Any]) -> str:
    """Return the body of a recorded line as text; empty where it was omitted."""
    if "json" in line:
        return json.dumps(line["json"], ensure_ascii=False)
    return str(line.get("text", ""))
