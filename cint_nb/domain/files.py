"""Files sent and received: the exact bytes of an upload, its checks, and safe file names."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from cint_nb.domain import limits
from cint_nb.domain.errors import InputError, RespondentFileError
from cint_nb.domain.ids import EntityType, printable

ID_LINE_BYTES = 37
"""An id in an upload: 36 characters and a line feed."""


@dataclass(frozen=True)
class UploadFile:
    """The exact bytes of an upload: one id per line, LF, UTF-8 without byte-order mark, no header.

    Args:
        content: The bytes.
        id_count: How many ids they contain.
        entity_type: What the ids identify.
        stem: Beginning of the file name; characters other than `A-Z a-z 0-9 . _ -` become `_`.
    """

    content: bytes
    id_count: int
    entity_type: EntityType
    stem: str = "respondents"

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 digest of the bytes in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    def file_name(self, token: str) -> str:
        """Return a name to find the upload by in the exchange's job list: stem, digest and the token of one attempt."""
        stem = safe_file_name(self.stem)[:40] or "respondents"
        return f"{stem}.{self.sha256[:8]}-{token}.csv"

    @printable
    def __repr__(self) -> str:
        """Show counts, never the content."""
        return f"<UploadFile: {self.id_count:,} {self.entity_type} ids, {len(self.content):,} bytes>"


class Uploadable(Protocol):
    """Protocol for anything that can be turned into an `UploadFile`, such as `Respondents`."""

    def to_upload(self) -> UploadFile:
        """Return the exact bytes to upload."""
        ...


@printable
@dataclass(frozen=True, slots=True)
class UploadProblem:
    """Why ids cannot be uploaded as they are.

    Args:
        rule: `hidden`, `no-ids`, `capacity` or `file-size`.
        what: The problem, as a sentence.
        evidence: Known facts.
        fix: The next step.
    """

    rule: str
    what: str
    evidence: Mapping[str, object]
    fix: str


def upload_problems(id_count: int, *, lines: int, hidden: int = 0) -> tuple[UploadProblem, ...]:
    """Return why a list of ids cannot be uploaded to an empty target group; empty if it can.

    The one judge of the limits of the recontact guide, step 2: wherever a list is chosen, shown or sent, it is asked.

    Args:
        id_count: How many usable ids there are.
        lines: How many lines the source has.
        hidden: How many lines are hidden in the source without anybody having said whether they count.
    """
    found = []
    if hidden:
        found.append(
            UploadProblem(
                "hidden",
                f"{hidden:,} lines are hidden in the source, and whether they count has not been said.",
                {"hidden": hidden},
                'read it again: cint.read_respondents(…, hidden="skip") leaves them out, hidden="read" reads them too.',
            )
        )
    if not id_count:
        found.append(
            UploadProblem(
                "no-ids",
                "There is no usable ID to upload.",
                {"lines": lines},
                "check respondents.summary() and respondents.lines() to see why, and correct the file.",
            )
        )
    if id_count > limits.IDS_PER_TARGET_GROUP:
        found.append(
            UploadProblem(
                "capacity",
                f"{id_count:,} IDs exceed the {limits.IDS_PER_TARGET_GROUP:,} of one target group.",
                {"ids": id_count, "limit": limits.IDS_PER_TARGET_GROUP},
                "call respondents.split(100_000) and use one target group for each part, or "
                "respondents.sample(100_000).",
            )
        )
    if id_count * ID_LINE_BYTES >= limits.UPLOAD_MAX_BYTES:
        found.append(
            UploadProblem(
                "file-size",
                "The upload would be 5 MB or larger.",
                {"bytes": id_count * ID_LINE_BYTES},
                "use respondents.split(100_000).",
            )
        )
    return tuple(found)


# Windows opens a device under these names, whatever their extension.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d|conin_|conout_)(?:\.|$)", re.IGNORECASE | re.ASCII)


def safe_file_name(text: str, *, longest: int = 128) -> str:
    """Return a name that no system takes for a hidden file, option, device or other folder; empty if nothing is left.

    Args:
        text: A name, or a path of which the last part counts.
        longest: Highest number of characters kept; the extension stays.
    """
    last = re.split(r"[/\\]", text.strip())[-1]
    name = re.sub(r"[^A-Za-z0-9._-]", "_", last).lstrip(".-").rstrip(".")
    stem, dot, ending = name.rpartition(".")
    if len(name) > longest:
        name = f"{stem[: longest - 10]}.{ending[:9]}" if dot and stem else name[:longest]
    return f"_{name}" if _DEVICE.match(name) else name


def validate_upload(uploadable: UploadFile | Uploadable) -> UploadFile:
    """Return the bytes to upload, or raise if the exchange would reject them.

    Raises:
        InputError: if it cannot be uploaded, such as a path or a list of ids.
        RespondentFileError: if it exceeds a limit; names the limit of the recontact guide, step 2.
    """
    if not isinstance(uploadable, UploadFile) and not hasattr(uploadable, "to_upload"):
        raise InputError(
            f"A {type(uploadable).__name__} cannot be uploaded: it is not known what its IDs identify.",
            next_step="read it first: cint.read_respondents(..., entity_type='RSID') takes a file, a table or a list.",
        )
    upload = uploadable if isinstance(uploadable, UploadFile) else uploadable.to_upload()
    if not upload.id_count or not upload.content.strip():
        raise RespondentFileError(
            "No usable IDs to upload.", next_step="see the summary of the respondents for the causes."
        )
    if upload.id_count > limits.IDS_PER_TARGET_GROUP:
        raise RespondentFileError(
            f"{upload.id_count:,} IDs are more than one target group can hold.",
            evidence={"limit": f"{limits.IDS_PER_TARGET_GROUP:,}"},
            next_step="split the list over several target groups.",
        )
    if len(upload.content) >= limits.UPLOAD_MAX_BYTES:
        raise RespondentFileError(
            f"The file has {len(upload.content):,} bytes; it must have fewer than {limits.UPLOAD_MAX_BYTES:,}.",
            next_step="upload bare IDs, one per line: 100,000 of them are 3.7 MB.",
        )
    return upload
