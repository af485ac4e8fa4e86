"""Arrays of ids as rows of 16 bytes, six times smaller than strings.

An id is a UUID: 128 bits, written as 36 characters. As 16 bytes it takes a sixth of the memory of a Python string,
and numpy sorts, compares and selects millions of them without a loop in Python. Form and case are settled before an
id becomes a row, so comparing rows is comparing ids.
"""

from __future__ import annotations

import hashlib
from binascii import unhexlify
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cint_nb.domain import ids
from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.files import ID_LINE_BYTES
from cint_nb.study.files.verdicts import is_id

IdArray: TypeAlias = NDArray[np.uint8]
"""Shape (n, 16): one id per row, in source order."""
RowNumbers: TypeAlias = NDArray[np.int64]
BoolMask: TypeAlias = NDArray[np.bool_]

LINE_BYTES = ID_LINE_BYTES
_BATCH = 4_096  # texts joined and checked at once; more saves no time, and the block stays small
# Odd factors of well-known 64-bit hashes: multiplying by an odd number loses nothing and carries low bits upwards.
_HASH_FACTOR_HIGH = np.uint64(0x9E3779B97F4A7C15)
_HASH_FACTOR_BOTH = np.uint64(0xD1B54A32D192ED03)
_ROWS = 1 << 20  # rows per step, so that temporary arrays stay at some MB however long the list is
_WAITING_BYTES = 1 << 13
_CACHED_ROWS = 1 << 15  # the same where arrays of a step should stay in the processor's cache
_GROUPS = (
    (0, 8, 0),
    (8, 12, 9),
    (12, 16, 14),
    (16, 20, 19),
    (20, 32, 24),
)  # hex digits from, to, and their place in the line


def from_buffer(buffer: bytes | bytearray) -> IdArray:
    """View a buffer of 16-byte ids as rows, without copying."""
    return np.frombuffer(buffer, dtype=np.uint8).reshape(-1, 16)


class IdBuffer:
    """Ids that are collected one after the other.

    Memory is taken in large pieces: with ten million ids, getting it page by page takes as long as reading them.

    Args:
        expected: How many ids there may be; more find room too.
    """

    def __init__(self, expected: int = 0) -> None:
        self._content = np.empty(16 * max(expected, _CACHED_ROWS), np.uint8)
        self._stop = 0  # of what is used of `_content`
        self._waiting = bytearray()  # ids that came one by one, which numpy copies slowly

    def __len__(self) -> int:
        """Return the number of ids."""
        return (self._stop + len(self._waiting)) // 16

    def add(self, content: bytes) -> None:
        """Add ids, 16 bytes each."""
        if len(content) < _WAITING_BYTES:
            self._waiting += content
        if len(self._waiting) >= _WAITING_BYTES or len(content) >= _WAITING_BYTES:
            self._store(self._waiting)
            self._waiting = bytearray()
        if len(content) >= _WAITING_BYTES:
            self._store(content)

    def _store(self, content: bytes | bytearray) -> None:
        stop = self._stop + len(content)
        if stop > len(self._content):
            larger = np.empty(max(stop, 2 * len(self._content)), np.uint8)
            larger[: self._stop] = self._content[: self._stop]
            self._content = larger
        self._content[self._stop : stop] = np.frombuffer(content, np.uint8)
        self._stop = stop

    def rows(self) -> IdArray:
        """Return the ids as rows. Nothing is added afterwards."""
        self._store(self._waiting)
        self._waiting = bytearray()
        return self._content[: self._stop].reshape(-1, 16)

    def without(self, rows: RowNumbers) -> IdArray:
        """Return the ids without some rows, given in ascending order. Nothing is added afterwards."""
        keys = self.rows()
        keep = np.ones(len(keys), dtype=np.bool_)
        keep[rows] = False
        # In place: what is kept moves towards the beginning, and never over what follows.
        whole, stop = _whole(keys), int(rows[0]) if len(rows) else len(keys)
        for start in range(stop, len(keys), _CACHED_ROWS):
            kept = whole[start : start + _CACHED_ROWS][keep[start : start + _CACHED_ROWS]]
            whole[stop : stop + len(kept)] = kept
            stop += len(kept)
        return keys[:stop] if 2 * stop > len(keys) else keys[:stop].copy()


