"""What a reply must look like: declared as data, checked in one place before any model sees the reply.

A key is *needed* where a verb rests on it: without it the reply is refused. It is *expected* where the documents always
give it and the verbs can do without: its absence is a warning, and the value is not known. Any other key is *optional*:
its absence is an answer, unless a key that nobody declared may stand for it, which is a warning. A value of the wrong
type, or one that cannot be true, is refused wherever it stands, unless its key is *spare*: expected, in a reply by
which respondents are stopped from entering. Such a value is a warning, and not known. Keys that nobody declared are
otherwise kept unread, since the exchange adds to its replies within one version.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum, StrEnum
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

from cint_nb.domain.ids import UUID_PATTERN, are_ids_by_line, is_respondent_id, normalise_id, quote_foreign
from cint_nb.domain.models import PLAUSIBLE_YEARS
from cint_nb.wire.replies.json_body import distinct

_ADDRESS_PART = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d.*(?:[Zz]|[+-]\d\d:?\d\d)", re.ASCII)
_NUMBER_MAX = 2**53
"""Beyond it JSON numbers are not exact, and nothing the exchange counts is as large."""
_CURRENCY = re.compile(r"[A-Za-z]{3}", re.ASCII)
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", re.ASCII)
_NAMED_AT_MOST = 5
_PLAIN_DECIMAL = re.compile(r"\d{1,15}(?:\.\d{1,15})?", re.ASCII)
_ABSENT = object()
_Proof: TypeAlias = Callable[[Any], bool]
"""Whether a value is surely as declared: True is certain, False only sends the value to the comparison."""


class Kind(Enum):
    """The type of one value, in words for messages."""

    TEXT = "a text"
    ID = "an id of letters, digits, '-' and '_'"
    RESPONDENT = "a respondent id"
    NUMBER = "a number from 0"
    COUNT = "a whole number from 0"
    RATE = "a number from 0 to 1"
    FLAG = "true or false"
    MOMENT = "a time with its zone"
    DECIMAL = "a decimal number from 0"
    CURRENCY = "a currency code of three letters"
    ANY = "any value"


class Presence(StrEnum):
    """Whether a reply may lack a key."""

    NEEDED = "needed"
    EXPECTED = "expected"
    OPTIONAL = "optional"


@dataclass(frozen=True)
class Key:
    """One key of an object: its type, and whether it may be absent; null counts as absent.

    With `is_spare`, a value of the wrong type counts as absent too.
    """

    shape: Shape
    presence: Presence
    is_spare: bool = False


@dataclass(frozen=True)
class Object:
    """An object with some declared keys."""

    keys: Mapping[str, Key]

    @cached_property
    def proof(self) -> _Proof:
        """The proof for this shape, made once."""
        return _object_proof(self)


@dataclass(frozen=True)
class Rows:
    """A list whose items are all of one shape."""

    item: Shape

    @cached_property
    def proof(self) -> _Proof:
        """The proof for this shape, made once."""
        return _rows_proof(self)


@dataclass(frozen=True)
class Either:
    """A value of one of several shapes: the first one of the value's JSON type counts."""

    shapes: tuple[Shape, ...]

    def proof(self, value: Any) -> bool:
        """Return whether a value is surely as declared."""
        return _proof_of(_fitting(self, value))(value)


Shape: TypeAlias = Kind | Object | Rows | Either


@dataclass(frozen=True)
class ReplyShape:
    """What the body of a reply must look like.

    Args:
        body: The shape of the body.
        may_be_empty: Whether a success without a body is a success: its id is in a header, or nothing is to be said.
    """

    body: Shape
    may_be_empty: bool = False


@dataclass(frozen=True)
class Deviation:
    """One place where a body is not as declared.

    Args:
        key: The key, with points between levels; "the body" for the whole.
        problem: What is wrong, without the value.
        is_refused: Whether the reply must not be used.
    """

    key: str
    problem: str
    is_refused: bool

    def __str__(self) -> str:
        """Return key and problem."""
        return f"{self.key} {self.problem}"


def is_address_part(text: str) -> bool:
    """Return whether a text may stand in the path of a URL as an id."""
    return _ADDRESS_PART.fullmatch(text) is not None


def needed(shape: Shape) -> Key:
    """Declare a key without which the reply is refused."""
    return Key(shape, Presence.NEEDED)


def expected(shape: Shape) -> Key:
    """Declare a key whose absence is a warning."""
    return Key(shape, Presence.EXPECTED)


def spare(shape: Shape) -> Key:
    """Declare a key whose absence is a warning, and a value that cannot be used too: its model takes it for absent."""
    return Key(shape, Presence.EXPECTED, is_spare=True)


def optional(shape: Shape) -> Key:
    """Declare a key that may be absent."""
    return Key(shape, Presence.OPTIONAL)


def deviations(shape: Shape, value: Any) -> list[Deviation]:
    """Return where a body differs from its shape, each difference once; of a list up to its first bad row.

    Nearly every reply is as declared, and lists are long: a proof of that is tried first, and costs a fraction.
    """
    return [] if _proof_of(shape)(value) else list(dict.fromkeys(_compare(shape, value, "")))


