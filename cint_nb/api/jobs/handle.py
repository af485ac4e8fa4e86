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
    job_id: str | None,
    *,
    ref: TargetGroupRef | None = None,
    project_id: str | None = None,
    created_at: datetime | None = None,
    id_count: int | None = None,
    entity_type: EntityType | None = None,
    file_name: str | None = None,
    sha256: str | None = None,
    count_field: str = "saved_respondent_ids_count",
) -> JobHandle:
    """Build the handle of a job on the exchange and account the client is connected to.

    Args:
        http: What sends the requests.
        kind: What the job does.
        job_id: Its id; None if the reply that contained it was lost.
        ref: Target group; None for jobs of an account or a project.
        project_id: Project, for jobs of a project.
        created_at: When it was sent; now if omitted.
        id_count: How many ids the job handles; None if unknown.
        entity_type: What was uploaded.
        file_name: Name under which the upload is listed.
        sha256: Digest of the uploaded bytes.
        count_field: Field of the overview that counts what the job adds or removes.
    """
    settings = http.settings
    return JobHandle(
        kind=kind,
        base_url=settings.base_url,
        account_id=settings.account_id,
        project_id=ref.project_id if ref else project_id,
        target_group_id=ref.target_group_id if ref else None,
        job_id=job_id,
        created_at=created_at or http.clock.now(),
        id_count=id_count,
        entity_type=entity_type,
        file_name=file_name,
        sha256=sha256,
        count_field=count_field,
    )
