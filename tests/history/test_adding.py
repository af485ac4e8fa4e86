"""Waves in, rows out: every listed person has a row, what is not known stays so, and nothing counts twice."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from cint_nb.domain.errors import CintError, CintWarning, InputError, RespondentFileError
from cint_nb.history import staging
from cint_nb.history.history import History
from cint_nb.measure.dispositions import dispositions
from cint_nb.measure.flow import flow
from cint_nb.measure.retention import retention
from cint_nb.study.files.respondents import read_respondents
from cint_nb.study.outcome.visit_reports import read_report
from tests.history.studies import (
    FIRST,
    HEADER,
    OPENED,
    SECOND,
    content,
    long,
    people,
    quiet,
    report,
    rid,
    rows,
    rsid,
    table,
    times,
    two_waves,
)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return two_waves(tmp_path)


def words(history: History, wave: int) -> list[str]:
    found = dispositions(history.long()).df()
    return sorted(found.loc[found["wave"] == wave, "disposition"])


def test_everybody_on_the_list_has_a_row_also_who_never_came(history: History) -> None:
    assert words(history, 1) == ["completed"] * 4 + ["screened"] * 2
    assert words(history, 2) == ["completed", "dropped", "quality", "rejected"]


def test_rates_are_of_the_saved_ids_not_of_the_uploaded(history: History) -> None:
    second = retention(history.long()).iloc[1]
    assert (second["n"], second["completed"], second["closed_by"]) == (3, 1, "end")


def test_long_is_exactly_what_the_measures_take(history: History) -> None:
    assert history.long().columns == [
        "person", "wave", "part", "reason", "entered", "ended", "open_from", "open_until", "as_of", "closed_by",
        "supplier", "cost",
    ]  # fmt: skip
    boxes = flow(history.long())
    second = boxes[boxes["wave"] == 2].set_index("box")["n"]
    assert (second["listed"], second["asked"], second["rejected"], second["not_asked"]) == (4, 3, 1, 2)


def test_times_and_costs_are_whole_numbers(history: History) -> None:
    first = history.long().filter("wave = 1 AND reason = 'completed'").order("entered").limit(1).df().iloc[0]
    opened = round(OPENED.timestamp() * 1000)
    assert (first["entered"], first["ended"]) == (opened + 60_000, opened + 600_000)
    assert (first["open_from"], first["open_until"]) == (opened, opened + 14 * 86_400_000)
    assert first["cost"] == 27_500
    assert set(history.long().filter("reason <> 'completed'").df()["cost"].dropna()) == {0}  # a price is of a complete


def test_a_table_read_by_anybodys_pandas_is_the_table(history: History) -> None:
    visits = pd.read_parquet(history.version_folder / "visits")
    assert len(visits) == len(FIRST) + len(SECOND)
    assert set(visits.dtypes.map(str)) <= {"int64", "int32", "str", "object"}


def test_ids_are_in_two_tables_only(history: History) -> None:
    for name in ("parts", "listed", "visits", "attributes"):
        shown = str(table(history, name))
        assert not any(rsid(each) in shown or rid(1, each) in shown for each in range(7))
    assert rsid(1) in str(table(history, "people"))
    assert rid(1, 1) in str(table(history, "sessions"))


def test_the_same_report_again_changes_nothing(tmp_path: Path, history: History) -> None:
    before = (history.version_folder, long(history))
    added = history.add_report(tmp_path / "wave-1.csv", name="first", **times(1))
    assert not added.changed
    assert (history.version_folder, long(history)) == before


def test_a_later_report_adds_to_the_earlier_one(tmp_path: Path, history: History) -> None:
    later = report(tmp_path, [(1, 10), (4, 20), (7, 10)], wave=2, name="later")
    history.add_report(later, name="second", **times(2))
    assert words(history, 2) == ["completed", "completed", "dropped", "quality", "screened"]
    assert len(table(history, "visits")) == len(FIRST) + len(SECOND) + 2


def test_a_complete_that_was_rejected_later_is_no_complete(tmp_path: Path, history: History) -> None:
    history.add_report(report(tmp_path, [(1, 26), (2, 30), (3, 1)], wave=2, name="later"), name="second", **times(2))
    assert words(history, 2) == ["dropped", "quality", "reconciled", "rejected"]


def test_a_report_of_another_wave_again_is_refused(tmp_path: Path, history: History) -> None:
    before = long(history)
    with pytest.raises(InputError, match=r"of wave 2 \(second\), not of 'third'"):
        history.add_report(tmp_path / "wave-2.csv", name="third", **times(3))
    with pytest.raises(InputError, match=r"of wave 2 \(second\), not of 'first'"):  # their files were swapped
        history.add_report(tmp_path / "wave-2.csv", name="first", **times(1))
    nameless = pd.read_csv(tmp_path / "wave-2.csv", dtype=str).drop(columns="Target Group ID")
    history.add_report(nameless, name="third", **times(3))
    with pytest.raises(InputError, match="already, as that of wave 3"):
        history.add_report(nameless, name="fourth", **times(4))
    assert len(long(history)) == len(before) + len(SECOND)


def test_swapped_waves_are_refused(tmp_path: Path) -> None:
    history = History.open(tmp_path / "study")
    history.add_report(report(tmp_path, SECOND, wave=2), name="second", **times(2))
    with pytest.raises(InputError, match=r"Wave 2 \(first\) opened before wave 1 \(second\)") as refused:
        history.add_report(report(tmp_path, FIRST), name="first", **times(1))
    assert "in the order in which they opened" in str(refused.value)
    assert len(table(history, "parts")) == 1


def test_waves_without_times_are_in_the_order_of_their_visits(tmp_path: Path) -> None:
    history = History.open(tmp_path / "study")
    as_of = times(2)["as_of"]
    history.add_report(report(tmp_path, SECOND, wave=2), name="second", as_of=as_of)
    with pytest.raises(InputError, match="opened before"):
        history.add_report(report(tmp_path, FIRST), name="first", as_of=as_of)


def test_a_number_given_keeps_the_order_when_waves_come_late(tmp_path: Path) -> None:
    history = History.open(tmp_path / "study")
    history.add_report(report(tmp_path, SECOND, wave=2), name="second", wave=2, **times(2))
    history.add_report(report(tmp_path, FIRST), name="first", wave=1, **times(1))
    assert history.parts()["name"].tolist() == ["first", "second"]
    with pytest.raises(InputError, match="never changes"):
        history.add_report(report(tmp_path, SECOND, wave=2), name="second", wave=3, **times(2))


def test_several_target_groups_are_one_wave(tmp_path: Path, history: History) -> None:
    more = tmp_path / "more.csv"
    more.write_bytes(content(rows([(11, 10), (12, 20)], wave=2, group="another group")))
    history.add_report(more, name="second, youth", wave=2, listed=people([11, 12, 13]), **times(2))
    assert history.waves == [1, 2]
    assert history.parts()["wave"].tolist() == [1, 2, 2]
    assert retention(history.long())["n"].tolist() == [6, 6]  # and the rejected one is in no denominator


def test_the_report_of_a_project_is_split_into_its_waves(tmp_path: Path) -> None:
    history = History.open(tmp_path / "study")
    whole = tmp_path / "project.csv"
    whole.write_bytes(content([*rows(SECOND, wave=2), *rows(FIRST)]))
    added = history.add_report(whole, name="project", as_of=times(2)["as_of"])
    assert added.frame()[["wave", "visits"]].to_numpy().tolist() == [[1, 6], [2, 3]]
    assert history.parts()["target_group"].tolist() == ["group-1", "group-2"]
    assert not history.add_report(whole, name="project", as_of=times(2)["as_of"]).changed


def test_the_report_of_a_project_goes_to_the_waves_that_are_known(tmp_path: Path, history: History) -> None:
    whole = tmp_path / "project.csv"
    whole.write_bytes(content([*rows([*FIRST, (8, 10)]), *rows(SECOND, wave=2)]))
    history.add_report(whole, name="project", as_of=times(2)["as_of"])
    assert history.parts()["name"].tolist() == ["first", "second"]
    assert words(history, 1).count("completed") == 5


def test_target_groups_of_a_project_can_be_one_wave(tmp_path: Path) -> None:
    history = History.open(tmp_path / "study")
    whole = tmp_path / "project.csv"
    whole.write_bytes(content([*rows(FIRST), *rows([(9, 10)], wave=1, group="youth")]))
    history.add_report(whole, waves={"group-1": 1, "youth": 1}, as_of=times(1)["as_of"])
    assert history.waves == [1]
    with pytest.raises(InputError, match="not in the report"):
        history.add_report(whole, waves={"elderly": 1}, as_of=times(1)["as_of"])


def test_a_report_read_in_mid_field_is_marked_until_it_is_read_again(tmp_path: Path, history: History) -> None:
    third = report(tmp_path, [(1, 10)], wave=3)
    history.add_report(third, name="third", listed=people([1, 2]), **times(3, closed_by="open", read_after=0.25))
    assert history.parts()["state"].tolist() == ["final", "final", "mid-field"]
    assert "mid-field-report" in history.check().rules()
    assert retention(history.long())["kind"].tolist()[2] == "provisional"
    history.add_report(third, name="third", listed=people([1, 2]), **times(3))
    assert history.parts()["state"].tolist()[2] == "final"


def test_a_goal_stopped_wave_is_cut_off_not_attrition(tmp_path: Path) -> None:
    history = History.open(tmp_path / "study")
    history.add_report(report(tmp_path, [(1, 10)]), listed=people([1, 2, 3]), **times(1, days=0.5, closed_by="goal"))
    assert words(history, 1) == ["completed", "cut_off", "cut_off"]


def test_visits_without_rsid_are_counted_and_said(tmp_path: Path) -> None:
    history = History.open(tmp_path / "study")
    path = tmp_path / "report.csv"
    path.write_bytes(content([*rows(FIRST), *[["", *each[1:]] for each in rows([(20, 10)])]]))
    with pytest.warns(CintWarning, match="Without RSID: 1 visit;"):
        history.add_report(path, **times(1))
    assert "visits-without-rsid" in history.check().rules()
    assert len(table(history, "visits")) == len(FIRST)


def test_without_the_time_of_reading_it_is_taken_from_the_last_visit_and_said(tmp_path: Path) -> None:
    history = History.open(tmp_path / "study")
    with pytest.warns(CintWarning, match="as_of="):
        history.add_report(report(tmp_path, FIRST), **(times(1) | {"as_of": None}))
    assert history.parts()["state"].tolist() == ["mid-field"]


def test_an_unknown_status_is_an_error_that_names_it(tmp_path: Path) -> None:
    history = History.open(tmp_path / "study")
    path = report(tmp_path, [*FIRST, (7, 301), (8, 302)])
    with pytest.raises(InputError, match=r"'301' \(1\).*'302' \(1\)"):
        history.add_report(path, **times(1))
    history.add_report(path, codes={301: "screened", "302": "completed"}, **times(1))
    assert words(history, 1).count("completed") == 5
    with pytest.raises(InputError, match="what can become of a visit"):
        history.add_report(path, codes={301: "scrned"}, **times(1))


def test_statuses_in_words_are_read_and_unknown_ones_refused(tmp_path: Path) -> None:
    history = History.open(tmp_path / "study")
    data = pd.DataFrame(
        {"RSID": [rsid(1), rsid(2)], "Status": ["Complete", "Over Quota"], "RID": [rid(1, 1), rid(1, 2)]}
    )
    with quiet() as said:
        history.add_report(data, name="words", **times(1))
    assert said == ["No column says when a visit began.", "No column says when a visit ended."]
    assert [row[3] for row in table(history, "visits")] == ["completed", "over_quota"]
    with pytest.raises(InputError, match="'fertig'"):
        history.add_report(data.assign(Status=["Complete", "fertig"]), name="more", **times(2))


def test_a_frame_a_workbook_and_a_report_read_are_as_good_as_a_file(tmp_path: Path) -> None:
    data = pd.DataFrame(rows(FIRST), columns=HEADER)
    data.to_excel(tmp_path / "wave.xlsx", index=False)
    (tmp_path / "quoted.csv").write_bytes(b"a title\r\n\r\n" + content(rows(FIRST)))
    found = []
    for place, source in enumerate((
        report(tmp_path, FIRST), data, tmp_path / "wave.xlsx", tmp_path / "quoted.csv", read_report(data),
        content(rows(FIRST)),
    )):  # fmt: skip
        history = History.open(tmp_path / f"study {place}")
        history.add_report(source, name="first", **times(1))
        found.append([row[1:9] for row in table(history, "visits")])
    assert all(each == found[0] for each in found)


def test_what_is_no_report_is_refused_in_its_own_words(tmp_path: Path) -> None:
    path = tmp_path / "nothing.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(RespondentFileError, match="No column contains RSIDs"):
        History.open(tmp_path / "study").add_report(path, **times(1))
    assert not (tmp_path / "study" / "history.json").exists()


def test_a_visit_listed_twice_counts_once_and_a_visit_of_two_people_is_refused(tmp_path: Path) -> None:
    history = History.open(tmp_path / "study")
    path = tmp_path / "twice.csv"
    path.write_bytes(content([*rows(FIRST[:2]), *rows(FIRST)]))
    with pytest.warns(CintWarning, match="count once"):
        history.add_report(path, **times(1))
    person_of = {visit: person for visit, person, *_ in table(history, "visits")}
    id_of = {person: key for person, key, *_ in table(history, "people")}
    pairs = [(id_of[person_of[visit]], found) for visit, found in table(history, "sessions")]
    assert sorted(pairs) == sorted((rsid(person), rid(1, person)) for person, _ in FIRST)
    path.write_bytes(content([*rows(FIRST), [rsid(30), *rows(FIRST)[0][1:]]]))
    with pytest.raises(RespondentFileError, match="two different RSIDs"):
        history.add_report(path, name="another", target_group="group-1", **times(1))


def test_a_report_that_needs_more_memory_gets_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else every line of it would pass through Python, which takes a minute for a million of them."""
    stage, limits = staging._stage, []

    def in_need(connection: Any, *arguments: Any, **keywords: Any) -> Any:
        limits.append(connection.execute("SELECT current_setting('memory_limit')").fetchall()[0][0])
        if len(limits) == 1:
            raise duckdb.OutOfMemoryException("too little")
        return stage(connection, *arguments, **keywords)

    monkeypatch.setattr(staging, "_stage", in_need)
    monkeypatch.setattr(staging, "_read_with_care", None)
    history = History.open(tmp_path / "study")
    assert history.add_report(report(tmp_path, FIRST), **times()).rows[0]["visits"] == len(FIRST)
    assert limits == ["190.7 MiB", "953.6 MiB"]


