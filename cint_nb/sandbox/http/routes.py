"""The table of all operations, and the router that finds one by method and path."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from cint_nb.sandbox.handlers import (
    batch_jobs,
    definitions,
    drafts,
    fielding,
    pricing,
    projects,
    recontacts,
    reports,
    target_group_updates,
    target_groups,
)
from cint_nb.sandbox.handlers.exclusions import exclusion_groups, policies, uploads
from cint_nb.sandbox.handlers.operation import Operation
from cint_nb.sandbox.handlers.profiling import launched_profiles, question_library, validation
from cint_nb.sandbox.handlers.reconciliations import eligible_groups, results, submissions

OPERATIONS: tuple[Operation, ...] = (
    *definitions.OPERATIONS,
    *projects.OPERATIONS,
    *drafts.OPERATIONS,
    *target_groups.OPERATIONS,
    *target_group_updates.OPERATIONS,
    *recontacts.OPERATIONS,
    *uploads.OPERATIONS,
    *policies.OPERATIONS,
    *exclusion_groups.OPERATIONS,
    *fielding.OPERATIONS,
    *batch_jobs.OPERATIONS,
    *reports.OPERATIONS,
    *submissions.OPERATIONS,
    *results.OPERATIONS,
    *eligible_groups.OPERATIONS,
    *question_library.OPERATIONS,
    *validation.OPERATIONS,
    *launched_profiles.OPERATIONS,
    *pricing.OPERATIONS,
)


class RouteMatch(NamedTuple):
    """The match for a method and path: the operation, its path parameters, the methods the path allows."""

    operation: Operation | None
    params: dict[str, str]
    methods: tuple[str, ...]


@dataclass
class _Node:
    """One segment of the paths: the segments below it, and the operations that end here."""

    children: dict[str, _Node] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)


class Router:
    """The router: finds operations by path segments; a literal segment wins over a placeholder.

    Args:
        table: The operations.
    """

    def __init__(self, table: tuple[Operation, ...] = OPERATIONS) -> None:
        self._root = _Node()
        for operation in table:
            node = self._root
            for segment in operation.path.strip("/").split("/"):
                node = node.children.setdefault("{}" if segment.startswith("{") else segment, _Node())
            node.operations[operation.method] = operation

    def match(self, method: str, path: str) -> RouteMatch:
        """Return the operation, its path parameters, and the methods the path allows (empty for an unknown path)."""
        segments = path.strip("/").split("/")
        methods = self._walk(self._root, segments)
        operation = methods.get(method)
        if operation is None:
            return RouteMatch(None, {}, tuple(sorted(methods)))
        names = operation.path.strip("/").split("/")
        values = {name[1:-1]: value for name, value in zip(names, segments, strict=True) if name.startswith("{")}
        return RouteMatch(operation, values, tuple(sorted(methods)))

    def _walk(self, node: _Node, segments: list[str]) -> dict[str, Operation]:
        if not segments:
            return node.operations
        head, *rest = segments
        for key in (head, "{}"):
            if head and key in node.children:
                found = self._walk(node.children[key], rest)
                if found:
                    return found
        return {}
