"""The declared replies: one for each operation, quiet for every documented one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cint_nb.api.operations import OPERATIONS
from cint_nb.api.reply_shapes import REPLY_SHAPES
from cint_nb.wire.replies import shape as shape_module
from cint_nb.wire.replies.shape import Object, Presence, Rows, Shape, deviations
from tests.contract.changed_replies.changes import cells, changed
from tests.contract.changed_replies.endings import stand_ins
from tests.contract.openapi_documents import Description, own
from tests.contract.response_samples import samples


def test_every_operation_has_its_shape() -> None:
    assert set(REPLY_SHAPES) == set(OPERATIONS)


def test_a_reply_as_described_is_quiet() -> None:
    for name, operation in OPERATIONS.items():
        for sample in samples(own(), operation).values():
            if sample.body is not None:
                assert deviations(REPLY_SHAPES[name].body, sample.body) == [], name


def test_the_proof_spares_the_comparison_of_every_documented_reply_and_of_none_with_a_deviation() -> None:
    proved_though_changed = 0
    for name, operation in OPERATIONS.items():
        declared = REPLY_SHAPES[name].body
        proof = shape_module._proof_of(declared)
        for sample in samples(own(), operation).values():
            if sample.body is None:
                continue
            has_no_declared_key = isinstance(declared, Object) and declared.keys.keys().isdisjoint(sample.body)
            assert proof(sample.body) or has_no_declared_key, name
            for change, path in cells(sample.body):
                body = changed(sample.body, change, path)
                if proof(body):
                    proved_though_changed += 1
                    assert list(shape_module._compare(declared, body, "")) == [], (name, change, path)
    assert proved_though_changed  # a change of what nobody declared is none


@pytest.mark.sampled(every=4)
@pytest.mark.parametrize("name", OPERATIONS)
def test_no_documented_key_is_taken_for_another_one(name: str) -> None:
    assert stand_ins((one.body for one in samples(own(), OPERATIONS[name]).values()), name) == set()


def keys(shape: Shape, place: str = "") -> Iterator[tuple[str, Presence]]:
    """Yield every declared key with its presence."""
    if isinstance(shape, Rows):
        yield from keys(shape.item, f"{place}[]")
    elif isinstance(shape, Object):
        for name, key in shape.keys.items():
            path = f"{place}.{name}" if place else name
            yield path, key.presence
            yield from keys(key.shape, path)


def described(description: Description, name: str) -> set[str]:
    """Return every key of the fullest reply of an operation."""

    def walk(value: object, place: str = "") -> Iterator[str]:
        if isinstance(value, dict):
            for key, inner in value.items():
                path = f"{place}.{key}" if place else key
                yield path
                yield from walk(inner, path)
        elif isinstance(value, list):
            for row in value:
                yield from walk(row, f"{place}[]")

    return {key for sample in samples(description, OPERATIONS[name]).values() for key in walk(sample.body)}


def test_what_a_verb_needs_or_expects_is_described() -> None:
    for name, shape in REPLY_SHAPES.items():
        if not shape.may_be_empty:
            wanted = {key for key, presence in keys(shape.body) if presence is not Presence.OPTIONAL}
            assert wanted <= described(own(), name), name
