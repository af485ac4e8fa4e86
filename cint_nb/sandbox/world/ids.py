"""Ids that the sandbox creates: the same seed and order give the same ids, so that recordings are reproducible.

A respondent id and a response id look alike. Those that the sandbox makes carry their kind in their last four bytes, as
a checksum that nobody sees in them, so that it knows one sent for the other at once, in a list of any length.
"""

from __future__ import annotations

import hashlib
import zlib
from datetime import datetime, timedelta

from cint_nb.domain.ids import EntityType, synthetic_id
from cint_nb.sandbox.world.id_store import to_id_bytes, to_uuid_text

_MADE_UP = to_id_bytes(synthetic_id("", 0))[6:10]
_KIND_CODES = {EntityType.RSID: 0x52534944, EntityType.RID: 0x00524944}
_KINDS = {code: kind for kind, code in _KIND_CODES.items()}
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READABLE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def random_part(ulid: str) -> str:
    """Return a ULID without its time, the first ten characters: draws from it do not change a second later."""
    return ulid[10:]


def made_up_id(kind: EntityType, name: str, number: int) -> str:
    """Create the `number`-th id of a name, which carries its kind: the same arguments give the same id, always."""
    return to_uuid_text(made_up_key(kind, name, number))


def made_up_key(kind: EntityType, name: str, number: int) -> bytes:
    """Return the 16 bytes of the `number`-th id of a name: those of `synthetic_id`, but for the last four."""
    return carry_kind(kind, hashlib.sha256(f"{name}:{number}".encode()).digest()[:8])


def carry_kind(kind: EntityType, payload: bytes) -> bytes:
    """Return the 16 bytes of the made-up id that carries its kind and 8 bytes of anything else."""
    rest = payload[:6] + _MADE_UP + payload[6:]
    return rest + (zlib.crc32(rest) ^ _KIND_CODES[kind]).to_bytes(4)


def payload_of(key: bytes) -> bytes:
    """Return the 8 bytes that a made-up id carries beside its kind."""
    return key[:6] + key[10:12]


def kind_of(key: bytes) -> EntityType | None:
    """Return the kind of an id; None for one from elsewhere, which may be of either."""
    if key[6:10] != _MADE_UP:
        return None
    return _KINDS.get(zlib.crc32(key[:12]) ^ int.from_bytes(key[12:]))


def is_of_kind(key: bytes, kind: EntityType) -> bool:
    """Return whether an id may be of a kind."""
    return kind_of(key) in (None, kind)


class IdFactory:
    """The factory of ULIDs and UUIDs, from a seed, a counter and the sandbox's time.

    Args:
        seed: The sandbox's seed, or a text made of it.
        start: Moment at which virtual time is 0.
    """

    def __init__(self, seed: int | str, start: datetime) -> None:
        self.seed = seed
        self.start = start
        self.id_count = 0
        self.requests = 0

    def ulid(self, t: float) -> str:
        """Create the next ULID."""
        self.id_count += 1
        # The counter follows the time directly: ids created within one millisecond still sort by their order.
        return self._ulid(t, self.id_count.to_bytes(3) + self._digest(f"ulid:{self.id_count}")[:7])

    def ulid_for(self, name: str, t: float) -> str:
        """Create the ULID of a name, without the counter: it does not depend on the order of events."""
        return self._ulid(t, self._digest(f"ulid:{name}")[:10])

    def uuid(self, name: str) -> str:
        """Create the version-4 UUID of a name."""
        digest = bytearray(self._digest(f"uuid:{name}")[:16])
        digest[6] = digest[6] & 0x0F | 0x40
        digest[8] = digest[8] & 0x3F | 0x80
        text = digest.hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def human_readable_id(self, name: str, length: int) -> str:
        """Create a short human-readable id, such as `P7K2QX`."""
        return "".join(_READABLE_ALPHABET[byte % 32] for byte in self._digest(f"readable:{name}")[:length])

    def traceparent(self) -> str:
        """Create the `traceparent` of the next request."""
        self.requests += 1
        text = self._digest(f"request:{self.requests}").hex()
        return f"00-{text[:32]}-{text[32:48]}-01"

    def error_id(self) -> str:
        """Create the id of an error response to the current request."""
        return self.uuid(f"request:{self.requests}")

    def draw(self, name: str) -> float:
        """Draw a number from 0 to below 1 for a name."""
        return int.from_bytes(self._digest(f"share:{name}")[:7]) / 2**56

    def _ulid(self, t: float, tail: bytes) -> str:
        moment = self.start + timedelta(seconds=t)
        value = (round(moment.timestamp() * 1000) << 80) | int.from_bytes(tail)
        return "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(125, -5, -5))

    def _digest(self, name: str) -> bytes:
        return hashlib.sha256(f"{self.seed}:{name}".encode()).digest()
