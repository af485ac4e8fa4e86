"""Names that were retired stay retired, and so do the words of a private language."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import cint_nb

PACKAGE = Path(cint_nb.__file__).parent
ROOT = PACKAGE.parent
RETIRED = Path(__file__).with_name("retired_names.txt").read_text(encoding="utf-8").splitlines()
"""One line per name: module and, for a member, its class. Each has a successor in the field's own terms."""

WORDS = re.compile(
    r"\b(naked(ly)?|nakedness|seats?|hops?|told|lookers?|doors?|meetings?|worldly|fences?|wish(es)?|mend(s|ed|ing)?"
    r"|looks? again|goes on at)\b",
    re.IGNORECASE,
)
ALLOWED = re.compile(r"")


def defined_in(path: Path) -> set[str]:
    """Return what a module defines, members as `Class.member`."""
    found: set[str] = set()

    def collect(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.add(prefix + node.name)
            if isinstance(node, ast.ClassDef) and not prefix:
                collect(node.body, f"{node.name}.")
            targets: list[ast.expr] = []
            if isinstance(node, ast.Assign):
                targets = node.targets
            elif isinstance(node, ast.AnnAssign):
                targets = [node.target]
            found.update(prefix + target.id for target in targets if isinstance(target, ast.Name))

    collect(ast.parse(path.read_text(encoding="utf-8")).body, "")
    return found


def test_no_module_defines_a_name_that_was_retired() -> None:
    names: dict[str, set[str]] = {}
    for line in RETIRED:
        module, _, name = line.partition(": ")
        names.setdefault(module, set()).add(name)
    back = {
        f"{module}: {name}"
        for module, retired in names.items()
        if (path := PACKAGE / f"{module}.py").exists()
        for name in retired & defined_in(path)
    }
    assert back == set()


PAGES = sorted(
    path
    for pattern in ("cint_nb/**/*.py", "notebooks/**/*.ipynb", "notebooks/*.md", "docs/*.md", "*.md")
    for path in ROOT.glob(pattern)
)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_text_speaks_the_private_language(path: Path) -> None:
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    assert [(number, found.group()) for number, line in lines if (found := WORDS.search(line))] == []
