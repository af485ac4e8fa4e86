"""Arrays of ids as rows of 16 bytes, six times smaller than strings.

An id is a UUID: 128 bits, written as 36 characters. As 16 bytes it takes a sixth of the memory of a Python string,
and numpy sorts, compares and selects millions of them without a loop in Python. Form and case are settled before an
id becomes a row, so comparing rows is comparing ids.
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
from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.files import ID_LINE_BYTES

IdArray: TypeAlias = NDArray[np.uint8]
"""Shape (n, 16): one id per row, in source order."""
RowNumbers: TypeAlias = NDArray[np.int64]
BoolMask: TypeAlias = NDArray[np.bool_]

HEX = b"0123456789abcdefABCDEF"
BYTE_CLASSES = bytes(0x68 if byte in HEX else 0 if byte == 0x68 else byte for byte in range(256))
"""Translation table: every hex digit becomes h, an h becomes 0, other bytes stay. The form of a whole block of lines
can then be compared with a pattern by one `startswith`, at the speed of memory; a regex would match line by line."""
ID_PATTERN = b"hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh"
LINE_BYTES = ID_LINE_BYTES
_BATCH = 4_096  # texts joined and checked at once; more saves no time, and the pattern stays small
_BATCH_PATTERN = (ID_PATTERN + b"\n") * _BATCH
# Odd factors of well-known 64-bit hashes: multiplying by an odd number loses nothing and carries low bits upwards.
_HASH_FACTOR_HIGH = np.uint64(0x9E3779B97F4A7C15)
_HASH_FACTOR_BOTH = np.uint64(0xD1B54A32D192ED03)
_BUCKET_BITS = 22  # a table of 4 MB: larger ones leave the processor's cache, and each look-up becomes a miss
_ROWS = 1 << 20  # rows per step, so that temporary arrays stay at some MB however long the list is
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


def in_order(keys: IdArray) -> IdArray:
    """Return the rows sorted, so that the same ids are the same rows."""
    return np.sort(np.ascontiguousarray(keys).view("S16").ravel()).view(np.uint8).reshape(-1, 16)


def take_rows(keys: IdArray, chosen: BoolMask | RowNumbers) -> IdArray:
    """Return the chosen rows."""
    # Seen as one element of 16 bytes, a row is copied as one piece: ten times as fast as byte by byte.
    whole = np.ascontiguousarray(keys).view("V16").ravel()
    return whole[chosen].view(np.uint8).reshape(-1, 16)


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
        # text is judged alone, which takes seven times as long. The length rules out texts that contain line ends.
        if len(block) == LINE_BYTES * len(batch) and _BATCH_PATTERN.startswith(block.translate(BYTE_CLASSES)):
            buffer += unhexlify(block.translate(None, b"-\n"))
        else:
            good = (text for text in map(ids.normalise_id, batch) if ids.is_respondent_id(text))
            buffer += unhexlify("".join(good).replace("-", ""))
    return from_buffer(buffer)


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
    # Sorting rows of 16 bytes is slow, sorting 64-bit numbers is fast. So each id is hashed to one number; equal ids
    # have equal numbers, and a number that occurs once settles that its id is unique. Only the few rows whose number
    # may occur twice are compared as ids. Both halves enter the hash: either alone may be the same in many ids.
    halves = np.ascontiguousarray(keys).view(np.uint64)
    hashes = halves[:, 0] * _HASH_FACTOR_HIGH
    hashes ^= halves[:, 1]
    hashes *= _HASH_FACTOR_BOTH
    ordered = np.sort(hashes)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    del ordered  # 80 MB for ten million ids, not needed while the rows below are gathered
    if not len(twice):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    candidates = _candidate_duplicates(hashes, twice)
    firsts = _first_rows(take_rows(keys, candidates), hashes[candidates])
    repeats = np.flatnonzero(firsts != np.arange(len(firsts)))
    return candidates[repeats], candidates[firsts[repeats]]


def _first_rows(keys: IdArray, hashes: NDArray[np.uint64]) -> RowNumbers:
    """Return for each row the first row equal to it."""
    order = np.argsort(hashes)
    firsts = _spread_minimum(order, np.diff(hashes[order]) != 0)
    # Two different ids may have one hash: then some row differs from its first. Rare enough to sort by the ids then.
    if not np.array_equal(keys, take_rows(keys, firsts)):
        rows = keys.view(np.uint64)
        order = np.lexsort((rows[:, 1], rows[:, 0]))
        firsts = _spread_minimum(order, (np.diff(rows[order], axis=0) != 0).any(axis=1))
    return firsts


def _spread_minimum(order: RowNumbers, changes: BoolMask) -> RowNumbers:
    """Return for every row the smallest row number of its run of equal rows, as `order` has them."""
    # The sort need not be stable: the minimum of each run is its first row, whatever their order within the run.
    begins = np.concatenate(([True], changes))
    smallest = np.minimum.reduceat(order, np.flatnonzero(begins))
    firsts = np.empty_like(order)
    firsts[order] = smallest[np.cumsum(begins) - 1]
    return firsts


def _candidate_duplicates(hashes: NDArray[np.uint64], twice: NDArray[np.uint64]) -> RowNumbers:
    """Return the rows whose hash may occur twice: every such row, and few others."""
    # A table of booleans by the hash's upper bits: marking and looking up are one step per row, where `np.isin` would
    # sort again. Rows that share a bucket by chance are sorted out when ids are compared.
    bits = min(_BUCKET_BITS, len(hashes).bit_length() + 4)
    shift = np.uint64(64 - bits)
    table = np.zeros(1 << bits, dtype=np.bool_)
    table[twice >> shift] = True
    found = [
        np.flatnonzero(table[hashes[start : start + _ROWS] >> shift]) + start for start in range(0, len(hashes), _ROWS)
    ]
    return np.concatenate(found).astype(np.int64)


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
