"""All named JSON shapes in one dictionary: what is published is what is checked."""

from __future__ import annotations

from cint_nb.sandbox.openapi.builders import SHARED
from cint_nb.sandbox.openapi.drafts import DRAFTS
from cint_nb.sandbox.openapi.reports import REPORTS
from cint_nb.sandbox.openapi.resources import RESOURCES
from cint_nb.sandbox.openapi.target_groups import GROUPS
from cint_nb.sandbox.protocol.json_schema import Schema

SCHEMAS: dict[str, Schema] = {**SHARED, **DRAFTS, **GROUPS, **RESOURCES, **REPORTS}


def requires_body(name: str) -> bool:
    """Return whether a body of this shape must be sent: not when all its fields may be left out."""
    schema = SCHEMAS[name]
    return schema["type"] != "object" or bool(schema.get("required"))
