"""The vendor's OpenAPI document, where it is at hand, and the list of what is known to differ from it.

The document is not ours to carry: a variable names it. It is read when the tests are collected, since no test itself
sees the user's variables.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

VENDOR_FILE = os.environ.get("CINT_NB_VENDOR_OPENAPI", "")
DEVIATIONS: dict[str, list[dict[str, Any]]] = tomllib.loads(
    (Path(__file__).parents[1] / "contract" / "deviations.toml").read_text("utf-8")
)


def load_vendor_document() -> dict[str, Any]:
    """Read the document that the variable names."""
    import yaml  # type: ignore[import-untyped, unused-ignore]

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the fast one is not built everywhere
    with Path(VENDOR_FILE).open(encoding="utf-8") as file:
        document: dict[str, Any] = yaml.load(file, Loader=loader)  # noqa: S506 - both are safe
    # One parameter has `required: true` inside its schema, where the word means a list of keys.
    document["components"]["parameters"]["ReconciliationFileName"]["schema"].pop("required")
    return document
