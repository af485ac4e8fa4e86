"""The sandbox's OpenAPI 3.1 document, built from the table of operations and the schemas."""

from __future__ import annotations

import re
from typing import NotRequired, TypedDict

from cint_nb.domain import limits
from cint_nb.sandbox.handlers.operation import ACCOUNT, Operation, QueryParam
from cint_nb.sandbox.handlers.reports import GUIDE_SPELLINGS, REPORT_TYPES
from cint_nb.sandbox.http.routes import OPERATIONS
from cint_nb.sandbox.openapi.builders import ULID, ref
from cint_nb.sandbox.openapi.examples import CSV_EXAMPLE, EXAMPLES
from cint_nb.sandbox.openapi.reconciliations import DOWNLOADS
from cint_nb.sandbox.openapi.schemas import SCHEMAS, requires_body
from cint_nb.sandbox.protocol.json_schema import Schema
from cint_nb.sandbox.protocol.messages import Json

_COMMON_ERRORS = (400, 401, 403, 404)
_STATUS_DESCRIPTIONS = {
    301: "The target group has been launched; read its details.",
    400: "The request is malformed, or a field breaks a rule.",
    401: "The token is missing or invalid.",
    403: "The token has expired, the version header is missing, or the account is not yours.",
    404: "An id in the path is wrong, or the thing does not exist (yet).",
    409: "Another job is already running for this target group.",
    412: "The resource has changed since it was read.",
    413: "The file has 5 MB or more.",
    415: "The body is of another media type than this operation takes.",
    422: "The action is not allowed in the current state.",
    429: "Too many requests; wait as long as Retry-After says.",
}
_SPELLINGS = sorted({*REPORT_TYPES, *(kind.replace("-", "_") for kind in (*REPORT_TYPES, *GUIDE_SPELLINGS))})
# Optional, as the create guide says, and without effect: one document of the exchange requires a key here.
_IGNORED_IDEMPOTENCY_KEYS = ("create_target_group", "generate_report")
_ID_POINTERS = {"JobCreated": "job_id", "ReportCreated": "report_id", "ReconciliationCreated": "request_id"}
_PATH_SCHEMAS: dict[str, Schema] = {
    "account_id": {"type": "integer", "minimum": 1, "maximum": 2_147_483_647},
    "user_id": {"type": "string", "format": "uuid"},
    "business_unit_id": {"type": "string", "pattern": "^[0-9]{1,9}$"},
    "download_type": {"type": "string", "enum": [*DOWNLOADS]},
    # The exchange's documents spell report types with hyphens here and with underscores there: both are accepted.
    "report_type": {"type": "string", "enum": _SPELLINGS},
}


class Info(TypedDict):
    """The Info Object of OpenAPI."""

    title: str
    version: str
    description: str


class Server(TypedDict):
    """The Server Object of OpenAPI."""

    url: str


class SecurityScheme(TypedDict):
    """The Security Scheme Object of OpenAPI."""

    type: str
    scheme: str
    description: str


class Components(TypedDict):
    """The Components Object of OpenAPI."""

    schemas: dict[str, Schema]
    securitySchemes: dict[str, SecurityScheme]


class Header(TypedDict):
    """The Header Object of OpenAPI."""

    required: bool
    schema: Schema


class MediaType(TypedDict):
    """The Media Type Object of OpenAPI."""

    schema: Schema
    example: NotRequired[Json]


class RequestBody(TypedDict):
    """The Request Body Object of OpenAPI."""

    required: bool
    content: dict[str, MediaType]


class Link(TypedDict):
    """The Link Object of OpenAPI."""

    operationId: str
    parameters: dict[str, str]


class ResponseObject(TypedDict):
    """The Response Object of OpenAPI."""

    description: str
    headers: NotRequired[dict[str, Header]]
    content: NotRequired[dict[str, MediaType]]
    links: NotRequired[dict[str, Link]]


Parameter = TypedDict(
    "Parameter",
    {"name": str, "in": str, "required": bool, "schema": Schema, "description": NotRequired[str]},
)
"""The Parameter Object of OpenAPI."""


class OperationObject(TypedDict):
    """The Operation Object of OpenAPI."""

    operationId: str
    summary: str
    tags: list[str]
    parameters: list[Parameter]
    responses: dict[str, ResponseObject]
    requestBody: NotRequired[RequestBody]


class OpenApi(TypedDict):
    """The OpenAPI Object."""

    openapi: str
    info: Info
    servers: list[Server]
    security: list[dict[str, list[str]]]
    paths: dict[str, dict[str, OperationObject]]
    components: Components


def build_openapi() -> OpenApi:
    """Return the OpenAPI document of all operations under `/v1`."""
    paths: dict[str, dict[str, OperationObject]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "cint_nb sandbox: a simulated Demand API",
            "version": limits.API_VERSION,
            "description": "The API of the cint_nb sandbox. This is not Cint's own document.",
        },
        "servers": [{"url": "/v1"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": 'POST /oauth/token with client_id "sandbox" and client_secret "sandbox".',
                }
            },
        },
    }


