"""A folder that can be browsed but not left."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.ids import mask_ids_in, masked_repr
from cint_nb.panels.look.text_format import format_size
from cint_nb.study.files.file_format import READABLE_SUFFIXES

ENTRIES_MAX = 500


@dataclass(frozen=True)
class FolderEntry:
    """One line of a folder listing: what it says and where it leads."""

    label: str
    path: Path = field(repr=False)
    is_folder: bool


class RootedFolder:
    """List and open files inside one folder.

    Args:
        root: The folder. Links that lead out of it are not followed.

    Raises:
        RespondentFileError: no folder can have this path.
    """

    def __init__(self, root: str | Path) -> None:
        try:
            self.root = Path(root).expanduser().resolve()
        except (ValueError, OSError, RuntimeError) as error:  # as in `resolve`
            raise RespondentFileError(
                "No folder can have this path.",
                evidence={"folder": masked_repr(str(root), 120), "reason": type(error).__name__},
                next_step="pass the path of a folder, such as '.', the working folder.",
            ) from None

    def resolve(self, path: str | Path) -> Path:
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

    def list_entries(self, folder: Path) -> list[FolderEntry]:
        """List a folder inside the root: the way up, folders, then readable files with their size."""
        here = self.resolve(folder)
        found = [] if here == self.root else [FolderEntry("↰ up", here.parent, is_folder=True)]
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
                folders.append(FolderEntry(f"{mask_ids_in(item.name)}/", path, is_folder=True))
            elif path.suffix.lower() in READABLE_SUFFIXES and item.is_file():
                files.append(
                    FolderEntry(
                        f"{mask_ids_in(item.name)}  ({format_size(item.stat().st_size)})", path, is_folder=False
                    )
                )
        return found + (folders + files)[:ENTRIES_MAX]

    def relative_name(self, path: Path) -> str:
        """Return where a path lies inside the folder, with forward slashes."""
        return self.resolve(path).relative_to(self.root).as_posix()
