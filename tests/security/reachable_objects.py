"""Everything a live object holds, and everything each of these says of itself."""

from __future__ import annotations

import functools
import types
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from pydantic import SecretStr

# A secret's own type is where the search ends: it is masked in every form. The sandbox is the other side of the wire,
# and what runs threads and sockets leads from one client to all others.
_ENDS = (SecretStr, type, types.ModuleType)
_RICH = ("_repr_html_", "_repr_mimebundle_", "_repr_markdown_", "_repr_latex_", "_repr_svg_")
_ELSEWHERE = ("cint_nb.sandbox", "_pytest", "pytest", "asyncio", "concurrent", "threading", "_thread", "logging", "ssl")


def reachable(*roots: Any) -> Iterator[Any]:
    """Go through everything that hangs on some objects: attributes, slots, items, methods, closures; each once."""
    seen: dict[int, Any] = {}
    waiting = deque(roots)
    while waiting:
        one = waiting.popleft()
        if id(one) in seen or isinstance(one, _ENDS) or type(one).__module__.startswith(_ELSEWHERE):
            continue
        seen[id(one)] = one
        yield one
        waiting.extend(_parts(one))


def _parts(one: Any) -> Iterable[Any]:
    if isinstance(one, (str, bytes, bytearray, int, float)):
        return ()
    if isinstance(one, Mapping):
        return [*one.keys(), *one.values()] if isinstance(one, dict) else ()
    if isinstance(one, (list, tuple, set, frozenset, deque)):
        return list(one)
    if isinstance(one, types.MethodType):
        return [one.__self__]
    if isinstance(one, functools.partial):
        return [one.args, one.keywords]
    if isinstance(one, types.FunctionType):
        return [cell.cell_contents for cell in one.__closure__ or () if _filled(cell)]
    slots = [name for kind in type(one).__mro__ for name in getattr(kind, "__slots__", ()) if hasattr(one, name)]
    return [*getattr(one, "__dict__", {}).values(), *(getattr(one, name) for name in slots)]


def _filled(cell: Any) -> bool:
    with suppress(ValueError):
        return cell.cell_contents is not None
    return False


def said_by(one: Any) -> str:
    """Return everything an object says of itself: repr, str, the rich forms of notebooks, the state of a widget."""
    rich = (getattr(type(one), form, None) for form in _RICH)
    said = [repr(one), str(one), *(repr(form(one)) for form in rich if callable(form))]
    if callable(state := getattr(type(one), "get_state", None)) and hasattr(one, "comm"):
        said.append(repr(state(one)))
    return "\n".join(said)
