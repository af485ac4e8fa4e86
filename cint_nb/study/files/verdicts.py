"""The verdict on one line: an id, blank, a header, a duplicate, or malformed and why."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from numbers import Number
from typing import Any

from cint_nb.domain import ids
from cint_nb.domain.errors import RespondentFileError


class Verdict(StrEnum):
    """The verdict on a line of the source; every line has exactly one."""

    USABLE = "usable"
    DUPLICATE = "duplicate"
    MALFORMED = "malformed"
    BLANK = "blank"
    HEADER = "header"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class JudgedLine:
    """A line of a table whose verdict is known from its row: a header, hidden, or malformed for a stated reason."""

    verdict: Verdict
    text: str | None = None
    reason: str | None = None


class MalformedReason(StrEnum):
    """Why a line is malformed."""

    MASKED = "a masked ID: only whole ones name somebody"
    TEMPLATE = "unfilled template text, such as [%RECONTACT_RSID%]"
    EMAIL = "an e-mail address"
    MARKUP = "HTML"
    FORMULA = "a spreadsheet formula"
    SPREADSHEET = "a number or a date, damaged by a spreadsheet"
    SEVERAL = "more than one value on the line"
    WITHIN = "an ID with other text around it"
    DASHES = "wrong or missing dashes"
    LENGTH = "wrong length: an ID has 36 characters"
    CHARACTERS = "characters other than 0–9, a–f and dashes"


_INVISIBLE = dict.fromkeys(
    map(
        ord,
        "\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff",
    )
)
_WRAPPING = "\x1a\"'`{}<>()[],;\u00ab\u00bb\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2039\u203a"
_TEXT_FORMULA = re.compile(r'\s*=\s*"([^"]*)"\s*')  # a formula that keeps a spreadsheet from changing a text

_TEMPLATE = re.compile(r"\[%.*%\]|%5b%25|\{\{.*\}\}|\$\{.*\}|<<.*>>|\[[a-z_]+\]|recontact_rsid", re.IGNORECASE)
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_MARKUP = re.compile(r"</?[a-z!][^>]*>|<[a-z!]", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?(e[+-]?\d+)?|[+-]?\d+([.,]\d+)?e[+-]?\d+", re.IGNORECASE)
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ t]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?|#[a-z/]+[!?]?", re.IGNORECASE)
_DASH = re.compile("[-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d_. ]")
_HEX32 = re.compile(r"[0-9a-f]{32}")
_ID_APART = re.compile(rf"(?<![0-9a-z])(?:{ids.UUID_PATTERN.pattern})(?![0-9a-z])", re.ASCII)
_ID_INSIDE = re.compile(ids.UUID_PATTERN.pattern, re.ASCII | re.IGNORECASE)


def normalise_line(text: str) -> str:
    """Return `text` in the form in which ids are compared: no invisible characters, no wrapping, lower case.

    Stricter than `domain.ids.normalise_id`, which it uses: invisible characters are removed anywhere, quotation marks
    of other languages are removed at the ends, and the text is taken out of `="…"`, a spreadsheet's way to keep it.
    """
    if "=" in text and (opened := _TEXT_FORMULA.fullmatch(text)):
        text = opened[1]
    if not text.isascii():  # no invisible character is one of ASCII's, and `translate` takes longer than all the rest
        text = text.translate(_INVISIBLE)
    while True:
        shorter = ids.normalise_id(text.strip().strip(_WRAPPING))
        if shorter == text:
            return text
        text = shorter


def is_id(text: str) -> bool:
    """Return whether a text is a respondent id in any spelling; one that is too short is not looked at further."""
    return len(text) >= 36 and (ids.is_respondent_id(text) or ids.is_respondent_id(normalise_line(text)))


def cell_text(value: Any) -> str:
    """Return a cell of a table, a list or a workbook as text; missing values become empty.

    Numbers and dates become text too: a spreadsheet that converted an id has damaged it, and the verdict shows that.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, Number | date):
        return "" if value != value else str(value)  # only NaN and NaT differ from themselves
    try:
        text = str(value)
    except Exception:  # noqa: BLE001 - any object may stand in a list, one that cannot be shown too
        return f"({type(value).__name__})"
    return "" if text in {"NaT", "<NA>", "nan"} else text


def raise_if_masked(texts: Iterable[str], what: str) -> None:
    """Raise if any of the texts is a masked id: nothing can be looked up or joined by one."""
    if count := sum(map(ids.is_masked, texts)):
        raise RespondentFileError(
            f"{count:,} of the {what} are masked, so that it is not known whom they name.",
            next_step="use whole IDs: what shows masked ones also gives them, with reveal=True.",
        )


def contains_id(text: str) -> bool:
    """Return whether a text contains an id."""
    return _ID_INSIDE.search(text) is not None


def malformed_reason(text: str) -> MalformedReason:
    """Return why a text is not a respondent id. `text` is a line as it is in the source."""
    if _TEMPLATE.search(text):
        return MalformedReason.TEMPLATE
    plain = normalise_line(text)
    if ids.is_masked(plain):
        return MalformedReason.MASKED
    if _EMAIL.search(plain):
        return MalformedReason.EMAIL
    if text.lstrip(" \t\"'").startswith(("=", "@", "+")):
        return MalformedReason.FORMULA
    if _MARKUP.search(text):
        return MalformedReason.MARKUP
    if _NUMBER.fullmatch(plain) or _DATE.fullmatch(plain):
        return MalformedReason.SPREADSHEET
    return _uuid_problem(plain)


def _uuid_problem(plain: str) -> MalformedReason:
    found = _ID_INSIDE.findall(plain)
    if len(found) > 1 or (found and re.search(r"[\s,;|]", plain)):
        return MalformedReason.SEVERAL
    if _ID_APART.search(plain) and plain.isprintable():
        return MalformedReason.WITHIN
    if _HEX32.fullmatch(_DASH.sub("", plain)):
        return MalformedReason.DASHES
    if len(plain) == 36:
        return MalformedReason.CHARACTERS
    if len(re.split(r"[,;|\t]", plain)) > 1:
        return MalformedReason.SEVERAL
    return MalformedReason.LENGTH
