"""Read replies as models and ids, and say clearly when that is impossible."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from cint_nb.domain.errors import UnexpectedReply
from cint_nb.domain.ids import is_ulid
from cint_nb.domain.models import ApiModel
from cint_nb.wire.calls import Call, Reply

Model = TypeVar("Model", bound=ApiModel)


def parse(model: type[Model], reply: Reply, **ours: Any) -> Model:
    """Read a JSON object as `model`; `ours` are fields we add.

    Raises:
        UnexpectedReply: if the reply is not such an object.
    """
    return parse_value(model, reply.json(), reply, **ours)


def parse_value(model: type[Model], value: Any, reply: Reply, **ours: Any) -> Model:
    """Read a part of a reply as `model`.

    Raises:
        UnexpectedReply: naming the fields that do not fit, never their values.
    """
    if not isinstance(value, Mapping):
        raise reply.unexpected_reply_error(f"A reply holds no {model.__name__}.")
    try:
        return model.model_validate({**value, **ours})
    except ValidationError as error:
        raise reply.unexpected_reply_error(
            f"A reply does not fit {model.__name__}: {_invalid_fields(error)}."
        ) from None


def parse_item(model: type[Model], value: Any, call: Call) -> Model:
    """Read one row of a list as `model`.

    Raises:
        UnexpectedReply: naming the fields that do not fit, never their values.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise UnexpectedReply(
            f"A row of a list does not fit {model.__name__}: {_invalid_fields(error)}.",
            evidence={"request": f"{call.method} {call.template}"},
            safe="nothing was changed.",
            next_step="the list may have changed its form; report these values to Cint's support.",
        ) from None


def parse_list(model: type[Model], reply: Reply, key: str) -> tuple[Model, ...]:
    """Read the list under `key`, or a bare list, as models; an absent list is empty."""
    body = reply.json()
    rows = body.get(key) if isinstance(body, Mapping) else body
    if rows is None:
        return ()
    if not isinstance(rows, list):
        raise reply.unexpected_reply_error(f"A reply holds no list of {model.__name__}.")
    return tuple(parse_value(model, row, reply) for row in rows)


def parse_created_id(reply: Reply, *keys: str, ulid: bool = False) -> str:
    """Return the id of what a reply created: the first of `keys` in the body, else the end of `Location`.

    Args:
        reply: A 2xx reply, with or without a body.
        keys: Names under which the body may carry the id.
        ulid: Whether the id must be 26 capital letters and digits.

    Raises:
        UnexpectedReply: if neither carries an id; its `body` keeps the raw reply.
    """
    candidates: list[Any] = []
    if reply.body.strip():
        try:
            body = reply.json()
        except UnexpectedReply:
            if not reply.location_id:
                raise
            body = None
        if isinstance(body, Mapping):
            candidates += [body.get(key) for key in keys]
    candidates.append(reply.location_id)
    for candidate in candidates:
        if isinstance(candidate, str) and candidate and (not ulid or is_ulid(candidate)):
            return candidate
    raise reply.unexpected_reply_error("A reply says that something was created and names no id.")


def _invalid_fields(error: ValidationError) -> str:
    return ", ".join(sorted({".".join(map(str, item["loc"])) or "not an object" for item in error.errors()}))
