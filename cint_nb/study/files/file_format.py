"""The format of a source, detected by its first bytes and its name; what cannot contain ids is rejected."""

from __future__ import annotations

import gzip
import io
import os
import re
import stat
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path, PureWindowsPath
from typing import IO, Any, BinaryIO, TypeVar
from urllib.parse import urlsplit
from urllib.request import url2pathname

from cint_nb.domain import limits
from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.ids import UUID_PATTERN, masked_repr, masked_text

READABLE_SUFFIXES = (
    ".csv", ".txt", ".tsv", ".tab", ".xlsx", ".xlsm", ".ods", ".parquet", ".sav", ".zsav", ".dta", ".zip",
)  # fmt: skip
"""Endings of the files that are read; those of texts also with .gz."""
READABLE_FORMATS = f"{', '.join(READABLE_SUFFIXES)}, and texts with .gz"
_READABLE_ENDINGS = tuple(suffix.encode() for suffix in READABLE_SUFFIXES)
_PATH_BYTES = 4_096
_CHUNK = 1 << 22
_EATEN = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
"""What Python makes of a backslash and a letter in a path that is written without r."""
_WINDOWS_PATH = re.compile(r"[A-Za-z]:[\\]|\\\\\w")
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_PASTED_QUOTES = "\"'\u201c\u201d\u2018\u2019\u201e"
_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"))
"""Marks that programs put around a path when it is copied."""
_ONLY_ONLINE = 0x1000 | 0x40000 | 0x400000  # file attributes of Windows: offline, recall on open, recall on access
_SETTLE_SECONDS = 0.1
_WAIT = "wait until the program that writes or syncs the file has finished, then read it again."

Result = TypeVar("Result")


class SourceFormat(StrEnum):
    """How a source is stored."""

    TEXT = "text"
    WORKBOOK = "xlsx"
    ODS = "ods"
    PARQUET = "parquet"
    SPSS = "sav"
    STATA = "dta"
    ZIP = "zip"


