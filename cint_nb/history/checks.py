"""Whether a history is whole: its files, the numbers that lead from one table to another, and ids where none may be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cint_nb.domain.findings import Finding, Severity
from cint_nb.history import engine
from cint_nb.history.storage import Manifest, Store, checksum
from cint_nb.history.tables import CLOSINGS, REASONS, STATES, TABLES, WITH_IDS

_ID = "[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}"
_NOT_RESPONDENTS = ("project", "target_group", "list_hash", "source")
"""Columns with ids that are of no respondent, and digests."""
_RESTORE = "restore the folder from a copy, or add the waves again to a new history."


def check_history(store: Store, manifest: Manifest) -> list[Finding]:
    """Return what is wrong with a history, and what its measures cannot know."""
    if not manifest.version:
        return [Finding("empty-history", Severity.NOTE, "Nothing was added yet.", fix="history.add(wave) adds a wave.")]
    damaged = list(_check_files(store, manifest))
    if damaged:
        return damaged
    reader = engine.DuckDBReader()
    try:
        return [*_check_rows(store, manifest, reader), *_check_parts(store, manifest, reader)]
    finally:
        reader.connection.close()


def _check_files(store: Store, manifest: Manifest) -> Iterator[Finding]:
    folder = store.version_folder(manifest.version)
    for table, files in manifest.files.items():
        for name, known in files.items():
            path, shown = folder / table / name, f"{table}/{name}"
            if not path.is_file():
                yield Finding("missing-file", Severity.BLOCK, f"{shown} is missing.", fix=_RESTORE)
            elif path.stat().st_size != known["bytes"] or checksum(path) != known["sha256"]:
                yield Finding("changed-file", Severity.BLOCK, f"{shown} is not as it was written.", fix=_RESTORE)
        strange = {path.name for path in (folder / table).glob("*")} - set(files)
        if strange:
            yield Finding(
                "strange-file",
                Severity.BLOCK,
                f"{table} holds files that the history did not write, and queries would read them.",
                evidence=f"{len(strange)} files",
                fix=f"move them out of {folder.name}/{table}.",
            )


def _check_rows(store: Store, manifest: Manifest, reader: engine.DuckDBReader) -> Iterator[Finding]:
    folder = store.version_folder(manifest.version)
    tables = {table: reader.table(folder / table) for table in TABLES}
    for rule, message, query in _QUERIES:
        found = reader.connection.execute(query.format(**tables)).fetchall()[0][0]
        if found:
            yield Finding(rule, Severity.BLOCK, message.format(found), fix=_RESTORE)
    for table, columns in TABLES.items():
        texts = [name for name, kind in columns.items() if kind == "VARCHAR" and name not in _NOT_RESPONDENTS]
        if table in WITH_IDS or not texts:
            continue
        condition = " OR ".join(f"regexp_matches({name}, '{_ID}')" for name in texts)
        found = reader.connection.execute(f"SELECT count(*) FROM {tables[table]} WHERE {condition}").fetchall()[0][0]
        if found:
            yield Finding(
                "id-outside",
                Severity.BLOCK,
                f"{found:,} rows of {table} hold ids, which only {' and '.join(WITH_IDS)} may.",
                fix="erase these people, or add the waves again to a new history without that column.",
            )


def _words(words: Sequence[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


_QUERIES = (
    (
        "unknown-person",
        "{:,} visits are of people the history does not have.",
        "SELECT count(*) FROM {visits} WHERE person NOT IN (SELECT person FROM {people})",
    ),
    (
        "unknown-person",
        "{:,} listed people are not among the people of the history.",
        "SELECT count(*) FROM {listed} WHERE person NOT IN (SELECT person FROM {people})",
    ),
    (
        "unknown-part",
        "{:,} visits are of no part.",
        "SELECT count(*) FROM {visits} WHERE part NOT IN (SELECT part FROM {parts})",
    ),
    (
        "unknown-visit",
        "{:,} visit ids lead to no visit.",
        "SELECT count(*) FROM {sessions} WHERE visit NOT IN (SELECT visit FROM {visits})",
    ),
    (
        "repeated-person",
        "{:,} people have the number or the id of another.",
        "SELECT count(*) - count(DISTINCT person) + count(rsid) - count(DISTINCT rsid) FROM {people}",
    ),
    (
        "repeated-visit",
        "{:,} visits have the number of another.",
        "SELECT count(*) - count(DISTINCT visit) FROM {visits}",
    ),
    (
        "repeated-session",
        "{:,} visit ids are there more than once, so that visits count more than once.",
        "SELECT count(*) - count(DISTINCT rid) FROM {sessions}",
    ),
    (
        "unknown-word",
        "{:,} rows hold words that are none of a history.",
        f"SELECT (SELECT count(*) FROM {{visits}} WHERE reason NOT IN ({_words(REASONS)})) + (SELECT count(*) FROM "
        f"{{listed}} WHERE state NOT IN ({_words(STATES)})) + (SELECT count(*) FROM {{parts}} WHERE closed_by NOT IN "
        f"({_words(CLOSINGS)}))",
    ),
    (
        "not-erased",
        "{:,} people who were erased still have an id or attributes.",
        "SELECT (SELECT count(*) FROM {people} WHERE erased_at IS NOT NULL AND rsid IS NOT NULL) + "
        "(SELECT count(*) FROM {attributes} WHERE person IN (SELECT person FROM {people} WHERE erased_at IS NOT NULL))",
    ),
    (
        "wrong-flag",
        "{:,} listed people came and are kept as if they had not, or the other way round.",
        "SELECT count(*) FROM {listed} l LEFT JOIN (SELECT DISTINCT person, part FROM {visits}) v "
        "ON v.person = l.person AND v.part = l.part WHERE (l.came = 1) <> (v.person IS NOT NULL)",
    ),
)


def _check_parts(store: Store, manifest: Manifest, reader: engine.DuckDBReader) -> Iterator[Finding]:
    folder = store.version_folder(manifest.version)
    rows = reader.connection.execute(
        "SELECT p.wave, p.name, p.report, p.closed_by, p.as_of < p.open_until, p.open_from IS NULL, p.unattributed, "
        f"count(l.person) FILTER (WHERE l.state = 'uploaded') FROM {reader.table(folder / 'parts')} p LEFT JOIN "
        f"{reader.table(folder / 'listed')} l ON l.part = p.part GROUP BY ALL ORDER BY p.wave, p.name"
    ).fetchall()
    for wave, name, report, closed_by, is_early, no_times, unattributed, unsure in rows:
        part = f"Wave {wave} ({name})"
        if report == "missing":
            yield Finding(
                "missing-report",
                Severity.WARN,
                f"{part} has no report: who came is not known, and nobody of it counts as absent.",
                fix="history.refresh(client) asks for it again; reports reach back twelve months.",
            )
        elif closed_by == "open" or is_early:
            yield Finding(
                "mid-field-report",
                Severity.WARN,
                f"The report of {part} was read while people could still enter: its rates are provisional.",
                fix="history.refresh(client) after it has closed.",
            )
        if no_times:
            yield Finding(
                "no-times",
                Severity.NOTE,
                f"When {part} was open is not known: rates compare waves of unlike lengths.",
                fix="give opened= and closed= to history.add_report.",
            )
        if unattributed:
            yield Finding(
                "visits-without-rsid",
                Severity.NOTE,
                f"{unattributed:,} visits of {part} have no RSID: more people may have come than counted.",
            )
        if unsure:
            yield Finding(
                "not-known-whether-saved",
                Severity.WARN,
                f"Of {unsure:,} ids uploaded to {part} it is not known whether they were saved, so that nobody knows "
                "whether these people stayed away.",
                fix="add the wave again while its saved ids can be read.",
            )