def test_us_central_times_become_utc_on_both_sides_of_the_change(tmp_path: Path) -> None:
    header = [name.replace(" (UTC)", "") for name in HEADER]
    lines = rows([(1, 10), (2, 10)])
    lines[0][3:5] = ["2026-03-08 01:30:00", "03/08/2026 03:30:00"]  # winter time, then summer time
    lines[1][3:5] = ["2026-11-01 00:30:00", "2026-11-01 02:30:00"]
    path = tmp_path / "central.csv"
    path.write_bytes(content(lines, header))
    history = History.open(tmp_path / "study")
    history.add_report(path, as_of=datetime.fromisoformat("2026-11-20T00:00:00+00:00"))
    found = [pd.to_datetime(list(row[4:6]), unit="ms", utc=True) for row in table(history, "visits")]
    told = sorted(f"{each:%m-%d %H:%M}" for pair in found for each in pair)
    assert told == ["03-08 07:30", "03-08 08:30", "11-01 05:30", "11-01 08:30"]


@pytest.mark.parametrize(
    ("name", "text", "utc"),
    [
        ("Entry Date", "2026-03-02 10:00:00", "16:00"),
        ("Entry Date (UTC)", "2026-03-02 10:00:00", "10:00"),
        ("EntryDateUtc", "2026-03-02 10:00:00", "10:00"),
        ("entry_date_gmt", "2026-03-02 10:00:00", "10:00"),
        ("Entry Date", "2026-03-02T10:00:00Z", "10:00"),
        ("Entry Date", "2026-03-02T10:00:00+02:00", "08:00"),
        ("Entry Date (UTC)", "2026-03-02T10:00:00-0700", "17:00"),
        ("Entry Date", "2026-03-02 10:00:00 UTC", "10:00"),
        ("Entry Date", "2026-03-02 10:00:00 GMT", "10:00"),
        ("Entry Date", "03/02/2026 10:00:00 AM", "16:00"),
        ("Entry Date", "2026-03-02 10:00:00 CEST", None),
        ("Entry Date", "2026-03-02 10:00:00 PST", None),
    ],
)
def test_the_zone_of_a_time_is_that_of_its_value_then_of_its_column_and_is_never_guessed(
    tmp_path: Path, name: str, text: str, utc: str | None
) -> None:
    lines = [[*each, "UTC"] for each in rows([(1, 10)])]
    lines[0][3], lines[0][4] = text, "2026-03-02 12:00:00"
    header = [name, "Last Date (UTC)"]
    path = tmp_path / "zones.csv"
    path.write_bytes(content(lines, [*HEADER[:3], *header, *HEADER[5:], "OUTCOME"]))
    history = History.open(tmp_path / "study")
    with nullcontext() if utc else pytest.warns(CintWarning, match="not known when 1 visit began"):
        history.add_report(path, as_of=datetime(2026, 3, 20, tzinfo=UTC))
    ((_, *_, entered, ended),) = [row[:6] for row in table(history, "visits")]
    assert pd.Timestamp(ended, unit="ms").hour == 12
    assert (None if entered is None else f"{pd.Timestamp(entered, unit='ms'):%H:%M}") == utc