_BY_SUFFIX = {
    **dict.fromkeys((".txt", ".csv", ".tsv", ".tab"), SourceFormat.TEXT),
    **dict.fromkeys((".xlsx", ".xlsm"), SourceFormat.WORKBOOK),
    ".ods": SourceFormat.ODS,
    ".parquet": SourceFormat.PARQUET,
    **dict.fromkeys((".sav", ".zsav"), SourceFormat.SPSS),
    ".dta": SourceFormat.STATA,
    ".zip": SourceFormat.ZIP,
}
_BY_MAGIC = (
    (b"PAR1", SourceFormat.PARQUET),
    (b"$FL2", SourceFormat.SPSS),
    (b"$FL3", SourceFormat.SPSS),
    (b"<stata_dta>", SourceFormat.STATA),
    *((bytes((version, order, 1)), SourceFormat.STATA) for version in (113, 114, 115) for order in (1, 2)),
)
_PACKAGE = b"PK\x03\x04"
_PACKAGED = (  # an entry of a package, what it is, and the way out
    ("xl/workbook.bin", "a binary workbook", "save it as .xlsx or .csv"),
    ("word/", "a Word document, not a workbook", "save the IDs as .csv or .txt"),
    ("ppt/", "a presentation, not a workbook", "save the IDs as .csv or .txt"),
    ("Index/Document.iwa", "a document of Apple Numbers or Pages", "export it as .xlsx or .csv"),
    ("index.apxl", "a document of Apple Numbers or Pages", "export it as .xlsx or .csv"),
)
_OLE = b"\xd0\xcf\x11\xe0"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OLE_SEARCHED = 1 << 20  # its directory lies at the beginning, or at the end
_GZIP = b"\x1f\x8b"
_FOREIGN_SIGNATURES = (
    (b"%PDF", "a PDF"),
    (_OLE, "an old Office document; save it as .xlsx or .csv"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"{\\rtf", "a rich text document; save it as plain text"),
    (b"\x7fELF", "an executable"),
    (b"MZ\x90", "an executable"),
    (b"BZh", "compressed with bzip2; decompress it first"),
    (b"\xfd7zXZ", "compressed with xz; decompress it first"),
    (b"\x28\xb5\x2f\xfd", "compressed with Zstandard; decompress it first"),
    (b"\x04\x22\x4d\x18", "compressed with LZ4; decompress it first"),
    (b"7z\xbc\xaf", "compressed with 7-Zip; decompress it first"),
    (b"Rar!", "a RAR archive; unpack it and pass the file in it"),
    (b"SQLite format", "a database"),
    (b"ARROW1", "a Feather file; read it with pandas (read_feather) and pass the DataFrame"),
    (b"\x89HDF", "an HDF5 file; read it with pandas (read_hdf) and pass the DataFrame"),
    (b"ORC", "an ORC file; read it with pandas (read_orc) and pass the DataFrame"),
    (b"Obj\x01", "an Avro file"),
    *(
        (bytes((0x80, version)), "a pickle; read it with pandas (read_pickle) and pass the DataFrame")
        for version in (3, 4, 5)
    ),
    *(
        (sign, "a file of R; save it as .csv in R, with write.csv and row.names = FALSE")
        for sign in (b"RDX", b"RDA", b"X\n\0\0\0")
    ),
    (b"HEADER RECORD*******", "a SAS transport file; read it with pandas (read_sas) and pass the DataFrame"),
    (bytes(12) + b"\xc2\xea\x81\x60", "a SAS data set; read it with pandas (read_sas) and pass the DataFrame"),
    (b"ASCII SPSS PORT FILE", "a portable file of SPSS; save it as .sav, or read it with pyreadstat (read_por)"),
    (b"RIFF", "an image, or a recording"),
    (b"L\0\0\0\x01\x14\x02\0", "a shortcut of Windows; pass the file that it leads to"),
    (b"[InternetShortcut]", "a link to a page; download the file itself"),
    (
        b"bplist00",
        "a mark that stands for a file elsewhere, or a settings file; open the file itself once, and pass it",
    ),
)
_TAR = b"ustar"  # at the byte `_TAR_PLACE`
_TAR_PLACE = 257
_HEIC = b"ftyp"  # behind four bytes of length
_PANDAS = "read it with pandas ({}) and pass the DataFrame"
_UNPACK = "unpack it and pass the file in it"
_ENDINGS_NOT_READ = {  # what is said of a file with this ending whose contents say nothing better
    ".xls": "save it as .xlsx or .csv",
    ".xlsb": "save it as .xlsx or .csv",
    ".numbers": "export it as .xlsx or .csv",
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), _PANDAS.format("read_json")),
    **dict.fromkeys((".feather", ".arrow"), _PANDAS.format("read_feather")),
    **dict.fromkeys((".sas7bdat", ".xpt"), _PANDAS.format("read_sas")),
    **dict.fromkeys((".h5", ".hdf"), _PANDAS.format("read_hdf")),
    **dict.fromkeys((".pkl", ".pickle"), _PANDAS.format("read_pickle")),
    **dict.fromkeys((".html", ".htm"), _PANDAS.format("read_html")),
    ".orc": _PANDAS.format("read_orc"),
    ".por": "read it with pyreadstat (read_por) and pass the DataFrame",
    **dict.fromkeys((".rds", ".rdata", ".rda"), "save it as .csv in R, with write.csv and row.names = FALSE"),
    **dict.fromkeys((".db", ".sqlite", ".sqlite3", ".duckdb"), "query it and pass the DataFrame"),
    **dict.fromkeys((".7z", ".rar", ".tar", ".tgz", ".bz2", ".xz", ".zst", ".lz4"), _UNPACK),
}
_ENDINGS_OF_NO_FILE = {  # the contents are not those of the file, whatever they are
    **dict.fromkeys((".lnk", ".url", ".webloc", ".gsheet", ".icloud"), "open it where it leads, and download the file"),
    **dict.fromkeys(
        (".crdownload", ".part", ".partial", ".download", ".tmp"),
        "wait until the download is complete, and pass the file",
    ),
}
_JSON_START = re.compile(rb'\s*\[?\s*\{\s*"[^"]*"\s*:')
_HTML_STARTS = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body", b"<table")


