"""Every public name is used where a user can see it used; a name that nobody needs is not public."""

from __future__ import annotations

import ast
import re

import cint_nb as cint
from tests.notebooks.course import NUMBERED, ROOT, TEMPLATES, code_cells, prose, read

MODULES = ("errors", "frames", "measure", "plots", "sandbox")
PAGES = ("README.md", "docs/measures.md", "docs/history.md", "docs/engineers/program.md", "docs/analysts/recipes.md")
_PYTHON = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"`(\w+)`")


def public_names() -> list[str]:
    """Return every public name as users write it; the version is metadata, and an error has one name."""
    names = [name for name in cint.__all__ if name != "__version__"]
    return names + [f"{module}.{name}" for module in MODULES for name in getattr(cint, module).__all__]


def shown_code() -> list[str]:
    """Return the code that users read: of notebooks with exercises, templates, README and pages."""
    pages = [read(path) for path in (*NUMBERED, *TEMPLATES)]
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in PAGES]
    texts += [prose(page) for page in pages]
    cells = [cell.source for page in pages for cell in code_cells(page) if not cell.source.startswith("%%")]
    return cells + [block for text in texts for block in _PYTHON.findall(text)]


def names_used(code: str) -> set[str]:
    """Return the names of the package in a piece of code, without the package's own."""
    tree = ast.parse(code)
    found = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.partition(".")[2] for name in found if re.match(r"cint(_nb)?\.", name)}


def test_every_public_name_is_used() -> None:
    """An error counts where it is caught, or where the notebook on troubleshooting names it."""
    names = set().union(*map(names_used, shown_code()))
    troubleshooting = set(_SPAN.findall(prose(read(ROOT / "notebooks" / "90-when-things-go-wrong.ipynb"))))
    used = names | {f"errors.{name.removeprefix('errors.')}" for name in names | troubleshooting}
    assert [name for name in public_names() if name not in used] == []


def test_a_name_is_found_in_each_way_of_writing_it() -> None:
    code = "import cint_nb as cint\nfrom cint_nb import History\nx: cint.Wave = cint.frames.y(a.connect, 'cint.Job')"
    assert names_used(code) == {"History", "Wave", "frames.y", "frames"}


def test_an_error_that_the_troubleshooting_names_exists() -> None:
    text = prose(read(ROOT / "notebooks" / "90-when-things-go-wrong.ipynb"))
    rows = [
        line.split("|")[1:3] for line in text.splitlines() if line.startswith("| ") and "error | it means" not in line
    ]
    names = {name for row in rows for name in _SPAN.findall(" ".join(row)) if name[0].isupper()}
    assert len(names) > 20
    assert sorted(names - set(cint.errors.__all__)) == []
