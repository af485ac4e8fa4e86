"""What a file picker says of a file, without any widget: verdicts, the first bad lines masked, the code line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.ids import ENTITY_TYPE_MEANINGS, EntityType, mask_ids_in, printable
from cint_nb.study.files.table_shape import is_ragged

BAD_LINES_SHOWN = 5
RAGGED_LINES_SHOWN = 5
LISTED_LINES_MAX = 300_000
"""Above this many lines the list of bad ones is left to `value.lines()`: it would take seconds."""

ENTITY_QUESTION = tuple((f"{words} ({kind})", kind.value) for kind, words in ENTITY_TYPE_MEANINGS.items())
"""The question that no file answers by itself: both kinds of id look alike."""

ENTITY_TOOLTIPS = (
    "RSID, respondent id: a person keeps it from survey to survey",
    "RID, response id: every visit to a survey has its own",
)

HIDDEN_QUESTION = (("leave hidden lines out", "skip"), ("read them too", "read"))
"""The question about what is hidden in a workbook."""

SEPARATOR_WORDS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "pipes", "\n": "one id a line"}
"""The usual separators of a text, in words."""

ENCODING_CHOICES = (
    ("UTF-8", "utf-8"),
    ("UTF-16", "utf-16"),
    ("Windows-1252, Western Europe", "cp1252"),
    ("Windows-1250, Central Europe", "cp1250"),
    ("Windows-1251, Cyrillic", "cp1251"),
    ("Windows-1253, Greek", "cp1253"),
    ("Windows-1254, Turkish", "cp1254"),
    ("Mac Roman", "mac-roman"),
    ("Shift JIS, Japanese", "shift_jis"),
    ("GB 18030, Chinese", "gb18030"),
)
"""Encodings that a text may be in without saying so; code can name any other."""

BROWSER_MAX_BYTES = 10_000_000
"""Jupyter Server closes the connection at a message of more than 10 MiB; the limit of an upload is for what is sent."""

VERDICTS = ("usable", "duplicate", "malformed", "blank", "header", "hidden")
_ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with byte order mark",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32": "UTF-32",
    "cp1252": "Windows-1252",
}
_TEXT_SUFFIXES = (".txt", ".csv", ".tsv", ".tab", ".gz", ".zip")
_BAD_ORDER = {"malformed": 0, "duplicate": 1}

Reader = Callable[..., Any]


class SupportsRespondents(Protocol):
    """Protocol for what was read from a file, such as `study.files.respondents.Respondents`."""

    @property
    def counts(self) -> Any:
        """Return the line counts, one attribute a verdict."""
        ...

    def lines(self, *, reveal: bool = False) -> Any:
        """Return one row per line, ids masked unless revealed."""
        ...


@dataclass(frozen=True)
class ReadChoices:
    """What was said about how a file is read; None where it is found by content.

    Args:
        sheet: Of a workbook, its name or position from 1.
        column: Of the ids, its name or position from 1.
        hidden: `skip` or `read`, for what a workbook hides.
        separator: Of the values of a text.
        encoding: Of a text.
        header_row: Line with the names of the columns, from 1.
    """

    sheet: str | int | None = None
    column: str | int | None = None
    hidden: str | None = None
    separator: str | None = None
    encoding: str | None = None
    header_row: int | None = None

    def given(self) -> dict[str, str | int]:
        """Return the arguments of `read_respondents` that were chosen."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True, repr=False)
class FileChoice:
    """What was chosen: a file on the server, or one that came through the browser.

    Args:
        name: File name, for a file on the server with its folders inside the chosen one.
        path: Its place on the server; None for a file from the browser.
        content: What came through the browser.
    """

    name: str
    path: Path | None = None
    content: bytes = b""

    @property
    def display_name(self) -> str:
        """Return the name as a panel may show it: an id in it is masked."""
        return mask_ids_in(self.name)

    @property
    def may_be_text(self) -> bool:
        """Return whether its name is that of a text, or of what may hold one."""
        return Path(self.name).suffix.lower() in _TEXT_SUFFIXES

    def __repr__(self) -> str:
        """Show the file name as a panel does."""
        return f"<FileChoice: {self.display_name}>"

    @property
    def bytes(self) -> int:
        """Return the size."""
        return len(self.content) if self.path is None else self.path.stat().st_size

    def read(self, reader: Reader, kind: EntityType, choices: ReadChoices) -> Any:
        """Read the respondents.

        Raises:
            RespondentFileError: the file cannot be used; it says why.
        """
        options: dict[str, Any] = {"entity_type": kind, **choices.given()}
        if self.path is not None:
            return reader(self.path, **options)
        return reader(self.content, name=self.name, **options)


