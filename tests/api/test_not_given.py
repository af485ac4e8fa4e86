"""Where a verb needs what the reply does not say, it raises; it never takes silence for nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from cint_nb.api.client import AsyncClient
from cint_nb.api.jobs.handle import make_handle
from cint_nb.api.jobs.job import Job
from cint_nb.domain.errors import InputError, UnexpectedReply
from cint_nb.domain.jobs import JobKind, JobState
from cint_nb.domain.models import TargetGroupRef
from tests.support.exchange import json_response, lost_reply

COUNTED = "saved_respondent_ids_count"


@pytest.mark.parametrize("silence", [{}, {"status": None}, {"status": ""}])
def test_a_report_without_a_status_has_no_status(client: AsyncClient, exchange: Any, silence: dict[str, Any]) -> None:
    exchange.on("GET", "/status", json_response(200, silence))
    with pytest.raises(UnexpectedReply, match="status is missing"):
        client.run(client.reports.status("R1"))


@pytest.mark.parametrize("silence", [{}, {COUNTED: None}])
def test_exclusions_that_were_not_counted_are_not_none(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef, silence: dict[str, Any]
) -> None:
    exchange.on("GET", "/exclusions/overview", json_response(200, silence))
    with pytest.raises(UnexpectedReply, match=COUNTED):
        client.run(client.exclusions.remove_all(ref))
    assert exchange.sent("POST", "/exclusions") == []


@pytest.mark.parametrize("kind", [JobKind.UPLOAD_RSIDS, JobKind.REMOVAL])
@pytest.mark.parametrize("silence", [{}, {COUNTED: None}, {COUNTED: "many"}])
@pytest.mark.parametrize("saved_before", [None, 0, 5])
def test_a_job_followed_by_the_count_has_no_state_without_one(
    client: AsyncClient,
    exchange: Any,
    ref: TargetGroupRef,
    kind: JobKind,
    silence: dict[str, Any],
    saved_before: int | None,
) -> None:
    exchange.on("GET", "/recontacts/overview", json_response(200, silence))
    job = Job(client.http, make_handle(client.http, kind, None, ref=ref, id_count=5), saved_before)
    with pytest.raises(UnexpectedReply, match=COUNTED):
        job.poll()


def test_an_upload_of_unknown_size_is_not_done_with_the_first_count(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef
) -> None:
    exchange.on("GET", "/recontacts/overview", json_response(200, {COUNTED: 0}))
    job = Job(client.http, make_handle(client.http, JobKind.UPLOAD_RSIDS, None, ref=ref), 0)
    assert job.poll().state is JobState.RUNNING


@pytest.mark.parametrize("call", [lambda c, ref: c.recontacts.download(ref, None), lambda c, _: c.reports.status("")])
def test_an_id_that_is_not_given_is_called_missing_and_nothing_is_sent(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef, call: Callable[..., Any]
) -> None:
    with pytest.raises(InputError, match="it is missing"):
        client.run(call(client, ref))
    assert exchange.requests == []


@pytest.mark.parametrize("lists", ["updated_target_groups", "failed_target_groups"])
@pytest.mark.parametrize("row", [{}, {"target_group_id": None}, "A", None])
def test_a_row_of_a_batch_without_a_target_group_is_not_dropped(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef, lists: str, row: Any
) -> None:
    exchange.on("GET", "/J1", json_response(200, {"status": "Completed", lists: {"data": [row]}}))
    handle = make_handle(client.http, JobKind.BATCH_PAUSE, "J1", project_id=ref.project_id)
    with pytest.raises(UnexpectedReply, match=rf"{lists}\.data\[\]"):
        client.run(client.fielding.batch_result(handle))


@pytest.mark.parametrize("row", [{"country": {"code": "de"}}, {"languages": []}, {"country": {}, "languages": []}])
def test_a_locale_without_its_codes_is_an_unexpected_reply(
    client: AsyncClient, exchange: Any, row: dict[str, Any]
) -> None:
    exchange.on("GET", "/locales", json_response(200, {"locales": [row]}))
    with pytest.raises(UnexpectedReply, match=r"list the locales.*(code|country|languages) is missing"):
        client.run(client.definitions.locales())


def test_a_report_request_of_unknown_type_is_not_adopted(client: AsyncClient, exchange: Any) -> None:
    listed = [{"reports_requests": []}, *[{"reports_requests": [{"report_id": "R1"}]}] * 3]
    exchange.on("GET", "/reports", *(json_response(200, page) for page in listed))
    exchange.on("POST", "/reports/completes", lost_reply, json_response(201, {"report_id": "R2"}))
    day = date(2026, 9, 1)
    job = client.run(client.reports.generate("completes", day, day, by="project", ids=["P1"]))
    assert job.handle.job_id == "R2"
