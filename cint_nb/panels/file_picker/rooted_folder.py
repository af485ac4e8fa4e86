"""A folder one can look around in and not get out of."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.ids import mask_ids_in
from cint_nb.panels.look.text_format import size

READABLE = (".csv", ".txt", ".tsv", ".xlsx", ".parquet", ".sav")
"""Endings of the files a fence shows."""

ENTRIES_MAX = 500


@dataclass(frozen=True)
class Entry:
    """Hold one line of a folder listing: what it says and where it leads."""

    label: str
    path: Path = field(repr=False)
    folder: bool


class Fence:
    """List and open files inside one folder.

    Args:
        root: The folder. Links that lead out of it are not followed.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root).expanduser().resolve()

    def inside(self, path: str | Path) -> Path:
        """Return the real place of `path`, taken relative to the folder.

        Raises:
            RespondentFileError: if it lies outside the folder.
        """
        try:
            place = (self.root / Path(path).expanduser()).resolve()
        except (ValueError, OSError, RuntimeError):  # a null byte, a name too long, a loop of links, no such user
            place = Path()
        if not place.is_relative_to(self.root):
            raise RespondentFileError(
                "The file lies outside the folder this picker may read.",
                evidence={"file": Path(path).name, "folder": self.root.name or "/"},
                next_step="move the file into that folder, or make the picker with folder=… set to where it lies.",
            )
        return place

    def entries(self, folder: Path) -> list[Entry]:
        """List a folder inside the fence: the way up, folders, then readable files with their size."""
        here = self.inside(folder)
        found = [] if here == self.root else [Entry("↰ up", here.parent, folder=True)]
        folders, files = [], []
        try:
            with os.scandir(here) as scan:
                items = sorted(scan, key=lambda item: item.name.lower())
        except OSError:
            return found
        for item in items:
            path = Path(item.path)
            if item.name.startswith(".") or not path.resolve().is_relative_to(self.root):
                continue
            if item.is_dir():
                folders.append(Entry(f"{mask_ids_in(item.name)}/", path, folder=True))
            elif path.suffix.lower() in READABLE and item.is_file():
                files.append(Entry(f"{mask_ids_in(item.name)}  ({size(item.stat().st_size)})", path, folder=False))
        return found + (folders + files)[:ENTRIES_MAX]

    def name(self, path: Path) -> str:
        """Return where a path lies inside the folder, with forward slashes."""
        return self.inside(path).relative_to(self.root).as_posix()
