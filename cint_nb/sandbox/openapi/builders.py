"""Builders of JSON Schema, and the schemas that several operations share."""

from __future__ import annotations

from cint_nb.domain import limits
from cint_nb.sandbox.protocol.json_schema import Schema

ULID = "^[0-9A-Z]{26}$"
REFERENCE = "^[a-zA-Z0-9\\-_ ]*$"
STATUSES = ["draft", "scheduled", "live", "paused", "completed", "archived"]
RUN_STATUSES = ["scheduled", "live", "paused", "completed"]
STRATEGIES = ["automated", "prescreens", "completes"]
JOB_STATUSES = ["Completed", "Failed", "Processing"]


def string(
    *,
    format: str | None = None,  # noqa: A002 - the keyword of JSON Schema
    low: int | None = None,
    high: int | None = None,
    pattern: str | None = None,
    enum: list[str] | None = None,
) -> Schema:
    """Return the schema of a string."""
    schema: Schema = {"type": "string"}
    if format is not None:
        schema["format"] = format
    if low is not None:
        schema["minLength"] = low
    if high is not None:
        schema["maxLength"] = high
    if pattern is not None:
        schema["pattern"] = pattern
    if enum is not None:
        schema["enum"] = enum
    return schema


def integer(low: int | None = 0, high: int | None = None) -> Schema:
    """Return the schema of an integer."""
    schema: Schema = {"type": "integer"}
    if low is not None:
        schema["minimum"] = low
    if high is not None:
        schema["maximum"] = high
    return schema


def number(low: float = 0, high: float | None = None, *, step: float | None = None) -> Schema:
    """Return the schema of a number, a multiple of `step`."""
    schema: Schema = {"type": "number", "minimum": low}
    if high is not None:
        schema["maximum"] = high
    if step is not None:
        schema["multipleOf"] = step
    return schema


def boolean() -> Schema:
    """Return the schema of a boolean."""
    return {"type": "boolean"}


def array(items: Schema, low: int | None = None, high: int | None = None) -> Schema:
    """Return the schema of an array."""
    schema: Schema = {"type": "array", "items": items}
    if low is not None:
        schema["minItems"] = low
    if high is not None:
        schema["maxItems"] = high
    return schema


def object_(fields: dict[str, Schema], optional: tuple[str, ...] | None = ()) -> Schema:
    """Return the schema of an object; all fields are required except `optional` ones, or none when it is None."""
    needed = [] if optional is None else [name for name in fields if name not in optional]
    schema: Schema = {"type": "object", "properties": fields}
    if needed:
        schema["required"] = needed
    return schema


def ref(name: str) -> Schema:
    """Return a reference to a named schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Schema) -> Schema:
    """Return the schema of a nullable value."""
    if "$ref" in schema or "enum" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return {**schema, "type": [*kinds, "null"]}


ulid = string(pattern=ULID)
uuid = string(format="uuid")
date_time = string(format="date-time")
name = string(low=limits.NAME_CHARACTERS[0], high=limits.NAME_CHARACTERS[1])
reference = string(low=limits.REFERENCE_CHARACTERS[0], high=limits.REFERENCE_CHARACTERS[1], pattern=REFERENCE)
ratio = number(0, 1)

SHARED: dict[str, Schema] = {
    "Error": object_(
        {
            "id": uuid,
            "object": string(),
            "detail": string(),
            "invalid_params": array(object_({"name": string(), "reason": string()})),
        },
        optional=("id", "invalid_params"),
    ),
    "TooManyRequests": object_({"object": string(), "details": string()}),
    "Money": object_(
        {
            "value": string(pattern="^[0-9]{1,9}(\\.[0-9]{1,8})?$"),
            "currency_code": string(pattern="^[A-Z]{3}$"),
            "currency_scale": nullable(integer(0, 8)),
        },
        optional=("currency_scale",),
    ),
    "JobCreated": object_({"job_id": ulid}),
    "Reason": object_({"code": string(), "description": string()}, optional=("code",)),
}
