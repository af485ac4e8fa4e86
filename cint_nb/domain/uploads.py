"""What is uploaded, as a value that both the file reader and the client understand."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from cint_nb.domain.file_names import safe_name
from cint_nb.domain.ids import EntityType


@dataclass(frozen=True)
class UploadFile:
    """Hold the exact bytes of an upload: one id a line, LF, UTF-8 without byte-order mark, no header.

    Args:
        content: The bytes.
        ids: How many ids they hold.
        entity_type: What the ids identify.
        stem: Beginning of the file name; other characters than `A-Z a-z 0-9 . _ -` become `_`.
    """

    content: bytes
    ids: int
    entity_type: EntityType
    stem: str = "respondents"

    @cached_property
    def sha256(self) -> str:
        """Return the digest of the bytes in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    def file_name(self, token: str) -> str:
        """Return a name by which the exchange's job list can be searched: stem, digest and a token of one attempt."""
        stem = safe_name(self.stem)[:40] or "respondents"
        return f"{stem}.{self.sha256[:8]}-{token}.csv"

    def __repr__(self) -> str:
        """Name counts, never contents."""
        return f"<UploadFile: {self.ids:,} {self.entity_type} ids, {len(self.content):,} bytes>"


class Uploadable(Protocol):
    """Stand for anything that can be turned into an `UploadFile`, such as `Respondents`."""

    def to_upload(self) -> UploadFile:
        """Return the exact bytes to upload."""
        ...
