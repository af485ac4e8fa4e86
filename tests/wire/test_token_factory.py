from __future__ import annotations

import re
import uuid

from cint_nb.wire.token_factory import RandomTokenFactory, SeededTokenFactory


def test_the_same_seed_gives_the_same_sequence_and_another_seed_another() -> None:
    first, again, other = SeededTokenFactory("a"), SeededTokenFactory("a"), SeededTokenFactory("b")
    sequence = [first.token(), first.uuid(), first.token(12)]
    assert [again.token(), again.uuid(), again.token(12)] == sequence
    assert other.token() != sequence[0]


def test_drawing_keys_does_not_shift_the_tokens() -> None:
    plain, mixed = SeededTokenFactory("a"), SeededTokenFactory("a")
    mixed.uuid()
    assert mixed.token() == plain.token()


def test_no_name_repeats() -> None:
    for factory in (SeededTokenFactory("a"), RandomTokenFactory()):
        assert len({factory.token() for _ in range(500)}) == 500
        assert len({factory.uuid() for _ in range(500)}) == 500


def test_tokens_fit_file_names_and_reference_numbers() -> None:
    for factory in (SeededTokenFactory("a"), RandomTokenFactory()):
        for length in (1, 8, 24):
            assert re.fullmatch(rf"[a-z0-9]{{{length}}}", factory.token(length))


def test_keys_are_version_4_uuids() -> None:
    for factory in (SeededTokenFactory("a"), RandomTokenFactory()):
        made = uuid.UUID(factory.uuid())
        assert (made.version, made.variant) == (4, uuid.RFC_4122)


def test_their_representations_do_not_tell_the_seed() -> None:
    assert "wave" not in repr(SeededTokenFactory("wave"))
    assert repr(RandomTokenFactory()) == "<RandomTokenFactory>"
