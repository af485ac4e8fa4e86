"""The package as a stranger finds it: rooms that can be looked through, and words that belong to the field."""

from __future__ import annotations

from pathlib import Path

import pytest

import cint_nb

PACKAGE = Path(cint_nb.__file__).parent
FOLDERS = [PACKAGE, *sorted(path.parent for path in PACKAGE.rglob("__init__.py") if path.parent != PACKAGE)]
ALWAYS_THERE = {"__init__.py", "py.typed", "__pycache__"}


def entries(folder: Path) -> list[Path]:
    """Modules and folders, without what every folder has."""
    return sorted(path for path in folder.iterdir() if path.name not in ALWAYS_THERE)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.relative_to(PACKAGE.parent).as_posix())
def test_a_folder_has_at_least_three_entries_and_at_most_fourteen_modules(folder: Path) -> None:
    modules = [path for path in entries(folder) if path.is_file()]
    assert len(entries(folder)) >= 3
    assert len(modules) <= 14


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.relative_to(PACKAGE.parent).as_posix())
def test_every_room_has_a_charter(folder: Path) -> None:
    first = (folder / "__init__.py").read_text(encoding="utf-8")
    assert first.startswith('"""')
