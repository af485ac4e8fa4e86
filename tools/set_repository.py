"""Carry the one setting that names the repository from pyproject.toml to the files that cannot read it there.

Usage: set_repository.py [--check]. With --check nothing is written; the exit code is 1 where a file is not current.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def contents(repository: str) -> dict[Path, str]:
    """Return each file as it should be."""
    citation = ROOT / "CITATION.cff"
    recipe = ROOT / "packaging" / "conda" / "meta.yaml"
    cited = re.sub(r"^repository-code: .*\n", "", citation.read_text(encoding="utf-8"), flags=re.MULTILINE)
    made = re.sub(r"^  (home|dev_url): .*\n", "", recipe.read_text(encoding="utf-8"), flags=re.MULTILINE)
    if repository:
        cited += f'repository-code: "{repository}"\n'
        made = made.replace("about:\n", f"about:\n  home: {repository}\n  dev_url: {repository}\n")
    readme = ROOT / "README.md"
    return {citation: cited, recipe: made, readme: with_binder(readme.read_text(encoding="utf-8"), repository)}


def with_binder(readme: str, repository: str) -> str:
    """Return the README with what it says of Binder: where to type the address, or a badge once that is known."""
    first = "notebooks/00-start-here.ipynb"
    said = (
        "To open them with nothing to install, give the address of this repository to "
        f"[mybinder.org](https://mybinder.org), with the\nfile `{first}`."
    )
    host, _, name = repository.removeprefix("https://").partition("/")
    if host == "github.com":
        address = f"https://mybinder.org/v2/gh/{name}/HEAD?urlpath=lab/tree/{first}"
        badge = "[![Open the first notebook on Binder](https://mybinder.org/badge_logo.svg)]"
        said = f"With nothing to install: {badge}({address})"
    before, _, rest = readme.partition("<!-- binder -->")
    after = rest.partition("<!-- /binder -->")[2]
    return f"{before}<!-- binder -->\n{said}\n<!-- /binder -->{after}"


def main(arguments: list[str]) -> int:
    """Write what is not current; or, with --check, name it."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = contents(str(settings["tool"]["cint_nb"]["repository"]).rstrip("/"))
    stale = [path for path, text in wanted.items() if path.read_text(encoding="utf-8") != text]
    for path in stale:
        print(f"{'not current' if '--check' in arguments else 'wrote'}: {path.relative_to(ROOT)}")
        if "--check" not in arguments:
            path.write_text(wanted[path], encoding="utf-8")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
