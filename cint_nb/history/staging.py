"""A report as a table in DuckDB: which columns hold what, times as UTC, and the word for what became of each visit.

A plain CSV file is read by DuckDB itself, without a row passing through Python; anything else, and anything DuckDB
finds irregular, by `read_report`, which judges every line.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cint_nb.caller_warnings import deliver_warnings, warn_caller
from cint_nb.domain.errors import CintError, InputError, RespondentFileError
from cint_nb.domain.ids import format_count, masked_repr
from cint_nb.history import engine
from cint_nb.history.tables import REASONS, rank_sql
from cint_nb.study.files.binary_formats import columns_of
from cint_nb.study.files.id_column import ColumnSample
from cint_nb.study.outcome.reason_codes import reason_of
from cint_nb.study.outcome.report_columns import (
    end_time_column,
    names_utc,
    rid_column,
    rsid_column,
    status_column,
    target_group_column,
)
from cint_nb.study.outcome.visit_reports import VisitReport, name_columns, read_report

NOBODY = "SELECT CAST(NULL AS BIGINT) AS person, CAST(NULL AS UUID) AS rsid WHERE false"
_SAMPLED = 1_000
_HEAD = 1 << 16
_BINARY_STARTS = (b"PK", b"\x1f\x8b", b"\xff\xfe", b"\xfe\xff", b"PAR1")
_CENTRAL = ZoneInfo("America/Chicago")
_ZONE_ENDING = r"(utc|gmt|cst|cdt|central)?"
_ENTRY_TIMES = tuple(
    re.compile(rf"{word}(date|time|datetime|datetimestamp|at|timestamp){_ZONE_ENDING}")
    for word in ("(survey)?(entry|entered)", "(survey)?(start|started|begin)", "first")
)
_MARKETPLACE = re.compile(r"(marketplace|exchange|cint|fed|initial|frontend)(respondent)?(status|code)(code)?")
_SUPPLIER = re.compile(r"supplier(name)?")
_PRICE = re.compile(r"cpi|costperinterview|price(percomplete)?|completeprice|transactionprice")
_COST = re.compile(r"cost|totalcost|visitcost")
_ZONED = re.compile(r"(\d\s*z|[+-]\d\d:?\d\d|\d\s*(?!am$|pm$)[a-z]{2,5})$", re.IGNORECASE)
_UTC = r"\s*(z|utc|gmt)$"
_OFFSET = r"[+-]\d\d:?\d\d$"
_FORMATS = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M %p", "%d.%m.%Y %H:%M:%S")
_WORDS = (
    ("completed", re.compile(r"complete|completed|adjusted to complete|adjusted complete")),
    ("over_quota", re.compile(r"over.?quota|quota.?full|.*quota.*")),
    ("quality", re.compile(r".*(quality|fraud|speeder).*")),
    ("reconciled", re.compile(r".*(reconciled|reject).*")),
    ("duplicate", re.compile(r".*duplicate.*")),
    ("dropped", re.compile(r".*(drop|incomplete|not complete|partial|abandon|in (client )?survey|in progress).*")),
    ("blocked", re.compile(r".*(exclu|lockout|blocked).*")),
    ("screened", re.compile(r".*(terminat|screen|disqualif).*")),
    ("closed", re.compile(r".*(closed|expired).*")),
    ("declined", re.compile(r".*declin.*")),
)


@dataclass(frozen=True)
class ReportChoices:
    """What a caller said about a report: names of columns, and what its codes mean.

    Args:
        rsid: Name of the column of RSIDs.
        rid: Name of the column of RIDs.
        status: Name of the column with the client's codes, or with words.
        all_complete: Whether every row is a complete.
        codes: What codes or words mean, as words of `reason_of`.
        attributes: Names of columns whose values are kept for each person.
        name: Name of the source, for messages.
    """

    rsid: str | None = None
    rid: str | None = None
    status: str | None = None
    all_complete: bool = False
    codes: Mapping[str, str] = field(default_factory=dict)
    attributes: Sequence[str] = ()
    name: str | None = None


@dataclass(frozen=True)
class StagedReport:
    """A report that stands in the table `stage_rows`, and with the words for its statuses in the view `stage`.

    The columns of `stage` are `place person rsid rid reason entered ended supplier cost target_group`, and
    `attribute_0` and so on. `place` is a number of the visit, from 0, with gaps; `person` that of the people who are
    known, or else of the table `fresh`, which is empty at first.

    Args:
        source: Digest of its content.
        rows: How many visits it has; more than any `place`.
        unattributed: How many have no RSID, and so are of nobody that is known.
        has_rids: Whether visits have RIDs.
        groups: For each target group how many visits it has; empty if no column names it.
        firsts: For each target group, and None where none is named, when its first visit began.
        attributes: Names of the attributes, in the order of their columns.
        notes: What is to be known about it.
        file_sha256: Digest of the file it was read from; None if it was no file.
    """

    source: str
    rows: int
    unattributed: int
    has_rids: bool
    groups: Mapping[str, int]
    firsts: Mapping[str | None, int | None] = field(default_factory=dict)
    attributes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    file_sha256: str | None = None


@dataclass(frozen=True)
class _Columns:
    """The names of the columns of a report by what they hold; None for what it does not hold."""

    rsid: str
    rid: str | None
    status: str | None
    marketplace: str | None
    target_group: str | None
    entered: str | None
    ended: str | None
    supplier: str | None
    cost: str | None
    is_price: bool


def stage_report(
    connection: Any, source: Any, choices: ReportChoices, scratch: Path, people: str = NOBODY
) -> StagedReport:
    """Read a report into the table `stage` of a connection.

    Args:
        connection: Of DuckDB.
        source: A path, bytes, a frame, or a `VisitReport`.
        choices: What the caller said.
        scratch: A folder for what has to be a file for a moment.
        people: What stands in a query for the people who are known, with `person` and `rsid`.

    Raises:
        RespondentFileError: it cannot be read, or a column is missing or ambiguous.
        InputError: it holds a code whose meaning is not known.
    """
    path = _plain_file(source, scratch)
    if path is not None:
        try:
            before = path.stat()
            digest = digest_of_file(path)
            try:
                staged = _stage(connection, _read_csv(path), choices, digest, people)
            except engine.load_duckdb().OutOfMemoryException:
                engine.allow_memory(connection, engine.MORE_MEMORY)
                staged = _stage(connection, _read_csv(path), choices, digest, people)
            after = path.stat()
            if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):  # else it is being written
                return replace(staged, file_sha256=None if isinstance(source, bytes) else digest)
        except (engine.load_duckdb().Error, RespondentFileError):
            pass  # irregular: every line is judged
    file_sha256 = None
    if isinstance(source, str | Path) and Path(source).is_file():
        file_sha256 = digest_of_file(Path(source))
    report = source if isinstance(source, VisitReport) else _read_with_care(source, choices)
    cells = report.visits(reveal=True).iloc[:, 1:]
    import pyarrow as pa

    table = pa.table(
        {str(label): pa.array(cells.iloc[:, place].tolist(), pa.string()) for place, label in enumerate(cells.columns)}
    )
    connection.register("report_cells", table)
    chosen = replace(
        choices,
        rsid=report.columns["rsid"],
        rid=report.columns["rid"],
        status=report.columns["status"],
        all_complete=choices.all_complete or report.columns["status"] is None,
        codes={**_as_reasons(report.codes), **choices.codes},
        name=report.name,
    )
    of_cells = hashlib.sha256("\x1e".join(map("\x1f".join, cells.itertuples(index=False, name=None))).encode())
    try:
        staged = _stage(connection, "report_cells", chosen, of_cells.hexdigest(), people, judged=True)
        return replace(staged, file_sha256=file_sha256)
    finally:
        connection.unregister("report_cells")


def stage_nothing(connection: Any, content: bytes) -> StagedReport:
    """Make `stage` for a report without visits."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE stage_rows (person BIGINT, rsid UUID, rid UUID, reason VARCHAR, entered BIGINT, "
        "ended BIGINT, supplier VARCHAR, cost BIGINT, target_group VARCHAR)"
    )
    connection.execute("CREATE OR REPLACE TEMP VIEW stage AS SELECT rowid AS place, * FROM stage_rows")
    return StagedReport(hashlib.sha256(content).hexdigest(), 0, 0, has_rids=False, groups={})


