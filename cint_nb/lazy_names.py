"""Names that a package hands out without importing their homes: each is imported when it is first asked for."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from typing import Any


def load_name(package: str, name: str, homes: Mapping[str, str]) -> Any:
    """Return a name of a package from its home, and leave it there, so that it is asked for once.

    Args:
        package: The package whose `__getattr__` asks.
        name: What it was asked for.
        homes: The module of each name it hands out.

    Raises:
        AttributeError: it does not hand out this name.
    """
    if name not in homes:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(homes[name]), name)
    setattr(sys.modules[package], name, value)
    return value
