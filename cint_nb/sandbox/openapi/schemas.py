"""All named schemas in one dictionary: those that are published are those that are checked."""

from __future__ import annotations

from cint_nb.sandbox.openapi.builders import SHARED
from cint_nb.sandbox.openapi.drafts import DRAFTS
from cint_nb.sandbox.openapi.pricing import PRICES
from cint_nb.sandbox.openapi.profiling import PROFILING
from cint_nb.sandbox.openapi.reconciliations import RECONCILIATIONS
from cint_nb.sandbox.openapi.reports import REPORTS
from cint_nb.sandbox.openapi.resources import RESOURCES
from cint_nb.sandbox.openapi.target_groups import GROUPS
from cint_nb.sandbox.protocol.json_schema import Schema

SCHEMAS: dict[str, Schema] = {
    **SHARED,
    **DRAFTS,
    **GROUPS,
    **RESOURCES,
    **REPORTS,
    **RECONCILIATIONS,
    **PROFILING,
    **PRICES,
}


def requires_body(name: str) -> bool:
    """Return whether a body of this schema must be sent: not when all its fields may be omitted."""
    schema = SCHEMAS[name]
    return schema["type"] != "object" or bool(schema.get("required"))
