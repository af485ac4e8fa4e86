"""What is published says the same everywhere, links to where it exists, and names the command for what is missing."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

import cint_nb as cint
from cint_nb import install_commands
from cint_nb.cli import doctor, make_parser
from cint_nb.install_commands import command_for
from cint_nb.wire.settings import MODE_VARIABLE, VARIABLES
from tests.notebooks.course import NUMBERED, code_cells, read
from tests.support.sources import load_program, parsed

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
TEXTS = [
    path
    for folder in (".", "docs", "notebooks", "packaging", ".github", ".devcontainer")
    for path in ((ROOT / folder).glob("*") if folder == "." else (ROOT / folder).rglob("*"))
    if path.suffix in {".md", ".ipynb", ".toml", ".cff", ".yml", ".yaml", ".json"} and path.is_file()
]
ADDRESS = "https://github.com/someone/cint_nb"


HOOK = load_program("packaging/metadata_hook.py")
README = (ROOT / "README.md").read_text(encoding="utf-8")
RELATIVE = re.compile(r"\]\((?![a-z]+:|#)")


def recipe() -> dict[str, Any]:
    """Return the conda recipe without its template language."""
    text = (ROOT / "packaging" / "conda" / "meta.yaml").read_text(encoding="utf-8")
    plain = re.sub(r"\{\{ (\w+) \}\}", r"<\1>", re.sub(r"^\{%.*%\}$", "", text, flags=re.MULTILINE))
    return dict(yaml.safe_load(plain))


def test_the_version_is_the_same_everywhere() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    (conda,) = re.findall(r'set version = "(.+?)"', (ROOT / "packaging" / "conda" / "meta.yaml").read_text())
    assert {PROJECT["project"]["version"], cint.__version__, citation["version"], conda} == {cint.__version__}


def test_no_pattern_is_written_as_early_pythons_match_it_wrongly() -> None:
    """Before 3.11.5 what follows a possessive or atomic group may not match, so that what should be masked is shown."""
    assert PROJECT["project"]["requires-python"] == ">=3.11"
    possessive = re.compile(r"(?<!\\)[+*?}]\+(?!['\"]$)|\(\?>")
    assert possessive.search("(?:a|b)++c")
    sources = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "cint_nb").rglob("*.py")}
    written = [
        f"{name}: {pattern}"
        for name, source in sources.items()
        if possessive.search(source)
        for node in ast.walk(parsed(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re.") and node.args
        for pattern in [ast.unparse(node.args[0])]
        if possessive.search(pattern)
    ]
    assert written == []


def test_conda_installs_what_pip_installs() -> None:
    run = sorted(re.sub(r"\s", "", each) for each in recipe()["requirements"]["run"])
    assert run == sorted([*PROJECT["project"]["dependencies"], f"python{PROJECT['project']['requires-python']}"])


def test_conda_knows_packages_for_each_extra_that_a_message_names() -> None:
    named = {
        found
        for path in (ROOT / "cint_nb").rglob("*.py")
        for found in re.findall(r"(?:missing_extra|command_for)\(\s*[\"'](\w+)", path.read_text(encoding="utf-8"))
    }
    assert named
    assert named <= set(install_commands.CONDA_PACKAGES) <= set(PROJECT["project"]["optional-dependencies"])


def test_no_text_holds_a_placeholder_for_an_owner() -> None:
    placeholder = re.compile(r"\bOWNER\b|your-?(org|name|account)/cint_nb")
    assert len(TEXTS) > 30
    assert [str(path) for path in TEXTS if placeholder.search(path.read_text(encoding="utf-8"))] == []


def test_what_follows_from_the_setting_is_current() -> None:
    assert load_program("tools/set_repository.py").main(["--check"]) == 0


def test_on_the_package_index_no_link_of_the_readme_leads_nowhere() -> None:
    assert RELATIVE.search(README)
    assert not RELATIVE.search(HOOK.readme_for_index(README, ""))
    linked = HOOK.readme_for_index(README, ADDRESS)
    assert not RELATIVE.search(linked)
    assert f"]({ADDRESS}/blob/HEAD/CONTRIBUTING.md)" in linked
    assert f"]({ADDRESS}/raw/HEAD/docs/" in linked


def test_the_addresses_of_the_project_follow_from_one_setting() -> None:
    assert HOOK.addresses("") == {}
    found = HOOK.addresses(ADDRESS)
    assert found["Repository"] == ADDRESS
    assert found["Documentation"] == "https://someone.github.io/cint_nb/"
    assert all(each.startswith("https://") for each in found.values())


def test_each_link_of_the_readme_leads_to_a_file() -> None:
    targets = re.findall(r"\]\((?![a-z]+:|#)([^)#\s]+)", README)
    assert targets
    assert [each for each in targets if not (ROOT / each).exists()] == []


DOCKERFILE = (ROOT / "packaging" / "Dockerfile").read_text(encoding="utf-8")
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
CONTAINER = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
COURSE = {
    "Binder": (ROOT / "binder" / "requirements.txt").read_text(encoding="utf-8"),
    "Docker": DOCKERFILE,
    "conda": (ROOT / "packaging" / "environment.yml").read_text(encoding="utf-8"),
}
"""What installs the package together with the course."""
NEEDED_BY = {"history": r"cint\.History\.open\(", "weights": r"measure\.(attrition_weights|r_indicator)\("}


def extras_in(text: str) -> set[str]:
    """Return the extras that a line of installation names."""
    return {extra.strip() for found in re.findall(r"[\w.}]\[([a-z, ]+)\]", text) for extra in found.split(",")}


def with_extras_of(names: set[str]) -> set[str]:
    """Return extras and those that come with them."""
    extras = PROJECT["project"]["optional-dependencies"]
    more = {each for name in names for line in extras[name] for each in extras_in(line)}
    return names if more <= names else with_extras_of(names | more)


@pytest.mark.parametrize("way", COURSE)
def test_whatever_comes_with_the_course_can_run_all_of_it(way: str) -> None:
    code = [cell.source for path in NUMBERED for cell in code_cells(read(path))]
    needed = {extra for extra, call in NEEDED_BY.items() if any(re.search(call, source) for source in code)}
    assert needed == set(NEEDED_BY)
    assert needed | {"lab", "files"} <= with_extras_of(extras_in(COURSE[way]))


def test_each_version_the_course_is_installed_with_is_pinned() -> None:
    pinned = set(re.findall(r"^([\w.-]+)==", (ROOT / "binder" / "constraints.txt").read_text(), re.MULTILINE))
    extras = PROJECT["project"]["optional-dependencies"]
    named = with_extras_of(extras_in(DOCKERFILE))
    direct = [*PROJECT["project"]["dependencies"], *(each for name in named for each in extras[name])]
    assert {re.split(r"[<>=\[ ]", each)[0].lower() for each in direct} - pinned == {cint.__name__}


@pytest.mark.thorough
def test_the_image_is_built_from_what_its_builder_is_sent(tmp_path: Path) -> None:
    """Nothing else is sent: a list of respondents that lies in the clone never reaches an image."""
    assert IGNORED[1] == "*"
    for name in (line[1:] for line in IGNORED if line.startswith("!")):
        there = tmp_path / name
        there.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, there)
    (copied,) = re.findall(r"^COPY (?!--from)(\S+) /wheels/", DOCKERFILE, re.MULTILINE)
    assert (tmp_path / copied).is_file()
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "wheels")]
    subprocess.run(build, cwd=tmp_path, check=True, capture_output=True)
    assert len(list((tmp_path / "wheels").glob("cint_nb-*.whl"))) == 1


def test_the_containers_set_what_exists_and_start_what_exists() -> None:
    set_there = {*re.findall(r"^ENV (\w+)=", DOCKERFILE, re.MULTILINE), *CONTAINER["containerEnv"]}
    assert set_there <= {MODE_VARIABLE, *VARIABLES.values(), doctor.JOURNAL_VARIABLE}
    (command,) = re.findall(r"^CMD (.*)$", DOCKERFILE, re.MULTILINE)
    program, *words = json.loads(command)
    assert program in PROJECT["project"]["scripts"]
    lab = make_parser().parse_args(words)
    assert str(lab.port) in re.findall(r"^EXPOSE (\d+)$", DOCKERFILE, re.MULTILINE)
    sandbox = make_parser().parse_args(["sandbox"])
    assert CONTAINER["forwardPorts"] == [lab.port, sandbox.port]
    assert extras_in(CONTAINER["postCreateCommand"]) == {"dev"}
    assert all((ROOT / each).is_file() for each in re.findall(r"-c (\S+)", CONTAINER["postCreateCommand"]))


def test_each_image_has_a_python_that_we_name() -> None:
    named = [each.rpartition(" ")[2] for each in PROJECT["project"]["classifiers"] if "Python :: 3." in each]
    images = re.findall(r"python:(3\.\d+)", DOCKERFILE + CONTAINER["image"])
    runtime = (ROOT / "binder" / "runtime.txt").read_text().strip()
    environment = yaml.safe_load(COURSE["conda"])["dependencies"]
    images += [runtime.removeprefix("python-"), *(each[7:] for each in environment if str(each).startswith("python="))]
    assert len(images) == 5
    assert set(images) <= set(named)


class Installed:
    """A distribution as each way of installing it leaves it."""

    def __init__(self, installer: str, **direct_url: Any) -> None:
        self.files = {"INSTALLER": f"{installer}\n", "direct_url.json": json.dumps(direct_url) if direct_url else None}

    def read_text(self, name: str) -> str | None:
        return self.files.get(name)


WHEEL = {"url": "file:///home/a/cint_nb-0.1.0-py3-none-any.whl", "archive_info": {}}
CLONE = {"url": f"file://{ROOT}", "dir_info": {"editable": True}}


@pytest.mark.parametrize(
    ("installed", "command"),
    [
        (Installed("pip"), 'python -m pip install "cint_nb[completion]"'),
        (Installed("uv"), 'uv pip install "cint_nb[completion]"'),
        (Installed("conda"), "conda install -c conda-forge shtab"),
        (Installed("pip", **WHEEL), 'python -m pip install "/home/a/cint_nb-0.1.0-py3-none-any.whl[completion]"'),
        (Installed("pip", **CLONE), f'python -m pip install -e "{ROOT}[completion]"'),
    ],
    ids=["pip", "uv", "conda", "wheel", "clone"],
)
def test_the_command_for_an_extra_is_that_of_the_way_of_installing(
    installed: Installed, command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(importlib.metadata, "distribution", lambda _: installed)
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "ipykernel.kernelapp", raising=False)
    assert command_for("completion") == command


def test_in_a_notebook_the_command_is_a_magic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "distribution", lambda _: Installed("pip"))
    monkeypatch.setitem(sys.modules, "ipykernel.kernelapp", ModuleType("ipykernel.kernelapp"))
    assert command_for("weights") == '%pip install "cint_nb[weights]"'


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("missing", "code", "extra"),
    [
        ("matplotlib", "cint.plots.plot_outcomes", "lab"),
        ("python_calamine", "cint.read_respondents('a.xlsx', entity_type='RSID')", "files"),
    ],
)
def test_an_extra_that_is_missing_explains_itself(missing: str, code: str, extra: str, tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04")
    program = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "import cint_nb as cint\n"
        f"try:\n    {code}\nexcept cint.CintError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert f"[{extra}]" in done.stdout, done.stderr
    assert "pip install" in done.stdout


@pytest.mark.parametrize(
    ("in_browser", "advice"),
    [(False, "pip install pandas"), (True, "from cint_nb.api.client import build_client")],
    ids=["on a machine", "in a browser"],
)
def test_a_name_that_needs_tables_says_so_where_there_are_none(in_browser: bool, advice: str) -> None:
    program = (
        "import sys; sys.modules['pandas'] = None\n"
        "import cint_nb as cint, cint_nb.install_commands as advice\n"
        f"advice._IN_BROWSER = {in_browser}\n"
        "try:\n    cint.connect()\nexcept cint.CintError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "cint_nb.connect needs pandas" in done.stdout, done.stderr
    assert advice in done.stdout
