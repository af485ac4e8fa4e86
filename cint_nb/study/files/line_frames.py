"""Verdicts as frames and files: the summary, the lines, the rejects."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cint_nb.domain.ids import mask_id
from cint_nb.study.files import id_array as key_rows
from cint_nb.study.files.id_array import BoolMask, IdArray, RowNumbers
from cint_nb.study.files.line_index import LineIndex, MalformedTexts
from cint_nb.study.files.verdicts import Verdict, cell_text

if TYPE_CHECKING:
    import pandas as pd

_FORMULA_STARTS = ("=", "+", "-", "@", "|", "%")
_NO_ROWS: RowNumbers = np.empty(0, np.int64)


def index_of_ids(keys: IdArray, numbers: RowNumbers | None = None) -> LineIndex:
    """Describe ids that are all usable, one a line."""
    return LineIndex(keys, len(keys), _NO_ROWS, _NO_ROWS, _NO_ROWS, _NO_ROWS, _NO_ROWS, MalformedTexts(), numbers)


def select_ids(reading: LineIndex, mask: BoolMask) -> LineIndex:
    """Keep some of the usable ids, with their line numbers."""
    positions = reading.usable_positions()[mask]
    return index_of_ids(key_rows.take_rows(reading.keys, mask), reading.line_numbers(positions))


def malformed_reasons(reading: LineIndex) -> list[str]:
    """Return the reason for each malformed line, in source order."""
    return [reading.texts.reason(row).value for row in range(len(reading.texts))]


def summary_frame(reading: LineIndex) -> pd.DataFrame:
    """Count lines by verdict and reason; see `Respondents.summary`."""
    import pandas as pd

    def first_number(positions: RowNumbers) -> Any:
        return int(reading.line_numbers(positions[:1])[0]) if len(positions) else pd.NA

    usable = np.argmax(reading.usable_mask(), keepdims=True) if len(reading.keys) else _NO_ROWS
    rows: list[tuple[str, str, int, Any]] = [
        ("lines", "", reading.lines, first_number(np.arange(min(reading.lines, 1)))),
        (Verdict.USABLE.value, "", len(reading.keys), first_number(usable)),
        (Verdict.DUPLICATE.value, "", len(reading.duplicate), first_number(reading.duplicate)),
    ]
    why = malformed_reasons(reading)
    found = Counter(why)
    rows += [
        (Verdict.MALFORMED.value, reason, number, first_number(reading.malformed[why.index(reason) :]))
        for reason, number in found.most_common()
    ] or [(Verdict.MALFORMED.value, "", 0, pd.NA)]
    rows += [
        (Verdict.BLANK.value, "", len(reading.blank), first_number(reading.blank)),
        (Verdict.HEADER.value, "", len(reading.header), first_number(reading.header)),
    ]
    frame = pd.DataFrame(rows, columns=["verdict", "reason", "lines", "first_line"])
    return frame.astype({"lines": "int64", "first_line": "Int64"})


def lines_frame(reading: LineIndex, *, reveal: bool) -> pd.DataFrame:
    """Return a row for each line; see `Respondents.lines`."""
    import pandas as pd

    verdict = np.full(reading.lines, Verdict.USABLE.value, dtype=object)
    reason = np.full(reading.lines, "", dtype=object)
    shown = np.full(reading.lines, "", dtype=object)
    of_line = np.zeros(reading.lines, dtype=np.int64)
    hide = str if reveal else mask_id
    for kind, positions in (
        (Verdict.BLANK, reading.blank),
        (Verdict.MALFORMED, reading.malformed),
        (Verdict.DUPLICATE, reading.duplicate),
        (Verdict.HEADER, reading.header),
    ):
        verdict[positions] = kind.value
    shown[reading.usable_positions()] = [hide(text) for text in key_rows.iter_ids(reading.keys)]
    shown[reading.duplicate] = shown[reading.first]
    reason[reading.malformed] = malformed_reasons(reading)
    # A malformed line may hold an e-mail address: its end is as telling as the whole, so nothing of it is shown.
    shown[reading.malformed] = [reading.texts[row] if reveal else "••••" for row in range(len(reading.texts))]
    of_line[reading.duplicate] = reading.line_numbers(reading.first)
    return pd.DataFrame(
        {
            "line": reading.line_numbers(np.arange(reading.lines)),
            "verdict": pd.Series(verdict, dtype="str"),
            "reason": pd.Series(reason, dtype="str"),
            "of_line": pd.Series(of_line, dtype="Int64").mask(of_line == 0),
            "id": pd.Series(shown, dtype="str"),
        }
    )


def write_rejects(frame: pd.DataFrame, path: Path, *, keep: tuple[str, ...] = (Verdict.USABLE.value,)) -> Path:
    """Write the rows of a frame whose second column is not in `keep`, so that a spreadsheet runs none of them.

    Args:
        frame: As `Respondents.lines` or `Outcome.frame` return it.
        path: Any existing file is replaced. Written in UTF-8 with a byte-order mark, as Excel wants it.
        keep: Values of the second column to leave out.
    """
    rest = frame[~frame.iloc[:, 1].isin(keep)]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(rest.columns)
        writer.writerows([escape_formula(cell_text(value)) for value in row] for row in rest.itertuples(index=False))
    return path


def escape_formula(text: str) -> str:
    """Return `text` so that a spreadsheet shows it and never computes it."""
    return f"'{text}" if text.lstrip().startswith(_FORMULA_STARTS) or text[:1].isspace() else text
