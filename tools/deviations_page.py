"""Writes docs/deviations.md from tests/contract/deviations.toml and the sandbox's rules.

Run `python tools/deviations_page.py`.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from cint_nb.sandbox.world.rules import rule_choices

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "deviations.md"
SOURCE = ROOT / "tests" / "contract" / "deviations.toml"
_HEAD = """# Where Cint's documents contradict each other, and where they are silent

The client and the sandbox were built from public documents and never met the live exchange. What those documents say
in two ways stands here with both sources, what they do not say with the assumption that takes its place. The sandbox
follows the two guides first, then later documents of the same version.

`tests/contract/deviations.toml` is the table behind this page. A row of the second table is found by a validator that
compares everything sent and answered with Cint's OpenAPI document; a row that nothing needs, or that has not two
sources which contradict each other, fails a test. Sources are cited in our words; what is set `like this` is theirs.

## Switches

Where a last column names a rule, a sandbox can be given the other answer, and a program should be tried with both: by
`cint.sandbox.Sandbox(rules=cint.sandbox.ExchangeRules(expiry_status="403"))` in Python, by
`cint-nb sandbox --rule expiry_status=403` on the command line.

| rule | values, the first is the default |
|---|---|
"""


def write_page() -> str:
    """Return the page."""
    tables: dict[str, list[dict[str, Any]]] = tomllib.loads(SOURCE.read_text(encoding="utf-8"))
    rules = [f"| `{name}` | {', '.join(f'`{value}`' for value in values)} |" for name, values in rule_choices().items()]
    parts = [
        _HEAD + "\n".join(rules),
        "## Requests and replies that break the OpenAPI document",
        _table(
            "operation | where | what is sent or answered | one source | the other",
            ([f"`{row['operation']}`", row["place"], row["differs"], *row["sources"]] for row in tables["deviation"]),
        ),
        "## Checks that are left out when the document judges the sandbox",
        _table(
            "operation | check | one source | the other",
            ([f"`{row['operation']}`", row["check"], *row["sources"]] for row in tables["unchecked"]),
        ),
        "## Sources that contradict each other in words",
        _table(
            "subject | one source | the other | the sandbox | rule",
            ([row["subject"], *row["sources"], row["sandbox"], _rule(row)] for row in tables["choice"]),
        ),
        "## What no source says",
        _table(
            "subject | the sandbox | rule", ([row["subject"], row["sandbox"], _rule(row)] for row in tables["open"])
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _table(columns: str, rows: Any) -> str:
    head = f"| {columns} |\n|{'---|' * (columns.count('|') + 1)}\n"
    return head + "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _rule(row: dict[str, Any]) -> str:
    return f"`{row['rule']}`" if "rule" in row else ""


if __name__ == "__main__":
    PAGE.write_text(write_page(), encoding="utf-8")
