"""What we publish holds what it should and nothing else; what we lean on is alive, or has its reason."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from datetime import date
from pathlib import Path

import pytest

from tests.security import advisories, release_ages
from tests.support.canaries import SECRET, files_with_secrets

ROOT = Path(__file__).parents[2]
# Left lying in a clone by a person, an editor or a tool; none of it may ever be published.
LITTER = """
notebooks/people.csv notebooks/survey-export.csv notebooks/Untitled.ipynb notebooks/00-start-here.csv
notebooks/templates/mine.ipynb notebooks/templates/people.csv notebooks/sheets/mine.ipynb
notebooks/.ipynb_checkpoints/00-start-here-checkpoint.ipynb notebooks/cint-nb-demo/respondents.csv
cint_nb/journal.sqlite3 cint_nb/panels/wave1.csv cint_nb/wire/token.json cint_nb/__pycache__/x.cpython-311.pyc
cint_nb/notes.txt cint_nb/.env .env journal.sqlite3 people.csv .artifacts/shot.png .ci/run tests/test_x.py
tests/recordings/00.jsonl benchmarks/b.py docs/draft.txt binder/postBuild noxfile.py
"""


def rule(folder: Path) -> set[str]:
    """Name the files of the package, as they stand in the repository."""
    kinds = {".py", ".css", ".js"}  # a panel without its style sheet is an error where a clone has none
    named = {path.relative_to(folder).as_posix() for path in (folder / "cint_nb").rglob("*") if path.suffix in kinds}
    notebooks = {path.relative_to(folder).as_posix() for path in (folder / "notebooks").glob("[0-9][0-9]-*.ipynb")}
    notebooks |= {path.relative_to(folder).as_posix() for path in (folder / "notebooks").glob("[st]*/*.ipynb")}
    return named | notebooks | {"cint_nb/py.typed", "notebooks/README.md"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Build both archives from a clone in which all kinds of things were left lying."""
    clone = tmp_path_factory.mktemp("clone")
    for name in ("cint_nb", "notebooks", "docs", "packaging"):
        shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, clone)
    for name in LITTER.split():
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_text(f"{SECRET} 0f1ce179-a917-8c17-b5ec-1234567890ab\n")
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(out)], cwd=clone, check=True, capture_output=True
    )
    (wheel,), (archive,) = out.glob("*.whl"), out.glob("*.tar.gz")
    return wheel, archive


def test_the_wheel_holds_the_package_the_notebooks_and_the_licence_and_nothing_else(built: tuple[Path, Path]) -> None:
    wheel, _ = built
    names = set(zipfile.ZipFile(wheel).namelist())
    package = {re.sub(r"^notebooks/", "cint_nb/_notebooks/", name) for name in rule(ROOT)}
    about = {name for name in names if re.fullmatch(r"cint_nb-[\d.]+\.dist-info/.+", name)}
    assert {name.partition("/")[2] for name in about} == {
        "METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE",
    }  # fmt: skip
    assert names - about == package
    assert len(package) > 150


@pytest.mark.thorough
def test_the_source_archive_holds_what_builds_the_wheel_and_nothing_else(built: tuple[Path, Path]) -> None:
    _, archive = built
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
        assert all(member.isfile() for member in opened.getmembers())
    pages = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    about = {
        "pyproject.toml",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        ".gitignore",
        "PKG-INFO",
        "packaging/metadata_hook.py",
    }
    assert names == rule(ROOT) | pages | about


def test_nothing_left_lying_is_published(built: tuple[Path, Path], tmp_path: Path) -> None:
    wheel, archive = built
    zipfile.ZipFile(wheel).extractall(tmp_path / "wheel")  # noqa: S202 - built above
    with tarfile.open(archive) as opened:
        opened.extraction_filter = getattr(tarfile, "data_filter", None)  # since Python 3.11.4
        opened.extractall(tmp_path / "archive")  # noqa: S202 - built above
    assert files_with_secrets(tmp_path) == []


# What we lean on


def test_each_direct_dependency_has_its_date_in_the_documentation() -> None:
    wanted = release_ages.direct_dependencies(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"])
    listed = re.findall(r"^\| ([\w.-]+) \| \S+ \| \d{4}-\d\d-\d\d \|", release_ages.PAGE.read_text(), re.MULTILINE)
    assert {release_ages.name_of(each) for each in wanted} == set(listed)
    assert re.search(r"^Asked on \d{4}-\d\d-\d\d\.$", release_ages.PAGE.read_text(), re.MULTILINE)


def test_a_dependency_of_24_months_needs_a_reason() -> None:
    today = date(2026, 11, 25)
    lock = {
        "package": [
            {"name": "fresh", "version": "2", "wheels": [{"upload-time": "2024-12-01T08:00:00Z"}]},
            {"name": "old", "version": "1", "sdist": {"upload-time": "2024-11-24T08:00:00.5Z"}},
            {"name": "nest-asyncio", "version": "1.6.0", "wheels": [{"upload-time": "2024-01-21T08:00:00Z"}]},
            {"name": "undated", "version": "1", "wheels": [{}]},
        ]
    }
    found = release_ages.ages(lock, ["fresh", "old", "nest-asyncio", "undated", "absent"])
    assert [(each.name, each.months(today)) for each in found] == [("fresh", 23), ("old", 24), ("nest-asyncio", 34)]
    assert release_ages.without_reason(found, today) == ["old"]
    assert "| nest-asyncio | 1.6.0 | 2024-01-21 | 34 | archived" in release_ages.table(found, today)


def test_a_vulnerability_that_was_found_fails_and_a_silent_source_is_told_apart_from_a_clean_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hit = {"id": "GHSA-x", "fix_versions": ["2.1"]}
    clean, bad, silent = (
        {"name": "a", "version": "1", "vulns": []},
        {"name": "b", "version": "2", "vulns": [hit]},
        {"name": "c", "skip_reason": "not found"},
    )
    results = []
    for dependencies in ([clean, silent], [clean, bad], [silent], []):
        monkeypatch.setattr(advisories, "ask", lambda dependencies=dependencies: advisories.judge(dependencies))
        results.append((advisories.main(), capsys.readouterr().out))
    assert [code for code, _ in results] == [0, 1, 0, 0]
    assert "no known vulnerability in 1 packages; 1 could not be asked about" in results[0][1]
    assert "b 2: GHSA-x, fixed in 2.1" in results[1][1]
    assert "no clean result" in results[2][1]
    assert "no clean result" in results[3][1]
