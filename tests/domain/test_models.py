"""Copies of models, and fields nobody declared."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from cint_nb.domain.jobs import JobHandle, JobKind, JobSnapshot, JobState
from cint_nb.domain.models import TargetGroupRef, evolve

HANDLE = JobHandle(kind=JobKind.UPLOAD, base_url="https://sandbox.invalid/v1", account_id=1, job_id="a")
REF = TargetGroupRef(project_id="p", target_group_id="t")


def test_a_copy_changes_only_what_it_is_told_to() -> None:
    copy = evolve(HANDLE, job_id="b")
    assert copy == JobHandle(**{**HANDLE.model_dump(), "job_id": "b"})
    assert HANDLE.job_id == "a"


@pytest.mark.parametrize("model", [HANDLE, REF], ids=lambda model: type(model).__name__)
def test_a_copy_with_a_field_that_does_not_exist_is_refused(model: BaseModel) -> None:
    with pytest.raises(TypeError, match="no field size"):
        evolve(model, size=3)


def test_a_copy_checks_the_new_values() -> None:
    with pytest.raises(ValidationError):
        evolve(HANDLE, created_at="yesterday or so")


@pytest.mark.parametrize(
    ("model", "given"),
    [
        (JobHandle, HANDLE.model_dump()),
        (JobSnapshot, JobSnapshot(handle=HANDLE, state=JobState.RUNNING).model_dump()),
    ],
)
def test_handles_and_snapshots_refuse_fields_they_do_not_declare(model: type[BaseModel], given: dict[str, Any]) -> None:
    assert model.model_validate(given)
    for name in model.model_fields:
        with pytest.raises(ValidationError, match="Extra"):
            model.model_validate(given | {f"{name}_": 1})
