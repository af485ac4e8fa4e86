"""Where Cint's documents contradict each other about jobs, uploads, fielding and reports.

The numbers are those of the list of contradictions; each test is named after its row.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

import cint_nb.api
from cint_nb.api import operations as ops
from cint_nb.api.client import Client
from cint_nb.api.polling import Pace
from cint_nb.domain.errors import BadRequest, InputError, InvalidState, JobAlreadyRunning, NotFound
from cint_nb.domain.ids import EntityType, synthetic_id
from cint_nb.domain.jobs import JobHandle, JobKind, JobState
from cint_nb.domain.models import TargetGroupRef

JOB = "01BTGNYV6HRNK8K8VKZASZCFP1"
RUN = "01JX2Y0N5RTR012AYDTA83QWTR"
UPLOAD = "/recontacts/jobs/upload-respondents-by-file"
OLD_UPLOAD = "/recontacts/jobs/upload-rsids-by-file"
COUNT = "/recontacts/overview"
END = datetime(2026, 9, 13, 8, 0, tzinfo=UTC)


@pytest.fixture
def empty_group(exchange: Any, script: Any) -> None:
    exchange.on("GET", UPLOAD, script.answer(200, {"data": []}))
    exchange.on("GET", COUNT, script.answer(200, {"saved_respondent_ids_count": 0}))


@pytest.mark.parametrize("word", ["succeeded", "Completed", "SUCCEEDED", "Success", "complete"])
def test_b04_a_launch_may_end_in_any_word_for_success(
    client: Client, exchange: Any, script: Any, ref: TargetGroupRef, word: str
) -> None:
    where = f"/demand/accounts/101/x/fielding-run-jobs/launch-from-draft/{JOB}"
    exchange.on("POST", "/launch-from-draft", script.answer(201, location=where))
    exchange.on("GET", JOB, script.answer(200, {"status": word, "created_fielding_run_id": RUN}))
    ended = client.run(client.fielding.launch(ref, END)).wait()
    assert (ended.state, ended.created_object_id) == (JobState.DONE, RUN)


def test_b05_lists_ask_for_a_hundred_and_follow_the_cursor_alone(
    client: Client, exchange: Any, script: Any, ref: TargetGroupRef
) -> None:
    def job(number: int) -> dict[str, str]:
        return {"job_id": f"{JOB[:-1]}{number}", "file_name": f"{number}.csv", "status": "Completed"}

    exchange.on(
        "GET",
        UPLOAD,
        script.answer(200, {"data": [job(1)], "next_cursor": "a"}),
        script.answer(200, {"data": [], "next_cursor": "b"}),
        script.answer(200, {"data": [job(2), job(3)], "next_cursor": None}),
    )
    assert [job.file_name for job in client.run(client.recontacts.jobs(ref))] == ["1.csv", "2.csv", "3.csv"]
    queries = [dict(request.url.params) for request in exchange.requests]
    assert queries == [
        {"page_size": "100"},
        {"page_size": "100", "start_after": "a"},
        {"page_size": "100", "start_after": "b"},
    ]


@pytest.mark.usefixtures("empty_group")
@pytest.mark.parametrize("status", [404, 405])
def test_b06_rsids_fall_back_to_the_older_address(
    client: Client, exchange: Any, script: Any, ref: TargetGroupRef, status: int
) -> None:
    exchange.on("POST", UPLOAD, script.refusal(status, "gone"))
    exchange.on("POST", OLD_UPLOAD, script.answer(201, {"job_id": JOB}))
    exchange.on("GET", f"{OLD_UPLOAD}/{JOB}", script.answer(200, {"status": "Completed"}))
    job = client.run(client.recontacts.upload(ref, script.upload()))
    assert job.handle.kind is JobKind.UPLOAD_RSIDS
    assert job.wait().state is JobState.DONE
    assert "entity_type" not in exchange.sent("POST", OLD_UPLOAD)[0].url.params


@pytest.mark.usefixtures("empty_group")
def test_b06_rids_never_fall_back(client: Client, exchange: Any, script: Any, ref: TargetGroupRef) -> None:
    exchange.on("POST", UPLOAD, script.refusal(404, "gone"))
    with pytest.raises(NotFound):
        client.run(client.recontacts.upload(ref, script.upload(entity="RID")))
    assert exchange.sent("POST", OLD_UPLOAD) == []


def test_b06_a_group_that_does_not_exist_is_reported_as_such(
    client: Client, exchange: Any, script: Any, ref: TargetGroupRef
) -> None:
    exchange.on("GET", UPLOAD, script.refusal(404, "not_found"))
    exchange.on("GET", COUNT, script.refusal(404, "not_found"))
    with pytest.raises(NotFound):
        client.run(client.recontacts.upload(ref, script.upload()))
    assert [request.method for request in exchange.requests] == ["GET", "GET"]


def upload_of_ten_thousand() -> JobHandle:
    return JobHandle(kind=JobKind.UPLOAD, base_url="b", account_id=1, job_id="x", ids=10_000)


def test_b10_the_time_left_spans_both_documents_until_own_jobs_are_known() -> None:
    estimate = Pace().estimate(upload_of_ten_thousand())
    assert estimate.fastest == 3 * 60
    assert estimate.low == 10 * 60
    assert estimate.high == pytest.approx(15 * 60, abs=15)


def test_b10_own_jobs_correct_the_estimate() -> None:
    pace = Pace()
    pace.learn(JobKind.UPLOAD, 20_000, 2 * 240)
    estimate = pace.estimate(upload_of_ten_thousand())
    assert estimate.eta == pytest.approx(240, rel=0.02)
    assert estimate.low < 240 < estimate.high
    assert estimate.fastest == estimate.low


@pytest.mark.usefixtures("empty_group")
def test_b14_a_refused_upload_names_the_job_that_runs(
    client: Client, exchange: Any, script: Any, ref: TargetGroupRef
) -> None:
    running = {"job_id": JOB, "file_name": "other.csv", "status": "Processing"}
    exchange._rules.clear()
    exchange.on("GET", UPLOAD, script.answer(200, {"data": []}), script.answer(200, {"data": [running]}))
    exchange.on("GET", COUNT, script.answer(200, {"saved_respondent_ids_count": 0}))
    exchange.on("POST", UPLOAD, script.refusal(409, "conflict_error"))
    with pytest.raises(JobAlreadyRunning) as caught:
        client.run(client.recontacts.upload(ref, script.upload()))
    assert caught.value.evidence["job_id"] == JOB
    assert caught.value.evidence["file_name"] == "other.csv"


def test_b14_the_job_that_runs_can_be_followed_to_its_end(
    client: Client, exchange: Any, script: Any, ref: TargetGroupRef
) -> None:
    running = {"job_id": JOB, "file_name": "other.csv", "status": "Processing", "created_at": "2026-09-01T07:59:00Z"}
    exchange.on("GET", UPLOAD, script.answer(200, {"data": [running]}))
    exchange.on("GET", COUNT, script.answer(200, {"saved_respondent_ids_count": 5}))
    exchange.on("GET", JOB, script.answer(200, {"status": "Completed"}))
    with pytest.raises(JobAlreadyRunning):
        client.run(client.recontacts.upload(ref, script.upload()))
    job = client.run(client.recontacts.find(ref, "other.csv"))
    assert job is not None
    assert job.wait().state is JobState.DONE
    assert exchange.sent("POST", UPLOAD) == []


def test_b14_a_refusal_no_listed_upload_explains_points_to_a_removal(
    client: Client, exchange: Any, script: Any, ref: TargetGroupRef
) -> None:
    exchange.on("GET", UPLOAD, script.answer(200, {"data": []}))
    exchange.on("GET", COUNT, script.answer(200, {"saved_respondent_ids_count": 5}))
    exchange.on("POST", UPLOAD, script.refusal(409, "conflict_error"))
    with pytest.raises(JobAlreadyRunning, match="removal"):
        client.run(client.recontacts.upload(ref, script.upload()))


@pytest.mark.usefixtures("empty_group")
@pytest.mark.parametrize(
    "holes",
    [
        {},
        {"completed_at": None, "failure_reason": None, "partial_success_reason": None, "job_trace_id": None},
        {"failure_reason": {}, "partial_success_reason": {}},
    ],
)
def test_b15_null_and_absent_fields_mean_the_same(
    client: Client, exchange: Any, script: Any, ref: TargetGroupRef, holes: dict[str, Any]
) -> None:
    exchange.on("POST", UPLOAD, script.answer(201, {"job_id": JOB}))
    exchange.on("GET", JOB, script.answer(200, {"job_id": JOB, "status": "Completed", **holes}))
    ended = client.run(client.recontacts.upload(ref, script.upload())).wait()
    assert (ended.state, ended.failure_text, ended.partial_text, ended.trace_id) == (JobState.DONE, "", "", "")


def test_b15_lists_without_items_or_cursor_are_empty(
    client: Client, exchange: Any, script: Any, ref: TargetGroupRef
) -> None:
    exchange.on("GET", "/recontacts/rsids", script.answer(200, {}))
    assert client.run(client.recontacts.saved_ids(ref)) == ()


def test_b16_the_partial_text_is_shown_and_the_count_is_believed(
    client: Client, exchange: Any, script: Any, ref: TargetGroupRef
) -> None:
    text = "Upload partially successful. 500 respondent IDs uploaded successfully, 10 failed (invalid or empty)."
    exchange.on("GET", UPLOAD, script.answer(200, {"data": []}))
    counts = [script.answer(200, {"saved_respondent_ids_count": count}) for count in (0, 2)]
    exchange.on("GET", COUNT, *counts)
    exchange.on("POST", UPLOAD, script.answer(201, {"job_id": JOB}))
    partial = {"status": "Completed", "partial_success_reason": {"description": text}}
    exchange.on("GET", JOB, script.answer(200, partial))
    ended = client.run(client.recontacts.upload(ref, script.upload())).wait()
    assert (ended.state, ended.partial_text, ended.saved) == (JobState.PARTIAL, text, 2)


def generate(client: Client, kind: str = "respondent-analysis") -> Any:
    return client.run(
        client.reports.generate(
            kind, date(2026, 6, 1), date(2026, 8, 31), by="project", ids=["01JX2KPG5VEBF8498Z8YTTE8TB"]
        )
    )


@pytest.mark.parametrize("status", [400, 404])
def test_b19_a_report_refused_in_one_spelling_is_asked_for_in_the_other_and_the_winner_is_kept(
    client: Client, exchange: Any, script: Any, status: int
) -> None:
    exchange.on("GET", "/reports", script.answer(200, {"reports_requests": []}))
    exchange.on("POST", "/reports/respondent-analysis", script.refusal(status, "unknown"))
    exchange.on("POST", "/reports/respondent_analysis", script.answer(202, {"report_id": JOB, "status": "pending"}))
    assert generate(client).handle.job_id == JOB
    generate(client, "respondent_analysis")
    posted = [request.url.path.rpartition("/")[2] for request in exchange.requests if request.method == "POST"]
    assert posted == ["respondent-analysis", "respondent_analysis", "respondent_analysis"]


def test_b19_a_refusal_of_another_field_is_not_blamed_on_the_spelling(
    client: Client, exchange: Any, script: Any
) -> None:
    exchange.on("GET", "/reports", script.answer(200, {"reports_requests": []}))
    exchange.on("POST", "/reports/respondent-analysis", script.refusal(400, StartDate="too old"))
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
    client: Client, exchange: Any, script: Any, words: tuple[str, ...], state: JobState
) -> None:
    exchange.on("GET", "/reports", script.answer(200, {"reports_requests": []}))
    exchange.on("POST", "/respondent-analysis", script.answer(202, {"report_id": JOB, "status": "pending"}))
    exchange.on("GET", f"/reports/{JOB}/status", *[script.answer(200, {"status": word}) for word in words])
    job = generate(client)

    async def last() -> JobState:
        return [seen.state async for seen in job.watch()][-1]

    assert client.run(last()) is state
    assert client.http.warnings == []


def test_b20_the_status_filter_has_its_capital(client: Client, exchange: Any, script: Any) -> None:
    exchange.on("GET", "/reports", script.answer(200, {"reports_requests": [{"report_id": JOB}], "next_cursor": None}))

    async def listed() -> list[str]:
        return [row.report_id async for row in client.reports.list(status="completed")]

    assert client.run(listed()) == [JOB]
    assert exchange.requests[0].url.params["Status"] == "completed"
    assert "status" not in exchange.requests[0].url.params


@pytest.mark.parametrize("status", [200, 201, 202])
def test_b21_an_exclusion_upload_may_answer_with_any_success(
    client: Client, exchange: Any, script: Any, ref: TargetGroupRef, status: int
) -> None:
    exchange.on("GET", "/exclusions/overview", script.answer(200, {"saved_respondent_ids_count": 0}))
    exchange.on("POST", "/exclusions/jobs/upload-respondents-by-file", script.answer(status, {"job_id": JOB}))
    exchange.on("GET", JOB, script.answer(200, {"status": "Success"}))
    assert client.run(client.exclusions.upload(ref, script.upload())).wait().state is JobState.DONE


def test_b22_the_server_to_server_addresses_are_out_of_scope() -> None:
    assert [name for name, operation in ops.OPERATIONS.items() if "fulfillment" in operation.template] == []


def test_b24_webhooks_are_out_of_scope_so_no_secret_is_ever_decoded() -> None:
    assert [name for name, operation in ops.OPERATIONS.items() if "webhook" in operation.template] == []
    code = "\n".join(path.read_text(encoding="utf-8") for path in Path(cint_nb.api.__file__).parent.glob("*.py"))
    assert "base64" not in code


def test_b25_a_launch_always_sends_its_end(client: Client, exchange: Any, script: Any, ref: TargetGroupRef) -> None:
    exchange.on("POST", "/launch-from-draft", script.answer(201, location=JOB))
    client.run(client.fielding.launch(ref, END))
    assert exchange.bodies("POST", "/launch-from-draft") == [{"end_fielding_at": "2026-09-13T08:00:00.000Z"}]


def test_b25_an_end_without_a_zone_is_refused_before_anything_is_sent(
    client: Client, exchange: Any, ref: TargetGroupRef
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
    client: Client, exchange: Any, ref: TargetGroupRef
) -> None:
    PausedRun().on(exchange)
    with pytest.raises(InvalidState, match="resume_first=True"):
        client.run(client.fielding.complete(ref))
    assert {request.method for request in exchange.requests} == {"GET"}


def test_b26_a_paused_run_is_resumed_and_completed_when_asked(
    client: Client, exchange: Any, ref: TargetGroupRef
) -> None:
    PausedRun().on(exchange)
    assert client.run(client.fielding.complete(ref, resume_first=True)).state == "completed"
    actions = [request.url.path.rpartition("/")[2] for request in exchange.requests if request.method == "POST"]
    assert actions == ["resume", "complete"]


def test_b26_what_is_allowed_can_be_asked(client: Client, exchange: Any, script: Any) -> None:
    exchange.on("POST", "/compute-target-group-transitions", script.answer(200, {"is_finish_allowed": False}))
    assert client.run(client.fielding.allowed(script.project, [script.group])).is_finish_allowed is False


def test_saved_ids_are_compared_in_one_form(client: Client, exchange: Any, script: Any, ref: TargetGroupRef) -> None:
    identifier = synthetic_id("tests", 1)
    exchange.on("GET", "/recontacts/rsids", script.answer(200, {"data": [identifier.upper(), f"{{{identifier}}}"]}))
    assert client.run(client.recontacts.saved_ids(ref)) == (identifier, identifier)


def test_the_upload_is_one_part_named_file_of_text_csv(
    client: Client, exchange: Any, script: Any, ref: TargetGroupRef
) -> None:
    exchange.on("GET", UPLOAD, script.answer(200, {"data": []}))
    exchange.on("GET", COUNT, script.answer(200, {"saved_respondent_ids_count": 0}))
    exchange.on("POST", UPLOAD, script.answer(201, {"job_id": JOB}))
    upload = script.upload()
    job = client.run(client.recontacts.upload(ref, upload, token="abc12345"))
    sent = exchange.sent("POST", UPLOAD)[0]
    name = f"respondents.{upload.sha256[:8]}-abc12345.csv"
    assert sent.url.params["entity_type"] == EntityType.RSID
    assert f'name="file"; filename="{name}"'.encode() in sent.content
    assert b"Content-Type: text/csv" in sent.content
    assert upload.content in sent.content
    assert json.loads(job.handle.model_dump_json())["file_name"] == name
