"""Ids as rows of 16 bytes: a million of them fit where a hundred thousand strings would.

Form and case are settled before an id becomes a key, so comparing keys is comparing ids.
"""

from __future__ import annotations

import hashlib
from binascii import unhexlify
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cint_nb.domain import ids

IdArray: TypeAlias = NDArray[np.uint8]
"""Shape (n, 16): one id a row, in source order."""
RowNumbers: TypeAlias = NDArray[np.int64]
BoolMask: TypeAlias = NDArray[np.bool_]

HEX = b"0123456789abcdefABCDEF"
BYTE_CLASSES = bytes(0x68 if byte in HEX else 0 if byte == 0x68 else byte for byte in range(256))
"""Translates a hex digit into h and leaves what else there is, so that form is compared in one go."""
ID_PATTERN = b"hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh"
LINE_BYTES = 37  # 36 characters and a line feed
_BATCH = 4_096
_BATCH_PATTERN = (ID_PATTERN + b"\n") * _BATCH
_HASH_FACTOR_HIGH = np.uint64(0x9E3779B97F4A7C15)
_HASH_FACTOR_BOTH = np.uint64(0xD1B54A32D192ED03)
_BUCKET_BITS = 22
_ROWS = 1 << 20
_GROUPS = ((0, 8, 0), (8, 12, 9), (12, 16, 14), (16, 20, 19), (20, 32, 24))  # hex from, to, place in the line


def from_buffer(buffer: bytes | bytearray) -> IdArray:
    """View a run of 16-byte keys as rows, without copying."""
    return np.frombuffer(buffer, dtype=np.uint8).reshape(-1, 16)


def take_rows(keys: IdArray, chosen: BoolMask | RowNumbers) -> IdArray:
    """Return the chosen rows, each copied as one piece, which is five times as fast as by bytes."""
    whole = np.ascontiguousarray(keys).view("V16").ravel()
    return whole[chosen].view(np.uint8).reshape(-1, 16)


def from_ids(texts: Iterable[str]) -> IdArray:
    """Turn ids in any spelling into keys; texts that are no ids are left out.

    Args:
        texts: Ids as a list endpoint or a person wrote them. One text alone is one id.
    """
    if isinstance(texts, str):
        texts = (texts,)
    rest, buffer = iter(texts), bytearray()
    while batch := list(islice(rest, _BATCH)):
        block = "\n".join(batch).encode("utf-8", "replace") + b"\n"
        if len(block) == LINE_BYTES * len(batch) and _BATCH_PATTERN.startswith(block.translate(BYTE_CLASSES)):
            buffer += unhexlify(block.translate(None, b"-\n"))
        else:
            good = (text for text in map(ids.normalise_id, batch) if ids.is_respondent_id(text))
            buffer += unhexlify("".join(good).replace("-", ""))
    return from_buffer(buffer)


def to_lines(keys: IdArray) -> bytes:
    """Write keys as the upload format has them: one id a line, lower case, LF, no header."""
    count = len(keys)
    digits = np.frombuffer(keys.tobytes().hex().encode(), dtype=np.uint8).reshape(count, 32)
    page = np.full((count, LINE_BYTES), ord("-"), dtype=np.uint8)
    for start, stop, place in _GROUPS:
        page[:, place : place + stop - start] = digits[:, start:stop]
    page[:, -1] = ord("\n")
    return page.tobytes()


def iter_ids(keys: IdArray) -> Iterator[str]:
    """Iterate over keys as normalised ids."""
    for start in range(0, len(keys), _ROWS):
        yield from to_lines(keys[start : start + _ROWS]).decode("ascii").splitlines()


def digest(keys: IdArray, *, salt: str) -> str:
    """Return one hexadecimal digest of keys in their order, different for each `salt`."""
    sha = hashlib.sha256(f"{salt}\n".encode())
    sha.update(np.ascontiguousarray(keys).data)
    return sha.hexdigest()


def find_duplicates(keys: IdArray) -> tuple[RowNumbers, RowNumbers]:
    """Find rows that repeat an earlier row.

    Returns:
        The repeating rows, ascending, and for each the first row with the same id.
    """
    halves = np.ascontiguousarray(keys).view(np.uint64)
    mixed = halves[:, 0] * _HASH_FACTOR_HIGH
    mixed ^= halves[:, 1]
    mixed *= _HASH_FACTOR_BOTH
    ordered = np.sort(mixed)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    del ordered
    if not len(twice):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    suspects = _candidate_duplicates(mixed, twice)
    firsts = _first_rows(take_rows(keys, suspects), mixed[suspects])
    again = np.flatnonzero(firsts != np.arange(len(firsts)))
    return suspects[again], suspects[firsts[again]]


def _first_rows(keys: IdArray, mixed: NDArray[np.uint64]) -> RowNumbers:
    """Return for each row the first row equal to it."""
    order = np.argsort(mixed)
    firsts = _spread_minimum(order, np.diff(mixed[order]) != 0)
    if not np.array_equal(keys, take_rows(keys, firsts)):  # two ids with one mixed value: rare enough to sort by ids
        rows = keys.view(np.uint64)
        order = np.lexsort((rows[:, 1], rows[:, 0]))
        firsts = _spread_minimum(order, (np.diff(rows[order], axis=0) != 0).any(axis=1))
    return firsts


def _spread_minimum(order: RowNumbers, changes: BoolMask) -> RowNumbers:
    """Give every row of a run of equal rows, as `order` has them, the smallest row number of its run."""
    begins = np.concatenate(([True], changes))
    smallest = np.minimum.reduceat(order, np.flatnonzero(begins))
    firsts = np.empty_like(order)
    firsts[order] = smallest[np.cumsum(begins) - 1]
    return firsts


def _candidate_duplicates(mixed: NDArray[np.uint64], twice: NDArray[np.uint64]) -> RowNumbers:
    """Return the rows whose mixed value may occur twice: every such row, and few others."""
    bits = min(_BUCKET_BITS, len(mixed).bit_length() + 4)
    shift = np.uint64(64 - bits)
    table = np.zeros(1 << bits, dtype=np.bool_)
    table[twice >> shift] = True
    found = [
        np.flatnonzero(table[mixed[start : start + _ROWS] >> shift]) + start for start in range(0, len(mixed), _ROWS)
    ]
    return np.concatenate(found).astype(np.int64)


def unique(keys: IdArray) -> IdArray:
    """Return each id once, where it first stands."""
    again, _ = find_duplicates(keys)
    keep = np.ones(len(keys), dtype=np.bool_)
    keep[again] = False
    return take_rows(keys, keep)


def is_in(keys: IdArray, others: IdArray) -> BoolMask:
    """Return for each row of `keys` whether the same id is in `others`."""
    if not len(others):
        return np.zeros(len(keys), dtype=np.bool_)
    again, original = find_duplicates(np.concatenate((others, keys)))
    known = len(others)
    mask = np.zeros(len(keys), dtype=np.bool_)
    mask[again[(again >= known) & (original < known)] - known] = True
    return mask
