"""Replies an OpenAPI description gives as examples, or makes possible: its own examples, all fields, least fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cint_nb.api.operations import Operation
from tests.contract.openapi_documents import Description
from tests.support.plans import PRICE_VALUE

_TEXTS = {
    "^[0-9A-Z]{26}$": "01BTGNYV6HRNK8K8VKZASZCFP1",
    "^[0-9]{1,9}(\\.[0-9]{1,8})?$": PRICE_VALUE,
    "^[A-Z]{3}$": "EUR",
    "^[0-9]{1,9}$": "12",
    "^[a-z]{3}_[a-z]{2}$": "ger_de",
}
_NAMED = {"business_unit_id": "1234", "currency_code": "EUR"}
"""Fields that are any text in the documents, and contain a number or a code."""
_FORMATS = {
    "date-time": "2026-09-01T08:00:00.000Z",
    "date": "2026-09-01",
    "duration": "P90D",
    "uri": "https://survey.example/",
    "uuid": "6f1c2f0e-5b0a-4f0e-9d53-0c6a3b7e1f24",
}


@dataclass(frozen=True)
class Sample:
    """One possible reply.

    Args:
        status: A status of success.
        body: JSON body; None without one.
        headers: Headers with an example.
    """

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


def samples(description: Description, operation: Operation) -> dict[str, Sample]:
    """Return the possible successes of an operation: each example of the document, every field, the least fields."""
    found: dict[str, Sample] = {}
    for status, reply in description.successes(operation).items():
        headers = list(_headers(description, reply))
        json = (reply.get("content") or {}).get("application/json") if status != "204" else None
        bodies: dict[str, Any] = {"no body": None}
        if json is not None:
            bodies = dict(_examples(description, json))
            bodies |= {word: compose(description, json["schema"], word == "every field") for word in WAYS}
        for name, body in bodies.items():
            found |= {
                f"{status} {name}{' ' * bool(one) + one}": Sample(int(status), body, shown) for one, shown in headers
            }
    return found


WAYS = ("every field", "least fields")


def compose(description: Description, schema: dict[str, Any], full: bool) -> Any:
    """Return a value a schema allows, from its examples if it has any.

    Args:
        description: Where references lead.
        schema: Of the value.
        full: With every field; else only the required ones, with null wherever that is allowed.
    """
    schema = description.resolved(schema)
    kinds = schema.get("type", ())
    kinds = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    if not full and (schema.get("nullable") or "null" in kinds):
        return None
    if full and "example" in schema:
        return schema["example"]
    for word in ("oneOf", "anyOf"):
        if word in schema:
            branch = schema[word][0 if full else -1]
            return _merged(compose(description, branch, full), _own(description, schema, full))
    if "allOf" in schema:
        parts = [compose(description, part, full) for part in schema["allOf"]]
        return _merged(*parts, _own(description, schema, full))
    if "enum" in schema:
        return schema["enum"][0]
    if "object" in kinds or "properties" in schema:
        return _own(description, schema, full)
    if "array" in kinds:
        count = max(schema.get("minItems", 0), int(full))
        return [compose(description, schema.get("items", {}), full) for _ in range(count)]
    return _scalar(schema, kinds)


def _own(description: Description, schema: dict[str, Any], full: bool) -> dict[str, Any]:
    needed = schema.get("required", ())
    found = {}
    for name, part in schema.get("properties", {}).items():
        if name in _NAMED and description.resolved(part).get("type") == "string":
            found[name] = _NAMED[name]
        elif full or name in needed:
            found[name] = compose(description, part, full)
    return found


def _merged(*parts: Any) -> Any:
    objects = [part for part in parts if isinstance(part, dict)]
    if len(objects) < len(parts):
        return next(part for part in parts if not isinstance(part, dict))
    return {name: value for part in objects for name, value in part.items()}


def _scalar(schema: dict[str, Any], kinds: tuple[str, ...]) -> Any:
    if "default" in schema:
        return schema["default"]
    if "string" in kinds:
        text = _TEXTS.get(schema.get("pattern", "")) or _FORMATS.get(schema.get("format", "")) or "text"
        return text.ljust(schema.get("minLength", 0), "x")
    if "boolean" in kinds:
        return True
    if "number" in kinds or "integer" in kinds:
        return schema.get("minimum", 0)
    return {}


def _examples(description: Description, json: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    if "example" in json:
        yield "example", json["example"]
    for name, example in json.get("examples", {}).items():
        yield name, description.resolved(example)["value"]


def _headers(description: Description, reply: dict[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """Return the headers with their example; one set for each form a Location may have."""
    plain: dict[str, str] = {}
    forms: dict[str, dict[str, str]] = {}
    for name, header in reply.get("headers", {}).items():
        example = description.resolved(description.resolved(header).get("schema", {})).get("example")
        if isinstance(example, str):
            plain[name] = example
        elif isinstance(example, dict):
            forms |= {form: {name: str(shown["value"])} for form, shown in example.items()}
        elif name.lower() == "etag":
            plain[name] = 'W/"1234"'
        elif name.lower() == "location":
            forms["made up"] = {name: "/demand/accounts/101/jobs/01BTGNYV6HRNK8K8VKZASZCFP1"}
    if forms:
        yield from ((form, plain | shown) for form, shown in forms.items())
    else:
        yield "", plain
