"""Files for people: whole or not at all, and never over what exists unless asked."""

from __future__ import annotations

import ast
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cint_nb
from cint_nb import output_files
from cint_nb.api.client import build_client
from cint_nb.api.resources.downloads import Download
from cint_nb.cli import main
from cint_nb.domain.errors import InputError
from cint_nb.domain.ids import synthetic_id
from cint_nb.output_files import make_folder, require_new_file, write_new_file
from cint_nb.panels.status_table.widget import StatusTable
from cint_nb.sandbox.sample import write_sample
from cint_nb.sandbox.world.catalogue import PROJECT_MANAGER_ID
from cint_nb.study.files.respondents import read_respondents
from cint_nb.study.outcome.upload_outcome import compare_upload
from cint_nb.wave.journal.journal import Journal, default_path
from tests.support.sources import parsed

PACKAGE = Path(cint_nb.__file__).parent
PRECIOUS = b"three weeks of work\n"
PEOPLE = read_respondents([synthetic_id("output", number) for number in range(5)], entity_type="RSID")
OUTCOME = compare_upload(PEOPLE, before=[], after=[])


def record(path: Path, **_: Any) -> Path:
    with build_client("sandbox", record=path) as client:
        client.run(client.definitions.accounts())
    return path


def run_command(*words: str) -> None:
    """Run a command that is to be refused as input."""
    if main(words) == 2:
        raise InputError("refused")


def export_journal(path: Path, *, overwrite: bool = False) -> None:
    Journal(default_path()).close()
    run_command("journal", "--export", str(path), *(["--overwrite"] if overwrite else []))


WRITERS: dict[str, Callable[..., Any]] = {
    "write_new_file": lambda path, **more: write_new_file(path, b"new\n", **more),
    "write_sample": lambda path, **more: write_sample(path, lines=5, seed=1, **more),
    "Respondents.to_file": PEOPLE.to_file,
    "Respondents.to_rejects": PEOPLE.to_rejects,
    "Outcome.to_rejects": OUTCOME.to_rejects,
    "StatusTable.to_csv": lambda path, **more: StatusTable(pd.DataFrame({"name": ["a"]})).to_csv(path, **more),
    "Download.save": lambda path, **more: Download(path.name, b"new\n").save(path.parent, **more),
    "cint-nb journal --export": export_journal,
}
WITHOUT_OVERWRITE: dict[str, Callable[..., Any]] = {
    "record=": record,
    "cint-nb demo, respondents": lambda path, **_: run_command("demo", "--folder", str(path.parent), "--lines", "50"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "elsewhere.csv").write_bytes(PRECIOUS)
    return tmp_path


def there(folder: Path, kind: str) -> Path:
    """Put something of a kind where a file is about to be written."""
    path = folder / "respondents.csv"
    match kind:
        case "a file":
            path.write_bytes(PRECIOUS)
        case "a file nobody may write":
            path.write_bytes(PRECIOUS)
            path.chmod(0o400)
        case "an empty file":
            path.touch()
        case "a folder":
            path.mkdir()
        case "a link to a file":
            path.symlink_to(folder / "elsewhere.csv")
        case "a link to nothing":
            path.symlink_to(folder / "nothing.csv")
    return path


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        path.name: (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.iterdir())
    }


KINDS = ["a file", "a file nobody may write", "an empty file", "a folder", "a link to a file", "a link to nothing"]


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("writer", "kind"),
    [
        (writer, kind)
        for writer in WRITERS | WITHOUT_OVERWRITE
        for kind in KINDS
        if (writer, kind) != ("record=", "an empty file")  # there is nothing in it to lose
    ],
)
def test_what_exists_is_left_as_it_is(folder: Path, writer: str, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = there(folder, kind)
    before = state(folder)
    with pytest.raises(InputError) as caught:
        (WRITERS | WITHOUT_OVERWRITE)[writer](path)
    said = str(caught.value) + capsys.readouterr().err
    assert state(folder) == before
    assert "respondents.csv" in said
    assert f"{path.lstat().st_size:,} bytes" in said
    assert " UTC" in said
    assert "Next:" in said


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "an empty file"])
def test_where_no_recording_can_be_made_nothing_is_sent(folder: Path, kind: str) -> None:
    path = there(folder, kind)
    with build_client("sandbox", record=path) as client:
        for _ in range(2):
            with pytest.raises(InputError, match="exists already") as caught:
                client.run(client.projects.create("A project", PROJECT_MANAGER_ID))
            assert "nothing was sent" in str(caught.value)
        assert client.sandbox.world.projects == {}


