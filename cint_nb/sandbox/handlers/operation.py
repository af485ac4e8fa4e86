"""One row of the table of operations: where it is, what it takes, what it answers, and who answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from cint_nb.sandbox.protocol.json_schema import Problem, Schema
from cint_nb.sandbox.protocol.messages import Answer, Ask, Json
from cint_nb.sandbox.world.world import World

ACCOUNT = "/demand/accounts/{account_id}"
PROJECT = f"{ACCOUNT}/projects/{{project_id}}"
GROUP = f"{PROJECT}/target-groups/{{target_group_id}}"
Handler: TypeAlias = Callable[[World, Ask], Answer]


@dataclass(frozen=True)
class Query:
    """Describe one query parameter.

    Args:
        name: Its name.
        schema: Its JSON Schema; an `array` may be sent repeated or separated by commas.
        required: Whether it must be sent.
        default: Its value when left out.
        about: One sentence for the description.
    """

    name: str
    schema: Schema
    required: bool = False
    default: str | int | None = None
    about: str = ""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """Describe one operation.

    Args:
        name: Its operation id, the one the vendor's document uses.
        method: HTTP method.
        path: Path behind `/v1`, with placeholders.
        answer: The function that answers.
        about: One sentence for the description.
        tag: The chapter of the description.
        status: Status of success.
        body: Name of the body's shape; empty without one.
        reply: Name of the reply's shape; empty without a body.
        query: Query parameters.
        errors: Statuses besides 400, 401, 403 and 404 that it may answer.
        acts: Whether it changes the world, and so is kept in the history.
        keyed: Whether it needs an idempotency key.
        guarded: Whether it needs `If-Match`.
        upload: Whether it takes a multipart file.
        gives: Media types of the reply when they are not JSON.
        headers: Reply headers worth describing.
        short: Other names a fault may call it by.
        beside: Lists broken rules to name beside a broken shape; the body it is given may be anything.
    """

    name: str
    method: str
    path: str
    answer: Handler
    about: str
    tag: str
    status: int = 200
    body: str = ""
    reply: str = ""
    query: tuple[Query, ...] = ()
    errors: tuple[int, ...] = ()
    acts: bool = False
    keyed: bool = False
    guarded: bool = False
    upload: bool = False
    gives: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    short: tuple[str, ...] = ()
    beside: Callable[[World, Json, float], list[Problem]] | None = None


def paging(default: int = 10, most: int = 100, *, back: bool = True) -> tuple[Query, ...]:
    """Describe the parameters of a paged list; every list of the exchange has its own default and maximum."""
    cursor: Schema = {"type": "string", "maxLength": 200}
    size: Schema = {"type": "integer", "minimum": 1, "maximum": most}
    queries = (
        Query("page_size", size, default=default, about=f"How many a page; {default} when left out."),
        Query("start_after", cursor, about="Cursor of the page before."),
    )
    return (*queries, Query("end_before", cursor, about="Cursor of the page behind.")) if back else queries
