"""How a wave is recognised on the exchange by anybody who has its project, name and list, without any journal.

Nothing here is random: a second machine, or this one without its journal, derives the same reference, file names and
idempotency keys, and so finds what exists instead of creating it a second time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any
from uuid import UUID

from cint_nb.domain.ids import normalise_name
from cint_nb.study.files.respondents import Respondents

_PREFIX = "cint-nb-"
_UPLOAD_NAME = re.compile(
    r"(?P<reference>cint-nb-[0-9a-f]{24})\.(?P<list_hash>[0-9a-f]{16})\.b(?P<batch>\d{1,4})\.c(?P<cycle>\d{1,6})\.csv"
)


def group_reference(account_id: int | None, project_id: str, wave_name: str) -> str:
    """Return the reference number of a wave's target group: it depends on account, project and name, nothing else."""
    return _PREFIX + _digest(12, account_id, project_id, normalise_name(wave_name))


def idempotency_key(
    account_id: int | None,
    operation: str,
    subject: str,
    body: Mapping[str, Any],
    *,
    cycle: int = 0,
    attempt: int = 0,
) -> str:
    """Return the idempotency key of a request, in UUID form.

    The same request has the same key wherever it is sent from, so that a repetition never acts twice.

    Args:
        account_id: Cint account.
        operation: What the request does.
        subject: The target group's id, or the project's name.
        body: The request's body: a key is valid for one body only.
        cycle: How often the group was emptied and filled again.
        attempt: How many jobs of this request have finally failed.
    """
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    digest = bytes.fromhex(_digest(16, account_id, operation, subject, canonical, cycle, attempt))
    return str(UUID(bytes=digest, version=4))


def id_digest(identifier: str) -> str:
    """Return the digest by which the journal knows a respondent id again without holding it."""
    return blake2b(identifier.encode(), digest_size=10, person=b"cint_nb").hexdigest()


@dataclass(frozen=True)
class UploadName:
    """The name of an uploaded file, by which any machine recognises it.

    Args:
        reference: `group_reference` of the wave.
        list_hash: One of `list_hashes` of the wave's whole list, also for a resubmission.
        batch: 0 for the list, 1 and up for resubmissions.
        cycle: How often the group was emptied and filled again.
    """

    reference: str
    list_hash: str
    batch: int
    cycle: int

    def __str__(self) -> str:
        """Return the file name."""
        return f"{self.reference}.{self.list_hash}.b{self.batch}.c{self.cycle}.csv"

    @classmethod
    def parse(cls, file_name: str) -> UploadName | None:
        """Parse a file name; None if no wave gave it."""
        found = _UPLOAD_NAME.fullmatch(file_name)
        if found is None:
            return None
        return cls(found["reference"], found["list_hash"], int(found["batch"]), int(found["cycle"]))


def list_hashes(respondents: Respondents) -> tuple[str, str]:
    """Return what file names carry of a list: the same people, in any order, and as earlier versions named them."""
    return _digest(8, respondents.people_hash), _digest(8, respondents.content_hash)


def _digest(size: int, *parts: object) -> str:
    text = "\0".join(map(str, parts))
    return blake2b(text.encode(), digest_size=size, person=b"cint_nb").hexdigest()
