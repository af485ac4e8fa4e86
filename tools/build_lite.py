"""Build a JupyterLite site in which the client level of cint_nb runs in the browser alone.

`nox -s lite` runs this in the environment of packaging/lite/requirements.txt. What the site needs comes from the
package registries, through pip and npm; the finished site asks no other host for anything. Its list of packages, which
Pyodide calls its lock, is written here, so that `import cint_nb` alone loads the package with all that it needs.

No registry has numpy and pandas for Pyodide: only a complete Pyodide distribution does. Give one with `--tables`, and
their wheels become part of the site.
"""

from __future__ import annotations

import argparse
import email
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LITE = ROOT / "packaging" / "lite"
KERNEL = ("ipython", "jedi", "comm")
"""What the kernel loads when it starts, beside the wheels that it brings itself."""
FRONT_END = {"widgetsnbextension", "jupyterlab-widgets"}
"""JavaScript, which the site has as extensions."""
TABLES = {"pandas"}
"""What no registry has for Pyodide; numpy comes with it."""


@dataclass
class Wheel:
    """A wheel and what its metadata says.

    Args:
        path: The file.
    """

    path: Path
    name: str = field(init=False)
    version: str = field(init=False)
    requires: list[Requirement] = field(init=False)
    imports: list[str] = field(init=False)

    def __post_init__(self) -> None:
        with zipfile.ZipFile(self.path) as archive:
            names = archive.namelist()
            (place,) = [each for each in names if each.count("/") == 1 and each.endswith(".dist-info/METADATA")]
            metadata = email.message_from_bytes(archive.read(place))
        self.name, self.version = canonicalize_name(metadata["Name"]), metadata["Version"]
        self.requires = [Requirement(each) for each in metadata.get_all("Requires-Dist", [])]
        tops = {each.split("/")[0] for each in names if not each.split("/")[0].endswith((".dist-info", ".data"))}
        self.imports = sorted(each.split(".")[0] for each in tops)


def needs(wheel: Wheel, environment: dict[str, str], extras: Iterable[str] = ()) -> list[Requirement]:
    """Return what a wheel requires where Pyodide runs it: markers are about that place, not about this machine."""
    wanted = [environment | {"extra": extra} for extra in ("", *extras)]
    return [
        each for each in wheel.requires if each.marker is None or any(each.marker.evaluate(place) for place in wanted)
    ]


def environment_of(lock: dict[str, Any]) -> dict[str, str]:
    """Return the values that markers are compared with, for the Python that a lock is made for."""
    python = lock["info"]["python"]
    return {
        "sys_platform": "emscripten",
        "platform_system": "Emscripten",
        "os_name": "posix",
        "platform_machine": lock["info"]["arch"],
        "python_version": ".".join(python.split(".")[:2]),
        "python_full_version": python,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }


def run(*command: str, cwd: Path = ROOT) -> None:
    """Run a command of this environment; its failure ends the build."""
    subprocess.run(command, cwd=cwd, check=True)  # noqa: S603 - our own words


def fetch_pyodide(place: Path) -> Path:
    """Return the folder of the Pyodide that the kernel was made for, from npm."""
    from jupyterlite_pyodide_kernel.constants import PYODIDE_VERSION

    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is not installed, and Pyodide comes from npm: install Node.js.")
    run(npm, "install", "--prefix", str(place), "--no-audit", "--no-fund", "--silent", f"pyodide@{PYODIDE_VERSION}")
    return place / "node_modules" / "pyodide"


def fetch_wheels(ours: Wheel, lock: dict[str, Any], place: Path) -> dict[str, Wheel]:
    """Return all wheels that the kernel and the package need, by name, from the package index.

    Args:
        ours: The package's own wheel.
        lock: Pyodide's list of packages: which Python it is, and which micropip it expects.
        place: Folder to download to.
    """
    environment = environment_of(lock)
    short = environment["python_version"].replace(".", "")
    pip = (
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
        "--only-binary", ":all:", "--python-version", environment["python_version"], "--implementation", "cp",
        "--abi", f"cp{short}", "--platform", f"pyemscripten_{lock['info']['abi_version']}_{lock['info']['arch']}",
        "--constraint", str(ROOT / "binder" / "constraints.txt"), "--dest", str(place),
    )  # fmt: skip
    found = {ours.name: ours}
    micropip = Requirement(f"micropip=={lock['packages']['micropip']['version']}")
    wanted = [micropip, *map(Requirement, KERNEL), *needs(ours, environment)]
    asked: list[Requirement] = []
    while wanted := [each for each in wanted if canonicalize_name(each.name) not in {*found, *FRONT_END, *TABLES}]:
        asked += wanted
        run(*pip, *(f"{each.name}{each.specifier}" for each in wanted))
        new = [wheel for path in place.glob("*.whl") if (wheel := Wheel(path)).name not in found]
        found |= {wheel.name: wheel for wheel in new}
        extras = {canonicalize_name(each.name): each.extras for each in wanted}
        wanted = [each for wheel in new for each in needs(wheel, environment, extras.get(wheel.name, ()))]
    for each in asked:
        if not each.specifier.contains(found[canonicalize_name(each.name)].version):
            raise SystemExit(f"{each} is needed, and {found[canonicalize_name(each.name)].path.name} was chosen first.")
    return found


