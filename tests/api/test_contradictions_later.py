"""Where Cint's documents contradict each other about fielding, reports and what lies beyond.

The numbers are those of the list of contradictions; each test is named after its row.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

import cint_nb.api
from cint_nb.api import operations as ops
from cint_nb.api.client import AsyncClient
from cint_nb.api.jobs.job import Job
from cint_nb.domain.errors import BadRequest, InputError, InvalidState, ServerError
from cint_nb.domain.jobs import JobState
from cint_nb.domain.models import TargetGroupRef
from tests.support.constants import GROUP, PROJECT
from tests.support.exchange import error_response, json_response, lost_reply

JOB = "01BTGNYV6HRNK8K8VKZASZCFP1"
RUN = "01JX2Y0N5RTR012AYDTA83QWTR"
END = datetime(2026, 9, 13, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize("word", ["succeeded", "Completed", "SUCCEEDED", "Success", "complete"])
def test_b04_a_launch_may_end_in_any_word_for_success(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef, word: str
) -> None:
    where = f"/demand/accounts/101/x/fielding-run-jobs/launch-from-draft/{JOB}"
    exchange.on("POST", "/launch-from-draft", json_response(201, location=where))
    exchange.on("GET", JOB, json_response(200, {"status": word, "created_fielding_run_id": RUN}))
    ended = client.run(client.fielding.launch(ref, END)).wait()
    assert (ended.state, ended.created_object_id) == (JobState.DONE, RUN)


def generate(client: AsyncClient, kind: str = "respondent-analysis") -> Job:
    return client.run(
        client.reports.generate(
            kind, date(2026, 6, 1), date(2026, 8, 31), by="project", ids=["01JX2KPG5VEBF8498Z8YTTE8TB"]
        )
    )


@pytest.mark.parametrize("status", [400, 404])
def test_b19_a_report_refused_in_one_spelling_is_asked_for_in_the_other_and_the_winner_is_kept(
    client: AsyncClient, exchange: Any, status: int
) -> None:
    exchange.on("GET", "/reports", json_response(200, {"reports_requests": []}))
    exchange.on("POST", "/reports/respondent-analysis", error_response(status, "unknown"))
    exchange.on("POST", "/reports/respondent_analysis", json_response(202, {"report_id": JOB, "status": "pending"}))
    assert generate(client).handle.job_id == JOB
    generate(client, "respondent_analysis")
    posted = [request.url.path.rpartition("/")[2] for request in exchange.requests if request.method == "POST"]
    assert posted == ["respondent-analysis", "respondent_analysis", "respondent_analysis"]


def test_b19_a_refusal_of_another_field_is_not_blamed_on_the_spelling(client: AsyncClient, exchange: Any) -> None:
    exchange.on("GET", "/reports", json_response(200, {"reports_requests": []}))
    exchange.on("POST", "/reports/respondent-analysis", error_response(400, StartDate="too old"))
    with pytest.raises(BadRequest, match="start_date"):
        generate(client)
    assert len(exchange.sent("POST", "respondent-analysis")) == 1


@pytest.mark.parametrize(
    ("words", "state"),
    [
        (("pending", "in_progress", "completed"), JobState.DONE),
        (("processing", "emailed"), JobState.DONE),
        (("pending", "failed"), JobState.FAILED),
    ],
)
def test_b20_every_word_for_a_reports_status_is_understood(
    client: AsyncClient, exchange: Any, words: tuple[str, ...], state: JobState
) -> None:
    exchange.on("GET", "/reports", json_response(200, {"reports_requests": []}))
    exchange.on("POST", "/respondent-analysis", json_response(202, {"report_id": JOB, "status": "pending"}))
    exchange.on("GET", f"/reports/{JOB}/status", *[json_response(200, {"status": word}) for word in words])
    job = generate(client)

    async def last() -> JobState:
        return [seen.state async for seen in job.watch()][-1]

    assert client.run(last()) is state
    assert client.http.warning_texts == ()


def test_b20_the_status_filter_has_its_capital(client: AsyncClient, exchange: Any) -> None:
    exchange.on("GET", "/reports", json_response(200, {"reports_requests": [{"report_id": JOB}], "next_cursor": None}))

    async def listed() -> list[str]:
        return [row.report_id async for row in client.reports.list(status="completed")]

    assert client.run(listed()) == [JOB]
    assert exchange.requests[0].url.params["Status"] == "completed"
    assert "status" not in exchange.requests[0].url.params


def test_b22_the_server_to_server_addresses_are_out_of_scope() -> None:
    assert [name for name, operation in ops.OPERATIONS.items() if "fulfillment" in operation.template] == []


def test_b24_webhooks_are_out_of_scope_so_no_secret_is_ever_decoded() -> None:
    assert [name for name, operation in ops.OPERATIONS.items() if "webhook" in operation.template] == []
    code = "\n".join(path.read_text(encoding="utf-8") for path in Path(cint_nb.api.__file__).parent.rglob("*.py"))
    assert "base64" not in code


def test_b25_a_launch_always_sends_its_end(client: AsyncClient, exchange: Any, ref: TargetGroupRef) -> None:
    exchange.on("POST", "/launch-from-draft", json_response(201, location=JOB))
    client.run(client.fielding.launch(ref, END))
    assert exchange.bodies("POST", "/launch-from-draft") == [{"end_fielding_at": "2026-09-13T08:00:00.000Z"}]


def test_b25_an_end_without_a_zone_is_refused_before_anything_is_sent(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef
) -> None:
    with pytest.raises(InputError, match="zone"):
        client.run(client.fielding.launch(ref, datetime(2026, 9, 13)))  # noqa: DTZ001 - the mistake in question
    assert exchange.requests == []


class PausedRun:
    """A run whose state follows the actions sent."""

    def __init__(self) -> None:
        self.status, self.version = "paused", 3

    def listed(self, _: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"data": [{"id": RUN, "status": self.status}], "has_more": False})

    def shown(self, _: httpx.Request) -> httpx.Response:
        body = {"id": RUN, "status": self.status, "version": self.version}
        return httpx.Response(200, json=body, headers={"etag": f'W/"{self.version}"'})

    def act(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["if-match"] == f'W/"{self.version}"'
        self.version += 1
        self.status = {"resume": "live", "complete": "completed"}[request.url.path.rpartition("/")[2]]
        return httpx.Response(204)

    def on(self, exchange: Any) -> None:
        exchange.on("GET", "/fielding-runs", self.listed).on("GET", f"/fielding-runs/{RUN}", self.shown)
        exchange.on("POST", "/resume", self.act).on("POST", "/complete", self.act)


def test_b26_a_paused_run_is_not_completed_without_being_asked(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef
) -> None:
    PausedRun().on(exchange)
    with pytest.raises(InvalidState, match="resume_first=True"):
        client.run(client.fielding.complete(ref))
    assert {request.method for request in exchange.requests} == {"GET"}


def test_b26_a_paused_run_is_resumed_and_completed_when_asked(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef
) -> None:
    PausedRun().on(exchange)
    assert client.run(client.fielding.complete(ref, resume_first=True)).state == "completed"
    actions = [request.url.path.rpartition("/")[2] for request in exchange.requests if request.method == "POST"]
    assert actions == ["resume", "complete"]


def test_b26_what_is_allowed_can_be_asked(client: AsyncClient, exchange: Any) -> None:
    exchange.on("POST", "/compute-target-group-transitions", json_response(200, {"is_finish_allowed": False}))
    assert client.run(client.fielding.allowed_actions(PROJECT, [GROUP])).is_finish_allowed is False


def test_a_report_is_adopted_even_where_the_list_does_not_say_what_was_asked(
    client: AsyncClient, exchange: Any
) -> None:
    old, new = {"report_id": RUN, "report_type": "respondent_analysis"}, {"report_id": JOB}
    listed = [json_response(200, {"reports_requests": rows}) for rows in ([old], [{**old, **new}, old])]
    exchange.on("GET", "/reports", *listed)
    exchange.on("POST", "/respondent-analysis", lost_reply)
    assert generate(client).handle.job_id == JOB
    assert len(exchange.sent("POST", "/respondent-analysis")) == 1


def test_a_launch_that_fails_on_the_exchanges_side_says_which_key_repeats_it(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef
) -> None:
    exchange.on("POST", "/launch-from-draft", error_response(500, "internal_error"))
    with pytest.raises(ServerError) as caught:
        client.run(client.fielding.launch(ref, END))
    keys = {request.headers["idempotency-key"] for request in exchange.requests}
    assert keys == {caught.value.evidence["idempotency_key"]}