@dataclass(slots=True)
class OpenSource:
    """An open source: its name, how it is stored, its size in bytes and a stream at its beginning."""

    name: str | None
    kind: SourceFormat
    size: int
    stream: BinaryIO

    def rewind(self) -> None:
        """Go back to the beginning of the stream."""
        self.stream.seek(0)


@dataclass(frozen=True, slots=True)
class _Named:
    """What a file name says: the format, None if its ending is none that is read; if it is compressed; the ending."""

    kind: SourceFormat | None
    compressed: bool
    suffix: str


def source_error(name: str | None, what: str, fix: str, **evidence: Any) -> RespondentFileError:
    """Create the error for a source that cannot be used: what is wrong, known facts, the fix."""
    return RespondentFileError(what, evidence={"source": name, **evidence}, next_step=fix)


class _UnsettledFile(Exception):
    """A file is not what it was when its reading began, or gave less than its size.

    Args:
        error: What is raised if it is no better the second time.
    """

    def __init__(self, error: RespondentFileError) -> None:
        super().__init__(error)
        self.error = error


def read_file(
    source: str | Path | bytes | bytearray | memoryview | IO[Any],
    read: Callable[[OpenSource], Result],
    name: str | None = None,
    *,
    by_contents: bool = False,
) -> Result:
    """Open a path, bytes or a file object, detect how it is stored, and return what `read` makes of it.

    A file that changes while it is read is read once more, from the beginning; what the first reading gave is dropped.

    Args:
        source: A string is always a path, never contents.
        read: Called with the open source; a second time if the file changed meanwhile.
        name: Shown in place of the source's own name; for bytes its extension also gives the format.
        by_contents: Whether the contents alone give the format, whatever the extension says.

    Raises:
        RespondentFileError: if it is missing, empty, a directory, too large, or in a format that cannot contain ids; if
            the file changed during the second reading too, or is gone.
    """
    if isinstance(source, str | Path):
        path, status = _checked_path(source)
        try:
            return _read_path(path, status, read, name or path.name, by_contents=by_contents)
        except _UnsettledFile as unsettled:
            first = unsettled.error
        with suppress(OSError):
            status = path.stat()
            _let_settle(status)
        try:
            path, status = _checked_path(source)
            return _read_path(path, status, read, name or path.name, by_contents=by_contents)
        except _UnsettledFile as unsettled:
            error = unsettled.error
            what = f"{error.what[:-1]}; it was read twice."
            raise source_error(name or path.name, what, str(error.next_step), **_without_source(error)) from None
        except RespondentFileError:
            if path.exists():
                raise
        raise source_error(name or path.name, first.what, str(first.next_step), **_without_source(first))
    if isinstance(source, bytes | bytearray | memoryview):
        content = bytes(source)
        _reject_path_as_bytes(content, name)
    else:
        name = name or Path(str(getattr(source, "name", ""))).name or None
        content = _read_object(source, name)
        if name and not content.startswith(_GZIP):
            name = name.removesuffix(".gz")  # the object decompresses
    named = _format_from_name(name) if name and Path(name).suffix and not by_contents else None
    return read(_detect_format(io.BytesIO(content), name, len(content), named))


def _read_path(
    path: Path, before: os.stat_result, read: Callable[[OpenSource], Result], name: str, *, by_contents: bool
) -> Result:
    """Read a file once; raise if it changed meanwhile."""
    named = _format_from_name(path.name) if path.suffix and not by_contents else None
    with _open(path) as stream:
        try:
            file = _detect_format(stream, name, before.st_size, named)
            result = read(file)
        finally:  # whatever was found wrong with a file that changed, that it changed is why
            _check_unchanged(path, before, name)
        _check_whole(file, stream)
    _let_settle(before)
    _check_unchanged(path, before, name)
    return result


def _without_source(error: RespondentFileError) -> dict[str, Any]:
    return {name: value for name, value in error.evidence.items() if name != "source"}


def _unsettled_error(name: str | None, what: str, **evidence: Any) -> _UnsettledFile:
    return _UnsettledFile(source_error(name, what, _WAIT, **evidence))


