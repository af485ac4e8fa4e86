"""A small validator of JSON Schema: the schemas that are published decide what is accepted.

It knows the keywords that our schemas use and no others, and it words its reasons as the exchange does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeAlias, TypedDict

from cint_nb.sandbox.protocol.messages import Json, JsonObject

Problem: TypeAlias = tuple[str, str]
_Found: TypeAlias = "tuple[str | None, str]"
"""The path of a value, None for the body itself, and the reason."""
Schema = TypedDict(
    "Schema",
    {
        "$ref": str,
        "type": str | list[str],
        "enum": list[str],
        "anyOf": "list[Schema]",
        "minLength": int,
        "maxLength": int,
        "pattern": str,
        "format": str,
        "contentMediaType": str,
        "minimum": float,
        "maximum": float,
        "multipleOf": float,
        "items": "Schema",
        "minItems": int,
        "maxItems": int,
        "properties": "dict[str, Schema]",
        "required": list[str],
        "default": str | int,
        "example": int,
    },
    total=False,
)
"""The keywords of JSON Schema that our schemas use."""

# The exchange returns names of its own; the create guide shows this one.
_RENAMED = {"completes_goal": "ExpectedCompletes"}
_DURATION = re.compile(r"P(?!$)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def find_problems(schema: Schema, value: Json, schemas: Mapping[str, Schema], path: str | None = None) -> list[Problem]:
    """Return what is wrong with a value: pairs of the exchange's name of the field and the reason."""
    return [(name or "Body", reason) for name, reason in _check(schema, value, schemas, path)]


def find_undocumented(
    schema: Schema, value: Json, schemas: Mapping[str, Schema], path: str | None = None
) -> Iterator[str]:
    """Yield the exchange's names of the fields that a schema does not define, at any depth.

    Of alternatives of which none fits nothing is known: what is wrong there is a problem of another kind.
    """
    schema = _resolve(schema, schemas)
    if "anyOf" in schema:
        fitting = [branch for branch in schema["anyOf"] if not find_problems(branch, value, schemas)]
        for branch in fitting[:1]:
            yield from find_undocumented(branch, value, schemas, path)
    elif isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            where = f"[{number}]" if path is None else f"{path}[{number}]"
            yield from find_undocumented(schema["items"], item, schemas, where)
    elif isinstance(value, dict) and "properties" in schema:
        for name, item in value.items():
            where = _child_path(path, name)
            if name in schema["properties"]:
                yield from find_undocumented(schema["properties"][name], item, schemas, where)
            else:
                yield where


def keep_documented(schema: Schema, value: Json, schemas: Mapping[str, Schema]) -> Json:
    """Return a valid value without the fields that its schema does not define, which nothing has checked."""
    schema = _resolve(schema, schemas)
    if "anyOf" in schema:
        fitting = next(branch for branch in schema["anyOf"] if not find_problems(branch, value, schemas))
        return keep_documented(fitting, value, schemas)
    if isinstance(value, list) and "items" in schema:
        return [keep_documented(schema["items"], item, schemas) for item in value]
    if isinstance(value, dict) and "properties" in schema:
        fields = schema["properties"]
        return {name: keep_documented(fields[name], item, schemas) for name, item in value.items() if name in fields}
    return value


def to_pascal_case(name: str, *, top: bool = True) -> str:
    """Return a field name as the exchange's error responses write it."""
    if top and name in _RENAMED:
        return _RENAMED[name]
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[_\-]", name))


def parse_time(text: str) -> datetime | None:
    """Parse an RFC 3339 time with its zone; None when it is not one."""
    if not _TIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _resolve(schema: Schema, schemas: Mapping[str, Schema]) -> Schema:
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def _check(schema: Schema, value: Json, schemas: Mapping[str, Schema], path: str | None) -> Iterator[_Found]:
    schema = _resolve(schema, schemas)
    kinds = schema.get("type")
    if kinds is not None:
        allowed = [kinds] if isinstance(kinds, str) else kinds
        if not any(_has_type(kind, value) for kind in allowed):
            yield (path, _wrong_type(path, value, allowed))
            return
    if "enum" in schema and value not in schema["enum"]:
        yield (path, f"'{_label(path)}' has a range of values which does not include '{value!s:.60}'.")
        return
    yield from _check_any(schema.get("anyOf"), value, schemas, path)
    yield from _check_content(schema, value, schemas, path)


