"""The repository as text: syntax trees that many tests walk over, and programs that are no part of the package."""

from __future__ import annotations

import ast
import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType


@cache
def parsed(source: str) -> ast.Module:
    """Parse a text, once in each process; the tree is shared and must stay as it is."""
    return ast.parse(source)


def load_program(path: str) -> ModuleType:
    """Load a program of the repository that is no part of the package.

    Args:
        path: Where it is, from the root of the repository.
    """
    spec = importlib.util.spec_from_file_location(f"program_{Path(path).stem}", Path(__file__).parents[2] / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for the names of their annotations
    spec.loader.exec_module(module)
    return module