def _check_unchanged(path: Path, before: os.stat_result, name: str) -> None:
    """Raise if a file is not the one it was, in place, size or time."""
    after = None
    with suppress(OSError):
        after = path.stat()
    if after is not None and _identity(after) == _identity(before):
        return
    raise _unsettled_error(
        name,
        "The file changed while it was read.",
        before=_describe(before),
        now="missing" if after is None else _describe(after),
    ) from None


def _let_settle(status: os.stat_result) -> None:
    """Wait until a file that was written a moment ago has been left alone for a moment.

    A program that writes piece by piece leaves a file that looks finished between two of them.
    """
    age = time.time() - status.st_mtime
    if age < _SETTLE_SECONDS:
        time.sleep(min(_SETTLE_SECONDS, _SETTLE_SECONDS - age))


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _describe(status: os.stat_result) -> str:
    return f"{status.st_size:,} bytes of {datetime.fromtimestamp(status.st_mtime, UTC):%H:%M:%S.%f} UTC"


def _check_whole(file: OpenSource, stream: BinaryIO) -> None:
    """Raise if a file that was read from beginning to end gave fewer bytes than it has."""
    sequential = file.stream is stream and file.kind in (SourceFormat.TEXT, SourceFormat.SPSS)
    if sequential and (read := stream.tell()) != file.size:
        raise _unsettled_error(file.name, f"The file ended after {read:,} of its {file.size:,} bytes.", bytes=file.size)


def _checked_path(source: str | Path) -> tuple[Path, os.stat_result]:
    """Return the path of a regular file and its status; a path may be written as people paste it."""
    _reject_other_texts(source)
    tried = list(_readings(source))
    reason: str | None = None
    for path in tried:
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:  # also a name that is too long
            if not isinstance(error, NotADirectoryError):
                reason = reason or getattr(error, "strerror", None) or "its path has characters no path can have"
            continue
        if stat.S_ISDIR(status.st_mode):
            raise source_error(path.name, "This is a directory, not a file.", "choose one file in it.", path=str(path))
        if not stat.S_ISREG(status.st_mode):
            raise source_error(path.name, "This is not a regular file.", "copy its contents to a .csv or .txt file.")
        _reject_lock_file(path.name)
        return path, status
    raise _missing_file_error(source, tried[0], reason)


def _reject_lock_file(name: str | None) -> None:
    if name is not None and name.startswith(("~$", ".~lock.")):
        raise source_error(
            name,
            "This is not a workbook but the mark by which an office program shows that one is open.",
            f"choose {name.removeprefix('~$').removeprefix('.~lock.').removesuffix('#')}, after closing it.",
        )


def _reject_other_texts(source: str | Path) -> None:
    """Raise if a text is no path: contents, an address, or a path of which Python took backslashes for other signs."""
    if not isinstance(source, str):
        return
    text = source.strip()
    if any(sign in text for sign in _EATEN) and "\0" not in text and not UUID_PATTERN.search(text.lower()):
        whole = "".join(_EATEN.get(sign, sign) for sign in text)
        if _WINDOWS_PATH.match(whole) or Path(whole).suffix.lower() in (*READABLE_SUFFIXES, ".gz"):
            raise source_error(
                None,
                "Python read a backslash of the path as the beginning of another character, such as a tab.",
                'write an r before the quotation mark, as in r"C:\\new\\table.csv", or write / for each \\.',
            )
    if "\n" in text or "\0" in text:
        raise source_error(
            None,
            "A string of text was passed where a path is expected.",
            "pass the path of a file, or the IDs as a list: cint.read_respondents(text.splitlines(), entity_type=…).",
        )
    if found := _ADDRESS.match(text):
        if found[1].lower() == "file" and urlsplit(text).netloc in ("", "localhost"):
            return
        raise source_error(
            None,
            f"This is an address ({found[1].lower()}://…), not the path of a file on this machine.",
            "download the file and pass its path.",
        )