@pytest.mark.sampled
@pytest.mark.parametrize("kind", ["nothing", "a file", "an empty file", "a link to a file", "a link to nothing"])
@pytest.mark.parametrize("writer", WRITERS)
def test_what_exists_is_replaced_whole_when_asked(folder: Path, writer: str, kind: str) -> None:
    path = there(folder, kind)
    WRITERS[writer](path, overwrite=True)
    assert path.read_bytes() not in (PRECIOUS, b"")
    assert not path.is_symlink(), "a link is replaced, and not what it leads to"
    assert (folder / "elsewhere.csv").read_bytes() == PRECIOUS
    assert sorted(state(folder)) == ["elsewhere.csv", "respondents.csv"]


@pytest.mark.parametrize("links", [True, False], ids=["with links", "without links"])
def test_a_file_that_appears_in_between_is_not_overwritten(
    folder: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    if not links:
        monkeypatch.setattr(Path, "hardlink_to", refuse(OSError(errno.EPERM, "no links here")))
    monkeypatch.setattr(output_files, "require_new_file", lambda *_: None)  # it looked a moment too early
    path = there(folder, "a file")
    with pytest.raises(InputError, match="exists already"):
        write_new_file(path, b"new\n")
    assert path.read_bytes() == PRECIOUS
    path.unlink()
    assert write_new_file(path, b"new\n").read_bytes() == b"new\n"
    assert sorted(state(folder)) == ["elsewhere.csv", "respondents.csv"]


def refuse(error: OSError) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError(errno.EIO, "Input/output error"),
    ],
    ids=lambda error: error.strerror,
)
def test_a_disk_that_fails_leaves_what_was_there_and_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, overwrite: bool
) -> None:
    path = there(folder, "a file" if overwrite else "nothing")
    before = state(folder)
    monkeypatch.setattr(os, "fsync", refuse(error))
    with pytest.raises(InputError) as caught:
        write_new_file(path, b"new\n", overwrite=overwrite)
    assert state(folder) == before
    assert str(error.strerror) in str(caught.value)


@pytest.mark.sampled
@pytest.mark.parametrize(
    "path",
    ["", " ", ".", "..", "a\0b.csv", "x" * 300 + ".csv", "nowhere/a.csv", "elsewhere.csv/a.csv", "~nobody-here/a.csv",
     None, 5, True, b"a.csv", ["a.csv"]],
    ids=lambda path: repr(path)[:20],
)  # fmt: skip
@pytest.mark.parametrize("writer", [name for name in WRITERS if "." in name or name.startswith("write")])
@pytest.mark.parametrize("overwrite", [True, False])
def test_what_is_no_path_of_a_file_is_refused_in_words(
    folder: Path, monkeypatch: pytest.MonkeyPatch, writer: str, path: Any, overwrite: bool
) -> None:
    monkeypatch.chdir(folder)
    before = state(folder)
    if writer == "Download.save":
        path = path if isinstance(path, str) else Path("nowhere") / "a.csv"
        path = Path(path)
    with pytest.raises(InputError) as caught:
        WRITERS[writer](path, overwrite=overwrite)
    assert caught.value.next_step
    assert state(folder) == before


@pytest.mark.parametrize("overwrite", ["no", 1, None, 0])
def test_only_true_overwrites(folder: Path, overwrite: Any) -> None:
    path = there(folder, "a file")
    with pytest.raises(InputError):
        write_new_file(path, b"new\n", overwrite=overwrite)
    assert path.read_bytes() == PRECIOUS


