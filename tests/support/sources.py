"""Source text as syntax trees: several tests walk over the whole package, and parsing it takes the longest."""

from __future__ import annotations

import ast
from functools import cache


@cache
def parsed(source: str) -> ast.Module:
    """Parse a text, once in each process; the tree is shared and must stay as it is."""
    return ast.parse(source)
