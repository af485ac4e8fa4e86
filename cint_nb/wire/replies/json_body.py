"""Parsing JSON bodies into values that can be printed and stored."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Never

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")


def parse_json(body: bytes) -> Any:
    """Parse a JSON body; half a surrogate pair in it, which nothing could print or store, becomes U+FFFD.

    Raises:
        ValueError: it is not JSON, has a number no JSON has, gives one key two values, or is nested too deeply to be
            read.
    """
    try:
        parsed = json.loads(body, parse_constant=_refuse_constant, object_pairs_hook=_to_object)
        if (b"\\u" in body or b"\xed" in body) and _SURROGATE.search(body):
            text = json.dumps(parsed, ensure_ascii=False)
            parsed = json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return parsed


def distinct(rows: Sequence[Any], seen: set[str]) -> list[Any]:
    """Return the rows that were not seen before, and note them as seen.

    A list that grows while it is read page by page, newest first, gives some rows twice.
    """
    if set(map(type, rows)) == {str} and len(new := set(rows)) == len(rows) and seen.isdisjoint(new):
        seen |= new
        return list(rows)
    found = []
    for row in rows:
        key = row if isinstance(row, str) else json.dumps(row, sort_keys=True)
        if key not in seen:
            seen.add(key)
            found.append(row)
    return found


def _to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs) and any(found[name] != value for name, value in pairs):
        raise ValueError("a key has two values")  # and programs differ in which of them they take
    return found


def _refuse_constant(word: str) -> Never:
    raise ValueError(f"{word} is not JSON")