def in_order(keys: IdArray) -> IdArray:
    """Return the rows sorted, so that the same ids are the same rows."""
    return np.sort(np.ascontiguousarray(keys).view("S16").ravel()).view(np.uint8).reshape(-1, 16)


def take_rows(keys: IdArray, chosen: BoolMask | RowNumbers) -> IdArray:
    """Return the chosen rows."""
    return _whole(keys)[chosen].view(np.uint8).reshape(-1, 16)


def _whole(keys: IdArray) -> NDArray[np.void]:
    """View rows as one element each, which numpy copies as one piece: ten times as fast as byte by byte."""
    return np.ascontiguousarray(keys).view("V16").ravel()


def from_ids(texts: Iterable[str]) -> IdArray:
    """Convert ids in any spelling to rows; texts that are not ids are omitted.

    Args:
        texts: Ids as a list endpoint or a person wrote them. A single string is one id.
    """
    if isinstance(texts, str):
        texts = (texts,)  # else its characters would be taken for ids, and none of them is one
    rest, buffer = iter(texts), bytearray()
    while batch := list(islice(rest, _BATCH)):
        try:
            block = "\n".join(batch).encode("utf-8", "replace") + b"\n"
        except TypeError:
            raise RespondentFileError("IDs are texts.", next_step="pass the IDs as a list of texts.") from None
        # The exchange writes ids in one form. A batch that has it throughout is converted as a whole; otherwise every
        # text is judged alone, which takes seven times as long.
        if ids.are_ids_by_line(block, len(batch)):
            buffer += unhexlify(block.translate(None, b"-\n"))
        else:
            good = (text for text in map(ids.normalise_id, batch) if ids.is_respondent_id(text))
            buffer += unhexlify("".join(good).replace("-", ""))
    return from_buffer(buffer)


def are_ids(texts: Sequence[str]) -> bool:
    """Return whether all of some texts are ids."""
    block = "\n".join(texts).encode("utf-8", "replace") + b"\n"
    return ids.are_ids_by_line(block, len(texts)) or all(map(is_id, texts))


def to_lines(keys: IdArray) -> bytes:
    """Return ids in the upload format: one id per line, lower case, LF, no header."""
    count = len(keys)
    digits = np.frombuffer(keys.tobytes().hex().encode(), dtype=np.uint8).reshape(count, 32)
    # A page of dashes, over which the five groups of digits are laid for all lines at once: no string is built per id.
    page = np.full((count, LINE_BYTES), ord("-"), dtype=np.uint8)
    for start, stop, place in _GROUPS:
        page[:, place : place + stop - start] = digits[:, start:stop]
    page[:, -1] = ord("\n")
    return page.tobytes()


def iter_ids(keys: IdArray) -> Iterator[str]:
    """Iterate over ids as normalised texts."""
    for start in range(0, len(keys), _ROWS):
        yield from to_lines(keys[start : start + _ROWS]).decode("ascii").splitlines()


def digest(keys: IdArray, *, salt: str) -> str:
    """Return one hexadecimal digest of ids in their order, different for each `salt`."""
    sha = hashlib.sha256(f"{salt}\n".encode())
    sha.update(np.ascontiguousarray(keys).data)
    return sha.hexdigest()


