"""The table of docs/witnesses.md, from the table by which a launch is guarded; `python tools/witness_table.py`."""

from __future__ import annotations

import re
from pathlib import Path

from cint_nb.study.preflight.draft_witnesses import UNWITNESSED, WITNESSES, Bearing

PAGE = Path(__file__).parents[1] / "docs" / "witnesses.md"
_PLACE = re.compile(r"(?<=<!-- table -->\n).*?(?=<!-- end of the table -->)", re.DOTALL)
_READS = {
    "draft": "`GET …/target-groups/{id}`",
    "fielding assistant": "`GET …/fielding-assistant-assignment`",
    "exclusion policy": "`GET …/exclusion-policy`",
    "allocation specification": "`GET …/allocation-specification`",
    "target group list": "`GET …/target-groups`",
}
_BLOCKS = "blocks the launch"
_UNREAD: dict[Bearing, str] = {
    "cost": _BLOCKS,
    "audience": _BLOCKS,
    "survey": _BLOCKS,
    "time": _BLOCKS,
    "superseded": "nothing: the launch carries its own",
    "label": "nothing: the fieldwork is the same",
}
_NEVER_READ = "counts as last written from here; where this journal did not write it, blocks the launch"


def write_table() -> str:
    """Return the table: a row for each field of a draft."""
    rows = ["| field of the draft | bears on | shown by | where it is not read |", "|---|---|---|---|"]
    for witness in WITNESSES:
        reads = " or ".join(_READS[read] for read in ("draft", witness.fallback) if read is not None)
        rows.append(f"| `{witness.field}` | {witness.bears_on} | {reads} | {_UNREAD[witness.bears_on]} |")
    rows += [f"| `{each.name}`: {each.meaning} | | no documented read | {_NEVER_READ} |" for each in UNWITNESSED]
    return "\n".join(rows) + "\n"


def write_page(text: str) -> str:
    """Return the page with the table of today."""
    return _PLACE.sub(lambda _: write_table(), text)


if __name__ == "__main__":
    PAGE.write_text(write_page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