def _operation(operation: Operation) -> OperationObject:
    described: OperationObject = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": [*_path_parameters(operation), *_header_parameters(operation), *_query_parameters(operation)],
        "responses": _responses(operation),
    }
    if operation.request_schema is not None:
        content: MediaType = {"schema": ref(operation.request_schema)}
        if operation.request_schema in EXAMPLES:
            content["example"] = EXAMPLES[operation.request_schema]
        described["requestBody"] = {
            "required": requires_body(operation.request_schema),
            "content": {"application/json": content},
        }
    if operation.is_upload:
        # `binary` means nothing in OpenAPI 3.1, but client generators send a file, with a name, only for such a part.
        text: Schema = {"type": "string", "contentMediaType": "text/csv", "maxLength": limits.UPLOAD_MAX_BYTES - 1}
        file: Schema = {**text, "format": "binary"}
        schema: Schema = {"type": "object", "properties": {"file": file}, "required": ["file"]}
        described["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    if operation.takes_csv:
        lines: Schema = {"type": "string", "minLength": 1, "maxLength": limits.UPLOAD_MAX_BYTES}
        body: MediaType = {"schema": lines, "example": CSV_EXAMPLE}
        described["requestBody"] = {"required": True, "content": {"text/csv": body}}
    return described


def _path_parameters(operation: Operation) -> list[Parameter]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": _PATH_SCHEMAS.get(name, {"type": "string", "pattern": ULID}),
        }
        for name in re.findall(r"{(\w+)}", operation.path)
    ]


def _header_parameters(operation: Operation) -> list[Parameter]:
    version: Schema = {"type": "string", "enum": [limits.API_VERSION]}
    headers: list[tuple[str, bool, Schema]] = [("Cint-API-Version", True, version)]
    may_have_key = operation.accepts_idempotency_key or operation.name in _IGNORED_IDEMPOTENCY_KEYS
    if operation.requires_idempotency_key or may_have_key:
        key: Schema = {"type": "string"}
        if operation.requires_idempotency_key:
            key = {"type": "string", "minLength": 1, "maxLength": 255}
        headers.append(("idempotency-key", operation.requires_idempotency_key, key))
    if operation.requires_if_match:
        headers.append(("If-Match", True, {"type": "string", "minLength": 1, "maxLength": 100}))
    return [
        {"name": name, "in": "header", "required": required, "schema": schema} for name, required, schema in headers
    ]


def _query_parameters(operation: Operation) -> list[Parameter]:
    return [_query_parameter(query) for query in operation.query]


def _query_parameter(query: QueryParam) -> Parameter:
    schema: Schema = {**query.schema}
    if query.default is not None:
        schema["default"] = query.default
    described: Parameter = {"name": query.name, "in": "query", "required": query.required, "schema": schema}
    if query.description is not None:
        described["description"] = query.description
    return described


def _responses(operation: Operation) -> dict[str, ResponseObject]:
    text: Schema = {"type": "string"}
    headers: dict[str, Header] = {
        name: {"required": True, "schema": text} for name in ("traceparent", *operation.headers)
    }
    success: ResponseObject = {"description": "Done.", "headers": headers}
    if operation.response_schema is not None:
        success["content"] = {"application/json": {"schema": ref(operation.response_schema)}}
    elif operation.media_types:
        success["content"] = {media: {"schema": text} for media in operation.media_types}
    links = _links(operation)
    if links:
        success["links"] = links
    responses: dict[str, ResponseObject] = {str(operation.status): success}
    for status in sorted({*_COMMON_ERRORS, *operation.errors}):
        response: ResponseObject = {"description": _STATUS_DESCRIPTIONS[status]}
        if status == 301:
            response["headers"] = {"Location": {"required": True, "schema": text}}
        else:
            schema = ref("TooManyRequests" if status == 429 else "Error")
            response["content"] = {"application/json": {"schema": schema}}
        responses[str(status)] = response
    return responses


def _links(operation: Operation) -> dict[str, Link]:
    """Return links from the id in a response to the operations that read it."""
    if operation.method != "POST" or operation.status == 200 or operation.response_schema is None:
        return {}
    pointer = _ID_POINTERS.get(operation.response_schema, "id")
    base = f"{ACCOUNT}/reports" if operation.response_schema == "ReportCreated" else operation.path
    links: dict[str, Link] = {}
    for row in OPERATIONS:
        match = re.fullmatch(re.escape(base) + r"/{(\w+)}(/\w+)?", row.path)
        if match is not None and row.method == "GET":
            known = re.findall(r"{(\w+)}", base)
            parameters = {name: f"$request.path.{name}" for name in known} | {match[1]: f"$response.body#/{pointer}"}
            links[row.name] = {"operationId": row.name, "parameters": parameters}
    return links
