"""Downloaded files, whose names are never trusted as paths."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from cint_nb.domain.files import safe_file_name
from cint_nb.domain.ids import mask_ids_in, printable
from cint_nb.output_files import as_folder, write_new_file
from cint_nb.wire.calls import Reply

_FILE_NAME = re.compile(r"filename\*?\s*=\s*(?:[\w-]*''(?P<coded>[^;]+)|\"(?P<quoted>[^\"]*)\"|(?P<bare>[^;]+))", re.I)


@printable
class Download(NamedTuple):
    """A downloaded file: `name, content = download`.

    Args:
        name: The exchange's file name, made safe: letters, digits, `.`, `_` and `-` only.
        content: The bytes of the file, which may contain ids of respondents.
    """

    name: str
    content: bytes

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write the file into a folder and return its path.

        Args:
            folder: An existing folder; the file never leaves it.
            overwrite: Replace a file with that name; otherwise it is not changed.

        Raises:
            InputError: there is no such folder, a file with that name exists, or it cannot be written.
        """
        advice = "save into another folder, or download.save(folder, overwrite=True) to replace it."
        return write_new_file(as_folder(folder) / self.name, self.content, overwrite=overwrite, if_it_exists=advice)

    def __repr__(self) -> str:
        """Show the file name and size, never the content."""
        return f"<Download: {mask_ids_in(self.name)} · {len(self.content):,} bytes>"


def make_download(reply: Reply, default: str) -> Download:
    """Return the download in a reply; `default` is its name if the exchange gives none."""
    return Download(download_file_name(reply, default), reply.body)


def download_file_name(reply: Reply, default: str) -> str:
    """Return the file name of a download, safe to use on any operating system."""
    match = _FILE_NAME.search(reply.headers.get("content-disposition", ""))
    found = ""
    if match:
        found = unquote(match["coded"]) if match["coded"] else (match["quoted"] or match["bare"] or "")
    return safe_file_name(found) or safe_file_name(default)
