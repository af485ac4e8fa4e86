"""What a vendor might change in a reply: each key of it, in each of these ways."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

Path = tuple[str, ...]
"""The keys that lead to a value; `[]` stands for every row of a list. The empty path is the whole body."""

OF_A_KEY = {
    "renamed": "The key has another name: `status` becomes `statusText`.",
    "respelled": "The key is written in another way: `created_at` becomes `createdAt`.",
    "dropped": "The key is left out.",
    "null": "Its value is null.",
    "retyped": "Its value has another type: a number becomes a text, a text a list, a list an object.",
    "nested": 'Its value stands one level deeper: `5` becomes `{"value": 5}`.',
    "emptied": "Its value is an empty text, list or object.",
    "impossible": "Its value cannot be true: a number or an amount is below 0, a time is in the year 1.",
    "doubled": "Its value is a list, and each row of it is given twice.",
}
OF_THE_BODY = {
    "wrapped": 'The whole body stands below one key: `{"result": …}`.',
    "an error": "An error comes with a status of success.",
    "no body": "The status is a success and the body is empty.",
    "a web page": "A web page comes with a status of success.",
    "two values": 'A key is given twice, with two values: `{"status": "failed", "status": "live"}`.',
}
CHANGES = {**OF_A_KEY, **OF_THE_BODY}
MOVED = ("renamed", "respelled")
"""Changes after which the value is still there, so that "not known" is not the truth."""
EMPTY: tuple[Any, ...] = (None, "", [], {})
_TIME = re.compile(r"\d{4}-\d\d-\d\dT.*")
_AMOUNT = re.compile(r"\d+(\.\d+)?")
ERROR = {"object": "conflict_error", "detail": "the resource is locked"}


def paths(body: Any, place: Path = ()) -> Iterator[Path]:
    """Yield the path of each key of a body, of a list that of its rows once."""
    if isinstance(body, dict):
        for name, value in body.items():
            yield (*place, name)
            yield from paths(value, (*place, name))
    elif isinstance(body, list):
        yield from dict.fromkeys(path for row in body for path in paths(row, (*place, "[]")))


def cells(body: Any) -> Iterator[tuple[str, Path]]:
    """Yield each change of a body that makes another one of it, with the path it is made at."""
    for path in paths(body):
        for change in OF_A_KEY:
            if changed(body, change, path) != body:
                yield change, path
    for change in OF_THE_BODY:
        yield change, ()


def changed(body: Any, change: str, path: Path) -> Any:
    """Return a body with one key changed, in every row where it stands; `b""` and text are bodies that are no JSON."""
    if not path:
        return {
            "wrapped": {"result": body},
            "an error": ERROR,
            "no body": b"",
            "a web page": b"<!DOCTYPE html><html><title>Sign in</title></html>",
            "two values": _with_two_values(body),
        }[change]
    return _changed_along(body, change, path)


def _changed_along(value: Any, change: str, path: Path) -> Any:
    """Return a value of which only what lies on the path is another: bodies are large, and changed at each key."""
    first, rest = path[0], path[1:]
    if first == "[]":
        return [_changed_along(row, change, rest) for row in value] if isinstance(value, list) else value
    if not isinstance(value, dict) or first not in value:
        return value
    if rest:
        return {**value, first: _changed_along(value[first], change, rest)}
    owner = dict(value)
    _change(owner, first, change)
    return owner


def _change(owner: dict[str, Any], name: str, change: str) -> None:
    value = owner[name]
    match change:
        case "renamed" if value not in EMPTY:
            owner[f"{name}Text"] = owner.pop(name)
        case "respelled" if value not in EMPTY:
            owner[re.sub("_([a-z])", lambda found: found[1].upper(), name)] = owner.pop(name)
        case "dropped":
            del owner[name]
        case "null":
            owner[name] = None
        case "retyped":
            owner[name] = _of_another_type(value)
        case "nested":
            owner[name] = {"value": value}
        case "emptied" if isinstance(value, str | list | dict):
            owner[name] = type(value)()
        case "impossible":
            owner[name] = _impossible(name, value)
        case "doubled" if isinstance(value, list):
            owner[name] = [row for each in value for row in (each, each)]


def _impossible(name: str, value: Any) -> Any:
    """Return a value that nothing can have; a number that is an id may be any."""
    if isinstance(value, str) and _TIME.fullmatch(value):
        return f"0001{value[4:]}"
    if isinstance(value, str) and _AMOUNT.fullmatch(value) and name == "value":
        return f"-{value}"
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return -1 if is_number and not name.endswith("id") else value


def _with_two_values(body: Any) -> bytes:
    """Return a body as JSON in which the first key comes twice; a list or an empty object as it is."""
    text = json.dumps(body)
    name = next(iter(body), None) if isinstance(body, dict) else None
    return (f"{{{json.dumps(name)}: [0], {text[1:]}" if name else text).encode()


def media_type(body: bytes) -> str:
    """Return the type that a body in bytes is sent with."""
    return "text/html" if body.startswith(b"<") else "application/json"


def _of_another_type(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    return {"items": value} if isinstance(value, list) else [value]