@pytest.mark.sampled
@pytest.mark.parametrize("writer", WRITERS | WITHOUT_OVERWRITE)
@pytest.mark.parametrize("links", [True, False], ids=["with links", "without links"])
def test_only_the_owner_may_read_what_is_new(
    folder: Path, monkeypatch: pytest.MonkeyPatch, writer: str, links: bool
) -> None:
    if not links:
        monkeypatch.setattr(Path, "hardlink_to", refuse(OSError(errno.EPERM, "no links here")))
    (WRITERS | WITHOUT_OVERWRITE)[writer](folder / "respondents.csv")
    assert (folder / "respondents.csv").stat().st_mode & 0o777 == 0o600


def test_what_a_killed_write_left_is_removed_by_the_next_one(folder: Path) -> None:
    named = [
        ".respondents.csv.0123456789ab.part",  # ours, and old
        ".respondents.csv.ba9876543210.part",  # ours, and perhaps still being written
        ".respondents.csv.part", "respondents.csv.0123456789ab.part", ".other.csv.0123456789ab.part",
    ]  # fmt: skip
    for name in named:
        (folder / name).write_bytes(PRECIOUS)
        if name != named[1]:
            os.utime(folder / name, (0, 0))
    write_new_file(folder / "respondents.csv", b"new\n")
    assert sorted(state(folder)) == sorted([*named[1:], "elsewhere.csv", "respondents.csv"])


def test_the_permissions_of_a_replaced_file_stay(folder: Path) -> None:
    path = there(folder, "a file")
    path.chmod(0o640)
    write_new_file(path, b"new\n", overwrite=True)
    assert path.stat().st_mode & 0o777 == 0o640


def test_an_id_in_the_name_of_a_file_is_masked(folder: Path) -> None:
    (folder / PEOPLE.ids[0]).mkdir()
    path = folder / PEOPLE.ids[0] / f"answers of {PEOPLE.ids[1]}.csv"
    path.write_bytes(PRECIOUS)
    with pytest.raises(InputError) as caught:
        PEOPLE.to_file(path)
    assert not any(identifier in str(caught.value) for identifier in PEOPLE.ids)


def test_a_recording_is_overwritten_by_a_recording_only(folder: Path) -> None:
    path = record(folder / "calls.jsonl")
    first = path.read_bytes()
    record(path)  # the same process adds a section
    assert path.read_bytes().startswith(first)
    for content in (PRECIOUS, b"{}\n", b"[]\n", b'{"format": 1}\n', b"\xff\xfe", b"[" * 100_000):
        path = folder / f"{len(content)}.jsonl"
        path.write_bytes(content)
        with pytest.raises(InputError, match="exists already"):
            record(path)
        assert path.read_bytes() == content


@pytest.mark.thorough
def test_a_demo_without_a_folder_makes_a_new_one_each_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    for name in ("cint-nb-demo", "cint-nb-demo-2"):
        assert main(["demo", "--lines", "50", "--json"]) == 0
        assert sorted(state(folder / name)) == ["outcome.csv", "respondents.csv"]
    capsys.readouterr()


def test_a_folder_that_cannot_be_made_is_named(folder: Path) -> None:
    with pytest.raises(InputError, match="cannot be created"):
        make_folder(folder / "elsewhere.csv" / "in")


def test_a_check_before_the_work_writes_nothing(folder: Path) -> None:
    require_new_file(folder / "new.csv")
    assert sorted(state(folder)) == ["elsewhere.csv"]


# --- nothing else in the package opens a file for writing -------------------------------------------------------

