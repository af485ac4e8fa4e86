"""A study on disk: its waves, its people and their visits, in files that anybody can read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import narwhals as nw
import pandas as pd

from cint_nb.caller_warnings import warn_caller
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import InputError, RespondentFileError
from cint_nb.domain.findings import Findings
from cint_nb.domain.ids import EntityType, LiveDisplay, format_count, mask_ids_in, masked_repr, printable
from cint_nb.domain.plan import Completes, Money, MoneyText
from cint_nb.history.adding import Added, Adder, Addition, milliseconds, moment
from cint_nb.history.checks import check_history
from cint_nb.history.cohort import Cohort, find_people
from cint_nb.history.engine import DuckDBReader, SparkReader, choose_reader
from cint_nb.history.erasure import Erasure, erase
from cint_nb.history.joining import Joined, join
from cint_nb.history.queries import attribute_kinds_sql, attributes_sql, long_sql
from cint_nb.history.staging import ReportChoices, digest_of_file, parse_codes
from cint_nb.history.storage import Manifest, Store
from cint_nb.history.tables import CLOSINGS, MISSING, WaveNumber
from cint_nb.history.waves import RecordedWave, ReportFile, WaveOpener, WaveRecord
from cint_nb.measure.dispositions import dispositions
from cint_nb.output_files import as_path
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.study.outcome.visit_reports import VisitReport
from cint_nb.study.readable_frame import ReadableFrame

REACH = timedelta(days=365)
"""How far back the exchange's reports reach."""
_MORE_ATTRIBUTES = "history.add(wave, attributes=[…]) keeps columns of the report, history.join(data) your own."
_FINAL, _MID_FIELD, _MISSING = "final", "mid-field", "report missing"
_READ_AGAIN, _UNCHANGED, _GONE, _OF_ANOTHER, _BEYOND = (
    "read again", "unchanged", "gone", "of another wave", "beyond reach",
)  # fmt: skip
_STAYS = {
    _GONE: "since the file of its report is gone or cannot be read",
    _OF_ANOTHER: "since its file holds a report of another wave now",
    _BEYOND: "beyond the twelve months reports reach back",
    "no client": "since history.refresh was given no client",
}
"""What is said of parts that could not be read again."""


