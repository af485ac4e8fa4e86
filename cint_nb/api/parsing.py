"""Parsing replies into models and ids, with clear errors where that fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from cint_nb.domain.errors import UnexpectedReply
from cint_nb.domain.ids import is_ulid, quote_foreign
from cint_nb.domain.models import ApiModel
from cint_nb.wire.calls import Call, Reply
from cint_nb.wire.replies.json_body import distinct
from cint_nb.wire.replies.shape import is_address_part

Model = TypeVar("Model", bound=ApiModel)


def parse(model: type[Model], reply: Reply, **added: Any) -> Model:
    """Parse a JSON object into `model`; `added` are fields the reply does not contain.

    Raises:
        UnexpectedReply: the reply is not such an object.
    """
    return parse_value(model, reply.json(), reply, **added)


def parse_value(model: type[Model], value: Any, reply: Reply, **added: Any) -> Model:
    """Parse a part of a reply into `model`.

    Raises:
        UnexpectedReply: it does not match; the error names the fields, never their values.
    """
    if not isinstance(value, Mapping):
        raise reply.unexpected_reply_error(f"A reply contains no {model.__name__}.")
    try:
        return model.model_validate({**value, **added})
    except ValidationError as error:
        raise reply.unexpected_reply_error(
            f"A reply does not match {model.__name__}: {_invalid_fields(error)}."
        ) from None


def parse_item(model: type[Model], value: Any, call: Call) -> Model:
    """Parse one row of a list into `model`.

    Raises:
        UnexpectedReply: it does not match; the error names the fields, never their values.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise UnexpectedReply(
            f"A row of a list does not match {model.__name__}: {_invalid_fields(error)}.",
            evidence={"request": f"{call.method} {call.template}"},
            safe="nothing was changed.",
            next_step="the format of this list may have changed; report these values to Cint support.",
        ) from None


def parse_list(model: type[Model], reply: Reply, key: str) -> tuple[Model, ...]:
    """Parse the list under `key`, or a plain list, into models; a row that is given twice counts once.

    Raises:
        UnexpectedReply: there is no such list: that is not an empty one.
    """
    body = reply.json()
    rows = body.get(key) if isinstance(body, Mapping) else body
    if not isinstance(rows, list):
        raise reply.unexpected_reply_error(f"A reply contains no list {key!r} of {model.__name__}.")
    return tuple(parse_value(model, row, reply) for row in distinct(rows, set()))


def parse_created_id(reply: Reply, *keys: str, ulid: bool = False) -> str:
    """Return the id of what was created: the first of `keys` in the body, else the end of the `Location` header.

    Args:
        reply: A 2xx reply, with or without a body.
        keys: Fields of the body that may contain the id.
        ulid: Whether the id must consist of 26 capital letters and digits.

    Raises:
        UnexpectedReply: neither contains an id; the error's `body` is the raw reply.
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
        if isinstance(candidate, str) and is_address_part(candidate) and (not ulid or is_ulid(candidate)):
            return candidate
    raise reply.unexpected_reply_error(
        "A reply reports that something was created but gives no ID that can stand in an address, neither in "
        f"{' or '.join(map(repr, keys))} nor in 'Location': {reply.method} {reply.template}."
    )


def _invalid_fields(error: ValidationError) -> str:
    names = {".".join(map(str, item["loc"])) or "not an object" for item in error.errors()}
    return quote_foreign(", ".join(sorted(names)))  # the keys of a mapping are the exchange's own words
