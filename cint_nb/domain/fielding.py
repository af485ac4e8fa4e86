"""Fielding runs, and the results of batch jobs over target groups."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from cint_nb.domain.models import ApiModel


class RunState(StrEnum):
    """Where a fielding run stands; `unknown` for a status Cint does not document."""

    SCHEDULED = "scheduled"
    LIVE = "live"
    PAUSED = "paused"
    COMPLETED = "completed"
    UNKNOWN = "unknown"


class FieldingRun(ApiModel):
    """The one fielding run of a target group; endpoint `GET …/fielding-runs/{fielding_run_id}`.

    `etag` is the version a change must carry; it is empty if the run came from the list.
    """

    id: str
    status: str = ""
    start_fielding_at: datetime | None = None
    end_fielding_at: datetime | None = None
    last_changed_at: datetime | None = None
    version: int | None = None
    etag: str = ""

    @property
    def state(self) -> RunState:
        """The status as a state, whatever its case."""
        try:
            return RunState(self.status.strip().lower())
        except ValueError:
            return RunState.UNKNOWN


class BatchResult(ApiModel):
    """The result of a batch job: target groups changed, and those that could not be, with reasons."""

    status: str = ""
    updated: tuple[str, ...] = ()
    failed: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def from_body(cls, body: dict[str, Any]) -> BatchResult:
        """Parse the nested lists of a batch job's reply; the rest is kept as received."""
        updated = _parse_rows(body, "updated_target_groups")
        failed = _parse_rows(body, "failed_target_groups")
        return cls.model_validate(
            {
                **body,
                "updated": tuple(str(row.get("target_group_id", "")) for row in updated),
                "failed": {
                    str(row.get("target_group_id", "")): _parse_reason(row.get("failure_reason")) for row in failed
                },
            }
        )


def _parse_rows(body: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = body.get(key)
    data = found.get("data") if isinstance(found, dict) else found
    return [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []


def _parse_reason(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value or "")
    return str(value.get("description") or value.get("code") or "")
