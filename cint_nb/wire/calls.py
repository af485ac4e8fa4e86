"""API calls and their replies as values: `Call` and `Reply`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import httpx

from cint_nb.domain.errors import InputError, UnexpectedReply
from cint_nb.domain.ids import mask_ids_in, masked_repr, printable, quote_foreign
from cint_nb.domain.plan import format_utc
from cint_nb.wire.replies.json_body import parse_json
from cint_nb.wire.replies.shape import ReplyShape, is_address_part
from cint_nb.wire.retry_policy import Idempotency

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_HEADER = re.compile(r"[\t -~\u00a0-\u00ff]*")
_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
_STOPPED_ON_THE_WAY = (413, 425, 429)
BODY_LEFT_OUT = "cint_nb_body_left_out"
"""The extension by which a transport says that a response had a body it does not have: recordings keep no files."""


@dataclass(frozen=True)
class Call:
    """One API call: a request, before account and host are known.

    Args:
        operation: What it does, in a few words, for errors and logs.
        method: HTTP method.
        template: Path below the base URL, such as `/demand/accounts/{account_id}/projects`.
        idempotency: What happens if it is sent twice.
        path: Values of the template's placeholders; None is missing; `account_id` comes from the settings if omitted.
        query: Query parameters; None is omitted, a list repeats the name.
        json: JSON body.
        file: Name and content of an upload, sent as multipart field `file`.
        csv: Lines of CSV, which are the whole body.
        idempotency_key: The same in all attempts.
        if_match: ETag the resource must still have.
        deadline: Seconds for all attempts together; 60, or 120 for uploads, when omitted.
        max_bytes: Largest reply accepted; 10 MB when omitted.
        accept: Media type requested; `*/*` for downloads.
        reply_shape: What its reply must look like; None for a reply that is not compared.
    """

    operation: str
    method: str
    template: str
    idempotency: Idempotency
    path: Mapping[str, str | int | None] = field(default_factory=dict, repr=False)
    query: Mapping[str, Any] = field(default_factory=dict, repr=False)
    json: Any = field(default=None, repr=False)
    file: tuple[str, bytes] | None = field(default=None, repr=False)
    csv: bytes | None = field(default=None, repr=False)
    idempotency_key: str | None = field(default=None, repr=False)
    if_match: str | None = field(default=None, repr=False)
    deadline: float | None = None
    max_bytes: int | None = None
    accept: str = "application/json"
    reply_shape: ReplyShape | None = field(default=None, repr=False)

    @property
    def is_download(self) -> bool:
        """Whether it asks for a file."""
        return self.accept != "application/json"

    def url_path(self, account_id: int | None) -> str:
        """Return the path with its placeholders filled.

        Args:
            account_id: Used where `path` has no other.

        Raises:
            InputError: if a value is missing or contains anything but letters, digits, `_` and `-`.
        """
        values = {"account_id": account_id, **self.path}

        def fill(placeholder: re.Match[str]) -> str:
            text = None if (value := values.get(placeholder[1])) is None else str(value)
            if not text or not is_address_part(text):
                problem = "it has the wrong form" if text else "it is missing"
                raise InputError(
                    f"{placeholder[1]} is not valid in a URL: {problem}.",
                    evidence={"operation": self.operation, "field": placeholder[1]},
                    next_step=f"pass {placeholder[1]} as the exchange returned it: letters, digits, '-' and '_' only.",
                )
            return text  # of signs that stand in a URL as they are

        return _PLACEHOLDER.sub(fill, self.template)

    def headers(self) -> dict[bytes, bytes]:
        """Return the headers of this call, byte for byte as an ETag came.

        Raises:
            InputError: if a value cannot stand in a header.
        """
        given = {"Accept": self.accept, "idempotency-key": self.idempotency_key, "If-Match": self.if_match}
        if self.csv is not None:
            given["Content-Type"] = "text/csv"
        found = {name: value for name, value in given.items() if value is not None and value != ""}
        for name, value in found.items():
            if not isinstance(value, str) or not _HEADER.fullmatch(value):
                raise InputError(
                    f"The {name} header cannot have this value.",
                    evidence={"operation": self.operation, "given": masked_repr(value, 40)},
                    next_step="pass a text of ASCII characters in one line, such as a UUID, or an ETag as it was read.",
                )
        return {name.encode(): value.encode("latin-1") for name, value in found.items()}

    def query_pairs(self) -> tuple[tuple[str, str], ...]:
        """Return the query as names and texts, in the order given."""
        pairs: list[tuple[str, str]] = []
        for name, value in self.query.items():
            many = isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping))
            pairs += [(name, _query_text(one)) for one in (value if many else [value]) if one is not None]
        return tuple(pairs)


def _query_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return format_utc(value)
    return str(value.value) if isinstance(value, Enum) else str(value)


@printable
@dataclass(frozen=True)
class Reply:
    """The reply to a call.

    Args:
        status: HTTP status.
        headers: Response headers, their names in lower case.
        body: The whole body, decompressed; empty where the exchange sends none.
        method: HTTP method of the request.
        template: Path of the request, its placeholders unfilled.
        request_id: What Cint support asks for: the reply's own id, else its trace id; None if it has neither.
        trace_id: Trace id of the `traceparent` header; None if there is none.
        body_left_out: Whether the exchange sent a body that the transport does not have, as in a replay of a download.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    method: str
    template: str
    request_id: str | None = None
    trace_id: str | None = None
    body_left_out: bool = False

    def json(self) -> Any:
        """Return the body read as JSON.

        Raises:
            UnexpectedReply: if it is empty, truncated, HTML or otherwise not JSON. The request may have taken effect.
        """
        return self._parsed_json

    @cached_property
    def _media_type(self) -> str:
        return str(self.headers.get("content-type", "")).lower()

    @cached_property
    def _parsed_json(self) -> Any:
        try:
            return parse_json(self.body)
        except ValueError:
            raise self.unexpected_reply_error("The exchange returned something that is not JSON.") from None

    def is_html_page(self) -> bool:
        """Return whether this is an HTML page, such as the sign-in page of a network."""
        return "html" in self._media_type

    def is_web_page(self) -> bool:
        """Return whether the body is HTML or XML, as from a gateway, whatever its type says."""
        return self.is_html_page() or self.body[:200].lstrip().startswith(b"<")

    def says_nothing_of_the_exchange(self) -> bool:
        """Return whether a web page stands in place of an error: the exchange may have acted, and its reply been lost.

        What is too large, too early or too much was stopped on its way to the exchange.
        """
        return 400 <= self.status < 500 and self.status not in _STOPPED_ON_THE_WAY and self.is_web_page()

    def claims_json(self) -> bool:
        """Return whether the reply says that its body is JSON."""
        return "json" in self._media_type

    def is_malformed(self) -> bool:
        """Return whether a body that claims to be JSON, or is an HTML page, cannot be read as JSON."""
        if not self.body.strip() or not (self.claims_json() or self.is_html_page()):
            return False
        try:
            self.json()  # cached for the next reader
        except UnexpectedReply:
            return True
        return False

    def json_object(self) -> dict[str, Any]:
        """Return the body as a JSON object.

        Raises:
            UnexpectedReply: if it is anything else.
        """
        parsed = self.json()
        if not isinstance(parsed, dict):
            raise self.unexpected_reply_error("The exchange returned JSON in an undocumented form.")
        return parsed

    @property
    def etag(self) -> str | None:
        """Return the ETag exactly as sent, for If-Match; None if there is none."""
        return self.headers.get("etag") or None

    @property
    def location_id(self) -> str | None:
        """Return the last part of the Location header, which may be a URL, a path or a bare id; None if unusable."""
        try:
            last = urlsplit(self.headers.get("location", "")).path.rstrip("/").rpartition("/")[2]
        except ValueError:  # brackets that are no IPv6 address
            return None
        return last if is_address_part(last) else None

    def unexpected_reply_error(self, what: str) -> UnexpectedReply:
        """Return the error for a successful reply that cannot be interpreted; its `body` keeps the raw reply."""
        error = UnexpectedReply(
            what,
            evidence={
                "status": self.status,
                "content_type": quote_foreign(self.headers.get("content-type", "none"), 60),
                "bytes": len(self.body),
                "request": f"{self.method} {self.template}",
                "request_id": self.request_id,
            },
            safe="nothing was changed; repeating the read is safe."
            if self.method == "GET"
            else "unknown: the request was sent and answered with a success, so it may have taken effect.",
            next_step="check whether it took effect before resending; if this recurs, check the base URL."
            if self.method != "GET"
            else "try again in a moment; if this recurs, check the base URL, and tell Cint support.",
        )
        error.body = self.body
        error.is_web_page = self.is_web_page()
        return error


def make_reply(call: Call, status: int, headers: httpx.Headers, body: bytes, *, body_left_out: bool = False) -> Reply:
    """Build a reply; ids for support come from the headers."""
    # Converted once: each look-up in httpx's own headers scans all of them.
    plain = {name.lower().decode("latin-1"): value.decode("latin-1") for name, value in headers.raw}
    trace = _TRACE.fullmatch(plain.get("traceparent", "").strip().lower())
    trace_id = trace[1] if trace else None
    named = _REQUEST_ID.fullmatch(plain.get("x-request-id", "").strip())
    if named is not None and mask_ids_in(named[0]) != named[0]:
        named = None  # no document says what it holds: where it looks like an id, it may be a person's
    return Reply(
        status=status,
        headers=plain,
        body=body,
        method=call.method,
        template=call.template,
        request_id=(named[0] if named else None) or trace_id,
        trace_id=trace_id,
        body_left_out=body_left_out,
    )
