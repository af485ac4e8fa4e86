"""Fielding runs, and the results of batch jobs over target groups."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, TypeAdapter, model_validator

from cint_nb.domain.models import ApiModel, OptionalText, SpareCount, SpareTime, reason_in_words


class RunState(StrEnum):
    """Where a fielding run stands; `unknown` for a status Cint does not document."""

    SCHEDULED = "scheduled"
    LIVE = "live"
    PAUSED = "paused"
    COMPLETED = "completed"
    UNKNOWN = "unknown"


class FieldingRun(ApiModel):
    """The one fielding run of a target group; endpoint `GET …/fielding-runs/{fielding_run_id}`.

    `etag` is the version a change must carry; it is None if the run came from the list. A time that cannot be read is
    None: pausing and closing a run do not wait for it.
    """

    id: str
    status: OptionalText = None
    start_fielding_at: SpareTime = None
    end_fielding_at: SpareTime = None
    last_changed_at: SpareTime = None
    version: SpareCount = None
    etag: OptionalText = None

    @property
    def state(self) -> RunState:
        """The status as a state, whatever its case."""
        try:
            return RunState((self.status or RunState.UNKNOWN).strip().lower())
        except ValueError:
            return RunState.UNKNOWN


class BatchResult(ApiModel):
    """The result of a batch job: target groups changed, and those that could not be, with reasons.

    A list is None if the exchange did not send it, and so is a reason.
    """

    status: OptionalText = None
    updated: tuple[str, ...] | None = None
    failed: dict[str, str | None] | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_nested_lists(cls, body: Any) -> Any:
        """Take the ids out of the rows of both lists; the rest is kept as received."""
        if not isinstance(body, dict):
            return body
        updated, failed = (_rows(body.get(f"{name}_target_groups")) for name in ("updated", "failed"))
        return {
            **body,
            **({} if updated is None else {"updated": [row.target_group_id for row in updated]}),
            **({} if failed is None else {"failed": {row.target_group_id: row.failure_reason for row in failed}}),
        }


class _BatchRow(ApiModel):
    target_group_id: str
    failure_reason: Annotated[OptionalText, BeforeValidator(reason_in_words)] = None


def _rows(found: Any) -> list[_BatchRow] | None:
    data = found.get("data") if isinstance(found, dict) else found
    return None if data is None else _ROWS.validate_python(data)


_ROWS = TypeAdapter(list[_BatchRow])
