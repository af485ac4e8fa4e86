"""Tests share code through `tests.support` and the helpers of their own folder, never through each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
FILES = sorted(TESTS.rglob("*.py"))


def imported(tree: ast.Module) -> Iterator[str]:
    """Give each name of an import in full: the module, and what is taken from it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module or ''}.{alias.name}" for alias in node.names)


@cache
def trees() -> dict[str, ast.Module]:
    """Return every file under `tests`, parsed."""
    return {path.relative_to(TESTS).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


def wrongs(tree: ast.Module) -> list[str]:
    """Return what in a file under `tests` breaks the layout."""
    found = [
        f"line {node.lineno}: sys.path.insert"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "insert" and ast.unparse(node) == "sys.path.insert"
    ]
    for name in imported(tree):
        parts = name.split(".")
        modules = parts if parts[0] == "tests" else parts[:1]
        if any(part == "conftest" or part.startswith("test_") for part in modules):
            found.append(f"imports {name}")
    found += [f"line {node.lineno}: class Exchange" for node in classes(tree) if node.name == "Exchange"]
    return found


def classes(tree: ast.Module) -> Iterator[ast.ClassDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


@pytest.mark.thorough
def test_no_file_reaches_into_another_test_module_or_moves_the_import_path() -> None:
    assert {name: said for name, tree in trees().items() if (said := wrongs(tree))} == {}


@pytest.mark.thorough
def test_there_is_one_fake_exchange() -> None:
    places = [name for name, tree in trees().items() for node in classes(tree) if node.name == "FakeExchange"]
    assert places == ["support/exchange.py"]


@pytest.mark.parametrize(
    "source",
    [
        "import sys\nsys.path.insert(0, '.')",
        "from tests.wire.test_sockets import answer",
        "from tests.wire import test_sockets",
        "from tests.sandbox.conftest import RawClient",
        "def later():\n    import conftest",
        "class Exchange: pass",
    ],
)
def test_what_is_against_the_layout_is_found(source: str) -> None:
    assert wrongs(ast.parse(source))


def test_a_child_process_may_move_its_own_path() -> None:
    source = "CELL = 'import sys; sys.path.insert(0, 1)'\nfrom tests.support.plans import make_plan"
    assert wrongs(ast.parse(source)) == []
