"""The table of all operations, and the tree that finds one by method and path."""

from __future__ import annotations

from typing import Any

from cint_nb.sandbox import (
    batches,
    definitions,
    draft_answers,
    exclusions,
    fielding,
    group_changes,
    projects,
    recontacts,
    reports,
    target_groups,
)
from cint_nb.sandbox.operation import Operation

TABLE: tuple[Operation, ...] = (
    *definitions.OPERATIONS,
    *projects.OPERATIONS,
    *draft_answers.OPERATIONS,
    *target_groups.OPERATIONS,
    *group_changes.OPERATIONS,
    *recontacts.OPERATIONS,
    *exclusions.OPERATIONS,
    *fielding.OPERATIONS,
    *batches.OPERATIONS,
    *reports.OPERATIONS,
)


class Tree:
    """Find operations by path segments; a fixed word wins over a placeholder.

    Args:
        table: The operations.
    """

    def __init__(self, table: tuple[Operation, ...] = TABLE) -> None:
        self._root: dict[str, Any] = {}
        for operation in table:
            node = self._root
            for segment in operation.path.strip("/").split("/"):
                node = node.setdefault("{}" if segment.startswith("{") else segment, {})
            node.setdefault("", {})[operation.method] = operation

    def find(self, method: str, path: str) -> tuple[Operation | None, dict[str, str], tuple[str, ...]]:
        """Return the operation, its path values, and the methods the path knows (empty for an unknown path)."""
        segments = path.strip("/").split("/")
        methods = self._walk(self._root, segments)
        operation = methods.get(method)
        if operation is None:
            return None, {}, tuple(sorted(methods))
        names = operation.path.strip("/").split("/")
        values = {name[1:-1]: value for name, value in zip(names, segments, strict=True) if name.startswith("{")}
        return operation, values, tuple(sorted(methods))

    def _walk(self, node: dict[str, Any], segments: list[str]) -> dict[str, Operation]:
        if not segments:
            return dict(node.get("", {}))
        head, *rest = segments
        for key in (head, "{}"):
            if key and key != "" and key in node and head:
                found = self._walk(node[key], rest)
                if found:
                    return found
        return {}
