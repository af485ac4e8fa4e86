"""`cint-nb check`: read a respondent file and count what is in it; nothing is sent."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from cint_nb.study.files.respondents import read_respondents


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("file", type=Path, help="the respondent file")
    parser.add_argument("--entity-type", help="RSID (one per person) or RID (one per visit)")
    parser.add_argument("--column", help="name of the column that holds the ids, where there are several")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Print the counts of every verdict."""
    people = read_respondents(arguments.file, entity_type=arguments.entity_type, column=arguments.column)
    if arguments.json:
        print(
            json.dumps(
                {**asdict(people.counts), "encoding": people.source_info.encoding, "bytes": people.source_info.size}
            )
        )
    else:
        print(people.summary().to_string(index=False))
        print(f"\n{len(people):,} {people.entity_type}s can be uploaded. Nothing was sent.")
    return 0
