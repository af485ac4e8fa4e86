"""What a browser sends to widgets, and what widgets show."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def html_of(panel: Any) -> str:
    """Return all HTML of a panel but its style sheet, that of parts inside parts too."""
    found = []
    for child in getattr(panel, "children", ()):
        if "cint-style" in getattr(child, "_dom_classes", ()):
            continue
        found.append(child.value if isinstance(getattr(child, "value", None), str) else html_of(child))
    return " ".join(found)


def buttons_of(panel: Any) -> list[str]:
    """Return what the buttons in the head of a panel say."""
    return [button.description for button in panel._buttons.children]


def uploaded(name: str, content: bytes) -> tuple[dict[str, Any], ...]:
    """Return what the browser sends for one file."""
    return (
        {
            "name": name,
            "type": "text/csv",
            "size": len(content),
            "last_modified": datetime(2026, 9, 1, tzinfo=UTC),
            "content": memoryview(content),
        },
    )
