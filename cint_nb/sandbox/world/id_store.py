"""Respondent ids stored as 16-byte values: 100,000 of them take 1.6 MB, and a page is read in microseconds."""

from __future__ import annotations

ID_BYTES = 16


def to_uuid_text(key: bytes) -> str:
    """Return a 16-byte value as a lower-case UUID."""
    text = key.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def to_id_bytes(text: str) -> bytes:
    """Return the 16 bytes of a UUID with dashes."""
    return bytes.fromhex(text.replace("-", ""))


class IdStore:
    """Ids in the order they were saved.

    Positions are absolute: they count from the first id ever saved, so that a cursor stays valid while ids are added
    at the end or removed at the start.
    """

    __slots__ = ("_bytes", "first")

    def __init__(self) -> None:
        self._bytes = bytearray()
        self.first = 0

    def __len__(self) -> int:
        """Return the number of ids."""
        return len(self._bytes) // ID_BYTES

    def __repr__(self) -> str:
        """Show the number of ids, never the ids."""
        return f"<IdStore: {len(self):,} ids>"

    @property
    def end(self) -> int:
        """The position after the last id."""
        return self.first + len(self)

    def extend(self, data: bytes | bytearray | memoryview) -> None:
        """Add 16-byte values at the end."""
        self._bytes += data

    def drop(self, count: int) -> None:
        """Remove ids at the start."""
        count = min(count, len(self))
        del self._bytes[: count * ID_BYTES]
        self.first += count

    def keys(self) -> list[bytes]:
        """Return the 16-byte values in order."""
        data = bytes(self._bytes)
        return [data[at : at + ID_BYTES] for at in range(0, len(data), ID_BYTES)]

    def page(self, position: int, count: int) -> list[str]:
        """Return up to `count` ids from an absolute position as lower-case UUIDs."""
        begin = max(0, position - self.first) * ID_BYTES
        text = self._bytes[begin : begin + max(0, count) * ID_BYTES].hex()
        return [
            f"{text[at : at + 8]}-{text[at + 8 : at + 12]}-{text[at + 12 : at + 16]}"
            f"-{text[at + 16 : at + 20]}-{text[at + 20 : at + 32]}"
            for at in range(0, len(text), 32)
        ]
