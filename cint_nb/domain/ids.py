"""Respondent ids: format, normalisation, masking, and synthetic ids; and other texts: names compared, reprs printed.

RSIDs (one per person) and RIDs (one per visit) are both UUIDs, so that the format alone never shows which is which.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import inspect
import re
import sys
import unicodedata
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Protocol, TypeVar, cast

OwnerT = TypeVar("OwnerT")
PrintableT = TypeVar("PrintableT", bound=Callable[..., Any])

_PLAIN_SIGNS = str.maketrans(
    {"\u00b7": "-", "\u2013": "-", "\u2022": "*", "\u2026": "...", "\u2192": "->", "\u201c": '"', "\u201d": '"'}
)
_MASK = "\u2022" * 4
_MASKED = re.compile("[\u2022*]{3,}")
"""What masking leaves, here or in the exchange's portal: an id has neither sign."""
UUID_PATTERN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
HEX = b"0123456789abcdefABCDEF"
BYTE_CLASSES = bytes(0x68 if byte in HEX else 0 if byte == 0x68 else byte for byte in range(256))
"""Translation table: every hex digit becomes h, an h becomes 0, other bytes stay. The form of a whole block of lines
can then be compared with a pattern at once, at the speed of memory; a regex would match line by line."""
ID_PATTERN = b"hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh"
_HALF_DASH = r"(?:[-_\u2010-\u2015\u2212]|[%_](?:25)*2d)"
_DASH = r"(?:[%_](?:25)*2d|[\W_]){1,3}"
"""A dash may have become any other sign on the way, or a space, or have been encoded, even twice."""
_FIRST_HALF = rf"[0-9a-f]{{8}}(?:{_HALF_DASH}[0-9a-f]{{4}}){{1,3}}"
_SECOND_HALF = rf"(?:[0-9a-f]{{4}}{_HALF_DASH}){{1,3}}[0-9a-f]{{12}}"
"""Half an id has a letter: a date and a time, or a number in groups, has none."""
_UUID_IN_TEXT = re.compile(
    rf"""
    [0-9a-f]{{8}}{_DASH}(?:[0-9a-f]{{4}}{_DASH}){{3}}[0-9a-f]{{12}}
    | [0-9a-f]{{32,}}  # glued to a word of such letters, perhaps
    | (?<![0-9a-z])(?:[0-9a-f]{{1,2}}[ :._-]){{15,31}}[0-9a-f]{{1,2}}(?![0-9a-z])
    | (?<![0-9a-z])(?=[^a-f]{{0,20}}[a-f]){_FIRST_HALF}(?![0-9a-z])
    | (?<![0-9a-z])(?=[^a-f]{{0,20}}[a-f]){_SECOND_HALF}(?![0-9a-z])
    | (?<![0-9a-z])(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{{16,31}}(?![0-9a-z])
    """,
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{22,64}={0,2}(?![A-Za-z0-9+/=_-])", re.ASCII)
_BASE64_PART = re.compile(r"[A-Za-z0-9]{22,64}", re.ASCII)
_BASE64_DIGEST = 22
"""Characters of sixteen bytes in base64, without padding."""
_EMAIL = re.compile(r"(?<![^\s@<>()\"'])(?=((?:[^\s@<>()\"'%]|%(?!40))+))\1(?:@|%40)[^\s@<>()\"']+")
"""From the beginning of a word only, and never tried twice, since what a look-ahead found is not given back: a million
letters without any @ take no longer. `++` would be shorter, but matches too little before Python 3.11.5."""
_QUOTED_FROM = 20_000
"""Of a longer text the beginning is masked and then cut far before this end, where an id may have been cut in two."""
ULID_PATTERN = re.compile(r"[0-9A-Z]{26}", re.ASCII)

_PLAIN_BYTES = b"0123456789abcdef-\n"
SYNTHETIC_MARK = "-8c17-b5ec-"
"""The third and fourth group of every synthetic id. UUID version 8 is free for private use, so no real id has it."""

_WRAPPING = " \t\r\n\v\f\u00a0\u200b\u200c\u200d\u2060\ufeff\"'`{}<>()[],;\u201c\u201d\u2018\u2019"


class EntityType(StrEnum):
    """What the ids of a file identify: `RSID` one per person, `RID` one per visit.

    Example:
        >>> cint.EntityType("RSID")
        <EntityType.RSID: 'RSID'>
        >>> [kind.value for kind in cint.EntityType]
        ['RSID', 'RID']
    """

    RSID = "RSID"
    RID = "RID"


ENTITY_TYPE_MEANINGS = {EntityType.RSID: "one per person", EntityType.RID: "one per visit"}
"""What each type means, in the words of every message and panel."""

_ENTITY_WORDS = {
    "RSID": EntityType.RSID,
    "RESPONDENT_ID": EntityType.RSID,
    "RID": EntityType.RID,
    "RESPONSE_ID": EntityType.RID,
}


def parse_entity_type(word: str) -> EntityType:
    """Parse `RSID`, `RESPONDENT_ID`, `RID` or `RESPONSE_ID`, in any case, as an `EntityType`.

    Raises:
        ValueError: for any other word.

    Serves the recontact guide, step 2, query parameter `entity_type`.
    """
    found = _ENTITY_WORDS.get(word.strip().upper()) if isinstance(word, str) else None
    if found is None:
        raise ValueError(
            "entity_type must be RSID or RESPONDENT_ID (one per person), RID or RESPONSE_ID (one per visit); "
            f"got {masked_repr(word, 40)}"
        )
    return found


def normalise_id(text: str) -> str:
    """Return `text` without byte-order mark, quotes, braces and spaces around it, in lower case.

    Ids are compared in this form only: files, uploads and the exchange's own lists differ in case.
    """
    return text.strip(_WRAPPING).lower()


def normalise_ids(texts: Sequence[object]) -> list[str]:
    """Return all of `texts` as `normalise_id` would; texts already in that form are returned fast."""
    try:
        joined = "\n".join(texts)  # type: ignore[arg-type]  # the join itself detects anything but text
    except TypeError:
        return [normalise_id(str(text)) for text in texts]
    plain = (
        joined.isascii() and not joined.encode().translate(None, _PLAIN_BYTES) and joined.count("\n") == len(texts) - 1
    )
    return list(texts) if plain else [normalise_id(str(text)) for text in texts]  # type: ignore[arg-type]


def is_respondent_id(normalised: str) -> bool:
    """Return whether a normalised text has the format of a respondent id, a UUID with dashes."""
    return UUID_PATTERN.fullmatch(normalised) is not None


def are_ids_by_line(block: bytes, count: int) -> bool:
    """Return whether a block is `count` lines, each an id with dashes in either case, without anything around it."""
    return block.translate(BYTE_CLASSES) == (ID_PATTERN + b"\n") * count


def is_ulid(text: str) -> bool:
    """Return whether `text` has the format of Cint's project, target group, job and run ids."""
    return ULID_PATTERN.fullmatch(text) is not None


def mask_id(identifier: str) -> str:
    """Return the id with all but its last four characters hidden, for every output a person may share.

    The sign is one that the console can show: frames are printed by pandas, which replaces nothing.
    """
    return as_printed(_MASK) + (identifier[-4:] if len(identifier) > 8 else "")


def is_masked(text: str) -> bool:
    """Return whether a text is a masked id, which belongs to nobody: two people may have the same."""
    return _MASKED.search(text) is not None


def mask_ids_in(text: str) -> str:
    """Return a text with every id in it masked, however it is spelled: encoded, spaced or cut in two as well."""
    return replace_ids(text, mask_id)


def replace_ids(text: str, replace: Callable[[str], str]) -> str:
    """Return a text with every id in it, however it is spelled, replaced by what `replace` returns for its text."""
    text = _UUID_IN_TEXT.sub(lambda found: replace(found[0]), text)
    return _BASE64.sub(lambda found: _replace_base64(found[0], replace), text)


def _replace_base64(text: str, replace: Callable[[str], str]) -> str:
    """Replace a word that is an id in base64, or that part of it which is one and is glued to others."""
    if _is_id_in_base64(text):
        return replace(text)
    return _BASE64_PART.sub(lambda part: replace(part[0]) if _is_id_in_base64(part[0]) else part[0], text)


def _is_id_in_base64(text: str) -> bool:
    """Return whether a word is an id in base64: its sixteen bytes, or its text."""
    bare = text.rstrip("=")
    try:
        content = base64.b64decode(bare.replace("-", "+").replace("_", "/") + "=" * (-len(bare) % 4))
    except ValueError:
        return False
    if len(bare) == _BASE64_DIGEST:
        is_name = all(part.isalpha() or part.isdigit() for part in re.split("[-_]", bare) if part)
        return not is_name and content[6] >> 4 in range(1, 9) and content[8] >> 6 == 0b10  # version and variant
    return _UUID_IN_TEXT.search(content.decode("ascii", "ignore")) is not None


def masked_repr(value: object, most: int = 60) -> str:
    """Return the repr of a value for a message: ids masked, then truncated, so that no part of one remains."""
    return mask_ids_in(_show(repr, value))[:most]


def masked_text(value: object, most: int = 60) -> str:
    """Return a value as text for a message: ids masked, then truncated, so that no part of one remains."""
    return mask_ids_in(_show(str, value))[:most]


def _show(form: Callable[[object], str], value: object) -> str:
    """Return a value as text that can be printed and stored, whatever it is."""
    try:
        text = form(value)
    except Exception:  # noqa: BLE001 - a number of thousands of digits, or an object that cannot show itself
        return f"a {type(value).__name__} that cannot be shown"
    return text.encode("utf-8", "replace").decode("utf-8")


def printable(target: PrintableT) -> PrintableT:
    """Have a `__str__` or `__repr__`, or both of a class, return what standard output can print.

    On a console that knows few signs ours become plain ones, and any other becomes a question mark.
    """
    if not inspect.isclass(target):
        return cast("PrintableT", _return_printable(target))
    for name in ("__repr__", "__str__"):
        setattr(target, name, _return_printable(getattr(target, name)))
    return target


def _return_printable(method: Callable[[OwnerT], str]) -> Callable[[OwnerT], str]:
    @functools.wraps(method)
    def return_printable(self: OwnerT) -> str:
        try:
            return as_printed(method(self))
        except AttributeError as error:
            # A traceback that shows local variables finds objects whose `__init__` has just refused its arguments.
            if error.obj is not self:
                raise
            return as_printed(f"<{type(self).__name__}: not complete>")

    return return_printable


def as_printed(text: str) -> str:
    """Return a text as standard output can print it."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"  # none where there is no console
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN_SIGNS).encode(encoding, "replace").decode(encoding)
    return text


class Renderer(Protocol):
    """Protocol for what draws values."""

    def html(self, value: object) -> str | None:
        """Return HTML; None where the value has none."""

    def text(self, value: object) -> str:
        """Return the same in text, for a terminal."""

    def show(self, value: object) -> None:
        """Show a value that changes after it was shown."""


_load_renderer: list[Callable[[], Renderer]] = []


def register_renderer(load: Callable[[], Renderer]) -> None:
    """Register what draws values; it is loaded when the first value is shown.

    Args:
        load: Returns the renderer.
    """
    _load_renderer[:] = [load]


class RichDisplay:
    """A value that a notebook shows as HTML and a terminal as several lines; its `repr` stays one line."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        return _load_renderer[0]().html(self) if _load_renderer else None

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        in_terminal = _load_renderer and not cycle and not _in_kernel()
        printer.text(_load_renderer[0]().text(self) if in_terminal else repr(self))


class LiveDisplay(RichDisplay):
    """A value that a notebook shows as a panel, which follows it."""

    __slots__ = ()

    def _ipython_display_(self) -> None:
        if _load_renderer:
            _load_renderer[0]().show(self)
        else:
            sys.stdout.write(f"{self!r}\n")


def _in_kernel() -> bool:
    ipython = sys.modules.get("IPython")
    return getattr(ipython and ipython.get_ipython(), "kernel", None) is not None


def quote_foreign(text: object, most: int = 300) -> str:
    """Return text of the exchange, or of whatever answered for it, safe for a message.

    That is one printable line of limited length, with ids masked and e-mail addresses removed. Masking comes first:
    a change of case, of separators or of length may leave parts of an id that no pattern finds.

    Args:
        text: A text or number; anything else, and None, gives an empty text.
        most: The highest number of characters.
    """
    if not isinstance(text, (str, int, float)) or isinstance(text, bool):
        return ""
    shown = _show(str, text)[:_QUOTED_FROM]
    masked = _EMAIL.sub("(e-mail)", mask_ids_in("".join(c if c.isprintable() else " " for c in shown)))
    line = " ".join(masked.split())
    return line if len(line) <= most else line[: most - 3] + "..."


def synthetic_id(seed: str, number: int) -> str:
    """Create the `number`-th synthetic respondent id of a `seed`: the same arguments give the same id, always."""
    digest = hashlib.sha256(f"{seed}:{number}".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}{SYNTHETIC_MARK}{digest[12:24]}"


def is_synthetic(identifier: str) -> bool:
    """Return whether an id was created by `synthetic_id`, so that it identifies nobody."""
    return identifier[13:24].lower() == SYNTHETIC_MARK


def format_count(number: int, one: str, many: str | None = None) -> str:
    """Write a count with its noun, such as `1 id` or `10,000 ids`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def normalise_name(name: str) -> str:
    """Return a name of a project or group as it is compared and sent: composed (NFC), trimmed, inner space collapsed.

    Two machines may type one name in two ways: an accent as one character or two, a no-break space, a space at the end.
    """
    return " ".join(unicodedata.normalize("NFC", name).split())
