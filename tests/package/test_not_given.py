"""What is not given is None: an empty text is a value only where this list says so."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import cint_nb

PACKAGE = Path(cint_nb.__file__).parent
ROOMS = ("study", "panels", "cli")
EMPTY_IS_A_VALUE = {
    "make_html_part.value",  # a part of a panel with nothing in it
    "TableOptions.filter_text",  # an empty filter box keeps every row
    "set_options.filter_text",
}


def empty_defaults(tree: ast.AST) -> Iterator[str]:
    """Yield the owner and the name of each parameter or field whose default is an empty text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            fields = [each for each in node.body if isinstance(each, ast.AnnAssign) and each.value is not None]
            yield from (f"{node.name}.{ast.unparse(each.target)}" for each in fields if is_empty_text(each.value))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args]
            positional = zip(arguments[::-1], node.args.defaults[::-1], strict=False)
            by_keyword = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
            yield from (f"{node.name}.{each.arg}" for each, value in [*positional, *by_keyword] if is_empty_text(value))


def is_empty_text(value: ast.expr | None) -> bool:
    """Return whether a default is an empty text, also as the default of a pydantic field."""
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "Field":
        named = [each.value for each in value.keywords if each.arg == "default"]
        return any(map(is_empty_text, [*value.args[:1], *named]))
    return isinstance(value, ast.Constant) and value.value == ""


@pytest.mark.parametrize("room", ROOMS)
def test_no_parameter_or_field_stands_for_not_given_by_an_empty_text(room: str) -> None:
    found = {
        name
        for module in sorted((PACKAGE / room).rglob("*.py"))
        for name in empty_defaults(ast.parse(module.read_text("utf-8")))
    }
    assert found <= EMPTY_IS_A_VALUE


@pytest.mark.parametrize(
    "code",
    [
        'class A:\n    b: str = ""',
        'class A:\n    b: str = Field(default="", max_length=3)',
        'def a(x, b=""): ...',
        'def a(*, x, b=""): ...',
        'async def a(b="", /): ...',
    ],
)
def test_an_empty_default_is_found_wherever_it_stands(code: str) -> None:
    assert len(list(empty_defaults(ast.parse(code)))) == 1


def test_what_is_required_or_none_or_a_text_is_not_found() -> None:
    code = 'class A:\n    b: str\n    c: str | None = None\ndef a(x, y="z", *, w, v=None): ...'
    assert not list(empty_defaults(ast.parse(code)))