@check_arguments(leave=("engine", "report", "data", "rule"))
class History(LiveDisplay):
    """A study on disk: who was asked in which wave, who came, and what became of each visit.

    Opened by `History.open`. It is a folder with six tables as Parquet files; ids of respondents lie in two of them,
    `people` and `sessions`, and everywhere else a person is a number. Each change writes a new version, whole or not at
    all; several kernels take turns. Nothing is read before it is asked for.

    ```python
    history = cint.History.open("brand-tracker")
    history.add(first)  # a wave: its report, its list, when it was open and why it closed
    people = history.cohort(completed=1).respondents()
    cint.measure.retention(history.long())
    ```

    Args:
        folder: The folder; made when the first wave is added.
        engine: What runs the queries: a DuckDB connection, or a Spark session; None for a DuckDB of its own.
        now: The time; the system's if omitted.

    Example:
        >>> print(history)
        <History: brand-tracker · 1 part · 57 people · 16 visits · version 1 · DuckDB>
    """

    def __init__(self, folder: Path, *, engine: Any = None, now: Callable[[], datetime] | None = None) -> None:
        self._store = Store(folder)
        self._reader = choose_reader(engine)
        self._own_reader: DuckDBReader | None = self._reader if isinstance(self._reader, DuckDBReader) else None
        self._now = now or (lambda: datetime.now(UTC))

    @classmethod
    def open(cls, folder: str | Path, *, engine: Any = None) -> Self:
        """Open a history, or begin one; nothing is read or written yet.

        Args:
            folder: Its folder; a new one is made when the first wave is added.
            engine: A DuckDB connection of yours, whose tables can then be joined with what `long` returns; or a Spark
                session, which reads the same files. None for a DuckDB of its own.

        Raises:
            InputError: the folder holds something else, or the engine is neither.
            HistoryError: the history is damaged, or of a newer cint_nb.

        Example:
            >>> history = cint.History.open("study")
            >>> print(history)
            <History: study · nothing added yet>
        """
        return cls(as_path(folder), engine=engine)

    # --- what is there --------------------------------------------------------------------------------------------

    @property
    def folder(self) -> Path:
        """The folder."""
        return self._store.folder

    @property
    def version_folder(self) -> Path:
        """The folder of the present version: one folder of Parquet files for each table.

        `pandas.read_parquet(history.version_folder / "visits")` reads one. The next but one change removes it.

        Raises:
            InputError: nothing was added yet.
        """
        return self._store.version_folder(self._manifest().version)

    @property
    def version(self) -> int:
        """The number of the present version: each change makes a new one. 0 before anything was added."""
        return self._store.manifest().version

    @property
    def waves(self) -> list[int]:
        """The numbers of its waves."""
        if not self._store.manifest().version:
            return []
        reader = self._duckdb()
        rows = reader.rows(f"SELECT DISTINCT wave FROM {reader.table(self.version_folder / 'parts')} ORDER BY wave")
        return [wave for (wave,) in rows]

    def parts(self) -> pd.DataFrame:
        """Return what each wave consists of: one row per target group.

        Returns:
            A frame: `wave`, `part`, `name`, `target_group`, `locale`; `open_from` and `open_until`, times in UTC;
            `closed_by`: `end`, `goal`, `hand` (by somebody), `pause`, `open` or `not_known`; `goal`, `price` of a
            complete and its `currency`; `listed` ids, `saved` and `rejected` of them; `visits`, `people` who came and
            `completes`, missing where the report is; `as_of`, when the report was read; `state`: `final`, `mid-field`
            (the report was read while people could enter) or `report missing` (who came is not known).

        Example:
            >>> history.parts()[["wave", "name", "goal", "saved", "visits", "people", "state"]]
               wave             name  goal  saved  visits  people  state
            0     1  Tracker, wave 1    20     56      16      16  final
        """
        rows = ReadableFrame(self._part_rows())
        for column in ("open_from", "open_until", "as_of"):
            rows[column] = pd.to_datetime(rows[column], unit="ms", utc=True)
        rows["price"] = rows["price"] / 10_000
        came = ["visits", "people", "completes"]
        rows[came] = rows[came].astype("Int64").mask(rows["report"] == MISSING)
        is_early = (rows["closed_by"] == "open") | (rows["as_of"] < rows["open_until"])
        rows["state"] = [
            _MISSING if report == MISSING else _MID_FIELD if early else _FINAL
            for report, early in zip(rows["report"], is_early, strict=True)
        ]
        return rows.drop(columns="report")

    def _part_rows(self) -> pd.DataFrame:
        folder, reader = self.version_folder, self._duckdb()
        listed, visits = reader.table(folder / "listed"), reader.table(folder / "visits")
        return reader.frame(
            "SELECT p.wave, p.part, p.name, p.target_group, p.locale, p.open_from, p.open_until, p.closed_by, p.goal, "
            "p.price, p.currency, coalesce(l.listed, 0) AS listed, coalesce(l.saved, 0) AS saved, "
            "coalesce(l.rejected, 0) AS rejected, coalesce(v.visits, 0) AS visits, coalesce(v.people, 0) AS people, "
            "coalesce(v.completes, 0) AS completes, p.as_of, p.report "
            f"FROM {reader.table(folder / 'parts')} p LEFT JOIN (SELECT part, count(*) AS listed, "
            "count(*) FILTER (state = 'saved') AS saved, count(*) FILTER (state = 'rejected') AS rejected "
            f"FROM {listed} GROUP BY part) l ON l.part = p.part LEFT JOIN (SELECT part, count(*) AS visits, "
            "count(DISTINCT person) AS people, count(DISTINCT person) FILTER (reason = 'completed') AS completes "
            f"FROM {visits} GROUP BY part) v ON v.part = p.part "
            "ORDER BY p.wave, p.part"
        )

    def check(self) -> Findings:
        """Check whether every file is as it was written, the tables fit together, and no id is where none may be.

        Returns:
            Findings, the most serious first: `block` for damage, `warn` for what makes measures provisional or unknown.

        Example:
            >>> print(history.check())
            <Findings: 0 block, 0 warn, 0 note>
        """
        self._duckdb()
        return Findings.of(check_history(self._store, self._store.manifest()))

    def expiring(self, *, within_days: float = 60, now: datetime | None = None) -> pd.DataFrame:
        """Return the waves whose reports the exchange will soon no longer give: they reach back twelve months.

        Args:
            within_days: How soon, in days.
            now: The time to count from; that of this computer if omitted, or of the last report where that is later.
                On the sandbox pass `client.clock.now()`.

        Returns:
            A frame: `wave`, `part`, `name`, `state` (see `parts`), `as_of`, `expires` (when its first visits fall out
            of reach, in UTC), `days_left`. Those that expire first come first; below 0 where it has begun.

        Example:
            >>> later = client.clock.now() + timedelta(days=330)
            >>> history.expiring(now=later)[["wave", "name", "days_left"]]
               wave             name  days_left
            0     1  Tracker, wave 1  31.999234
        """
        rows = self.parts()
        # Of a sandbox, which is ahead of this computer, the last report is the nearest that is known
        latest = now or max([self._now(), *rows["as_of"].dropna()])
        moment_now = pd.Timestamp(latest).tz_convert("UTC")
        rows["expires"] = rows["open_from"] + REACH
        rows["days_left"] = (rows["expires"] - moment_now).dt.total_seconds() / 86_400
        rows = rows[rows["days_left"] <= within_days].sort_values("days_left")
        return rows[["wave", "part", "name", "state", "as_of", "expires", "days_left"]].reset_index(drop=True)

    # --- adding ---------------------------------------------------------------------------------------------------

    def add(
        self,
        *waves: RecordedWave,
        wave: WaveNumber | None = None,
        codes: Mapping[int | str, str] | None = None,
        attributes: Sequence[str] = (),
    ) -> Added:
        """Read a wave and keep it: its report, who was on its list, when it was open and why it closed.

        It may be repeated: visits are known by their RIDs, and the same report changes nothing. While the wave is in
        the field it is marked so, until it is added or refreshed again.

        Args:
            waves: One, or several target groups of one wave.
            wave: Number of the wave; by its opening if omitted. It never changes.
            codes: What status codes or words mean that are not Cint's, such as `{301: "screened"}`.
            attributes: Columns of the report whose values are kept for each person.

        Returns:
            What was added, with notes about what is not known.

        Raises:
            InputError: it opened before an earlier wave; a status is unknown; it has another number already.
            InvalidState: it was never launched.
            HistoryBusy: another process writes the history for minutes.

        Example:
            >>> history = cint.History.open("study")
            >>> print(history.add(closed))
            <Added: wave 1 (Tracker, wave 1): 16 visits of 16 people, 57 listed, closed by hand>
        """
        if not waves:
            raise InputError("There is no wave to add.", next_step="write history.add(wave).")
        records = [each.history_record(answers=bool(attributes) or None) for each in waves]
        number = wave
        if number is None and len(records) > 1:
            number = self._number_together(records)
        choices = parse_codes(codes)
        additions = [
            Addition(each, each.report, ReportChoices(name=each.name, codes=choices, attributes=tuple(attributes)))
            for each in records
        ]
        return self._add(additions, number)

    def add_report(
        self,
        report: Any,
        *,
        name: str | None = None,
        wave: WaveNumber | None = None,
        waves: Mapping[str, WaveNumber] | None = None,
        target_group: str | None = None,
        opened: datetime | None = None,
        closed: datetime | None = None,
        closed_by: str = "not_known",
        as_of: datetime | None = None,
        listed: Respondents | None = None,
        rejected: Respondents | None = None,
        goal: Completes | None = None,
        price: MoneyText | Money | None = None,
        locale: str | None = None,
        rsid: str | None = None,
        rid: str | None = None,
        status: str | None = None,
        all_complete: bool = False,
        codes: Mapping[int | str, str] | None = None,
        attributes: Sequence[str] = (),
    ) -> Added:
        """Keep a report from elsewhere, or from before there was a history.

        A report of a project with several target groups becomes one part for each; those the history does not know are
        waves of their own, numbered by their first visits unless `waves` says otherwise.

        Args:
            report: A path, bytes, a DataFrame, or a `VisitReport`, as for `read_report`.
            name: Name of the wave; that of the file if omitted.
            wave: Its number; by its opening if omitted.
            waves: For a report of several target groups, the number of the wave of each.
            target_group: Id of the one whose visits are kept.
            opened: When the first people could enter.
            closed: When it closed, or will close.
            closed_by: Why: `end`, `goal`, `hand`, `pause`, `open` or `not_known`.
            as_of: When the report was read; its last visit if omitted.
            listed: Whom it recontacted: the RSIDs that were saved. None for new people.
            rejected: RSIDs that were uploaded and not saved.
            goal: How many completes it asked for.
            price: Of a complete.
            locale: Such as `ger_de`.
            rsid: Name of the RSID column, where several could be meant.
            rid: Name of the RID column.
            status: Name of the status column.
            all_complete: Whether every row is a complete.
            codes: What status codes or words mean that are not Cint's.
            attributes: Columns of the report whose values are kept for each person.

        Returns:
            What was added.

        Raises:
            RespondentFileError: the report cannot be read; the message says what to pass.
            InputError: waves would be in another order than they opened, the report is in the history as another
                wave, or a status is unknown.
            HistoryBusy: another process writes the history for minutes.

        Example:
            >>> history = cint.History.open("study")
            >>> added = history.add_report(report, name="Wave 1", as_of=client.clock.now())
            >>> print(history)
            <History: study · 1 part · 16 people · 16 visits · version 1 · DuckDB>
        """
        if closed_by not in CLOSINGS:
            raise InputError(
                f"closed_by cannot be {masked_repr(closed_by, 40)}.", next_step=f"use one of {', '.join(CLOSINGS)}."
            )
        for each in (listed, rejected):
            if each is not None and each.entity_type is not EntityType.RSID:
                raise RespondentFileError(
                    "A list of RIDs names visits, and a history follows people.",
                    next_step="bring it to RSIDs first: report.crosswalk().to_rsids(people).",
                )
        record = WaveRecord(
            name=name or _name_of(report),
            project=None,
            target_group=target_group,
            read_at=as_of,
            locale=locale,
            opened=opened,
            closed=closed,
            closed_by=closed_by,
            goal=goal,
            price=None if price is None else Money.parse(price),
            saved=listed,
        )
        choices = ReportChoices(
            rsid, rid, status, all_complete, parse_codes(codes), tuple(attributes), name=record.name
        )
        addition = Addition(record, report, choices, dict(waves or {}), rejected, "file", is_named=name is not None)
        return self._add([addition], wave)

    def refresh(self, client: WaveOpener | None = None) -> pd.DataFrame:
        """Read again what can be read again, and say who changed: waves of a client, and files of reports.

        Completes are rejected and accepted for weeks after a wave; reports reach back twelve months. A file that
        `add_report` read is read again, in the same way, if its content is another one now. All of it counts, or
        nothing.

        Args:
            client: Opens the waves by their names; not needed where all reports came from files.

        Returns:
            A frame without ids: `wave`, `part`, `person`, `before` and `after`: what became of the person, missing
            where there was no visit before. Its `attrs["parts"]` says of each part `read again`, `unchanged` (its
            file), `gone` (its file), `of another wave` (what is in its file now), `beyond reach`, `no client` or
            `no file`; with the last five it stays as it was read.

        Raises:
            InputError: nothing can be read again, or the waves came from a client, and none is given.
            RespondentFileError: a file is no report any more.
            HistoryBusy: another process writes the history for minutes.

        Example:
            >>> client.pass_time(days=2)
            >>> changed = history.refresh(client)
            >>> len(changed), changed.attrs["parts"]
            (0, {1: 'read again'})
        """
        reader, manifest = self._duckdb(), self._manifest()
        rows = reader.rows(
            "SELECT part, name, CASE WHEN origin = 'wave' THEN project END, open_from, coalesce(open_until, open_from) "
            f"FROM {reader.table(self._store.version_folder(manifest.version) / 'parts')} ORDER BY wave, part"
        )
        names = {part: name for part, name, *_ in rows}
        from_client = [row for row in rows if row[2] is not None]
        files = {int(part): ReportFile.from_manifest(found) for part, found in manifest.reports.items()}
        if not files and (client is None or not from_client):
            raise InputError(
                "No report of the history came from a file that is remembered, and its waves came from a client."
                if from_client
                else "No wave of the history came from a client, and no report from a file that is remembered.",
                next_step="write history.refresh(client)."
                if from_client
                else "add the new report of each wave: history.add_report(file, name=…).",
            )
        states = {part: "no client" if project else "no file" for part, _, project, *_ in rows}
        additions = self._again_from_files(files, names, states)
        if client is not None:
            additions += self._again_from_client(client, from_client, states)
        added = self._add(additions, None, track=True)
        states |= dict.fromkeys(added.of_another, _OF_ANOTHER)
        for state, sentence in _STAYS.items():
            found = [names[part] for part, each in states.items() if each == state]
            if found:
                shown = mask_ids_in(", ".join(found[:5]))
                warn_caller(f"{format_count(len(found), 'wave stays', 'waves stay')} as read, {sentence}: {shown}.")
        changes = ReadableFrame(list(added.changes), columns=["wave", "part", "person", "before", "after"])
        changes.attrs["parts"] = states
        return changes

    def _again_from_client(
        self, client: WaveOpener, rows: Sequence[tuple[Any, ...]], states: dict[int, str]
    ) -> list[Addition]:
        now = client.clock.now()
        records = []
        for part, name, project, opened, closed in rows:
            if closed is not None and now - moment(closed) > REACH:
                states[part] = _BEYOND
                continue
            begins = now - REACH + timedelta(days=1)
            start = begins.date() if opened is not None and moment(opened) < begins else None
            records.append(client.wave(name, project=project).history_record(start=start))
            states[part] = _READ_AGAIN
        return [Addition(each, each.report, ReportChoices(name=each.name)) for each in records]

    def _again_from_files(
        self, files: Mapping[int, ReportFile], names: Mapping[int, str], states: dict[int, str]
    ) -> list[Addition]:
        """Return the files whose content is another one now, each once for all its parts; note what the others are."""
        parts: dict[Path, list[int]] = {}
        for part, file in files.items():
            parts.setdefault(file.place(self.folder), []).append(part)
        additions = []
        for path, numbers in parts.items():
            try:
                digest = digest_of_file(path)
            except OSError:
                states |= dict.fromkeys(numbers, _GONE)
                continue
            states |= dict.fromkeys(numbers, _UNCHANGED)
            changed = [number for number in numbers if files[number].sha256 != digest]
            states |= dict.fromkeys(changed, _READ_AGAIN)
            for group in dict.fromkeys(files[number].target_group for number in changed):
                again = tuple(number for number in changed if files[number].target_group == group)
                choices = ReportChoices(**files[again[0]].choices)
                name = names[again[0]] if len(again) == 1 else choices.name or names[again[0]]
                record = WaveRecord(name, project=None, target_group=group, read_at=None)
                additions.append(Addition(record, path, choices, origin="file", again=again))
        return additions

    def _add(self, additions: Iterable[Addition], wave: int | None, *, track: bool = False) -> Added:
        with self._store.writing(self._now) as change:
            adder = Adder(change, wave, track=track)
            for each in additions:
                adder.add(each)
            added = adder.finish()
        for text in added.notes:
            warn_caller(text)
        return added

    def _number_together(self, records: Sequence[WaveRecord]) -> int | None:
        """Return the number for target groups that are added as one wave; None if one of them has a number already."""
        if not self._store.manifest().version:
            return 1
        known = self._part_rows()
        groups = set(known["target_group"])
        if any(each.target_group in groups for each in records):
            ours = known["target_group"].isin([each.target_group for each in records])
            found = sorted(map(int, known.loc[ours, "wave"].unique()))
            return found[0] if len(found) == 1 else None
        return int(known["wave"].max()) + 1

    # --- reading --------------------------------------------------------------------------------------------------

    def long(self, *columns: str) -> Any:
        """Return one row per visit, and one per listed person without a visit: what the functions of `measure` take.

        Args:
            columns: More columns, to group by: `country`, `language`, `locale`, `wave_name`, `target_group` of the
                part, or names of attributes; `not_known` where they are not.

        Returns:
            A query of the engine, a DuckDB relation or a Spark DataFrame, which runs when it is used; `.df()` or
            `.toPandas()` makes it a pandas frame. Columns: `person`, `wave`, `part`; `reason`, missing for a listed
            person who did not come; `entered`, `ended`, `open_from`, `open_until`, `as_of` in milliseconds since 1970
            in UTC; `closed_by`, `supplier`; `cost` in ten-thousandths of the currency.

        Raises:
            InputError: there is no such column, or nothing was added yet.

        Example:
            >>> table = history.long().df()
            >>> sorted(table["reason"].value_counts().items())
            [('completed', 13), ('dropped', 1), ('rejected', 1), ('screened', 2)]
        """
        return self._long(self._reader, columns)

    def _long(self, reader: DuckDBReader | SparkReader, columns: Sequence[str]) -> Any:
        manifest = self._manifest()
        folder = self._store.version_folder(manifest.version)
        if isinstance(reader, DuckDBReader):
            reader.make_room(manifest.rows("visits") + manifest.rows("listed"))
        known = set(self._attribute_kinds()) if any(columns) else set()
        return reader.query(long_sql(reader, folder, columns, known, erased=bool(manifest.erased)))

    def wide(self) -> Any:
        """Return one row per person and one column per wave, with the word for what became of the person in it.

        Returns:
            A query of the engine, as `long`. Columns: `person`, then `wave 1` and so on, with the words of
            `measure.dispositions`; `not_asked` where the history has nothing about the person in that wave.

        Raises:
            InputError: nothing was added yet.

        Example:
            >>> history.wide().df().head(4)
               person   wave 1
            0       1  cut_off
            1       2  cut_off
            2       3  cut_off
            3       4  dropped
        """
        frame = nw.from_native(dispositions(self._long(self._reader, ()))).lazy()
        cells = [
            nw.when(nw.col("wave") == wave).then(nw.col("disposition")).max().alias(f"wave {wave}")
            for wave in self.waves
        ]
        table = frame.group_by("person").agg(*cells)
        filled = table.with_columns(
            **{f"wave {wave}": nw.col(f"wave {wave}").fill_null("not_asked") for wave in self.waves}
        )
        return filled.sort("person").to_native()

    def attributes(self, *names: str, before: int | None = None, words: Collection[str] = ()) -> Any:
        """Return what is known about people: one row per person, one column per attribute, the latest value of each.

        Args:
            names: The attributes; all if omitted.
            before: Only what was known from waves before this one, as `measure.contrast` should see it.
            words: Attributes that are words although all their values are numbers, such as codes of regions.

        Returns:
            A query of the engine, as `long`. Columns: `person`, then the attributes; those whose values are all numbers
            are numbers.

        Raises:
            InputError: there is no such attribute.

        Example:
            >>> rids = closed.report().visits(reveal=True)["Response ID (RID)"]
            >>> answers = pd.DataFrame({"RID": rids, "satisfaction": [number % 5 for number in range(len(rids))]})
            >>> joined = history.join(answers)
            >>> history.attributes("satisfaction").df().head(3)
               person  satisfaction
            0       4           2.0
            1      21           2.0
            2      25           0.0
        """
        kinds = self._attribute_kinds()
        for name in [*names, *words]:
            if name not in kinds:
                raise InputError(
                    f"There is no attribute {masked_repr(name)}.",
                    evidence={"there are": masked_repr(sorted(kinds), 300)},
                    next_step=_MORE_ATTRIBUTES,
                )
        chosen = list(names or kinds)
        if not chosen:
            raise InputError(
                "The history knows no attributes.",
                next_step=_MORE_ATTRIBUTES,
            )
        numeric = [name for name in chosen if kinds[name] and name not in words]
        return self._reader.query(attributes_sql(self._reader, self.version_folder, chosen, numeric, before))

    def _attribute_kinds(self) -> dict[str, bool]:
        reader = self._duckdb()
        rows = reader.rows(attribute_kinds_sql(reader, self.version_folder))
        return {name: bool(is_number) for name, is_number in rows}

    def cohort(
        self,
        rule: Any = None,
        *,
        completed: int | Collection[int] | None = None,
        not_completed: int | Collection[int] | None = None,
    ) -> Cohort:
        """Return the people who fit a rule; `respondents()` of it is a list for the next wave.

        ```python
        history.cohort(completed=1)
        history.cohort({1: "completed", 2: ["absent", "cut_off", "dropped"]})
        history.cohort(cint.measure.select(history.long(), min_done=2))
        ```

        Args:
            rule: For each wave that matters a word of `measure.dispositions`, or several; or a frame with a column
                `person`, of which the rows with 1 in `kept` count where it has that.
            completed: Waves that they completed.
            not_completed: Waves that they did not, whether they were asked or not.

        Raises:
            InputError: a wave or a word does not exist, or there is no rule.

        Example:
            >>> print(history.cohort(completed=1))
            <Cohort: 13 people · wave 1: completed>
            >>> len(history.cohort(completed=1).respondents())
            13
        """
        reader, folder = self._duckdb(), self.version_folder
        words = {"completed": completed, "not_completed": not_completed}
        people, said = find_people(reader, folder, self._long(reader, ()), rule, self.waves, words)
        return Cohort(people, lambda: self.version_folder, said)

    # --- people ---------------------------------------------------------------------------------------------------

    def join(
        self, data: Any, on: str = "RID", *, wave: WaveNumber | None = None, columns: Sequence[str] | None = None
    ) -> Joined:
        """Keep answers of your own survey data as attributes of the people who gave them.

        Args:
            data: A DataFrame of any library, or a list of mappings: one row per interview.
            on: Name of the column with the RIDs, or the RSIDs if its name says so.
            wave: The wave; known of RIDs, needed for RSIDs.
            columns: Which columns to keep; all others if omitted. None may hold ids.

        Returns:
            What matched and what did not; `unmatched()` of it shows the rows.

        Raises:
            InputError: a column is missing or holds ids of respondents, or RSIDs were given without a wave.
            RespondentFileError: nobody in the data is in the history, or ids are masked.
            HistoryBusy: another process writes the history for minutes.

        Example:
            >>> rids = closed.report().visits(reveal=True)["Response ID (RID)"]
            >>> answers = pd.DataFrame({"RID": rids, "satisfaction": [number % 5 for number in range(len(rids))]})
            >>> print(history.join(answers))
            <Joined: 16 matched · 1 attribute>
        """
        self._manifest()
        with self._store.writing(self._now) as change:
            return join(change, data, on, wave, columns)

    def erase(self, people: Respondents | Cohort | Iterable[str] | str) -> Erasure:
        """Erase people: their ids, the ids of their visits, and their attributes, in all versions; counts stay.

        Afterwards every file in the folder is decoded and searched for their ids, as texts and in their 16-byte forms;
        the same search has to find them before. They are not imported again: keyed hashes of their ids keep them out,
        which are personal data too as long as the key lies beside them.

        Args:
            people: Their RSIDs.

        Returns:
            What was erased, and what was searched.

        Raises:
            InputError: none of them is in the history, or they are RIDs.
            HistoryError: the search does not find them before, or finds one of them afterwards.
            HistoryBusy: another process writes the history for minutes.

        Example:
            >>> gone = history.cohort(completed=1).respondents().sample(1)
            >>> print(history.erase(gone))
            <Erasure: 1 person · 1 visit without ids · found in 2 files before, in none of 9 afterwards>
        """
        self._manifest()
        if isinstance(people, Cohort):
            people = people.respondents()
        if not isinstance(people, Respondents):
            given = [people] if isinstance(people, str) else list(people)
            people = read_respondents(given, entity_type=EntityType.RSID)
        if people.entity_type is not EntityType.RSID:
            raise InputError("RIDs name visits, and people are erased.", next_step="pass the RSIDs of these people.")
        self._release()
        with self._store.writing(self._now) as change:
            read = change.run(f"SELECT max(as_of) FROM {change.table('parts')}")[0][0] or 0
            now = max(milliseconds(self._now()) or 0, read)  # a sandbox is ahead of this computer
            return erase(change, people, now)

    # --- inside ---------------------------------------------------------------------------------------------------

    def _manifest(self) -> Manifest:
        manifest = self._store.manifest()
        if not manifest.version:
            raise InputError(
                "Nothing was added to this history yet.",
                evidence={"folder": mask_ids_in(self.folder.name)},
                next_step="history.add(wave) adds a wave, history.add_report(file) a report from elsewhere.",
            )
        return manifest

    def _duckdb(self) -> DuckDBReader:
        if self._own_reader is None:
            self._own_reader = DuckDBReader()
        return self._own_reader

    def _release(self) -> None:
        """Forget what our own connection may hold of files that are about to be removed."""
        if self._own_reader is not None:
            self._own_reader.forget()

    @printable
    def __repr__(self) -> str:
        """Show folder, version and counts as the manifest has them, without ids; nothing else is read."""
        manifest = self._store.manifest()
        if not manifest.version:
            return f"<History: {mask_ids_in(self.folder.name)} · nothing added yet>"
        return (
            f"<History: {mask_ids_in(self.folder.name)} · {format_count(manifest.rows('parts'), 'part')} · "
            f"{format_count(manifest.rows('people'), 'person', 'people')} · "
            f"{format_count(manifest.rows('visits'), 'visit')} · version {manifest.version} · "
            f"{self._reader!r}>"
        )


def _name_of(report: Any) -> str:
    """Return a name for a report: of the file or the wave."""
    if isinstance(report, VisitReport):
        return report.name or "report"
    return mask_ids_in(Path(report).stem) if isinstance(report, str | Path) else "report"
