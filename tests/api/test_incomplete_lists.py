"""A truncated list is no proof that something does not exist: after a lost reply nothing is resent because of it."""

from __future__ import annotations

from typing import Any

import pytest

from cint_nb.api.client import AsyncClient
from cint_nb.domain.errors import OutcomeUnknown
from cint_nb.domain.models import TargetGroupRef
from tests.support.constants import PROJECT
from tests.support.exchange import json_response, lost_reply
from tests.support.uploads import upload_file

UPLOAD = "/recontacts/jobs/upload-respondents-by-file"
OTHER = {"job_id": "01BTGNYV6HRNK8K8VKZASZCFP1", "file_name": "other.csv", "status": "Completed"}


@pytest.mark.parametrize("cut", [{"next_cursor": "a"}, {"has_more": True}])
def test_an_upload_not_found_in_a_cut_list_is_not_sent_again(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef, cut: dict[str, Any]
) -> None:
    whole, part = json_response(200, {"data": []}), json_response(200, {"data": [OTHER], **cut})
    exchange.on("GET", UPLOAD, whole, part)
    exchange.on("GET", "/recontacts/overview", json_response(200, {"saved_respondent_ids_count": 0}))
    exchange.on("POST", UPLOAD, lost_reply)
    with pytest.raises(OutcomeUnknown) as caught:
        client.run(client.recontacts.upload(ref, upload_file(), token="abc12345"))
    assert caught.value.evidence["token"] == "abc12345"
    assert len(exchange.sent("POST", UPLOAD)) == 1


def test_an_upload_found_before_the_cut_is_adopted(client: AsyncClient, exchange: Any, ref: TargetGroupRef) -> None:
    upload = upload_file()
    mine = {**OTHER, "file_name": upload.file_name("abc12345")}
    exchange.on("GET", UPLOAD, json_response(200, {"data": []}), json_response(200, {"data": [mine], "has_more": True}))
    exchange.on("GET", "/recontacts/overview", json_response(200, {"saved_respondent_ids_count": 0}))
    exchange.on("POST", UPLOAD, lost_reply)
    assert client.run(client.recontacts.upload(ref, upload, token="abc12345")).handle.job_id == OTHER["job_id"]


def test_a_draft_not_found_in_a_cut_list_is_not_sent_again(client: AsyncClient, exchange: Any) -> None:
    exchange.on("GET", "/target-groups", json_response(200, {"target_groups": [], "has_more": True}))
    exchange.on("POST", "/target-groups", lost_reply)
    with pytest.raises(OutcomeUnknown) as caught:
        client.run(client.target_groups.create_draft(PROJECT, {"name": "Wave two"}, reference="ref-1"))
    assert caught.value.evidence["reference"] == "ref-1"
    assert len(exchange.sent("POST", "/target-groups")) == 1
