"""Where Cint's documents contradict each other about jobs, uploads, fielding and reports.

The numbers are those of the list of contradictions; each test is named after its row.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from cint_nb.api.client import AsyncClient
from cint_nb.api.jobs.schedule import DurationModel
from cint_nb.domain.errors import JobAlreadyRunning, NotFound
from cint_nb.domain.ids import EntityType, synthetic_id
from cint_nb.domain.jobs import JobHandle, JobKind, JobState
from cint_nb.domain.models import TargetGroupRef
from tests.support.exchange import error_response, json_response
from tests.support.uploads import upload_file

JOB = "01BTGNYV6HRNK8K8VKZASZCFP1"
UPLOAD = "/recontacts/jobs/upload-respondents-by-file"
OLD_UPLOAD = "/recontacts/jobs/upload-rsids-by-file"
COUNT = "/recontacts/overview"


@pytest.fixture
def empty_group(exchange: Any) -> None:
    exchange.on("GET", UPLOAD, json_response(200, {"data": []}))
    exchange.on("GET", COUNT, json_response(200, {"saved_respondent_ids_count": 0}))


def test_b05_lists_ask_for_a_hundred_and_follow_the_cursor_alone(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef
) -> None:
    def job(number: int) -> dict[str, str]:
        return {"job_id": f"{JOB[:-1]}{number}", "file_name": f"{number}.csv", "status": "Completed"}

    exchange.on(
        "GET",
        UPLOAD,
        json_response(200, {"data": [job(1)], "next_cursor": "a"}),
        json_response(200, {"data": [], "next_cursor": "b"}),
        json_response(200, {"data": [job(2), job(3)], "next_cursor": None}),
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
@pytest.mark.filterwarnings("ignore:The upload job has no 'partial_success_reason':cint_nb.errors.CintWarning")
def test_b06_rsids_fall_back_to_the_older_address(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef, status: int
) -> None:
    exchange.on("POST", UPLOAD, error_response(status, "gone"))
    exchange.on("POST", OLD_UPLOAD, json_response(201, {"job_id": JOB}))
    exchange.on("GET", f"{OLD_UPLOAD}/{JOB}", json_response(200, {"status": "Completed"}))
    job = client.run(client.recontacts.upload(ref, upload_file()))
    assert job.handle.kind is JobKind.UPLOAD_RSIDS
    assert job.wait().state is JobState.DONE
    assert "entity_type" not in exchange.sent("POST", OLD_UPLOAD)[0].url.params


@pytest.mark.usefixtures("empty_group")
def test_b06_rids_never_fall_back(client: AsyncClient, exchange: Any, ref: TargetGroupRef) -> None:
    exchange.on("POST", UPLOAD, error_response(404, "gone"))
    with pytest.raises(NotFound):
        client.run(client.recontacts.upload(ref, upload_file(entity="RID")))
    assert exchange.sent("POST", OLD_UPLOAD) == []


def test_b06_a_group_that_does_not_exist_is_reported_as_such(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef
) -> None:
    exchange.on("GET", UPLOAD, error_response(404, "not_found"))
    exchange.on("GET", COUNT, error_response(404, "not_found"))
    with pytest.raises(NotFound):
        client.run(client.recontacts.upload(ref, upload_file()))
    assert [request.method for request in exchange.requests] == ["GET", "GET"]


def upload_of_ten_thousand() -> JobHandle:
    return JobHandle(kind=JobKind.UPLOAD, base_url="b", account_id=1, job_id="x", id_count=10_000)


def test_b10_the_time_left_spans_both_documents_until_own_jobs_are_known() -> None:
    estimate = DurationModel().estimate(upload_of_ten_thousand())
    assert estimate.fastest == 3 * 60
    assert estimate.low == 10 * 60
    assert estimate.high == pytest.approx(15 * 60, abs=15)


def test_b10_own_jobs_correct_the_estimate() -> None:
    durations = DurationModel()
    durations.learn(JobKind.UPLOAD, 20_000, 2 * 240)
    estimate = durations.estimate(upload_of_ten_thousand())
    assert estimate.eta == pytest.approx(240, rel=0.02)
    assert estimate.low < 240 < estimate.high
    assert estimate.fastest == estimate.low


@pytest.mark.usefixtures("empty_group")
def test_b14_a_refused_upload_names_the_job_that_runs(client: AsyncClient, exchange: Any, ref: TargetGroupRef) -> None:
    running = {"job_id": JOB, "file_name": "other.csv", "status": "Processing"}
    exchange._rules.clear()
    exchange.on("GET", UPLOAD, json_response(200, {"data": []}), json_response(200, {"data": [running]}))
    exchange.on("GET", COUNT, json_response(200, {"saved_respondent_ids_count": 0}))
    exchange.on("POST", UPLOAD, error_response(409, "conflict_error"))
    with pytest.raises(JobAlreadyRunning) as caught:
        client.run(client.recontacts.upload(ref, upload_file()))
    assert caught.value.evidence["job_id"] == JOB
    assert caught.value.evidence["file_name"] == "other.csv"


def test_b14_the_job_that_runs_can_be_followed_to_its_end(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef
) -> None:
    running = {"job_id": JOB, "file_name": "other.csv", "status": "Processing", "created_at": "2026-09-01T07:59:00Z"}
    exchange.on("GET", UPLOAD, json_response(200, {"data": [running]}))
    exchange.on("GET", COUNT, json_response(200, {"saved_respondent_ids_count": 5}))
    exchange.on("GET", JOB, json_response(200, {"status": "Completed"}))
    with pytest.raises(JobAlreadyRunning):
        client.run(client.recontacts.upload(ref, upload_file()))
    job = client.run(client.recontacts.find_job(ref, "other.csv"))
    assert job is not None
    assert job.wait().state is JobState.DONE
    assert exchange.sent("POST", UPLOAD) == []


def test_b14_a_refusal_no_listed_upload_explains_points_to_a_removal(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef
) -> None:
    exchange.on("GET", UPLOAD, json_response(200, {"data": []}))
    exchange.on("GET", COUNT, json_response(200, {"saved_respondent_ids_count": 5}))
    exchange.on("POST", UPLOAD, error_response(409, "conflict_error"))
    with pytest.raises(JobAlreadyRunning, match="removal"):
        client.run(client.recontacts.upload(ref, upload_file()))


@pytest.mark.usefixtures("empty_group")
@pytest.mark.parametrize(
    "holes",
    [
        {},
        {"completed_at": None, "failure_reason": None, "partial_success_reason": None, "job_trace_id": None},
        {"failure_reason": {}, "partial_success_reason": {}},
        {"failure_reason": "", "partial_success_reason": "", "job_trace_id": ""},
    ],
)
@pytest.mark.filterwarnings("ignore:The upload job has no 'partial_success_reason':cint_nb.errors.CintWarning")
def test_b15_null_and_absent_fields_mean_the_same(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef, holes: dict[str, Any]
) -> None:
    exchange.on("POST", UPLOAD, json_response(201, {"job_id": JOB}))
    exchange.on("GET", JOB, json_response(200, {"job_id": JOB, "status": "Completed", **holes}))
    ended = client.run(client.recontacts.upload(ref, upload_file())).wait()
    assert (ended.state, ended.failure_message, ended.partial_message, ended.trace_id) == (
        JobState.DONE,
        None,
        None,
        None,
    )


def test_b15_a_list_without_items_or_cursor_is_empty_where_the_count_says_so(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef
) -> None:
    exchange.on("GET", "/recontacts/rsids", json_response(200, {}))
    exchange.on("GET", "/recontacts/overview", json_response(200, {"saved_respondent_ids_count": 0}))
    assert client.run(client.recontacts.saved_ids(ref)) == ()


def test_b16_the_partial_text_is_shown_and_the_count_is_believed(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef
) -> None:
    text = "Upload partially successful. 500 respondent IDs uploaded successfully, 10 failed (invalid or empty)."
    exchange.on("GET", UPLOAD, json_response(200, {"data": []}))
    counts = [json_response(200, {"saved_respondent_ids_count": count}) for count in (0, 2)]
    exchange.on("GET", COUNT, *counts)
    exchange.on("POST", UPLOAD, json_response(201, {"job_id": JOB}))
    partial = {"status": "Completed", "partial_success_reason": {"description": text}}
    exchange.on("GET", JOB, json_response(200, partial))
    ended = client.run(client.recontacts.upload(ref, upload_file())).wait()
    assert (ended.state, ended.partial_message, ended.saved_count) == (JobState.PARTIAL, text, 2)


@pytest.mark.parametrize("status", [200, 201, 202])
def test_b21_an_exclusion_upload_may_answer_with_any_success(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef, status: int
) -> None:
    exchange.on("GET", "/exclusions/overview", json_response(200, {"saved_respondent_ids_count": 0}))
    exchange.on("POST", "/exclusions/jobs/upload-respondents-by-file", json_response(status, {"job_id": JOB}))
    exchange.on("GET", JOB, json_response(200, {"status": "Success"}))
    assert client.run(client.exclusions.upload(ref, upload_file())).wait().state is JobState.DONE


def test_saved_ids_are_compared_in_one_form(client: AsyncClient, exchange: Any, ref: TargetGroupRef) -> None:
    identifier = synthetic_id("tests", 1)
    exchange.on("GET", "/recontacts/rsids", json_response(200, {"data": [identifier.upper(), f"{{{identifier}}}"]}))
    assert client.run(client.recontacts.saved_ids(ref)) == (identifier, identifier)


def test_the_upload_is_one_part_named_file_of_text_csv(client: AsyncClient, exchange: Any, ref: TargetGroupRef) -> None:
    exchange.on("GET", UPLOAD, json_response(200, {"data": []}))
    exchange.on("GET", COUNT, json_response(200, {"saved_respondent_ids_count": 0}))
    exchange.on("POST", UPLOAD, json_response(201, {"job_id": JOB}))
    upload = upload_file()
    job = client.run(client.recontacts.upload(ref, upload, token="abc12345"))
    sent = exchange.sent("POST", UPLOAD)[0]
    name = f"respondents.{upload.sha256[:8]}-abc12345.csv"
    assert sent.url.params["entity_type"] == EntityType.RSID
    assert f'name="file"; filename="{name}"'.encode() in sent.content
    assert b"Content-Type: text/csv" in sent.content
    assert upload.content in sent.content
    assert json.loads(job.handle.model_dump_json())["file_name"] == name