OWN_FILES = {
    "output_files.py": "the one place",
    "wire/auth.py": "the token, in a file of the package's own",
    "wire/recording/transports.py": "adds a call to a recording that it has begun",
    "study/files/binary_formats.py": "a copy in a temporary folder of its own",
    "wave/journal/database.py": "the journal and its claims, files that carry its mark",
    "history/lock.py": "the lock of a history, in its folder",
    "history/staging.py": "a report that DuckDB reads, for a moment, in the folder of a history",
    "history/storage.py": "the folder of a history, which carries its mark: new versions beside the one that counts",
    "sandbox/http/persistence.py": "the state of a sandbox, a file that carries its mark",
    "cli/record.py": "a temporary folder of its own",
}
_WRITES = {
    "write_text", "write_bytes", "to_csv", "to_excel", "to_parquet", "to_json", "to_pickle", "to_feather", "savefig",
    "copyfile", "copy", "copy2", "copytree", "copymode", "move", "mkstemp", "mkdtemp", "NamedTemporaryFile",
    "TemporaryDirectory", "hardlink_to", "symlink_to", "link", "symlink", "unlink", "remove_file", "rmtree", "rmdir",
    "removedirs", "mkdir", "makedirs", "touch", "chmod", "lchmod", "truncate", "ftruncate", "renames",
}  # fmt: skip
_ALSO_OF_TEXTS_AND_FRAMES = {"replace", "rename", "remove"}
"""A path has one argument here, and no keyword; a text two, a date keywords, a column its new name as a word."""
_MODULES_THAT_REMOVE = {"os", "shutil"}
_JUDGED = _WRITES | _ALSO_OF_TEXTS_AND_FRAMES | {"open", "fdopen", "connect"}


def opens_for_writing(source: str) -> list[str]:
    """Return the calls of a module that may write a file."""
    found = []
    for node in ast.walk(parsed(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in _JUDGED:
            continue
        words = [a.value for a in [*node.args, *(k.value for k in node.keywords)] if isinstance(a, ast.Constant)]
        opens = name in {"open", "fdopen"} and any(
            isinstance(word, str) and set(word) & set("wax+") and set(word) <= set("rwaxbt+") for word in words
        )
        flags = name == "open" and any("O_" in ast.unparse(argument) for argument in node.args)
        as_text = name in {"to_csv", "to_json"} and not node.args  # without a path it returns the text
        owner = ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else ""
        of_a_value = name == "copy" and owner != "shutil"
        writes = isinstance(node.func, ast.Attribute) and name in _WRITES and not as_text and not of_a_value
        moves = name in _ALSO_OF_TEXTS_AND_FRAMES and (
            owner in _MODULES_THAT_REMOVE
            or (
                name != "remove"
                and bool(owner)
                and len(node.args) == 1
                and not node.keywords
                and not (name == "rename" and isinstance(node.args[0], ast.Constant))
                and not isinstance(node.func, ast.Name)
            )
        )
        connects = name == "connect" and owner == "sqlite3"
        if opens or flags or writes or moves or connects:
            found.append(f"line {node.lineno}: {ast.unparse(node)[:60]}")
    return found


@pytest.mark.thorough
def test_every_file_that_is_written_goes_through_one_place() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix(): opens_for_writing(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
    }
    assert {name: calls for name, calls in found.items() if calls and name not in OWN_FILES} == {}
    assert all(found[name] for name in OWN_FILES)


@pytest.mark.parametrize(
    "source",
    [
        "path.write_text('a')", "open(path, 'w')", "path.open('xb')", "path.open(mode='a')", "frame.to_csv(path)",
        "shutil.copyfile(a, b)", "os.open(path, os.O_WRONLY)", "figure.savefig(path)", "path.unlink()",
        "path.rename(other)", "path.replace(other)", "os.replace(a, b)", "os.remove(path)", "shutil.rmtree(folder)",
        "path.mkdir(parents=True)", "path.touch()", "path.chmod(0o600)", "sqlite3.connect(path)", "shutil.copy(a, b)",
        "tempfile.mkdtemp()",
    ],
)  # fmt: skip
def test_a_call_that_writes_is_found(source: str) -> None:
    assert opens_for_writing(source)


@pytest.mark.parametrize(
    "source",
    [
        "open(path)",
        "path.open('rb')",
        "frame.to_csv(index=False)",
        "client.open('wave')",
        "text.replace('a', 'b')",
        "moment.replace(tzinfo=UTC)",
        "dataclasses.replace(reply, body=body)",
        "frame.rename(columns=names)",
        "counts.rename('people')",
        "watchers.remove(one)",
        "frame.copy()",
        "cint.connect('sandbox')",
    ],
)
def test_a_call_that_only_reads_is_not(source: str) -> None:
    assert opens_for_writing(source) == []
