"""Adding a wave: numbers for its parts and people, its visits beside those known before, and who was on its list."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cint_nb.domain.errors import InputError, RespondentFileError
from cint_nb.domain.ids import EntityType, format_count, masked_repr, printable
from cint_nb.domain.plan import Money
from cint_nb.history import engine
from cint_nb.history.staging import ReportChoices, StagedReport, keep_rows, stage_nothing, stage_report
from cint_nb.history.storage import Transaction
from cint_nb.history.tables import CLOSINGS, MISSING, READ, STATES, TABLES, rank_sql
from cint_nb.history.waves import ReportFile, WaveRecord
from cint_nb.study.files import id_array
from cint_nb.study.files.respondents import Respondents
from cint_nb.study.outcome.crosswalk import Crosswalk
from cint_nb.study.readable_frame import ReadableFrame

Part = dict[str, Any]
"""A row of the table `parts`."""
_PARTS_FILE = "parts.parquet"
_MONEY_PARTS = 10_000
_SAME = ("wave", "locale", "open_from", "open_until", "closed_by", "goal", "price", "list_hash", "report", "source")
"""What makes a part another one than before, beside when it was read."""


@printable
@dataclass(frozen=True)
class Added:
    """What was added to a history.

    Args:
        rows: For each part what `frame` shows.
        changed: Whether anything is new; where nothing is, nothing was written.
        notes: What is to be known about it.
        changes: Who changed, for `History.refresh`.
        of_another: Parts whose file holds another report now.
    """

    rows: tuple[Mapping[str, Any], ...]
    changed: bool
    notes: tuple[str, ...] = ()
    changes: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    of_another: tuple[int, ...] = ()

    def frame(self) -> pd.DataFrame:
        """Return one row per part.

        Returns:
            A frame: `wave`, `part`, `name`; `visits` and `people` of the report, `new_people` whom the history did not
            know; `listed` ids, `saved` and `rejected` of them; `closed_by`; `report`, `read` or `missing`.
        """
        return ReadableFrame(list(self.rows))

    def __repr__(self) -> str:
        """Show counts and notes, never an id."""
        parts = [
            f"wave {row['wave']} ({row['name']}): {format_count(row['visits'], 'visit')} of "
            f"{format_count(row['people'], 'person', 'people')}, {row['listed']:,} listed, "
            f"{_CLOSING_WORDS.get(row['closed_by'], 'closed by ' + row['closed_by'])}"
            for row in self.rows
        ]
        parts += [] if self.changed else ["nothing new"]
        return f"<Added: {' · '.join([*parts, *(f'note: {text}' for text in self.notes)])}>"


_CLOSING_WORDS = {"open": "still open", "not_known": "why it closed is not known"}


@dataclass(frozen=True)
class Addition:
    """One record, and how it is to be read.

    Args:
        record: What a wave handed over.
        report: The report as a source that `stage_report` takes; None if there is none.
        choices: How it is read.
        waves: Number of the wave of each target group of a report of several.
        rejected: People who were uploaded and not saved, of a list that was given by hand.
        origin: `wave` or `file`.
        is_named: Whether the caller gave the name: a report of another wave is then refused.
        again: The parts that a file is read again for; empty if it is read for the first time.
    """

    record: WaveRecord
    report: Any
    choices: ReportChoices
    waves: Mapping[str, int] = field(default_factory=dict)
    rejected: Respondents | None = None
    origin: str = "wave"
    is_named: bool = False
    again: tuple[int, ...] = ()


def read_parts(change: Transaction) -> list[Part]:
    """Return the rows of the table `parts`."""
    columns = list(TABLES["parts"])
    rows = change.run(f"SELECT {', '.join(columns)} FROM {change.table('parts')} ORDER BY part")
    return [dict(zip(columns, row, strict=True)) for row in rows]


class Adder:
    """Adds records to a history, in one change.

    Args:
        change: The change.
        wave: The number that the caller gave to all of them; None to number them by their opening.
        track: Whether to find out whose reason changed.
    """

    def __init__(self, change: Transaction, wave: int | None, *, track: bool = False) -> None:
        self._change = change
        self._wave = wave
        self._track = track
        self._parts = read_parts(change)
        self._known_before = {part["part"]: dict(part) for part in self._parts}
        self.notes: list[str] = []
        self.rows: list[Mapping[str, Any]] = []
        self.changes: list[Mapping[str, Any]] = []
        self.changed = False
        self.of_another: list[int] = []
        """Parts whose file holds another report now."""

    def add(self, addition: Addition) -> None:
        """Add one record, with all target groups its report has.

        Raises:
            InputError: the waves would be in another order than they opened, or the report is there already.
            RespondentFileError: the report cannot be read.
        """
        staged = None
        if addition.report is not None:
            staged = self._stage(addition)
            if addition.again and not self._is_of(staged, addition.again):
                return
            self.notes += staged.notes
        groups = self._groups(addition, staged)
        parts = self._number(addition, staged, groups)
        if all(not self._differs(part) for part, _ in parts):
            self.rows += [self._row(part, new_people=0) for part, _ in parts]
            return
        self._refuse_known_report(staged, [part for part, _ in parts])
        self._stage_list(addition)
        self._refuse_erased()
        new_people = self._number_people(has_report=staged is not None)
        for part, group in parts:
            if staged is not None:
                self._write_visits(part, group, staged)
                self._write_attributes(part, group, staged)
            self._write_listed(part)
            self._remember(part, addition, staged)
            self._parts = sorted([*(p for p in self._parts if p["part"] != part["part"]), part], key=_by_number)
        self._refuse_other_order()
        self.rows += [self._row(part, new_people=new_people) for part, _ in parts]
        self.changed = True

    def finish(self) -> Added:
        """Write the table of parts and make it all count; return what was added."""
        if self.changed:
            self._write_parts()
            self._change.commit()
        notes = tuple(dict.fromkeys(self.notes))
        return Added(tuple(self.rows), self.changed, notes, tuple(self.changes), tuple(self.of_another))

    def _is_of(self, staged: StagedReport, again: Sequence[int]) -> bool:
        """Return whether a file that was read again is still of its parts; remember those that it is not of."""
        parts = [part for part in self._parts if part["part"] in again]
        gone = [part["part"] for part in parts if part["target_group"] and part["target_group"] not in staged.groups]
        is_other = any(part["source"] == staged.source for part in self._parts if part["part"] not in again)
        is_other |= len(staged.groups) > 1 and any(part["target_group"] is None for part in parts)
        self.of_another += again if is_other else gone
        return not is_other and len(gone) < len(parts)

    def _remember(self, part: Part, addition: Addition, staged: StagedReport | None) -> None:
        """Remember the file of a report, or forget that of the report before."""
        reports, source = self._change.reports, addition.report
        reports.pop(str(part["part"]), None)
        if addition.origin != "file" or staged is None or staged.file_sha256 is None:
            return
        found = ReportFile.of(
            Path(source),
            staged.file_sha256,
            self._change.store.folder,
            target_group=addition.record.target_group,
            choices=asdict(addition.choices),
        )
        if found is not None:
            reports[str(part["part"])] = found.to_manifest()

    def _stage(self, addition: Addition) -> StagedReport:
        con = self._change.connection
        try:
            return stage_report(con, addition.report, addition.choices, self._change.scratch, self._people())
        except RespondentFileError as error:
            if addition.origin != "wave" or error.evidence.get("visits") != 0:
                raise
            return stage_nothing(con, addition.report)  # nobody has come yet, which is known

    # --- which parts, which waves ---------------------------------------------------------------------------------

    def _groups(self, addition: Addition, staged: StagedReport | None) -> list[str | None]:
        """Return the target groups the record is about; None for all visits, where no column names one."""
        own = addition.record.target_group
        found = [] if staged is None else list(staged.groups)
        if own is not None:
            if found and own not in found:
                raise InputError(
                    "The report has no visit to this target group.",
                    evidence={"target_group": own, "in the report": ", ".join(found[:5])},
                    next_step="check that it is the report of this wave.",
                )
            return [own]
        if len(found) < 2:
            return [found[0] if found else None]
        if addition.record.saved is not None or addition.record.opened is not None:
            raise InputError(
                f"The report has visits to {len(found)} target groups, and what was given is of one.",
                evidence={"target_groups": ", ".join(found[:5])},
                next_step="name it: history.add_report(…, target_group='…').",
            )
        return list(found)

    def _number(
        self, addition: Addition, staged: StagedReport | None, groups: Sequence[str | None]
    ) -> list[tuple[Part, str | None]]:
        """Return the row of each part, numbered, with the target group whose visits are its own."""
        firsts = {} if staged is None else self._first_visits(staged)
        ordered = sorted(groups, key=lambda group: (firsts.get(group) is None, firsts.get(group) or 0))
        unknown = [group for group in addition.waves if group not in groups]
        if unknown:
            raise InputError(
                f"waves names target groups that are not in the report: {masked_repr(unknown[0], 40)}.",
                evidence={"in the report": ", ".join(filter(None, groups))},
                next_step="leave it out, or name all of them.",
            )
        found = []
        last = max((part["wave"] for part in self._parts), default=0)
        for group in ordered:
            known = self._find(addition.record, group, several=len(groups) > 1)
            if known is not None and addition.is_named and len(groups) == 1 and known["name"] != addition.record.name:
                raise InputError(
                    f"This report is of wave {known['wave']} ({known['name']}), not of "
                    f"{masked_repr(addition.record.name)}: it has the same target group.",
                    evidence={"target_group": group},
                    safe="nothing was added.",
                    next_step=f"add the report of the other wave; leave name out if it is that of {known['name']!r}.",
                )
            given = addition.waves.get(group or "", self._wave)
            if known is not None and given not in (None, known["wave"]):
                raise InputError(
                    f"This target group is of wave {known['wave']}, and the number of a wave never changes.",
                    evidence={"wave": given, "name": known["name"]},
                    next_step=f"leave wave out, or write wave={known['wave']}.",
                )
            if known is None and given is None:
                last += 1
            number = known["wave"] if known is not None else given if given is not None else last
            part = self._describe(addition, staged, group, several=len(groups) > 1, known=known)
            part["wave"] = number
            part["first_visit"] = _least(firsts.get(group), None if known is None else known["first_visit"])
            found.append((part, group))
        return found

    def _first_visits(self, staged: StagedReport) -> dict[str | None, int | None]:
        """Return when the first visit to each target group began, and under None the first of all."""
        found = dict(staged.firsts)
        if len(staged.groups) < 2:
            first = min((moment for moment in found.values() if moment is not None), default=None)
            found |= dict.fromkeys([*staged.groups, None], first)
        return found

    def _find(self, record: WaveRecord, group: str | None, *, several: bool) -> Part | None:
        """Return the part that is known already: of the same target group, else of the same name."""
        for part in self._parts:
            if group is not None and part["target_group"] == group:
                return dict(part)
        for part in self._parts:
            if not several and part["name"] == record.name and (group is None or part["target_group"] is None):
                return dict(part)
        return None

    def _describe(
        self, addition: Addition, staged: StagedReport | None, group: str | None, *, several: bool, known: Part | None
    ) -> Part:
        """Return the row of a part; what is not known now stays as it was known."""
        record = addition.record
        name = f"{record.name} · {group}" if several else record.name
        part = known or dict.fromkeys(TABLES["parts"])
        if known is None:
            part["part"] = self._change.next["part"]
            self._change.next["part"] += 1
        is_closing_known = record.closed_by != "not_known"
        new: Part = {
            "name": name if known is None or addition.origin == "wave" else known["name"],
            "project": record.project,
            "target_group": group,
            "locale": record.locale,
            "open_from": milliseconds(record.opened),
            "open_until": milliseconds(record.closed),
            "closed_by": record.closed_by if is_closing_known or addition.origin == "wave" else None,
            "goal": record.goal,
            "price": None if record.price is None else ten_thousandths(record.price),
            "currency": None if record.price is None else record.price.currency_code,
            "list_hash": _list_hash(addition),
            "source": None if staged is None else staged.source,
            "as_of": milliseconds(record.read_at) if staged is not None else None,
            "report": READ if staged is not None else None,
            "unattributed": None if staged is None or several else staged.unattributed,
            "origin": addition.origin if known is None or addition.origin == "wave" else None,
        }
        part |= {column: value for column, value in new.items() if value is not None}
        part["closed_by"] = part["closed_by"] if part["closed_by"] in CLOSINGS else "not_known"
        part["report"] = part["report"] or MISSING
        if addition.again:  # nobody says when it was read: not before its last visit
            part["as_of"] = max(part["as_of"] or 0, self._last_visit() or 0) or None
        elif part["as_of"] is None and staged is not None:
            part["as_of"] = self._last_visit()
            self.notes.append(
                "When the report was read is not known: taken as its last visit. Say it with as_of=, or a part that "
                "closed later reads as provisional."
            )
        if record.missing is not None and staged is None:
            self.notes.append(f"The report of {name} is missing, so that who came is not known: {record.missing}")
        self.notes += record.notes
        return part

    def _last_visit(self) -> int | None:
        last: int | None = self._change.run("SELECT max(coalesce(ended, entered)) FROM stage")[0][0]
        return last

    def _differs(self, part: Part) -> bool:
        """Return whether a part is another one than before; a closed one does not change by being read later."""
        known = self._known_before.get(part["part"])
        if known is None or any(known[column] != part[column] for column in _SAME):
            return True
        is_final = part["open_until"] is None or (known["as_of"] or 0) >= part["open_until"]
        return not is_final and known["as_of"] != part["as_of"]

    def _refuse_known_report(self, staged: StagedReport | None, parts: Sequence[Part]) -> None:
        numbers = {part["part"] for part in parts}
        for part in self._parts:
            if staged is not None and part["source"] == staged.source and part["part"] not in numbers:
                raise InputError(
                    f"This report is in the history already, as that of wave {part['wave']} ({part['name']}).",
                    evidence={"visits": staged.rows},
                    safe="nothing was added: each visit counts once.",
                    next_step="add the report of the other wave.",
                )

    def _refuse_other_order(self) -> None:
        """Refuse numbers that contradict the order in which waves opened."""
        openings: dict[int, tuple[int, str]] = {}
        for part in self._parts:
            opened = _least(part["open_from"], part["first_visit"])
            if opened is not None and opened < openings.get(part["wave"], (opened + 1, ""))[0]:
                openings[part["wave"]] = (opened, part["name"])
        numbers = sorted(openings)
        for earlier, later in pairwise(numbers):
            if openings[earlier][0] > openings[later][0]:
                raise InputError(
                    f"Wave {later} ({openings[later][1]}) opened before wave {earlier} ({openings[earlier][1]}): "
                    "they are swapped, or one of them is missing a number between.",
                    evidence={
                        f"wave {number} opened": moment(openings[number][0]).isoformat(" ", "minutes")
                        for number in (earlier, later)
                    },
                    safe="nothing was added: numbers of waves follow their opening, and never change.",
                    next_step="add the waves in the order in which they opened, or number them, wave=….",
                )

    # --- people ---------------------------------------------------------------------------------------------------

    def _stage_list(self, addition: Addition) -> None:
        """Make the table `names`: the listed ids of the record, and what became of them."""
        run, record = self._change.connection.execute, addition.record
        run("CREATE OR REPLACE TEMP TABLE names (rsid UUID, state VARCHAR)")
        uploaded = record.uploaded
        if uploaded is not None and uploaded.entity_type is EntityType.RID and isinstance(record.crosswalk, Crosswalk):
            uploaded = record.crosswalk.to_rsids(uploaded)
        if uploaded is not None and uploaded.entity_type is EntityType.RID:
            self._stage_visits_listed(uploaded)
        elif uploaded is not None:
            self._insert_ids(uploaded, "uploaded")
        if record.saved is not None:
            run("UPDATE names SET state = 'rejected'")
            self._insert_ids(record.saved, "saved")
        if addition.rejected is not None:
            self._insert_ids(addition.rejected, "rejected")
            run("DELETE FROM names WHERE state = 'saved' AND rsid IN (SELECT rsid FROM names WHERE state = 'rejected')")
        run(
            f"CREATE OR REPLACE TEMP TABLE names AS SELECT rsid, {surest_state('state')} AS state "
            "FROM names GROUP BY rsid"
        )

    def _insert_ids(self, people: Respondents, state: str) -> None:
        con = self._change.connection
        con.register("given_ids", ids_table(people))
        con.execute(
            f"INSERT INTO names SELECT TRY_CAST(trim(id, chr(10)) AS UUID), {engine.text(state)} FROM given_ids"
        )
        con.unregister("given_ids")

    def _stage_visits_listed(self, visits: Respondents) -> None:
        """Take the people of a list of RIDs from the visits that the history knows."""
        con, change = self._change.connection, self._change
        con.register("given_ids", ids_table(visits))
        con.execute(
            "INSERT INTO names SELECT DISTINCT CAST(p.rsid AS UUID), 'uploaded' FROM given_ids g "
            f"JOIN {change.table('sessions')} s ON CAST(s.rid AS UUID) = TRY_CAST(trim(g.id, chr(10)) AS UUID) "
            f"JOIN {change.table('visits')} v ON v.visit = s.visit JOIN {change.table('people')} p "
            "ON p.person = v.person WHERE p.rsid IS NOT NULL"
        )
        con.unregister("given_ids")
        found = change.run("SELECT count(*) FROM names")[0][0]
        if found < len(visits):
            self.notes.append(
                f"Of {len(visits):,} uploaded RIDs {len(visits) - found:,} lead to nobody the history knows: whether "
                "the exchange rejected these people is not known."
            )

    def _refuse_erased(self) -> None:
        """Leave out the ids of people who were erased."""
        change = self._change
        if not change.erased:
            return
        key = change.store.erasure_key()
        change.connection.execute("CREATE OR REPLACE TEMP TABLE erased_hashes (hash VARCHAR)")
        change.connection.executemany("INSERT INTO erased_hashes VALUES (?)", [(each,) for each in change.erased])
        is_erased = f"{hash_sql('rsid', key)} IN (SELECT hash FROM erased_hashes)"
        left_out = change.connection.execute(f"DELETE FROM names WHERE {is_erased}").fetchall()[0][0]
        if change.run("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'stage_rows'")[0][0]:
            left_out += keep_rows(change.connection, f"rsid IS NULL OR NOT ({is_erased})")
        if left_out:
            self.notes.append(
                f"{left_out:,} visits and list entries are of people who were erased: they were left out."
            )

    def _people(self) -> str:
        """Return the query for the people the history knows."""
        return f"SELECT person, CAST(rsid AS UUID) AS rsid FROM {self._change.table('people')} WHERE rsid IS NOT NULL"

    def _number_people(self, *, has_report: bool) -> int:
        """Make the table `known`, the person of each listed id, and `fresh`, with the new ones; return how many."""
        change, run = self._change, self._change.connection.execute
        run("CREATE OR REPLACE TEMP TABLE known (person BIGINT, rsid UUID)")
        if change.run("SELECT count(*) FROM names")[0][0]:
            run(
                f"INSERT INTO known SELECT p.person, n.rsid FROM names n LEFT JOIN ({self._people()}) p "
                "ON p.rsid = n.rsid"
            )
        first = change.next["person"]
        ids = "SELECT rsid FROM known WHERE person IS NULL"
        if has_report:
            ids += " UNION ALL SELECT rsid FROM stage_rows WHERE person IS NULL AND rsid IS NOT NULL"
        run(
            f"CREATE OR REPLACE TEMP TABLE fresh AS SELECT {first} - 1 + row_number() OVER (ORDER BY rsid) AS person, "
            f"rsid FROM (SELECT DISTINCT rsid FROM ({ids}))"
        )
        new = int(change.run("SELECT count(*) FROM fresh")[0][0])
        if new:
            change.put(
                "people",
                f"people-{first}.parquet",
                "SELECT person, CAST(rsid AS VARCHAR) AS rsid, 'cint' AS origin, NULL AS erased_at FROM fresh",
            )
            run("UPDATE known SET person = f.person FROM fresh f WHERE known.person IS NULL AND f.rsid = known.rsid")
            change.next["person"] += new
        return new

    # --- the tables of one part -----------------------------------------------------------------------------------

    def _write_visits(self, part: Part, group: str | None, staged: StagedReport) -> None:
        change, run = self._change, self._change.connection.execute
        name, first = part_file(part), change.next["visit"]
        mine = f"WHERE s.target_group = {engine.text(group)}" if len(staged.groups) > 1 else ""
        # A view, which two files are written from: the number of a visit is that of its row.
        run(
            f"CREATE OR REPLACE TEMP VIEW fresh_visits AS SELECT {first} + s.place AS visit, "
            f"s.person, {part['part']} AS part, s.reason, s.entered, s.ended, s.supplier, s.cost, "
            f"{engine.number(part['as_of'])} AS as_of, {engine.text(staged.source)} AS source, s.rid "
            f"FROM stage s {mine}"
        )
        change.next["visit"] += staged.rows
        visits = "SELECT * EXCLUDE (rid) FROM fresh_visits"
        of_somebody = f"{mine} {'AND' if mine else 'WHERE'} s.rsid IS NOT NULL"
        sessions = f"SELECT {first} + s.rowid AS visit, s.rid FROM stage_rows s {of_somebody}"
        if change.has("visits", name):
            self._keep_earlier(part)
            visits += " UNION ALL BY NAME SELECT * EXCLUDE (rid) FROM earlier"
            sessions += " UNION ALL BY NAME SELECT visit, rid FROM earlier"
        change.put("visits", name, visits)
        change.put("sessions", name, f"SELECT visit, CAST(rid AS VARCHAR) AS rid FROM ({sessions}) WHERE rid NOT NULL")
        run("DROP TABLE IF EXISTS earlier")

    def _keep_earlier(self, part: Part) -> None:
        """Make the table `earlier`: visits that the new report no longer has, as it may not reach back so far."""
        change, name = self._change, part_file(part)
        run = change.connection.execute
        run(
            "CREATE OR REPLACE TEMP TABLE earlier AS SELECT v.*, CAST(s.rid AS UUID) AS rid "
            f"FROM {change.file('visits', name)} v LEFT JOIN {change.file('sessions', name)} s ON s.visit = v.visit"
        )
        if self._track:
            self._find_changes(part)
        run(
            "DELETE FROM earlier e WHERE (e.rid IS NOT NULL AND e.rid IN (SELECT rid FROM fresh_visits WHERE rid IS "
            "NOT NULL)) OR (e.rid IS NULL AND EXISTS (SELECT 1 FROM fresh_visits f WHERE f.person = e.person AND "
            "f.entered IS NOT DISTINCT FROM e.entered))"
        )

    def _find_changes(self, part: Part) -> None:
        def strongest(table: str) -> str:
            return f"SELECT person, arg_min(reason, {rank_sql('reason')}) AS reason FROM {table} GROUP BY person"

        rows = self._change.run(
            f"SELECT coalesce(n.person, o.person), o.reason, n.reason FROM ({strongest('earlier')}) o "
            f"FULL JOIN ({strongest('fresh_visits')}) n ON n.person = o.person "
            "WHERE n.reason IS NOT NULL AND o.reason IS DISTINCT FROM n.reason ORDER BY 1"
        )
        for person, before, after in rows:
            change = {"wave": part["wave"], "part": part["part"], "person": person, "before": before, "after": after}
            self.changes.append(change)

    def _write_listed(self, part: Part) -> None:
        """Write who was on the list: what is known now beside what was, the surest word for each person."""
        change, name = self._change, part_file(part)
        rows = "SELECT k.person, n.state FROM names n JOIN known k ON k.rsid = n.rsid"
        if change.has("listed", name):
            rows += f" UNION ALL SELECT person, state FROM {change.file('listed', name)}"
        elif not change.run("SELECT count(*) FROM names")[0][0]:
            return
        visits = change.file("visits", name) if change.has("visits", name) else "(SELECT -1 AS person)"
        change.put(
            "listed",
            name,
            f"SELECT l.person, {part['part']} AS part, {surest_state('l.state')} AS state, "
            f"max(CASE WHEN v.person IS NULL THEN 0 ELSE 1 END) AS came FROM ({rows}) l "
            f"LEFT JOIN (SELECT DISTINCT person FROM {visits}) v ON v.person = l.person GROUP BY l.person",
        )

    def _write_attributes(self, part: Part, group: str | None, staged: StagedReport) -> None:
        """Keep the chosen columns of a report: at the completed visit of each person, else at the first."""
        if not staged.attributes:
            return
        change, mine = self._change, ""
        if len(staged.groups) > 1:
            mine = f"WHERE s.target_group = {engine.text(group)}"
        picks = " UNION ALL ".join(
            f"SELECT person, {engine.text(name)} AS name, arg_min(value, place) AS value FROM (SELECT s.person, "
            f"s.attribute_{place} AS value, (CASE s.reason WHEN 'completed' THEN 0 ELSE 1 END, s.entered) AS place "
            f"FROM stage s {mine}) WHERE value IS NOT NULL GROUP BY person"
            for place, name in enumerate(staged.attributes)
        )
        refuse_ids_in(change, picks)
        file = f"report-{part['part']}.parquet"
        if change.has("attributes", file):
            names = ", ".join(map(engine.text, staged.attributes))
            earlier = change.file("attributes", file)
            picks += f" UNION ALL SELECT person, name, value FROM {earlier} WHERE name NOT IN ({names})"
        change.put("attributes", file, f"SELECT person, {part['wave']} AS wave, name, value FROM ({picks})")

    def _write_parts(self) -> None:
        write_parts(self._change, self._parts)

    def _row(self, part: Part, *, new_people: int) -> Mapping[str, Any]:
        change, name = self._change, part_file(part)
        visits = people = 0
        states: dict[str, int] = {}
        if change.has("visits", name):
            # A bit for each number of a person: to count different numbers otherwise takes eight times as long.
            last = change.next["person"]
            visits, people = change.run(
                f"SELECT count(*), coalesce(bit_count(bitstring_agg(person, 0, {last})), 0) "
                f"FROM {change.file('visits', name)}"
            )[0]
        if change.has("listed", name):
            states = dict(change.run(f"SELECT state, count(*) FROM {change.file('listed', name)} GROUP BY state"))
        return {
            "wave": part["wave"],
            "part": part["part"],
            "name": part["name"],
            "visits": visits,
            "people": people,
            "new_people": new_people,
            "listed": sum(states.values()),
            "saved": states.get("saved", 0),
            "rejected": states.get("rejected", 0),
            "closed_by": part["closed_by"],
            "report": part["report"],
        }


# --- small things --------------------------------------------------------------------------------------------------


def part_file(part: Part) -> str:
    """Return the name of the files of a part."""
    return f"part-{part['part']}.parquet"


def write_parts(change: Transaction, parts: Sequence[Part]) -> None:
    """Write the table `parts`."""
    columns = list(TABLES["parts"])
    import pyarrow as pa

    # As one table: row by row it takes three milliseconds for each part.
    change.connection.register("part_rows", pa.table({each: [part[each] for part in parts] for each in columns}))
    change.put("parts", _PARTS_FILE, "SELECT * FROM part_rows ORDER BY part")
    change.connection.unregister("part_rows")


def ids_table(people: Respondents) -> Any:
    """Return ids as an Arrow table with one column of texts, each with its line end; nothing is copied per id."""
    import pyarrow as pa

    keys = people.id_array
    lines = id_array.to_lines(keys)
    width = id_array.LINE_BYTES
    offsets = pa.py_buffer(memoryview(_offsets(len(keys), width)))
    texts = pa.LargeStringArray.from_buffers(len(keys), offsets, pa.py_buffer(lines))
    return pa.table({"id": texts})


def _offsets(count: int, width: int) -> Any:
    return np.arange(0, (count + 1) * width, width, dtype=np.int64)


def refuse_ids_in(change: Transaction, rows: str) -> None:
    """Refuse attributes whose names or values are ids of respondents: those lie in two tables only.

    Raises:
        InputError: a name or a value is one, or holds one.
    """
    pattern = "[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}"
    found = change.run(
        f"SELECT name, count(*) FROM ({rows}) WHERE regexp_matches(value, {engine.text(pattern)}) "
        f"OR regexp_matches(name, {engine.text(pattern)}) GROUP BY name ORDER BY 1"
    )
    if found:
        raise InputError(
            f"The column {masked_repr(found[0][0])} holds ids of respondents, and no attribute may.",
            evidence={"values": found[0][1]},
            safe="nothing was added.",
            next_step="leave this column out.",
        )


def surest_state(column: str) -> str:
    """Return the surest of several words of `STATES` as an aggregate of SQL."""
    ranks = " ".join(f"WHEN '{word}' THEN {place}" for place, word in enumerate(STATES))
    words = " ".join(f"WHEN {place} THEN '{word}'" for place, word in enumerate(STATES))
    return f"CASE min(CASE {column} {ranks} END) {words} END"


def hash_sql(column: str, key: str) -> str:
    """Return the keyed hash of an id as SQL."""
    return f"substr(sha256(concat({engine.text(key)}, ':', CAST({column} AS VARCHAR))), 1, 32)"


def milliseconds(time: datetime | None) -> int | None:
    """Return a time in milliseconds since 1970 in UTC.

    Raises:
        InputError: it is in no year of which a calendar has the years around it.
    """
    if time is None:
        return None
    if not 1970 <= time.year <= 9000:
        raise InputError(
            f"{time.year} is no year in which a wave is fielded.",
            safe="nothing was added.",
            next_step="check the times of the wave: when it opened and closed, and when its report was read.",
        )
    return round(time.timestamp() * 1000)


def moment(milliseconds_since: int) -> datetime:
    """Return the time of some milliseconds since 1970 in UTC."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds_since)


def ten_thousandths(price: Money) -> int:
    """Return an amount in ten-thousandths of its currency."""
    return int(price.value * _MONEY_PARTS)


def _list_hash(addition: Addition) -> str | None:
    lists = {
        "saved": addition.record.saved,
        "uploaded": addition.record.uploaded,
        "rejected": addition.rejected,
    }
    found = [id_array.digest(id_array.in_order(each.id_array), salt=name) for name, each in lists.items() if each]
    return hashlib.sha256(" ".join(found).encode()).hexdigest()[:32] if found else None


def _least(*values: int | None) -> int | None:
    known = [value for value in values if value is not None]
    return min(known, default=None)


def _by_number(part: Part) -> int:
    return int(part["part"])