@pytest.mark.parametrize("text", ["9999-12-31 23:59:59", "0001-01-01 00:00:00"])
def test_a_time_at_the_end_of_the_calendar_is_no_raw_error(tmp_path: Path, text: str) -> None:
    header = [name.replace(" (UTC)", "") for name in HEADER]
    lines = rows([(1, 10), (2, 10)])
    lines[0][3] = text
    path = tmp_path / "far.csv"
    path.write_bytes(content(lines, header))
    with suppress(CintError):
        History.open(tmp_path / "study").add_report(path, as_of=datetime(2026, 3, 20, tzinfo=UTC))


@pytest.mark.parametrize("odd", ["n/a", "Total", "RSID", "-"])
def test_a_report_with_one_odd_rsid_is_read_and_the_visit_counted_without_a_person(tmp_path: Path, odd: str) -> None:
    lines = rows(FIRST)
    lines.append([odd, rid(9, 1), *lines[0][2:]])
    path = tmp_path / "odd.csv"
    path.write_bytes(content(lines))
    with pytest.warns(CintWarning, match="Without RSID: 1 visit;"):
        added = History.open(tmp_path / "study").add_report(path, **times())
    assert f"{len(FIRST)} visits of" in repr(added)


def test_a_list_of_rids_is_refused_where_people_are_meant(tmp_path: Path) -> None:
    visits = read_respondents([rid(1, 1)], entity_type="RID")
    with pytest.raises(RespondentFileError, match="crosswalk"):
        History.open(tmp_path / "study").add_report(report(tmp_path, FIRST), listed=visits, **times(1))


