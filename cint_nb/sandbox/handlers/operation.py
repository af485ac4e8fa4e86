"""One row of the table of operations: path, parameters, schemas and handler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from cint_nb.sandbox.protocol.json_schema import Problem, Schema
from cint_nb.sandbox.protocol.messages import Json, Request, Response
from cint_nb.sandbox.world.world import World

ACCOUNT = "/demand/accounts/{account_id}"
PROJECT = f"{ACCOUNT}/projects/{{project_id}}"
TARGET_GROUP = f"{PROJECT}/target-groups/{{target_group_id}}"
Handler: TypeAlias = Callable[[World, Request], Response]


@dataclass(frozen=True)
class QueryParam:
    """One query parameter.

    Args:
        name: Its name.
        schema: Its JSON Schema; an `array` may be sent repeated or separated by commas.
        required: Whether it must be sent.
        default: Its value when omitted.
        description: One sentence for the OpenAPI document.
    """

    name: str
    schema: Schema
    required: bool = False
    default: str | int | None = None
    description: str | None = None


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation.

    Args:
        name: Its operation id, the one the vendor's document uses.
        method: HTTP method.
        path: Path below `/v1`, with placeholders.
        handler: The function that handles a request.
        summary: One sentence for the OpenAPI document.
        tag: Its tag in the OpenAPI document.
        status: Status of success.
        request_schema: Name of the schema of the request body; None without one.
        response_schema: Name of the schema of the response body; None without one.
        query: Query parameters.
        errors: Error statuses that it may return besides 400, 401, 403 and 404.
        changes_state: Whether it changes the world, and so is saved in the request log.
        requires_idempotency_key: Whether it needs an idempotency key.
        accepts_idempotency_key: Whether an idempotency key counts where one is sent.
        requires_if_match: Whether it needs `If-Match`.
        is_upload: Whether it takes a multipart file.
        takes_csv: Whether its body is CSV itself, without an envelope.
        media_types: Media types of the response when they are not JSON.
        headers: Response headers to document.
        aliases: Other names by which a fault may refer to it.
        extra_checks: Returns further problems to report beside those of the schema; the body passed may be anything.
    """

    name: str
    method: str
    path: str
    handler: Handler
    summary: str
    tag: str
    status: int = 200
    request_schema: str | None = None
    response_schema: str | None = None
    query: tuple[QueryParam, ...] = ()
    errors: tuple[int, ...] = ()
    changes_state: bool = False
    requires_idempotency_key: bool = False
    accepts_idempotency_key: bool = False
    requires_if_match: bool = False
    is_upload: bool = False
    takes_csv: bool = False
    media_types: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    extra_checks: Callable[[World, Json, float], list[Problem]] | None = None


def paging_params(default: int = 10, most: int = 100, *, back: bool = True) -> tuple[QueryParam, ...]:
    """Return the query parameters of a paged list; every list of the exchange has its own default and maximum."""
    cursor: Schema = {"type": "string", "maxLength": 200}
    size: Schema = {"type": "integer", "minimum": 1, "maximum": most}
    queries = (
        QueryParam("page_size", size, default=default, description=f"Items per page; default {default}."),
        QueryParam("start_after", cursor, description="Cursor to continue after."),
    )
    return (*queries, QueryParam("end_before", cursor, description="Cursor to end before.")) if back else queries
