"""Names that were retired stay retired, and so do the words of a private language."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
from pathlib import Path

import pytest

import cint_nb
from tests.support.sources import parsed

PACKAGE = Path(cint_nb.__file__).parent
ROOT = PACKAGE.parent
RETIRED = Path(__file__).with_name("retired_names.txt").read_text(encoding="utf-8").splitlines()
"""One line per name: module and, for a member, its class. Each has a successor in the field's own terms."""

WORDS = re.compile(
    r"\b(naked(ly)?|nakedness|seats?|hops?|told|lookers?|doors?|meetings?|worldly|fences?|wish(es)?|mend(s|ed|ing)?"
    r"|looks? again|goes on at)\b",
    re.IGNORECASE,
)
PICTURE = re.compile(r"[A-Za-z0-9+/]{60,}")
"""The pictures in notebooks, whose letters mean nothing."""
FILE = re.compile(
    r"(?<![\w/])(?:cint_nb|tests|benchmarks|docs|notebooks|binder)/[\w/.-]*\w\.(?:py|md|ipynb|sh|toml|txt)\b"
)
DOTTED = re.compile(r"(?<![\w/.@-])cint_nb(?:\.[A-Za-z_]\w*)+")


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

    collect(parsed(path.read_text(encoding="utf-8")).body, "")
    return found


@pytest.mark.thorough
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


@pytest.mark.thorough
def test_no_text_speaks_the_private_language() -> None:
    assert [
        f"{path.relative_to(ROOT).as_posix()}:{number}: {found.group()}"
        for path in PAGES
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        for found in WORDS.finditer(line)
    ] == []


def text_of(path: Path) -> str:
    """Return a page without its pictures; the line breaks in a notebook's strings are breaks between words."""
    text = PICTURE.sub("", path.read_text(encoding="utf-8"))
    return text.replace("\\n", " ") if path.suffix == ".ipynb" else text


def exists(dotted: str) -> bool:
    """Return whether a dotted name leads to a module, or to what a module defines."""
    parts = dotted.split(".")
    depth = 1
    while depth < len(parts) and importlib.util.find_spec(".".join(parts[: depth + 1])) is not None:
        depth += 1
        if (PACKAGE.joinpath(*parts[1:depth])).with_suffix(".py").exists():
            break  # a module has no modules below it
    thing: object = importlib.import_module(".".join(parts[:depth]))
    for name in parts[depth:]:
        if not hasattr(thing, name):
            return False
        thing = getattr(thing, name)
    return True


def test_every_file_and_module_that_is_named_exists() -> None:
    missing = []
    for path in (page for page in PAGES if page.suffix != ".py"):
        text = text_of(path)
        names = {name for name in FILE.findall(text) if not (ROOT / name).exists()}
        names |= {name for name in DOTTED.findall(text) if not exists(name)}
        missing += [f"{path.relative_to(ROOT).as_posix()}: {name}" for name in sorted(names)]
    assert missing == []


def test_a_module_that_moved_away_would_be_found() -> None:
    assert exists("cint_nb.wire.settings.Settings.load")
    assert not exists("cint_nb.wire.settings.Settings.read_all")
    assert not exists("cint_nb.wire.nonces")
    assert not exists("cint_nb.write_sample")
    assert FILE.findall("see `cint_nb/wire/nonces.py`, tests/conftest.py.") == [
        "cint_nb/wire/nonces.py",
        "tests/conftest.py",
    ]
    assert DOTTED.findall("with_cint_nb.py, `cint_nb.wire.nonces`.") == ["cint_nb.wire.nonces"]


def test_the_layout_in_contributing_names_every_folder_of_the_package() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    layout = text.partition("\ncint_nb/\n")[2].partition("```")[0]
    folders = {path.parent.name for path in PACKAGE.rglob("__init__.py")} - {PACKAGE.name}
    assert set(re.findall(r"(?<!\S)(\w+)/(?=\s)", layout)) == folders
