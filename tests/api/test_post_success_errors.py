"""What was accepted is reported as accepted: a success without a body, and a failure after the success."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from cint_nb.api.client import AsyncClient
from cint_nb.domain.errors import CintError, PermissionDenied, ServerError
from cint_nb.domain.models import Amount, TargetGroupRef
from tests.contract.tour_state import example
from tests.support.constants import MANAGER, PROJECT
from tests.support.exchange import error_response, json_response, lost_reply

PROGRESS = {"current_completes": 0, "filling_goal": 120}


def away(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("away")


def test_the_goal_is_set_by_a_success_without_a_body(client: AsyncClient, exchange: Any, ref: TargetGroupRef) -> None:
    exchange.on("PUT", "/profiles/completes-goal", json_response(204))
    exchange.on("GET", "/overview", json_response(200, {"status": "live", "progress": PROGRESS}))
    assert client.run(client.target_groups.set_completes_goal(ref, 120)) == 120


def test_the_price_is_set_by_a_success_without_a_body(client: AsyncClient, exchange: Any, ref: TargetGroupRef) -> None:
    exchange.on("PUT", "/cost-per-interview", json_response(204))
    cost = {"value": "2.50", "currency_code": "EUR"}
    shown = {"status": "live", "progress": PROGRESS, "current_cost_per_interview": cost}
    exchange.on("GET", "/overview", json_response(200, shown))
    price = client.run(client.target_groups.set_cost_per_interview(ref, "2.50 EUR"))
    assert price == Amount(value=price.value, currency_code="EUR")
    assert price.value is not None
    assert float(price.value) == 2.5


def test_details_changed_by_a_success_without_a_body_are_read(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef
) -> None:
    exchange.on("PUT", "/details", json_response(204))
    exchange.on("GET", "/details", json_response(200, {"name": "Wave two"}))
    changed = client.run(client.target_groups.update_details(ref, example("DetailsUpdate") | {"name": "Wave two"}))
    assert (changed.name, changed.id, changed.launched) == ("Wave two", ref.target_group_id, True)


@pytest.mark.parametrize("trouble", ["a lost reply", "a failing exchange", "no way there"])
def test_trouble_while_waiting_for_a_new_project_is_waited_out(
    client: AsyncClient, exchange: Any, trouble: str
) -> None:
    failing = {"a lost reply": lost_reply, "a failing exchange": error_response(500), "no way there": away}[trouble]
    exchange.on("POST", "/projects", json_response(202, {"id": PROJECT}))
    exchange.on("GET", PROJECT, *[failing] * 7, json_response(200, {"id": PROJECT}))
    assert client.run(client.projects.create("A project", MANAGER)).id == PROJECT
    assert len(exchange.sent("POST", "/projects")) == 1


@pytest.mark.parametrize(
    ("status", "kind"), [(500, ServerError), (403, PermissionDenied)], ids=["never well again", "not allowed to read"]
)
def test_a_project_that_was_accepted_and_cannot_be_read_is_named(
    client: AsyncClient, exchange: Any, status: int, kind: type[CintError]
) -> None:
    exchange.on("POST", "/projects", json_response(202, {"id": PROJECT}))
    exchange.on("GET", PROJECT, error_response(status))
    with pytest.raises(kind, match="do not create it again") as caught:
        client.run(client.projects.create("A project", MANAGER))
    assert caught.value.evidence["project_id"] == PROJECT
    assert "was accepted" in str(caught.value.safe)
