"""`cint-nb check`: read a respondent file and count what it contains; nothing is sent."""

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
    parser.add_argument("--column", help="name of the ID column, if there are several candidates")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Print the counts of every verdict."""
    respondents = read_respondents(arguments.file, entity_type=arguments.entity_type, column=arguments.column)
    if arguments.json:
        source_info = respondents.source_info
        counts = asdict(respondents.counts)
        about = {"encoding": source_info.encoding, "bytes": source_info.size, "warnings": list(respondents.warnings)}
        print(json.dumps({**counts, **about}))
    else:
        print(respondents.summary().to_string(index=False))
        print(f"\n{len(respondents):,} {respondents.entity_type}s are ready to upload. Nothing was sent.")
    return 0
