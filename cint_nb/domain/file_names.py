"""Names of files that come from elsewhere, made harmless on every system."""

from __future__ import annotations

import re

# Windows opens a device under these names, whatever the ending.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d|conin_|conout_)(?:\.|$)", re.IGNORECASE | re.ASCII)


def safe_name(text: str, *, longest: int = 128) -> str:
    """Return a name no system takes for a hidden file, an option, a device or another folder; empty if none is left.

    Args:
        text: A name, or a path of which the last step counts.
        longest: Most characters kept; the ending stays.
    """
    last = re.split(r"[/\\]", text.strip())[-1]
    name = re.sub(r"[^A-Za-z0-9._-]", "_", last).lstrip(".-").rstrip(".")
    stem, dot, ending = name.rpartition(".")
    if len(name) > longest:
        name = f"{stem[: longest - 10]}.{ending[:9]}" if dot and stem else name[:longest]
    return f"_{name}" if _DEVICE.match(name) else name
