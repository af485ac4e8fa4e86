"""Say in what an exchange differs from an OpenAPI description; the checking is openapi-core's."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import httpx
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.validation.request.exceptions import ParameterValidationError, RequestBodyValidationError
from openapi_core.validation.request.validators import V30RequestBodyValidator, V31RequestBodyValidator
from openapi_core.validation.response.exceptions import DataValidationError, HeaderValidationError
from werkzeug.datastructures import Headers, ImmutableMultiDict

from cint_nb.api.operations import Operation
from tests.contract.openapi_documents import Description

_USUAL_HEADERS = {
    *("accept", "accept-encoding", "authorization", "connection", "content-length", "content-type"),
    *("host", "transfer-encoding", "user-agent"),
}
_TEXTS = ("text/csv",)
_BINARIES = ("application/octet-stream", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")


class Difference(NamedTuple):
    """One thing an exchange does otherwise than a description has it.

    Args:
        operation: Name of the operation, as `cint_nb.api.operations` has it.
        place: Where: `request body: allocations`, `request header: idempotency-key`, `reply 200: failure_reason`.
        rule: Which rule is not kept, by its word in JSON Schema, or `undeclared`, `missing`, `media type`.
    """

    operation: str
    place: str
    rule: str


@dataclass(frozen=True)
class HttpCall:
    """Hold one request and its reply as they went over the wire; no reply where a test made it up."""

    operation: Operation
    request: httpx.Request
    reply: httpx.Response | None = None

    @cached_property
    def asked(self) -> tuple[Any, ...]:
        """Return what makes two requests the same to a judge."""
        headers = {name: value for name, value in self.request.headers.items() if name != "authorization"}
        return (self.request.method, str(self.request.url), str(headers), self.request.content)

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """Return what makes two exchanges the same to a judge."""
        return (*self.asked, self.reply.status_code, self.reply.content) if self.reply is not None else self.asked


@dataclass
class _Request:
    """The exchange as openapi-core wants it."""

    host_url: str
    path: str
    method: str
    content_type: str
    body: bytes | None
    parameters: RequestParameters = field(default_factory=RequestParameters)


@dataclass
class _Reply:
    status_code: int
    content_type: str
    headers: Headers
    data: bytes | None


class Judge:
    """Hold exchanges against one description.

    Args:
        description: Which.
    """

    def __init__(self, description: Description) -> None:
        self._description = description
        base = _base_url(description.document)
        document = {**description.document, "servers": [{"url": base}]}
        self._host, self._prefix = "{0.scheme}://{0.netloc}".format(urlsplit(base)), urlsplit(base).path
        files = _TEXTS if document["openapi"].startswith("3.0") else (*_TEXTS, *_BINARIES)
        texts: dict[str, Callable[[bytes], Any]] = dict.fromkeys(files, _as_text)
        usual = Config(
            spec_validator_cls=None,  # type: ignore[arg-type]  # None skips the check, which its annotation forgets
            extra_media_type_deserializers=texts,
        )
        closed = replace(
            usual,
            additional_properties_default_policy="forbid",
            request_validator_cls=V30RequestBodyValidator if files is _TEXTS else V31RequestBodyValidator,
        )
        self._as_described = OpenAPI.from_dict(document, config=usual)
        self._nothing_more = OpenAPI.from_dict(document, config=closed)
        self._judged: dict[tuple[Any, ...], dict[Difference, str]] = {}

    def differences(self, exchange: HttpCall) -> dict[Difference, str]:
        """Return what differs, with a sentence of evidence each."""
        name, key = exchange.operation.name, exchange.asked
        request = self._asked(exchange.request)
        if key not in self._judged:
            self._judged[key] = dict(self._of_request(exchange, request))
        found = dict(self._judged[key])
        if exchange.reply is not None:
            for error in self._as_described.iter_response_errors(request, _answered(exchange.reply)):
                found |= dict(_explained(name, f"reply {exchange.reply.status_code}", error))
        return found

    def _of_request(self, exchange: HttpCall, request: _Request) -> Iterator[tuple[Difference, str]]:
        name = exchange.operation.name
        yield from self._undeclared(exchange)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            for error in self._as_described.iter_request_errors(request):
                yield from _explained(name, "request", error)
        for warning in {str(one.message) for one in said}:
            yield Difference(name, f"request: {warning.split()[0]}", "deprecated"), warning
        if request.body is not None:
            for error in self._nothing_more.iter_request_errors(request):
                # Closing every object breaks alternatives that were meant to be open: only what is too much counts.
                yield from (row for row in _explained(name, "request", error) if row[0].rule == "undeclared")

    def _asked(self, request: httpx.Request) -> _Request:
        path = self._prefix + request.url.path.removeprefix("/v1")
        parameters = RequestParameters(
            query=ImmutableMultiDict(parse_qsl(request.url.query.decode(), keep_blank_values=True)),
            header=Headers(list(request.headers.items())),
        )
        kind = request.headers.get("content-type", "")
        return _Request(self._host, path, request.method.lower(), kind, request.content or None, parameters)

    def _undeclared(self, exchange: HttpCall) -> Iterator[tuple[Difference, str]]:
        """Find what is sent and not declared; a validator lets it pass."""
        name = exchange.operation.name
        declared = {place: self._description.parameters(exchange.operation, place) for place in ("query", "header")}
        sent = {"query": set(exchange.request.url.params), "header": set(exchange.request.headers) - _USUAL_HEADERS}
        for place in ("query", "header"):
            for extra in sorted(sent[place] - declared[place]):
                yield Difference(name, f"request {place}: {extra}", "undeclared"), "it is sent and not declared"
        if exchange.request.content and not self._description.takes_body(exchange.operation):
            yield Difference(name, "request body", "undeclared"), "a body is sent and none is declared"


def _answered(reply: httpx.Response) -> _Reply:
    kind = reply.headers.get("content-type", "")
    return _Reply(reply.status_code, kind, Headers(list(reply.headers.multi_items())), reply.content or None)


def _explained(operation: str, side: str, error: Exception) -> Iterator[tuple[Difference, str]]:
    match error:
        case ParameterValidationError():
            place = f"{side} {error.location}: {error.name}"
        case HeaderValidationError():
            place = f"{side} header: {error.name}"
        case RequestBodyValidationError():
            place = f"{side} body"
        case DataValidationError():
            place = side
        case _:
            place = side
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    broken = getattr(cause, "schema_errors", None)
    if broken is None:
        yield Difference(operation, place, _rule(cause)), str(cause)[:300]
        return
    for one in broken:
        path = ".".join("[]" if isinstance(part, int) else str(part) for part in one.absolute_path)
        rule = "undeclared" if _too_much(one) else str(one.validator)
        for name in _named(one):
            where = ".".join(part for part in (path, name) if part)
            yield Difference(operation, f"{place}: {where}" if where else place, rule), one.message[:300]


def _rule(cause: BaseException) -> str:
    """Turn the class of an error into words."""
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", type(cause).__name__).lower()
    return words.removesuffix(" error")


def _too_much(error: Any) -> bool:
    return "additional properties are not allowed" in error.message.lower()


def _named(error: Any) -> list[str]:
    """Return the fields an error is about beside its path: missing ones, and ones too many."""
    if error.validator == "required" or _too_much(error):
        return re.findall(r"'([^']+)'", error.message)
    return [""]


def _as_text(content: bytes, **_: str) -> str:
    return content.decode("utf-8", "replace")


def _base_url(document: dict[str, Any]) -> str:
    url = document["servers"][0]["url"]
    return str(url) if "://" in url else f"http://sandbox.invalid{url}"
