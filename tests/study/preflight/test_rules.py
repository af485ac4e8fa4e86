"""Preflight: every statement of both guides, said before anything is sent."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import openpyxl
import pytest
from pydantic import ValidationError

from cint_nb.domain.errors import CintWarning, PreflightBlocked
from cint_nb.domain.findings import Finding, Findings, Severity
from cint_nb.domain.ids import synthetic_id
from cint_nb.domain.plan import AllocationFormat, Money, TargetGroupPlan
from cint_nb.domain.target_groups import TargetGroup
from cint_nb.study.files.respondents import read_respondents
from cint_nb.study.preflight import registry
from cint_nb.study.preflight.check import (
    ActivityExclusionFact,
    SourceTargetGroup,
    WaveFacts,
    check,
    findings_frame,
    rule,
    rules_frame,
)
from cint_nb.study.preflight.registry import OpenGroupFact
from cint_nb.study.preflight.source_rules import reconciliation_date

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
IDS = [synthetic_id("preflight", number) for number in range(100)]
PEOPLE = read_respondents(IDS, entity_type="RSID")
PLAN = TargetGroupPlan.recontact(
    business_unit_id=1234,
    project_manager_id="b551326b-ac9d-4d32-8823-4f025787dab9",
    locale="ger_de",
    completes_goal=50,
    expected_length_of_interview_minutes=10,
    expected_incidence_rate=0.8,
    start_at=NOW + timedelta(days=1),
    end_at=NOW + timedelta(days=10),
    live_url="https://survey.example/?RID=[%RID%]&RECONTACT_RSID=[%RECONTACT_RSID%]",
    cost_per_interview="2.50 EUR",
    maximum_cpi="2.50 EUR",
)


def facts(*, plan: dict[str, Any] | None = None, **others: Any) -> WaveFacts:
    changed = PLAN.model_copy(update=plan or {})
    if "draft" in others:
        group = TargetGroup.model_validate({"id": "T1", "launched": False} | others["draft"])
        others["draft"] = group.model_dump(mode="json", exclude_unset=True)
    return WaveFacts(plan=changed, **{"respondents": PEOPLE, "now": NOW, "name": "Tracker, wave 2", **others})


def found(code: str, **options: Any) -> list[Finding]:
    return [finding for finding in check(facts(**options)) if finding.rule == code]


def one(code: str, severity: Severity, **options: Any) -> Finding:
    (finding,) = found(code, **options)
    assert finding.severity is severity
    assert finding.message.endswith(".")
    assert finding.section
    return finding


def assigned(**fields: Any) -> dict[str, Any]:
    """Return a draft as far as its fielding assistant shows it."""
    return {"fielding_assistant_assignment": fields}


@pytest.mark.parametrize("step", registry.STEPS)
def test_a_sound_wave_has_no_findings(step: str) -> None:
    assert not check(facts(step=step, saved_count=100 if step == "launch" else None))


BLOCKS = [
    ("study-type", {"plan": {"study_type_code": "adhoc"}}),
    ("allocation-template", {"plan": {"allocation_template_id": "01JX2X0N5RTR012AYDTA83QWTW"}}),
    ("goal", {"plan": {"completes_goal": 101}}),
    ("project-exclusion", {"plan": {"exclusion_enabled": True}, "project_id": "P1", "project_of_sources": ["P1"]}),
    ("project-exclusion", {"project_exclusion": True, "project_id": "P1", "sources": [SourceTargetGroup("P1")]}),
    ("dates", {"plan": {"end_at": NOW + timedelta(minutes=59), "start_at": NOW}}),
    ("dates", {"plan": {"start_at": NOW - timedelta(seconds=1)}}),
    ("dates", {"plan": {"start_at": NOW + timedelta(days=20)}}),
    ("dates", {"plan": {"start_at": NOW + timedelta(days=2), "end_at": NOW + timedelta(days=2)}}),
    ("currency", {"plan": {"cost_per_interview": None}, "currency": "USD"}),
    ("currency", {"plan": {"cost_per_interview": Money.parse("2 USD")}}),
    ("name-length", {"plan": {"name": "abcd"}}),
    ("name-length", {"name": "x" * 129}),
    ("project-manager", {"plan": {"project_manager_id": "<YOUR_PROJECT_MANAGER_ID>"}}),
    ("job-running", {"step": "upload", "running_job": "01BTGNYV6HRNK8K8VKZASZCFP1"}),
    ("capacity", {"step": "upload", "saved_count": 99_901, "already_saved_count": 0}),
    ("nothing-saved", {"step": "launch", "saved_count": 0, "plan": {"completes_goal": 1}}),
    ("goal", {"step": "launch", "saved_count": 49}),
    ("group-state", {"step": "launch", "saved_count": 100, "target_group_state": "live"}),
    ("draft-cost", {"step": "launch", "draft": {"completes_goal": 51}}),
    ("draft-cost", {"step": "launch", "draft": {"cost_per_interview": {"value": "2.51", "currency_code": "EUR"}}}),
    ("draft-cost", {"step": "launch", "draft": {"cost_per_interview": {"value": "2.50", "currency_code": "USD"}}}),
    (
        "draft-cost",
        {"step": "launch", "draft": assigned(pricing={"maximum_cpi": {"value": 3, "currency_code": "EUR"}})},
    ),
    ("draft-cost", {"step": "launch", "draft": assigned(quota_overlay={"prevent_overfill": False})}),
    ("draft-survey", {"step": "launch", "draft": {"live_url": "https://elsewhere.example/?RSID=[%RECONTACT_RSID%]"}}),
    ("draft-survey", {"step": "launch", "draft": {"live_url": f"{PLAN.live_url}&wave=2"}}),
    ("draft-survey", {"step": "launch", "draft": {"live_url": "https://a\u2100b.example/"}}),
    ("draft-survey", {"step": "launch", "draft": {"live_url": PLAN.live_url.replace("/?", "/two?")}}),
    ("draft-audience", {"step": "launch", "draft": {"locale": "eng_us"}}),
    ("excluded-ids", {"excluded_ids": IDS[:51]}),
    (
        "exclusion-groups",
        {"step": "upload", "exclusion_groups": {"G1": "Tracker"}, "shared_exclusion_groups": ["G1"]},
    ),
    ("not-read", {"unread": [registry.UnreadFact("the uploads", "refused (403)", blocks=True)]}),
]


@pytest.mark.parametrize(("code", "options"), BLOCKS)
def test_what_the_exchange_would_refuse_or_ignore_blocks(code: str, options: dict[str, Any]) -> None:
    finding = one(code, Severity.BLOCK, **options)
    assert finding.fix
    assert finding.evidence
    with pytest.raises(PreflightBlocked, match=r"\w+") as caught:
        check(facts(**options)).raise_if_blocking()
    assert code in caught.value.evidence["rules"]


def test_a_list_that_is_excluded_whole_is_never_advised_to_take_a_goal_of_nobody() -> None:
    finding = one("excluded-ids", Severity.BLOCK, excluded_ids=IDS)
    assert finding.fix == "remove the exclusions, or recontact other people: nobody on this list can enter."


WARNINGS = [
    ("project-exclusion", {"plan": {"exclusion_enabled": True}}),
    ("price-cap", {"plan": {"maximum_cpi": Money.parse("2.49 EUR")}}),
    ("filling-strategy", {"plan": {"filling_strategy": "prescreens"}}),
    ("filling-strategy", {"group_strategy": "automated"}),
    ("profiling", {"plan": {"profiling": {"profiles": [{"name": "age"}]}}}),
    ("goal-rate", {"plan": {"completes_goal": 81}}),
    ("capacity", {"step": "upload", "saved_count": 99_901}),
    ("partly-saved", {"step": "launch", "saved_count": 99}),
    ("group-state", {"step": "upload", "target_group_state": "completed"}),
    ("group-state", {"step": "upload", "target_group_state": "archived"}),
    ("industry-lockout", {"industry_lockout": "automotive"}),
    ("exclusion-groups", {"step": "launch", "saved_count": 100, "exclusion_groups": {"G1": None}}),
    ("overfill", {"plan": {"prevent_overfill": False}}),
    ("draft-labels", {"step": "launch", "draft": {"industry_code": "automotive"}}),
    ("excluded-ids", {"excluded_ids": [IDS[0].upper()]}),
    ("excluded-ids", {"excluded_ids": IDS[:50]}),
]


@pytest.mark.parametrize(("code", "options"), WARNINGS)
def test_what_needs_a_decision_warns(code: str, options: dict[str, Any]) -> None:
    assert one(code, Severity.WARN, **options).fix


@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("goal", {"plan": {"completes_goal": 100}}),
        ("goal", {"step": "launch", "saved_count": 50}),
        ("goal", {"step": "upload", "saved_count": 30, "plan": {"completes_goal": 130}}),
        ("dates", {"plan": {"start_at": NOW, "end_at": NOW + timedelta(hours=1)}}),
        ("dates", {"step": "launch", "saved_count": 100, "plan": {"start_at": NOW - timedelta(days=1)}}),
        ("url-form", {"plan": {"test_url": f"{PLAN.live_url}&x=".ljust(3_000, "y")}}),
        ("project-exclusion", {"plan": {"exclusion_enabled": True}, "project_id": "P1", "project_of_sources": ["P2"]}),
        ("project-exclusion", {"plan": {"exclusion_enabled": True}, "project_exclusion": False}),
        ("capacity", {"step": "upload", "saved_count": 99_900}),
        ("capacity", {"step": "upload", "saved_count": 99_950, "already_saved_count": 50}),
        ("name-length", {"plan": {"name": "abcde"}}),
        ("goal-rate", {"plan": {"completes_goal": 80}}),
        ("job-running", {"step": "create", "running_job": "01BTGNYV6HRNK8K8VKZASZCFP1"}),
        ("profiling", {"plan": {"profiling": {}}}),
    ],
)
def test_a_value_at_its_limit_passes(code: str, options: dict[str, Any]) -> None:
    assert found(code, **options) == []


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://survey.example/?RID=[%RID%]", "does not contain"),
        ("https://survey.example/?RID=[%RID%]&R=%5B%25RECONTACT_RSID%25%5D", "percent-encoded"),
        ("https://survey.example/?RID=[%RID%]&R=[%recontact_rsid%]", "capital letters"),
    ],
)
def test_a_url_without_the_literal_variable_blocks_once_for_each_address_that_was_given(url: str, message: str) -> None:
    for fields, count in (
        ({"live_url": url}, 1),
        ({"test_url": url}, 1),
        ({"live_url": url, "test_url": url + "&t"}, 2),
    ):
        findings = found("url-variable", plan=fields)
        assert [finding.severity for finding in findings] == [Severity.BLOCK] * count
        assert all(message in finding.message for finding in findings)


@pytest.mark.parametrize(
    "url",
    [
        "survey.example/?R=[%RECONTACT_RSID%]",
        "ftp://x.example/[%RECONTACT_RSID%]",
        "",
        "https://",
        "https://survey.example/my survey?R=[%RECONTACT_RSID%]",
        "https://survey.example/?R=[%RECONTACT_RSID%]\n",
    ],
)
def test_what_is_no_web_address_blocks(url: str) -> None:
    assert any(
        f.severity is Severity.BLOCK for f in found("url-form", plan={"live_url": url, "test_url": PLAN.live_url})
    )


def test_an_unencrypted_or_too_long_address_is_said() -> None:
    http = PLAN.live_url.replace("https", "http")
    assert one("url-form", Severity.WARN, plan={"live_url": http, "test_url": PLAN.live_url})
    long = PLAN.live_url + "&x=" + "y" * 3_000
    assert one("url-form", Severity.BLOCK, plan={"test_url": long}).evidence == f"{len(long):,} characters"


def test_a_survey_that_never_sees_the_rid_is_noted() -> None:
    url = "https://survey.example/?R=[%RECONTACT_RSID%]"
    assert one("url-rid", Severity.NOTE, plan={"live_url": url})


def test_allocations_written_out_cannot_be_checked_and_are_noted() -> None:
    assert one("allocation-template", Severity.NOTE, plan={"allocation_format": AllocationFormat.OPEN_EXCHANGE})


def profile(*shares: Any, enabled: bool = True) -> dict[str, Any]:
    targets = [{"quota": {"name": f"q{n}", "completes_goal_percentage": share}} for n, share in enumerate(shares)]
    return {
        "profile_adjustment_type": "percentage",
        "profiles": [{"name": "gender", "quotas_enabled": enabled, "targets": targets}],
    }


def test_quota_percentages_must_sum_to_100() -> None:
    finding = one("quota-percentages", Severity.BLOCK, plan={"profiling": profile(40, 59.5)})
    assert finding.evidence == "40 + 59.5 = 99.5"
    assert found("quota-percentages", plan={"profiling": profile(40, 60)}) == []
    assert found("quota-percentages", plan={"profiling": profile(33.3, 33.3, 33.4)}) == []
    assert found("quota-percentages", plan={"profiling": profile(40, 59, enabled=False)}) == []


@pytest.mark.parametrize(
    "odd", [{"profiles": "x"}, {"profiles": [1, {"quotas_enabled": True, "targets": [1]}]}, {"profiles": None}]
)
def test_profiling_of_an_unknown_shape_is_left_to_the_exchange(odd: dict[str, Any]) -> None:
    assert found("quota-percentages", plan={"profiling": odd}) == []


def test_an_empty_or_damaged_list_is_said() -> None:
    nobody = read_respondents(["ann@example.com"], entity_type="RSID")
    assert one("no-ids", Severity.BLOCK, respondents=nobody)
    messy = read_respondents(["RSID", *IDS, IDS[0], "", "x@example.com"], entity_type="RSID")
    findings = found("lines-left-out", respondents=messy)
    assert [finding.severity for finding in findings] == [Severity.WARN, Severity.NOTE]
    assert findings[1].evidence == "1 duplicate, 1 blank, 1 header"


def test_more_ids_than_a_target_group_holds_block_with_split_as_the_fix() -> None:
    many = read_respondents([synthetic_id("many", n) for n in range(100_001)], entity_type="RSID")
    fix = one("capacity", Severity.BLOCK, respondents=many).fix
    assert fix is not None
    assert "split(100_000)" in fix
    lots = many.union(synthetic_id("more", n) for n in range(40_000))
    assert one("file-size", Severity.BLOCK, respondents=lots, step="upload").evidence == "5,180,037 bytes"


@pytest.mark.filterwarnings("ignore::cint_nb.domain.errors.CintWarning")
def test_what_a_workbook_hides_blocks_until_it_is_said_whether_it_counts() -> None:
    book: Any = openpyxl.Workbook()
    for text in ["RSID", *IDS]:
        book.active.append([text])
    book.active.row_dimensions[3].hidden = True
    file = io.BytesIO()
    book.save(file)
    asked = read_respondents(file.getvalue(), entity_type="RSID")
    finding = one("hidden-lines", Severity.BLOCK, respondents=asked)
    assert finding.evidence == "1 lines"
    assert 'hidden="skip"' in str(finding.fix)
    skipped = read_respondents(file.getvalue(), entity_type="RSID", hidden="skip")
    assert not found("hidden-lines", respondents=skipped)
    assert found("lines-left-out", respondents=skipped)[0].evidence == "1 header, 1 hidden"
    read = read_respondents(file.getvalue(), entity_type="RSID", hidden="read")
    assert not found("hidden-lines", respondents=read)
    warned = [each for each in found("lines-left-out", respondents=read) if each.severity is Severity.WARN]
    assert warned[0].message == "1 line that is hidden in the workbook was read too."


def test_a_column_that_names_the_other_type_is_a_warning() -> None:
    with pytest.warns(CintWarning, match="suggests RIDs"):
        people = read_respondents(("RID\n" + "\n".join(IDS)).encode(), entity_type="RSID")
    assert "suggests RIDs" in one("entity-type", Severity.WARN, respondents=people).message


def test_rids_are_noted_and_rids_that_come_back_are_doubted() -> None:
    rids = read_respondents(IDS, entity_type="RID")
    assert one("entity-type", Severity.NOTE, respondents=rids)
    findings = found("entity-type", respondents=rids, earlier_waves=[read_respondents(IDS[:3], entity_type="RID")])
    assert [finding.severity for finding in findings] == [Severity.WARN, Severity.NOTE]
    assert findings[0].evidence == "3 IDs in common with other waves"


WAVE_1 = SourceTargetGroup("P1", "T1", first_complete=NOW - timedelta(days=40), last_complete=NOW - timedelta(days=30))


def test_an_exclusion_by_activity_says_when_its_people_are_free() -> None:
    for exclusion in (ActivityExclusionFact("project", "P1"), ActivityExclusionFact("target-group", "T1", "P60D")):
        finding = one("activity-exclusions", Severity.WARN, sources=[WAVE_1], activity_exclusions=[exclusion])
        free = NOW - timedelta(days=30) + timedelta(days=60 if exclusion.kind == "target-group" else 90)
        assert f"{free:%Y-%m-%d}" in finding.message


@pytest.mark.parametrize(
    "exclusion",
    [
        ActivityExclusionFact("project", "P9"),
        ActivityExclusionFact("target-group", "T1", "P30D"),
        ActivityExclusionFact("target-group", "T2"),
    ],
)
def test_an_exclusion_by_activity_that_does_not_touch_the_sources_is_silent(exclusion: ActivityExclusionFact) -> None:
    assert found("activity-exclusions", sources=[WAVE_1], activity_exclusions=[exclusion]) == []


@pytest.mark.parametrize("last_complete", [None, NOW - timedelta(days=5)])
def test_an_exclusion_by_activity_is_over_when_it_is_over_for_every_source(last_complete: datetime | None) -> None:
    sources = [WAVE_1, SourceTargetGroup("P1", "T2", last_complete=last_complete)]
    exclusion = ActivityExclusionFact("project", "P1", "P10D")
    finding = one("activity-exclusions", Severity.WARN, sources=sources, activity_exclusions=[exclusion])
    assert ("not known" if last_complete is None else "2026-09-06") in finding.message, "a day that is over is no help"
    assert found("activity-exclusions", sources=[WAVE_1], activity_exclusions=[exclusion]) == []


def test_an_exclusion_of_unknown_length_warns_without_a_day() -> None:
    exclusion = ActivityExclusionFact("project", "P1", "forever")
    finding = one("activity-exclusions", Severity.WARN, project_of_sources=["P1"], activity_exclusions=[exclusion])
    assert "not known" in finding.message


@pytest.mark.parametrize(
    ("period", "length"),
    [
        ("P90D", 90),
        ("P2W", 14),
        ("P1M", 31),
        ("P1Y", 366),
        ("P1M5D", 36),
        ("90", None),
        ("PT5H", None),
        ("P", None),
        ("P5", None),
    ],
)
def test_periods_are_read_on_the_safe_side(period: str, length: int | None) -> None:
    assert registry.duration_days(period) == (None if length is None else timedelta(days=length))


def test_reports_reach_back_twelve_months() -> None:
    def source(days: int) -> list[SourceTargetGroup]:
        return [SourceTargetGroup("P1", first_complete=NOW - timedelta(days=days))]

    assert one("report-horizon", Severity.WARN, sources=source(366))
    assert one("report-horizon", Severity.NOTE, sources=source(350))
    assert found("report-horizon", sources=source(300)) == []


def test_a_list_made_before_the_cut_off_of_reconciliation_is_doubted() -> None:
    source = SourceTargetGroup("P1", last_complete=datetime(2026, 7, 31, 23, tzinfo=UTC))
    assert source.last_complete is not None
    assert reconciliation_date(source.last_complete) == datetime(2026, 8, 25, tzinfo=UTC)
    assert one("list-age", Severity.WARN, sources=[source], list_made_on=date(2026, 8, 24))
    assert found("list-age", sources=[source], list_made_on=date(2026, 8, 25)) == []
    august = SourceTargetGroup("P1", last_complete=datetime(2026, 8, 31, tzinfo=UTC))
    assert one("list-age", Severity.NOTE, sources=[august], list_made_on=date(2026, 9, 1))


def test_a_list_is_as_old_as_the_last_complete_of_all_its_sources() -> None:
    july, august = (SourceTargetGroup("P1", last_complete=datetime(2026, month, 31, tzinfo=UTC)) for month in (7, 8))
    assert one("list-age", Severity.NOTE, sources=[july, august], list_made_on=date(2026, 8, 26))


def test_the_month_that_is_reconciled_is_that_of_utc() -> None:
    moment = datetime(2026, 8, 31, 23, tzinfo=timezone(timedelta(hours=-2)))
    assert reconciliation_date(moment) == datetime(2026, 10, 25, tzinfo=UTC)


def test_the_day_of_reconciliation_passes_the_end_of_a_year() -> None:
    assert reconciliation_date(datetime(2026, 12, 31, tzinfo=UTC)) == datetime(2027, 1, 25, tzinfo=UTC)


@pytest.fixture
def own_rules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "RULES", registry.RULES)
    for code in list(registry.RULES):
        monkeypatch.setitem(registry.RULES, code, registry.RULES[code])
    yield
    registry.RULES.pop("weekend", None)


@pytest.mark.usefixtures("own_rules")
def test_an_analyst_adds_a_rule_of_their_own() -> None:
    @rule("weekend", steps=["launch"])
    def weekend(facts: WaveFacts, report: registry.RuleReport) -> Finding | None:
        """A wave starts on a working day."""
        return report.warn("The wave starts on a weekend.") if facts.now.weekday() > 4 else None

    sunday = datetime(2026, 9, 6, tzinfo=UTC)
    plan = {"start_at": sunday, "end_at": sunday + timedelta(days=9)}
    assert one_of(check(facts(step="launch", saved_count=100, now=sunday, plan=plan)), "weekend")
    assert not one_of(check(facts(step="create", now=sunday, plan=plan)), "weekend")
    assert "A wave starts on a working day." in list(rules_frame()["says"])


def one_of(findings: Findings, code: str) -> bool:
    return code in findings.rules()


def test_a_rule_can_be_left_out() -> None:
    assert check(facts(plan={"completes_goal": 81}), without=["goal-rate"]).rules() == ()


def test_unknown_facts_keep_rules_silent() -> None:
    assert not check(WaveFacts(plan=PLAN, respondents=None, now=NOW))


def test_findings_are_a_frame_with_the_worst_first() -> None:
    frame = findings_frame(check(facts(plan={"completes_goal": 101, "filling_strategy": "automated"})))
    assert list(frame.columns) == ["severity", "rule", "message", "evidence", "fix", "section"]
    assert list(frame["severity"]) == ["block", "warn"]
    assert list(findings_frame(check(facts())).columns) == list(frame.columns)


def test_every_rule_says_in_a_sentence_what_it_looks_for() -> None:
    frame = rules_frame()
    assert frame["says"].str.endswith(".").all()
    assert (frame["section"] != "").all()


def test_findings_never_show_an_id() -> None:
    options: dict[str, Any] = {
        "excluded_ids": IDS,
        "plan": {"completes_goal": 500},
        "respondents": read_respondents(IDS, entity_type="RID"),
    }
    text = findings_frame(check(facts(**options))).to_string()
    assert not any(identifier in text for identifier in IDS)


@pytest.mark.parametrize(
    "draft",
    [
        {},
        {"completes_goal": None, "cost_per_interview": None, "live_url": "", "locale": ""},
        {"completes_goal": 50, "cost_per_interview": {"value": "2.5000", "currency_code": "eur"}},
        {"cost_per_interview": {"value": "9"}},
        {"live_url": PLAN.live_url.replace("[", "%5B").replace("]", "%5D"), "locale": "ger_de"},
        {"live_url": PLAN.live_url.replace("https://survey.example/", "HTTPS://Survey.Example")},
        assigned(quota_overlay={"prevent_overfill": True}),
        {"fielding_assistant_assignment": None},
    ],
)
def test_a_draft_that_shows_no_other_value_than_the_plan_differs_in_nothing(draft: dict[str, Any]) -> None:
    launch = {"step": "launch", "draft": draft}
    rules = ("draft-cost", "draft-audience", "draft-survey", "draft-time", "draft-labels", "draft-dates")
    assert [each for code in rules for each in found(code, **launch)] == []


@pytest.mark.parametrize(
    "fields",
    [
        {"cost_per_interview": {"value": "odd", "currency_code": "EUR"}},
        assigned(pricing={"maximum_cpi": {"value": "odd", "currency_code": "EUR"}}),
        assigned(pricing={"maximum_cpi": "3 EUR"}),
    ],
)
def test_a_draft_whose_price_cannot_be_read_is_no_draft_without_a_price(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"value|maximum_cpi"):
        TargetGroup.model_validate({"id": "T1", "launched": False} | fields)


@pytest.mark.parametrize(
    ("step", "saved", "shared", "vouched", "severity"),
    [
        ("launch", 90, 90, (), Severity.BLOCK),
        ("launch", 90, 90, ("asked twice",), Severity.WARN),
        ("upload", 90, 90, (), Severity.WARN),  # nothing is spent yet
        ("launch", 400, 90, (), Severity.WARN),  # this wave asks some of that one again
        ("launch", 60, 60, (), Severity.WARN),
        ("launch", 90, 89, (), Severity.WARN),
    ],
)
def test_an_open_group_of_the_same_people_stops_a_launch_until_somebody_vouches(
    step: str, saved: int, shared: int, vouched: tuple[str, ...], severity: Severity
) -> None:
    others = [OpenGroupFact("T9", "Tracker, wave two", saved, shared)]
    one("asked-twice", severity, step=step, saved_count=90, open_groups=others, unverified=frozenset(vouched))
