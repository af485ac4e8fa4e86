"""The files that were uploaded to the target group of a wave: listed, and downloaded again."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cint_nb.api.resources.downloads import Download
from cint_nb.domain.errors import ApiError, InputError
from cint_nb.domain.ids import EntityType, mask_ids_in
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.respondent_lists import UploadJob
from cint_nb.study.outcome.upload_outcome import parse_message_counts
from cint_nb.study.readable_frame import ReadableFrame
from cint_nb.wave.context import WaveContext
from cint_nb.wave.exchange.identity import UploadName, list_hashes

FILE_COLUMNS = {
    "job_id": "str",
    "file_name": "str",
    "of": "str",
    "state": "str",
    "created_at": "datetime64[us, UTC]",
    "completed_at": "datetime64[us, UTC]",
    "sent": "Int64",
    "uploaded": "Int64",
    "failed": "Int64",
}


class FileSteps:
    """The steps of one wave that read what was uploaded; they change nothing."""

    def __init__(self, wave: WaveContext) -> None:
        self._wave = wave

    async def list(self) -> list[dict[str, Any]]:
        """Return one row per uploaded file, the newest first."""
        ref = await self._wave.require_ref()
        return [await self._row(ref, job) for job in await self._wave.client.recontacts.jobs(ref)]

    async def _row(self, ref: TargetGroupRef, listed: UploadJob) -> dict[str, Any]:
        state, ended, message = listed.state, listed.completed_at, None
        try:  # the list shows neither the end nor the counts of a job
            shown = await self._wave.client.recontacts.job(ref, listed.job_id).refresh()
            state, ended, message = shown.state, shown.completed_at, shown.partial_message
        except ApiError as error:
            self._wave.client.http.warn(
                f"An upload job of the wave {self._wave.name!r} is listed and could not be read: {error.what}"
            )
        uploaded, failed = parse_message_counts(message)
        whose, sent = self._whose(ref, listed.file_name or "")
        if uploaded is not None and failed is not None:
            sent = uploaded + failed
        return {
            "job_id": listed.job_id,
            "file_name": None if listed.file_name is None else mask_ids_in(listed.file_name),
            "of": whose,
            "state": str(state),
            "created_at": listed.created_at,
            "completed_at": ended,
            "sent": sent,
            "uploaded": uploaded,
            "failed": failed,
        }

    def _whose(self, ref: TargetGroupRef, file_name: str) -> tuple[str, int | None]:
        """Return what the name says of a file: `list`, `resubmission`, `earlier list` or `other`, and the ids sent."""
        name, people = UploadName.parse(file_name), self._wave.respondents_or_none
        if name is None or name.reference != self._wave.reference(ref.project_id):
            return "other", None
        if name.batch:
            return "resubmission", None
        if people is not None and name.list_hash in list_hashes(people):
            return "list", len(people)
        return "list" if people is None else "earlier list", None

    async def download(self, job_id: str, entity_type: str | EntityType | None) -> tuple[Download, str | EntityType]:
        """Return an uploaded file, and what its ids are.

        Raises:
            InputError: the file is not of this wave's list, so that nothing says what its ids are.
        """
        ref = await self._wave.require_ref()
        download = await self._wave.client.recontacts.download(ref, job_id)
        if entity_type is not None:
            return download, entity_type
        people, name = self._wave.respondents_or_none, UploadName.parse(download.name)
        if people is not None and name is not None and name.list_hash in list_hashes(people):
            return download, people.entity_type
        raise InputError(
            "The file was not uploaded as the list of this wave, so that nothing says whether it holds RSIDs or RIDs.",
            evidence={"job_id": job_id, "field": "entity_type"},
            safe="the file was downloaded and not kept; nothing was changed.",
            next_step='say what its ids are: wave.download_file(job_id, entity_type="RSID").',
        )


def files_frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the uploaded files as a frame with fixed columns."""
    frame = ReadableFrame(rows, columns=list(FILE_COLUMNS))
    for column, kind in FILE_COLUMNS.items():
        if kind.startswith("datetime"):
            frame[column] = pd.to_datetime(frame[column], utc=True)
    known = frame.notna()  # pandas 2 writes "None" for a text that is missing
    return frame.astype(FILE_COLUMNS).where(known)