def in_words(found: list[Deviation]) -> str:
    """Return deviations as one line of limited length."""
    more = len(found) - _NAMED_AT_MOST
    return "; ".join(map(str, found[:_NAMED_AT_MOST])) + (f"; and {more} more" if more > 0 else "")


def _may_repeat(item: Shape) -> bool:
    """Return whether equal rows are no mistake: the numbers of a table, which stand for their place in it."""
    return item is Kind.NUMBER or (isinstance(item, Rows) and _may_repeat(item.item))


def _compare(shape: Shape, value: Any, place: str) -> Iterator[Deviation]:
    if isinstance(shape, Either):
        yield from _compare(_fitting(shape, value), value, place)
    elif isinstance(shape, Rows):
        if not isinstance(value, list):
            yield _wrong_type(place, "a list", value)
            return
        for row in value:
            bad = list(_compare_row(shape.item, row, f"{place}[]"))
            yield from bad
            if any(each.is_refused for each in bad):
                return
        if not _may_repeat(shape.item) and len(distinct(value, set())) < len(value):
            yield Deviation(f"{place}[]", "is given twice", is_refused=False)
    elif isinstance(shape, Object):
        yield from _compare_object(shape, value, place)
    elif (wrong := _problem(shape, value)) is not None:
        yield Deviation(place, wrong, is_refused=True)


def _compare_row(shape: Shape, row: Any, place: str) -> Iterator[Deviation]:
    if isinstance(shape, Object) and isinstance(row, Mapping) and _is_foreign(shape, row):
        yield Deviation(place, "has none of the documented keys", is_refused=False)
    yield from _compare(shape, row, place)


def _is_foreign(shape: Object, row: Mapping[str, Any]) -> bool:
    return bool(row and shape.keys) and shape.keys.keys().isdisjoint(row) and _wrapper(shape, row) is None


def _compare_object(shape: Object, value: Any, place: str) -> Iterator[Deviation]:
    if not isinstance(value, Mapping):
        yield _wrong_type(place, "an object", value)
    elif (wrapper := _wrapper(shape, value)) is not None:
        yield Deviation(place or "the body", f"has its keys below {wrapper!r}", is_refused=True)
    else:
        for name, key in shape.keys.items():
            path = f"{place}.{name}" if place else name
            yield from _compare_key(key, value.get(name), path)
            if key.presence is Presence.OPTIONAL and name not in value:
                other = _stand_in(name, shape, value)
                if other is not None:
                    problem = f"is missing, and an undocumented {other!r} may stand for it"
                    yield Deviation(path, problem, is_refused=False)


def _stand_in(name: str, shape: Object, value: Mapping[str, Any]) -> str | None:
    """Return the undeclared key that may be a missing one: spelled otherwise, renamed in part, or with it inside."""
    for other, found in value.items():
        if other in shape.keys or found in (None, "", [], {}):
            continue
        if _is_alike(name, other) or (isinstance(found, Mapping) and name in found):
            return quote_foreign(other, 40)
    return None


@lru_cache(4_096)
def _is_alike(name: str, other: str) -> bool:
    one, two = (frozenset(word.lower() for word in _WORD.findall(each)) for each in (name, other))
    shared = len(one & two)
    return bool(shared) and (2 * shared >= max(len(one), len(two)) or one <= two or two <= one)


def _wrapper(shape: Object, value: Mapping[str, Any]) -> str | None:
    """Return the undeclared key under which an object has its declared keys, if it has none of them itself."""
    if not shape.keys.keys().isdisjoint(value):
        return None
    inner = (
        name for name, each in value.items() if isinstance(each, Mapping) and not shape.keys.keys().isdisjoint(each)
    )
    return quote_foreign(next(inner, None), 40) or None


def _compare_key(key: Key, value: Any, place: str) -> Iterator[Deviation]:
    # The exchange writes "not given" as an absent key, as null or as an empty text.
    if value is None or (value == "" and key.shape in (Kind.TEXT, Kind.ID, Kind.MOMENT)):
        if key.presence is not Presence.OPTIONAL:
            yield Deviation(place, "is missing", is_refused=key.presence is Presence.NEEDED)
        return
    for each in _compare(key.shape, value, place):
        yield replace(each, is_refused=False) if key.is_spare else each


def _fitting(choice: Either, value: Any) -> Shape:
    wanted = Object if isinstance(value, Mapping) else Rows if isinstance(value, list) else Kind
    return next((each for each in choice.shapes if isinstance(each, wanted)), choice.shapes[0])


def _problem(kind: Kind, value: Any) -> str | None:
    if not _HAS_TYPE[kind](value):
        return f"is {_type_in_words(value)}, not {kind.value}"
    match kind:
        case Kind.ID if not is_address_part(value):
            return "cannot stand in an address"
        case Kind.RESPONDENT if not is_respondent_id(normalise_id(value)):
            return "is not a respondent id"
        case Kind.CURRENCY if not _CURRENCY.fullmatch(value):
            return f"is not {kind.value}"
        case Kind.COUNT | Kind.NUMBER | Kind.DECIMAL if Decimal(value) < 0:
            return "is below 0"
        case Kind.COUNT | Kind.NUMBER | Kind.DECIMAL if Decimal(value) >= _NUMBER_MAX:
            return "is larger than anything the exchange counts"
        case Kind.RATE if not 0 <= value <= 1:
            return "is not between 0 and 1"
        case Kind.MOMENT if not _MOMENT.fullmatch(value):
            return "is a time without its zone" if _is_naive(value) else "is not a time"
        case Kind.MOMENT if int(value[:4]) not in PLAUSIBLE_YEARS:
            return f"is a time in the year {value[:4]}"
    return None


