"""Visits: each ends for a reason the code tables know, people come several times, and completes may be taken back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.simulation.entry import LOCKOUT_DAYS
from cint_nb.sandbox.simulation.outcomes import ADJUSTED_COMPLETE, COMPLETE, OUTCOMES
from cint_nb.sandbox.simulation.visit_ids import visit_rid
from cint_nb.sandbox.world.central_time import central_midnight, to_central
from cint_nb.sandbox.world.population import PopulationParameters
from tests.support.sandbox_client import RawClient
from tests.support.visits import PEOPLE, group_of, live, period, report

OpenSandbox = Callable[..., RawClient]
DAY = 86_400
CENTRAL = ZoneInfo("America/Chicago")
# The public code tables, by the word that analyses use.
CLIENT = {
    "completed": {10, 11, 70},
    "reconciled": {26, 28, 38},
    "quality": {30, 33, 34, 60},
    "screened": {20, 80},
    "over_quota": {40},
    "dropped": {1},
}
MARKETPLACE = {
    "screened": {23, 24, 237},
    "over_quota": {40, 41},
    "blocked": {21, 138, 139, 230},
    "duplicate": {30, 31, 35, 36},
}


def outcomes(sandbox: Sandbox, path: str) -> Counter[str]:
    return Counter(visit.outcome for visit in group_of(sandbox, path).fieldwork.visits)


def next_visit_rid(sandbox: Sandbox, path: str, outcome: str) -> str:
    """Return the RID of the first visit that ended in one way."""
    group = group_of(sandbox, path)
    return next(visit_rid(group, visit) for visit in group.fieldwork.visits if visit.outcome == outcome)


# --- every way to end -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def eventful() -> Iterator[tuple[Sandbox, RawClient, list[str]]]:
    """Return a sandbox in which everything happens, and its target groups."""
    often = PopulationParameters(
        comes_again=0.3,
        speeders=0.05,
        quality=0.05,
        locked_out=0.2,
        reconciled=0.3,
        reconciled_after_days=4,
        returns=0.9,
        delay_median_hours=2,
    )
    sandbox = Sandbox(seed=2, population=often)
    raw_client = RawClient(sandbox)
    raw_client.log_in()
    project = raw_client.project()
    fresh = {"study_type_code": "adhoc", "allocations": None}
    women = {"object": "selection", "question_id": 43, "option": "2"}
    others = {"object": "selection", "question_id": 43, "option": "1"}
    targets = [
        {"conditions": [women], "quota": {"completes_goal": 20}},
        {"conditions": [others], "quota": {"completes_goal": 5}},
    ]
    profile = {"object": "regular", "name": "gender", "quotas_enabled": True, "targets": targets}
    profiling = {"profile_adjustment_type": "nominal", "profiles": [profile]}
    first = raw_client.group(project, **fresh, **period(sandbox), completes_goal=25, profiling=profiling)
    raw_client.launched(first, "2026-09-20T08:00:00.000Z")
    second = live(raw_client, project, completes_goal=200)
    sandbox.advance(DAY)
    third = live(raw_client, project, exclusion={"enabled": True}, industry_lockout_code="other")
    activity = [{"type": "target-group", "id": second.rsplit("/", 1)[1]}]
    fourth = live(raw_client, raw_client.project("Elsewhere"), respondent_activity_exclusions=activity)
    exclusions = f"{fourth}/exclusions/jobs/upload-respondents-by-file"
    file = {"file": ("out.csv", "\n".join(PEOPLE[:200]).encode(), "text/csv")}
    assert raw_client.ask("POST", exclusions, params={"entity_type": "RSID"}, files=file).status_code == 201
    sandbox.advance(8 * DAY)
    rejected, adjusted = (next_visit_rid(sandbox, second, name) for name in ("complete", "quality"))
    lines = f"{rejected},930\n{adjusted},11\n".encode()
    raw_client.log_in()
    csv_body = {"content-type": "text/csv"}
    reply = raw_client.ask("POST", f"{raw_client.account}/reconciliations", content=lines, headers=csv_body)
    assert reply.status_code == 202, reply.text
    sandbox.advance(200)
    yield sandbox, raw_client, [first, second, third, fourth]
    raw_client.close()


def test_every_outcome_occurs_with_its_codes(eventful: tuple[Sandbox, RawClient, list[str]]) -> None:
    sandbox, raw_client, groups = eventful
    rows = report(raw_client, *groups)
    visits = [visit for group in groups for visit in group_of(sandbox, group).fieldwork.visits]
    assert {visit.outcome for visit in visits} == set(OUTCOMES)
    seen = {(int(row["Marketplace Status"]), int(row["Client Status"])) for row in rows}
    assert len(seen) == len(OUTCOMES), "no two outcomes have the same pair of codes"
    assert {21, 138, 139, 230} <= {marketplace for marketplace, _ in seen}
    assert {26, 28} <= {client for _, client in seen}
    for outcome in OUTCOMES.values():
        client = -1 if outcome.client is None else outcome.client
        assert (outcome.marketplace, client) in seen, outcome
        if outcome.client is None:
            assert outcome.marketplace in MARKETPLACE[outcome.reason], outcome
        else:
            assert outcome.client in CLIENT[outcome.reason], outcome
    assert len({outcome.status for outcome in OUTCOMES.values()}) == len(OUTCOMES)


def test_the_performance_counts_each_outcome_and_the_people_still_inside(
    eventful: tuple[Sandbox, RawClient, list[str]],
) -> None:
    sandbox, raw_client, groups = eventful
    raw_client.log_in()
    for group in groups:
        body = raw_client.get(f"{group}/performance").json()
        counts = {entry["label"]: entry["count"] for entry in body["respondent_analysis"]["live"]}
        visits = outcomes(sandbox, group)
        for name, outcome in OUTCOMES.items():
            inside = len(group_of(sandbox, group).fieldwork.active_visits) if name == "dropped" else 0
            assert counts.get(outcome.label, 0) == visits[name] + inside
        assert sum(counts.values()) == body["entrants"]
        assert body["completes"] == visits[COMPLETE] + visits[ADJUSTED_COMPLETE]


def test_the_reader_of_reports_knows_every_status_of_the_sandbox(
    eventful: tuple[Sandbox, RawClient, list[str]],
) -> None:
    import pandas as pd

    from cint_nb.study.outcome.visit_reports import read_report

    sandbox, raw_client, groups = eventful
    rows = pd.DataFrame(report(raw_client, groups[1]))
    by_code = read_report(rows)
    by_words = read_report(rows, status="Status Description")
    assert by_code.unknown_statuses == by_words.unknown_statuses == {}
    assert by_code.completed.tolist() == by_words.completed.tolist()
    ended = outcomes(sandbox, groups[1])
    assert by_code.completed.sum() == ended[COMPLETE] + ended[ADJUSTED_COMPLETE]
    assert by_code.time_zone == "America/Chicago"


# --- who is turned away -----------------------------------------------------------------------------------------


def test_the_first_rule_that_fits_turns_away_list_before_project_before_activity(
    sandbox: Sandbox, raw_client: RawClient
) -> None:
    project = raw_client.project()
    first = live(raw_client, project)
    sandbox.advance(5 * DAY)
    done = {visit.key for visit in group_of(sandbox, first).fieldwork.visits if visit.outcome == COMPLETE}
    raw_client.log_in()
    activity = [{"type": "target-group", "id": first.rsplit("/", 1)[1]}]
    second = raw_client.group(
        project,
        **period(sandbox),
        completes_goal=600,
        exclusion={"enabled": True},
        respondent_activity_exclusions=activity,
    )
    listed = [bytes.fromhex(one.replace("-", "")) for one in PEOPLE[:300]]
    file = {"file": ("out.csv", "\n".join(PEOPLE[:300]).encode(), "text/csv")}
    path = f"{second}/exclusions/jobs/upload-respondents-by-file"
    raw_client.ask("POST", path, params={"entity_type": "RSID"}, files=file)
    raw_client.saved_ids(second, PEOPLE)
    raw_client.launched(second, "2026-09-25T08:00:00.000Z")
    sandbox.advance(5 * DAY)
    for visit in group_of(sandbox, second).fieldwork.visits:
        expected = "excluded" if visit.key in listed else "excluded_by_project" if visit.key in done else None
        assert visit.outcome == expected or (expected is None and not visit.outcome.startswith("excluded"))
    assert outcomes(sandbox, second)["excluded_by_project"] > 20


@pytest.mark.parametrize(
    ("lockout", "industry", "later", "locked"),
    [
        ("travel", "travel", 5, True),
        ("travel", "beauty_cosmetics", 5, False),  # the first wave was of another industry
        ("travel", "travel", LOCKOUT_DAYS + 25, False),  # long ago
        ("", "travel", 5, False),
        ("no_lockout", "travel", 5, False),
    ],
)
def test_an_industry_lockout_turns_away_who_took_part_lately(
    open_sandbox: OpenSandbox, lockout: str, industry: str, later: float, locked: bool
) -> None:
    raw_client = open_sandbox(population=PopulationParameters(locked_out=0))
    sandbox = raw_client.sandbox
    project = raw_client.project()
    first = live(raw_client, project, industry_code=industry)
    sandbox.advance(later * DAY)
    raw_client.log_in()
    second = live(raw_client, project, industry_code="travel", industry_lockout_code=lockout)
    sandbox.advance(5 * DAY)
    done = {visit.key for visit in group_of(sandbox, first).fieldwork.visits if visit.outcome == COMPLETE}
    turned_away = {v.key for v in group_of(sandbox, second).fieldwork.visits if v.outcome == "locked_out"}
    assert bool(turned_away) == locked
    assert turned_away <= done


# --- several visits of a person ---------------------------------------------------------------------------------


def test_people_come_again_as_duplicates_or_to_go_on(eventful: tuple[Sandbox, RawClient, list[str]]) -> None:
    sandbox, raw_client, groups = eventful
    by_person: dict[tuple[str, bytes], list[tuple[int, str, float]]] = {}
    for group in groups:
        for visit in group_of(sandbox, group).fieldwork.visits:
            by_person.setdefault((group, visit.key), []).append((visit.number, visit.outcome, visit.entered))
    several = [sorted(visits) for visits in by_person.values() if len(visits) > 1]
    assert len(several) > 50
    for visits in several:
        assert [number for number, _, _ in visits] == list(range(len(visits)))
        for (_, before, earlier), (_, after, later) in pairwise(visits):
            assert earlier < later
            if OUTCOMES[after].reason != "blocked":  # exclusions come before
                assert (after == "duplicate") == (before != "dropped"), (before, after)
    went_on = [visits for visits in several if visits[0][1] == "dropped"]
    assert any(visits[-1][1] == COMPLETE for visits in went_on)
    rows = report(raw_client, *groups)
    rids = [row["Response ID (RID)"] for row in rows]
    assert len(set(rids)) == len(rids) == sum(map(len, by_person.values())), "every visit has a response id of its own"
    raw_client.log_in()
    twice = next(row for row in rows if row["Status Description"] == "Duplicate")
    group = raw_client.group(raw_client.project("By visits"), **period(sandbox))
    raw_client.saved_ids(group, [twice["Response ID (RID)"]], entity_type="RID")
    assert raw_client.get(f"{group}/recontacts/rsids").json()["data"] == [twice["Respondent ID (RSID)"]]


# --- reconciliation ---------------------------------------------------------------------------------------------


def test_completes_that_are_rejected_later_leave_the_completes_and_cost_nothing(open_sandbox: OpenSandbox) -> None:
    raw_client = open_sandbox(population=PopulationParameters(reconciled=0.25, reconciled_after_days=20))
    sandbox = raw_client.sandbox
    group = live(raw_client, raw_client.project(), completes_goal=100)
    sandbox.advance(8 * DAY)
    before = report(raw_client, group)
    found = group_of(sandbox, group)
    assert found.status == "completed", "the goal is reached"
    sandbox.advance(25 * DAY)
    after = report(raw_client, group)
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert 10 < len(changed) < 40
    assert {old["Client Status"] for old, _ in changed} == {"10"}
    assert {new["Client Status"] for _, new in changed} == {"26", "28"}
    assert {Decimal(new["CPI"]) for _, new in changed} == {Decimal(0)}
    assert len(report(raw_client, group, kind="completes")) == 100 - len(changed)
    raw_client.log_in()
    body = raw_client.get(f"{group}/performance").json()
    assert body["completes"] == 100 - len(changed)
    assert Decimal(body["completes_cost"]["value"]) == found.cpi * (100 - len(changed))
    assert found.status == "completed", "nobody is asked anew"


def test_a_live_wave_refills_what_was_reconciled_away(open_sandbox: OpenSandbox) -> None:
    people = PopulationParameters(reconciled=0.5, reconciled_after_days=1, returns=1, supplier_takes_part=1)
    raw_client = open_sandbox(population=people)
    sandbox = raw_client.sandbox
    group = live(raw_client, raw_client.project(), completes_goal=400)
    sandbox.advance(12 * DAY)
    ever = group_of(sandbox, group).fieldwork.lengths  # one for each complete, rejected or not
    assert len(ever) > 400 > group_of(sandbox, group).fieldwork.completes


# --- answers ----------------------------------------------------------------------------------------------------


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("asked", [True, False, None])
def test_answers_come_where_they_are_asked_for(
    eventful: tuple[Sandbox, RawClient, list[str]], asked: bool | None
) -> None:
    from cint_nb.sandbox.handlers.report_files import ANSWER_HEADER

    sandbox, raw_client, groups = eventful
    rows = report(raw_client, *groups, report_options={"include_respondent_answers": asked})
    if not asked:
        assert not set(ANSWER_HEADER) & set(rows[0])
        return
    truth = sandbox.truth(reveal=True)
    known = {
        (group, rsid): (str(age), gender, str(answer))
        for group, rsid, age, gender, answer in zip(
            truth["target_group_id"], truth["rsid"], truth["age"], truth["gender"], truth["answer"], strict=True
        )
    }
    for row in rows:
        age, gender, answer = known[row["Target Group ID"], row["Respondent ID (RSID)"]]
        to_the_end = row["Client Status"] in ("10", "11", "26", "28", "38", "30", "33", "40")
        in_screener = row["Client Status"] != "-1" or row["Marketplace Status"] == "23"
        assert (row["AGE"], row["GENDER"]) == ((age, gender) if in_screener else ("", "")), row
        assert row["RATING"] == (answer if to_the_end else ""), row


# --- US Central time --------------------------------------------------------------------------------------------


def test_central_time_is_that_of_the_zone_database() -> None:
    begin = datetime(2007, 1, 1, tzinfo=UTC)
    for hours in range(0, 34 * 366 * 24, 37):
        moment = begin + timedelta(hours=hours)
        assert to_central(moment) == moment.astimezone(CENTRAL).replace(tzinfo=None)
        day = moment.date()
        assert central_midnight(day) == datetime(day.year, day.month, day.day, tzinfo=CENTRAL)


@pytest.mark.parametrize("day", ["2026-03-08", "2026-11-01"])
def test_both_days_of_the_clock_change_are_reported_in_central_time(open_sandbox: OpenSandbox, day: str) -> None:
    start = datetime.fromisoformat(f"{day}T04:00:00+00:00")  # 22 or 23 o'clock of the day before, in Chicago
    hours = PopulationParameters(delay_median_hours=6, delay_spread=0.5, night_hours=(0, 0), slow_factor=1, returns=1)
    raw_client = open_sandbox(start=start, population=hours)
    sandbox = raw_client.sandbox
    group = live(raw_client, raw_client.project())
    sandbox.advance(DAY)
    rows = report(raw_client, group)
    visits = group_of(sandbox, group).fieldwork.visits
    assert len(rows) == len(visits) > 300
    for row, visit in zip(rows, visits, strict=True):
        for name, t in (("Entry Date", visit.entered), ("Last Date", visit.ended)):
            local = sandbox.world.time_at(t).astimezone(CENTRAL)
            assert row[name] == local.replace(tzinfo=None).isoformat(" ", "seconds")
    by_hour = Counter(row["Entry Date"][:13] for row in rows)
    if day == "2026-03-08":
        assert not by_hour[f"{day} 02"], "an hour that never was"
        assert by_hour[f"{day} 01"]
        assert by_hour[f"{day} 03"]
    else:
        entered = [sandbox.world.time_at(visit.entered).astimezone(CENTRAL) for visit in visits]
        folds = {one.fold for one in entered if f"{one:%Y-%m-%d %H}" == f"{day} 01"}
        assert folds == {0, 1}, "an hour that was twice"


@pytest.mark.parametrize("day", ["2026-03-08", "2026-11-01", "2026-09-02"])
def test_a_day_of_a_report_begins_and_ends_at_midnight_central_time(open_sandbox: OpenSandbox, day: str) -> None:
    start = datetime.fromisoformat(f"{day}T00:00:00+00:00") - timedelta(days=1)
    everywhere = PopulationParameters(delay_median_hours=30, delay_spread=0.5, night_hours=(0, 0), returns=1)
    raw_client = open_sandbox(start=start, population=everywhere)
    sandbox = raw_client.sandbox
    group = live(raw_client, raw_client.project())
    sandbox.advance(4 * DAY)
    rows = report(raw_client, group, start_date=day, end_date=day)
    ended = [sandbox.world.time_at(visit.ended) for visit in group_of(sandbox, group).fieldwork.visits]
    local = [moment.astimezone(CENTRAL).date().isoformat() for moment in ended]
    assert {row["Last Date"][:10] for row in rows} == {day}
    assert len(rows) == local.count(day) > 50
    assert len(rows) != [f"{moment:%Y-%m-%d}" for moment in ended].count(day), "a day of UTC is another one"
