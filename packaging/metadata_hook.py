"""What the package says of itself and follows from one setting: `repository` under [tool.cint_nb] in pyproject.toml.

While the setting is empty, there are no addresses, and what the README links to in the repository is named, not linked;
once it is set, every link of the README is absolute, as a package index needs it.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hatchling.metadata.plugin.interface import MetadataHookInterface

_IMAGE = re.compile(r"!\[([^\]]*)\]\((?![a-z]+:)([^)\s]+)\)\n*")
_LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])+)\]\((?![a-z]+:|#)([^)\s]+)\)")


def addresses(repository: str) -> dict[str, str]:
    """Return the project's addresses; none while the repository is not known."""
    if not repository:
        return {}
    found = {
        "Repository": repository,
        "Issues": f"{repository}/issues",
        "Changelog": f"{repository}/blob/HEAD/CHANGELOG.md",
    }
    parts = urlsplit(repository)
    if parts.netloc == "github.com":  # where .github/workflows/docs.yml publishes
        owner, _, name = parts.path.strip("/").partition("/")
        found["Documentation"] = f"https://{owner}.github.io/{name}/"
    return found


def readme_for_index(text: str, repository: str) -> str:
    """Return the README as a package index shows it: with absolute links, or without those that would lead nowhere."""
    if not repository:
        return _LINK.sub(r"\1", _IMAGE.sub("", text))
    text = _IMAGE.sub(lambda found: f"![{found[1]}]({repository}/raw/HEAD/{found[2]})\n\n", text)
    return _LINK.sub(lambda found: f"[{found[1]}]({repository}/blob/HEAD/{found[2]})", text)


class CintMetadata(MetadataHookInterface):
    """Called by hatchling with the metadata of pyproject.toml."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add readme and addresses."""
        root = Path(self.root)
        settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
        repository = str(settings["tool"]["cint_nb"]["repository"]).rstrip("/")
        text = (root / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": readme_for_index(text, repository)}
        metadata["urls"] = addresses(repository)
