"""How a changed reply ends: right, refused, warned, not known, or silent, which is a failure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from cint_nb.api.operations import OPERATIONS
from cint_nb.api.reply_shapes import REPLY_SHAPES
from cint_nb.wire.replies.shape import Either, Object, Presence, Rows, Shape, deviations
from tests.contract.changed_replies.changes import Path, cells, changed

RIGHT, REFUSED, WARNED, NOT_KNOWN, AS_RECEIVED = "right", "refused", "warned", "not known", "as received"
ENDINGS = {
    RIGHT: ("✓", "the result is the same: nothing rests on this key"),
    REFUSED: ("R", "an error that names the operation, and the key where one was changed"),
    WARNED: ("W", "a warning that names both, and a result that says *not known* where it was"),
    NOT_KNOWN: ("?", "the documents let the exchange leave it out: its value is shown as *not known*"),
    AS_RECEIVED: ("=", "it belongs to a part that is handed on as it came, which no verb reads"),
}


def names(name: str, path: Path, said: str) -> bool:
    """Return whether a text names the operation and, of a path, its last key or one above it."""
    operation = OPERATIONS[name]
    keys = [key for key in path if key != "[]"]
    return (operation.description in said or operation.template in said) and (
        not keys or any(key in said for key in keys)
    )


def presence(name: str, path: Path) -> Presence | None:
    """Return how a key of an operation's reply is declared; None if it is not."""
    shape: Shape = REPLY_SHAPES[name].body
    found = Presence.OPTIONAL if REPLY_SHAPES[name].may_be_empty else Presence.NEEDED
    for key in path:
        if isinstance(shape, Either):
            shape = next(each for each in shape.shapes if isinstance(each, Rows if key == "[]" else Object))
        if isinstance(shape, Rows) and key == "[]":
            shape = shape.item
        elif isinstance(shape, Object) and key in shape.keys:
            declared = shape.keys[key]
            shape, found = declared.shape, declared.presence
        else:
            return None
    return None if shape == Object({}) else found


def stand_ins(bodies: Iterable[Any], name: str) -> set[str]:
    """Return what is said of an optional key that a documented body lacks, because another one of it looks like it."""
    said = set()
    for body in bodies:
        for change, path in cells(body) if body is not None else ():
            if change == "dropped":
                found = deviations(REPLY_SHAPES[name].body, changed(body, change, path))
                said |= {str(each) for each in found if "may stand for it" in each.problem}
    return said


def known(value: Any) -> Any:
    """Return a result as plain values: of a model its own fields, not what it keeps beside them; numbers as text."""
    if isinstance(value, BaseModel):
        return {name: known(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, dict):
        return {name: known(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [known(each) for each in value]
    return value if value is None or isinstance(value, bool | bytes) else str(value)


def only_less(full: Any, less: Any) -> bool:
    """Return whether a result differs from another only in values that have become None."""
    if less is None or full == less:
        return True
    if less in ("", {}):  # in a part that is handed on as it came
        return True
    if isinstance(full, str) and isinstance(less, str):  # a sentence made of several values
        return set(less.replace(";", "").replace(":", "").split()) <= set(
            full.replace(";", "").replace(":", "").split()
        )
    if isinstance(full, dict) and isinstance(less, dict):
        return all(only_less(each, less.get(name)) for name, each in full.items())
    if isinstance(full, list) and isinstance(less, list) and len(full) == len(less):
        return all(only_less(*pair) for pair in zip(full, less, strict=True))
    return False
