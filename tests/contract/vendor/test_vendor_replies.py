"""What the vendor's document requires of a reply is needed or expected; what is expected, the document requires."""

from __future__ import annotations

from collections.abc import Iterator

from cint_nb.api.operations import OPERATIONS
from cint_nb.api.reply_shapes import REPLY_SHAPES
from cint_nb.wire.replies.shape import Either, Object, Presence, Rows, Shape
from tests.contract.changed_replies.endings import stand_ins
from tests.contract.openapi_documents import Description, vendor
from tests.contract.response_samples import samples

STRICTER = {
    "value": "an amount of money without its value is no amount",
    "currency_code": "nor is one without its currency",
    "pricing_table_currency_code": "nor is a table of them",
    "supplier_id": "a supplier without an id would be left out",
}
"""Last names of keys that are expected although the document does not require them."""
LOOSER = {
    "prevent_overfill": "an example of the document leaves it out",
    "balance_fill": "the same example",
    "next_cursor": "it is empty at the end of a list",
    "industry_lockout_code": "it is empty where there is none",
    "name": "only some kinds of allocation have one",
    "percentage_min": "the same",
    "percentage_max": "the same",
    "group_name": "plans have no private exchange, so that nothing rests on its groups",
    "min_percentage": "the same",
    "max_percentage": "the same",
    "supplier": "the same",
    "profiles": "it is null where a search finds nothing, and absent where a group has none",
    "targets": "questions that are answered with a number or a text may have none to list",
    "text": "an example of the document leaves it empty",
    "option": "only one kind of condition has it",
    "min": "the same, and an example of the document leaves it out there too",
    "max": "the same",
    "allow_all_values": "only one kind of condition has it",
    "open_ended_values": "the same, and an example of the document leaves it out there too",
    "quota": "profiles without quotas have none",
    "rate_card_token": "only one pricing model has it",
    **{
        f"{kind}_{part}": "a target group has one kind of rate card"
        for kind in ("predicted", "bound")
        for part in ("rate_card", "rate_card_token")
    },
}
"""Last names of keys that are optional although the document requires them."""


def declared(shape: Shape, place: str = "") -> Iterator[tuple[str, Presence]]:
    """Yield every declared key with its presence."""
    if isinstance(shape, Either):
        shape = shape.shapes[0]
    if isinstance(shape, Rows):
        yield from declared(shape.item, f"{place}[]")
    elif isinstance(shape, Object):
        for name, key in shape.keys.items():
            path = f"{place}.{name}" if place else name
            yield path, key.presence
            yield from declared(key.shape, path)


def required(description: Description, schema: dict[str, object], place: str = "") -> Iterator[tuple[str, bool]]:
    """Yield every described key and whether it is required."""
    schema = description.resolved(schema)
    for word in ("allOf", "oneOf", "anyOf"):
        for part in schema.get(word, ()):  # type: ignore[attr-defined]
            yield from required(description, part, place)
    for name, part in schema.get("properties", {}).items():  # type: ignore[attr-defined]
        path = f"{place}.{name}" if place else name
        yield path, name in schema.get("required", ())  # type: ignore[operator]
        yield from required(description, part, path)
    if "items" in schema:
        yield from required(description, schema["items"], f"{place}[]")  # type: ignore[arg-type]


def differences() -> Iterator[tuple[str, str, Presence]]:
    for name, operation in OPERATIONS.items():
        for reply in vendor().successes(operation).values():
            json = (reply.get("content") or {}).get("application/json")
            if json is None:
                continue
            described: dict[str, bool] = {}
            for path, is_required in required(vendor(), json["schema"]):
                described[path] = described.get(path, True) and is_required
            for path, presence in declared(REPLY_SHAPES[name].body):
                wanted = {Presence.EXPECTED: False, Presence.OPTIONAL: True}.get(presence)
                if path in described and described[path] is wanted:
                    yield name, path, presence


def test_presence_is_that_of_the_document_but_for_the_reasons_above() -> None:
    found = {(name, path): presence for name, path, presence in differences()}
    unexplained = {
        key: presence
        for key, presence in found.items()
        if key[1].rpartition(".")[2] not in (STRICTER if presence is Presence.EXPECTED else LOOSER)
    }
    assert unexplained == {}
    used = {path.rpartition(".")[2] for _, path in found}
    assert used == STRICTER.keys() | LOOSER.keys()


def test_no_documented_key_is_taken_for_another_one() -> None:
    said = {
        name: stand_ins((one.body for one in samples(vendor(), OPERATIONS[name]).values()), name) for name in OPERATIONS
    }
    for name in ("target_groups.fielding_assistant", "prices.predict"):  # examples have a quotation mark in some keys
        assert all('"' in each for each in said.pop(name))
    assert {name: found for name, found in said.items() if found} == {}
