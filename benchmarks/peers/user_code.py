"""Counts the lines a user writes: not blank, no comment, no docstring; one section apart from all others."""

from __future__ import annotations

import io
import tokenize
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
SCRIPTS = {
    "curl": HERE / "with_curl.sh",
    "generated client": HERE / "with_generated_client.py",
    "cint_nb": HERE / "with_cint_nb.py",
}
PANEL_SCRIPTS = {"R": HERE / "panel_with_r.R", "cint_nb.measure": HERE / "panel_with_measure.py"}
_NO_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING,
    tokenize.ENDMARKER,
}  # fmt: skip
_SECTION = "# --- "


class Lines(NamedTuple):
    """The lines of a script: those that describe the draft, and all others."""

    draft: int
    steps: int


def count_lines(script: Path) -> Lines:
    """Count the lines of code of a Python or shell script; sections begin with `# --- `."""
    sections = count_sections(script)
    draft = sections.pop("the draft", 0)
    return Lines(draft, sum(sections.values()))


def count_sections(script: Path) -> dict[str, int]:
    """Count the lines of code of each section of a Python, shell or R script; what stands before the first is in ``."""
    text = script.read_text(encoding="utf-8")
    numbers = _python(text) if script.suffix == ".py" else _shell(text)
    section, counts = "", {"": 0}
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(_SECTION):
            section = line.removeprefix(_SECTION)
        counts[section] = counts.get(section, 0) + (number in numbers)
    return counts


def _python(text: str) -> set[int]:
    numbers: set[int] = set()
    begins = True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        docstring = begins and token.type == tokenize.STRING
        if token.type not in _NO_CODE and not docstring:
            numbers.update(range(token.start[0], token.end[0] + 1))
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            begins = token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)
        begins = begins or not numbers
    return numbers


def _shell(text: str) -> set[int]:
    return {
        number for number, line in enumerate(text.splitlines(), 1) if line.strip() and not line.lstrip().startswith("#")
    }
