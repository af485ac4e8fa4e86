"""Where the replies of an exchange differ from its documents: unknown fields and words, missing keys, other types."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cint_nb.domain.ids import quote_foreign
from cint_nb.wire.replies.shape import deviations

if TYPE_CHECKING:
    import pandas as pd

    from cint_nb.wire.calls import Call

COLUMNS = ("operation", "place", "difference", "found", "effect")
REFUSED, WARNED, NONE = "the client refuses this reply", "the client warns", "none: it is not read"
_TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}


@dataclass(frozen=True)
class Difference:
    """One difference between a reply and the documents.

    Args:
        operation: What the request was to do.
        place: The key, with points between levels and `[]` for the items of a list.
        difference: `unknown field`, `unknown word`, `missing key` or `other type`.
        found: The unknown word, or the type that was found; no other values.
        effect: What the client does with such a reply.
    """

    operation: str
    place: str
    difference: str
    found: str
    effect: str


class ReplyComparison:
    """Compares each reply it is shown with the documents, and keeps every difference once."""

    def __init__(self) -> None:
        from cint_nb.sandbox.http.openapi_document import build_openapi

        document = build_openapi()
        self._schemas: Mapping[str, Any] = document["components"]["schemas"]
        self._replies: dict[tuple[str, str], Any] = {}
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                self._replies[method.upper(), _without_names(path)] = _success_of(operation["responses"])
        self.compared = 0
        self._found: dict[Difference, None] = {}

    def __call__(self, call: Call, body: Any) -> None:
        """Compare the body of a reply; the reply of an operation that the documents do not have is left out."""
        schema = self._replies.get((call.method, _without_names(call.template)))
        if schema is None:
            return
        self.compared += 1
        judged = {
            each.key: REFUSED if each.is_refused else WARNED
            for each in (deviations(call.reply_shape.body, body) if call.reply_shape is not None else ())
        }
        for place, difference, found in dict.fromkeys(self._compare(schema, body, "")):
            effect = judged.get(place, NONE)
            self._found[Difference(call.operation, place or "the body", difference, found, effect)] = None

    @property
    def differences(self) -> tuple[Difference, ...]:
        """All differences, each once, in the order in which they were met."""
        return tuple(self._found)

    def frame(self) -> pd.DataFrame:
        """Return the differences as a frame; it is empty where every reply was as documented."""
        return differences_frame(self.differences)

    def _compare(self, schema: Any, value: Any, place: str) -> Iterator[tuple[str, str, str]]:
        schema = self._resolved(schema)
        choices = schema.get("anyOf") or schema.get("oneOf")
        if choices:
            yield from min((list(self._compare(each, value, place)) for each in choices), key=len)
            return
        types = schema.get("type", ())
        if types and not any(_is_of(value, each) for each in ([types] if isinstance(types, str) else types)):
            yield place, "other type", _type_of(value)
        elif isinstance(value, str) and value not in schema.get("enum", (value,)):
            yield place, "unknown word", quote_foreign(value, 40) or ""
        elif isinstance(value, list):
            for item in value:
                yield from self._compare(schema.get("items", {}), item, f"{place}[]")
        elif isinstance(value, dict) and "properties" in schema:
            yield from self._compare_object(schema, value, f"{place}." if place else "")

    def _compare_object(
        self, schema: Mapping[str, Any], value: Mapping[str, Any], prefix: str
    ) -> Iterator[tuple[str, str, str]]:
        known: Mapping[str, Any] = schema["properties"]
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{prefix}{name}", "missing key", ""
        for name, each in value.items():
            if name in known:
                yield from self._compare(known[name], each, f"{prefix}{name}")
            else:
                yield f"{prefix}{quote_foreign(name, 40)}", "unknown field", _type_of(each)

    def _resolved(self, schema: Any) -> Mapping[str, Any]:
        while "$ref" in schema:
            schema = self._schemas[schema["$ref"].rpartition("/")[2]]
        found: Mapping[str, Any] = schema
        return found


def differences_frame(differences: Iterable[Difference]) -> pd.DataFrame:
    """Return differences as a frame of five columns of text."""
    from cint_nb.study.readable_frame import ReadableFrame

    rows = [[getattr(each, name) for name in COLUMNS] for each in differences]
    return ReadableFrame(rows, columns=list(COLUMNS), dtype="object")


def _without_names(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


def _success_of(responses: Mapping[str, Any]) -> Any:
    for status, response in responses.items():
        if status.startswith("2"):
            return response.get("content", {}).get("application/json", {}).get("schema")
    return None


def _is_of(value: Any, word: str) -> bool:
    if word == "null" or value is None:
        return value is None and word == "null"
    if isinstance(value, bool):
        return word == "boolean"
    if word == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(word, object))  # type: ignore[arg-type]


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    return next((word for word in ("boolean", "integer", "number", "string", "array") if _is_of(value, word)), "object")
