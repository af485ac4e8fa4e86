"""Unique tokens and idempotency keys: random, or seeded for the sandbox and replay.

The factory is injected like the clock, so that a replay sends the same tokens as its recording.
"""

from __future__ import annotations

import hashlib
import itertools
import secrets
import string
import threading
import uuid
from typing import Protocol

_ALPHABET = string.ascii_lowercase + string.digits


class TokenFactory(Protocol):
    """Protocol for a source of tokens and UUIDs that do not repeat."""

    def token(self, length: int = 8) -> str:
        """Return lower-case letters and digits."""
        ...

    def uuid(self) -> str:
        """Return a random UUID, version 4."""
        ...


class RandomTokenFactory:
    """A token factory that draws from the system's source of randomness."""

    def token(self, length: int = 8) -> str:
        """Return `length` random lower-case letters and digits."""
        return "".join(secrets.choice(_ALPHABET) for _ in range(length))

    def uuid(self) -> str:
        """Return a random UUID."""
        return str(uuid.uuid4())

    def __repr__(self) -> str:
        """Show the class name only."""
        return "<RandomTokenFactory>"


class SeededTokenFactory:
    """A token factory with the same sequence for the same seed; for the sandbox and for replay.

    Args:
        seed: Any text. The same seed gives the same sequence, in every process.
    """

    def __init__(self, seed: str) -> None:
        self.seed = seed
        self._counter = {"token": itertools.count(), "uuid": itertools.count()}
        self._lock = threading.Lock()

    def token(self, length: int = 8) -> str:
        """Return the next `length` letters and digits of the sequence."""
        number = self._digest("token")
        letters = []
        for _ in range(length):
            number, digit = divmod(number, len(_ALPHABET))
            letters.append(_ALPHABET[digit])
        return "".join(letters)

    def uuid(self) -> str:
        """Return the next UUID of the sequence; it has the form of version 4."""
        return str(uuid.UUID(int=self._digest("uuid") >> 384, version=4))

    def _digest(self, kind: str) -> int:
        with self._lock:
            number = next(self._counter[kind])
        return int(hashlib.sha512(f"{self.seed}:{kind}:{number}".encode()).hexdigest(), 16)

    def __repr__(self) -> str:
        """Show the class name only."""
        return "<SeededTokenFactory>"
