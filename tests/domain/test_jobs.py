"""Status words of jobs, in every spelling the documents of the exchange use."""

from __future__ import annotations

import pytest

from cint_nb.domain.jobs import JobState, is_documented_status, parse_job_state


@pytest.mark.parametrize(
    ("word", "state"),
    [
        *((word, JobState.DONE) for word in ("Completed", "completed", "COMPLETED", "Succeeded", "Success", "emailed")),
        *((word, JobState.FAILED) for word in ("Failed", "failed", "Error", "Cancelled")),
        *((word, JobState.RUNNING) for word in ("Processing", "pending", "in_progress", "IN PROGRESS", "In-Progress")),
    ],
)
def test_a_documented_word_is_known(word: str, state: JobState) -> None:
    assert parse_job_state(word) is state
    assert parse_job_state(f" {word} ") is state
    assert is_documented_status(word)


@pytest.mark.parametrize("word", ["Archiving", "", None, "not completed"])
def test_any_other_word_means_that_it_still_runs(word: str | None) -> None:
    assert parse_job_state(word) is JobState.RUNNING
    assert not is_documented_status(word)
