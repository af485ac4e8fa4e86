"""Finds the figures of a text, and says which of them nothing above has shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

from tests.notebooks.course import without_answers

# Figures that no output shows, because they are Cint's or the format's: the only ones that may stand in prose alone.
ALLOWED = {
    r"\b10,000(?= (ids|take))": "the recontact guide's measure of how long a job takes",
    r"\b10 to 15 minutes\b": "its time for an upload of 10,000",
    r"\b100,000 (bare )?ids\b|\bholds 100,000\b": "the recontact guide's limit of a target group",
    r"\b3\.7 MB\b": "the size of that many ids",
    r"\b36 characters\b": "the length of an id",
    r"\b24 hours\b": "the life of an access token",
    r"\b90 %": "the probability of a forecast's band",
    r"\b5 to 128 characters\b": "the create guide's limits of a name",
    r"\bquestion 43\b": "the create guide's example of a profile",
    r"\b40 to 60 in the command\b": "the create guide's command for the terminal",
    r": 4\d\d(?:, 4\d\d)*\b|(?<=\*\*)4\d\d (?=[A-Z][a-z])|\b(?:[Aa]|kind of) 4\d\d\b|\| 4\d\d \|": "a status of HTTP",
}

_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
_NOTEBOOK = re.compile(r"\b\d\d-[a-z-]+")
_LIST = re.compile(r"^\d+\. |^#+ \d+\. ", re.MULTILINE)
_PROSE = re.compile(r"(?<![\w.,])(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(?![\w]|-[a-z])( %| percent| [A-Z]{3}\b)?")
_PRICE = re.compile(r'"(\d+\.\d+) [A-Z]{3}"')
_SHOWN = re.compile(r"(?<![\w.])(\d[\d,_]*)(\.\d+)?(?![A-Za-z_])")


@dataclass(frozen=True)
class NumberInText:
    """A figure in a sentence.

    Args:
        text: As it stands there.
        value: Its value.
        unit: `%` or a currency, if it has one.
        sentence: Where it stands.
    """

    text: str
    value: Decimal
    unit: str
    sentence: str

    def is_among(self, shown: Iterable[Decimal]) -> bool:
        """Return whether one of the values shown is this one, rounded as the sentence rounds."""
        step = Decimal(1).scaleb(self.value.as_tuple().exponent)  # type: ignore[arg-type]  # a finite number
        for value in shown:
            for same in (value, 100 * value) if self.unit in {"%", "percent"} else (value,):
                if self.value in (same.quantize(step, ROUND_HALF_UP), same.quantize(step, ROUND_HALF_EVEN)):
                    return True
        return False

    def is_cost(self, prices: Iterable[Decimal]) -> bool:
        """Return whether it is an amount of money that a whole number of completes costs."""
        return self.unit.isupper() and any(self.value % price == 0 for price in prices)


def figures(text: str) -> list[NumberInText]:
    """Return the figures of a text that need a source: from two digits on, or with decimals."""
    text = _LIST.sub("", _NOTEBOOK.sub("", _LINK.sub(r"\1", _CODE.sub("", without_answers(text)))))
    for pattern in ALLOWED:
        text = re.sub(pattern, "", text)
    found = []
    for sentence in re.split(r"(?<=[.?!:|])\s+|\n", text):
        for match in _PROSE.finditer(sentence.replace("**", "")):
            value = Decimal(match[1].replace(",", "") + (match[2] or ""))
            if value >= 10 or match[2]:
                found.append(NumberInText(match[0].strip(), value, (match[3] or "").strip(), sentence.strip()))
    return found


def shown_by(texts: Iterable[str]) -> set[Decimal]:
    """Return the numbers that outputs or code show."""
    return {
        Decimal(match[1].replace(",", "").replace("_", "") + (match[2] or ""))
        for text in texts
        for match in _SHOWN.finditer(text)
    }


def output_texts(cell: Any) -> list[str]:
    """Return what the outputs of a cell show, as text."""
    texts = []
    for output in cell.get("outputs", []):
        texts.append(output.get("text", "") or output.get("evalue", ""))
        data = output.get("data", {})
        texts += [
            data.get("text/plain", ""),
            re.sub(r"<style.*?</style>|<[^>]*>", " ", data.get("text/html", ""), flags=re.DOTALL),
        ]
    return texts


def unfounded(notebook: Any) -> list[NumberInText]:
    """Return the figures of the prose that neither an output above shows nor code above or right below holds.

    Before the first output, prose announces what is to come: there a figure may be shown anywhere in the notebook, and
    a cost may be a price times a number of completes. Exercises are left out: they set their own figures.
    """
    end = next((index for index, cell in enumerate(notebook.cells) if "## Exercises" in cell.source), None)
    cells = notebook.cells[:end]
    whole = shown_by(text for cell in cells if cell.cell_type == "code" for text in [cell.source, *output_texts(cell)])
    prices = {Decimal(price) for cell in cells for price in _PRICE.findall(cell.source)}
    shown: set[Decimal] = set()
    any_output = False
    missing = []
    for index, cell in enumerate(cells):
        if cell.cell_type == "code":
            any_output = any_output or bool(cell.get("outputs"))
            shown |= shown_by([cell.source, *output_texts(cell)])
            continue
        ahead = next((each.source for each in cells[index + 1 :] if each.cell_type == "code"), "")
        known = shown | shown_by([ahead]) if any_output else whole
        missing += [
            figure
            for figure in figures(cell.source)
            if not (figure.is_among(known) or (not any_output and figure.is_cost(prices)))
        ]
    return missing
