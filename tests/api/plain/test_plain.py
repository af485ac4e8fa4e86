"""The plain verbs say and do the same as the coroutines they are generated from, and wait for the result."""

from __future__ import annotations

import asyncio
import inspect
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import GenericAlias
from typing import Any, get_args, get_origin

import pytest

from cint_nb.api import plain
from cint_nb.domain.errors import SettingsError
from cint_nb.domain.target_groups import ProjectSummary
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.server import ServedSandbox
from cint_nb.sandbox.world.catalogue import PROJECT_MANAGER_ID
from cint_nb.wave.client import Client, open_client

ROOT = Path(__file__).parents[3]
RESOURCES = (
    "definitions",
    "exclusions",
    "fielding",
    "prices",
    "profiles",
    "projects",
    "reconciliations",
    "recontacts",
    "reports",
    "target_groups",
)
OFFERED = [
    "account_id",
    "aio",
    "choices",
    "clock",
    "close",
    "definitions",
    "exclusions",
    "fielding",
    "inject",
    "mode",
    "pass_time",
    "prices",
    "profiles",
    "project_status",
    "projects",
    "reconciliations",
    "recontacts",
    "reports",
    "requests_sent",
    "sandbox",
    "switch",
    "target_groups",
    "wave",
]


@pytest.fixture
def client() -> Iterator[Client]:
    with open_client("sandbox") as made:
        yield made


# --- how they are made ----------------------------------------------------------------------------------------


@pytest.fixture
def generate(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Return what runs the generator of a copy of the repository."""
    for name in ("resources", "plain"):
        shutil.copytree(ROOT / "cint_nb" / "api" / name, tmp_path / "cint_nb" / "api" / name)
    for name in ("tools/generate_plain.py", "pyproject.toml", "cint_nb/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)

    def run(*words: str) -> tuple[int, str]:
        command = [sys.executable, str(tmp_path / "tools" / "generate_plain.py"), *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.mark.thorough
def test_the_generated_files_are_current() -> None:
    command = [sys.executable, "tools/generate_plain.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "the plain verbs are current\n"), done.stderr


@pytest.mark.thorough
def test_a_generated_file_changed_by_hand_is_noticed_and_made_anew(
    generate: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    path = tmp_path / "cint_nb" / "api" / "plain" / "projects.py"
    good = path.read_text()
    assert generate("--check") == (0, "the plain verbs are current\n"), "the copy as it is"
    path.write_text(good.replace("Create a project", "Make a project"))
    changed = path.read_text()
    assert changed != good
    assert generate("--check") == (1, "not current: projects.py; run `nox -s plain`\n")
    assert path.read_text() == changed, "a check writes nothing"
    path.unlink()
    assert generate("--check")[0] == 1
    assert generate() == (0, "")
    assert path.read_text() == good


@pytest.mark.thorough
def test_a_coroutine_changed_since_is_noticed(generate: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    path = tmp_path / "cint_nb" / "api" / "resources" / "reports.py"
    path.write_text(
        path.read_text().replace("async def status(self, report_id: str)", "async def status(self, id: str)")
    )
    assert generate("--check") == (1, "not current: reports.py; run `nox -s plain`\n")


# --- what they say --------------------------------------------------------------------------------------------


def methods_of(one: object) -> dict[str, Callable[..., Any]]:
    """Return the public methods of an object's class."""
    return {name: each for name, each in vars(type(one)).items() if inspect.isfunction(each) and name[0] != "_"}


def returned(of: inspect.Signature) -> object:
    """Return what a verb gives, where an asynchronous iterator is the list of its items."""
    kind = of.return_annotation
    return GenericAlias(list, get_args(kind)) if get_origin(kind) is AsyncIterator else kind


def test_every_coroutine_of_every_resource_has_its_plain_verb(client: Client) -> None:
    found = {name for name, one in vars(client.aio).items() if type(one).__module__.startswith("cint_nb.api.resources")}
    assert sorted(found) == sorted(RESOURCES)
    assert {name for name, one in vars(client).items() if type(one).__module__.startswith(plain.__name__)} == found
    for name in RESOURCES:
        ours, theirs = getattr(client, name), getattr(client.aio, name)
        assert list(methods_of(ours)) == list(methods_of(theirs)), name
        assert type(ours).__name__ == type(theirs).__name__
        assert inspect.getdoc(type(ours)) == inspect.getdoc(type(theirs))
    assert sum(len(methods_of(getattr(client, name))) for name in RESOURCES) > 50


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_plain_verb_has_the_parameters_result_and_docstring_of_its_coroutine(client: Client, resource: str) -> None:
    plain_verbs = methods_of(getattr(client, resource))
    for name, coroutine in methods_of(getattr(client.aio, resource)).items():
        verb = plain_verbs[name]
        assert not inspect.iscoroutinefunction(verb), name
        assert not inspect.isasyncgenfunction(verb), name
        ours, theirs = inspect.signature(verb, eval_str=True), inspect.signature(coroutine, eval_str=True)
        assert list(ours.parameters.values()) == list(theirs.parameters.values()), name
        assert ours.return_annotation == returned(theirs), name
        assert inspect.getdoc(verb) == re.sub(r"^Iterate over ", "List ", inspect.getdoc(coroutine) or "missing"), name


# --- what they do ---------------------------------------------------------------------------------------------


def test_a_list_is_what_the_iterator_yields_here_and_on_another_loop(client: Client) -> None:
    made = {client.projects.create(f"Project {number}", PROJECT_MANAGER_ID).id for number in range(3)}
    listed = client.projects.list()

    async def collected() -> list[ProjectSummary]:
        return [each async for each in client.aio.projects.list()]

    assert type(listed) is list
    assert made <= {each.id for each in listed}
    assert listed == asyncio.run(collected()) == client.aio.run(client.aio.projects.list())


def test_a_verb_gives_its_result_inside_a_running_loop_too(client: Client) -> None:
    async def cell() -> bool:
        return client.definitions.study_types() == await client.aio.definitions.study_types()

    assert asyncio.run(cell())


def test_completion_offers_the_verbs_of_an_analyst_alone(client: Client) -> None:
    assert [name for name in dir(client) if not name.startswith("_")] == OFFERED


# --- the sandbox ----------------------------------------------------------------------------------------------


def test_the_sandbox_of_this_process_is_at_hand_and_stays(client: Client) -> None:
    assert isinstance(client.sandbox, Sandbox)
    assert client.sandbox is client.aio.sandbox
    with pytest.raises(AttributeError):
        client.sandbox = Sandbox(seed=1)  # type: ignore[misc]


def test_a_sandbox_that_another_process_serves_is_not() -> None:
    with ServedSandbox(Sandbox(seed=1)) as served, open_client("sandbox", base_url=served.base_url) as client:
        assert client.definitions.study_types()
        with pytest.raises(SettingsError, match="no sandbox in its process") as caught:
            _ = client.sandbox
    assert "connect('sandbox')" in str(caught.value.next_step)


def test_neither_is_one_in_a_replay() -> None:
    recording = ROOT / "tests" / "recordings" / "10-connect.jsonl"
    refused = pytest.raises(SettingsError, match="no sandbox in its process")
    with open_client("replay", recording=recording) as client, refused as caught:
        _ = client.sandbox
    assert caught.value.evidence["mode"] == "replay"
