"""Scrubbing of recordings: ids replaced, everything off the allowlist removed.

Ids of respondents are replaced in the order they appear, so that a recording confirms nobody's part in a study.
Ids of staff and objects are replaced by value, so that the same constant in a notebook finds its response again.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from base64 import b32encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from cint_nb.domain.ids import UUID_PATTERN, is_synthetic, normalise_id, replace_ids, synthetic_id
from cint_nb.domain.limits import RECONTACT_TEMPLATE_ID
from cint_nb.wire.recording.allowlist import (
    ALLOWED_COLUMNS,
    ALLOWED_FIELDS,
    ALLOWED_HEADERS,
    CURSOR_FIELDS,
    CURSOR_PARAMS,
    INVENTED_COLUMNS,
    OWN_ACCOUNT_LISTS,
    PERSONAL_FIELDS,
    PUBLIC_IDS,
    STAFF_FIELDS,
)
from cint_nb.wire.settings import SANDBOX_ACCOUNT

REMOVED = "removed"
_UUID = re.compile(
    r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|(?<![0-9a-fA-F])[0-9a-fA-F]{32}(?![0-9a-fA-F])"
)
_CHANGE = re.compile(r"([0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}),(\d{1,4})")
"""A line of a reconciliation: a respondent id and a reason code."""
_DASHED = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_ULID = re.compile(r"(?<![0-9A-Za-z])[0-9A-Z]{26}(?![0-9A-Za-z])")
_EMAIL = re.compile(r"[^\s@<>()\"',;:/?=&]+(?:@|%40)[^\s@<>()\"',;:/?=&]+")
_SECRET = re.compile(r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*|(?i:\b(?:bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,})")
_URL = re.compile(r"https?://[^\s\"'<>]+")
_VARIABLE = re.compile(r"(?:\[%\w+%\])+")
_ACCOUNT = re.compile(r"(?<=/accounts/)\d+")
_OUR_CURSOR = re.compile(r"cursor-(?:in-)?\d+")
_FIELD_NAME = re.compile(r"[A-Za-z_]{1,60}", re.ASCII)
_ULID_MARK = "00SYNTH"
_HEX = re.compile(r"[0-9a-fA-F]+")
_PLAIN_HEX = re.compile(r"[0-9a-fA-F]{16,31}")
"""A digest, such as that of a list in the name of its upload, or half an id: that only its other half can tell."""
_ALLOWED_HOSTS = re.compile(
    r"(?:.+\.)?(?:invalid|example|test|localhost)|(?:.+\.)?example\.(?:com|net|org)|127\.0\.0\.1"
)


class Scrubber:
    """Scrubber of one recording, which replaces ids in the same way when recording and when replaying.

    Args:
        seed: Seed of the recording; other seeds give other replacements.
        source: `sandbox`, whose objects keep their ids because they are synthetic, or `live`.
    """

    def __init__(self, seed: str, source: str) -> None:
        self._seed = f"recording:{seed}"
        self._live = source == "live"
        self._columns = ALLOWED_COLUMNS if self._live else ALLOWED_COLUMNS | INVENTED_COLUMNS
        self._respondents: dict[str, str] = {}
        self._objects: dict[str, str] = {}
        self._originals: dict[str, str] = {}
        self._halves: set[str] = set()
        self._counts = {"uploaded": 0, "read": 0}
        self._cursors: dict[str, str] = {}

    def scrub_path(self, path: str) -> str:
        """Return the path of a request without version, account and real ids."""
        path = _ACCOUNT.sub(str(SANDBOX_ACCOUNT), re.sub(r"^/v\d+(?=/)", "", path))
        return "/".join(self.scrub_text(part, in_request=True) for part in path.split("/"))

    def scrub_query(self, pairs: list[tuple[str, str]]) -> list[list[str]]:
        """Return the query, sorted by name, with its cursors and ids replaced."""
        return [
            [
                name,
                self._cursor(value, "in-")
                if name in CURSOR_PARAMS and value
                else self.scrub_text(value, in_request=True),
            ]
            for name, value in sorted(pairs)
        ]

    def scrub_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the allowed headers."""
        kept = {name: headers[name] for name in ALLOWED_HEADERS if name in headers}
        if "location" in kept:
            kept["location"] = self.scrub_path(urlsplit(kept["location"]).path)
        # A trace id identifies a request, not a person, so its 32 hexadecimal digits must not be taken for an id.
        return {name: value if name == "traceparent" else self.scrub_text(value) for name, value in kept.items()}

    def scrub_value(self, value: Any, field: str | None = "data", *, in_request: bool = False) -> Any:
        """Return a JSON value with ids replaced and everything off the allowlist blanked.

        Args:
            value: As parsed.
            field: The field it belongs to; items of a list belong to the list's field. None is on no allowlist.
            in_request: Whether it is part of a request, whose ids come from a notebook or earlier responses.
        """
        if field not in ALLOWED_FIELDS:
            return _blanked(value)
        if isinstance(value, dict):
            person = not PERSONAL_FIELDS.isdisjoint(value)
            return {
                self.scrub_text(name): self.scrub_value(
                    item, None if person and name not in STAFF_FIELDS else name, in_request=in_request
                )
                for name, item in value.items()
            }
        if self._live and field in OWN_ACCOUNT_LISTS and isinstance(value, list):
            value = [
                _anonymise_account(item, number if field == "accounts" else None) for number, item in enumerate(value)
            ]
        if isinstance(value, list):
            return [self.scrub_value(item, field, in_request=in_request) for item in value]
        if isinstance(value, str):
            if field in CURSOR_FIELDS and value.strip():
                return self._cursor(value, "")
            return self.scrub_text(value, field, in_request=in_request)
        if field == "account_id" and isinstance(value, int):
            return SANDBOX_ACCOUNT
        return value

    def scrub_text(self, text: str, field: str | None = None, *, in_request: bool = False) -> str:
        """Return a text with its ids, URLs, e-mail addresses and secrets replaced."""
        text = _SECRET.sub(REMOVED, text)
        text = _URL.sub(lambda found: _scrub_survey_url(found[0]), text)
        if "@" in text or "%40" in text:
            text = _EMAIL.sub(REMOVED, text)
        is_object = in_request or field in STAFF_FIELDS
        text = _UUID.sub(lambda found: self._uuid(found[0], is_object=is_object, in_request=in_request), text)
        text = replace_ids(text, self._other_spelling)
        return _ULID.sub(lambda found: self._ulid(found[0]), text)

    def describe_upload(self, name: str, content: bytes) -> dict[str, Any]:
        """Describe an uploaded file without keeping it: name, lines, digest of its lines with replaced ids."""
        lines = [self._line(line) for line in content.decode("utf-8", "replace").splitlines()]
        digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        return {"name": self.scrub_text(name), "lines": len(lines), "sha256": digest}

    def scrub_table(self, text: str) -> str:
        """Return a file of ids, or a report, with ids replaced and columns off the allowlist blanked."""
        first = text.partition("\n")[0]
        separator = next((mark for mark in "\t;," if mark in first), None)
        if separator is None or _CHANGE.fullmatch(first.rstrip("\r")):
            lines = text.splitlines(keepends=True)
            named = bool(lines) and _column(lines[0]) in ALLOWED_COLUMNS
            rest = (self._line(line.rstrip("\r\n"), "read") + _line_ending(line) for line in lines[named:])
            return "".join((*lines[:named], *rest))
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
        kept = [_column(name) in self._columns for name in rows[0]]
        written = io.StringIO(newline="")
        writer = csv.writer(written, delimiter=separator, lineterminator=_line_ending(first + "\n"))
        for row in rows:
            is_aligned = len(row) == len(kept)  # otherwise the column of a cell is unknown
            writer.writerow(
                self.scrub_text(cell) if is_aligned and keep else REMOVED for cell, keep in zip(row, kept, strict=False)
            )
        return written.getvalue()

    def restore_ids(self, text: str) -> str:
        """Restore the real ids in a replayed text, as far as this process has uploaded them itself."""
        if not self._originals:
            return text
        return _DASHED.sub(lambda found: self._originals.get(found[0].lower(), found[0]), text)

    def _line(self, line: str, origin: str = "uploaded") -> str:
        if change := _CHANGE.fullmatch(line):
            return f"{self._line(change[1], origin)},{change[2]}"
        bare = normalise_id(line)
        if not bare:
            return ""
        if UUID_PATTERN.fullmatch(bare) is None:
            return "?"
        return bare if is_synthetic(bare) else self._respondent(bare, origin)

    def _other_spelling(self, text: str) -> str:
        """Remove an id that is encoded, spaced or cut in two: its replacement could not be found again in a replay."""
        if _PLAIN_HEX.fullmatch(text):
            return REMOVED if text.lower() in self._halves else text
        return text if _is_public(text) else REMOVED

    def _uuid(self, text: str, *, is_object: bool, in_request: bool) -> str:
        bare = text.lower()
        if "-" not in bare:
            bare = "-".join((bare[:8], bare[8:12], bare[12:16], bare[16:20], bare[20:]))
        if is_synthetic(bare) or bare in PUBLIC_IDS:
            return text
        if in_request and bare not in self._objects and bare in self._respondents:
            is_object = False
        replaced = self._object_id(bare) if is_object else self._respondent(bare, "read")
        return replaced.upper() if text.isupper() else replaced

    def _object_id(self, bare: str) -> str:
        self._note_halves(bare)
        return self._objects.setdefault(bare, synthetic_id(f"{self._seed}:{bare}", 0))

    def _note_halves(self, bare: str) -> None:
        digits = bare.replace("-", "")
        self._halves |= {digits[:16], digits[16:]}

    def _respondent(self, bare: str, origin: str) -> str:
        if is_synthetic(bare) or bare in PUBLIC_IDS:
            return bare
        if bare not in self._respondents:
            replaced = synthetic_id(f"{self._seed}:{origin}", self._counts[origin])
            self._counts[origin] += 1
            self._respondents[bare] = replaced
            self._note_halves(bare)
            self._originals[replaced] = bare
        return self._respondents[bare]

    def _ulid(self, text: str) -> str:
        if not self._live or text.startswith(_ULID_MARK) or text == RECONTACT_TEMPLATE_ID:
            return text
        digest = hashlib.sha256(f"{self._seed}:{text}".encode()).digest()
        return _ULID_MARK + b32encode(digest).decode()[: 26 - len(_ULID_MARK)]

    def _cursor(self, cursor: str, kind: str) -> str:
        """Replace a cursor: its text is opaque and may contain a respondent id."""
        if _OUR_CURSOR.fullmatch(cursor):
            return cursor
        return self._cursors.setdefault(cursor, f"cursor-{kind}{len(self._cursors) + 1}")