def find_duplicates(keys: IdArray) -> tuple[RowNumbers, RowNumbers]:
    """Find rows that repeat an earlier row.

    Returns:
        The repeating rows, ascending, and for each the first row with the same id.
    """
    # Sorting rows of 16 bytes is slow, sorting 64-bit numbers is fast. So each row becomes one number: a hash of the
    # id, and in the lowest bits where the row is. After one sort equal ids are neighbours, the earliest row first.
    # Only neighbours of one hash are compared as ids.
    bits = np.uint64(len(keys).bit_length())
    place_mask = (np.uint64(1) << bits) - np.uint64(1)
    ordered = _hash_rows(keys, place_mask)
    ordered.sort()
    follows = np.flatnonzero(_has_hash_of_previous(ordered, place_mask)) + 1
    begins = np.diff(follows, prepend=-1) != 1
    group = np.cumsum(begins) - 1
    firsts = (ordered[follows[begins] - 1] & place_mask).astype(np.int64)
    rows = (ordered[follows] & place_mask).astype(np.int64)
    del ordered
    originals = firsts[group]
    differs = (take_rows(keys, rows) != take_rows(keys, originals)).any(axis=1)
    if differs.any():  # different ids with one hash: a handful of some million
        mixed = np.isin(group, group[differs])
        members = np.sort(np.concatenate((rows[mixed], np.unique(originals[mixed]))))
        found = _first_rows(take_rows(keys, members))
        again = np.flatnonzero(found != np.arange(len(found)))
        rows = np.concatenate((rows[~mixed], members[again]))
        originals = np.concatenate((originals[~mixed], members[found[again]]))
    ascending = np.argsort(rows)
    return rows[ascending], originals[ascending]


def _hash_rows(keys: IdArray, place_mask: np.uint64) -> NDArray[np.uint64]:
    """Return for each row a hash of its id, with the number of the row in the bits of `place_mask`."""
    # Both halves enter the hash: either alone may be the same in many ids.
    halves = np.ascontiguousarray(keys).view(np.uint64)
    hashes = np.empty(len(halves), np.uint64)
    for start in range(0, len(halves), _CACHED_ROWS):
        rows, found = halves[start : start + _CACHED_ROWS], hashes[start : start + _CACHED_ROWS]
        np.multiply(rows[:, 0], _HASH_FACTOR_HIGH, out=found)
        np.bitwise_xor(found, rows[:, 1], out=found)
        np.multiply(found, _HASH_FACTOR_BOTH, out=found)
        np.bitwise_and(found, ~place_mask, out=found)
        np.bitwise_or(found, np.arange(start, start + len(found), dtype=np.uint64), out=found)
    return hashes


def _has_hash_of_previous(ordered: NDArray[np.uint64], place_mask: np.uint64) -> BoolMask:
    """Return for each number but the first whether it differs from the one before in the bits of `place_mask` only."""
    same = np.empty(max(0, len(ordered) - 1), np.bool_)
    for start in range(0, len(same), _CACHED_ROWS):
        numbers = ordered[start : start + _CACHED_ROWS + 1]
        np.less_equal(numbers[1:] ^ numbers[:-1], place_mask, out=same[start : start + _CACHED_ROWS])
    return same


def _first_rows(keys: IdArray) -> RowNumbers:
    """Return for each row the first row equal to it."""
    halves = keys.view(np.uint64)
    order = np.lexsort((halves[:, 1], halves[:, 0]))  # stable: of equal rows the first comes first
    begins = np.concatenate(([True], (np.diff(halves[order], axis=0) != 0).any(axis=1)))
    firsts = np.empty_like(order)
    firsts[order] = order[begins][np.cumsum(begins) - 1]
    return firsts


def unique(keys: IdArray) -> IdArray:
    """Return each id once, at its first position."""
    again, _ = find_duplicates(keys)
    keep = np.ones(len(keys), dtype=np.bool_)
    keep[again] = False
    return take_rows(keys, keep)


def is_in(keys: IdArray, others: IdArray) -> BoolMask:
    """Return for each row of `keys` whether the same id is in `others`."""
    if not len(others):
        return np.zeros(len(keys), dtype=np.bool_)
    # Behind `others`, a row of `keys` that is among them is a duplicate whose first row lies in `others`.
    again, original = find_duplicates(np.concatenate((others, keys)))
    known = len(others)
    mask = np.zeros(len(keys), dtype=np.bool_)
    mask[again[(again >= known) & (original < known)] - known] = True
    return mask
