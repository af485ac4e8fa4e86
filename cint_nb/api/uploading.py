"""What an upload may be, checked before it is sent."""

from __future__ import annotations

from cint_nb.domain import limits
from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.uploads import UploadFile


def check_upload(upload: UploadFile) -> None:
    """Refuse bytes that the exchange would refuse.

    Raises:
        RespondentFileError: naming the limit of the recontact guide, step 2.
    """
    if not upload.ids or not upload.content.strip():
        raise RespondentFileError(
            "There is no usable id to upload.", next_step="look at the summary of the respondents for the reasons."
        )
    if upload.ids > limits.IDS_PER_TARGET_GROUP:
        raise RespondentFileError(
            f"{upload.ids:,} ids are more than one target group holds.",
            evidence={"limit": f"{limits.IDS_PER_TARGET_GROUP:,}"},
            next_step="split the list over several target groups.",
        )
    if len(upload.content) >= limits.UPLOAD_MAX_BYTES:
        raise RespondentFileError(
            f"The file has {len(upload.content):,} bytes; it must have less than {limits.UPLOAD_MAX_BYTES:,}.",
            next_step="upload bare ids, one a line: 100,000 of them are 3.7 MB.",
        )
