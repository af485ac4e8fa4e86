"""A job that has ended with a word nobody knows ends its watch; what it did is counted, or read from the group."""

from __future__ import annotations

from typing import Any

import pytest

from cint_nb.api.client import AsyncClient
from cint_nb.api.jobs.handle import make_handle
from cint_nb.api.jobs.job import Job
from cint_nb.domain.errors import CintWarning, JobStatusUnknown
from cint_nb.domain.ids import EntityType
from cint_nb.domain.jobs import JobKind, JobState, parse_job_state
from cint_nb.domain.models import TargetGroupRef
from tests.support.exchange import json_response

JOB = "01BTGNYV6HRNK8K8VKZASZCFP2"
TIMES = {"job_id": JOB, "created_at": "2026-09-01T08:00:00.000Z"}
ENDED = {**TIMES, "status": "Finished", "completed_at": "2026-09-01T08:10:00.000Z"}
COUNTED = "saved_respondent_ids_count"


@pytest.mark.parametrize(
    ("kind", "before", "after", "state"),
    [
        (JobKind.UPLOAD, 0, 500, JobState.DONE),
        (JobKind.UPLOAD, 0, 488, JobState.PARTIAL),
        (JobKind.UPLOAD, 0, 0, JobState.PARTIAL),
        (JobKind.UPLOAD, None, 500, JobState.PARTIAL),
        (JobKind.REMOVAL, 500, 0, JobState.DONE),
        (JobKind.REMOVAL, 500, 20, JobState.PARTIAL),
    ],
)
def test_what_is_counted_ends_by_the_count(
    client: AsyncClient,
    exchange: Any,
    ref: TargetGroupRef,
    kind: JobKind,
    before: int | None,
    after: int,
    state: JobState,
) -> None:
    exchange.on("GET", JOB, json_response(200, {**TIMES, "status": "Processing"}), json_response(200, ENDED))
    exchange.on("GET", "/recontacts/overview", json_response(200, {COUNTED: after}))
    handle = make_handle(client.http, kind, JOB, ref=ref, id_count=500, entity_type=EntityType.RSID)
    begun = client.clock.monotonic()
    with pytest.warns(CintWarning, match="'Finished'") as caught:
        snapshot = Job(client.http, handle, before).wait()
    assert snapshot.warnings == tuple(str(warning.message) for warning in caught)
    assert client.clock.monotonic() - begun < 300
    assert (snapshot.state, snapshot.raw_status, snapshot.saved_count) == (state, "Finished", after)
    assert ("'Finished'" in (snapshot.partial_message or "")) is (state is JobState.PARTIAL)


@pytest.mark.parametrize("kind", [JobKind.LAUNCH, JobKind.BATCH_PAUSE, JobKind.REPORT])
def test_what_is_not_counted_ends_with_an_error_that_has_the_word(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef, kind: JobKind
) -> None:
    exchange.on("GET", JOB, json_response(200, ENDED)).on("GET", "/status", json_response(200, ENDED))
    job = Job(client.http, make_handle(client.http, kind, JOB, ref=ref, project_id=ref.project_id))
    begun = client.clock.monotonic()
    with pytest.raises(JobStatusUnknown, match="'Finished'"):
        job.wait()
    assert client.clock.monotonic() - begun < 300


def test_a_listed_job_that_has_ended_is_not_running(client: AsyncClient, exchange: Any, ref: TargetGroupRef) -> None:
    row = {**TIMES, "file_name": "a.csv", "status": "Finished"}
    exchange.on("GET", "/upload-respondents-by-file", json_response(200, {"data": [row], "next_cursor": None}))
    exchange.on("GET", JOB, json_response(200, {**TIMES, "status": "Finished"}), json_response(200, ENDED))
    assert client.run(client.recontacts.running_job(ref)) is not None
    assert client.run(client.recontacts.running_job(ref)) is None


@pytest.mark.parametrize("word", ["Processing", "in progress"])
def test_a_documented_word_is_believed_beside_a_time(word: str) -> None:
    assert parse_job_state(word, ended=True) is JobState.RUNNING
