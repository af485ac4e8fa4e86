"""The command line explains itself, suggests what was meant, and shows every setting in force."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import cint_nb
from cint_nb.cli import COMMANDS, main
from cint_nb.cli.doctor import check_journal, misspelt_variables
from cint_nb.cli.lab import copy_notebooks, lab_root
from cint_nb.wire.settings import VARIABLES


@pytest.mark.parametrize(
    "start", [["-m", "cint_nb"], ["-c", "import sys; from cint_nb.cli import main; sys.exit(main())"]]
)
def test_the_version_is_printed_however_it_is_started(start: list[str]) -> None:
    done = subprocess.run([sys.executable, *start, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"cint-nb {cint_nb.__version__}\n"


@pytest.mark.parametrize(
    "command", [[], *([name] for name in COMMANDS)], ids=lambda words: " ".join(words) or "cint-nb"
)
def test_help_has_examples_and_exit_codes(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([*command, "--help"])
    shown = capsys.readouterr().out
    examples, codes = shown.partition("examples:\n")[2].split("exit codes:")
    assert f"cint-nb {' '.join(command)}".strip() in examples
    assert "  0 " in codes


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["chekc", "people.csv"], "did you mean check?"),
        (["check", "people.csv", "--entiy-type", "RSID"], "did you mean --entity-type?"),
        (["completion", "bahs"], "did you mean bash?"),
    ],
)
def test_what_was_nearly_meant_is_suggested(words: list[str], meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(words)
    assert meant in capsys.readouterr().err


def test_what_a_command_does_not_know_it_says_itself_with_its_own_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["doctor", "--live", "everything"])
    said = capsys.readouterr().err
    assert said.startswith("usage: cint-nb doctor [-h] [--live] [--json]")
    assert "unrecognized arguments: everything" in said


def test_without_a_command_all_are_listed_on_the_error_stream(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert [each for each in COMMANDS if f"  {each} " not in printed.err and f"  {each}\n" not in printed.err] == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion_knows_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert [name for name in COMMANDS if name not in script] == []
    assert "entity-type" in script


def test_bash_takes_the_completion(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "bash"]) == 0
    file = tmp_path / "completion.bash"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    done = subprocess.run(["bash", "-c", f"source '{file}' && complete -p cint-nb"], capture_output=True, text=True)  # noqa: S607
    assert "cint-nb" in done.stdout, done.stderr


def test_doctor_shows_every_setting_with_where_it_comes_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CINT_NB_SEED", "7")
    assert main(["doctor", "--json"]) == 0
    checks = {each["name"].strip(): each["text"] for each in json.loads(capsys.readouterr().out)["checks"]}
    assert {"mode", *VARIABLES} <= set(checks)
    assert checks["seed"] == "7 (CINT_NB_SEED)"
    assert checks["mode"] == "sandbox (default)"
    assert checks["in_flight"].endswith("(default)")


def test_doctor_says_that_a_secret_is_set_and_no_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"MODE": "live", "ACCOUNT_ID": "7", "CLIENT_ID": "me", "CLIENT_SECRET": "guess-me-not"}.items():
        monkeypatch.setenv(f"CINT_NB_{name}", value)
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert "guess-me-not" not in shown
    assert "set (CINT_NB_CLIENT_SECRET)" in shown


@pytest.mark.thorough
def test_a_variable_that_this_mode_does_not_read_is_said() -> None:
    environment = {**os.environ, "CINT_NB_MODE": "sandbox", "CINT_NB_REQUESTS_PER_SECOND": "5"}
    done = subprocess.run(
        [sys.executable, "-m", "cint_nb", "doctor"], capture_output=True, text=True, env=environment, check=True
    )
    assert "CINT_NB_REQUESTS_PER_SECOND is set, and not read in the mode sandbox" in done.stdout


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CINT_NB_MOD", "CINT_NB_MODE"),
        ("CINT_NB_CLIENTSECRET", "CINT_NB_CLIENT_SECRET"),
        ("cint_nb_mode", "CINT_NB_MODE"),
        ("CINT_ACCOUNT_ID", "CINT_NB_ACCOUNT_ID"),
        ("CINT_NB_JOURNALS", "CINT_NB_JOURNAL"),
    ],
)
def test_a_misspelt_variable_is_named_with_the_one_that_was_meant(name: str, meant: str) -> None:
    (check,) = misspelt_variables({name: "a-secret", "PATH": "/bin", "CINT_NB_SEED": "1"})
    assert check.state == "warn"
    assert check.text == f"{name} is no setting; did you mean {meant}?"


def test_a_variable_that_nothing_reads_is_said_and_others_are_left_alone() -> None:
    (check,) = misspelt_variables({"CINT_NB_WHATEVER_IT_IS": "1", "CINTIQ_TABLET": "1", "HOME": "/"})
    assert "nothing reads it" in check.text


def test_the_journal_is_warned_of_where_its_place_does_not_last(tmp_path: Path) -> None:
    assert check_journal(Path("/tmp/journal.sqlite3"), {}).state == "warn"  # noqa: S108 - what is warned of
    kept = check_journal(Path.home() / "cint" / "journal.sqlite3", {})
    assert kept.text.startswith(str(Path.home()))
    hosted = check_journal(Path.home() / "journal.sqlite3", {"COLAB_RELEASE_TAG": "1"})
    assert "Colab" in hosted.text
    assert check_journal(Path("/mnt/drive/journal.sqlite3"), {"COLAB_RELEASE_TAG": "1"}).state != "warn"


def test_a_journal_that_cannot_be_written_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    check = check_journal(Path.home() / "journal.sqlite3", {})
    assert check.state == "FAIL"
    assert "set CINT_NB_JOURNAL" in check.text


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("arguments", [["doctor"], ["demo", "--lines", "60"]])
def test_what_goes_into_a_pipe_has_no_colour_and_no_progress_bars(arguments: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cint_nb", *arguments], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert "\033[" not in done.stdout
    assert "\r" not in done.stdout + done.stderr
    assert done.stderr == ""


def test_lab_opens_the_copy_of_yesterday_beside_the_files_of_today(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "people.csv").write_text("mine", encoding="utf-8")
    folder = copy_notebooks()
    worked_in = folder / "00-start-here.ipynb"
    worked_in.write_text("my work", encoding="utf-8")
    assert copy_notebooks() == folder
    assert worked_in.read_text(encoding="utf-8") == "my work"
    assert lab_root(folder) == (tmp_path, "cint-nb-notebooks/00-start-here.ipynb")
    assert "kept your existing copy" in capsys.readouterr().out
    assert copy_notebooks(fresh=True).name == "cint-nb-notebooks-2"


def test_a_folder_of_that_name_that_is_no_copy_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cint-nb-notebooks").mkdir()
    assert copy_notebooks().name == "cint-nb-notebooks-2"
    assert list((tmp_path / "cint-nb-notebooks").iterdir()) == []


def test_a_copy_elsewhere_is_shown_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    elsewhere = copy_notebooks(tmp_path / "course")
    assert lab_root(elsewhere) == (tmp_path / "course", "00-start-here.ipynb")
