"""Files for people: each is written whole or not at all, never over an existing one unasked, for its owner alone."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from cint_nb.domain.errors import InputError
from cint_nb.domain.ids import mask_ids_in, masked_repr

OVERWRITE = "write to another file, or pass overwrite=True to replace this one."
_LEFTOVER_SECONDS = 60
_NAME_BYTES = 100
"""As much of a file's name as its temporary file repeats; the rest of the usual 255 bytes is for our own marks."""


def write_new_file(path: str | Path, content: bytes, *, overwrite: bool = False, if_it_exists: str = OVERWRITE) -> Path:
    """Write a file and return its path; one that exists with other content is left as it is unless `overwrite` is true.

    The content is complete on disk before the file gets its name, so that nobody ever reads a part of it, and an
    interrupted write leaves the earlier file. Only its owner may read a new file, since most hold ids of respondents;
    one that is replaced keeps its permissions.

    Args:
        path: The file, in an existing folder.
        content: All of it.
        overwrite: Whether to replace an existing file; a symbolic link is replaced, not its target.
        if_it_exists: The next step to advise where the file exists.

    Raises:
        InputError: a file with other content exists, or it cannot be written; it was not changed.
    """
    target = as_path(path)
    if overwrite is not True:
        if _holds(target, content):  # a cell that is run again
            return target
        require_new_file(target, if_it_exists)
    stem = target.name.encode(errors="replace")[:_NAME_BYTES].decode(errors="ignore")
    draft = target.with_name(f".{stem}.{secrets.token_hex(6)}.part")
    remove_leftovers(target.parent, rf"\.{re.escape(stem)}\.[0-9a-f]{{12}}\.part")
    try:
        try:
            _write(draft, content, like=target)
            if overwrite is True:
                draft.replace(target)
            else:
                _give_name(draft, target)
        finally:
            with suppress(OSError):
                draft.unlink()
        _sync_folder(target.parent)
    except FileExistsError:  # written by somebody else in the meantime
        raise _exists_error(target, if_it_exists) from None
    except (OSError, ValueError) as error:
        raise _write_error(target, error) from None
    return target


def remove_leftovers(folder: Path, names: str) -> None:
    """Remove the temporary files of writes that were killed: they may hold ids of respondents, or a token.

    Args:
        folder: Where they are.
        names: A regular expression for the whole name of a temporary file of ours. One that is younger than a minute
            may still be in use.
    """
    with suppress(OSError, ValueError):
        for path in folder.iterdir():
            with suppress(OSError):
                is_old = re.fullmatch(names, path.name) and time.time() - path.lstat().st_mtime > _LEFTOVER_SECONDS
                if is_old and stat.S_ISREG(path.lstat().st_mode):
                    path.unlink()


def require_new_file(path: str | Path, if_it_exists: str = OVERWRITE) -> None:
    """Raise if there is a file, folder or link of this name, before any work is done for it.

    Raises:
        InputError: with the name, size and date of what is there.
    """
    target = as_path(path)
    try:
        exists = target.is_symlink() or target.exists()
    except (OSError, ValueError) as error:
        raise _write_error(target, error) from None
    if exists:
        raise _exists_error(target, if_it_exists)


def unused_folder(wanted: Path) -> Path:
    """Return a folder of this name, numbered where one exists already."""
    number, folder = 1, wanted
    while folder.exists():
        number += 1
        folder = wanted.with_name(f"{wanted.name}-{number}")
    return folder