def _readings(source: str | Path) -> Iterator[Path]:
    """Yield the paths that may be meant: as written, then as people paste them from other programs."""
    texts = [str(source)]
    if isinstance(source, str):
        bare = source.translate(_UNSEEN).strip().removeprefix("& ").strip().strip(_PASTED_QUOTES).strip()
        if bare.lower().startswith("file:"):
            bare = url2pathname(urlsplit(bare).path)
        texts += [bare, bare.replace("\u00a0", " "), os.path.expandvars(bare)]
        texts += [re.sub(r"\\([^\w\\])", r"\1", bare)] if os.name != "nt" else []  # as a shell writes spaces
    for text in dict.fromkeys(filter(None, texts)) if source != "" else texts:
        yield Path(text)  # as written first: a file may be called ~name
        with suppress(RuntimeError):  # no such user
            yield Path(text).expanduser()


def _reject_path_as_bytes(content: bytes, name: str | None) -> None:
    if name is None and len(content) < _PATH_BYTES and content.lower().endswith(_READABLE_ENDINGS):
        raise source_error(
            None,
            "Bytes are taken as the contents of a file; these are a path.",
            "pass the path as a string or a Path.",
        )


def _missing_file_error(source: str | Path, path: Path, reason: str | None) -> RespondentFileError:
    where = "check the path; it counts from the working folder, a notebook's own, unless it is absolute."
    text = str(source).strip()
    if UUID_PATTERN.match(text.lower()):
        return source_error(
            None,
            "An ID was passed where a path is expected.",
            "pass IDs as a list: cint.read_respondents([…], entity_type=…).",
        )
    if reason is not None:
        return source_error(path.name, f"The file cannot be opened: {reason}.", where, path=masked_text(source, 300))
    if os.name != "nt" and _WINDOWS_PATH.match(text.strip(_PASTED_QUOTES)):
        return source_error(
            PureWindowsPath(text).name,
            "There is no such file: this is a path of Windows, and this notebook runs on another system.",
            "upload the file to where the notebook runs, and pass its path there.",
        )
    with suppress(OSError, ValueError):
        if path.is_symlink():
            return source_error(
                path.name, "This is a link to a file that does not exist.", "pass the path of the file itself."
            )
        if (path.parent / f".{path.name}.icloud").exists():
            return source_error(
                path.name,
                "The file is in iCloud and not on this machine.",
                "open it once in the Finder, which loads it.",
            )
        if "*" in path.name or "?" in path.name:
            where = "pass the path of one file; wildcards are not expanded, and respondents.union(…) joins two lists."
        names = sorted(
            each.name
            for each in path.parent.iterdir()
            if each.suffix.lower() in READABLE_SUFFIXES and not each.name.startswith(("~$", ".")) and each.is_file()
        )
        if alike := get_close_matches(path.name, names, 3):
            where = f"{where[:-1]}. The folder has {', '.join(masked_repr(name) for name in alike)}."
    return source_error(path.name, "There is no such file.", where, path=masked_text(source, 300))


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        with suppress(OSError):
            if getattr(path.stat(), "st_file_attributes", 0) & _ONLY_ONLINE:
                raise source_error(
                    path.name,
                    "The file is kept online only, as by OneDrive, and cannot be loaded now.",
                    "right-click it in the Explorer, choose to keep it on this device, and read it again.",
                ) from None
        raise source_error(
            path.name, f"The file cannot be opened: {error.strerror}.", "check the file's permissions."
        ) from None


def _read_object(source: IO[Any], name: str | None) -> bytes:
    """Return what is left of an open file; one that changes meanwhile is read once more."""
    if not hasattr(source, "read"):
        raise source_error(
            name,
            f"An object of type {type(source).__name__} cannot be read as respondents.",
            f"pass a path ({READABLE_FORMATS}), bytes, an open file, a DataFrame, a Series or a list.",
        )
    start = None
    with suppress(OSError, ValueError, AttributeError):  # a pipe, or no file at all
        start = source.tell()
    for repeat in (False, True):
        before = _status_of(source)
        content = _read_all(source, name)
        after = _status_of(source)
        if before is None or after is None or _identity(before) == _identity(after):
            break
        if repeat or start is None:
            what = (
                "The file changed while it was read; it was read twice."
                if repeat
                else "The file changed while it was read."
            )
            raise source_error(name, what, _WAIT, before=_describe(before), now=_describe(after))
        _let_settle(after)
        source.seek(start)
    return content.encode("utf-8", "replace") if isinstance(content, str) else bytes(content)


