"""Replies are parsed tolerantly, and errors about what cannot be parsed disclose no values."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from cint_nb.api.client import AsyncClient
from cint_nb.api.parsing import parse_created_id
from cint_nb.domain.errors import UnexpectedReply
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.target_groups import Project, TargetGroupOverview, TargetGroupSummary
from cint_nb.wire.calls import Reply
from tests.support.exchange import json_response

ULID = "01JX2KPG5VEBF8498Z8YTTE8TB"


def reply(body: bytes = b"", **headers: str) -> Reply:
    shown = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(201, httpx.Headers(shown), body, method="POST", template="/things")


@pytest.mark.parametrize(
    "location",
    [ULID, f"/demand/accounts/101/things/{ULID}", f"https://api.cint.com/v1/things/{ULID}", f"/things/{ULID}/"],
)
def test_the_id_at_the_end_of_a_location_counts_in_every_form(location: str) -> None:
    assert parse_created_id(reply(location=location), "id", ulid=True) == ULID


def test_an_unreadable_body_does_not_hide_a_location() -> None:
    assert parse_created_id(reply(b"<html>", location=ULID), "id") == ULID
    with pytest.raises(UnexpectedReply):
        parse_created_id(reply(b"<html>"), "id")


def test_unknown_fields_are_kept_and_nulls_are_absent() -> None:
    project = Project.model_validate({"id": ULID, "name": None, "human_readable_id": 17, "invented": {"a": None}})
    assert (project.name, project.human_readable_id) == (None, "17")
    assert project.model_extra == {"invented": {"a": None}}


def test_an_overview_without_anything_is_still_an_overview() -> None:
    shown = TargetGroupOverview.model_validate({"progress": None, "current_cost": None})
    assert (shown.progress.current_completes, shown.current_cost) == (None, None)


def test_the_exchanges_own_advice_is_read_from_the_list() -> None:
    statistics = {
        "drop_off_rate": {"value": 0.5, "issues": [{"reason": "high", "issue_type": "warning"}, None]},
        "progress": {"issues": None},
        "conversion_rate": {"issues": [{"reason": {"code": "low", "description": "few end"}, "issue_type": "error"}]},
        "odd": 3,
    }
    row = TargetGroupSummary.model_validate({"id": ULID, "statistics": statistics})
    assert row.issues() == (("drop_off_rate", "warning", "high"), ("conversion_rate", "error", "few end"))


def test_a_reply_that_does_not_fit_names_fields_and_no_values(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef
) -> None:
    exchange.on("GET", "/overview", json_response(200, {"status": "live", "conversion_rate": "secret-value"}))
    with pytest.raises(UnexpectedReply, match="conversion_rate") as caught:
        client.run(client.target_groups.overview(ref))
    assert "secret-value" not in str(caught.value)
    assert b"secret-value" in caught.value.body


def test_a_row_that_does_not_fit_is_an_unexpected_reply(client: AsyncClient, exchange: Any) -> None:
    exchange.on("GET", "/projects", json_response(200, {"projects": [{"name": "no id"}]}))

    async def listed() -> list[Any]:
        return [row async for row in client.projects.list()]

    with pytest.raises(UnexpectedReply, match=r"projects\[\].id is missing"):
        client.run(listed())


def test_an_overview_without_a_count_is_not_taken_for_nothing(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef
) -> None:
    exchange.on("GET", "/recontacts/overview", json_response(200, {"saved": 3}))
    with pytest.raises(UnexpectedReply, match="saved_respondent_ids_count is missing"):
        client.run(client.recontacts.saved_count(ref))
