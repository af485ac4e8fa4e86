"""The body of an error, in whichever of the known forms: the API's, OAuth's, a problem's (RFC 7807), or none at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cint_nb.domain.ids import UUID_PATTERN, mask_ids_in, quote_foreign
from cint_nb.domain.models import text_or_none
from cint_nb.wire.replies.json_body import parse_json

_BODY_MAX = 65_536
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_DETAILS = ("detail", "details", "error_description", "message", "title")
_PARAMS = ("invalid_params", "invalid-params", "errors")
_NAMES = ("name", "pointer", "field", "param", "parameter", "path")
_REASONS = ("reason", "message", "detail", "description")
_PARAMS_MAX = 50


@dataclass(frozen=True)
class ErrorBody:
    """What the body of an error says, every text safe for a message.

    Args:
        kind: Its `object`, OAuth's `error` or a problem's `type`; None if there is none.
        detail: What it says in a sentence.
        params: The fields it names, as it writes them, each with its reason.
        request_id: Its id, which names a request, whole.
    """

    kind: str | None = None
    detail: str | None = None
    params: tuple[tuple[str | None, str | None], ...] = ()
    request_id: str | None = None


def read_error_body(body: bytes) -> ErrorBody:
    """Read the body of an error; one that is no JSON object says nothing."""
    found = parse_error_envelope(body)
    identifier = text_or_none(found.get("id"))
    return ErrorBody(
        kind=_first(found, ("object", "error", "type")),
        detail=_first(found, _DETAILS),
        params=tuple(pair for _, pair in zip(range(_PARAMS_MAX), _params(found), strict=False)),
        request_id=identifier if identifier and _names_a_request(identifier) else None,
    )


def _names_a_request(identifier: str) -> bool:
    """Return whether an error's id is one: a UUID, as documented, and nothing else in which an id may lie."""
    is_uuid = UUID_PATTERN.fullmatch(identifier) is not None
    return is_uuid or (_REQUEST_ID.fullmatch(identifier) is not None and mask_ids_in(identifier) == identifier)


def parse_error_envelope(body: bytes) -> dict[str, Any]:
    """Return the JSON object of an error's body; empty if there is none, as from a proxy that returns HTML."""
    try:
        parsed = parse_json(body[:_BODY_MAX])
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def is_own_error(body: bytes) -> bool:
    """Return whether the body of an error has the form in which the exchange writes its own."""
    return key_of_error(parse_error_envelope(body)) == "object"


def key_of_error(body: Any) -> str | None:
    """Return the key that shows a body to be an error, whatever the status of its reply; None if it is none."""
    if not isinstance(body, Mapping):
        return None
    says = any(isinstance(body.get(key), str) for key in ("detail", "details"))
    if isinstance(body.get("object"), str) and (says or body.get("invalid_params")):
        return "object"
    if isinstance(body.get("error"), str) and "error_description" in body:
        return "error"
    status = body.get("status")
    if isinstance(status, int) and status >= 400 and isinstance(body.get("title"), str):
        return "title"
    return None


def words_of_error(body: Mapping[str, Any]) -> str:
    """Return what an error says, safe for a message."""
    return _first(body, (*_DETAILS, "object", "error")) or "no reason was given"


def _first(found: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((words for name in names if (words := quote_foreign(found.get(name)))), None)


def _params(found: Mapping[str, Any]) -> Iterator[tuple[str | None, str | None]]:
    """Yield the fields of an error, listed as objects or as texts, or as an object of names and reasons."""
    for listed in (found.get(name) for name in _PARAMS):
        if isinstance(listed, Mapping):
            for name, reasons in listed.items():
                yield quote_foreign(name) or None, _reason(reasons)
        elif isinstance(listed, list):
            for item in listed:
                if isinstance(item, Mapping):
                    yield _path_of(_first(item, _NAMES)), _first(item, _REASONS)
                elif words := quote_foreign(item):
                    yield None, words


def _reason(value: Any) -> str | None:
    if isinstance(value, list):
        return "; ".join(words for each in value if (words := quote_foreign(each))) or None
    return _first(value, _REASONS) if isinstance(value, Mapping) else quote_foreign(value) or None


def _path_of(name: str | None) -> str | None:
    """Return the name of a field with points between levels, where it is written as a JSON pointer or path."""
    if name is None or not name.startswith(("/", "#/", "$.")):
        return name
    return name.removeprefix("#").removeprefix("$").strip("/.").replace("/", ".")
