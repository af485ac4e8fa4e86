"""Batch jobs: what is read, and that nothing of a reply is dropped."""

from __future__ import annotations

from cint_nb.domain.fielding import BatchResult

REPLY = {
    "status": "Completed",
    "updated_target_groups": {"data": [{"target_group_id": "A", "since": "now"}], "has_more": False},
    "failed_target_groups": {"data": [{"target_group_id": "B", "failure_reason": {"description": "is a draft"}}]},
    "completed_at": None,
    "tomorrow": {"new": 1},
}


def test_a_batch_tells_which_groups_were_changed_and_why_others_were_not() -> None:
    result = BatchResult.model_validate(REPLY)
    assert (result.status, result.updated, result.failed) == ("Completed", ("A",), {"B": "is a draft"})


def test_unknown_fields_of_a_batch_are_kept() -> None:
    kept = BatchResult.model_validate(REPLY).model_extra or {}
    assert kept["tomorrow"] == {"new": 1}
    assert kept["updated_target_groups"]["data"] == [{"target_group_id": "A", "since": "now"}]


def test_a_batch_without_lists_or_status_is_read_as_empty() -> None:
    assert BatchResult.model_validate({"status": None}) == BatchResult()
