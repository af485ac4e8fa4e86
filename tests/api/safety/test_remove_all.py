"""After a lost reply, only counts that could all be read allow a removal to be sent a second time."""

from __future__ import annotations

from typing import Any

import pytest

from cint_nb.api.client import AsyncClient
from cint_nb.domain.errors import CintError, JobAlreadyRunning, OutcomeUnknown
from cint_nb.domain.models import TargetGroupRef
from tests.support.exchange import error_response, json_response, lost_reply

REMOVE = "/recontacts/jobs/remove-all-rsids"
COUNT = "/recontacts/overview"
JOB = "01BTGNYV6HRNK8K8VKZASZCFP1"
SAVED = json_response(200, {"saved_respondent_ids_count": 5})
UNREADABLE = error_response(403, "permission_error")


@pytest.mark.parametrize(
    "counts",
    [[UNREADABLE], [UNREADABLE, SAVED], [SAVED, UNREADABLE, SAVED], [SAVED, SAVED, UNREADABLE]],
    ids=["no count could be read", "not the first", "not the second", "not the last"],
)
def test_a_removal_whose_count_cannot_be_read_is_not_sent_again(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef, counts: list[Any]
) -> None:
    exchange.on("GET", COUNT, SAVED, *counts)
    exchange.on("POST", REMOVE, lost_reply, json_response(201, {"job_id": JOB}))
    with pytest.raises(OutcomeUnknown, match="remove all recontacts") as caught:
        client.run(client.recontacts.remove_all(ref))
    assert caught.value.evidence["target_group_id"] == ref.target_group_id
    assert len(exchange.sent("POST", REMOVE)) == 1


def test_a_removal_after_which_ids_are_still_counted_is_sent_once_more(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef
) -> None:
    exchange.on("GET", COUNT, SAVED)
    exchange.on("POST", REMOVE, lost_reply, json_response(201, {"job_id": JOB}))
    assert client.run(client.recontacts.remove_all(ref)).handle.job_id == JOB
    assert len(exchange.sent("POST", REMOVE)) == 2


@pytest.mark.parametrize(
    ("uploads", "expected"),
    [
        (json_response(200, {"data": []}), None),
        (
            json_response(200, {"data": [{"job_id": JOB, "status": "Processing", "file_name": "ids.txt"}]}),
            JobAlreadyRunning,
        ),
        (UNREADABLE, OutcomeUnknown),
    ],
    ids=["nothing else runs", "an upload runs", "the uploads cannot be read"],
)
def test_a_rejection_of_the_second_removal_is_the_first_one_unless_something_else_runs(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef, uploads: Any, expected: type[CintError] | None
) -> None:
    exchange.on("GET", COUNT, SAVED)
    exchange.on("GET", "/recontacts/jobs/upload-respondents-by-file", uploads)
    exchange.on("POST", REMOVE, lost_reply, error_response(409, "conflict"))
    if expected is None:
        assert client.run(client.recontacts.remove_all(ref)).handle.job_id is None
    else:
        with pytest.raises(expected):
            client.run(client.recontacts.remove_all(ref))
    assert len(exchange.sent("POST", REMOVE)) == 2
