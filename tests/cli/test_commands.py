"""Every command says what it does, and refuses what cannot work with a plain message."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cint_nb.api.client import build_client
from cint_nb.cli import main
from cint_nb.cli.lab import copy_notebooks, notebook_source
from cint_nb.sandbox.sample import write_sample


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    printed = capsys.readouterr().out
    for command in ("demo", "lab", "check", "journal", "doctor", "sandbox", "record"):
        assert command in printed


def test_check_counts_the_verdicts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_sample(tmp_path / "people.csv", lines=300)
    assert main(["check", str(file), "--entity-type", "RSID", "--json"]) == 0
    counts = json.loads(capsys.readouterr().out)
    assert counts["lines"] == 300
    assert list(counts) == [
        "lines", "usable", "blank", "duplicate", "malformed", "header", "encoding", "bytes",
        "hidden", "column", "position", "sheet", "separator", "header_row", "warnings", "problems",
    ]  # fmt: skip
    assert counts["usable"] + counts["blank"] + counts["duplicate"] + counts["malformed"] == 300
    assert counts["bytes"] == file.stat().st_size
    assert "utf-8" in counts["encoding"].lower()


def test_check_ends_with_how_many_ids_can_be_uploaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_sample(tmp_path / "people.csv", lines=100)
    assert main(["check", str(file), "--entity-type", "RSID"]) == 0
    assert main(["check", str(file), "--entity-type", "RSID", "--json"]) == 0
    said, _, numbers = capsys.readouterr().out.rstrip().rpartition("\n")
    assert said.endswith(f"{json.loads(numbers)['usable']} RSIDs are ready to upload. Nothing was sent.")


def test_check_loads_neither_pandas_nor_a_web_server(tmp_path: Path) -> None:
    file = write_sample(tmp_path / "people.csv", lines=300)
    arguments = ["check", str(file), "--entity-type", "RSID", "--json"]
    code = f"import sys; from cint_nb.cli import main; main({arguments!r}); print(sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for heavy in ("'pandas'", "'starlette'", "'httpx'", "'ipywidgets'"):
        assert heavy not in done.stderr


def test_check_refuses_a_missing_file_with_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "none.csv"), "--entity-type", "RSID"]) == 2
    printed = capsys.readouterr().err
    assert "none.csv" in printed
    assert "Next:" in printed


def test_what_fails_without_a_wrong_input_ends_with_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "journal.sqlite3"
    folder.mkdir()
    assert main(["journal", "--file", str(folder)]) == 1
    assert "cannot be opened" in capsys.readouterr().err


def test_doctor_finds_this_installation_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert "FAIL" not in printed
    assert "answers" in printed


@pytest.mark.usefixtures("without_credentials")
def test_doctor_names_missing_credentials(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINT_NB_MODE", "live")
    assert main(["doctor"]) == 1
    assert "CINT_NB_CLIENT_SECRET" in capsys.readouterr().out


def test_doctor_does_not_call_credentials_good_that_nobody_tried(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"MODE": "live", "ACCOUNT_ID": "7", "CLIENT_ID": "me", "CLIENT_SECRET": "guess"}.items():
        monkeypatch.setenv(f"CINT_NB_{name}", value)
    assert main(["doctor"]) == 0
    assert "not tested" in capsys.readouterr().out


def test_check_asks_in_words_what_the_ids_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(write_sample(tmp_path / "people.csv", lines=30))]) == 2
    assert "RSID (or RESPONDENT_ID) if each ID identifies a person" in capsys.readouterr().err


@pytest.mark.thorough
def test_the_served_sandbox_says_at_once_where_it_is_and_answers_there() -> None:
    command = [sys.executable, "-c", "from cint_nb.cli import main; main(['sandbox', '--port', '0'])"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as served:
        try:
            assert served.stdout is not None
            first = next(served.stdout)
            assert "60 times real time" in first
            address = re.search(r"API (http://127\.0\.0\.1:(\d+)/v1)", first)
            assert address is not None
            socket.create_connection(("127.0.0.1", int(address[2])), timeout=10).close()  # at once, as a script would
            client = build_client(base_url=address[1])
            assert client.run(client.definitions.study_types())
            client.close()
        finally:
            served.terminate()


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--students", "0"], "1 to 500 students"),
        (["--host", "192.0.2.1"], "cannot listen on '192.0.2.1'"),
        (["--state", "no-folder/no-folder/world.sqlite3"], "cannot be opened as a state file"),
    ],
)
def test_the_sandbox_refuses_what_it_cannot_serve_in_words(
    arguments: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sandbox", "--port", "0", *arguments]) == 2
    said = capsys.readouterr().err
    assert hint in said
    assert said.count("Safe:") == said.count("Next:") == 1


def test_a_port_that_another_program_uses_is_named_with_the_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["sandbox", "--port", str(port)]) == 2
    said = capsys.readouterr().err
    assert f"port {port}" in said
    assert "Address already in use" in said
    assert "--port 0" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sandbox", "--port", "99999"], "'99999' is not a whole number from 0 to 65,535"),
        (["lab", "--port", "-1"], "'-1' is not a whole number from 0 to 65,535"),
        (["sandbox", "--speed", "nan"], "'nan' is not a number above 0"),
        (["demo", "--lines", "0"], "'0' is not a whole number from 1 to 100,000"),
        (["demo", "--lines", "many"], "'many' is not a whole number from 1 to 100,000"),
    ],
    ids=" ".join,
)
def test_a_number_that_cannot_be_is_refused_before_anything_is_made(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_lab_copies_every_notebook_into_a_new_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    source = notebook_source()
    pages = [source / "README.md", *source.glob("*.ipynb"), *source.glob("[st]*/*.ipynb")]
    names = sorted(str(path.relative_to(source)) for path in pages)
    assert {"templates/run-a-wave.ipynb", "sheets/where-did-the-ids-go.ipynb"} <= set(names)
    assert main(["lab", "--copy-only"]) == 0
    assert main(["lab", "--copy-only", "--fresh"]) == 0
    for folder in ("cint-nb-notebooks", "cint-nb-notebooks-2"):
        copied = [path for path in (tmp_path / folder).rglob("*") if path.is_file()]
        assert sorted(str(path.relative_to(tmp_path / folder)) for path in copied) == names


def test_lab_keeps_a_notebook_you_have_worked_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy_notebooks(tmp_path)
    mine = tmp_path / "00-start-here.ipynb"
    mine.write_text("my work", encoding="utf-8")
    copy_notebooks(tmp_path)
    assert mine.read_text(encoding="utf-8") == "my work"
    assert "kept your existing" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("drop-repl@upload", "did you mean drop-reply?"),
        ("drop-reply@uplod", "did you mean upload?"),
        ("paused-elswhere@status", "did you mean paused-elsewhere?"),
        ("field-edited:completes_gaol@launch", "did you mean completes_goal?"),
        ("foo@any", "choose from"),
        ("foo", "NAME@STEP"),
    ],
)
def test_a_fault_that_does_not_exist_is_an_argument_error_with_the_nearest_name(
    fault: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["sandbox", "--fault", fault])
    printed = capsys.readouterr().err
    assert "argument --fault" in printed
    assert says in printed
