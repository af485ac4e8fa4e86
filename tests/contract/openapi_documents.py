"""The two OpenAPI descriptions the client is checked against: our own, and the vendor's if it is available."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from decimal import Decimal
from functools import cache, cached_property
from typing import Any

from cint_nb.api.operations import OPERATIONS, Operation
from cint_nb.sandbox.http.openapi_document import build_openapi
from tests.support.vendor import load_vendor_document


class Step(float):
    """The number of a `multipleOf`, by which other numbers are divided as decimals.

    As floats, 0.07 and 33.33 are no multiples of 0.01, and a validator refuses them.
    """

    def __rtruediv__(self, value: float) -> Decimal:  # type: ignore[override]  # compared with its whole part, no more
        return Decimal(str(value)) / Decimal(str(float(self)))


class Description:
    """An OpenAPI document, searched by the operations of the client.

    Args:
        document: The document, repaired.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    @cached_property
    def _by_address(self) -> dict[tuple[str, str], tuple[str, dict[str, Any], dict[str, Any]]]:
        return {
            (method.upper(), _places_unnamed(path)): (path, item, operation)
            for path, item in self.document["paths"].items()
            for method, operation in item.items()
            if isinstance(operation, dict) and "responses" in operation
        }

    def knows(self, operation: Operation) -> bool:
        """Return whether an operation occurs, by method and path; the names of path parameters do not matter."""
        return (operation.method, _places_unnamed(operation.template)) in self._by_address

    def only(self, operations: Iterable[Operation]) -> dict[str, Any]:
        """Return the document with no other paths than those of some operations."""
        wanted = {
            self._by_address[operation.method, _places_unnamed(operation.template)][0] for operation in operations
        }
        paths = {path: item for path, item in self.document["paths"].items() if path in wanted}
        return {**self.document, "paths": paths}

    def parameters(self, operation: Operation, place: str) -> set[str]:
        """Return the names of the parameters an operation declares in `query`, `header` or `path`."""
        _, item, found = self._by_address[operation.method, _places_unnamed(operation.template)]
        declared = [self.resolved(row) for row in (*item.get("parameters", ()), *found.get("parameters", ()))]
        return {row["name"].lower() if place == "header" else row["name"] for row in declared if row["in"] == place}

    def takes_body(self, operation: Operation) -> bool:
        """Return whether an operation declares a request body."""
        found = self._by_address[operation.method, _places_unnamed(operation.template)][2]
        return bool(self.resolved(found.get("requestBody", {})).get("content"))

    def successes(self, operation: Operation) -> dict[str, dict[str, Any]]:
        """Return the successful replies of an operation, by status."""
        found = self._by_address[operation.method, _places_unnamed(operation.template)][2]
        return {status: self.resolved(reply) for status, reply in found["responses"].items() if status[0] == "2"}

    def resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        """Follow the references of a node."""
        while "$ref" in node:
            target: Any = self.document
            for key in node["$ref"].removeprefix("#/").split("/"):
                target = target[key.replace("~1", "/").replace("~0", "~")]
            node = target
        return node


@cache
def own() -> Description:
    """Return our own description."""
    return Description(with_exact_steps({**build_openapi()}))


@cache
def vendor() -> Description:
    """Return the vendor's document, repaired in memory."""
    return Description(with_exact_steps(repaired(load_vendor_document())))


def with_exact_steps(node: Any) -> Any:
    """Return a document in which every `multipleOf` divides decimals."""
    if isinstance(node, list):
        return [with_exact_steps(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {
        name: Step(value) if name == "multipleOf" and isinstance(value, float) else with_exact_steps(value)
        for name, value in node.items()
    }


def repaired(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document of OpenAPI 3.0 in a form that validators check instead of skip.

    `nullable` beside `oneOf` or `anyOf` without a `type` means nothing to them, or stops them: null becomes a branch.
    An upload without its file is no upload: the part becomes required, as the recontact guide says. OpenAPI ignores
    header parameters named Accept, Authorization and Content-Type, validators do not: they are taken out.
    """
    document = copy.deepcopy(document)
    waiting: list[Any] = [document]
    while waiting:
        node = waiting.pop()
        waiting += node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        if not isinstance(node, dict) or node.get("nullable") is not True or "type" in node:
            continue
        for branches in (node[word] for word in ("oneOf", "anyOf") if isinstance(node.get(word), list)):
            branches.append({"enum": [None]})
            node["nullable"] = False
    description = Description(document)
    for item in document["paths"].values():
        for operation in item.values():
            if not isinstance(operation, dict):
                continue
            operation["parameters"] = [
                row for row in operation.get("parameters", ()) if not _is_ignored(description.resolved(row))
            ]
            body = description.resolved(operation.get("requestBody", {}))
            if form := body.get("content", {}).get("multipart/form-data"):
                description.resolved(form["schema"])["required"] = ["file"]
    return document


def _is_ignored(parameter: dict[str, Any]) -> bool:
    return parameter["in"] == "header" and parameter["name"].lower() in {"accept", "authorization", "content-type"}


_ADDRESSES = {
    name: re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(operation.template)))
    for name, operation in OPERATIONS.items()
}


def operation_at(method: str, path: str) -> Operation:
    """Return the operation of the client that has a method and a path below the version."""
    fitting = [
        OPERATIONS[name]
        for name, address in _ADDRESSES.items()
        if OPERATIONS[name].method == method and address.fullmatch(path)
    ]
    # A fixed word takes precedence over a parameter: `/target-groups/calculate-feasibility` is no target group.
    return min(fitting, key=lambda operation: operation.template.count("{"))


def _places_unnamed(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)
