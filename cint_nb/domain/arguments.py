"""The boundary of public callables: their arguments are compared with their annotations before anything is done.

Python itself compares nothing: a number given as text, or a list given as one text, would fail deep in the code, after
half of the work, or not at all. A wrong number of arguments and an unknown keyword stay Python's own `TypeError`: such
a call never began, and the message names the callable.
"""

from __future__ import annotations

import builtins
import functools
import inspect
import itertools
import math
import types
import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum, StrEnum
from numbers import Integral, Real
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from cint_nb.domain.errors import CintError, InputError
from cint_nb.domain.ids import masked_repr, masked_text

CheckedT = TypeVar("CheckedT", bound=Callable[..., Any])

_ITEMS_MAX = 1_000
"""So many items of a long list are compared; of the others the first one of each further type."""
_INT_MAX = 2**63
UNUSABLE = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What Python raises about a value of a wrong form; as `refusals` only where a function does nothing but read it."""
_WORDS: Mapping[Any, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    bytes: "bytes",
    Path: "a path",
    datetime: "a time with its zone",
    date: "a date",
    None: "None",
    type(None): "None",
}


@dataclass(frozen=True)
class Rule:
    """What a value must be besides its type, in an annotation such as `Annotated[int, Rule("a goal", is_goal)]`.

    Args:
        words: What the value is, for the message.
        holds: Whether a value of the type is that; it may raise an error of ours that says more.
    """

    words: str
    holds: Callable[[Any], object]


def check_arguments(
    error: type[InputError] = InputError,
    *,
    leave: Collection[str] = (),
    refusals: tuple[type[Exception], ...] = (),
    explain: Callable[[ValidationError], InputError] | None = None,
) -> Callable[[CheckedT], CheckedT]:
    """Return a decorator for a function, or for a class: its constructor and its public methods.

    Args:
        error: The class of the error that is raised.
        leave: Parameters that are compared inside, in words of their own.
        refusals: Exceptions by which the function itself says that it cannot use a value; they become `error`.
        explain: For a pydantic model, makes the error of what its constructor refuses.
    """

    def check(function: Callable[..., Any]) -> Callable[..., Any]:
        if getattr(function, "compares_itself", False):
            return function
        return _checked(_Boundary(function, error, frozenset(leave), refusals))

    def decorate(target: CheckedT) -> CheckedT:
        if not inspect.isclass(target):
            return typing.cast("CheckedT", check(target))
        for name, member in list(vars(target).items()):
            if name.startswith("_") and name != "__init__":
                continue
            if isinstance(member, classmethod | staticmethod):
                setattr(target, name, type(member)(check(member.__func__)))
            elif inspect.isfunction(member):
                setattr(target, name, check(member))
        if issubclass(target, BaseModel):
            # Only the call: pydantic itself, reading a reply, goes on without this constructor.
            construct = _explained(target, error, explain)
            setattr(target, "__init__", construct)  # noqa: B010 - a type checker would not have it assigned
        return target

    return decorate


def compares_itself(function: CheckedT) -> CheckedT:
    """Mark a function that compares all its arguments itself, in words of its own and all of them together."""
    setattr(function, "compares_itself", True)  # noqa: B010 - a type checker would not have it assigned
    return function


@dataclass(frozen=True, eq=False)
class _Boundary:
    """The boundary of one function."""

    function: Callable[..., Any]
    error: type[InputError]
    leave: frozenset[str]
    refusals: tuple[type[Exception], ...]

    @functools.cached_property  # at the first call: the package loads fast, and all names are known by then
    def signature(self) -> inspect.Signature:
        return inspect.signature(self.function)

    @functools.cached_property
    def annotations(self) -> dict[str, Any]:
        names = _Names(self.function.__globals__)
        return {
            name: names.resolve(parameter.annotation)
            for name, parameter in self.signature.parameters.items()
            if name not in self.leave
            and parameter.annotation is not parameter.empty
            and parameter.kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        }

    @functools.cached_property
    def positions(self) -> tuple[str, ...]:
        by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return tuple(name for name, parameter in self.signature.parameters.items() if parameter.kind in by_place)

    @functools.cached_property
    def plain_types(self) -> dict[str, frozenset[type]]:
        return {name: _plain_types(each) for name, each in self.annotations.items() if each is not Any}

    @property
    def name(self) -> str:
        return self.function.__qualname__.removesuffix(".__init__")

    def check(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments, those that can be read only once so that each of their items is compared then."""
        if self._are_plain(arguments, keywords):
            return arguments, keywords
        try:
            bound = self.signature.bind(*arguments, **keywords)
        except TypeError:  # too few, too many or unknown ones: Python says so when the call is made
            return arguments, keywords
        given, read_once = bound.arguments, False
        for name, annotation in self.annotations.items():
            if name not in given:
                continue
            if not _fits(given[name], annotation):
                raise self._refusal(name, annotation, given[name])
            if isinstance(given[name], Iterator) and (items := _item_annotations(given[name], annotation)):
                given[name], read_once = self._compare_items(name, annotation, given[name], items), True
        return (bound.args, bound.kwargs) if read_once else (arguments, keywords)

    def _are_plain(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> bool:
        """Return whether all arguments are of types that surely fit, as in nearly every call; cheaper than binding."""
        known = self.plain_types
        given = itertools.chain(zip(self.positions, arguments, strict=False), keywords.items())
        return all(_is_plain(value, known[name]) for name, value in given if name in known)

    def _refusal(self, name: str, annotation: Any, value: Any) -> InputError:
        if isinstance(value, BaseModel):
            check_model(value, self.error)
        kind = _describe(annotation)
        shown = "and it is missing" if value is None else f"not {masked_repr(value, 60)}"
        return self.error(
            f"{self.name}(…, {name}=…) takes {kind}, {shown}.",
            evidence={"field": name, "given": type(value).__name__},
            next_step=f"pass {kind} as {name}.",
        )

    def _compare_items(self, name: str, annotation: Any, values: Iterator[Any], items: list[Any]) -> Iterator[Any]:
        plain = frozenset[type]().union(*map(_plain_types, items))
        for value in values:
            if not (_is_plain(value, plain) or any(_fits(value, item) for item in items)):
                raise self._refusal(name, annotation, [value])
            yield value

    def explain(self, refused: Exception) -> InputError:
        return self.error(
            f"{self.name} refuses it: {masked_text(refused, 300)}.", next_step="correct the value that is named."
        )


def _checked(boundary: _Boundary) -> Callable[..., Any]:
    function, refusals = boundary.function, boundary.refusals
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def checked_coroutine(*arguments: Any, **keywords: Any) -> Any:
            arguments, keywords = boundary.check(arguments, keywords)
            return await function(*arguments, **keywords)

        return checked_coroutine

    @functools.wraps(function)
    def checked(*arguments: Any, **keywords: Any) -> Any:
        arguments, keywords = boundary.check(arguments, keywords)
        try:
            return function(*arguments, **keywords)
        except CintError:
            raise
        except refusals as refused:
            raise boundary.explain(refused) from None

    return checked


# --- models -------------------------------------------------------------------------------------------------------


def _explained(
    model: type[BaseModel],
    error: type[InputError],
    explain: Callable[[ValidationError], InputError] | None,
) -> Callable[..., Any]:
    constructor, signature = model.__init__, inspect.signature(model)

    @functools.wraps(constructor)
    def construct(*arguments: Any, **fields: Any) -> None:
        try:
            constructor(*arguments, **fields)
        except ValidationError as found:
            if explain is not None:
                raise explain(found) from None
            raise error(
                f"The {model.__name__} is not valid: {list_problems(found)}.", next_step="correct these fields."
            ) from None
        except CintError:
            raise
        except Exception as found:  # noqa: BLE001 - what the value itself raises when it is looked at
            raise error(
                f"The {model.__name__} is not valid: a value cannot be read ({type(found).__name__}).",
                evidence={"fields": ", ".join(_misfits(model, fields))},
                next_step="pass plain values.",
            ) from None

    construct.__signature__ = signature  # type: ignore[attr-defined]  # help shows the fields, as before
    return construct


def list_problems(error: ValidationError, words: Callable[[ErrorDetails], str] = lambda problem: problem["msg"]) -> str:
    """Return what pydantic refused, field by field, without the values.

    Args:
        error: What it raised.
        words: Says what is wrong with one field.
    """
    return "; ".join(f"{'.'.join(map(str, item['loc']))}: {words(item)}" for item in error.errors())


def _misfits(model: type[BaseModel], fields: Mapping[str, Any]) -> list[str]:
    known = model.model_fields
    return [name for name, value in fields.items() if name in known and not _fits(value, known[name].annotation)]


def check_model(model: BaseModel, error: type[InputError]) -> None:
    """Raise if a field of a model has a value of another kind: pydantic's `model_copy` compares none of them."""
    if wrong := _wrong_fields(model):
        name = type(model).__name__
        shown = "; ".join(f"{field}: {masked_repr(getattr(model, field, None), 40)}" for field in wrong)
        raise error(
            f"The {name} has values that its fields cannot have: {shown}.",
            evidence={"fields": ", ".join(wrong)},
            next_step=f"create the {name} anew instead of copying it: that reads and checks each value.",
        )


def _wrong_fields(model: BaseModel) -> list[str]:
    given = dict(model)
    try:
        again = type(model).model_validate(given)
    except ValidationError as found:
        return list(dict.fromkeys(str(item["loc"][0]) for item in found.errors()))
    except Exception:  # noqa: BLE001 - what a value raises when it is looked at
        return _misfits(type(model), given)
    return [name for name, value in given.items() if not _is_same_kind(value, getattr(again, name, None))]


def _is_same_kind(value: Any, read: Any) -> bool:
    """Return whether a value is what pydantic reads it as; a text may stand for the word of a StrEnum it equals."""
    return type(value) is type(read) or (isinstance(read, StrEnum) and type(value) is str and value == read)


# --- annotations --------------------------------------------------------------------------------------------------


class _ByName(type):
    """The type of a class that is imported for type checkers only: its instances are known by its name."""

    def __getattr__(cls, name: str) -> _ByName:
        if name.startswith("_"):
            raise AttributeError(name)
        return _ByName(name, (), {})

    def __getitem__(cls, key: Any) -> _ByName:
        return cls

    def __instancecheck__(cls, value: Any) -> bool:
        return any(base.__name__ == cls.__name__ for base in type(value).__mro__)


class _Names(dict[str, Any]):
    """The names of a module, as its annotations use them."""

    def __missing__(self, name: str) -> Any:
        if hasattr(builtins, name):
            raise KeyError(name)
        return _ByName(name, (), {})

    def resolve(self, annotation: Any) -> Any:
        """Return the type of an annotation; anything where its form means something to type checkers only."""
        if not isinstance(annotation, str):
            return annotation
        try:
            return eval(annotation, {}, self)  # noqa: S307 - our own source
        except TypeError:
            return Any


def _behind_alias(annotation: Any) -> Any:
    """Return what a name made by a `type` statement stands for, its parameters filled in; anything else as it is.

    Found by its attributes: such names are of `typing` from Python 3.12 on, and of typing_extensions as well.
    """
    alias = get_origin(annotation) or annotation
    if inspect.isclass(alias) or not (hasattr(alias, "__value__") and hasattr(alias, "__type_params__")):
        return annotation
    meant, given = alias.__value__, dict(zip(alias.__type_params__, get_args(annotation), strict=False))
    if parameters := getattr(meant, "__parameters__", ()):
        meant = meant[tuple(given.get(parameter, Any) for parameter in parameters)]
    return _behind_alias(meant)


def _fits(value: Any, annotation: Any) -> bool:
    annotation = _behind_alias(annotation)
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is Annotated:
        return _fits(value, parts[0]) and all(rule.holds(value) for rule in parts[1:] if isinstance(rule, Rule))
    if annotation in _SIMPLE:
        return _SIMPLE[annotation](value)
    if origin is Literal:  # which words are allowed, the callable says itself
        return _is_text(value)
    if inspect.isclass(origin):
        return _fits_container(value, origin, parts) if _is_container(origin) else isinstance(value, origin)
    if not inspect.isclass(annotation):
        return True
    if getattr(annotation, "_is_protocol", False):
        members = _protocol_members(annotation)  # type: ignore[arg-type]  # a type can be hashed
        return all(hasattr(value, name) for name in members)
    return isinstance(value, annotation) and not (isinstance(value, BaseModel) and _wrong_fields(value))


def _plain_types(annotation: Any) -> frozenset[type]:
    """Return the types of which each value fits an annotation: of texts each plain one, of numbers each small one."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return frozenset[type]().union(*map(_plain_types, parts))
    if origin is Literal:
        return frozenset({str})
    if origin is not None or not inspect.isclass(annotation):
        return frozenset()
    if annotation in _PLAIN_TYPES:
        return _PLAIN_TYPES[annotation]
    is_compared = annotation in _SIMPLE or issubclass(annotation, BaseModel) or type(annotation) is _ByName
    return frozenset() if is_compared or getattr(annotation, "_is_protocol", False) else frozenset({annotation})


def _is_plain(value: Any, types_that_fit: frozenset[type]) -> bool:
    kind = type(value)
    if kind not in types_that_fit:
        return False
    if kind is str:
        return bool(value.isascii())
    return kind not in (int, float) or -_PLAIN_MAX < value < _PLAIN_MAX


@functools.cache
def _protocol_members(protocol: Any) -> set[str]:
    members = {*vars(protocol), *vars(protocol).get("__annotations__", ())}
    return {name for name in members if not name.startswith("_") or name == "__call__"}


_ITERABLES = (Iterable, Iterator)
_WHOLE = (str, bytes, bytearray, BaseModel)
"""What can be iterated over, and is one value all the same."""


def _is_container(origin: type) -> bool:
    """Return whether the parts of a type are what its items are: of an array they are its shape and its type."""
    return origin.__module__ in ("builtins", "collections.abc") and issubclass(origin, Iterable)


def _fits_container(value: Any, origin: Any, parts: tuple[Any, ...]) -> bool:
    if isinstance(value, _WHOLE) or not isinstance(value, origin):
        return False
    if not parts or isinstance(value, Iterator):  # whose items can be read only once
        return True
    if origin is tuple and parts[-1] is not ...:
        return len(value) == len(parts) and all(map(_fits, value, parts))
    if isinstance(value, Mapping) and len(parts) == 2:
        return all(_fits(item, parts[0]) for item in _samples(value)) and all(
            _fits(item, parts[1]) for item in _samples(value.values())
        )
    return all(_fits(item, parts[0]) for item in _samples(value))


def _samples(values: Iterable[Any]) -> Iterator[Any]:
    """Yield the first items, and of the others the first one of each further type."""
    items, types_met = iter(values), set()
    for item in itertools.islice(items, _ITEMS_MAX):
        types_met.add(type(item))
        yield item
    for item in items:
        if type(item) not in types_met:
            types_met.add(type(item))
            yield item


def _item_annotations(value: Iterator[Any], annotation: Any) -> list[Any]:
    """Return what the items of an iterator may be; nothing where the iterator itself is what is taken, such as a file.

    So it is where a part of the annotation takes anything, or takes this type under its own name.
    """
    annotation = _behind_alias(annotation)
    if get_origin(annotation) in (Union, types.UnionType):
        parts = [part for part in get_args(annotation) if _fits(value, part)]
        found = [_item_annotations(value, part) for part in parts]
        return [item for items in found for item in items] if all(found) else []
    if get_origin(annotation) is Annotated:
        return _item_annotations(value, get_args(annotation)[0])
    items = get_args(annotation)
    return list(items[:1]) if get_origin(annotation) in _ITERABLES else []


def _is_text(value: Any) -> bool:
    """Return whether a value is a text that can be stored and sent: half of a surrogate pair cannot."""
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False


def _is_number(value: Any) -> bool:
    """Return whether a value is a finite number, of a size that a float can have."""
    try:
        return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def _is_time(value: Any) -> bool:
    """Return whether a value is a time whose zone is known, and that has a date in UTC."""
    try:
        return isinstance(value, datetime) and value.tzinfo is not None and value.astimezone(UTC) is not None
    except (OverflowError, ValueError):
        return False


_SIMPLE: Mapping[Any, Callable[[Any], bool]] = {
    Any: lambda _: True,
    None: lambda value: value is None,
    type(None): lambda value: value is None,
    bool: lambda value: isinstance(value, bool),
    int: lambda value: isinstance(value, Integral) and _is_number(value) and abs(int(value)) < _INT_MAX,
    float: _is_number,
    str: _is_text,
    datetime: _is_time,
    date: lambda value: isinstance(value, date) and not isinstance(value, datetime),
}
_PLAIN_MAX = 2**31
_PLAIN_TYPES: Mapping[Any, frozenset[type]] = {
    type(None): frozenset({type(None)}),
    bool: frozenset({bool}),
    int: frozenset({int}),
    float: frozenset({int, float}),
    str: frozenset({str}),
}


def _describe(annotation: Any) -> str:
    annotation = _behind_alias(annotation)
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        words = list(dict.fromkeys(_describe(part) for part in parts))
        return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]
    if origin is Annotated:
        return next((rule.words for rule in parts[1:] if isinstance(rule, Rule)), _describe(parts[0]))
    if origin is Literal:
        return "one of " + ", ".join(map(repr, parts))
    if annotation in _WORDS:
        return _WORDS[annotation]
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return "a mapping"
    if inspect.isclass(origin) and _is_container(origin):
        return f"a list, each item {_describe(parts[0])}" if parts else "a list"
    if inspect.isclass(annotation) and issubclass(annotation, Enum):
        return f"a {annotation.__name__} ({', '.join(str(each.value) for each in annotation)})"
    name = getattr(origin or annotation, "__name__", str(annotation)).replace("ndarray", "array")
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"
