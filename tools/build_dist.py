"""Build wheel and sdist into dist/, once from here and once from an unpacked copy, and compare them byte by byte.

The copy has other times and another mask of permissions, as another machine would. `nox -s dist` runs this.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def build(source: Path, out: Path) -> dict[str, str]:
    """Build both archives and return the hash of each."""
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(out)]
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    subprocess.run(command, cwd=source, check=True, stdout=subprocess.DEVNULL, env=environment)  # noqa: S603 - our own
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(out.iterdir())}


def main() -> int:
    """Build twice, compare, and print the hashes."""
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    here = build(ROOT, dist)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (archive,) = dist.glob("*.tar.gz")
        with tarfile.open(archive) as opened:
            opened.extraction_filter = getattr(tarfile, "data_filter", None)  # since Python 3.11.4
            opened.extractall(place)  # noqa: S202 - built above
        (copy,) = place.iterdir()
        for path in copy.rglob("*"):
            os.utime(path, (86_400, 86_400))
            if path.is_file():
                path.chmod(0o600)
        there = build(copy, place / "dist")
    for name, digest in here.items():
        print(digest, name)
    if here != there:
        print("not reproducible:", *(name for name in here if here[name] != there.get(name)))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
