"""What an upload may be, checked before it is sent."""

from __future__ import annotations

from cint_nb.domain import limits
from cint_nb.domain.errors import InputError, RespondentFileError
from cint_nb.domain.uploads import Uploadable, UploadFile


def checked_upload(uploadable: UploadFile | Uploadable) -> UploadFile:
    """Return the bytes to upload, and refuse those that the exchange would refuse.

    Raises:
        InputError: it is nothing that can be uploaded, such as a path or a list of ids.
        RespondentFileError: naming the limit of the recontact guide, step 2.
    """
    if not isinstance(uploadable, UploadFile) and not hasattr(uploadable, "to_upload"):
        raise InputError(
            f"A {type(uploadable).__name__} cannot be uploaded: nobody has said what its ids are.",
            next_step="read it first: read_respondents(..., entity_type='RSID') takes a file, a table or a list.",
        )
    upload = uploadable if isinstance(uploadable, UploadFile) else uploadable.to_upload()
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
    return upload
