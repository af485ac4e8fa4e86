"""Request bodies: what each handler reads agrees with the published schema, and nothing else can break the sandbox."""

from __future__ import annotations

import copy
import json
import types
from collections.abc import Callable, Iterator
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints, is_typeddict

import httpx
import pytest

from cint_nb.sandbox.handlers.operation import Operation
from cint_nb.sandbox.http.routes import OPERATIONS, Router
from cint_nb.sandbox.openapi.schemas import SCHEMAS
from cint_nb.sandbox.protocol.json_schema import Schema, find_problems, to_pascal_case
from cint_nb.sandbox.protocol.messages import JsonObject, Request
from tests.support.sandbox_client import RawClient
from tests.support.sandbox_tour import take_tour

WITH_BODY = [row for row in OPERATIONS if row.request_schema is not None]
ULID = "01BTGNYV6HRNK8K8VKZASZCFP1"
JSON_VALUES: dict[str, list[Any]] = {
    "null": [None],
    "number": [5, 0.5, -1, 10**400],
    "string": ["", "text"],
    "boolean": [True, False],
    "array": [[], [None], [{}]],
    "object": [{}, {"value": None}],
}
TEXT_SAMPLES = {
    "uuid": "b551326b-ac9d-4d32-8823-4f025787dab9",
    "date-time": "2026-09-03T08:00:00Z",
    "duration": "P90D",
    "date": "2026-08-01",
}
PATTERN_SAMPLES = ("abcde", "ger_de", "2.50", "EUR", "1234", "de", "ger", ULID)


def body_schema(operation: Operation) -> Schema:
    assert operation.request_schema is not None
    return SCHEMAS[operation.request_schema]


def resolve(schema: Schema) -> Schema:
    while "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def branches(schema: Schema) -> list[Schema]:
    """Return the alternatives of a schema, each with one type."""
    schema = resolve(schema)
    if "anyOf" in schema:
        return [branch for each in schema["anyOf"] for branch in branches(each)]
    kinds = schema["type"]
    return [{**schema, "type": kind} for kind in ([kinds] if isinstance(kinds, str) else kinds)]


def sample(schema: Schema) -> Any:
    """Return a value that holds everything the schema documents."""
    schema = branches(schema)[0]
    match schema["type"]:
        case "object":
            return {name: sample(each) for name, each in schema.get("properties", {}).items()}
        case "array":
            return [sample(schema["items"])]
        case "boolean":
            return True
        case "string":
            texts = [*schema.get("enum", ()), *filter(None, [TEXT_SAMPLES.get(schema.get("format", ""))])]
            return next(text for text in (*texts, *PATTERN_SAMPLES) if not find_problems(schema, text, SCHEMAS))
        case _:
            return max(1, schema.get("minimum", 1))


def places(schema: Schema, at: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Schema]]:
    """Give each documented place of a body, as the sample fills it, with its schema."""
    yield at, schema
    inner = branches(schema)[0]
    for name, each in inner.get("properties", {}).items():
        yield from places(each, (*at, name))
    if "items" in inner:
        yield from places(inner["items"], (*at, 0))


def with_value(body: Any, at: tuple[str | int, ...], value: Any) -> Any:
    if not at:
        return value
    changed = copy.deepcopy(body)
    parent = changed
    for part in at[:-1]:
        parent = parent[part]
    parent[at[-1]] = value
    return changed


def name_of(at: tuple[str | int, ...]) -> str:
    """Return the name of a place as the exchange writes it; the body itself has one too."""
    name = ""
    for part in at:
        if isinstance(part, int):
            name += f"[{part}]"
        else:
            name += f".{to_pascal_case(part, top=False)}" if name else to_pascal_case(part)
    return name or "Body"


def send(raw_client: RawClient, operation: Operation, body: Any) -> httpx.Response:
    path = operation.path.replace("{account_id}", "101").replace("{report_type}", "completes")
    for name in ("project_id", "target_group_id", "fielding_run_id"):
        path = path.replace(f"{{{name}}}", ULID)
    headers = {"idempotency-key": raw_client.new_key(), "If-Match": 'W/"1"', "content-type": "application/json"}
    return raw_client.ask(operation.method, path, content=json.dumps(body), headers=headers)