def keep_rows(connection: Any, condition: str) -> int:
    """Leave rows out of the table `stage_rows`; return how many.

    It is written anew: where rows are deleted, DuckDB may at any time number the others again, and two tables are
    written by these numbers.
    """
    connection.execute(f"CREATE TEMP TABLE kept_rows AS SELECT * FROM stage_rows WHERE {condition}")
    left_out = "SELECT (SELECT count(*) FROM stage_rows) - (SELECT count(*) FROM kept_rows)"
    number: int = connection.execute(left_out).fetchall()[0][0]
    connection.execute("DROP TABLE stage_rows")
    connection.execute("ALTER TABLE kept_rows RENAME TO stage_rows")
    return number


def reason_of_meaning(meaning: str) -> str | None:
    """Return the word for what became of a visit, from a status in words; None if it is not known."""
    plain = " ".join(meaning.lower().replace("_", " ").split())
    exact = plain.replace(" ", "_")
    if exact in REASONS:
        return exact
    return next((word for word, pattern in _WORDS if pattern.fullmatch(plain)), None)


def _as_reasons(codes: Mapping[str, str]) -> dict[str, str]:
    return {code: word for code, meaning in codes.items() if (word := reason_of_meaning(meaning)) is not None}


def parse_codes(codes: Mapping[Any, str] | None) -> dict[str, str]:
    """Return what a caller said that codes mean, as words of `reason_of`.

    Raises:
        InputError: a meaning is not known.
    """
    found: dict[str, str] = {}
    for code, meaning in (codes or {}).items():
        word = reason_of_meaning(str(meaning))
        if word is None:
            raise InputError(
                f"{masked_repr(meaning, 40)} is not what can become of a visit.",
                evidence={"code": masked_repr(code, 20)},
                next_step=f"use one of {', '.join(REASONS)}.",
            )
        found[_plain(str(code))] = word
    return found