@pytest.mark.parametrize(
    "wrong",
    [{"closed_by": "bored"}, {"opened": datetime(2026, 3, 1)}, {"wave": "2"}],  # noqa: DTZ001 - without a zone
)
def test_wrong_arguments_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        History.open(tmp_path / "study").add_report(report(tmp_path, FIRST), **(times(1) | wrong))


def test_answers_in_a_report_become_attributes(tmp_path: Path) -> None:
    history = History.open(tmp_path / "study")
    path = tmp_path / "answers.csv"
    path.write_bytes(
        content(
            [[*each, str(20 + place), "north"] for place, each in enumerate(rows(FIRST))], [*HEADER, "AGE", "REGION"]
        )
    )
    history.add_report(path, attributes=["AGE", "REGION"], **times(1))
    known = history.attributes().df()
    assert list(known.columns) == ["person", "AGE", "REGION"]
    assert sorted(known["AGE"]) == [20.0, 21.0, 22.0, 23.0, 24.0, 25.0]
    assert history.attributes("AGE", words=["AGE"]).df()["AGE"].map(type).eq(str).all()
    assert retention(history.long("REGION"), by="REGION")["n"].tolist() == [6]
    path.write_bytes(content([[*each, each[1]] for each in rows(SECOND, wave=2)], [*HEADER, "token"]))
    with pytest.raises(InputError, match="holds ids"):
        history.add_report(path, name="second", rid="RID", rsid="RSID", attributes=["token"], **times(2))


