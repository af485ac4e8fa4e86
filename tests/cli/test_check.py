"""`cint-nb check` says what the library knows, and gives advice as flags."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

from cint_nb.cli import main
from cint_nb.cli.check import as_flags
from cint_nb.domain.ids import synthetic_id

IDS = [synthetic_id("check", number) for number in range(40)]


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main(["check", *map(str, arguments), "--entity-type", "RSID"])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_it_says_where_the_ids_were_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "RIDs.csv"
    rows = [f"fine;{IDS[row]};{IDS[row + 20]}" for row in range(10)] + [f"so;so;{IDS[10]};{IDS[30]}"]
    path.write_text("Report of the wave;;\ncomment;RID;RSID\n" + "\n".join(rows), encoding="utf-8-sig")
    code, out, _ = said(capsys, path, "--column", "RSID")
    assert code == 0
    for fact in ('Column: 3 "RSID"', "Header row: line 2", "Encoding: utf-8-sig", "Separator: ;"):
        assert fact in out
    assert "the row has 4 values, the header 3" in out
    assert "Check this: The IDs were read as RSIDs" in out
    assert out.endswith("10 RSIDs are ready to upload. Nothing was sent.\n")
    assert not any(each in out for each in IDS)


def test_advice_runs_in_the_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "my wave.csv"
    path.write_text("visit,the person\n" + "\n".join(f"{a},{b}" for a, b in zip(IDS[:9], IDS[9:18], strict=True)))
    code, _, err = said(capsys, path)
    assert code == 2
    assert "read_respondents" not in err
    command = err.partition("Next: choose one: ")[2].partition(", if it is")[0]
    words = shlex.split(command)
    assert words == ["cint-nb", "check", str(path), "--column", "visit", "--entity-type", "RSID"]
    assert main(words[1:]) == 0
    assert said(capsys, path, "--column", 2)[0] == 0


def test_hidden_rows_are_asked_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book = openpyxl.Workbook()
    for text in ["RSID", *IDS[:6]]:
        book.active.append([text])  # type: ignore[union-attr]
    book.active.row_dimensions[3].hidden = True  # type: ignore[union-attr]
    path = tmp_path / "people.xlsx"
    book.save(path)
    code, out, _ = said(capsys, path)
    assert code == 2
    assert "--hidden skip" in out
    assert "--hidden read" in out
    assert "ready to upload" not in out
    assert said(capsys, path, "--hidden", "skip")[:1] == (0,)
    code, out, _ = said(capsys, path, "--hidden", "read", "--json")
    assert (code, json.loads(out)["usable"], json.loads(out)["sheet"]) == (0, 6, "Sheet")


@pytest.mark.parametrize("count", [100_000, 100_001])
def test_a_list_above_the_limit_is_not_ready(count: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "people.txt"
    path.write_text("\n".join(f"{number:08x}-0000-4000-8000-000000000000" for number in range(count)))
    code, out, _ = said(capsys, path)
    assert (code, "ready to upload" in out) == ((0, True) if count == 100_000 else (2, False))
    if code:
        assert "Cannot be uploaded: 100,001 IDs exceed the 100,000 of one target group." in out
        assert "respondents.split(100_000)" in out
        assert "exceed the 100,000" in out.partition("first_line")[2].partition("duplicate")[0]  # in the summary too


def test_a_missing_entity_type_names_the_flag(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "people.txt"
    path.write_text(IDS[0])
    assert main(["check", str(path)]) == 2
    assert "add --entity-type RSID" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("advice", "flags"),
    [
        ("write column=1 or column='RSID'.", "write --column 1 or --column RSID."),
        ("choose one: sheet='…'.", "choose one: --sheet …."),
        (
            'read it again: cint.read_respondents(…, hidden="skip") does.',
            "read it again: cint-nb check a.csv --hidden skip does.",
        ),
        ("header_row= is the number of the line", "--header-row is the number of the line"),
        ("open the file.", "open the file."),
    ],
)
def test_arguments_of_the_library_become_flags(advice: str, flags: str) -> None:
    assert as_flags(advice, "a.csv") == flags


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pipe that closes")
def test_a_reader_that_closes_early_hears_no_complaint(tmp_path: Path) -> None:
    path = tmp_path / "people.txt"
    path.write_text("\n".join(IDS))
    code = "import sys; from cint_nb.cli import main; sys.exit(main(sys.argv[1:]))"
    with subprocess.Popen(
        [sys.executable, "-c", code, "check", str(path), "--entity-type", "RSID"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == ""
    assert running.returncode == 141
