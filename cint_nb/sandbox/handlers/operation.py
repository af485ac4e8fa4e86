"""One row of the table of operations: where it is, what it takes, what it answers, and who answers."""

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
        default: Its value when left out.
        description: One sentence for the description.
    """

    name: str
    schema: Schema
    required: bool = False
    default: str | int | None = None
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation.

    Args:
        name: Its operation id, the one the vendor's document uses.
        method: HTTP method.
        path: Path behind `/v1`, with placeholders.
        handler: The function that answers.
        summary: One sentence for the description.
        tag: The chapter of the description.
        status: Status of success.
        request_schema: Name of the body's shape; empty without one.
        response_schema: Name of the reply's shape; empty without a body.
        query: Query parameters.
        errors: Statuses besides 400, 401, 403 and 404 that it may answer.
        changes_state: Whether it changes the world, and so is kept in the history.
        requires_idempotency_key: Whether it needs an idempotency key.
        requires_if_match: Whether it needs `If-Match`.
        is_upload: Whether it takes a multipart file.
        media_types: Media types of the reply when they are not JSON.
        headers: Reply headers worth describing.
        aliases: Other names a fault may call it by.
        extra_checks: Lists broken rules to name beside a broken shape; the body it is given may be anything.
    """

    name: str
    method: str
    path: str
    handler: Handler
    summary: str
    tag: str
    status: int = 200
    request_schema: str = ""
    response_schema: str = ""
    query: tuple[QueryParam, ...] = ()
    errors: tuple[int, ...] = ()
    changes_state: bool = False
    requires_idempotency_key: bool = False
    requires_if_match: bool = False
    is_upload: bool = False
    media_types: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    extra_checks: Callable[[World, Json, float], list[Problem]] | None = None


def paging_params(default: int = 10, most: int = 100, *, back: bool = True) -> tuple[QueryParam, ...]:
    """Describe the parameters of a paged list; every list of the exchange has its own default and maximum."""
    cursor: Schema = {"type": "string", "maxLength": 200}
    size: Schema = {"type": "integer", "minimum": 1, "maximum": most}
    queries = (
        QueryParam("page_size", size, default=default, description=f"How many a page; {default} when left out."),
        QueryParam("start_after", cursor, description="Cursor of the page before."),
    )
    return (*queries, QueryParam("end_before", cursor, description="Cursor of the page behind.")) if back else queries