def _check_content(schema: Schema, value: Json, schemas: Mapping[str, Schema], path: str | None) -> Iterator[_Found]:
    if isinstance(value, str):
        yield from _check_text(schema, value, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _check_number(schema, value, path)
    elif isinstance(value, list):
        yield from _check_list(schema, value, schemas, path)
    elif isinstance(value, dict):
        yield from _check_object(schema, value, schemas, path)


def _has_type(kind: str, value: Json) -> bool:
    if kind == "null":
        return value is None
    if kind == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if kind == "number":
        # An integer is always finite, and may be too large to ask.
        return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return isinstance(value, {"string": str, "array": list, "object": dict}[kind])


def _wrong_type(path: str | None, value: Json, allowed: list[str]) -> str:
    if value is None:
        return f"'{_label(path)}' must not be empty."
    words = " or ".join(kind for kind in allowed if kind != "null")
    return f"'{_label(path)}' must be of type {words}."


def _check_any(
    branches: list[Schema] | None, value: Json, schemas: Mapping[str, Schema], path: str | None
) -> Iterator[_Found]:
    if not branches:
        return
    results = [find_problems(branch, value, schemas, path) for branch in branches]
    if not any(not found for found in results):
        # The branch that fits best explains most.
        yield from min(results, key=len)


def _check_text(schema: Schema, value: str, path: str | None) -> Iterator[_Found]:
    label = _label(path)
    low, high = schema.get("minLength", 0), schema.get("maxLength")
    if len(value) < low and not value:
        yield (path, f"'{label}' must not be empty.")
    elif len(value) < low:
        yield (path, f"The length of '{label}' must be at least {low} characters. You entered {len(value)} characters.")
    elif high is not None and len(value) > high:
        yield (
            path,
            f"The length of '{label}' must be {high} characters or fewer. You entered {len(value)} characters.",
        )
    elif not _matches_pattern_and_format(schema, value):
        yield (path, f"'{label}' is not in the correct format.")


def _matches_pattern_and_format(schema: Schema, value: str) -> bool:
    pattern = schema.get("pattern")
    return (pattern is None or _pattern(pattern).fullmatch(value) is not None) and _is_format(
        schema.get("format"), value
    )


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text.removeprefix("^").removesuffix("$"), re.ASCII)


def _is_format(form: str | None, value: str) -> bool:
    match form:
        case "date-time":
            return parse_time(value) is not None
        case "uuid":
            return _UUID.fullmatch(value) is not None
        case "duration":
            return _DURATION.fullmatch(value) is not None and any(letter.isdigit() for letter in value)
        case "date":
            return _DATE.fullmatch(value) is not None and parse_time(f"{value}T00:00:00Z") is not None
        case _:
            return True


def _check_number(schema: Schema, value: float, path: str | None) -> Iterator[_Found]:
    label = _label(path)
    if "minimum" in schema and value < schema["minimum"]:
        if schema["minimum"] == 1:
            yield (path, f"'{label}' must be greater than '0'.")
        else:
            yield (path, f"'{label}' must be greater than or equal to '{schema['minimum']}'.")
    elif "maximum" in schema and value > schema["maximum"]:
        yield (path, f"'{label}' must be less than or equal to '{schema['maximum']}'.")
    elif "multipleOf" in schema:
        ratio = value / schema["multipleOf"]
        if abs(ratio - round(ratio)) > 1e-6:
            yield (path, f"'{label}' must be a multiple of {schema['multipleOf']}.")


def _check_list(schema: Schema, value: list[Json], schemas: Mapping[str, Schema], path: str | None) -> Iterator[_Found]:
    label = _label(path)
    if len(value) < schema.get("minItems", 0):
        yield (path, f"'{label}' must not be empty.")
    if len(value) > schema.get("maxItems", math.inf):
        yield (path, f"'{label}' must hold at most {schema['maxItems']} items.")
        return
    if "items" in schema:
        for number, item in enumerate(value):
            yield from _check(schema["items"], item, schemas, f"[{number}]" if path is None else f"{path}[{number}]")


def _check_object(
    schema: Schema, value: JsonObject, schemas: Mapping[str, Schema], path: str | None
) -> Iterator[_Found]:
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            where = _child_path(path, name)
            yield (where, f"'{_label(where)}' must not be empty.")
    for name, item in value.items():
        if name in properties:
            yield from _check(properties[name], item, schemas, _child_path(path, name))


def _child_path(path: str | None, name: str) -> str:
    return to_pascal_case(name) if path is None else f"{path}.{to_pascal_case(name, top=False)}"


def _label(path: str | None) -> str:
    if path is None:
        return "Body"
    last = path.rsplit(".", 1)[-1]
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", last)
