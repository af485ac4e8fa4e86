"""Where Cint's documents contradict each other about drafts and projects, the client copes with every version.

The numbers are those of the list of contradictions; each test is named after its row.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from cint_nb.api import operations as ops
from cint_nb.api.client import AsyncClient
from cint_nb.api.resources.draft_body import convert_allocations
from cint_nb.domain import limits
from cint_nb.domain.definitions import AllocationTemplate
from cint_nb.domain.errors import BadRequest, CintWarning, InputError, NotFound, UnexpectedReply
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import AllocationFormat, TargetGroupPlan
from tests.support.constants import GROUP, MANAGER, PROJECT, START
from tests.support.exchange import error_response, json_response, lost_reply
from tests.support.plans import make_plan

GROUPS = "/target-groups"
URL = "https://survey.example/?RID=[%RID%]&RECONTACT_RSID=[%RECONTACT_RSID%]"


@pytest.fixture
def plan() -> TargetGroupPlan:
    return make_plan(
        START, completes_goal=10, start_at="2026-09-02T08:00:00Z", end_at="2026-09-13T08:00:00Z", live_url=URL
    )


@pytest.fixture
def nothing_yet(exchange: Any) -> None:
    exchange.on("GET", GROUPS, json_response(200, {"target_groups": [], "has_more": False, "next_cursor": None}))


def create(client: AsyncClient, plan: Any, **more: Any) -> TargetGroupRef:
    return client.run(client.target_groups.create_draft(PROJECT, plan, name="Wave two", reference="ref-1", **more))


@pytest.mark.usefixtures("nothing_yet")
@pytest.mark.parametrize("key", ["id", "target_group_id"])
def test_b01_create_reply_may_say_id_or_target_group_id(
    client: AsyncClient, exchange: Any, plan: TargetGroupPlan, key: str
) -> None:
    exchange.on("POST", GROUPS, json_response(201, {key: GROUP}))
    assert create(client, plan).target_group_id == GROUP


@pytest.mark.usefixtures("nothing_yet")
def test_b01_without_an_id_in_the_body_the_location_names_it(
    client: AsyncClient, exchange: Any, plan: TargetGroupPlan
) -> None:
    where = f"/demand/accounts/101/projects/{PROJECT}/target-groups/{GROUP}"
    exchange.on("POST", GROUPS, json_response(201, location=where))
    assert create(client, plan).target_group_id == GROUP


def test_b01_what_is_no_id_is_not_taken_for_one_and_the_raw_reply_is_kept(client: AsyncClient, exchange: Any) -> None:
    exchange.on("POST", "/projects", json_response(202, {"id": "created"}))
    with pytest.raises(UnexpectedReply) as caught:
        client.run(client.projects.create("A project", MANAGER))
    assert json.loads(caught.value.body) == {"id": "created"}


@pytest.mark.usefixtures("nothing_yet")
@pytest.mark.parametrize("named", ["Allocations", "Allocations.OpenExchangeAllocations", "allocation_template.id"])
def test_b02_a_refused_allocation_shape_offers_the_others_and_tries_none_by_itself(
    client: AsyncClient, exchange: Any, plan: TargetGroupPlan, named: str
) -> None:
    exchange.on("POST", GROUPS, error_response(400, **{named: "is not valid"}))
    with pytest.raises(BadRequest, match=r"allocation_format='allocation_template'") as caught:
        create(client, plan)
    assert caught.value.evidence["allocation_format"] == "template_id"
    assert caught.value.evidence["other_formats"] == "allocation_template, open_exchange"
    assert len(exchange.sent("POST", GROUPS)) == 1


@pytest.mark.usefixtures("nothing_yet")
def test_b02_the_guides_shape_goes_first_and_an_offered_one_is_sent_when_asked_for(
    client: AsyncClient, exchange: Any, plan: TargetGroupPlan
) -> None:
    exchange.on("POST", GROUPS, error_response(400, Allocations="unknown"), json_response(201, {"id": GROUP}))
    with pytest.raises(BadRequest):
        create(client, plan)
    create(client, plan.model_copy(update={"allocation_format": AllocationFormat.ALLOCATION_TEMPLATE}))
    first, second = exchange.bodies("POST", GROUPS)
    assert first["allocations"] == {"template_id": limits.RECONTACT_TEMPLATE_ID}
    assert second["allocation_template"] == {"id": limits.RECONTACT_TEMPLATE_ID, "type": "global"}
    assert "allocations" not in second


@pytest.mark.usefixtures("nothing_yet")
def test_b02_a_refusal_of_something_else_offers_no_shapes(
    client: AsyncClient, exchange: Any, plan: TargetGroupPlan
) -> None:
    exchange.on("POST", GROUPS, error_response(400, ExpectedCompletes="must not be empty"))
    with pytest.raises(BadRequest) as caught:
        create(client, plan)
    assert "other_formats" not in caught.value.evidence
    assert caught.value.invalid_params == (("completes_goal", "must not be empty"),)


def test_b02_the_third_shape_expands_the_template_as_it_is_read(client: AsyncClient, exchange: Any) -> None:
    parts = [
        {"type": "exchange", "percentage_max": 60, "percentage_min": None, "suppliers": []},
        {"type": "group", "name": "G", "percentage_max": 40, "percentage_min": 10, "suppliers": [{"supplier_id": 980}]},
        {"type": "blocked", "suppliers": [{"supplier_id": 7}, {"supplier_id": None}]},
    ]
    body = {"template_id": limits.RECONTACT_TEMPLATE_ID, "name": "Recontact", "supply_allocations": parts}
    exchange.on("GET", f"/allocation-templates/{limits.RECONTACT_TEMPLATE_ID}", json_response(200, body))
    template = client.run(client.definitions.allocation_template(limits.RECONTACT_TEMPLATE_ID))
    expanded = convert_allocations(
        {"name": "n", "allocations": {"template_id": "x"}}, AllocationFormat.OPEN_EXCHANGE, template=template
    )
    assert expanded == {
        "name": "n",
        "allocations": {
            "open_exchange_allocations": {
                "blocked_supplier_ids": ["7"],
                "exchange_min_percentage": 0,
                "exchange_max_percentage": 60,
                "groups": [{"group_name": "G", "min_percentage": 10, "max_percentage": 40, "suppliers": ["980"]}],
            }
        },
    }


def test_b02_the_third_shape_without_the_template_is_refused() -> None:
    with pytest.raises(InputError, match="template"):
        convert_allocations({}, AllocationFormat.OPEN_EXCHANGE)
    with pytest.raises(InputError, match="suppliers of this allocation template are not known"):
        AllocationTemplate(template_id="x").to_open_exchange_allocations()
    whole = AllocationTemplate(template_id="x", supply_allocations=())
    assert whole.to_open_exchange_allocations()["exchange_max_percentage"] == 100


@pytest.mark.usefixtures("nothing_yet")
def test_b03_business_unit_id_is_sent_as_the_other_type_when_refused_and_the_winner_is_kept(
    client: AsyncClient, exchange: Any, plan: TargetGroupPlan
) -> None:
    made = json_response(201, {"id": GROUP})
    exchange.on("POST", GROUPS, error_response(400, BusinessUnitId="must be a number"), made)
    create(client, plan)
    create(client, plan)
    assert [body["business_unit_id"] for body in exchange.bodies("POST", GROUPS)] == ["1234", 1234, 1234]


@pytest.mark.usefixtures("nothing_yet")
def test_b03_a_unit_refused_in_both_types_is_an_error_after_two_requests(
    client: AsyncClient, exchange: Any, plan: TargetGroupPlan
) -> None:
    exchange.on("POST", GROUPS, error_response(400, BusinessUnitId="does not exist"))
    with pytest.raises(BadRequest):
        create(client, plan)
    assert len(exchange.sent("POST", GROUPS)) == 2


@pytest.mark.parametrize("unit", ["1234", 1234])
def test_b03_business_unit_id_is_read_as_a_number_from_either_type(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef, unit: str | int
) -> None:
    exchange.on("GET", GROUP, json_response(200, {"business_unit_id": unit, "completes_goal": 10.0}))
    shown = client.run(client.target_groups.get(ref))
    assert (shown.business_unit_id, shown.completes_goal) == (1234, 10)


def test_b03_a_forecast_always_sends_the_number(client: AsyncClient, exchange: Any, plan: TargetGroupPlan) -> None:
    exchange.on("POST", "/calculate-feasibility", json_response(200, {"suggested_price": {"value": "2.5"}}))
    client.run(client.target_groups.feasibility(plan.to_body(name="Wave two")))
    assert exchange.bodies("POST", "/calculate-feasibility")[0]["business_unit_id"] == 1234


@pytest.mark.usefixtures("nothing_yet")
def test_b11_only_the_shape_of_this_version_is_sent(client: AsyncClient, exchange: Any, plan: TargetGroupPlan) -> None:
    exchange.on("POST", GROUPS, json_response(201, {"id": GROUP}))
    create(client, plan)
    assert "profile" not in exchange.bodies("POST", GROUPS)[0]
    assert "profiling" not in exchange.bodies("POST", GROUPS)[0]
    assert exchange.sent("POST", GROUPS)[0].headers["Cint-API-Version"] == "2025-12-18"


def test_b11_the_field_of_the_older_version_is_refused_before_anything_is_sent(
    client: AsyncClient, exchange: Any
) -> None:
    with pytest.raises(InputError, match="profile"):
        create(client, {"name": "Wave two", "profile": {"drafts": []}})
    assert exchange.requests == []


@pytest.mark.usefixtures("nothing_yet")
def test_b12_a_draft_carries_a_key_and_the_client_does_not_rely_on_it(
    client: AsyncClient, exchange: Any, plan: TargetGroupPlan
) -> None:
    exchange.on("POST", GROUPS, lost_reply, json_response(201, {"id": GROUP}))
    create(client, plan)
    first, second = exchange.sent("POST", GROUPS)
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] != ""
    order = [(r.method, r.url.path.rpartition("/")[2]) for r in exchange.requests]
    assert order == [("GET", "target-groups"), ("POST", "target-groups")] + [("GET", "target-groups")] * 3 + [
        ("POST", "target-groups")
    ]
    assert ops.CREATE_DRAFT.idempotency == "non-idempotent"


@pytest.mark.usefixtures("nothing_yet")
def test_b17_the_deprecated_exclusion_list_is_never_sent(client: AsyncClient, exchange: Any) -> None:
    exchange.on("POST", GROUPS, json_response(201, {"id": GROUP}))
    create(client, {"name": "Wave two", "exclusion": {"enabled": True, "list": []}})
    assert exchange.bodies("POST", GROUPS)[0]["exclusion"] == {"enabled": True}
    filled = {"enabled": True, "list": [{"entity_type": "RID", "entity_ids": ["x"]}]}
    with pytest.raises(InputError, match=r"exclusions\.upload"):
        create(client, {"name": "Wave two", "exclusion": filled})
    assert len(exchange.sent("POST", GROUPS)) == 1


@pytest.mark.usefixtures("nothing_yet")
@pytest.mark.parametrize("enabled", [True, False])
def test_b18_a_plan_always_says_whether_exclusion_is_on(
    client: AsyncClient, exchange: Any, plan: TargetGroupPlan, enabled: bool
) -> None:
    exchange.on("POST", GROUPS, json_response(201, {"id": GROUP}))
    create(client, plan.model_copy(update={"exclusion_enabled": enabled}))
    assert exchange.bodies("POST", GROUPS)[0]["exclusion"] == {"enabled": enabled}
    assert client.http.warning_texts == ()


@pytest.mark.usefixtures("nothing_yet")
def test_b18_a_body_that_does_not_say_is_warned_of(client: AsyncClient, exchange: Any) -> None:
    exchange.on("POST", GROUPS, json_response(201, {"id": GROUP}))
    with pytest.warns(CintWarning, match=r"exclusion\.enabled"):
        create(client, {"name": "Wave two"})


@pytest.mark.parametrize("status", [200, 201, 202])
def test_b27_a_project_is_waited_for_until_it_can_be_read(client: AsyncClient, exchange: Any, status: int) -> None:
    missing = error_response(404, "not_found")
    exchange.on("POST", "/projects", json_response(status, {"id": PROJECT}))
    exchange.on("GET", PROJECT, missing, missing, missing, json_response(200, {"id": PROJECT}))
    made = client.run(client.projects.create("A project", MANAGER))
    assert made.id == PROJECT
    assert len(exchange.sent("GET", PROJECT)) == 4


def test_b27_a_project_that_never_becomes_readable_is_an_error_that_names_it(
    client: AsyncClient, exchange: Any
) -> None:
    exchange.on("POST", "/projects", json_response(202, {"id": PROJECT}))
    exchange.on("GET", PROJECT, error_response(404, "not_found"))
    with pytest.raises(NotFound, match="do not create it again") as caught:
        client.run(client.projects.create("A project", MANAGER))
    assert caught.value.evidence["project_id"] == PROJECT
    assert len(exchange.sent("POST", "/projects")) == 1


@pytest.mark.parametrize("links", [None, {}, {"test_client_survey": "https://x.example/1"}, {"test_screener": None}])
def test_b23_a_gateway_that_follows_redirects_makes_no_draft_of_a_launched_group(
    client: AsyncClient, exchange: Any, links: dict[str, Any] | None
) -> None:
    exchange.on("GET", f"{GROUPS}/{GROUP}", json_response(200, {"name": "Wave two", "links": links}))
    group = client.run(client.target_groups.get(TargetGroupRef(project_id=PROJECT, target_group_id=GROUP)))
    assert group.launched == ("test_screener" in (links or {})), "only launched groups have one"