def make_folder(folder: Path) -> None:
    """Create a folder unless it exists.

    Raises:
        InputError: a file has its name, or it cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise InputError(
            "The folder cannot be created.",
            evidence={
                "folder": mask_ids_in(folder.name),
                "reason": getattr(error, "strerror", None) or type(error).__name__,
            },
            next_step="give another folder, one you may write to.",
        ) from None


def as_path(path: str | Path) -> Path:
    """Return the path of a file to write, its `~` replaced.

    Raises:
        InputError: it cannot be one.
    """
    if not isinstance(path, str | Path) or not Path(path).name.strip() or "\0" in str(path):
        raise InputError(
            f"{masked_repr(path)} is not the path of a file.", next_step="pass a path, such as 'wave2.csv'."
        )
    return _expand_home(Path(path))


def as_folder(folder: str | Path) -> Path:
    """Return the path of an existing folder, its `~` replaced.

    Raises:
        InputError: there is no such folder.
    """
    try:
        found = _expand_home(Path(folder)) if isinstance(folder, str | Path) and str(folder).strip() else None
        if found is not None and found.is_dir():
            return found
    except (OSError, ValueError):  # a name the system does not allow is of no folder
        pass
    raise InputError(
        f"There is no folder {masked_repr(str(folder) if isinstance(folder, Path) else folder)}.",
        next_step="pass the path of a folder that exists; '.' is the one in which the notebook runs.",
    )


def _expand_home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise InputError(
            "The home folder of this path is not known.",
            evidence={"path": mask_ids_in(str(path))},
            next_step="write the path without ~.",
        ) from None


def _holds(target: Path, content: bytes) -> bool:
    """Return whether a regular file has exactly this content already."""
    try:
        found = target.lstat()
        return stat.S_ISREG(found.st_mode) and found.st_size == len(content) and target.read_bytes() == content
    except (OSError, ValueError):
        return False


def _write(draft: Path, content: bytes, *, like: Path) -> None:
    """Write a file of its own and wait until it is on disk; its permissions are those of the file it replaces."""
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with suppress(OSError, AttributeError):
            if stat.S_ISREG(mode := like.lstat().st_mode):
                os.fchmod(file.fileno(), stat.S_IMODE(mode))
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _give_name(draft: Path, target: Path) -> None:
    """Give a finished file its name, unless another has it: a link is never made over a file, a move would be."""
    try:
        target.hardlink_to(draft)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):  # a file system without links: take the name first, then fill it
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        draft.replace(target)


def _sync_folder(folder: Path) -> None:
    """Wait until the name is on disk too, where a system can do that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _exists_error(target: Path, next_step: str) -> InputError:
    kind, evidence = "file", {"file": mask_ids_in(target.name), "folder": mask_ids_in(target.parent.name) or None}
    with suppress(OSError):
        found = target.lstat()
        changed = datetime.fromtimestamp(found.st_mtime, UTC)
        kind = "folder" if stat.S_ISDIR(found.st_mode) else "link" if stat.S_ISLNK(found.st_mode) else "file"
        evidence |= {"size": f"{found.st_size:,} bytes", "changed": f"{changed:%Y-%m-%d %H:%M:%S} UTC"}
    return InputError(
        f"A {kind} named {mask_ids_in(target.name)!r} exists already.",
        evidence=evidence,
        safe="nothing was written; what is there was not changed.",
        next_step=next_step if kind != "folder" else "pass the path of a file, such as 'wave2.csv' in it.",
    )


def _write_error(target: Path, error: OSError | ValueError) -> InputError:
    what, next_step = "The file cannot be written.", "choose another folder or name."
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        what, next_step = "The folder does not exist.", "create the folder first."
    elif isinstance(error, IsADirectoryError):
        what, next_step = "This is a folder, not a file.", "pass the path of a file, such as 'wave2.csv' in it."
    elif isinstance(error, PermissionError):
        next_step = "choose a folder you may write to, and close the file where another program has it open."
    elif getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT}:
        next_step = "free some space, or choose another disk."
    return InputError(
        what,
        evidence={
            "file": mask_ids_in(target.name),
            "folder": mask_ids_in(target.parent.name) or None,
            "reason": getattr(error, "strerror", None) or type(error).__name__,
        },
        safe="nothing was written; a file that was there was not changed.",
        next_step=next_step,
    )
