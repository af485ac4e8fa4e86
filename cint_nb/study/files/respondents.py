"""Respondents: the usable ids of any file, with a verdict for every line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import numpy as np

from cint_nb.caller_warnings import warn_caller
from cint_nb.domain import limits
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.files import UploadFile, UploadProblem, upload_problems
from cint_nb.domain.ids import EntityType, RichDisplay, masked_repr, parse_entity_type, printable
from cint_nb.output_files import as_path, write_new_file
from cint_nb.study.files import evidence as evidence_module
from cint_nb.study.files import id_array, line_frames
from cint_nb.study.files.id_array import BoolMask, IdArray
from cint_nb.study.files.line_index import LineIndex, VerdictCounts
from cint_nb.study.files.readers import ReadOptions, SourceInfo, read_source
from cint_nb.study.files.text_files import Separator
from cint_nb.study.files.verdicts import normalise_line, raise_if_masked

if TYPE_CHECKING:
    import pandas as pd


@check_arguments(RespondentFileError)
@dataclass(frozen=True, eq=False, repr=False)
class Respondents(RichDisplay):
    """The respondents of one source: unique, well-formed ids in source order, and a verdict for every line.

    Created by `read_respondents`. Immutable; operations return new ones. Ten million fit in memory: an id takes 16
    bytes until its text is requested. Two are equal if they contain the same ids of the same type in the same order.

    Args:
        entity_type: What the ids identify, one per person (`RSID`) or one per visit (`RID`).
        line_index: The verdict of each line.
        source_info: Where the ids come from.

    Example:
        >>> people
        <Respondents: 57 RSIDs · 60 lines · 1 duplicate, 1 malformed, 1 blank · sample.csv>
    """

    entity_type: EntityType
    line_index: LineIndex
    source_info: SourceInfo

    @property
    def id_array(self) -> IdArray:
        """The ids as rows of 16 bytes."""
        return self.line_index.keys

    @property
    def source_name(self) -> str | None:
        """The name of the file, or what kind of value it came from; None for bytes without a name."""
        return self.source_info.name

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The usable ids, unique, in lower case, in source order. Unmasked: take care where they are printed."""
        return tuple(id_array.iter_ids(self.id_array))

    @property
    def counts(self) -> VerdictCounts:
        """Line counts by verdict."""
        return self.line_index.counts

    @cached_property
    def content_hash(self) -> str:
        """One digest of entity type and ids, in order; equal respondents have equal hashes."""
        return id_array.digest(self.id_array, salt=self.entity_type)

    @cached_property
    def people_hash(self) -> str:
        """One digest of entity type and ids, in any order: the same people have the same."""
        return id_array.digest(id_array.in_order(self.id_array), salt=self.entity_type)

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """Sentences about what contradicts the stated entity type, and what is easily overlooked in the source."""
        return (*self.kind_warnings, *([self.mixed_kinds] if self.mixed_kinds else []), *self.source_info.notes)

    @cached_property
    def kind_warnings(self) -> tuple[str, ...]:
        """Sentences about names that contradict the stated entity type, or say both."""
        return evidence_module.contradicting_names(self.entity_type, self.source_info)

    @cached_property
    def mixed_kinds(self) -> str | None:
        """A sentence about ids that are of the other kind, as the source itself shows; None if there are none."""
        return evidence_module.describe_mixed_kinds(self.entity_type, self.source_info, self.id_array)

    @property
    def upload_problems(self) -> tuple[UploadProblem, ...]:
        """Why these ids cannot be uploaded as they are, such as more than one target group takes; empty if they can."""
        return upload_problems(
            len(self), lines=self.counts.lines, hidden=self.source_info.hidden_undecided, mixed=self.mixed_kinds
        )

    def __len__(self) -> int:
        """Return the number of usable ids."""
        return len(self.id_array)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Respondents):
            return NotImplemented
        return self.entity_type is other.entity_type and np.array_equal(self.id_array, other.id_array)

    def __hash__(self) -> int:
        return hash(self.content_hash)

    @printable
    def __repr__(self) -> str:
        """Show counts and source, never an id."""
        counts = self.counts
        left_out = ", ".join(
            f"{number:,} {name}"
            for name in ("duplicate", "malformed", "blank", "header", "hidden")
            if (number := getattr(counts, name))
        )
        parts = [f"{counts.usable:,} {self.entity_type}s", f"{counts.lines:,} lines", left_out, self.source_name]
        parts += [f"warning: {text}" for text in self.warnings]
        return f"<Respondents: {' · '.join(part for part in parts if part)}>"

    def summary(self) -> pd.DataFrame:
        """Count the lines by verdict and reason.

        Returns:
            A small frame: `verdict` (the first row, `lines`, is the total), `reason` of malformed lines, and of usable
            ones why they cannot be uploaded as they are, `lines`, `first_line` (the number of the first such line,
            `<NA>` if there is none). Each of `warnings` is a last row `warning`, without numbers.

        Example:
            >>> people.summary()
                 verdict                                 reason  lines  first_line
            0      lines                                            60           1
            1     usable                                            57           1
            2  duplicate                                             1          53
            3  malformed  wrong length: an ID has 36 characters      1          37
            4      blank                                             1          23
            5     header                                             0        <NA>
        """
        counts = line_frames.summary_frame(self.line_index, [problem.what for problem in self.upload_problems])
        return line_frames.add_warnings(counts, self.warnings, column="reason")

    def lines(self, *, reveal: bool = False) -> pd.DataFrame:
        """Return one row per line of the source, in order.

        Args:
            reveal: Show whole ids and the text of malformed lines. Masked otherwise.

        Returns:
            A frame: `line` (from 1; in a table the line on which its row begins), `verdict`, `reason` of malformed
            lines, `of_line` (the line a duplicate repeats), `id`.

        Example:
            >>> people.lines().query("verdict != 'usable'")[["line", "verdict", "reason"]]
                line    verdict                                 reason
            22    23      blank
            36    37  malformed  wrong length: an ID has 36 characters
            52    53  duplicate
        """
        return line_frames.lines_frame(self.line_index, reveal=reveal)

    def evidence(self, *, earlier: Iterable[Respondents] = (), report: pd.DataFrame | None = None) -> pd.DataFrame:
        """Return the evidence for RSID or RID, since both have the same form.

        Args:
            earlier: Respondents of other waves: people recur, visits never do.
            report: A respondent analysis report, with its columns of RSIDs and RIDs.

        Returns:
            A frame: `source` of the evidence, `says` (`RSID` or `RID`), `agrees` (with the stated type), `detail`.

        Example:
            >>> report_says = people.evidence(report=report.visits(reveal=True))
            >>> report_says[["source", "says", "agrees"]]
               source  says  agrees
            0  report  RSID    True
        """
        return evidence_module.evidence_frame(
            self.entity_type, self.source_info, self.id_array, [other.id_array for other in earlier], report
        )

    def difference(self, other: Respondents | Iterable[str] | str) -> Respondents:
        """Return the respondents that are not in `other`, which may be ids as texts.

        Raises:
            RespondentFileError: one is of RSIDs and the other of RIDs, or a text is no id, or a masked one.

        Example:
            >>> len(people), len(people.difference(people.sample(5)))
            (57, 52)
        """
        return self.select(~id_array.is_in(self.id_array, self._to_id_array(other)))

    def intersection(self, other: Respondents | Iterable[str] | str) -> Respondents:
        """Return the respondents that are also in `other`, which may be ids as texts. Raises as `difference` does.

        Example:
            >>> len(people.intersection(people.sample(5)))
            5
        """
        return self.select(id_array.is_in(self.id_array, self._to_id_array(other)))

    def union(self, other: Respondents | Iterable[str] | str) -> Respondents:
        """Return these respondents, then the new ones of `other`. Lines are renumbered, one for each id.

        Raises as `difference` does.

        Example:
            >>> first, second = people.split(40)
            >>> len(first.union(second)) == len(people)
            True
        """
        more = self._to_id_array(other)
        line_index = line_frames.index_of_ids(id_array.unique(np.concatenate((self.id_array, more))))
        names = [self.source_name, other.source_name if isinstance(other, Respondents) else "list"]
        parts = [self, *([other] if isinstance(other, Respondents) else [])]
        infos = [part.source_info for part in parts]
        others = [info.other_kind for info in infos if info.other_kind is not None]
        source_info = SourceInfo(
            " + ".join(filter(None, names)) or None,
            "list",
            hidden_undecided=sum(info.hidden_undecided for info in infos),
            other_kind=np.concatenate(others) if others else None,
            other_kind_in=", and ".join(info.other_kind_in for info in infos if info.other_kind_in) or None,
        )
        return replace(self, line_index=line_index, source_info=source_info)

    def sample(self, size: int, seed: int | str = 1) -> Respondents:
        """Return a random sample of `size` respondents, in source order.

        The choice depends on the ids and the seed only, not on their order in the file; a larger sample of the same
        seed contains every smaller one.

        Raises:
            RespondentFileError: if there are fewer than `size`.

        Example:
            >>> people.sample(10, seed=7) == people.sample(10, seed=7)
            True
            >>> len(people.sample(10))
            10
        """
        if not 0 <= size <= len(self):
            raise RespondentFileError(
                f"Cannot draw a sample of {size:,} from {len(self):,} IDs.",
                evidence={"source": self.source_name},
                next_step=f"choose a size from 0 to {len(self):,}.",
            )
        salt = hashlib.sha256(str(seed).encode()).digest()
        content = self.id_array.tobytes()
        ranks = [
            hashlib.blake2b(content[start : start + 16], digest_size=8, key=salt).digest()
            for start in range(0, len(content), 16)
        ]
        mask = np.zeros(len(self), dtype=np.bool_)
        mask[sorted(range(len(ranks)), key=ranks.__getitem__)[:size]] = True
        return self.select(mask)

    def split(self, size: int = limits.IDS_PER_TARGET_GROUP) -> tuple[Respondents, ...]:
        """Split the respondents into parts of at most `size` ids, in source order; every id is in exactly one part.

        Raises:
            RespondentFileError: if `size` is below 1.

        Example:
            >>> [len(part) for part in people.split(25)]
            [25, 25, 7]
        """
        if size < 1:
            raise RespondentFileError("A part contains at least one ID.", next_step="call respondents.split(100_000).")
        return tuple(replace(self, line_index=part) for part in line_frames.split_ids(self.line_index, size))

    def to_upload(self) -> UploadFile:
        """Return the exact bytes to upload: one id per line, LF, UTF-8 without byte-order mark, no header.

        Raises:
            RespondentFileError: if there is no id, or more than 100,000, the limit of a target group.

        Serves the recontact guide, step 2.

        Example:
            >>> file = people.to_upload()
            >>> file.id_count, len(file.content)
            (57, 2109)
        """
        for problem in self.upload_problems[:1]:
            raise RespondentFileError(
                problem.what, evidence={"source": self.source_name, **problem.evidence}, next_step=problem.fix
            )
        content = id_array.to_lines(self.id_array)
        return UploadFile(content, len(self), self.entity_type, Path(self.source_name or "").stem or "respondents")

    def to_file(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the bytes of the upload to a file.

        Args:
            path: With the extension `.csv` or `.txt`.
            overwrite: Whether to replace an existing file.

        Raises:
            RespondentFileError: as `to_upload`, and for another extension.
            InputError: if the file exists, or cannot be written.

        Example:
            >>> path = people.sample(10).to_file("first-ten.csv")
            >>> len(path.read_text().splitlines())
            10
        """
        target = as_path(path)
        if target.suffix.lower() not in limits.UPLOAD_SUFFIXES:
            raise RespondentFileError(
                f"An upload file ends in .csv or .txt, not {target.suffix or 'in nothing'}.",
                next_step=f"write to {target.with_suffix('.csv').name}.",
            )
        return write_new_file(target, self.to_upload().content, overwrite=overwrite)

    def to_rejects(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write every line that is not usable to a `.csv` in which a spreadsheet evaluates no formula.

        The file contains the text of those lines, unmasked: it is for correcting the source.

        Args:
            path: The file.
            overwrite: Whether to replace an existing file.

        Raises:
            InputError: if the file exists, or cannot be written.

        Example:
            >>> rejects = pd.read_csv(people.to_rejects("to-correct.csv"))
            >>> rejects["verdict"].tolist()
            ['blank', 'malformed', 'duplicate']
        """
        return write_new_file(path, line_frames.rejects_csv(self.lines(reveal=True)), overwrite=overwrite)

    def select(self, mask: BoolMask) -> Respondents:
        """Return the respondents for which `mask`, one boolean per id, is true; source lines are kept.

        Example:
            >>> import numpy as np
            >>> len(people.select(np.arange(len(people)) < 10))
            10
        """
        return replace(self, line_index=line_frames.select_ids(self.line_index, mask))

    def _to_id_array(self, other: Respondents | Iterable[str] | str) -> IdArray:
        if not isinstance(other, Respondents):
            texts = [other] if isinstance(other, str) else list(other)
            found, given = id_array.from_ids(texts), sum(map(bool, map(normalise_line, texts)))
            if len(found) < given:
                raise_if_masked(texts, "IDs")
                raise RespondentFileError(
                    f"{given - len(found):,} of the {given:,} texts are no IDs: it is not known whom they name.",
                    next_step="read them with cint.read_respondents: it says of every line why it cannot be used.",
                )
            return found
        if other.entity_type is not self.entity_type:
            raise RespondentFileError(
                f"{self.entity_type}s and {other.entity_type}s cannot be compared: "
                "one identifies people, the other visits.",
                next_step="convert the RIDs to RSIDs with a crosswalk first.",
            )
        return other.id_array


@check_arguments(RespondentFileError, leave=("source", "entity_type"))
def read_respondents(
    source: str | Path | bytes | IO[Any] | Iterable[Any] | pd.DataFrame | pd.Series[Any],
    *,
    entity_type: str | EntityType,
    column: str | int | None = None,
    sheet: str | int | None = None,
    name: str | None = None,
    header_row: int | None = None,
    hidden: Literal["skip", "read"] | None = None,
    separator: Separator | None = None,
    encoding: str | None = None,
) -> Respondents:
    """Read respondents from a file or a value, with one verdict for every line.

    Accepts `.txt`, `.csv`, `.tsv` and `.tab` (also compressed with gzip), `.xlsx`, `.ods`, `.parquet`, `.sav`, `.zsav`,
    `.dta`, and a `.zip` with one of these; UTF-8, UTF-16 or cp1252 with any line endings; comma, semicolon, tab, pipe
    and the separators of databases; quotes, braces and invisible characters around ids; a header row, also below
    titles.

    A row of a text that is wider or narrower than the header is malformed, unless the difference is certain to lie
    behind the ids. What is hidden in a workbook is left out and counted.

    The 100,000 ids and 5 MB of the recontact guide are limits of an upload and are checked by `to_upload()`; a source
    may be larger, up to 1 GB.

    Args:
        source: A path, bytes, an open file, a DataFrame (of pandas, polars, pyarrow or narwhals), a Series, a list of
            ids, a list of rows as mappings, or the value of a `FileUpload`. A string is a path.
        entity_type: `RSID` or `RESPONDENT_ID` (one per person), `RID` or `RESPONSE_ID` (one per visit). Both have
            the same form, so only the analyst knows.
        column: Name of the column, or its position from 1; found by content if only one contains ids.
        sheet: Name of the sheet of a workbook, or its position from 1.
        name: Shown in place of the file's name; for bytes its extension gives the format.
        header_row: Line on which the row with the names of the columns begins, from 1; found if omitted. Lines above
            it count as header lines.
        hidden: What to do with rows, columns and sheets that are hidden in a workbook: `"skip"` leaves them out,
            `"read"` reads them too. If omitted they are left out and counted, and `to_upload()` stops and asks.
        separator: Of the values of a text, such as `";"`, or a line end for one value a line; found if omitted.
        encoding: Of a text, as Python calls it, such as `"cp1250"`; found if omitted.

    Raises:
        RespondentFileError: if the source is missing, empty, too large or not a list of ids, if the entity type is
            unknown, or if several columns or separators could be meant; the message contains the call to write.

    Serves the recontact guide, prerequisites and step 2.

    Example:
        >>> file = cint.sandbox.write_sample("respondents.csv", lines=60)
        >>> people = cint.read_respondents(file, entity_type="RSID")
        >>> len(people)
        57
    """
    try:
        kind = parse_entity_type(entity_type)
    except ValueError:
        raise RespondentFileError(
            "The type of ID must be RSID or RID.",
            evidence={"field": "entity_type", "given": masked_repr(entity_type, 40)},
            next_step="write RSID (or RESPONDENT_ID) if each ID identifies a person, "
            "RID (or RESPONSE_ID) if each identifies one visit to a survey.",
        ) from None
    if hidden not in (None, "skip", "read"):
        raise RespondentFileError(
            "What is hidden is either skipped or read.",
            evidence={"hidden": masked_repr(hidden, 40)},
            next_step='write hidden="skip" to leave it out, hidden="read" to read it too.',
        )
    line_index, source_info = read_source(
        source, ReadOptions(kind, column, sheet, name, header_row, hidden, separator, encoding)
    )
    if line_index.lines == len(line_index.blank) + len(line_index.header):
        what = "The source contains only a header row." if len(line_index.header) else "Every line is blank."
        raise RespondentFileError(
            " ".join(source_info.notes) or what,  # formulas without a result look blank
            evidence={
                "source": source_info.name,
                "lines": line_index.lines,
                "column": source_info.column,
            },
            next_step="export it again with one ID per line.",
        )
    respondents = Respondents(kind, line_index, source_info)
    for text in respondents.warnings:
        warn_caller(text)
    return respondents
