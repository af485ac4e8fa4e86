"""The page that the comparisons write their tables into, each between marks of its own."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "docs" / "comparison.md"


def write_between(marks: tuple[str, str], text: str) -> None:
    """Put a text between two marks of the page, in place of what stands there.

    Raises:
        SystemExit: the page has not both marks, in this order and once each; it stays as it is.
    """
    page = REPORT.read_text(encoding="utf-8")
    before, begin, rest = page.partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not (begin and end) or any(mark in after or mark in before for mark in marks):
        raise SystemExit(f"{REPORT.name} needs {marks[0]} and {marks[1]} once each")
    REPORT.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")
