"""`docs/replies.md`: how each change of each operation's reply ends, written by the run that found it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from cint_nb.api.operations import OPERATIONS
from tests.contract.changed_replies.changes import CHANGES
from tests.contract.changed_replies.endings import ENDINGS

FILE = Path(__file__).parents[3] / "docs" / "replies.md"
NOWHERE = "·"
TABLES = {
    "One operation": "Each operation is called by itself, and one key of its reply is changed.",
    "A whole wave": "A wave of 200 lines is run from `check` to `remove`, and one key is changed in every reply of one "
    "operation. After an error the cells are run again with the replies as they were, and the wave ends as if nothing "
    "had been changed: one project, one target group, one run, and no upload, launch or removal twice.",
}
Found = dict[tuple[str, str, str], set[str]]
"""The endings of all keys, by table, operation and change."""

_OPENING = """\
# What happens when a reply is not as documented

A contract changes, and a proxy or a replica may answer in place of the exchange. For each operation and for each key of
its documented reply the tests make the changes below, and look at what comes of it. `nox -s replies -- --report` ran
all {count:,} of them and wrote this file; the tests compare each cell with it. With the replies unchanged there is no
warning and no error.

A change that leads to another result without an error or a warning is a failure of the tests: there is none.

Values change too. A job that has ended with a status word that is not documented ends as the count of saved IDs says;
where nothing is counted, as for a launch, its watch ends with `JobStatusUnknown`, and the target group shows the rest.
Prices of another size or currency than the plan's block a launch, and a status shows them with a warning. What a single
reply cannot show, such as a list that is silently cut short, shows where two of them are compared: saved IDs are
counted and listed, and an outcome whose witnesses disagree is an error.
"""


def count(found: Iterable[tuple[str, str, str, str]]) -> Found:
    """Gather endings by table, operation and change."""
    gathered: Found = defaultdict(set)
    for table, name, change, ending in found:
        gathered[table, name, change].add(ending)
    return dict(gathered)


def write(found: Found, total: int) -> str:
    """Return the whole document."""
    parts = [_OPENING.format(count=total), "## The changes\n\n| change | |\n|---|---|\n"]
    parts[-1] += _rows([name, words] for name, words in CHANGES.items())
    parts.append("## The endings\n\n| | ending | |\n|---|---|---|\n")
    parts[-1] += _rows([sign, name, words] for name, (sign, words) in ENDINGS.items())
    for table, words in TABLES.items():
        head = f"| | {' | '.join(CHANGES)} |\n|---|{':-:|' * len(CHANGES)}\n"
        names = [name for name in OPERATIONS if any((table, name, change) in found for change in CHANGES)]
        rows = [[f"`{name}`", *(_cell(found.get((table, name, change))) for change in CHANGES)] for name in names]
        explained = f"Several signs stand for several keys; {NOWHERE} marks where a change changes nothing."
        parts.append(f"## {table}\n\n{words} {explained}\n\n{head}{_rows(rows)}")
    return "\n".join(parts)


def read(text: str) -> tuple[Found, int]:
    """Return the endings of a written document, and of how many changes."""
    signs = {sign: name for name, (sign, _) in ENDINGS.items()}
    found: Found = {}
    for table in TABLES:
        body = text.partition(f"## {table}\n")[2].partition("\n## ")[0]
        for line in re.findall(r"^\| (`.*) \|$", body, re.MULTILINE):
            name, *cells = [cell.strip() for cell in line.split("|")]
            for change, cell in zip(CHANGES, cells, strict=True):
                if cell != NOWHERE:
                    found[table, name.strip("`"), change] = {signs[sign] for sign in cell.split()}
    total = re.search(r"all ([\d,]+) of them", text)
    return found, int(total[1].replace(",", "")) if total else 0


def _cell(endings: set[str] | None) -> str:
    return " ".join(sign for name, (sign, _) in ENDINGS.items() if name in endings) if endings else NOWHERE


def _rows(rows: Iterable[list[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
