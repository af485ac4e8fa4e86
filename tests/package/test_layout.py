"""The package as a stranger finds it: rooms that can be looked through, and words that belong to the field."""

from __future__ import annotations

from pathlib import Path

import cint_nb

PACKAGE = Path(cint_nb.__file__).parent
FOLDERS = [PACKAGE, *sorted(path.parent for path in PACKAGE.rglob("__init__.py") if path.parent != PACKAGE)]
ALWAYS_THERE = {"__init__.py", "py.typed", "__pycache__"}


def entries(folder: Path) -> list[Path]:
    """Modules and folders, without what every folder has."""
    return sorted(path for path in folder.iterdir() if path.name not in ALWAYS_THERE)


def test_a_folder_has_at_least_three_entries_and_at_most_fourteen_modules() -> None:
    found = {folder.relative_to(PACKAGE.parent).as_posix(): entries(folder) for folder in FOLDERS}
    assert {name: len(each) for name, each in found.items() if len(each) < 3} == {}
    modules = {name: sum(path.is_file() for path in each) for name, each in found.items()}
    assert {name: count for name, count in modules.items() if count > 14} == {}


def test_every_room_has_a_charter() -> None:
    first = {folder: (folder / "__init__.py").read_text(encoding="utf-8") for folder in FOLDERS}
    assert [folder.name for folder, text in first.items() if not text.startswith('"""')] == []