def _is_public(text: str) -> bool:
    """Return whether an id, with dashes or without, is one of ours or one that everybody knows."""
    bare = text.lower().replace("-", "")
    dashed = "-".join((bare[:8], bare[8:12], bare[12:16], bare[16:20], bare[20:]))
    return len(bare) == 32 and (is_synthetic(dashed) or dashed in PUBLIC_IDS)


def _blanked(value: Any) -> Any:
    """Return a JSON value of the same structure without its content."""
    if isinstance(value, dict):
        return {name if _FIELD_NAME.fullmatch(name) else REMOVED: _blanked(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_blanked(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    return REMOVED if isinstance(value, str) else 0


def _anonymise_account(item: Any, account: int | None) -> Any:
    """Remove the name of the user's own account or business unit, and replace the account number."""
    if not isinstance(item, dict):
        return item
    numbered = {} if account is None else {"id": SANDBOX_ACCOUNT + account}
    return item | {name: text for name, text in (numbered | {"name": REMOVED}).items() if name in item}


def _column(name: str) -> str:
    return re.sub(r"\W+", "_", name.lower()).strip("_")


def _line_ending(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def _scrub_survey_url(url: str) -> str:
    """Return a survey URL with its host, path and values replaced, except for Cint's own variables."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return REMOVED
    if _ALLOWED_HOSTS.fullmatch(host) and not parts.username:
        return url
    pairs = [pair.partition("=") for pair in parts.query.split("&") if pair]
    query = "&".join(f"{name}={value if _VARIABLE.fullmatch(value) else 'x'}" for name, _, value in pairs)
    return "https://survey.invalid/" + (f"?{query}" if query else "")


def find_leaks(text: str) -> list[str]:
    """Return what a text contains that a recording must not: e-mail addresses, tokens, secrets, real ids.

    A second, independent check after `Scrubber`; also for tests of existing recordings.
    """
    found = []
    if re.search(r"[\w.+-]+(?:@|%40)[\w-]+\.\w", text):
        found.append("an e-mail address")
    if re.search(r"eyJ[\w-]{8,}\.|(?i:bearer [\w.-]{6,})|access_token|client_secret|(?i:\"authorization\")", text):
        found.append("a token or secret")
    ids: list[str] = []

    def note(one: str) -> str:
        ids.append(one)
        return one

    replace_ids(text, note)
    # Hexadecimal digits alone may be a trace id, or a digest in a name.
    if any(not _is_public(one) and not _HEX.fullmatch(one) for one in ids):
        found.append("an id that is not synthetic")
    return found


def canonical_json(value: Any) -> str:
    """Return a JSON value as text in the one form in which equal values are equal texts."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
