"""A file that is dropped on the picker comes in pieces, each acknowledged: whole, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from cint_nb.domain.ids import synthetic_id
from cint_nb.panels.file_picker.drop_zone import LARGEST_BYTES, FileReceiver
from cint_nb.panels.file_picker.widget import FilePicker
from tests.support.waiting import wait_for

PIECES = (b"first;", b"second;", b"third")
WHOLE = b"".join(PIECES)


@pytest.fixture
def got() -> list[tuple[str, bytes]]:
    return []


@pytest.fixture
def receiver(got: list[tuple[str, bytes]]) -> FileReceiver:
    return FileReceiver(lambda name, content: got.append((name, content)))


def begin(receiver: FileReceiver, number: str = "1", size: int = len(WHOLE), name: str = "a.csv") -> Any:
    return receiver.receive({"type": "begin", "id": number, "name": name, "size": size})


def add(receiver: FileReceiver, offset: int, piece: bytes, number: str = "1") -> Any:
    return receiver.receive({"type": "piece", "id": number, "offset": offset}, [memoryview(piece)])


def test_each_piece_is_acknowledged_and_the_last_one_gives_the_file(
    receiver: FileReceiver, got: list[tuple[str, bytes]]
) -> None:
    assert begin(receiver)["received"] == 0
    offset = 0
    for piece in PIECES:
        assert got == []
        offset = add(receiver, offset, piece)["received"]
    assert got == [("a.csv", WHOLE)]


def test_a_piece_that_comes_twice_counts_once(receiver: FileReceiver, got: list[tuple[str, bytes]]) -> None:
    begin(receiver)
    for _ in range(2):
        assert add(receiver, 0, PIECES[0])["received"] == len(PIECES[0])
    add(receiver, 6, PIECES[1])
    add(receiver, 13, PIECES[2])
    assert got == [("a.csv", WHOLE)]


def test_a_cancelled_file_is_gone_and_its_late_pieces_are_refused(
    receiver: FileReceiver, got: list[tuple[str, bytes]]
) -> None:
    begin(receiver)
    add(receiver, 0, PIECES[0])
    receiver.receive({"type": "cancel", "id": "1"})
    assert add(receiver, 6, PIECES[1])["type"] == "refused"
    assert got == []


def test_a_second_file_takes_the_place_of_an_unfinished_one(
    receiver: FileReceiver, got: list[tuple[str, bytes]]
) -> None:
    begin(receiver)
    add(receiver, 0, PIECES[0])
    begin(receiver, "2", 3, "b.csv")
    assert add(receiver, 6, PIECES[1])["type"] == "refused"
    add(receiver, 0, b"abc", "2")
    assert got == [("b.csv", b"abc")]


@pytest.mark.parametrize("size", [LARGEST_BYTES + 1, -1, None, "many"])
def test_a_file_of_another_size_is_refused_before_a_piece_is_sent(receiver: FileReceiver, size: Any) -> None:
    assert begin(receiver, size=size)["type"] == "refused"


def test_a_file_that_grew_while_it_was_read_is_refused(receiver: FileReceiver, got: list[tuple[str, bytes]]) -> None:
    begin(receiver, size=4)
    assert add(receiver, 0, PIECES[0])["type"] == "refused"
    assert got == []


def test_an_empty_file_is_a_file_too(receiver: FileReceiver, got: list[tuple[str, bytes]]) -> None:
    begin(receiver, size=0)
    assert got == [("a.csv", b"")]


def test_folders_in_a_name_are_left_out(receiver: FileReceiver, got: list[tuple[str, bytes]]) -> None:
    begin(receiver, size=0, name="../../etc/passwd")
    assert got == [("passwd", b"")]


def test_what_was_dropped_is_read_like_any_other_file() -> None:
    picker = FilePicker()
    content = "\n".join(synthetic_id("drop", number) for number in range(7)).encode()
    picker.entity.value = "RSID"
    begin(picker.receiver, size=len(content), name="dropped.txt")
    add(picker.receiver, 0, content)
    wait_for(lambda: picker.value is not None)
    assert len(picker.value) == 7
