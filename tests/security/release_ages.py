"""Ask the package index when each direct dependency was last released, and write the table of docs/security.md.

The index is asked through uv, which notes the time of each upload in its lock file. Ends with 1 for a dependency that
is older than 24 months and has no reason here.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security.md"
BEGIN, END = "<!-- ages -->", "<!-- /ages -->"
MONTHS_MAX = 24
REASONS = {
    "nest-asyncio": "archived; only in the tests, which hold that its patch is noticed and does us no harm",
    "httpx": "finished rather than left: stable since, and imported in two places only, so that it can be replaced",
    "nbval": "the one tool that compares notebooks with their stored outputs; only in the tests",
    "openpyxl": "writes the workbooks that the tests read; only in the tests",
    "trustme": "makes certificates with `cryptography`, which is released often; only in the tests",
}


@dataclass(frozen=True)
class Age:
    """Hold when a package was last released."""

    name: str
    version: str
    released: date

    def months(self, today: date) -> int:
        """Return the whole months since then."""
        past = (today.year - self.released.year) * 12 + today.month - self.released.month
        return past - (today.day < self.released.day)

    def stale(self, today: date) -> bool:
        """Tell whether it needs a reason."""
        return self.months(today) >= MONTHS_MAX


def direct_dependencies(project: Mapping[str, object]) -> list[str]:
    """Return what the project asks for in any of its parts, itself left out."""
    parts = project["optional-dependencies"]
    assert isinstance(parts, dict)
    wanted = [*project["dependencies"], *(each for part in parts.values() for each in part)]  # type: ignore[misc]
    return sorted({each for each in wanted if not each.startswith("cint_nb")}, key=str.lower)


def name_of(requirement: str) -> str:
    """Return the name a requirement asks for, as the index spells it."""
    return re.split(r"[<>=!~\[; ]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def ages(lock: Mapping[str, object], names: Iterable[str]) -> list[Age]:
    """Read the newest upload of each name from a lock file; a name the lock does not hold is left out."""
    packages = {each["name"]: each for each in lock["package"]}  # type: ignore[attr-defined]
    found = []
    for name in names:
        files = [*packages.get(name, {}).get("wheels", ()), *filter(None, [packages.get(name, {}).get("sdist")])]
        times = [each["upload-time"] for each in files if "upload-time" in each]
        if times:
            newest = datetime.fromisoformat(max(times)).astimezone(UTC).date()
            found.append(Age(name, packages[name]["version"], newest))
    return found


def without_reason(found: Iterable[Age], today: date) -> list[str]:
    """Name the packages that are too old and have no reason."""
    return [each.name for each in found if each.stale(today) and each.name not in REASONS]


def table(found: Iterable[Age], today: date) -> str:
    """Write the table."""
    lines = [
        f"Asked on {today:%Y-%m-%d}.",
        "",
        "| package | newest | released | months | reason |",
        "|---|---|---|---|---|",
    ]
    for each in sorted(found, key=lambda age: age.released):
        reason = REASONS.get(each.name, "") if each.months(today) >= MONTHS_MAX - 3 else ""
        lines.append(f"| {each.name} | {each.version} | {each.released} | {each.months(today)} | {reason} |")
    return "\n".join(lines)


def ask(requirements: Iterable[str]) -> Mapping[str, object]:
    """Let uv resolve the newest of everything, in a folder of its own."""
    wanted = ", ".join(f'"{each}"' for each in requirements)
    with tempfile.TemporaryDirectory() as folder:
        head = f'[project]\nname = "asked"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = [{wanted}]\n'
        (Path(folder) / "pyproject.toml").write_text(head)
        subprocess.run(["uv", "lock", "--quiet", "--project", folder], check=True)  # noqa: S607 - installed beside us
        return tomllib.loads((Path(folder) / "uv.lock").read_text())


def main() -> int:
    """Ask, write the table, and tell what needs a reason."""
    today = datetime.now(UTC).date()
    requirements = direct_dependencies(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"])
    names = sorted({name_of(each) for each in requirements})
    found = ages(ask(requirements), names)
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{table(found, today)}\n{END}{rest.split(END)[1]}", encoding="utf-8")
    unknown = sorted(set(names) - {each.name for each in found})
    old = without_reason(found, today)
    print(f"{len(found)} of {len(names)} direct dependencies; no date for: {', '.join(unknown) or 'none'}")  # noqa: T201
    print(f"older than {MONTHS_MAX} months without a reason: {', '.join(old) or 'none'}")  # noqa: T201
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main())
