"""`cint-nb check`: read a respondent file and count what it contains; nothing is sent.

Nothing leaves this machine, and ids are masked in what is printed.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cint_nb.caller_warnings import deliver_warnings
from cint_nb.cli.progress import Progress
from cint_nb.domain.errors import RespondentFileError
from cint_nb.study.files.readers import SourceInfo
from cint_nb.study.files.respondents import Respondents, read_respondents

_CALL = re.compile(r"cint\.read_respondents\((?:[^()'\"]|'[^']*'|\"[^\"]*\")*\)")
_ARGUMENT = re.compile(r"\b(column|sheet|header_row|hidden|separator|encoding|entity_type)=('[^']*'|\"[^\"]*\"|\w*)")
_SEPARATORS = {"\t": "tab", "\x01": "Ctrl-A", "\x1f": "unit separator"}
_SEPARATOR_WORDS = {"tab": "\t", "\\t": "\t", "line": "\n", "\\n": "\n"}
"""What a shell can pass for signs that it cannot."""


EXAMPLES = (
    "cint-nb check people.csv --entity-type RSID",
    "cint-nb check export.xlsx --entity-type RID --sheet 2 --column 3",
    "cint-nb check people.csv --entity-type RSID --json",
)
EXIT_CODES = {0: "the ids can be uploaded as they are", 2: "they cannot, or the file cannot be read"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("file", help="the respondent file")
    parser.add_argument("--entity-type", help="RSID (one per person) or RID (one per visit)")
    parser.add_argument(
        "--column", help="name of the ID column, or its position from 1, if there are several candidates"
    )
    parser.add_argument("--sheet", help="name of the sheet of a workbook, or its position from 1")
    parser.add_argument("--header-row", type=int, help="line with the names of the columns, from 1")
    parser.add_argument("--hidden", choices=("skip", "read"), help="what to do with what is hidden in a workbook")
    parser.add_argument(
        "--separator", help="between the values of a text, such as ';', 'tab', or 'line' for one a line"
    )
    parser.add_argument("--encoding", help="how a text is written, such as cp1250")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Print the counts of every verdict, where the ids were found, and what stands in the way of an upload."""
    if arguments.entity_type is None:
        raise RespondentFileError(
            "The type of ID is not known: RSIDs and RIDs look alike.",
            next_step="add --entity-type RSID (or RESPONDENT_ID) if each ID identifies a person, "
            "--entity-type RID (or RESPONSE_ID) if each identifies one visit to a survey.",
        )
    try:
        # Warnings are printed below, with flags.
        with deliver_warnings(show=False), Progress(f"Reading {Path(arguments.file).name}"):
            respondents = _read(arguments)
    except RespondentFileError as error:
        next_step = as_flags(str(error.next_step), arguments.file, arguments.entity_type)
        raise RespondentFileError(error.what, evidence=error.evidence, next_step=next_step) from None
    problems = respondents.upload_problems
    if arguments.json:
        print(json.dumps(_as_json(respondents)))
    else:
        table = respondents.summary()
        print(table[table["verdict"] != "warning"].to_string(index=False))
        print("\n" + "\n".join(_describe(respondents.source_info)))
        for sentence in respondents.warnings:
            print(f"Check this: {as_flags(sentence, arguments.file, arguments.entity_type)}")
        for problem in problems:
            print(f"Cannot be uploaded: {problem.what}")
            print(f"  Next: {as_flags(problem.fix, arguments.file, arguments.entity_type)}")
        if not problems:
            print(f"\n{len(respondents):,} {respondents.entity_type}s are ready to upload. Nothing was sent.")
    return 2 if problems else 0


def _read(arguments: argparse.Namespace) -> Respondents:
    """Read the file; a number is a position unless a column or sheet has that name."""
    options: dict[str, Any] = {"column": arguments.column, "sheet": arguments.sheet}
    numbers = {name: int(text) for name, text in options.items() if text is not None and text.isdecimal()}
    common = {
        "entity_type": arguments.entity_type,
        "header_row": arguments.header_row,
        "hidden": arguments.hidden,
        "separator": _SEPARATOR_WORDS.get(arguments.separator, arguments.separator),
        "encoding": arguments.encoding,
    }
    try:
        return read_respondents(arguments.file, **common, **options)
    except RespondentFileError:
        if not numbers:
            raise
    return read_respondents(arguments.file, **common, **{**options, **numbers})


def _as_json(respondents: Respondents) -> dict[str, Any]:
    info = respondents.source_info
    counts = asdict(respondents.counts)
    hidden = counts.pop("hidden")
    return {
        **counts,
        "encoding": info.encoding,
        "bytes": info.size,
        "hidden": hidden,
        "column": info.column,
        "position": info.position,
        "sheet": info.sheet,
        "separator": info.separator,
        "header_row": info.header_row,
        "warnings": list(respondents.warnings),
        "problems": [problem.what for problem in respondents.upload_problems],
    }


def _describe(info: SourceInfo) -> Iterator[str]:
    """Yield where the ids were found, a line for each fact."""
    if info.position is not None and info.layout == "table":
        yield f"Column: {info.position}" + (f' "{info.column}"' if info.column else ", without a name")
    elif info.column is not None:
        yield f'Header: "{info.column}"'
    if info.header_row is not None:
        yield f"Header row: line {info.header_row:,}"
    if info.sheet is not None:
        yield f'Sheet: "{info.sheet}"'
    if info.encoding is not None:
        yield f"Encoding: {info.encoding}"
    if info.separator is not None:
        yield f"Separator: {_SEPARATORS.get(info.separator, info.separator)}"


def as_flags(advice: str, file: str, entity_type: str | None = None) -> str:
    """Return advice with the calls and arguments in it as this command and its flags.

    Args:
        advice: A next step, as the library gives it.
        file: The file, as it was given to the command.
        entity_type: The type of ids, as it was given to the command.
    """

    def flag(found: re.Match[str]) -> str:
        name, value = found[1].replace("_", "-"), found[2].strip("'\"")
        return f"--{name} {value if value in ('', '…') else shlex.quote(value)}".rstrip()

    def command(found: re.Match[str]) -> str:
        flags = [flag(each) for each in _ARGUMENT.finditer(found[0])]
        if entity_type is not None and not any(each.startswith("--entity-type") for each in flags):
            flags.append(f"--entity-type {shlex.quote(entity_type)}")
        return " ".join(["cint-nb check", shlex.quote(file), *flags])

    return _ARGUMENT.sub(flag, _CALL.sub(command, advice))
