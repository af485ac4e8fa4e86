"""The build of the site without a server: it takes what Pyodide needs, and lists what the site has, and no more."""

from __future__ import annotations

import hashlib
import json
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.sources import load_program

ROOT = Path(__file__).parents[2]
BUILDER = load_program("tools/build_lite.py")
LOCK: dict[str, Any] = {
    "info": {"python": "3.14.2", "arch": "wasm32", "abi_version": "2026_0", "platform": "emscripten_5_0_3"},
    "packages": {},
}


def make_wheel(folder: Path, name: str, *requires: str) -> Any:
    """Write a wheel of one module with some requirements."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    metadata = "\n".join([f"Name: {name}", "Version: 1.0", *(f"Requires-Dist: {each}" for each in requires), "", ""])
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/__init__.py", "")
        archive.writestr(f"{name}/data.txt", "")
        archive.writestr(f"{name}-1.0.dist-info/METADATA", metadata)
    return BUILDER.Wheel(path)


def test_what_a_wheel_requires_is_judged_for_the_browser_and_not_for_this_machine(tmp_path: Path) -> None:
    wheel = make_wheel(
        tmp_path, "ours", "httpx>=0.28", "pexpect; sys_platform != 'emscripten'",
        "there-only; sys_platform == 'emscripten'",
        "tomli; python_version < '3.14'", "jupyterlab; extra == 'lab'", "pyodide-only; platform_system == 'Emscripten'",
    )  # fmt: skip
    environment = BUILDER.environment_of(LOCK)
    assert [each.name for each in BUILDER.needs(wheel, environment)] == ["httpx", "there-only", "pyodide-only"]
    assert "jupyterlab" in [each.name for each in BUILDER.needs(wheel, environment, ["lab"])]


def test_the_list_names_what_the_site_has_and_nothing_else(tmp_path: Path) -> None:
    wheels = {
        each.name: each
        for each in (make_wheel(tmp_path, "ours", "httpx", "pandas>=2.2"), make_wheel(tmp_path, "httpx"))
    }
    lock = BUILDER.write_lock({**LOCK, "packages": {"scipy": {"file_name": "scipy.whl"}}}, wheels, {})
    assert set(lock["packages"]) == {"ours", "httpx"}
    assert lock["info"] == LOCK["info"]
    ours = lock["packages"]["ours"]
    assert ours["depends"] == ["httpx"], "pandas is not on the site, so nothing asks for it"
    assert ours["imports"] == ["ours"]
    assert ours["sha256"] == hashlib.sha256((tmp_path / ours["file_name"]).read_bytes()).hexdigest()


def distribution(folder: Path) -> dict[str, Any]:
    """Write what a complete Pyodide distribution has of numpy and pandas, and return its list."""
    packages = {}
    for name, depends in {"pandas": ["numpy"], "numpy": [], "scipy": ["numpy"]}.items():
        content = f"the wheel of {name}".encode()
        (folder / f"{name}.whl").write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        packages[name] = {"name": name, "file_name": f"{name}.whl", "depends": depends, "sha256": digest}
    return {**LOCK, "packages": packages}


def test_with_a_complete_distribution_pandas_comes_with_what_it_needs(tmp_path: Path) -> None:
    lock = distribution(tmp_path)
    tables = BUILDER.table_entries(lock, tmp_path)
    assert set(tables) == {"pandas", "numpy"}
    wheels = {each.name: each for each in [make_wheel(tmp_path, "ours", "pandas>=2.2")]}
    written = BUILDER.write_lock(lock, wheels, tables)
    assert written["packages"]["ours"]["depends"] == ["pandas"]
    assert written["packages"]["pandas"] == lock["packages"]["pandas"]


def test_a_wheel_that_is_not_the_published_one_stops_the_build(tmp_path: Path) -> None:
    lock = distribution(tmp_path)
    (tmp_path / "numpy.whl").write_bytes(b"something else")
    with pytest.raises(SystemExit, match=r"numpy\.whl is not the file"):
        BUILDER.table_entries(lock, tmp_path)
    (tmp_path / "numpy.whl").unlink()
    with pytest.raises(SystemExit, match=r"has no numpy\.whl: give the folder of a complete Pyodide distribution"):
        BUILDER.table_entries(lock, tmp_path)


def test_only_what_we_require_is_taken_for_missing() -> None:
    direct = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert {name for name in BUILDER.TABLES if not any(each.startswith(name) for each in direct)} == set()


def test_the_site_installs_nothing_from_elsewhere() -> None:
    settings = json.loads((ROOT / "packaging" / "lite" / "jupyter-lite.json").read_text(encoding="utf-8"))
    plugins = settings["jupyter-config-data"]["litePluginSettings"]
    assert plugins["@jupyterlite/pyodide-kernel-extension:kernel"]["disablePyPIFallback"] is True
    files = [*(ROOT / "packaging" / "lite").glob("*.*"), ROOT / "tools" / "build_lite.py"]
    assert [path.name for path in files if "://" in path.read_text(encoding="utf-8")] == [], "no address of a host"
