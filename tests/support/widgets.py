"""What a browser sends to widgets, and what widgets show."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def html_of(panel: Any) -> str:
    """Return all HTML of a panel but its style sheet."""
    return " ".join(child.value for child in panel.children[1:] if isinstance(getattr(child, "value", None), str))


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