@pytest.mark.sampled(every=8)
@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda row: row.name)
def test_a_field_of_any_wrong_type_is_refused_by_name(raw_client: RawClient, operation: Operation) -> None:
    schema = body_schema(operation)
    body = sample(schema)
    assert find_problems(schema, body, SCHEMAS) == []
    tried = 0
    for at, each in places(schema):
        allowed = {"number" if one["type"] == "integer" else one["type"] for one in branches(each)}
        for value in (value for kind, values in JSON_VALUES.items() if kind not in allowed for value in values):
            reply = send(raw_client, operation, with_value(body, at, value))
            assert reply.status_code == 400, (at, value, reply.text)
            names = [problem["name"] for problem in reply.json()["invalid_params"]]
            assert any(name.startswith(name_of(at)) for name in names), (at, value, names)
            tried += 1
    assert tried >= 10


@pytest.mark.sampled(every=4)
@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda row: row.name)
@pytest.mark.parametrize("number", [10**400, -(10**400), 1e308], ids=["huge", "far below zero", "huge with exponent"])
def test_a_number_beyond_all_measure_is_refused_by_name(
    raw_client: RawClient, operation: Operation, number: float
) -> None:
    schema = body_schema(operation)
    for at, each in places(schema):
        if branches(each)[0]["type"] in ("integer", "number"):
            reply = send(raw_client, operation, with_value(sample(schema), at, number))
            assert reply.status_code == 400, (at, reply.text)
            assert name_of(at) in [problem["name"] for problem in reply.json()["invalid_params"]]


def every_documented_name(schema: Schema) -> set[str]:
    found: set[str] = set()
    for branch in branches(schema):
        for name, each in branch.get("properties", {}).items():
            found |= {name} | every_documented_name(each)
        if "items" in branch:
            found |= every_documented_name(branch["items"])
    return found


NAMES = set().union(*(every_documented_name(body_schema(row)) for row in WITH_BODY))


def with_undocumented(schema: Schema, body: Any, value: Any) -> Any:
    """Return a body with every name that any operation documents, where this schema does not."""
    for branch in branches(schema):
        if isinstance(body, list) and "items" in branch:
            return [with_undocumented(branch["items"], item, value) for item in body]
        if isinstance(body, dict) and "properties" in branch:
            fields = branch["properties"]
            known = {
                name: with_undocumented(fields[name], item, value) for name, item in body.items() if name in fields
            }
            return {**body, **known, **dict.fromkeys(NAMES - set(fields), value)}
    return body


def with_nulls(schema: Schema, body: Any) -> Any:
    """Return a body with null wherever it is allowed and nothing was sent."""
    fields = resolve(schema).get("properties", {})
    if not isinstance(body, dict):
        return body
    nulls = {name: None for name, each in fields.items() if any(one["type"] == "null" for one in branches(each))}
    return {**nulls, **body}


def with_points(body: Any) -> Any:
    """Return a body with each integer written with a point, which JSON Schema takes for the same number."""
    if isinstance(body, dict):
        return {name: with_points(item) for name, item in body.items()}
    if isinstance(body, list):
        return [with_points(item) for item in body]
    return float(body) if type(body) is int else body


def tour_with_bodies(raw_client: RawClient, change: Callable[[Schema, Any], Any]) -> list[str]:
    """Call every operation with its body changed; return those that did not succeed."""
    router, plain = Router(), raw_client.ask
    failed: list[str] = []

    def ask(method: str, path: str, **more: Any) -> httpx.Response:
        operation, _, _ = router.match(method, path.split("?")[0])
        if operation in WITH_BODY:
            more["json"] = change(body_schema(operation), more["json"])
        reply = plain(method, path, **more)
        if not reply.is_success:
            failed.append(f"{operation.name if operation else path}: {reply.status_code} {reply.text[:200]}")
        return reply

    raw_client.ask = ask  # type: ignore[method-assign]  # it changes what is sent
    take_tour(raw_client)
    return failed