# --- from a source to rows -----------------------------------------------------------------------------------------


def _plain_file(source: Any, scratch: Path) -> Path | None:
    """Return the path of a source that is plain text; bytes become a file for a moment."""
    if isinstance(source, bytes):
        if not _is_plain(source[:_HEAD]):
            return None
        path = scratch / "report.csv"
        path.write_bytes(source)
        return path
    if not isinstance(source, str | Path):
        return None
    path = Path(source)
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except (OSError, ValueError):
        return None
    return path if _is_plain(head) and not any(sign in str(path) for sign in "*?[]{}") else None


def _is_plain(head: bytes) -> bool:
    return bool(head) and not head.startswith(_BINARY_STARTS) and b"\0" not in head


def _read_csv(path: Path) -> str:
    return f"read_csv({engine.text(str(path))}, all_varchar = true, header = true, strict_mode = true)"


def digest_of_file(path: Path) -> str:
    """Return the digest of the content of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_with_care(source: Any, choices: ReportChoices) -> VisitReport:
    with deliver_warnings(show=False) as said:  # about what the words of ours answer
        report = read_report(
            source,
            rsid=choices.rsid,
            rid=choices.rid,
            status=choices.status,
            all_complete=choices.all_complete,
            name=choices.name,
            codes={code: "complete" if word == "completed" else "not complete" for code, word in choices.codes.items()},
        )
    for text in said:
        if "target groups" not in text and "these statuses" not in text:  # both are answered here
            warn_caller(text)
    return report


# --- from rows to the table ----------------------------------------------------------------------------------------


def _stage(
    connection: Any, rows: str, choices: ReportChoices, source: str, people: str, *, judged: bool = False
) -> StagedReport:
    sample = connection.sql(f"SELECT * FROM {rows} LIMIT {_SAMPLED}").df()
    table = columns_of(sample)
    if table is None or not len(sample):
        raise RespondentFileError("The report contains no visits.", evidence={"visits": 0})
    columns = _choose_columns(name_columns(table.cells), choices)
    zoned = {
        column
        for column in (columns.entered, columns.ended)
        if column is not None and any(_ZONED.search(str(value).strip()) for value in sample[column].dropna())
    }
    kept = _columns_kept(sample.columns, choices, columns)
    connection.execute("DROP TABLE IF EXISTS stage_rows")  # before: two would lie in memory at once
    connection.execute(
        f"CREATE TEMP TABLE stage_rows AS SELECT r.*, p.person FROM (SELECT {_uuid(columns.rsid)} AS rsid, "
        f"{_uuid(columns.rid)} AS rid, {_raw(columns.status)} AS status, {_raw(columns.marketplace)} AS market, "
        f"{_trimmed(columns.target_group)} AS target_group, "
        f"{_time(columns.entered, zoned)} AS entered, {_time(columns.ended, zoned)} AS ended, "
        f"{_trimmed(columns.supplier)} AS supplier, {_money(columns.cost)} AS cost"
        + "".join(f", {_trimmed(name)} AS attribute_{place}" for place, name in enumerate(kept))
        + f", {_is_odd(columns.rsid)} AS is_odd FROM {rows}) r LEFT JOIN ({people}) p ON p.rsid = r.rsid"
    )
    connection.execute("CREATE OR REPLACE TEMP TABLE fresh (person BIGINT, rsid UUID)")
    counts = connection.execute(
        "SELECT count(*), count(rsid), count(rid), count(*) FILTER (is_odd), min(least(entered, ended)), "
        "max(greatest(entered, ended)), count(entered), count(ended) FROM stage_rows"
    ).fetchall()[0]  # all: after `fetchone` DuckDB 2 takes the result for unfinished, and the connection for in use
    total, with_rsid, with_rid, odd, first, last, with_entry, with_end = counts
    if odd and not judged:
        raise RespondentFileError("Some RSIDs have another form.")  # read_report knows it, or says so
    if not with_rsid:
        raise RespondentFileError("No visit of the report has an RSID.", evidence={"visits": total})
    notes = []
    if with_rsid < total:
        notes.append(f"Without RSID: {format_count(total - with_rsid, 'visit')}; who came is known of the others only.")
    for column, known, what in ((columns.entered, with_entry, "began"), (columns.ended, with_end, "ended")):
        if column is None:
            notes.append(f"No column says when a visit {what}.")
        elif known < total:
            notes.append(f"It is not known when {format_count(total - known, 'visit')} {what}.")
    _name_reasons(connection, choices)
    entered, ended = (
        f"s.{each}"
        if first is None or column in zoned or names_utc(column)
        else f"s.{each} + {_shift_sql(f's.{each}', first, last)}"
        for each, column in (("entered", columns.entered), ("ended", columns.ended))
    )
    cost = "CASE WHEN r.reason = 'completed' THEN s.cost ELSE 0 END" if columns.is_price else "s.cost"
    # A view: a second copy of a million visits would take longer to write than its columns take to compute.
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW stage AS SELECT s.rowid AS place, coalesce(s.person, f.person) AS person, s.rsid, "
        f"s.rid, r.reason, {entered} AS entered, {ended} AS ended, s.supplier, s.target_group, "
        f"CASE WHEN s.cost IS NOT NULL THEN {cost} END AS cost"
        + "".join(f", s.attribute_{place}" for place in range(len(kept)))
        + " FROM stage_rows s JOIN reasons r ON s.status IS NOT DISTINCT FROM r.status "
        "AND s.market IS NOT DISTINCT FROM r.market "
        "LEFT JOIN fresh f ON f.rsid = CASE WHEN s.person IS NULL THEN s.rsid END WHERE s.rsid IS NOT NULL"
    )
    notes += _drop_repeats(connection, has_rids=with_rid > 0)
    found = connection.execute(  # of the rows, since the view joins what is not asked for here
        f"SELECT s.target_group, count(*), min(coalesce({entered}, {ended})) FROM stage_rows s "
        "WHERE s.rsid IS NOT NULL GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    groups = {group: number for group, number, _ in found if group is not None}
    firsts = {group: first for group, _, first in found}
    return StagedReport(source, total, total - with_rsid, with_rid > 0, groups, firsts, kept, tuple(notes))


def _choose_columns(cells: Sequence[ColumnSample], choices: ReportChoices) -> _Columns:
    names = [str(each.name) for each in cells]
    plain = {name: re.sub(r"[^a-z]", "", name.lower()) for name in names}

    def first(*patterns: re.Pattern[str]) -> str | None:
        return next((name for fits in patterns for name in names if fits.fullmatch(plain[name])), None)

    rsid = rsid_column(cells, choices.rsid, choices.rid, choices.name)
    rid = rid_column(cells, choices.rid, rsid, choices.name)
    marketplace = first(_MARKETPLACE)
    status = None if choices.all_complete else status_column(cells, choices.status, choices.name)
    price, cost = first(_PRICE), first(_COST)
    return _Columns(
        rsid=rsid,
        rid=rid,
        status=status,
        marketplace=None if marketplace == status or choices.all_complete else marketplace,
        target_group=target_group_column(names),
        entered=first(*_ENTRY_TIMES),
        ended=end_time_column(names),
        supplier=first(_SUPPLIER),
        cost=cost or price,
        is_price=cost is None,
    )


def _columns_kept(names: Any, choices: ReportChoices, columns: _Columns) -> tuple[str, ...]:
    """Return the columns whose values are kept as attributes."""
    for name in choices.attributes:
        if name not in list(names) or name in (columns.rsid, columns.rid):
            raise InputError(
                f"The report has no attribute {masked_repr(name)}.",
                evidence={"columns": masked_repr([*map(str, names)], 300)},
                next_step="name columns of the report that are no ids; the answers are in it where "
                "include_respondent_answers=True asked for them.",
            )
    return tuple(choices.attributes)


def _name_reasons(connection: Any, choices: ReportChoices) -> None:
    """Make the table `reasons`: the word for each combination of codes that occurs.

    Raises:
        InputError: a code or a word is not known; all of them are named.
    """
    found = connection.execute("SELECT status, market, count(*) FROM stage_rows GROUP BY ALL").fetchall()
    rows: list[tuple[str | None, str | None, str | None]] = []
    unknown: dict[str, int] = {}
    for status, market, count in found:
        word = "completed" if choices.all_complete else _reason(status, market, choices.codes)
        if word is None:
            given = _without_space(status)
            code = given if given not in (None, "-1") else f"{market} (marketplace)"
            unknown[code] = unknown.get(code, 0) + count
        rows.append((status, market, word))
    if unknown:
        shown = ", ".join(f"{masked_repr(code, 40)} ({count:,})" for code, count in list(unknown.items())[:8])
        raise InputError(
            f"The meaning of these statuses is not known: {shown}.",
            evidence={"statuses": len(unknown), "visits": sum(unknown.values())},
            safe="nothing was added: an unknown status is neither a complete nor an absence.",
            next_step='say what they mean: history.add_report(…, codes={301: "screened"}).',
        )
    connection.execute("DROP TABLE IF EXISTS reasons")
    connection.execute("CREATE TEMP TABLE reasons (status VARCHAR, market VARCHAR, reason VARCHAR)")
    connection.executemany("INSERT INTO reasons VALUES (?, ?, ?)", rows)


def _reason(status: str | None, market: str | None, codes: Mapping[str, str]) -> str | None:
    """Return the word for a combination of codes or words; None if it is not known."""
    client, place = (None if text is None else _plain(text) for text in map(_without_space, (status, market)))
    if client is not None and client in codes:
        return codes[client]
    if place is not None and place in codes and client in (None, "-1"):
        return codes[place]
    if client is not None and not _is_code(client):
        return reason_of_meaning(client)
    if place is not None and not _is_code(place):
        return reason_of_meaning(place) if client in (None, "-1") else reason_or_none(int(client or 0), None)
    return reason_or_none(None if client is None else int(client), None if place is None else int(place))


def reason_or_none(client: int | None, marketplace: int | None) -> str | None:
    """Return what `reason_of` says; None for a code that is not documented."""
    try:
        return reason_of(client, marketplace)
    except CintError:
        return None


def _without_space(text: str | None) -> str | None:
    """Return a cell without space around it; None for an empty one."""
    return None if text is None else text.strip() or None


def _plain(text: str) -> str:
    return " ".join(text.lower().split()).removesuffix(".0")


def _is_code(text: str) -> bool:
    return re.fullmatch(r"-?\d{1,6}", text) is not None


def _drop_repeats(connection: Any, *, has_rids: bool) -> list[str]:
    """Keep one row for each visit, as it ended last.

    Raises:
        RespondentFileError: one RID belongs to two people.
    """
    if has_rids:
        repeats = "SELECT count(*) - count(DISTINCT rid) FROM stage_rows WHERE rsid IS NOT NULL"
        if not connection.execute(repeats).fetchall()[0][0]:
            return []
        people = connection.execute(
            "SELECT count(*) FROM (SELECT rid FROM stage WHERE rid IS NOT NULL GROUP BY rid "
            "HAVING count(DISTINCT rsid) > 1)"
        ).fetchall()[0][0]
        if people:
            raise RespondentFileError(
                f"{people:,} RIDs belong to two different RSIDs; each visit belongs to one person.",
                next_step="check which column holds RIDs and which RSIDs; they may be swapped.",
            )
        key = "coalesce(CAST(rid AS VARCHAR), concat_ws(' ', rsid, entered, ended, reason))"
    else:
        key = "concat_ws(' ', rsid, entered, ended, reason)"
    left_out = keep_rows(
        connection,
        "rowid NOT IN (SELECT place FROM stage QUALIFY row_number() OVER "
        f"(PARTITION BY {key} ORDER BY ended DESC NULLS LAST, {rank_sql('reason')}) > 1)",
    )
    return [f"{left_out:,} visits are listed more than once, and count once."] if left_out else []


# --- columns as SQL ------------------------------------------------------------------------------------------------


def _uuid(column: str | None) -> str:
    if column is None:
        return "CAST(NULL AS UUID)"
    # As it is, first: to trim a million ids takes as long as to read them.
    return f"coalesce(TRY_CAST({engine.name(column)} AS UUID), TRY_CAST(trim({engine.name(column)}) AS UUID))"


def _is_odd(column: str) -> str:
    """Return whether a cell holds something that is no id.

    `ltrim`, since of two equal calls of `trim` DuckDB makes one, and then computes it for every row.
    """
    return f"CASE WHEN {_uuid(column)} IS NULL THEN ltrim({engine.name(column)}) <> '' ELSE false END"


def _raw(column: str | None) -> str:
    """Return a column with its space: what has few different values is trimmed once for each of them."""
    return "CAST(NULL AS VARCHAR)" if column is None else f"CAST({engine.name(column)} AS VARCHAR)"


def _trimmed(column: str | None) -> str:
    if column is None:
        return "CAST(NULL AS VARCHAR)"
    quoted = engine.name(column)
    # To see that there is no space takes a quarter of the time of a trim.
    has_space = f"starts_with({quoted}, ' ') OR ends_with({quoted}, ' ')"
    return f"nullif(CASE WHEN {has_space} THEN trim({quoted}) ELSE {quoted} END, '')"


def _money(column: str | None) -> str:
    """Return an amount in ten-thousandths."""
    if column is None:
        return "CAST(NULL AS BIGINT)"
    return f"CAST(round(TRY_CAST({engine.name(column)} AS DOUBLE) * 10000) AS BIGINT)"


def _time(column: str | None, zoned: Collection[str]) -> str:
    """Return a time in milliseconds since 1970: as it is written, as if it were UTC, or by the zones that are written.

    In a column with zones a value without one, or with one that no standard gives an offset, is not known.
    """
    if column is None:
        return "CAST(NULL AS BIGINT)"
    quoted = engine.name(column)
    if column in zoned:
        offset = f"regexp_replace(trim({quoted}), {engine.text(_UTC)}, '+00:00', 'i')"
        has_offset = f"regexp_matches({offset}, {engine.text(_OFFSET)})"
        return f"CASE WHEN {has_offset} THEN epoch_ms(TRY_CAST({offset} AS TIMESTAMPTZ)) END"
    formats = ", ".join(engine.text(each) for each in _FORMATS)
    return f"epoch_ms(coalesce(TRY_CAST({quoted} AS TIMESTAMP), try_strptime({quoted}, [{formats}])))"


def _shift_sql(column: str, first: int, last: int) -> str:
    """Return what is added to a US Central time to make it UTC, as SQL; of an hour that is twice, the first counts."""
    years = range(max(_moment(first).year, 1970), min(_moment(last).year, 2100) + 1)  # a typing error may be any year
    hours = {False: 6 * 3_600_000, True: 5 * 3_600_000}
    summers = " OR ".join(
        f"({column} >= {begin} AND {column} < {end})" for begin, end in map(_summer, years) if begin < end
    )
    return f"(CASE WHEN {summers or 'false'} THEN {hours[True]} ELSE {hours[False]} END)"


def _summer(year: int) -> tuple[int, int]:
    """Return when summer time begins and ends in a year on the clocks of US Central, in milliseconds."""
    day, changes = datetime(year, 1, 1, 12, tzinfo=_CENTRAL), []
    for _ in range(365):
        following = day + timedelta(days=1)
        if day.utcoffset() != following.utcoffset():
            changes.append(following.replace(hour=2, tzinfo=UTC))
        day = following
    if len(changes) != 2:
        return 0, 0
    begin, end = changes
    return int((begin + timedelta(hours=1)).timestamp() * 1000), int(end.timestamp() * 1000)


def _moment(milliseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