def _read_all(source: IO[Any], name: str | None) -> Any:
    try:
        return source.read(limits.SOURCE_MAX_BYTES + 1)
    except UnicodeDecodeError:
        raise source_error(
            name,
            "The file was opened as text in another encoding than its own.",
            'pass its path, or open it as bytes, with mode "rb".',
        ) from None
    except RespondentFileError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever the object raises that the caller passes
        raise source_error(
            name,
            "The open file cannot be read.",
            'pass its path, or open it again, with mode "rb".',
            cause=type(error).__name__,
        ) from None


def _status_of(source: IO[Any]) -> os.stat_result | None:
    """Return the status of the regular file that is open; None for anything else."""
    with suppress(OSError, ValueError, AttributeError, TypeError):
        status = os.fstat(source.fileno())
        return status if stat.S_ISREG(status.st_mode) else None
    return None


def _format_from_name(name: str) -> _Named:
    """Return what a file name says about the format."""
    suffixes = [suffix.lower() for suffix in Path(name).suffixes]
    compressed = suffixes[-1:] == [".gz"]
    suffix = "".join(suffixes[-2:-1] if compressed else suffixes[-1:])
    kind = SourceFormat.TEXT if compressed and suffix not in _BY_SUFFIX else _BY_SUFFIX.get(suffix)
    return _Named(None if compressed and kind is not SourceFormat.TEXT else kind, compressed, suffix)


def _reject_ending(name: str | None, named: _Named, real: SourceFormat, head: bytes) -> None:
    """Raise the error for a file whose ending is none of those that are read, though its contents are."""
    ending = f"{named.suffix}{'.gz' if named.compressed else ''}"
    what = f"A file with the extension {ending} is not read."
    if (fix := _ENDINGS_OF_NO_FILE.get(named.suffix)) or (real is SourceFormat.TEXT and b"\0" in head):
        raise source_error(
            name, what, f"{fix or _ENDINGS_NOT_READ.get(named.suffix, 'export the IDs as .csv or .txt')}."
        )
    if real is SourceFormat.TEXT:
        fix = "rename the file to .csv, or to .txt if it is one ID per line."
        raise source_error(name, f"{what} Its contents are plain text.", fix)
    right = ".zip" if real is SourceFormat.ZIP else f".{real}"
    raise source_error(name, f"{what} Its contents are those of {right}.", f"rename the file to {right}.")


def _detect_format(stream: BinaryIO, name: str | None, size: int, named: _Named | None) -> OpenSource:
    """Compare the format that the name indicates with the one in the first bytes."""
    _reject_lock_file(name)
    if size == 0:
        raise source_error(name, "The file is empty.", "export it again with one ID per line.", bytes=0)
    _check_size(name, size)
    head = stream.read(512)
    stream.seek(0)
    if head.startswith(_OLE):
        _reject_encrypted(stream, name, size)
    if head.startswith(_GZIP) and (named is None or named.kind in (SourceFormat.TEXT, None)):
        file = _decompress(stream, name, size)
        if named and named.kind is None:
            _reject_ending(name, named, SourceFormat.TEXT, b"")
        return file
    if named and named.compressed and named.kind is not None:
        raise source_error(name, "The file ends in .gz but is not gzip-compressed.", "rename it to .csv or .txt.")
    real = _format_of_contents(stream, name, head, named)
    if real is SourceFormat.TEXT:
        reject_foreign_format(name, head)
    if named and named.kind is None:
        _reject_ending(name, named, real, head)
    elif named and named.kind is not real:
        raise _wrong_name_error(name, named.kind, real, head)
    return _open_archive(stream, name, size) if real is SourceFormat.ZIP else OpenSource(name, real, size, stream)