def _proof_of(shape: Shape) -> _Proof:
    return _PLAIN[shape] if isinstance(shape, Kind) else shape.proof


def _object_proof(shape: Object) -> _Proof:
    """Return a proof for an object: it needs nothing but its declared keys, each with a value that is proved."""
    if not shape.keys:
        return lambda value: type(value) is dict
    keys = [(name, key.presence is Presence.OPTIONAL, _proof_of(key.shape)) for name, key in shape.keys.items()]
    declared = shape.keys.keys()

    def proof(value: Any) -> bool:
        if type(value) is not dict or (value and declared.isdisjoint(value)):
            return False
        for name, is_optional, prove in keys:
            found = value.get(name, _ABSENT)
            if found is _ABSENT or found is None:
                if not is_optional or (found is _ABSENT and _stand_in(name, shape, value) is not None):
                    return False
            elif not prove(found):
                return False
        return True

    return proof


def _rows_proof(shape: Rows) -> _Proof:
    """Return a proof for a list: each row proved, and no row given twice."""
    if shape.item is Kind.RESPONDENT:
        return _are_respondents
    prove, may_repeat = _proof_of(shape.item), _may_repeat(shape.item)
    keys = shape.item.keys if isinstance(shape.item, Object) else {}
    name = next((name for name, key in keys.items() if key.shape in (Kind.ID, Kind.TEXT)), None)

    def are_distinct(rows: list[Any]) -> bool:
        by_one_key = name is not None and len({row.get(name) for row in rows}) == len(rows)
        return by_one_key or len(distinct(rows, set())) == len(rows)

    return lambda value: type(value) is list and all(map(prove, value)) and (may_repeat or are_distinct(value))


def _are_respondents(rows: Any) -> bool:
    """Return whether rows are ids of respondents as they are written, all different; in one pass over all of them."""
    if type(rows) is not list:
        return False
    try:
        block = "\n".join([*rows, ""]).encode("utf-8", "replace")
    except TypeError:  # a row that is no text
        return False
    return are_ids_by_line(block, len(rows)) and len(set(rows)) == len(rows)


def _matches(pattern: re.Pattern[str]) -> _Proof:
    return lambda value: type(value) is str and pattern.fullmatch(value) is not None


def _is_counted(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < _NUMBER_MAX


_PLAIN: Mapping[Kind, _Proof] = {
    Kind.ANY: lambda _: True,
    Kind.TEXT: lambda value: type(value) in (str, int, float) and value != "",  # an empty one counts as absent
    Kind.ID: _matches(_ADDRESS_PART),
    Kind.RESPONDENT: _matches(UUID_PATTERN),
    Kind.CURRENCY: _matches(_CURRENCY),
    Kind.NUMBER: _is_counted,
    Kind.COUNT: lambda value: type(value) is int and 0 <= value < _NUMBER_MAX,
    Kind.RATE: lambda value: type(value) in (int, float) and 0 <= value <= 1,
    Kind.FLAG: lambda value: type(value) is bool,
    Kind.MOMENT: lambda value: _is_text(value) and bool(_MOMENT.fullmatch(value)) and int(value[:4]) in PLAUSIBLE_YEARS,
    Kind.DECIMAL: lambda value: _is_counted(value) or (_is_text(value) and _PLAIN_DECIMAL.fullmatch(value) is not None),
}


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_HAS_TYPE: Mapping[Kind, Callable[[Any], bool]] = {
    Kind.ANY: lambda _: True,
    Kind.TEXT: lambda value: _is_text(value) or _is_number(value),
    Kind.ID: _is_text,
    Kind.RESPONDENT: _is_text,
    Kind.CURRENCY: _is_text,
    Kind.NUMBER: _is_number,
    Kind.COUNT: lambda value: _is_number(value) and value == int(value),
    Kind.RATE: _is_number,
    Kind.FLAG: lambda value: isinstance(value, bool),
    Kind.MOMENT: _is_text,
    Kind.DECIMAL: lambda value: _is_number(value) or (_is_text(value) and _is_decimal(value)),
}


def _is_naive(text: str) -> bool:
    for parse in (datetime.fromisoformat, date.fromisoformat):
        try:
            parse(text)
        except ValueError:
            continue
        return True
    return False


def _is_decimal(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _wrong_type(place: str, wanted: str, value: Any) -> Deviation:
    return Deviation(place or "the body", f"is {_type_in_words(value)}, not {wanted}", is_refused=True)


def _type_in_words(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, int | float):
        return "a number"
    return "a list" if isinstance(value, list) else "an object"