@printable
@dataclass(frozen=True)
class BadLine:
    """One line that cannot be used: its number, verdict, why, and its shape."""

    line: int
    verdict: str
    reason: str
    masked: str


@printable
@dataclass(frozen=True)
class FileSummary:
    """What is shown of a file.

    Args:
        name: File name.
        bytes: Size.
        column: The column read; None for a file of one.
        encoding: How the text is written; None when unknown, or for what is no text.
        separator: What separates its values, in words; None where a line is a value.
        is_text: Whether it is a text.
        is_guess: Whether the encoding is one that a text does not show for certain.
        counts: Lines of each verdict, `usable` first.
        bad_lines: The first lines that cannot be used.
        hints: What names say about the kind of id, each with the kind it speaks for.
        kind_warnings: Sentences about what contradicts the chosen kind.
        notes: What is easily overlooked in the file, such as hidden rows.
        problems: Why the ids cannot be uploaded as they are, each with the next step.
        ragged: How many rows are wider or narrower than the header, or have an id in another column.
        ragged_lines: Numbers of the first of them.
    """

    name: str
    bytes: int
    column: str | None = None
    encoding: str | None = None
    separator: str | None = None
    is_text: bool = False
    is_guess: bool = False
    counts: tuple[tuple[str, int], ...] = ()
    bad_lines: tuple[BadLine, ...] = ()
    hints: tuple[tuple[EntityType, str], ...] = ()
    kind_warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    ragged: int = 0
    ragged_lines: tuple[int, ...] = ()

    @property
    def usable(self) -> int:
        """Return how many ids can be sent."""
        return dict(self.counts).get("usable", 0)

    @property
    def lines(self) -> int:
        """Return how many lines were counted."""
        return sum(number for _, number in self.counts)

    @property
    def hidden_bad_lines(self) -> int:
        """Return how many bad lines are not shown."""
        return sum(number for verdict, number in self.counts if verdict in _BAD_ORDER) - len(self.bad_lines)


def summarise(people: SupportsRespondents, source: FileChoice, kind: EntityType | None) -> FileSummary:
    """Gather what is shown of a file that was read; what depends on the kind of id only once that is chosen."""
    source_info = getattr(people, "source_info", None)
    problems = [each for each in getattr(people, "upload_problems", ()) if kind or each.rule != "mixed-kinds"]
    column = getattr(source_info, "column", None)
    encoding = getattr(source_info, "encoding", None)
    position = getattr(source_info, "position", None)
    separator = getattr(source_info, "separator", None)
    bad_lines, ragged = _collect_bad_lines(people)
    return FileSummary(
        name=source.display_name,
        bytes=source.bytes,
        column=column
        or (f"number {position}" if position and getattr(source_info, "layout", None) == "table" else None),
        encoding=encoding and _ENCODINGS.get(encoding, encoding),
        separator=separator and SEPARATOR_WORDS.get(separator, f"separator {separator!r}"),
        is_text=encoding is not None,
        is_guess=encoding == "cp1252",
        counts=tuple((verdict, int(getattr(people.counts, verdict, 0))) for verdict in VERDICTS),
        bad_lines=bad_lines,
        hints=_hints(people),
        kind_warnings=tuple(getattr(people, "kind_warnings", ())) if kind else (),
        notes=tuple(getattr(source_info, "notes", ())),
        problems=tuple((each.what, each.fix) for each in problems),
        ragged=len(ragged),
        ragged_lines=ragged[:RAGGED_LINES_SHOWN],
    )


