"""What is not given is None: no field and no parameter has an empty text as its default."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import cint_nb
from tests.support.sources import parsed

PACKAGE = Path(cint_nb.__file__).parent
ALLOWED = {
    "panels/look/base.py: make_html_part.value": "a part of a panel with nothing in it",
    "panels/status_table/model.py: TableOptions.filter_text": "an empty filter box keeps every row",
    "panels/status_table/widget.py: StatusTable.set_options.filter_text": "the same",
    "wave/journal/journal.py: WaveKey.wave": "part of the key of what belongs to a project",
    "wave/journal/journal.py: Journal.write.batch": "the same, for the steps of which a wave has only one",
    "wave/context.py: WaveContext.write.batch": "handed on to Journal.write",
    "wave/context.py: WaveContext.failed_if_refused.batch": "the same",
}
"""Where an empty text is a value, and why."""


def empty_defaults(tree: ast.Module) -> Iterator[str]:
    """Yield the dotted names of fields and parameters whose default is an empty text, in whatever form."""

    def visit(node: ast.AST, prefix: str) -> Iterator[str]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            named = [*node.args.posonlyargs, *node.args.args]
            defaults = [
                *zip(named[len(named) - len(node.args.defaults) :], node.args.defaults, strict=True),
                *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True),
            ]
            name = "lambda" if isinstance(node, ast.Lambda) else node.name
            yield from (f"{prefix}{name}.{each.arg}" for each, default in defaults if is_empty_text(default))
        if isinstance(node, ast.ClassDef):
            for each in node.body:
                if isinstance(each, ast.AnnAssign) and is_empty_text(each.value):
                    yield f"{prefix}{node.name}.{ast.unparse(each.target)}"
                if isinstance(each, ast.Assign) and is_empty_text(each.value):
                    yield from (f"{prefix}{node.name}.{ast.unparse(target)}" for target in each.targets)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            prefix = f"{prefix}{node.name}."
        for child in ast.iter_child_nodes(node):
            yield from visit(child, prefix)

    yield from visit(tree, "")


def is_empty_text(default: ast.expr | None) -> bool:
    """Return whether a default is `""`, also as the default of `field` or `Field`."""
    if isinstance(default, ast.Call):
        named = {keyword.arg: keyword.value for keyword in default.keywords}
        is_field = isinstance(default.func, ast.Name) and default.func.id in ("field", "Field")
        return is_field and is_empty_text(default.args[0] if default.args else named.get("default"))
    return isinstance(default, ast.Constant) and default.value == ""


def found_in_package() -> set[str]:
    """Return every such default of the package, as `module: name`."""
    modules = {path.relative_to(PACKAGE): path for path in PACKAGE.rglob("*.py")}
    return {
        f"{module.as_posix()}: {name}"
        for module, path in modules.items()
        for name in empty_defaults(parsed(path.read_text(encoding="utf-8")))
    }


@pytest.mark.thorough
def test_no_field_and_no_parameter_has_an_empty_text_for_not_given() -> None:
    assert found_in_package() == set(ALLOWED)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('class A:\n    b: str = ""', ["A.b"]),
        ('class A:\n    b: str | None = Field(default="", max_length=3)', ["A.b"]),
        ('class A:\n    b: str = field("", repr=False)', ["A.b"]),
        ('class A:\n    b = ""', ["A.b"]),
        ('class A:\n    def f(self, b: str = "") -> None: ...', ["A.f.b"]),
        ('async def f(a, /, b, *, c="", d): ...', ["f.c"]),
        ('def f():\n    def g(b=""): ...', ["f.g.b"]),
        ('f = lambda b="": b', ["lambda.b"]),
        ('class A:\n    b: str | None = None\n    c: str = "x"\n    def f(self):\n        d: str = ""', []),
    ],
)
def test_such_a_default_is_found_in_every_form(source: str, found: list[str]) -> None:
    assert list(empty_defaults(parsed(source))) == found
