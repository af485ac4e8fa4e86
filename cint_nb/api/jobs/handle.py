"""Building the handle of a job that has just been started."""

from __future__ import annotations

from datetime import datetime

from cint_nb.domain.ids import EntityType
from cint_nb.domain.jobs import JobHandle, JobKind
from cint_nb.domain.models import TargetGroupRef
from cint_nb.wire.http import Http


def make_handle(
    http: Http,
    kind: JobKind,
    job_id: str,
    *,
    ref: TargetGroupRef | None = None,
    project_id: str = "",
    created_at: datetime | None = None,
    id_count: int = 0,
    entity_type: EntityType | None = None,
    file_name: str = "",
    sha256: str = "",
    count_field: str = "saved_respondent_ids_count",
) -> JobHandle:
    """Build the handle of a job on the exchange and account the client is connected to.

    Args:
        http: What sends the requests.
        kind: What the job does.
        job_id: Its id; empty if the reply that contained it was lost.
        ref: Target group; None for jobs of an account or a project.
        project_id: Project, for jobs of a project.
        created_at: When it was sent; now if omitted.
        id_count: How many ids the job handles; 0 if unknown.
        entity_type: What was uploaded.
        file_name: Name under which the upload is listed.
        sha256: Digest of the uploaded bytes.
        count_field: Field of the overview that counts what the job adds or removes.
    """
    settings = http.settings
    return JobHandle(
        kind=kind,
        base_url=settings.base_url,
        account_id=settings.account_id or 0,
        project_id=ref.project_id if ref else project_id,
        target_group_id=ref.target_group_id if ref else "",
        job_id=job_id,
        created_at=created_at or http.clock.now(),
        id_count=id_count,
        entity_type=entity_type,
        file_name=file_name,
        sha256=sha256,
        count_field=count_field,
    )
