"""What is uploaded, as a value that both the file reader and the client understand."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from cint_nb.domain import limits
from cint_nb.domain.errors import InputError, RespondentFileError
from cint_nb.domain.ids import EntityType


@dataclass(frozen=True)
class UploadFile:
    """The exact bytes of an upload: one id a line, LF, UTF-8 without byte-order mark, no header.

    Args:
        content: The bytes.
        id_count: How many ids they hold.
        entity_type: What the ids identify.
        stem: Beginning of the file name; other characters than `A-Z a-z 0-9 . _ -` become `_`.
    """

    content: bytes
    id_count: int
    entity_type: EntityType
    stem: str = "respondents"

    @cached_property
    def sha256(self) -> str:
        """Return the digest of the bytes in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    def file_name(self, token: str) -> str:
        """Return a name by which the exchange's job list can be searched: stem, digest and a token of one attempt."""
        stem = safe_file_name(self.stem)[:40] or "respondents"
        return f"{stem}.{self.sha256[:8]}-{token}.csv"

    def __repr__(self) -> str:
        """Show counts, never the content."""
        return f"<UploadFile: {self.id_count:,} {self.entity_type} ids, {len(self.content):,} bytes>"


class Uploadable(Protocol):
    """Protocol for anything that can be turned into an `UploadFile`, such as `Respondents`."""

    def to_upload(self) -> UploadFile:
        """Return the exact bytes to upload."""
        ...


# Windows opens a device under these names, whatever the ending.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d|conin_|conout_)(?:\.|$)", re.IGNORECASE | re.ASCII)


def safe_file_name(text: str, *, longest: int = 128) -> str:
    """Return a name no system takes for a hidden file, an option, a device or another folder; empty if none is left.

    Args:
        text: A name, or a path of which the last step counts.
        longest: Most characters kept; the ending stays.
    """
    last = re.split(r"[/\\]", text.strip())[-1]
    name = re.sub(r"[^A-Za-z0-9._-]", "_", last).lstrip(".-").rstrip(".")
    stem, dot, ending = name.rpartition(".")
    if len(name) > longest:
        name = f"{stem[: longest - 10]}.{ending[:9]}" if dot and stem else name[:longest]
    return f"_{name}" if _DEVICE.match(name) else name


def validate_upload(uploadable: UploadFile | Uploadable) -> UploadFile:
    """Return the bytes to upload, and refuse those that the exchange would refuse.

    Raises:
        InputError: it is nothing that can be uploaded, such as a path or a list of ids.
        RespondentFileError: naming the limit of the recontact guide, step 2.
    """
    if not isinstance(uploadable, UploadFile) and not hasattr(uploadable, "to_upload"):
        raise InputError(
            f"A {type(uploadable).__name__} cannot be uploaded: nobody has said what its ids are.",
            next_step="read it first: read_respondents(..., entity_type='RSID') takes a file, a table or a list.",
        )
    upload = uploadable if isinstance(uploadable, UploadFile) else uploadable.to_upload()
    if not upload.id_count or not upload.content.strip():
        raise RespondentFileError(
            "There is no usable id to upload.", next_step="look at the summary of the respondents for the reasons."
        )
    if upload.id_count > limits.IDS_PER_TARGET_GROUP:
        raise RespondentFileError(
            f"{upload.id_count:,} ids are more than one target group holds.",
            evidence={"limit": f"{limits.IDS_PER_TARGET_GROUP:,}"},
            next_step="split the list over several target groups.",
        )
    if len(upload.content) >= limits.UPLOAD_MAX_BYTES:
        raise RespondentFileError(
            f"The file has {len(upload.content):,} bytes; it must have less than {limits.UPLOAD_MAX_BYTES:,}.",
            next_step="upload bare ids, one a line: 100,000 of them are 3.7 MB.",
        )
    return upload