def _format_of_contents(stream: BinaryIO, name: str | None, head: bytes, named: _Named | None) -> SourceFormat:
    if not head.startswith(_PACKAGE):
        return next((real for magic, real in _BY_MAGIC if head.startswith(magic)), SourceFormat.TEXT)
    try:
        with zipfile.ZipFile(stream) as package:
            entries = package.namelist()
            mimetype = package.read("mimetype")[:99] if "mimetype" in entries else b""
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError, RuntimeError, zlib.error):
        if named is not None and named.kind is None:
            raise source_error(
                name, "This is a damaged archive or document.", "download it again, or save it again."
            ) from None
        return named.kind if named and named.kind in (SourceFormat.ODS, SourceFormat.ZIP) else SourceFormat.WORKBOOK
    finally:
        stream.seek(0)
    for entry, what, fix in _PACKAGED:
        if any(each == entry or (entry.endswith("/") and each.startswith(entry)) for each in entries):
            raise source_error(name, f"This is {what}.", f"{fix}.")
    if any(each.startswith("xl/") for each in entries):
        return SourceFormat.WORKBOOK
    if mimetype.startswith(b"application/vnd.oasis.opendocument.spreadsheet"):
        return SourceFormat.ODS
    if mimetype.startswith(b"application/vnd.oasis"):
        raise source_error(name, "This is an OpenDocument text, not a workbook.", "save the IDs as .csv or .txt.")
    return SourceFormat.ZIP


def _wrong_name_error(
    name: str | None, named: SourceFormat | None, real: SourceFormat, head: bytes
) -> RespondentFileError:
    said = (
        f"The file extension says {'plain text' if named is SourceFormat.TEXT else f'.{named}'}, but the contents are"
    )
    if real is not SourceFormat.TEXT:
        return source_error(name, f"{said} those of .{real}.", f"rename the file to .{real}.")
    if b"\0" in head:
        return source_error(name, f"{said} something else.", "export it again, or save it as .csv.")
    return source_error(name, f"{said} plain text.", "rename the file to .csv.")


def _reject_encrypted(stream: BinaryIO, name: str | None, size: int) -> None:
    """Raise if an Office document is a workbook with a password, which is stored as an old document is."""
    content = stream.read(_OLE_SEARCHED)
    stream.seek(max(0, size - _OLE_SEARCHED))
    content += stream.read(_OLE_SEARCHED)
    stream.seek(0)
    if _ENCRYPTED in content:
        raise source_error(
            name,
            "The workbook is protected by a password.",
            "open it with the password and save a copy without one, or save the ID column as .csv.",
        )


def _open_archive(stream: BinaryIO, name: str | None, size: int) -> OpenSource:
    """Open the only file in an archive that could be read."""
    try:
        with zipfile.ZipFile(stream) as package:
            inside = [
                each
                for each in package.infolist()
                if Path(each.filename).suffix.lower() in (*READABLE_SUFFIXES, ".gz")
                and not each.filename.startswith("__MACOSX/")
                and not Path(each.filename).name.startswith((".", "~$"))
            ]
            if len(inside) != 1:
                shown = ", ".join(masked_repr(each.filename, 60) for each in inside[:8])
                what = f"{len(inside):,} files that could be read: {shown}" if inside else "no file that could be read"
                raise source_error(name, f"The archive contains {what}.", "unzip it and pass one file.")
            only = inside[0]
            if only.flag_bits & 1:
                raise source_error(name, "The archive is protected by a password.", "unzip it and pass the file.")
            if only.file_size > limits.SOURCE_MAX_BYTES or only.file_size > _CHUNK + limits.UNPACK_MAX_RATIO * size:
                raise source_error(
                    name,
                    f"The archive expands to {only.file_size:,} bytes, far more than a list of IDs.",
                    "unzip it and check its contents.",
                    unpacked_bytes=only.file_size,
                )
            content = package.open(only).read(only.file_size + 1)
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError, RuntimeError, EOFError, zlib.error) as error:
        if isinstance(error, RespondentFileError):
            raise
        raise source_error(
            name, "The .zip file cannot be read.", "zip the file again, save it anew, or pass it unzipped."
        ) from None
    inner = Path(only.filename).name
    if Path(inner).suffix.lower() == ".zip":
        raise source_error(name, "The archive contains another archive.", "unzip it and pass the file inside.")
    return _detect_format(io.BytesIO(content), inner, len(content), _format_from_name(inner))


