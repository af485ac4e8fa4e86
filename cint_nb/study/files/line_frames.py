"""The lines of a source as DataFrames and files: summary, lines, rejects."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cint_nb.domain.ids import as_printed, mask_id
from cint_nb.study.files import id_array
from cint_nb.study.files.id_array import BoolMask, IdArray, RowNumbers
from cint_nb.study.files.line_index import LineIndex, MalformedTexts
from cint_nb.study.files.verdicts import Verdict, cell_text

if TYPE_CHECKING:
    import pandas as pd

_FORMULA_STARTS = ("=", "+", "-", "@", "|", "%")
_FORMULA_WITHIN = re.compile(r"([;\t\r\n])(?=(?:[^\S\t\r\n]|[\"'])*[-=+@|%])")
_NO_ROWS: RowNumbers = np.empty(0, np.int64)


def index_of_ids(keys: IdArray, numbers: RowNumbers | None = None) -> LineIndex:
    """Return the index of a source in which every line is a usable id."""
    return LineIndex(keys, len(keys), _NO_ROWS, _NO_ROWS, _NO_ROWS, _NO_ROWS, _NO_ROWS, MalformedTexts(), numbers)


def select_ids(line_index: LineIndex, mask: BoolMask) -> LineIndex:
    """Return the index of some of the usable ids, with their line numbers."""
    positions = line_index.usable_positions()[mask]
    return index_of_ids(id_array.take_rows(line_index.keys, mask), line_index.line_numbers(positions))


def split_ids(line_index: LineIndex, size: int) -> Iterator[LineIndex]:
    """Yield the index of each part of at most `size` usable ids, with their line numbers.

    What is usable is looked up once: once for each part, ten million ids would take a hundred times as long.
    """
    numbers = line_index.line_numbers(line_index.usable_positions())
    for start in range(0, len(line_index.keys), size):
        part = slice(start, start + size)
        yield index_of_ids(line_index.keys[part].copy(), numbers[part].copy())  # a part alone does not keep the rest


def malformed_reasons(line_index: LineIndex) -> list[str]:
    """Return the reason for each malformed line, in source order."""
    return [as_printed(line_index.texts.reason(row)) for row in range(len(line_index.texts))]


def summary_frame(line_index: LineIndex, problems: Sequence[str] = ()) -> pd.DataFrame:
    """Count lines by verdict and reason; see `Respondents.summary`."""
    import pandas as pd

    from cint_nb.study.readable_frame import ReadableFrame

    def first_number(positions: RowNumbers) -> Any:
        return int(line_index.line_numbers(positions[:1])[0]) if len(positions) else pd.NA

    usable = np.argmax(line_index.usable_mask(), keepdims=True) if len(line_index.keys) else _NO_ROWS
    rows: list[tuple[str, str, int, Any]] = [
        ("lines", "", line_index.lines, first_number(np.arange(min(line_index.lines, 1)))),
        (Verdict.USABLE.value, " ".join(problems), len(line_index.keys), first_number(usable)),
        (Verdict.DUPLICATE.value, "", len(line_index.duplicate), first_number(line_index.duplicate)),
    ]
    reasons = malformed_reasons(line_index)
    found = Counter(reasons)
    rows += [
        (Verdict.MALFORMED.value, reason, number, first_number(line_index.malformed[reasons.index(reason) :]))
        for reason, number in found.most_common()
    ] or [(Verdict.MALFORMED.value, "", 0, pd.NA)]
    rows += [
        (Verdict.BLANK.value, "", len(line_index.blank), first_number(line_index.blank)),
        (Verdict.HEADER.value, "", len(line_index.header), first_number(line_index.header)),
    ]
    if len(line_index.hidden):
        rows.append((Verdict.HIDDEN.value, "", len(line_index.hidden), first_number(line_index.hidden)))
    frame = ReadableFrame(rows, columns=["verdict", "reason", "lines", "first_line"])
    return frame.astype({"lines": "Int64", "first_line": "Int64"})


def add_warnings(frame: pd.DataFrame, warnings: Sequence[str], *, column: str) -> pd.DataFrame:
    """Return a summary with a row for each warning: its text in a column, and no numbers."""
    import pandas as pd

    from cint_nb.study.readable_frame import ReadableFrame

    if not warnings:
        return frame
    rows = ReadableFrame([{frame.columns[0]: "warning", column: text} for text in warnings], columns=frame.columns)
    return pd.concat([frame, rows.astype(frame.dtypes.to_dict())], ignore_index=True)


def lines_frame(line_index: LineIndex, *, reveal: bool) -> pd.DataFrame:
    """Return one row per line; see `Respondents.lines`."""
    import pandas as pd

    from cint_nb.study.readable_frame import ReadableFrame

    verdict = np.full(line_index.lines, Verdict.USABLE.value, dtype=object)
    reason = np.full(line_index.lines, "", dtype=object)
    shown = np.full(line_index.lines, "", dtype=object)
    of_line = np.zeros(line_index.lines, dtype=np.int64)
    display = str if reveal else mask_id
    for kind, positions in (
        (Verdict.BLANK, line_index.blank),
        (Verdict.MALFORMED, line_index.malformed),
        (Verdict.DUPLICATE, line_index.duplicate),
        (Verdict.HEADER, line_index.header),
        (Verdict.HIDDEN, line_index.hidden),
    ):
        verdict[positions] = kind.value
    shown[line_index.usable_positions()] = [display(text) for text in id_array.iter_ids(line_index.keys)]
    shown[line_index.duplicate] = shown[line_index.first]
    reason[line_index.malformed] = malformed_reasons(line_index)
    # A malformed line may contain an e-mail address, whose end identifies as much as the whole: nothing of it is shown.
    shown[line_index.malformed] = [
        line_index.texts[row] if reveal else mask_id("") for row in range(len(line_index.texts))
    ]
    of_line[line_index.duplicate] = line_index.line_numbers(line_index.first)
    return ReadableFrame(
        {
            "line": line_index.line_numbers(np.arange(line_index.lines)),
            "verdict": pd.Series(verdict, dtype="str"),
            "reason": pd.Series(reason, dtype="str"),
            "of_line": pd.Series(of_line, dtype="Int64").mask(of_line == 0),
            "id": pd.Series(shown, dtype="str"),
        }
    )


def rejects_csv(frame: pd.DataFrame, *, keep: tuple[str, ...] = (Verdict.USABLE.value,)) -> bytes:
    """Return the rows of a frame whose second column is not in `keep` as a CSV of which a spreadsheet evaluates none.

    Args:
        frame: As `Respondents.lines` or `Outcome.frame` return it.
        keep: Values of the second column to omit.

    Returns:
        UTF-8 with a byte-order mark, by which Excel recognises it.
    """
    rest = frame[~frame.iloc[:, 1].isin(keep)]
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(rest.columns)
    writer.writerows([escape_formula(cell_text(value)) for value in row] for row in rest.itertuples(index=False))
    return file.getvalue().encode("utf-8-sig", "replace")


def escape_formula(value: Any) -> Any:
    """Return a text with an apostrophe wherever a spreadsheet would begin a formula; other values as is.

    That is at its beginning, and behind a semicolon, a tab or a line break, which separate cells for a spreadsheet of
    another country, whatever quotes stand around the text.
    """
    if not isinstance(value, str):
        return value
    text = _FORMULA_WITHIN.sub(r"\1'", value)
    return f"'{text}" if value.lstrip().startswith(_FORMULA_STARTS) or value[:1].isspace() else text
