"""Find in what a call differs from an OpenAPI description; the checks are those of openapi-core."""

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
    """One point in which a call differs from a description.

    Args:
        operation: Name of the operation, as in `cint_nb.api.operations`.
        place: Where: `request body: allocations`, `request header: idempotency-key`, `reply 200: failure_reason`.
        rule: Which rule is violated, by its keyword in JSON Schema, or `undeclared`, `missing`, `media type`.
    """

    operation: str
    place: str
    rule: str


@dataclass(frozen=True)
class HttpCall:
    """One request and its reply as they were sent; without a reply if a test made the request up."""

    operation: Operation
    request: httpx.Request
    reply: httpx.Response | None = None

    @cached_property
    def request_key(self) -> tuple[Any, ...]:
        """What makes two requests the same to a validator."""
        headers = {name: value for name, value in self.request.headers.items() if name != "authorization"}
        return (self.request.method, str(self.request.url), str(headers), self.request.content)

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """What makes two calls the same to a validator."""
        if self.reply is None:
            return self.request_key
        return (*self.request_key, self.reply.status_code, self.reply.content)


@dataclass
class _Request:
    """A request in the form openapi-core expects."""

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


class ContractValidator:
    """Checks calls against one OpenAPI description.

    Args:
        description: The description.
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
        self._checked: dict[tuple[Any, ...], dict[Difference, str]] = {}

    def differences(self, call: HttpCall) -> dict[Difference, str]:
        """Return what differs, with a sentence of evidence each."""
        name, key = call.operation.name, call.request_key
        request = self._to_request(call.request)
        if key not in self._checked:
            self._checked[key] = dict(self._check_request(call, request))
        found = dict(self._checked[key])
        if call.reply is not None:
            for error in self._as_described.iter_response_errors(request, _to_reply(call.reply)):
                found |= dict(_explained(name, f"reply {call.reply.status_code}", error))
        return found

    def _check_request(self, call: HttpCall, request: _Request) -> Iterator[tuple[Difference, str]]:
        name = call.operation.name
        yield from self._undeclared(call)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for error in self._as_described.iter_request_errors(request):
                yield from _explained(name, "request", error)
        for warning in {str(one.message) for one in caught}:
            yield Difference(name, f"request: {warning.split()[0]}", "deprecated"), warning
        if request.body is not None:
            for error in self._nothing_more.iter_request_errors(request):
                # Closing every object breaks alternatives that were meant to be open, so only undeclared fields count.
                yield from (row for row in _explained(name, "request", error) if row[0].rule == "undeclared")

    def _to_request(self, request: httpx.Request) -> _Request:
        path = self._prefix + request.url.path.removeprefix("/v1")
        parameters = RequestParameters(
            query=ImmutableMultiDict(parse_qsl(request.url.query.decode(), keep_blank_values=True)),
            header=Headers(list(request.headers.items())),
        )
        kind = request.headers.get("content-type", "")
        return _Request(self._host, path, request.method.lower(), kind, request.content or None, parameters)

    def _undeclared(self, call: HttpCall) -> Iterator[tuple[Difference, str]]:
        """Find what is sent but not declared, which openapi-core does not report."""
        name = call.operation.name
        declared = {place: self._description.parameters(call.operation, place) for place in ("query", "header")}
        sent = {"query": set(call.request.url.params), "header": set(call.request.headers) - _USUAL_HEADERS}
        for place in ("query", "header"):
            for extra in sorted(sent[place] - declared[place]):
                yield Difference(name, f"request {place}: {extra}", "undeclared"), "it is sent but not declared"
        if call.request.content and not self._description.takes_body(call.operation):
            yield Difference(name, "request body", "undeclared"), "a body is sent but none is declared"


def _to_reply(reply: httpx.Response) -> _Reply:
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
    """Return the class of an error in words."""
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", type(cause).__name__).lower()
    return words.removesuffix(" error")


def _too_much(error: Any) -> bool:
    return "additional properties are not allowed" in error.message.lower()


def _named(error: Any) -> list[str]:
    """Return the fields an error is about beside its path: missing ones and undeclared ones."""
    if error.validator == "required" or _too_much(error):
        return re.findall(r"'([^']+)'", error.message)
    return [""]


def _as_text(content: bytes, **_: str) -> str:
    return content.decode("utf-8", "replace")


def _base_url(document: dict[str, Any]) -> str:
    url = document["servers"][0]["url"]
    return str(url) if "://" in url else f"http://sandbox.invalid{url}"