def _collect_bad_lines(people: SupportsRespondents) -> tuple[tuple[BadLine, ...], tuple[int, ...]]:
    """Return the first lines that cannot be used, and the numbers of all that are malformed for their width."""
    if sum(int(getattr(people.counts, verdict, 0)) for verdict in VERDICTS) > LISTED_LINES_MAX:
        return (), ()
    frame = people.lines(reveal=True)
    worth = frame[frame["verdict"].isin(list(_BAD_ORDER))]
    ranked = worth.assign(_rank=worth["verdict"].map(_BAD_ORDER)).sort_values(["_rank", "line"], kind="stable")
    shown = tuple(
        BadLine(int(row["line"]), str(row["verdict"]), _reason_text(row), shape_of(str(row["id"])))
        for row in ranked.head(BAD_LINES_SHOWN).sort_values("line").to_dict("records")
    )
    malformed = worth[worth["verdict"] == "malformed"]
    return shown, tuple(int(line) for line in malformed.loc[malformed["reason"].map(str).map(is_ragged), "line"])


def _reason_text(row: dict[Any, Any]) -> str:
    of_line = row.get("of_line")
    if row["verdict"] == "duplicate" and of_line is not None and of_line == of_line:
        return f"the same as line {int(of_line):,}"
    return str(row["reason"])


def _hints(people: SupportsRespondents) -> tuple[tuple[EntityType, str], ...]:
    evidence = getattr(people, "evidence", None)
    if evidence is None:
        return ()
    return tuple((EntityType(row["says"]), str(row["detail"])) for row in evidence().to_dict("records"))


_LABEL = re.compile(r'(?<![\w"])(\d+)(?: "([^"]*)")?(?=[,.]| and )')


def column_choices(error: Exception) -> tuple[tuple[str, int], ...]:
    """Return the columns an error names as possible, as label and position; empty for any other error."""
    if not isinstance(error, RespondentFileError) or not isinstance(error.evidence.get("columns"), int):
        return ()
    _, _, listed = error.what.partition(":" if "may contain" in error.what else "columns are")
    found = tuple(
        (f"{place}: {name}" if name else f"column {place}", int(place)) for place, name in _LABEL.findall(listed)
    )
    return found or tuple((f"column {place}", place) for place in range(1, int(error.evidence["columns"]) + 1))


_TITLE = re.compile(r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")( \(hidden\))?(?=,|\.|$)""")


def sheet_choices(error: Exception) -> tuple[tuple[str, int], ...]:
    """Return the sheets among which an error asks to choose, as label and position; empty for any other error."""
    if not isinstance(error, RespondentFileError) or "sheets" not in error.evidence:
        return ()
    _, _, listed = error.what.partition("The sheets are ")
    found = enumerate(_TITLE.findall(listed), 1)
    return tuple((f"{place}: {title[1:-1]}{hidden}", place) for place, (title, hidden) in found)


def separator_choices(error: Exception) -> tuple[tuple[str, str], ...]:
    """Return the separators among which an error asks to choose, in words and as they are; empty for any other."""
    if not isinstance(error, RespondentFileError):
        return ()
    found = error.evidence.get("separators")
    return tuple((SEPARATOR_WORDS.get(each, repr(each)), each) for each in found) if isinstance(found, tuple) else ()


def code_line(source: FileChoice, kind: EntityType, choices: ReadChoices) -> str:
    """Return the line of code that reads the same file where nobody clicks.

    A file that came through the browser has no place that code could read it from: its line begins with a comment that
    says so.
    """
    asked = "".join(f", {name}={value!r}" for name, value in choices.given().items())
    place = source.name if source.path is None else _from_here(source.path)
    line = f"cint.read_respondents({place!r}, entity_type={kind.value!r}{asked})"
    return line if source.path is not None else f"# once {source.display_name} lies beside the notebook:\n{line}"


def _from_here(path: Path) -> str:
    """Return a path as the working folder sees it; whole where it lies elsewhere."""
    try:
        return path.relative_to(Path.cwd().resolve()).as_posix()
    except (ValueError, OSError):
        return path.as_posix()


def shape_of(text: str, most: int = 60) -> str:
    """Return the shape of a line: every letter and digit as x, which tells what is wrong and not who it is."""
    shown = re.sub(r"[^\W_]", "x", text.strip())
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"
