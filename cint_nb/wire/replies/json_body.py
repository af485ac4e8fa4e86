"""Parsing JSON bodies into values that can be printed and stored."""

from __future__ import annotations

import json
import re
from typing import Any, Never

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")


def parse_json(body: bytes) -> Any:
    """Parse a JSON body; half a surrogate pair in it, which nothing could print or store, becomes U+FFFD.

    Raises:
        ValueError: it is not JSON, has a number no JSON has, or is nested too deeply to be read.
    """
    try:
        parsed = json.loads(body, parse_constant=_refuse_constant)
        if _SURROGATE.search(body):
            text = json.dumps(parsed, ensure_ascii=False)
            parsed = json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return parsed


def _refuse_constant(word: str) -> Never:
    raise ValueError(f"{word} is not JSON")
