"""Every operation is called once; each reply matches our OpenAPI document, and the vendor's if it is available."""

from __future__ import annotations

from typing import Any

import httpx
import jsonschema
import pytest

from cint_nb.api import operations as api_operations
from cint_nb.sandbox.http.openapi_document import build_openapi
from cint_nb.sandbox.http.routes import OPERATIONS, Router
from tests.support.sandbox_client import RawClient
from tests.support.sandbox_tour import take_tour
from tests.support.vendor import DEVIATIONS, VENDOR_FILE, load_vendor_document


class Recorder:
    """Remember each exchange of a raw client by operation."""

    def __init__(self, raw_client: RawClient) -> None:
        self.raw_client = raw_client
        self.tree = Router()
        self.exchanges: list[tuple[str, Any]] = []
        plain = raw_client.ask

        def ask(method: str, path: str, **more: Any) -> httpx.Response:
            reply = plain(method, path, **more)
            operation, _, _ = self.tree.match(method, path.split("?")[0])
            self.exchanges.append((operation.name if operation else path, reply))
            return reply

        raw_client.ask = ask  # type: ignore[method-assign]  # it listens in


@pytest.fixture
def tour(raw_client: RawClient) -> list[tuple[str, httpx.Response]]:
    recorder = Recorder(raw_client)
    take_tour(raw_client)
    return recorder.exchanges


def test_the_tour_asks_every_operation_with_success(tour: list[tuple[str, httpx.Response]]) -> None:
    fulfilled = {name for name, reply in tour if reply.is_success}
    assert {row.name for row in OPERATIONS} - fulfilled == set()
    refused = [(name, reply.status_code, reply.text) for name, reply in tour if not reply.is_success]
    assert refused == []


def test_every_reply_fits_our_own_description(tour: list[tuple[str, httpx.Response]]) -> None:
    document = build_openapi()
    described = {row["operationId"]: row for path in document["paths"].values() for row in path.values()}
    for name, reply in tour:
        response = described[name]["responses"][str(reply.status_code)]
        assert "traceparent" in reply.headers, name
        content = response.get("content")
        if content is None:
            assert reply.content == b"", name
            continue
        assert reply.headers["content-type"] in content, name
        if "application/json" in content:
            schema = {**content["application/json"]["schema"], "components": document["components"]}
            jsonschema.validate(reply.json(), schema, format_checker=jsonschema.FormatChecker())


def known_in_replies() -> set[tuple[str, str]]:
    """Return operation and field of each listed deviation of a reply, the operation as the document names it.

    The whole body has no field; `[]` stands for a place in a list.
    """
    names = {(row.method, row.path): row.name for row in OPERATIONS}
    ours = api_operations.OPERATIONS
    return {
        (names[ours[row["operation"]].method, ours[row["operation"]].template], row["place"].partition(": ")[2])
        for row in DEVIATIONS["deviation"]
        if row["place"].startswith("reply 2")
    }


@pytest.mark.skipif(not VENDOR_FILE, reason="the vendor's OpenAPI document is not at hand")
def test_every_reply_fits_the_vendors_document_but_for_known_deviations(tour: list[tuple[str, httpx.Response]]) -> None:
    from openapi_schema_validator import OAS30Validator
    from referencing import Registry
    from referencing.jsonschema import DRAFT4

    document = load_vendor_document()
    registry: Any = Registry().with_resource("urn:vendor", DRAFT4.create_resource(document))
    resolver = registry.resolver("urn:vendor")
    known = {
        row["operationId"]: row for item in document["paths"].values() for row in item.values() if "operationId" in row
    }
    found, listed = [], known_in_replies()
    for name, reply in tour:
        responses = known[name]["responses"]
        assert str(reply.status_code) in responses, (name, reply.status_code)
        response = responses[str(reply.status_code)]
        if "$ref" in response:
            response = resolver.lookup(response["$ref"]).contents
        content = response.get("content") or {}
        if "application/json" not in content or not reply.content:
            continue
        schema = absolute(content["application/json"]["schema"])
        for error in OAS30Validator(schema, registry=registry).iter_errors(reply.json()):
            place = ".".join("[]" if isinstance(part, int) else str(part) for part in error.absolute_path)
            if (name, place) not in listed:
                found.append(f"{name} {place}: {error.message[:200]}")
    assert not found, "\n".join(found)


def absolute(schema: Any) -> Any:
    """Point a schema's references into the registered document."""
    if isinstance(schema, dict):
        return {
            key: f"urn:vendor{value}" if key == "$ref" and isinstance(value, str) else absolute(value)
            for key, value in schema.items()
        }
    return [absolute(item) for item in schema] if isinstance(schema, list) else schema