def test_attributes_are_those_known_before_a_wave(tmp_path: Path, history: History) -> None:
    history.join([{"RID": rid(1, 1), "mood": "good"}])
    history.join([{"RID": rid(2, 1), "mood": "bad"}])
    assert history.attributes("mood").df()["mood"].tolist() == ["bad"]
    assert history.attributes("mood", before=2).df()["mood"].tolist() == ["good"]


def test_what_will_fall_out_of_reach_is_named(history: History) -> None:
    now = OPENED + timedelta(days=340)
    found = history.expiring(now=now)
    assert found[["name", "days_left"]].to_numpy().tolist() == [["first", 25.0], ["second", 55.0]]
    assert len(history.expiring(within_days=30, now=now)) == 1


def test_the_history_shows_no_id(history: History) -> None:
    shown = f"{history!r} {history.parts()} {history.wide()} {history.cohort(completed=1)!r} {history.long()}"
    assert not any(rsid(each) in shown or rid(1, each) in shown for each in range(9))
    assert repr(history) == "<History: study · 2 parts · 6 people · 9 visits · version 2 · DuckDB>"


@pytest.mark.parametrize(
    ("closed_by", "said"),
    [("open", "still open>"), ("not_known", "why it closed is not known"), ("goal", "closed by goal>")],
)
def test_what_was_added_says_why_it_closed_or_that_it_has_not(tmp_path: Path, closed_by: str, said: str) -> None:
    history = History.open(tmp_path / "study")
    added = history.add_report(report(tmp_path, [(1, 10)]), name="first", **times(1, closed_by=closed_by))
    assert "1 visit of 1 person, 0 listed" in repr(added)
    assert said in repr(added)


@pytest.mark.parametrize("time", ["opened", "closed", "as_of"])
@pytest.mark.parametrize("year", [1969, 9999])
def test_a_time_of_no_calendar_is_refused_and_nothing_is_added(tmp_path: Path, time: str, year: int) -> None:
    history = History.open(tmp_path / "study")
    times: dict[str, Any] = {time: datetime(year, 6, 1, tzinfo=UTC)}
    with pytest.raises(InputError, match="no year in which a wave is fielded"):
        history.add_report(report(tmp_path, FIRST), **times)
    with pytest.raises(InputError, match="Nothing was added to this history yet"):
        history.parts()