@pytest.mark.sampled(every=7)
@pytest.mark.parametrize("value", [value for values in JSON_VALUES.values() for value in values], ids=repr)
def test_fields_that_an_operation_does_not_document_change_nothing(raw_client: RawClient, value: Any) -> None:
    assert tour_with_bodies(raw_client, lambda schema, body: with_undocumented(schema, body, value)) == []


def test_null_is_taken_wherever_it_is_documented(raw_client: RawClient) -> None:
    assert tour_with_bodies(raw_client, with_nulls) == []


def test_an_integer_may_be_written_with_a_point(raw_client: RawClient) -> None:
    assert tour_with_bodies(raw_client, lambda _, body: with_points(body)) == []


@pytest.mark.parametrize("supplier", ["", "x", "-1", "²", "٣", "9" * 20])
def test_a_supplier_of_any_name_can_be_read_again(raw_client: RawClient, supplier: str) -> None:
    exchange = {"blocked_supplier_ids": [supplier], "exchange_min_percentage": 0, "exchange_max_percentage": 100}
    allocations = {"open_exchange_allocations": {**exchange, "groups": []}}
    group = raw_client.group(study_type_code="adhoc", allocations=allocations)
    blocked = raw_client.get(f"{group}/allocation-specification").json()["open_exchange_allocations"]
    assert [type(each["id"]) for each in blocked["blocked_suppliers"]] == [int]


@pytest.fixture
def read_types(raw_client: RawClient, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """Return the types as which operations read their bodies, each with the name of its schema."""
    router, plain = Router(), Request.body_as
    found: list[tuple[str, Any]] = []

    def body_as(request: Request, body_type: Any) -> Any:
        operation, _, _ = router.match(request.method, request.path)
        assert operation is not None
        assert operation.request_schema is not None
        if (operation.request_schema, body_type) not in found:
            found.append((operation.request_schema, body_type))
        return plain(request, body_type)

    monkeypatch.setattr(Request, "body_as", body_as)
    take_tour(raw_client)
    return found


def disagreements(hint: Any, schema: Schema, at: str) -> Iterator[str]:
    """Give each place where a type says something else than the schema."""
    if get_origin(hint) in (Required, NotRequired):
        hint = get_args(hint)[0]
    hints = list(get_args(hint)) if get_origin(hint) in (Union, types.UnionType) else [hint]
    described = branches(schema)
    if {json_type(each) for each in hints} != {branch["type"] for branch in described}:
        yield f"{at}: {hint} for {[branch['type'] for branch in described]}"
        return
    for each in hints:
        branch = next(branch for branch in described if branch["type"] == json_type(each) and may_be(each, branch))
        if get_origin(each) is Literal and list(get_args(each)) != branch["enum"]:
            yield f"{at}: {each} for {branch['enum']}"
        elif get_origin(each) is list:
            yield from disagreements(get_args(each)[0], branch["items"], f"{at}[]")
        elif is_typeddict(each):
            fields, required = branch.get("properties", {}), set(branch.get("required", ()))
            for name, inner in get_type_hints(each, include_extras=True).items():
                if name not in fields:
                    yield f"{at}.{name}: not documented"
                elif (name in each.__required_keys__ and get_origin(inner) is not NotRequired) != (name in required):
                    yield f"{at}.{name}: required in one, optional in the other"
                else:
                    yield from disagreements(inner, fields[name], f"{at}.{name}")


def may_be(hint: Any, branch: Schema) -> bool:
    """Return whether a branch describes a type: of several objects, that with the same word for what it is."""
    word = branch.get("properties", {}).get("object", {}).get("enum")
    kind = get_type_hints(hint).get("object") if is_typeddict(hint) else None
    return word is None or kind is None or list(get_args(kind)) == word


def json_type(hint: Any) -> str:
    plain = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null", list: "array"}
    if is_typeddict(hint):
        return "object"
    if get_origin(hint) is Literal:
        return "string"
    return plain[get_origin(hint) or hint]


def test_what_handlers_read_agrees_with_what_is_published(read_types: list[tuple[str, Any]]) -> None:
    assert {name for name, _ in read_types} == {row.request_schema for row in WITH_BODY}
    found = [
        problem
        for name, body_type in read_types
        if body_type != JsonObject
        for problem in disagreements(body_type, SCHEMAS[name], name)
    ]
    assert "\n".join(found) == ""