def table_entries(lock: dict[str, Any], distribution: Path) -> dict[str, Any]:
    """Return the entries of numpy and pandas in Pyodide's lock, after comparing their wheels with it.

    Args:
        lock: Pyodide's list of packages.
        distribution: Folder of a complete Pyodide distribution of the same version.
    """
    entries: dict[str, Any] = {}
    waiting = [*TABLES]
    while waiting:
        name = waiting.pop()
        if name in entries:
            continue
        entry = entries[name] = lock["packages"][name]
        waiting += entry["depends"]
        wheel = distribution / entry["file_name"]
        if not wheel.is_file():
            raise SystemExit(f"{distribution} has no {wheel.name}: give the folder of a complete Pyodide distribution.")
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != entry["sha256"]:
            raise SystemExit(f"{wheel} is not the file that this version of Pyodide was published with.")
    return entries


def write_lock(lock: dict[str, Any], wheels: dict[str, Wheel], tables: dict[str, Any]) -> dict[str, Any]:
    """Return a lock of what the site has, and of nothing else: what it does not name is never asked for."""
    environment = environment_of(lock)
    packages = dict(tables)
    for name, wheel in wheels.items():
        depends = {canonicalize_name(each.name) for each in needs(wheel, environment)}
        packages[name] = {
            "name": name,
            "version": wheel.version,
            "file_name": wheel.path.name,
            "install_dir": "site",
            "sha256": hashlib.sha256(wheel.path.read_bytes()).hexdigest(),
            "package_type": "package",
            "imports": wheel.imports,
            "depends": sorted(depends & {*wheels, *tables}),
            "unvendored_tests": False,
            "tool": {},
        }
    return {**lock, "packages": packages}


def build(out: Path, tables_from: Path | None) -> None:
    """Build the site.

    Args:
        out: Folder of the site; one that exists is replaced.
        tables_from: Folder of a complete Pyodide distribution, for numpy and pandas.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)  # always a new one: what JupyterLite remembers of an earlier build loses settings
        run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place / "ours"))
        (ours,) = (place / "ours").glob("*.whl")
        pyodide = fetch_pyodide(place / "npm")
        lock = json.loads((pyodide / "pyodide-lock.json").read_text(encoding="utf-8"))
        (place / "wheels").mkdir()
        wheels = fetch_wheels(Wheel(ours), lock, place / "wheels")
        tables = table_entries(lock, tables_from) if tables_from else {}
        lite = place / "lite"
        shutil.copytree(LITE, lite)
        served = lite / "static" / "pyodide"
        served.mkdir(parents=True)
        for name in ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip"):
            shutil.copy(pyodide / name, served)
        for wheel in wheels.values():
            shutil.copy(wheel.path, served)
        for entry in tables.values():
            shutil.copy(tables_from / entry["file_name"], served)  # type: ignore[operator]  # there are tables only then
        (served / "pyodide-lock.json").write_text(json.dumps(write_lock(lock, wheels, tables)), encoding="utf-8")
        shutil.rmtree(out, ignore_errors=True)
        run(
            sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", str(lite), "--output-dir", str(out),
            "--apps", "lab", "--contents", str(lite / "files"), "--no-sourcemaps", "--no-unused-shared-packages",
            "--no-libarchive", "--log-level", "WARN", cwd=lite,
        )  # fmt: skip


def main(arguments: list[str]) -> int:
    """Build the site and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / ".nox" / "lite-site")
    parser.add_argument("--tables", type=Path, help="folder of a complete Pyodide distribution: adds numpy and pandas")
    given = parser.parse_args(arguments)
    out: Path = given.out.resolve()
    build(out, given.tables.resolve() if given.tables else None)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / 1e6
    print(f"the site is in {out}: {size:.0f} MB, {'with' if given.tables else 'without'} numpy and pandas")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
