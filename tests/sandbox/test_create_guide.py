"""Drafts as a raw HTTP client finds them: the siblings of what the guide on creating a target group states."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from cint_nb.domain import limits
from cint_nb.sandbox.sandbox import Sandbox
from tests.support.plans import PRICE_VALUE, guide_draft, price_body
from tests.support.sandbox_client import RawClient


def create(raw_client: RawClient, body: Any) -> httpx.Response:
    return raw_client.post(f"{raw_client.project()}/target-groups", body)


def test_dates_that_cannot_be_read_are_named_once_beside_another_error(raw_client: RawClient) -> None:
    body = guide_draft()
    body["fielding_specification"]["end_at"] = "later"
    del body["completes_goal"]
    problems = create(raw_client, body).json()["invalid_params"]
    assert [each["name"] for each in problems] == ["ExpectedCompletes", "FieldingSpecification.EndAt"]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"name": "abcd"}, "Name"),
        ({"name": "x" * 129}, "Name"),
        ({"business_unit_id": "99"}, "BusinessUnitId"),
        ({"business_unit_id": "a unit"}, "BusinessUnitId"),
        ({"project_manager_id": "someone"}, "ProjectManagerId"),
        ({"project_manager_id": "00000000-0000-4000-8000-000000000000"}, "ProjectManagerId"),
        ({"completes_goal": 0}, "ExpectedCompletes"),
        ({"completes_goal": None}, "ExpectedCompletes"),
        ({"completes_goal": "10"}, "ExpectedCompletes"),
        ({"expected_length_of_interview_minutes": 46}, "ExpectedLengthOfInterviewMinutes"),
        ({"expected_incidence_rate": 1.2}, "ExpectedIncidenceRate"),
        ({"expected_incidence_rate": 0.805}, "ExpectedIncidenceRate"),
        ({"locale": "xxx_yy"}, "Locale"),
        ({"study_type_code": "unheard"}, "StudyTypeCode"),
        ({"industry_code": "unheard"}, "IndustryCode"),
        ({"live_url": "x" * 3_001}, "LiveUrl"),
        ({"live_url": "ftp://survey.example"}, "LiveUrl"),
        ({"cost_per_interview": price_body(currency="USD")}, "CostPerInterview.CurrencyCode"),
        ({"cost_per_interview": {"value": float(PRICE_VALUE), "currency_code": "EUR"}}, "CostPerInterview.Value"),
        ({"target_group_customer_reference_number": "a/b"}, "TargetGroupCustomerReferenceNumber"),
        ({"target_group_customer_reference_number": "ab"}, "TargetGroupCustomerReferenceNumber"),
        ({"collects_pii": "no"}, "CollectsPii"),
        ({"fielding_assistant_assignment": None}, "FieldingAssistantAssignment"),
        (
            {"fielding_specification": {"start_at": "2026-08-31T08:00:00Z", "end_at": "2026-09-13T08:00:00Z"}},
            "FieldingSpecification.StartAt",
        ),
        (
            {"fielding_specification": {"start_at": "2026-09-14T08:00:00Z", "end_at": "2026-09-13T08:00:00Z"}},
            "FieldingSpecification.EndAt",
        ),
        (
            {"fielding_specification": {"start_at": "2026-09-01T08:30:00Z", "end_at": "2026-09-01T08:59:00Z"}},
            "FieldingSpecification.EndAt",
        ),
        ({"fielding_specification": {"start_at": "tomorrow", "end_at": "later"}}, "FieldingSpecification.StartAt"),
        ({"allocations": {"template_id": "01JH0PEGPC4Z8RDD304E2SFXXX"}}, "Allocations.TemplateId"),
    ],
)
def test_a_field_that_breaks_a_rule_is_named(raw_client: RawClient, change: dict[str, Any], name: str) -> None:
    reply = create(raw_client, {**guide_draft(), **change})
    assert reply.status_code == 400, reply.text
    assert name in [problem["name"] for problem in reply.json()["invalid_params"]]


@pytest.mark.parametrize("unit", ["1234", 1234])
def test_the_business_unit_may_be_text_or_a_number(raw_client: RawClient, unit: int | str) -> None:
    assert create(raw_client, {**guide_draft(), "business_unit_id": unit}).status_code == 201


def test_the_currency_is_the_business_units(raw_client: RawClient) -> None:
    dollars = {"value": "2.5", "currency_code": "USD"}
    body = {
        **guide_draft(),
        "business_unit_id": "5678",
        "cost_per_interview": dollars,
        "fielding_assistant_assignment": {},
    }
    assert create(raw_client, body).status_code == 201


def test_rate_card_pricing_takes_no_cost_per_interview(raw_client: RawClient) -> None:
    body = {**guide_draft(), "fielding_assistant_assignment": {"pricing": {"type": "rate_card"}}}
    assert create(raw_client, body).json()["invalid_params"][0]["name"] == "CostPerInterview"
    del body["cost_per_interview"]
    assert create(raw_client, body).status_code == 201


WHOLE_EXCHANGE = {
    "open_exchange_allocations": {
        "blocked_supplier_ids": [],
        "exchange_min_percentage": 0,
        "exchange_max_percentage": 100,
        "groups": [],
    }
}


@pytest.mark.parametrize(
    "shape",
    [
        {"allocations": {"template_id": limits.RECONTACT_TEMPLATE_ID}},
        {"allocation_template": {"id": limits.RECONTACT_TEMPLATE_ID, "type": "global"}},
        {"allocations": WHOLE_EXCHANGE},
    ],
)
def test_the_recontact_template_is_taken_in_three_shapes(raw_client: RawClient, shape: dict[str, Any]) -> None:
    body = {**raw_client.draft_body(allocations=None), **shape}
    reply = create(raw_client, body)
    assert reply.status_code == 201, reply.text


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"allocations": {"template_id": "01JH0PEHNMJZGPP1M1P11WJHWW"}},
        {"allocation_template": {"id": "01JH0PEHNMJZGPP1M1P11WJHWW", "type": "global"}},
        {"allocations": {}},
        {
            "allocations": {"template_id": limits.RECONTACT_TEMPLATE_ID},
            "allocation_template": {"id": limits.RECONTACT_TEMPLATE_ID, "type": "global"},
        },
    ],
)
def test_a_recontact_without_the_recontact_template_is_refused(raw_client: RawClient, shape: dict[str, Any]) -> None:
    body = {**raw_client.draft_body(allocations=None), **shape}
    reply = create(raw_client, body)
    assert reply.status_code == 400
    assert reply.json()["invalid_params"][0]["name"].startswith("Allocation")


def test_a_draft_is_read_back_as_written(raw_client: RawClient) -> None:
    group = raw_client.group(target_group_customer_reference_number="wave 2")
    body = raw_client.get(group).json()
    assert body["business_unit_id"] == 1234, "written as text, read as a number"
    assert body["study_type_code"] == "recontact"
    assert body["target_group_customer_reference_number"] == "wave 2"
    assert body["exclusion"] == {"enabled": False}
    assert len(body["human_readable_id"]) == 7


def test_a_draft_has_no_overview_no_details_and_no_performance(raw_client: RawClient) -> None:
    group = raw_client.group()
    for path in ("overview", "details", "performance", "completes-aggregated-by-interval"):
        assert raw_client.get(f"{group}/{path}").status_code == 404


def test_a_launched_draft_answers_301_to_its_details(raw_client: RawClient, good_ids: list[str]) -> None:
    group = raw_client.group()
    raw_client.saved_ids(group, good_ids[:20])
    raw_client.launched(group)
    reply = raw_client.get(group, follow_redirects=False)
    assert reply.status_code == 301
    assert reply.headers["location"] == f"/v1{group}/details"
    followed = raw_client.get(group, follow_redirects=True)
    assert followed.json() == raw_client.get(f"{group}/details").json()
    assert followed.json()["completes_goal"] == 10
    assert raw_client.ask("PUT", group, json=raw_client.draft_body()).status_code == 400, "it is no draft any more"


def test_left_out_the_filling_strategy_is_prescreens(
    sandbox: Sandbox, raw_client: RawClient, good_ids: list[str]
) -> None:
    group = raw_client.group(filling_strategy=None)
    raw_client.saved_ids(group, good_ids[:200])
    raw_client.launched(group)
    sandbox.advance(3 * 86_400)
    raw_client.log_in()
    progress = raw_client.get(f"{group}/overview").json()["progress"]
    assert progress["filling_strategy"] == "prescreens"
    assert progress["current_prescreens"] == 10
    assert progress["current_completes"] < 10, "people who only passed screening have filled the goal"


def test_draft_writing_needs_json(raw_client: RawClient) -> None:
    path = f"{raw_client.project()}/target-groups"
    for content in (b"", b"{", b"[]", b'"text"', b"NaN", b"[" * 100_000, b"\xff\xfe"):
        reply = raw_client.ask("POST", path, content=content, headers={"Content-Type": "application/json"})
        assert reply.status_code == 400, content[:10]
