"""What was accepted is not sent again, whatever its reply looks like; what could not be counted is not nothing."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from cint_nb.api.client import AsyncClient
from cint_nb.domain.errors import OutcomeUnknown, UnexpectedReply
from cint_nb.domain.models import TargetGroupRef
from tests.support.constants import GROUP, PROJECT
from tests.support.exchange import json_response
from tests.support.uploads import upload_file

UPLOAD = "/recontacts/jobs/upload-respondents-by-file"
COUNT = {"saved_respondent_ids_count": 0}
UNREADABLE: dict[str, Any] = {
    "no id": json_response(201, {}),
    "renamed": json_response(201, {"jobId": "J1"}),
    "nested": json_response(201, {"data": {"job_id": "J1"}}),
    "no address": json_response(201, {"job_id": "../J1"}),
    "an error": json_response(202, {"object": "conflict_error", "detail": "locked"}),
    "empty": json_response(201),
    "not JSON": lambda _: httpx.Response(201, content=b"{", headers={"content-type": "application/json"}),
}


@pytest.mark.parametrize("reply", UNREADABLE.values(), ids=UNREADABLE)
def test_an_upload_that_was_accepted_is_sent_once(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef, reply: Any
) -> None:
    exchange.on("GET", UPLOAD, json_response(200, {"data": []}))
    exchange.on("GET", "/recontacts/overview", json_response(200, COUNT)).on("POST", UPLOAD, reply)
    with pytest.raises(OutcomeUnknown, match="reported a success that cannot be read") as caught:
        client.run(client.recontacts.upload(ref, upload_file(), token="abc12345"))
    assert len(exchange.sent("POST", UPLOAD)) == 1
    assert caught.value.evidence["token"] == "abc12345"
    assert "once or not at all" in str(caught.value.safe)


@pytest.mark.parametrize("reply", UNREADABLE.values(), ids=UNREADABLE)
def test_a_draft_that_was_accepted_is_created_once(client: AsyncClient, exchange: Any, reply: Any) -> None:
    exchange.on("GET", "/target-groups", json_response(200, {"target_groups": [], "has_more": False}))
    exchange.on("POST", "/target-groups", reply)
    with pytest.raises(OutcomeUnknown):
        client.run(client.target_groups.create_draft(PROJECT, {"name": "Wave two"}, reference="ref-1"))
    assert len(exchange.sent("POST", "/target-groups")) == 1


@pytest.mark.parametrize("name", [None, "Wave two"])
def test_a_group_whose_reference_the_list_does_not_show_is_read(
    client: AsyncClient, exchange: Any, name: str | None
) -> None:
    row = {"id": GROUP, "name": "Wave two", "status": "draft"}
    exchange.on("GET", "/target-groups", json_response(200, {"target_groups": [row], "has_more": False}))
    exchange.on("GET", GROUP, json_response(200, {"target_group_customer_reference_number": "ref-1"}))
    found = client.run(client.target_groups.find(PROJECT, "ref-1", name=name))
    assert found == TargetGroupRef(project_id=PROJECT, target_group_id=GROUP)


def test_exclusions_are_removed_by_a_request_whatever_the_count_says(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef
) -> None:
    exchange.on("GET", "/exclusions/overview", json_response(200, COUNT))
    exchange.on("POST", "/remove-all-respondents", json_response(201, {"job_id": "J1"}))
    assert client.run(client.exclusions.remove_all(ref, ids=5)).handle.job_id == "J1"


@pytest.mark.parametrize("body", [{}, {"completes_goal": None}, {"goal": 5}, {"completes_goal": "5"}])
def test_a_goal_is_not_claimed_by_a_reply_that_does_not_show_it(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef, body: dict[str, Any]
) -> None:
    exchange.on("PUT", "/profiles/completes-goal", json_response(200, body))
    with pytest.raises(UnexpectedReply, match="completes_goal") as caught:
        client.run(client.target_groups.set_completes_goal(ref, 5))
    assert "may have taken effect" in str(caught.value.safe)


def test_a_strategy_is_not_claimed_by_a_reply_that_does_not_show_it(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef
) -> None:
    exchange.on("PUT", "/filling-strategy", json_response(204), json_response(200, {"strategy": "completes"}))
    assert client.run(client.target_groups.set_filling_strategy(ref, "completes")) is None
    with pytest.raises(UnexpectedReply, match="filling_strategy is missing"):
        client.run(client.target_groups.set_filling_strategy(ref, "completes"))