def _check_size(name: str | None, size: int) -> None:
    if size > limits.SOURCE_MAX_BYTES:
        raise source_error(
            name,
            f"The file has {size:,} bytes; the limit is {limits.SOURCE_MAX_BYTES:,}.",
            "keep only the ID column, or split the file.",
            bytes=size,
        )


def reject_foreign_format(name: str | None, head: bytes) -> None:
    """Raise if the first bytes are those of something other than a list of ids.

    Raises:
        RespondentFileError: for documents, images, executables, web pages, JSON and other known formats.
    """
    for magic, what in _FOREIGN_SIGNATURES:
        if head.startswith(magic):
            kind, _, fix = what.partition("; ")
            raise source_error(
                name, f"This is {kind}, not a list of IDs.", f"{fix or 'export the IDs as .csv or .txt'}."
            )
    if head[_TAR_PLACE:].startswith(_TAR):
        raise source_error(name, "This is a tar archive, not a list of IDs.", f"{_UNPACK}.")
    if head[4:].startswith(_HEIC):
        raise source_error(name, "This is an image, not a list of IDs.", "export the IDs as .csv or .txt.")
    plain = head.removeprefix(b"\xef\xbb\xbf")
    if _JSON_START.match(plain):
        raise source_error(
            name,
            "This is JSON, not a list or table of IDs.",
            "read it with pandas (read_json, with lines=True if each line is an object) and pass the DataFrame.",
        )
    if plain.lstrip().lower().startswith(_HTML_STARTS):
        raise source_error(
            name,
            "This is a web page or XML, not a list of IDs.",
            "a saved login or error page is the usual cause: download the file again and open it to check; a table "
            "that was exported as a web page is read with pandas (read_html).",
        )


def _decompress(stream: BinaryIO, name: str | None, size: int) -> OpenSource:
    plain = BoundedStream(gzip.GzipFile(fileobj=stream), stream, name)
    head = plain.read(512)
    inner = (_GZIP, _PACKAGE, *(magic for magic, _ in _BY_MAGIC))
    if not head:
        raise source_error(name, "The compressed file is empty.", "export it again.", bytes=size)
    if head.startswith(inner):
        raise source_error(name, "Only text may be compressed with gzip.", "decompress it first.")
    reject_foreign_format(name, head)
    plain.unread(head)
    return OpenSource(name, SourceFormat.TEXT, size, plain)


class BoundedStream(io.RawIOBase, BinaryIO):
    """A decompressed stream that raises when it grows beyond any real list of ids.

    Args:
        plain: The decompressed stream.
        compressed: The stream below it; its position gives the ratio of compression.
        name: For errors.
    """

    def __init__(self, plain: gzip.GzipFile, compressed: BinaryIO, name: str | None) -> None:
        super().__init__()
        self._plain, self._compressed, self._source = plain, compressed, name
        self._returned = b""
        self._total = 0

    def unread(self, head: bytes) -> None:
        """Return `head` at the next read."""
        self._returned = head

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go back to the beginning; no other place can be found.

        Raises:
            UnsupportedOperation: for any other place.
        """
        if offset or whence:
            raise io.UnsupportedOperation("a compressed stream goes back to its beginning only")
        self._returned, self._total = b"", 0
        return self._plain.seek(0)

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes, at most 4 MiB.

        Raises:
            RespondentFileError: if the file is damaged or expands to far more than a list of ids.
        """
        if self._returned:
            head, self._returned = self._returned, b""
            return head
        try:
            content = self._plain.read(min(size, _CHUNK) if size >= 0 else _CHUNK)
        except (OSError, EOFError, zlib.error):
            raise source_error(
                self._source, "The gzip file is damaged.", "compress it again, or pass it uncompressed."
            ) from None
        self._total += len(content)
        bomb = self._total > _CHUNK and self._total > limits.UNPACK_MAX_RATIO * max(1, self._compressed.tell())
        if bomb or self._total > limits.SOURCE_MAX_BYTES:
            raise source_error(
                self._source,
                "The gzip file expands to far more than a list of IDs.",
                "decompress it and check its contents; a list of IDs shrinks to a half, a table to about a twentieth.",
                unpacked_bytes=self._total,
            )
        return content
